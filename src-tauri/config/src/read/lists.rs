//! Values that are lists: days, dates, windows, steps, patterns, symbols.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use domain::{
    Symbol,
    rulebook::{LossTier, SessionWindow},
};
use serde::Serialize;
use serde_json::Value as Json;

use super::{Complaint, Read, duration, money, scalar, symbol, time, whole, wrong};
use crate::{
    fault::{FaultKind, nearest, shown},
    schema::{self, Sign},
    yaml::{Content, Node},
};

/// The items of a list.
fn list(node: &Node) -> Read<&[Node]> {
    match &node.content {
        Content::List(items) => Ok(items),
        Content::Scalar(_) | Content::Map(_) | Content::Bad => {
            Err(Complaint::new(FaultKind::Type, node, "A list is expected here."))
        }
    }
}

pub(super) fn days(node: &Node) -> Read<BTreeSet<u8>> {
    let mut days = BTreeSet::new();
    for item in list(node)? {
        let day = whole(item, 0, 6)?;
        if !days.insert(u8::try_from(day).unwrap_or_default()) {
            return Err(twice(item, &day.to_string()));
        }
    }
    match days.is_empty() {
        true => Err(Complaint::new(FaultKind::Range, node, "The list of days is empty.")
            .because("No session would ever begin.")),
        false => Ok(days),
    }
}

pub(super) fn percents(node: &Node) -> Read<BTreeSet<u32>> {
    let mut percents = BTreeSet::new();
    for item in list(node)? {
        let percent = whole(item, 1, 99)?;
        if !percents.insert(percent) {
            return Err(twice(item, &percent.to_string()));
        }
    }
    Ok(percents)
}

fn twice(node: &Node, what: &str) -> Box<Complaint> {
    Complaint::new(FaultKind::Conflict, node, format!("{what} is in the list twice."))
}

fn date(node: &Node) -> Read<NaiveDate> {
    let scalar = scalar(node)?;
    let shaped = scalar.text.len() == 10 && scalar.text.is_ascii();
    NaiveDate::parse_from_str(&scalar.text, "%Y-%m-%d")
        .ok()
        .filter(|_| shaped)
        .ok_or_else(|| wrong(FaultKind::Type, node, scalar, "a date as YYYY-MM-DD"))
}

pub(super) fn dates(node: &Node) -> Read<BTreeSet<NaiveDate>> {
    let mut dates = BTreeSet::new();
    for item in list(node)? {
        let date = date(item)?;
        if !dates.insert(date) {
            return Err(twice(item, &date.to_string()));
        }
    }
    Ok(dates)
}

pub(super) fn early_closes(node: &Node) -> Read<BTreeMap<NaiveDate, NaiveTime>> {
    let mut days = BTreeMap::new();
    for item in list(node)? {
        fields(item, &["date", "close_time"], &["date", "close_time"])?;
        let day = date(item.child("date").unwrap_or(item))?;
        if days.insert(day, time(item.child("close_time").unwrap_or(item))?).is_some() {
            return Err(twice(item, &day.to_string()));
        }
    }
    Ok(days)
}

/// A map with these fields, of which some are needed.
fn fields(node: &Node, known: &[&str], needed: &[&str]) -> Read<()> {
    let Content::Map(entries) = &node.content else {
        let problem = format!("An entry with {} is expected here.", known.join(", "));
        return Err(Complaint::new(FaultKind::Type, node, problem));
    };
    for (key, _) in entries {
        if !known.contains(&key.name.as_str()) {
            let problem =
                format!("{} is not known here; the entry has {}.", shown(&key.name), known.join(", "));
            let mut told = Complaint::new(FaultKind::UnknownKey, node, problem);
            told.place = key.place.clone();
            told.nearest = nearest(&key.name, known.iter().copied()).map(ToString::to_string);
            return Err(told);
        }
    }
    match needed.iter().find(|name| node.child(name).is_none()) {
        Some(missing) => Err(Complaint::new(FaultKind::Type, node, format!("The entry has no {missing}."))),
        None => Ok(()),
    }
}

pub(super) fn entries<T: Serialize>(node: &Node, read: impl Fn(&Node) -> Read<T>) -> Read<Json> {
    let items = list(node)?;
    if items.is_empty() {
        return Err(Complaint::new(FaultKind::Range, node, "The list is empty."));
    }
    let entries = items.iter().map(read).collect::<Read<Vec<T>>>()?;
    Ok(schema::json(&entries))
}

pub(super) fn window(node: &Node) -> Read<SessionWindow> {
    fields(node, &["start", "end", "days"], &["start", "end"])?;
    let start = time(node.child("start").unwrap_or(node))?;
    let end = time(node.child("end").unwrap_or(node))?;
    if start == end {
        return Err(Complaint::new(
            FaultKind::Conflict,
            node,
            "The session begins and ends at the same time.",
        ));
    }
    let days = node.child("days").map(days).transpose()?.unwrap_or_default();
    Ok(SessionWindow { start, end, days })
}

pub(super) fn tier(node: &Node) -> Read<LossTier> {
    fields(node, &["loss_amount", "cooldown_duration"], &["loss_amount", "cooldown_duration"])?;
    Ok(LossTier {
        loss: money(node.child("loss_amount").unwrap_or(node), Sign::Loss)?,
        cooldown_seconds: duration(node.child("cooldown_duration").unwrap_or(node), 1, 86_400)?,
    })
}

pub(super) fn patterns(node: &Node) -> Read<BTreeSet<String>> {
    let mut patterns = BTreeSet::new();
    for item in list(node)? {
        let scalar = scalar(item)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '*' || c == '?';
        if scalar.text.len() > 20 || !scalar.text.chars().all(legal) {
            let what = "a pattern of 1 to 20 letters, digits, * and ?";
            return Err(wrong(FaultKind::Range, item, scalar, what));
        }
        patterns.insert(scalar.text.to_ascii_uppercase());
    }
    Ok(patterns)
}

pub(super) fn symbols(node: &Node) -> Read<BTreeSet<Symbol>> {
    list(node)?
        .iter()
        .map(|item| {
            let scalar = scalar(item)?;
            symbol(&scalar.text).ok_or_else(|| wrong(FaultKind::Range, item, scalar, "a root symbol"))
        })
        .collect()
}

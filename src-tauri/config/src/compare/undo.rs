//! Taking a waiting change back: the edits that make the files say again what is in force.

use std::collections::BTreeSet;

use domain::{
    RuleKey, RuleSet, Rulebook, Symbol,
    rulebook::{SessionBlockOutside, SessionWindow, SymbolListMode},
};
use serde_json::{Value as Json, json};

use super::{
    Pending, meet,
    parts::{Global, Part},
};
use crate::{
    edit::Edit,
    schema::{self, File, Form, Kind, Row},
    sheet::Sheet,
};

/// Edits for [`crate::save`] that write the value in force back into the files. `None` where it can't be
/// said in single keys: the list of watched accounts.
#[must_use]
pub fn undo(rulebook: &Rulebook, change: &Pending) -> Option<Vec<Edit>> {
    let edit = |(key, value)| Edit { account: change.account.clone(), key, value };
    let values = match change.rule {
        None => of_everyone(rulebook, change)?,
        Some(_) => {
            let rules = change.account.as_ref().map_or(&rulebook.base, |account| rulebook.of(account));
            of_rules(rules, change)?
        }
    };
    (!values.is_empty()).then(|| values.into_iter().map(edit).collect())
}

/// Keys with their values as one would write them; nothing takes a key out.
type Values = Vec<(String, Option<Json>)>;

fn of_rules(rules: &RuleSet, change: &Pending) -> Option<Values> {
    let part = Part::of_key(&change.key)?;
    let kept = Sheet { rules: rules.clone(), ..Sheet::default() };
    let mut asked = kept.clone();
    part.set(&mut asked, &change.to)?;
    match &part {
        Part::Row(row) => Some(vec![(row.path.clone(), Some(row.key.kind.written(&part.get(&kept))))]),
        Part::Limit(symbol) => {
            // A symbol that had no limit of its own gets the one that held for it.
            let limit = meet::allowed(&rules.max_contracts_per_instrument.settings, symbol)?;
            Some(vec![(part.key(), Some(json!(limit)))])
        }
        Part::Unlisted => Some(differing(RuleKey::MaxContractsPerInstrument, &kept, &asked)),
        Part::Automation => Some(differing(RuleKey::TradeManagement, &kept, &asked)),
        Part::Hours => {
            let of = |sheet: &Sheet| sheet.rules.session_block_outside.settings.clone();
            Some(of_hours(&of(&kept), &of(&asked)))
        }
        Part::SymbolList => {
            let list = &rules.symbol_blocks.settings;
            let symbols = match list.mode {
                SymbolListMode::Blacklist => "rules.symbol_blocks.blocked_symbols",
                SymbolListMode::Whitelist => "rules.symbol_blocks.allowed_symbols",
            };
            Some(vec![
                ("rules.symbol_blocks.mode".to_string(), Some(schema::json(&list.mode))),
                (symbols.to_string(), Some(schema::json(&list.patterns))),
            ])
        }
    }
}

/// The hours of an account and those of symbols; a symbol that had none of its own loses them.
fn of_hours(kept: &SessionBlockOutside, asked: &SessionBlockOutside) -> Values {
    let key = |name: &str| format!("rules.session_block_outside.{name}");
    let windows = |windows: &Vec<SessionWindow>| Kind::Windows.written(&schema::json(windows));
    let mut values = Values::new();
    if (&kept.windows, kept.timezone) != (&asked.windows, asked.timezone) {
        values.push((key("sessions"), Some(windows(&kept.windows))));
        values.push((key("timezone"), Some(schema::json(&kept.timezone))));
    }
    let (own, others) = (&kept.per_instrument, &asked.per_instrument);
    if own.is_empty() != others.is_empty() {
        values.push((key("per_instrument_sessions.enabled"), Some(json!(!own.is_empty()))));
    }
    let symbols: BTreeSet<&Symbol> = own.keys().chain(others.keys()).collect();
    for symbol in symbols.into_iter().filter(|symbol| own.get(*symbol) != others.get(*symbol)) {
        values
            .push((key(&format!("per_instrument_sessions.sessions.{symbol}")), own.get(symbol).map(windows)));
    }
    values
}

fn differing(rule: RuleKey, kept: &Sheet, asked: &Sheet) -> Values {
    let rows =
        schema::rows(File::Risk).filter(|row| row.group.rule == Some(rule) && row.key.symbols.is_none());
    changed(rows, kept, asked)
}

fn of_everyone(rulebook: &Rulebook, change: &Pending) -> Option<Values> {
    let global = Global::ALL.into_iter().find(|global| global.key() == change.key)?;
    let mut wished = rulebook.clone();
    global.set(&mut wished, &change.to)?;
    let values = match global {
        Global::Reset | Global::Dates | Global::EarlyCloses | Global::ResetUnlocks => {
            changed(schema::rows(File::Timers), &sheet(rulebook), &sheet(&wished))
        }
        Global::OnReduceRefused => vec![(change.key.clone(), Some(global.get(rulebook)))],
        Global::Accounts | Global::WarnAt => return None,
    };
    Some(values)
}

fn sheet(rulebook: &Rulebook) -> Sheet {
    let mut sheet = Sheet { reset: rulebook.reset, holidays: rulebook.holidays.clone(), ..Sheet::default() };
    sheet.settings.timers.unlock_daily_loss = rulebook.reset_unlocks.daily_loss;
    sheet.settings.timers.unlock_daily_profit = rulebook.reset_unlocks.daily_profit;
    sheet
}

/// The keys in which two sheets differ, with the values of the first.
fn changed<'a>(rows: impl Iterator<Item = &'a Row>, kept: &Sheet, asked: &Sheet) -> Values {
    rows.filter(|row| row.key.form != Form::Alternative)
        .filter_map(|row| {
            let lens = row.key.lens?;
            let (from, to) = ((lens.get)(kept, ""), (lens.get)(asked, ""));
            (from != to).then(|| (row.path.clone(), Some(row.key.kind.written(&from))))
        })
        .collect()
}

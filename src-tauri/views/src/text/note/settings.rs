//! What became of changed settings, in the words of people: rules by their titles, money as money, accounts
//! by the trader's own names.

use domain::{Instant, RuleKey, Severity, Usd};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::{Note, Purpose};
use crate::text::{Zones, money, time, words};

/// One setting that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// What the account is called that it is for; `None`: for everyone.
    pub account: Option<String>,
    /// Of which rule; `None`: of no rule.
    pub rule: Option<RuleKey>,
    /// Its last name in the files: `limit`, `enabled`; a symbol where each has a value of its own.
    pub key: String,
    /// What it is called; empty where several keys of a rule change together.
    pub title: String,
    /// Its values are dollars.
    pub is_money: bool,
    /// The rule acts until then.
    pub is_enforced: bool,
    /// As it would be written.
    pub from: Json,
    /// As it would be written.
    pub to: Json,
}

/// What became of changed settings.
#[derive(Clone, Copy, Debug)]
pub struct SettingsNews<'a> {
    /// In force now.
    pub applied: &'a [Changed],
    /// Queued, because they protect less.
    pub waits: &'a [Changed],
    /// From when these apply.
    pub from: Instant,
    /// Refused, because the account is locked.
    pub refused: &'a [Changed],
    /// Queued before, and taken back.
    pub withdrawn: &'a [Changed],
}

/// The settings changed; `None` when no rule did.
#[must_use]
pub fn settings_changed(news: &SettingsNews<'_>, now: Instant, zones: Zones) -> Option<Note> {
    let SettingsNews { applied, waits, from, refused, withdrawn } = *news;
    let from = time::ahead(from, now, zones);
    if let ([], [one], [], []) = (applied, waits, refused, withdrawn)
        && let Some((old, new)) = one.figures()
    {
        return Some(looser_change(one, &old, &new, &from));
    }
    let from = format!("From {from}");
    let parts = [
        ("Applied", applied),
        (from.as_str(), waits),
        ("Refused while locked", refused),
        ("Withdrawn", withdrawn),
    ];
    let said = |(what, changes): (&str, &[Changed])| {
        let changes: Vec<String> = changes.iter().map(Changed::sentence).collect();
        (!changes.is_empty()).then(|| format!("{what}: {}.", changes.join("; ")))
    };
    let body: Vec<String> = parts.into_iter().filter_map(said).collect();
    let (title, severity) = match refused.is_empty() {
        true => ("Settings changed", Severity::Info),
        false => ("Settings not loosened while locked", Severity::Warning),
    };
    (!body.is_empty()).then(|| note(title, body.join(" "), severity))
}

/// The files changed where only a start reads them; what changed, in sentences.
#[must_use]
pub fn at_next_start(what: &[&str]) -> Note {
    let body = format!(
        "{} It counts from the next start of Risk Manager; until then it is as before.",
        what.join(" ")
    );
    note("Settings count from the next start", body, Severity::Warning)
}

/// A looser setting was saved and waits for the next trading day.
fn looser_change(one: &Changed, old: &str, new: &str, from: &str) -> Note {
    let is_amount = old.contains(|letter: char| letter.is_ascii_digit());
    let until = match one.is_enforced && is_amount {
        true => format!("{old} is enforced"),
        false => "it stays as it is".to_owned(),
    };
    let body = format!("{} {old} → {new} applies at {from}. Until then {until}.", one.name());
    note("Looser change saved", body, Severity::Info)
}

fn note(title: &str, body: String, severity: Severity) -> Note {
    Note { title: title.to_owned(), body, severity, rule: None, purpose: Purpose::News }
}

impl Changed {
    /// `Daily Loss Limit −$500 → −$750`; a value that is no figure only `changed`.
    fn sentence(&self) -> String {
        match self.figures() {
            Some((old, new)) => format!("{} {old} → {new}", self.name()),
            None => format!("{} changed", self.name()),
        }
    }

    /// `Swing: Daily Loss Limit`; the one figure of a rule goes by the name of the rule.
    fn name(&self) -> String {
        let whose = self.account.as_ref().map(|account| format!("{account}: ")).unwrap_or_default();
        let name = match (self.rule, self.key.as_str()) {
            (None, _) => self.title.clone(),
            (Some(rule), "limit" | "target" | "enabled") => words::title(rule).to_owned(),
            (Some(rule), _) if self.title.is_empty() => words::title(rule).to_owned(),
            (Some(rule), _) => format!("{}, {}", words::title(rule), self.title),
        };
        format!("{whose}{name}")
    }

    fn figures(&self) -> Option<(String, String)> {
        Some((self.figure(&self.from)?, self.figure(&self.to)?))
    }

    fn figure(&self, value: &Json) -> Option<String> {
        let plain = match value {
            Json::Null => "none".to_owned(),
            Json::Bool(true) => "on".to_owned(),
            Json::Bool(false) => "off".to_owned(),
            Json::Number(number) => number.to_string(),
            Json::String(word) => word.replace('_', " "),
            Json::Array(_) | Json::Object(_) => return None,
        };
        let amount = self.is_money.then(|| plain.parse::<Decimal>().ok()).flatten();
        Some(amount.map_or(plain, |amount| money::short(Usd(amount))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limit(from: i64, to: i64) -> Changed {
        Changed {
            account: None,
            rule: Some(RuleKey::DailyRealizedLoss),
            key: "limit".into(),
            title: "Daily Loss Limit".into(),
            is_money: true,
            is_enforced: true,
            from: json!(from),
            to: json!(to),
        }
    }

    fn told(news: &SettingsNews<'_>) -> (String, String) {
        let now = "2025-11-18T16:42:18Z".parse().unwrap();
        let note = settings_changed(news, now, Zones::CENTRAL).unwrap();
        (note.title, note.body)
    }

    const NOTHING: &[Changed] = &[];

    fn nothing() -> SettingsNews<'static> {
        let from = "2025-11-18T23:00:00Z".parse().unwrap();
        SettingsNews { applied: NOTHING, waits: NOTHING, from, refused: NOTHING, withdrawn: NOTHING }
    }

    #[test]
    fn message_9_a_looser_change_waits() {
        let looser = limit(-500, -750);
        let said = |one: Changed| told(&SettingsNews { waits: &[one], ..nothing() });
        let (title, body) = said(looser.clone());
        assert_eq!(title, "Looser change saved");
        assert_eq!(
            body,
            "Daily Loss Limit −$500 → −$750 applies at 5:00 PM CT (in 6h 18m). Until then −$500 is enforced."
        );
        let of_one = Changed { account: Some("Swing".into()), is_enforced: false, ..looser.clone() };
        assert_eq!(
            said(of_one).1,
            "Swing: Daily Loss Limit −$500 → −$750 applies at 5:00 PM CT (in 6h 18m). Until then it stays as \
             it is."
        );
        let off = Changed { key: "enabled".into(), from: json!(true), to: json!(false), ..looser };
        assert!(said(off).1.starts_with("Daily Loss Limit on → off applies"));
    }

    #[test]
    fn several_changes_are_named_by_rule_and_setting() {
        let word = Changed {
            key: "basis".into(),
            title: "What counts".into(),
            is_money: false,
            from: json!("realized"),
            to: json!("combined"),
            ..limit(0, 0)
        };
        let hours = Changed {
            rule: Some(RuleKey::SessionBlockOutside),
            key: "sessions".into(),
            title: "Sessions".into(),
            from: json!([]),
            to: json!([{}]),
            ..limit(0, 0)
        };
        let together = Changed { title: String::new(), ..hours.clone() };
        assert_eq!(together.sentence(), "Trading Hours changed");
        let zone =
            Changed { rule: None, key: "daily_reset".into(), title: "Daily reset".into(), ..hours.clone() };
        let news = SettingsNews { applied: &[word, hours], refused: &[zone], ..nothing() };
        assert_eq!(
            told(&news),
            (
                "Settings not loosened while locked".to_owned(),
                "Applied: Daily Loss Limit, What counts realized → combined; Trading Hours, Sessions \
                 changed. Refused while locked: Daily reset changed."
                    .to_owned()
            )
        );
        let now = "2025-11-18T16:42:18Z".parse().unwrap();
        assert_eq!(settings_changed(&nothing(), now, Zones::CENTRAL), None);
    }
}

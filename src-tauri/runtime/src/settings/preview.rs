//! What edits of the settings would lead to, before anybody saves them: judged by the same check and the
//! same comparison that judge them afterwards. Writes nothing.

use std::path::Path;

use config::{Edit, Loaded, Pending, SaveError};
use domain::{Instant, RuleKey, Rulebook};
use serde_json::Value as Json;
use views::settings::{ChangeEffect, SettingChange, SettingFault, SettingsPreview};

use super::{BUILT, InForce, environment, refusal, show};

/// The list of watched accounts: whom to watch is settled at the start.
const ACCOUNTS: &str = "accounts";

/// The files of a directory with these edits, against the files as they are and the rules in force.
pub(super) fn of(directory: &Path, edits: &[Edit], known: &Loaded, in_force: &InForce) -> SettingsPreview {
    let next = match config::preview(directory, edits, &environment, &BUILT) {
        Ok(next) => next,
        Err(error) => {
            return SettingsPreview { changes: Vec::new(), faults: faults(error, edits), refused: None };
        }
    };
    let mut changes = of_rules(&known.rulebook, &next.rulebook, in_force);
    let is_judged = |edit: &&Edit| changes.iter().any(|change| edit.key.starts_with(&change.key));
    let others = edits.iter().filter(|edit| !is_judged(edit));
    let others: Vec<_> = others.filter_map(|edit| of_program(edit, known, &next)).collect();
    changes.extend(others);
    SettingsPreview {
        changes,
        faults: next.warnings.iter().filter(|it| !known.warnings.contains(it)).map(show::fault).collect(),
        refused: refusal(&known.rulebook, &next.rulebook, &in_force.guarded),
    }
}

fn of_rules(files: &Rulebook, next: &Rulebook, in_force: &InForce) -> Vec<SettingChange> {
    let (_, waiting) = config::split(&in_force.rulebook, files);
    let (now, later) = config::split(&in_force.rulebook, next);
    let applied = config::compare(&in_force.rulebook, &now).0.into_iter().map(Pending::from);
    let queued = later.iter().filter(|it| !waiting.contains(it)).cloned();
    let is_gone = |it: &&Pending| !later.iter().any(|other| is_about(it, other));
    let withdrawn = waiting.iter().filter(is_gone).cloned();
    let change = |effect: ChangeEffect, applies_at: Option<Instant>| {
        move |it: Pending| {
            let (from, to) = it.shown();
            let restarts = effect == ChangeEffect::Now && it.key == ACCOUNTS;
            let effect = if restarts { ChangeEffect::Restart } else { effect };
            SettingChange { account: it.account, rule: it.rule, key: it.key, from, to, effect, applies_at }
        }
    };
    applied
        .map(change(ChangeEffect::Now, None))
        .chain(queued.map(change(ChangeEffect::Later, in_force.loosens_at)))
        .chain(withdrawn.map(change(ChangeEffect::Withdrawn, None)))
        .collect()
}

fn is_about(one: &Pending, other: &Pending) -> bool {
    (&one.account, &one.key) == (&other.account, &other.key)
}

/// A setting that is no part of the rules.
fn of_program(edit: &Edit, known: &Loaded, next: &Loaded) -> Option<SettingChange> {
    let value = |loaded: &Loaded| -> Option<(Option<RuleKey>, Json)> {
        let found = loaded.effective(edit.account.as_ref()).into_iter().find(|it| it.key == edit.key)?;
        Some((found.rule, found.value))
    };
    let (rule, to) = value(next)?;
    let from = value(known).map_or(Json::Null, |(_, from)| from);
    (from != to && rule.is_none()).then(|| SettingChange {
        account: None,
        rule: None,
        key: edit.key.clone(),
        from,
        to,
        effect: match config::restart_needed(known, next).is_empty() {
            true => ChangeEffect::Now,
            false => ChangeEffect::Restart,
        },
        applies_at: None,
    })
}

fn faults(error: SaveError, edits: &[Edit]) -> Vec<SettingFault> {
    if let SaveError::Refused(faults) = &error {
        return faults.0.iter().map(show::fault).collect();
    }
    let key = match &error {
        SaveError::UnknownKey { key, .. } | SaveError::NotPerAccount { key } => key.clone(),
        SaveError::NotListed { .. }
        | SaveError::Layout { .. }
        | SaveError::Io { .. }
        | SaveError::Refused(_) => edits.first().map(|edit| edit.key.clone()).unwrap_or_default(),
    };
    vec![SettingFault {
        is_error: true,
        file: String::new(),
        line: None,
        key,
        problem: capital(&error.to_string()),
        reason: String::new(),
        fix: String::new(),
        example: None,
    }]
}

/// An error as a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

//! Tighten now, loosen later: what differs between two rulebooks, what of it is stricter and holds at
//! once, and what is looser and waits for the next trading day. Pure: no clock, no files.
//!
//! Which way is stricter is said key by key in the table. Where neither way is clearly stricter, a change
//! waits. A rule that was off or only observed protects nothing yet: its values may change at once, and
//! switching it on brings all its new values with it. The daily reset always waits: brought forward, it
//! would set the day's loss to zero early (specification C.6).

mod meet;
mod parts;
mod undo;

use std::collections::BTreeSet;

use domain::{AccountId, RuleKey, RuleMode, RuleSet, Rulebook};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::sheet::Sheet;
use parts::{Global, Part};
pub use undo::undo;

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Protects more: applied at once.
    Stricter,
    /// Protects less, or neither is clear: waits for the next trading day.
    Looser,
    /// Some of it is stricter and applied at once; the rest waits.
    Mixed,
    /// Protects neither more nor less: applied at once.
    Neutral,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Whose rules; `None`: of all accounts without rules of their own, or of everyone.
    pub account: Option<AccountId>,
    /// Which rule; `None`: daily reset, holidays, watched accounts.
    pub rule: Option<RuleKey>,
    /// Dotted path, as in the file.
    pub key: String,
    /// Value before, in the domain's form.
    pub from: Json,
    /// Value after.
    pub to: Json,
    /// Which way it goes.
    pub direction: Direction,
    /// In words.
    pub text: String,
}

/// All differences.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Changes(pub Vec<Change>);

/// A change that waits. Serialises, so that it can be kept over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Whose rules; `None`: of all accounts without rules of their own, or of everyone.
    pub account: Option<AccountId>,
    /// Which rule; `None`: daily reset, holidays, watched accounts.
    pub rule: Option<RuleKey>,
    /// Dotted path, as in the file.
    pub key: String,
    /// Value until then, in the domain's form.
    pub from: Json,
    /// Value afterwards.
    pub to: Json,
    /// In words.
    pub text: String,
}

/// A pending change that no longer fits: it was kept by another version.
#[derive(Debug, thiserror::Error)]
#[error("the pending change of {key} does not fit this version")]
pub struct Outdated {
    /// Its key.
    pub key: String,
}

impl Changes {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The changes that protect less, for an account (those of everyone included): what is refused while
    /// the account is locked.
    pub fn looser<'a>(&'a self, account: &'a AccountId) -> impl Iterator<Item = &'a Change> {
        self.0.iter().filter(move |change| {
            let concerned = change.account.as_ref().is_none_or(|of| of == account);
            concerned && change.is_looser()
        })
    }
}

impl Change {
    /// Whether some of it protects less.
    #[must_use]
    pub fn is_looser(&self) -> bool {
        matches!(self.direction, Direction::Looser | Direction::Mixed)
    }
}

impl Pending {
    /// Both values as people would write them.
    #[must_use]
    pub fn shown(&self) -> (Json, Json) {
        if self.rule.is_some() {
            let part = Part::of_key(&self.key);
            let shown = |value: &Json| part.as_ref().map_or_else(|| value.clone(), |part| part.shown(value));
            return (shown(&self.from), shown(&self.to));
        }
        let global = Global::ALL.into_iter().find(|global| global.key() == self.key);
        let shown = |value: &Json| global.map_or_else(|| value.clone(), |global| global.shown(value));
        (shown(&self.from), shown(&self.to))
    }
}

/// Everything that differs, with its direction.
#[must_use]
pub fn compare(old: &Rulebook, new: &Rulebook) -> Changes {
    let mut changes = Vec::new();
    for global in Global::ALL {
        let (from, to) = (global.get(old), global.get(new));
        if from != to {
            let (direction, _) = global.judge(old, new);
            changes.push(Change {
                account: None,
                rule: None,
                key: global.key().to_string(),
                text: words(None, global.key(), &global.shown(&from), &global.shown(&to)),
                from,
                to,
                direction,
            });
        }
    }
    for account in scopes(old, new) {
        let (from, to) = (rules(old, account.as_ref()), rules(new, account.as_ref()));
        differences(account.as_ref(), from, to, &mut changes);
    }
    Changes(changes)
}

/// `old` with everything of `new` that is stricter or neutral, and what waits. Applying all that waits
/// leads to the rules of `new`. With `now` in place of `old` the answer is the same again, so that it can
/// be computed anew after a restart.
///
/// ```
/// use domain::{Contracts, Rulebook, Usd};
///
/// let old = Rulebook::default();
/// let mut new = old.clone();
/// new.base.max_contracts.settings.limit = Contracts(3); // was 5: stricter
/// new.base.daily_realized_loss.settings.limit = Usd::from_cents(-800_00); // was -500: looser
///
/// let (now, later) = config::split(&old, &new);
/// assert_eq!(now.base.max_contracts.settings.limit, Contracts(3));
/// assert_eq!(now.base.daily_realized_loss.settings.limit, Usd::from_cents(-500_00));
/// assert_eq!(later.len(), 1);
/// assert_eq!(later[0].text, "daily_realized_loss.limit: -500 -> -800");
/// assert_eq!(config::split(&now, &new), (now, later), "the same after a restart");
/// ```
#[must_use]
pub fn split(old: &Rulebook, new: &Rulebook) -> (Rulebook, Vec<Pending>) {
    let mut now = old.clone();
    let mut later = Vec::new();
    for global in Global::ALL {
        let (_, kept) = global.judge(old, new);
        global.set(&mut now, &kept);
        let (from, to) = (global.get(&now), global.get(new));
        if from != to {
            let text = words(None, global.key(), &global.shown(&from), &global.shown(&to));
            later.push(Pending { account: None, rule: None, key: global.key().to_string(), from, to, text });
        }
    }
    for account in scopes(old, new) {
        let kept = strictest(rules(old, account.as_ref()), rules(new, account.as_ref()));
        match &account {
            None => now.base = kept,
            Some(id) if new.own.contains_key(id) || kept != now.base => {
                now.own.insert(id.clone(), kept);
            }
            Some(id) => {
                now.own.remove(id);
                continue;
            }
        }
        let mut changes = Vec::new();
        differences(
            account.as_ref(),
            rules(&now, account.as_ref()),
            rules(new, account.as_ref()),
            &mut changes,
        );
        later.extend(changes.into_iter().map(Pending::from));
    }
    (now, later)
}

/// Puts pending changes into a rulebook.
///
/// # Errors
/// When one was kept by a version whose keys were others; the rulebook is then left as it was.
pub fn apply(rulebook: &mut Rulebook, pending: &[Pending]) -> Result<(), Outdated> {
    let mut changed = rulebook.clone();
    for change in pending {
        apply_one(&mut changed, change).ok_or_else(|| Outdated { key: change.key.clone() })?;
    }
    *rulebook = changed;
    Ok(())
}

fn apply_one(rulebook: &mut Rulebook, change: &Pending) -> Option<()> {
    if change.rule.is_none() {
        let global = Global::ALL.into_iter().find(|global| global.key() == change.key)?;
        return global.set(rulebook, &change.to);
    }
    let rules = match &change.account {
        None => &mut rulebook.base,
        Some(id) => rulebook.own.entry(id.clone()).or_insert_with(|| rulebook.base.clone()),
    };
    let mut sheet = Sheet { rules: rules.clone(), ..Sheet::default() };
    Part::of_key(&change.key)?.set(&mut sheet, &change.to)?;
    *rules = sheet.rules;
    Some(())
}

/// The base, and each account with rules of its own before or after. The base comes first: accounts are
/// compared with it.
fn scopes(old: &Rulebook, new: &Rulebook) -> Vec<Option<AccountId>> {
    let own: BTreeSet<&AccountId> = old.own.keys().chain(new.own.keys()).collect();
    std::iter::once(None).chain(own.into_iter().cloned().map(Some)).collect()
}

fn rules<'a>(rulebook: &'a Rulebook, account: Option<&AccountId>) -> &'a RuleSet {
    account.map_or(&rulebook.base, |id| rulebook.of(id))
}

/// Whether a rule acts or warns: only then are its values protection that a change could take away.
fn protects(rules: &RuleSet, rule: RuleKey) -> bool {
    let (enabled, mode) = rules.stance(rule);
    enabled && mode > RuleMode::Observe
}

fn judge(part: &Part, old: &Sheet, new: &Sheet) -> (Direction, Json) {
    let free = match part.switch() {
        None => !protects(&old.rules, part.rule()),
        Some("enabled") => false,
        Some(_) => !old.rules.stance(part.rule()).0,
    };
    if free {
        return (Direction::Neutral, part.get(new));
    }
    part.judge(old, new)
}

/// The old rules with all that is stricter or neutral in the new ones.
fn strictest(old: &RuleSet, new: &RuleSet) -> RuleSet {
    let (from, to) = sheets(old, new);
    let mut kept = from.clone();
    for part in Part::all(old, new) {
        let (_, value) = judge(&part, &from, &to);
        part.set(&mut kept, &value);
    }
    kept.rules
}

fn differences(account: Option<&AccountId>, old: &RuleSet, new: &RuleSet, changes: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let (before, after) = sheets(old, new);
    for part in Part::all(old, new) {
        let (from, to) = (part.get(&before), part.get(&after));
        if part.shown(&from) == part.shown(&to) {
            continue;
        }
        let (direction, _) = judge(&part, &before, &after);
        let text = words(account, &part.key(), &part.shown(&from), &part.shown(&to));
        changes.push(Change {
            account: account.cloned(),
            rule: Some(part.rule()),
            key: part.key(),
            from,
            to,
            direction,
            text,
        });
    }
}

fn sheets(old: &RuleSet, new: &RuleSet) -> (Sheet, Sheet) {
    let sheet = |rules: &RuleSet| Sheet { rules: rules.clone(), ..Sheet::default() };
    (sheet(old), sheet(new))
}

fn words(account: Option<&AccountId>, key: &str, from: &Json, to: &Json) -> String {
    let key = key.strip_prefix("rules.").unwrap_or(key);
    let whose = account.map(|id| format!("account {id}, ")).unwrap_or_default();
    format!("{whose}{key}: {} -> {}", crate::defaults::flow(from), crate::defaults::flow(to))
}

impl From<Change> for Pending {
    fn from(change: Change) -> Self {
        let Change { account, rule, key, from, to, text, direction: _ } = change;
        Self { account, rule, key, from, to, text }
    }
}

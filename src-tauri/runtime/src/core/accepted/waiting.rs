//! What protects less: judged when it is asked for, applied when its time has come and nobody is locked
//! (ruling 6).

use config::Pending;
use domain::{AccountId, Instant, LockKind, Lockout, RuleKey};
use serde::{Deserialize, Serialize};
use views::view::{PendingState, PendingView};

use super::{super::Core, differences, texts};

/// When a change that protects less applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Not judged yet: nobody has said what time it is.
    Unknown,
    /// At the daily reset at this instant, or once the lockout that is active then has ended.
    At(Instant),
    /// Never: it was made while the account was locked, and not by its trading hours alone. Making it again afterwards is another change.
    Refused,
}

/// A change that does not apply yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which.
    pub change: Pending,
    /// From when.
    pub due: Due,
}

impl Waiting {
    /// Whether this is about the same change of the files.
    pub(super) fn is(&self, change: &Pending) -> bool {
        let Pending { account, key, to, .. } = &self.change;
        (account, key, to) == (&change.account, &change.key, &change.to)
    }

    /// As people see it.
    #[must_use]
    pub fn view(&self, now: Instant) -> PendingView {
        let (state, applies_at) = match self.due {
            Due::Unknown => (PendingState::Undated, None),
            Due::Refused => (PendingState::Refused, None),
            Due::At(at) if at <= now => (PendingState::Held, Some(at)),
            Due::At(at) => (PendingState::Waits, Some(at)),
        };
        let (from, to) = self.change.shown();
        let Pending { account, rule, key, text, from: _, to: _ } = self.change.clone();
        PendingView { account, rule, key, text, from, to, state, applies_at }
    }
}

/// What becomes of the changes that protect less.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub waits: Vec<Pending>,
    pub refused: Vec<Pending>,
}

impl Verdicts {
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty() && self.refused.is_empty()
    }

    pub fn notes(&self, waits: &str) -> Vec<String> {
        [(waits, &self.waits), ("refused while locked", &self.refused)]
            .into_iter()
            .filter(|(_, changes)| !changes.is_empty())
            .map(|(what, changes)| format!("{what}: {}", texts(changes)))
            .collect()
    }
}

impl Core {
    /// Looser changes whose time has come, unless an account they concern is locked; and those that could
    /// not be judged before the time was known.
    pub(in crate::core) fn loosen(&mut self, now: Instant) {
        if self.links.clock_apart.is_none() || self.settled.waiting.is_empty() {
            return;
        }
        let mut verdicts = Verdicts::default();
        let mut waiting = std::mem::take(&mut self.settled.waiting);
        let mut judged = false;
        for it in waiting.iter_mut().filter(|it| it.due == Due::Unknown) {
            it.due = self.judge(&it.change, &mut verdicts);
            judged = true;
        }
        let is_due = |it: &mut Waiting| {
            matches!(it.due, Due::At(at) if at <= now) && !self.concerns(&it.change, locks)
        };
        let due: Vec<Pending> = waiting.extract_if(.., is_due).map(|it| it.change).collect();
        self.settled.waiting = waiting;
        if due.is_empty() && !judged {
            return;
        }
        let old = self.accepted().clone();
        let mut rulebook = old.clone();
        for change in &due {
            if let Err(error) = config::apply(&mut rulebook, std::slice::from_ref(change)) {
                tracing::error!(target: "errors", "{error}; save the settings again");
            }
        }
        let applied = differences(&old, &rulebook);
        let mut notes = verdicts.notes(&self.waits_for());
        if !applied.is_empty() {
            notes.push(format!("settings changed with the new trading day: {}", texts(&applied)));
        }
        self.accept(rulebook, &applied, notes, now);
        self.tell_settings(&applied, &verdicts, &[], now);
    }

    /// When the next change applies.
    pub(in crate::core) fn loosening_due(&self) -> Option<Instant> {
        self.links.clock_apart?;
        let at = |it: &Waiting| match it.due {
            Due::At(at) => Some(at),
            Due::Unknown | Due::Refused => None,
        };
        self.settled.waiting.iter().filter(|it| !self.concerns(&it.change, locks)).filter_map(at).min()
    }

    pub(super) fn judge(&self, change: &Pending, verdicts: &mut Verdicts) -> Due {
        if self.links.clock_apart.is_none() {
            return Due::Unknown;
        }
        if self.concerns(change, in_anger) {
            verdicts.refused.push(change.clone());
            return Due::Refused;
        }
        verdicts.waits.push(change.clone());
        Due::At(self.loosens_at())
    }

    /// Whether the settings are locked, or a change concerns an account with such a record.
    fn concerns(&self, change: &Pending, kind: fn(&Lockout) -> bool) -> bool {
        self.settings_locked_until().is_some()
            || self.accounts_under(kind).any(|locked| change.account.as_ref().is_none_or(|of| of == locked))
    }

    pub(super) fn accounts_under(&self, kind: fn(&Lockout) -> bool) -> impl Iterator<Item = &AccountId> {
        self.engine.accounts().filter(move |it| it.lockouts().iter().any(kind)).map(|it| it.id())
    }
}

/// While such a record is active nothing is loosened.
fn locks(lockout: &Lockout) -> bool {
    lockout.key.symbol.is_none() && matches!(lockout.kind, LockKind::Hard | LockKind::Timer)
}

/// What is decided under such a record is decided in anger. The end of the trading hours angers nobody, and
/// locks every evening: in which else would a trader change a setting?
pub(super) fn in_anger(lockout: &Lockout) -> bool {
    locks(lockout) && lockout.key.rule != RuleKey::SessionBlockOutside
}

//! A lock that began, or that ends later now.

use domain::{LockEnd, LockKind, Lockout, RuleKey, Severity};

use super::{Note, Scene};
use crate::text::{lockout as lockout_text, reason, time};

/// A lock as it is told.
#[derive(Clone, Copy, Debug)]
pub struct Locking<'a> {
    /// The record.
    pub lockout: &'a Lockout,
    /// People know its beginning; it ends later now.
    pub is_extended: bool,
    /// What belongs to it.
    pub beside: &'a Beside,
}

/// What is said beside a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// What the trader wants to hear, as of [`lockout_text::own_words`].
    pub own_words: Option<String>,
    /// What trades on, as of [`lockout_text::except`].
    pub except: Option<String>,
}

/// A lock began, or was extended, without anything to close.
#[must_use]
pub fn locked(lock: &Locking<'_>, scene: &Scene<'_>) -> Note {
    let lockout = lock.lockout;
    let heading = format!("{}: {}", lockout_text::title_with(lockout), reason::short(&lockout.breach));
    let body = lock.led_in(&format!("{heading}. {}", lock.blocked(scene)));
    scene.note(Severity::Warning, &lock.title(scene), &body).about(lockout.key.rule)
}

impl Locking<'_> {
    /// The trader's own words come first.
    pub(super) fn led_in(&self, body: &str) -> String {
        self.beside.own_words.as_ref().map_or_else(|| body.to_owned(), |words| format!("{words} {body}"))
    }

    /// `Locked until 5:00 PM CT`, `Cooldown extended to 10:17:00 AM CT`, `RTY locked`.
    pub(super) fn title(&self, scene: &Scene<'_>) -> String {
        let what = match (&self.lockout.key.symbol, self.is_extended, self.lockout.kind) {
            (Some(symbol), false, _) => format!("{symbol} locked"),
            (Some(symbol), true, _) => format!("{symbol} lock extended"),
            (None, false, _) => "Locked".to_owned(),
            (None, true, LockKind::Timer) => "Cooldown extended".to_owned(),
            (None, true, LockKind::Hard | LockKind::Symbol) => "Lock extended".to_owned(),
        };
        let until = if self.is_extended { "to" } else { "until" };
        match self.lockout.end.at() {
            Some(at) => format!("{what} {until} {}", time::schedule(at, scene.now)),
            None => what,
        }
    }

    /// `New trades blocked until 5:00 PM CT (in 2h 14m).`; where the trader wanted to stop, `Done until …`.
    pub(super) fn blocked(&self, scene: &Scene<'_>) -> String {
        let Lockout { key, end, .. } = self.lockout;
        let what = match (key.rule, &key.symbol) {
            (RuleKey::DailyRealizedProfit | RuleKey::Trader, _) => "Done".to_owned(),
            (_, Some(symbol)) => format!("New trades in {symbol} blocked"),
            (_, None) => "New trades blocked".to_owned(),
        };
        let until = match (end, end.at()) {
            (_, Some(at)) => time::ahead(at, scene.now, scene.zones),
            (LockEnd::CanTrade, None) => format!("{} lets the account trade again", scene.broker),
            (LockEnd::Config, None) => "the settings unblock it".to_owned(),
            (_, None) => "the next trading hours".to_owned(),
        };
        let except = self.beside.except.as_ref().map(|except| format!(", {except}")).unwrap_or_default();
        format!("{what} until {until}{except}.")
    }
}

//! The guard password: what it allows, who has to wait, and what is written down of it (rulings 6 and 8).
//! Compares nothing: that takes longer than the loop may wait.

use chrono::TimeDelta;
use domain::{Command, Event, Instant, LockKey, RuleKey};
use serde::{Deserialize, Serialize};
use store::Record;
use views::{
    guard::{GuardView, LONGEST_REASON},
    text::{
        GuardNews, guard,
        time::{self, schedule},
        words,
    },
};

use super::{Core, Due, Output, accepted::settings_note, telling::About};
use crate::password::Hash;

/// With a guard password set, what protects less waits so long, unless whoever knows it approves. Also how long
/// a removal waits that is asked for without it: a lost password is a matter of days, never of a bad hour.
const WAIT_WITHOUT_PROOF: TimeDelta = TimeDelta::days(7);
/// Wrong tries in a row that cost no time: slips of the keyboard.
const FREE_TRIES: u32 = 2;
/// How long the next one costs; each further one costs twice the time.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// So many reach the longest wait by far.
const MOST_DOUBLINGS: u32 = 10;
/// No wait is longer: whoever knows the password must not be kept out by those who do not.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// A guard password as it is kept, with the accepted settings: in the database and beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardPassword {
    hash: Hash,
    /// From when lockouts can be overridden with it. A new one makes something possible that was not, which is
    /// no decision for the middle of a trading day.
    overrides_from: Instant,
    /// When it goes, without anybody having given it.
    removal_at: Option<Instant>,
    /// Wrong ones in a row.
    wrong: u32,
    /// Before that none is looked at.
    next_try_at: Option<Instant>,
}

/// Something that is done about the guard password, or with it; the passwords themselves stay outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardDeed {
    /// Set the first one.
    Set,
    /// Replace it.
    Change,
    /// Remove it.
    Remove,
    /// Remove it after a while, without knowing it.
    Forget,
    /// Take that back.
    Keep,
    /// End a lockout.
    Override {
        /// Which.
        key: LockKey,
        /// Why.
        reason: String,
    },
    /// Let what waits apply with the next trading day.
    Approve,
    /// End the tray program.
    Quit,
}

impl GuardPassword {
    fn new(hash: Hash, overrides_from: Instant) -> Self {
        Self { hash, overrides_from, removal_at: None, wrong: 0, next_try_at: None }
    }

    /// As people see it.
    #[must_use]
    pub fn view(&self, now: Instant) -> GuardView {
        let next_try_at = self.next_try_at.filter(|at| *at > now);
        GuardView { overrides_from: self.overrides_from, removal_at: self.removal_at, next_try_at }
    }
}

impl GuardDeed {
    /// Whether it means something only once it is sure what time it is.
    fn counts_from_now(&self) -> bool {
        match self {
            Self::Set | Self::Forget | Self::Override { .. } | Self::Approve => true,
            Self::Change | Self::Remove | Self::Keep | Self::Quit => false,
        }
    }

    /// What a wrong password was meant for, in the audit.
    fn text(&self) -> String {
        match self {
            Self::Set => "to set it".to_string(),
            Self::Change => "to change it".to_string(),
            Self::Remove | Self::Forget | Self::Keep => "to remove it".to_string(),
            Self::Override { key, .. } => format!("to override {} of {}", key.rule.key(), key.account),
            Self::Approve => "to approve looser settings".to_string(),
            Self::Quit => "to end the program".to_string(),
        }
    }
}

impl Core {
    /// Whether something makes sense now, and the hash that a password has to fit first; `None` where none is
    /// needed.
    ///
    /// # Errors
    /// Why not, in the words of people. No password was looked at, and none was wrong.
    pub fn may_guard(&self, deed: &GuardDeed, now: Instant) -> Result<Option<Hash>, String> {
        let now = self.time(now);
        let knows_time = self.links.clock_apart.is_some() && self.settled.has_source();
        if !knows_time && deed.counts_from_now() {
            return Err("The broker has not told the time yet. Try again once it is connected.".to_string());
        }
        let guard = match (&self.settled.guard, deed) {
            (None, GuardDeed::Set) => return Ok(None),
            (Some(_), GuardDeed::Set) => {
                return Err("A guard password is set already. Change it.".to_string());
            }
            (None, _) => return Err("No guard password is set.".to_string()),
            (Some(guard), _) => guard,
        };
        match deed {
            GuardDeed::Set | GuardDeed::Change | GuardDeed::Remove => {}
            GuardDeed::Forget => return self.may_forget(guard, now).map(|()| None),
            GuardDeed::Keep if guard.removal_at.is_none() => return Err("It stays anyway.".to_string()),
            GuardDeed::Keep => return Ok(None),
            GuardDeed::Override { key, reason } => self.may_override(guard, key, reason, now)?,
            GuardDeed::Approve => self.may_approve()?,
            GuardDeed::Quit if self.setting.mode == "headless" || self.setting.is_dry_run() => {
                return Err("This engine was started in a terminal and ends there.".to_string());
            }
            GuardDeed::Quit => {}
        }
        match guard.next_try_at.filter(|at| *at > now) {
            Some(at) => Err(format!("Too many wrong passwords. Try again after {}.", time::event(at, now))),
            None => Ok(Some(guard.hash.clone())),
        }
    }

    /// A wrong password was given: counts it, and says what to do.
    pub fn wrong_password(&mut self, deed: &GuardDeed, now: Instant) -> (Vec<Output>, String) {
        let now = self.time(now);
        let zones = self.zones();
        let Some(guard) = &mut self.settled.guard else {
            return (Vec::new(), "No guard password is set.".to_string());
        };
        guard.wrong = guard.wrong.saturating_add(1);
        let tries = guard.wrong;
        let next_try_at = wait_after(tries).map(|wait| now + wait);
        guard.next_try_at = next_try_at;
        let audit = format!("wrong guard password {}, {tries} in a row", deed.text());
        self.accept(self.accepted().clone(), &[], vec![audit], now);
        let said = match next_try_at {
            None => "That is not the guard password.".to_string(),
            Some(at) => {
                let news = GuardNews::Wrong { tries, next_try_at: at };
                self.tell(guard::note(news, now, zones), About::all("guard"), now);
                format!("That is not the guard password. Try again after {}.", time::event(at, now))
            }
        };
        (self.take_outputs(), said)
    }

    /// Does what was proven to be allowed; `new` is the hash to keep. What is asked is asked again: something
    /// may have changed while the password was looked at. The outputs count in either case.
    pub fn do_guarded(
        &mut self,
        deed: GuardDeed,
        new: Option<Hash>,
        now: Instant,
    ) -> (Vec<Output>, Result<(), String>) {
        let now = self.time(now);
        if let Err(reason) = self.may_guard(&deed, now) {
            return (Vec::new(), Err(reason));
        }
        if !matches!(deed, GuardDeed::Set | GuardDeed::Forget | GuardDeed::Keep) {
            self.right_password();
        }
        let done = match deed {
            GuardDeed::Set => self.set_guard(new, now),
            GuardDeed::Change => self.change_guard(new, now),
            GuardDeed::Remove => {
                self.remove_guard("guard password removed by whoever knew it", GuardNews::Removed, now);
                Ok(())
            }
            GuardDeed::Forget => self.plan_removal(Some(self.wait_ends()), now),
            GuardDeed::Keep => self.plan_removal(None, now),
            GuardDeed::Override { key, reason } => self.override_lockout(key, &reason, now),
            GuardDeed::Approve => {
                self.approve(now);
                Ok(())
            }
            GuardDeed::Quit => {
                let note = "the program was ended with the guard password".to_string();
                self.batch.durable(Record::Note(Box::new(settings_note(note, now))));
                Ok(())
            }
        };
        self.pursue(now);
        (self.take_outputs(), done)
    }

    /// When a change applies that protects less and is made now.
    pub(super) fn loosens_at(&self) -> Instant {
        match self.settled.guard {
            None => self.engine.day_end(),
            Some(_) => self.wait_ends(),
        }
    }

    /// What becomes of such a change, for the audit.
    pub(super) fn waits_for(&self) -> String {
        match self.settled.guard {
            None => "waits for the next trading day".to_string(),
            Some(_) => {
                format!("waits for the guard password, or until {}", self.wait_ends().to_rfc3339())
            }
        }
    }

    pub(super) fn guard_view(&self) -> Option<GuardView> {
        self.settled.guard.as_ref().map(|guard| guard.view(self.engine.now()))
    }

    /// Carries out a removal that was asked for days ago.
    pub(super) fn let_guard_go(&mut self, now: Instant) {
        let is_due = |guard: &GuardPassword| guard.removal_at.is_some_and(|at| at <= now);
        if self.links.clock_apart.is_some() && self.settled.guard.as_ref().is_some_and(is_due) {
            let note = "guard password removed: its removal was asked for, and nobody kept it";
            self.remove_guard(note, GuardNews::Gone, now);
        }
    }

    /// The first daily reset after the wait without proof.
    fn wait_ends(&self) -> Instant {
        self.engine.rulebook().reset.next_after(self.engine.now() + WAIT_WITHOUT_PROOF)
    }

    /// Nothing is loosened while it would be decided in anger, proof or not.
    fn may_loosen(&self) -> Result<(), String> {
        let guarded = self.guarded();
        match (guarded.sealed, guarded.accounts.first()) {
            (Some((until, now)), _) => {
                Err(format!("Risk Settings are locked until {}.", schedule(until, now)))
            }
            (None, Some((_, name))) => {
                Err(format!("Account {name} is locked: nothing is loosened until the lock has ended."))
            }
            (None, None) => Ok(()),
        }
    }

    fn may_forget(&self, guard: &GuardPassword, now: Instant) -> Result<(), String> {
        match guard.removal_at {
            Some(at) => Err(format!("It is removed {} already.", time::ahead(at, now, self.zones()))),
            None => self.may_loosen(),
        }
    }

    fn may_approve(&self) -> Result<(), String> {
        if !self.waiting().iter().any(|it| self.is_approvable(it.due)) {
            return Err("Nothing waits for the guard password.".to_string());
        }
        self.may_loosen()
    }

    fn is_approvable(&self, due: Due) -> bool {
        matches!(due, Due::At(at) if at > self.engine.day_end())
    }

    fn may_override(
        &self,
        guard: &GuardPassword,
        key: &LockKey,
        reason: &str,
        now: Instant,
    ) -> Result<(), String> {
        self.meant(Some(&key.account))?;
        if !self.is_locked(key) {
            return Err("There is no such lockout. See `riskctl lockouts`.".to_string());
        }
        if key.rule == RuleKey::Trader {
            return Err("Your own lock cannot be overridden, not even with the guard password.".to_string());
        }
        if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
            return Err(format!("Say why, in at most {LONGEST_REASON} characters: it goes into the log."));
        }
        if guard.overrides_from > now {
            return Err(format!(
                "The guard password is too new: it overrides lockouts from {}.",
                time::ahead(guard.overrides_from, now, self.zones())
            ));
        }
        Ok(())
    }

    fn is_locked(&self, key: &LockKey) -> bool {
        self.engine.account(&key.account).is_some_and(|account| account.lockouts().has(key))
    }

    fn set_guard(&mut self, new: Option<Hash>, now: Instant) -> Result<(), String> {
        let hash = new.ok_or(NO_HASH)?;
        let overrides_from = self.engine.day_end();
        self.settled.guard = Some(GuardPassword::new(hash, overrides_from));
        let note = format!("guard password set; overrides lockouts from {}", overrides_from.to_rfc3339());
        self.keep_guard(note, GuardNews::Set { overrides_from }, now);
        Ok(())
    }

    fn change_guard(&mut self, new: Option<Hash>, now: Instant) -> Result<(), String> {
        let hash = new.ok_or(NO_HASH)?;
        if let Some(guard) = &mut self.settled.guard {
            *guard = GuardPassword::new(hash, guard.overrides_from);
        }
        self.keep_guard("guard password changed".to_string(), GuardNews::Changed, now);
        Ok(())
    }

    fn remove_guard(&mut self, note: &str, news: GuardNews, now: Instant) {
        self.settled.guard = None;
        self.keep_guard(note.to_string(), news, now);
    }

    fn plan_removal(&mut self, removal_at: Option<Instant>, now: Instant) -> Result<(), String> {
        if let Some(guard) = &mut self.settled.guard {
            guard.removal_at = removal_at;
        }
        let (note, news) = match removal_at {
            Some(at) => (
                format!("guard password is removed {}, asked for without it", at.to_rfc3339()),
                GuardNews::Forgotten { at },
            ),
            None => ("guard password stays: its removal was taken back".to_string(), GuardNews::Kept),
        };
        self.keep_guard(note, news, now);
        Ok(())
    }

    fn right_password(&mut self) {
        if let Some(guard) = &mut self.settled.guard {
            (guard.wrong, guard.next_try_at) = (0, None);
        }
    }

    /// Ends a lockout. Its rule is judged at once, and may lock again: that is said, not hidden.
    fn override_lockout(&mut self, key: LockKey, reason: &str, now: Instant) -> Result<(), String> {
        let reason: String = reason.trim().replace(char::is_control, " ");
        let title = words::title_with(key.rule, key.symbol.as_ref());
        let command =
            Command::Override { key: key.clone(), reason: format!("{reason} (with the guard password)") };
        self.step(now, Event::Command(command));
        if self.is_locked(&key) {
            return Err(format!(
                "The lock by {title} was ended, and its rule locked again at once: it is still broken."
            ));
        }
        Ok(())
    }

    fn approve(&mut self, now: Instant) {
        let at = self.engine.day_end();
        let mut approved = Vec::new();
        for index in 0..self.settled.waiting.len() {
            if self.is_approvable(self.settled.waiting[index].due) {
                self.settled.waiting[index].due = Due::At(at);
                approved.push(self.settled.waiting[index].change.text.clone());
            }
        }
        let note = format!("approved with the guard password: {}", approved.join("; "));
        self.keep_guard(note, GuardNews::Approved { at }, now);
    }

    /// Writes down what is kept of the guard password from now on, and tells people.
    fn keep_guard(&mut self, note: String, news: GuardNews, now: Instant) {
        self.accept(self.accepted().clone(), &[], vec![note], now);
        self.tell(guard::note(news, now, self.zones()), About::all("guard"), now);
    }
}

/// A deed that keeps a password comes with its hash; never seen.
const NO_HASH: &str = "There is no new guard password.";

/// How long a wrong try costs, in a row of so many.
fn wait_after(tries: u32) -> Option<TimeDelta> {
    let doubled = tries.checked_sub(FREE_TRIES + 1)?;
    let wait = (0..doubled.min(MOST_DOUBLINGS)).fold(FIRST_WAIT, |wait, _| wait * 2);
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_cost_nothing_and_guessing_costs_ever_more_up_to_a_quarter_of_an_hour() {
        let seconds = |tries| wait_after(tries).map(|wait| wait.num_seconds());
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(seconds), {
            [None, None, Some(30), Some(60), Some(120), Some(240), Some(480), Some(900)]
        });
        for tries in [60, 64, 65, 66, 67, u32::MAX] {
            assert_eq!(seconds(tries), Some(900), "{tries}");
        }
    }
}

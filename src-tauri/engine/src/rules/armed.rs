//! A rule with its stance, and the one door to it: whoever asks a rule asks here. A rule that breaks off takes
//! nobody with it; the other rules and accounts go on (specification B.0).

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::TimeDelta;
use domain::{ContractId, Contracts, EventKind, Instant, Lockout, Means, RuleKey, RuleMode, Source};

use super::{Finding, Gauge, Room, Rule, Scene, Share, Verdict};
use crate::{account::AccountState, kinds::Kinds};

/// A rule that has failed so often in a row counts as one that cannot act (specification B.0).
const FAILING_AFTER: u32 = 3;

/// A rule with its stance and its last verdict.
#[derive(Debug)]
pub struct ArmedRule {
    pub(crate) rule: Box<dyn Rule>,
    pub(crate) mode: RuleMode,
    pub(crate) verdict: Verdict,
    /// When it was last asked.
    pub(crate) asked: Option<Instant>,
    /// How often in a row asking it broke off.
    failures: u32,
    listens: Kinds,
    every: Option<TimeDelta>,
}

impl ArmedRule {
    pub(super) fn new(rule: Box<dyn Rule>, mode: RuleMode) -> Self {
        let (listens, every) = (rule.listens(), rule.every());
        Self { rule, mode, verdict: Verdict::NotAsked, asked: None, failures: 0, listens, every }
    }

    /// Whether a change concerns it.
    pub(crate) fn listens_to(&self, kinds: Kinds) -> bool {
        self.listens.touches(kinds)
    }

    /// Asks it, and says whether it has just begun to fail. What a rule that breaks off had found by then is
    /// half a story and counts for nothing; it has changed nothing, for it only reads.
    pub(crate) fn ask(&mut self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> bool {
        let Some(verdict) = whole(|| self.rule.check(scene, findings)) else {
            findings.clear();
            self.verdict = Verdict::Failed;
            self.failures = self.failures.saturating_add(1);
            return self.failures == 1;
        };
        self.verdict = verdict;
        self.failures = 0;
        false
    }

    /// How much of its limit is used; nothing where it breaks off.
    pub(crate) fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        whole(|| self.rule.gauges(scene)).unwrap_or_default()
    }

    /// Values that people are warned of; none where it breaks off.
    pub(crate) fn shares(&self, scene: &Scene<'_>, shares: &mut Vec<Share>) {
        let before = shares.len();
        if whole(|| self.rule.shares(scene, shares)).is_none() {
            shares.truncate(before);
        }
    }

    /// How far prices may move before it says anything else; not at all where it breaks off.
    pub(crate) fn room(&self, scene: &Scene<'_>, room: &mut Room<'_>) {
        if whole(|| self.rule.room(scene, room)).is_none() {
            room.close();
        }
    }

    /// How much of a contract may stay; where it breaks off, what it said before goes on to count.
    pub(crate) fn allows(&self, account: &AccountState, contract: &ContractId) -> Option<Contracts> {
        whole(|| self.rule.allows(account, contract)).flatten()
    }

    /// Whether a lockout of its own is no longer asked for; not where it breaks off.
    pub(crate) fn releases(&self, lockout: &Lockout) -> bool {
        whole(|| self.rule.releases(lockout)).unwrap_or(false)
    }

    /// Whether it has failed so often in a row that it protects nobody (specification B.0).
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures >= FAILING_AFTER
    }

    /// Whether a change concerns it, or it has been unasked for too long.
    pub(crate) fn is_asked(&self, kinds: Kinds, now: Instant) -> bool {
        self.listens_to(kinds) || (kinds.has(EventKind::TimeTick) && self.is_due(now))
    }

    /// One that failed is asked again soon, whatever it waits for.
    fn is_due(&self, now: Instant) -> bool {
        self.failures > 0
            || self.every.is_some_and(|every| self.asked.is_none_or(|asked| now - asked >= every))
    }

    /// Which rule.
    #[must_use]
    pub fn key(&self) -> RuleKey {
        self.rule.key()
    }

    /// What it does at the broker that an account may refuse (ruling 24).
    #[must_use]
    pub fn stands_on(&self) -> Option<Means> {
        self.rule.stands_on()
    }

    /// How strictly it is taken.
    #[must_use]
    pub fn mode(&self) -> RuleMode {
        self.mode
    }

    /// When it was last asked.
    #[must_use]
    pub fn asked(&self) -> Option<Instant> {
        self.asked
    }

    /// What it last said.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// What it needs.
    #[must_use]
    pub fn needs(&self) -> &'static [Source] {
        self.rule.needs()
    }
}

/// What a rule answers; `None` where it breaks off. Rules read and answer: nothing of theirs can be left half done.
fn whole<T>(ask: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(ask)).ok()
}

#[cfg(test)]
mod tests;

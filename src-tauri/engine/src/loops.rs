//! The loop guard: a contract that is acted on again and again without a new trade of the trader is a
//! defect somewhere, here or outside. It is told, and further actions get room between them; protection
//! goes on (specification C.3, ruling 20).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ContractId, Instant};

/// More actions than this within [`WITHIN`] are a loop.
const MOST_ACTIONS: usize = 5;
const WITHIN: TimeDelta = TimeDelta::seconds(60);
/// Least time between two actions of a loop.
const SPACING: TimeDelta = TimeDelta::seconds(1);

/// Actions that changed exposure, by contract.
#[derive(Clone, Debug, Default)]
pub struct Loops {
    contracts: BTreeMap<ContractId, Actions>,
}

#[derive(Clone, Debug, Default)]
struct Actions {
    /// When, since the trader's last trade; those within the last minute, at most one more than
    /// [`MOST_ACTIONS`].
    times: Vec<Instant>,
    /// Which increase of the position the last one was about.
    about: u64,
    told: bool,
    /// An action waits for its time.
    waiting: bool,
}

impl Actions {
    fn is_loop(&self) -> bool {
        self.times.len() > MOST_ACTIONS
    }

    fn forget_old(&mut self, now: Instant) {
        self.times.retain(|at| now - *at < WITHIN);
        self.told &= self.is_loop();
    }
}

impl Loops {
    /// The trader traded: whatever follows is about that.
    pub(crate) fn traded(&mut self, contract: &ContractId) {
        self.contracts.remove(contract);
    }

    /// Whether a contract may be acted on now. `increase` tells which increase of its position is acted
    /// on: the first action after a new one never waits.
    pub(crate) fn may_act(&mut self, contract: &ContractId, increase: u64, now: Instant) -> bool {
        let Some(actions) = self.contracts.get_mut(contract) else { return true };
        actions.forget_old(now);
        let last = actions.times.last().copied();
        let spaced = last.is_none_or(|at| now >= at + SPACING);
        actions.waiting = actions.is_loop() && increase <= actions.about && !spaced;
        !actions.waiting
    }

    /// A contract is acted on; returns how many times it was within a minute, once, when that is a loop.
    pub(crate) fn acted(&mut self, contract: &ContractId, increase: u64, now: Instant) -> Option<u32> {
        let actions = self.contracts.entry(contract.clone()).or_default();
        actions.forget_old(now);
        if actions.is_loop() {
            actions.times.remove(0);
        }
        actions.times.push(now);
        actions.about = actions.about.max(increase);
        let is_news = actions.is_loop() && !actions.told;
        actions.told |= is_news;
        is_news.then(|| u32::try_from(actions.times.len()).unwrap_or(u32::MAX))
    }

    /// An action failed: it has changed nothing.
    pub(crate) fn failed(&mut self, contract: &ContractId, acted: Instant) {
        if let Some(actions) = self.contracts.get_mut(contract) {
            actions.times.retain(|at| *at != acted);
        }
    }

    /// When the next action that waits may be taken.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let waiting = self.contracts.values().filter(|actions| actions.waiting);
        waiting.filter_map(|actions| actions.times.last()).map(|at| *at + SPACING).min()
    }

    /// Whether an action that waited may be taken now.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        if self.next_due().is_none_or(|at| at > now) {
            return false;
        }
        for actions in self.contracts.values_mut() {
            actions.waiting &= actions.times.last().is_some_and(|at| now < *at + SPACING);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::default() + TimeDelta::milliseconds(millis)
    }

    /// Acts each 100 ms on the same increase; returns the loop that was told at the end.
    fn acted(times: i64) -> (Loops, Option<u32>) {
        let mut loops = Loops::default();
        let told = (0..times).map(|n| loops.acted(&"C".into(), 1, at(n * 100))).last().flatten();
        (loops, told)
    }

    #[test]
    fn the_sixth_action_within_a_minute_is_a_loop_and_told_once() {
        assert_eq!(acted(5).1, None);
        assert_eq!(acted(6).1, Some(6));
        assert_eq!(acted(7).1, None);
    }

    #[test]
    fn actions_of_a_loop_get_room_but_new_exposure_never_waits() {
        let (mut loops, _) = acted(6);
        let last = at(500);
        assert!(!loops.may_act(&"C".into(), 1, at(600)));
        assert_eq!(loops.next_due(), Some(last + SPACING));
        assert!(loops.may_act(&"C".into(), 2, at(600)), "new exposure");
        assert!(loops.may_act(&"D".into(), 1, at(600)), "another contract");
        assert!(loops.may_act(&"C".into(), 1, last + SPACING));
    }

    #[test]
    fn what_failed_is_no_loop() {
        let mut loops = Loops::default();
        for n in 0..20 {
            assert_eq!(loops.acted(&"C".into(), 1, at(n * 100)), None);
            loops.failed(&"C".into(), at(n * 100));
        }
    }

    #[test]
    fn a_trade_or_a_minute_ends_it() {
        let (mut loops, _) = acted(6);
        assert!(loops.may_act(&"C".into(), 1, at(61_000)));
        let (mut loops, _) = acted(6);
        loops.traded(&"C".into());
        assert!(loops.may_act(&"C".into(), 1, at(600)));
        assert_eq!(loops.acted(&"C".into(), 1, at(600)), None);
    }
}

//! Contracts whose market is shut, as the broker said when something was to be done there. Nothing is tried before
//! the open, but for a try a minute: the hours that are known may be wrong (specification C.11).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ContractId, Instant};

use crate::judge::QUIET_AFTER_FAILURE;

/// A market that was found shut twice is tried so often, whatever its hours say.
const TRY_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The shut markets of one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShutMarkets {
    contracts: BTreeMap<ContractId, Shut>,
}

#[derive(Clone, Debug, Default)]
struct Shut {
    /// How often in a row the broker said so.
    refusals: u32,
    /// Its hours said so too.
    by_hours: bool,
    /// Until when nothing is tried; `None`: it may be tried.
    until: Option<Instant>,
}

impl ShutMarkets {
    /// The broker said so. Perhaps it lasts a moment only, as when the market opens or pauses: the first time it
    /// is tried again as soon as after any failure.
    pub fn refused(&mut self, contract: ContractId, by_hours: bool, now: Instant) {
        let shut = self.contracts.entry(contract).or_default();
        shut.refusals = shut.refusals.saturating_add(1);
        shut.by_hours = by_hours;
        shut.until = Some(now + if shut.refusals == 1 { QUIET_AFTER_FAILURE } else { TRY_EVERY });
    }

    /// Something was done there, or is to be done about something new.
    pub fn forget(&mut self, contract: &ContractId) {
        self.contracts.remove(contract);
    }

    /// Whether nothing is tried.
    pub fn waits(&self, contract: &ContractId) -> bool {
        self.contracts.get(contract).is_some_and(|shut| shut.until.is_some())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.contracts.is_empty()
    }

    /// When the next one is tried, unless it opens before.
    pub fn next_due(&self) -> Option<Instant> {
        self.contracts.values().filter_map(|shut| shut.until).min()
    }

    /// Lets those be tried whose time has come, or whose hours have begun; says whether there are any.
    pub fn pass(&mut self, now: Instant, is_open: impl Fn(&ContractId) -> bool) -> bool {
        let mut any = false;
        for (contract, shut) in &mut self.contracts {
            if shut.by_hours && is_open(contract) {
                *shut = Shut { until: shut.until.map(|_| now), ..Shut::default() };
            }
            if shut.until.is_some_and(|until| now >= until) {
                shut.until = None;
                any = true;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    /// When something is tried in a market that is always refused and opens, by its hours, at that second.
    fn tries(opens: i64, until: i64) -> Vec<i64> {
        let contract: ContractId = "CON.F.US.MNQ.Z25".into();
        let mut shut = ShutMarkets::default();
        let mut tries = Vec::new();
        for second in 0..until {
            let is_open = second >= opens;
            shut.pass(at(second), |_| is_open);
            if !shut.waits(&contract) {
                tries.push(second);
                shut.refused(contract.clone(), !is_open, at(second));
            }
        }
        tries
    }

    #[test]
    fn it_is_tried_soon_then_each_minute_and_at_the_open() {
        assert_eq!(tries(1_000, 200), [0, 10, 70, 130, 190]);
        assert_eq!(
            tries(100, 250),
            [0, 10, 70, 100, 110, 170, 230],
            "it may open a little later than it says"
        );
        assert_eq!(tries(0, 200), [0, 10, 70, 130, 190], "a holiday that nobody listed");
    }
}

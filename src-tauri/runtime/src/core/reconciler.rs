//! When the broker's truth is read as a whole: at the start, after every reconnect, every 60 seconds, and
//! whenever something is doubtful (specification C.10). An account counts as confirmed only while its
//! last reading is from after the last reason to doubt.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{AccountId, Instant, broker::CallId};

/// Time between two readings when nothing happens.
const PERIOD: TimeDelta = TimeDelta::seconds(60);
/// First wait after a reading that failed; doubles up to the longest.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(1);
const LONGEST_RETRY: TimeDelta = TimeDelta::seconds(30);
/// A reading without answer for this long is given up. The broker port answers every call: it may wait
/// 30 s for its turn and 10 s for the answer, and asking again before that only makes the queue longer.
const LIMIT: TimeDelta = TimeDelta::seconds(45);
/// A confirmed account stays so without a successful reading for this long.
const STALE: TimeDelta = TimeDelta::seconds(180);

/// One account's readings.
#[derive(Debug)]
struct Reading {
    due: Instant,
    asked: Option<Asked>,
    retry: TimeDelta,
    /// Reasons to doubt so far, and how many of them the last good reading answers.
    doubts: u64,
    answered: u64,
    confirmed: Option<Instant>,
    failure: Option<String>,
    wanted: Option<Wish>,
}

/// Somebody waits for a reading that is asked for no earlier than this.
#[derive(Debug)]
struct Wish {
    since: Instant,
    failed: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    call: CallId,
    at: Instant,
    doubts: u64,
}

/// The readings of all watched accounts.
#[derive(Debug, Default)]
pub struct Reconciler {
    readings: BTreeMap<AccountId, Reading>,
    last_took: Option<TimeDelta>,
}

impl Reconciler {
    /// These accounts are watched from now on; new ones are read at once.
    pub(crate) fn watch(&mut self, accounts: &[AccountId], now: Instant) {
        self.readings.retain(|account, _| accounts.contains(account));
        for account in accounts {
            self.readings.entry(account.clone()).or_insert_with(|| Reading {
                due: now,
                asked: None,
                retry: FIRST_RETRY,
                doubts: 1,
                answered: 0,
                confirmed: None,
                failure: None,
                wanted: None,
            });
        }
    }

    /// Whether exactly these accounts are being read.
    pub(crate) fn is_watching(&self, accounts: &[AccountId]) -> bool {
        self.readings.len() == accounts.len() && accounts.iter().all(|it| self.readings.contains_key(it))
    }

    /// Something is doubtful about one account, or about all: read again at once.
    pub(crate) fn doubt(&mut self, account: Option<&AccountId>, now: Instant) {
        for (id, reading) in &mut self.readings {
            if account.is_none_or(|account| account == id) {
                reading.doubts += 1;
                reading.due = now;
            }
        }
    }

    /// Somebody wants all accounts read anew, which is no doubt about any of them.
    pub(crate) fn want(&mut self, now: Instant) {
        for reading in self.readings.values_mut() {
            reading.wanted = Some(Wish { since: now, failed: None });
            reading.due = now;
        }
    }

    /// Whether all accounts were read since that was wanted; otherwise what stood in the way, once
    /// something did.
    pub(crate) fn is_read(&mut self) -> Result<bool, String> {
        let wishes = || self.readings.values().filter_map(|reading| reading.wanted.as_ref());
        let is_read = wishes().next().is_none();
        match wishes().find_map(|wish| wish.failed.clone()) {
            Some(why) => {
                self.readings.values_mut().for_each(|reading| reading.wanted = None);
                Err(why)
            }
            None => Ok(is_read),
        }
    }

    /// The accounts to be read now; each must be followed by [`Reconciler::asked`].
    pub(crate) fn due(&mut self, now: Instant) -> Vec<AccountId> {
        for reading in self.readings.values_mut() {
            if reading.asked.is_some_and(|asked| now >= asked.at + LIMIT) {
                reading.failed("no answer in time".to_string(), now);
            }
        }
        let due = self.readings.iter().filter(|(_, it)| it.asked.is_none() && it.due <= now);
        due.map(|(account, _)| account.clone()).collect()
    }

    pub(crate) fn asked(&mut self, account: &AccountId, call: CallId, now: Instant) {
        if let Some(reading) = self.readings.get_mut(account) {
            reading.asked = Some(Asked { call, at: now, doubts: reading.doubts });
        }
    }

    /// The account whose reading this call is, with the time at which it was asked for.
    pub(crate) fn account_of(&self, call: CallId) -> Option<(AccountId, Instant)> {
        self.readings.iter().find_map(|(account, reading)| {
            reading.asked.filter(|asked| asked.call == call).map(|asked| (account.clone(), asked.at))
        })
    }

    pub(crate) fn succeeded(&mut self, account: &AccountId, now: Instant) {
        let Some(reading) = self.readings.get_mut(account) else { return };
        let Some(asked) = reading.asked.take() else { return };
        self.last_took = Some(now - asked.at);
        reading.retry = FIRST_RETRY;
        reading.failure = None;
        reading.answered = asked.doubts;
        reading.confirmed = Some(now);
        reading.wanted.take_if(|wish| wish.since <= asked.at);
        let is_done = reading.answered == reading.doubts && reading.wanted.is_none();
        reading.due = if is_done { now + PERIOD } else { now };
    }

    pub(crate) fn failed(&mut self, account: &AccountId, why: String, now: Instant) {
        if let Some(reading) = self.readings.get_mut(account) {
            reading.failed(why, now);
        }
    }

    /// Why an account is not confirmed; `None` when it is. The empty text says that nothing went wrong
    /// yet.
    pub(crate) fn doubt_about(&self, account: &AccountId, now: Instant) -> Option<String> {
        let reading = self.readings.get(account)?;
        let fresh = reading.confirmed.is_some_and(|at| now - at < STALE);
        if fresh && reading.answered == reading.doubts {
            return None;
        }
        Some(reading.failure.clone().unwrap_or_default())
    }

    /// When an account was last confirmed.
    pub(crate) fn confirmed(&self, account: &AccountId) -> Option<Instant> {
        self.readings.get(account).and_then(|reading| reading.confirmed)
    }

    /// When all accounts were confirmed.
    pub(crate) fn all_confirmed(&self) -> Option<Instant> {
        self.readings.values().map(|reading| reading.confirmed).min().flatten()
    }

    /// How long the last reading took.
    pub(crate) fn last_took(&self) -> Option<TimeDelta> {
        self.last_took
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let next = |reading: &Reading| reading.asked.map_or(reading.due, |asked| asked.at + LIMIT);
        self.readings.values().map(next).min()
    }
}

impl Reading {
    fn failed(&mut self, why: String, now: Instant) {
        self.asked = None;
        if let Some(wish) = &mut self.wanted {
            wish.failed = Some(why.clone());
        }
        self.failure = Some(why);
        self.due = now + self.retry;
        self.retry = (self.retry * 2).min(LONGEST_RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u32) -> Instant {
        format!("2025-10-29T15:{:02}:{:02}Z", second / 60, second % 60).parse().unwrap()
    }

    fn confirmed() -> Reconciler {
        let mut readings = Reconciler::default();
        readings.watch(&["1".into()], at(0));
        assert_eq!(readings.due(at(0)), ["1".into()]);
        readings.asked(&"1".into(), CallId(1), at(0));
        assert_eq!(readings.doubt_about(&"1".into(), at(0)).as_deref(), Some(""));
        readings.succeeded(&"1".into(), at(1));
        readings
    }

    #[test]
    fn an_account_is_confirmed_once_it_was_read() {
        let mut readings = confirmed();
        assert_eq!(readings.doubt_about(&"1".into(), at(1)), None);
        assert!(readings.due(at(60)).is_empty());
        assert_eq!(readings.due(at(61)), ["1".into()]);
        readings.asked(&"1".into(), CallId(2), at(61));
        assert_eq!(readings.doubt_about(&"1".into(), at(62)), None, "a periodic reading is no doubt");
    }

    #[test]
    fn a_doubt_lasts_until_a_reading_that_was_asked_for_after_it() {
        let mut readings = confirmed();
        readings.due(at(61));
        readings.asked(&"1".into(), CallId(2), at(61));
        readings.doubt(None, at(62));
        readings.succeeded(&"1".into(), at(63));
        assert!(readings.doubt_about(&"1".into(), at(63)).is_some());
        assert_eq!(readings.due(at(63)), ["1".into()]);
        readings.asked(&"1".into(), CallId(3), at(63));
        assert!(readings.doubt_about(&"1".into(), at(63)).is_some(), "asked is not answered");
        readings.succeeded(&"1".into(), at(64));
        assert_eq!(readings.doubt_about(&"1".into(), at(64)), None);
    }

    #[test]
    fn failures_are_retried_with_growing_waits_and_become_a_doubt() {
        let mut readings = confirmed();
        let mut now = 61;
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(readings.due(at(now)).len(), 1);
            readings.asked(&"1".into(), CallId(9), at(now));
            readings.failed(&"1".into(), "503".to_string(), at(now));
            assert!(readings.due(at(now + wait - 1)).is_empty());
            now += wait;
        }
        assert_eq!(readings.doubt_about(&"1".into(), at(182)).as_deref(), Some("503"));
    }
}

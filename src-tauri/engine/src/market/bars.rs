//! Prices from history bars, for positions whose quotes cannot be used: one bar tells people, only two
//! that agree let a rule act (specification C.8).

use chrono::TimeDelta;
use domain::{Instant, Price};

/// Quotes may be missing for this long before a bar is asked for: a subscription needs a moment.
const MISSING_FOR: TimeDelta = TimeDelta::seconds(2);
/// A contract's bar is asked for at most this often.
const EVERY: TimeDelta = TimeDelta::seconds(5);
/// A bar that began earlier says nothing about now.
const FRESH: TimeDelta = TimeDelta::seconds(120);

/// One contract's bars, since its quotes became unusable.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bars {
    since: Option<Instant>,
    asked: Option<Instant>,
    newest: Option<Price>,
    before: Option<Price>,
}

impl Bars {
    /// Nothing is held, or there are quotes again: nothing is wanted.
    pub fn rest(&mut self) {
        *self = Self { asked: self.asked, ..Self::default() };
    }

    /// A held contract has no usable quote.
    pub fn missing(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// When the next bar may be asked for; `None` while none is wanted.
    pub fn due(&self) -> Option<Instant> {
        let since = self.since?;
        Some(self.asked.map_or(since + MISSING_FOR, |asked| (asked + EVERY).max(since + MISSING_FOR)))
    }

    /// A bar was asked for, for whatever reason.
    pub fn asked(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    /// When any bar of this contract may be asked for.
    pub fn free_at(&self) -> Option<Instant> {
        self.asked.map(|asked| asked + EVERY)
    }

    /// Takes an answer; true if it says something new about a held contract.
    pub fn learn(&mut self, at: Instant, close: Price, now: Instant) -> bool {
        if self.since.is_none() || at + FRESH < now {
            return false;
        }
        self.before = self.newest.replace(close);
        true
    }

    /// The newest price, and the one of the query before it.
    pub fn prices(&self) -> Option<(Price, Option<Price>)> {
        self.newest.map(|newest| (newest, self.before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        "2025-10-29T15:00:00Z".parse::<Instant>().unwrap() + TimeDelta::seconds(seconds)
    }

    fn price(number: i64) -> Price {
        Price(number.into())
    }

    #[test]
    fn asked_after_a_moment_and_every_five_seconds() {
        let mut bars = Bars::default();
        assert_eq!(bars.due(), None);
        bars.missing(at(0));
        bars.missing(at(1));
        assert_eq!(bars.due(), Some(at(2)));
        bars.asked(at(2));
        assert_eq!(bars.due(), Some(at(7)));
        bars.rest();
        assert_eq!(bars.due(), None);
        bars.missing(at(3));
        assert_eq!(bars.due(), Some(at(7)), "also over a short return of the quotes");
    }

    #[test]
    fn two_answers_are_kept_until_quotes_return() {
        let mut bars = Bars::default();
        assert!(!bars.learn(at(0), price(1), at(0)), "not wanted");
        bars.missing(at(0));
        assert!(bars.learn(at(-60), price(1), at(2)));
        assert_eq!(bars.prices(), Some((price(1), None)));
        assert!(!bars.learn(at(-120), price(2), at(7)), "too old");
        assert!(bars.learn(at(0), price(3), at(12)));
        assert_eq!(bars.prices(), Some((price(3), Some(price(1)))));
        bars.rest();
        assert_eq!(bars.prices(), None);
    }
}

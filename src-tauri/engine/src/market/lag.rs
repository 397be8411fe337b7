//! The lag breaker of one contract: late quotes are no basis for a decision (specification C.8, ruling
//! 26). What counts is how much later than usual a quote arrives, so that a wrong host clock trips
//! nothing.

use chrono::TimeDelta;
use domain::Instant;

/// Later than this is late.
const LATE: TimeDelta = TimeDelta::seconds(1);
/// So many quotes in time, one after the other, close the breaker.
const GOOD_QUOTES: u32 = 5;
/// Without a late quote for this long it closes as well.
const CALM: TimeDelta = TimeDelta::seconds(2);
/// The usual offset is the smallest of this many spans of this length: of five minutes.
const SPANS: usize = 10;
const SPAN_SECONDS: i64 = 30;

/// One contract's breaker.
#[derive(Clone, Debug, Default)]
pub(super) struct Lag {
    /// A quote was heard since the subscription.
    begun: bool,
    /// Smallest offset of each of the last spans, with the span's number.
    offsets: [Option<(i64, TimeDelta)>; SPANS],
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    late: Instant,
    good: u32,
}

/// What a quote did to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It opened: the quote was later than usual by this much.
    Opened(TimeDelta),
    /// It closed.
    Closed,
}

impl Lag {
    /// A new subscription: its first quote may be old and never counts.
    pub fn begin_anew(&mut self) {
        self.begun = false;
    }

    /// The clock moved: no offset from before says anything.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether decisions about this contract's open result pause.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes the platform's stamp of a quote.
    pub fn hear(&mut self, stamp: Instant, now: Instant) -> Option<Change> {
        if !std::mem::replace(&mut self.begun, true) {
            return None;
        }
        let offset = now - stamp;
        let lag = offset - self.usual(offset, now);
        match (&mut self.open, lag > LATE) {
            (None, false) => None,
            (None, true) => {
                self.open = Some(Open { late: now, good: 0 });
                Some(Change::Opened(lag))
            }
            (Some(open), true) => {
                *open = Open { late: now, good: 0 };
                None
            }
            (Some(open), false) => {
                open.good += 1;
                let closes = open.good >= GOOD_QUOTES;
                (closes && self.open.take().is_some()).then_some(Change::Closed)
            }
        }
    }

    /// When it closes for want of late quotes.
    pub fn closes_at(&self) -> Option<Instant> {
        self.open.map(|open| open.late + CALM)
    }

    /// Whether it closes by time.
    pub fn pass(&mut self, now: Instant) -> bool {
        let closes = self.closes_at().is_some_and(|at| now >= at);
        if closes {
            self.open = None;
        }
        closes
    }

    /// Notes an offset; the smallest of the last five minutes, this one included.
    fn usual(&mut self, offset: TimeDelta, now: Instant) -> TimeDelta {
        let span = now.timestamp().div_euclid(SPAN_SECONDS);
        let slot = usize::try_from(span.rem_euclid(SPANS as i64)).unwrap_or_default();
        if let Some(known) = self.offsets.get_mut(slot) {
            *known = match *known {
                Some((number, least)) if number == span => Some((span, least.min(offset))),
                Some(_) | None => Some((span, offset)),
            };
        }
        let recent = self.offsets.iter().flatten().filter(|(number, _)| *number > span - SPANS as i64);
        recent.map(|(_, least)| *least).min().unwrap_or(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Instant {
        "2025-10-29T15:00:00Z".parse::<Instant>().unwrap() + TimeDelta::milliseconds(milliseconds)
    }

    /// A breaker that has seen a quote with the given offset in milliseconds.
    fn used(offset: i64) -> Lag {
        let mut lag = Lag::default();
        assert_eq!(lag.hear(at(-3_600_000), at(0)), None, "the first quote never counts");
        assert_eq!(lag.hear(at(100 - offset), at(100)), None);
        lag
    }

    #[test]
    fn more_than_a_second_later_than_usual_opens_it() {
        let mut lag = used(40);
        assert_eq!(lag.hear(at(960 - 1_000), at(1_000)), None, "1.0 s is not more than a second");
        assert_eq!(
            lag.hear(at(2_000 - 1_041), at(2_000)),
            Some(Change::Opened(TimeDelta::milliseconds(1_001)))
        );
        assert!(lag.is_open());
        assert_eq!(lag.hear(at(3_000 - 1_500), at(3_000)), None, "told once");
    }

    #[test]
    fn a_wrong_clock_trips_nothing() {
        let mut fast = used(90_000);
        assert_eq!(fast.hear(at(5_000 - 90_040), at(5_000)), None);
        let mut slow = used(-90_000);
        assert_eq!(slow.hear(at(5_000 + 90_000), at(5_000)), None);
    }

    #[test]
    fn five_good_quotes_in_a_row_close_it() {
        let mut lag = used(0);
        lag.hear(at(0), at(2_000));
        for quote in 0..4 {
            assert_eq!(lag.hear(at(2_100 + quote), at(2_100 + quote)), None);
        }
        lag.hear(at(1_000), at(2_200));
        for quote in 0..4 {
            assert_eq!(lag.hear(at(2_300 + quote), at(2_300 + quote)), None);
        }
        assert_eq!(lag.hear(at(2_400), at(2_400)), Some(Change::Closed));
        assert!(!lag.is_open());
    }

    #[test]
    fn two_seconds_without_a_late_quote_close_it() {
        let mut lag = used(0);
        lag.hear(at(0), at(2_000));
        assert_eq!(lag.closes_at(), Some(at(4_000)));
        assert!(!lag.pass(at(3_999)));
        assert!(lag.pass(at(4_000)));
        assert!(!lag.is_open());
    }

    #[test]
    fn the_usual_offset_is_of_the_last_five_minutes() {
        let mut lag = used(0);
        for second in 1..=305 {
            lag.hear(at(second * 1_000 - 900), at(second * 1_000));
        }
        assert_eq!(lag.hear(at(306_000 - 1_850), at(306_000)), None, "0.9 s is usual by now");
    }

    #[test]
    fn a_new_subscription_begins_with_a_quote_that_does_not_count() {
        let mut lag = used(0);
        lag.begin_anew();
        assert_eq!(lag.hear(at(0), at(60_000)), None);
        assert!(lag.hear(at(61_000), at(63_000)).is_some(), "the usual offset is kept");
        lag.forget();
        assert!(!lag.is_open());
    }
}

//! The rate budget (ruling 19, gateway reference 2.5): how many requests may be sent, and which share
//! of them nobody but enforcement may use. Takes the time from a clock it is given.

use std::{
    collections::VecDeque,
    iter::repeat_n,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::broker::Class;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, Reference},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

/// The gateway's limit on all requests but history bars, in any 60 s.
pub const GATEWAY_LIMIT: u32 = 200;

/// The gateway's limit on history bars, in any 30 s.
pub const GATEWAY_BARS_LIMIT: u32 = 50;

/// Requests of any kind in any [`SPAN`].
pub const WHOLE: u32 = 195;

/// The gateway counts over 60 s. A request that protects arrives up to 2 s after it was counted here.
pub const SPAN: Duration = Duration::from_secs(62);

/// Of the whole, what only enforcement gets, and only little by little: once a storm has used up the rest,
/// no close waits for the end of the span.
pub const LAST: u32 = 15;

/// How the last part is given out.
pub const TRICKLE: Share = Share { burst: 3, per_minute: 15 };

/// The part that calls other than enforcement may use: at most 90 in any 60 s, half of the whole. Five
/// accounts, which a trader may well have, are read with 20 requests, and must be read twice in a row.
pub const ROUTINE: Share = Share { burst: 45, per_minute: 45 };

/// The part of history bars: at most 40 in any 30 s.
pub const BARS: Share = Share { burst: 20, per_minute: 40 };

/// A bucket: what it holds, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Requests that may go out at once.
    pub burst: u32,
    /// Requests that come back per minute.
    pub per_minute: u32,
}

/// What a call costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Requests, history bars included.
    pub requests: u32,
    /// History bars among them.
    pub bars: u32,
}

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// What may still be sent. The whole is a window and not a bucket: a bucket that keeps any 60 s below the
/// gateway's limit lets only half of it through for long, and a close would have to wait without need.
#[derive(Debug)]
pub struct Budget<C: Clock> {
    sent: Mutex<Window<C::Instant>>,
    trickle: Bucket<C>,
    routine: Bucket<C>,
    bars: Bucket<C>,
    clock: C,
}

impl<C: Clock + Clone> Budget<C> {
    /// A full budget.
    #[must_use]
    pub fn new(clock: C) -> Self {
        let bucket = |share: Share| RateLimiter::direct_with_clock(share.quota(), clock.clone());
        Self {
            sent: Mutex::new(Window(VecDeque::new())),
            trickle: bucket(TRICKLE),
            routine: bucket(ROUTINE),
            bars: bucket(BARS),
            clock: clock.clone(),
        }
    }

    /// Takes what a call costs: all or nothing, except that what a narrower bucket gave is lost when a
    /// wider one refuses, which errs on the safe side.
    ///
    /// # Errors
    /// Not now; the time after which it is worth another try.
    pub fn take(&self, class: Class, cost: Cost) -> Result<(), Duration> {
        self.draw(&self.bars, cost.bars)?;
        let now = self.clock.now();
        match class {
            Class::Routine => {
                self.draw(&self.routine, cost.requests)?;
                self.sent().take(cost.requests, WHOLE - LAST, now)
            }
            Class::Enforcement => {
                let mut sent = self.sent();
                let Err(wait) = sent.take(cost.requests, WHOLE - LAST, now) else { return Ok(()) };
                self.draw(&self.trickle, cost.requests).map_err(|sooner| sooner.min(wait))?;
                sent.take(cost.requests, WHOLE, now)
            }
        }
    }

    fn sent(&self) -> std::sync::MutexGuard<'_, Window<C::Instant>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, bucket: &Bucket<C>, requests: u32) -> Result<(), Duration> {
        let Some(requests) = NonZeroU32::new(requests) else { return Ok(()) };
        match bucket.check_n(requests) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            // More than the bucket ever holds: no call costs that much.
            Err(_) => Err(SPAN),
        }
    }
}

/// When the requests of the latest span were counted, the oldest first; never more than [`WHOLE`].
#[derive(Debug)]
struct Window<I>(VecDeque<I>);

impl<I: Reference> Window<I> {
    fn take(&mut self, requests: u32, most: u32, now: I) -> Result<(), Duration> {
        let age = |sent: &I| Duration::from(now.duration_since(*sent));
        while self.0.front().is_some_and(|sent| age(sent) >= SPAN) {
            self.0.pop_front();
        }
        let wanted = self.0.len() + requests as usize;
        let Some(too_many) = wanted.checked_sub(most as usize).filter(|it| *it > 0) else {
            self.0.extend(repeat_n(now, requests as usize));
            return Ok(());
        };
        // As soon as so many of the oldest count no more.
        Err(self.0.get(too_many - 1).map_or(SPAN, |sent| SPAN - age(sent)))
    }
}

impl Share {
    /// The most that can be sent within a span of time, wherever it begins.
    #[must_use]
    pub const fn at_most_within(self, seconds: u32) -> u32 {
        self.burst + self.per_minute * seconds / 60
    }

    const fn quota(self) -> Quota {
        Quota::per_minute(at_least_one(self.per_minute)).allow_burst(at_least_one(self.burst))
    }
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

const _: () = {
    assert!(WHOLE < GATEWAY_LIMIT);
    assert!(ROUTINE.at_most_within(60) * 2 <= WHOLE);
    assert!(BARS.at_most_within(30) < GATEWAY_BARS_LIMIT);
};

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const ONE: Cost = Cost { requests: 1, bars: 0 };
    const BAR: Cost = Cost { requests: 1, bars: 1 };

    fn taken(budget: &Budget<FakeRelativeClock>, class: Class, cost: Cost) -> u32 {
        (0..).take_while(|_| budget.take(class, cost).is_ok()).count() as u32
    }

    /// Everything that can be got in a minute of asking every second.
    fn greedy_minute(class: Class, cost: Cost) -> u32 {
        let clock = FakeRelativeClock::default();
        let budget = Budget::new(clock.clone());
        let mut sum = taken(&budget, class, cost);
        for _ in 0..59 {
            clock.advance(Duration::from_secs(1));
            sum += taken(&budget, class, cost);
        }
        sum
    }

    #[test]
    fn no_minute_exceeds_the_gateways_limit_and_routine_gets_half_at_most() {
        let enforcement = greedy_minute(Class::Enforcement, ONE);
        let routine = greedy_minute(Class::Routine, ONE);
        assert!((170..GATEWAY_LIMIT).contains(&enforcement), "{enforcement}");
        assert!((80..=WHOLE / 2).contains(&routine), "{routine}");
        let bars = greedy_minute(Class::Routine, BAR);
        assert!((50..=60).contains(&bars), "{bars}");
    }

    #[test]
    fn enforcement_finds_its_share_untouched_after_routine_took_all_it_could() {
        let clock = FakeRelativeClock::default();
        let budget = Budget::new(clock.clone());
        for _ in 0..600 {
            taken(&budget, Class::Routine, ONE);
            clock.advance(Duration::from_millis(100));
        }
        assert!(taken(&budget, Class::Enforcement, ONE) * 2 >= WHOLE - LAST);
    }

    /// A busy hour of a trader who breaks rules: what is needed goes out at once, for as long as it lasts.
    #[test]
    fn eighty_closes_a_minute_never_wait_beside_all_that_routine_asks() {
        let clock = FakeRelativeClock::default();
        let budget = Budget::new(clock.clone());
        for close in 0..800 {
            assert_eq!(budget.take(Class::Enforcement, ONE), Ok(()), "close {close}");
            taken(&budget, Class::Routine, ONE);
            clock.advance(Duration::from_millis(750));
        }
    }

    #[test]
    fn after_a_storm_something_that_protects_goes_out_every_few_seconds() {
        let clock = FakeRelativeClock::default();
        let budget = Budget::new(clock.clone());
        let at_once = taken(&budget, Class::Enforcement, ONE);
        assert!(at_once >= WHOLE - LAST, "{at_once}");
        for _ in at_once..WHOLE {
            let wait = budget.take(Class::Enforcement, ONE).unwrap_err();
            assert!(wait <= Duration::from_secs(4), "{wait:?}");
            assert!(budget.take(Class::Routine, ONE).is_err());
            clock.advance(wait);
            assert_eq!(budget.take(Class::Enforcement, ONE), Ok(()));
        }
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let clock = FakeRelativeClock::default();
        let budget = Budget::new(clock.clone());
        taken(&budget, Class::Routine, ONE);
        let four = Cost { requests: 4, bars: 0 };
        let wait = budget.take(Class::Routine, four).unwrap_err();
        assert!(wait <= Duration::from_secs(6), "{wait:?}");
        clock.advance(wait);
        assert_eq!(budget.take(Class::Routine, four), Ok(()));
    }
}

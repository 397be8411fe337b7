//! Engine time: the broker's clock, carried on by this computer's monotonic one.
//!
//! The wall clock of this computer is believed only while it agrees with the broker; turning it forward
//! frees nobody, turning it back extends nothing (specification A.4, ruling 15). It never runs backwards
//! and never stands still: every grace, retry and time-out hangs on it. The only reader of the operating
//! system's clocks in this crate.

use std::time::{Duration, Instant as Monotonic, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use domain::Instant;

/// A wall clock this close to the broker's is taken as it is: an HTTP date has whole seconds only.
const AGREES: TimeDelta = TimeDelta::seconds(2);
/// Farther apart than this, nothing is promised (ruling 15).
pub const TOO_FAR_APART: TimeDelta = TimeDelta::seconds(60);
/// A wall clock that moved by this much more or less than the monotonic one has jumped, or this computer
/// slept (specification A.4).
const JUMP: TimeDelta = TimeDelta::seconds(5);

/// The clock of the engine.
#[derive(Debug)]
pub struct Clock {
    origin: Monotonic,
    base: Instant,
    /// By how much it was ahead of the truth at a moment: it runs at half speed until it is not.
    ahead: (Monotonic, TimeDelta),
    /// It goes on from the time of an earlier run.
    carried_on: bool,
    trusted: bool,
    apart: Option<TimeDelta>,
    last_look: (Monotonic, Instant),
}

/// This computer's idea of the time.
fn wall() -> Instant {
    DateTime::<Utc>::from(SystemTime::now())
}

impl Clock {
    /// Starts at the latest time an earlier run was sure of, or at the wall clock's where there was none;
    /// it stays a guess until the broker has said what time it is.
    #[must_use]
    pub fn start(last_seen: Option<Instant>) -> Self {
        let (origin, now) = (Monotonic::now(), wall());
        Self {
            origin,
            base: last_seen.unwrap_or(now),
            ahead: (origin, TimeDelta::zero()),
            carried_on: last_seen.is_some(),
            trusted: false,
            apart: None,
            last_look: (origin, now),
        }
    }

    /// Engine time now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.at(Monotonic::now())
    }

    /// Engine time at a moment of the monotonic clock.
    #[must_use]
    pub fn at(&self, moment: Monotonic) -> Instant {
        self.base + since(self.origin, moment) + self.ahead_at(moment)
    }

    fn ahead_at(&self, moment: Monotonic) -> TimeDelta {
        let (then, ahead) = self.ahead;
        (ahead - since(then, moment) / 2).max(TimeDelta::zero())
    }

    /// Whether the broker has said what time it is.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// How far this computer's clock is ahead of the broker's; `None` until it is known.
    #[must_use]
    pub fn apart(&self) -> Option<TimeDelta> {
        self.apart
    }

    /// The broker said, in whole seconds, what time it is; the answer arrived at `received`. Once it is
    /// trusted, a broker that is contradicted by this clock and by the wall clock is not followed.
    pub fn broker_said(&mut self, broker: Instant, received: Monotonic) {
        let wall = wall() - TimeDelta::from_std(received.elapsed()).unwrap_or_default();
        let broker = broker + TimeDelta::milliseconds(500);
        let apart = wall - broker;
        self.apart = Some(if apart.abs() <= AGREES { TimeDelta::zero() } else { apart });
        let truth = if apart.abs() <= AGREES { wall } else { broker };
        let off = truth - self.at(received);
        if self.trusted && (off.abs() <= AGREES || apart.abs() > TOO_FAR_APART) {
            return;
        }
        self.base += off + self.ahead_at(received);
        let may_jump_back = !self.trusted && !self.carried_on;
        let ahead = if may_jump_back { TimeDelta::zero() } else { (-off).max(TimeDelta::zero()) };
        self.ahead = (received, ahead);
        self.trusted = true;
    }

    /// Looks whether the wall clock jumped since the last look, as it does when this computer slept.
    pub fn jumped(&mut self) -> Option<TimeDelta> {
        let (then, wall_then) = self.last_look;
        let (now, wall_now) = (Monotonic::now(), wall());
        self.last_look = (now, wall_now);
        let run: Duration = now.saturating_duration_since(then);
        let jump = wall_now - wall_then - TimeDelta::from_std(run).unwrap_or_default();
        (jump.abs() > JUMP).then_some(jump)
    }
}

fn since(then: Monotonic, moment: Monotonic) -> TimeDelta {
    TimeDelta::from_std(moment.saturating_duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: Instant, other: Instant) -> bool {
        (one - other).abs() < TimeDelta::seconds(3)
    }

    #[test]
    fn a_wall_clock_that_agrees_is_taken_as_it_is() {
        let mut clock = Clock::start(None);
        clock.broker_said(wall(), Monotonic::now());
        assert_eq!(clock.apart(), Some(TimeDelta::zero()));
        assert!(close(clock.now(), wall()));
    }

    #[test]
    fn the_brokers_time_counts_where_they_differ() {
        let mut clock = Clock::start(None);
        let broker = wall() - TimeDelta::hours(3);
        clock.broker_said(broker, Monotonic::now());
        assert!(clock.apart().is_some_and(|apart| apart > TOO_FAR_APART));
        assert!(close(clock.now(), broker));
    }

    #[test]
    fn a_start_goes_on_from_the_last_sure_time_until_the_broker_speaks() {
        let last_seen = wall() - TimeDelta::hours(8);
        let mut clock = Clock::start(Some(last_seen));
        assert!(!clock.is_trusted());
        assert!(close(clock.now(), last_seen), "a clock that was turned forward frees nobody");
        clock.broker_said(wall(), Monotonic::now());
        assert!(close(clock.now(), wall()));
    }

    #[test]
    fn a_clock_that_was_ahead_neither_runs_back_nor_stands_still() {
        let mut clock = Clock::start(Some(wall() + TimeDelta::hours(1)));
        let now = Monotonic::now();
        let before = clock.at(now);
        clock.broker_said(wall(), now);
        assert_eq!(clock.at(now), before);
        let later = |seconds| clock.at(now + Duration::from_secs(seconds));
        assert_eq!(later(10) - before, TimeDelta::seconds(5), "half speed");
        let right = 2 * 60 * 60 + 60;
        let expected = wall() + TimeDelta::seconds(2 * 60 * 60 + 60);
        assert!(close(later(right), expected), "until it is right");
        assert_eq!(later(right + 10) - later(right), TimeDelta::seconds(10), "and no longer");
    }

    #[test]
    fn a_broker_that_two_clocks_contradict_ends_no_lock_early() {
        let mut clock = Clock::start(None);
        clock.broker_said(wall(), Monotonic::now());
        clock.broker_said(wall() + TimeDelta::hours(12), Monotonic::now());
        assert!(clock.apart().is_some_and(|apart| apart.abs() > TOO_FAR_APART), "but it is told");
        assert!(close(clock.now(), wall()));
    }
}

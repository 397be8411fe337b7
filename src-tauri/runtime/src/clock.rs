//! Engine time: the broker's clock, carried on by this computer's monotonic one.
//!
//! The wall clock of this computer is believed only while it agrees with the broker; turning it forward
//! frees nobody, turning it back extends nothing (specification A.4, ruling 15). The only reader of the
//! operating system's clocks in this crate.

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
        Self { origin, base: last_seen.unwrap_or(now), trusted: false, apart: None, last_look: (origin, now) }
    }

    /// Engine time now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.at(Monotonic::now())
    }

    /// Engine time at a moment of the monotonic clock.
    #[must_use]
    pub fn at(&self, moment: Monotonic) -> Instant {
        let run = moment.saturating_duration_since(self.origin);
        self.base + TimeDelta::from_std(run).unwrap_or_default()
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

    /// The broker said, in whole seconds, what time it is; the answer arrived at `received`.
    pub fn broker_said(&mut self, broker: Instant, received: Monotonic) {
        let wall = wall() - TimeDelta::from_std(received.elapsed()).unwrap_or_default();
        let broker = broker + TimeDelta::milliseconds(500);
        let apart = wall - broker;
        self.apart = Some(if apart.abs() <= AGREES { TimeDelta::zero() } else { apart });
        let truth = if apart.abs() <= AGREES { wall } else { broker };
        let off = truth - self.at(received);
        if !self.trusted || off.abs() > AGREES {
            self.base += off;
            self.trusted = true;
        }
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
}

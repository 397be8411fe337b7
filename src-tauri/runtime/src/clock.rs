//! Engine time: the broker's clock, carried on by this computer's monotonic one.
//!
//! The wall clock of this computer is believed only while it agrees with the broker; turning it forward
//! frees nobody, turning it back extends nothing (specification A.4, ruling 15). It never runs backwards
//! and never stands still: every grace, retry and time-out hangs on it. The only reader of the operating
//! system's clocks in this crate.

use std::time::{Instant as Monotonic, SystemTime};

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
    last_look: Moment,
}

/// A look at both clocks of this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The one that nobody can turn; it may stand still while the computer sleeps.
    pub monotonic: Monotonic,
    /// The one that people set.
    pub wall: Instant,
}

impl Moment {
    /// Looks now.
    #[must_use]
    pub fn now() -> Self {
        Self { monotonic: Monotonic::now(), wall: DateTime::<Utc>::from(SystemTime::now()) }
    }
}

impl Clock {
    /// Starts at the latest time an earlier run was sure of, or at the wall clock's where there was none;
    /// it stays a guess until the broker has said what time it is.
    #[must_use]
    pub fn start(last_seen: Option<Instant>) -> Self {
        Self::start_at(last_seen, Moment::now())
    }

    /// [`Clock::start`] at a given moment.
    #[must_use]
    pub fn start_at(last_seen: Option<Instant>, look: Moment) -> Self {
        Self {
            origin: look.monotonic,
            base: last_seen.unwrap_or(look.wall),
            ahead: (look.monotonic, TimeDelta::zero()),
            carried_on: last_seen.is_some(),
            trusted: false,
            apart: None,
            last_look: look,
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

    /// The broker said, in whole seconds, what time it is; the answer arrived at `received`, and `look` is
    /// how late it is now. Once it is trusted, a broker that is contradicted by this clock and by the wall
    /// clock is not followed. Returns by how much the time stepped forward because of it: so much did not
    /// pass for whoever waits for an answer.
    pub fn broker_said(&mut self, broker: Instant, received: Monotonic, look: Moment) -> Option<TimeDelta> {
        let wall = look.wall - since(received, look.monotonic);
        let broker = broker + TimeDelta::milliseconds(500);
        let apart = wall - broker;
        self.apart = Some(if apart.abs() <= AGREES { TimeDelta::zero() } else { apart });
        let truth = if apart.abs() <= AGREES { wall } else { broker };
        let off = truth - self.at(received);
        if self.trusted && (off.abs() <= AGREES || apart.abs() > TOO_FAR_APART) {
            return None;
        }
        self.base += off + self.ahead_at(received);
        let may_jump_back = !self.trusted && !self.carried_on;
        let ahead = if may_jump_back { TimeDelta::zero() } else { (-off).max(TimeDelta::zero()) };
        self.ahead = (received, ahead);
        self.trusted = true;
        (off > TimeDelta::zero()).then_some(off)
    }

    /// Whether the wall clock jumped since the last look, as it does when this computer slept.
    pub fn jumped(&mut self, look: Moment) -> Option<TimeDelta> {
        let last = std::mem::replace(&mut self.last_look, look);
        let jump = look.wall - last.wall - since(last.monotonic, look.monotonic);
        (jump.abs() > JUMP).then_some(jump)
    }
}

fn since(then: Monotonic, moment: Monotonic) -> TimeDelta {
    TimeDelta::from_std(moment.saturating_duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn wall() -> Instant {
        Moment::now().wall
    }

    fn close(one: Instant, other: Instant) -> bool {
        (one - other).abs() < TimeDelta::seconds(3)
    }

    #[test]
    fn a_wall_clock_that_agrees_is_taken_as_it_is() {
        let mut clock = Clock::start(None);
        let _ = clock.broker_said(wall(), Monotonic::now(), Moment::now());
        assert_eq!(clock.apart(), Some(TimeDelta::zero()));
        assert!(close(clock.now(), wall()));
    }

    #[test]
    fn the_brokers_time_counts_where_they_differ() {
        let mut clock = Clock::start(None);
        let broker = wall() - TimeDelta::hours(3);
        let _ = clock.broker_said(broker, Monotonic::now(), Moment::now());
        assert!(clock.apart().is_some_and(|apart| apart > TOO_FAR_APART));
        assert!(close(clock.now(), broker));
    }

    #[test]
    fn a_start_goes_on_from_the_last_sure_time_until_the_broker_speaks() {
        let last_seen = wall() - TimeDelta::hours(8);
        let mut clock = Clock::start(Some(last_seen));
        assert!(!clock.is_trusted());
        assert!(close(clock.now(), last_seen), "a clock that was turned forward frees nobody");
        let stepped = clock.broker_said(wall(), Monotonic::now(), Moment::now());
        assert!(stepped.is_some_and(|by| (by - TimeDelta::hours(8)).abs() < TimeDelta::seconds(3)));
        assert!(close(clock.now(), wall()));
    }

    #[test]
    fn a_clock_that_was_ahead_neither_runs_back_nor_stands_still() {
        let mut clock = Clock::start(Some(wall() + TimeDelta::hours(1)));
        let now = Monotonic::now();
        let before = clock.at(now);
        let _ = clock.broker_said(wall(), now, Moment::now());
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
        let _ = clock.broker_said(wall(), Monotonic::now(), Moment::now());
        let _ = clock.broker_said(wall() + TimeDelta::hours(12), Monotonic::now(), Moment::now());
        assert!(clock.apart().is_some_and(|apart| apart.abs() > TOO_FAR_APART), "but it is told");
        assert!(close(clock.now(), wall()));
    }
}

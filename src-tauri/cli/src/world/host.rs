//! The computer on which the engine runs: its two clocks, its sleep, its wrong wall clock.

use std::time::{Duration, Instant as Monotonic};

use chrono::TimeDelta;
use domain::Instant;
use runtime::clock::Moment;

/// A computer in virtual time. True time is the broker's.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// An anchor only: nothing depends on when it was taken, differences count.
    anchor: Monotonic,
    epoch: Instant,
    /// For how long the monotonic clock stood still.
    slept: TimeDelta,
    /// How far the wall clock is ahead of the truth.
    ahead: TimeDelta,
}

impl Host {
    pub fn new(epoch: Instant) -> Self {
        Self { anchor: Monotonic::now(), epoch, slept: TimeDelta::zero(), ahead: TimeDelta::zero() }
    }

    pub fn look(&self, now: Instant) -> Moment {
        Moment { monotonic: self.monotonic(now), wall: now + self.ahead }
    }

    pub fn monotonic(&self, now: Instant) -> Monotonic {
        self.anchor + (now - self.epoch - self.slept).to_std().unwrap_or_default()
    }

    /// When the monotonic clock shows something, if the computer does not sleep until then.
    pub fn when(&self, moment: Monotonic) -> Instant {
        let run = moment.saturating_duration_since(self.anchor);
        self.epoch + self.slept + delta(run)
    }

    /// The computer slept for so long; on some the monotonic clock goes on meanwhile.
    pub fn sleep(&mut self, slept: TimeDelta) {
        self.slept += slept;
    }

    pub fn turn_wall_clock(&mut self, ahead: TimeDelta) {
        self.ahead = ahead;
    }
}

pub(crate) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or_default()
}

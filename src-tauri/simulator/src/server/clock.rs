//! The one clock of the simulator. Runs evenly from the machine's UTC time at its start, so that the
//! journal's times are monotonic, and follows a machine that slept, forward only.

use std::time::Instant as Monotonic;

use chrono::{TimeDelta, Utc};
use domain::Instant;

/// How far the machine's UTC time may be ahead before the clock follows it, in seconds.
const FOLLOW_SECONDS: i64 = 2;

#[derive(Debug)]
pub(super) struct Clock {
    base: Instant,
    since: Monotonic,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { base: Utc::now(), since: Monotonic::now() }
    }

    pub(super) fn now(&mut self) -> Instant {
        let even = self.base + TimeDelta::from_std(self.since.elapsed()).unwrap_or_default();
        let utc = Utc::now();
        if utc - even > TimeDelta::seconds(FOLLOW_SECONDS) {
            (self.base, self.since) = (utc, Monotonic::now());
            return utc;
        }
        even
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_fell_behind_follows_and_never_runs_backwards() {
        let mut clock = Clock::start();
        let first = clock.now();
        clock.base -= TimeDelta::hours(8);
        let woken = clock.now();
        assert!(woken >= first, "{woken} after {first}");
        clock.base += TimeDelta::hours(1);
        assert!(clock.now() > woken + TimeDelta::minutes(59), "ahead of UTC it just runs on");
    }
}

//! At most ten evaluations a second for one contract, and the newest quote is always evaluated in the
//! end (specification C.8): no limit is met later than by the width of this window.

use chrono::TimeDelta;
use domain::Instant;

/// Least time between two evaluations.
const WINDOW: TimeDelta = TimeDelta::milliseconds(100);

/// One contract's pace.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    evaluated: Option<Instant>,
    waiting: bool,
}

impl Pace {
    /// Something changed: whether it is evaluated now; otherwise it waits.
    pub fn changed(&mut self, now: Instant) -> bool {
        let free = self.evaluated.is_none_or(|at| now >= at + WINDOW);
        self.waiting = !free;
        if free {
            self.evaluated = Some(now);
        }
        free
    }

    /// When what waits is evaluated.
    pub fn due(&self) -> Option<Instant> {
        self.evaluated.filter(|_| self.waiting).map(|at| at + WINDOW)
    }

    /// Whether what waits is evaluated now.
    pub fn pass(&mut self, now: Instant) -> bool {
        self.waiting && self.changed(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Instant {
        Instant::default() + TimeDelta::milliseconds(milliseconds)
    }

    #[test]
    fn ten_a_second_and_the_newest_in_the_end() {
        let mut pace = Pace::default();
        let mut evaluated = 0;
        for ms in 0..1_000 {
            evaluated += u32::from(pace.changed(at(ms)));
        }
        assert_eq!(evaluated, 10);
        assert_eq!(pace.due(), Some(at(1_000)));
        assert!(!pace.pass(at(999)));
        assert!(pace.pass(at(1_000)));
        assert_eq!(pace.due(), None);
        assert!(!pace.pass(at(2_000)), "nothing waits");
        assert!(pace.changed(at(2_000)), "after a pause at once");
    }
}

//! One thing that can go and come back, and how often people are told: at once, then at most once in an
//! interval, with the count of what happened in between (specification B.10: flapping).

use chrono::TimeDelta;
use domain::Instant;

/// The present state of one thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outage {
    /// Since when it has been gone.
    since: Option<Instant>,
    /// This time was told.
    is_told: bool,
    told: Option<Instant>,
    /// When the first of the counted times began, and how many there were.
    first: Option<Instant>,
    times: u32,
    /// One of them was not told yet.
    waits: bool,
    back: Option<Instant>,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It is gone.
    Gone { since: Instant, times: u32 },
    /// It is back.
    Back { since: Instant, until: Instant, times: u32 },
}

impl Outage {
    /// Since when it has been gone.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// It is there, and there is nothing more to tell.
    pub fn is_quiet(&self) -> bool {
        self.since.is_none() && !self.waits
    }

    /// It went.
    pub fn gone(&mut self, now: Instant, every: TimeDelta) -> Option<News> {
        if self.since.is_some() {
            return None;
        }
        self.since = Some(now);
        if self.told.is_some_and(|told| now < told + every) {
            self.first.get_or_insert(now);
            self.times += 1;
            (self.waits, self.is_told) = (true, false);
            return None;
        }
        (self.first, self.times, self.waits) = (Some(now), 1, false);
        (self.told, self.is_told) = (Some(now), true);
        Some(News::Gone { since: now, times: 1 })
    }

    /// It came back. Told if its going was; otherwise it waits to be told with the count.
    pub fn back(&mut self, until: Instant) -> Option<News> {
        let since = self.since.take()?;
        self.back = Some(until);
        self.is_told.then_some(News::Back { since, until, times: 1 })
    }

    /// When there is something more to tell. While it lasts it is told again only if `presses`.
    pub fn due(&self, every: TimeDelta, presses: bool) -> Option<Instant> {
        let again = self.waits || (presses && self.since.is_some());
        self.told.filter(|_| again).map(|told| told + every)
    }

    /// What is to be told because time has passed.
    pub fn pass(&mut self, now: Instant, every: TimeDelta, presses: bool) -> Option<News> {
        self.due(every, presses).filter(|at| *at <= now)?;
        let times = self.times.max(1);
        let first = self.first.take();
        (self.told, self.times, self.waits) = (Some(now), 0, false);
        match self.since {
            Some(since) => {
                self.is_told = true;
                Some(News::Gone { since, times })
            }
            None => Some(News::Back { since: first?, until: self.back?, times }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: TimeDelta = TimeDelta::seconds(60);

    fn at(second: i64) -> Instant {
        Instant::default() + TimeDelta::seconds(second)
    }

    fn gone(since: i64, times: u32) -> Option<News> {
        Some(News::Gone { since: at(since), times })
    }

    fn back(since: i64, until: i64, times: u32) -> Option<News> {
        Some(News::Back { since: at(since), until: at(until), times })
    }

    #[test]
    fn gone_and_back_are_told_once_each() {
        let mut outage = Outage::default();
        assert_eq!(outage.gone(at(0), EVERY), gone(0, 1));
        assert_eq!(outage.gone(at(1), EVERY), None, "it is gone already");
        assert_eq!(outage.back(at(42)), back(0, 42, 1));
        assert_eq!(outage.back(at(43)), None);
        assert_eq!(outage.pass(at(100), EVERY, true), None);
    }

    #[test]
    fn flapping_is_told_once_in_an_interval_with_its_count() {
        let mut outage = Outage::default();
        assert_eq!(outage.gone(at(0), EVERY), gone(0, 1));
        outage.back(at(2));
        for second in [10, 20] {
            assert_eq!(outage.gone(at(second), EVERY), None);
            assert_eq!(outage.back(at(second + 5)), None);
        }
        assert_eq!(outage.due(EVERY, false), Some(at(60)));
        assert_eq!(outage.pass(at(59), EVERY, false), None);
        assert_eq!(outage.pass(at(60), EVERY, false), back(0, 25, 3));
        assert_eq!(outage.gone(at(70), EVERY), None, "the next interval has begun");
        assert_eq!(outage.pass(at(120), EVERY, false), gone(70, 1));
        assert_eq!(outage.back(at(130)), back(70, 130, 1));
    }

    #[test]
    fn it_is_told_again_only_while_it_presses() {
        let mut outage = Outage::default();
        outage.gone(at(0), EVERY);
        assert_eq!(outage.pass(at(300), EVERY, false), None);
        assert_eq!(outage.pass(at(300), EVERY, true), gone(0, 1));
        assert_eq!(outage.pass(at(359), EVERY, true), None);
        assert_eq!(outage.pass(at(360), EVERY, true), gone(0, 1));
    }
}

//! The network between engine and broker: how long things take, and what becomes of a request.

use chrono::TimeDelta;
use domain::Instant;

use crate::dice::Dice;

/// Longest way of a frame, a request or an answer in fair weather: what the bounds of the laws count with.
pub(crate) const FAIR_WAY_MS: i64 = 400;

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered.
    Answered,
    /// It never arrives, and nobody says so.
    LostBefore,
    /// It is executed, and the answer never arrives.
    LostAfter,
    /// The connection is refused: known at once, not executed.
    Refused,
    /// It is executed, and the connection breaks before the answer.
    Broken,
    /// Answered with an HTTP status; executed first or not.
    Status { status: u16, executed: bool, retry_after: Option<u8> },
}

/// The state of the network.
#[derive(Debug)]
pub(crate) struct Weather {
    dice: Dice,
    /// Most that a way takes.
    slow_ms: i64,
    /// Share of requests that meet a mishap, in percent.
    flaky: u32,
    /// Nothing passes until then.
    cut_until: Option<Instant>,
}

impl Weather {
    pub fn new(dice: Dice) -> Self {
        Self { dice, slow_ms: FAIR_WAY_MS, flaky: 0, cut_until: None }
    }

    /// Ways take up to so many milliseconds; fair weather when `None`.
    pub fn storm(&mut self, slow_ms: Option<i64>) {
        self.slow_ms = slow_ms.unwrap_or(FAIR_WAY_MS);
    }

    /// Share of requests that meet a mishap, in percent.
    pub fn flaky(&mut self, percent: u32) {
        self.flaky = percent;
    }

    pub fn cut(&mut self, until: Option<Instant>) {
        self.cut_until = until;
    }

    pub fn is_cut(&self, now: Instant) -> bool {
        self.cut_until.is_some_and(|until| now < until)
    }

    /// How long something is on its way: mostly tens of milliseconds, sometimes up to the limit.
    pub fn way(&mut self) -> TimeDelta {
        let longest = if self.slow_ms > FAIR_WAY_MS || self.dice.one_in(100) { self.slow_ms } else { 60 };
        TimeDelta::microseconds(self.dice.between(3_000..=longest * 1_000))
    }

    /// When something that is sent now on a connection arrives at the earliest: what is lost on the way is
    /// sent again by the system until the connection ends.
    pub fn arrival(&mut self, now: Instant) -> Instant {
        let begun = self.cut_until.filter(|until| now < *until).unwrap_or(now);
        begun + self.way()
    }

    pub fn fate(&mut self, now: Instant) -> Fate {
        if self.is_cut(now) {
            return if self.dice.percent(50) { Fate::LostBefore } else { Fate::Refused };
        }
        if self.flaky == 0 || !self.dice.percent(self.flaky) {
            return Fate::Answered;
        }
        let executed = self.dice.percent(40);
        match self.dice.between(0..=9) {
            0 => Fate::LostBefore,
            1 => Fate::LostAfter,
            2 => Fate::Refused,
            3 => Fate::Broken,
            4 => Fate::Status { status: 429, executed: false, retry_after: Some(2) },
            5 => Fate::Status { status: 429, executed: false, retry_after: None },
            6 => Fate::Status { status: 500, executed, retry_after: None },
            7 => Fate::Status { status: 502, executed, retry_after: None },
            _ => Fate::Status { status: 503, executed, retry_after: None },
        }
    }

    pub fn jitter(&mut self) -> f64 {
        self.dice.jitter()
    }

    /// Whether a new connection to a hub succeeds now.
    pub fn connects(&mut self, now: Instant) -> bool {
        !self.is_cut(now) && !self.dice.percent(self.flaky)
    }
}

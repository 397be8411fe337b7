//! What can go wrong between Risk Manager and the broker, and how often. Chance has a seed.

use chrono::TimeDelta;
use domain::broker::CallError;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Shares in percent, times in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Chaos {
    pub seed: u64,
    /// Longest way of a message in one direction.
    pub way: u64,
    /// Longest time from an accepted market order to its fill.
    pub fill: u64,
    /// Messages of the stream that come twice.
    pub twice: u32,
    /// Messages of the stream that never come.
    pub lost: u32,
    /// Messages of the stream that are passed by later ones.
    pub passed: u32,
    /// Orders that are filled in several pieces.
    pub pieces: u32,
    /// Requests that end badly.
    pub failing: u32,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Fate {
    Fine,
    /// Answered with an error, unexecuted.
    Refused(CallError),
    /// Executed, and answered with an error all the same.
    Misreported(CallError),
}

#[derive(Debug)]
pub struct Dice {
    chaos: Chaos,
    rng: StdRng,
}

impl Dice {
    pub fn new(chaos: Chaos) -> Self {
        Self { rng: StdRng::seed_from_u64(chaos.seed), chaos }
    }

    /// From here on everything goes well.
    pub fn calm(&mut self) {
        let Chaos { seed, way, fill, .. } = self.chaos;
        self.chaos = Chaos { seed, way: way.min(50), fill: fill.min(50), ..Chaos::default() };
    }

    fn up_to(&mut self, milliseconds: u64) -> TimeDelta {
        let microseconds = self.rng.random_range(1_000..=1_000 + milliseconds * 1_000);
        TimeDelta::microseconds(i64::try_from(microseconds).unwrap())
    }

    pub fn one_in(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    pub fn way(&mut self) -> TimeDelta {
        self.up_to(self.chaos.way)
    }

    pub fn until_fill(&mut self) -> TimeDelta {
        self.up_to(self.chaos.fill)
    }

    pub fn is_lost(&mut self) -> bool {
        self.one_in(self.chaos.lost)
    }

    pub fn is_twice(&mut self) -> bool {
        self.one_in(self.chaos.twice)
    }

    /// How long a message is held up, so that others pass it.
    pub fn held_up(&mut self) -> Option<TimeDelta> {
        self.one_in(self.chaos.passed).then(|| self.up_to(400))
    }

    /// The pieces in which an order of this size is filled.
    pub fn pieces(&mut self, size: u32) -> Vec<u32> {
        if size < 2 || !self.one_in(self.chaos.pieces) {
            return vec![size];
        }
        let first = self.rng.random_range(1..size);
        vec![first, size - first]
    }

    /// `acts` tells requests that change something.
    pub fn fate(&mut self, acts: bool) -> Fate {
        if !self.one_in(self.chaos.failing) {
            return Fate::Fine;
        }
        let timeout = CallError::TimedOut(std::time::Duration::from_secs(2));
        match self.rng.random_range(0..5) {
            0 => Fate::Refused(CallError::Server(503)),
            1 => Fate::Refused(timeout),
            2 => Fate::Refused(CallError::RateLimited { retry_after: None }),
            3 if acts => Fate::Misreported(timeout),
            4 if acts => Fate::Misreported(CallError::Server(502)),
            _ => Fate::Refused(CallError::Unreachable("connection refused".to_string())),
        }
    }
}

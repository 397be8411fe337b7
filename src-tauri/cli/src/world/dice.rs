//! All chance of a world, from one seed: the same seed throws the same numbers on every machine.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// A stream of chance. Whatever is left to it has a stream of its own, so that one more throw here does
/// not change what happens there.
#[derive(Debug)]
pub(crate) struct Dice(StdRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A new stream.
    pub fn fork(&mut self) -> Self {
        Self::new(self.0.random())
    }

    pub fn between(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.0.random_range(range)
    }

    /// True in so many cases of a hundred.
    pub fn percent(&mut self, share: u32) -> bool {
        self.0.random_range(0..100) < share
    }

    /// True once in so many cases.
    pub fn one_in(&mut self, cases: u32) -> bool {
        self.0.random_range(0..cases.max(1)) == 0
    }

    pub fn index(&mut self, length: usize) -> usize {
        self.0.random_range(0..length.max(1))
    }

    /// One of several; there must be one.
    pub fn choose<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.index(among.len())]
    }

    /// One of several with their weights; there must be one with a weight.
    pub fn weighted<T: Copy>(&mut self, among: &[(u32, T)]) -> T {
        let sum: u32 = among.iter().map(|(weight, _)| weight).sum();
        let mut thrown = self.0.random_range(0..sum.max(1));
        for (weight, it) in among {
            if thrown < *weight {
                return *it;
            }
            thrown -= weight;
        }
        among[0].1
    }

    pub fn ms(&mut self, range: RangeInclusive<i64>) -> TimeDelta {
        TimeDelta::milliseconds(self.between(range))
    }

    pub fn seconds(&mut self, range: RangeInclusive<i64>) -> TimeDelta {
        self.ms(range.start() * 1_000..=range.end() * 1_000)
    }

    /// A number from 0 to 1.
    pub fn jitter(&mut self) -> f64 {
        self.0.random_range(0.0..1.0)
    }

    pub fn seed(&mut self) -> u64 {
        self.0.random()
    }
}

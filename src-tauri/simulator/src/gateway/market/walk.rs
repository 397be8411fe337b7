//! A seeded random walk on the tick grid: about five prints a second, one per cent of standard deviation
//! a day. Uses no function whose result differs between machines.

use chrono::TimeDelta;
use projectx::wire::code::OrderSide;
use rand::{RngExt, rngs::StdRng};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::QuoteUpdate;

/// Shortest and longest pause between two prints at normal pace, in milliseconds.
const PAUSE_MS: std::ops::RangeInclusive<u32> = 100..=300;

/// Standard deviation of a day, as a share of the price.
const DAILY_DEVIATION: f64 = 0.01;

/// Square root of the steps of a day (432,000 at the mean pause of 200 ms).
const ROOT_OF_STEPS_A_DAY: f64 = 657.267;

/// Half the width of a uniform distribution whose standard deviation is 1.
const UNIFORM_HALF_WIDTH: f64 = 1.732_050_8;

/// Most that one print trades.
const PRINT_VOLUME: std::ops::RangeInclusive<i64> = 1..=5;

/// Paces outside are brought in: a thousand times faster or slower.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=1_000.0;

/// A speed brought into its range.
pub(in crate::gateway) fn pace(speed: f64) -> f64 {
    if speed.is_finite() { speed.clamp(*SPEEDS.start(), *SPEEDS.end()) } else { 1.0 }
}

#[derive(Debug)]
pub(super) struct Walk {
    rng: StdRng,
    tick: Decimal,
    /// Never falls below: a tenth of the opening price.
    floor: Decimal,
    /// Standard deviation of a step, in ticks.
    deviation: f64,
    /// Part of a tick that has not been walked yet.
    carry: f64,
}

impl Walk {
    pub(super) fn new(rng: StdRng, opening: Decimal, tick: Decimal) -> Self {
        let ticks = (opening / tick).to_f64().unwrap_or_default();
        let tenth = (opening / Decimal::TEN / tick).trunc() * tick;
        Self {
            rng,
            tick,
            floor: tenth.max(tick * Decimal::TWO),
            deviation: ticks * DAILY_DEVIATION / ROOT_OF_STEPS_A_DAY,
            carry: 0.0,
        }
    }

    /// Time to the next step.
    pub(super) fn pause(&mut self, pace: f64) -> TimeDelta {
        let micros = f64::from(self.rng.random_range(PAUSE_MS)) * 1_000.0 / pace;
        TimeDelta::microseconds(micros.to_i64().unwrap_or(i64::from(*PAUSE_MS.end()) * 1_000))
    }

    /// The next print and its volume. The last price is always at the bid or at the ask.
    pub(super) fn step(&mut self, last: Decimal) -> (QuoteUpdate, i64) {
        let reach = UNIFORM_HALF_WIDTH * self.deviation;
        self.carry += self.rng.random_range(-reach..=reach);
        let whole = self.carry.trunc();
        self.carry -= whole;
        let moved = Decimal::from(whole.to_i64().unwrap_or_default());
        let last = (last + moved * self.tick).max(self.floor);
        let up = moved > Decimal::ZERO || (moved.is_zero() && self.rng.random_bool(0.5));
        let aggressor = if up { OrderSide::Bid } else { OrderSide::Ask };
        let (bid, ask) = match aggressor {
            OrderSide::Bid => (last - self.tick, last),
            OrderSide::Ask => (last, last + self.tick),
        };
        let update = QuoteUpdate { bid: Some(bid), ask: Some(ask), last: Some(last) };
        (update, self.rng.random_range(PRINT_VOLUME))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn prices(seed: u64, steps: usize) -> Vec<Decimal> {
        let (opening, tick) = (Decimal::from(24_800), Decimal::new(25, 2));
        let mut walk = Walk::new(StdRng::seed_from_u64(seed), opening, tick);
        let mut last = opening;
        let step = || {
            let (update, volume) = walk.step(last);
            last = update.last.unwrap();
            let (bid, ask) = (update.bid.unwrap(), update.ask.unwrap());
            assert!((last % tick).is_zero() && ask - bid == tick && (last == bid || last == ask));
            assert!((1..=5).contains(&volume));
            last
        };
        std::iter::repeat_with(step).take(steps).collect()
    }

    #[test]
    fn the_same_seed_walks_the_same_way_and_stays_on_the_grid() {
        assert_eq!(prices(7, 2_000), prices(7, 2_000));
        assert_ne!(prices(7, 2_000), prices(8, 2_000));
    }

    #[test]
    fn a_day_moves_by_about_a_per_cent() {
        const PARTS: u32 = 50;
        let walks = 100_u32;
        let moves: f64 = (0..walks)
            .map(|seed| {
                let last = *prices(u64::from(seed), 8_640).last().unwrap();
                let part = (last / Decimal::from(24_800) - Decimal::ONE).to_f64().unwrap();
                part * part
            })
            .sum();
        let deviation = (moves / f64::from(walks) * f64::from(PARTS)).sqrt();
        assert!((0.007..0.013).contains(&deviation), "{deviation} a day, from fiftieths of days");
    }
}

//! A modest order book around the best prices, painted with random sizes: nothing rests in it
//! (gateway reference 8.8).

use projectx::wire::{Number, code::DomType, model::DepthRow};
use rand::{RngExt, rngs::StdRng};
use rust_decimal::Decimal;

use super::Book;

/// Levels of a snapshot, on each side.
const SNAPSHOT_LEVELS: i64 = 10;

/// Levels of an update, on each side.
const UPDATE_LEVELS: i64 = 3;

/// Levels taken away at once, on each side.
const REMOVED_LEVELS: i64 = 10;

impl Book {
    pub(super) fn depth_snapshot(&self, at: &str, rng: &mut StdRng) -> Vec<DepthRow> {
        self.levels(SNAPSHOT_LEVELS, at, rng)
    }

    /// The new best prices and the levels that a move took away.
    pub(super) fn depth_update(
        &self,
        before: (Decimal, Decimal),
        at: &str,
        rng: &mut StdRng,
    ) -> Vec<DepthRow> {
        let mut rows = self.removed(DomType::Bid, before.0, self.bid, -self.tick, at);
        rows.extend(self.removed(DomType::Ask, before.1, self.ask, self.tick, at));
        rows.extend(self.levels(UPDATE_LEVELS, at, rng));
        rows
    }

    fn levels(&self, count: i64, at: &str, rng: &mut StdRng) -> Vec<DepthRow> {
        let mut size = || rng.random_range(1..=40_i64);
        let mut rows =
            vec![best(DomType::BestBid, self.bid, size(), at), best(DomType::BestAsk, self.ask, size(), at)];
        for level in 0..count {
            let away = self.tick * Decimal::from(level);
            rows.push(set(DomType::Bid, self.bid - away, size(), at));
            rows.push(set(DomType::Ask, self.ask + away, size(), at));
        }
        rows
    }

    /// Levels from the old best price up to the new one; none when the market moved the other way.
    fn removed(&self, side: DomType, old: Decimal, new: Decimal, step: Decimal, at: &str) -> Vec<DepthRow> {
        (0..REMOVED_LEVELS)
            .map(|level| old + step * Decimal::from(level))
            .take_while(|price| (new - *price) * step > Decimal::ZERO)
            .map(|price| set(side, price, 0, at))
            .collect()
    }
}

/// A best price: its size is in `volume`, `currentVolume` is 0.
fn best(kind: DomType, price: Decimal, volume: i64, at: &str) -> DepthRow {
    row(kind, price, volume, 0, at)
}

/// A level to set; volume 0 removes it.
fn set(kind: DomType, price: Decimal, volume: i64, at: &str) -> DepthRow {
    row(kind, price, volume, volume, at)
}

fn row(kind: DomType, price: Decimal, volume: i64, current_volume: i64, at: &str) -> DepthRow {
    DepthRow { timestamp: at.to_string(), kind: kind.code(), price: Number(price), volume, current_volume }
}

//! What an engine may believe of a day's result: news takes its way, and the news of executions, positions
//! and prices take different ways (gateway reference 9.2).

use chrono::TimeDelta;
use domain::{Instant, Position, Symbol, Usd};

use super::Scene;
use crate::{
    glance::{Glance, Stake},
    sight::{Seen, usable},
};

/// Longest difference between the ways of two pieces of news in fair weather.
const APART: TimeDelta = TimeDelta::seconds(1);

/// The worst result of late.
pub(super) fn worst(seen: &Seen, include_fees: bool, scene: &Scene<'_>) -> Usd {
    extreme(seen, include_fees, scene, Ord::min)
}

/// The best result of late.
pub(super) fn best(seen: &Seen, include_fees: bool, scene: &Scene<'_>) -> Usd {
    extreme(seen, include_fees, scene, Ord::max)
}

/// In order, what was held and what was banked fit together, and only the price is of another moment. Where
/// events are lost or overtake each other, each may be of another moment.
fn extreme(seen: &Seen, include_fees: bool, scene: &Scene<'_>, of: fn(Usd, Usd) -> Usd) -> Usd {
    let since = scene.answering.heard_since(scene.now);
    let of_late = || seen.glances_since(since);
    let open = |glance: &Glance, prices_since: Instant| -> Usd {
        let values = glance.stakes.iter().map(|stake| value(stake, scene, prices_since, of));
        values.fold(Usd::ZERO, |sum, value| sum + value)
    };
    let banked = |glance: &Glance| glance.sum.result(include_fees);
    let all = |values: &mut dyn Iterator<Item = Usd>| values.reduce(of).unwrap_or_default();
    let combined = if scene.answering.is_orderly(scene.now) {
        all(&mut of_late().map(|glance| banked(glance) + open(glance, glance.at - APART)))
    } else {
        all(&mut of_late().map(banked)) + all(&mut of_late().map(|glance| open(glance, since)))
    };
    of(combined, all(&mut of_late().map(banked)))
}

fn value(stake: &Stake, scene: &Scene<'_>, since: Instant, of: fn(Usd, Usd) -> Usd) -> Usd {
    let Some(instrument) = scene.gateway.instrument(&stake.contract) else { return Usd::ZERO };
    let prices = scene.sight.prices_since(&stake.contract, since);
    prices.map(|price| instrument.value(stake.exposure, stake.average, price)).reduce(of).unwrap_or_default()
}

/// The open result of a position by the price of this moment.
pub(super) fn open_result(position: &Position, scene: &Scene<'_>) -> Option<Usd> {
    let instrument = scene.gateway.instrument(&position.contract)?;
    let price = usable(scene.gateway.prices(position.contract.as_str()))?;
    Some(instrument.value(position.exposure, position.average_price, price))
}

/// The worst or best open result of a symbol, or of everything, of late.
pub(super) fn open_of_late(
    seen: &Seen,
    symbol: Option<&Symbol>,
    scene: &Scene<'_>,
    of: fn(Usd, Usd) -> Usd,
) -> Usd {
    let since = scene.answering.heard_since(scene.now);
    let sums = seen.glances_since(since).map(|glance| {
        let stakes = glance.stakes.iter().filter(|stake| symbol.is_none_or(|it| *it == stake.symbol));
        let values = stakes.map(|stake| value(stake, scene, since, of));
        values.fold(Usd::ZERO, |sum, value| sum + value)
    });
    sums.reduce(of).unwrap_or_default()
}

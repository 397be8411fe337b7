//! Nothing is enforced without a cause: each decision names a breach that really was one a moment ago, by a
//! rule that is to act. A false close would cost real money.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    Action, Breach, Deed, Enforcement, Instant, OrderId, RuleKey, Usd,
    breach::{CountType, TradeWindow},
};

use super::{ANSWERED_WITHIN, Law, Scene, hours, results, sizes::limit_of, symbols::is_blocked};
use crate::{happening::Happening, sight::Seen};

/// Between the first and the last execution of one order.
const LONGEST_ORDER: TimeDelta = TimeDelta::seconds(60);

/// The law.
#[derive(Debug, Default)]
pub(super) struct Causes {}

impl Law for Causes {
    fn name(&self) -> &'static str {
        "nothing is enforced without a cause"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for happening in scene.happened {
            let Happening::Decided(Action::Enforce(enforcement)) = happening else { continue };
            let Some(seen) = scene.sight.account(&enforcement.account) else {
                return Err(format!("{} is nobody's account", enforcement.account));
            };
            let acts = enforcement.rule == RuleKey::Trader
                || enforcement.rule == RuleKey::NoStopLossGrace
                || scene.enforces(&seen.id, enforcement.rule);
            let locks = matches!(
                enforcement.breach,
                Breach::WhileLocked { .. } | Breach::OwnEffect { .. } | Breach::Leftover { .. }
            );
            if !acts && !locks {
                return Err(format!("{} is not to act", enforcement.rule));
            }
            if let Some(why) = lacks_cause(enforcement, seen, scene) {
                return Err(format!("{:?} for {:?}: {why}", enforcement.deed, enforcement.breach));
            }
        }
        Ok(())
    }
}

fn lacks_cause(enforcement: &Enforcement, seen: &Seen, scene: &Scene<'_>) -> Option<String> {
    let since = scene.answering.heard_since(scene.now);
    // Where news is lost or overtaken, contracts may seem to be held together that never were.
    let is_orderly = scene.answering.is_orderly(scene.now);
    match &enforcement.breach {
        Breach::TooManyContracts { limit, count_type, .. } => {
            let so = seen.was(since, |glance| {
                let (net, gross) = glance.counts();
                let count = match count_type {
                    CountType::Net => net,
                    CountType::Gross => gross,
                };
                count > limit.0
            }) || !is_orderly && seen.most_of(since, None) > limit.0;
            (!so).then(|| "there were never so many".to_string())
        }
        Breach::TooManyOfInstrument { symbol, limit, .. } => {
            let so = seen.was(since, |glance| glance.count_of(symbol) > limit.0)
                || !is_orderly && seen.most_of(since, Some(symbol)) > limit.0;
            let same = limit_of(scene, seen, symbol) == Some(limit.0);
            (!so || !same).then(|| format!("there were never so many of {symbol}"))
        }
        Breach::SymbolBlocked { symbol, .. } => {
            (!is_blocked(scene, &seen.id, symbol)).then(|| format!("{symbol} is not blocked"))
        }
        Breach::NoStop { .. } => no_stop(enforcement, seen, scene),
        Breach::OpenLoss { symbol, value, limit } => {
            let worst = results::open_of_late(seen, symbol.as_ref(), scene, Ord::min);
            (worst > *limit).then(|| format!("{value} of {symbol:?}, but the worst was {worst}"))
        }
        Breach::OpenProfit { symbol, value, target } => {
            let best = results::open_of_late(seen, Some(symbol), scene, Ord::max);
            (best < *target).then(|| format!("{value} of {symbol}, but the best was {best}"))
        }
        Breach::OutsideSession { symbol, .. } => {
            let settings = &scene.rules(&seen.id).session_block_outside.settings;
            let were_open =
                hours::were_open(settings, symbol.as_ref(), &scene.rulebook.holidays, since, scene.now);
            were_open.then(|| "these are trading hours".to_string())
        }
        Breach::TooManyTrades { window, limit, .. } => too_few_trades(*window, *limit, seen, scene),
        Breach::LosingTrade { limit, .. } => {
            let worst = worst_order(seen, since - LONGEST_ORDER);
            (worst > *limit).then(|| format!("no order lost more than {worst}"))
        }
        // Days at their limits have a law of their own.
        Breach::DailyLoss { .. }
        | Breach::DailyProfit { .. }
        | Breach::WhileLocked { .. }
        | Breach::OwnEffect { .. }
        | Breach::Leftover { .. }
        | Breach::TraderCommand { .. }
        | Breach::CannotTrade
        | Breach::Management { .. } => None,
    }
}

/// The position really was without complete stop when its grace was over, as far as news can tell.
fn no_stop(enforcement: &Enforcement, seen: &Seen, scene: &Scene<'_>) -> Option<String> {
    let Deed::Reduce { contract, .. } = &enforcement.deed else { return None };
    if !scene.answering.is_calm(scene.now) {
        return None;
    }
    let held = seen.held.get(contract)?;
    let of_late = held.doubtful.is_some_and(|at| at + ANSWERED_WITHIN >= scene.now);
    if held.uncovered.is_some() || of_late {
        return None;
    }
    Some(format!("{} of {contract} are covered", held.covered))
}

/// Orders of the trader with executions, in the longest time that the window may span: never fewer than the
/// rule counts.
fn too_few_trades(window: TradeWindow, limit: u32, seen: &Seen, scene: &Scene<'_>) -> Option<String> {
    let slack = scene.now - scene.answering.heard_since(scene.now);
    let span = slack
        + match window {
            TradeWindow::PerMinute => TimeDelta::minutes(1),
            TradeWindow::PerHour => TimeDelta::hours(1),
            TradeWindow::PerSession => TimeDelta::hours(25),
        };
    let trades = seen.fills.values().filter(|(fill, own)| !own && fill.at >= scene.now - span);
    let orders: BTreeSet<_> = trades.map(|(fill, _)| &fill.order).collect();
    (orders.len() < limit as usize).then(|| format!("{} orders, not {limit}", orders.len()))
}

/// The worst result of one order.
fn worst_order(seen: &Seen, since: Instant) -> Usd {
    let mut orders: BTreeMap<&OrderId, Usd> = BTreeMap::new();
    for (fill, _) in seen.fills.values().filter(|(fill, _)| fill.at >= since) {
        *orders.entry(&fill.order).or_default() += fill.pnl.unwrap_or_default();
    }
    orders.into_values().min().unwrap_or_default()
}

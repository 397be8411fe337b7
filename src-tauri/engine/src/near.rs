//! Warnings before a limit is reached: once per level, rule, contract and trading day. Acts on nothing.

use std::collections::BTreeMap;

use domain::{ContractId, EventKind, LockKind, Notice, RuleKey, RuleMode, Severity};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use crate::{
    account::AccountState,
    judge::Court,
    kinds::Kinds,
    rules::{ArmedRule, Gauge, Reckoned, Scene, Share, Unit, Verdict},
};

/// Changes after which a value may be nearer to a limit.
pub(crate) const MOVES_A_VALUE: &[EventKind] = &[
    EventKind::UnrealizedPnlUpdate,
    EventKind::TradeExecuted,
    EventKind::PositionOpened,
    EventKind::PositionUpdated,
    EventKind::StateReconciled,
    EventKind::SessionTick,
    EventKind::ConfigChanged,
];

/// Changes after which there may be more trades.
const MOVES_A_COUNT: &[EventKind] =
    &[EventKind::TradeExecuted, EventKind::StateReconciled, EventKind::SessionTick, EventKind::ConfigChanged];

/// The level of a limit that is reached by a bar only, while no quote can confirm it.
const WHOLE: u32 = 100;

/// The highest levels told today, by rule, contract and limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Near {
    told: BTreeMap<(RuleKey, Option<ContractId>, Decimal), u32>,
}

impl Near {
    /// A new trading day begins.
    pub fn forget(&mut self) {
        self.told.clear();
    }

    /// The level to tell of, if it is higher than all that were told.
    fn rises_to(&mut self, key: (RuleKey, Option<ContractId>, Decimal), level: u32) -> Option<u32> {
        let told = self.told.entry(key).or_default();
        (level > *told).then(|| std::mem::replace(told, level)).map(|_| level)
    }
}

impl AccountState {
    /// Tells of limits that came near.
    pub(crate) fn warn_near(&mut self, kinds: Kinds, reckoned: &Reckoned<'_>, court: &mut Court<'_>) {
        let is_locked = self.lockouts.account_wide() == Some(LockKind::Hard);
        if court.warn_at.is_empty() || is_locked || !kinds.touches(Kinds::of(MOVES_A_VALUE)) {
            return;
        }
        let rules = std::mem::take(&mut self.rules);
        let counts = kinds.touches(Kinds::of(MOVES_A_COUNT));
        let (mut alerts, mut shares) = (Vec::new(), Vec::new());
        for armed in rules.iter().filter(|armed| armed.mode != RuleMode::Observe) {
            let scene = Scene {
                now: court.now,
                account: self,
                market: court.market,
                reckoned,
                kinds,
                planned: &BTreeMap::new(),
                day_end: self.ledger.span().ends,
            };
            let trades = if counts { trade_limits(armed, &scene) } else { Vec::new() };
            armed.shares(&scene, &mut shares);
            for share in shares.drain(..) {
                alerts.extend(self.near_money(armed, share, court.warn_at));
            }
            for gauge in trades {
                alerts.extend(self.near_trades(&gauge, armed.mode, court.warn_at));
            }
        }
        self.rules = rules;
        for notice in alerts {
            self.alert(Severity::Warning, notice, court.out);
        }
    }

    fn near_money(&mut self, armed: &ArmedRule, share: Share, warn_at: &[u32]) -> Option<Notice> {
        let Share { contract, value, limit } = share;
        let rule = armed.key();
        let level = match reached(value.0, limit.0, WHOLE) {
            // What a rule has judged speaks for itself; what it cannot judge is told here.
            true if !matches!(armed.verdict, Verdict::Skipped(_) | Verdict::Failed) => return None,
            true => WHOLE,
            false => highest(value.0, limit.0, warn_at)?,
        };
        let level = self.near.rises_to((rule, contract.clone(), limit.0), level)?;
        Some(Notice::NearLimit { rule, contract, value, limit, level, mode: armed.mode })
    }

    fn near_trades(&mut self, gauge: &Gauge, mode: RuleMode, warn_at: &[u32]) -> Option<Notice> {
        let value = gauge.value.filter(|value| !reached(*value, gauge.limit, WHOLE))?;
        let level = highest(value, gauge.limit, warn_at)?;
        let level = self.near.rises_to((gauge.rule, None, gauge.limit), level)?;
        let (count, limit) = (value.to_u32()?, gauge.limit.to_u32()?);
        Some(Notice::NearTradeLimit { rule: gauge.rule, count, limit, level, mode })
    }
}

/// The limits on numbers of trades, which have gauges but no money to show.
fn trade_limits(armed: &ArmedRule, scene: &Scene<'_>) -> Vec<Gauge> {
    if armed.key() != RuleKey::TradeFrequencyLimit {
        return Vec::new();
    }
    armed.gauges(scene).into_iter().filter(|gauge| matches!(gauge.unit, Unit::Trades(_))).collect()
}

/// The highest of these levels, which ascend, that a value has reached.
fn highest(value: Decimal, limit: Decimal, levels: &[u32]) -> Option<u32> {
    levels.iter().copied().take_while(|level| reached(value, limit, *level)).last()
}

/// Whether a value has come this many percent of the way from zero to its limit.
fn reached(value: Decimal, limit: Decimal, percent: u32) -> bool {
    if value.is_sign_negative() != limit.is_sign_negative() && !limit.is_zero() {
        return false;
    }
    let (value, mark) = match percent {
        WHOLE => (value, limit),
        _ => (value * Decimal::ONE_HUNDRED, limit * Decimal::from(percent)),
    };
    if limit < Decimal::ZERO { value <= mark } else { value >= mark }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_count_from_zero_towards_the_limit_on_either_side() {
        let level = |value: i64, limit: i64| highest(value.into(), limit.into(), &[50, 75, 90]);
        assert_eq!(level(-249, -500), None);
        assert_eq!(level(-250, -500), Some(50));
        assert_eq!(level(-449, -500), Some(75));
        assert_eq!(level(-460, -500), Some(90));
        assert_eq!(level(460, -500), None);
        assert_eq!(level(500, 1000), Some(50));
        assert_eq!(level(-900, 1000), None);
    }
}

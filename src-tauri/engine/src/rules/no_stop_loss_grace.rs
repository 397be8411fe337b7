//! RULE-008: no open position without a working protective stop. Always on.
//!
//! The graces are kept by [`stops`](crate::stops); this rule only acts on one that is over, and only
//! after a fresh answer of the broker has shown that there still is no stop.

use domain::{Breach, Contracts, EventKind, RuleKey, Source, rulebook::NoStopLossGrace};

use super::{Finding, Missing, Remedy, Rule, Scene, Verdict};
use crate::kinds::Kinds;

/// The rule with its values.
#[derive(Debug)]
pub struct StopRequired {
    settings: NoStopLossGrace,
}

impl StopRequired {
    pub(super) fn new(settings: NoStopLossGrace) -> Self {
        Self { settings }
    }
}

impl Rule for StopRequired {
    fn key(&self) -> RuleKey {
        RuleKey::NoStopLossGrace
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::PositionClosed,
            EventKind::OrderPlaced,
            EventKind::OrderModified,
            EventKind::OrderPartiallyFilled,
            EventKind::OrderFilled,
            EventKind::OrderCancelled,
            EventKind::OrderExpired,
            EventKind::OrderRejected,
            EventKind::TimeTick,
            EventKind::StateReconciled,
            EventKind::ConfigChanged,
        ])
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream]
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let mut verdict = Verdict::Passed;
        if scene.account.stops().deadlines().all(|deadline| deadline > scene.now) {
            return verdict;
        }
        for holding in scene.account.holdings() {
            let contract = &holding.position.contract;
            let due = scene.account.stops().of(contract).and_then(|watch| watch.deadline);
            let Some(deadline) = due.filter(|deadline| *deadline <= scene.now) else { continue };
            if scene.account.stops().confirmed() < Some(deadline) {
                verdict = Verdict::Skipped(Missing::Orders);
                continue;
            }
            let (price, instrument) = (scene.market.price(contract), scene.market.instrument(contract));
            let coverage = scene.account.coverage(&holding.position, price, instrument, &self.settings);
            findings.push(Finding {
                breach: Breach::NoStop {
                    symbol: holding.position.symbol.clone(),
                    covered: coverage.covered,
                    size: holding.position.exposure.size(),
                    grace_seconds: self.settings.grace_period_seconds,
                },
                remedy: Remedy::Reduce { contract: contract.clone(), to: Contracts::ZERO },
            });
            verdict = Verdict::Violated;
        }
        verdict
    }
}

//! RULE-005: banks the profit of one position at a target. Others stay untouched; nothing is locked.

use chrono::TimeDelta;
use domain::{
    Breach, Contracts, EventKind, RuleKey, Source,
    rulebook::{MaxUnrealizedProfit, PriceBasis},
};

use super::{
    Finding, Gauge, Remedy, Room, Rule, Scene, Verdict,
    open_result::{gauges_of_each, judge_each, open_by},
};
use crate::kinds::Kinds;

/// The rule with its values.
#[derive(Debug)]
pub struct OpenProfit {
    settings: MaxUnrealizedProfit,
}

impl OpenProfit {
    pub(super) fn new(settings: MaxUnrealizedProfit) -> Self {
        Self { settings }
    }
}

impl Rule for OpenProfit {
    fn key(&self) -> RuleKey {
        RuleKey::MaxUnrealizedProfit
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::UnrealizedPnlUpdate,
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::PositionClosed,
            EventKind::StateReconciled,
            EventKind::ConfigChanged,
        ])
    }

    fn every(&self) -> Option<TimeDelta> {
        Some(TimeDelta::seconds(self.settings.check_interval_seconds.into()))
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream, Source::MarketStream, Source::Metadata]
    }

    fn price_basis(&self) -> PriceBasis {
        self.settings.price_basis
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let target = self.settings.target;
        judge_each(
            scene,
            self.settings.price_basis,
            |value| value >= target,
            |holding, value| {
                let position = &holding.position;
                findings.push(Finding {
                    breach: Breach::OpenProfit { symbol: position.symbol.clone(), value, target },
                    remedy: Remedy::Reduce { contract: position.contract.clone(), to: Contracts::ZERO },
                });
            },
        )
    }

    fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        gauges_of_each(scene, self.key(), self.settings.price_basis, self.settings.target)
    }

    fn room(&self, scene: &Scene<'_>, room: &mut Room<'_>) {
        let (basis, target) = (self.settings.price_basis, self.settings.target);
        open_by(scene, basis).for_each(|(_, worth)| room.keep_each(worth.sure(), target));
    }
}

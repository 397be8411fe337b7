//! RULE-004: cuts a losing position, or all of them by their sum. Trading goes on; nothing is locked.
//! "Daily" is historical: it is no sum of the day.

use chrono::TimeDelta;
use domain::{
    Breach, Contracts, EventKind, RuleKey, Source, Symbol, Usd,
    rulebook::{DailyUnrealizedLoss, LossScope, PriceBasis},
};

use super::{
    Finding, Gauge, Remedy, Room, Rule, Scene, Share, Unit, Verdict,
    open_result::{gauges_of_each, judge_each, open, open_by, skipped, sure, total},
};
use crate::{account::Holding, kinds::Kinds, market::Reached};

/// The rule with its values.
#[derive(Debug)]
pub struct OpenLoss {
    settings: DailyUnrealizedLoss,
}

impl OpenLoss {
    pub(super) fn new(settings: DailyUnrealizedLoss) -> Self {
        Self { settings }
    }

    fn finding(&self, holding: &Holding, symbol: Option<Symbol>, value: Usd) -> Finding {
        Finding {
            breach: Breach::OpenLoss { symbol, value, limit: self.settings.limit },
            remedy: Remedy::Reduce { contract: holding.position.contract.clone(), to: Contracts::ZERO },
        }
    }

    fn judge_total(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let limit = self.settings.limit;
        match total(scene, self.settings.price_basis).reached(|value| value <= limit) {
            Reached::Yes(value) => {
                findings.extend(open(scene).map(|holding| self.finding(holding, None, value)));
                Verdict::Violated
            }
            Reached::No => Verdict::Passed,
            Reached::Unsure(contract) => skipped(contract),
        }
    }
}

impl Rule for OpenLoss {
    fn key(&self) -> RuleKey {
        RuleKey::DailyUnrealizedLoss
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
        let limit = self.settings.limit;
        match self.settings.scope {
            LossScope::AccountTotal => self.judge_total(scene, findings),
            LossScope::Position => judge_each(
                scene,
                self.settings.price_basis,
                |value| value <= limit,
                |holding, value| {
                    let symbol = holding.position.symbol.clone();
                    findings.push(self.finding(holding, Some(symbol), value));
                },
            ),
        }
    }

    fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        let (basis, limit) = (self.settings.price_basis, self.settings.limit);
        match self.settings.scope {
            LossScope::Position => gauges_of_each(scene, self.key(), basis, limit),
            LossScope::AccountTotal => vec![Gauge {
                rule: self.key(),
                symbol: None,
                unit: Unit::Usd,
                value: sure(&total(scene, basis)),
                limit: limit.0,
            }],
        }
    }

    fn shares(&self, scene: &Scene<'_>, shares: &mut Vec<Share>) {
        let (basis, limit) = (self.settings.price_basis, self.settings.limit);
        match self.settings.scope {
            LossScope::Position => shares.extend(open_by(scene, basis).filter_map(|(holding, worth)| {
                Some(Share::of_one(holding.position.contract.clone(), worth.newest()?, limit))
            })),
            LossScope::AccountTotal => {
                shares.extend(total(scene, basis).newest().map(|value| Share::of_all(value, limit)));
            }
        }
    }

    fn room(&self, scene: &Scene<'_>, room: &mut Room<'_>) {
        let (basis, limit) = (self.settings.price_basis, self.settings.limit);
        match self.settings.scope {
            LossScope::AccountTotal => room.keep_together(total(scene, basis).sure(), limit),
            LossScope::Position => {
                open_by(scene, basis).for_each(|(_, worth)| room.keep_each(worth.sure(), limit));
            }
        }
    }
}

//! RULE-001: a cap on contracts over all instruments. One contract counts one, mini or micro.

use domain::{
    Breach, ContractId, Contracts, EventKind, Exposure, Means, RuleKey, Source,
    breach::CountType,
    rulebook::{MaxContracts, SizeEnforcement},
};
use rust_decimal::Decimal;

use super::{Finding, Gauge, Remedy, Rule, Scene, Unit, Verdict};
use crate::{
    account::{AccountState, Holding},
    kinds::Kinds,
};

/// The rule with its values.
#[derive(Debug)]
pub struct ContractsInAll {
    settings: MaxContracts,
}

impl ContractsInAll {
    pub(super) fn new(settings: MaxContracts) -> Self {
        Self { settings }
    }

    fn count(&self, sizes: impl Iterator<Item = Exposure>) -> Exposure {
        match self.settings.count_type {
            CountType::Net => sizes.fold(Exposure::FLAT, |sum, size| sum + size),
            CountType::Gross => {
                sizes.fold(Exposure::FLAT, |sum, size| sum + Exposure(i64::from(size.size().0)))
            }
        }
    }

    /// The positions that may be reduced: those on the dominant side, or all; the one that grew last
    /// comes first, then the largest, then by contract id.
    fn candidates<'a>(&self, scene: &Scene<'a>, count: Exposure) -> Vec<&'a Holding> {
        let mut candidates: Vec<&Holding> = scene
            .account
            .holdings()
            .filter(|it| {
                self.settings.count_type == CountType::Gross || it.position.exposure.same_side(count)
            })
            .collect();
        candidates.sort_by_key(|it| {
            (
                std::cmp::Reverse(it.increased),
                std::cmp::Reverse(it.position.exposure.size()),
                it.position.contract.clone(),
            )
        });
        candidates
    }

    fn reduce(&self, scene: &Scene<'_>, count: Exposure, breach: &Breach, findings: &mut Vec<Finding>) {
        let mut excess = count.size().saturating_sub(self.settings.limit);
        for holding in self.candidates(scene, count) {
            let held = scene.held(holding).size();
            let close = held.min(excess);
            if close > Contracts::ZERO {
                excess = excess.saturating_sub(close);
                let contract = holding.position.contract.clone();
                let remedy = Remedy::Reduce { contract, to: held.saturating_sub(close) };
                findings.push(Finding { breach: breach.clone(), remedy });
            }
        }
    }

    fn close_all(scene: &Scene<'_>, breach: &Breach, findings: &mut Vec<Finding>) {
        for holding in scene.account.holdings() {
            let contract = holding.position.contract.clone();
            let remedy = Remedy::Reduce { contract, to: Contracts::ZERO };
            findings.push(Finding { breach: breach.clone(), remedy });
        }
    }
}

impl Rule for ContractsInAll {
    fn key(&self) -> RuleKey {
        RuleKey::MaxContracts
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::PositionClosed,
            EventKind::StateReconciled,
            EventKind::ConfigChanged,
        ])
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream]
    }

    fn stands_on(&self) -> Option<Means> {
        (self.settings.enforcement == SizeEnforcement::ReduceToLimit).then_some(Means::Reduce)
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let limit = self.settings.limit;
        let open = self.count(scene.account.holdings().map(|it| scene.account.remaining(it)));
        if open.size() <= limit {
            return Verdict::Passed;
        }
        let breach =
            Breach::TooManyContracts { count: open.size(), limit, count_type: self.settings.count_type };
        let planned = self.count(scene.account.holdings().map(|it| scene.held(it)));
        match self.settings.enforcement {
            SizeEnforcement::CloseAll => Self::close_all(scene, &breach, findings),
            SizeEnforcement::ReduceToLimit if planned.size() <= limit => {
                findings.push(Finding { breach, remedy: Remedy::Covered });
            }
            SizeEnforcement::ReduceToLimit => self.reduce(scene, planned, &breach, findings),
        }
        Verdict::Violated
    }

    fn allows(&self, account: &AccountState, contract: &ContractId) -> Option<Contracts> {
        let others = account.holdings().filter(|it| it.position.contract != *contract);
        let others = self.count(others.map(|it| account.remaining(it)));
        let side = match self.settings.count_type {
            CountType::Net => account.exposure(contract).0.signum(),
            CountType::Gross => 1,
        };
        let room = i64::from(self.settings.limit.0) - side * others.0;
        Some(Contracts(u32::try_from(room.max(0)).unwrap_or(u32::MAX)))
    }

    fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        let count = self.count(scene.account.holdings().map(|it| it.position.exposure)).size();
        vec![Gauge {
            rule: self.key(),
            symbol: None,
            unit: Unit::Contracts,
            value: Some(Decimal::from(count.0)),
            limit: Decimal::from(self.settings.limit.0),
        }]
    }
}

//! RULE-002: a cap on contracts of one root symbol, over all its expiries. Needs no prices and no
//! metadata.

use std::collections::BTreeMap;

use domain::{
    Breach, ContractId, Contracts, EventKind, Means, RuleKey, Source, Symbol,
    rulebook::{MaxContractsPerInstrument, SizeEnforcement, UnknownSymbol},
};
use rust_decimal::Decimal;

use super::{Finding, Gauge, Remedy, Rule, Scene, Unit, Verdict};
use crate::{
    account::{AccountState, Holding},
    kinds::Kinds,
};

/// The rule with its values.
#[derive(Debug)]
pub struct ContractsPerInstrument {
    settings: MaxContractsPerInstrument,
}

impl ContractsPerInstrument {
    pub(super) fn new(settings: MaxContractsPerInstrument) -> Self {
        Self { settings }
    }

    /// `None` means any number.
    fn limit(&self, symbol: &Symbol) -> Option<Contracts> {
        if let Some(limit) = self.settings.instrument_limits.get(symbol) {
            return Some(*limit);
        }
        match self.settings.unknown_symbol {
            UnknownSymbol::UseDefault => Some(self.settings.default_limit.unwrap_or(Contracts::ZERO)),
            UnknownSymbol::Block => Some(Contracts::ZERO),
            UnknownSymbol::AllowWithLimit(limit) => Some(limit),
            UnknownSymbol::AllowUnlimited => None,
        }
    }

    fn judge(&self, scene: &Scene<'_>, symbol: &Symbol, group: &mut [&Holding], findings: &mut Vec<Finding>) {
        let Some(limit) = self.limit(symbol) else { return };
        let count: Contracts = group.iter().map(|it| scene.account.remaining(it).size()).sum();
        if count <= limit {
            return;
        }
        let breach = Breach::TooManyOfInstrument { symbol: symbol.clone(), count, limit };
        let planned: Contracts = group.iter().map(|it| scene.held(it).size()).sum();
        let mut excess = match self.settings.enforcement {
            SizeEnforcement::ReduceToLimit => planned.saturating_sub(limit),
            SizeEnforcement::CloseAll => planned,
        };
        if excess == Contracts::ZERO {
            findings.push(Finding { breach, remedy: Remedy::Covered });
            return;
        }
        group.sort_by_key(|it| std::cmp::Reverse(it.increased));
        for holding in group {
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
}

impl Rule for ContractsPerInstrument {
    fn key(&self) -> RuleKey {
        RuleKey::MaxContractsPerInstrument
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
        let before = findings.len();
        for (symbol, mut group) in by_symbol(scene) {
            self.judge(scene, symbol, &mut group, findings);
        }
        if findings.len() > before { Verdict::Violated } else { Verdict::Passed }
    }

    fn allows(&self, account: &AccountState, contract: &ContractId) -> Option<Contracts> {
        let symbol = account.symbol(contract)?;
        let others = account
            .holdings()
            .filter(|it| it.position.symbol == *symbol && it.position.contract != *contract);
        let others: Contracts = others.map(|it| account.remaining(it).size()).sum();
        Some(self.limit(symbol)?.saturating_sub(others))
    }

    fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        by_symbol(scene)
            .into_iter()
            .filter_map(|(symbol, group)| {
                let count: Contracts = group.iter().map(|it| it.position.exposure.size()).sum();
                Some(Gauge {
                    rule: self.key(),
                    symbol: Some(symbol.clone()),
                    unit: Unit::Contracts,
                    value: Some(Decimal::from(count.0)),
                    limit: Decimal::from(self.limit(symbol)?.0),
                })
            })
            .collect()
    }
}

fn by_symbol<'a>(scene: &Scene<'a>) -> BTreeMap<&'a Symbol, Vec<&'a Holding>> {
    let mut groups: BTreeMap<&Symbol, Vec<&Holding>> = BTreeMap::new();
    for holding in scene.account.holdings() {
        groups.entry(&holding.position.symbol).or_default().push(holding);
    }
    groups
}

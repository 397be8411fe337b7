//! No account holds more than RULE-001 and RULE-002 allow for longer than an answer takes.

use std::collections::BTreeSet;

use domain::{AccountId, RuleKey, Symbol, breach::CountType, rulebook::UnknownSymbol};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
};
use crate::sight::Seen;

/// The law.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    debts: Debts<(AccountId, Option<Symbol>)>,
}

impl Law for Sizes {
    fn name(&self) -> &'static str {
        "no account holds too many contracts"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Some(process) = scene.process else { return Ok(()) };
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            let Some(glance) = seen.glances.back() else { continue };
            let grown = seen.held.values().map(|held| held.grown).max().unwrap_or(scene.now);
            let rules = scene.rules(&seen.id);
            // Under a cooldown both rules rest: what stood when it began may stay (specification B.0).
            let lock = process.core.engine().account(&seen.id).and_then(|it| it.lockouts().account_wide());
            if lock.is_some() {
                continue;
            }
            if scene.enforces(&seen.id, RuleKey::MaxContracts) {
                let (net, gross) = glance.counts();
                let count = match rules.max_contracts.settings.count_type {
                    CountType::Net => net,
                    CountType::Gross => gross,
                };
                if count > rules.max_contracts.settings.limit.0 {
                    wrong.push(((seen.id.clone(), None), grown));
                }
            }
            if scene.enforces(&seen.id, RuleKey::MaxContractsPerInstrument) {
                for symbol in symbols(seen) {
                    let limit = limit_of(scene, seen, symbol);
                    if limit.is_some_and(|limit| glance.count_of(symbol) > limit) {
                        wrong.push(((seen.id.clone(), Some(symbol.clone())), grown));
                    }
                }
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

fn symbols(seen: &Seen) -> BTreeSet<&Symbol> {
    seen.held.values().map(|held| &held.position.symbol).collect()
}

/// Most contracts of a symbol; `None` allows any number.
pub(super) fn limit_of(scene: &Scene<'_>, seen: &Seen, symbol: &Symbol) -> Option<u32> {
    let settings = &scene.rules(&seen.id).max_contracts_per_instrument.settings;
    if let Some(limit) = settings.instrument_limits.get(symbol) {
        return Some(limit.0);
    }
    match settings.unknown_symbol {
        UnknownSymbol::UseDefault => Some(settings.default_limit.map_or(0, |limit| limit.0)),
        UnknownSymbol::Block => Some(0),
        UnknownSymbol::AllowWithLimit(limit) => Some(limit.0),
        UnknownSymbol::AllowUnlimited => None,
    }
}

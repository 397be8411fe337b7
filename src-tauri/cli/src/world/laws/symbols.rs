//! Nothing is held of a blocked symbol, and no order waits to open anything in one (RULE-011).

use domain::{AccountId, ContractId, OrderId, RuleKey, Symbol, rulebook::SymbolListMode};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
};

/// The law.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    debts: Debts<Wrong>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Held(AccountId, ContractId),
    Entry(AccountId, OrderId),
}

impl Law for Symbols {
    fn name(&self) -> &'static str {
        "blocked symbols are left alone"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if scene.process.is_none() {
            return Ok(());
        }
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            for held in seen.held.values() {
                if is_blocked(scene, &seen.id, &held.position.symbol) {
                    wrong.push((Wrong::Held(seen.id.clone(), held.position.contract.clone()), held.grown));
                }
            }
            for seeing in seen.orders.values() {
                let entry = seeing.entry_since.filter(|_| is_blocked(scene, &seen.id, &seeing.order.symbol));
                if let Some(since) = entry {
                    wrong.push((Wrong::Entry(seen.id.clone(), seeing.order.id.clone()), since));
                }
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

/// The worlds block whole roots, without patterns.
pub(super) fn is_blocked(scene: &Scene<'_>, account: &AccountId, symbol: &Symbol) -> bool {
    if !scene.enforces(account, RuleKey::SymbolBlocks) {
        return false;
    }
    let settings = &scene.rules(account).symbol_blocks.settings;
    let is_listed = settings.patterns.iter().any(|pattern| pattern == symbol.as_str());
    match settings.mode {
        SymbolListMode::Blacklist => is_listed,
        SymbolListMode::Whitelist => !is_listed,
    }
}

//! RULE-011: keeps the trader out of listed symbols, or inside a whitelist. Sets a SYMBOL lockout that
//! follows the configuration; the gate then keeps the symbol closed.

use std::collections::BTreeMap;

use domain::{
    Breach, ContractId, EventKind, Exposure, LockEnd, LockKey, Lockout, RuleKey, Source, Symbol, products,
    rulebook::{SymbolBlocks, SymbolListMode},
};
use wildmatch::WildMatch;

use super::{Finding, Lock, Remedy, Rule, Scene, Verdict};
use crate::kinds::Kinds;

/// The rule with its values.
#[derive(Debug)]
pub struct Blocks {
    mode: SymbolListMode,
    close_existing: bool,
    patterns: Vec<WildMatch>,
}

impl Blocks {
    pub(super) fn new(settings: SymbolBlocks) -> Self {
        let patterns =
            settings.patterns.iter().map(|pattern| WildMatch::new_case_insensitive(pattern)).collect();
        Self { mode: settings.mode, close_existing: settings.close_existing, patterns }
    }

    /// What blocks a symbol: the pattern that matches its root or an alias, or the whitelist that has
    /// none. `None` when it may be traded.
    fn blocked_by(&self, symbol: &Symbol) -> Option<String> {
        let alias = products::by_symbol(symbol.as_str()).map(|product| product.vendor_root.as_str());
        let matching = self.patterns.iter().find(|pattern| {
            pattern.matches(symbol.as_str()) || alias.is_some_and(|alias| pattern.matches(alias))
        });
        match (self.mode, matching) {
            (SymbolListMode::Blacklist, Some(pattern)) => Some(pattern.to_string()),
            (SymbolListMode::Whitelist, None) => Some("whitelist".to_string()),
            (SymbolListMode::Blacklist, None) | (SymbolListMode::Whitelist, Some(_)) => None,
        }
    }

    /// Symbols in which there is exposure or an order that would open some.
    fn touched<'a>(scene: &Scene<'a>) -> Vec<&'a Symbol> {
        let held = scene.account.holdings().map(|it| &it.position.symbol);
        let entries = scene.account.working_orders().map(|it| &it.order);
        let wanted = entries.filter(|order| scene.account.is_entry(order)).map(|order| &order.symbol);
        let mut symbols: Vec<&Symbol> = held.chain(wanted).collect();
        symbols.sort_unstable();
        symbols.dedup();
        symbols
    }

    /// What may stay: positions from before the block, if the rule says so and they were found rather
    /// than seen to be opened.
    fn may_stay(&self, scene: &Scene<'_>, symbol: &Symbol) -> BTreeMap<ContractId, Exposure> {
        let opened = Kinds::of(&[EventKind::PositionOpened, EventKind::PositionUpdated]);
        let found = Kinds::of(&[EventKind::StateReconciled, EventKind::ConfigChanged]);
        if self.close_existing || (scene.kinds.touches(opened) && !scene.kinds.touches(found)) {
            return BTreeMap::new();
        }
        let positions = scene.account.holdings().map(|it| &it.position).filter(|it| it.symbol == *symbol);
        positions.map(|it| (it.contract.clone(), it.exposure)).collect()
    }
}

impl Rule for Blocks {
    fn key(&self) -> RuleKey {
        RuleKey::SymbolBlocks
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::OrderPlaced,
            EventKind::OrderModified,
            EventKind::StateReconciled,
            EventKind::ConfigChanged,
        ])
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream]
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let before = findings.len();
        for symbol in Self::touched(scene) {
            let Some(pattern) = self.blocked_by(symbol) else { continue };
            let key = LockKey {
                account: scene.account.id().clone(),
                rule: self.key(),
                symbol: Some(symbol.clone()),
                cause: String::new(),
            };
            if scene.account.lockouts().has(&key) {
                continue;
            }
            findings.push(Finding {
                breach: Breach::SymbolBlocked { symbol: symbol.clone(), pattern },
                remedy: Remedy::Lock(Lock::symbol(
                    symbol.clone(),
                    LockEnd::Config,
                    self.may_stay(scene, symbol),
                )),
            });
        }
        if findings.len() > before { Verdict::Violated } else { Verdict::Passed }
    }

    fn releases(&self, lockout: &Lockout) -> bool {
        lockout.key.symbol.as_ref().is_none_or(|symbol| self.blocked_by(symbol).is_none())
    }
}

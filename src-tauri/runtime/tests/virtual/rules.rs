//! The rules of these tests: small limits, a short grace, one blocked symbol.

use domain::{Contracts, RuleSet, Rulebook, Usd, breach::CountType, rulebook::SymbolListMode};

/// Seconds without a stop.
pub const GRACE: u32 = 30;

pub fn rulebook() -> Rulebook {
    let mut rules = RuleSet::default();
    rules.max_contracts.settings.limit = Contracts(5);
    rules.max_contracts.settings.count_type = CountType::Gross;
    rules.max_contracts_per_instrument.settings.default_limit = Some(Contracts(3));
    rules.max_contracts_per_instrument.settings.instrument_limits.clear();
    rules.daily_realized_loss.settings.limit = Usd::from_cents(-50_000);
    rules.daily_realized_loss.settings.include_fees = false;
    rules.no_stop_loss_grace.settings.grace_period_seconds = GRACE;
    rules.symbol_blocks.enabled = true;
    rules.symbol_blocks.settings.mode = SymbolListMode::Blacklist;
    rules.symbol_blocks.settings.patterns = vec!["M2K".to_string()];
    for entry in [
        &mut rules.daily_unrealized_loss.enabled,
        &mut rules.max_unrealized_profit.enabled,
        &mut rules.trade_frequency_limit.enabled,
        &mut rules.cooldown_after_loss.enabled,
        &mut rules.session_block_outside.enabled,
        &mut rules.auth_loss_guard.enabled,
        &mut rules.trade_management.enabled,
        &mut rules.daily_realized_profit.enabled,
    ] {
        *entry = false;
    }
    Rulebook { base: rules, ..Rulebook::default() }
}

/// With automatic stops, targets, breakeven and trailing.
pub fn with_automation() -> Rulebook {
    let mut rulebook = rulebook();
    rulebook.base.trade_management.enabled = true;
    rulebook
}

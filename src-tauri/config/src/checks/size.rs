//! RULE-001, 002, 011, 012.

use domain::{
    Contracts, RuleKey, Symbol, products,
    rulebook::{SymbolListMode, TradeManagementValues, UnknownSymbol},
};

use super::Check;
use crate::fault::{Fault, FaultKind};

impl Check<'_> {
    pub(super) fn max_contracts(&mut self) {
        let forms = &self.sheet.forms;
        let path = match forms.close_all {
            Some(_) => "rules.max_contracts.close_all",
            None => "rules.max_contracts.reduce_to_limit",
        };
        let both = match (forms.reduce_to_limit, forms.close_all) {
            (None, None) | (Some(true), None | Some(false)) | (None | Some(false), Some(true)) => return,
            (Some(true), Some(true)) => "are both true",
            (Some(false), _) | (None, Some(false)) => "are both false",
        };
        self.error(FaultKind::Conflict, path, format!("reduce_to_limit and close_all {both}."))
            .because("Exactly one of them can be the answer to an excess.")
            .fix("Use the one key that replaced them.")
            .example("enforcement: reduce_to_limit")
            .add(self.faults);
    }

    pub(super) fn per_instrument(&mut self) {
        let settings = &self.sheet.rules.max_contracts_per_instrument.settings;
        if !self.sheet.rules.max_contracts_per_instrument.enabled {
            return;
        }
        for (symbol, limit) in &settings.instrument_limits {
            self.instrument_limit(symbol, *limit);
        }
        if settings.unknown_symbol == UnknownSymbol::AllowUnlimited {
            let path = "rules.max_contracts_per_instrument.unknown_symbol_action";
            self.doubt(path, "Symbols without a limit of their own may be held in any number.")
                .because("Only max_contracts caps them then.")
                .fix("Use use_default, unless this is meant.")
                .add(self.faults);
        }
    }

    fn instrument_limit(&mut self, symbol: &Symbol, limit: Contracts) {
        let path = format!("rules.max_contracts_per_instrument.instrument_limits.{symbol}");
        let whole = &self.sheet.rules.max_contracts.settings;
        if self.is_sound(RuleKey::MaxContracts) && limit > whole.limit {
            self.doubt(
                &path,
                format!(
                    "The limit {limit} of {symbol} is larger than that of max_contracts, {}.",
                    whole.limit
                ),
            )
            .because("max_contracts acts first, so this limit is never reached.")
            .fix("Lower it, or raise the limit of max_contracts.")
            .add(self.faults);
        }
        if limit == Contracts::ZERO {
            self.doubt(&path, format!("{symbol} may not be held at all."))
                .because("A limit of 0 closes each position and locks nothing.")
                .fix("Block the symbol with symbol_blocks instead.")
                .add(self.faults);
        }
        if products::find(symbol.as_str()).is_none() && self.is_given(&path) {
            self.doubt(&path, format!("{symbol} is not a product that the broker is known to offer."))
                .because("A misspelt symbol limits nothing.")
                .fix("Check the spelling.")
                .add(self.faults);
        }
        let listed = &self.sheet.settings.general.instruments;
        if !listed.is_empty() && !listed.contains(symbol) && self.is_given(&path) {
            self.doubt(&path, format!("{symbol} is not in general.instruments."))
                .because("The limit applies all the same.")
                .fix(format!("Add {symbol} to general.instruments if you trade it."))
                .add(self.faults);
        }
    }

    pub(super) fn symbols(&mut self) {
        if !self.sheet.rules.symbol_blocks.enabled {
            return;
        }
        let list = &self.sheet.rules.symbol_blocks.settings;
        let everything = |pattern: &String| pattern.chars().all(|c| c == '*');
        let (blocks_all, key, idle, idle_key) = match list.mode {
            SymbolListMode::Blacklist => (
                list.patterns.iter().any(everything),
                "blocked_symbols",
                !self.sheet.forms.allowed_symbols.is_empty(),
                "allowed_symbols",
            ),
            SymbolListMode::Whitelist => (
                list.patterns.is_empty(),
                "allowed_symbols",
                !self.sheet.forms.blocked_symbols.is_empty(),
                "blocked_symbols",
            ),
        };
        if blocks_all && !self.sheet.forms.confirm_block_all {
            let (own, mode) = (format!("rules.symbol_blocks.{key}"), "rules.symbol_blocks.mode");
            let path = if self.is_given(&own) { own.as_str() } else { mode };
            self.error(FaultKind::Conflict, path, "This leaves no symbol to trade.")
                .because("Every position would be closed at once.")
                .fix("List single symbols; if everything is meant, confirm it.")
                .example("confirm_block_all: true")
                .add(self.faults);
        }
        if idle {
            let path = format!("rules.symbol_blocks.{idle_key}");
            self.doubt(&path, format!("{idle_key} is not used in this mode."))
                .because("Only one of the two lists is read.")
                .fix("Remove it, or change mode.")
                .add(self.faults);
        }
    }

    pub(super) fn management(&mut self) {
        let settings = &self.sheet.rules.trade_management.settings;
        self.automatic("", &settings.values);
        for (symbol, values) in &settings.per_instrument {
            self.automatic(&format!("per_instrument.{symbol}."), values);
        }
    }

    fn automatic(&mut self, part: &str, values: &TradeManagementValues) {
        let (even, trail) = (&values.breakeven, &values.trailing);
        if even.offset_ticks >= even.profit_threshold_ticks {
            let problem = format!(
                "The offset of {} ticks is not below the threshold of {} ticks.",
                even.offset_ticks, even.profit_threshold_ticks
            );
            self.pair(
                part,
                ["auto_breakeven.offset_ticks", "auto_breakeven.profit_threshold_ticks"],
                problem,
            )
            .because("The moved stop would lie at or beyond the market.")
            .fix("Make offset_ticks smaller than profit_threshold_ticks.")
            .add(self.faults);
        }
        if trail.trail_ticks > trail.activation_ticks {
            let problem = format!(
                "The distance of {} ticks is larger than the activation of {} ticks.",
                trail.trail_ticks, trail.activation_ticks
            );
            self.pair(part, ["trailing_stop.trail_ticks", "trailing_stop.activation_ticks"], problem)
                .because("The first trailing stop would lie behind the entry.")
                .fix("Make trail_ticks at most activation_ticks.")
                .add(self.faults);
        }
    }

    /// A fault at the first of two keys that a file gives: of this part, or of the general values that it
    /// takes over.
    fn pair(&self, part: &str, keys: [&str; 2], problem: String) -> Fault {
        let path = |part: &str, key: &str| format!("rules.trade_management.{part}{key}");
        let paths: Vec<String> =
            [part, ""].into_iter().flat_map(|part| keys.map(|key| path(part, key))).collect();
        let given = paths.iter().find(|path| self.is_given(path));
        self.error(FaultKind::Conflict, given.unwrap_or(&paths[0]), problem)
    }
}

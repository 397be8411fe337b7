//! The thirteen rules by name, and what they stand on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule by its configuration key; `Trader` is the trader's own command (ruling 27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RuleKey {
    /// RULE-001
    MaxContracts,
    /// RULE-002
    MaxContractsPerInstrument,
    /// RULE-003
    DailyRealizedLoss,
    /// RULE-004
    DailyUnrealizedLoss,
    /// RULE-005
    MaxUnrealizedProfit,
    /// RULE-006
    TradeFrequencyLimit,
    /// RULE-007
    CooldownAfterLoss,
    /// RULE-008
    NoStopLossGrace,
    /// RULE-009
    SessionBlockOutside,
    /// RULE-010
    AuthLossGuard,
    /// RULE-011
    SymbolBlocks,
    /// RULE-012
    TradeManagement,
    /// RULE-013
    DailyRealizedProfit,
    /// Not a rule: the trader's own lock or flatten.
    Trader,
}

impl RuleKey {
    /// The thirteen rules in the order of their numbers.
    pub const RULES: [Self; 13] = [
        Self::MaxContracts,
        Self::MaxContractsPerInstrument,
        Self::DailyRealizedLoss,
        Self::DailyUnrealizedLoss,
        Self::MaxUnrealizedProfit,
        Self::TradeFrequencyLimit,
        Self::CooldownAfterLoss,
        Self::NoStopLossGrace,
        Self::SessionBlockOutside,
        Self::AuthLossGuard,
        Self::SymbolBlocks,
        Self::TradeManagement,
        Self::DailyRealizedProfit,
    ];

    /// The key in `risk.yaml`, in `status`, `log` and `replay-events`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::MaxContracts => "max_contracts",
            Self::MaxContractsPerInstrument => "max_contracts_per_instrument",
            Self::DailyRealizedLoss => "daily_realized_loss",
            Self::DailyUnrealizedLoss => "daily_unrealized_loss",
            Self::MaxUnrealizedProfit => "max_unrealized_profit",
            Self::TradeFrequencyLimit => "trade_frequency_limit",
            Self::CooldownAfterLoss => "cooldown_after_loss",
            Self::NoStopLossGrace => "no_stop_loss_grace",
            Self::SessionBlockOutside => "session_block_outside",
            Self::AuthLossGuard => "auth_loss_guard",
            Self::SymbolBlocks => "symbol_blocks",
            Self::TradeManagement => "trade_management",
            Self::DailyRealizedProfit => "daily_realized_profit",
            Self::Trader => "trader",
        }
    }

    /// The rule with this key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::RULES.into_iter().chain([Self::Trader]).find(|rule| rule.key() == key)
    }

    /// `RULE-001` … `RULE-013`; the trader's own lock has no number.
    #[must_use]
    pub fn number(self) -> Option<usize> {
        Self::RULES.into_iter().position(|rule| rule == self).map(|index| index + 1)
    }
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// How strictly a rule is taken (ruling 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RuleMode {
    /// Records what it would have done.
    Observe,
    /// Notifies, acts on nothing.
    Warn,
    /// Acts.
    #[default]
    Enforce,
}

/// What a rule needs in order to be more than a promise (invariant A.8-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Positions, orders, fills and account events.
    UserStream,
    /// Prices.
    MarketStream,
    /// Tick size and tick value of what is held.
    Metadata,
    /// The daily reset.
    ResetSchedule,
    /// The trading session calendar.
    SessionCalendar,
}

/// What a rule does at the broker that an account may refuse (ruling 24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Close a part of a position.
    Reduce,
    /// Cancel or move working orders.
    Cancel,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleSet;

    #[test]
    fn each_rule_is_found_by_its_key_and_has_its_number() {
        for (index, rule) in RuleKey::RULES.into_iter().enumerate() {
            assert_eq!(RuleKey::from_key(rule.key()), Some(rule));
            assert_eq!(rule.number(), Some(index + 1));
        }
        assert_eq!(RuleKey::from_key("trader"), Some(RuleKey::Trader));
        assert_eq!(RuleKey::Trader.number(), None, "the trader's own word is no rule");
        assert_eq!(RuleKey::from_key("max_contract"), None);
    }

    #[test]
    fn eleven_rules_are_on_unless_the_settings_say_otherwise() {
        let rules = RuleSet::default();
        let off: Vec<RuleKey> = RuleKey::RULES.into_iter().filter(|rule| !rules.stance(*rule).0).collect();
        assert_eq!(off, [RuleKey::SymbolBlocks, RuleKey::TradeManagement]);
        let strict = |rule: &RuleKey| rules.stance(*rule).1 == RuleMode::Enforce;
        assert!(RuleKey::RULES.iter().chain([&RuleKey::Trader]).all(strict));
    }
}

//! Why something was done, with its numbers. Text for people is made in `views`.

use serde::{Deserialize, Serialize};

use crate::{Contracts, Instant, LockKind, Price, RuleKey, Symbol, Usd};

/// What counted when a day limit was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Closed results only.
    Realized,
    /// Closed results, and closed plus open results.
    #[default]
    Combined,
}

/// How contracts of several positions add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountType {
    /// Longs and shorts offset each other.
    #[default]
    Net,
    /// They add up.
    Gross,
}

/// Over which time trades were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeWindow {
    /// The last 60 seconds.
    PerMinute,
    /// The last 3600 seconds.
    PerHour,
    /// Since the daily reset.
    PerSession,
}

impl TradeWindow {
    /// Its word in lockout keys and configuration: `per_minute`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::PerMinute => "per_minute",
            Self::PerHour => "per_hour",
            Self::PerSession => "per_session",
        }
    }
}

/// A condition that became true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "breach", rename_all = "snake_case")]
pub enum Breach {
    /// RULE-001.
    TooManyContracts {
        /// Contracts of the account, counted as `count_type` says.
        count: Contracts,
        /// The most allowed.
        limit: Contracts,
        /// How they were counted.
        count_type: CountType,
    },
    /// RULE-002.
    TooManyOfInstrument {
        /// Of which root.
        symbol: Symbol,
        /// Contracts over all its expiries.
        count: Contracts,
        /// The most allowed.
        limit: Contracts,
    },
    /// RULE-003.
    DailyLoss {
        /// Whether open results decided.
        basis: Basis,
        /// The day's result in dollars.
        value: Usd,
        /// The limit, negative.
        limit: Usd,
    },
    /// RULE-008.
    NoStop {
        /// In which root.
        symbol: Symbol,
        /// Contracts covered by working stops.
        covered: Contracts,
        /// Contracts held.
        size: Contracts,
        /// Seconds allowed without full coverage.
        grace_seconds: u32,
    },
    /// RULE-011.
    SymbolBlocked {
        /// Which root.
        symbol: Symbol,
        /// The pattern that matched, or the whitelist that did not.
        pattern: String,
    },
    /// New exposure or a new entry order while a lockout forbids it.
    WhileLocked {
        /// The strongest record that forbids it.
        rule: RuleKey,
        /// Its kind.
        kind: LockKind,
        /// In which root; `None` where the metadata is not known yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<Symbol>,
        /// Contracts permitted.
        permitted: Contracts,
        /// Contracts held, or that the order would have led to.
        held: Contracts,
    },
    /// A position that only exists because a resting order filled while our close was under way
    /// (ruling 17).
    OwnEffect {
        /// In which root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<Symbol>,
        /// Contracts held.
        size: Contracts,
    },
    /// Orders left behind by a position that is gone or smaller (ruling 23).
    Leftover {
        /// In which root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<Symbol>,
    },
    /// The trader asked for it.
    TraderCommand {
        /// What was asked: `flatten`, `cancel`, `lock`; `done`: a lock until the daily reset.
        command: String,
        /// Until when, for a lock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Instant>,
    },
    /// RULE-004.
    OpenLoss {
        /// Of which root; `None`: all open positions together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<Symbol>,
        /// The open result in dollars.
        value: Usd,
        /// The limit, negative.
        limit: Usd,
    },
    /// RULE-005.
    OpenProfit {
        /// Of which root.
        symbol: Symbol,
        /// The open result in dollars.
        value: Usd,
        /// The target, positive.
        target: Usd,
    },
    /// RULE-013.
    DailyProfit {
        /// Whether open results decided.
        basis: Basis,
        /// The day's result in dollars.
        value: Usd,
        /// The target, positive.
        target: Usd,
    },
    /// RULE-010: the broker does not let the account trade.
    CannotTrade,
    /// RULE-006.
    TooManyTrades {
        /// Over which time.
        window: TradeWindow,
        /// Trades counted.
        count: u32,
        /// The count at which the cooldown begins.
        limit: u32,
    },
    /// RULE-007.
    LosingTrade {
        /// Result of one closing order, negative.
        loss: Usd,
        /// The step it reached, negative.
        limit: Usd,
    },
    /// RULE-009.
    OutsideSession {
        /// The symbol whose own hours ended; `None`: the general ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<Symbol>,
        /// When they ended; `None` where there were none for two weeks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<Instant>,
        /// Until when positions from before may stay; `None`: they are not closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closes_at: Option<Instant>,
    },
    /// RULE-012: what its values ask for.
    Management {
        /// For which root.
        symbol: Symbol,
        /// Which part of the rule.
        step: Step,
        /// Contracts of the protective order.
        size: Contracts,
        /// Its price.
        price: Price,
    },
}

/// The parts of RULE-012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A stop at its distance from the entry.
    StopLoss,
    /// A target at its distance from the entry.
    TakeProfit,
    /// The stop at the entry.
    Breakeven,
    /// The stop behind the best price.
    Trailing,
}

impl Breach {
    /// Value and limit in dollars, for money limits.
    #[must_use]
    pub fn money(&self) -> Option<(Usd, Usd)> {
        match self {
            Self::DailyLoss { value, limit, .. } | Self::OpenLoss { value, limit, .. } => {
                Some((*value, *limit))
            }
            Self::DailyProfit { value, target, .. } | Self::OpenProfit { value, target, .. } => {
                Some((*value, *target))
            }
            Self::LosingTrade { loss, limit } => Some((*loss, *limit)),
            Self::TooManyContracts { .. }
            | Self::TooManyOfInstrument { .. }
            | Self::NoStop { .. }
            | Self::SymbolBlocked { .. }
            | Self::WhileLocked { .. }
            | Self::OwnEffect { .. }
            | Self::Leftover { .. }
            | Self::TraderCommand { .. }
            | Self::CannotTrade
            | Self::TooManyTrades { .. }
            | Self::OutsideSession { .. }
            | Self::Management { .. } => None,
        }
    }

    /// Dollars past a money limit, never negative; `None` where the limit is no money limit.
    #[must_use]
    pub fn overshoot(&self) -> Option<Usd> {
        self.money().map(|(value, limit)| (value.abs() - limit.abs()).max(Usd::ZERO))
    }
}

//! The values of each rule. What they lead to is the engine's business.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    Contracts, Symbol, Usd,
    breach::{Basis, CountType},
};

/// RULE-001: cap over all instruments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxContracts {
    /// Most contracts; 1 to 1000.
    pub limit: Contracts,
    /// How longs and shorts add up.
    pub count_type: CountType,
    /// What is done about an excess.
    pub enforcement: SizeEnforcement,
}

/// RULE-002: cap per root symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxContractsPerInstrument {
    /// Most contracts of a symbol that has no limit of its own; `None`: see `unknown_symbol`.
    pub default_limit: Option<Contracts>,
    /// By symbol; 0 allows none.
    pub instrument_limits: BTreeMap<Symbol, Contracts>,
    /// What is done about an excess.
    pub enforcement: SizeEnforcement,
    /// Symbols that are not in the map.
    pub unknown_symbol: UnknownSymbol,
}

/// What is done about too many contracts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeEnforcement {
    /// Close the excess.
    #[default]
    ReduceToLimit,
    /// Close all positions concerned.
    CloseAll,
}

/// RULE-002 for symbols without a limit of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownSymbol {
    /// `default_limit` applies.
    #[default]
    UseDefault,
    /// None allowed.
    Block,
    /// This many.
    AllowWithLimit(Contracts),
    /// Any number.
    AllowUnlimited,
}

/// RULE-003: the day's loss limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyRealizedLoss {
    /// Dollars, below zero.
    pub limit: Usd,
    /// Whether open results count.
    pub basis: Basis,
    /// Whether fees and commissions count.
    pub include_fees: bool,
}

/// Which price values an open position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// Last trade inside bid and ask, otherwise the middle.
    #[default]
    LastElseMid,
    /// The middle of bid and ask.
    Mid,
    /// Bid for longs, ask for shorts.
    ExitSide,
}

/// Whether RULE-004 judges each position or their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossScope {
    /// Each position by itself.
    #[default]
    Position,
    /// The sum of all open positions.
    AccountTotal,
}

/// RULE-004: cut one losing position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyUnrealizedLoss {
    /// Dollars, below zero.
    pub limit: Usd,
    /// What is judged.
    pub scope: LossScope,
    /// At which price.
    pub price_basis: PriceBasis,
    /// Safety re-check in seconds; 1 to 60.
    pub check_interval_seconds: u32,
}

/// RULE-005: bank one position's profit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxUnrealizedProfit {
    /// Dollars, above zero.
    pub target: Usd,
    /// At which price.
    pub price_basis: PriceBasis,
    /// Safety re-check in seconds; 1 to 60.
    pub check_interval_seconds: u32,
}

/// What RULE-006 counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeCount {
    /// Every distinct trader order with a fill.
    #[default]
    Orders,
    /// Only those that opened or enlarged exposure.
    Entries,
    /// Each return to flat.
    RoundTurns,
}

/// One window of RULE-006.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyWindow {
    /// Count at which the cooldown begins; `None` switches the window off.
    pub limit: Option<u32>,
    /// Length of the cooldown in seconds.
    pub cooldown_seconds: u32,
}

/// RULE-006: stop overtrading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeFrequencyLimit {
    /// The last 60 seconds.
    pub per_minute: FrequencyWindow,
    /// The last 3600 seconds.
    pub per_hour: FrequencyWindow,
    /// Since the daily reset.
    pub per_session: FrequencyWindow,
    /// What counts as one trade.
    pub count: TradeCount,
    /// Whether open positions are closed as well.
    pub close_positions: bool,
}

/// One step of RULE-007.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossTier {
    /// Dollars, below zero.
    pub loss: Usd,
    /// Length of the cooldown in seconds.
    pub cooldown_seconds: u32,
}

/// RULE-007: a break after a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CooldownAfterLoss {
    /// At least one; the smallest loss first.
    pub tiers: Vec<LossTier>,
    /// Whether open positions are closed.
    pub close_positions: bool,
}

/// RULE-008: no position without a working stop. Always on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoStopLossGrace {
    /// Seconds without full coverage; 5 to 600.
    pub grace_period_seconds: u32,
    /// How often the orders are asked for while a position is open, in seconds; 5 to 60.
    pub poll_interval_seconds: u32,
    /// Whether every contract must be covered.
    pub require_full_coverage: bool,
    /// Farthest stop that counts, in ticks from the market.
    pub max_stop_distance_ticks: Option<u32>,
}

/// One window in which trading is permitted, `[start, end)`. `end` at or before `start` means the next
/// day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionWindow {
    /// Local start.
    pub start: NaiveTime,
    /// Local end.
    pub end: NaiveTime,
    /// Days on which it starts: 0 is Monday, 6 is Sunday.
    pub days: BTreeSet<u8>,
}

/// RULE-009: trading hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionBlockOutside {
    /// When trading is permitted.
    pub windows: Vec<SessionWindow>,
    /// Zone of the windows.
    pub timezone: Tz,
    /// Windows of symbols that do not follow the general ones.
    pub per_instrument: BTreeMap<Symbol, Vec<SessionWindow>>,
    /// Whether positions are closed at the end.
    pub close_positions: bool,
    /// Whether entry orders are cancelled at the end.
    pub cancel_orders: bool,
    /// Whether new exposure is forbidden outside.
    pub lockout: bool,
    /// Seconds that open positions may stay after the end; 0 to 600.
    pub close_grace_seconds: u32,
    /// Whether holidays have no session.
    pub respect_holidays: bool,
}

/// RULE-010 when the broker forbids trading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCanTradeFalse {
    /// Tell.
    #[default]
    Alert,
    /// Flatten and lock until it may trade again.
    Lockout,
}

/// RULE-010: loss of protection is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthLossGuard {
    /// Tell about lost connections.
    pub alert_on_disconnect: bool,
    /// Tell about refused logins.
    pub alert_on_auth_failure: bool,
    /// Tell when the account may no longer trade.
    pub alert_on_can_trade_false: bool,
    /// What else is done then.
    pub on_can_trade_false: OnCanTradeFalse,
    /// Alerts about a lost connection are errors, not warnings.
    pub log_as_error: bool,
    /// Seconds between checks; 5 to 300.
    pub check_interval_seconds: u32,
    /// Seconds between two alerts of one kind; 10 to 3600.
    pub alert_repeat_seconds: u32,
}

/// How RULE-011 reads its list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolListMode {
    /// The listed ones are forbidden.
    #[default]
    Blacklist,
    /// Only the listed ones are allowed.
    Whitelist,
}

/// RULE-011: symbols.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolBlocks {
    /// How the list is read.
    pub mode: SymbolListMode,
    /// Patterns with `*` and `?`, upper case, matched against the whole root and its aliases.
    pub patterns: Vec<String>,
    /// Whether positions that existed before are closed too.
    pub close_existing: bool,
}

/// An automatic order of RULE-012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoOrder {
    /// Whether it is placed.
    pub enabled: bool,
    /// Distance from the average entry in ticks.
    pub ticks: u32,
}

/// Breakeven of RULE-012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoBreakeven {
    /// Whether the stop is moved.
    pub enabled: bool,
    /// Profit in ticks at which it is moved.
    pub profit_threshold_ticks: u32,
    /// Distance from the entry in ticks, on the profit side.
    pub offset_ticks: u32,
}

/// Trailing stop of RULE-012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoTrail {
    /// Whether the stop follows.
    pub enabled: bool,
    /// Profit in ticks at which it begins.
    pub activation_ticks: u32,
    /// Distance from the best price in ticks.
    pub trail_ticks: u32,
}

/// What RULE-012 does with one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeManagementValues {
    /// Stop-loss after opening.
    pub stop_loss: AutoOrder,
    /// Target after opening.
    pub take_profit: AutoOrder,
    /// Stop to entry.
    pub breakeven: AutoBreakeven,
    /// Stop behind the best price.
    pub trailing: AutoTrail,
}

/// RULE-012: automatic protective orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeManagement {
    /// For every symbol without values of its own.
    pub values: TradeManagementValues,
    /// By symbol.
    pub per_instrument: BTreeMap<Symbol, TradeManagementValues>,
}

/// RULE-013: the day's profit target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyRealizedProfit {
    /// Dollars, above zero.
    pub target: Usd,
    /// Whether open results count.
    pub basis: Basis,
    /// Whether fees and commissions count.
    pub include_fees: bool,
    /// What the trader is told.
    pub message: String,
}

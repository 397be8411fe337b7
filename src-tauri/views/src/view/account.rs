//! One account in the picture of the moment: results, positions, orders, lockouts, limits, the day's curve.

use domain::{
    AccountId, ContractId, Contracts, Instant, LockKey, LockKind, OrderId, OrderKind, OrderSide, OrderStatus,
    Price, RuleKey, RuleMode, Side, Symbol, TradingDay, Usd,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Protection;

/// Kind of account, from its name and the broker's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Practice.
    Practice,
    /// Trading Combine.
    Combine,
    /// Express Funded (XFA).
    Funded,
    /// Live Funded.
    Live,
    /// Not told by name or flags.
    Unknown,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AccountView {
    /// The broker's id.
    pub id: AccountId,
    /// The broker's whole name.
    pub name: String,
    /// What it is called: the trader's own name for it, or the broker's in short (`50KTC-V2-…5101`).
    pub short_name: String,
    /// What it is.
    pub kind: AccountKind,
    /// The broker accepts orders for it.
    pub can_trade: bool,
    /// Its own state.
    pub protection: Protection,
    /// Some money or trade limit is used by 75 % or more.
    pub near_limit: bool,
    /// Closed result of the trading day after fees and commissions.
    pub realized_today: Usd,
    /// The same before fees and commissions.
    pub realized_gross: Usd,
    /// Fees and commissions of the day, positive.
    pub fees_today: Usd,
    /// Some commissions come from the fee table.
    pub fees_estimated: bool,
    /// Open result; null when a price is missing.
    pub unrealized: Option<Usd>,
    /// Closed and open together; null when a price is missing.
    pub net: Option<Usd>,
    /// Distinct trader orders with a fill today.
    pub trades_today: u32,
    /// Closed result since the reset on Monday, after fees and commissions, today included. For display only.
    pub week_net: Usd,
    /// Distinct trader orders with a fill in that time.
    pub week_trades: u32,
    /// Label of the trading day.
    pub day: TradingDay,
    /// When it ends.
    pub reset_at: Instant,
    /// What bites first.
    pub headroom: Headroom,
    /// Headroom in dollars if every working stop filled at its price; null where it says nothing more.
    pub headroom_if_stopped: Option<Usd>,
    /// Open positions.
    pub positions: Vec<PositionView>,
    /// Working orders.
    pub orders: Vec<OrderView>,
    /// Active lockouts, the strongest first.
    pub lockouts: Vec<LockoutView>,
    /// How much of each limit is used: money first, then the closest.
    pub gauges: Vec<Gauge>,
    /// Net result over the day, oldest first, at most 400 points.
    pub curve: Vec<CurvePoint>,
    /// Stretches of the day that were not watched.
    pub unwatched: Vec<Stretch>,
    /// How often observing rules would have acted today.
    pub observed_today: u32,
    /// When the account's state was last confirmed as a whole by the broker.
    pub confirmed_at: Option<Instant>,
    /// The newest version that was seen to enforce a rule of this account, and when first; null before any was.
    pub proved: Option<ProofView>,
}

/// That a rule was seen to be enforced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProofView {
    /// When the close was seen at the broker.
    pub at: Instant,
    /// Version of the program.
    pub version: String,
    /// The rule in the words of people.
    pub title: String,
}

impl AccountView {
    /// The strongest lockout that concerns the whole account.
    #[must_use]
    pub fn account_lock(&self) -> Option<&LockoutView> {
        self.lockouts.iter().find(|lockout| lockout.symbol.is_none())
    }

    /// Locked out altogether.
    #[must_use]
    pub fn is_hard_locked(&self) -> bool {
        self.account_lock().is_some_and(|lockout| lockout.kind == LockKind::Hard)
    }
}

/// The smallest distance to any limit; null where unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Headroom {
    /// Whose limit it is.
    pub rule: Option<RuleKey>,
    /// Dollars left.
    pub usd: Option<Usd>,
    /// Contracts left.
    pub contracts: Option<u32>,
}

/// One position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PositionView {
    /// Contract id.
    pub contract: ContractId,
    /// Root; the contract id where the metadata is unknown.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Contracts.
    pub size: Contracts,
    /// Average entry.
    pub average_price: Price,
    /// The price that values it; null when unknown.
    pub price: Option<Price>,
    /// When the last quote of it arrived; null when none did.
    pub quoted_at: Option<Instant>,
    /// How far its price can be relied on.
    pub quotes: QuoteState,
    /// Open result; null when unknown.
    pub unrealized: Option<Usd>,
    /// Whether working stops cover it completely; null when unknown.
    pub stop_covered: Option<bool>,
    /// Contracts covered; null when unknown.
    pub covered: Option<Contracts>,
    /// The stop nearest to the market.
    pub stop_price: Option<Price>,
    /// Distance from the price to that stop in points.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub stop_distance: Option<Decimal>,
    /// The stop that would close the last of it; null unless stops cover all of it.
    pub last_stop_price: Option<Price>,
    /// What it would lose from the price to its stops, each for its size; null unless they cover all of it.
    pub stop_distance_usd: Option<Usd>,
    /// When it will be closed if no stop appears.
    pub closes_at: Option<Instant>,
    /// When it was opened.
    pub opened_at: Instant,
}

/// How far the price of a position can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum QuoteState {
    /// Quotes arrive, or the exchange is shut.
    Live,
    /// No quote for five seconds while the exchange is open; the last price still counts.
    Quiet,
    /// Quotes arrive late: limits on the open result pause.
    Late,
    /// There is no usable price.
    Missing,
}

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OrderRole {
    /// Would open or enlarge exposure.
    Entry,
    /// Protects a position.
    Stop,
    /// Takes a position's profit or closes it otherwise.
    Exit,
}

/// One working order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OrderView {
    /// The broker's id.
    pub id: OrderId,
    /// Contract id.
    pub contract: ContractId,
    /// Root.
    pub symbol: Symbol,
    /// Direction.
    pub side: OrderSide,
    /// How it executes.
    pub kind: OrderKind,
    /// Where it stands.
    pub status: OrderStatus,
    /// What can still execute.
    pub remaining: Contracts,
    /// Limit price.
    pub limit_price: Option<Price>,
    /// Stop price.
    pub stop_price: Option<Price>,
    /// What it is for.
    pub role: OrderRole,
    /// Placed by this product.
    pub own: bool,
}

/// One lockout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LockoutView {
    /// Configuration key of the rule, or `trader`.
    pub rule: RuleKey,
    /// The rule in the words of people.
    pub title: String,
    /// HARD, TIMER or SYMBOL.
    pub kind: LockKind,
    /// For one symbol only.
    pub symbol: Option<Symbol>,
    /// What the trader wants to hear at it, as one sentence; null where he wrote nothing.
    pub own_words: Option<String>,
    /// Value of limit, as one sentence.
    pub reason: String,
    /// When it began.
    pub since: Instant,
    /// When it ends; null without a time.
    pub until: Option<Instant>,
    /// What trades on all the same; null where nothing does.
    pub except: Option<String>,
    /// How it ends and what stays allowed.
    pub ends: String,
    /// Its identity, for commands.
    pub key: LockKey,
}

/// Unit of a gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Dollars.
    Usd,
    /// Contracts.
    Contracts,
    /// Trades.
    Trades,
}

/// How a limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum GaugeState {
    /// Less than 75 % used.
    Clear,
    /// 75 % or more of a money or trade limit used.
    Near,
    /// Reached.
    Reached,
    /// Cannot be judged now.
    Unknown,
}

/// How much of one limit is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Gauge {
    /// Configuration key of the rule.
    pub rule: RuleKey,
    /// The rule in the words of people, with the symbol where it has one.
    pub title: String,
    /// For one symbol only.
    pub symbol: Option<Symbol>,
    /// Unit of the three figures.
    pub unit: Unit,
    /// Where the value stands; null when unknown.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub value: Option<Decimal>,
    /// The limit.
    #[cfg_attr(test, ts(type = "string"))]
    pub limit: Decimal,
    /// What is left, never below zero; null when unknown.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub left: Option<Decimal>,
    /// Used share in percent, rounded up, 100 at the limit; null when unknown.
    pub used_percent: Option<u32>,
    /// How strictly the rule is taken.
    pub mode: RuleMode,
    /// How it stands.
    pub state: GaugeState,
}

impl Gauge {
    /// Whether something will be done soon: a limit that is only observed or warned of does nothing.
    #[must_use]
    pub fn is_near(&self) -> bool {
        self.state == GaugeState::Near && self.mode == RuleMode::Enforce
    }
}

/// One point of the day's curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CurvePoint {
    /// When.
    pub at: Instant,
    /// Net result in dollars.
    pub net: Usd,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Stretch {
    /// Its begin.
    pub from: Instant,
    /// Its end; null while it lasts.
    pub to: Option<Instant>,
}

//! The one picture of the moment that every viewer gets: window, tray, `riskctl status`.
//!
//! Its outer shape is a fixed interface (`riskctl status --json`). Money and prices are decimal strings,
//! times RFC 3339 UTC; what is unknown is null, never zero.

use domain::{
    AccountId, ContractId, Contracts, Instant, LockKey, LockKind, OrderId, OrderKind, OrderSide, OrderStatus,
    Price, RuleKey, RuleMode, Severity, Side, Symbol, TradingDay, Usd,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    guard::GuardView,
    text::{Note, Purpose},
};

/// Whether the trader is protected. Ordered by how much it matters: the greatest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Watched; the limits are not enforced, RULE-008 is.
    Observing,
    /// Watched and enforced.
    Armed,
    /// At least one account-wide lockout is active and enforced.
    Locked,
    /// Nothing can be promised.
    NotProtected,
}

/// Everything of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct View {
    /// Engine time of this picture.
    pub at: Instant,
    /// The worst truth over all accounts.
    pub protection: Protection,
    /// Since when `protection` has its value.
    pub since: Instant,
    /// The first ten seconds after a start: "Not protected yet", neutral.
    pub starting: bool,
    /// Some money or trade limit of an armed account is used by 75 % or more.
    pub near_limit: bool,
    /// Why, as one sentence; null when armed and nothing is to be said.
    pub reason: Option<String>,
    /// All reasons for not being protected, the weightiest first.
    pub doubts: Vec<DoubtView>,
    /// The watched accounts, in the broker's order.
    pub accounts: Vec<AccountView>,
    /// The latest enforcements, newest first, at most 50.
    pub receipts: Vec<ReceiptView>,
    /// Connection and data.
    pub health: Health,
    /// The measured figures.
    pub metrics: Metrics,
    /// Changes of the settings that do not apply yet, because they protect less.
    #[serde(default)]
    pub pending: Vec<PendingView>,
    /// Another one whenever the settings files, or what is in force of them, may have changed.
    #[serde(default)]
    pub settings_revision: String,
    /// Until when only stricter changes of the settings are taken; null: looser ones wait as usual.
    #[serde(default)]
    pub settings_locked_until: Option<Instant>,
    /// What is connected to, in the words of people: `TopstepX`, `Demo`.
    pub broker: String,
    /// How the engine runs: `tray`, `headless`, `demo`, `service`.
    pub mode: String,
    /// Version of the program.
    pub version: String,
    /// What the desktop is told.
    #[serde(default)]
    pub desktop: DesktopView,
    /// The guard password; null: none is set.
    #[serde(default)]
    pub guard: Option<GuardView>,
    /// Accounts of the login that are not watched, in the broker's order.
    #[serde(default)]
    pub other_accounts: Vec<OtherAccount>,
}

/// An account that is not watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OtherAccount {
    /// The broker's id.
    pub id: AccountId,
    /// The broker's whole name.
    pub name: String,
    /// What it is called: the trader's own name for it, or first two parts and last four characters of the broker's.
    pub short_name: String,
    /// What it is.
    pub kind: AccountKind,
    /// The broker accepts orders for it.
    pub can_trade: bool,
}

/// The settings of native notifications, as they are in force (specification C.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DesktopView {
    /// Whether there are any.
    pub enabled: bool,
    /// From which severity; lost protection is shown whatever it weighs.
    pub min_severity: Severity,
}

impl Default for DesktopView {
    /// Everything: what is not known keeps nothing back.
    fn default() -> Self {
        Self { enabled: true, min_severity: Severity::Info }
    }
}

impl DesktopView {
    /// Whether a message becomes a native notification.
    #[must_use]
    pub fn shows(self, note: &Note) -> bool {
        match note.purpose {
            Purpose::News => self.enabled && note.severity >= self.min_severity,
            Purpose::Protection => self.enabled,
            Purpose::Test => true,
        }
    }
}

impl View {
    /// Whether a command would reach the broker: signed in, and the stream that confirms it is up.
    #[must_use]
    pub fn can_send(&self) -> bool {
        !self.starting && self.health.logged_in && self.health.user_stream == StreamState::Up
    }
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

/// What a change of the settings waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PendingState {
    /// The daily reset.
    Waits,
    /// The end of a lockout: its daily reset is over.
    Held,
    /// Somebody who knows what time it is.
    Undated,
    /// Nothing: it was made while the account was locked, and is not taken over.
    Refused,
}

/// A change of the settings that does not apply yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PendingView {
    /// Whose rules; null: of everyone.
    pub account: Option<AccountId>,
    /// Which rule; null: daily reset, holidays, watched accounts.
    pub rule: Option<RuleKey>,
    /// Dotted path of the setting.
    pub key: String,
    /// What changes, from what to what.
    pub text: String,
    /// The value in force, as it would be written.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub from: serde_json::Value,
    /// The value that waits.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub to: serde_json::Value,
    /// What it waits for.
    pub state: PendingState,
    /// From when it applies; null while that is unknown or if it never will.
    pub applies_at: Option<Instant>,
}

/// One reason for not being protected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DoubtView {
    /// Its kind, for icons and tests: `starting`, `login`, `unreachable`, `user_stream`, `market_stream`, `reconcile`,
    /// `disk`, `clock`, `config`, `rule`, `accounts`, `engine_lost`.
    pub kind: String,
    /// One sentence: what and why.
    pub text: String,
    /// What the trader can do about it.
    pub advice: String,
    /// Since when.
    pub since: Instant,
    /// The account it concerns; null concerns all.
    pub account: Option<AccountId>,
}

/// Kind of account, from its name and the broker's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Practice.
    Practice,
    /// Trading Combine.
    Combine,
    /// Express Funded.
    Funded,
    /// Live.
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
    /// The same in dollars for the whole position.
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
    /// Value of limit, as one sentence.
    pub reason: String,
    /// When it began.
    pub since: Instant,
    /// When it ends; null without a time.
    pub until: Option<Instant>,
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

/// How an audited action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptOutcome {
    /// Not ended yet.
    Pending,
    /// Seen at the broker.
    Confirmed,
    /// Given up.
    Failed,
    /// Only recorded, because the rule does not enforce.
    Observed,
    /// Another action made it needless.
    Superseded,
    /// A lock, a setting, a reset: done by being written down.
    Recorded,
}

/// One line of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReceiptView {
    /// Number in the chain.
    pub seq: i64,
    /// When it was written.
    pub at: Instant,
    /// Which account; null for settings.
    pub account: Option<AccountId>,
    /// Configuration key of the rule, or `trader`.
    pub rule: RuleKey,
    /// The rule in the words of people.
    pub title: String,
    /// `close_position`, `reduce_position`, `flatten_account`, `cancel_order`, `lockout` …
    pub action: String,
    /// Value of limit, as one sentence.
    pub reason: String,
    /// What was done, in the words of people; null while nothing is known.
    pub done: Option<String>,
    /// How it ended.
    pub outcome: ReceiptOutcome,
    /// When the cause was received.
    pub detected_at: Option<Instant>,
    /// When the first request was handed to the wire.
    pub sent_at: Option<Instant>,
    /// When the last request was accepted.
    pub acknowledged_at: Option<Instant>,
    /// When the target was seen at the broker.
    pub confirmed_at: Option<Instant>,
    /// From detected to confirmed, in microseconds; while pending null.
    pub latency_us: Option<i64>,
    /// Dollars past the limit, for money limits.
    pub overshoot_usd: Option<Usd>,
}

/// State of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// Connected and subscribed.
    Up,
    /// Not connected, or not subscribed yet.
    Down,
}

/// Connection and data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Health {
    /// Positions, orders, fills.
    pub user_stream: StreamState,
    /// Prices.
    pub market_stream: StreamState,
    /// Logged in.
    pub logged_in: bool,
    /// When the last fact of the user stream arrived.
    pub last_event_at: Option<Instant>,
    /// When the last price arrived.
    pub last_quote_at: Option<Instant>,
    /// When all accounts were last confirmed by the broker.
    pub last_reconcile_at: Option<Instant>,
    /// Whole seconds between this computer's clock and the broker's; null until it is known.
    pub clock_apart_seconds: Option<i64>,
    /// The disk takes what must be kept.
    pub disk_ok: bool,
}

/// Median, tail and number of a measurement, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Timing {
    /// How many samples, at most the last 1,000.
    pub count: u64,
    /// Median.
    #[cfg_attr(test, ts(type = "string"))]
    pub p50_ms: Decimal,
    /// 95th percentile.
    #[cfg_attr(test, ts(type = "string"))]
    pub p95_ms: Decimal,
    /// The largest.
    #[cfg_attr(test, ts(type = "string"))]
    pub max_ms: Decimal,
}

/// The six metrics of specification E.1; null until measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Metrics {
    /// Cause received to close request handed to the wire.
    pub enforcement_latency_ms: Option<Timing>,
    /// Cause received to target seen at the broker.
    pub confirmation_latency_ms: Option<Timing>,
    /// One event through all rules.
    pub event_processing_ms: Option<Timing>,
    /// Resident memory of the engine's process.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub memory_usage_mb: Option<Decimal>,
    /// Inputs waiting.
    pub queue_depth: u64,
    /// The last reconcile.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub reconciliation_time_sec: Option<Decimal>,
    /// Events taken since the start.
    pub events: u64,
    /// Broker messages that could not be understood or believed.
    pub malformed: u64,
    /// One rule's look at one event.
    pub rule_eval_ms: Option<Timing>,
    /// What is beyond its limit now.
    pub exceeded: Vec<Measure>,
    /// What arrived and was not as it should be.
    pub intake: Intake,
}

/// What is measured and has a limit (specification E.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Cause received to close request handed to the wire.
    EnforcementLatency,
    /// One event through all rules.
    EventProcessing,
    /// Resident memory.
    Memory,
    /// Growth of the memory over six hours.
    MemoryGrowth,
    /// Inputs waiting.
    QueueDepth,
    /// A reading of an account as a whole.
    Reconciliation,
    /// One rule's look at one event.
    RuleEvaluation,
}

/// Messages of the broker since the start that were not as they should be, by kind (specification C.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Intake {
    /// Not of the agreed form.
    pub unreadable: u64,
    /// With a value that this version does not know.
    pub unknown: u64,
    /// With a value that can't be.
    pub impossible: u64,
    /// With a price beside the contract's tick grid.
    pub off_grid: u64,
    /// About an account that is not watched.
    pub foreign: u64,
    /// Told again with the same content, and not taken again.
    pub repeated: u64,
    /// Times that positions and fills told different stories, as when messages arrive out of order.
    pub contradictory: u64,
    /// Times that the queue was full.
    pub overflows: u64,
}

//! What can be written. A closed list: whatever a caller wants kept is one of these.
//!
//! Plain values without behaviour; how they are laid down in tables is [`crate::write`]'s business.

use std::time::Duration;

use domain::{
    Account, AccountId, Breach, ContractId, Contracts, EndCause, Enforcement, EnforcementId, Fill, Instant,
    Instrument, Link, LockKey, Lockout, Order, OrderId, Position, PositionId, Price, RuleKey, Severity,
    TradingDay, Usd,
    memory::{DayFigures, Managed},
};
use serde::{Deserialize, Serialize};

use crate::audit::words::AuditAction;

/// How safe a commit is when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives a loss of power: flushed to the disk. For lockouts, intents, resets, settings.
    Flush,
    /// Survives the end of the process; a loss of power may take it, together with every later lazy commit
    /// up to the next flushed one. For pictures of the moment and for receipts.
    Lazy,
}

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Set a lockout, or replace the active one of the same key. Its end is never moved to an earlier
    /// instant (L-33, specification B.3).
    Lock {
        /// The whole record.
        lockout: Box<Lockout>,
        /// Why, as one sentence.
        reason: String,
    },
    /// End the active lockout of a key. [`Written::Nothing`] if there is none.
    Unlock {
        /// Which.
        key: LockKey,
        /// Why.
        cause: EndCause,
        /// When.
        at: Instant,
    },
    /// Audit: what is about to be done.
    Intent(Box<Intent>),
    /// Audit: what came of it.
    Receipt(Box<Receipt>),
    /// Audit: something that is done by being written down, or would have been done.
    Note(Box<Note>),
    /// An execution, or its correction.
    Fill(Box<FillRecord>),
    /// Deadline of a position without complete stop; `None` clears it.
    StopDeadline {
        /// Whose.
        account: AccountId,
        /// Where.
        contract: ContractId,
        /// Until when.
        deadline: Option<Instant>,
    },
    /// What RULE-012 knows of a position; `None` clears it.
    Managed {
        /// Whose.
        account: AccountId,
        /// Where.
        contract: ContractId,
        /// What is known.
        managed: Option<Box<Managed>>,
    },
    /// A trading day ended and the next began. Done once per account and day; [`Written::Nothing`] the
    /// second time.
    Reset(Box<ResetRecord>),
    /// The backup of the day that a reset closed is there, if it was still being made then.
    /// [`Written::Nothing`] if that reset has one already.
    BackedUp {
        /// Whose reset.
        account: AccountId,
        /// The day that began with it.
        day: TradingDay,
        /// Name of the backup.
        file: String,
    },
    /// Settings as they were accepted or refused.
    Config(Box<ConfigSnapshot>),
    /// The engine's time.
    Seen(Instant),
    /// An account's figures of the moment.
    Account(Box<AccountFigures>),
    /// All open positions of an account; the earlier ones are forgotten.
    Positions {
        /// Whose.
        account: AccountId,
        /// All of them.
        held: Vec<Holding>,
        /// When.
        at: Instant,
    },
    /// The latest word on an order.
    Order {
        /// The order.
        order: Box<Order>,
        /// When.
        at: Instant,
    },
    /// All working orders of an account; others that were working before are gone, in a way that nobody told.
    Orders {
        /// Whose.
        account: AccountId,
        /// All of them.
        working: Vec<Order>,
        /// When.
        at: Instant,
    },
    /// Metadata of a contract.
    Instrument {
        /// What the broker says of it.
        instrument: Box<Instrument>,
        /// When.
        at: Instant,
    },
    /// How stops cover a position.
    Coverage(Box<Coverage>),
    /// Running figures of an open trading day. [`Written::Nothing`] if the day is closed.
    Day(Box<DayRecord>),
    /// A measurement. [`Written::Nothing`] if it is no finite number.
    Metric {
        /// Its name (specification C.13).
        name: String,
        /// Its value, in the unit that the name tells; the average where there are more.
        value: f64,
        /// The account it belongs to, if one.
        account: Option<AccountId>,
        /// When.
        at: Instant,
        /// How its samples lie, where it sums up more than one.
        spread: Option<Spread>,
    },
    /// A change of the connection.
    Link {
        /// What and how.
        link: Link,
        /// When.
        at: Instant,
    },
    /// A notification and what became of it.
    Alert(Box<AlertRecord>),
    /// The trader begins a personal session. [`Written::Nothing`] while one is open.
    ClockIn {
        /// On which account.
        account: AccountId,
        /// The day's closed result after fees.
        realized: Usd,
        /// The day's trades.
        trades: u32,
        /// When.
        at: Instant,
    },
    /// The trader ends it. [`Written::Nothing`] without one.
    ClockOut {
        /// On which account.
        account: AccountId,
        /// The day's closed result after fees.
        realized: Usd,
        /// The day's trades.
        trades: u32,
        /// When.
        at: Instant,
    },
}

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// A row of the audit, with its number in the chain.
    Audit(i64),
    /// It is stored.
    Stored,
    /// There was nothing to do: it was done before, or what it speaks of is not there.
    Nothing,
}

/// An intent row. The same enforcement twice keeps the first row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// When it is written.
    pub at: Instant,
    /// What is to be done and why, with its numbers.
    pub enforcement: Enforcement,
    /// Why, as one sentence.
    pub reason: String,
    /// The position it acts on, where it is one.
    pub position: Option<PositionId>,
    /// The event that caused it: its kind, and the broker's own number where it has one.
    pub cause: Option<String>,
}

/// How an enforcement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Seen at the broker.
    Confirmed,
    /// Given up after all attempts.
    Failed,
    /// Another one, or the trader, made it needless.
    Superseded,
}

/// A result row. [`Written::Nothing`] without an intent row of that enforcement, or with a result already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of which enforcement.
    pub enforcement: EnforcementId,
    /// When it is written.
    pub at: Instant,
    /// How it ended.
    pub ending: Ending,
    /// Requests sent for it.
    pub attempts: u32,
    /// When the first request was handed to the wire.
    pub sent_at: Option<Instant>,
    /// When the last request was accepted.
    pub acknowledged_at: Option<Instant>,
    /// When the target was seen at the broker.
    pub confirmed_at: Option<Instant>,
    /// From detected to confirmed, on the monotonic clock.
    pub latency: Option<Duration>,
    /// Dollars past the limit in the end, for money limits; without it the intent's figure counts.
    pub overshoot: Option<Usd>,
    /// The last error, in a few words.
    pub error: Option<String>,
    /// What was done, in the words of people.
    pub done: Option<String>,
}

/// A record row: locks, settings, resets, and what an observing rule would have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When it is written.
    pub at: Instant,
    /// Which account; `None` concerns all.
    pub account: Option<AccountId>,
    /// By which rule; [`RuleKey::Trader`] where no rule acted.
    pub rule: RuleKey,
    /// What.
    pub action: AuditAction,
    /// It would have been done, but the rule does not enforce.
    pub observed: bool,
    /// Nothing could be enforced in that run, whatever the rules say.
    pub dry_run: bool,
    /// Why, as one sentence.
    pub reason: String,
    /// The numbers behind it.
    pub breach: Option<Breach>,
    /// When the event that caused it was received.
    pub detected_at: Option<Instant>,
    /// What was done, in the words of people.
    pub done: Option<String>,
}

/// A fill with what this product knew of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FillRecord {
    /// The fill.
    pub fill: Fill,
    /// Caused by this product.
    pub own: bool,
    /// An account-wide lockout was active.
    pub locked: bool,
    /// To which day it counts.
    pub day: TradingDay,
    /// When it was received; a correction keeps the first time.
    pub received_at: Instant,
}

/// The end of a trading day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetRecord {
    /// Whose.
    pub account: AccountId,
    /// The day that ended, with its final figures; `None` at the first start of a home.
    pub closed: Option<DayFigures>,
    /// The day that began.
    pub day: TradingDay,
    /// When it was due.
    pub scheduled: Instant,
    /// When it was done.
    pub executed_at: Instant,
    /// The backup taken for it, if that went well.
    pub backup_file: Option<String>,
}

/// Where settings came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigOrigin {
    /// The files.
    File,
    /// A command.
    Admin,
}

/// Settings at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigSnapshot {
    /// When.
    pub at: Instant,
    /// Hash of the content.
    pub hash: String,
    /// From where.
    pub origin: ConfigOrigin,
    /// The operating system's user, if known.
    pub os_user: Option<String>,
    /// What changed, for people.
    pub diff: String,
    /// The settings themselves; no secret but the hash of the guard password.
    pub content: String,
    /// They were accepted.
    pub valid: bool,
}

/// An account at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFigures {
    /// What the broker says about it.
    pub account: Account,
    /// Closed result of the trading day, as the status shows it.
    pub realized: Usd,
    /// Open result; `None` while a price is missing.
    pub unrealized: Option<Usd>,
    /// What is wrong with it, if something is.
    pub error: Option<String>,
    /// When.
    pub at: Instant,
}

/// An open position with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The position; a flat one is not stored.
    pub position: Position,
    /// The price that values it.
    pub price: Option<Price>,
    /// Open result.
    pub unrealized: Option<Usd>,
    /// Working stops cover all of it; `None` when unknown.
    pub stop_covered: Option<bool>,
    /// The stop nearest to the market.
    pub stop_price: Option<Price>,
}

/// How stops cover a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub contract: ContractId,
    /// Contracts covered; `None` when unknown.
    pub covered: Option<Contracts>,
    /// Contracts held.
    pub held: Contracts,
    /// The orders that cover it.
    pub orders: Vec<OrderId>,
    /// When that was seen.
    pub at: Instant,
}

/// Running figures of a trading day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRecord {
    /// Whose.
    pub account: AccountId,
    /// The figures.
    pub figures: DayFigures,
    /// Closed and open result together, if known: its extremes of the day are kept.
    pub combined: Option<Usd>,
    /// When.
    pub at: Instant,
}

/// How the samples of a measurement lie, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// How many.
    pub samples: u64,
    /// Their 95th percentile.
    pub p95: f64,
    /// The largest.
    pub largest: f64,
}

/// A notification and its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRecord {
    /// When.
    pub at: Instant,
    /// How loud.
    pub severity: Severity,
    /// Its kind, one word.
    pub kind: String,
    /// About which account; `None` concerns all.
    pub account: Option<AccountId>,
    /// The text, without secrets.
    pub text: String,
    /// Where it was sent.
    pub channels: Vec<String>,
    /// It arrived everywhere.
    pub delivered: bool,
    /// What went wrong.
    pub error: Option<String>,
    /// Equal ones held back before it.
    pub suppressed: u32,
}

//! What the engine is told. One closed enumeration; the same form is journalled and replayed
//! (`docs/events.md`).

use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountId, ContractId, EnforcementId, Fill, Instant, Instrument, LockKey, Memory, Order,
    Position, Price, Question, Quote, Rulebook,
};

/// Everything about one account, asked as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The account itself.
    pub account: Account,
    /// All open positions.
    pub positions: Vec<Position>,
    /// All working orders the broker lists; suspended and pending ones are in no list.
    pub orders: Vec<Order>,
    /// All fills since the start of the trading day or earlier.
    pub fills: Vec<Fill>,
    /// When the first of the queries was sent. What arrived on the stream since then is newer.
    pub asked_at: Instant,
}

/// State of one part of the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum Link {
    /// The user hub is connected and all its subscriptions are confirmed.
    UserUp,
    /// The user hub is lost or silent.
    UserDown {
        /// What happened, in a few words.
        why: String,
    },
    /// The market hub is connected and its subscriptions are confirmed.
    MarketUp,
    /// The market hub is lost or silent.
    MarketDown {
        /// What happened, in a few words.
        why: String,
    },
    /// A login or a renewal succeeded.
    LoggedIn,
    /// A login or a renewal was refused or failed after the session had ended.
    LoginFailed {
        /// What happened, in a few words.
        why: String,
    },
    /// The broker refused a login or a renewal by code: trying again does not help.
    LoginRefused {
        /// The broker's word, in short.
        why: String,
    },
}

/// How an enforcement, or its part at one contract, ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Seen at the broker.
    Confirmed,
    /// No longer needed when it was about to be sent.
    NotNeeded,
    /// Given up after all attempts.
    Failed {
        /// The last error, in a few words.
        why: String,
    },
}

/// What the executor says about an enforcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which.
    pub enforcement: EnforcementId,
    /// Whose.
    pub account: AccountId,
    /// The contract whose part ended; `None` when the enforcement as a whole ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractId>,
    /// How.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// It failed because a market is shut: until it opens, it is no use to try again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub market_shut: bool,
}

/// What a person asks of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Close everything and cancel what could open new positions; no lock.
    Flatten {
        /// Whose; `None` means every watched account.
        account: Option<AccountId>,
    },
    /// Cancel all working orders.
    CancelAll {
        /// Whose; `None` means every watched account.
        account: Option<AccountId>,
    },
    /// A HARD lockout of the trader's own; cannot be taken back.
    LockOut {
        /// Whose; `None` means every watched account.
        account: Option<AccountId>,
        /// Until when; `None` means until the next daily reset.
        until: Option<Instant>,
    },
    /// End a lockout before its time, with proof of the right to do so (ruling 8).
    Override {
        /// Which.
        key: LockKey,
        /// Why.
        reason: String,
    },
}

/// One input of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// What is remembered from earlier; the first event after a start.
    Restored(Box<Memory>),
    /// The rules from now on.
    Rules(Box<Rulebook>),
    /// An account changed.
    Account(Account),
    /// A position changed.
    Position(Position),
    /// An order changed.
    Order(Order),
    /// An execution, a repetition of one, or its correction.
    Fill(Fill),
    /// Prices changed.
    Quote(Quote),
    /// Metadata of a contract.
    Instrument(Instrument),
    /// The answer to a reconcile.
    Snapshot(Box<Snapshot>),
    /// The answer to [`Question::Orders`].
    Orders {
        /// Whose.
        account: AccountId,
        /// All that the broker lists as working.
        orders: Vec<Order>,
        /// When the query was sent.
        asked_at: Instant,
    },
    /// All open positions, asked for to verify a close: unlike a snapshot's, this answer is believed over
    /// everything that was heard before it was asked for.
    Positions {
        /// Whose.
        account: AccountId,
        /// All that the broker reports as open.
        positions: Vec<Position>,
        /// When the query was sent.
        asked_at: Instant,
    },
    /// A question could not be answered; unknown stays unknown.
    Unanswered(Question),
    /// The connection changed.
    Link(Link),
    /// The executor ended something.
    Report(Report),
    /// A person asked for something.
    Command(Command),
    /// Time has passed.
    Tick,
    /// The answer to [`Question::LatestBar`].
    Bar {
        /// Of which contract.
        contract: ContractId,
        /// When the bar began.
        at: Instant,
        /// Its latest price.
        close: Price,
    },
}

/// The kinds of change that rules subscribe to (specification A.7): derived by the engine from what it
/// knew before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventKind {
    /// Was flat.
    PositionOpened,
    /// Was open on the same side.
    PositionUpdated,
    /// Was open and is no more, or turned to the other side.
    PositionClosed,
    /// First sight of a working order.
    OrderPlaced,
    /// A known order has another price, size or type.
    OrderModified,
    /// More was executed, not all.
    OrderPartiallyFilled,
    /// Completely executed.
    OrderFilled,
    /// Ended by a cancel.
    OrderCancelled,
    /// Ended by time.
    OrderExpired,
    /// Refused.
    OrderRejected,
    /// A new execution, or a correction of one.
    TradeExecuted,
    /// Prices changed.
    QuoteUpdate,
    /// The value of an open position changed.
    UnrealizedPnlUpdate,
    /// The account changed.
    AccountUpdated,
    /// A part of the connection is back.
    SdkConnected,
    /// A part of the connection is lost.
    SdkDisconnected,
    /// A login succeeded.
    AuthSuccess,
    /// A login failed.
    AuthFailed,
    /// A second has passed.
    TimeTick,
    /// Daily reset, session open or close.
    SessionTick,
    /// The broker's truth was read and taken over.
    StateReconciled,
    /// New rules apply.
    ConfigChanged,
}

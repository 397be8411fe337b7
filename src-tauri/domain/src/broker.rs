//! The border between Risk Manager and any broker: what can be asked, what comes back.
//!
//! Plain values, so that neither side knows the other: `runtime` sends [`Ask`]s and receives
//! [`Signal`]s over two channels; a broker crate does the reverse. A second broker is a new crate.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Account, AccountId, ContractId, Contracts, Event, Instant, Instrument, Link, Order, OrderId, Position,
    Price, Snapshot, Ticket,
};

/// Names a call until its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Which share of the rate budget a call may use (ruling 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Closing, cancelling and verifying it: may use the whole budget.
    Enforcement,
    /// Everything else: may use only the unreserved share.
    Routine,
}

/// One thing asked of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// All accounts of the login.
    Accounts,
    /// Keep the user stream subscribed for exactly these accounts, across reconnects.
    Watch(Vec<AccountId>),
    /// Keep quotes subscribed for exactly these contracts, across reconnects.
    WatchQuotes(Vec<ContractId>),
    /// Account, positions, working orders, and fills since an instant.
    Snapshot {
        /// Whose.
        account: AccountId,
        /// Fills from here on.
        fills_since: Instant,
    },
    /// Working orders.
    WorkingOrders(AccountId),
    /// Positions, and all orders created since an instant, whatever became of them: what is needed to
    /// tell whether a close went through (gateway reference 9.7).
    Verify {
        /// Whose.
        account: AccountId,
        /// Orders from here on.
        orders_since: Instant,
    },
    /// Metadata of a contract.
    Instrument(ContractId),
    /// Contracts whose id or name contains a text.
    SearchInstruments(String),
    /// The newest bar's close: the only price outside the stream.
    LatestBar(ContractId),
    /// Close the whole position.
    Close {
        /// Whose.
        account: AccountId,
        /// Which.
        contract: ContractId,
    },
    /// Close a part of the position.
    Reduce {
        /// Whose.
        account: AccountId,
        /// Which.
        contract: ContractId,
        /// How many contracts to close.
        by: Contracts,
    },
    /// Cancel one working order.
    Cancel {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderId,
    },
    /// Place a protective order.
    Place {
        /// Whose.
        account: AccountId,
        /// Which.
        ticket: Ticket,
        /// Its mark, by which it is found again; of this product, and never used before.
        tag: String,
    },
    /// Bring a working protective order to a size and a price.
    Modify {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderId,
        /// How it is to be.
        ticket: Ticket,
    },
    /// Change the size of a working order.
    Resize {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderId,
        /// New total size.
        size: Contracts,
    },
}

impl Call {
    /// Whether its answer tells what the stream tells.
    #[must_use]
    pub fn asks_for_state(&self) -> bool {
        match self {
            Self::Accounts | Self::Snapshot { .. } | Self::WorkingOrders(_) | Self::Verify { .. } => true,
            Self::Watch(_)
            | Self::WatchQuotes(_)
            | Self::Instrument(_)
            | Self::SearchInstruments(_)
            | Self::LatestBar(_)
            | Self::Close { .. }
            | Self::Reduce { .. }
            | Self::Cancel { .. }
            | Self::Place { .. }
            | Self::Modify { .. }
            | Self::Resize { .. } => false,
        }
    }
}

/// A call on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its name; the reply carries it.
    pub id: CallId,
    /// Its share of the rate budget.
    pub class: Class,
    /// What.
    pub call: Call,
}

/// What came back, when the broker did what was asked or accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Call::Accounts`].
    Accounts(Vec<Account>),
    /// To [`Call::Watch`] and [`Call::WatchQuotes`]: noted. That the subscription stands is told by
    /// [`Link`].
    Noted,
    /// To [`Call::Snapshot`]; `asked_at` is filled in by the receiver.
    Snapshot(Box<Snapshot>),
    /// To [`Call::WorkingOrders`].
    WorkingOrders(Vec<Order>),
    /// To [`Call::Verify`].
    Verified {
        /// Open positions.
        positions: Vec<Position>,
        /// Orders created since the instant asked for, ended ones included.
        orders: Vec<Order>,
    },
    /// To [`Call::Instrument`].
    Instrument(Instrument),
    /// To [`Call::SearchInstruments`].
    Instruments(Vec<Instrument>),
    /// To [`Call::LatestBar`]: opening time and close.
    Bar {
        /// Opening time of the bar.
        at: Instant,
        /// Its latest price.
        close: Price,
    },
    /// To an order or close request: accepted. Not done.
    Accepted,
}

/// Why a request was refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The market is shut or halted: nothing can be done until it opens.
    MarketClosed,
    /// This account may not do this at all (live and follower accounts, ruling 24).
    NotPermitted,
    /// The contract is unknown or no longer tradable.
    Contract,
    /// The size asked for is larger than what is open: the state here was stale.
    Size,
    /// Any other refusal.
    Other,
}

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// No connection could be made. The request was not executed.
    #[error("cannot reach the broker: {0}")]
    Unreachable(String),
    /// No answer in time. The request may have been executed.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Too many requests. Not executed.
    #[error("too many requests")]
    RateLimited {
        /// How long the broker asks to wait.
        retry_after: Option<Duration>,
    },
    /// Trouble at the broker. The request may have been executed.
    #[error("the broker answered with HTTP status {0}")]
    Server(u16),
    /// The session is not or no longer valid, and a new login did not help.
    #[error("not logged in: {0}")]
    Unauthorized(String),
    /// The position or order is not there (any more).
    #[error("not found")]
    NotFound,
    /// Refused with a code.
    #[error("refused (code {code}): {text}")]
    Refused {
        /// The broker's code.
        code: i64,
        /// The broker's words, or the code's name.
        text: String,
        /// What it means here.
        kind: Refusal,
    },
    /// The answer could not be understood. The request may have been executed.
    #[error("the answer could not be understood: {0}")]
    Protocol(String),
}

/// Why a login failed, so that the message can say what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoginError {
    /// User name or key is wrong.
    #[error("the user name or the API key is wrong")]
    Credentials,
    /// Agreements must be signed on the platform first.
    #[error("agreements are waiting to be signed on the platform")]
    Agreements,
    /// The login has no API subscription.
    #[error("this login has no API subscription")]
    NoSubscription,
    /// Logging in with a key is switched off for this login.
    #[error("login with an API key is disabled for this user")]
    KeyLoginDisabled,
    /// Another refusal by code.
    #[error("the login was refused (code {code}): {text}")]
    Refused {
        /// The broker's code.
        code: i64,
        /// The broker's words, or the code's name.
        text: String,
    },
    /// It could not be tried, or not to the end: try again later.
    #[error("{0}")]
    Passing(CallError),
}

/// The reply to an [`Ask`].
#[derive(Clone, Debug)]
pub struct Reply {
    /// Of which call.
    pub id: CallId,
    /// What came of it.
    pub result: Result<Answer, CallError>,
    /// How long the call waited for the rate budget and a session before it was sent.
    pub waited: Duration,
    /// The broker's own time, from its answer; whole seconds.
    pub server_time: Option<Instant>,
}

/// What is wrong with a message that is no fact (specification C.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// It has not the form that was agreed, or lacks something.
    Unreadable,
    /// It has a value that this version does not know.
    Unknown,
    /// It has a value that can't be.
    Impossible,
}

/// Something a broker message could not be turned into a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, in one word.
    pub flaw: Flaw,
    /// What kind of message.
    pub what: String,
    /// What is wrong with it, naming the field and its value.
    pub why: String,
    /// The account it concerns, if that much could be read.
    pub account: Option<AccountId>,
    /// The message itself, cut to a readable length, secrets masked.
    pub raw: String,
}

/// What became of messages on their way to the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbox {
    /// One said exactly what was told before, and is not told again.
    Repeated,
    /// So many waited that there was room for no more: their senders had to wait. Told after everything
    /// that waited then; nothing was lost, but the broker may have given up telling.
    Overflowed {
        /// How many waited.
        waiting: usize,
    },
}

/// What comes from the broker.
#[derive(Clone, Debug)]
pub enum Signal {
    /// A fact.
    Event(Event),
    /// The connection changed. `UserUp` asks for a reconcile of every watched account.
    Link(Link),
    /// A login was refused by code, as opposed to a passing failure.
    LoginRefused(LoginError),
    /// A message that makes no sense: log it, count it, reconcile.
    Malformed(Malformed),
    /// A call ended.
    Reply(Reply),
    /// Messages were repeated, or were too many.
    Inbox(Inbox),
}

/// A signal with the moment at which its last byte was read.
#[derive(Clone, Debug)]
pub struct Stamped {
    /// When, on the monotonic clock.
    pub received: std::time::Instant,
    /// What.
    pub signal: Signal,
}

impl CallError {
    /// Whether the request may have been executed although no good answer came: then only a look at the
    /// broker's state tells, and a blind repetition could act twice.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::TimedOut(_) | Self::Server(_) | Self::Protocol(_) => true,
            Self::Unreachable(_)
            | Self::RateLimited { .. }
            | Self::Unauthorized(_)
            | Self::NotFound
            | Self::Refused { .. } => false,
        }
    }

    /// Whether another attempt later can help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::TimedOut(_)
            | Self::RateLimited { .. }
            | Self::Server(_)
            | Self::Protocol(_) => true,
            Self::Unauthorized(_) | Self::NotFound | Self::Refused { .. } => false,
        }
    }
}

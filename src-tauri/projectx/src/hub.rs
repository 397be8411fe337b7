//! The client's side of one hub as a state machine: handshake, subscriptions, facts, and the moment from
//! which everything wanted is confirmed. Text frames and the time in, texts to send and signals out.
//!
//! Opens no socket, reads no clock, never reconnects: a lost connection is given up whole, and the next
//! one subscribes everything again (L-19).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use domain::{
    AccountId, ContractId, Event, Link,
    broker::{CallError, Flaw, Inbox, Malformed, Signal},
};
use serde_json::Value;

use crate::{
    mask::masked,
    normalise::{Normaliser, Said},
    rest::account_number,
    signalr::{Connection, Dead, Heard},
};

/// How long the hub may take to confirm a subscription.
pub const CONFIRM_TIMEOUT: Duration = Duration::from_secs(15);

/// The two hubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Accounts, orders, positions, trades.
    User,
    /// Quotes.
    Market,
}

/// What can be subscribed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Orders, positions and trades of an account, at the user hub.
    Account(i64),
    /// Quotes of a contract, at the market hub.
    Contract(ContractId),
}

/// The topics of accounts.
///
/// # Errors
/// An id that is no number, which this broker cannot know.
pub fn account_topics(accounts: &[AccountId]) -> Result<BTreeSet<Topic>, CallError> {
    accounts.iter().map(|account| account_number(account).map(Topic::Account)).collect()
}

/// The topics of contracts.
#[must_use]
pub fn contract_topics(contracts: &[ContractId]) -> BTreeSet<Topic> {
    contracts.iter().cloned().map(Topic::Contract).collect()
}

/// What is to be done, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send this text.
    Send(String),
    /// Tell this.
    Tell(Signal),
}

/// Why the connection must be given up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The connection itself ended.
    #[error(transparent)]
    Dead(#[from] Dead),
    /// A subscription was refused.
    #[error("{call} was refused: {error}")]
    Refused {
        /// Which call.
        call: String,
        /// The hub's words.
        error: String,
    },
    /// A subscription was not confirmed in time.
    #[error("{call} was not confirmed within {} s", CONFIRM_TIMEOUT.as_secs())]
    Unconfirmed {
        /// Which call.
        call: String,
    },
    /// The session was ended from elsewhere.
    #[error("logged out by the platform, as after a login elsewhere")]
    LoggedOut,
}

/// One hub connection.
#[derive(Clone, Debug)]
pub struct Hub {
    which: Which,
    wanted: BTreeSet<Topic>,
    subscribed: BTreeSet<Topic>,
    connection: Connection,
    normaliser: Normaliser,
    pending: BTreeMap<String, Pending>,
    is_ready: bool,
    is_up: bool,
}

/// A call that is not completed yet.
#[derive(Clone, Debug)]
struct Pending {
    call: String,
    until: Instant,
    /// An unsubscription may fail without harm.
    is_needed: bool,
}

impl Hub {
    /// A connection whose socket is open.
    pub fn open(which: Which, wanted: BTreeSet<Topic>, now: Instant, out: &mut Vec<Effect>) -> Self {
        let (connection, hello) = Connection::open(now);
        out.push(Effect::Send(hello.to_string()));
        Self {
            which,
            wanted,
            subscribed: BTreeSet::new(),
            connection,
            normaliser: Normaliser::default(),
            pending: BTreeMap::new(),
            is_ready: false,
            is_up: false,
        }
    }

    /// Everything wanted is confirmed.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// A text frame has arrived.
    ///
    /// # Errors
    /// The connection must be given up; the effects before that stand.
    pub fn receive(&mut self, frame: &str, now: Instant, out: &mut Vec<Effect>) -> Result<(), Lost> {
        for heard in self.connection.receive(frame, now) {
            match heard {
                Heard::Ready => {
                    self.is_ready = true;
                    self.subscribe_all(now, out);
                }
                Heard::Event { target, arguments, raw } => self.event(&target, &arguments, raw, out)?,
                Heard::Completed { invocation, error } => self.completed(&invocation, error)?,
                Heard::Unreadable { why, raw } => out.push(Effect::Tell(Signal::Malformed(Malformed {
                    flaw: Flaw::Unreadable,
                    what: "hub message".into(),
                    why,
                    account: None,
                    raw: masked(raw),
                }))),
                Heard::Ended(dead) => return Err(dead.into()),
            }
        }
        self.come_up(out);
        Ok(())
    }

    /// Other topics are wanted from now on. Says again that the hub is up once they are confirmed.
    pub fn want(&mut self, wanted: BTreeSet<Topic>, now: Instant, out: &mut Vec<Effect>) {
        if wanted == self.wanted {
            return;
        }
        self.wanted = wanted;
        self.is_up = false;
        if self.is_ready {
            self.subscribe_changes(now, out);
            self.come_up(out);
        }
    }

    /// The broker's state is being queried, or was: see [`Normaliser::forget`].
    pub fn forget(&mut self) {
        self.normaliser.forget();
    }

    /// Sends a sign of life now, so that a dead socket shows itself.
    pub fn ping(&mut self, now: Instant, out: &mut Vec<Effect>) {
        out.extend(self.connection.ping(now).map(Effect::Send));
    }

    /// When [`Hub::tick`] is next due.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let confirmation = self.pending.values().map(|pending| pending.until).min();
        confirmation.map_or(self.connection.deadline(), |at| at.min(self.connection.deadline()))
    }

    /// Time has passed.
    ///
    /// # Errors
    /// Something was due and did not come: the connection must be given up.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Effect>) -> Result<(), Lost> {
        out.extend(self.connection.tick(now)?.map(Effect::Send));
        match self.pending.values().find(|pending| now >= pending.until) {
            Some(late) => Err(Lost::Unconfirmed { call: late.call.clone() }),
            None => Ok(()),
        }
    }

    fn subscribe_all(&mut self, now: Instant, out: &mut Vec<Effect>) {
        match self.which {
            // Covers all accounts of the login (gateway reference 7).
            Which::User => self.call("SubscribeAccounts", None, true, now, out),
            Which::Market => {}
        }
        self.subscribe_changes(now, out);
    }

    fn subscribe_changes(&mut self, now: Instant, out: &mut Vec<Effect>) {
        let dropped: Vec<Topic> = self.subscribed.difference(&self.wanted).cloned().collect();
        let added: Vec<Topic> = self.wanted.difference(&self.subscribed).cloned().collect();
        for topic in &dropped {
            for stream in streams(topic) {
                self.call(&format!("Unsubscribe{stream}"), Some(topic), false, now, out);
            }
        }
        for topic in &added {
            for stream in streams(topic) {
                self.call(&format!("Subscribe{stream}"), Some(topic), true, now, out);
            }
        }
        self.subscribed = self.wanted.clone();
    }

    fn call(
        &mut self,
        method: &str,
        topic: Option<&Topic>,
        is_needed: bool,
        now: Instant,
        out: &mut Vec<Effect>,
    ) {
        let argument = topic.map(|topic| match topic {
            Topic::Account(number) => Value::from(*number),
            Topic::Contract(contract) => Value::from(contract.as_str()),
        });
        let call = format!("{method}({})", argument.as_ref().map(Value::to_string).unwrap_or_default());
        tracing::debug!(hub = ?self.which, call, "invoked");
        let (invocation, text) = self.connection.invoke(method, argument.into_iter().collect(), now);
        self.pending.insert(invocation, Pending { call, until: now + CONFIRM_TIMEOUT, is_needed });
        out.push(Effect::Send(text));
    }

    fn completed(&mut self, invocation: &str, error: Option<String>) -> Result<(), Lost> {
        let pending = self.pending.remove(invocation);
        if let Some(Pending { call, .. }) = &pending {
            tracing::debug!(hub = ?self.which, call, refused = error.as_deref().map(masked), "answered");
        }
        match (pending, error) {
            (Some(Pending { call, is_needed: true, .. }), Some(error)) => Err(Lost::Refused { call, error }),
            (Some(Pending { call, is_needed: false, .. }), Some(error)) => {
                tracing::warn!(call, error, "an unsubscription was refused");
                Ok(())
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    fn event(
        &mut self,
        target: &str,
        arguments: &[Value],
        raw: &str,
        out: &mut Vec<Effect>,
    ) -> Result<(), Lost> {
        for said in self.normaliser.hear(target, arguments, raw) {
            match said {
                // One that was on its way when its contract was given up.
                Said::Fact(Event::Quote(quote)) if !self.wants_quotes_of(&quote.contract) => {}
                Said::Fact(event) => out.push(Effect::Tell(Signal::Event(event))),
                Said::Repeated => out.push(Effect::Tell(Signal::Inbox(Inbox::Repeated))),
                Said::Malformed(report) => out.push(Effect::Tell(Signal::Malformed(report))),
                Said::SessionEnded => return Err(Lost::LoggedOut),
            }
        }
        Ok(())
    }

    fn wants_quotes_of(&self, contract: &ContractId) -> bool {
        self.wanted.contains(&Topic::Contract(contract.clone()))
    }

    /// A user hub without accounts is not up yet: it would be taken for one that tells of them.
    fn come_up(&mut self, out: &mut Vec<Effect>) {
        let tells_enough = self.which == Which::Market || !self.wanted.is_empty();
        if self.is_ready && !self.is_up && self.pending.is_empty() && tells_enough {
            self.is_up = true;
            out.push(Effect::Tell(Signal::Link(self.which.up())));
        }
    }
}

impl Which {
    /// Connected, everything wanted is confirmed.
    #[must_use]
    pub fn up(self) -> Link {
        match self {
            Self::User => Link::UserUp,
            Self::Market => Link::MarketUp,
        }
    }

    /// Not, or no longer.
    #[must_use]
    pub fn down(self, why: String) -> Link {
        match self {
            Self::User => Link::UserDown { why },
            Self::Market => Link::MarketDown { why },
        }
    }
}

fn streams(topic: &Topic) -> &'static [&'static str] {
    match topic {
        Topic::Account(_) => &["Orders", "Positions", "Trades"],
        Topic::Contract(_) => &["ContractQuotes"],
    }
}

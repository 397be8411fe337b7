//! The two SignalR hubs: negotiation, connections, timers and delivery to subscribers (gateway
//! reference 6 to 8). What is sent is decided elsewhere.

pub(super) mod connection;
mod invoke;
mod negotiate;
mod speak;

use std::{collections::BTreeMap, sync::Arc};

use domain::Instant;

pub use connection::{CLIENT_MESSAGE_LIMIT, ConnectionId, Frame, OUTGOING_LIMIT};
use connection::{Connection, Due, Phase};
use negotiate::Negotiated;

use super::{auth::SessionNumber, catalogue::ContractIndex};

/// Connections open at once; more are refused with 503.
pub const CONNECTIONS_LIMIT: usize = 1_000;

/// One of the two hubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hub {
    /// Accounts, orders, positions, trades.
    User,
    /// Quotes, prints, depth.
    Market,
}

/// What a connection can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Accounts,
    Orders(i64),
    Positions(i64),
    Trades(i64),
    Quotes(ContractIndex),
    Prints(ContractIndex),
    Depth(ContractIndex),
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Hubs {
    connections: BTreeMap<ConnectionId, Connection>,
    negotiated: BTreeMap<String, Negotiated>,
    opened: u64,
    silent_until: BTreeMap<Hub, Instant>,
}

impl Hub {
    /// The path of the hub.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::User => "/hubs/user",
            Self::Market => "/hubs/market",
        }
    }
}

impl Topic {
    pub(super) const fn hub(self) -> Hub {
        match self {
            Self::Accounts | Self::Orders(_) | Self::Positions(_) | Self::Trades(_) => Hub::User,
            Self::Quotes(_) | Self::Prints(_) | Self::Depth(_) => Hub::Market,
        }
    }
}

impl Hubs {
    fn add(&mut self, connection: Connection) -> ConnectionId {
        self.opened += 1;
        let id = ConnectionId(self.opened);
        self.connections.insert(id, connection);
        id
    }

    fn get(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    /// Whether anybody would get an event of this topic.
    pub(super) fn listening(&self, topic: Topic) -> bool {
        !self.is_silent(topic.hub()) && self.connections.values().any(|one| one.topics.contains(&topic))
    }

    pub(super) fn subscribers(&mut self, topic: Topic) -> impl Iterator<Item = &mut Connection> {
        let silent = self.is_silent(topic.hub());
        self.connections.values_mut().filter(move |one| !silent && one.topics.contains(&topic))
    }

    pub(super) fn of_hub(&mut self, hub: Hub) -> impl Iterator<Item = &mut Connection> {
        self.connections.values_mut().filter(move |one| one.hub == hub)
    }

    /// Connections that have shaken hands.
    pub(super) fn ready_of_hub(&mut self, hub: Hub) -> impl Iterator<Item = &mut Connection> {
        self.of_hub(hub).filter(|one| one.phase == Phase::Ready)
    }

    /// Connections of a session that have shaken hands, on a hub that speaks.
    pub(super) fn ready_of_session(&self, session: SessionNumber) -> Vec<ConnectionId> {
        let ready = |one: &Connection| one.session == session && one.phase == Phase::Ready;
        self.connections
            .iter()
            .filter(|(_, one)| ready(one) && !self.is_silent(one.hub))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Queues a record for one connection and returns whose it is.
    pub(super) fn send_to(
        &mut self,
        id: ConnectionId,
        now: Instant,
        text: Arc<str>,
    ) -> Option<SessionNumber> {
        let connection = self.get(id)?;
        connection.send(now, text);
        Some(connection.session)
    }

    pub(super) fn is_silent(&self, hub: Hub) -> bool {
        self.silent_until.contains_key(&hub)
    }

    /// The frames that wait; a connection whose last frame is taken is forgotten.
    pub(super) fn take(&mut self, id: ConnectionId) -> Vec<Frame> {
        let frames = self.get(id).map(Connection::take).unwrap_or_default();
        if matches!(frames.last(), Some(Frame::Close | Frame::Reset)) {
            self.connections.remove(&id);
        }
        frames
    }

    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Connections for which frames wait.
    pub(super) fn ready(&self) -> Vec<ConnectionId> {
        self.connections.iter().filter(|(_, one)| one.has_outgoing()).map(|(id, _)| *id).collect()
    }

    /// The first timer that comes due on a hub that speaks.
    pub(super) fn next_due(&self) -> Option<(Instant, ConnectionId, Due)> {
        self.connections
            .iter()
            .filter(|(_, one)| !self.is_silent(one.hub))
            .filter_map(|(id, one)| one.next_due().map(|(at, due)| (at, *id, due)))
            .min_by_key(|(at, id, _)| (*at, *id))
    }

    pub(super) fn silence(&mut self, hub: Hub, until: Instant) {
        self.silent_until.insert(hub, until);
    }

    /// Ends a silence that is over at `now`; says whether it did.
    fn speak_again(&mut self, hub: Hub, now: Instant) -> bool {
        let over = self.silent_until.get(&hub).is_some_and(|until| *until <= now);
        if over {
            self.silent_until.remove(&hub);
        }
        over
    }
}

/// A record as it is queued.
fn record(message: &projectx::wire::signalr::Message) -> Arc<str> {
    message.to_record().into()
}

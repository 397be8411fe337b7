//! One hub connection: its phase, its subscriptions and what waits to be sent. Knows no accounts and no
//! prices; subscriptions die with it.

use std::{collections::BTreeSet, collections::VecDeque, sync::Arc};

use chrono::TimeDelta;
use domain::Instant;
use projectx::wire::signalr::{HANDSHAKE_SECONDS, KEEP_ALIVE_SECONDS, Message, TIMEOUT_SECONDS};

use super::{Hub, Topic};
use crate::gateway::auth::SessionNumber;

/// Largest message taken from a client, in bytes (gateway reference 6.5).
pub const CLIENT_MESSAGE_LIMIT: usize = 32 * 1024;

/// Frames that may wait for a reader; a connection that is slower is reset.
pub const OUTGOING_LIMIT: usize = 10_000;

/// Names a connection; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(super) u64);

/// What a socket is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Send a text frame: one record.
    Text(Arc<str>),
    /// Close the socket in order.
    Close,
    /// End the socket without a word.
    Reset,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Phase {
    /// Waits for the handshake.
    Greeting,
    /// Talks.
    Ready,
    /// Its last frame waits to be taken.
    Ended,
}

/// What the clock asks of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Due {
    /// A sign of life.
    Ping,
    /// The client was silent for too long.
    ClientTimeout,
    /// The client never shook hands.
    HandshakeTimeout,
}

#[derive(Debug)]
pub(in crate::gateway) struct Connection {
    pub hub: Hub,
    pub session: SessionNumber,
    pub phase: Phase,
    /// The `id` of its connect URL, when it was negotiated.
    pub negotiated: Option<String>,
    pub topics: BTreeSet<Topic>,
    /// Received and not yet processed.
    pub inbox: String,
    outgoing: VecDeque<Frame>,
    opened: Instant,
    sent: Instant,
    heard: Instant,
}

impl Connection {
    pub(super) fn new(hub: Hub, session: SessionNumber, negotiated: Option<String>, now: Instant) -> Self {
        Self {
            hub,
            session,
            phase: Phase::Greeting,
            negotiated,
            topics: BTreeSet::new(),
            inbox: String::new(),
            outgoing: VecDeque::new(),
            opened: now,
            sent: now,
            heard: now,
        }
    }

    /// Queues a record.
    pub(in crate::gateway) fn send(&mut self, now: Instant, record: Arc<str>) {
        if self.phase == Phase::Ended {
            return;
        }
        if self.outgoing.len() >= OUTGOING_LIMIT {
            self.end(Frame::Reset);
            return;
        }
        self.sent = now;
        self.outgoing.push_back(Frame::Text(record));
    }

    /// Queues the last frame; a reset throws away what was waiting.
    pub(in crate::gateway) fn end(&mut self, last: Frame) {
        if self.phase == Phase::Ended {
            return;
        }
        if last == Frame::Reset {
            self.outgoing.clear();
        }
        self.outgoing.push_back(last);
        self.phase = Phase::Ended;
        self.topics.clear();
    }

    /// Ends with a SignalR Close before the socket's.
    pub(in crate::gateway) fn close(&mut self, now: Instant, error: Option<&str>, allow_reconnect: bool) {
        let close = Message {
            kind: projectx::wire::signalr::kind::CLOSE,
            error: error.map(str::to_string),
            allow_reconnect: allow_reconnect.then_some(true),
            ..Message::default()
        };
        self.send(now, close.to_record().into());
        self.end(Frame::Close);
    }

    pub(in crate::gateway) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// All timers start anew: the hub itself was silent.
    pub(in crate::gateway) fn restart_timers(&mut self, now: Instant) {
        (self.opened, self.sent, self.heard) = (now, now, now);
    }

    pub(super) fn take(&mut self) -> Vec<Frame> {
        self.outgoing.drain(..).collect()
    }

    pub(super) fn has_outgoing(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// What comes due next, and when.
    pub(in crate::gateway) fn next_due(&self) -> Option<(Instant, Due)> {
        let after = |since: Instant, seconds: u64| {
            since + TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1_000))
        };
        match self.phase {
            Phase::Greeting => Some((after(self.opened, HANDSHAKE_SECONDS), Due::HandshakeTimeout)),
            Phase::Ready => {
                let ping = (after(self.sent, KEEP_ALIVE_SECONDS), Due::Ping);
                let timeout = (after(self.heard, TIMEOUT_SECONDS), Due::ClientTimeout);
                Some(if timeout.0 <= ping.0 { timeout } else { ping })
            }
            Phase::Ended => None,
        }
    }
}

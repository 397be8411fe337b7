//! What a client says on a connection: handshake, records, pings, close; and what the clock makes of
//! it (gateway reference 6.3 to 6.6).

use projectx::wire::signalr::{HandshakeResponse, Message, RECORD_SEPARATOR, kind};
use serde::Deserialize;

use super::{
    CLIENT_MESSAGE_LIMIT, Hub,
    connection::{Connection, ConnectionId, Due, Frame, Phase},
    record,
};
use crate::gateway::{Gateway, HubChoice, HubEnd, Instant, schedule::Task};

/// Text of a forced close, as seen from TopstepX (gateway reference 6.6).
pub(in crate::gateway) const FORCED_CLOSE: &str = "Connection closed with an error.";

/// First record of a client.
#[derive(Deserialize)]
struct Handshake {
    protocol: String,
    version: i64,
}

impl Gateway {
    /// Takes what a client sent in one message; it may hold several records or a part of one.
    pub fn receive(&mut self, now: Instant, id: ConnectionId, text: &str) {
        self.run_until(now);
        let now = self.now;
        let Some(connection) = self.hubs.get(id) else { return };
        connection.heard(now);
        connection.inbox.push_str(text);
        let hub = connection.hub;
        if !self.hubs.is_silent(hub) {
            self.read_inbox(id);
        }
        if let Some(connection) = self.hubs.get(id)
            && connection.inbox.len() > CLIENT_MESSAGE_LIMIT
        {
            connection.inbox.clear();
            connection.close(now, Some(FORCED_CLOSE), false);
        }
    }

    fn read_inbox(&mut self, id: ConnectionId) {
        while let Some(connection) = self.hubs.get(id) {
            let Some(end) = connection.inbox.find(RECORD_SEPARATOR) else { return };
            let rest = connection.inbox.split_off(end + RECORD_SEPARATOR.len_utf8());
            let mut text = std::mem::replace(&mut connection.inbox, rest);
            text.truncate(end);
            if text.is_empty() {
                continue;
            }
            match connection.phase {
                Phase::Greeting => connection.greet(self.now, &text),
                Phase::Ready => self.read_record(id, &text),
                Phase::Ended => connection.inbox.clear(),
            }
        }
    }

    fn read_record(&mut self, id: ConnectionId, text: &str) {
        let now = self.now;
        let message = serde_json::from_str::<Message>(text).ok().filter(is_whole);
        let Some(connection) = self.hubs.get(id) else { return };
        let Some(message) = message.filter(|_| text.len() <= CLIENT_MESSAGE_LIMIT) else {
            connection.close(now, Some(FORCED_CLOSE), false);
            return;
        };
        match message.kind {
            kind::INVOCATION => self.invoke(id, message),
            kind::STREAM_INVOCATION => connection.refuse_stream(now, message),
            kind::CLOSE => connection.end(Frame::Close),
            _ => {}
        }
    }

    /// What is due on a connection.
    pub(in crate::gateway) fn tend(&mut self, id: ConnectionId, due: Due) {
        let now = self.now;
        let Some(connection) = self.hubs.get(id) else { return };
        match due {
            Due::Ping => connection.send(now, record(&Message::ping())),
            Due::ClientTimeout => connection.close(now, None, true),
            Due::HandshakeTimeout => connection.refuse_handshake(now, "Handshake was canceled.".to_string()),
        }
    }

    pub(in crate::gateway) fn drop_hub(&mut self, choice: HubChoice, how: HubEnd) {
        let now = self.now;
        for hub in choice.hubs() {
            for connection in self.hubs.of_hub(*hub) {
                match how {
                    HubEnd::Close => connection.close(now, Some(FORCED_CLOSE), true),
                    HubEnd::Reset => connection.end(Frame::Reset),
                }
            }
        }
    }

    pub(in crate::gateway) fn silence_hub(&mut self, hub: Hub, until: Instant) {
        self.hubs.silence(hub, until);
        self.schedule.plan(until, Task::SilenceOver(hub));
    }

    /// A hub speaks again: what clients said meanwhile is answered now.
    pub(in crate::gateway) fn end_silence(&mut self, hub: Hub) {
        if !self.hubs.speak_again(hub, self.now) {
            return;
        }
        let now = self.now;
        for connection in self.hubs.of_hub(hub) {
            connection.restart_timers(now);
        }
        let waiting: Vec<ConnectionId> = self.hubs.connections.keys().copied().collect();
        for id in waiting {
            self.read_inbox(id);
        }
    }
}

impl Connection {
    fn greet(&mut self, now: Instant, text: &str) {
        match serde_json::from_str::<Handshake>(text) {
            Ok(handshake) if handshake.protocol != "json" => {
                self.refuse_handshake(
                    now,
                    format!("Requested protocol '{}' is not available.", handshake.protocol),
                );
            }
            Ok(handshake) if handshake.version != 1 => {
                let version = handshake.version;
                self.refuse_handshake(
                    now,
                    format!("The server does not support version {version} of the 'json' protocol."),
                );
            }
            Ok(_) => {
                self.phase = Phase::Ready;
                self.send(now, format!("{{}}{RECORD_SEPARATOR}").into());
            }
            Err(_) => self.refuse_handshake(
                now,
                "An unexpected error occurred during connection handshake.".to_string(),
            ),
        }
    }

    fn refuse_handshake(&mut self, now: Instant, error: String) {
        let answer = serde_json::to_string(&HandshakeResponse { error: Some(error) }).unwrap_or_default();
        self.send(now, format!("{answer}{RECORD_SEPARATOR}").into());
        self.end(Frame::Close);
    }

    fn refuse_stream(&mut self, now: Instant, message: Message) {
        let target = message.target.unwrap_or_default();
        let error = format!(
            "The client attempted to invoke the non-streaming '{target}' method with a streaming invocation."
        );
        self.complete(now, message.invocation_id, Err(error));
    }

    /// Answers a call; without an id the call is fire-and-forget and gets no answer.
    pub(super) fn complete(&mut self, now: Instant, call: Option<String>, outcome: Result<(), String>) {
        if call.is_none() {
            return;
        }
        let (result, error) = match outcome {
            Ok(()) => (Some(serde_json::Value::Null), None),
            Err(error) => (None, Some(error)),
        };
        let completion =
            Message { kind: kind::COMPLETION, invocation_id: call, result, error, ..Message::default() };
        self.send(now, record(&completion));
    }
}

/// Whether an invocation has the members that the protocol demands.
fn is_whole(message: &Message) -> bool {
    let called = message.target.is_some() && message.arguments.is_some();
    match message.kind {
        kind::INVOCATION => called,
        kind::STREAM_INVOCATION => called && message.invocation_id.is_some(),
        _ => true,
    }
}

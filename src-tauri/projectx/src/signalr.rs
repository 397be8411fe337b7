//! One SignalR connection as a state machine (gateway reference 6.3 to 6.6): text frames and the time in,
//! texts to send and messages out. Opens no socket, reads no clock, knows no hub method.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    mask::masked,
    wire::signalr::{
        HANDSHAKE, HANDSHAKE_SECONDS, HandshakeResponse, KEEP_ALIVE_SECONDS, Message, TIMEOUT_SECONDS, kind,
        records,
    },
};

/// Not having sent anything for so long calls for a ping.
pub const KEEP_ALIVE: Duration = Duration::from_secs(KEEP_ALIVE_SECONDS);

/// Not having heard anything for so long means that the server is dead.
pub const SERVER_TIMEOUT: Duration = Duration::from_secs(TIMEOUT_SECONDS);

/// How long the server may take to answer the handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(HANDSHAKE_SECONDS);

/// Why a connection is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dead {
    /// The server said so.
    #[error("closed by the server{}", .error.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Closed {
        /// Its words.
        error: Option<String>,
        /// Whether it invites to connect again.
        may_reconnect: bool,
    },
    /// The handshake was answered with an error, or with something else.
    #[error("handshake refused: {0}")]
    Refused(String),
    /// The handshake was not answered in time.
    #[error("no handshake within {} s", HANDSHAKE_SECONDS)]
    NoHandshake,
    /// Nothing was heard for too long.
    #[error("nothing heard for {} s", TIMEOUT_SECONDS)]
    Silent,
}

/// What the server said.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard<'f> {
    /// The handshake is done; calls may be sent.
    Ready,
    /// An event.
    Event {
        /// Its name.
        target: String,
        /// Its content.
        arguments: Vec<Value>,
        /// The record as it arrived.
        raw: &'f str,
    },
    /// A call of ours ended.
    Completed {
        /// Which.
        invocation: String,
        /// Why it failed.
        error: Option<String>,
    },
    /// A record that is no message. The connection goes on.
    Unreadable {
        /// What is wrong.
        why: String,
        /// The record as it arrived.
        raw: &'f str,
    },
    /// The connection ended; nothing follows.
    Ended(Dead),
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Connection {
    is_ready: bool,
    next_invocation: u64,
    heard_at: Instant,
    sent_at: Instant,
}

impl Connection {
    /// A connection whose socket is open, and the text to send first.
    #[must_use]
    pub fn open(now: Instant) -> (Self, &'static str) {
        (Self { is_ready: false, next_invocation: 0, heard_at: now, sent_at: now }, HANDSHAKE)
    }

    /// A text frame has arrived.
    pub fn receive<'f>(&mut self, frame: &'f str, now: Instant) -> Vec<Heard<'f>> {
        self.heard_at = now;
        let mut heard = Vec::new();
        for record in records(frame) {
            let said = if self.is_ready { message(record) } else { Some(self.handshake(record)) };
            let has_ended = matches!(said, Some(Heard::Ended(_)));
            heard.extend(said);
            if has_ended {
                break;
            }
        }
        heard
    }

    /// A call that asks for a completion: its id, and the text to send. Only once [`Heard::Ready`].
    pub fn invoke(&mut self, target: &str, arguments: Vec<Value>, now: Instant) -> (String, String) {
        let invocation = self.next_invocation.to_string();
        self.next_invocation += 1;
        self.sent_at = now;
        let text = Message::invocation(Some(invocation.clone()), target, arguments).to_record();
        (invocation, text)
    }

    /// A sign of life to send now, whether one is due or not. `None` before the handshake is done:
    /// nothing else may be sent then.
    pub fn ping(&mut self, now: Instant) -> Option<String> {
        self.is_ready.then(|| {
            self.sent_at = now;
            Message::ping().to_record()
        })
    }

    /// When [`Connection::tick`] is next due.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        if self.is_ready {
            (self.heard_at + SERVER_TIMEOUT).min(self.sent_at + KEEP_ALIVE)
        } else {
            self.sent_at + HANDSHAKE_TIMEOUT
        }
    }

    /// Time has passed: a ping to send, if one is due.
    ///
    /// # Errors
    /// The server has been silent for too long.
    pub fn tick(&mut self, now: Instant) -> Result<Option<String>, Dead> {
        if !self.is_ready {
            let is_late = now >= self.sent_at + HANDSHAKE_TIMEOUT;
            return if is_late { Err(Dead::NoHandshake) } else { Ok(None) };
        }
        if now >= self.heard_at + SERVER_TIMEOUT {
            return Err(Dead::Silent);
        }
        Ok(if now >= self.sent_at + KEEP_ALIVE { self.ping(now) } else { None })
    }

    fn handshake<'f>(&mut self, record: &'f str) -> Heard<'f> {
        match serde_json::from_str::<HandshakeResponse>(record) {
            Ok(HandshakeResponse { error: None }) => {
                self.is_ready = true;
                Heard::Ready
            }
            Ok(HandshakeResponse { error: Some(error) }) => Heard::Ended(Dead::Refused(masked(&error))),
            Err(error) => Heard::Ended(Dead::Refused(format!("{error} in {}", masked(record)))),
        }
    }
}

/// `None` for pings and for message types that are not used here, which implementations ignore.
fn message(record: &str) -> Option<Heard<'_>> {
    let message = match serde_json::from_str::<Message>(record) {
        Ok(message) => message,
        Err(error) => return Some(Heard::Unreadable { why: masked(&error.to_string()), raw: record }),
    };
    let missing =
        |member: &str| Some(Heard::Unreadable { why: format!("a message without `{member}`"), raw: record });
    match message.kind {
        kind::INVOCATION => match message.target {
            Some(target) => {
                Some(Heard::Event { target, arguments: message.arguments.unwrap_or_default(), raw: record })
            }
            None => missing("target"),
        },
        kind::COMPLETION => match message.invocation_id {
            Some(invocation) => {
                Some(Heard::Completed { invocation, error: message.error.map(|text| masked(&text)) })
            }
            None => missing("invocationId"),
        },
        kind::CLOSE => Some(Heard::Ended(Dead::Closed {
            error: message.error.map(|text| masked(&text)),
            may_reconnect: message.allow_reconnect.unwrap_or(false),
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected(now: Instant) -> Connection {
        let (mut connection, hello) = Connection::open(now);
        assert_eq!(hello, "{\"protocol\":\"json\",\"version\":1}\u{1e}");
        assert_eq!(connection.receive("{}\u{1e}", now), [Heard::Ready]);
        connection
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_answer_to_the_handshake_may_share_a_frame_with_events() {
        let now = Instant::now();
        let (mut connection, _) = Connection::open(now);
        let frame = "{}\u{1e}{\"type\":6}\u{1e}\u{1e}{\"type\":1,\"target\":\"T\",\"arguments\":[1]}\u{1e}";
        let heard = connection.receive(frame, now);
        assert_eq!(heard.len(), 2);
        assert!(
            matches!(&heard[1], Heard::Event { target, arguments, .. } if target == "T" && arguments.len() == 1)
        );
    }

    #[test]
    fn a_refused_missing_or_garbled_handshake_ends_the_connection() {
        let now = Instant::now();
        for answer in ["{\"error\":\"no such protocol\"}\u{1e}", "<html>\u{1e}"] {
            let (mut connection, _) = Connection::open(now);
            assert!(
                matches!(connection.receive(answer, now)[..], [Heard::Ended(Dead::Refused(_))]),
                "{answer}"
            );
        }
        let (mut connection, _) = Connection::open(now);
        assert_eq!(connection.ping(now), None);
        assert_eq!(connection.tick(connection.deadline() - SECOND), Ok(None));
        assert_eq!(connection.tick(connection.deadline()), Err(Dead::NoHandshake));
    }

    #[test]
    fn a_ping_goes_out_after_15_s_of_not_sending() {
        let start = Instant::now();
        let mut connection = connected(start);
        connection.receive("{\"type\":6}\u{1e}", start + 10 * SECOND);
        assert_eq!(connection.deadline(), start + 15 * SECOND);
        assert_eq!(connection.tick(start + 14 * SECOND), Ok(None));
        assert_eq!(connection.tick(start + 15 * SECOND), Ok(Some("{\"type\":6}\u{1e}".into())));
        connection.invoke("M", vec![], start + 20 * SECOND);
        assert_eq!(connection.tick(start + 34 * SECOND), Ok(None));
        assert!(connection.tick(start + 35 * SECOND).unwrap().is_some());
    }

    #[test]
    fn thirty_seconds_without_a_word_are_death_and_any_word_is_life() {
        let start = Instant::now();
        let mut connection = connected(start);
        connection.receive("{\"type\":6}\u{1e}", start + 29 * SECOND);
        assert!(connection.tick(start + 58 * SECOND).is_ok());
        assert_eq!(connection.tick(start + 59 * SECOND), Err(Dead::Silent));
    }

    #[test]
    fn calls_are_counted_and_completed_with_or_without_result() {
        let now = Instant::now();
        let mut connection = connected(now);
        let (first, text) = connection.invoke("SubscribeOrders", vec![7.into()], now);
        let (second, _) = connection.invoke("SubscribeTrades", vec![7.into()], now);
        assert_eq!((first.as_str(), second.as_str()), ("0", "1"));
        assert_eq!(
            text,
            "{\"type\":1,\"invocationId\":\"0\",\"target\":\"SubscribeOrders\",\"arguments\":[7]}\u{1e}"
        );
        let heard = connection.receive(
            "{\"type\":3,\"invocationId\":\"0\",\"result\":null}\u{1e}{\"type\":3,\"invocationId\":\"1\",\"error\":\"no\"}\u{1e}",
            now,
        );
        assert_eq!(
            heard,
            [
                Heard::Completed { invocation: "0".into(), error: None },
                Heard::Completed { invocation: "1".into(), error: Some("no".into()) },
            ]
        );
    }

    #[test]
    fn a_close_ends_the_connection_and_says_whether_to_return() {
        let now = Instant::now();
        let close = |text: &str| match connected(now).receive(text, now).as_slice() {
            [Heard::Ended(dead)] => dead.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            close(
                "{\"type\":7,\"error\":\"bye\",\"allowReconnect\":true}\u{1e}{\"type\":1,\"target\":\"T\"}\u{1e}"
            ),
            Dead::Closed { error: Some("bye".into()), may_reconnect: true }
        );
        assert_eq!(close("{\"type\":7}\u{1e}"), Dead::Closed { error: None, may_reconnect: false });
    }

    #[test]
    fn what_is_no_message_is_reported_and_the_rest_of_the_frame_read() {
        let now = Instant::now();
        let mut connection = connected(now);
        let frame = "nonsense\u{1e}{\"type\":1}\u{1e}{\"type\":3}\u{1e}{\"type\":99}\u{1e}{\"kind\":1}\u{1e}{\"type\":3,\"invocationId\":\"9\"}";
        let heard = connection.receive(frame, now);
        assert_eq!(heard.len(), 5);
        assert!(heard[..4].iter().all(|heard| matches!(heard, Heard::Unreadable { .. })));
        assert!(matches!(heard[4], Heard::Completed { .. }));
    }
}

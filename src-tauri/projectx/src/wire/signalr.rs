//! The SignalR JSON hub protocol: records, handshake, messages (gateway reference 6). No I/O.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Ends every record.
pub const RECORD_SEPARATOR: char = '\u{1e}';

/// First record of a client.
pub const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

/// Silence after which either side sends a ping, in seconds.
pub const KEEP_ALIVE_SECONDS: u64 = 15;

/// Silence after which either side holds the other for dead, in seconds.
pub const TIMEOUT_SECONDS: u64 = 30;

/// How long either side waits for the handshake, in seconds.
pub const HANDSHAKE_SECONDS: u64 = 15;

/// Message types.
#[allow(missing_docs, reason = "named as in the protocol's own table")]
pub mod kind {
    pub const INVOCATION: i64 = 1;
    pub const STREAM_ITEM: i64 = 2;
    pub const COMPLETION: i64 = 3;
    pub const STREAM_INVOCATION: i64 = 4;
    pub const CANCEL_INVOCATION: i64 = 5;
    pub const PING: i64 = 6;
    pub const CLOSE: i64 = 7;
}

/// Any message; which members are set depends on its type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named as in the protocol's own table")]
pub struct Message {
    #[serde(rename = "type")]
    pub kind: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_reconnect: Option<bool>,
}

/// Answer to the handshake; empty when accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "named as in the protocol's own table")]
pub struct HandshakeResponse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The records of a text frame; empty pieces are left out.
pub fn records(frame: &str) -> impl Iterator<Item = &str> {
    frame.split(RECORD_SEPARATOR).filter(|record| !record.is_empty())
}

impl Message {
    /// A call, or an event when `invocation_id` is `None`.
    #[must_use]
    pub fn invocation(invocation_id: Option<String>, target: &str, arguments: Vec<Value>) -> Self {
        Self {
            kind: kind::INVOCATION,
            invocation_id,
            target: Some(target.to_string()),
            arguments: Some(arguments),
            ..Self::default()
        }
    }

    /// A sign of life.
    #[must_use]
    pub fn ping() -> Self {
        Self { kind: kind::PING, ..Self::default() }
    }

    /// As one record.
    #[must_use]
    pub fn to_record(&self) -> String {
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push(RECORD_SEPARATOR);
        text
    }
}

//! What was received and what was pushed, in order, so that reactions can be timed from outside
//! (ruling 37). Never holds a key, a password or a token.

use std::{collections::VecDeque, sync::Arc};

use domain::Instant;
use serde::Serialize;
use serde_json::{Value, value::RawValue};

/// Whether a row came in or went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Received from a client: an HTTP request, a hub's upgrade, a hub invocation.
    Request,
    /// Pushed to a subscriber: one row per session.
    Event,
}

/// One row.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Number of the row, from 1, without gaps.
    pub seq: u64,
    /// Nanoseconds since the gateway's start; never decreases.
    pub at_ns: i64,
    /// Received or pushed.
    pub kind: Kind,
    /// Name of the token used (`s1` for the first login), `None` without a known token.
    pub session: Option<Arc<str>>,
    /// Of a request: the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Arc<str>>,
    /// Of an event or an invocation: the hub method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Arc<str>>,
    /// Body of a request, arguments of an event or invocation; null when there is none.
    pub body: Arc<RawValue>,
    /// Of an HTTP request: the status that answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// The rows kept; the oldest goes when the limit is reached.
#[derive(Debug)]
pub struct Journal {
    start: Instant,
    limit: usize,
    rows: VecDeque<Row>,
    written: u64,
}

/// What a row says beside its number and time.
#[derive(Debug)]
pub(super) struct Entry {
    pub kind: Kind,
    pub session: Option<Arc<str>>,
    pub path: Option<Arc<str>>,
    pub target: Option<Arc<str>>,
    pub body: Arc<RawValue>,
}

impl Journal {
    pub(super) fn new(start: Instant, limit: usize) -> Self {
        Self { start, limit: limit.max(1), rows: VecDeque::new(), written: 0 }
    }

    /// Rows with a number above `after`, oldest first.
    pub fn after(&self, after: u64) -> impl Iterator<Item = &Row> {
        let first = self.dropped() + 1;
        let skip = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.rows.iter().skip(skip)
    }

    /// How many rows were dropped because the limit was reached.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.written - self.rows.len() as u64
    }

    /// Adds a row and returns its number.
    pub(super) fn write(&mut self, now: Instant, entry: Entry) -> u64 {
        if self.rows.len() == self.limit {
            self.rows.pop_front();
        }
        self.written += 1;
        self.rows.push_back(Row {
            seq: self.written,
            at_ns: (now - self.start).num_nanoseconds().unwrap_or(i64::MAX),
            kind: entry.kind,
            session: entry.session,
            path: entry.path,
            target: entry.target,
            body: entry.body,
            status: None,
        });
        self.written
    }

    /// Says how a request was answered and, for a login, which session it began.
    pub(super) fn answered(&mut self, seq: u64, status: u16, session: Option<Arc<str>>) {
        let index = seq.checked_sub(self.dropped() + 1).and_then(|index| usize::try_from(index).ok());
        if let Some(row) = index.and_then(|index| self.rows.get_mut(index)) {
            row.status = Some(status);
            row.session = session.or_else(|| row.session.take());
        }
    }
}

/// A body as it may be kept: secrets blotted out, text that is no JSON as a JSON string.
pub(super) fn body(bytes: &[u8]) -> Arc<RawValue> {
    if bytes.is_empty() {
        return raw(&Value::Null);
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            blot(&mut value);
            raw(&value)
        }
        Err(_) => raw(&Value::String(String::from_utf8_lossy(bytes).into_owned())),
    }
}

/// A value as kept JSON text.
pub(super) fn raw(value: &Value) -> Arc<RawValue> {
    serde_json::value::to_raw_value(value).map_or_else(|_| Arc::from(RawValue::NULL.to_owned()), Arc::from)
}

fn blot(value: &mut Value) {
    const SECRETS: [&str; 3] = ["apiKey", "password", "verifyKey"];
    for secret in SECRETS {
        if let Some(member) = value.get_mut(secret) {
            *member = Value::String("***".to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry {
        Entry {
            kind: Kind::Request,
            session: None,
            path: Some(path.into()),
            target: None,
            body: body(br#"{"apiKey":"secret","userName":"a"}"#),
        }
    }

    #[test]
    fn a_full_journal_drops_its_oldest_rows_and_counts_them() {
        let start = "2026-06-10T14:00:00Z".parse().unwrap();
        let mut journal = Journal::new(start, 2);
        for path in ["/1", "/2", "/3"] {
            journal.write(start, entry(path));
        }
        journal.answered(1, 500, None);
        journal.answered(3, 200, Some("s1".into()));
        let rows: Vec<String> = journal.after(0).map(|row| serde_json::to_string(row).unwrap()).collect();
        let row = |seq: u64, session: &str, status: &str| {
            format!(
                r#"{{"seq":{seq},"at_ns":0,"kind":"request","session":{session},"path":"/{seq}","body":{{"apiKey":"***","userName":"a"}}{status}}}"#
            )
        };
        assert_eq!(rows, [row(2, "null", ""), row(3, "\"s1\"", ",\"status\":200")]);
        assert_eq!(journal.dropped(), 1);
        assert_eq!(journal.after(2).count(), 1);
        assert_eq!(journal.after(9).count(), 0);
    }
}

//! What the gateway received and pushed, in order.

use std::{collections::BTreeSet, fmt};

use serde::Deserialize;
use serde_json::Value;

use super::simulator::MARK;

/// The whole journal.
pub struct Journal(pub Vec<Row>);

/// One row.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub seq: u64,
    pub at_ns: u64,
    pub kind: String,
    pub session: Option<String>,
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub target: Option<String>,
    #[serde(default)]
    pub body: Value,
    #[serde(default)]
    pub status: Option<u16>,
}

impl Journal {
    pub fn read(rows: Value) -> Self {
        Self(serde_json::from_value(rows).unwrap())
    }

    /// The sessions of the trader: those that left their mark.
    fn traders(&self) -> BTreeSet<&str> {
        let marked = |row: &&Row| row.body["searchText"].as_str().is_some_and(|text| text.starts_with(MARK));
        self.0.iter().filter(marked).filter_map(|row| row.session.as_deref()).collect()
    }

    /// Requests of Risk Manager, hub calls included.
    pub fn requests(&self) -> Vec<&Row> {
        self.rows_of_engine().filter(|row| row.kind == "request").collect()
    }

    /// Everything that Risk Manager asked and was told.
    pub fn rows_of_engine(&self) -> impl Iterator<Item = &Row> {
        let traders = self.traders();
        self.0.iter().filter(move |row| row.session.as_deref().is_some_and(|it| !traders.contains(it)))
    }

    /// Requests of the trader.
    pub fn requests_of_trader(&self) -> Vec<&Row> {
        let traders = self.traders();
        let his = |row: &&Row| row.session.as_deref().is_some_and(|it| traders.contains(it));
        self.0.iter().filter(his).filter(|row| row.kind == "request").collect()
    }

    /// Close calls of Risk Manager, whole and partial.
    pub fn closes(&self) -> Vec<&Row> {
        self.requests().into_iter().filter(|row| row.is_close()).collect()
    }

    /// Requests of Risk Manager whose path ends so.
    pub fn to(&self, end: &str) -> Vec<&Row> {
        self.requests().into_iter().filter(|row| row.path.ends_with(end)).collect()
    }

    /// Number of the last row.
    pub fn last(&self) -> u64 {
        self.0.last().map_or(0, |row| row.seq)
    }
}

impl Row {
    /// Whether it asks to close a position, or a part of one.
    pub fn is_close(&self) -> bool {
        self.path.ends_with("/closeContract") || self.path.ends_with("/partialCloseContract")
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, at_ns, kind, session, path, target, body, status } = self;
        let milliseconds = *at_ns as f64 / 1e6;
        let session = session.as_deref().unwrap_or("-");
        let target = target.as_deref().unwrap_or_default();
        let status = status.map(|status| status.to_string()).unwrap_or_default();
        write!(f, "{seq:>5} {milliseconds:>12.3} {session:>3} {kind} {path} {target} {body} {status}")
    }
}

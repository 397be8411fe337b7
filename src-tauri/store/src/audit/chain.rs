//! The hash chain of `enforcement_history`, exactly enough that somebody else can check it.
//!
//! Rows are numbered by `id` without a gap, from 1 on. `prev_hash` of row 1 is 64 zeros; of every other
//! row it is `hash` of the row before. `hash` is the SHA-256, in lower-case hexadecimal, of these bytes:
//!
//! * the line `risk-manager audit 1` and a line feed (0x0A), then
//! * for each column of [`COLUMNS`], in that order, unless it is NULL in this row: the column's name, a
//!   colon, the length of the value in bytes as a decimal number, a colon, the value, a line feed.
//!
//! The value of an integer (booleans are 0 and 1) is its decimal number, of a text its UTF-8 bytes. Other
//! kinds of value do not occur. A column that a later schema adds goes to the end of the list; as it is
//! NULL in older rows, their hashes stay what they are.

use rusqlite::{
    Connection, OptionalExtension, params_from_iter,
    types::{Value, ValueRef},
};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

use crate::migrate::hex;

/// The columns under the hash: all but `hash` itself.
pub(crate) const COLUMNS: [&str; 33] = [
    "id",
    "timestamp",
    "account_id",
    "rule_name",
    "action_type",
    "reason",
    "position_id",
    "order_id",
    "success",
    "error_message",
    "kind",
    "enforcement_id",
    "intent_id",
    "outcome",
    "merged_rules",
    "cause_event_id",
    "contract_id",
    "priority",
    "deed",
    "breach",
    "value",
    "limit_value",
    "attempt",
    "latency_ms",
    "latency_us",
    "dry_run",
    "detected_at",
    "sent_at",
    "acknowledged_at",
    "confirmed_at",
    "overshoot",
    "done",
    "prev_hash",
];

const INTRODUCTION: &str = "risk-manager audit 1\n";

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places = vec!["?"; COLUMNS.len() + 1].join(", ");
    format!("INSERT INTO enforcement_history ({}, hash) VALUES ({places})", COLUMNS.join(", "))
});

/// A row of the chain: its number and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    /// Number of rows, which is the number of the last one.
    pub rows: i64,
    /// Its hash.
    pub hash: String,
}

impl Tip {
    /// Before the first row.
    pub(crate) fn origin() -> Self {
        Self { rows: 0, hash: "0".repeat(64) }
    }
}

/// The last row.
pub(crate) fn tip(db: &Connection) -> rusqlite::Result<Tip> {
    let last = db
        .prepare_cached("SELECT id, hash FROM enforcement_history ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok(Tip { rows: row.get(0)?, hash: row.get(1)? }))
        .optional()?;
    Ok(last.unwrap_or_else(Tip::origin))
}

/// Appends a row: `values` are those of [`COLUMNS`] between `id` and `prev_hash`. Returns its number.
pub(crate) fn append(db: &Connection, values: Vec<Value>) -> rusqlite::Result<i64> {
    let last = tip(db)?;
    let id = last.rows + 1;
    let mut row = Vec::with_capacity(COLUMNS.len() + 1);
    row.push(Value::Integer(id));
    row.extend(values);
    row.push(Value::Text(last.hash));
    let hash = hash_of(row.iter().map(ValueRef::from)).map_err(|column| {
        rusqlite::Error::ToSqlConversionFailure(format!("{column} is neither integer nor text").into())
    })?;
    row.push(Value::Text(hash));
    db.prepare_cached(&INSERT)?.execute(params_from_iter(row))?;
    Ok(id)
}

/// The hash of a row's values, in the order of [`COLUMNS`]; fails with the name of a column that holds
/// something else than an integer or a text.
pub(crate) fn hash_of<'a>(values: impl Iterator<Item = ValueRef<'a>>) -> Result<String, &'static str> {
    let mut digest = Sha256::new_with_prefix(INTRODUCTION);
    for (name, value) in COLUMNS.into_iter().zip(values) {
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(number) => add(&mut digest, name, number.to_string().as_bytes()),
            ValueRef::Text(text) => add(&mut digest, name, text),
            ValueRef::Real(_) | ValueRef::Blob(_) => return Err(name),
        }
    }
    Ok(hex(&digest.finalize()))
}

fn add(digest: &mut Sha256, name: &str, value: &[u8]) {
    digest.update(format!("{name}:{}:", value.len()));
    digest.update(value);
    digest.update("\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected hash was computed outside this program, from the description above.
    #[test]
    fn a_row_hashes_as_described() {
        let mut row = vec![Value::Null; COLUMNS.len()];
        row[0] = Value::Integer(1);
        row[1] = Value::Text("2026-03-02T14:30:00.000000Z".into());
        row[5] = Value::Text("loss −412.50 of −400.00".into());
        row[8] = Value::Integer(0);
        row[32] = Value::Text("0".repeat(64));
        let hash = hash_of(row.iter().map(ValueRef::from)).unwrap();
        assert_eq!(hash, "873ee56bd92f0a162539dd11260cdeb2f785f6b3784324b6ba45859e2c3f47da");
        row[9] = Value::Real(1.5);
        assert_eq!(hash_of(row.iter().map(ValueRef::from)), Err("error_message"));
    }
}

//! Checks the chain as [`super::chain`] describes it, and its end against the second place.
//!
//! Says exactly what is wrong and where; repairs nothing.

use domain::Instant;
use rusqlite::{Connection, OptionalExtension, Row, types::ValueRef};
use thiserror::Error;

use super::{
    chain::{COLUMNS, Tip, hash_of, tip},
    head::{Head, HeadFile},
};
use crate::{columns::At, error::ReadError};

const TABLE: &str = "enforcement_history";

/// A chain without fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// Number of rows.
    pub rows: i64,
    /// Hash of the last one; 64 zeros without rows.
    pub head: String,
    /// Where the store itself wrote down that rows before were lost or changed: the chain is whole since
    /// then, but these are not harmless.
    pub breaks: Vec<AuditBreak>,
}

/// A place at which the store found the audit broken, or the database lost, and said so in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// Number of that row.
    pub row: i64,
    /// When it was found.
    pub at: Instant,
    /// What was found.
    pub reason: String,
}

/// What is wrong with the chain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditFault {
    /// Rows are missing, or their numbers were changed.
    #[error("after row {} comes row {found}: row {expected} is missing", expected - 1)]
    Gap {
        /// The number that should have come.
        expected: i64,
        /// The number that came.
        found: i64,
    },
    /// A row does not belong behind the one before it.
    #[error("row {row}: prev_hash is not the hash of row {}", row - 1)]
    Unlinked {
        /// Its number.
        row: i64,
    },
    /// The contents of a row are not those that were hashed.
    #[error("row {row}: its contents do not give its hash; a column was changed")]
    Altered {
        /// Its number.
        row: i64,
    },
    /// A column holds a kind of value that is never written there.
    #[error("row {row}: {column} holds neither a number nor a text")]
    WrongKind {
        /// Its number.
        row: i64,
        /// Which column.
        column: &'static str,
    },
    /// The last rows are gone.
    #[error("the audit ends at row {rows}, but {expected} rows were written: the last ones are missing")]
    MissingTail {
        /// Rows found.
        rows: i64,
        /// Rows according to the second place.
        expected: i64,
    },
    /// The row at the head is another one.
    #[error("row {row} is not the row that the head file remembers: the end of the audit was replaced")]
    OtherHead {
        /// Its number.
        row: i64,
    },
    /// The second place is gone.
    #[error("the file audit.head is missing: cut-off rows could not be noticed")]
    HeadMissing,
    /// The second place cannot be read.
    #[error("the file audit.head cannot be read: {why}")]
    HeadDamaged {
        /// What is wrong.
        why: String,
    },
    /// The database could not be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
}

/// Checks every row and the head.
pub(crate) fn whole(db: &Connection, head: &HeadFile) -> Result<AuditCheck, AuditFault> {
    let head = told(head)?;
    let mut breaks = Vec::new();
    let end = walk(db, Tip::origin(), |row, tip| {
        if tip.rows == head.rows && tip.hash != head.hash {
            return Err(AuditFault::OtherHead { row: tip.rows });
        }
        breaks.extend(break_in(row, tip.rows).map_err(ReadError::of(TABLE))?);
        Ok(())
    })?;
    if end.rows < head.rows {
        return Err(AuditFault::MissingTail { rows: end.rows, expected: head.rows });
    }
    Ok(AuditCheck { rows: end.rows, head: end.hash, breaks })
}

/// Checks the head and the rows after it: quick enough for every start.
pub(crate) fn tail(db: &Connection, head: &HeadFile) -> Result<(), AuditFault> {
    let head = told(head)?;
    let rows = tip(db).map_err(ReadError::of(TABLE))?.rows;
    if rows < head.rows {
        return Err(AuditFault::MissingTail { rows, expected: head.rows });
    }
    let hash = db
        .query_row("SELECT hash FROM enforcement_history WHERE id = ?1", [head.rows], |row| row.get(0))
        .optional()
        .map_err(ReadError::of(TABLE))?
        .unwrap_or_else(|| Tip::origin().hash);
    if hash != head.hash {
        return Err(AuditFault::OtherHead { row: head.rows });
    }
    walk(db, Tip { rows: head.rows, hash }, |_, _| Ok(())).map(|_| ())
}

fn told(head: &HeadFile) -> Result<&Head, AuditFault> {
    match head {
        HeadFile::Missing => Err(AuditFault::HeadMissing),
        HeadFile::Damaged(why) => Err(AuditFault::HeadDamaged { why: why.clone() }),
        HeadFile::Says(head) => Ok(head),
    }
}

/// Goes through the rows behind `start`, in one snapshot, and hands each good one to `visit`.
fn walk(
    db: &Connection,
    start: Tip,
    mut visit: impl FnMut(&Row<'_>, &Tip) -> Result<(), AuditFault>,
) -> Result<Tip, AuditFault> {
    let failed = ReadError::of(TABLE);
    let sql = format!("SELECT {}, hash FROM {TABLE} WHERE id > ?1 ORDER BY id", COLUMNS.join(", "));
    let mut statement = db.prepare(&sql).map_err(&failed)?;
    let mut rows = statement.query([start.rows]).map_err(&failed)?;
    let mut last = start;
    while let Some(row) = rows.next().map_err(&failed)? {
        last = follow(row, &last)?;
        visit(row, &last)?;
    }
    Ok(last)
}

/// Checks one row against the one before it.
fn follow(row: &Row<'_>, before: &Tip) -> Result<Tip, AuditFault> {
    let values = (0..COLUMNS.len())
        .map(|column| row.get_ref(column))
        .collect::<rusqlite::Result<Vec<_>>>()
        .map_err(ReadError::of(TABLE))?;
    let found: i64 = row.get("id").map_err(ReadError::of(TABLE))?;
    let expected = before.rows + 1;
    if found != expected {
        return Err(AuditFault::Gap { expected, found });
    }
    if values.last() != Some(&ValueRef::Text(before.hash.as_bytes())) {
        return Err(AuditFault::Unlinked { row: found });
    }
    let hash = hash_of(values.into_iter()).map_err(|column| AuditFault::WrongKind { row: found, column })?;
    match row.get_ref("hash").map_err(ReadError::of(TABLE))? {
        ValueRef::Text(stored) if stored == hash.as_bytes() => Ok(Tip { rows: found, hash }),
        ValueRef::Text(_) | ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(AuditFault::Altered { row: found })
        }
    }
}

fn break_in(row: &Row<'_>, number: i64) -> rusqlite::Result<Option<AuditBreak>> {
    if row.get_ref("action_type")? != ValueRef::Text(b"recovery") {
        return Ok(None);
    }
    Ok(Some(AuditBreak { row: number, at: row.get::<_, At>("timestamp")?.0, reason: row.get("reason")? }))
}

//! Forward-only migrations: numbered scripts, each applied once, whole or not at all.
//!
//! Every database keeps the checksums of the scripts that made it, so that a file made by another build
//! under the same number is recognised instead of being misread.

use std::collections::BTreeSet;

use domain::Instant;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::columns::At;

/// One step from the schema before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    /// The schema it leads to: 1, 2, 3 …
    pub version: u32,
    /// What it does.
    pub sql: &'static str,
}

/// All schemas of this program, oldest first.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("schema/0001.sql") },
    Migration { version: 2, sql: include_str!("schema/0002.sql") },
    Migration { version: 3, sql: include_str!("schema/0003.sql") },
    Migration { version: 4, sql: include_str!("schema/0004.sql") },
    Migration { version: 5, sql: include_str!("schema/0005.sql") },
    Migration { version: 6, sql: include_str!("schema/0006.sql") },
    Migration { version: 7, sql: include_str!("schema/0007.sql") },
    Migration { version: 8, sql: include_str!("schema/0008.sql") },
    Migration { version: 9, sql: include_str!("schema/0009.sql") },
];

/// How a database stands to the migrations known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No tables at all.
    Empty,
    /// Made by a beginning of the list, up to this version.
    Known(u32),
    /// Newer than the list.
    Newer(u32),
    /// The script of this version was another one.
    Foreign(u32),
    /// It has tables, but no list of schemas that makes sense.
    Stranger,
}

/// Looks; changes nothing.
pub(crate) fn standing(db: &Connection, known: &[Migration]) -> rusqlite::Result<Standing> {
    if !table_exists(db, Some("schema_version"))? {
        return Ok(if table_exists(db, None)? { Standing::Stranger } else { Standing::Empty });
    }
    let mut rows = db.prepare("SELECT version, checksum FROM schema_version ORDER BY version")?;
    let applied = rows
        .query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    // Whatever else a later build writes there: its number says that it is not for this one.
    let marked = db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?;
    let highest = applied.iter().map(|(version, _)| *version).chain([marked]).max().unwrap_or(0);
    if highest > newest_of(known) {
        return Ok(Standing::Newer(highest));
    }
    let newest = u32::try_from(applied.len()).unwrap_or(u32::MAX);
    if newest == 0
        || !applied.iter().zip(1..).all(|((version, sum), place)| *version == place && is_checksum(sum))
    {
        return Ok(Standing::Stranger);
    }
    let expected = known.iter().map(|step| (step.version, checksum(step.sql)));
    let foreign = applied.iter().zip(expected).find(|(found, expected)| *found != expected);
    Ok(foreign.map_or(Standing::Known(newest), |((version, _), _)| Standing::Foreign(*version)))
}

/// Applies what is missing, in one transaction: whoever reads meanwhile sees the old schema or the newest,
/// none between them.
pub(crate) fn run(db: &mut Connection, known: &[Migration], from: u32, now: Instant) -> rusqlite::Result<()> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in known.iter().filter(|step| step.version > from) {
        change.execute_batch(step.sql)?;
        change.execute(
            "INSERT INTO schema_version (version, applied_at, checksum) VALUES (?1, ?2, ?3)",
            params![step.version, At(now), checksum(step.sql)],
        )?;
        change.pragma_update(None, "user_version", step.version)?;
    }
    change.commit()
}

/// The first table or index that a schema should have and the database has not, or has differently. More
/// than the schema's own is nobody's harm.
pub(crate) fn lost_object(
    db: &Connection,
    known: &[Migration],
    version: u32,
) -> rusqlite::Result<Option<String>> {
    let ideal = Connection::open_in_memory()?;
    for step in known.iter().filter(|step| step.version <= version) {
        ideal.execute_batch(step.sql)?;
    }
    let found = objects(db)?;
    Ok(objects(&ideal)?.into_iter().find(|object| !found.contains(object)).map(|(name, _)| name))
}

fn objects(db: &Connection) -> rusqlite::Result<BTreeSet<(String, Option<String>)>> {
    db.prepare("SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'index')")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The newest schema of a list.
pub(crate) fn newest_of(known: &[Migration]) -> u32 {
    known.last().map_or(0, |step| step.version)
}

/// SHA-256 of a script; line ends do not count, they depend on how the source was checked out.
fn checksum(sql: &str) -> String {
    hex(&Sha256::digest(sql.replace('\r', "")))
}

fn is_checksum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a table of this name, or any at all, exists.
fn table_exists(db: &Connection, name: Option<&str>) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = coalesce(?1, name) LIMIT 1";
    Ok(db.query_row(sql, [name], |_| Ok(())).optional()?.is_some())
}

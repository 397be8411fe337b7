//! The database file itself: how connections to it are set up, whether it is sound, and how it is put
//! aside when it is not.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::Instant;
use rusqlite::{Connection, OpenFlags};

use crate::{error::FileError, files};

/// Name of the database in a home.
pub(crate) const FILE: &str = "state.db";

/// Where damaged and replaced databases are kept.
pub(crate) const QUARANTINE: &str = "quarantine";

/// How many of them are kept; a disk that damages every file would fill itself otherwise.
pub(crate) const QUARANTINED: usize = 5;

/// How long a call waits for another program's write lock.
const BUSY: Duration = Duration::from_secs(1);

/// Statements kept prepared: all of this crate's.
const PREPARED: usize = 64;

/// Pages after which SQLite moves the log into the database by itself, in the middle of a commit. Far above
/// the point at which [`crate::Store::settle`] does it while nobody waits.
const LAST_RESORT_PAGES: u32 = 10_000;

/// Bytes to which the log is cut after it was moved; it grows when somebody reads for long.
const LOG_BYTES: u32 = 16 << 20;

/// What may lie beside a database and belongs to it.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The one writer's connection.
pub(crate) fn open_to_write(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Where that is not possible, opening fails as well, and says why.
    let _ = files::for_owner_only(path);
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(PREPARED);
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", LAST_RESORT_PAGES, |_| Ok(()))?;
    db.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    Ok(db)
}

/// A connection that cannot change anything.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    Ok(db)
}

/// Flushes the log and moves what nobody reads any more into the database.
pub(crate) fn checkpoint(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// The first damage that a look at every page finds. Whether indexes agree with their tables is checked
/// for the lockouts only: that takes longest, and only there does a start depend on it.
pub(crate) fn quick_damage(db: &Connection) -> rusqlite::Result<Option<String>> {
    Ok(verdict(db, "quick_check(1)")?.or(verdict(db, "integrity_check(lockouts)")?))
}

/// The first damage of any kind.
pub(crate) fn any_damage(db: &Connection) -> rusqlite::Result<Option<String>> {
    verdict(db, "integrity_check(1)")
}

fn verdict(db: &Connection, check: &str) -> rusqlite::Result<Option<String>> {
    let verdict: String = db.query_row(&format!("PRAGMA {check}"), [], |row| row.get(0))?;
    Ok((verdict != "ok").then_some(verdict))
}

/// Moves the database and what belongs to it into the quarantine. Returns where it is now, if there was one.
pub(crate) fn put_aside(home: &Path, now: Instant) -> Result<Option<PathBuf>, FileError> {
    let database = home.join(FILE);
    let quarantine = home.join(QUARANTINE);
    fs::create_dir_all(&quarantine).map_err(FileError::at(&quarantine))?;
    let aside = free_name(&quarantine, &format!("state-{}", files::stamp(now)));
    for companion in COMPANIONS {
        move_if_there(&files::with_suffix(&database, companion), &files::with_suffix(&aside, companion))?;
    }
    let was_there = move_if_there(&database, &aside)?;
    forget_old(&quarantine)?;
    Ok(was_there.then_some(aside))
}

fn move_if_there(from: &Path, to: &Path) -> Result<bool, FileError> {
    match fs::symlink_metadata(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::at(from)(error)),
        Ok(_) => files::rename(from, to).map(|()| true),
    }
}

/// A name that is not taken: two files can be put aside within a second.
fn free_name(directory: &Path, stem: &str) -> PathBuf {
    let first = directory.join(format!("{stem}.db"));
    let later = (2..=QUARANTINED + 1).map(|number| directory.join(format!("{stem}-{number}.db")));
    std::iter::once(first.clone()).chain(later).find(|path| !path.exists()).unwrap_or(first)
}

/// Keeps the newest few, by the time in their names.
fn forget_old(quarantine: &Path) -> Result<(), FileError> {
    let mut databases: Vec<_> = fs::read_dir(quarantine)
        .map_err(FileError::at(quarantine))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "db"))
        .collect();
    databases.sort();
    let surplus = databases.len().saturating_sub(QUARANTINED);
    for database in databases.into_iter().take(surplus) {
        for file in
            COMPANIONS.map(|companion| files::with_suffix(&database, companion)).iter().chain([&database])
        {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError::at(file)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

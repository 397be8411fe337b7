//! Whole copies of the database: taken while the engine writes, checked before they count, the newest few
//! kept (specification C.15). When one is due is decided elsewhere.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use domain::Instant;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use crate::{
    database,
    error::{BackupError, DatabaseError, FileError, RestoreError, Trouble},
    files,
    migrate::{MIGRATIONS, Migration, Standing, standing},
    opening::{self, Found},
};

/// Directory of the backups in a home.
pub const DIRECTORY: &str = "backups";

/// What a backup that was broken off left behind is taken away when it is older than this; until then somebody may
/// still be at work on it.
const BROKEN_OFF: TimeDelta = TimeDelta::hours(1);

const ALL_PAGES: i32 = -1;

/// One backup: `backups/state-20260302T214500Z.db`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// Where it is.
    pub path: PathBuf,
    /// When it was taken, by its name.
    pub at: Instant,
}

/// A home's database as it was at one moment, however much is written after it. While it is held, the database's
/// log grows.
#[derive(Debug)]
pub struct Snapshot {
    source: Connection,
}

impl Snapshot {
    /// Holds on to the present state. Takes no longer than opening a file.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn of(home: &Path) -> Result<Self, BackupError> {
        let failed = DatabaseError::from;
        let source = database::open_to_read(&home.join(database::FILE)).map_err(failed)?;
        // A transaction sees the state of its first reading, and a copy made within it sees the same.
        source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;").map_err(failed)?;
        Ok(Self { source })
    }

    /// Makes a backup of it, checks it, and lets go of the oldest ones until there are `most`. Takes as long as
    /// reading and writing the database; an engine that is writing at the same time is not held up.
    ///
    /// # Errors
    /// [`BackupError`]; no half backup is left behind under a backup's name.
    pub fn keep(self, home: &Path, now: Instant, most: usize) -> Result<BackupFile, BackupError> {
        let taken = take_from(&self.source, home, now, MIGRATIONS)?;
        drop(self);
        // The one just taken stays, even beside others that claim to come from the future.
        for old in list(home)?.into_iter().filter(|old| old.path != taken.path).skip(most.saturating_sub(1)) {
            remove(&old.path)?;
        }
        Ok(taken)
    }
}

/// Takes a backup of a home's database as it is now: [`Snapshot::keep`].
///
/// # Errors
/// [`BackupError`]; no half backup is left behind under a backup's name.
pub fn take(home: &Path, now: Instant, most: usize) -> Result<BackupFile, BackupError> {
    Snapshot::of(home)?.keep(home, now, most)
}

/// The backups of a home, newest first. Whether they can be used is told by [`check`].
///
/// # Errors
/// The directory is there but cannot be read.
pub fn list(home: &Path) -> Result<Vec<BackupFile>, FileError> {
    let directory = home.join(DIRECTORY);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::at(&directory)(error)),
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let at = files::stamped(name.to_str()?.strip_prefix("state-")?.strip_suffix(".db")?)?;
            Some(BackupFile { path: entry.path(), at })
        })
        .collect();
    found.sort_by_key(|backup| std::cmp::Reverse(backup.at));
    Ok(found)
}

/// Whether a file is a whole database that this program can use.
///
/// # Errors
/// [`BackupError::Unsound`] with what is wrong.
pub fn check(file: &Path) -> Result<(), BackupError> {
    check_with(file, MIGRATIONS)
}

/// Puts a backup in the place of a home's database, which is put aside into `quarantine/`. No engine may be
/// running in that home. Nobody is freed and nothing is loosened by it: lockouts and accepted settings that the
/// backup does not know come back from their second places, and the audit tells of the change.
///
/// # Errors
/// The backup is not sound, or a file cannot be moved; the home is then as it was, or has no database and
/// the next start restores the newest backup.
pub fn restore(home: &Path, backup: &Path, now: Instant) -> Result<Found, RestoreError> {
    check(backup)?;
    let database = home.join(database::FILE);
    // Copied before anything is moved: a full disk leaves everything as it was.
    let part = files::copy_beside(backup, &database)?;
    let quarantined = database::put_aside(home, now)?;
    files::rename(&part, &database)?;
    let found = opening::accept_backup(home, now, backup, quarantined)?;
    Ok(found)
}

pub(crate) fn take_from(
    source: &Connection,
    home: &Path,
    now: Instant,
    known: &[Migration],
) -> Result<BackupFile, BackupError> {
    let directory = home.join(DIRECTORY);
    fs::create_dir_all(&directory).map_err(FileError::at(&directory))?;
    let path = directory.join(format!("state-{}.db", files::stamp(now)));
    let part = files::part_of(&path);
    clear(&directory, now)?;
    remove(&part)?;
    let done = copy_database(source, &part).and_then(|()| check_with(&part, known));
    if let Err(error) = done {
        // A full disk is helped by nothing as much as by this.
        let _ = remove(&part);
        return Err(error);
    }
    files::rename(&part, &path)?;
    Ok(BackupFile { path, at: now })
}

/// Whether a file is a whole database made by this list of migrations or a beginning of it.
pub(crate) fn check_with(file: &Path, known: &[Migration]) -> Result<(), BackupError> {
    let unsound = |why: String| BackupError::Unsound { path: file.to_owned(), why };
    // Nothing is written, but only a connection that could write knows the CHECK constraints.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags).map_err(|error| unsound(error.to_string()))?;
    let standing = standing(&db, known).map_err(|error| unsound(error.to_string()))?;
    if !matches!(standing, Standing::Known(_)) {
        return Err(unsound(format!("its schema is {standing:?}")));
    }
    match database::any_damage(&db) {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => Err(unsound(damage)),
        Err(error) => Err(unsound(error.to_string())),
    }
}

/// Copies in one step, so that nobody's writing makes it begin anew, into a file that stands alone.
fn copy_database(source: &Connection, to: &Path) -> Result<(), BackupError> {
    let failed = DatabaseError::from;
    files::for_owner_only(to).map_err(FileError::at(to))?;
    let mut copy = Connection::open(to).map_err(failed)?;
    let done = Backup::new(source, &mut copy).and_then(|backup| backup.step(ALL_PAGES)).map_err(failed)?;
    if done != StepResult::Done {
        let text = "the database was locked while it was to be copied".to_owned();
        return Err(DatabaseError { trouble: Trouble::Busy, text }.into());
    }
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(failed)?;
    copy.close().map_err(|(_, error)| failed(error))?;
    Ok(())
}

/// Takes away what backups that were broken off, as by a loss of power, left behind.
fn clear(directory: &Path, now: Instant) -> Result<(), FileError> {
    let entries = fs::read_dir(directory).map_err(FileError::at(directory))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let begun = name.to_str().and_then(|name| {
            let (stamp, _) = name.strip_prefix("state-")?.split_once(".db.part")?;
            files::stamped(stamp)
        });
        if begun.is_some_and(|begun| now - begun > BROKEN_OFF) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(file: &Path) -> Result<(), FileError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at(file)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

//! Whole copies of the database: taken while the engine writes, checked before they count, the newest few
//! kept (specification C.15).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use domain::Instant;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use crate::{
    database,
    error::{BackupError, DatabaseError, FileError, Trouble},
    files,
    migrate::{MIGRATIONS, Migration, Standing, standing},
};

/// How many backups are kept.
pub const KEPT: usize = 7;

/// Directory of the backups in a home.
pub const DIRECTORY: &str = "backups";

const ALL_PAGES: i32 = -1;

/// One backup: `backups/state-20260302T214500Z.db`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// Where it is.
    pub path: PathBuf,
    /// When it was taken, by its name.
    pub at: Instant,
}

/// Takes a backup of a home's database, checks it, and lets go of the oldest ones. Uses a connection of its
/// own: an engine that is writing at the same time is not held up.
///
/// # Errors
/// [`BackupError`]; no half backup is left behind under a backup's name.
pub fn take(home: &Path, now: Instant) -> Result<BackupFile, BackupError> {
    let source = database::open_to_read(&home.join(database::FILE)).map_err(DatabaseError::from)?;
    take_from(&source, home, now, MIGRATIONS)
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
/// running in that home. Lockouts that the backup does not know come back from `lockouts.json` at the next
/// start, and the audit tells of the change.
///
/// # Errors
/// The backup is not sound, or a file cannot be moved; the home is then as it was, or has no database and
/// the next start restores the newest backup.
pub fn restore(home: &Path, backup: &Path, now: Instant) -> Result<Option<PathBuf>, BackupError> {
    check(backup)?;
    let aside = database::put_aside(home, now)?;
    files::copy(backup, &home.join(database::FILE))?;
    Ok(aside)
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
    remove(&part)?;
    copy_database(source, &part)?;
    check_with(&part, known)?;
    files::rename(&part, &path)?;
    for old in list(home)?.into_iter().skip(KEPT) {
        remove(&old.path)?;
    }
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

fn remove(file: &Path) -> Result<(), FileError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at(file)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

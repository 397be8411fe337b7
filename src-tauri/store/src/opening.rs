//! Opening a home: whatever is found there, the result is a sound database of the current schema, the
//! lockouts of the mirror in it, and an exact account of what happened — or an error that says what to do.
//!
//! Damage never ends the program: a damaged file is put aside, the newest sound backup takes its place, and
//! without one a new database begins. A newer database is not touched.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use domain::{Instant, RuleKey};
use rusqlite::{Connection, MAIN_DB, TransactionBehavior};

use crate::{
    audit::{
        head::HeadFile,
        verify::{self, AuditFault},
    },
    backup::{self, BackupFile},
    database,
    error::{FileError, OpenError, SettleError, Trouble},
    files,
    migrate::{self, Migration, Standing},
    mirror::{self, Mirror},
    record::{AuditAction, Note, Record},
    store::Store,
    write::{self, lockouts::HeldLock},
};

/// An open home.
#[derive(Debug)]
pub struct Opened {
    /// The database.
    pub store: Store,
    /// What was found, so that people can be told.
    pub found: Found,
}

/// What a start found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where the database comes from.
    pub origin: Origin,
    /// The schema from which it was brought to the current one, if it was older.
    pub migrated_from: Option<u32>,
    /// Lockouts that only the mirror knew; they are in the database again.
    pub restored_lockouts: Vec<HeldLock>,
    /// What is wrong with the mirror, if something was. It is written anew.
    pub damaged_mirror: Option<String>,
    /// What is wrong with the end of the audit, if something was. It is written down in the audit itself.
    pub audit: Option<AuditFault>,
}

/// Where the database comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The home is new.
    Fresh,
    /// It was there and is sound.
    AsItWas,
    /// It was lost or damaged, and a backup took its place.
    Restored {
        /// Which one.
        backup: PathBuf,
        /// What was wrong.
        why: String,
        /// Where the damaged file is now, if there was one.
        quarantined: Option<PathBuf>,
    },
    /// It was lost or damaged, and there was no sound backup: a new one was begun.
    Rebuilt {
        /// What was wrong.
        why: String,
        /// Where the damaged file is now, if there was one.
        quarantined: Option<PathBuf>,
    },
}

/// What lies at the database's place.
enum Condition {
    Missing,
    Sound,
    Damaged(String),
}

/// Opens a home with a list of migrations.
pub(crate) fn open(home: &Path, now: Instant, known: &[Migration]) -> Result<Opened, OpenError> {
    prove_writable(home)?;
    let path = home.join(database::FILE);
    let head = HeadFile::read(home);
    let mirror = Mirror::read(home);
    let origin = match inspect(&path, known)? {
        Condition::Sound => Origin::AsItWas,
        Condition::Damaged(why) => recover(home, now, known, why)?,
        Condition::Missing if was_inhabited(home, &head, &mirror)? => {
            recover(home, now, known, "the database file is missing".to_owned())?
        }
        Condition::Missing => Origin::Fresh,
    };
    let mut db = open_to_write(&path)?;
    let migrated_from = bring_up_to_date(&mut db, home, now, known)?;
    let audit = match origin {
        Origin::Fresh => None,
        Origin::AsItWas | Origin::Restored { .. } | Origin::Rebuilt { .. } => verify::tail(&db, &head).err(),
    };
    let restored_lockouts =
        write_down(&mut db, &origin, audit.as_ref(), &mirror, now).map_err(OpenError::at(&path))?;
    let mut store = Store::new(db, home, head.next_enforcement()).map_err(OpenError::at(&path))?;
    store.settle().map_err(|error| match error {
        SettleError::File(error) => OpenError::from(error),
        SettleError::Database(source) => OpenError::Database { path, source },
    })?;
    let found = Found { origin, migrated_from, restored_lockouts, damaged_mirror: mirror.damage, audit };
    Ok(Opened { store, found })
}

/// Makes the home and tries it: SQLite would silently open a file that it cannot write for reading only.
fn prove_writable(home: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(home).map_err(FileError::at(home))?;
    let probe = home.join(".writable");
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(FileError::at(home))?;
    Ok(())
}

/// Looks at the file without changing it.
fn inspect(path: &Path, known: &[Migration]) -> Result<Condition, OpenError> {
    if fs::metadata(path).map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |file| file.len() == 0)
    {
        return Ok(Condition::Missing);
    }
    match examine(path, known) {
        Ok((Standing::Known(_), None)) => Ok(Condition::Sound),
        Ok((Standing::Known(_), Some(damage))) => Ok(Condition::Damaged(damage)),
        Ok((Standing::Empty, _)) => Ok(Condition::Missing),
        Ok((Standing::Stranger, _)) => Ok(Condition::Damaged("it is another program's database".to_owned())),
        Ok((Standing::Newer(found), _)) => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: migrate::newest_of(known) })
        }
        Ok((Standing::Foreign(version), _)) => {
            Err(OpenError::ForeignSchema { path: path.to_owned(), version })
        }
        Err(error) if Trouble::in_error(&error) == Trouble::Damaged => {
            Ok(Condition::Damaged(error.to_string()))
        }
        Err(error) => Err(OpenError::at(path)(error)),
    }
}

/// The schema, and the first damage if the schema is one of ours.
fn examine(path: &Path, known: &[Migration]) -> rusqlite::Result<(Standing, Option<String>)> {
    let db = database::open_to_read(path)?;
    let standing = match migrate::standing(&db, known) {
        // The very first moments of a database leave a journal that only a writer may roll back.
        Err(error) if Trouble::in_error(&error) == Trouble::NotWritable => {
            migrate::standing(&database::open_to_write(path)?, known)?
        }
        standing => standing?,
    };
    match standing {
        Standing::Known(_) => Ok((standing, database::integrity(&db, "quick_check")?)),
        Standing::Empty | Standing::Newer(_) | Standing::Foreign(_) | Standing::Stranger => {
            Ok((standing, None))
        }
    }
}

/// A home without a database that had one before.
fn was_inhabited(home: &Path, head: &HeadFile, mirror: &Mirror) -> Result<bool, OpenError> {
    let locked = !mirror.lockouts.is_empty() || mirror.damage.is_some();
    Ok(locked || head.tells_of_rows() || !backup::list(home)?.is_empty())
}

/// Puts the newest sound backup in the place of a lost or damaged database.
fn recover(home: &Path, now: Instant, known: &[Migration], why: String) -> Result<Origin, OpenError> {
    let quarantined = database::put_aside(home, now)?;
    let usable = |candidate: &BackupFile| backup::check_with(&candidate.path, known).is_ok();
    let Some(BackupFile { path: backup, .. }) = backup::list(home)?.into_iter().find(usable) else {
        return Ok(Origin::Rebuilt { why, quarantined });
    };
    files::copy(&backup, &home.join(database::FILE))?;
    Ok(Origin::Restored { backup, why, quarantined })
}

fn open_to_write(path: &Path) -> Result<Connection, OpenError> {
    let refused = |reason: &str| OpenError::NotWritable { path: path.to_owned(), reason: reason.to_owned() };
    let db = database::open_to_write(path).map_err(OpenError::at(path))?;
    if db.is_readonly(MAIN_DB).map_err(OpenError::at(path))? {
        return Err(refused("the file may only be read"));
    }
    let mode: String =
        db.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(OpenError::at(path))?;
    if mode != "wal" {
        return Err(refused("this file system cannot hold a database that is read while it is written"));
    }
    Ok(db)
}

/// Runs the missing migrations, behind a backup where there is something to lose. Returns the old schema.
fn bring_up_to_date(
    db: &mut Connection,
    home: &Path,
    now: Instant,
    known: &[Migration],
) -> Result<Option<u32>, OpenError> {
    let path = home.join(database::FILE);
    let from = match migrate::standing(db, known).map_err(OpenError::at(&path))? {
        Standing::Known(version) => version,
        Standing::Empty | Standing::Newer(_) | Standing::Foreign(_) | Standing::Stranger => 0,
    };
    if from == migrate::newest_of(known) {
        return Ok(None);
    }
    if from > 0 {
        backup::take_from(db, home, now, known)?;
    }
    migrate::run(db, known, from, now).map_err(OpenError::at(&path))?;
    Ok((from > 0).then_some(from))
}

/// Brings back what only the mirror knows and writes into the audit what happened to it, in one flush.
fn write_down(
    db: &mut Connection,
    origin: &Origin,
    audit: Option<&AuditFault>,
    mirror: &Mirror,
    now: Instant,
) -> rusqlite::Result<Vec<HeldLock>> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let restored = mirror::merge(&change, mirror, origin.is_recovered())?;
    if let Some(reason) = story(origin, audit) {
        let note = Note {
            at: now,
            account: None,
            rule: RuleKey::Trader,
            action: AuditAction::Recovery,
            observed: false,
            reason,
            breach: None,
            detected_at: None,
            done: None,
        };
        write::record(&change, &Record::Note(Box::new(note)))?;
    }
    change.commit()?;
    Ok(restored)
}

/// What happened, if anything did that the audit must tell.
fn story(origin: &Origin, audit: Option<&AuditFault>) -> Option<String> {
    let database = match origin {
        Origin::Fresh | Origin::AsItWas => None,
        Origin::Restored { backup, why, .. } => {
            let name = backup.file_name().unwrap_or_default().display();
            Some(format!("The database was lost ({why}); backup {name} took its place."))
        }
        Origin::Rebuilt { why, .. } => {
            Some(format!("The database was lost ({why}); without a usable backup it was begun anew."))
        }
    };
    let audit = audit.map(|fault| format!("The audit before this row is not whole: {fault}."));
    let sentences: Vec<_> = [database, audit].into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

impl Origin {
    /// The database is older than the files beside it.
    fn is_recovered(&self) -> bool {
        match self {
            Self::Fresh | Self::AsItWas => false,
            Self::Restored { .. } | Self::Rebuilt { .. } => true,
        }
    }
}

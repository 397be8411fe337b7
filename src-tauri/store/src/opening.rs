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
    accepted,
    audit::{
        head::HeadFile,
        verify::{self, AuditFault},
        words::AuditAction,
    },
    backup::{self, BackupFile},
    database,
    error::{DatabaseError, FileError, OpenError, SettleError, Trouble},
    files, memory,
    migrate::{self, Migration, Standing},
    mirror::{self, Mirror},
    record::{Note, Record},
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
    /// What became of the accepted settings.
    pub settings: Settings,
    /// What is wrong with the mirror, if something was. It is written anew.
    pub damaged_mirror: Option<String>,
    /// What is wrong with the end of the audit, if something was. It is written down in the audit itself.
    pub audit: Option<AuditFault>,
}

/// What became of the settings that were accepted last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    /// The database has them, or there never were any.
    Kept,
    /// The database had lost them; they came back from their second place.
    Restored,
    /// They are lost.
    Lost {
        /// What is wrong with their second place, if it is not just missing.
        why: Option<String>,
    },
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
    /// It was put aside, and a backup took its place because somebody wanted it so.
    Chosen {
        /// Which one.
        backup: PathBuf,
        /// Where the database of before is now, if there was one.
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
    let head = HeadFile::read(home);
    let mirror = Mirror::read(home);
    let origin = match inspect(&home.join(database::FILE), known)? {
        Condition::Sound => Origin::AsItWas,
        Condition::Damaged(why) => recover(home, now, known, why)?,
        Condition::Missing if was_inhabited(home, &head, &mirror)? => {
            recover(home, now, known, "the database file is missing".to_owned())?
        }
        Condition::Missing => Origin::Fresh,
    };
    let seemed_sound = origin == Origin::AsItWas;
    match take_over(home, now, known, origin, &head, &mirror) {
        // What the quick look does not see, such as a lockout that cannot be read. Only with a whole
        // mirror: without one, putting the file aside could free somebody.
        Err(OpenError::Database { source: DatabaseError { trouble: Trouble::Damaged, text }, .. })
            if seemed_sound && mirror.damage.is_none() =>
        {
            let origin = recover(home, now, known, text)?;
            take_over(home, now, known, origin, &head, &mirror)
        }
        opened => opened,
    }
}

/// Takes over a backup that was put in the database's place: what it does not know comes back from the second
/// places, as after a loss.
pub(crate) fn accept_backup(
    home: &Path,
    now: Instant,
    backup: &Path,
    quarantined: Option<PathBuf>,
) -> Result<Found, OpenError> {
    let (head, mirror) = (HeadFile::read(home), Mirror::read(home));
    let origin = Origin::Chosen { backup: backup.to_owned(), quarantined };
    Ok(take_over(home, now, migrate::MIGRATIONS, origin, &head, &mirror)?.found)
}

/// Makes a database that looks sound the store's own: schema, lockouts of the mirror, end of the audit.
fn take_over(
    home: &Path,
    now: Instant,
    known: &[Migration],
    origin: Origin,
    head: &HeadFile,
    mirror: &Mirror,
) -> Result<Opened, OpenError> {
    let path = home.join(database::FILE);
    let mut db = open_to_write(&path)?;
    let migrated_from = bring_up_to_date(&mut db, home, now, known)?;
    let audit = match origin {
        Origin::Fresh => None,
        Origin::AsItWas | Origin::Restored { .. } | Origin::Chosen { .. } | Origin::Rebuilt { .. } => {
            verify::tail(&db, head).err()
        }
    };
    let settings = match origin.is_recovered() {
        true => bring_back_settings(&mut db, home).map_err(OpenError::at(&path))?,
        false => Settings::Kept,
    };
    let restored_lockouts =
        write_down(&mut db, &origin, &settings, audit.as_ref(), mirror, now).map_err(OpenError::at(&path))?;
    let mut store = Store::new(db, home, head.next_enforcement()).map_err(OpenError::at(&path))?;
    store.settle().map_err(|error| match error {
        SettleError::File(error) => OpenError::from(error),
        SettleError::Database(source) => OpenError::Database { path, source },
    })?;
    let damaged_mirror = mirror.damage.clone();
    let found = Found { origin, migrated_from, restored_lockouts, settings, damaged_mirror, audit };
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
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Missing),
        Err(error) => return Err(FileError::at(path)(error).into()),
        Ok(file) if !file.is_file() => return Err(refused(path, "there is something else than a file")),
        Ok(file) if file.len() == 0 => return Ok(Condition::Missing),
        Ok(_) => {}
    }
    match examine(path, known) {
        Ok((Standing::Known(_), None)) => Ok(Condition::Sound),
        Ok((Standing::Known(_), Some(damage))) => Ok(Condition::Damaged(damage)),
        Ok((Standing::Empty, _)) => Ok(Condition::Missing),
        Ok((Standing::Stranger, _)) => Ok(Condition::Damaged("it is no database of this program".to_owned())),
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
        Standing::Known(version) => {
            // Only a connection that could write knows the CHECK constraints that a row may break.
            let db = database::open_to_write(path)?;
            let lost = migrate::lost_object(&db, known, version)?
                .map(|name| format!("{name} is not as it was made"));
            Ok((standing, lost.or(database::quick_damage(&db)?)))
        }
        Standing::Empty | Standing::Newer(_) | Standing::Foreign(_) | Standing::Stranger => {
            Ok((standing, None))
        }
    }
}

/// A home without a database that had one before.
fn was_inhabited(home: &Path, head: &HeadFile, mirror: &Mirror) -> Result<bool, OpenError> {
    let locked = !mirror.lockouts.is_empty() || mirror.damage.is_some();
    let settled = home.join(accepted::FILE).exists();
    Ok(locked || settled || head.tells_of_rows() || !backup::list(home)?.is_empty())
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
    let db = database::open_to_write(path).map_err(OpenError::at(path))?;
    if db.is_readonly(MAIN_DB).map_err(OpenError::at(path))? {
        return Err(refused(path, "the file may only be read"));
    }
    let mode: String =
        db.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(OpenError::at(path))?;
    if mode != "wal" {
        return Err(refused(
            path,
            "this file system cannot hold a database that is read while it is written",
        ));
    }
    Ok(db)
}

fn refused(path: &Path, reason: &str) -> OpenError {
    OpenError::NotWritable { path: path.to_owned(), reason: reason.to_owned() }
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
    // Not the database's fault, whatever it says: no reason to put the file aside.
    migrate::run(db, known, from, now).map_err(|error| OpenError::Migration {
        path,
        to: migrate::newest_of(known),
        source: error.into(),
    })?;
    Ok((from > 0).then_some(from))
}

/// Brings back the settings of the second place, where they are newer than the database's.
fn bring_back_settings(db: &mut Connection, home: &Path) -> rusqlite::Result<Settings> {
    let known = memory::last_good_config(db).ok().flatten();
    match accepted::read(home) {
        Ok(Some(kept)) if known.as_ref().is_none_or(|known| known.at < kept.at) => {
            write::record(db, &Record::Config(Box::new(kept)))?;
            Ok(Settings::Restored)
        }
        Ok(None) | Err(_) if known.is_some() => Ok(Settings::Kept),
        Ok(Some(_)) => Ok(Settings::Kept),
        Ok(None) => Ok(Settings::Lost { why: None }),
        Err(why) => Ok(Settings::Lost { why: Some(why) }),
    }
}

/// Brings back what only the mirror knows and writes into the audit what happened to it, in one flush.
fn write_down(
    db: &mut Connection,
    origin: &Origin,
    settings: &Settings,
    audit: Option<&AuditFault>,
    mirror: &Mirror,
    now: Instant,
) -> rusqlite::Result<Vec<HeldLock>> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let restored = mirror::merge(&change, mirror, origin.is_recovered())?;
    if let Some(reason) = story(origin, settings, audit, &restored) {
        let note = Note {
            at: now,
            account: None,
            rule: RuleKey::Trader,
            action: AuditAction::Recovery,
            observed: false,
            dry_run: false,
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
fn story(
    origin: &Origin,
    settings: &Settings,
    audit: Option<&AuditFault>,
    restored: &[HeldLock],
) -> Option<String> {
    let database = match origin {
        Origin::Fresh | Origin::AsItWas => None,
        Origin::Restored { backup, why, .. } => {
            let name = backup.file_name().unwrap_or_default().display();
            Some(format!("The database was lost ({why}); backup {name} took its place."))
        }
        Origin::Chosen { backup, .. } => {
            let name = backup.file_name().unwrap_or_default().display();
            Some(format!("Backup {name} took the place of the database, as somebody asked for."))
        }
        Origin::Rebuilt { why, .. } => {
            Some(format!("The database was lost ({why}); without a usable backup it was begun anew."))
        }
    };
    let audit = audit.map(|fault| format!("The audit before this row is not whole: {fault}."));
    let lockouts = (!restored.is_empty()).then(|| {
        format!("Lockouts that the database had lost came back from the mirror: {}.", restored.len())
    });
    let settings = match settings {
        Settings::Kept => None,
        Settings::Restored => Some("The accepted settings came back from their second place.".to_owned()),
        Settings::Lost { .. } => {
            Some("The accepted settings are lost: the files count as they are.".to_owned())
        }
    };
    let sentences: Vec<_> = [database, audit, lockouts, settings].into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

impl Origin {
    /// The database is older than the files beside it.
    fn is_recovered(&self) -> bool {
        match self {
            Self::Fresh | Self::AsItWas => false,
            Self::Restored { .. } | Self::Chosen { .. } | Self::Rebuilt { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{migrate::MIGRATIONS, record::Durability};

    /// The number of the present schema, and of the one after it.
    const PRESENT: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;
    const NEXT: u32 = PRESENT + 1;

    /// The schemas of a later build, whose last step does this.
    fn and_then(sql: &'static str) -> Vec<Migration> {
        [MIGRATIONS, &[Migration { version: NEXT, sql }]].concat()
    }

    fn later() -> Vec<Migration> {
        and_then("ALTER TABLE lockouts ADD COLUMN remark TEXT; CREATE TABLE remarks (text TEXT);")
    }

    fn now() -> Instant {
        "2026-03-02T14:30:00Z".parse().unwrap()
    }

    fn seen(home: &Path) -> Option<Instant> {
        let db = database::open_to_read(&home.join(database::FILE)).unwrap();
        crate::memory::last_seen(&db).unwrap()
    }

    fn home_of_today() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path(), now()).unwrap().store;
        store.commit(&[Record::Seen(now())], Durability::Flush).unwrap();
        home
    }

    #[test]
    fn an_older_database_is_backed_up_and_migrated_with_its_rows() {
        let home = home_of_today();
        let found = open(home.path(), now(), &later()).unwrap().found;
        assert_eq!((found.origin, found.migrated_from), (Origin::AsItWas, Some(PRESENT)));
        assert_eq!(seen(home.path()), Some(now()));
        let backups = backup::list(home.path()).unwrap();
        assert_eq!(backups.len(), 1);
        backup::check(&backups[0].path).unwrap();

        let again = open(home.path(), now(), &later()).unwrap().found;
        assert_eq!(again.migrated_from, None);
        let error = Store::open(home.path(), now()).unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: NEXT, known: PRESENT, .. }), "{error}");
    }

    #[test]
    fn a_database_of_the_first_schema_is_brought_to_the_present_one() {
        let home = tempfile::tempdir().unwrap();
        drop(open(home.path(), now(), &MIGRATIONS[..1]).unwrap());
        let found = Store::open(home.path(), now()).unwrap().found;
        assert_eq!((found.origin, found.migrated_from), (Origin::AsItWas, Some(1)));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_database_as_it_was() {
        let home = home_of_today();
        let broken = and_then("CREATE TABLE remarks (text TEXT); CREATE TABLE remarks (text TEXT);");
        let error = open(home.path(), now(), &broken).unwrap_err();
        assert!(matches!(error, OpenError::Migration { to: NEXT, .. }), "{error}");
        assert!(!home.path().join(database::QUARANTINE).exists());
        assert_eq!(Store::open(home.path(), now()).unwrap().found.origin, Origin::AsItWas);
        assert_eq!(seen(home.path()), Some(now()));
    }

    #[test]
    fn a_backup_of_an_older_schema_is_restored_and_migrated() {
        let home = home_of_today();
        backup::take(home.path(), now(), 7).unwrap();
        fs::remove_file(home.path().join(database::FILE)).unwrap();
        let found = open(home.path(), now(), &later()).unwrap().found;
        assert!(matches!(found.origin, Origin::Restored { .. }), "{found:?}");
        assert_eq!(found.migrated_from, Some(PRESENT));
        assert_eq!(seen(home.path()), Some(now()));
    }
}

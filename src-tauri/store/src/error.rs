//! What can go wrong with the disk and the database, typed by what somebody can do about it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;
use thiserror::Error;

/// What kind of trouble a database call met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No room left. Writing can be repeated once there is.
    DiskFull,
    /// Another program holds the database. Can be repeated.
    Busy,
    /// It cannot be written or opened.
    NotWritable,
    /// Its contents make no sense. Opening the home anew puts the file aside.
    Damaged,
    /// The disk failed.
    Disk,
    /// Anything else; a defect of this program rather than of the disk.
    Other,
}

/// A call to the database failed as a whole. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{trouble}: {text}")]
pub struct DatabaseError {
    /// What kind.
    pub trouble: Trouble,
    /// SQLite's words.
    pub text: String,
}

/// A file beside the database could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {reason}", path.display())]
pub struct FileError {
    /// Which file.
    pub path: PathBuf,
    /// The system's words.
    pub reason: String,
}

/// A home could not be opened. Damage is no reason: damaged files are put aside.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The place cannot be written.
    #[error("cannot write to {}: {reason}. Choose another home with --home, or make this one writable", path.display())]
    NotWritable {
        /// Which place.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A newer version of this program made the database. It was not touched.
    #[error(
        "{} has schema {found}, this program knows schemas up to {known}. Use the newer version of this program, \
         or restore a backup from before the update",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest one known here.
        known: u32,
    },
    /// The database was made by a build whose schema of that number is another one. It was not touched.
    #[error("{} has a schema {version} that is not this program's; it was made by a different build", path.display())]
    ForeignSchema {
        /// Which file.
        path: PathBuf,
        /// The schema that differs.
        version: u32,
    },
    /// An existing database must be brought to a new schema, and the backup before it failed.
    #[error("no backup could be made before the database is changed: {0}")]
    Backup(#[from] BackupError),
    /// An existing database could not be brought to a new schema. It is as it was.
    #[error("{} could not be brought to schema {to} and stays as it was: {source}", path.display())]
    Migration {
        /// Which file.
        path: PathBuf,
        /// The schema it was to get.
        to: u32,
        /// What went wrong.
        source: DatabaseError,
    },
    /// The database did not do what it must.
    #[error("{}: {source}", path.display())]
    Database {
        /// Which file.
        path: PathBuf,
        /// What.
        source: DatabaseError,
    },
}

/// Something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// There is no database: no engine ever ran in this home.
    #[error("there is no database at {}", .0.display())]
    NoDatabase(PathBuf),
    /// The database has a schema that this program does not know.
    #[error(
        "the database has schema {found} of another version of this program; this one knows schema {known}"
    )]
    OtherSchema {
        /// Its schema.
        found: u32,
        /// The one known here.
        known: u32,
    },
    /// A value makes no sense.
    #[error("{table} cannot be read: {why}")]
    Unreadable {
        /// In which table.
        table: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// A backup could not be made or used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackupError {
    /// The file is not a whole database of this program.
    #[error("{} is no usable backup: {why}", path.display())]
    Unsound {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The second places could not be brought up to date; the database itself is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettleError {
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DiskFull => "the disk is full",
            Self::Busy => "another program holds the database",
            Self::NotWritable => "the database cannot be written",
            Self::Damaged => "the database is damaged",
            Self::Disk => "the disk failed",
            Self::Other => "the database refused",
        })
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self { trouble: Trouble::in_error(&error), text: error.to_string() }
    }
}

impl Trouble {
    pub(crate) fn in_error(error: &rusqlite::Error) -> Self {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
        };
        // Fixed and tested SQL fails as such (`Unknown` is SQLITE_ERROR) only if the schema is damaged, and
        // nothing that is written here is ever too big.
        const KINDS: [(ErrorCode, Trouble); 11] = [
            (ErrorCode::Unknown, Trouble::Damaged),
            (ErrorCode::TooBig, Trouble::Damaged),
            (ErrorCode::DiskFull, Trouble::DiskFull),
            (ErrorCode::DatabaseBusy, Trouble::Busy),
            (ErrorCode::DatabaseLocked, Trouble::Busy),
            (ErrorCode::ReadOnly, Trouble::NotWritable),
            (ErrorCode::CannotOpen, Trouble::NotWritable),
            (ErrorCode::PermissionDenied, Trouble::NotWritable),
            (ErrorCode::DatabaseCorrupt, Trouble::Damaged),
            (ErrorCode::NotADatabase, Trouble::Damaged),
            (ErrorCode::SystemIoFailure, Trouble::Disk),
        ];
        let unreadable = matches!(
            error,
            FromSqlConversionFailure(..)
                | IntegralValueOutOfRange(..)
                | InvalidColumnType(..)
                | Utf8Error(..)
        );
        let code = error.sqlite_error_code();
        match KINDS.iter().find(|(kind, _)| Some(*kind) == code) {
            Some((_, trouble)) => *trouble,
            None if unreadable => Self::Damaged,
            None => Self::Other,
        }
    }
}

impl FileError {
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self { path: path.to_owned(), reason: error.to_string() }
    }
}

impl From<FileError> for OpenError {
    fn from(FileError { path, reason }: FileError) -> Self {
        Self::NotWritable { path, reason }
    }
}

impl OpenError {
    /// What a database error at a file means for opening the home.
    pub(crate) fn at(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |error| {
            let source = DatabaseError::from(error);
            match source.trouble {
                Trouble::NotWritable => Self::NotWritable { path: path.to_owned(), reason: source.text },
                Trouble::DiskFull | Trouble::Busy | Trouble::Damaged | Trouble::Disk | Trouble::Other => {
                    Self::Database { path: path.to_owned(), source }
                }
            }
        }
    }
}

impl ReadError {
    /// What an error while reading a table means: a value that makes no sense, or a failing database.
    pub(crate) fn of(table: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |error| {
            if error.sqlite_error_code().is_some() {
                Self::Database(error.into())
            } else {
                Self::Unreadable { table, why: error.to_string() }
            }
        }
    }
}

/// A backup could not be put in the place of the database.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// It cannot be used. Nothing was changed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A file could not be copied or moved.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is in its place, but what it does not know could not be brought back into it.
    #[error(transparent)]
    Open(#[from] OpenError),
}

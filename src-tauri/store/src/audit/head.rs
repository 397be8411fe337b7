//! The second place of the chain's end (ruling 12): `audit.head` in the home, replaced whole.
//!
//! The head never runs ahead of what is flushed in the database, but may lag behind it: rows after the
//! head are fine if they chain on, fewer rows than the head says are a loss.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::chain::Tip;
use crate::{error::FileError, files};

/// Name of the file.
pub(crate) const FILE: &str = "audit.head";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Number of the last row.
    pub rows: i64,
    /// Its hash; 64 zeros for no rows.
    pub hash: String,
    /// The first enforcement id that was never used, so that a lost database repeats none.
    pub next_enforcement: u64,
}

/// How the file was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeadFile {
    /// There is none.
    Missing,
    /// It cannot be read.
    Damaged(String),
    /// It says this.
    Says(Head),
}

impl HeadFile {
    /// Reads it.
    pub(crate) fn read(home: &Path) -> Self {
        match fs::read(home.join(FILE)) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(head) => Self::Says(head),
                Err(error) => Self::Damaged(error.to_string()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) => Self::Damaged(error.to_string()),
        }
    }

    /// The first enforcement id that is known to be unused.
    pub(crate) fn next_enforcement(&self) -> u64 {
        match self {
            Self::Missing | Self::Damaged(_) => 1,
            Self::Says(head) => head.next_enforcement,
        }
    }

    /// It tells of rows, or cannot be asked.
    pub(crate) fn tells_of_rows(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::Damaged(_) => true,
            Self::Says(head) => head.rows > 0,
        }
    }
}

impl Head {
    /// The head at a row.
    pub(crate) fn at(tip: Tip, next_enforcement: u64) -> Self {
        Self { rows: tip.rows, hash: tip.hash, next_enforcement }
    }

    /// Writes it.
    pub(crate) fn write(&self, home: &Path) -> Result<(), FileError> {
        let path = home.join(FILE);
        let text = serde_json::to_vec(self)
            .map_err(|error| FileError { path: path.clone(), reason: error.to_string() })?;
        files::replace(&path, &text)
    }
}

//! Active lockouts a second time, in a small file with a checksum beside the database (ruling 13): a lost
//! or quarantined database frees nobody.
//!
//! Form: `{"sha256": …, "lockouts": […]}`, where the hash covers the bytes of the list as they stand in the
//! file. Only ever adds lockouts to the database, never ends one.

use std::{fs, io, path::Path};

use domain::LockEnd;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{
    error::FileError,
    files,
    migrate::hex,
    write::{
        ensure_account,
        lockouts::{self, HeldLock},
    },
};

/// Name of the file.
pub(crate) const FILE: &str = "lockouts.json";

#[derive(Serialize, Deserialize)]
struct Contents {
    sha256: String,
    lockouts: Box<RawValue>,
}

/// What the file holds, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// The lockouts that can be read. With damage they count only if the database is lost as well.
    pub lockouts: Vec<HeldLock>,
    /// What is wrong, if something is.
    pub damage: Option<String>,
}

impl Mirror {
    /// Reads it; no file is an empty one.
    pub(crate) fn read(home: &Path) -> Self {
        match fs::read(home.join(FILE)) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self { lockouts: Vec::new(), damage: Some(error.to_string()) },
        }
    }

    fn parse(text: &[u8]) -> Self {
        let list = serde_json::from_slice::<Contents>(text).and_then(|contents| {
            let entries = serde_json::from_str::<Vec<Box<RawValue>>>(contents.lockouts.get())?;
            Ok((contents, entries))
        });
        let (contents, entries) = match list {
            Ok(list) => list,
            Err(error) => return Self { lockouts: Vec::new(), damage: Some(error.to_string()) },
        };
        let whole = contents.sha256 == checksum(&contents.lockouts);
        let mut mirror = Self::default();
        for entry in entries {
            match serde_json::from_str(entry.get()) {
                Ok(held) => mirror.lockouts.push(held),
                Err(error) => mirror.damage = Some(format!("an entry cannot be read: {error}")),
            }
        }
        if !whole {
            mirror.damage = Some("its checksum is wrong".to_owned());
        }
        mirror
    }
}

/// Writes the active lockouts of the database into the file.
pub(crate) fn write(home: &Path, active: &[HeldLock]) -> Result<(), FileError> {
    let path = home.join(FILE);
    let text = serde_json::value::to_raw_value(active)
        .and_then(|lockouts| serde_json::to_vec(&Contents { sha256: checksum(&lockouts), lockouts }));
    let text = text.map_err(|error| FileError { path: path.clone(), reason: error.to_string() })?;
    files::replace(&path, &text)
}

/// Puts into the table what only the file knows, and returns the lockouts that the table had lost. `newer`
/// says that the file is newer than the database, because that comes from a backup or was begun anew.
pub(crate) fn merge(db: &Connection, mirror: &Mirror, newer: bool) -> rusqlite::Result<Vec<HeldLock>> {
    if mirror.damage.is_some() && !newer {
        return Ok(Vec::new());
    }
    let mut restored = Vec::new();
    for held in &mirror.lockouts {
        let lockout = &held.lockout;
        match lockouts::active(db, &lockout.key)? {
            Some((_, end)) if newer || is_later(lockout.end, end) => write_back(db, held)?,
            Some(_) => {}
            None if lockouts::has_ended(db, &lockout.key, lockout.since)? => {}
            None => {
                write_back(db, held)?;
                restored.push(held.clone());
            }
        }
    }
    Ok(restored)
}

fn is_later(one: LockEnd, other: LockEnd) -> bool {
    one.at().zip(other.at()).is_some_and(|(one, other)| one > other)
}

fn write_back(db: &Connection, held: &HeldLock) -> rusqlite::Result<()> {
    ensure_account(db, held.lockout.key.account.as_str())?;
    lockouts::lock(db, &held.lockout, &held.reason)?;
    Ok(())
}

fn checksum(list: &RawValue) -> String {
    hex(&Sha256::digest(list.get()))
}

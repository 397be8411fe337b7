//! Files beside the database: replaced whole or not at all, and named after their time.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use chrono::NaiveDateTime;
use domain::Instant;

use crate::error::FileError;

const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// Replaces a file at once: whoever reads it, now or after a crash, finds the old or the new contents.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let part = part_of(path);
    for_owner_only(&part).map_err(FileError::at(&part))?;
    let mut file = File::create(&part).map_err(FileError::at(&part))?;
    file.write_all(contents).and_then(|()| file.sync_all()).map_err(FileError::at(&part))?;
    drop(file);
    rename(&part, path)
}

/// Makes a file that its owner alone can read, or takes the others their rights to one that is there: the settings
/// hold the hash of the guard password.
#[cfg(unix)]
pub(crate) fn for_owner_only(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    const MODE: u32 = 0o600;
    match fs::set_permissions(path, fs::Permissions::from_mode(MODE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            File::options().write(true).create_new(true).mode(MODE).open(path).map(drop)
        }
        done => done,
    }
}

/// Below the user's profile, which other users cannot read.
#[cfg(not(unix))]
pub(crate) fn for_owner_only(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Copies a file to a place where it appears at once or not at all.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    rename(&copy_beside(from, to)?, to)
}

/// Copies a file to a name beside the place that it is meant for, and returns that name.
pub(crate) fn copy_beside(from: &Path, to: &Path) -> Result<PathBuf, FileError> {
    let part = part_of(to);
    fs::copy(from, &part).map_err(FileError::at(&part))?;
    File::options().write(true).open(&part).and_then(|file| file.sync_all()).map_err(FileError::at(&part))?;
    Ok(part)
}

/// Renames and makes the new name durable.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::at(to))?;
    to.parent().map_or(Ok(()), flush_names)
}

/// The name under which a file is prepared.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    with_suffix(path, ".part")
}

/// The path with something appended to its last component.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// `20260302T143000Z`
pub(crate) fn stamp(at: Instant) -> String {
    at.format(STAMP).to_string()
}

/// The instant of a [`stamp`].
pub(crate) fn stamped(text: &str) -> Option<Instant> {
    NaiveDateTime::parse_from_str(text, STAMP).ok().map(|at| at.and_utc())
}

/// A rename is only durable with its directory. Windows writes names through by itself.
fn flush_names(directory: &Path) -> Result<(), FileError> {
    if cfg!(unix) {
        File::open(directory).and_then(|dir| dir.sync_all()).map_err(FileError::at(directory))?;
    }
    Ok(())
}

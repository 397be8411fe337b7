//! The settings that were accepted last a second time, in a file with a checksum beside the database: whoever
//! deletes the database does not loosen a rule by it (rulings 6 and 13).
//!
//! Form: `{"sha256": …, "settings": {…}}`, where the hash covers the bytes of the settings as they stand in
//! the file. Read only where the database was lost; holds no secret but the hash of the guard password.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{error::FileError, files, migrate::hex, record::ConfigSnapshot};

/// Name of the file.
pub(crate) const FILE: &str = "accepted.json";

#[derive(Serialize, Deserialize)]
struct Contents {
    sha256: String,
    settings: Box<RawValue>,
}

/// What the file holds; `None` without a file.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(home: &Path) -> Result<Option<ConfigSnapshot>, String> {
    let text = match fs::read(home.join(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let contents: Contents = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if contents.sha256 != checksum(&contents.settings) {
        return Err("its checksum is wrong".to_owned());
    }
    serde_json::from_str(contents.settings.get()).map(Some).map_err(|error| error.to_string())
}

/// Writes settings into the file.
pub(crate) fn write(home: &Path, settings: &ConfigSnapshot) -> Result<(), FileError> {
    let path = home.join(FILE);
    let text = serde_json::value::to_raw_value(settings)
        .and_then(|settings| serde_json::to_vec(&Contents { sha256: checksum(&settings), settings }));
    let text = text.map_err(|error| FileError { path: path.clone(), reason: error.to_string() })?;
    files::replace(&path, &text)
}

fn checksum(settings: &RawValue) -> String {
    hex(&Sha256::digest(settings.get()))
}

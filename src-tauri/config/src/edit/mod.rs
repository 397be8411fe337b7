//! One setting changed in its file: judged first as the check judges it, then written through a temporary
//! file and a rename. The rest of the file, comments included, stays as it was. Nothing can be saved that
//! the check would refuse.

mod cut;
mod splice;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use domain::{AccountId, RuleKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::{
    defaults::flow,
    fault::{Faults, nearest},
    load::{Loaded, check_with},
    schema::{self, File},
    yaml::{self, Content, Node},
};
use cut::cut;
use splice::{Step, splice};

/// One changed setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// Whose rules; `None`: the file for everyone.
    pub account: Option<AccountId>,
    /// Dotted path as in the file, such as `rules.max_contracts.limit` or `daily_reset.time`.
    pub key: String,
    /// As one would write it; texts that are numbers, durations or times are taken as such. `None` takes the
    /// key out of the file: what applies without it applies again.
    pub value: Option<Json>,
}

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is no such setting.
    #[error("there is no setting {key}{}", nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownKey {
        /// What was asked for.
        key: String,
        /// The nearest valid path.
        nearest: Option<String>,
    },
    /// Only rules can differ between accounts.
    #[error("{key} holds for every account; leave the account out")]
    NotPerAccount {
        /// What was asked for.
        key: String,
    },
    /// An account must be listed before its rules can differ.
    #[error("the account {account} is not listed in accounts.yaml; add it there first")]
    NotListed {
        /// The account.
        account: AccountId,
    },
    /// The file is laid out in a way that can't be changed without writing it anew.
    #[error("{file} is laid out in a way that can't be changed here; edit the file itself")]
    Layout {
        /// The file.
        file: String,
    },
    /// The check refuses the result.
    #[error("{0}")]
    Refused(Faults),
    /// A file can't be read or written.
    #[error("{file} can't be read or written: {error}")]
    Io {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Makes changes, all or none. Gives what the files say afterwards.
///
/// # Errors
/// Nothing is written when a change has no place or when the check refuses the result.
pub fn save(
    dir: &Path,
    edits: &[Edit],
    environment: &dyn Fn(&str) -> Option<String>,
    built: &[RuleKey],
) -> Result<Loaded, SaveError> {
    let (texts, loaded) = changed(dir, edits, environment, built)?;
    for (file, text) in &texts {
        write(dir, file, text).map_err(|error| SaveError::Io { file: file.clone(), error })?;
    }
    Ok(loaded)
}

/// What the files would say after [`save`]. Writes nothing.
///
/// # Errors
/// As [`save`], except that nothing can fail to be written.
pub fn preview(
    dir: &Path,
    edits: &[Edit],
    environment: &dyn Fn(&str) -> Option<String>,
    built: &[RuleKey],
) -> Result<Loaded, SaveError> {
    changed(dir, edits, environment, built).map(|(_, loaded)| loaded)
}

/// The new texts of the files concerned, and what all files say with them.
fn changed(
    dir: &Path,
    edits: &[Edit],
    environment: &dyn Fn(&str) -> Option<String>,
    built: &[RuleKey],
) -> Result<(BTreeMap<String, String>, Loaded), SaveError> {
    let mut texts = BTreeMap::new();
    for edit in edits {
        change(dir, edit, &mut texts)?;
    }
    let loaded = check_with(dir, &texts, environment, built).map_err(SaveError::Refused)?;
    Ok((texts, loaded))
}

/// Makes one change in the texts that are to be written.
fn change(dir: &Path, edit: &Edit, texts: &mut BTreeMap<String, String>) -> Result<(), SaveError> {
    let (file, steps, value) = match edit.key == WATCHED {
        true => watched(dir, edit, texts)?,
        false => place(dir, edit, texts).map(|(file, steps)| (file, steps, edit.value.clone()))?,
    };
    let text = read(dir, &file, texts)?;
    let changed = match &value {
        Some(value) => splice(&text, &steps, value),
        None => cut(&text, &steps),
    };
    let changed = changed.ok_or_else(|| SaveError::Layout { file: file.clone() })?;
    texts.insert(file, changed);
    Ok(())
}

/// Whether an account is watched. The one key of `accounts.yaml` that can be changed: where the account is not
/// listed yet, its entry is written.
const WATCHED: &str = "accounts[].enabled";

fn watched(
    dir: &Path,
    edit: &Edit,
    texts: &BTreeMap<String, String>,
) -> Result<(String, Vec<Step>, Option<Json>), SaveError> {
    let unknown = || SaveError::UnknownKey { key: edit.key.clone(), nearest: None };
    let account = edit.account.as_ref().ok_or_else(unknown)?;
    let file = File::Accounts.name();
    let text = read(dir, file, texts)?;
    let tree = yaml::parse(file, &text, &mut Vec::new());
    if let Some((mut path, _)) = tree.as_ref().and_then(|tree| entry(tree, account)) {
        path.push(Step::Name("enabled".to_string()));
        return Ok((file.to_string(), path, edit.value.clone()));
    }
    let id = account.as_str().parse::<u64>().map_or_else(|_| json!(account.as_str()), |id| json!(id));
    let new = edit.value.as_ref().map(|enabled| json!({"id": id, "enabled": enabled}));
    let mut path = vec![Step::Name("accounts".to_string())];
    let listed = tree.as_ref().and_then(|tree| tree.child("accounts")).map(|list| &list.content);
    let Some(Content::List(items)) = listed else {
        return Ok((file.to_string(), path, new.map(|new| json!([new]))));
    };
    path.push(Step::Index(items.len()));
    Ok((file.to_string(), path, new))
}

/// The file and the path inside it.
fn place(
    dir: &Path,
    edit: &Edit,
    texts: &BTreeMap<String, String>,
) -> Result<(String, Vec<Step>), SaveError> {
    let key = || edit.key.clone();
    let found = File::ALL.into_iter().find_map(|file| schema::find(file, &edit.key));
    let Some((row, _)) = found.filter(|(row, _)| row.group.file != File::Accounts) else {
        let near = nearest(&edit.key, schema::ROWS.iter().map(|row| row.path.as_str()));
        return Err(SaveError::UnknownKey { key: key(), nearest: near.map(ToString::to_string) });
    };
    let steps: Vec<Step> = edit.key.split('.').map(|name| Step::Name(name.to_string())).collect();
    let Some(account) = &edit.account else {
        return Ok((row.group.file.name().to_string(), steps));
    };
    if row.group.rule.is_none() {
        return Err(SaveError::NotPerAccount { key: key() });
    }
    let accounts = File::Accounts.name();
    let text = read(dir, accounts, texts)?;
    let tree = yaml::parse(accounts, &text, &mut Vec::new());
    let (mut path, entry) = tree
        .as_ref()
        .and_then(|tree| entry(tree, account))
        .ok_or_else(|| SaveError::NotListed { account: account.clone() })?;
    if let Some(Content::Scalar(own)) = entry.child("risk_config_file").map(|node| &node.content) {
        return Ok((own.text.clone(), steps));
    }
    path.push(Step::Name("config_overrides".to_string()));
    let wrapped = entry.child("config_overrides").is_some_and(|node| node.child("rules").is_some());
    path.extend(steps.into_iter().skip(usize::from(!wrapped)));
    Ok((accounts.to_string(), path))
}

/// The entry of an account and the way to it.
fn entry<'a>(tree: &'a Node, account: &AccountId) -> Option<(Vec<Step>, &'a Node)> {
    let is_it = |node: &&Node| match node.child("id").map(|id| &id.content) {
        Some(Content::Scalar(id)) => id.text == account.as_str(),
        _ => false,
    };
    if let Some(single) = tree.child("monitored_account").filter(is_it) {
        return Some((vec![Step::Name("monitored_account".to_string())], single));
    }
    match &tree.child("accounts")?.content {
        Content::List(items) => items
            .iter()
            .enumerate()
            .find(|(_, node)| is_it(node))
            .map(|(index, node)| (vec![Step::Name("accounts".to_string()), Step::Index(index)], node)),
        Content::Scalar(_) | Content::Map(_) | Content::Bad => None,
    }
}

fn read(dir: &Path, file: &str, texts: &BTreeMap<String, String>) -> Result<String, SaveError> {
    if let Some(text) = texts.get(file) {
        return Ok(text.clone());
    }
    match fs::read_to_string(dir.join(file)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| SaveError::Io { file: file.to_string(), error }),
    }
}

/// Replaces a file at once: whoever reads it sees the old text or the new one, never a part.
fn write(dir: &Path, file: &str, text: &str) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let path = dir.join(file);
    let target = fs::canonicalize(&path).unwrap_or(path);
    let mut draft = tempfile::NamedTempFile::new_in(target.parent().unwrap_or(dir))?;
    draft.write_all(text.as_bytes())?;
    if let Ok(known) = fs::metadata(&target) {
        draft.as_file().set_permissions(known.permissions())?;
    }
    draft.as_file().sync_all()?;
    draft.persist(&target).map(drop).map_err(|failed| failed.error)
}

/// A value as it stands in a file.
fn written(value: &Json) -> String {
    match value.as_str().filter(|text| is_bare(text)) {
        Some(text) => text.to_string(),
        None => flow(value),
    }
}

/// Numbers, durations and references that were handed over as text stand in a file without quotes.
fn is_bare(text: &str) -> bool {
    let number = text.strip_prefix('-').unwrap_or(text);
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

//! Watching the settings files, beside the loop: a change is read, checked, and handed over as a whole; a
//! broken file leaves everything as it was (specification C.16, rulings 5 and 6). A disk that hangs holds
//! up nothing but this.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use config::{Edit, FaultKind, Faults, Loaded, SaveError};
use domain::{AccountId, Rulebook};
use engine::rules::BUILT;
use serde_json::Value as Json;
use store::ConfigOrigin;
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use views::control::{Reply, SettingEdit};

use crate::core::{Files, Input};

/// The files are looked at this often: a change takes effect within two seconds (ruling 6).
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// News that the loop has not taken; when full, watching waits for the loop.
const MOST_NEWS: usize = 16;
/// Changes that wait to be saved; when full, further ones are refused.
const MOST_SAVES: usize = 16;

/// The settings as the files have them, and the files they came from.
#[derive(Debug)]
pub struct Settings {
    directory: PathBuf,
    loaded: Option<Loaded>,
    stamps: Vec<Stamp>,
}

/// What tells that a file changed: replaced by rename included.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

/// A change to be made in the files, and who waits for the answer.
pub(crate) struct Save {
    pub edits: Vec<Edit>,
    /// Accounts that are locked by more than their trading hours: nothing that protects them less is written.
    pub locked: Vec<AccountId>,
    pub answer: oneshot::Sender<Reply>,
}

/// The loop's end of the watching task.
pub(crate) struct Watching {
    pub news: mpsc::Receiver<Input>,
    saves: mpsc::Sender<Save>,
}

impl Watching {
    /// Changes the files, off the loop; the answer tells what came of it.
    pub fn save(&self, save: Save) {
        if let Err(mpsc::error::TrySendError::Full(save) | mpsc::error::TrySendError::Closed(save)) =
            self.saves.try_send(save)
        {
            let reason = "Other settings are being saved. Try again in a moment.".to_string();
            let _ = save.answer.send(Reply::Refused { reason });
        }
    }
}

/// Reads the files of a directory.
///
/// # Errors
/// Every fault of every file.
pub fn load(directory: &Path) -> Result<Loaded, Faults> {
    config::load(directory, &environment, &BUILT)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Settings {
    /// Watches the files of a directory; `loaded` is what they said at the start, if they could be used.
    /// What changed since then is seen at the first look.
    #[must_use]
    pub fn watch(directory: &Path, loaded: Option<Loaded>) -> Self {
        let mut settings = Self { directory: directory.to_path_buf(), loaded, stamps: Vec::new() };
        if settings.loaded.is_none() {
            settings.stamps = stamps(settings.files());
        }
        settings
    }

    /// Starts watching. It ends with the loop.
    pub(crate) fn serve(mut self) -> Watching {
        let (news, receiver) = mpsc::channel(MOST_NEWS);
        let (saves, mut wanted) = mpsc::channel::<Save>(MOST_SAVES);
        tokio::spawn(async move {
            let mut seconds = interval(LOOK_EVERY);
            seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                let save = tokio::select! {
                    save = wanted.recv() => match save {
                        Some(save) => Some(save),
                        None => return,
                    },
                    _ = seconds.tick() => None,
                };
                let reply = match save {
                    Some(Save { edits, locked, answer }) => Some((self.save(edits, locked).await, answer)),
                    None => None,
                };
                for input in self.look().await {
                    if news.send(input).await.is_err() {
                        return;
                    }
                }
                if let Some((reply, answer)) = reply {
                    let _ = answer.send(reply);
                }
            }
        });
        Watching { news: receiver, saves }
    }

    /// Looks whether a file changed since the last look, and reads them all if so.
    async fn look(&mut self) -> Vec<Input> {
        let (directory, files, known) = (self.directory.clone(), self.files(), self.stamps.clone());
        let read = spawn_blocking(move || {
            let stamps = stamps(files);
            (stamps != known).then(|| (stamps, load(&directory)))
        });
        match read.await {
            Ok(None) => Vec::new(),
            Ok(Some((stamps, read))) => {
                self.stamps = stamps;
                match read {
                    Ok(loaded) => self.changed(loaded),
                    Err(faults) => vec![refused(&faults)],
                }
            }
            Err(error) => vec![Input::SettingsRefused(error.to_string())],
        }
    }

    async fn save(&self, edits: Vec<Edit>, locked: Vec<AccountId>) -> Reply {
        let directory = self.directory.clone();
        let known = self.loaded.as_ref().map(|loaded| loaded.rulebook.clone());
        let saved = spawn_blocking(move || {
            let next = config::preview(&directory, &edits, &environment, &BUILT)?;
            if let Some(reason) = known.and_then(|known| refusal(&known, &next.rulebook, &locked)) {
                return Ok(Reply::Refused { reason });
            }
            config::save(&directory, &edits, &environment, &BUILT).map(|_| Reply::Accepted)
        });
        match saved.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => Reply::Refused { reason: not_saved(&error) },
            Err(error) => Reply::Refused { reason: error.to_string() },
        }
    }

    fn changed(&mut self, loaded: Loaded) -> Vec<Input> {
        let old = self.loaded.replace(loaded);
        let Some(new) = &self.loaded else { return Vec::new() };
        if old.as_ref().is_some_and(|old| old.fingerprint == new.fingerprint) {
            return vec![Input::Settings(Ok(()))];
        }
        for fault in &new.warnings {
            tracing::warn!(target: "daemon", "{fault}");
        }
        for reason in old.iter().flat_map(|old| config::restart_needed(old, new)) {
            tracing::warn!(target: "daemon", "{reason} It takes effect at the next start.");
        }
        vec![Input::Settings(Ok(())), Input::Files(Box::new(files(new)))]
    }

    fn files(&self) -> Vec<PathBuf> {
        let known = self.loaded.as_ref().map(|loaded| loaded.files.clone());
        known.unwrap_or_else(|| {
            let names = ["api.yaml", "accounts.yaml", "timers.yaml", "risk.yaml", "../.env"];
            names.iter().map(|name| self.directory.join(name)).collect()
        })
    }
}

/// A change as it comes from a viewer. Lists and switches are meant as such, everything else as text.
pub(crate) fn edit(edit: SettingEdit) -> Edit {
    let SettingEdit { account, key, value } = edit;
    let value = match serde_json::from_str(&value) {
        Ok(value @ (Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_))) => value,
        Ok(Json::Number(_) | Json::String(_)) | Err(_) => Json::String(value),
    };
    Edit { account, key, value }
}

/// Why a change is not even written while an account is locked.
fn refusal(known: &Rulebook, next: &Rulebook, locked: &[AccountId]) -> Option<String> {
    let changes = config::compare(known, next);
    let (account, change) =
        locked.iter().find_map(|account| changes.looser(account).next().map(|change| (account, change)))?;
    Some(format!(
        "Account {account} is locked: nothing is loosened until the lock has ended ({}).",
        change.text
    ))
}

fn not_saved(error: &SaveError) -> String {
    match error {
        SaveError::Refused(faults) => in_short(faults),
        SaveError::UnknownKey { .. }
        | SaveError::NotPerAccount { .. }
        | SaveError::NotListed { .. }
        | SaveError::Layout { .. }
        | SaveError::Io { .. } => error.to_string(),
    }
}

fn stamps(files: Vec<PathBuf>) -> Vec<Stamp> {
    files
        .into_iter()
        .map(|file| {
            let stamp = stamp(&file);
            (file, stamp)
        })
        .collect()
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let data = fs::metadata(file).ok()?;
    Some((data.modified().ok()?, data.len()))
}

/// The first fault in one sentence for people; all of them go to the log.
fn refused(faults: &Faults) -> Input {
    for fault in &faults.0 {
        tracing::error!(target: "errors", "{fault}");
    }
    Input::SettingsRefused(in_short(faults))
}

/// The first error of a file that cannot be used: place and problem.
#[must_use]
pub fn in_short(faults: &Faults) -> String {
    let errors: Vec<_> = faults.0.iter().filter(|fault| fault.is_error()).collect();
    let Some(first) = errors.first() else { return "the settings cannot be used".to_string() };
    let place = first.line.map_or_else(String::new, |line| format!(" line {line}"));
    let key = if first.key.is_empty() { String::new() } else { format!(", {}", first.key) };
    let more = match errors.len() {
        1 => String::new(),
        more => format!(" (and {} more)", more - 1),
    };
    format!("{}{place}{key}: {}{more}", first.file, first.problem.trim_end_matches('.'))
}

/// What files say, for the core.
#[must_use]
pub fn files(loaded: &Loaded) -> Files {
    Files {
        rulebook: loaded.rulebook.clone(),
        api: loaded.api.clone(),
        hash: loaded.fingerprint.clone(),
        origin: ConfigOrigin::File,
        instruments: loaded.settings.general.instruments.clone(),
    }
}

/// Whether a file tried to weaken RULE-008.
#[must_use]
pub fn forces_stop_rule(loaded: &Loaded) -> bool {
    loaded.warnings.iter().any(|fault| fault.kind == FaultKind::StopRuleForced)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Contracts;
    use tokio::time::timeout;

    use super::*;

    const RULES: &str = "rules:\n  max_contracts: {limit: 5} # five\n";

    fn watching(home: &Path) -> Watching {
        fs::write(home.join("risk.yaml"), RULES).unwrap();
        Settings::watch(home, Some(load(home).unwrap())).serve()
    }

    async fn ask(watching: &Watching, limit: &str, locked: &[&str]) -> Reply {
        let (answer, reply) = oneshot::channel();
        let key = "rules.max_contracts.limit".to_string();
        let edits = vec![edit(SettingEdit { account: None, key, value: limit.to_string() })];
        watching.save(Save { edits, locked: locked.iter().map(|id| (*id).into()).collect(), answer });
        timeout(Duration::from_secs(10), reply).await.unwrap().unwrap()
    }

    /// The next rules that the loop is told.
    async fn limit_told(watching: &mut Watching) -> Contracts {
        loop {
            let news = timeout(Duration::from_secs(10), watching.news.recv()).await.unwrap().unwrap();
            if let Input::Files(files) = news {
                return files.rulebook.base.max_contracts.settings.limit;
            }
        }
    }

    #[tokio::test]
    async fn a_saved_change_is_written_and_told_to_the_loop() {
        let home = tempfile::tempdir().unwrap();
        let mut watching = watching(home.path());
        assert_eq!(ask(&watching, "8", &[]).await, Reply::Accepted);
        assert_eq!(limit_told(&mut watching).await, Contracts(8));
        let file = fs::read_to_string(home.path().join("risk.yaml")).unwrap();
        assert_eq!(file, RULES.replace('5', "8"));
        let refused = ask(&watching, "0", &[]).await;
        assert!(matches!(refused, Reply::Refused { reason } if reason.contains("max_contracts.limit")));
    }

    #[tokio::test]
    async fn while_locked_a_looser_change_is_not_even_written_and_a_stricter_one_is() {
        let home = tempfile::tempdir().unwrap();
        let mut watching = watching(home.path());
        let Reply::Refused { reason } = ask(&watching, "8", &["7"]).await else { panic!("not refused") };
        assert!(reason.starts_with("Account 7 is locked"), "{reason}");
        assert_eq!(fs::read_to_string(home.path().join("risk.yaml")).unwrap(), RULES);
        assert_eq!(ask(&watching, "3", &["7"]).await, Reply::Accepted);
        assert_eq!(limit_told(&mut watching).await, Contracts(3));
    }

    #[tokio::test]
    async fn a_change_between_the_start_and_the_first_look_is_seen() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("risk.yaml"), RULES).unwrap();
        let loaded = load(home.path()).unwrap();
        fs::write(home.path().join("risk.yaml"), RULES.replace('5', "2")).unwrap();
        let mut watching = Settings::watch(home.path(), Some(loaded)).serve();
        assert_eq!(limit_told(&mut watching).await, Contracts(2));
    }
}

//! Watching the settings files, beside the loop: a change is read, checked, and handed over as a whole; a
//! broken file leaves everything as it was (specification C.16, rulings 5 and 6). A disk that hangs holds
//! up nothing but this. Also what a window is shown of the settings.

mod preview;
mod show;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use config::{Edit, FaultKind, Faults, Gravity, Loaded, SaveError};
use domain::{AccountId, Instant, Rulebook, Severity};
use engine::rules::BUILT;
use serde_json::Value as Json;
use store::ConfigOrigin;
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use views::{
    control::{Reply, SettingEdit},
    text::time,
    view::DesktopView,
};

use crate::{
    core::{Announced, BackupPlan, Files, Input},
    logs,
};

/// The files are looked at this often: a change takes effect within two seconds (ruling 6).
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// News that the loop has not taken; when full, watching waits for the loop.
const MOST_NEWS: usize = 16;
/// Errands that wait; when full, further ones are refused.
const MOST_ERRANDS: usize = 16;

/// The settings as the files have them, and the files they came from.
#[derive(Debug)]
pub struct Settings {
    directory: PathBuf,
    loaded: Option<Loaded>,
    stamps: Vec<Stamp>,
}

/// What tells that a file changed: replaced by rename included.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

/// What may not be loosened now.
#[derive(Clone, Debug, Default)]
pub struct Guarded {
    /// Accounts, with what they are called, that are locked by more than their trading hours: nothing that protects them less is written.
    pub accounts: Vec<(AccountId, String)>,
    /// Until when nothing at all that protects less is written, and what time it is.
    pub sealed: Option<(Instant, Instant)>,
}

/// What changes of the files are measured by.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The rules that were accepted.
    pub rulebook: Rulebook,
    /// When a change that protects less applies; `None` while nobody knows what time it is.
    pub loosens_at: Option<Instant>,
    /// What may not be loosened.
    pub guarded: Guarded,
}

/// Something to do with the files, beside the loop.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Change them.
    Save { edits: Vec<Edit>, guarded: Guarded },
    /// Say what changes would lead to.
    Preview { edits: Vec<Edit>, in_force: Box<InForce> },
    /// Say what they say.
    Show,
}

/// An errand, and who waits for the answer.
type Wanted = (Errand, oneshot::Sender<Reply>);

/// The loop's end of the watching task.
pub(crate) struct Watching {
    pub news: mpsc::Receiver<Input>,
    errands: mpsc::Sender<Wanted>,
}

impl Watching {
    /// Does something with the files, off the loop; the answer tells what came of it.
    pub fn run(&self, errand: Errand, answer: oneshot::Sender<Reply>) {
        if let Err(mpsc::error::TrySendError::Full(wanted) | mpsc::error::TrySendError::Closed(wanted)) =
            self.errands.try_send((errand, answer))
        {
            let reason = "Other settings are being saved. Try again in a moment.".to_string();
            let _ = wanted.1.send(Reply::Refused { reason });
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

/// The variables that the files may refer to.
pub(crate) fn environment(name: &str) -> Option<String> {
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
        let (errands, mut wanted) = mpsc::channel::<Wanted>(MOST_ERRANDS);
        tokio::spawn(async move {
            let mut seconds = interval(LOOK_EVERY);
            seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                let wanted = tokio::select! {
                    wanted = wanted.recv() => match wanted {
                        Some(wanted) => Some(wanted),
                        None => return,
                    },
                    _ = seconds.tick() => None,
                };
                let reply = match wanted {
                    Some((errand, answer)) => Some((self.run(errand).await, answer)),
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
        Watching { news: receiver, errands }
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

    async fn run(&self, errand: Errand) -> Reply {
        let (directory, known) = (self.directory.clone(), self.loaded.clone());
        let done = spawn_blocking(move || match errand {
            Errand::Save { edits, guarded } => save(&directory, &edits, known.as_ref(), &guarded),
            Errand::Preview { edits, in_force } => preview(&directory, &edits, known, &in_force),
            Errand::Show => show(&directory, known),
        });
        done.await.unwrap_or_else(|error| Reply::Refused { reason: error.to_string() })
    }

    fn changed(&mut self, loaded: Loaded) -> Vec<Input> {
        let old = self.loaded.replace(loaded);
        let Some(new) = &self.loaded else { return Vec::new() };
        if old.as_ref().is_some_and(|old| old.fingerprint == new.fingerprint) {
            return vec![Input::Settings(Ok(()))];
        }
        logs::set_level(new.settings.logging.level);
        for fault in &new.warnings {
            tracing::warn!(target: "daemon", "{fault}");
        }
        let later: Vec<_> = old.iter().flat_map(|old| config::restart_needed(old, new)).collect();
        for reason in &later {
            tracing::warn!(target: "daemon", "{reason} It takes effect at the next start.");
        }
        vec![Input::Settings(Ok(())), Input::Files(Box::new(Files { later, ..files(new) }))]
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
    let value = value.map(|value| match serde_json::from_str(&value) {
        Ok(value @ (Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_))) => value,
        Ok(Json::Number(_) | Json::String(_)) | Err(_) => Json::String(value),
    });
    Edit { account, key, value }
}

fn save(directory: &Path, edits: &[Edit], known: Option<&Loaded>, guarded: &Guarded) -> Reply {
    let saved = config::preview(directory, edits, &environment, &BUILT).and_then(|next| {
        if let Some(reason) = known.and_then(|known| refusal(&known.rulebook, &next.rulebook, guarded)) {
            return Ok(Reply::Refused { reason });
        }
        config::save(directory, edits, &environment, &BUILT).map(|_| Reply::Accepted)
    });
    saved.unwrap_or_else(|error| Reply::Refused { reason: not_saved(&error) })
}

fn preview(directory: &Path, edits: &[Edit], known: Option<Loaded>, in_force: &InForce) -> Reply {
    // What somebody wrote into the files a moment ago counts, even if it was not looked at yet.
    match config::check(directory, &environment, &BUILT).ok().or(known) {
        Some(known) => {
            let preview = preview::of(directory, edits, &known, in_force);
            Reply::Preview { preview: Box::new(preview) }
        }
        None => Reply::Refused { reason: UNREADABLE.to_string() },
    }
}

fn show(directory: &Path, known: Option<Loaded>) -> Reply {
    let settings = match (config::check(directory, &environment, &BUILT), known) {
        (Ok(loaded), _) => show::view(&loaded, &loaded.warnings, true),
        (Err(faults), Some(known)) => show::view(&known, &faults.0, false),
        (Err(_), None) => return Reply::Refused { reason: UNREADABLE.to_string() },
    };
    Reply::Settings { settings: Box::new(settings) }
}

/// There is nothing to show before files could be used for the first time.
const UNREADABLE: &str = "The settings files cannot be used, and were not since the engine started. \
    `riskctl config check` says what is wrong.";

/// Why a change is not even written while something is locked.
fn refusal(known: &Rulebook, next: &Rulebook, guarded: &Guarded) -> Option<String> {
    let changes = config::compare(known, next);
    if let Some((until, now)) = guarded.sealed
        && let Some(change) = changes.0.iter().find(|change| change.is_looser())
    {
        return Some(format!(
            "Risk Settings are locked until {}: only stricter changes are accepted ({}).",
            time::schedule(until, now),
            change.text
        ));
    }
    let looser = |account| changes.looser(account).next();
    let (name, change) =
        guarded.accounts.iter().find_map(|(account, name)| looser(account).map(|change| (name, change)))?;
    Some(format!("Account {name} is locked: nothing is loosened until the lock has ended ({}).", change.text))
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
        desktop: desktop(&loaded.settings.notifications.desktop),
        zone: loaded.settings.general.timezone,
        names: names(loaded),
        later: Vec::new(),
        announced: Announced {
            unlocks: loaded.settings.timers.notify_unlock,
            clocks: loaded.settings.timers.notify_dst,
        },
        backups: BackupPlan::of(&loaded.settings.database),
    }
}

/// The trader's own names of accounts, as the files of a directory say; files that cannot be used name nobody.
#[must_use]
pub fn own_names(directory: &Path) -> BTreeMap<AccountId, String> {
    load(directory).map(|loaded| names(&loaded)).unwrap_or_default()
}

fn names(loaded: &Loaded) -> BTreeMap<AccountId, String> {
    loaded.accounts.iter().filter_map(|it| Some((it.id.clone(), it.name.clone()?))).collect()
}

fn desktop(channel: &config::Desktop) -> DesktopView {
    let min_severity = match channel.min_severity {
        Gravity::Info => Severity::Info,
        Gravity::Warning => Severity::Warning,
        Gravity::Error => Severity::Error,
        Gravity::Critical => Severity::Critical,
    };
    DesktopView { enabled: channel.enabled, min_severity }
}

/// Whether a file tried to weaken RULE-008.
#[must_use]
pub fn forces_stop_rule(loaded: &Loaded) -> bool {
    loaded.warnings.iter().any(|fault| fault.kind == FaultKind::StopRuleForced)
}

#[cfg(test)]
mod tests;

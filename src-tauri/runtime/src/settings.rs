//! Watching the settings files: a change is read, checked, and handed to the loop as a whole; a broken
//! file leaves everything as it was (specification C.16, rulings 5 and 6).

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use config::{Api, FaultKind, Faults, Loaded};
use domain::{Instant, Rulebook};
use engine::rules::BUILT;
use serde::{Deserialize, Serialize};
use store::{ConfigOrigin, ConfigSnapshot};

use crate::core::Input;

/// The settings in force, and the files they came from.
#[derive(Debug)]
pub struct Settings {
    directory: PathBuf,
    loaded: Option<Loaded>,
    stamps: Vec<Stamp>,
}

/// What tells that a file changed: replaced by rename included.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

/// Reads the files of a directory.
///
/// # Errors
/// Every fault of every file.
pub fn load(directory: &Path) -> Result<Loaded, Faults> {
    config::load(directory, &|name| std::env::var(name).ok(), &BUILT)
}

impl Settings {
    /// Watches the files of a directory; `loaded` is what they said at the start, if they could be used.
    #[must_use]
    pub fn watch(directory: &Path, loaded: Option<Loaded>) -> Self {
        let mut settings = Self { directory: directory.to_path_buf(), loaded, stamps: Vec::new() };
        settings.stamps = settings.stamps();
        settings
    }

    /// Looks whether a file changed since the last look, and reads them all if so.
    pub async fn look(&mut self, now: Instant) -> Vec<Input> {
        let stamps = self.stamps();
        if stamps == self.stamps {
            return Vec::new();
        }
        self.stamps = stamps;
        let directory = self.directory.clone();
        match tokio::task::spawn_blocking(move || load(&directory)).await {
            Ok(Ok(loaded)) => self.changed(loaded, now),
            Ok(Err(faults)) => vec![refused(&faults)],
            Err(error) => vec![Input::SettingsRefused(error.to_string())],
        }
    }

    fn changed(&mut self, loaded: Loaded, now: Instant) -> Vec<Input> {
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
        let diff = old.map_or_else(String::new, |old| difference(&old.rulebook, &new.rulebook));
        tracing::info!(target: "daemon", "settings changed: {diff}");
        let snapshot = snapshot(new, diff, now);
        vec![
            Input::Settings(Ok(())),
            Input::Rules { rulebook: Box::new(new.rulebook.clone()), snapshot: Box::new(snapshot) },
        ]
    }

    fn stamps(&self) -> Vec<Stamp> {
        let known = self.loaded.as_ref().map(|loaded| loaded.files.clone());
        let files = known.unwrap_or_else(|| {
            let names = ["api.yaml", "accounts.yaml", "timers.yaml", "risk.yaml", "../.env"];
            names.iter().map(|name| self.directory.join(name)).collect()
        });
        files.into_iter().map(|file| (file.clone(), stamp(&file))).collect()
    }
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

/// Settings as they are kept with the audit.
#[must_use]
pub fn snapshot(loaded: &Loaded, diff: String, at: Instant) -> ConfigSnapshot {
    ConfigSnapshot {
        at,
        hash: loaded.fingerprint.clone(),
        origin: ConfigOrigin::File,
        os_user: None,
        diff,
        content: serde_json::to_string(&Kept {
            rulebook: Cow::Borrowed(&loaded.rulebook),
            api: Cow::Borrowed(&loaded.api),
        })
        .unwrap_or_default(),
        valid: true,
    }
}

/// What a kept snapshot holds: without the addresses the rules would be enforced at the wrong place.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    rulebook: Cow<'a, Rulebook>,
    api: Cow<'a, Api>,
}

/// Rules and addresses in a kept snapshot.
#[must_use]
pub fn restore(snapshot: &ConfigSnapshot) -> Option<(Rulebook, Api)> {
    let kept: Kept<'_> = serde_json::from_str(&snapshot.content).ok()?;
    Some((kept.rulebook.into_owned(), kept.api.into_owned()))
}

/// Whether a file tried to weaken RULE-008.
#[must_use]
pub fn forces_stop_rule(loaded: &Loaded) -> bool {
    loaded.warnings.iter().any(|fault| fault.kind == FaultKind::StopRuleForced)
}

fn difference(old: &Rulebook, new: &Rulebook) -> String {
    let changes = config::compare(old, new);
    let words: Vec<&str> = changes.0.iter().map(|change| change.text.as_str()).collect();
    words.join("; ")
}

//! The four files of a folder, together: read, checked, and put into a rulebook. All faults of all files
//! are told at once. Watches nothing; the runtime does.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use domain::{
    AccountId, RuleKey, Rulebook,
    rulebook::{ResetUnlocks, Watched},
};
use sha2::{Digest, Sha256};

use crate::{
    accounts::{self, Entry, Opened},
    checks::{self, Check, Purpose},
    environment::{DOT_ENV, Environment, dot_env},
    fault::{Fault, FaultKind, Faults, Place, nearest},
    layer::{Layer, Origin},
    presets,
    schema::File,
    settings::{Api, ListedAccount, LogLevel, Logging, Settings},
    sheet::Sheet,
    walk::Walk,
    yaml,
};

/// A larger file is refused.
const LARGEST_FILE_BYTES: u64 = 1 << 20;

/// Everything that the files say.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What decides about accounts.
    pub rulebook: Rulebook,
    /// Where the broker is.
    pub api: Api,
    /// Everything else.
    pub settings: Settings,
    /// The entries of `accounts.yaml`, disabled ones included.
    pub accounts: Vec<ListedAccount>,
    /// What somebody should look at.
    pub warnings: Vec<Fault>,
    /// Hash of the files and of the variables that they used, in hex: equal means that nothing changed.
    pub fingerprint: String,
    /// The files that were read, or would be if they existed: what to watch.
    pub files: Vec<PathBuf>,
    pub(crate) books: Books,
}

/// Values with their origin. Holds secrets, so it does not print.
#[derive(Clone)]
pub(crate) struct Books {
    pub base: Book,
    pub own: BTreeMap<AccountId, Book>,
    pub timers: Layer,
    pub api: Layer,
    pub built: Vec<RuleKey>,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Books")
    }
}

/// One sheet and what the files gave for it.
#[derive(Clone)]
pub(crate) struct Book {
    pub sheet: Sheet,
    pub risk: Layer,
}

/// Reads the files of a folder for an engine that runs or starts. Missing files, or a missing folder,
/// mean defaults. `built` are the rules that the engine has: any other counts as off. A weakened RULE-008
/// is enforced all the same and told as [`FaultKind::StopRuleForced`] among the warnings.
///
/// # Errors
/// All faults of all files, if one of them is an error.
pub fn load(
    dir: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
    built: &[RuleKey],
) -> Result<Loaded, Faults> {
    read(Sources::new(dir), environment, built, Purpose::Run)
}

/// Reads the files as [`load`] does, and refuses a weakened RULE-008 as well: for `config check`.
///
/// # Errors
/// All faults of all files, if one of them is an error.
pub fn check(
    dir: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
    built: &[RuleKey],
) -> Result<Loaded, Faults> {
    read(Sources::new(dir), environment, built, Purpose::Check)
}

/// What the files say about the program itself, for what begins before they are judged, and for what only
/// shows things. What of them cannot be used counts as not said: that it is so is told by [`load`].
#[must_use]
pub fn glance(dir: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Settings {
    let mut faults = Vec::new();
    let mut sources = Sources::new(dir);
    let environment = sources.environment(environment, &mut faults);
    let Opened::Tree(tree) = sources.open(File::Risk.name(), &environment, &mut faults) else {
        return Settings::default();
    };
    let mut layer = Walk::new(File::Risk, Origin::File, &mut faults).read(&tree, "");
    layer.given.retain(|key, _| key.starts_with("general."));
    let mut sheet = Sheet::default();
    match layer.apply(File::Risk, &mut sheet) {
        Ok(()) => sheet.settings,
        Err(_) => Settings::default(),
    }
}

/// Checks the folder with other texts in place of some files: what a change would lead to.
pub(crate) fn check_with(
    dir: &Path,
    changed: &BTreeMap<String, String>,
    environment: &dyn Fn(&str) -> Option<String>,
    built: &[RuleKey],
) -> Result<Loaded, Faults> {
    let mut sources = Sources::new(dir);
    sources.changed.clone_from(changed);
    read(sources, environment, built, Purpose::Check)
}

/// What a change of files needs beyond a reload: endpoints, the list of accounts (specification C.16),
/// and the files that are open for the log.
#[must_use]
pub fn restart_needed(old: &Loaded, new: &Loaded) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    if old.api != new.api {
        reasons.push("The broker's addresses in api.yaml changed.");
    }
    if old.rulebook.accounts != new.rulebook.accounts {
        reasons.push("The list of watched accounts in accounts.yaml changed.");
    }
    let files = |loaded: &Loaded| Logging { level: LogLevel::default(), ..loaded.settings.logging.clone() };
    if files(old) != files(new) {
        reasons.push("Folder, size or days of the log files in risk.yaml changed.");
    }
    reasons
}

/// The files of a folder, and what was read of them.
struct Sources<'a> {
    dir: &'a Path,
    changed: BTreeMap<String, String>,
    files: Vec<PathBuf>,
    hash: Sha256,
}

impl<'a> Sources<'a> {
    fn new(dir: &'a Path) -> Self {
        Self { dir, changed: BTreeMap::new(), files: Vec::new(), hash: Sha256::new() }
    }

    fn text(&mut self, path: PathBuf, name: &str, faults: &mut Vec<Fault>) -> Option<String> {
        let read = match self.changed.get(name) {
            Some(text) => Ok(Some(text.clone())),
            None => read_file(&path),
        };
        self.files.push(path);
        match read {
            Ok(text) => {
                self.note(name, text.as_deref().unwrap_or_default());
                text
            }
            Err(error) => {
                faults.push(
                    Fault::error(FaultKind::Unreadable, &Place::file(name), "", "This file can't be read.")
                        .because(format!("The system says: {error}."))
                        .fix(
                            "Check that it is a text file in UTF-8 of at most 1 MB that this user may read.",
                        ),
                );
                None
            }
        }
    }

    /// Files of the folder that look like settings and are not: what they say would silently not apply.
    fn tell_unread(&self, faults: &mut Vec<Fault>) {
        let Ok(entries) = fs::read_dir(self.dir) else { return };
        let is_yaml = |path: &PathBuf| path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        let known = [File::Risk, File::Accounts, File::Timers, File::Api].map(File::name);
        for path in entries.flatten().map(|entry| entry.path()).filter(is_yaml) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if name == presets::FILE || self.files.contains(&path) || !path.is_file() {
                continue;
            }
            Fault::warning(FaultKind::Doubtful, &Place::file(name), "", "This file is not read.")
                .because(format!(
                    "Settings stand in {} and in files that accounts.yaml names.",
                    known.join(", ")
                ))
                .fix("Rename it if it was meant to count; move it elsewhere if not.")
                .nearest(nearest(name, known))
                .add(faults);
        }
    }

    fn note(&mut self, name: &str, text: &str) {
        for part in [name, text] {
            self.hash.update((part.len() as u64).to_le_bytes());
            self.hash.update(part);
        }
    }

    /// The variables of the process, and those of the file beside the folder.
    fn environment<'e>(
        &mut self,
        process: &'e dyn Fn(&str) -> Option<String>,
        faults: &mut Vec<Fault>,
    ) -> Environment<'e> {
        let home = self.dir.parent().unwrap_or(self.dir).join(DOT_ENV);
        let variables = self.text(home, DOT_ENV, faults);
        Environment::new(process, dot_env(variables.as_deref().unwrap_or_default(), faults))
    }

    /// The tree of a file with its references replaced.
    fn open(&mut self, name: &str, environment: &Environment, faults: &mut Vec<Fault>) -> Opened {
        let known = faults.len();
        let Some(text) = self.text(self.dir.join(name), name, faults) else {
            return if faults.len() > known { Opened::Nothing } else { Opened::Missing };
        };
        match yaml::parse(name, &text, faults) {
            Some(mut tree) => {
                environment.substitute(&mut tree, "", faults);
                Opened::Tree(tree)
            }
            None => Opened::Nothing,
        }
    }
}

fn read_file(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(data) if data.len() > LARGEST_FILE_BYTES => Err(io::Error::other("the file is too large")),
        Ok(_) => fs::read_to_string(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(
    mut sources: Sources,
    process: &dyn Fn(&str) -> Option<String>,
    built: &[RuleKey],
    purpose: Purpose,
) -> Result<Loaded, Faults> {
    let mut faults = Vec::new();
    let environment = sources.environment(process, &mut faults);

    let mut layer =
        |file: File, faults: &mut Vec<Fault>| match sources.open(file.name(), &environment, faults) {
            Opened::Tree(tree) => Walk::new(file, Origin::File, faults).read(&tree, ""),
            Opened::Missing | Opened::Nothing => Layer::default(),
        };
    let mut risk = layer(File::Risk, &mut faults);
    let timers = layer(File::Timers, &mut faults);
    let api = layer(File::Api, &mut faults);
    take_cooldowns(&timers, &mut risk, &mut faults);
    let entries = match sources.open(File::Accounts.name(), &environment, &mut faults) {
        Opened::Tree(tree) => {
            let mut open = |name: &str, faults: &mut Vec<Fault>| sources.open(name, &environment, faults);
            accounts::read(&tree, &mut open, &mut faults)
        }
        Opened::Missing | Opened::Nothing => Vec::new(),
    };

    sources.tell_unread(&mut faults);
    let books = books(risk, timers, api, &entries, built, purpose, &mut faults);
    for (name, value) in environment.used() {
        sources.note(&name, &value);
    }
    finish(books, entries, sources, faults)
}

/// Cooldowns of `timers.yaml` are those of `risk.yaml`, said elsewhere.
fn take_cooldowns(timers: &Layer, risk: &mut Layer, faults: &mut Vec<Fault>) {
    const SAME: [(&str, &str); 4] = [
        (
            "timer_cooldown.trade_frequency_limit.per_minute_breach",
            "trade_frequency_limit.cooldown_on_breach.per_minute_breach",
        ),
        (
            "timer_cooldown.trade_frequency_limit.per_hour_breach",
            "trade_frequency_limit.cooldown_on_breach.per_hour_breach",
        ),
        (
            "timer_cooldown.trade_frequency_limit.per_session_breach",
            "trade_frequency_limit.cooldown_on_breach.per_session_breach",
        ),
        ("timer_cooldown.cooldown_after_loss", "cooldown_after_loss.cooldown_duration"),
    ];
    for (here, there) in SAME {
        let there = format!("rules.{there}");
        let Some(given) = timers.given.get(here) else { continue };
        match risk.given.get(&there) {
            Some(own) if own.value != given.value => faults.push(
                Fault::error(
                    FaultKind::Conflict,
                    &timers.place(here, File::Timers),
                    here,
                    format!("This differs from {there} in risk.yaml."),
                )
                .because("It would be a guess which of the two counts.")
                .fix("Remove it here."),
            ),
            Some(_) => {}
            None => {
                risk.given.insert(there, given.clone());
            }
        }
    }
}

fn books(
    risk: Layer,
    timers: Layer,
    api: Layer,
    entries: &[Entry],
    built: &[RuleKey],
    purpose: Purpose,
    faults: &mut Vec<Fault>,
) -> Books {
    let book = |risk: Layer, faults: &mut Vec<Fault>| {
        let mut sheet = Sheet::default();
        let applied = timers
            .apply(File::Timers, &mut sheet)
            .and_then(|()| api.apply(File::Api, &mut sheet))
            .and_then(|()| risk.apply(File::Risk, &mut sheet));
        if let Err(error) = applied {
            let place = Place::file(File::Risk.name());
            let problem = format!("A value could not be taken over: {error}.");
            Fault::error(FaultKind::Type, &place, "", problem).add(faults);
        }
        sheet.finish(built);
        let mut check = Check { sheet: &sheet, risk: &risk, timers: &timers, built, purpose, faults };
        check.rules();
        Book { sheet, risk }
    };
    let own = entries
        .iter()
        .filter(|entry| !entry.layer.given.is_empty())
        .map(|entry| (entry.account.id.clone(), risk.with(&entry.layer)))
        .map(|(id, layer)| (id, book(layer, faults)))
        .collect();
    let base = book(risk, faults);
    checks::settings(&base.sheet, &base.risk, faults);
    Books { base, own, timers, api, built: built.to_vec() }
}

fn finish(
    books: Books,
    entries: Vec<Entry>,
    sources: Sources,
    mut faults: Vec<Fault>,
) -> Result<Loaded, Faults> {
    faults.sort_by(|a, b| {
        (&a.file, a.line, a.column, a.severity, &a.key).cmp(&(&b.file, b.line, b.column, b.severity, &b.key))
    });
    if faults.iter().any(Fault::is_error) {
        return Err(Faults(faults));
    }
    let accounts: Vec<ListedAccount> = entries.into_iter().map(|entry| entry.account).collect();
    let watched = |id: &AccountId| accounts.iter().any(|account| account.enabled && account.id == *id);
    let base = &books.base.sheet;
    let rulebook = Rulebook {
        reset: base.reset,
        holidays: base.holidays.clone(),
        accounts: match accounts.is_empty() {
            true => Watched::All,
            false => Watched::Listed(
                accounts.iter().filter(|account| account.enabled).map(|account| account.id.clone()).collect(),
            ),
        },
        base: base.rules.clone(),
        own: books
            .own
            .iter()
            .filter(|(id, book)| watched(id) && book.sheet.rules != base.rules)
            .map(|(id, book)| (id.clone(), book.sheet.rules.clone()))
            .collect(),
        warn_at_percent: base.settings.warnings.told_at_percent.iter().copied().collect(),
        on_reduce_refused: base.settings.general.on_reduce_refused,
        reset_unlocks: ResetUnlocks {
            daily_loss: base.settings.timers.unlock_daily_loss,
            daily_profit: base.settings.timers.unlock_daily_profit,
        },
        dry_run: false,
    };
    Ok(Loaded {
        rulebook,
        api: base.api.clone(),
        settings: base.settings.clone(),
        accounts,
        warnings: faults,
        fingerprint: sources.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        files: sources.files,
        books,
    })
}

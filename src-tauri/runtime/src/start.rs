//! Starting an engine: home, settings, database, memory, broker, loop — in this order, and each failure
//! with its own answer (specification C.17).

use std::{
    sync::Arc,
    time::{Duration, Instant as Monotonic},
};

use config::{Api, Faults, Origin};
use domain::{AccountId, Memory, RuleKey, Rulebook, rulebook::Watched};
use engine::rules::BUILT;
use store::{OpenError, Opened, Origin as DatabaseOrigin, ReadError, Store};
use thiserror::Error;
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};
use views::text::{Keyring, Note, Zones};

use crate::{
    clock::Clock,
    control::server::{self, Feed},
    core::{Accepted, Core, DRY_RUN, Input, Setting},
    credentials::{self, Credentials, KeyringError},
    disk::Disk,
    home::{Home, HomeError, HomeLock},
    journal::Journal,
    lines,
    run::{Broker, Connect, Ending, Loop, MOST_SIGNS, Sign, backups::Backups},
    settings::{self, Settings},
    wake,
};

/// Petitions of viewers that wait for the loop; when full, the viewer waits.
const MOST_PETITIONS: usize = 64;
/// Messages kept for a viewer that lags.
const MOST_NOTES: usize = 64;

/// What an engine is started with.
pub struct Start {
    /// Where it lives.
    pub home: Home,
    /// The broker in the words of people.
    pub broker: String,
    /// How it runs: `tray`, `headless`, `demo`, or [`DRY_RUN`].
    pub mode: String,
    /// Zones of the people who read, where the settings name none.
    pub zones: Zones,
    /// The login; `None` takes the one of the environment or of the keyring.
    pub login: Option<Credentials>,
    /// Makes a broker from its addresses and a login: the one line where a broker is chosen.
    pub connect: fn(&Api, Credentials) -> Result<Broker, String>,
}

/// An engine that runs.
pub struct Running {
    /// Where it lives.
    pub home: Home,
    /// What the program around it wants to know at once.
    pub signs: mpsc::Receiver<Sign>,
    notes: broadcast::Sender<Note>,
    stop: oneshot::Sender<()>,
    engine: JoinHandle<Ending>,
    viewers: JoinHandle<()>,
    lock: HomeLock,
}

/// An engine could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The settings cannot be used, and there are none from before.
    #[error("the settings cannot be used, and no earlier ones are known: nothing can be enforced\n{0}")]
    Settings(Faults),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// What is kept cannot be read.
    #[error("what an earlier run kept cannot be read: {0}")]
    Memory(#[from] ReadError),
    /// A dry run would leave a lockout unenforced.
    #[error(
        "{0} has a lockout that has not ended here. A dry run enforces nothing, so it does not start beside one. Start without --dry-run, or with another --home"
    )]
    Locked(AccountId),
    /// The broker's addresses cannot be used.
    #[error("the broker cannot be reached with these settings: {0}")]
    Broker(String),
    /// The system refused something.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
}

/// Starts an engine. Returns as soon as its loop runs; whether anybody is protected is told by
/// [`Running::signs`] and by the view.
///
/// # Errors
/// Nothing was started.
pub async fn start(start: Start) -> Result<Running, StartError> {
    tracing::info!(
        target: "daemon",
        checkpoint = 1,
        version = env!("CARGO_PKG_VERSION"),
        process = std::process::id(),
        mode = start.mode,
        "starting"
    );
    let lock = start.home.claim()?;
    let loaded = settings::load(&start.home.config());
    let wall = Clock::start(None).now();
    let Opened { store, found } = Store::open(start.home.path(), wall)?;
    let replaced = tell_found(&found);
    let backups = Backups::of(start.home.path(), (found.origin == DatabaseOrigin::Fresh).then_some(wall));
    let rules = rules_in_force(loaded, &store)?;
    let recall = store.memory(wall, &rules.rulebook.reset)?;
    for row in &recall.unreadable {
        tracing::error!(target: "errors", "a row was left out: {row}");
    }
    if start.mode == DRY_RUN {
        may_idle(&recall.memory)?;
    }
    let pending = store.pending_intents()?;
    let clock = Clock::start(recall.memory.last_seen);
    let login = match start.login {
        Some(login) => Ok(Some(login)),
        None => find_login().await,
    };
    let setting =
        Setting { broker: start.broker, mode: start.mode, zones: start.zones, started: clock.now() };
    let (mut core, outputs) = Core::new(setting, rules.rulebook.clone(), recall.memory, pending, clock.now());
    let found = login.as_ref().map(Option::is_some).map_err(KeyringError::doubt);
    let mut inputs = rules.first_inputs(found);
    inputs.extend(replaced.map(Input::DatabaseReplaced));
    if let Some(accepted) = rules.accepted {
        core.remember(accepted);
    }
    let (make, api) = (start.connect, rules.api.clone());
    let connect: Connect = Box::new(move |login| make(&api, login));
    let (broker, connect) = match &login {
        Ok(Some(login)) => (connect(login.clone()).map_err(StartError::Broker)?, None),
        Ok(None) | Err(_) => (Broker::none(), Some(connect)),
    };
    let unread = login.err().map(|error| error.to_string());
    if let Some(error) = &unread {
        tracing::error!(target: "errors", "{error}");
    }

    let (disk, disk_news) =
        Disk::start(store).map_err(|error| StartError::System("the writing thread", error))?;
    let journal = Journal::start(&start.home.logs())
        .map_err(|error| tracing::error!(target: "errors", "no journal is kept: {error}"))
        .ok();
    let listener =
        server::open(start.home.path()).map_err(|error| StartError::System("the control socket", error))?;
    let (petition_sender, petitions) = mpsc::channel(MOST_PETITIONS);
    let (views, view_receiver) = watch::channel(Arc::new(core.view(clock.now())));
    let (notes, _) = broadcast::channel(MOST_NOTES);
    let (sign_sender, signs) = mpsc::channel(MOST_SIGNS);
    let (stop, stopped) = oneshot::channel();
    let watching = Settings::watch(&start.home.config(), rules.loaded).serve();
    let mut engine = Loop {
        core,
        clock,
        disk,
        disk_news,
        backups,
        journal,
        broker,
        connect,
        watching,
        renewal: None,
        proving: None,
        searches: std::collections::BTreeMap::new(),
        review: None,
        petitions,
        wakes: wake::wakes(),
        views,
        notes: notes.clone(),
        unheard: Vec::new(),
        is_beginning: true,
        signs: sign_sender,
        stop: stopped,
        shown: Monotonic::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Monotonic::now),
        dirty: true,
    };
    let kept = engine.disk_news.borrow().clone();
    engine.core.show_kept(kept.lines.iter().map(lines::receipt).collect(), kept.proofs);
    engine.begin(outputs, inputs, unread).await;
    let feed = Feed {
        home: start.home.clone(),
        petitions: petition_sender,
        views: view_receiver,
        notes: notes.clone(),
    };
    let viewers = tokio::spawn(server::serve(listener, feed));
    let engine = tokio::spawn(engine.run());
    Ok(Running { home: start.home, signs, notes, stop, engine, viewers, lock })
}

/// A lockout that has not ended, even one whose time is over: that is told by the broker's clock alone.
fn may_idle(memory: &Memory) -> Result<(), StartError> {
    let locked = memory.accounts.iter().find(|(_, account)| !account.lockouts.is_empty());
    locked.map_or(Ok(()), |(id, _)| Err(StartError::Locked(id.clone())))
}

impl Running {
    /// Messages to people from now on.
    #[must_use]
    pub fn notes(&self) -> broadcast::Receiver<Note> {
        self.notes.subscribe()
    }

    /// Stops it, or clears up after one that ended by itself: enforcements under way are given three seconds,
    /// then everything is written.
    pub async fn stop(self) -> Ending {
        let _ = self.stop.send(());
        let ending = self.engine.await.unwrap_or_else(|error| {
            tracing::error!(target: "errors", "the engine ended badly: {error}");
            Ending::Broken
        });
        self.viewers.abort();
        if ending == Ending::Stalled {
            // Its writing thread may go on after all: as long as this process lives, the home is nobody else's.
            std::mem::forget(self.lock);
        }
        ending
    }
}

/// The rules that count from the start on.
struct Rules {
    /// In force from the first moment.
    rulebook: Rulebook,
    api: Api,
    /// What an earlier run accepted.
    accepted: Option<Accepted>,
    loaded: Option<config::Loaded>,
    fault: Option<String>,
}

impl Rules {
    fn first_inputs(&self, login: Result<bool, Keyring>) -> Vec<Input> {
        let mut inputs = vec![Input::Credentials(login)];
        if let Some(fault) = &self.fault {
            inputs.push(Input::Settings(Err(fault.clone())));
        }
        if let Some(loaded) = &self.loaded {
            inputs.push(Input::Files(Box::new(settings::files(loaded))));
            if settings::forces_stop_rule(loaded) {
                inputs.push(Input::StopRuleForced);
            }
        }
        inputs
    }
}

/// The rules that were accepted last, and the files that are judged by them; where the files are broken,
/// these rules stay (ruling 5). Nothing accepted yet: the files are taken as they are (ruling 6).
fn rules_in_force(loaded: Result<config::Loaded, Faults>, store: &Store) -> Result<Rules, StartError> {
    let accepted = store.last_good_config()?.as_ref().and_then(Accepted::of);
    match loaded {
        Ok(loaded) => {
            for fault in &loaded.warnings {
                tracing::warn!(target: "daemon", "{fault}");
            }
            tell_settings(&loaded);
            // What of the files is stricter holds from the first moment, the list of accounts included.
            let rulebook = match &accepted {
                Some(accepted) => config::split(&accepted.rulebook, &loaded.rulebook).0,
                None => loaded.rulebook.clone(),
            };
            Ok(Rules { rulebook, api: loaded.api.clone(), accepted, fault: None, loaded: Some(loaded) })
        }
        Err(faults) => {
            for fault in &faults.0 {
                tracing::error!(target: "errors", "{fault}");
            }
            let fault = Some(settings::in_short(&faults));
            match accepted {
                Some(accepted) => {
                    tell_rulebook(
                        &accepted.rulebook,
                        "the files are broken; settings accepted last are in force",
                    );
                    Ok(Rules {
                        rulebook: accepted.rulebook.clone(),
                        api: accepted.api.clone(),
                        accepted: Some(accepted),
                        loaded: None,
                        fault,
                    })
                }
                None => Err(StartError::Settings(faults)),
            }
        }
    }
}

/// Checkpoint 2: what is in force, value by value where it is not the default (L-39, L-67).
fn tell_settings(loaded: &config::Loaded) {
    tell_rulebook(&loaded.rulebook, "settings read");
    for value in loaded.effective(None).into_iter().filter(|value| value.origin != Origin::Default) {
        tracing::info!(target: "daemon", origin = %value.origin, "{} = {}", value.key, value.value);
    }
}

fn tell_rulebook(rulebook: &Rulebook, from: &str) {
    let enabled: Vec<&str> = RuleKey::RULES
        .into_iter()
        .filter(|rule| BUILT.contains(rule) && rulebook.base.stance(*rule).0)
        .map(RuleKey::key)
        .collect();
    let accounts = match &rulebook.accounts {
        Watched::All => "all".to_string(),
        Watched::Listed(listed) => listed.len().to_string(),
    };
    tracing::info!(
        target: "daemon",
        checkpoint = 2,
        rules = enabled.len(),
        accounts,
        reset = %rulebook.reset.time,
        timezone = %rulebook.reset.timezone,
        "{from}; rules on: {}", enabled.join(", ")
    );
}

/// Keyrings can block while they ask their owner.
async fn find_login() -> Result<Option<Credentials>, KeyringError> {
    match tokio::task::spawn_blocking(credentials::load).await {
        Ok(found) => found.map(|found| found.map(|(login, _)| login)),
        Err(error) => Err(KeyringError::Refused(error.to_string())),
    }
}

/// Puts into the log what was found; returns what people are to be told: that a backup or nothing at all
/// took the place of the database.
fn tell_found(found: &store::Found) -> Option<String> {
    let replaced = match &found.origin {
        DatabaseOrigin::Fresh => {
            tracing::info!(target: "daemon", "a new database");
            None
        }
        // No start finds the latter: `riskctl backup restore` does it in between.
        DatabaseOrigin::AsItWas | DatabaseOrigin::Chosen { .. } => {
            tracing::info!(target: "daemon", "the database is sound");
            None
        }
        DatabaseOrigin::Restored { backup, why, .. } => {
            let name = backup.file_name().unwrap_or_default().display();
            Some(format!("It was lost ({why}); backup {name} took its place."))
        }
        DatabaseOrigin::Rebuilt { why, .. } => Some(format!(
            "It was lost ({why}); without a usable backup it was begun anew: what happened before is not known."
        )),
    };
    for lock in &found.restored_lockouts {
        tracing::error!(target: "errors", "a lockout came from its second place: {:?}", lock.lockout.key);
    }
    for trouble in found.damaged_mirror.iter().cloned().chain(found.audit.as_ref().map(ToString::to_string)) {
        tracing::error!(target: "errors", "{trouble}");
    }
    let mut told = replaced?;
    if !found.restored_lockouts.is_empty() {
        let lockouts = views::text::words::count(
            u32::try_from(found.restored_lockouts.len()).unwrap_or(u32::MAX),
            "lockout",
        );
        told.push_str(&format!(" {lockouts} came back from the second place."));
    } else if found.damaged_mirror.is_some() {
        told.push_str(" Lockouts of before can't be known: their second place is damaged as well.");
    }
    match &found.settings {
        store::Settings::Kept => {}
        store::Settings::Restored => {
            told.push_str(" The settings that were accepted last stay in force; looser ones still wait.");
        }
        store::Settings::Lost { why } => {
            let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            told.push_str(&format!(
                " The settings accepted last are lost{why}: the files count as they are."
            ));
        }
    }
    tracing::error!(target: "errors", "the database was replaced. {told}");
    Some(told)
}

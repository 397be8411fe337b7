//! The one loop: takes an input, reads the clock once, lets the core decide, writes what must be durable,
//! then sends. Everything else runs around it and talks to it through bounded channels.

pub(crate) mod backups;
mod ending;
mod petitions;
mod proving;

use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant as Monotonic},
};

use domain::{
    RuleKey,
    broker::{Ask as BrokerAsk, CallId, LoginError, Signal, Stamped},
    rulebook::RuleSet,
};
use engine::rules::BUILT;
use store::{Durability, Record, backup::BackupFile};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval, sleep_until},
};
use views::{View, control::Reply, text::Note, view::Protection};

use crate::{
    clock::{Clock, Moment},
    control::server::Petition,
    core::{Core, Input, Output, RulesAtWork, Told, kind_of},
    credentials::{self, Credentials, KeyringError},
    disk::{Disk, DiskNews, FlushError},
    journal::Journal,
    lines,
    settings::Watching,
};
use backups::Backups;
pub use ending::Ending;
use proving::{Proof, Proving};

/// Inputs wait in the broker's own bounded channel; this is how many are taken before viewers get a turn.
const INPUTS_IN_A_ROW: usize = 256;
/// Least time between two views for those who watch.
const VIEW_EVERY: Duration = Duration::from_millis(200);
/// The loop wakes at least this often.
const TICK: Duration = Duration::from_secs(1);
/// How long a stop waits for enforcements under way (specification C.17).
const FINISH_WITHIN: Duration = Duration::from_secs(3);
/// Searches of contracts under way; further ones are refused.
const MOST_SEARCHES: usize = 8;
/// Messages that nobody has heard yet; when full, further ones are in the log only.
const MOST_UNHEARD: usize = 16;
/// Signs that nobody has taken; there are two kinds, each told at most a few times.
pub(crate) const MOST_SIGNS: usize = 64;

/// A broker as the loop sees it: two channels and a few handles.
pub struct Broker {
    /// Calls go in.
    pub asks: mpsc::Sender<BrokerAsk>,
    /// Facts, links and replies come out.
    pub signals: mpsc::Receiver<Stamped>,
    /// Tries at once what waits for a later attempt.
    pub retry: Box<dyn Fn() + Send>,
    /// Ends the session and logs in with these.
    pub renew: Box<dyn Fn(Credentials) + Send>,
    /// How many signals wait before they come out.
    pub waiting: Box<dyn Fn() -> usize + Send>,
    /// Ends everything, once the loop is done.
    pub end: Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>,
}

/// Makes a broker from a login; used once at the start, or when a login is given for the first time.
pub type Connect = Box<dyn Fn(Credentials) -> Result<Broker, String> + Send>;

impl Broker {
    /// Nobody: stands in until there is a login.
    #[must_use]
    pub fn none() -> Self {
        let (asks, _) = mpsc::channel(1);
        let (_, signals) = mpsc::channel(1);
        let end = || -> Pin<Box<dyn Future<Output = ()> + Send>> { Box::pin(std::future::ready(())) };
        Self {
            asks,
            signals,
            retry: Box::new(|| {}),
            renew: Box::new(|_| {}),
            waiting: Box::new(|| 0),
            end: Box::new(end),
        }
    }
}

/// Something the program around the loop wants to know at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The first reconcile has been judged.
    Protected {
        /// What it came to.
        protection: Protection,
        /// The watched accounts.
        accounts: Vec<domain::AccountId>,
    },
    /// There is no login to be had.
    NoLogin {
        /// A lockout is active: giving up would free somebody.
        locked: bool,
        /// Why the keyring could not be read, and the way out; `None`: there is nothing in it.
        keyring: Option<String>,
    },
    /// The login was refused by code.
    Refused {
        /// How.
        error: LoginError,
        /// A lockout is active: giving up would free somebody.
        locked: bool,
    },
    /// The guard password was given for ending the program.
    MayEnd,
}

/// The loop with everything it owns.
pub(crate) struct Loop {
    pub core: Core,
    pub clock: Clock,
    pub disk: Disk,
    pub disk_news: watch::Receiver<DiskNews>,
    pub backups: Backups,
    /// `None` where it could not be begun: a journal is a help, no protection.
    pub journal: Option<Journal>,
    pub broker: Broker,
    /// How to get a broker, while there is none for want of a login.
    pub connect: Option<Connect>,
    pub watching: Watching,
    /// A login that is being read from the keyring, and who waits for it.
    pub renewal: Option<Renewal>,
    /// A guard password that is being looked at.
    pub proving: Option<Proving>,
    /// Who waits for a search of contracts, by its call.
    pub searches: BTreeMap<CallId, oneshot::Sender<Reply>>,
    /// Who waits for everything to be read anew.
    pub review: Option<oneshot::Sender<Reply>>,
    pub petitions: mpsc::Receiver<Petition>,
    /// This computer woke, where the system tells it.
    pub wakes: mpsc::Receiver<()>,
    pub views: watch::Sender<Arc<View>>,
    pub notes: broadcast::Sender<Note>,
    /// Messages of the start itself, for whoever listens first.
    pub unheard: Vec<Note>,
    pub is_beginning: bool,
    pub signs: mpsc::Sender<Sign>,
    pub stop: oneshot::Receiver<()>,
    pub shown: Monotonic,
    pub dirty: bool,
}

/// Keyrings can block while they ask their owner: they are read beside the loop.
pub(crate) struct Renewal {
    reading: JoinHandle<Result<Option<(Credentials, credentials::Source)>, KeyringError>>,
    answer: oneshot::Sender<Reply>,
}

enum Woken {
    Signal(Option<Stamped>),
    Petition(Option<Petition>),
    Input(Option<Input>),
    Login(Result<Option<Credentials>, KeyringError>),
    Proved(Result<Proof, String>),
    BackedUp(Result<BackupFile, String>),
    Disk,
    Awake,
    Second,
    Due,
    Stop,
}

impl Loop {
    /// Carries out what the start itself decided.
    pub async fn begin(&mut self, outputs: Vec<Output>, inputs: Vec<Input>, keyring: Option<String>) {
        self.core.metrics().time_rules(Monotonic::now);
        self.carry_out(outputs).await;
        for input in inputs {
            self.feed(input, None).await;
        }
        self.is_beginning = false;
        if self.connect.is_some() {
            let locked = self.core.has_lockouts();
            let _ = self.signs.try_send(Sign::NoLogin { locked, keyring });
        }
    }

    /// Lives until it is told to stop. Enforcements under way are given a moment to finish.
    async fn live(&mut self) {
        let mut seconds = interval(TICK);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping: Option<Monotonic> = None;
        loop {
            let woken = self.wait(&mut seconds, stopping.is_some()).await;
            match woken {
                Woken::Signal(Some(stamped)) => self.signals(stamped).await,
                Woken::Signal(None) => break,
                Woken::Petition(Some(petition)) => self.petition(petition).await,
                Woken::Petition(None) | Woken::Input(None) => {}
                Woken::Input(Some(input)) => self.feed(input, None).await,
                Woken::Login(found) => self.renewed(found).await,
                Woken::Proved(proof) => self.proved(proof).await,
                Woken::BackedUp(made) => self.backed_up(made).await,
                Woken::Disk => self.disk_news().await,
                Woken::Awake => self.awake().await,
                Woken::Second => self.second().await,
                Woken::Due => self.feed(Input::Tick, None).await,
                Woken::Stop => stopping = Some(Monotonic::now()),
            }
            self.catch_up();
            self.publish();
            let over = stopping.is_some_and(|since| self.core.is_idle() || since.elapsed() >= FINISH_WITHIN);
            if over {
                break;
            }
        }
        let outputs = self.core.last_pictures(self.clock.now());
        self.carry_out(outputs).await;
    }

    async fn wait(&mut self, seconds: &mut Interval, stopping: bool) -> Woken {
        let due = self.due();
        tokio::select! {
            biased;
            _ = &mut self.stop, if !stopping => Woken::Stop,
            signal = self.broker.signals.recv(), if self.connect.is_none() => Woken::Signal(signal),
            Ok(()) = self.disk_news.changed(), if self.disk_news.has_changed().is_ok() => Woken::Disk,
            input = self.watching.news.recv(), if !self.watching.news.is_closed() => Woken::Input(input),
            Some(()) = self.wakes.recv(), if !self.wakes.is_closed() => Woken::Awake,
            found = read(&mut self.renewal), if self.renewal.is_some() => Woken::Login(found),
            proof = proving::proof(&mut self.proving), if self.proving.is_some() => Woken::Proved(proof),
            made = self.backups.made(), if self.backups.is_making() => Woken::BackedUp(made),
            petition = self.petitions.recv() => Woken::Petition(petition),
            _ = seconds.tick() => Woken::Second,
            () = sleep_until(due.into()) => Woken::Due,
        }
    }

    /// When the core wants to be asked again; a second from now at the latest.
    fn due(&self) -> Monotonic {
        let now = Monotonic::now();
        let wanted = self.core.next_deadline().map(|at| at - self.clock.at(now));
        let wait = wanted.map_or(TICK, |left| left.to_std().unwrap_or_default()).min(TICK);
        // A deadline that a tick does not move must not spin the loop.
        now + wait.max(Duration::from_millis(1))
    }

    /// Takes what has arrived, in order, before anything else gets a turn.
    async fn signals(&mut self, first: Stamped) {
        let mut next = Some(first);
        for _ in 0..INPUTS_IN_A_ROW {
            let Some(stamped) = next else { break };
            self.signal(stamped).await;
            next = self.broker.signals.try_recv().ok();
        }
        if let Some(stamped) = next {
            self.signal(stamped).await;
        }
        let waiting = self.waiting();
        self.core.metrics().observed(None, waiting);
    }

    /// Inputs that wait, in the broker's queue and behind it.
    fn waiting(&self) -> usize {
        (self.broker.waiting)() + self.broker.signals.len()
    }

    async fn signal(&mut self, stamped: Stamped) {
        if let Signal::Reply(reply) = &stamped.signal
            && let Some(time) = reply.server_time
        {
            if let Some(by) = self.clock.broker_said(time, stamped.received, Moment::now()) {
                self.feed(Input::Stepped(by), None).await;
            }
            if let Some(apart) = self.clock.apart() {
                self.feed(Input::ClockApart(apart), None).await;
            }
        }
        self.feed(Input::Signal(stamped.signal), Some(stamped.received)).await;
    }

    /// Gives the core one input and carries out what it says, in its order.
    async fn feed(&mut self, input: Input, received: Option<Monotonic>) {
        let begun = Monotonic::now();
        let now = self.clock.at(begun);
        let received = received.map_or(now, |moment| self.clock.at(moment));
        let kind = kind_of(&input);
        let outputs = self.core.handle(now, received, input);
        self.core.metrics().processed(kind, begun.elapsed());
        self.dirty = true;
        self.carry_out(outputs).await;
    }

    async fn carry_out(&mut self, outputs: Vec<Output>) {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Write { records, durability: Durability::Lazy } => self.disk.write_lazily(records),
                Output::Write { mut records, durability: Durability::Flush } => {
                    self.backups.precede(&mut records, self.core.backups(), &mut self.disk);
                    let is_awaited = is_awaited(&records);
                    if let Err(error) = self.disk.flush(records).await
                        && (is_awaited || error != FlushError::Late)
                    {
                        // Protection outranks bookkeeping: the state turns red, nothing waits.
                        let now = self.clock.now();
                        outputs.extend(self.core.handle(now, now, Input::Disk(Err(error.to_string()))));
                    }
                }
                Output::Send(ask) => {
                    let call = ask.id;
                    if self.broker.asks.send(ask).await.is_err() {
                        tracing::error!(target: "errors", "the broker connection has ended");
                    }
                    self.core.left(call, self.clock.now());
                }
                Output::Tell(told) => self.tell(told),
                Output::Protected(protection) => self.announce(protection),
                Output::Refused(error) => {
                    let locked = self.core.has_lockouts();
                    let _ = self.signs.try_send(Sign::Refused { error, locked });
                }
                Output::Took(taken) => {
                    if let Some(journal) = &mut self.journal {
                        journal.note(taken);
                    }
                }
                Output::Found { search, found } => self.found(search, found),
                Output::Reviewed(result) => self.reviewed(result),
            }
        }
    }

    /// Tells whoever listens, and keeps what became of it. Waits for nobody.
    fn tell(&mut self, told: Told) {
        let listeners = match self.notes.send(told.note.clone()) {
            Ok(listeners) => listeners,
            Err(unheard) => {
                if self.is_beginning && self.unheard.len() < MOST_UNHEARD {
                    self.unheard.push(unheard.0);
                }
                0
            }
        };
        self.disk.write_lazily(vec![told.record(listeners)]);
    }

    fn announce(&mut self, protection: Protection) {
        let accounts = self.core.engine().accounts().map(|account| account.id().clone()).collect();
        tell_rules(&self.core.rules_at_work(), &self.core.engine().rulebook().base);
        tracing::info!(target: "daemon", checkpoint = 5, ?protection, "first reading judged, loop running");
        let _ = self.signs.try_send(Sign::Protected { protection, accounts });
    }

    async fn disk_news(&mut self) {
        let news = self.disk_news.borrow_and_update().clone();
        self.core.show_kept(news.lines.iter().map(lines::receipt).collect(), news.proofs);
        self.feed(Input::Disk(news.state), None).await;
    }

    async fn second(&mut self) {
        if let Some(jump) = self.clock.jumped(Moment::now()) {
            tracing::warn!(target: "daemon", seconds = jump.num_seconds(), "the clock jumped, or this computer slept");
            self.begin_anew().await;
        }
        let memory = memory_stats::memory_stats().map(|stats| stats.physical_mem as u64);
        let waiting = self.waiting();
        self.core.metrics().observed(memory, waiting);
        if let Some(why) = self.disk.silence(Monotonic::now()) {
            self.feed(Input::Disk(Err(why)), None).await;
        }
        self.feed(Input::Tick, None).await;
        self.back_up();
        self.disk.prune(self.clock.now());
    }

    /// The system says that this computer woke. The jump of the clock would say the same a moment later.
    async fn awake(&mut self) {
        let _ = self.clock.jumped(Moment::now());
        self.begin_anew().await;
    }

    /// Nobody looked for a while: everything is read again.
    async fn begin_anew(&mut self) {
        (self.broker.retry)();
        self.feed(Input::Jumped, None).await;
    }

    fn view(&self) -> View {
        self.core.view(self.clock.now())
    }

    /// Tells whoever listens first what was said before.
    fn catch_up(&mut self) {
        if !self.unheard.is_empty() && self.notes.receiver_count() > 0 {
            for note in self.unheard.drain(..) {
                let _ = self.notes.send(note);
            }
        }
    }

    /// Shows those who watch how things are, at most a few times a second.
    fn publish(&mut self) {
        if self.dirty && self.views.receiver_count() > 0 && self.shown.elapsed() >= VIEW_EVERY {
            self.dirty = false;
            self.shown = Monotonic::now();
            self.views.send_replace(Arc::new(self.view()));
        }
    }
}

/// Whether a lock, or a call to the broker, waits for these to be flushed (ruling 14). A late one of them turns the
/// state red at once; anything else only once the disk is silent.
fn is_awaited(records: &[Record]) -> bool {
    records.iter().any(|record| matches!(record, Record::Lock { .. } | Record::Intent(_)))
}

/// The login that is being read; never without one.
async fn read(renewal: &mut Option<Renewal>) -> Result<Option<Credentials>, KeyringError> {
    let Some(renewal) = renewal else { return std::future::pending().await };
    match (&mut renewal.reading).await {
        Ok(found) => found.map(|found| found.map(|(login, _)| login)),
        Err(error) => Err(KeyringError::Refused(error.to_string())),
    }
}

/// Checkpoint 4: how many rules are on for some account, how many of them act, and why the others do not.
fn tell_rules(found: &RulesAtWork, rules: &RuleSet) {
    let idle = found.inactive.iter().map(|(account, rule, why)| format!("{rule} on {account} ({why})"));
    let off = RuleKey::RULES.into_iter().filter(|rule| !found.enabled.contains(rule)).map(|rule| {
        let is_on = rules.stance(rule).0;
        let why = match (BUILT.contains(&rule), is_on) {
            (true, false) => "off in the settings",
            (true, true) => "on for no account",
            (false, _) => "not in this version",
        };
        format!("{rule} ({why})")
    });
    tracing::info!(
        target: "daemon",
        checkpoint = 4,
        enabled = found.enabled.len(),
        active = found.active(),
        "rules ready; inactive: {}", idle.chain(off).collect::<Vec<_>>().join(", ")
    );
}

#[cfg(test)]
mod tests {
    use domain::{Breach, Instant, LockEnd, LockKey, LockKind, Lockout, TradingDay};

    use super::*;

    /// Under load a flush takes longer now and then: only where something waits for it is protection in doubt.
    #[test]
    fn a_lock_is_awaited_and_bookkeeping_is_not() {
        let now: Instant = "2026-03-02T14:30:00Z".parse().unwrap();
        let lockout = Lockout {
            key: LockKey { account: "7".into(), rule: RuleKey::Trader, symbol: None, cause: String::new() },
            kind: LockKind::Hard,
            breach: Breach::TraderCommand { command: "done".to_string(), until: None },
            since: now,
            end: LockEnd::Reset(now),
            day: TradingDay(now.date_naive()),
            baseline: [].into(),
            exempt: [].into(),
        };
        let lock = Record::Lock { lockout: Box::new(lockout), reason: String::new() };
        assert!(!is_awaited(&[Record::Seen(now)]));
        assert!(is_awaited(&[Record::Seen(now), lock]));
    }
}

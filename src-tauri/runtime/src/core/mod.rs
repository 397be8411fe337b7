//! The core of the loop, without I/O: inputs and time in, writes, calls and messages out.
//!
//! Puts engine, executor and reconciler together and keeps the order that matters: what must be durable
//! comes out before the broker call that depends on it. Driven by the real loop and, in virtual time, by
//! simulations.

mod accepted;
mod alive;
mod asking;
mod backups;
mod barred;
mod book;
mod changed;
mod clocks;
mod commands;
mod curves;
mod differences;
mod dry_run;
mod guard;
mod intake;
mod links;
mod listed;
mod lock_news;
mod measures;
mod metrics;
mod picture;
mod proof;
mod reconciler;
mod records;
mod symbols;
mod telling;
mod traffic;

use std::collections::{BTreeMap, VecDeque};

use domain::{
    AccountId, Action, Alert, ContractId, Event, Instant, Memory, Notice, Rulebook, Severity, Symbol,
    broker::{CallId, Signal},
};
use engine::Engine;
use store::{Intent, Proof, Record};
use views::{
    text::note,
    view::{Protection, ReceiptView},
};

use crate::{
    executor::{CallIds, Effect, Executor, Floor},
    journal::Taken,
};
use accepted::Settled;
pub use accepted::{Accepted, Announced, Due, Files, Waiting};
use alive::Alive;
pub use alive::RulesAtWork;
use asking::{Accounts, Purpose};
pub use backups::BackupPlan;
use barred::Barred;
use book::Known;
pub use commands::Session;
use curves::Curves;
use differences::Differences;
pub use dry_run::DRY_RUN;
use dry_run::Withheld;
use guard::Guard;
use intake::Intake;
use links::Links;
use listed::Listed;
use measures::Measures;
pub use metrics::{Metrics, kind_of};
pub use proof::{GuardDeed, GuardPassword};
use reconciler::Reconciler;
pub use telling::Told;
use telling::{About, Teller};
use traffic::Batch;
pub use traffic::{Input, Output, Setting};

/// The core.
#[derive(Debug)]
pub struct Core {
    setting: Setting,
    engine: Engine,
    executor: Executor,
    ids: CallIds,
    links: Links,
    reconciler: Reconciler,
    accounts: Accounts,
    purposes: BTreeMap<CallId, Purpose>,
    /// Roots by contract, as facts named them.
    symbols: BTreeMap<ContractId, Symbol>,
    guard: Guard,
    teller: Teller,
    withheld: Withheld,
    /// Until when a change of the clocks was looked for and told.
    clocks_told: Option<Instant>,
    /// When it was told last that a backup failed.
    no_backup_told: Option<Instant>,
    curves: Curves,
    receipts: Vec<ReceiptView>,
    proofs: BTreeMap<AccountId, Proof>,
    metrics: Metrics,
    measures: Measures,
    intake: Intake,
    barred: Barred,
    listed: Listed,
    differences: Differences,
    alive: Alive,
    pending: Vec<Intent>,
    pictures: records::Pictures,
    settled: Settled,
    batch: Batch,
}

impl Core {
    /// A core with the rules and with what an earlier run left: its memory and what it had not finished.
    #[must_use]
    pub fn new(
        setting: Setting,
        rulebook: Rulebook,
        memory: Memory,
        pending: Vec<Intent>,
        now: Instant,
    ) -> (Self, Vec<Output>) {
        let guard = Guard::new(setting.started, memory.last_seen);
        // The rules go before the memory, so that a replay of the journal begins as this run does.
        let settled = Settled::of(rulebook.clone());
        let rulebook = setting.judged(rulebook);
        let rules = Taken { at: now, event: Event::Rules(Box::new(rulebook.clone())) };
        let mut core = Self {
            engine: Engine::new(rulebook),
            executor: Executor::default(),
            ids: CallIds::default(),
            links: Links::default(),
            reconciler: Reconciler::default(),
            accounts: Accounts::default(),
            purposes: BTreeMap::new(),
            symbols: BTreeMap::new(),
            guard,
            teller: Teller::restored(&memory, setting.started),
            withheld: Withheld::default(),
            clocks_told: None,
            no_backup_told: None,
            curves: Curves::default(),
            receipts: Vec::new(),
            proofs: BTreeMap::new(),
            metrics: Metrics::default(),
            measures: Measures::default(),
            intake: Intake::default(),
            barred: Barred::default(),
            listed: Listed::default(),
            differences: Differences::default(),
            alive: Alive::default(),
            pending,
            pictures: records::Pictures::restored(&memory),
            settled,
            batch: Batch { taken: vec![rules], ..Batch::default() },
            setting,
        };
        for intent in &core.pending {
            core.executor.begun_before(&intent.enforcement, intent.at, now);
        }
        core.step(now, Event::Restored(Box::new(memory)));
        core.assess(now);
        let outputs = core.take_outputs();
        (core, outputs)
    }

    /// Takes one input. `received` is when its last byte was read, on the engine's clock.
    pub fn handle(&mut self, now: Instant, received: Instant, input: Input) -> Vec<Output> {
        match input {
            Input::Signal(signal) => self.signal(now, received, signal),
            Input::Tick => self.tick(now),
            Input::Files(files) => {
                self.settled.revision += 1;
                self.take_files(*files, now);
            }
            Input::SettingsRefused(fault) => {
                self.settled.revision += 1;
                self.tell(note::settings_refused(&fault), About::all("settings_refused"), now);
            }
            Input::DatabaseReplaced(what) => {
                self.tell(note::database_replaced(&what), About::all("database_replaced"), now);
            }
            Input::Settings(state) => {
                self.settled.revision += 1;
                self.links.config = state;
            }
            Input::StopRuleForced if self.setting.is_dry_run() => {}
            Input::StopRuleForced => {
                let notice = Notice::StopRuleForced;
                self.tell_alert(&Alert { severity: Severity::Error, account: None, notice }, now);
            }
            Input::NoBackup(why) => self.tell_no_backup(&why, now),
            Input::Disk(state) => self.links.disk = state,
            Input::Credentials(found) => self.links.credentials = found,
            Input::ClockApart(apart) => self.links.clock_apart = Some(apart),
            Input::Stepped(by) => {
                self.executor.stepped(by);
                self.guard.started += by;
                self.teller.stepped(by);
                self.alive.stepped(by);
            }
            Input::Jumped => self.reconciler.doubt(None, now),
        }
        self.pursue(now);
        self.take_outputs()
    }

    /// A call of [`Output::Send`] was handed to the wire.
    pub fn left(&mut self, call: CallId, at: Instant) {
        let at = self.time(at);
        self.executor.left(call, at);
    }

    /// When something is due by time alone.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let engine = self.engine.next_deadline().map(|deadline| deadline.at);
        // Nothing is read without the user stream: what is due waits for it, not for time.
        let reading = self.reconciler.next_deadline().filter(|_| self.links.user_up);
        [engine, self.executor.next_deadline(), reading, self.teller.next_deadline(), self.loosening_due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The latest lines of the audit, newest first, and the newest proof of each account, as read back from the store.
    pub fn show_kept(&mut self, receipts: Vec<ReceiptView>, proofs: BTreeMap<AccountId, Proof>) {
        (self.receipts, self.proofs) = (receipts, proofs);
    }

    /// Figures and positions as they are at the end, for whoever asks while no engine runs.
    pub fn last_pictures(&mut self, now: Instant) -> Vec<Output> {
        self.forget_pictures();
        self.record_pictures(now);
        self.take_outputs()
    }

    /// What is measured.
    pub fn metrics(&mut self) -> &mut Metrics {
        &mut self.metrics
    }

    /// The engine, for whoever reads.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What protects whom at this moment: the worst truth of all accounts.
    #[must_use]
    pub fn protection(&self) -> Protection {
        self.guard.protection
    }

    /// Whether no enforcement is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.executor.is_idle()
    }

    /// Whether any lockout is active: a program that knows of one does not give up.
    #[must_use]
    pub fn has_lockouts(&self) -> bool {
        self.engine.accounts().any(|account| !account.lockouts().is_empty())
    }

    fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.batch).into_outputs()
    }

    fn signal(&mut self, now: Instant, received: Instant, signal: Signal) {
        match signal {
            Signal::Event(event) => self.fact(received, event),
            Signal::Link(link) => {
                self.links.changed(&link);
                self.link_changed(&link, now);
                self.batch.lazy(Record::Link { link: link.clone(), at: now });
                self.step(now, Event::Link(link));
            }
            Signal::LoginRefused(refusal) => {
                tracing::error!(target: "daemon", "login refused: {refusal}");
                self.links.logged_in = false;
                self.links.login_refused = Some(refusal.clone());
                let link = domain::Link::LoginRefused { why: refusal.to_string() };
                self.batch.lazy(Record::Link { link: link.clone(), at: now });
                self.step(now, Event::Link(link));
                self.batch.signs.push(Output::Refused(refusal));
            }
            Signal::Malformed(malformed) => self.malformed(&malformed, now),
            Signal::Reply(reply) => self.replied(received, &reply),
            Signal::Inbox(news) => self.inbox(news, now),
        }
    }

    fn fact(&mut self, received: Instant, event: Event) {
        match &event {
            Event::Quote(_) => self.links.last_quote = Some(received),
            Event::Account(_)
            | Event::Position(_)
            | Event::Order(_)
            | Event::Fill(_)
            | Event::Instrument(_)
            | Event::Snapshot(_)
            | Event::Orders { .. }
            | Event::Positions { .. }
            | Event::Unanswered(_)
            | Event::Link(_)
            | Event::Report(_)
            | Event::Command(_)
            | Event::Rules(_)
            | Event::Restored(_)
            | Event::Bar { .. }
            | Event::Tick => self.links.last_event = Some(received),
        }
        self.metrics.events += 1;
        self.log_event(&event);
        self.differences.heard(&event);
        if !self.is_credible(&event, received) {
            return;
        }
        if let Event::Account(account) = &event {
            self.account_told(account, received);
        }
        self.step(received, event);
    }

    /// Gives the engine an event, carries out what it decides, and feeds back what comes of it.
    fn step(&mut self, now: Instant, event: Event) {
        let now = self.time(now);
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.learn_symbols(&event);
            self.record_event(&event, now);
            for action in self.engine.step_timed(now, &event, self.metrics.rules.next_event()) {
                self.carry(action, &event, now, &mut events);
            }
            self.log_verdicts();
            let known = Known { engine: &self.engine, reconciler: &self.reconciler, now };
            let mut floor = Floor { now, book: &known, ids: &mut self.ids };
            let effects = self.executor.advance(&mut floor);
            self.take_effects(effects, now, &mut events);
            self.batch.taken.push(Taken { at: now, event });
        }
    }

    /// Engine time: it runs backwards only while there is no account yet, as when the broker tells for the
    /// first time what time it is.
    fn time(&self, now: Instant) -> Instant {
        if self.engine.accounts().next().is_none() { now } else { self.engine.now().max(now) }
    }

    fn carry(&mut self, action: Action, cause: &Event, now: Instant, events: &mut VecDeque<Event>) {
        if let Action::Enforce(enforcement) = &action
            && self.setting.is_dry_run()
        {
            let report = self.withhold(enforcement, cause, now);
            events.push_back(report);
            return;
        }
        self.record(&action, cause, now);
        self.tell_of(&action, now);
        match action {
            Action::Enforce(enforcement) => {
                tracing::warn!(
                    target: "enforcement",
                    checkpoint = 8,
                    rule = %enforcement.rule,
                    account = %enforcement.account,
                    deed = ?enforcement.deed,
                    "{}", views::text::reason::full(&enforcement.breach)
                );
                let known = Known { engine: &self.engine, reconciler: &self.reconciler, now };
                let mut floor = Floor { now, book: &known, ids: &mut self.ids };
                let effects = self.executor.begin(*enforcement, &mut floor);
                self.take_effects(effects, now, events);
            }
            Action::Ask(question) => self.ask_question(question, now),
            Action::Differ { account, differences } => self.differ(&account, differences, now),
            Action::Lock { .. }
            | Action::Unlock { .. }
            | Action::Observe(_)
            | Action::Alert(_)
            | Action::RecordFill { .. }
            | Action::RecordStopDeadline { .. }
            | Action::RecordManaged { .. }
            | Action::Reset { .. } => {}
        }
    }

    fn take_effects(&mut self, effects: Vec<Effect>, now: Instant, events: &mut VecDeque<Event>) {
        for effect in effects {
            match effect {
                Effect::Ask(ask) => {
                    self.barred.asked(&ask);
                    self.batch.asks.push(ask);
                }
                Effect::Learn(event) => events.push_back(event),
                Effect::Report(report) => events.push_back(Event::Report(report)),
                Effect::Ended(receipt) => {
                    self.record_receipt(&receipt, now);
                    self.tell_receipt(&receipt, now);
                    self.metrics.enforced(&receipt);
                    self.record_latency(&receipt, now);
                }
            }
        }
    }

    fn tick(&mut self, now: Instant) {
        self.step(now, Event::Tick);
        self.tell_differences(now);
        self.loosen(now);
        self.let_guard_go(now);
        self.record_pictures(now);
        self.tell_due(now);
        self.tell_clocks(now);
        self.measure(now);
        self.heartbeat(now);
        self.tell_silence(now);
        self.curves.sample(&self.engine, now);
    }

    /// Whatever follows from the new state: subscriptions, readings, protection.
    fn pursue(&mut self, now: Instant) {
        self.find_listed(now);
        self.subscribe_quotes(now);
        self.read_accounts(now);
        self.reconcile(now);
        self.end_review();
        self.assess(now);
        self.tell_barred(now);
    }

    /// The watched accounts, in the broker's order.
    fn watched(&self) -> &[AccountId] {
        self.accounts.watched()
    }
}

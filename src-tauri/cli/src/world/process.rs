//! One life of the engine process: the loop of `runtime`, in virtual time, around the same core. Begins
//! with the database as it was, and ends in order or in the middle of anything.

use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
    time::Instant as Monotonic,
};

use chrono::TimeDelta;
use domain::{
    Action, Command, Instant, Rulebook,
    broker::{Answer, Ask, CallError, CallId, Class, Signal},
};
use projectx::{Credentials, hub::Which};
use runtime::{
    clock::Clock,
    core::{Accepted, Announced, BackupPlan, Core, Files, Input, Output, Setting},
    journal::Taken,
};
use store::{ConfigOrigin, Durability, Record};
use views::{text::Zones, view::DesktopView};

use crate::{
    disk::Disk,
    happening::Happening,
    wire::{Knock, Net, Port},
};

/// The loop looks at least this often at the clock, the disk and the settings while something goes on.
pub(crate) const SECOND: TimeDelta = TimeDelta::seconds(1);
/// A deadline that a tick does not move must not spin the loop.
const SHORTEST_WAIT: TimeDelta = TimeDelta::milliseconds(1);

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// The next time it is about to flush something.
    BeforeCommit,
    /// The next time it has flushed something, before anything is sent.
    AfterCommit,
    /// After the next request was sent.
    AfterSend,
}

/// The process is dead: what it was doing stops here.
#[derive(Debug)]
pub(crate) struct Died;

/// What a life told its engine, and what the engine did about it.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub rulebook: Rulebook,
    pub taken: Vec<Taken>,
    /// Everything that was decided and written down, in order.
    pub decided: Vec<Action>,
}

/// A running engine.
#[derive(Debug)]
pub(crate) struct Process {
    pub core: Core,
    pub disk: Disk,
    pub recording: Recording,
    pub happened: Vec<Happening>,
    pub death: Option<Death>,
    port: Port,
    clock: Clock,
    due: Option<Instant>,
    /// Calls of enforcements on their way.
    enforcing: BTreeSet<CallId>,
}

/// What a life begins with.
pub(crate) struct Birth<'a> {
    pub home: &'a Path,
    pub rulebook: &'a Rulebook,
    pub login: Credentials,
}

impl Process {
    /// Starts an engine on a home.
    pub fn begin(birth: Birth<'_>, net: &mut Net<'_>) -> Result<Self, String> {
        let look = net.host.look(net.now);
        let disk = Disk::open(birth.home, look.wall)?;
        let store = disk.store();
        let words = |error: store::ReadError| error.to_string();
        let recall = store.memory(look.wall, &birth.rulebook.reset).map_err(words)?;
        if let Some(row) = recall.unreadable.first() {
            return Err(format!("a row cannot be read: {row}"));
        }
        let pending = store.pending_intents().map_err(words)?;
        let accepted = store.last_good_config().map_err(words)?.as_ref().and_then(Accepted::of);
        // What of the files is stricter holds from the first moment.
        let rulebook = match &accepted {
            Some(accepted) => config::split(&accepted.rulebook, birth.rulebook).0,
            None => birth.rulebook.clone(),
        };
        let clock = Clock::start_at(recall.memory.last_seen, look);
        let now = clock.at(look.monotonic);
        let setting = Setting {
            broker: "the simulator".to_string(),
            mode: "simulation".to_string(),
            zones: Zones::CENTRAL,
            started: now,
        };
        let (core, outputs) = Core::new(setting, rulebook.clone(), recall.memory, pending, now);
        let port = Port::open(birth.login, net);
        let recording = Recording { rulebook, ..Recording::default() };
        let mut process = Self {
            core,
            disk,
            recording,
            happened: vec![Happening::Began],
            death: None,
            port,
            clock,
            due: None,
            enforcing: BTreeSet::new(),
        };
        if let Some(accepted) = accepted {
            process.core.remember(accepted);
        }
        // Nothing can be armed to kill it yet.
        let _ = process.carry_out(outputs, net);
        for input in [Input::Credentials(Ok(true)), Input::Files(Box::new(files(birth.rulebook)))] {
            let _ = process.feed(input, None, net);
        }
        Ok(process)
    }

    /// Something came from the network, or a timer of the port.
    pub fn knocked(&mut self, knock: Knock, net: &mut Net<'_>) -> Result<(), Died> {
        self.port.knocked(knock, net);
        self.hear(net)
    }

    /// The time of the core's own deadline has come.
    pub fn is_due(&mut self, net: &mut Net<'_>) -> Result<(), Died> {
        self.feed(Input::Tick, None, net)?;
        self.hear(net)
    }

    /// The loop's look at clock, disk and time.
    pub fn second(&mut self, net: &mut Net<'_>) -> Result<(), Died> {
        if self.clock.jumped(net.host.look(net.now)).is_some() {
            self.port.nudge(net);
            self.feed(Input::Jumped, None, net)?;
        }
        if let Some(state) = self.disk.news() {
            self.feed(Input::Disk(state), None, net)?;
        }
        self.feed(Input::Tick, None, net)?;
        self.hear(net)
    }

    /// The writing thread has time.
    pub fn breathe(&mut self) -> Result<(), String> {
        let kept = self.disk.breathe()?;
        self.happened.extend(kept.into_iter().map(Happening::kept));
        Ok(())
    }

    /// A person asks for something.
    pub fn command(&mut self, command: Command, net: &mut Net<'_>) -> Result<(), Died> {
        let now = self.clock.at(net.monotonic());
        if let Ok(outputs) = self.core.command(now, command) {
            self.carry_out(outputs, net)?;
        }
        self.hear(net)
    }

    /// Settings files were replaced.
    pub fn rules(&mut self, rulebook: &Rulebook, net: &mut Net<'_>) -> Result<(), Died> {
        self.feed(Input::Files(Box::new(files(rulebook))), None, net)?;
        self.hear(net)
    }

    /// When the core wants to be asked, by true time; `None` while a timer for that is set already.
    pub fn wants_timer(&mut self, net: &Net<'_>) -> Option<Instant> {
        let now = net.monotonic();
        let left = self.core.next_deadline()? - self.clock.at(now);
        let at = net.now + left.max(SHORTEST_WAIT);
        if self.due.is_some_and(|due| due > net.now && due <= at) {
            return None;
        }
        self.due = Some(at);
        Some(at)
    }

    pub fn is_up(&self, which: Which) -> bool {
        self.port.is_up(which)
    }

    /// The engine's idea of the time.
    pub fn time(&self, net_now: Monotonic) -> Instant {
        self.clock.at(net_now)
    }

    pub fn is_time_trusted(&self) -> bool {
        self.clock.is_trusted()
    }

    /// Takes what the port has to tell, in order, until nothing is left.
    fn hear(&mut self, net: &mut Net<'_>) -> Result<(), Died> {
        loop {
            let told = self.port.take_told();
            if told.is_empty() {
                return Ok(());
            }
            for (received, signal) in told {
                self.signal(received, signal, net)?;
            }
        }
    }

    fn signal(&mut self, received: Monotonic, signal: Signal, net: &mut Net<'_>) -> Result<(), Died> {
        if let Signal::Reply(reply) = &signal
            && let Some(time) = reply.server_time
        {
            if let Some(by) = self.clock.broker_said(time, received, net.host.look(net.now)) {
                self.feed(Input::Stepped(by), None, net)?;
            }
            if let Some(apart) = self.clock.apart() {
                self.feed(Input::ClockApart(apart), None, net)?;
            }
        }
        match &signal {
            Signal::Link(link) => self.happened.push(Happening::Link(link.clone())),
            Signal::Reply(reply) => {
                self.happened.push(Happening::Replied(reply.id));
                let is_refused = matches!(reply.result, Err(CallError::RateLimited { .. }));
                if self.enforcing.remove(&reply.id) && is_refused {
                    self.happened.push(Happening::Starved);
                }
                if let Ok(Answer::Snapshot(snapshot)) = &reply.result {
                    self.happened.push(Happening::Read(snapshot.account.id.clone()));
                }
            }
            Signal::Event(_) | Signal::LoginRefused(_) | Signal::Malformed(_) | Signal::Inbox(_) => {}
        }
        self.feed(Input::Signal(signal), Some(received), net)
    }

    fn feed(&mut self, input: Input, received: Option<Monotonic>, net: &mut Net<'_>) -> Result<(), Died> {
        let now = self.clock.at(net.monotonic());
        let received = received.map_or(now, |moment| self.clock.at(moment));
        let outputs = self.core.handle(now, received, input);
        self.carry_out(outputs, net)
    }

    fn carry_out(&mut self, outputs: Vec<Output>, net: &mut Net<'_>) -> Result<(), Died> {
        // A death in the middle leaves behind what was decided; what led to it belongs to that.
        for output in &outputs {
            if let Output::Took(taken) = output {
                self.recording.taken.extend(taken.iter().cloned());
            }
        }
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Write { records, durability } => {
                    self.note(&records);
                    if let Err(why) = self.write(records, durability)? {
                        let now = self.clock.at(net.monotonic());
                        let more = self.core.handle(now, now, Input::Disk(Err(why)));
                        self.carry_out(more, net)?;
                    }
                }
                Output::Send(ask) => self.send(ask, net)?,
                Output::Took(_) => {}
                Output::Tell(told) => {
                    self.disk.write_lazily(vec![told.record(1)]);
                    self.happened.push(Happening::Told);
                }
                Output::Protected(_) | Output::Refused(_) | Output::Found { .. } | Output::Reviewed(_) => {}
            }
        }
        Ok(())
    }

    fn write(&mut self, records: Vec<Record>, durability: Durability) -> Result<Result<(), String>, Died> {
        match durability {
            Durability::Lazy => {
                self.disk.write_lazily(records);
                Ok(Ok(()))
            }
            Durability::Flush => {
                self.die_at(Death::BeforeCommit)?;
                let flushed = self.disk.flush(records).map(|kept| {
                    self.happened.extend(kept.into_iter().map(Happening::kept));
                });
                self.die_at(Death::AfterCommit)?;
                Ok(flushed)
            }
        }
    }

    fn send(&mut self, ask: Ask, net: &mut Net<'_>) -> Result<(), Died> {
        let call: CallId = ask.id;
        self.happened.push(Happening::Asked(ask.clone()));
        if ask.class == Class::Enforcement {
            self.enforcing.insert(call);
        }
        self.port.ask(ask, net);
        self.core.left(call, self.clock.at(net.monotonic()));
        self.die_at(Death::AfterSend)
    }

    fn die_at(&mut self, moment: Death) -> Result<(), Died> {
        if self.death == Some(moment) { Err(Died) } else { Ok(()) }
    }

    fn note(&mut self, records: &[Record]) {
        for record in records {
            if let Some(action) = decided(record) {
                self.recording.decided.push(action.clone());
                self.happened.push(Happening::Decided(action));
            }
        }
    }
}

/// The engine's decision behind a record, where there is one.
fn decided(record: &Record) -> Option<Action> {
    match record {
        Record::Lock { lockout, .. } => Some(Action::Lock { lockout: lockout.clone() }),
        Record::Unlock { key, cause, .. } => Some(Action::Unlock { key: key.clone(), cause: cause.clone() }),
        Record::Intent(intent) => Some(Action::Enforce(Box::new(intent.enforcement.clone()))),
        Record::Fill(record) => Some(Action::RecordFill {
            fill: record.fill.clone(),
            own: record.own,
            locked: record.locked,
            day: record.day,
        }),
        Record::StopDeadline { account, contract, deadline } => Some(Action::RecordStopDeadline {
            account: account.clone(),
            contract: contract.clone(),
            deadline: *deadline,
        }),
        Record::Managed { account, contract, managed } => Some(Action::RecordManaged {
            account: account.clone(),
            contract: contract.clone(),
            managed: managed.as_deref().cloned(),
        }),
        Record::Reset(reset) => Some(Action::Reset {
            account: reset.account.clone(),
            closed: reset.closed.clone(),
            day: reset.day,
            scheduled: reset.scheduled,
        }),
        Record::Receipt(_)
        | Record::BackedUp { .. }
        | Record::Note(_)
        | Record::Config(_)
        | Record::Seen(_)
        | Record::Account(_)
        | Record::Positions { .. }
        | Record::Order { .. }
        | Record::Orders { .. }
        | Record::Coverage(_)
        | Record::Instrument { .. }
        | Record::Day(_)
        | Record::Metric { .. }
        | Record::ClockIn { .. }
        | Record::ClockOut { .. }
        | Record::Link { .. }
        | Record::Alert(_) => None,
    }
}

/// Settings files with these rules.
fn files(rulebook: &Rulebook) -> Files {
    Files {
        rulebook: rulebook.clone(),
        instruments: BTreeSet::new(),
        api: config::Api::default(),
        hash: serde_json::to_string(rulebook).unwrap_or_default(),
        origin: ConfigOrigin::File,
        desktop: DesktopView::default(),
        announced: Announced::default(),
        backups: BackupPlan::default(),
        zone: domain::calendar::CENTRAL,
        names: std::collections::BTreeMap::new(),
        later: Vec::new(),
    }
}

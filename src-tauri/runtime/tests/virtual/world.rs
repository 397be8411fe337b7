//! Core and broker in one virtual time. Everything that travels is a parcel with a time of arrival.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DurationRound, TimeDelta};
use domain::{
    AccountId, Command, ContractId, Contracts, Deed, Event, Instant, Leg, Link, LockEnd, LockKey, OrderId,
    OrderKind, OrderSide, Price, Quote, Rulebook, Snapshot,
    broker::{Answer, Ask, Call, CallError, CallId, Class, Reply, Signal},
};
use runtime::core::{Announced, Core, Files, Input, Output, Setting, Told};
use store::{ConfigOrigin, Intent, Record};
use views::{
    control::DifferenceView,
    text::Zones,
    view::{DesktopView, Protection},
};

use crate::{
    broker::{self, Broker, Ticket},
    chaos::{Chaos, Dice, Fate},
    kept::Kept,
};

mod news;
mod serve;
mod settings;
mod watch;

use news::in_short;
use watch::covers;

/// Seconds between two quotes of a contract whose price stands still.
const QUOTE_EVERY_SECONDS: i64 = 10;
/// More wake-ups than this in a second, the ticks of the clock not counted, are a loop that spins.
const MOST_WAKES: usize = 60;
/// What the trader did so shortly ago may not be known yet.
const NEWS_TAKES: TimeDelta = TimeDelta::seconds(3);

type Place = (AccountId, ContractId);

#[derive(Clone, Debug)]
enum Parcel {
    /// To the broker.
    Request(Ask),
    /// To the broker, by a process that has ended: nobody awaits the reply.
    Orphan(Ask),
    /// A market order is filled, in part.
    Execute(OrderId, u32),
    /// From the broker.
    Told(Event),
    Link(Link),
    Reply(Reply),
}

#[derive(Debug)]
pub struct World {
    pub now: Instant,
    pub core: Core,
    pub broker: Broker,
    pub kept: Kept,
    /// Those of the login, in the order in which the broker lists them.
    pub accounts: Vec<AccountId>,
    /// Partial closes that took no more than the excess when they left, and protective orders that did nothing
    /// but reduce then.
    justified: BTreeSet<CallId>,
    /// Calls that fail the next time they are made.
    pub failing: Vec<(&'static str, CallError)>,
    /// Kinds of news of the stream of which the next one is lost.
    pub losing: Vec<&'static str>,
    /// The questions for working orders: when each was put, and from which share of the budget.
    pub order_questions: Vec<(Instant, Class)>,
    /// How often everything about an account was asked for.
    pub readings: usize,
    rulebook: Rulebook,
    /// The settings files as they were written last.
    files: Option<Files>,
    dice: Dice,
    queue: BTreeMap<(Instant, u64), Parcel>,
    serial: u64,
    /// Messages of one kind do not pass each other, unless they are held up.
    latest: BTreeMap<&'static str, Instant>,
    is_streaming: bool,
    /// Whom the stream is subscribed for.
    watched: BTreeSet<AccountId>,
    quotes: Vec<ContractId>,
    traders_fills: BTreeMap<Place, Instant>,
    locks: BTreeMap<LockKey, LockEnd>,
    /// The process ends after so many more outputs; with the power, if so.
    crash: Option<(usize, bool)>,
    wakes: VecDeque<Instant>,
    pub trace: Vec<String>,
    /// The messages to people.
    pub told: Vec<Told>,
    /// What a person who had everything read anew was answered.
    pub reviewed: Option<Result<Vec<DifferenceView>, String>>,
}

impl World {
    /// A world in which the first reading was judged.
    pub fn new(rulebook: Rulebook, accounts: usize, chaos: Chaos) -> Self {
        let mut world = Self::with(rulebook, accounts, chaos);
        world.connect();
        world.pass(TimeDelta::seconds(3));
        world
    }

    /// A new home without a connection.
    pub fn unconnected(rulebook: Rulebook) -> Self {
        Self::with(rulebook, 1, Chaos::default())
    }

    fn with(rulebook: Rulebook, accounts: usize, chaos: Chaos) -> Self {
        let now: Instant = "2025-10-29T15:00:00Z".parse().unwrap();
        let (core, _) = core(&rulebook, &Kept::default(), now);
        Self {
            now,
            core,
            broker: Broker::default(),
            kept: Kept::default(),
            accounts: (1..=accounts).map(|number| AccountId::from(i64::try_from(number).unwrap())).collect(),
            justified: BTreeSet::new(),
            failing: Vec::new(),
            losing: Vec::new(),
            order_questions: Vec::new(),
            readings: 0,
            rulebook,
            files: None,
            dice: Dice::new(chaos),
            queue: BTreeMap::new(),
            serial: 0,
            latest: BTreeMap::new(),
            is_streaming: true,
            watched: BTreeSet::new(),
            quotes: Vec::new(),
            traders_fills: BTreeMap::new(),
            locks: BTreeMap::new(),
            crash: None,
            wakes: VecDeque::new(),
            trace: Vec::new(),
            told: Vec::new(),
            reviewed: None,
        }
    }

    pub fn connect(&mut self) {
        self.handle(Input::ClockApart(TimeDelta::zero()));
        self.handle(Input::Signal(Signal::Link(Link::LoggedIn)));
        self.handle(Input::Signal(Signal::Link(Link::MarketUp)));
    }

    /// The end of the process and its next start. Replies to the old one are lost.
    pub fn restart(&mut self, lose_power: bool) {
        self.restart_unconnected(lose_power);
        self.connect();
    }

    /// The same without a connection afterwards.
    pub fn restart_unconnected(&mut self, lose_power: bool) {
        self.note(format!("restart, power lost: {lose_power}"));
        self.crash = None;
        if lose_power {
            self.kept.lose_power();
        }
        self.queue = std::mem::take(&mut self.queue)
            .into_iter()
            .filter_map(|(due, parcel)| outlives(parcel).map(|parcel| (due, parcel)))
            .collect();
        self.is_streaming = true;
        self.watched.clear();
        self.quotes.clear();
        let (core, outputs) = core(&self.rulebook, &self.kept, self.now);
        self.core = core;
        self.carry(outputs);
        self.read_rules();
    }

    /// Ends the process in the middle of what it is about to do next.
    pub fn crash_after(&mut self, outputs: usize, lose_power: bool) {
        self.crash = Some((outputs, lose_power));
    }

    /// The user stream is lost, noticed only after a while, and comes back.
    pub fn lose_stream(&mut self, unnoticed: TimeDelta, down: TimeDelta) {
        if !self.is_streaming {
            return;
        }
        self.is_streaming = false;
        self.queue.retain(|_, parcel| !matches!(parcel, Parcel::Told(event) if !is_quote(event)));
        self.post(unnoticed, Parcel::Link(Link::UserDown { why: "silence".to_string() }));
        self.post(unnoticed + down, Parcel::Link(Link::UserUp));
    }

    pub fn command(&mut self, command: Command) {
        self.note(format!("command {command:?}"));
        if let Ok(outputs) = self.core.command(self.now, command) {
            self.carry(outputs);
        }
    }

    /// The market pauses: what is accepted is filled so much later.
    pub fn hold_fills(&mut self, longer: TimeDelta) {
        self.hold(longer, |parcel| matches!(parcel, Parcel::Execute(..)));
    }

    /// What is on its way to the broker arrives so much later.
    pub fn hold_requests(&mut self, longer: TimeDelta) {
        self.hold(longer, |parcel| matches!(parcel, Parcel::Request(_)));
    }

    fn hold(&mut self, longer: TimeDelta, which: impl Fn(&Parcel) -> bool) {
        let held = self.queue.extract_if(.., |_, parcel| which(parcel));
        let held: Vec<_> = held.map(|((at, number), parcel)| ((at + longer, number), parcel)).collect();
        self.queue.extend(held);
    }

    pub fn calm(&mut self) {
        self.note("calm".to_string());
        self.crash = None;
        self.dice.calm();
    }

    /// Lets time pass.
    pub fn pass(&mut self, span: TimeDelta) {
        let until = self.now + span;
        while let Some(at) = self.next(until) {
            let second = at.duration_trunc(TimeDelta::seconds(1)).unwrap();
            let is_second = second > self.now;
            self.now = if is_second { second } else { at };
            if is_second {
                self.market_goes_on();
                self.handle(Input::Tick);
            } else if let Some((&key, _)) = self.queue.first_key_value().filter(|((due, _), _)| *due <= at) {
                let parcel = self.queue.remove(&key).unwrap();
                self.deliver(parcel);
            } else {
                self.wake();
            }
        }
        self.now = until;
    }

    /// A market that trades is never silent for long.
    fn market_goes_on(&mut self) {
        if self.now.timestamp() % QUOTE_EVERY_SECONDS == 0 {
            self.quotes.clone().iter().for_each(|contract| self.quote(contract));
        }
    }

    /// The next instant at which something happens, a second from now at the latest.
    fn next(&self, until: Instant) -> Option<Instant> {
        let second = self.now.duration_trunc(TimeDelta::seconds(1)).unwrap() + TimeDelta::seconds(1);
        let wanted = self.core.next_deadline().map(|at| at.max(self.now + TimeDelta::milliseconds(1)));
        let parcel = self.queue.first_key_value().map(|((due, _), _)| (*due).max(self.now));
        let next = [Some(second), wanted, parcel].into_iter().flatten().min()?;
        (next <= until).then_some(next)
    }

    fn wake(&mut self) {
        self.wakes.push_back(self.now);
        while self.wakes.front().is_some_and(|at| self.now - *at > TimeDelta::seconds(1)) {
            self.wakes.pop_front();
        }
        let deadline = self.core.next_deadline();
        self.check(self.wakes.len() <= MOST_WAKES, || format!("the loop spins at {deadline:?}"));
        self.handle(Input::Tick);
    }

    pub fn handle(&mut self, input: Input) {
        let outputs = self.core.handle(self.now, self.now, input);
        self.carry(outputs);
    }

    pub fn carry(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            if let Some((left, lose_power)) = self.crash {
                if left == 0 {
                    return self.restart(lose_power);
                }
                self.crash = Some((left - 1, lose_power));
            }
            match output {
                Output::Write { records, durability } => {
                    self.watch_locks(&records);
                    self.kept.write(&records, durability);
                }
                Output::Send(ask) => self.send(ask),
                Output::Tell(told) => {
                    self.note(format!("told: {}: {}", told.note.title, told.note.body));
                    self.told.push(told);
                }
                Output::Reviewed(result) => self.reviewed = Some(result),
                Output::Protected(_) | Output::Refused(_) | Output::Found { .. } | Output::Took(_) => {}
            }
        }
    }

    fn send(&mut self, ask: Ask) {
        if !is_query(&ask.call) {
            self.note(format!("sent {:?}", ask.call));
            let is_intended = self.kept.pending().any(|intent| covers(intent, &ask.call));
            self.check(is_intended, || format!("sent before it was written down: {:?}", ask.call));
        }
        self.readings += usize::from(matches!(ask.call, Call::Snapshot { .. }));
        if let Call::WorkingOrders(_) = ask.call {
            self.order_questions.push((self.now, ask.class));
        }
        self.core.left(ask.id, self.now);
        if self.is_justified(&ask.call) {
            self.justified.insert(ask.id);
        }
        let way = match &ask.call {
            // Noted by the broker port itself, in the order in which it is asked.
            Call::Watch(_) | Call::WatchQuotes(_) => TimeDelta::zero(),
            _ => self.dice.way(),
        };
        self.post(way, Parcel::Request(ask));
    }

    fn post(&mut self, after: TimeDelta, parcel: Parcel) {
        self.serial += 1;
        self.queue.insert((self.now + after, self.serial), parcel);
    }

    fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Request(ask) => {
                let (after, reply) = self.serve(ask);
                self.post(after, Parcel::Reply(reply));
            }
            Parcel::Orphan(ask) => drop(self.serve(ask)),
            Parcel::Execute(order, size) => self.execute(&order, size),
            Parcel::Told(event) => {
                if !is_quote(&event) {
                    self.note(format!("told {}", in_short(&event)));
                }
                self.handle(Input::Signal(Signal::Event(event)));
            }
            Parcel::Link(link) => {
                self.note(format!("{link:?}"));
                self.is_streaming |= link == Link::UserUp;
                self.handle(Input::Signal(Signal::Link(link)));
            }
            Parcel::Reply(reply) => self.handle(Input::Signal(Signal::Reply(reply))),
        }
    }

    pub fn is_protected(&self) -> bool {
        self.core.view(self.now).protection != Protection::NotProtected
    }

    pub fn note(&mut self, line: String) {
        self.trace.push(format!("{} {line}", self.now.format("%H:%M:%S%.3f")));
    }

    /// Fails with the latest of what happened.
    pub fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            let from = self.trace.len().saturating_sub(120);
            let what = what();
            panic!("{what}\n{}\n{what}", self.trace[from..].join("\n"));
        }
    }
}

fn core(rulebook: &Rulebook, kept: &Kept, now: Instant) -> (Core, Vec<Output>) {
    let setting = Setting {
        broker: "Model".to_string(),
        mode: "test".to_string(),
        zones: Zones::CENTRAL,
        started: now,
    };
    let (memory, pending) = kept.recall();
    let accepted = kept.accepted();
    let rulebook = accepted.as_ref().map_or(rulebook, |accepted| &accepted.rulebook).clone();
    let (mut core, outputs) = Core::new(setting, rulebook, memory, pending, now);
    if let Some(accepted) = accepted {
        core.remember(accepted);
    }
    (core, outputs)
}

/// What of that which travels does not end with the process.
fn outlives(parcel: Parcel) -> Option<Parcel> {
    match parcel {
        Parcel::Request(ask) | Parcel::Orphan(ask) => (!is_query(&ask.call)).then_some(Parcel::Orphan(ask)),
        Parcel::Execute(..) => Some(parcel),
        Parcel::Told(_) | Parcel::Link(_) | Parcel::Reply(_) => None,
    }
}

fn is_quote(event: &Event) -> bool {
    matches!(event, Event::Quote(_))
}

pub fn is_query(call: &Call) -> bool {
    !matches!(
        call,
        Call::Close { .. }
            | Call::Reduce { .. }
            | Call::Cancel { .. }
            | Call::Resize { .. }
            | Call::Place { .. }
            | Call::Modify { .. }
    )
}

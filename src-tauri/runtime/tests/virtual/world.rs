//! Core and broker in one virtual time. Everything that travels is a parcel with a time of arrival.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DurationRound, TimeDelta};
use domain::{
    AccountId, Command, ContractId, Contracts, Deed, Event, Instant, Leg, Link, LockEnd, LockKey, OrderId,
    OrderKind, OrderSide, Price, Quote, Rulebook, Snapshot,
    broker::{Answer, Ask, Call, CallError, CallId, Reply, Signal},
};
use runtime::core::{Announced, Core, Files, Input, Output, Setting, Told};
use store::{ConfigOrigin, Intent, Record};
use views::{
    text::Zones,
    view::{DesktopView, Protection},
};

use crate::{
    broker::{self, Broker, Ticket},
    chaos::{Chaos, Dice, Fate},
    kept::Kept,
};

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
    /// Partial closes that took no more than the excess when they left.
    justified: BTreeSet<CallId>,
    /// Calls that fail the next time they are made.
    pub failing: Vec<(&'static str, CallError)>,
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
        }
    }

    pub fn connect(&mut self) {
        self.handle(Input::ClockApart(TimeDelta::zero()));
        self.handle(Input::Signal(Signal::Link(Link::LoggedIn)));
        self.handle(Input::Signal(Signal::Link(Link::MarketUp)));
    }

    /// The end of the process and its next start. Replies to the old one are lost.
    pub fn restart(&mut self, lose_power: bool) {
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
        self.connect();
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

    /// The settings files changed, and the engine saw it.
    pub fn change_rules(&mut self, rulebook: Rulebook) {
        self.write_rules(rulebook);
        self.read_rules();
    }

    /// The settings files ask for other notifications.
    pub fn change_desktop(&mut self, desktop: DesktopView) {
        self.files.iter_mut().for_each(|files| files.desktop = desktop);
        self.read_rules();
    }

    /// The settings files ask for other announcements.
    pub fn change_announced(&mut self, announced: Announced) {
        self.files.iter_mut().for_each(|files| files.announced = announced);
        self.read_rules();
    }

    /// The settings files changed.
    pub fn write_rules(&mut self, rulebook: Rulebook) {
        let hash = format!("{rulebook:?}");
        let files = Files {
            rulebook,
            api: config::Api::default(),
            hash,
            origin: ConfigOrigin::File,
            instruments: BTreeSet::new(),
            desktop: DesktopView::default(),
            announced: Announced::default(),
        };
        self.files = Some(files);
    }

    fn read_rules(&mut self) {
        if let Some(files) = self.files.clone() {
            self.handle(Input::Files(Box::new(files)));
        }
    }

    pub fn command(&mut self, command: Command) {
        self.note(format!("command {command:?}"));
        if let Ok(outputs) = self.core.command(self.now, command) {
            self.carry(outputs);
        }
    }

    /// Takes only stricter changes of the settings until then.
    pub fn lock_settings(&mut self, until: Option<Instant>) -> Result<(), String> {
        let outputs = self.core.lock_settings(until, self.now)?;
        self.carry(outputs);
        Ok(())
    }

    /// The market pauses: what is accepted is filled so much later.
    pub fn hold_fills(&mut self, longer: TimeDelta) {
        let fills = self.queue.extract_if(.., |_, parcel| matches!(parcel, Parcel::Execute(..)));
        let fills: Vec<_> = fills.map(|((at, number), parcel)| ((at + longer, number), parcel)).collect();
        self.queue.extend(fills);
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

    fn carry(&mut self, outputs: Vec<Output>) {
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
        self.core.left(ask.id, self.now);
        if let Call::Reduce { account, contract, by } = &ask.call
            && self.is_excess(account, contract, by.0)
        {
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

    fn serve(&mut self, ask: Ask) -> (TimeDelta, Reply) {
        let Ask { id, call, .. } = ask;
        let was_justified = self.justified.remove(&id);
        let way = self.dice.way();
        let late = TimeDelta::seconds(2);
        let name = format!("{call:?}");
        let planned = self.failing.iter().position(|(of, _)| name.starts_with(of));
        let fate = match planned {
            Some(index) => Fate::Refused(self.failing.remove(index).1),
            None => self.dice.fate(!is_query(&call)),
        };
        if let (Call::Reduce { account, contract, by }, Fate::Fine | Fate::Misreported(_), false) =
            (&call, &fate, was_justified)
        {
            self.check_excess(account, contract, by.0);
        }
        let (after, result) = match fate {
            Fate::Fine => (way, self.answer(&call)),
            Fate::Refused(error @ CallError::TimedOut(_)) => (late, Err(error)),
            Fate::Refused(error) => (way, Err(error)),
            Fate::Misreported(error) => {
                let executed = self.answer(&call).is_ok();
                let after = if matches!(error, CallError::TimedOut(_)) { late } else { way };
                self.note(format!("misreported, executed: {executed}"));
                (after, Err(error))
            }
        };
        if !is_query(&call) || result.is_err() {
            self.note(format!("{call:?} -> {result:?}"));
        }
        let waited = std::time::Duration::ZERO;
        (after, Reply { id, result, waited, server_time: None })
    }

    fn answer(&mut self, call: &Call) -> Result<Answer, CallError> {
        match call {
            Call::Accounts => Ok(Answer::Accounts(self.accounts.iter().map(broker::account).collect())),
            Call::Watch(accounts) => {
                // Nothing new to confirm, nothing said.
                let wanted: BTreeSet<_> = accounts.iter().cloned().collect();
                let is_news = wanted != self.watched;
                self.watched = wanted;
                if self.is_streaming && is_news {
                    let way = self.dice.way();
                    self.post(way, Parcel::Link(Link::UserUp));
                }
                Ok(Answer::Noted)
            }
            Call::WatchQuotes(contracts) => {
                let fresh: Vec<_> =
                    contracts.iter().filter(|it| !self.quotes.contains(it)).cloned().collect();
                self.quotes.clone_from(contracts);
                fresh.iter().for_each(|contract| self.quote(contract));
                Ok(Answer::Noted)
            }
            Call::Snapshot { account, .. } if !self.accounts.contains(account) => Err(CallError::Refused {
                code: 0,
                text: "the login has no such account".to_string(),
                kind: domain::broker::Refusal::Other,
            }),
            Call::Snapshot { account, fills_since } => {
                let mine = self.broker.fills.iter().filter(|fill| fill.account == *account);
                Ok(Answer::Snapshot(Box::new(Snapshot {
                    account: broker::account(account),
                    positions: self.broker.open_positions(account),
                    orders: self.broker.listed(account),
                    fills: mine.filter(|fill| fill.at >= *fills_since).cloned().collect(),
                    asked_at: self.now,
                })))
            }
            Call::WorkingOrders(account) => Ok(Answer::WorkingOrders(self.broker.listed(account))),
            Call::Verify { account, orders_since } => Ok(Answer::Verified {
                positions: self.broker.open_positions(account),
                orders: self.broker.created_since(account, *orders_since),
            }),
            Call::Instrument(contract) => Ok(Answer::Instrument(broker::instrument(contract))),
            Call::SearchInstruments(_) | Call::LatestBar(_) => Err(CallError::NotFound),
            Call::Close { account, contract } => self.close(account, contract, None),
            Call::Reduce { account, contract, by } => self.close(account, contract, Some(*by)),
            Call::Cancel { order, .. } => {
                let events = self.broker.cancel(order).ok_or(CallError::NotFound)?;
                self.tell(events);
                Ok(Answer::Accepted)
            }
            Call::Place { account, ticket, tag } => self.place_protective(account, ticket, tag),
            Call::Modify { account, order, ticket } => self.modify(account, order, ticket),
            Call::Resize { order, size, .. } => {
                let events = self.broker.resize(order, *size).ok_or(CallError::NotFound)?;
                self.tell(events);
                Ok(Answer::Accepted)
            }
        }
    }

    /// A protective order that arrives: it reduces what is held, unless the trader was faster, and its tag
    /// was never used.
    fn place_protective(
        &mut self,
        account: &AccountId,
        ticket: &domain::Ticket,
        tag: &str,
    ) -> Result<Answer, CallError> {
        if self.broker.has_tag(tag) {
            return Err(refused("the tag is in use"));
        }
        if !self.broker.is_before_market(ticket) {
            return Err(refused("invalid stop price"));
        }
        self.check_protective(account, ticket, Contracts::ZERO);
        let kind = if ticket.leg == Leg::Stop { OrderKind::Stop } else { OrderKind::Limit };
        let (side, size, price) = (ticket.side, ticket.size.0, ticket.price.0);
        let (account, contract) = (account.clone(), ticket.contract.clone());
        let twin = self.broker.working().find(|it| {
            it.account == account
                && it.contract == contract
                && it.kind == kind
                && it.side == side
                && it.is_own()
        });
        let twin = twin.map(|order| order.id.clone());
        self.check(twin.is_none(), || format!("placed twice: {ticket:?} beside {twin:?}"));
        self.place(
            &Ticket { account, contract, side, kind, size, price, parent: None, tag: Some(tag.to_string()) },
            false,
        );
        Ok(Answer::Accepted)
    }

    fn modify(
        &mut self,
        account: &AccountId,
        order: &OrderId,
        ticket: &domain::Ticket,
    ) -> Result<Answer, CallError> {
        if !self.broker.is_before_market(ticket) {
            return Err(refused("invalid stop price"));
        }
        let before = self.broker.order(order).clone();
        if before.status.is_working() {
            self.check_protective(account, ticket, before.filled);
            self.check(!ticket.loosens(&before), || format!("loosened: {before:?} to {ticket:?}"));
        }
        let events = self.broker.change(order, ticket).ok_or(CallError::NotFound)?;
        self.tell(events);
        Ok(Answer::Accepted)
    }

    fn check_protective(&self, account: &AccountId, ticket: &domain::Ticket, filled: Contracts) {
        let held = domain::Exposure(self.broker.size(account, &ticket.contract));
        let place = (account.clone(), ticket.contract.clone());
        let raced = self.traders_fills.get(&place).is_some_and(|at| self.now - *at < NEWS_TAKES);
        let closing = self.broker.working().any(|order| {
            order.account == *account && order.contract == ticket.contract && order.kind == OrderKind::Market
        });
        let fits = ticket.only_reduces(held, filled);
        self.check(fits || raced || closing, || format!("{ticket:?} while {} is held", held.0));
    }

    fn close(
        &mut self,
        account: &AccountId,
        contract: &ContractId,
        by: Option<Contracts>,
    ) -> Result<Answer, CallError> {
        let held = self.broker.size(account, contract);
        if held == 0 {
            return Err(CallError::NotFound);
        }
        let open = u32::try_from(held.abs()).unwrap();
        let size = by.map_or(open, |by| by.0);
        if size == 0 || size > open {
            let kind = domain::broker::Refusal::Size;
            return Err(CallError::Refused { code: 5, text: "InvalidCloseSize".to_string(), kind });
        }
        let twice = self.broker.working().any(|order| {
            order.account == *account && order.contract == *contract && self.broker.is_own(&order.id)
        });
        self.check(!twice, || format!("two closes of {contract} under way"));
        let side = if held > 0 { OrderSide::Sell } else { OrderSide::Buy };
        let ticket = Ticket {
            account: account.clone(),
            contract: contract.clone(),
            side,
            kind: OrderKind::Market,
            size,
            price: self.broker.price(contract),
            parent: None,
            tag: None,
        };
        self.place(&ticket, true);
        Ok(Answer::Accepted)
    }

    /// A partial close never takes more than the excess, when it leaves or when it arrives, unless the trader
    /// took from it a moment ago.
    fn check_excess(&self, account: &AccountId, contract: &ContractId, by: u32) {
        let place = (account.clone(), contract.clone());
        let is_recent = |at: &Instant| self.now - *at < NEWS_TAKES;
        let raced = self.traders_fills.iter().any(|((whose, _), at)| whose == account && is_recent(at));
        if raced && self.traders_fills.contains_key(&place) {
            return;
        }
        let open = self.broker.size(account, contract);
        self.check(self.is_excess(account, contract, by), || format!("{by} of {open} {contract} closed"));
    }

    fn is_excess(&self, account: &AccountId, contract: &ContractId, by: u32) -> bool {
        let (open, by) = (self.broker.size(account, contract).abs(), i64::from(by));
        let rules = self.rulebook.of(account);
        let per_contract = rules.max_contracts_per_instrument.settings.default_limit.unwrap_or_default().0;
        let in_all: i64 = self.broker.open_positions(account).iter().map(|it| it.exposure.0.abs()).sum();
        let limit = i64::from(rules.max_contracts.settings.limit.0);
        // What cannot be taken is refused.
        by > open || open - by >= i64::from(per_contract) || in_all - by >= limit
    }

    /// Places an order, as the trader or as a consequence of a close.
    pub fn place(&mut self, ticket: &Ticket, own: bool) -> OrderId {
        let (id, events) = self.broker.place(ticket, own, self.now);
        self.tell(events);
        if ticket.kind == OrderKind::Market {
            let mut after = TimeDelta::zero();
            for size in self.dice.pieces(ticket.size) {
                after += self.dice.until_fill();
                self.post(after, Parcel::Execute(id.clone(), size));
            }
        }
        id
    }

    fn execute(&mut self, id: &OrderId, size: u32) {
        let order = self.broker.order(id).clone();
        let place = (order.account.clone(), order.contract.clone());
        let before = self.broker.size(&place.0, &place.1);
        let events = self.broker.execute(id, size, self.now);
        let after = self.broker.size(&place.0, &place.1);
        self.note(format!("{} {id}: {} {before} -> {after}", order.contract, order.account));
        if self.broker.is_own(id) {
            let grew = after.abs() > before.abs() || (after != 0 && after.signum() != before.signum());
            let raced = self.traders_fills.get(&place).is_some_and(|at| *at >= order.created_at);
            self.check(!grew || raced, || format!("an own close took {} {before} -> {after}", place.1));
        } else if before != after {
            self.traders_fills.insert(place, self.now);
        }
        self.tell(events);
    }

    /// A price moves; resting orders fill.
    pub fn trade_at(&mut self, contract: &ContractId, price: rust_decimal::Decimal) {
        self.note(format!("{contract} at {price}"));
        for order in self.broker.trade_at(contract, price) {
            let size = self.broker.order(&order).remaining().0;
            self.execute(&order, size);
        }
        if self.quotes.contains(contract) {
            self.quote(contract);
        }
    }

    fn quote(&mut self, contract: &ContractId) {
        let last = Some(Price(self.broker.price(contract)));
        let quote = Quote { contract: contract.clone(), last, bid: last, ask: last, at: Some(self.now) };
        let way = self.dice.way();
        self.post(way, Parcel::Told(Event::Quote(quote)));
    }

    /// Tells on the user stream what happened.
    pub fn tell(&mut self, events: Vec<Event>) {
        for event in events {
            if !self.is_streaming || self.dice.is_lost() {
                self.note(format!("lost {}", in_short(&event)));
                continue;
            }
            let kind = match &event {
                Event::Order(_) => "order",
                Event::Fill(_) => "fill",
                _ => "position",
            };
            let arrives = self.latest.get(kind).copied().unwrap_or(self.now).max(self.now + self.dice.way());
            let arrives = match self.dice.held_up() {
                Some(longer) => arrives + longer,
                None => {
                    self.latest.insert(kind, arrives);
                    arrives
                }
            };
            if self.dice.is_twice() {
                self.post(arrives - self.now + TimeDelta::milliseconds(3), Parcel::Told(event.clone()));
            }
            self.post(arrives - self.now, Parcel::Told(event));
        }
    }

    /// Lockouts end when their time is over, never before, and are never moved to an earlier end.
    fn watch_locks(&mut self, records: &[Record]) {
        for record in records {
            if let Record::Lock { lockout, .. } = record {
                let known = self.locks.insert(lockout.key.clone(), lockout.end);
                let (known, new) = (known.and_then(LockEnd::at), lockout.end.at());
                let shorter = known.is_some_and(|known| new.is_some_and(|new| new < known));
                self.check(!shorter, || format!("a lockout was shortened: {lockout:?}"));
            }
            if let Record::Unlock { key, cause, .. } = record {
                let end = self.locks.remove(key).and_then(LockEnd::at);
                let early = end.is_some_and(|end| self.now < end);
                self.check(!early, || format!("a lockout ended early: {key:?} by {cause:?}"));
            }
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

fn refused(text: &str) -> CallError {
    CallError::Refused { code: 2, text: text.to_string(), kind: domain::broker::Refusal::Other }
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

/// Whether an intent that was written down asks for a call.
fn covers(intent: &Intent, call: &Call) -> bool {
    let enforcement = &intent.enforcement;
    match (call, &enforcement.deed) {
        (Call::Close { account, .. }, Deed::Flatten) | (Call::Cancel { account, .. }, Deed::Flatten) => {
            *account == enforcement.account
        }
        (Call::Close { account, contract } | Call::Reduce { account, contract, .. }, deed) => {
            *account == enforcement.account
                && matches!(deed, Deed::Reduce { contract: meant, .. } if meant == contract)
        }
        (Call::Cancel { order, .. }, deed) => {
            matches!(deed, Deed::Cancel { orders } if orders.contains(order))
        }
        (Call::Place { tag, .. }, Deed::Place { .. }) => tag.starts_with(&enforcement.tag()),
        (Call::Modify { order, .. }, deed) => {
            matches!(deed, Deed::Modify { order: meant, .. } if meant == order)
        }
        (Call::Resize { order, .. }, deed) => {
            matches!(deed, Deed::Shrink { order: meant, .. } if meant == order)
        }
        _ => false,
    }
}

fn in_short(event: &Event) -> String {
    match event {
        Event::Order(it) => format!(
            "order {} {} {:?} {:?} {:?} {}/{}",
            it.id, it.contract, it.kind, it.side, it.status, it.filled, it.size
        ),
        Event::Fill(it) => {
            format!("fill {} of {} {:?} {} {}", it.id, it.order, it.side, it.size, it.contract)
        }
        Event::Position(it) => format!("position {} {} {}", it.account, it.contract, it.exposure.0),
        other => format!("{other:?}"),
    }
}

//! Doing at the broker what the engine decided, and finding out whether it is done (specification C.11).
//!
//! A state machine without I/O: enforcements, replies and time go in, calls and findings come out. One
//! exposure-changing call in flight per account and contract; success is what is *seen*, never what was
//! accepted; nothing is sent twice before the first is known to have missed. Closes only with the
//! broker's close calls, never with an opposite order, and places only orders that reduce what is held, so
//! that no call can enlarge a position.

mod check;
mod known;
mod lane;
mod look;
mod request;
mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Contracts, Deed, Enforcement, EnforcementId, Event, Exposure, Instant, Leg, Order,
    OrderId, Price, Report, Ticket,
    broker::{Answer, Ask, CallError, CallId, Class, Reply},
};

use check::FinalCheck;
use lane::{Goal, Lane, Moved, Sent, Subject};
pub use task::Receipt;
use task::Task;

/// Most enforcements in flight at once. The engine never asks for more than one per contract and order;
/// beyond this, the oldest finished state would be a defect, so further ones are refused and reported as
/// failed, and the engine asks again after its quiet period.
const MOST_TASKS: usize = 1_000;

/// For so long, older news of a stop that was moved may still come.
const MOVED_FOR: TimeDelta = TimeDelta::seconds(60);

/// What is known of the broker's state; answered by the engine's state.
pub trait Book {
    /// What is held of a contract.
    fn exposure(&self, account: &AccountId, contract: &ContractId) -> Exposure;
    /// Contracts that are held.
    fn held(&self, account: &AccountId) -> Vec<ContractId>;
    /// Whether something may have been missed since the account was last read as a whole.
    fn is_doubtful(&self, account: &AccountId) -> bool;
    /// How much may stay, as things stand now, of what was to be brought down to `to`: never less than that.
    fn allowed(&self, account: &AccountId, contract: &ContractId, to: Contracts) -> Contracts;
    /// Whether positions and fills tell the same story about a contract.
    fn agrees(&self, account: &AccountId, contract: &ContractId) -> bool;
    /// Whether a market order that bought so much, or sold it, was first heard of since then and has ended,
    /// and none is working.
    fn has_traded(
        &self,
        account: &AccountId,
        contract: &ContractId,
        change: Exposure,
        since: Instant,
    ) -> bool;
    /// Whether a market order that bought, or sold, as that change does was first heard of since then, has
    /// ended and left nothing of what was held, and none is working.
    fn has_closed(
        &self,
        account: &AccountId,
        contract: &ContractId,
        change: Exposure,
        since: Instant,
    ) -> bool;
    /// What was held of a contract at an instant of the broker's clock, as the fills tell it.
    fn held_at(&self, account: &AccountId, contract: &ContractId, at: Instant) -> Exposure;
    /// When an order, working or ended, was first heard of.
    fn first_heard(&self, account: &AccountId, order: &OrderId) -> Option<Instant>;
    /// Whether an order with this tag, or with one that begins so, was heard of and is not rejected.
    fn has_tag(&self, account: &AccountId, tag: &str) -> bool;
    /// A working order.
    fn order(&self, account: &AccountId, order: &OrderId) -> Option<&Order>;
    /// Working orders that would open or enlarge exposure, and our own, that can be cancelled; stops that
    /// would close more than is held are no entries before the position is gone.
    fn entries(&self, account: &AccountId) -> Vec<OrderId>;
    /// Working market orders that make a position smaller, whoever sent them, and when they were first
    /// heard of.
    fn exits(&self, account: &AccountId, contract: &ContractId) -> Vec<(OrderId, Instant)>;
    /// Whether fills tell of less than the position does: its own news is on its way.
    fn is_shrinking(&self, account: &AccountId, contract: &ContractId) -> bool;
    /// Whether a position that may not be reduced is closed as a whole (ruling 24).
    fn closes_where_reducing_is_refused(&self) -> bool;
}

/// What the executor wants or found.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send this.
    Ask(Ask),
    /// A fact that a verification brought to light: the engine is to take it.
    Learn(Event),
    /// Tell the engine how an enforcement ended.
    Report(Report),
    /// Write the receipt.
    Ended(Box<Receipt>),
}

/// All enforcements in flight.
#[derive(Debug, Default)]
pub struct Executor {
    tasks: BTreeMap<EnforcementId, Task>,
    lanes: BTreeMap<(AccountId, Subject), Lane>,
    checks: BTreeMap<EnforcementId, FinalCheck>,
    calls: BTreeMap<CallId, Purpose>,
    /// Requests whose lane ended before their own end was seen, by position.
    unseen: BTreeMap<(AccountId, Subject), Sent>,
    /// Accounts that an earlier run was flattening: any of their positions may have a close under way.
    flattened: BTreeMap<AccountId, Sent>,
    /// Orders that an earlier run, or a lane that failed, may have placed: their tags.
    placed: BTreeMap<(AccountId, ContractId, Leg), (String, Sent)>,
    /// Where stops were brought to a moment ago, and when.
    moved: BTreeMap<(AccountId, Subject), (Price, Instant)>,
}

#[derive(Clone, Debug)]
enum Purpose {
    Lane(AccountId, Subject),
    Check(EnforcementId),
}

/// Where calls get their names.
#[derive(Debug, Default)]
pub struct CallIds(u64);

impl CallIds {
    /// A name that was never used.
    pub fn fresh(&mut self) -> CallId {
        self.0 += 1;
        CallId(self.0)
    }
}

/// What one move of the executor works with.
pub struct Floor<'a> {
    /// Engine time.
    pub now: Instant,
    /// The broker's state as known.
    pub book: &'a dyn Book,
    /// Names for calls.
    pub ids: &'a mut CallIds,
}

impl Executor {
    /// A run before this one, which is just starting, had begun this at that time: its requests may still be
    /// executed.
    pub fn begun_before(&mut self, enforcement: &Enforcement, at: Instant, started: Instant) {
        let (account, sent) = (enforcement.account.clone(), Sent::before_start(at, started));
        match &enforcement.deed {
            Deed::Reduce { contract, .. } => {
                self.unseen.insert((account, Subject::Position(contract.clone())), sent);
            }
            Deed::Flatten => {
                self.flattened.insert(account, sent);
            }
            Deed::Place { ticket } => {
                self.placed.insert((account, ticket.contract.clone(), ticket.leg), (enforcement.tag(), sent));
            }
            Deed::Cancel { .. } | Deed::Shrink { .. } | Deed::Modify { .. } => {}
        }
    }

    /// Begins an enforcement.
    pub fn begin(&mut self, enforcement: Enforcement, floor: &mut Floor<'_>) -> Vec<Effect> {
        let (id, account) = (enforcement.id, enforcement.account.clone());
        let (deed, tag) = (enforcement.deed.clone(), enforcement.tag());
        let full = self.tasks.len() >= MOST_TASKS;
        self.tasks.insert(id, Task::new(enforcement));
        if full {
            let mut effects = Vec::new();
            self.end(id, Err("too many enforcements in flight".to_string()), floor, &mut effects);
            return effects;
        }
        match deed {
            Deed::Reduce { contract, to } => {
                self.withdraw(&account, Some(&contract));
                let from = floor.book.exposure(&account, &contract);
                self.join(id, &account, Subject::Position(contract), Goal::AtMost { from, to });
            }
            Deed::Cancel { orders } => {
                for order in orders {
                    self.join(id, &account, Subject::Order(order), Goal::Ended);
                }
            }
            Deed::Shrink { order, to } => {
                self.join(id, &account, Subject::Order(order), Goal::Sized(to));
            }
            Deed::Place { ticket } => self.place(id, &account, ticket, tag),
            Deed::Modify { order, ticket } => {
                self.join(id, &account, Subject::Order(order), Goal::Like(ticket));
            }
            Deed::Flatten => {
                self.withdraw(&account, None);
                self.flatten(id, &account, floor);
            }
        }
        self.advance(floor)
    }

    fn place(&mut self, id: EnforcementId, account: &AccountId, ticket: Ticket, tag: String) {
        let earlier = self.placed.remove(&(account.clone(), ticket.contract.clone(), ticket.leg));
        let key = (account.clone(), Subject::New(tag.clone()));
        self.join(id, account, Subject::New(tag), Goal::Placed(ticket));
        if let (Some(lane), Some((tag, sent))) = (self.lanes.get_mut(&key), earlier) {
            lane.placed_earlier(tag, sent);
        }
    }

    /// A position is being closed: orders that would protect it and did not leave yet stay here.
    fn withdraw(&mut self, account: &AccountId, contract: Option<&ContractId>) {
        for ((whose, _), lane) in &mut self.lanes {
            if let Goal::Placed(ticket) = &lane.goal
                && whose == account
                && contract.is_none_or(|contract| *contract == ticket.contract)
            {
                lane.withdraw();
            }
        }
    }

    /// A call was handed to the wire: a little later than it was decided, because what must be durable
    /// goes first.
    pub fn left(&mut self, call: CallId, at: Instant) {
        let Some(Purpose::Lane(account, subject)) = self.calls.get(&call) else { return };
        let Some(lane) = self.lanes.get_mut(&(account.clone(), subject.clone())) else { return };
        lane.left(call, at);
        for id in &lane.tasks {
            if let Some(task) = self.tasks.get_mut(id) {
                task.left(call, at);
            }
        }
    }

    /// Takes a reply; `None` if the call is not one of this executor's. After an [`Effect::Learn`] the
    /// caller gives the fact to the engine and then calls [`Executor::advance`].
    pub fn replied(&mut self, reply: &Reply, floor: &mut Floor<'_>) -> Option<Vec<Effect>> {
        let mut effects = Vec::new();
        match self.calls.remove(&reply.id)? {
            Purpose::Lane(account, subject) => {
                if let Some(lane) = self.lanes.get_mut(&(account, subject)) {
                    let moved = lane.replied(reply, floor);
                    self.note(moved, &mut effects);
                }
            }
            Purpose::Check(id) => self.check_replied(id, reply, floor, &mut effects),
        }
        // What was learned must reach the book before anything moves on; the caller advances then.
        if !effects.iter().any(|effect| matches!(effect, Effect::Learn(_))) {
            effects.extend(self.advance(floor));
        }
        Some(effects)
    }

    /// Moves everything on that time, or a change of the book, allows to move.
    pub fn advance(&mut self, floor: &mut Floor<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let keys: Vec<(AccountId, Subject)> = self.lanes.keys().cloned().collect();
        for key in keys {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            let moved = lane.advance(floor);
            self.note(moved, &mut effects);
        }
        self.settle_lanes(floor, &mut effects);
        self.run_checks(floor, &mut effects);
        effects
    }

    /// Engine time was put forward by so much: nobody has waited that long for the answer to a call.
    pub fn stepped(&mut self, by: TimeDelta) {
        self.lanes.values_mut().for_each(|lane| lane.stepped(by));
        let placed = self.placed.values_mut().map(|(_, sent)| sent);
        let earlier = self.unseen.values_mut().chain(self.flattened.values_mut()).chain(placed);
        earlier.for_each(|sent| sent.left += by);
    }

    /// When something is due by time alone.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let lanes = self.lanes.values().filter_map(Lane::deadline);
        lanes.chain(self.checks.values().filter_map(FinalCheck::deadline)).min()
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Lets an enforcement take part in the lane of its subject. A stricter goal replaces a weaker one;
    /// whoever wanted less is superseded when the lane ends.
    fn join(&mut self, id: EnforcementId, account: &AccountId, subject: Subject, goal: Goal) {
        let key = (account.clone(), subject.clone());
        match self.lanes.get_mut(&key) {
            Some(lane) => lane.join(id, goal),
            None => {
                let flattened = self.flattened.get(account).copied();
                let earlier = self.unseen.remove(&key).or(flattened);
                let moved = self.moved.get(&key).map(|(price, _)| *price);
                let lane = Lane::new(account.clone(), subject, goal, id).after(earlier).beside(moved);
                self.lanes.insert(key, lane);
            }
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.parts += 1;
        }
    }

    /// Positions and entry orders at once; what else is left is for the final check.
    fn flatten(&mut self, id: EnforcementId, account: &AccountId, floor: &Floor<'_>) {
        for contract in floor.book.held(account) {
            let from = floor.book.exposure(account, &contract);
            let goal = Goal::AtMost { from, to: Contracts::ZERO };
            self.join(id, account, Subject::Position(contract), goal);
        }
        for order in floor.book.entries(account) {
            self.join(id, account, Subject::Order(order), Goal::Ended);
        }
    }

    /// Passes on what a lane did, and writes it down for its enforcements.
    fn note(&mut self, moved: Moved, effects: &mut Vec<Effect>) {
        let Moved { account, subject, tasks, call, stamps, learned } = moved;
        for id in &tasks {
            if let Some(task) = self.tasks.get_mut(id) {
                task.stamp(&stamps);
            }
        }
        effects.extend(learned.into_iter().map(Effect::Learn));
        if let Some((call_id, call)) = call {
            self.calls.insert(call_id, Purpose::Lane(account, subject));
            effects.push(Effect::Ask(Ask { id: call_id, class: Class::Enforcement, call }));
        }
    }

    fn settle_lanes(&mut self, floor: &mut Floor<'_>, effects: &mut Vec<Effect>) {
        let ended: Vec<(AccountId, Subject)> = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.ending().is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in ended {
            let Some(lane) = self.lanes.remove(&key) else { continue };
            self.moved.retain(|_, (_, at)| floor.now - *at < MOVED_FOR);
            match (&lane.subject, &lane.goal, lane.unseen) {
                (Subject::Position(_), _, Some(sent)) => drop(self.unseen.insert(key, sent)),
                (Subject::Order(_), Goal::Like(ticket), _) if lane.is_accepted() => {
                    self.moved.insert(key, (ticket.price, floor.now));
                }
                (Subject::New(tag), Goal::Placed(ticket), Some(sent)) if lane.has_failed() => {
                    let what = (key.0, ticket.contract.clone(), ticket.leg);
                    self.placed.insert(what, (lane.nth_tag(tag), sent));
                }
                _ => {}
            }
            for (position, id) in lane.tasks.iter().enumerate() {
                let is_last = position + 1 == lane.tasks.len();
                let Some(task) = self.tasks.get_mut(id) else { continue };
                task.part_ended(&lane, is_last, floor.now);
                if task.parts == 0 {
                    self.parts_done(*id, floor, effects);
                }
            }
        }
        let idle: Vec<EnforcementId> = self
            .tasks
            .iter()
            .filter(|(id, task)| task.parts == 0 && !self.checks.contains_key(id))
            .map(|(id, _)| *id)
            .collect();
        for id in idle {
            self.parts_done(id, floor, effects);
        }
    }

    /// All parts of an enforcement ended: a flatten is verified as a whole, everything else is done.
    fn parts_done(&mut self, id: EnforcementId, floor: &mut Floor<'_>, effects: &mut Vec<Effect>) {
        let Some(task) = self.tasks.get(&id) else { return };
        let verdict = task.verdict();
        if task.enforcement.deed == Deed::Flatten && verdict.is_ok() {
            self.checks.entry(id).or_insert_with(|| FinalCheck::due(floor.now));
        } else {
            self.end(id, verdict, floor, effects);
        }
    }

    fn end(
        &mut self,
        id: EnforcementId,
        verdict: Result<(), String>,
        floor: &Floor<'_>,
        effects: &mut Vec<Effect>,
    ) {
        self.checks.remove(&id);
        if let Some(task) = self.tasks.remove(&id) {
            let receipt = task.receipt(verdict, floor.now);
            effects.push(Effect::Report(receipt.report()));
            effects.push(Effect::Ended(Box::new(receipt)));
        }
    }
}

/// What a failed call says, in a few words, for receipts and messages.
fn in_words(error: &CallError) -> String {
    error.to_string()
}

/// The answer to a verification, if it is the one that was asked for.
fn wrong_answer(answer: &Answer) -> CallError {
    CallError::Protocol(format!("an answer to another question: {answer:?}"))
}

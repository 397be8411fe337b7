//! One position or one order that is being brought to a goal: request, look, and only then perhaps
//! request again (specification C.11; gateway reference 9.7).

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Contracts, EnforcementId, Event, Exposure, Instant, Order, OrderId, OrderKind,
    OrderStatus, Position,
    broker::{Answer, Call, CallError, CallId, Refusal, Reply},
};

use super::{Book, Floor, call_for, in_words, wrong_answer};

/// Requests for one goal before it is given up.
const ATTEMPTS: u32 = 3;
/// Waits before the second and third request.
const WAITS: [TimeDelta; 2] = [TimeDelta::milliseconds(250), TimeDelta::milliseconds(750)];
/// Longest wait that a broker may ask for after too many requests.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(10);
/// The broker port answers within 2 s; a call without answer for longer is looked after.
const CALL_LIMIT: TimeDelta = TimeDelta::milliseconds(2_500);
/// How long the stream has to show the effect of an accepted request before the broker is asked.
const SETTLE: TimeDelta = TimeDelta::milliseconds(750);
/// Wait between two looks while our own closing order is still working or its effect does not show.
const LOOK_AGAIN: TimeDelta = TimeDelta::milliseconds(250);
/// Looks that are answered "filled, but the position stands as before" until the position is believed.
const PATIENCE: u32 = 4;
/// Requests for one goal that each did their part, as when a position grows while it is reduced.
const MOST_ROUNDS: u32 = 20;
/// Looks in all after one request; an order that is still working then is left to the next decision.
const MOST_LOOKS: u32 = 40;
/// Slack for the broker's clock when our own closing order is looked for.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(2);

/// What is acted on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Position(ContractId),
    Order(OrderId),
}

/// When a lane is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// No more than this is held on the side of `from`.
    AtMost { from: Exposure, to: Contracts },
    /// The order is not working.
    Ended,
    /// The order is not larger than this.
    Sized(Contracts),
}

/// How a lane ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Reached,
    NotNeeded,
    Failed(String),
}

#[derive(Clone, Debug)]
enum Phase {
    Ready,
    Sent { until: Instant },
    Settling { until: Instant },
    Looking { call: CallId, asked: Instant, until: Instant },
    Waiting { until: Instant, then: Next },
    Over(Ending),
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Request,
    Look,
}

#[derive(Clone, Debug)]
struct Request {
    call: CallId,
    at: Instant,
    before: Exposure,
}

/// What one move brought.
#[derive(Debug)]
pub(super) struct Moved {
    pub account: AccountId,
    pub subject: Subject,
    pub tasks: Vec<EnforcementId>,
    pub call: Option<(CallId, Call)>,
    pub stamps: Stamps,
    pub learned: Vec<Event>,
}

/// What a move adds to the receipts.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps {
    /// A request was decided: its name, and when.
    pub requested: Option<(CallId, Instant)>,
    pub waited: Option<TimeDelta>,
    pub acknowledged: Option<Instant>,
    pub error: Option<String>,
}

#[derive(Debug)]
pub(super) struct Lane {
    account: AccountId,
    pub subject: Subject,
    pub goal: Goal,
    pub tasks: Vec<EnforcementId>,
    phase: Phase,
    /// Requests in a row that missed.
    attempts: u32,
    rounds: u32,
    looks: u32,
    unmoved: u32,
    request: Option<Request>,
    /// What was held, or working, when the lane began.
    pub begun_with: Option<Contracts>,
    /// When the goal was seen to be reached.
    pub reached_at: Option<Instant>,
    error: Option<String>,
}

impl Lane {
    pub fn new(account: AccountId, subject: Subject, goal: Goal, id: EnforcementId) -> Self {
        let begun_with = match goal {
            Goal::AtMost { from, .. } => Some(from.size()),
            Goal::Ended | Goal::Sized(_) => None,
        };
        Self {
            account,
            subject,
            goal,
            tasks: vec![id],
            phase: Phase::Ready,
            attempts: 0,
            rounds: 0,
            looks: 0,
            unmoved: 0,
            request: None,
            begun_with,
            reached_at: None,
            error: None,
        }
    }

    /// Takes in another enforcement. The stricter goal counts; a failed lane gets a fresh start.
    pub fn join(&mut self, id: EnforcementId, goal: Goal) {
        self.tasks.push(id);
        self.goal = match (self.goal, goal) {
            (Goal::AtMost { from: old, to: known }, Goal::AtMost { from, to }) if old.same_side(from) => {
                Goal::AtMost { from, to: known.min(to) }
            }
            (Goal::Ended, Goal::Sized(_)) => Goal::Ended,
            (_, newer) => newer,
        };
        if matches!(self.phase, Phase::Over(_)) {
            self.phase = Phase::Ready;
            self.attempts = 0;
        }
    }

    pub fn ending(&self) -> Option<&Ending> {
        match &self.phase {
            Phase::Over(ending) => Some(ending),
            Phase::Ready
            | Phase::Sent { .. }
            | Phase::Settling { .. }
            | Phase::Looking { .. }
            | Phase::Waiting { .. } => None,
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Sent { until }
            | Phase::Settling { until }
            | Phase::Looking { until, .. }
            | Phase::Waiting { until, .. } => Some(*until),
            Phase::Ready | Phase::Over(_) => None,
        }
    }

    /// Moves on by what the book shows and what time it is.
    pub fn advance(&mut self, floor: &mut Floor<'_>) -> Moved {
        let mut moved = self.nothing();
        let reached = self.is_reached(floor.book);
        self.reached_at = reached.then(|| self.reached_at.unwrap_or(floor.now));
        match self.phase.clone() {
            Phase::Over(_) => {}
            // The reply must be known before another call may follow.
            Phase::Sent { until } if floor.now >= until => self.look(floor, &mut moved),
            Phase::Sent { .. } => {}
            _ if reached => self.phase = Phase::Over(self.success()),
            Phase::Ready => self.send(floor, &mut moved),
            Phase::Settling { until } if floor.now >= until || self.has_moved(floor.book) => {
                self.look(floor, &mut moved);
            }
            Phase::Looking { until, .. } if floor.now >= until => {
                self.look_failed("no answer to a verification".to_string(), floor.now);
            }
            Phase::Waiting { until, then } if floor.now >= until => match then {
                Next::Request => self.send(floor, &mut moved),
                Next::Look => self.look(floor, &mut moved),
            },
            Phase::Settling { .. } | Phase::Looking { .. } | Phase::Waiting { .. } => {}
        }
        moved
    }

    /// Its request left at another time than it was decided.
    pub fn left(&mut self, call: CallId, at: Instant) {
        if let Some(request) = self.request.as_mut().filter(|request| request.call == call) {
            request.at = at;
        }
    }

    /// Takes the reply to its request or to its look.
    pub fn replied(&mut self, reply: &Reply, floor: &mut Floor<'_>) -> Moved {
        let mut moved = self.nothing();
        match self.phase.clone() {
            Phase::Sent { .. } if self.request.as_ref().is_some_and(|it| it.call == reply.id) => {
                moved.stamps.waited = TimeDelta::from_std(reply.waited).ok();
                self.answered(reply, floor, &mut moved);
            }
            Phase::Looking { call, asked, .. } if call == reply.id => {
                self.looked(reply, asked, floor, &mut moved);
            }
            // A reply that comes after its limit: the look that followed tells more.
            Phase::Sent { .. }
            | Phase::Ready
            | Phase::Settling { .. }
            | Phase::Looking { .. }
            | Phase::Waiting { .. }
            | Phase::Over(_) => {}
        }
        moved.stamps.error.clone_from(&self.error);
        moved
    }

    fn nothing(&self) -> Moved {
        Moved {
            account: self.account.clone(),
            subject: self.subject.clone(),
            tasks: self.tasks.clone(),
            call: None,
            stamps: Stamps::default(),
            learned: Vec::new(),
        }
    }

    fn held(&self, book: &dyn Book) -> Exposure {
        match &self.subject {
            Subject::Position(contract) => book.exposure(&self.account, contract),
            Subject::Order(_) => Exposure::FLAT,
        }
    }

    fn is_reached(&self, book: &dyn Book) -> bool {
        match (&self.subject, self.goal) {
            (Subject::Position(_), Goal::AtMost { from, to }) => satisfied(self.held(book), from, to),
            (Subject::Position(_), Goal::Ended | Goal::Sized(_)) => self.held(book).is_flat(),
            (Subject::Order(order), Goal::Sized(size)) => {
                book.order(&self.account, order).is_none_or(|order| order.size <= size)
            }
            (Subject::Order(order), Goal::Ended | Goal::AtMost { .. }) => {
                book.order(&self.account, order).is_none()
            }
        }
    }

    /// The position changed since the request, but not to the goal: no need to wait any longer.
    fn has_moved(&self, book: &dyn Book) -> bool {
        self.request.as_ref().is_some_and(|request| self.held(book) != request.before)
    }

    fn success(&self) -> Ending {
        if self.request.is_some() { Ending::Reached } else { Ending::NotNeeded }
    }

    fn send(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        let before = self.held(floor.book);
        let call = floor.ids.fresh();
        self.attempts += 1;
        self.looks = 0;
        self.unmoved = 0;
        self.request = Some(Request { call, at: floor.now, before });
        self.phase = Phase::Sent { until: floor.now + CALL_LIMIT };
        moved.stamps.requested = Some((call, floor.now));
        moved.call = Some((call, call_for(&self.subject, &self.goal, &self.account, before.size())));
    }

    fn answered(&mut self, reply: &Reply, floor: &mut Floor<'_>, moved: &mut Moved) {
        match &reply.result {
            Ok(_) => {
                moved.stamps.acknowledged = Some(floor.now);
                self.phase = Phase::Settling { until: floor.now + SETTLE };
            }
            Err(error) => {
                self.error = Some(in_words(error));
                match error {
                    CallError::Refused {
                        kind: Refusal::MarketClosed | Refusal::NotPermitted | Refusal::Contract,
                        ..
                    }
                    | CallError::Unauthorized(_) => self.fail(),
                    CallError::NotFound | CallError::Refused { kind: Refusal::Size, .. } => {
                        self.look(floor, moved)
                    }
                    CallError::RateLimited { retry_after } => {
                        let asked = retry_after.and_then(|wait| TimeDelta::from_std(wait).ok());
                        self.retry(asked.map(|wait| wait.min(LONGEST_WAIT)), floor.now);
                    }
                    CallError::Unreachable(_) | CallError::Refused { kind: Refusal::Other, .. } => {
                        self.retry(None, floor.now);
                    }
                    CallError::TimedOut(_) | CallError::Server(_) | CallError::Protocol(_) => {
                        self.look(floor, moved);
                    }
                }
            }
        }
    }

    /// Asks the broker how things stand.
    fn look(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        let call = floor.ids.fresh();
        self.looks += 1;
        self.phase = Phase::Looking { call, asked: floor.now, until: floor.now + CALL_LIMIT };
        let account = self.account.clone();
        moved.call = Some((
            call,
            match &self.subject {
                Subject::Position(_) => {
                    let sent = self.request.as_ref().map_or(floor.now, |request| request.at);
                    Call::Verify { account, orders_since: sent - CLOCK_SLACK }
                }
                Subject::Order(_) => Call::WorkingOrders(account),
            },
        ));
    }

    fn looked(&mut self, reply: &Reply, asked_at: Instant, floor: &mut Floor<'_>, moved: &mut Moved) {
        match &reply.result {
            Ok(Answer::Verified { positions, orders }) => {
                let (account, positions) = (self.account.clone(), positions.clone());
                self.judge_position(&positions, orders, floor.now);
                moved.learned.push(Event::Positions { account, positions, asked_at });
            }
            Ok(Answer::WorkingOrders(orders)) => {
                moved.learned.extend(self.judge_order(orders, asked_at, floor));
            }
            Ok(other) => self.look_failed(in_words(&wrong_answer(other)), floor.now),
            Err(error) => self.look_failed(in_words(error), floor.now),
        }
    }

    /// What the broker's own list says about the position, and about our closing order.
    fn judge_position(&mut self, positions: &[Position], orders: &[Order], now: Instant) {
        let (Subject::Position(contract), Goal::AtMost { from, to }) = (&self.subject, self.goal) else {
            return;
        };
        let held = positions
            .iter()
            .find(|position| position.contract == *contract)
            .map_or(Exposure::FLAT, |position| position.exposure);
        if satisfied(held, from, to) {
            self.reached_at.get_or_insert(now);
            self.phase = Phase::Over(self.success());
            return;
        }
        let before = self.request.as_ref().map_or(held, |request| request.before);
        let ours = orders.iter().filter(|order| {
            order.contract == *contract
                && order.kind == OrderKind::Market
                && order.tag.is_none()
                && order.side.reduces(before)
        });
        let (mut working, mut filled) = (false, false);
        for order in ours {
            working |= order.status.is_working();
            filled |= order.status == OrderStatus::Filled;
        }
        if working {
            self.look_later(now);
        } else if filled && held == before && self.unmoved < PATIENCE {
            self.unmoved += 1;
            self.look_later(now);
        } else if filled && self.rounds < MOST_ROUNDS {
            self.rounds += 1;
            self.attempts = 0;
            self.phase = Phase::Waiting { until: now, then: Next::Request };
        } else {
            self.retry(None, now);
        }
    }

    fn judge_order(&mut self, orders: &[Order], asked_at: Instant, floor: &Floor<'_>) -> Vec<Event> {
        let Subject::Order(id) = &self.subject else { return Vec::new() };
        let listed = orders.iter().find(|order| order.id == *id);
        let is_done = match (listed, self.goal) {
            (None, _) => true,
            (Some(order), Goal::Sized(size)) => order.size <= size,
            (Some(_), Goal::Ended | Goal::AtMost { .. }) => false,
        };
        let mut learned =
            vec![Event::Orders { account: self.account.clone(), orders: orders.to_vec(), asked_at }];
        if is_done {
            if let (None, Some(order)) = (listed, floor.book.order(&self.account, id)) {
                learned.push(Event::Order(Order { status: OrderStatus::Cancelled, ..order.clone() }));
            }
            self.reached_at.get_or_insert(floor.now);
            self.phase = Phase::Over(self.success());
        } else {
            self.retry(None, floor.now);
        }
        learned
    }

    fn look_later(&mut self, now: Instant) {
        if self.looks >= MOST_LOOKS {
            self.error = Some("the closing order is still working".to_string());
            self.fail();
        } else {
            self.phase = Phase::Waiting { until: now + LOOK_AGAIN, then: Next::Look };
        }
    }

    fn look_failed(&mut self, why: String, now: Instant) {
        self.error = Some(why);
        match WAITS.get(self.looks.saturating_sub(1) as usize) {
            Some(wait) => self.phase = Phase::Waiting { until: now + *wait, then: Next::Look },
            None => self.fail(),
        }
    }

    fn retry(&mut self, asked: Option<TimeDelta>, now: Instant) {
        match WAITS.get(self.attempts.saturating_sub(1) as usize) {
            Some(wait) if self.attempts < ATTEMPTS => {
                let until = now + asked.map_or(*wait, |asked| asked.max(*wait));
                self.phase = Phase::Waiting { until, then: Next::Request };
            }
            _ => self.fail(),
        }
    }

    fn fail(&mut self) {
        let why = self.error.clone().unwrap_or_else(|| "the position is still open".to_string());
        self.phase = Phase::Over(Ending::Failed(why));
    }
}

/// Whether an exposure is what was wanted: no more than `to` on the side of `from`.
fn satisfied(held: Exposure, from: Exposure, to: Contracts) -> bool {
    !held.same_side(from) || held.size() <= to
}

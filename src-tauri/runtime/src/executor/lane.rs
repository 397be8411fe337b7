//! One position or one order that is being brought to a goal: request, look, and only then perhaps
//! request again (specification C.11; gateway reference 9.7).

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Contracts, EnforcementId, Event, Exposure, Instant, OrderId,
    broker::{Call, CallError, CallId, Refusal, Reply},
};

use super::{Book, Floor, call_for, in_words};

/// Requests for one goal before it is given up.
const ATTEMPTS: u32 = 3;
/// Waits before the second and third request.
pub(super) const WAITS: [TimeDelta; 2] = [TimeDelta::milliseconds(250), TimeDelta::milliseconds(750)];
/// Longest wait that a broker may ask for after too many requests.
pub(super) const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(10);
/// The broker port answers within 2 s; a call without answer for longer is looked after.
pub(super) const CALL_LIMIT: TimeDelta = TimeDelta::milliseconds(2_500);
/// How long the stream has to show the effect of an accepted request before the broker is asked.
const SETTLE: TimeDelta = TimeDelta::milliseconds(750);
/// A request of an earlier lane whose effect was not seen is looked for this long.
const UNSEEN_FOR: TimeDelta = TimeDelta::seconds(60);

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
pub(super) enum Phase {
    Ready,
    Sent { until: Instant },
    Settling { until: Instant },
    Looking { call: CallId, asked: Instant, until: Instant },
    Waiting { until: Instant, then: Next },
    Over(Ending),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Request,
    Look,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub call: CallId,
    pub at: Instant,
    pub before: Exposure,
    pub accepted: bool,
}

/// A request whose end was not seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub at: Instant,
    /// What it was to change of the position; `None` if an earlier run sent it.
    pub change: Option<Exposure>,
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
    pub(super) account: AccountId,
    pub subject: Subject,
    pub goal: Goal,
    pub tasks: Vec<EnforcementId>,
    pub(super) phase: Phase,
    /// Requests in a row that missed.
    pub(super) attempts: u32,
    pub(super) rounds: u32,
    pub(super) looks: u32,
    pub(super) failed_looks: u32,
    pub(super) unmoved: u32,
    pub(super) request: Option<Request>,
    /// When an earlier lane sent a request whose end was not seen: nothing is sent before it is.
    pub(super) earlier: Option<Sent>,
    /// When a request was sent whose end was not seen yet.
    pub unseen: Option<Sent>,
    /// Closing orders that ended before the latest request.
    pub(super) past: Vec<OrderId>,
    /// What the latest look found to be held.
    pub(super) seen: Option<Exposure>,
    /// The most that was held, or working, since the lane began.
    pub begun_with: Option<Contracts>,
    /// When the goal was seen to be reached.
    pub reached_at: Option<Instant>,
    pub(super) error: Option<String>,
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
            failed_looks: 0,
            unmoved: 0,
            request: None,
            earlier: None,
            unseen: None,
            past: Vec::new(),
            seen: None,
            begun_with,
            reached_at: None,
            error: None,
        }
    }

    /// A lane of a position on which an earlier one has acted.
    pub fn after(mut self, request: Option<Sent>) -> Self {
        self.earlier = request;
        self.unseen = request;
        self
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
        let held = self.held(floor.book).size();
        self.begun_with = self.begun_with.map(|most| most.max(held));
        self.reached_at = reached.then(|| self.reached_at.unwrap_or(floor.now));
        match self.phase.clone() {
            Phase::Over(_) => {}
            // The reply must be known before another call may follow.
            Phase::Sent { until } if floor.now >= until => self.look(floor, &mut moved),
            Phase::Sent { .. } => {}
            _ if reached => self.phase = Phase::Over(self.success()),
            // Something else is closing it already: how it ended must be known before more is closed.
            Phase::Ready if self.is_held_up(floor) => self.look(floor, &mut moved),
            Phase::Ready => self.send(floor, &mut moved),
            Phase::Settling { until } if floor.now >= until || self.has_moved(floor.book) => {
                self.look(floor, &mut moved);
            }
            // Nobody answered, but the stream has told by now what was to be found out.
            Phase::Waiting { then: Next::Look, .. } if self.is_freed(floor) => self.send(floor, &mut moved),
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

    /// Whether what is known is too little to send anything: an earlier request may still be executed, or
    /// positions and fills tell different stories about a position of which a part is to stay.
    fn must_look_first(&self, floor: &Floor<'_>) -> bool {
        let Subject::Position(contract) = &self.subject else { return false };
        let (book, account) = (floor.book, &self.account);
        // Only an order of the very size can be believed to be ours: others trade the contract as well.
        let is_seen = |sent: Sent| {
            sent.change.is_some_and(|change| book.has_traded(account, contract, change, sent.at))
        };
        let unseen = self.earlier.is_some_and(|sent| floor.now - sent.at < UNSEEN_FOR && !is_seen(sent));
        let in_part = matches!(self.goal, Goal::AtMost { to, .. } if to > Contracts::ZERO);
        unseen || (in_part && !book.agrees(account, contract))
    }

    fn is_held_up(&self, floor: &Floor<'_>) -> bool {
        self.must_look_first(floor) || self.is_in_motion(floor.book)
    }

    /// Whether nothing is in the way any more of a first request that waits for a look that failed.
    fn is_freed(&self, floor: &Floor<'_>) -> bool {
        self.failed_looks > 0 && self.request.is_none() && !self.is_held_up(floor)
    }

    /// A market order or a fill is making the position smaller at this moment.
    fn is_in_motion(&self, book: &dyn Book) -> bool {
        let Subject::Position(contract) = &self.subject else { return false };
        book.is_shrinking(&self.account, contract) || !book.exits(&self.account, contract).is_empty()
    }

    pub(super) fn success(&self) -> Ending {
        if self.request.is_some() { Ending::Reached } else { Ending::NotNeeded }
    }

    fn send(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        let held = self.held(floor.book);
        // The look and the stream may cross: the smaller one can't be too much.
        let before = match self.seen.take() {
            Some(seen) if seen.same_side(held) && seen.size() < held.size() => seen,
            Some(_) | None => held,
        };
        let call = floor.ids.fresh();
        self.attempts += 1;
        self.looks = 0;
        self.unmoved = 0;
        self.unseen = Some(Sent { at: floor.now, change: Some(self.change_of(before)) });
        self.request = Some(Request { call, at: floor.now, before, accepted: false });
        self.phase = Phase::Sent { until: floor.now + CALL_LIMIT };
        moved.stamps.requested = Some((call, floor.now));
        moved.call = Some((call, call_for(&self.subject, &self.goal, &self.account, before.size())));
    }

    /// What a request for its goal changes of a position.
    fn change_of(&self, before: Exposure) -> Exposure {
        let stays = match self.goal {
            Goal::AtMost { to, .. } => to,
            Goal::Ended | Goal::Sized(_) => Contracts::ZERO,
        };
        Exposure(-before.0.signum() * i64::from(before.size().saturating_sub(stays).0))
    }

    fn answered(&mut self, reply: &Reply, floor: &mut Floor<'_>, moved: &mut Moved) {
        match &reply.result {
            Ok(_) => {
                moved.stamps.acknowledged = Some(floor.now);
                if let Some(request) = self.request.as_mut() {
                    request.accepted = true;
                }
                self.phase = Phase::Settling { until: floor.now + SETTLE };
            }
            Err(error) => {
                self.error = Some(in_words(error));
                self.unseen = self.unseen.filter(|_| may_exist(error));
                match error {
                    CallError::Refused { kind: Refusal::NotPermitted, .. }
                        if self.may_close_instead(floor.book) =>
                    {
                        self.retry(None, floor.now);
                    }
                    CallError::Refused {
                        kind: Refusal::MarketClosed | Refusal::NotPermitted | Refusal::Contract,
                        ..
                    }
                    | CallError::Unauthorized(_) => self.fail(),
                    CallError::NotFound | CallError::Refused { kind: Refusal::Size, .. } => {
                        self.look(floor, moved)
                    }
                    // Some refusals speak of an order that exists: "pending", "unknown".
                    CallError::Refused { kind: Refusal::Other, .. }
                        if matches!(self.subject, Subject::Position(_)) =>
                    {
                        self.look(floor, moved);
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

    /// Where reducing is refused for good and the settings say so, the goal becomes to hold nothing.
    fn may_close_instead(&mut self, book: &dyn Book) -> bool {
        let Goal::AtMost { from, to } = self.goal else { return false };
        let instead = to > Contracts::ZERO && book.closes_where_reducing_is_refused();
        if instead {
            self.goal = Goal::AtMost { from, to: Contracts::ZERO };
        }
        instead
    }

    pub(super) fn retry(&mut self, asked: Option<TimeDelta>, now: Instant) {
        match WAITS.get(self.attempts.saturating_sub(1) as usize) {
            Some(wait) if self.attempts < ATTEMPTS => {
                let until = now + asked.map_or(*wait, |asked| asked.max(*wait));
                self.phase = Phase::Waiting { until, then: Next::Request };
            }
            _ => self.fail(),
        }
    }

    pub(super) fn fail(&mut self) {
        let why = self.error.clone().unwrap_or_else(|| "the position is still open".to_string());
        self.phase = Phase::Over(Ending::Failed(why));
    }
}

/// Whether an order may have come of a request that ended so.
fn may_exist(error: &CallError) -> bool {
    error.may_have_acted() || matches!(error, CallError::Refused { kind: Refusal::Other, .. })
}

/// Whether an exposure is what was wanted: no more than `to` on the side of `from`.
pub(super) fn satisfied(held: Exposure, from: Exposure, to: Contracts) -> bool {
    !held.same_side(from) || held.size() <= to
}

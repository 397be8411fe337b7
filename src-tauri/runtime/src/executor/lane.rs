//! One position or one order that is being brought to a goal: request, look, and only then perhaps
//! request again (specification C.11; gateway reference 9.7).

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Contracts, EnforcementId, Event, Exposure, Instant, OrderId, Ticket,
    broker::{Call, CallError, CallId, Refusal, Reply},
};

use super::{Book, Floor, in_words};

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
    /// An order that is to be placed, by its tag.
    New(String),
}

/// When a lane is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// No more than this is held on the side of `from`.
    AtMost { from: Exposure, to: Contracts },
    /// The order is not working.
    Ended,
    /// The order is not larger than this.
    Sized(Contracts),
    /// The order is there.
    Placed(Ticket),
    /// The order has this size and this price.
    Like(Ticket),
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
    /// An order that an earlier run may have placed to the same end, by its tag.
    pub(super) earlier_tag: Option<String>,
    /// Orders that the broker rejected; each took a tag with it.
    pub(super) rejected: u32,
    /// Nothing more is sent: what it protects is being closed.
    pub(super) is_withdrawn: bool,
}

impl Lane {
    pub fn new(account: AccountId, subject: Subject, goal: Goal, id: EnforcementId) -> Self {
        let begun_with = match goal {
            Goal::AtMost { from, .. } => Some(from.size()),
            Goal::Ended | Goal::Sized(_) | Goal::Placed(_) | Goal::Like(_) => None,
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
            earlier_tag: None,
            rejected: 0,
            is_withdrawn: false,
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
        let was_change = matches!(self.goal, Goal::Like(_));
        self.goal = match (&self.goal, goal) {
            (Goal::AtMost { from: old, to: known }, Goal::AtMost { from, to }) if old.same_side(from) => {
                Goal::AtMost { from, to: *known.min(&to) }
            }
            (Goal::Ended, Goal::Sized(_) | Goal::Like(_)) => Goal::Ended,
            (_, newer) => newer,
        };
        // A cancel waits for the answer to a change under way, not for its effect.
        let overtakes = was_change
            && self.goal == Goal::Ended
            && matches!(self.phase, Phase::Settling { .. } | Phase::Waiting { .. });
        if overtakes || matches!(self.phase, Phase::Over(_)) {
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
            Phase::Ready | Phase::Waiting { then: Next::Request, .. } if !self.may_send(floor.book) => {
                self.phase = Phase::Over(Ending::NotNeeded);
            }
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
            Subject::Order(_) | Subject::New(_) => Exposure::FLAT,
        }
    }

    fn is_reached(&self, book: &dyn Book) -> bool {
        match (&self.subject, &self.goal) {
            (Subject::Position(_), Goal::AtMost { from, to }) => satisfied(self.held(book), *from, *to),
            (Subject::Position(_), _) => self.held(book).is_flat(),
            (Subject::Order(order), Goal::Sized(size)) => {
                book.order(&self.account, order).is_none_or(|order| order.size <= *size)
            }
            (Subject::Order(order), Goal::Like(ticket)) => {
                book.order(&self.account, order).is_none_or(|order| ticket.is_met_by(order))
            }
            (Subject::Order(order), Goal::Ended | Goal::AtMost { .. } | Goal::Placed(_)) => {
                book.order(&self.account, order).is_none()
            }
            (Subject::New(tag), _) => book.has_tag(&self.account, tag),
        }
    }

    /// The position changed since the request, but not to the goal: no need to wait any longer.
    fn has_moved(&self, book: &dyn Book) -> bool {
        self.request.as_ref().is_some_and(|request| self.held(book) != request.before)
    }

    /// Whether what is known is too little to send anything: an earlier request may still be executed, or
    /// positions and fills tell different stories about a position of which a part is to stay.
    fn must_look_first(&self, floor: &Floor<'_>) -> bool {
        let (book, account) = (floor.book, &self.account);
        let contract = match (&self.subject, &self.goal) {
            (Subject::Position(contract), _) => contract,
            (Subject::New(_), Goal::Placed(ticket)) => {
                let earlier = self.earlier.is_some_and(|sent| floor.now - sent.at < UNSEEN_FOR);
                return earlier || !book.agrees(account, &ticket.contract);
            }
            (Subject::New(_) | Subject::Order(_), _) => return false,
        };
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
        let contract = match (&self.subject, &self.goal) {
            (Subject::Position(contract), _) => contract,
            (Subject::New(_), Goal::Placed(ticket)) => &ticket.contract,
            (Subject::New(_) | Subject::Order(_), _) => return false,
        };
        book.is_shrinking(&self.account, contract) || !book.exits(&self.account, contract).is_empty()
    }

    pub(super) fn success(&self) -> Ending {
        if self.request.is_some() { Ending::Reached } else { Ending::NotNeeded }
    }

    fn send(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        if !self.may_send(floor.book) {
            self.phase = Phase::Over(Ending::NotNeeded);
            return;
        }
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
        moved.call = Some((call, self.call(before.size())));
    }

    /// The last look before a protective order leaves: it must do nothing but reduce what is held now, and a
    /// stop must not move away from the market. What does not is decided anew by the engine.
    fn may_send(&self, book: &dyn Book) -> bool {
        let held = |ticket: &Ticket| book.exposure(&self.account, &ticket.contract);
        match (&self.subject, &self.goal) {
            (Subject::New(_), Goal::Placed(ticket)) => {
                !self.is_withdrawn && ticket.only_reduces(held(ticket), Contracts::ZERO)
            }
            (Subject::Order(order), Goal::Like(ticket)) => {
                let order = book.order(&self.account, order);
                order.is_none_or(|it| ticket.only_reduces(held(ticket), it.filled) && !ticket.loosens(it))
            }
            (Subject::Position(_) | Subject::Order(_) | Subject::New(_), _) => true,
        }
    }

    /// What it protects is being closed: an order that did not leave yet does not leave any more.
    pub fn withdraw(&mut self) {
        self.is_withdrawn = true;
    }

    fn call(&self, held: Contracts) -> Call {
        let account = self.account.clone();
        match (&self.subject, &self.goal) {
            (Subject::Position(contract), Goal::AtMost { to, .. }) if *to > Contracts::ZERO => {
                Call::Reduce { account, contract: contract.clone(), by: held.saturating_sub(*to) }
            }
            (Subject::Position(contract), _) => Call::Close { account, contract: contract.clone() },
            (Subject::Order(order), Goal::Sized(size)) => {
                Call::Resize { account, order: order.clone(), size: *size }
            }
            (Subject::Order(order), Goal::Like(ticket)) => {
                Call::Modify { account, order: order.clone(), ticket: ticket.clone() }
            }
            (Subject::New(tag), Goal::Placed(ticket)) => {
                Call::Place { account, ticket: ticket.clone(), tag: self.nth_tag(tag) }
            }
            (Subject::Order(order), _) => Call::Cancel { account, order: order.clone() },
            // No other goal is ever given to a new order.
            (Subject::New(_), _) => Call::WorkingOrders(account),
        }
    }

    /// A tag is used once, also by an order that was rejected.
    fn nth_tag(&self, tag: &str) -> String {
        if self.rejected == 0 { tag.to_string() } else { format!("{tag}-{}", self.rejected + 1) }
    }

    /// What a request for its goal changes of a position.
    fn change_of(&self, before: Exposure) -> Exposure {
        let stays = match self.goal {
            Goal::AtMost { to, .. } => to,
            Goal::Ended | Goal::Sized(_) | Goal::Placed(_) | Goal::Like(_) => Contracts::ZERO,
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
                        if matches!(self.subject, Subject::Position(_) | Subject::New(_)) =>
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
        let why = self.error.clone().unwrap_or_else(|| {
            let undone = match self.subject {
                Subject::Position(_) => "the position is still open",
                Subject::Order(_) => "the order is as it was",
                Subject::New(_) => "the order does not show",
            };
            undone.to_string()
        });
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

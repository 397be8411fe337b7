//! One position or one order that is being brought to a goal: request, look, and only then perhaps
//! request again (specification C.11; gateway reference 9.7).

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Contracts, EnforcementId, Event, Exposure, Instant, OrderId, Price, Ticket,
    broker::{Call, CallId, Reply},
};

use super::Floor;

/// The broker port answers within 2 s; a call without answer for longer is looked after.
pub(super) const CALL_LIMIT: TimeDelta = TimeDelta::milliseconds(2_500);
/// A request whose effect was not seen is looked for this long.
pub(super) const UNSEEN_FOR: TimeDelta = TimeDelta::seconds(60);
/// So long after the start, a request may arrive that was on its way when the earlier run ended.
const ARRIVES_WITHIN: TimeDelta = TimeDelta::seconds(1);

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
    /// What is known is fresh.
    Request,
    /// What is known is as old as the request that failed.
    Repeat,
    Look,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub call: CallId,
    pub at: Instant,
    pub before: Exposure,
    pub accepted: bool,
    /// The earliest that it can have left by the broker's clock, if it was accepted.
    pub left_by_broker: Option<Instant>,
}

/// A request whose end was not seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// When it was decided: what was heard of before is not it.
    pub at: Instant,
    /// The latest that it can have left. Moves along when engine time is put forward.
    pub left: Instant,
    pub aim: Aim,
    /// The broker said that it is there.
    pub is_accepted: bool,
}

/// What a request was to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    /// An earlier run sent it.
    Unknown,
    /// To close the whole: what it changes is decided by what is held when it arrives, this by what was known.
    Whole(Exposure),
    /// To change the position by so much.
    Part(Exposure),
}

impl Sent {
    /// Of an earlier run: whether it left is not known, and if so it left before this one was started.
    pub fn before_start(at: Instant, started: Instant) -> Self {
        let left = if started - at < UNSEEN_FOR { started } else { at };
        Self { at, left, aim: Aim::Unknown, is_accepted: false }
    }

    /// An earlier run sent it a moment ago: that the broker's lists lack it says nothing yet.
    pub fn may_still_arrive(&self, now: Instant) -> bool {
        matches!(self.aim, Aim::Unknown) && now - self.left < ARRIVES_WITHIN
    }
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
    /// Orders that the latest look found to be working and of whose end the stream has not told.
    pub(super) awaited: Vec<OrderId>,
    /// The look under way was only to confirm what is known before a request is repeated.
    pub(super) is_confirming: bool,
    /// What the latest look found to be held.
    pub(super) seen: Option<Exposure>,
    /// The most that was held, or working, since the lane began.
    pub begun_with: Option<Contracts>,
    /// When the goal was seen to be reached.
    pub reached_at: Option<Instant>,
    pub(super) error: Option<String>,
    /// It was refused because the market is shut.
    pub market_shut: bool,
    /// An order that an earlier run may have placed to the same end, by its tag.
    pub(super) earlier_tag: Option<String>,
    /// Where an earlier lane brought the stop.
    pub(super) moved: Option<Price>,
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
            awaited: Vec::new(),
            is_confirming: false,
            seen: None,
            begun_with,
            reached_at: None,
            error: None,
            market_shut: false,
            earlier_tag: None,
            moved: None,
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

    /// A lane of a stop that an earlier one has moved there.
    pub fn beside(mut self, moved: Option<Price>) -> Self {
        self.moved = moved;
        self
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::Over(Ending::Failed(_)))
    }

    pub fn is_accepted(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.accepted)
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
            self.earlier = self.earlier.or(self.unseen);
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
            Phase::Ready | Phase::Waiting { then: Next::Request | Next::Repeat, .. }
                if !self.may_send(floor.book) =>
            {
                self.phase = Phase::Over(Ending::NotNeeded);
            }
            Phase::Ready if self.waits_for_reading(floor.book) => {}
            // Something else is closing it already: how it ended must be known before more is closed.
            Phase::Ready if self.is_held_up(floor) => self.look(floor, &mut moved),
            Phase::Ready => self.send(floor, &mut moved),
            Phase::Settling { until } if floor.now >= until || self.has_moved(floor.book) => {
                self.look(floor, &mut moved);
            }
            // Nobody answered, but the stream has told by now what was to be found out.
            Phase::Waiting { then: Next::Look, .. } if self.is_freed(floor) => self.send(floor, &mut moved),
            Phase::Waiting { then: Next::Look, .. } if self.is_no_longer_held_up(floor.book) => {
                self.look(floor, &mut moved);
            }
            Phase::Looking { until, .. } if floor.now >= until => {
                self.look_failed("no answer to a verification".to_string(), floor.now);
            }
            Phase::Waiting { until, then } if floor.now >= until => match then {
                Next::Request => self.send(floor, &mut moved),
                Next::Repeat => self.repeat(floor, &mut moved),
                Next::Look => self.look(floor, &mut moved),
            },
            Phase::Settling { .. } | Phase::Looking { .. } | Phase::Waiting { .. } => {}
        }
        moved
    }

    /// Time was put forward: that much did not pass.
    pub fn stepped(&mut self, by: TimeDelta) {
        match &mut self.phase {
            Phase::Sent { until }
            | Phase::Settling { until }
            | Phase::Looking { until, .. }
            | Phase::Waiting { until, .. } => *until += by,
            Phase::Ready | Phase::Over(_) => {}
        }
        self.earlier.iter_mut().chain(&mut self.unseen).for_each(|sent| sent.left += by);
    }

    /// Its request left at another time than it was decided.
    pub fn left(&mut self, call: CallId, at: Instant) {
        if let Some(request) = self.request.as_mut().filter(|request| request.call == call) {
            request.at = at;
            self.unseen.iter_mut().for_each(|sent| sent.left = at);
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
            // A reply that comes after its limit: the look that followed tells more, but it does exist.
            Phase::Sent { .. }
            | Phase::Ready
            | Phase::Settling { .. }
            | Phase::Looking { .. }
            | Phase::Waiting { .. }
            | Phase::Over(_) => self.note_acceptance(reply),
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
    /// What it protects is being closed: an order that did not leave yet does not leave any more.
    pub fn withdraw(&mut self) {
        self.is_withdrawn = true;
    }
}

/// Whether an exposure is what was wanted: no more than `to` on the side of `from`.
pub(super) fn satisfied(held: Exposure, from: Exposure, to: Contracts) -> bool {
    !held.same_side(from) || held.size() <= to
}

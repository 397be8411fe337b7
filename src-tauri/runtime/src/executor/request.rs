//! The requests of a lane: when one leaves, which call it is, and what its answer means. Nothing is sent
//! again before the first is known to have missed.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Contracts, Exposure, Instant, Ticket,
    broker::{Call, CallError, Refusal, Reply},
};

use super::{
    Book, Floor, in_words,
    lane::{Aim, CALL_LIMIT, Ending, Goal, Lane, Moved, Next, Phase, Request, Sent, Subject},
};

/// Requests for one goal before it is given up.
const ATTEMPTS: u32 = 3;
/// Waits before the second and third request.
pub(super) const WAITS: [TimeDelta; 2] = [TimeDelta::milliseconds(250), TimeDelta::milliseconds(750)];
/// Longest wait that a broker may ask for after too many requests.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(10);
/// How long the stream has to show the effect of an accepted request before the broker is asked.
const SETTLE: TimeDelta = TimeDelta::milliseconds(750);

impl Lane {
    pub(super) fn send(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        self.relent(floor.book);
        if !self.may_send(floor.book) {
            self.phase = Phase::Over(Ending::NotNeeded);
            return;
        }
        if self.is_reached(floor.book) {
            self.phase = Phase::Over(self.success());
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
        self.is_confirming = false;
        let (at, aim) = (floor.now, self.aim(before));
        self.unseen = Some(Sent { at, left: at, aim, is_accepted: false });
        self.request = Some(Request { call, at: floor.now, before, accepted: false, left_by_broker: None });
        self.phase = Phase::Sent { until: floor.now + CALL_LIMIT };
        moved.stamps.requested = Some((call, floor.now));
        moved.call = Some((call, self.call(before.size())));
    }

    /// A request that failed is only as good as what is known by now; and one that may have been executed is
    /// looked for once more, however soon its answer came.
    pub(super) fn repeat(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        if self.waits_for_reading(floor.book) {
            self.phase = Phase::Ready;
        } else if self.is_held_up(floor) || self.may_have_closed() {
            self.is_confirming = true;
            self.look(floor, moved);
        } else {
            self.send(floor, moved);
        }
    }

    /// The reason for a reduction may have gone in part, as when another position that counted was closed:
    /// then more may stay than when it was decided.
    fn relent(&mut self, book: &dyn Book) {
        if let (Subject::Position(contract), Goal::AtMost { to, .. }) = (&self.subject, &mut self.goal)
            && *to > Contracts::ZERO
        {
            *to = book.allowed(&self.account, contract, *to);
        }
    }

    /// Takes the reply to its request.
    pub(super) fn answered(&mut self, reply: &Reply, floor: &mut Floor<'_>, moved: &mut Moved) {
        match &reply.result {
            Ok(_) => {
                moved.stamps.acknowledged = Some(floor.now);
                self.note_acceptance(reply);
                self.phase = Phase::Settling { until: floor.now + SETTLE };
            }
            Err(error) => {
                self.error = Some(in_words(error));
                self.unseen = self.unseen.filter(|_| may_exist(error));
                self.refused(error, floor, moved);
            }
        }
    }

    /// There is an order that its request became.
    pub(super) fn note_acceptance(&mut self, reply: &Reply) {
        let request =
            self.request.as_mut().filter(|request| request.call == reply.id && reply.result.is_ok());
        if let Some(request) = request {
            request.accepted = true;
            request.left_by_broker = reply.server_time.map(|then| then - CALL_LIMIT);
            self.unseen.iter_mut().for_each(|sent| sent.is_accepted = true);
        }
    }

    fn refused(&mut self, error: &CallError, floor: &mut Floor<'_>, moved: &mut Moved) {
        match error {
            CallError::Refused { kind: Refusal::NotPermitted, .. } if self.may_close_instead(floor.book) => {
                self.retry(None, floor.now);
            }
            CallError::Refused { kind: Refusal::MarketClosed, .. } => {
                self.market_shut = true;
                self.fail();
            }
            CallError::Refused { kind: Refusal::NotPermitted | Refusal::Contract, .. }
            | CallError::Unauthorized(_) => self.fail(),
            CallError::NotFound | CallError::Refused { kind: Refusal::Size, .. } => self.look(floor, moved),
            // Some refusals speak of an order that exists: "pending", "unknown".
            CallError::Refused { kind: Refusal::Other, .. }
                if matches!(self.subject, Subject::Position(_) | Subject::New(_)) =>
            {
                self.look(floor, moved);
            }
            CallError::RateLimited { retry_after } => self.retry(as_told(*retry_after), floor.now),
            CallError::Unreachable(_) | CallError::Refused { kind: Refusal::Other, .. } => {
                self.retry(None, floor.now);
            }
            CallError::TimedOut(_) | CallError::Server(_) | CallError::Protocol(_) => self.look(floor, moved),
        }
    }

    /// The last look before a protective order leaves: it must do nothing but reduce what is held now, and a
    /// stop must not move away from the market. What does not is decided anew by the engine.
    pub(super) fn may_send(&self, book: &dyn Book) -> bool {
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

    pub(super) fn success(&self) -> Ending {
        if self.request.is_some() { Ending::Reached } else { Ending::NotNeeded }
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
    pub(super) fn nth_tag(&self, tag: &str) -> String {
        if self.rejected == 0 { tag.to_string() } else { format!("{tag}-{}", self.rejected + 1) }
    }

    /// What a request for its goal changes of a position.
    fn aim(&self, before: Exposure) -> Aim {
        let stays = match self.goal {
            Goal::AtMost { to, .. } => to,
            Goal::Ended | Goal::Sized(_) | Goal::Placed(_) | Goal::Like(_) => Contracts::ZERO,
        };
        let change = Exposure(-before.0.signum() * i64::from(before.size().saturating_sub(stays).0));
        if stays == Contracts::ZERO { Aim::Whole(change) } else { Aim::Part(change) }
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
                let until = now + asked.unwrap_or(*wait);
                self.phase = Phase::Waiting { until, then: Next::Repeat };
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

/// How long a broker wants to be left alone, if it says so: not a moment longer, for a position is open.
pub(super) fn as_told(retry_after: Option<Duration>) -> Option<TimeDelta> {
    let told = TimeDelta::from_std(retry_after?).ok()?;
    (told > TimeDelta::zero()).then_some(told.min(LONGEST_WAIT))
}

/// Whether an order may have come of a request that ended so.
fn may_exist(error: &CallError) -> bool {
    error.may_have_acted() || matches!(error, CallError::Refused { kind: Refusal::Other, .. })
}

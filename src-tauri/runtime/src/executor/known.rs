//! What a lane knows by the book: whether its goal is reached, and whether what is known is enough to act
//! on. Asks and sends nothing.

use chrono::TimeDelta;
use domain::{AccountId, ContractId, Contracts, Exposure, OrderId};

use super::{
    Book, Floor,
    lane::{Aim, Goal, Lane, Sent, Subject, UNSEEN_FOR, satisfied},
};

/// So long after a request, an order of somebody else may be heard of that did the same while ours is out of
/// sight: the broker's list has both (ruling 18).
const TELLS_APART: TimeDelta = TimeDelta::seconds(2);

impl Lane {
    pub(super) fn held(&self, book: &dyn Book) -> Exposure {
        match &self.subject {
            Subject::Position(contract) => book.exposure(&self.account, contract),
            Subject::Order(_) | Subject::New(_) => Exposure::FLAT,
        }
    }

    pub(super) fn is_reached(&self, book: &dyn Book) -> bool {
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
    pub(super) fn has_moved(&self, book: &dyn Book) -> bool {
        self.request.as_ref().is_some_and(|request| self.held(book) != request.before)
    }

    /// Whether what is known is too little to send anything: an earlier request may still be executed; or
    /// something may have been missed, or positions and fills tell different stories, about a position of
    /// which a part is to stay.
    pub(super) fn must_look_first(&self, floor: &Floor<'_>) -> bool {
        let (book, account) = (floor.book, &self.account);
        let contract = match (&self.subject, &self.goal) {
            (Subject::Position(contract), _) => contract,
            (Subject::New(_), Goal::Placed(ticket)) => {
                let earlier = self.earlier.is_some_and(|sent| floor.now - sent.left < UNSEEN_FOR);
                return earlier || is_uncertain(book, account, &ticket.contract);
            }
            // Older news came late, or somebody else moved it: the list tells.
            (Subject::Order(_), Goal::Like(ticket)) => {
                return self.moved.is_some_and(|price| ticket.is_looser_than(price));
            }
            (Subject::New(_) | Subject::Order(_), _) => return false,
        };
        // Only an order that did what ours was to do can be believed to be it: others trade the contract as well.
        let is_seen = |sent: Sent| match sent.aim {
            Aim::Unknown => false,
            Aim::Whole(change) => book.has_closed(account, contract, change, sent.at),
            Aim::Part(change) => book.has_traded(account, contract, change, sent.at),
        };
        let unseen = self.earlier.is_some_and(|sent| {
            let ago = floor.now - sent.left;
            ago < UNSEEN_FOR && (ago < TELLS_APART || !is_seen(sent))
        });
        let in_part = matches!(self.goal, Goal::AtMost { to, .. } if to > Contracts::ZERO);
        unseen || (in_part && is_uncertain(book, account, contract))
    }

    pub(super) fn is_held_up(&self, floor: &Floor<'_>) -> bool {
        self.must_look_first(floor) || self.is_in_motion(floor.book)
    }

    /// Whether nothing is in the way any more of a first request that waits for a look that failed.
    pub(super) fn is_freed(&self, floor: &Floor<'_>) -> bool {
        self.failed_looks > 0 && self.request.is_none() && !self.is_held_up(floor)
    }

    /// What was in the way by the latest look has ended since, as the stream tells.
    pub(super) fn is_no_longer_held_up(&self, book: &dyn Book) -> bool {
        !self.awaited.is_empty() && self.awaited.iter().all(|order| self.has_ended(order, book))
    }

    pub(super) fn has_ended(&self, order: &OrderId, book: &dyn Book) -> bool {
        let account = &self.account;
        book.order(account, order).is_none() && book.first_heard(account, order).is_some()
    }

    /// A change that was decided by what may have been missed: the next reading decides whether it still
    /// protects.
    pub(super) fn waits_for_reading(&self, book: &dyn Book) -> bool {
        matches!(&self.goal, Goal::Like(ticket) if is_uncertain(book, &self.account, &ticket.contract))
    }

    /// Whether a close was sent that may have been executed although no good answer came, and that was looked
    /// for but once.
    pub(super) fn may_have_closed(&self) -> bool {
        matches!(self.subject, Subject::Position(_)) && self.unseen.is_some() && self.unmoved == 0
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
}

fn is_uncertain(book: &dyn Book, account: &AccountId, contract: &ContractId) -> bool {
    book.is_doubtful(account) || !book.agrees(account, contract)
}

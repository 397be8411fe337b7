//! Looking before acting, and before acting again: what the broker's own lists say about a position, about
//! the orders that our closes became, and about an order (gateway reference 9.7).

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    ContractId, Contracts, Event, Exposure, Instant, Order, OrderId, OrderKind, OrderStatus, Position,
    broker::{Answer, Call, CallError, Reply},
};

use super::{
    Book, Floor, in_words,
    lane::{Aim, CALL_LIMIT, Ending, Goal, Lane, Moved, Next, Phase, Sent, Subject, satisfied},
    request::{WAITS, as_told},
    wrong_answer,
};

/// Wait between two looks while a closing order is still working or its effect does not show.
const LOOK_AGAIN: TimeDelta = TimeDelta::milliseconds(250);
/// Looks that show no effect of an accepted request until what they show is believed.
const PATIENCE: u32 = 4;
/// Looks that show no order that could be the one an accepted request became, until it is believed that
/// there is none: 2 s and what the looks take. A second close that fills as well would turn the position.
const OUT_OF_SIGHT: u32 = 8;
/// Requests for one goal that each did their part, as when a position grows while it is reduced.
const MOST_ROUNDS: u32 = 20;
/// Looks in all after one request; an order that is still working then is left to the next decision.
const MOST_LOOKS: u32 = 40;
/// Slack for the broker's clock when our own closing order is looked for.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(2);

/// A market order that is in none of the broker's lists counts as working for this long after it was first
/// heard of: orders that are pending are not listed (gateway reference 3.4).
const PENDING_FOR: TimeDelta = TimeDelta::seconds(60);

/// What a look found of the orders that our closes became.
#[derive(Default)]
struct Ours {
    working: Vec<OrderId>,
    filled: bool,
    /// With what each would have changed of the position, or has.
    ended: Vec<(OrderId, Exposure)>,
    /// One that ended was of the very size that was held when it was made: that is how a close of the whole is
    /// made (gateway reference 3.5).
    has_closed: bool,
}

impl Ours {
    /// Whether one that ended did what a request was to do. Others trade the contract as well: an order of
    /// theirs says nothing about ours.
    fn accounts_for(&self, sent: Sent) -> bool {
        let is_there = |wanted: Exposure| self.ended.iter().any(|(_, change)| wanted == *change);
        match sent.aim {
            Aim::Unknown => !self.ended.is_empty(),
            Aim::Whole(change) => is_there(change) || self.has_closed,
            Aim::Part(change) => is_there(change),
        }
    }
}

impl Lane {
    /// Asks the broker how things stand.
    pub(super) fn look(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        let call = floor.ids.fresh();
        self.looks += 1;
        self.awaited.clear();
        self.phase = Phase::Looking { call, asked: floor.now, until: floor.now + CALL_LIMIT };
        let account = self.account.clone();
        moved.call = Some((
            call,
            match &self.subject {
                Subject::Position(contract) => {
                    let exits = floor.book.exits(&account, contract).into_iter().map(|(_, heard)| heard);
                    let oldest = exits.chain(self.first_sent()).min().unwrap_or(floor.now);
                    Call::Verify { account, orders_since: oldest - CLOCK_SLACK }
                }
                Subject::Order(_) => Call::WorkingOrders(account),
                Subject::New(_) => {
                    let oldest = self.first_sent().unwrap_or(floor.now);
                    Call::Verify { account, orders_since: oldest - CLOCK_SLACK }
                }
            },
        ));
    }

    pub(super) fn looked(
        &mut self,
        reply: &Reply,
        asked_at: Instant,
        floor: &mut Floor<'_>,
        moved: &mut Moved,
    ) {
        match &reply.result {
            Ok(Answer::Verified { positions, orders }) => {
                let (account, positions) = (self.account.clone(), positions.clone());
                self.failed_looks = 0;
                moved.learned.extend(self.judge_new(&positions, orders, floor));
                self.judge_position(&positions, orders, floor);
                let ended: Vec<Order> = self.ended_exits(orders, floor.book).collect();
                // What is held comes first: as known before, and without its exit, it would look too large again.
                moved.learned.push(Event::Positions { account, positions, asked_at });
                moved.learned.extend(ended.into_iter().map(Event::Order));
            }
            Ok(Answer::WorkingOrders(orders)) => {
                self.failed_looks = 0;
                moved.learned.extend(self.judge_order(orders, asked_at, floor));
            }
            Ok(other) => self.look_failed(in_words(&wrong_answer(other)), floor.now),
            Err(error @ CallError::RateLimited { retry_after }) => {
                self.look_refused(in_words(error), *retry_after, floor.now);
            }
            Err(error) => self.look_failed(in_words(error), floor.now),
        }
    }

    /// When the first request was sent that may still be executed.
    fn first_sent(&self) -> Option<Instant> {
        let request = self.request.as_ref().map(|request| request.at);
        self.earlier.map(|sent| sent.at).into_iter().chain(request).min()
    }

    /// What the broker's own list says about the position, and about our closing orders.
    fn judge_position(&mut self, positions: &[Position], orders: &[Order], floor: &Floor<'_>) {
        let (Subject::Position(contract), &Goal::AtMost { from, to }) = (&self.subject, &self.goal) else {
            return;
        };
        let (now, contract) = (floor.now, contract.clone());
        let held = positions
            .iter()
            .find(|position| position.contract == contract)
            .map_or(Exposure::FLAT, |position| position.exposure);
        let ours = self.perhaps_ours(&contract, orders, floor.book);
        let exits = self.exits_working(&contract, held, orders, floor);
        if !(ours.working.is_empty() && exits.is_empty()) {
            return self.wait_for(ours.working.into_iter().chain(exits), floor);
        }
        self.seen = Some(held);
        let may_arrive = self.unseen.is_some_and(|sent| sent.may_still_arrive(now));
        self.unseen = self.unseen.filter(|sent| may_arrive || !ours.accounts_for(*sent));
        if satisfied(held, from, to) {
            self.reached_at.get_or_insert(now);
            self.phase = Phase::Over(self.success());
        } else if may_arrive || self.unmoved < self.patience(held, &ours) {
            self.unmoved += 1;
            self.look_later(now);
        } else {
            self.request_again(ours, now);
        }
    }

    /// Market orders of anyone that are still closing the position: by the broker's list, or by the stream
    /// where the list does not have them.
    fn exits_working(
        &self,
        contract: &ContractId,
        held: Exposure,
        listed: &[Order],
        floor: &Floor<'_>,
    ) -> Vec<OrderId> {
        let by_list = listed.iter().filter(|it| is_exit(it, contract, held) && it.status.is_working());
        let heard_of = floor.book.exits(&self.account, contract).into_iter();
        let by_stream = heard_of.filter(|(id, heard)| {
            floor.now - *heard < PENDING_FOR && listed.iter().all(|order| order.id != *id)
        });
        by_list.map(|it| it.id.clone()).chain(by_stream.map(|(id, _)| id)).collect()
    }

    /// Looks again as soon as the stream tells that these orders have ended, or after a while.
    fn wait_for(&mut self, working: impl Iterator<Item = OrderId>, floor: &Floor<'_>) {
        self.awaited = working.filter(|order| !self.has_ended(order, floor.book)).collect();
        self.look_later(floor.now);
    }

    /// Exits that count as working here and have ended by the broker's list.
    fn ended_exits<'o>(&self, listed: &'o [Order], book: &dyn Book) -> impl Iterator<Item = Order> + use<'o> {
        let exits = match &self.subject {
            Subject::Position(contract) => book.exits(&self.account, contract),
            Subject::Order(_) | Subject::New(_) => Vec::new(),
        };
        let ended =
            move |order: &&Order| !order.status.is_working() && exits.iter().any(|(id, _)| *id == order.id);
        listed.iter().filter(ended).cloned()
    }

    /// Untagged market orders of the contract that were not heard of before the request, on either side:
    /// which way a close goes is decided by what is held when it arrives.
    fn perhaps_ours(&self, contract: &ContractId, orders: &[Order], book: &dyn Book) -> Ours {
        let Some(sent) = self.first_sent() else { return Ours::default() };
        // Engine time may have been behind when it left: the computer had slept.
        let left = self.request.as_ref().and_then(|request| request.left_by_broker);
        let left = left.map_or(sent, |left| left.max(sent)) - CLOCK_SLACK;
        let mut ours = Ours::default();
        let candidates = orders.iter().filter(|order| {
            order.contract == *contract
                && order.kind == OrderKind::Market
                && order.tag.is_none()
                && !self.past.contains(&order.id)
                && (order.status.is_working() || order.created_at >= left)
                && book.first_heard(&self.account, &order.id).is_none_or(|heard| heard >= sent)
        });
        for order in candidates {
            ours.filled |= order.status == OrderStatus::Filled;
            match order.status.is_working() {
                true => ours.working.push(order.id.clone()),
                false => {
                    let change = change_by(order);
                    ours.has_closed |= book.held_at(&self.account, contract, order.created_at) == -change;
                    ours.ended.push((order.id.clone(), change));
                }
            }
        }
        ours
    }

    /// How many looks it takes until what they show is acted on, whichever lane sent the request. They are
    /// counted, not timed: engine time is put forward when the computer wakes.
    fn patience(&self, held: Exposure, ours: &Ours) -> u32 {
        if self.unseen.is_some_and(|sent| sent.is_accepted) {
            OUT_OF_SIGHT
        } else if self.shows_no_effect(held, ours) {
            PATIENCE
        } else {
            0
        }
    }

    /// Our order was filled, or exists for certain, but the position stands as before.
    fn shows_no_effect(&self, held: Exposure, ours: &Ours) -> bool {
        self.request.as_ref().is_some_and(|request| {
            held == request.before && (ours.filled || (request.accepted && ours.ended.is_empty()))
        })
    }

    fn request_again(&mut self, ours: Ours, now: Instant) {
        self.earlier = None;
        self.past.extend(ours.ended.into_iter().map(|(order, _)| order));
        let confirmed = std::mem::take(&mut self.is_confirming);
        if self.request.is_none() || confirmed {
            self.phase = Phase::Waiting { until: now, then: Next::Request };
        } else if ours.filled && self.rounds < MOST_ROUNDS {
            self.rounds += 1;
            self.attempts = 0;
            self.phase = Phase::Waiting { until: now, then: Next::Request };
        } else {
            // What was looked for long enough has been waited for.
            self.retry((self.unmoved > 0).then(TimeDelta::zero), now);
        }
    }

    fn judge_order(&mut self, orders: &[Order], asked_at: Instant, floor: &Floor<'_>) -> Vec<Event> {
        let Subject::Order(id) = &self.subject else { return Vec::new() };
        self.moved = None;
        let listed = orders.iter().find(|order| order.id == *id);
        let known = floor.book.order(&self.account, id);
        let is_done = match (listed, &self.goal) {
            // The list holds open orders only: that it lacks a pending one says nothing.
            (None, _) => known.is_none_or(|order| order.status != OrderStatus::Pending),
            (Some(order), Goal::Sized(size)) => order.size <= *size,
            (Some(order), Goal::Like(ticket)) => ticket.is_met_by(order),
            (Some(_), Goal::Ended | Goal::AtMost { .. } | Goal::Placed(_)) => false,
        };
        let mut learned =
            vec![Event::Orders { account: self.account.clone(), orders: orders.to_vec(), asked_at }];
        if is_done {
            if let (None, Some(order)) = (listed, known) {
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

    /// What the broker's lists say about an order that was, or is, to be placed. It is placed again only when
    /// they have long enough shown nothing of it.
    fn judge_new(&mut self, positions: &[Position], orders: &[Order], floor: &Floor<'_>) -> Vec<Event> {
        let (Subject::New(tag), Goal::Placed(ticket)) = (&self.subject, &self.goal) else {
            return Vec::new();
        };
        let is_ours = |order: &&Order| {
            let theirs = order.tag.as_deref().unwrap_or_default();
            theirs.starts_with(tag.as_str()) || self.earlier_tag.as_deref() == Some(theirs)
        };
        let (rejected, found): (Vec<&Order>, Vec<&Order>) =
            orders.iter().filter(is_ours).partition(|order| order.status == OrderStatus::Rejected);
        let learned = found.iter().map(|order| Event::Order((*order).clone())).collect();
        let held = positions
            .iter()
            .find(|position| position.contract == ticket.contract)
            .map_or(Exposure::FLAT, |position| position.exposure);
        let is_needed = !self.is_withdrawn && ticket.only_reduces(held, Contracts::ZERO);
        let is_new_rejection = rejected.len() > self.rejected as usize;
        let closing = self.exits_working(&ticket.contract, held, orders, floor);
        let now = floor.now;
        self.earlier = self.earlier.filter(|sent| sent.may_still_arrive(now));
        if !found.is_empty() {
            self.reached_at.get_or_insert(now);
            self.phase = Phase::Over(self.success());
        } else if !closing.is_empty() {
            self.wait_for(closing.into_iter(), floor);
        } else if self.earlier.is_some() {
            self.look_later(now);
        } else if self.request.is_some() && !is_new_rejection && self.unmoved < PATIENCE {
            self.unmoved += 1;
            self.look_later(now);
        } else if !is_needed {
            self.phase = Phase::Over(Ending::NotNeeded);
        } else if self.request.is_none() || self.is_confirming {
            self.phase = Phase::Waiting { until: now, then: Next::Request };
        } else {
            self.rejected += u32::from(is_new_rejection);
            self.retry(None, now);
        }
        learned
    }

    /// An earlier run may have placed an order to the same end: it is looked for first.
    pub(super) fn placed_earlier(&mut self, tag: String, sent: Sent) {
        self.earlier_tag = Some(tag);
        self.earlier = Some(sent);
    }

    /// Whether a close of the whole was only held up by what others are doing: without an answer it goes out.
    fn is_precaution(&self) -> bool {
        let whole = matches!(self.goal, Goal::AtMost { to: Contracts::ZERO, .. });
        whole && self.request.is_none() && self.earlier.is_none()
    }

    /// Too many requests: that says nothing against the next look, and giving up would leave the position
    /// alone for longer.
    fn look_refused(&mut self, why: String, retry_after: Option<Duration>, now: Instant) {
        if self.is_precaution() || self.looks >= MOST_LOOKS {
            return self.look_failed(why, now);
        }
        self.error = Some(why);
        self.failed_looks = self.failed_looks.max(1);
        let until = now + as_told(retry_after).unwrap_or(LOOK_AGAIN);
        self.phase = Phase::Waiting { until, then: Next::Look };
    }

    pub(super) fn look_failed(&mut self, why: String, now: Instant) {
        if self.is_precaution() {
            self.phase = Phase::Waiting { until: now, then: Next::Request };
            return;
        }
        self.error = Some(why);
        self.failed_looks += 1;
        match WAITS.get(self.failed_looks.saturating_sub(1) as usize) {
            Some(wait) => self.phase = Phase::Waiting { until: now + *wait, then: Next::Look },
            None => self.fail(),
        }
    }
}

/// What an order changes of a position when it fills as a whole.
fn change_by(order: &Order) -> Exposure {
    Exposure(order.side.sign() * i64::from(order.size.0))
}

/// A market order that makes what is held smaller.
fn is_exit(order: &Order, contract: &ContractId, held: Exposure) -> bool {
    order.contract == *contract && order.kind == OrderKind::Market && order.side.reduces(held)
}

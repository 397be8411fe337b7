//! Asking the broker how a position or an order stands, and what follows from the answer: done, wait,
//! look again, or request again. Sends nothing that changes anything.

use chrono::TimeDelta;
use domain::{
    ContractId, Event, Exposure, Instant, Order, OrderKind, OrderStatus, Position,
    broker::{Answer, Call, Reply},
};

use super::{
    super::{Book, Floor, in_words, wrong_answer},
    CALL_LIMIT, Goal, Lane, Moved, Next, Phase, Subject, WAITS, satisfied,
};

/// Wait between two looks while our own closing order is still working or its effect does not show.
const LOOK_AGAIN: TimeDelta = TimeDelta::milliseconds(250);
/// Looks that are answered "filled, but the position stands as before" until the position is believed.
const PATIENCE: u32 = 4;
/// Requests for one goal that each did their part, as when a position grows while it is reduced.
const MOST_ROUNDS: u32 = 20;
/// Looks in all after one request; an order that is still working then is left to the next decision.
const MOST_LOOKS: u32 = 40;
/// A market order that is in none of the broker's lists counts as working for this long after it was first
/// heard of: orders that are pending are not listed (gateway reference 3.4).
const PENDING_FOR: TimeDelta = TimeDelta::seconds(60);
/// Slack for the broker's clock when our own closing order is looked for.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(2);

impl Lane {
    /// Asks the broker how things stand.
    pub(super) fn look(&mut self, floor: &mut Floor<'_>, moved: &mut Moved) {
        let call = floor.ids.fresh();
        self.looks += 1;
        self.phase = Phase::Looking { call, asked: floor.now, until: floor.now + CALL_LIMIT };
        let account = self.account.clone();
        moved.call = Some((
            call,
            match &self.subject {
                Subject::Position(contract) => {
                    let exits = floor.book.exits(&account, contract).into_iter().map(|(_, heard)| heard);
                    let sent = self.request.as_ref().map(|request| request.at);
                    let oldest = exits.chain(sent).min().unwrap_or(floor.now);
                    Call::Verify { account, orders_since: oldest - CLOCK_SLACK }
                }
                Subject::Order(_) => Call::WorkingOrders(account),
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
                self.judge_position(&positions, orders, floor);
                moved.learned.extend(self.ended_exits(orders, floor.book).map(Event::Order));
                moved.learned.push(Event::Positions { account, positions, asked_at });
            }
            Ok(Answer::WorkingOrders(orders)) => {
                moved.learned.extend(self.judge_order(orders, asked_at, floor));
            }
            Ok(other) => self.look_failed(in_words(&wrong_answer(other)), floor.now),
            Err(error) => self.look_failed(in_words(error), floor.now),
        }
    }

    /// What the broker's own list says about the position, and about the orders that close it.
    fn judge_position(&mut self, positions: &[Position], orders: &[Order], floor: &Floor<'_>) {
        let (Subject::Position(contract), Goal::AtMost { from, to }) = (&self.subject, self.goal) else {
            return;
        };
        let now = floor.now;
        let held = positions
            .iter()
            .find(|position| position.contract == *contract)
            .map_or(Exposure::FLAT, |position| position.exposure);
        if satisfied(held, from, to) {
            self.reached_at.get_or_insert(now);
            self.phase = Phase::Over(self.success());
            return;
        }
        if self.is_exit_working(contract, held, orders, floor) {
            self.look_later(now);
            return;
        }
        let Some(request) = &self.request else {
            self.phase = Phase::Waiting { until: now, then: Next::Request };
            return;
        };
        let ended = |order: &&Order| is_exit(order, contract, request.before) && order.tag.is_none();
        let mut ended = orders.iter().filter(ended).peekable();
        let nothing_seen = ended.peek().is_none();
        let filled = ended.any(|order| order.status == OrderStatus::Filled);
        if (filled || (request.accepted && nothing_seen)) && held == request.before && self.unmoved < PATIENCE
        {
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

    /// Whether a market order is still closing the position: by the broker's list, or by the stream where
    /// the list does not have it.
    fn is_exit_working(
        &self,
        contract: &ContractId,
        held: Exposure,
        listed: &[Order],
        floor: &Floor<'_>,
    ) -> bool {
        let by_list = listed.iter().any(|it| is_exit(it, contract, held) && it.status.is_working());
        let mut heard_of = floor.book.exits(&self.account, contract).into_iter();
        let by_stream = heard_of
            .any(|(id, heard)| floor.now - heard < PENDING_FOR && listed.iter().all(|order| order.id != id));
        by_list || by_stream
    }

    /// Exits that count as working here and have ended by the broker's list.
    fn ended_exits<'o>(&self, listed: &'o [Order], book: &dyn Book) -> impl Iterator<Item = Order> + use<'o> {
        let exits = match &self.subject {
            Subject::Position(contract) => book.exits(&self.account, contract),
            Subject::Order(_) => Vec::new(),
        };
        let ended =
            move |order: &&Order| !order.status.is_working() && exits.iter().any(|(id, _)| *id == order.id);
        listed.iter().filter(ended).cloned()
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

    pub(super) fn look_failed(&mut self, why: String, now: Instant) {
        self.error = Some(why);
        if self.request.is_none() {
            // The look was a precaution: without an answer the close goes out.
            self.phase = Phase::Waiting { until: now, then: Next::Request };
            return;
        }
        match WAITS.get(self.looks.saturating_sub(1) as usize) {
            Some(wait) => self.phase = Phase::Waiting { until: now + *wait, then: Next::Look },
            None => self.fail(),
        }
    }
}

/// A market order that makes what is held smaller.
fn is_exit(order: &Order, contract: &ContractId, held: Exposure) -> bool {
    order.contract == *contract && order.kind == OrderKind::Market && order.side.reduces(held)
}

//! The executor against a broker that misbehaves in every way the gateway reference knows.

#![allow(clippy::wildcard_enum_match_arm, reason = "whatever else comes is a failure of the test")]

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use domain::{
    AccountId, Breach, ContractId, Contracts, Deed, Enforcement, EnforcementId, Event, Exposure, Instant,
    Order, OrderId, OrderKind, OrderSide, OrderStatus, Outcome, Position, Price, Priority, RuleKey,
    broker::{Answer, Call, CallError, CallId, Refusal, Reply},
};

use super::{Book, CallIds, Effect, Executor, Floor, Receipt};

mod protective;

#[derive(Clone, Default)]
struct World {
    positions: BTreeMap<ContractId, i64>,
    orders: BTreeMap<OrderId, Order>,
    /// Contracts about which positions and fills tell different stories.
    doubtful: Vec<ContractId>,
    traded: Option<Exposure>,
    /// What the order changed that left nothing of what was held.
    closed: Option<Exposure>,
    /// What was held when the closes of a test were made.
    held_before: Exposure,
    heard: BTreeMap<OrderId, Instant>,
    /// Fills tell of less than the positions do.
    is_shrinking: bool,
    closes_instead: bool,
    /// Something may have been missed.
    is_doubtful: bool,
    /// What may stay by now.
    allowed: Option<Contracts>,
}

/// What is known here may lag behind what is so at the broker.
struct Bench {
    executor: Executor,
    ids: CallIds,
    now: Instant,
    known: World,
    broker: World,
    calls: Vec<(CallId, Call)>,
    receipts: Vec<Receipt>,
    sent: Vec<String>,
    history: Vec<Order>,
}

const ACCOUNT: &str = "1";

impl Book for World {
    fn exposure(&self, _: &AccountId, contract: &ContractId) -> Exposure {
        Exposure(self.positions.get(contract).copied().unwrap_or_default())
    }

    fn held(&self, _: &AccountId) -> Vec<ContractId> {
        self.positions.keys().cloned().collect()
    }

    fn is_doubtful(&self, _: &AccountId) -> bool {
        self.is_doubtful
    }

    fn allowed(&self, _: &AccountId, _: &ContractId, to: Contracts) -> Contracts {
        self.allowed.unwrap_or(to)
    }

    fn agrees(&self, _: &AccountId, contract: &ContractId) -> bool {
        !self.doubtful.contains(contract)
    }

    fn has_traded(&self, _: &AccountId, _: &ContractId, change: Exposure, _: Instant) -> bool {
        self.traded == Some(change)
    }

    fn has_closed(&self, _: &AccountId, _: &ContractId, change: Exposure, _: Instant) -> bool {
        self.closed.is_some_and(|closed| closed.same_side(change))
    }

    fn held_at(&self, _: &AccountId, _: &ContractId, _: Instant) -> Exposure {
        self.held_before
    }

    fn first_heard(&self, _: &AccountId, order: &OrderId) -> Option<Instant> {
        self.heard.get(order).copied()
    }

    fn has_tag(&self, _: &AccountId, tag: &str) -> bool {
        let is_ours = |it: &Order| it.tag.as_deref().is_some_and(|known| known.starts_with(tag));
        self.orders.values().any(is_ours)
    }

    fn order(&self, _: &AccountId, order: &OrderId) -> Option<&Order> {
        self.orders.get(order)
    }

    fn entries(&self, account: &AccountId) -> Vec<OrderId> {
        let is_entry = |order: &&Order| !order.side.reduces(self.exposure(account, &order.contract));
        self.orders.values().filter(is_entry).map(|order| order.id.clone()).collect()
    }

    fn exits(&self, account: &AccountId, contract: &ContractId) -> Vec<(OrderId, Instant)> {
        let held = self.exposure(account, contract);
        let is_exit = |it: &&Order| it.kind == OrderKind::Market && it.side.reduces(held);
        self.orders.values().filter(is_exit).map(|it| (it.id.clone(), it.created_at)).collect()
    }

    fn is_shrinking(&self, _: &AccountId, _: &ContractId) -> bool {
        self.is_shrinking
    }

    fn closes_where_reducing_is_refused(&self) -> bool {
        self.closes_instead
    }
}

impl Bench {
    fn new(positions: &[(&str, i64)]) -> Self {
        let world = World {
            positions: positions.iter().map(|(name, size)| ((*name).into(), *size)).collect(),
            ..World::default()
        };
        Self {
            executor: Executor::default(),
            ids: CallIds::default(),
            now: "2025-10-29T15:00:00Z".parse().unwrap(),
            known: world.clone(),
            broker: world,
            calls: Vec::new(),
            receipts: Vec::new(),
            sent: Vec::new(),
            history: Vec::new(),
        }
    }

    fn with_order(mut self, id: i64, side: OrderSide, kind: OrderKind) -> Self {
        let order = order(id, side, kind, OrderStatus::Open, self.now);
        self.known.orders.insert(order.id.clone(), order.clone());
        self.broker.orders.insert(order.id.clone(), order);
        self
    }

    fn begin(&mut self, id: u64, deed: Deed) {
        let enforcement = enforcement(id, deed, self.now);
        let mut floor = Floor { now: self.now, book: &self.known, ids: &mut self.ids };
        let effects = self.executor.begin(enforcement, &mut floor);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(ask) => {
                    self.sent.push(name(&ask.call));
                    self.calls.push((ask.id, ask.call));
                }
                Effect::Learn(event) => self.learn(event),
                Effect::Report(_) => {}
                Effect::Ended(receipt) => self.receipts.push(*receipt),
            }
        }
    }

    fn learn(&mut self, event: Event) {
        match event {
            Event::Positions { positions, .. } => {
                self.known.positions = positions.into_iter().map(|it| (it.contract, it.exposure.0)).collect();
            }
            Event::Orders { orders, .. } => {
                self.known.orders = orders.into_iter().map(|it| (it.id.clone(), it)).collect();
            }
            Event::Order(order) if order.status.is_working() => {
                self.known.orders.insert(order.id.clone(), order);
            }
            Event::Order(order) => {
                self.known.orders.remove(&order.id);
            }
            other => panic!("nobody verifies {other:?}"),
        }
        self.advance();
    }

    fn advance(&mut self) {
        let mut floor = Floor { now: self.now, book: &self.known, ids: &mut self.ids };
        let effects = self.executor.advance(&mut floor);
        self.take(effects);
    }

    fn pass(&mut self, milliseconds: i64) {
        self.now += TimeDelta::milliseconds(milliseconds);
        self.advance();
    }

    fn pass_to_deadline(&mut self) {
        self.now = self.executor.next_deadline().unwrap();
        self.advance();
    }

    /// Answers the oldest open call.
    fn reply(&mut self, result: Result<Answer, CallError>) {
        let (id, _) = self.calls.remove(0);
        let reply = Reply { id, result, waited: Duration::ZERO, server_time: None };
        let mut floor = Floor { now: self.now, book: &self.known, ids: &mut self.ids };
        let effects = self.executor.replied(&reply, &mut floor).unwrap();
        self.take(effects);
    }

    /// Answers the oldest open call as an obedient broker would; whether the stream tells of it is
    /// another matter.
    fn serve(&mut self) {
        let answer = self.execute();
        self.reply(answer);
    }

    fn execute(&mut self) -> Result<Answer, CallError> {
        let (_, call) = self.calls[0].clone();
        Ok(match call {
            Call::Close { contract, .. } => {
                if self.broker.positions.remove(&contract).is_none() {
                    return Err(CallError::NotFound);
                }
                Answer::Accepted
            }
            Call::Reduce { contract, by, .. } => {
                let held = self.broker.positions.get_mut(&contract).unwrap();
                *held -= held.signum() * i64::from(by.0);
                Answer::Accepted
            }
            Call::Cancel { order, .. } => {
                if self.broker.orders.remove(&order).is_none() {
                    return Err(CallError::NotFound);
                }
                Answer::Accepted
            }
            Call::Resize { order, size, .. } => {
                self.broker.orders.get_mut(&order).unwrap().size = size;
                Answer::Accepted
            }
            Call::Place { ticket, tag, .. } => {
                let placed = protective::placed(200 + self.history.len(), &ticket, &tag, self.now);
                self.broker.orders.insert(placed.id.clone(), placed.clone());
                self.history.push(placed);
                Answer::Accepted
            }
            Call::Modify { order, ticket, .. } => {
                let Some(order) = self.broker.orders.get_mut(&order) else { return Err(CallError::NotFound) };
                order.size = ticket.size;
                order.stop_price = Some(ticket.price);
                Answer::Accepted
            }
            Call::Verify { .. } => {
                Answer::Verified { positions: self.positions(), orders: self.history.clone() }
            }
            Call::WorkingOrders(_) => Answer::WorkingOrders(self.broker.orders.values().cloned().collect()),
            other => panic!("an executor never asks {other:?}"),
        })
    }

    fn positions(&self) -> Vec<Position> {
        let position = |(contract, size): (&ContractId, &i64)| Position {
            id: 1.into(),
            account: ACCOUNT.into(),
            contract: contract.clone(),
            symbol: "MNQ".into(),
            exposure: Exposure(*size),
            average_price: price(),
            opened_at: self.now,
        };
        self.broker.positions.iter().map(position).collect()
    }

    /// The stream tells how things are at the broker.
    fn stream(&mut self) {
        self.known = self.broker.clone();
        self.advance();
    }

    fn outcome(&self) -> &Outcome {
        assert_eq!(self.receipts.len(), 1, "{:?}", self.receipts);
        &self.receipts[0].outcome
    }
}

fn enforcement(id: u64, deed: Deed, detected_at: Instant) -> Enforcement {
    Enforcement {
        id: EnforcementId(id),
        account: ACCOUNT.into(),
        rule: RuleKey::MaxContracts,
        merged: Vec::new(),
        breach: Breach::TraderCommand { command: "test".to_string(), until: None },
        deed,
        priority: Priority::Medium,
        detected_at,
    }
}

fn price() -> Price {
    Price(21_000.into())
}

fn order(id: i64, side: OrderSide, kind: OrderKind, status: OrderStatus, created_at: Instant) -> Order {
    Order {
        id: id.into(),
        account: ACCOUNT.into(),
        contract: "MNQ".into(),
        symbol: "MNQ".into(),
        side,
        kind,
        status,
        size: Contracts(2),
        filled: Contracts(0),
        limit_price: None,
        stop_price: None,
        filled_price: None,
        tag: None,
        parent: None,
        linked: None,
        created_at,
    }
}

fn name(call: &Call) -> String {
    match call {
        Call::Close { contract, .. } => format!("close {contract}"),
        Call::Reduce { contract, by, .. } => format!("reduce {contract} by {by}"),
        Call::Cancel { order, .. } => format!("cancel {order}"),
        Call::Resize { order, size, .. } => format!("resize {order} to {size}"),
        Call::Place { ticket, tag, .. } => {
            let suffix = tag.rsplit_once("000").map_or("", |(_, suffix)| suffix);
            format!("place {} at {}{suffix}", ticket.size, ticket.price)
        }
        Call::Modify { order, ticket, .. } => {
            format!("change {order} to {} at {}", ticket.size, ticket.price)
        }
        Call::Verify { .. } => "verify".to_string(),
        Call::WorkingOrders(_) => "orders".to_string(),
        other => panic!("an executor never asks {other:?}"),
    }
}

fn close() -> Deed {
    Deed::Reduce { contract: "MNQ".into(), to: Contracts(0) }
}

fn to(size: u32) -> Deed {
    Deed::Reduce { contract: "MNQ".into(), to: Contracts(size) }
}

#[test]
fn accepted_is_not_done_seen_is() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(2));
    bench.pass(4);
    bench.serve();
    assert!(bench.receipts.is_empty(), "accepted only");
    bench.now += TimeDelta::milliseconds(6);
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["reduce MNQ by 1"]);
    let receipt = &bench.receipts[0];
    let after = |at: Option<Instant>| (at.unwrap() - receipt.enforcement.detected_at).num_milliseconds();
    assert_eq!(
        (after(receipt.sent_at), after(receipt.acknowledged_at), after(receipt.confirmed_at)),
        (0, 4, 10)
    );
    assert_eq!(receipt.closed["MNQ"], Contracts(1));
}

#[test]
fn the_stream_may_be_faster_than_the_reply() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.broker.positions.clear();
    bench.pass(5);
    bench.stream();
    assert!(bench.receipts.is_empty(), "a call is in flight");
    bench.pass(5);
    bench.reply(Ok(Answer::Accepted));
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    let receipt = &bench.receipts[0];
    assert_eq!((receipt.confirmed_at.unwrap() - receipt.enforcement.detected_at).num_milliseconds(), 5);
}

#[test]
fn a_silent_stream_is_made_up_for_by_a_look() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.serve();
    bench.pass(749);
    assert_eq!(bench.sent.len(), 1);
    bench.pass(1);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["close MNQ", "verify"]);
}

#[test]
fn two_times_503_still_ends_flat() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    for _ in 0..2 {
        bench.reply(Err(CallError::Server(503)));
        bench.serve();
        bench.pass_to_deadline();
        bench.serve();
    }
    bench.serve();
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    let once = ["close MNQ", "verify", "verify"];
    assert_eq!(bench.sent, [&once[..], &once[..], &["close MNQ"]].concat());
    assert_eq!(bench.receipts[0].attempts, 3);
    assert_eq!(bench.receipts[0].error.as_deref(), Some("the broker answered with HTTP status 503"));
}

/// The case that tempts into closing twice: executed, then answered with 503.
#[test]
fn executed_and_then_503_is_not_repeated() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.execute().unwrap();
    bench.reply(Err(CallError::Server(503)));
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["close MNQ", "verify"]);
}

/// Taken by the broker and answered with 502 at once, booked only a moment later: the look that followed came
/// too early to show it.
#[test]
fn a_close_that_is_booked_after_its_bad_answer_is_seen_before_it_is_repeated() {
    for told_by_stream in [false, true] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.begin(1, close());
        bench.reply(Err(CallError::Server(502)));
        bench.serve();
        bench.pass(100);
        let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
        match told_by_stream {
            true => drop(bench.known.orders.insert(ours.id.clone(), ours)),
            false => bench.history.push(ours),
        }
        bench.pass(150);
        bench.serve();
        bench.pass(250);
        bench.history.clear();
        bench.broker.positions.clear();
        bench.serve();
        assert_eq!(bench.outcome(), &Outcome::Confirmed);
        assert_eq!(bench.sent, ["close MNQ", "verify", "verify", "verify"]);
    }
}

/// The answer itself comes after its limit: there is an order, whatever the lists show.
#[test]
fn an_acceptance_that_comes_late_is_believed() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    let (id, _) = bench.calls.remove(0);
    bench.pass(2_500);
    let (result, waited) = (Ok(Answer::Accepted), Duration::ZERO);
    let reply = Reply { id, result, waited, server_time: None };
    let mut floor = Floor { now: bench.now, book: &bench.known, ids: &mut bench.ids };
    let effects = bench.executor.replied(&reply, &mut floor).unwrap();
    bench.take(effects);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

#[test]
fn a_closing_order_that_still_works_is_waited_for() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Err(CallError::TimedOut(Duration::from_secs(2))));
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.history.push(ours);
    for _ in 0..5 {
        bench.serve();
        bench.pass(250);
    }
    bench.history[0].status = OrderStatus::Filled;
    bench.broker.positions.clear();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1);
}

/// The broker lists no pending orders: only the stream tells that the close is on its way.
#[test]
fn a_closing_order_that_only_the_stream_knows_is_waited_for() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.known.orders.insert(ours.id.clone(), ours);
    bench.pass(750);
    for _ in 0..6 {
        bench.serve();
        bench.pass(250);
    }
    bench.broker.positions.clear();
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1);
}

#[test]
fn an_order_that_was_lost_from_sight_does_not_hold_up_a_close_for_ever() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    let ghost = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.known.orders.insert(ghost.id.clone(), ghost);
    bench.now += TimeDelta::seconds(61);
    bench.begin(1, close());
    bench.serve();
    bench.serve();
    assert_eq!(bench.sent, ["verify", "close MNQ"]);
}

#[test]
fn an_accepted_close_of_which_nothing_is_seen_is_looked_for_before_it_is_repeated() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent[0], "close MNQ");
    assert_eq!(bench.sent[1..], ["verify"; 9]);
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent.last().map(String::as_str), Some("close MNQ"));
}

/// The computer wakes: two were known to be held, it was three by then, and the engine's time is put forward
/// after the close left. What the trader bought meanwhile is heard of only now, and is not our close.
#[test]
fn the_traders_own_orders_do_not_stand_for_a_close_that_is_still_working() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.insert("MNQ".into(), 3);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    let wakes = TimeDelta::seconds(72);
    bench.executor.stepped(wakes);
    bench.now += wakes;
    let his = order(8, OrderSide::Buy, OrderKind::Market, OrderStatus::Filled, bench.now);
    bench.history.push(Order { size: Contracts(1), ..his });
    bench.stream();
    for _ in 0..5 {
        bench.serve();
        bench.pass(250);
    }
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now);
    bench.history.push(Order { size: Contracts(3), ..ours });
    bench.broker.positions.clear();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

/// As above, and by chance the trader sold two while the computer slept: by the broker's clock that was before
/// our close left.
#[test]
fn what_was_traded_while_the_computer_slept_is_not_taken_for_a_close() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    let before = bench.now;
    bench.now += TimeDelta::seconds(72);
    let (id, _) = bench.calls.remove(0);
    let (result, waited) = (Ok(Answer::Accepted), Duration::ZERO);
    let reply = Reply { id, result, waited, server_time: Some(bench.now) };
    let mut floor = Floor { now: before, book: &bench.known, ids: &mut bench.ids };
    let effects = bench.executor.replied(&reply, &mut floor).unwrap();
    bench.take(effects);
    let slept = before + TimeDelta::seconds(30);
    bench.history.push(order(8, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, slept));
    bench.pass(750);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

/// What the trader traded before our close left is older than it, whoever heard of it when.
#[test]
fn an_order_from_before_a_close_is_not_taken_for_it() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.history.push(order(8, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now));
    bench.pass(3_000);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

#[test]
fn a_position_that_the_trader_is_closing_is_looked_at_before_anything_is_sent() {
    for shrinking_by_fill in [true, false] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.known.is_shrinking = shrinking_by_fill;
        if !shrinking_by_fill {
            let his = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
            bench.known.orders.insert(his.id.clone(), his);
        }
        bench.broker.positions.clear();
        bench.begin(1, close());
        bench.serve();
        assert_eq!(bench.sent, ["verify"]);
        assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    }
}

#[test]
fn a_look_that_is_not_answered_holds_up_no_close() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.known.is_shrinking = true;
    bench.begin(1, close());
    bench.reply(Err(CallError::Server(503)));
    bench.serve();
    assert_eq!(bench.sent, ["verify", "close MNQ"]);
}

#[test]
fn a_filled_close_is_given_time_to_show() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now));
    bench.pass(750);
    bench.serve();
    bench.pass(250);
    bench.broker.positions.clear();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["close MNQ", "verify", "verify"]);
}

#[test]
fn a_position_that_is_gone_is_a_success() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.clear();
    bench.begin(1, close());
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn what_is_no_longer_needed_is_not_sent() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, to(2));
    assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    assert!(bench.sent.is_empty());
}

/// RULE-001, scenario 5: sizes 3, 6, 8 with one call in flight: exactly three contracts are closed.
#[test]
fn growth_while_a_call_is_in_flight_is_closed_by_the_next_call() {
    let mut bench = Bench::new(&[("MNQ", 6)]);
    bench.begin(1, to(5));
    bench.broker.positions.insert("MNQ".into(), 8);
    bench.stream();
    assert_eq!(bench.sent, ["reduce MNQ by 1"]);
    bench.serve();
    bench.filled(1);
    bench.stream();
    bench.serve();
    bench.serve();
    bench.stream();
    assert_eq!(bench.sent, ["reduce MNQ by 1", "verify", "reduce MNQ by 2"]);
    assert_eq!(bench.broker.positions["MNQ"], 5);
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn a_stricter_goal_takes_over_and_the_weaker_is_superseded() {
    let mut bench = Bench::new(&[("MNQ", 6)]);
    bench.begin(1, to(5));
    bench.begin(2, close());
    assert_eq!(bench.sent, ["reduce MNQ by 1"], "one call in flight");
    bench.serve();
    bench.filled(1);
    bench.stream();
    bench.serve();
    bench.serve();
    bench.stream();
    assert_eq!(bench.sent, ["reduce MNQ by 1", "verify", "close MNQ"]);
    let by_id = |id| bench.receipts.iter().find(|it| it.enforcement.id == EnforcementId(id)).unwrap();
    assert!(by_id(1).superseded);
    assert_eq!(by_id(2).outcome, Outcome::Confirmed);
}

#[test]
fn a_closed_market_ends_the_attempt_at_once() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Err(CallError::Refused {
        code: 5,
        text: "Trading is currently unavailable.".to_string(),
        kind: Refusal::MarketClosed,
    }));
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("Trading is currently")));
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn where_reducing_is_refused_people_are_told_or_the_whole_position_is_closed() {
    let refused =
        || CallError::Refused { code: 7, text: "AccountRejected".to_string(), kind: Refusal::NotPermitted };
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(2));
    bench.reply(Err(refused()));
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("AccountRejected")));
    assert_eq!(bench.sent, ["reduce MNQ by 1"]);

    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.known.closes_instead = true;
    bench.begin(1, to(2));
    bench.reply(Err(refused()));
    bench.pass_to_deadline();
    bench.serve();
    bench.stream();
    assert_eq!(*bench.outcome(), Outcome::Confirmed);
    assert_eq!(bench.sent, ["reduce MNQ by 1", "close MNQ"]);

    // Closing is refused as well: that is the end of it.
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.known.closes_instead = true;
    bench.begin(1, to(2));
    bench.reply(Err(refused()));
    bench.pass_to_deadline();
    bench.reply(Err(refused()));
    assert!(matches!(bench.outcome(), Outcome::Failed { .. }));
}

/// A position is open: not a moment longer either.
#[test]
fn too_many_requests_wait_as_long_as_the_broker_asks() {
    for told in [60, 2_000] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.begin(1, close());
        let retry_after = Some(Duration::from_millis(told));
        bench.reply(Err(CallError::RateLimited { retry_after }));
        bench.pass(i64::try_from(told).unwrap() - 1);
        assert_eq!(bench.sent.len(), 1);
        bench.pass(1);
        assert_eq!(bench.sent.len(), 2);
    }
    for unsaid in [None, Some(Duration::ZERO)] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.begin(1, close());
        bench.reply(Err(CallError::RateLimited { retry_after: unsaid }));
        bench.pass(249);
        assert_eq!(bench.sent.len(), 1, "{unsaid:?}");
    }
}

#[test]
fn attempts_end() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    for _ in 0..3 {
        bench.reply(Err(CallError::Unreachable("refused".to_string())));
        if bench.receipts.is_empty() {
            bench.pass_to_deadline();
        }
    }
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("refused")));
    assert!(bench.executor.is_idle());
}

#[test]
fn a_call_that_is_never_answered_is_looked_after() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.execute().unwrap();
    bench.calls.clear();
    bench.pass(2_500);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn a_flatten_closes_and_cancels_together_and_then_checks() {
    let mut bench = Bench::new(&[("MNQ", 2), ("ES", -1)])
        .with_order(5, OrderSide::Buy, OrderKind::Limit)
        .with_order(6, OrderSide::Sell, OrderKind::Stop);
    bench.begin(1, Deed::Flatten);
    assert_eq!(bench.sent, ["close ES", "close MNQ", "cancel 5"]);
    for _ in 0..3 {
        bench.serve();
    }
    bench.stream();
    assert_eq!(bench.sent[3..], ["verify", "orders"]);
    bench.serve();
    bench.serve();
    assert_eq!(bench.sent[5..], ["cancel 6"], "the stop is a leftover now");
    bench.serve();
    bench.stream();
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    let receipt = &bench.receipts[0];
    assert_eq!((receipt.closed.len(), receipt.cancelled), (2, 2));
}

#[test]
fn a_flatten_closes_what_only_the_broker_knows() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.insert("CL".into(), -3);
    bench.begin(1, Deed::Flatten);
    bench.serve();
    bench.stream_only("MNQ");
    bench.serve();
    bench.serve();
    assert_eq!(bench.sent.last().unwrap(), "close CL");
    bench.serve();
    bench.stream();
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn a_flatten_that_nobody_confirms_is_a_failure() {
    let mut bench = Bench::new(&[]);
    bench.begin(1, Deed::Flatten);
    while bench.receipts.is_empty() {
        bench.calls.clear();
        bench.pass_to_deadline();
    }
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("did not confirm")));
}

#[test]
fn orders_are_cancelled_and_made_smaller() {
    let mut bench = Bench::new(&[("MNQ", 1)]).with_order(5, OrderSide::Buy, OrderKind::Limit).with_order(
        6,
        OrderSide::Sell,
        OrderKind::Stop,
    );
    bench.begin(1, Deed::Cancel { orders: vec![5.into()] });
    bench.begin(2, Deed::Shrink { order: 6.into(), to: Contracts(1) });
    assert_eq!(bench.sent, ["cancel 5", "resize 6 to 1"]);
    bench.serve();
    bench.serve();
    bench.pass(750);
    bench.serve();
    bench.serve();
    assert!(bench.receipts.iter().all(|it| it.outcome == Outcome::Confirmed), "{:?}", bench.receipts);
    assert_eq!(bench.broker.orders.len(), 1);
}

#[test]
fn an_order_that_is_gone_already_is_no_failure() {
    let mut bench = Bench::new(&[]).with_order(5, OrderSide::Buy, OrderKind::Limit);
    bench.broker.orders.clear();
    bench.begin(1, Deed::Cancel { orders: vec![5.into()] });
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

/// Our close arrives when the trader's stop has turned the position: it goes the other way, and is ours all
/// the same.
#[test]
fn a_close_that_went_the_other_way_is_waited_for() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.broker.positions.insert("MNQ".into(), -1);
    bench.stream();
    bench.begin(2, close());
    bench.history.push(order(9, OrderSide::Buy, OrderKind::Market, OrderStatus::Pending, bench.now));
    bench.reply(Ok(Answer::Accepted));
    bench.serve();
    bench.pass(250);
    bench.serve();
    assert_eq!(bench.sent, ["close MNQ", "verify", "verify"]);
}

#[test]
fn a_close_of_a_moment_ago_is_not_taken_for_the_new_one() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    let old = order(8, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now);
    bench.known.heard.insert(old.id.clone(), bench.now);
    bench.history.push(old);
    bench.pass(10);
    bench.begin(1, to(2));
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    let new = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Rejected, bench.now);
    bench.history.push(Order { size: Contracts(1), ..new });
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent, ["reduce MNQ by 1", "verify", "reduce MNQ by 1"], "the new one was rejected");
}

/// Accepted means that there is an order: until the lists show it, nothing is known about it.
#[test]
fn an_accepted_close_that_does_not_show_yet_is_not_repeated() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(2));
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    for _ in 0..3 {
        bench.serve();
        bench.pass(250);
    }
    bench.broker.positions.insert("MNQ".into(), 2);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call != "verify").count(), 1, "{:?}", bench.sent);
}

/// Code 6 of a close says "order pending": there is one.
#[test]
fn a_refusal_that_may_speak_of_an_order_is_looked_into() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now));
    let kind = Refusal::Other;
    bench.reply(Err(CallError::Refused { code: 6, text: "OrderPending".to_string(), kind }));
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent, ["close MNQ", "verify", "verify"]);
}

/// A halt: the closing order works for longer than anybody waits. It is found again, not repeated.
#[test]
fn a_close_that_was_given_up_while_it_worked_is_looked_for_by_the_next() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.history.push(Order { size: Contracts(3), ..ours });
    bench.reply(Ok(Answer::Accepted));
    while bench.receipts.is_empty() {
        bench.pass_to_deadline();
        if !bench.calls.is_empty() {
            bench.serve();
        }
    }
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("still working")));
    bench.sent.clear();
    bench.pass(10_000);
    bench.begin(2, close());
    bench.serve();
    bench.history[0].status = OrderStatus::Cancelled;
    bench.pass(250);
    bench.serve();
    assert_eq!(bench.sent, ["verify", "verify", "close MNQ"]);
}

/// The trader trades in the moment of our close: only an order that did what ours was to do can be believed to
/// be it. What a close of the whole takes is decided by what is held when it arrives.
#[test]
fn an_order_that_did_something_else_does_not_stand_for_our_close() {
    let again = |goal, known: &dyn Fn(&mut World)| {
        let mut bench = Bench::new(&[("MNQ", 4)]);
        bench.begin(1, goal);
        bench.reply(Ok(Answer::Accepted));
        bench.known.positions.clear();
        bench.advance();
        assert_eq!(bench.outcome(), &Outcome::Confirmed);
        bench.known.positions.insert("MNQ".into(), 2);
        known(&mut bench.known);
        bench.begin(2, close());
        bench.sent.pop().unwrap()
    };
    for (traded, sent) in [(5, "verify"), (3, "verify"), (-2, "verify"), (-3, "close MNQ")] {
        assert_eq!(again(to(1), &|known| known.traded = Some(Exposure(traded))), sent, "{traded}");
    }
    assert_eq!(again(close(), &|known| known.traded = Some(Exposure(-4))), "verify");
    assert_eq!(again(close(), &|known| known.closed = Some(Exposure(4))), "verify");
    assert_eq!(again(close(), &|known| known.closed = Some(Exposure(-3))), "close MNQ");
}

/// Two were known to be held, it was three by then: the close took all three, and the trader buys again.
#[test]
fn a_close_that_took_more_than_was_known_is_recognised_at_once() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.insert("MNQ".into(), 1);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.filled(3);
    bench.known.held_before = Exposure(3);
    bench.pass(750);
    bench.serve();
    bench.pass(0);
    assert_eq!(bench.sent, ["close MNQ", "verify", "close MNQ"]);
}

/// The market pauses: the first close works on and is in no list, its decision ended, and another follows.
#[test]
fn a_close_of_an_earlier_decision_that_is_out_of_sight_is_looked_for_as_long_as_ones_own() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.known.positions.clear();
    bench.advance();
    bench.known.positions.insert("MNQ".into(), 2);
    bench.begin(2, close());
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent[1..], ["verify"; 9]);
    bench.serve();
    bench.pass(0);
    assert_eq!(bench.sent.last().map(String::as_str), Some("close MNQ"));
}

/// A look ends the first decision, and another one is made by what it showed, before anything moved on.
#[test]
fn a_decision_that_joins_one_that_just_ended_looks_for_its_close_as_well() {
    let mut bench = Bench::new(&[("MNQ", 4)]);
    bench.begin(1, to(2));
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    bench.broker.positions.insert("MNQ".into(), 2);
    let verified = bench.execute();
    let (id, _) = bench.calls.remove(0);
    let reply = Reply { id, result: verified, waited: Duration::ZERO, server_time: None };
    let mut floor = Floor { now: bench.now, book: &bench.known, ids: &mut bench.ids };
    bench.executor.replied(&reply, &mut floor).unwrap();
    bench.known.positions.insert("MNQ".into(), 2);
    bench.begin(2, close());
    assert_eq!(bench.sent, ["reduce MNQ by 2", "verify", "verify"]);
}

/// A locked account, our close under way, the trader buys three: what the look was to find out is told by the
/// stream while the rate budget refuses the look.
#[test]
fn a_look_that_is_refused_holds_up_no_close_of_which_the_stream_has_told() {
    let mut bench = Bench::new(&[("MNQ", -1)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.known.positions.insert("MNQ".into(), 3);
    bench.advance();
    bench.sent.clear();
    bench.begin(2, close());
    bench.reply(Err(CallError::RateLimited { retry_after: Some(Duration::from_secs(4)) }));
    bench.pass(100);
    bench.known.closed = Some(Exposure(1));
    bench.advance();
    assert_eq!(bench.sent, ["verify", "close MNQ"]);
}

#[test]
fn a_look_that_is_refused_is_repeated_for_longer_than_one_that_fails() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.executor.begun_before(&enforcement(1, Deed::Flatten, bench.now), bench.now);
    bench.begin(2, close());
    for _ in 0..6 {
        bench.reply(Err(CallError::RateLimited { retry_after: Some(Duration::from_secs(1)) }));
        bench.pass(999);
        assert!(bench.calls.is_empty(), "as long as was asked");
        bench.pass(1);
    }
    bench.serve();
    assert_eq!(bench.sent.last().unwrap(), "close MNQ");
    assert!(bench.receipts.is_empty());
}

/// Which order an earlier run sent is not known: whatever was traded since, the broker is asked.
#[test]
fn what_an_earlier_run_sent_is_always_looked_for() {
    for begun in [close(), Deed::Flatten] {
        let mut bench = Bench::new(&[("MNQ", 3)]);
        bench.executor.begun_before(&enforcement(1, begun, bench.now), bench.now);
        bench.known.traded = Some(Exposure(-3));
        bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now));
        bench.begin(2, close());
        bench.serve();
        bench.history[0].status = OrderStatus::Filled;
        bench.broker.positions.clear();
        bench.pass(250);
        bench.serve();
        assert_eq!(bench.sent, ["verify", "verify"]);
        assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    }
}

/// Without its exit the position as known before would look too large again, and be reduced once more.
#[test]
fn what_is_held_is_learned_before_the_end_of_what_reduced_it() {
    let mut bench = Bench::new(&[("MNQ", 3)]).with_order(9, OrderSide::Sell, OrderKind::Market);
    bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now));
    bench.begin(1, to(1));
    let (id, _) = bench.calls.remove(0);
    let result = Ok(Answer::Verified { positions: Vec::new(), orders: bench.history.clone() });
    let reply = Reply { id, result, waited: Duration::ZERO, server_time: None };
    let mut floor = Floor { now: bench.now, book: &bench.known, ids: &mut bench.ids };
    let effects = bench.executor.replied(&reply, &mut floor).unwrap();
    assert!(
        matches!(&effects[..], [Effect::Learn(Event::Positions { .. }), Effect::Learn(Event::Order(_))]),
        "{effects:?}"
    );
}

/// The stream says three, the fills say two: one message was late. A part is closed of what is there.
#[test]
fn what_is_in_doubt_is_looked_at_before_a_part_of_it_is_closed() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.broker.positions.insert("MNQ".into(), 2);
    bench.known.doubtful.push("MNQ".into());
    bench.begin(1, to(2));
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    assert_eq!(bench.sent, ["verify"]);

    let mut whole = Bench::new(&[("MNQ", 3)]);
    whole.known.doubtful.push("MNQ".into());
    whole.begin(1, close());
    assert_eq!(whole.sent, ["close MNQ"], "a whole close cannot be too much");
}

/// The stream was lost and came back, and the account could not be read since.
#[test]
fn what_may_have_been_missed_is_looked_at_before_a_part_is_closed_and_before_that_is_repeated() {
    let mut bench = Bench::new(&[("MNQ", 5)]);
    bench.known.is_doubtful = true;
    bench.begin(1, to(2));
    bench.serve();
    assert_eq!(bench.sent, ["verify", "reduce MNQ by 3"]);
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.broker.positions.insert("MNQ".into(), 3);
    bench.pass(250);
    bench.serve();
    assert_eq!(bench.sent[2..], ["verify", "reduce MNQ by 1"]);
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.broker.positions.insert("MNQ".into(), 2);
    bench.pass(750);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent[4..], ["verify"]);

    let mut whole = Bench::new(&[("MNQ", 5)]);
    whole.known.is_doubtful = true;
    whole.begin(1, close());
    assert_eq!(whole.sent, ["close MNQ"], "a whole close cannot be too much");
}

/// Another position that counted was closed meanwhile.
#[test]
fn a_reduction_whose_reason_has_gone_is_withdrawn_before_it_is_repeated() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(1));
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.known.allowed = Some(Contracts(2));
    bench.pass(250);
    assert_eq!(bench.sent, ["reduce MNQ by 2", "reduce MNQ by 1"]);
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.known.allowed = Some(Contracts(4));
    bench.pass(750);
    assert_eq!(bench.sent.len(), 2);
    assert_eq!(bench.receipts.len(), 1);
}

/// The trader takes from a position that is to be reduced: nothing is waited for longer than it takes.
#[test]
fn the_end_of_what_was_in_the_way_is_told_by_the_stream_and_looked_at_at_once() {
    let mut bench = Bench::new(&[("MNQ", 5)]).with_order(9, OrderSide::Sell, OrderKind::Market);
    bench.history.push(bench.broker.orders.remove("9").unwrap());
    bench.begin(1, to(2));
    bench.serve();
    bench.pass(20);
    assert_eq!(bench.sent, ["verify"], "it works");
    bench.history[0].status = OrderStatus::Filled;
    bench.broker.positions.insert("MNQ".into(), 4);
    bench.known.orders.clear();
    bench.known.heard.insert(9.into(), bench.now);
    bench.advance();
    bench.serve();
    assert_eq!(bench.sent, ["verify", "verify", "reduce MNQ by 2"]);
}

/// The lists hold open orders only.
#[test]
fn a_pending_order_that_is_not_listed_is_not_taken_for_ended() {
    let mut bench = Bench::new(&[]).with_order(5, OrderSide::Buy, OrderKind::Limit);
    bench.known.orders.get_mut("5").unwrap().status = OrderStatus::Pending;
    bench.begin(1, Deed::Cancel { orders: vec![5.into()] });
    let listed = bench.broker.orders.clone();
    bench.broker.orders.clear();
    bench.reply(Err(CallError::NotFound));
    bench.serve_as_pending();
    assert!(bench.receipts.is_empty());
    bench.broker.orders = listed;
    bench.pass(250);
    assert_eq!(bench.sent, ["cancel 5", "orders", "cancel 5"]);
}

/// A close that left right after the computer woke is not late because the broker's time is hours ahead.
#[test]
fn nobody_waited_for_an_answer_while_the_clock_was_put_forward() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, Deed::Reduce { contract: "MNQ".into(), to: Contracts::ZERO });
    let by = TimeDelta::hours(1);
    bench.executor.stepped(by);
    bench.now += by;
    bench.pass(2_000);
    assert_eq!(bench.sent, ["close MNQ"]);
    bench.pass(500);
    assert_eq!(bench.sent.len(), 2, "then it is looked after");
}

impl Bench {
    /// The broker's order history shows our closing order as filled.
    fn filled(&mut self, size: u32) {
        let id = 100 + i64::try_from(self.history.len()).unwrap();
        let order = order(id, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, self.now);
        self.history.push(Order { size: Contracts(size), ..order });
    }

    /// Answers for the working orders, while the engine goes on knowing a pending one.
    fn serve_as_pending(&mut self) {
        let pending = self.known.orders.clone();
        let (id, _) = self.calls.remove(0);
        let result = Ok(Answer::WorkingOrders(Vec::new()));
        let reply = Reply { id, result, waited: Duration::ZERO, server_time: None };
        let mut floor = Floor { now: self.now, book: &self.known, ids: &mut self.ids };
        let effects = self.executor.replied(&reply, &mut floor).unwrap();
        let cancelled = effects.iter().any(|it| matches!(it, Effect::Learn(Event::Order(_))));
        assert!(!cancelled, "{effects:?}");
        self.known.orders = pending;
        self.advance();
    }

    fn stream_only(&mut self, contract: &str) {
        self.known.positions.remove(contract);
        self.advance();
    }
}

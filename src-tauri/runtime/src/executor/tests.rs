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

mod flatten;
mod looks;
mod others;
mod protective;
mod requests;
mod unseen;

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

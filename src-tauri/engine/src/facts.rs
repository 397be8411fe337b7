//! The state step: broker facts in, what changed out. Nothing else writes positions, orders or fills
//! (specification A.7, L-05, L-14). Judges nothing.

use chrono::TimeDelta;
use domain::{
    Account, ContractId, EventKind, Exposure, Fill, Instant, Order, OrderId, OrderStatus, Position, Snapshot,
};

use crate::{
    account::{AccountState, Holding, KnownOrder},
    kinds::Kinds,
    ledger::Learned,
};

/// How long the broker's queries may lag behind its stream. What the stream told within this time before
/// a question outranks the answer; if both differ, the question is asked again.
pub(crate) const FRESH: TimeDelta = TimeDelta::seconds(2);
/// No order stays between two states for so long; one that no list shows by then has ended unheard.
const PENDING_AT_MOST: TimeDelta = TimeDelta::seconds(10);

impl AccountState {
    pub(crate) fn learn_account(&mut self, account: &Account) -> Kinds {
        if self.info.as_ref() == Some(account) {
            return Kinds::NONE;
        }
        self.info = Some(account.clone());
        Kinds::NONE.with(EventKind::AccountUpdated)
    }

    /// Takes a position as the broker now tells it. The newest arrival wins (ruling 21), except that an
    /// id that was closed stays closed.
    pub(crate) fn learn_position(&mut self, position: &Position, now: Instant) -> Kinds {
        if self.closed_positions.has(&position.id) {
            return Kinds::NONE;
        }
        if position.exposure.is_flat() {
            self.closed_positions.add(position.id.clone(), now, now);
            let held = self.positions.get(&position.contract);
            if held.is_some_and(|holding| holding.position.id != position.id) {
                return Kinds::NONE;
            }
        }
        let kinds = self.replace_position(position, now);
        if kinds == Kinds::NONE && !position.exposure.is_flat() {
            // That it is told again is the only sign that a protective order was added (specification C.9).
            self.stops.inquiry.want();
            return Kinds::NONE.with(EventKind::TimeTick);
        }
        kinds
    }

    fn replace_position(&mut self, position: &Position, now: Instant) -> Kinds {
        let contract = &position.contract;
        let old = self.exposure(contract);
        let new = position.exposure;
        let mut kinds = Kinds::NONE;
        if !old.is_flat() && (!old.same_side(new) || new.size() < old.size()) {
            self.reduced.push((contract.clone(), new));
        }
        if !old.is_flat() && !old.same_side(new) {
            kinds = kinds.with(EventKind::PositionClosed);
            self.position_ended(contract, old, now);
        }
        if new.is_flat() {
            return kinds;
        }
        if !old.same_side(new) {
            kinds = kinds.with(EventKind::PositionOpened);
        } else if self.positions.get(contract).is_some_and(|holding| !is_same(&holding.position, position)) {
            kinds = kinds.with(EventKind::PositionUpdated);
        }
        self.hold(position, old, now);
        kinds
    }

    fn hold(&mut self, position: &Position, old: Exposure, now: Instant) {
        let grown = !old.same_side(position.exposure) || position.exposure.size() > old.size();
        if grown {
            // New exposure is acted on at once, whatever failed before.
            self.quiet.retain(|(_, contract), _| contract.as_ref() != Some(&position.contract));
            self.shut.forget(&position.contract);
            if old.same_side(position.exposure) {
                let by = position.exposure.size().saturating_sub(old.size());
                self.own.grew(&position.contract, position.exposure, by);
            }
        }
        let known = self.positions.get(&position.contract).map(|holding| holding.increased);
        let increased = match known {
            Some(increased) if !grown => increased,
            _ => self.next_serial(),
        };
        if position.exposure.size() < old.size() && old.same_side(position.exposure) {
            self.leftovers.position_shrank(&position.contract, old, now);
        }
        let holding = Holding { position: position.clone(), increased, heard: now };
        self.positions.insert(position.contract.clone(), holding);
    }

    fn position_ended(&mut self, contract: &ContractId, old: Exposure, now: Instant) {
        self.positions.remove(contract);
        self.shut.forget(contract);
        self.leftovers.position_ended(contract, old, now);
    }

    /// Takes an order as the broker now tells it. An order that ended stays ended.
    pub(crate) fn learn_order(&mut self, order: &Order, now: Instant) -> Kinds {
        if self.ended_orders.has(&order.id) {
            return Kinds::NONE;
        }
        self.own.tagged(order);
        let kinds = Kinds::NONE.with(kind_of(self.order(&order.id), order));
        if order.status.is_working() {
            match self.orders.get_mut(&order.id) {
                Some(known) if known.order == *order => {
                    known.heard = now;
                    return Kinds::NONE;
                }
                Some(known) => {
                    known.order = order.clone();
                    known.heard = now;
                }
                None => {
                    let known = KnownOrder { order: order.clone(), first_heard: now, heard: now };
                    self.orders.insert(order.id.clone(), known);
                }
            }
        } else {
            self.order_ended(order, now);
        }
        kinds
    }

    fn order_ended(&mut self, order: &Order, now: Instant) {
        let known = self.orders.remove(&order.id);
        let first_heard = known.map_or(now, |known| known.first_heard);
        self.note_trade(order, first_heard);
        self.ended_orders.add(order.id.clone(), first_heard, now);
        self.managed.order_ended(order, self.engaged.is_ending(&order.id), now);
        self.nothing_left_to_end(&order.id);
        let filled = Exposure(order.side.sign() * i64::from(order.filled.0));
        self.order_over(order, Some(filled));
    }

    fn nothing_left_to_end(&mut self, order: &OrderId) {
        self.engaged.order_ended(order);
        self.quiet_orders.remove(order);
        self.quiet_changes.remove(order);
    }

    /// Takes a fill, a repetition of one, or its correction.
    pub(crate) fn learn_fill(&mut self, fill: &Fill, now: Instant) -> (Kinds, Learned) {
        let is_new = self.ledger.known(&fill.id).is_none();
        let by = if is_new { self.claim(fill) } else { None };
        let locked = self.lockouts.forbade(&fill.symbol, fill.at);
        let learned = self.ledger.learn(fill, by.is_some(), locked, now);
        let signed = Exposure(fill.side.sign() * i64::from(fill.size.0));
        match (learned, fill.voided) {
            (Learned::Nothing, _) => return (Kinds::NONE, learned),
            (Learned::New, false) => self.book_add(&fill.contract, signed),
            (Learned::Corrected, true) => self.book_add(&fill.contract, -signed),
            (Learned::New, true) | (Learned::Corrected, false) => {}
        }
        if learned == Learned::New {
            self.explain(fill);
            let resting = self.first_heard(&fill.order);
            self.races.filled(fill, resting, now);
            if by.is_none() {
                self.loops.traded(&fill.contract);
            }
        }
        self.note_fill(fill, learned, by);
        (Kinds::NONE.with(EventKind::TradeExecuted), learned)
    }

    fn book_add(&mut self, contract: &ContractId, change: Exposure) {
        let book = self.book.entry(contract.clone()).or_default();
        *book = *book + change;
    }

    /// Takes over the broker's state as a whole. What arrived on the stream since the question was sent
    /// is newer and stays (specification C.10). Returns what changed and the fills that were new.
    pub(crate) fn learn_snapshot(
        &mut self,
        snapshot: &Snapshot,
        now: Instant,
    ) -> (Kinds, Vec<(Fill, Learned)>) {
        let mut kinds = Kinds::NONE.with(EventKind::StateReconciled);
        kinds.add(self.learn_account(&snapshot.account));
        kinds.add(self.take_positions(&snapshot.positions, snapshot.asked_at, FRESH, now));
        kinds.add(self.take_orders(&snapshot.orders, snapshot.asked_at, now));
        let mut fills = Vec::new();
        for fill in &snapshot.fills {
            let (changed, learned) = self.learn_fill(fill, now);
            kinds.add(changed);
            if learned != Learned::Nothing {
                fills.push((fill.clone(), learned));
            }
        }
        self.book =
            self.positions.iter().map(|(id, holding)| (id.clone(), holding.position.exposure)).collect();
        if !self.known {
            // What was reduced while nobody looked lowers the baselines as well.
            let held: Vec<_> = self.lockouts.baselines().map(|it| (it.clone(), self.exposure(it))).collect();
            self.reduced.extend(held);
        }
        self.known = true;
        self.read = self.read.max(Some(snapshot.asked_at));
        self.owed.read(snapshot.asked_at);
        self.ledger.confirm(&snapshot.fills, snapshot.asked_at - FRESH);
        if !self.reread {
            self.reopen_results();
        }
        self.find_orphans(now);
        (kinds, fills)
    }

    /// Takes the list of open positions. What was heard on the stream later than `slack` before the
    /// question stays as it is; if it differs, the question will be asked again.
    pub(crate) fn take_positions(
        &mut self,
        positions: &[Position],
        asked_at: Instant,
        slack: TimeDelta,
        now: Instant,
    ) -> Kinds {
        let newest = asked_at - slack;
        let mut kinds = Kinds::NONE;
        let mut stories_differ = false;
        let held: Vec<Position> = self.positions.values().map(|it| it.position.clone()).collect();
        for position in held.iter().filter(|held| positions.iter().all(|it| it.contract != held.contract)) {
            if self.is_fresh(&position.contract, newest) {
                stories_differ = true;
            } else {
                let gone = Position { exposure: Exposure::FLAT, ..position.clone() };
                kinds.add(self.replace_position(&gone, now));
            }
        }
        let mut listed: Vec<&Position> = positions.iter().collect();
        listed.sort_by_key(|position| position.opened_at);
        for position in listed {
            let same =
                self.positions.get(&position.contract).is_some_and(|it| is_same(&it.position, position));
            if !same && self.is_fresh(&position.contract, newest)
                || self.closed_positions.since(&position.id) > Some(newest)
            {
                stories_differ = true;
                continue;
            }
            self.closed_positions.forget(&position.id);
            kinds.add(self.replace_position(position, now));
        }
        self.reread = stories_differ;
        kinds
    }

    pub(crate) fn is_fresh(&self, contract: &ContractId, newest: Instant) -> bool {
        self.positions.get(contract).is_some_and(|holding| holding.heard > newest)
    }

    /// Takes the list of working orders. The list holds open ones only: that pending and suspended orders
    /// are not in it says nothing for as long as they may be so (gateway reference 3.4).
    pub(crate) fn take_orders(&mut self, orders: &[Order], asked_at: Instant, now: Instant) -> Kinds {
        let mut kinds = Kinds::NONE;
        let gone: Vec<Order> = self
            .orders
            .values()
            .filter(|known| self.should_be_listed(known, asked_at))
            .filter(|known| orders.iter().all(|order| order.id != known.order.id))
            .map(|known| known.order.clone())
            .collect();
        for order in gone {
            self.orders.remove(&order.id);
            if self.managed.order_vanished(&order, self.engaged.is_ending(&order.id), now) {
                // It may have filled: whether its position still stands is asked before it is replaced.
                self.reread = true;
            }
            self.nothing_left_to_end(&order.id);
            self.order_over(&order, None);
            kinds.add(Kinds::NONE.with(EventKind::OrderCancelled));
        }
        for order in orders {
            // Listed as open well after it was taken to have ended: it has not.
            if self.ended_orders.since(&order.id).is_some_and(|ended| ended <= asked_at - FRESH) {
                self.ended_orders.forget(&order.id);
            }
            if self.orders.get(&order.id).is_none_or(|known| known.heard <= asked_at) {
                kinds.add(self.learn_order(order, now));
            }
        }
        kinds
    }

    /// Whether an order would be in a list of open ones if it still worked. A pending stop whose end was not
    /// heard would otherwise count as protection for ever.
    pub(crate) fn should_be_listed(&self, known: &KnownOrder, asked_at: Instant) -> bool {
        let parent = known.order.parent.as_ref();
        match known.order.status {
            OrderStatus::Open => known.heard <= asked_at - FRESH,
            OrderStatus::Pending | OrderStatus::CancelPending => known.heard <= asked_at - PENDING_AT_MOST,
            OrderStatus::Suspended => {
                let waits = parent.is_some_and(|parent| self.orders.contains_key(parent));
                known.heard <= asked_at - PENDING_AT_MOST && !waits
            }
            OrderStatus::Filled | OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected => {
                true
            }
        }
    }

    /// The stream is lost: nothing that was heard on it is newer than the next answer to a question.
    pub(crate) fn stream_lost(&mut self) {
        for holding in self.positions.values_mut() {
            holding.heard = Instant::MIN_UTC;
        }
        for known in self.orders.values_mut() {
            known.heard = Instant::MIN_UTC;
        }
    }

    /// Whether positions and fills tell different stories, and since when.
    pub(crate) fn compare_books(&mut self, now: Instant) {
        let agree = !self.reread
            && self
                .positions
                .iter()
                .all(|(contract, it)| self.book.get(contract) == Some(&it.position.exposure))
            && self.told_elsewhere().all(|(_, told)| told.is_flat());
        self.disagree_since = if agree { None } else { self.disagree_since.or(Some(now)) };
    }
}

/// Whether two tellings of a position say the same; its opening time is told with different precision by
/// stream and query.
fn is_same(known: &Position, told: &Position) -> bool {
    known.id == told.id && known.exposure == told.exposure && known.average_price == told.average_price
}

fn kind_of(known: Option<&Order>, order: &Order) -> EventKind {
    match order.status {
        OrderStatus::Filled => EventKind::OrderFilled,
        OrderStatus::Cancelled => EventKind::OrderCancelled,
        OrderStatus::Expired => EventKind::OrderExpired,
        OrderStatus::Rejected => EventKind::OrderRejected,
        OrderStatus::Open | OrderStatus::Pending | OrderStatus::Suspended | OrderStatus::CancelPending => {
            match known {
                None => EventKind::OrderPlaced,
                Some(known) if order.filled > known.filled => EventKind::OrderPartiallyFilled,
                Some(_) => EventKind::OrderModified,
            }
        }
    }
}

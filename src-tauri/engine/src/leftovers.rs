//! Orders that a position left behind when it went flat or shrank: they would open a new position if
//! they filled (L-47, specification C.9, ruling 23).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ContractId, Contracts, Exposure, Instant, Leg, Order, OrderId, OrderKind, Position, Side};

use crate::account::{AccountState, KnownOrder};

/// How long the platform is given to cancel bracket partners by itself.
const PLATFORM_CANCELS_WITHIN: TimeDelta = TimeDelta::seconds(2);

/// Wait before the next look while something is left.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(2);
/// Orders that cannot be cancelled for so long, as where the platform forbids it, are left alone.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Positions whose leftovers are due for a look: both sides of a contract may have ended within the same
/// moment, as when a position turns and is closed.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    due: BTreeMap<(ContractId, Side), Due>,
}

#[derive(Clone, Debug)]
struct Due {
    was: Exposure,
    ended: Instant,
    at: Instant,
}

/// What to do about one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tidy {
    /// Its position is gone.
    Cancel(OrderId),
    /// Its position is smaller than it.
    Shrink(OrderId, Contracts),
}

impl Leftovers {
    pub(crate) fn position_ended(&mut self, contract: &ContractId, was: Exposure, now: Instant) {
        let Some(side) = Side::of(was) else { return };
        let due = Due { was, ended: now, at: now + PLATFORM_CANCELS_WITHIN };
        self.due.insert((contract.clone(), side), due);
    }

    pub(crate) fn position_shrank(&mut self, contract: &ContractId, was: Exposure, now: Instant) {
        self.position_ended(contract, was, now);
    }

    /// The next instant at which something is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.due.values().map(|due| due.at).min()
    }

    fn take_due(&mut self, now: Instant) -> Vec<((ContractId, Side), Due)> {
        self.due.extract_if(.., |_, due| due.at <= now).collect()
    }
}

impl AccountState {
    /// Leftovers that are due now, by contract. What is left is looked at again, until nothing is.
    pub(crate) fn take_leftovers(&mut self, now: Instant) -> Vec<(ContractId, Vec<Tidy>)> {
        let mut found = Vec::new();
        if self.leftovers.due.is_empty() {
            return found;
        }
        for ((contract, side), due) in self.leftovers.take_due(now) {
            let tidy = self.tidy(&contract, &due);
            if tidy.is_empty() {
                continue;
            }
            if now < due.ended + GIVE_UP_AFTER {
                let again = Due { at: now + LOOK_AGAIN, ..due };
                self.leftovers.due.insert((contract.clone(), side), again);
            }
            found.push((contract, tidy));
        }
        found
    }

    /// Finds what an earlier run, or a gap in the stream, left behind: our own orders and bracket children
    /// that work without a position and without an entry that could still open one.
    pub(crate) fn find_orphans(&mut self, now: Instant) {
        let orphans: Vec<(ContractId, Exposure)> = self
            .orders
            .values()
            .map(|known| &known.order)
            .filter(|order| order.status.covers() && (order.is_own() || order.parent.is_some()))
            .filter(|order| self.exposure(&order.contract).is_flat())
            .filter(|order| order.parent.as_ref().is_none_or(|parent| !self.orders.contains_key(parent)))
            .map(|order| (order.contract.clone(), Exposure(-order.side.sign())))
            .collect();
        for (contract, served) in orphans {
            self.leftovers.position_ended(&contract, served, now);
        }
    }

    fn tidy(&self, contract: &ContractId, due: &Due) -> Vec<Tidy> {
        let left: Vec<&Order> = self
            .orders
            .values()
            .filter(|known| self.is_of_the_past(known, due.ended))
            .map(|known| &known.order)
            .filter(|order| order.contract == *contract && order.status.covers())
            .filter(|order| order.side.reduces(due.was) && belongs_to_position(order))
            .collect();
        let held = self.positions.get(contract).map(|holding| &holding.position);
        match held.filter(|position| position.exposure.same_side(due.was)) {
            Some(position) => self.shrink(&left, position),
            None => left.into_iter().map(|order| Tidy::Cancel(order.id.clone())).collect(),
        }
    }

    /// Orders that would more than close what is left, made smaller. Stops and targets are measured by
    /// themselves: of a bracket only one of the two fills. Ours are measured as RULE-012 does, or the two
    /// would undo each other's work for ever.
    fn shrink(&self, orders: &[&Order], position: &Position) -> Vec<Tidy> {
        let mut tidy = Vec::new();
        for leg in [Leg::Stop, Leg::Target] {
            let of_leg = orders.iter().copied().filter(|it| it.kind.is_stop() == (leg == Leg::Stop));
            let (own, traders): (Vec<&Order>, Vec<&Order>) = of_leg.partition(|it| it.is_own());
            fit(&own, self.own_share(position, leg), &mut tidy);
            fit(&traders, position.exposure.size(), &mut tidy);
        }
        tidy
    }

    /// Whether an order was there when a position ended. A bracket child may be heard of only later: then
    /// it is as old as its parent, which has ended.
    fn is_of_the_past(&self, known: &KnownOrder, ended: Instant) -> bool {
        let parent = known.order.parent.as_ref().and_then(|parent| self.ended_orders.first_heard(parent));
        known.first_heard <= ended || parent.is_some_and(|heard| heard <= ended)
    }
}

/// Our own orders, bracket children, and stops: those served the position. Other resting orders are the
/// trader's business.
fn belongs_to_position(order: &Order) -> bool {
    order.is_own() || order.parent.is_some() || order.kind.is_stop()
}

/// The orders that `room` holds stay as they are, the one across its edge is made smaller, the rest goes.
fn fit(orders: &[&Order], mut room: Contracts, tidy: &mut Vec<Tidy>) {
    for order in orders.iter().filter(|order| order.kind != OrderKind::Market) {
        let keep = order.remaining().min(room);
        room = room.saturating_sub(keep);
        if keep == Contracts::ZERO {
            tidy.push(Tidy::Cancel(order.id.clone()));
        } else if keep < order.remaining() {
            tidy.push(Tidy::Shrink(order.id.clone(), keep + order.filled));
        }
    }
}

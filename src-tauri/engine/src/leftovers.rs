//! Orders that a position left behind when it went flat or shrank: they would open a new position if
//! they filled (L-47, specification C.9, ruling 23).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ContractId, Contracts, Exposure, Instant, Order, OrderId, OrderKind};

use crate::account::AccountState;

/// How long the platform is given to cancel bracket partners by itself.
const PLATFORM_CANCELS_WITHIN: TimeDelta = TimeDelta::seconds(2);

/// Contracts whose leftovers are due for a look.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    due: BTreeMap<ContractId, Due>,
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
        let due = Due { was, ended: now, at: now + PLATFORM_CANCELS_WITHIN };
        self.due.insert(contract.clone(), due);
    }

    pub(crate) fn position_shrank(&mut self, contract: &ContractId, was: Exposure, now: Instant) {
        self.position_ended(contract, was, now);
    }

    /// The next instant at which something is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.due.values().map(|due| due.at).min()
    }

    fn take_due(&mut self, now: Instant) -> Vec<(ContractId, Due)> {
        let ready: Vec<_> = self
            .due
            .iter()
            .filter(|(_, due)| due.at <= now)
            .map(|(id, due)| (id.clone(), due.clone()))
            .collect();
        for (contract, _) in &ready {
            self.due.remove(contract);
        }
        ready
    }
}

impl AccountState {
    /// Leftovers that are due now, by contract.
    pub(crate) fn take_leftovers(&mut self, now: Instant) -> Vec<(ContractId, Vec<Tidy>)> {
        let due = self.leftovers.take_due(now);
        due.into_iter()
            .map(|(contract, due)| {
                let tidy = self.tidy(&contract, &due);
                (contract, tidy)
            })
            .filter(|(_, tidy)| !tidy.is_empty())
            .collect()
    }

    fn tidy(&self, contract: &ContractId, due: &Due) -> Vec<Tidy> {
        let held = self.exposure(contract);
        let left: Vec<&Order> = self
            .orders
            .values()
            .filter(|known| known.first_heard <= due.ended)
            .map(|known| &known.order)
            .filter(|order| order.contract == *contract && order.status.covers())
            .filter(|order| order.side.reduces(due.was) && belongs_to_position(order))
            .filter(|order| !self.engaged.is_ending(&order.id))
            .collect();
        if held.same_side(due.was) {
            return shrink(&left, held.size());
        }
        left.into_iter().map(|order| Tidy::Cancel(order.id.clone())).collect()
    }
}

/// Our own orders, bracket children, and stops: those served the position. Other resting orders are the
/// trader's business.
fn belongs_to_position(order: &Order) -> bool {
    order.is_own() || order.parent.is_some() || order.kind.is_stop()
}

/// Orders that would more than close what is left, made smaller. Stops and targets are measured by
/// themselves: of a bracket only one of the two fills.
fn shrink(orders: &[&Order], held: Contracts) -> Vec<Tidy> {
    let mut tidy = Vec::new();
    let (stops, others): (Vec<&Order>, Vec<&Order>) = orders.iter().partition(|order| order.kind.is_stop());
    for group in [stops, others] {
        let mut room = held;
        for order in group.into_iter().filter(|order| order.kind != OrderKind::Market) {
            let keep = order.remaining().min(room);
            room = room.saturating_sub(keep);
            if keep == Contracts::ZERO {
                tidy.push(Tidy::Cancel(order.id.clone()));
            } else if keep < order.remaining() {
                tidy.push(Tidy::Shrink(order.id.clone(), keep + order.filled));
            }
        }
    }
    tidy
}

//! Executions that orders tell of and no fill explains yet. Where one stays so, the news of a fill was lost,
//! and maybe that of its position with it: what is known then agrees with itself and is wrong all the same.
//! Judges nothing, and never takes an order's word for what is held (specification C.2, ruling 21).

use std::collections::BTreeMap;

use domain::{ContractId, Contracts, Fill, Instant, Order, OrderId};

use crate::{account::AccountState, facts::FRESH, judge::DISAGREE_FOR};

/// Orders that are waited for. When full, no further ones are: one is enough to ask for everything.
const MOST_ORDERS: usize = 64;

/// What orders have executed beyond the fills that are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owed {
    orders: BTreeMap<OrderId, Told>,
}

#[derive(Clone, Debug)]
struct Told {
    contract: ContractId,
    filled: Contracts,
    since: Instant,
    latest: Instant,
}

impl Owed {
    /// Whether every execution is explained.
    pub(crate) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Whether a fill has been missing for longer than news may take.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        self.orders.values().any(|told| now >= told.since + DISAGREE_FOR)
    }

    /// Whether a fill of a contract is missing.
    pub(crate) fn is_of(&self, contract: &ContractId) -> bool {
        self.orders.values().any(|told| told.contract == *contract)
    }

    /// Everything was read: what is not explained now never will be, unless the reading came too soon after
    /// the news. An order of an earlier day has fills that are in no reading.
    pub(crate) fn read(&mut self, asked_at: Instant) {
        self.orders.retain(|_, told| told.latest > asked_at - FRESH);
    }
}

impl AccountState {
    /// The stream tells of an order, which is not taken yet. That it has executed more is news; how much it
    /// had when it was first listed is not.
    pub(crate) fn note_executions(&mut self, order: &Order, now: Instant) {
        let before = self.order(&order.id).map_or(Contracts::ZERO, |known| known.filled);
        let is_news = order.filled > before && !self.ended_orders.has(&order.id);
        if is_news && order.filled > self.ledger.executed(&order.id) {
            let known = self.owed.orders.get(&order.id);
            let since = known.map_or(now, |told| told.since);
            if known.is_some() || self.owed.orders.len() < MOST_ORDERS {
                let contract = order.contract.clone();
                let told = Told { contract, filled: order.filled, since, latest: now };
                self.owed.orders.insert(order.id.clone(), told);
            }
        }
    }

    /// A fill was learned.
    pub(crate) fn explain(&mut self, fill: &Fill) {
        let owed = self.owed.orders.get(&fill.order);
        if owed.is_some_and(|told| self.ledger.executed(&fill.order) >= told.filled) {
            self.owed.orders.remove(&fill.order);
        }
    }
}

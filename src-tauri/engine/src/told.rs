//! What fills and ended orders tell beside the positions: whether the stories agree, what was held when, and
//! what a close of ours would look like. Judges nothing.

use std::collections::BTreeSet;

use domain::{ContractId, Exposure, Instant, Order, OrderKind};

use crate::account::{AccountState, KnownOrder};

impl AccountState {
    /// Whether the fills tell of less than the position does, or of its other side: a closing fill comes
    /// before the news of the position (gateway reference 9.2).
    #[must_use]
    pub fn is_shrinking(&self, contract: &ContractId) -> bool {
        let held = self.exposure(contract);
        self.book.get(contract).is_some_and(|told| !told.same_side(held) || told.size() < held.size())
    }

    /// Whether positions, fills and orders tell the same story about a contract, and the latest list told it
    /// as well.
    #[must_use]
    pub fn agrees(&self, contract: &ContractId) -> bool {
        let told = self.book.get(contract).copied().unwrap_or_default();
        told == self.exposure(contract) && !self.reread && !self.owed.is_of(contract)
    }

    /// Whether an untagged market order that bought so much, or sold it, was first heard of since then and
    /// has ended, and none is working: what a close of ours would look like.
    #[must_use]
    pub fn has_traded(&self, contract: &ContractId, change: Exposure, since: Instant) -> bool {
        let is_new = |known: &KnownOrder| known.first_heard >= since && is_like_a_close(&known.order);
        let works = self.orders.values().any(|known| known.order.contract == *contract && is_new(known));
        !works && self.traded.get(&(contract.clone(), change)).is_some_and(|heard| *heard >= since)
    }

    /// Whether an untagged market order that bought, or sold, as a change does was first heard of since then, has
    /// ended and left nothing of what was held, as the fills tell it, and none is working: what a close of ours
    /// of the whole would look like.
    #[must_use]
    pub fn has_closed(&self, contract: &ContractId, change: Exposure, since: Instant) -> bool {
        let mut left = self.book.get(contract).copied().unwrap_or_default();
        let fills = self.ledger.in_order().map(|known| &known.fill);
        let mut later = BTreeSet::new();
        for fill in fills.filter(|fill| fill.contract == *contract).rev() {
            let is_its_last = later.insert(&fill.order);
            let is_exit = is_its_last && left.is_flat() && fill.side.sign() == change.0.signum();
            let whole = fill.side.sign() * i64::from(self.ledger.executed(&fill.order).0);
            let is_new = self.ended_orders.first_heard(&fill.order).is_some_and(|heard| heard >= since);
            if is_exit && is_new && self.has_traded(contract, Exposure(whole), since) {
                return true;
            }
            left = left + Exposure(-fill.side.sign() * i64::from(fill.size.0));
        }
        false
    }

    /// What was held of a contract at an instant of the broker's clock, as the fills tell it.
    #[must_use]
    pub fn held_at(&self, contract: &ContractId, at: Instant) -> Exposure {
        let fills = self.ledger.in_order().rev().map(|known| &known.fill);
        let later = fills.take_while(|fill| fill.at > at).filter(|fill| fill.contract == *contract);
        let now = self.book.get(contract).copied().unwrap_or_default();
        later.fold(now, |held, fill| held + Exposure(-fill.side.sign() * i64::from(fill.size.0)))
    }

    /// Notes the end of an order that may have been a close of ours.
    pub(crate) fn note_trade(&mut self, order: &Order, first_heard: Instant) {
        if is_like_a_close(order) {
            let change = Exposure(order.side.sign() * i64::from(order.size.0));
            let latest = self.traded.entry((order.contract.clone(), change)).or_insert(first_heard);
            *latest = first_heard.max(*latest);
        }
    }
}

/// Our own closes carry no tag and are market orders (ruling 18).
fn is_like_a_close(order: &Order) -> bool {
    order.kind == OrderKind::Market && order.tag.is_none()
}

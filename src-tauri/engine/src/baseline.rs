//! What may stay while a cooldown runs: what was held when it began, as the executed fills tell it. The
//! trade that brought it about is kept whole, also where only its first part has been told so far
//! (specification A.1, B.6).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::{ContractId, Exposure, Instant, Order, OrderId};

use crate::{account::AccountState, judge::DISAGREE_FOR};

/// Ended orders whose fills may still be on their way. When full, the oldest is forgotten; its last fills
/// then count as new exposure.
const MOST_ENDED: usize = 64;

/// Orders between their first fill and the last news of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filling {
    /// What ended orders filled in all, signed.
    ended: VecDeque<(OrderId, Exposure)>,
    /// Orders whose rest was counted into a baseline.
    promised: BTreeSet<OrderId>,
}

impl AccountState {
    /// What is held of every contract, fills counted that its position does not show yet, and what the
    /// trader's orders that are news will still fill.
    #[must_use]
    pub(crate) fn baseline(&self, now: Instant) -> BTreeMap<ContractId, Exposure> {
        let mut baseline: BTreeMap<ContractId, Exposure> = self
            .positions
            .keys()
            .chain(self.book.keys())
            .map(|contract| (contract.clone(), self.standing(contract, now)))
            .collect();
        for (contract, rest) in self.filling_orders().map(|(_, contract, rest)| (contract, rest)) {
            let held = baseline.entry(contract.clone()).or_default();
            let expected = *held + rest;
            if held.is_flat() || (expected.same_side(*held) && expected.size() > held.size()) {
                *held = expected;
            }
        }
        // An exit that is told before its position leaves that where it is: what is on its way out must not
        // be closed once more. That it shrank lowers the baseline as soon as it is seen.
        for (contract, kept) in &mut baseline {
            let shown = self.exposure(contract);
            if (kept.is_flat() || kept.same_side(shown)) && shown.size() > kept.size() {
                *kept = shown;
            }
        }
        baseline.retain(|_, held| !held.is_flat());
        baseline
    }

    /// What is held of a contract, fills counted that its position does not show yet.
    fn standing(&self, contract: &ContractId, now: Instant) -> Exposure {
        let held = self.exposure(contract);
        let told = self.book.get(contract).copied().unwrap_or_default();
        let doubtful = self.disagree_since.is_some_and(|since| now >= since + DISAGREE_FOR);
        // Fills that were lost must not lead to the close of what may stay.
        if doubtful && !(told.same_side(held) && told.size() > held.size()) { held } else { told }
    }

    /// The trader's orders with a fill that is news, and what they will still fill.
    fn filling_orders(&self) -> impl Iterator<Item = (&OrderId, &ContractId, Exposure)> {
        let news = self.news.iter().filter(|it| it.new && it.by.is_none());
        let fills = news.filter_map(|it| self.ledger.known(&it.fill)).map(|known| &known.fill);
        let orders: BTreeMap<&OrderId, &ContractId> =
            fills.map(|fill| (&fill.order, &fill.contract)).collect();
        orders.into_iter().map(|(order, contract)| (order, contract, self.rest(order)))
    }

    /// What an order will fill beyond the fills that are known.
    fn rest(&self, order: &OrderId) -> Exposure {
        let working = self.order(order).map(|it| Exposure(it.side.sign() * i64::from(it.size.0)));
        let ended = self.filling.ended.iter().find(|(id, _)| id == order).map(|(_, filled)| *filled);
        let Some(whole) = working.or(ended) else { return Exposure::FLAT };
        let known = self.ledger.in_order().map(|known| &known.fill);
        let filled = known
            .filter(|fill| fill.order == *order)
            .fold(Exposure::FLAT, |sum, fill| sum + Exposure(fill.side.sign() * i64::from(fill.size.0)));
        let rest = whole + -filled;
        if rest.same_side(whole) { rest } else { Exposure::FLAT }
    }

    /// A cooldown begins: its baseline counts on the rest of these orders.
    pub(crate) fn promise_rest(&mut self) {
        let orders: Vec<OrderId> = self
            .filling_orders()
            .filter(|(_, _, rest)| !rest.is_flat())
            .map(|(order, ..)| order.clone())
            .collect();
        self.filling.promised.extend(orders);
    }

    /// An order is over: whatever of its promised rest did not come is no part of a baseline.
    pub(crate) fn order_over(&mut self, order: &Order, filled: Option<Exposure>) {
        if let Some(filled) = filled {
            self.filling.ended.push_back((order.id.clone(), filled));
            if self.filling.ended.len() > MOST_ENDED {
                self.filling.ended.pop_front();
            }
        }
        if self.filling.promised.remove(&order.id) {
            let told = self.book.get(&order.contract).copied().unwrap_or_default();
            let rest = filled.map_or(Exposure::FLAT, |_| self.rest(&order.id));
            self.reduced.push((order.contract.clone(), told + rest));
        }
    }
}

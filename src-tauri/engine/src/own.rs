//! Which fills are our own. The broker's close calls return no order id and carry no tag, so a fill is
//! recognised by contract, side, size and the time of the call, and then its order is remembered
//! (ruling 18). In doubt a fill is own: only RULE-006 and RULE-007 go by this, never the day's result.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use domain::{
    ContractId, Contracts, Exposure, Fill, Instant, Order, OrderId, OrderSide, OrderStatus, RuleKey, memory,
};

use crate::{account::AccountState, engaged::Engagement};

/// How far the broker's clock and ours may be apart when a fill is held against a call.
const SLACK: TimeDelta = TimeDelta::seconds(2);
/// A close without a known end counts as over after this time.
const LONGEST: TimeDelta = TimeDelta::minutes(1);
/// Closes that are remembered: a reconcile may tell their fills much later. When full, the oldest is
/// forgotten, and a fill of it that is learned later still counts as the trader's.
const MOST_CLOSES: usize = 256;
/// Orders that are remembered as our own. When full, all are forgotten but the newest half.
const MOST_ORDERS: usize = 1_000;

/// Our own closes and orders.
#[derive(Clone, Debug, Default)]
pub struct OwnTrades {
    closes: VecDeque<Close>,
    orders: BTreeMap<OrderId, (u64, RuleKey)>,
    /// Tags of our orders that were not rejected; forgotten with them.
    tags: BTreeMap<OrderId, String>,
    serial: u64,
}

#[derive(Clone, Debug)]
struct Close {
    rule: RuleKey,
    /// `None`: of every position.
    contract: Option<ContractId>,
    /// `None`: not known any more.
    side: Option<OrderSide>,
    /// Contracts that it may still fill; `None`: all that is held.
    left: Option<Contracts>,
    from: Instant,
    until: Option<Instant>,
}

impl OwnTrades {
    /// A close was decided. A whole close takes whatever is held by then; a partial one no more than was
    /// asked for.
    pub(crate) fn closing(&mut self, contract: &ContractId, decided: &Engagement) {
        let Engagement { from, to, since, .. } = decided;
        let side = if from.0 > 0 { OrderSide::Sell } else { OrderSide::Buy };
        let left = (*to > Contracts::ZERO).then(|| from.size().saturating_sub(*to));
        let Some(rule) = decided.rules.first().copied() else { return };
        let (contract, side) = (Some(contract.clone()), Some(side));
        self.add(Close { rule, contract, side, left, from: *since, until: None });
    }

    /// A position grew while a part of it was to be closed: the close takes what is there by then.
    pub(crate) fn grew(&mut self, contract: &ContractId, held: Exposure, by: Contracts) {
        for close in self.closes.iter_mut().filter(|close| close.until.is_none()) {
            let is_meant = close.contract.as_ref() == Some(contract);
            if is_meant && close.side.is_some_and(|side| side.reduces(held)) {
                close.left = close.left.map(|left| left + by);
            }
        }
    }

    /// A close is remembered from before a restart.
    pub(crate) fn restore(&mut self, close: memory::OwnClose) {
        let memory::OwnClose { rule, contract, from, until } = close;
        self.add(Close { rule, contract, side: None, left: None, from, until });
    }

    /// Orders of RULE-012 from before a restart: one that filled while nothing ran is told by its fill alone, which
    /// carries no tag.
    pub(crate) fn restore_orders(&mut self, managed: &memory::Managed) {
        for order in managed.stop.iter().chain(&managed.target) {
            self.remember(order, RuleKey::TradeManagement);
        }
    }

    fn add(&mut self, close: Close) {
        self.closes.push_back(close);
        if self.closes.len() > MOST_CLOSES {
            self.closes.pop_front();
        }
    }

    /// The part of an enforcement at one contract ended.
    pub(crate) fn ended(&mut self, contract: &ContractId, now: Instant) {
        for close in self.closes.iter_mut().filter(|close| close.until.is_none()) {
            if close.contract.as_ref() == Some(contract) {
                close.until = Some(now);
            }
        }
    }

    /// An order that carries our tag: only RULE-012 places any.
    pub(crate) fn tagged(&mut self, order: &Order) {
        let Some(tag) = order.tag.as_ref().filter(|_| order.is_own()) else { return };
        if !self.orders.contains_key(&order.id) {
            self.remember(&order.id, RuleKey::TradeManagement);
            self.tags.insert(order.id.clone(), tag.clone());
        }
        if order.status == OrderStatus::Rejected {
            self.tags.remove(&order.id);
        }
    }

    /// Whether an order carries our tag.
    pub(crate) fn placed(&self, order: &OrderId) -> bool {
        self.tags.contains_key(order)
    }

    fn has_tag(&self, tag: &str) -> bool {
        self.tags.values().any(|known| known.starts_with(tag))
    }

    fn remember(&mut self, order: &OrderId, rule: RuleKey) {
        self.serial += 1;
        self.orders.insert(order.clone(), (self.serial, rule));
        if self.orders.len() > MOST_ORDERS {
            let newest = self.serial - (MOST_ORDERS / 2) as u64;
            self.orders.retain(|_, (serial, _)| *serial > newest);
            self.tags.retain(|order, _| self.orders.contains_key(order));
        }
    }

    /// The rule whose doing a fill is, if it is ours. `first_heard` is when its order was first heard of:
    /// an order that was there before the close is not the close's.
    pub(crate) fn claim(&mut self, fill: &Fill, first_heard: Option<Instant>) -> Option<RuleKey> {
        if let Some((_, rule)) = self.orders.get(&fill.order) {
            return Some(*rule);
        }
        let close = self.closes.iter_mut().find(|close| close.may_have_made(fill, first_heard))?;
        close.left = close.left.map(|left| left.saturating_sub(fill.size));
        let rule = close.rule;
        self.remember(&fill.order, rule);
        Some(rule)
    }
}

impl Close {
    fn may_have_made(&self, fill: &Fill, first_heard: Option<Instant>) -> bool {
        // Where the side is not known any more: a close makes no opening fill.
        let closes = self.side.map_or(fill.pnl.is_some(), |side| side == fill.side);
        let until = self.until.unwrap_or(self.from + LONGEST);
        closes
            && self.contract.as_ref().is_none_or(|contract| *contract == fill.contract)
            && self.left.is_none_or(|left| fill.size <= left)
            && (self.from - SLACK..=until + SLACK).contains(&fill.at)
            && first_heard.is_none_or(|heard| heard >= self.from)
    }
}

impl AccountState {
    /// Whether an order of ours with this tag, or with one that begins so, was heard of and is not rejected.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.own.has_tag(tag)
    }

    /// The rule whose doing a fill is, if it is ours.
    pub(crate) fn claim(&mut self, fill: &Fill) -> Option<RuleKey> {
        let first_heard = self.first_heard(&fill.order);
        self.own.claim(fill, first_heard)
    }
}

#[cfg(test)]
mod tests {
    use domain::{EnforcementId, Exposure, Usd};

    use super::*;

    fn at(second: u32) -> Instant {
        format!("2025-10-29T15:00:{second:02}Z").parse().unwrap()
    }

    fn fill(order: i64, side: OrderSide, size: u32, second: u32) -> Fill {
        Fill {
            id: order.into(),
            order: order.into(),
            account: "1".into(),
            contract: "C".into(),
            symbol: "MNQ".into(),
            side,
            size: Contracts(size),
            price: domain::Price(21_000.into()),
            pnl: Some(Usd::ZERO),
            fees: Usd::ZERO,
            commissions: None,
            voided: false,
            at: at(second),
        }
    }

    fn closing(from: i64, to: u32) -> OwnTrades {
        let mut own = OwnTrades::default();
        let decided = Engagement {
            id: EnforcementId(1),
            from: Exposure(from),
            to: Contracts(to),
            rules: vec![RuleKey::MaxContracts],
            since: at(10),
        };
        own.closing(&"C".into(), &decided);
        own
    }

    #[test]
    fn a_fill_is_ours_by_contract_side_size_and_time() {
        let claim = |fill: Fill, heard| closing(6, 5).claim(&fill, heard).is_some();
        assert!(claim(fill(1, OrderSide::Sell, 1, 10), Some(at(10))));
        assert!(claim(fill(1, OrderSide::Sell, 1, 10), None), "in doubt it is ours");
        assert!(!claim(fill(1, OrderSide::Buy, 1, 10), None));
        assert!(!claim(fill(1, OrderSide::Sell, 2, 10), None), "larger than what we asked for");
        assert!(!claim(fill(1, OrderSide::Sell, 1, 7), None), "before the call");
        assert!(!claim(fill(1, OrderSide::Sell, 1, 10), Some(at(9))), "its order rested before");
        let other = Fill { contract: "D".into(), ..fill(1, OrderSide::Sell, 1, 10) };
        assert!(!claim(other, None));
    }

    #[test]
    fn an_order_that_was_ours_once_stays_ours() {
        let mut own = closing(6, 4);
        assert!(own.claim(&fill(7, OrderSide::Sell, 1, 11), None).is_some());
        own.ended(&"C".into(), at(12));
        assert!(own.claim(&fill(7, OrderSide::Sell, 1, 30), None).is_some(), "late news of the same order");
        assert!(own.claim(&fill(8, OrderSide::Sell, 1, 30), None).is_none());
    }

    #[test]
    fn a_close_is_used_up_by_what_it_filled() {
        let mut own = closing(6, 5);
        assert!(own.claim(&fill(7, OrderSide::Sell, 1, 11), None).is_some());
        assert!(own.claim(&fill(8, OrderSide::Sell, 1, 11), None).is_none());
    }

    #[test]
    fn closes_from_before_a_restart_are_known_by_their_time() {
        let mut own = OwnTrades::default();
        let close =
            memory::OwnClose { rule: RuleKey::CooldownAfterLoss, contract: None, from: at(10), until: None };
        own.restore(close);
        assert_eq!(own.claim(&fill(7, OrderSide::Sell, 1, 12), None), Some(RuleKey::CooldownAfterLoss));
        let opening = Fill { pnl: None, ..fill(8, OrderSide::Buy, 1, 12) };
        assert_eq!(own.claim(&opening, None), None);
    }
}

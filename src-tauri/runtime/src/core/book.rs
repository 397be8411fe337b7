//! The engine's state, and the doubts about it, as the executor's book.

use domain::{
    AccountId, ContractId, Contracts, Exposure, Instant, Order, OrderId, OrderKind, rulebook::OnReduceRefused,
};
use engine::Engine;

use super::reconciler::Reconciler;
use crate::executor::Book;

/// What is known at an instant.
pub(super) struct Known<'a> {
    pub engine: &'a Engine,
    pub reconciler: &'a Reconciler,
    pub now: Instant,
}

impl Book for Known<'_> {
    fn exposure(&self, account: &AccountId, contract: &ContractId) -> Exposure {
        self.engine.account(account).map_or(Exposure::FLAT, |account| account.exposure(contract))
    }

    fn held(&self, account: &AccountId) -> Vec<ContractId> {
        let account = self.engine.account(account);
        account.map(|it| it.holdings().map(|it| it.position.contract.clone()).collect()).unwrap_or_default()
    }

    fn is_doubtful(&self, account: &AccountId) -> bool {
        self.reconciler.doubt_about(account, self.now).is_some()
    }

    fn allowed(&self, account: &AccountId, contract: &ContractId, to: Contracts) -> Contracts {
        self.engine.account(account).map_or(to, |account| account.allowed(contract, to))
    }

    fn agrees(&self, account: &AccountId, contract: &ContractId) -> bool {
        self.engine.account(account).is_none_or(|account| account.agrees(contract))
    }

    fn has_traded(
        &self,
        account: &AccountId,
        contract: &ContractId,
        change: Exposure,
        since: Instant,
    ) -> bool {
        self.engine.account(account).is_some_and(|account| account.has_traded(contract, change, since))
    }

    fn has_closed(
        &self,
        account: &AccountId,
        contract: &ContractId,
        change: Exposure,
        since: Instant,
    ) -> bool {
        self.engine.account(account).is_some_and(|account| account.has_closed(contract, change, since))
    }

    fn held_at(&self, account: &AccountId, contract: &ContractId, at: Instant) -> Exposure {
        self.engine.account(account).map_or(Exposure::FLAT, |account| account.held_at(contract, at))
    }

    fn first_heard(&self, account: &AccountId, order: &OrderId) -> Option<Instant> {
        self.engine.account(account)?.first_heard(order)
    }

    fn has_tag(&self, account: &AccountId, tag: &str) -> bool {
        self.engine.account(account).is_some_and(|account| account.has_tag(tag))
    }

    fn order(&self, account: &AccountId, order: &OrderId) -> Option<&Order> {
        self.engine.account(account)?.order(order)
    }

    fn entries(&self, account: &AccountId) -> Vec<OrderId> {
        let Some(account) = self.engine.account(account) else { return Vec::new() };
        let is_entry = |it: &Order| account.is_entry(it) && !account.is_exit_stop(it);
        let orders = account.working_orders().map(|it| &it.order);
        orders
            .filter(|it| is_cancellable(it) && (is_entry(it) || it.is_own()))
            .map(|it| it.id.clone())
            .collect()
    }

    fn exits(&self, account: &AccountId, contract: &ContractId) -> Vec<(OrderId, Instant)> {
        let Some(account) = self.engine.account(account) else { return Vec::new() };
        let held = account.exposure(contract);
        let is_exit = |order: &Order| {
            order.contract == *contract && order.kind == OrderKind::Market && order.side.reduces(held)
        };
        let exits = account.working_orders().filter(|it| is_exit(&it.order));
        exits.map(|it| (it.order.id.clone(), it.first_heard)).collect()
    }

    fn is_shrinking(&self, account: &AccountId, contract: &ContractId) -> bool {
        self.engine.account(account).is_some_and(|account| account.is_shrinking(contract))
    }

    fn closes_where_reducing_is_refused(&self) -> bool {
        self.engine.rulebook().on_reduce_refused == OnReduceRefused::Close
    }
}

/// Market orders are filling, suspended children end with their parents (ruling 22).
fn is_cancellable(order: &Order) -> bool {
    order.status.covers() && order.kind != OrderKind::Market
}

//! The engine's state as the executor's book.

use domain::{
    AccountId, ContractId, Exposure, Instant, Order, OrderId, OrderKind, rulebook::OnReduceRefused,
};
use engine::Engine;

use crate::executor::Book;

impl Book for Engine {
    fn exposure(&self, account: &AccountId, contract: &ContractId) -> Exposure {
        self.account(account).map_or(Exposure::FLAT, |account| account.exposure(contract))
    }

    fn held(&self, account: &AccountId) -> Vec<ContractId> {
        let account = self.account(account);
        account.map(|it| it.holdings().map(|it| it.position.contract.clone()).collect()).unwrap_or_default()
    }

    fn agrees(&self, account: &AccountId, contract: &ContractId) -> bool {
        self.account(account).is_none_or(|account| account.agrees(contract))
    }

    fn has_traded(
        &self,
        account: &AccountId,
        contract: &ContractId,
        change: Exposure,
        since: Instant,
    ) -> bool {
        self.account(account).is_some_and(|account| account.has_traded(contract, change, since))
    }

    fn first_heard(&self, account: &AccountId, order: &OrderId) -> Option<Instant> {
        self.account(account)?.first_heard(order)
    }

    fn has_tag(&self, account: &AccountId, tag: &str) -> bool {
        self.account(account).is_some_and(|account| account.has_tag(tag))
    }

    fn order(&self, account: &AccountId, order: &OrderId) -> Option<&Order> {
        self.account(account)?.order(order)
    }

    fn entries(&self, account: &AccountId) -> Vec<OrderId> {
        let Some(account) = self.account(account) else { return Vec::new() };
        let orders = account.working_orders().map(|it| &it.order);
        orders
            .filter(|it| is_cancellable(it) && (account.is_entry(it) || it.is_own()))
            .map(|it| it.id.clone())
            .collect()
    }

    fn exits(&self, account: &AccountId, contract: &ContractId) -> Vec<(OrderId, Instant)> {
        let Some(account) = self.account(account) else { return Vec::new() };
        let held = account.exposure(contract);
        let is_exit = |order: &Order| {
            order.contract == *contract && order.kind == OrderKind::Market && order.side.reduces(held)
        };
        let exits = account.working_orders().filter(|it| is_exit(&it.order));
        exits.map(|it| (it.order.id.clone(), it.first_heard)).collect()
    }

    fn is_shrinking(&self, account: &AccountId, contract: &ContractId) -> bool {
        self.account(account).is_some_and(|account| account.is_shrinking(contract))
    }

    fn closes_where_reducing_is_refused(&self) -> bool {
        self.rulebook().on_reduce_refused == OnReduceRefused::Close
    }
}

/// Market orders are filling, suspended children end with their parents (ruling 22).
fn is_cancellable(order: &Order) -> bool {
    order.status.covers() && order.kind != OrderKind::Market
}

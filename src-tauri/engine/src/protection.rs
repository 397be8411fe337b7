//! Which working orders protect a position for RULE-012: ours and the trader's, and what is left to ours. Tidies
//! up our own whatever the rules say; places nothing.

use domain::{
    Breach, ContractId, Contracts, Exposure, Fill, Instant, Leg, Order, OrderId, OrderKind, OrderStatus,
    Position, Priority, RuleKey,
};

use crate::{
    account::AccountState,
    managed::is_tighter,
    wants::{Want, Wants},
};

impl AccountState {
    /// Our own working orders of a contract.
    pub(crate) fn own_orders(&self, contract: &ContractId) -> impl Iterator<Item = &Order> {
        let orders = self.working_orders().map(|known| &known.order);
        orders.filter(move |order| order.is_own() && order.status.covers() && order.contract == *contract)
    }

    /// Stops at a fixed price, whoever placed them, that protect a position.
    pub(crate) fn movable_stops<'a>(&'a self, position: &'a Position) -> impl Iterator<Item = &'a Order> {
        self.working_orders().map(|known| &known.order).filter(|order| {
            Leg::of(order.kind) == Some(Leg::Stop)
                && order.status.covers()
                && order.side.reduces(position.exposure)
                && order.contract == position.contract
        })
    }

    /// Contracts that our own order of a leg is to cover: what is held, less what the trader's orders do.
    /// Whoever places, resizes or tidies up our orders goes by it.
    pub(crate) fn own_share(&self, position: &Position, leg: Leg) -> Contracts {
        let held = position.exposure;
        let own = self.movable_stops(position).filter(|it| it.is_own()).filter_map(|it| it.stop_price);
        let ours = own.reduce(|one, two| if is_tighter(held, two, one) { two } else { one });
        // Where we have a stop, only those count that are as near to the market: ours is never given up for a
        // farther one. A stop that the market has passed is filling.
        let counts = |order: &Order| match (leg, order.stop_price, ours) {
            (Leg::Stop, Some(stop), Some(ours)) => order.kind.is_stop() && !is_tighter(held, ours, stop),
            (Leg::Stop, None, _) | (Leg::Stop, _, None) => order.kind.is_stop(),
            (Leg::Target, ..) => Leg::of(order.kind) == Some(Leg::Target),
        };
        let covered: Contracts = self
            .working_orders()
            .map(|known| &known.order)
            .filter(|it| !it.is_own() && it.side.reduces(held) && it.contract == position.contract)
            .filter(|it| counts(it) && self.works_or_will(it))
            .map(Order::remaining)
            .sum();
        held.size().saturating_sub(covered)
    }

    /// Whether an order of the trader works, or will in a moment: a bracket child whose entry is filling
    /// arrives suspended (gateway reference 9.5).
    fn works_or_will(&self, order: &Order) -> bool {
        let entry = order.parent.as_ref().map(|parent| self.order(parent));
        match (order.status, entry) {
            (OrderStatus::Open | OrderStatus::Pending, _) => true,
            (OrderStatus::Suspended, Some(Some(entry))) => {
                entry.kind == OrderKind::Market || entry.filled > Contracts::ZERO
            }
            (OrderStatus::Suspended, Some(None)) => true,
            (
                OrderStatus::Suspended
                | OrderStatus::CancelPending
                | OrderStatus::Filled
                | OrderStatus::Cancelled
                | OrderStatus::Expired
                | OrderStatus::Rejected,
                _,
            ) => false,
        }
    }

    /// Our own orders whose position is gone, or has turned, would open one: they are cancelled at once.
    pub(crate) fn withdraw_own(&self, wants: &mut Wants) {
        let orphans: Vec<Order> = self
            .working_orders()
            .map(|known| &known.order)
            .filter(|order| order.is_own() && self.is_cancellable(order))
            .filter(|order| !order.side.reduces(self.exposure(&order.contract)))
            .cloned()
            .collect();
        for order in orphans {
            let breach = Breach::Leftover { symbol: Some(order.symbol) };
            wants.cancel(&order.id, Want::new(RuleKey::TradeManagement, breach, Priority::Low));
        }
    }

    /// One of our orders filled. Where the fills tell of exposure on its own side now, it came too late for
    /// its position, and what it opened is our own effect (ruling 17).
    pub(crate) fn own_order_filled(&mut self, fill: &Fill, now: Instant) {
        let told = self.book.get(&fill.contract).copied().unwrap_or_default();
        let signed = Exposure(fill.side.sign());
        if !told.is_flat() && told.same_side(signed) {
            self.races.opened(fill.contract.clone(), RuleKey::TradeManagement, -signed, now);
        }
    }

    /// A position is being closed: our own orders for it go with it.
    pub(crate) fn own_orders_of(&self, contract: &ContractId) -> Vec<OrderId> {
        let orders = self.own_orders(contract).filter(|order| self.is_cancellable(order));
        orders.map(|order| order.id.clone()).collect()
    }
}

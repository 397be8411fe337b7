//! Changing and cancelling orders (gateway reference 2.2, 3.4). Moving one leg of a bracket leaves the
//! other alone.

use projectx::wire::{
    code::{CancelError, ModifyError, OrderStatus, OrderType},
    rest::{ModifyOrder, OrderRef},
};
use rust_decimal::Decimal;

use super::{
    Gateway,
    entry::on_grid,
    events::is_listed,
    matching::Occasion,
    order::{Order, Stage},
};

impl Gateway {
    pub(super) fn cancel(&mut self, wish: &OrderRef) -> (CancelError, Option<String>) {
        let Some(account) = self.account_index(wish.account_id) else {
            return (CancelError::AccountNotFound, None);
        };
        if !self.accounts[account].simulated {
            return (CancelError::AccountRejected, Some("Live accounts not supported".to_string()));
        }
        if self.accounts[account].follower {
            return (
                CancelError::AccountRejected,
                Some("Follower accounts cannot cancel orders".to_string()),
            );
        }
        match self.changeable(account, wish.order_id) {
            Changeable::Yes(order) => {
                let id = order.id;
                self.end_order(id, OrderStatus::Cancelled);
                (CancelError::Success, None)
            }
            Changeable::UnderWay => (CancelError::Pending, None),
            Changeable::No => (CancelError::OrderNotFound, None),
        }
    }

    pub(super) fn modify(&mut self, wish: &ModifyOrder) -> (ModifyError, Option<String>) {
        let Some(account) = self.account_index(wish.account_id) else {
            return (ModifyError::AccountNotFound, None);
        };
        let order = match self.changeable(account, wish.order_id) {
            Changeable::Yes(order) => order.clone(),
            Changeable::UnderWay => return (ModifyError::Pending, None),
            Changeable::No => return (ModifyError::OrderNotFound, None),
        };
        match self.changed(order, wish) {
            Ok(order) => {
                let id = order.id;
                if let Some(kept) = self.orders.get_mut(id) {
                    *kept = Order { updated: self.now, ..order };
                }
                self.tell_order(id);
                self.match_order(id, Occasion::Placed);
                (ModifyError::Success, None)
            }
            Err(message) => (ModifyError::Rejected, Some(message)),
        }
    }

    /// The order as it is to be; a member that does not belong to its type is passed over.
    fn changed(&self, mut order: Order, wish: &ModifyOrder) -> Result<Order, String> {
        let tick = self.catalogue.listing(order.contract).tick();
        if let Some(size) = wish.size {
            if size <= order.filled {
                return Err("Invalid order size.".to_string());
            }
            order.size = size;
        }
        if let (Some(price), true) = (wish.limit_price, order.limit.is_some()) {
            order.limit = Some(on_grid("limit", Some(price.0), tick)?);
        }
        if order.kind == OrderType::TrailingStop {
            return self.retrailed(order, wish.trail_price.map(|price| price.0));
        }
        if let (Some(price), true) = (wish.stop_price, order.stop.is_some()) {
            let stop = on_grid("stop", Some(price.0), tick)?;
            self.check_stop_side(&order, stop)?;
            order.stop = Some(stop);
        }
        Ok(order)
    }

    /// A new trail price has no largest distance here (gateway reference 3.4).
    fn retrailed(&self, order: Order, level: Option<Decimal>) -> Result<Order, String> {
        if level.is_none() {
            return Ok(order);
        }
        let (stop, ticks) = self.trail(&order, level, None)?;
        Ok(Order { stop: Some(stop), trail: Some(ticks), ..order })
    }

    fn changeable(&self, account: usize, id: i64) -> Changeable<'_> {
        match self.orders.get(id).filter(|order| order.account == account && !order.is_ended()) {
            Some(order) if matches!(order.stage, Stage::Executing(_)) => Changeable::UnderWay,
            Some(order) if is_listed(order.status) => Changeable::Yes(order),
            Some(_) | None => Changeable::No,
        }
    }
}

/// Whether an order can still be changed.
enum Changeable<'a> {
    Yes(&'a Order),
    /// It is filling.
    UnderWay,
    /// Unknown, ended, pending or suspended.
    No,
}

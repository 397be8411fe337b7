//! What a fill does: trade, order, position, balance, and the events in the order in which the real
//! gateway sends them (gateway reference 9.2 to 9.6).

use domain::{Exposure, Usd};
use projectx::wire::code::OrderStatus;
use rust_decimal::Decimal;

use super::{
    Gateway,
    account::{Change, Position, Trade},
    catalogue::ContractIndex,
    stamp::Precision,
};

impl Gateway {
    /// Books `size` contracts of an order at `price` and tells subscribers.
    pub(super) fn book_fill(&mut self, id: i64, size: i64, price: Decimal) {
        let Some(order) = self.orders.get(id) else { return };
        let (account, contract, fill) = (order.account, order.contract, order.exposure(size));
        let listing = self.catalogue.listing(contract);
        let held = self.accounts[account].positions.get(&contract).cloned();
        let change = Change::of(held.as_ref(), listing, fill, price);
        let trade = Trade {
            id: self.ids.trade(),
            account,
            contract,
            order: id,
            at: self.now,
            price,
            side: order.side,
            size,
            profit: change.profit,
            fees: self.cost(listing.fees, size),
            commissions: self.cost(listing.commissions, size),
            voided: false,
        };
        self.credit(&trade);
        self.trades.add(trade.clone());
        self.count_fill(id, size, price);
        self.tell_fill(id, &trade, held.as_ref());
        self.move_position(account, contract, held, &change, trade.id);
        self.tell_account_repeatedly(account);
        self.settle_children(id);
        self.settle_sibling(id);
    }

    /// Undoes a trade's money; the position stays, as nobody has published what the venue does to it.
    pub(super) fn void_trade(&mut self, id: i64) -> bool {
        let Some(trade) = self.trades.get_mut(id).filter(|trade| !trade.voided) else {
            return self.trades.get(id).is_some();
        };
        trade.voided = true;
        let trade = trade.clone();
        let negated = Trade {
            profit: trade.profit.map(|profit| -profit),
            fees: -trade.fees,
            commissions: -trade.commissions,
            ..trade.clone()
        };
        self.credit(&negated);
        self.tell_trade(&trade);
        self.tell_account(trade.account);
        true
    }

    fn cost(&self, per_contract: Decimal, size: i64) -> Usd {
        match self.settings.costs {
            crate::settings::Costs::Platform => Usd(per_contract) * size,
            crate::settings::Costs::Zero => Usd::ZERO,
        }
    }

    fn credit(&mut self, trade: &Trade) {
        let account = &mut self.accounts[trade.account];
        let profit = trade.profit.unwrap_or_default();
        let costs = trade.fees + trade.commissions;
        account.gross += profit;
        account.costs += costs;
        account.balance += profit - costs;
    }

    /// A fill does not move the order's update stamp (gateway reference 9.3).
    fn count_fill(&mut self, id: i64, size: i64, price: Decimal) {
        let Some(order) = self.orders.get_mut(id) else { return };
        order.filled += size;
        order.paid += price * Decimal::from(size);
        order.fills += 1;
        let status = if order.left() == 0 { OrderStatus::Filled } else { OrderStatus::Open };
        self.orders.set_status(id, status);
    }

    /// An opening fill shows the trade before the order; a closing one the order first, then its trade
    /// and once more the trade that had opened the position.
    fn tell_fill(&mut self, id: i64, trade: &Trade, held: Option<&Position>) {
        if trade.profit.is_none() {
            self.tell_trade(trade);
            self.tell_order(id);
            return;
        }
        self.tell_order(id);
        self.tell_trade(trade);
        if let Some(opening) = held.and_then(|held| self.trades.get(held.first_trade)).cloned() {
            self.tell_trade(&opening);
        }
    }

    fn move_position(
        &mut self,
        account: usize,
        contract: ContractIndex,
        held: Option<Position>,
        change: &Change,
        trade: i64,
    ) {
        let flip_as_update = self.faults.flip_as_update;
        if let Some(old) = held.as_ref()
            && (change.after.is_flat() || (change.is_flip() && !flip_as_update))
        {
            self.accounts[account].positions.remove(&contract);
            let closed = Position { exposure: Exposure::FLAT, ..old.clone() };
            let row = self.position_row(account, contract, &closed, Precision::Hub);
            self.tell_position(&row);
        }
        if change.after.is_flat() {
            return;
        }
        let kept = held.filter(|_| !change.is_flip() || flip_as_update);
        let first_trade =
            if change.is_flip() { trade } else { kept.as_ref().map_or(trade, |old| old.first_trade) };
        let (id, opened) = match &kept {
            Some(old) => (old.id, old.opened),
            None => (self.ids.position(), self.now),
        };
        let position = Position { id, opened, exposure: change.after, average: change.average, first_trade };
        let row = self.position_row(account, contract, &position, Precision::Hub);
        self.accounts[account].positions.insert(contract, position);
        self.tell_position(&row);
    }
}

//! Orders: what is kept of them, in which state they are, and their rows on the wire.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Exposure, Instant};
use projectx::wire::{
    Number,
    code::{OrderSide, OrderStatus, OrderType},
    model,
};
use rust_decimal::Decimal;

use super::{
    Gateway,
    catalogue::ContractIndex,
    stamp::{self, Precision},
};

/// Orders that are kept; the oldest ended one goes beyond it.
pub(super) const ORDERS_LIMIT: usize = 200_000;

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub id: i64,
    pub account: usize,
    pub contract: ContractIndex,
    pub kind: OrderType,
    pub side: OrderSide,
    pub size: i64,
    pub limit: Option<Decimal>,
    pub stop: Option<Decimal>,
    /// Ticks: signed distance of a bracket child to its entry, or of a trailing stop to the market.
    pub trail: Option<i64>,
    pub tag: Option<String>,
    /// Of a bracket child: its entry.
    pub parent: Option<i64>,
    /// Of a take profit: its stop loss.
    pub linked: Option<i64>,
    /// Of an entry with brackets: its children.
    pub children: Vec<i64>,
    pub status: OrderStatus,
    pub stage: Stage,
    pub filled: i64,
    /// Sum of price times size of its fills.
    pub paid: Decimal,
    pub fills: u32,
    pub created: Instant,
    pub updated: Instant,
}

/// What the matching makes of an order that is not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for its price.
    Resting,
    /// A stop limit whose stop was reached.
    Triggered,
    /// Its next fill is under way; it can no longer be changed.
    Executing(Terms),
}

/// At which price an execution is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terms {
    /// At the market of the moment.
    Market,
    /// At the limit.
    Limit,
    /// At the market of the moment, the limit at worst.
    MarketOrBetter,
}

/// All orders.
#[derive(Debug, Default)]
pub(super) struct Orders {
    rows: BTreeMap<i64, Order>,
    /// Not ended, per contract: what a price can fill.
    working: BTreeSet<(ContractIndex, i64)>,
}

impl Order {
    pub(super) fn is_ended(&self) -> bool {
        match self.status {
            OrderStatus::Filled | OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected => {
                true
            }
            OrderStatus::None
            | OrderStatus::Open
            | OrderStatus::Pending
            | OrderStatus::PendingCancellation
            | OrderStatus::Suspended => false,
        }
    }

    pub(super) fn left(&self) -> i64 {
        self.size - self.filled
    }

    /// Average price of its fills.
    pub(super) fn filled_price(&self) -> Option<Decimal> {
        (self.filled > 0).then(|| (self.paid / Decimal::from(self.filled)).round_dp(9))
    }

    /// Signed size of a fill.
    pub(super) fn exposure(&self, size: i64) -> Exposure {
        match self.side {
            OrderSide::Bid => Exposure(size),
            OrderSide::Ask => Exposure(-size),
        }
    }
}

impl Orders {
    /// Adds an order and returns the tag of the one that had to go, if any.
    pub(super) fn add(&mut self, order: Order) -> Option<(usize, String)> {
        let gone = (self.rows.len() >= ORDERS_LIMIT).then(|| self.drop_oldest()).flatten();
        if !order.is_ended() {
            self.working.insert((order.contract, order.id));
        }
        self.rows.insert(order.id, order);
        gone
    }

    pub(super) fn get(&self, id: i64) -> Option<&Order> {
        self.rows.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: i64) -> Option<&mut Order> {
        self.rows.get_mut(&id)
    }

    /// Moves an order to a status; the clock of its update is the caller's business.
    pub(super) fn set_status(&mut self, id: i64, status: OrderStatus) {
        if let Some(order) = self.rows.get_mut(&id) {
            order.status = status;
            if order.is_ended() {
                self.working.remove(&(order.contract, id));
            }
        }
    }

    pub(super) fn of(&self, account: usize) -> impl DoubleEndedIterator<Item = &Order> {
        self.rows.values().filter(move |order| order.account == account)
    }

    /// Orders of an account that are not ended, by id.
    pub(super) fn working_of(&self, account: usize) -> Vec<&Order> {
        let mut found: Vec<&Order> = self
            .working
            .iter()
            .filter_map(|(_, id)| self.rows.get(id))
            .filter(|order| order.account == account)
            .collect();
        found.sort_by_key(|order| order.id);
        found
    }

    /// Orders of a contract that are not ended, oldest first.
    pub(super) fn working_in(&self, contract: ContractIndex) -> Vec<i64> {
        self.working.range((contract, i64::MIN)..=(contract, i64::MAX)).map(|(_, id)| *id).collect()
    }

    fn drop_oldest(&mut self) -> Option<(usize, String)> {
        let oldest = self.rows.values().find(|order| order.is_ended())?.id;
        let order = self.rows.remove(&oldest)?;
        Some((order.account, order.tag?))
    }
}

impl Gateway {
    /// An order as REST and hubs show it.
    pub(super) fn order_row(&self, id: i64, precision: Precision) -> Option<model::Order> {
        let order = self.orders.get(id)?;
        let listing = self.catalogue.listing(order.contract);
        Some(model::Order {
            id: order.id,
            account_id: self.accounts[order.account].id,
            contract_id: listing.instrument.contract.to_string(),
            symbol_id: Some(listing.symbol_id.clone()),
            creation_timestamp: stamp::write(order.created, precision),
            update_timestamp: Some(stamp::write(order.updated, precision)),
            status: order.status.code(),
            kind: order.kind.code(),
            side: order.side.code(),
            size: order.size,
            limit_price: order.limit.map(Number),
            stop_price: order.stop.map(Number),
            fill_volume: order.filled,
            filled_price: order.filled_price().map(Number),
            custom_tag: order.tag.clone(),
            trail_price: order.trail.map(|ticks| Number(Decimal::from(ticks) * listing.tick())),
            trail_distance: order.trail,
            parent_order_id: order.parent,
            linked_order_id: order.linked,
        })
    }

    /// Cancels, rejects or expires an order and says so.
    pub(super) fn end_order(&mut self, id: i64, status: OrderStatus) {
        self.orders.set_status(id, status);
        if let Some(order) = self.orders.get_mut(id) {
            order.updated = self.now;
        }
        self.tell_order(id);
        self.settle_children(id);
    }
}

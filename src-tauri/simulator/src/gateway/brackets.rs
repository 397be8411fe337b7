//! Bracket children: made with the entry, suspended until it fills, then one cancels the other (gateway
//! reference 9.5). Whatever happens to the position does not concern them.

use chrono::TimeDelta;
use projectx::wire::{
    code::{OrderSide, OrderStatus, OrderType},
    rest::Bracket,
};
use rand::RngExt;
use rust_decimal::Decimal;

use super::{
    Gateway,
    matching::Occasion,
    order::{Order, Stage},
    schedule::Task,
};

/// Least distance of a bracket, in ticks.
const CLOSEST_TICKS: i64 = 4;

/// From the entry's fill to the children's activation, in milliseconds.
const ACTIVATION_MS: [i64; 2] = [18, 19];

/// From the fill of one leg to the end of the other, in milliseconds.
const CANCEL_MS: std::ops::RangeInclusive<i64> = 11..=14;

/// Which leg a bracket is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leg {
    StopLoss,
    TakeProfit,
}

/// Why brackets are refused, in the gateway's words (gateway reference 2.3).
pub(super) fn refusal(side: OrderSide, stop: Option<&Bracket>, target: Option<&Bracket>) -> Option<String> {
    stop.and_then(|bracket| Leg::StopLoss.refusal(side, bracket))
        .or_else(|| target.and_then(|bracket| Leg::TakeProfit.refusal(side, bracket)))
}

impl Leg {
    fn refusal(self, side: OrderSide, bracket: &Bracket) -> Option<String> {
        let ticks = bracket.ticks;
        let (name, allowed) = match self {
            Self::StopLoss => ("stop loss", [OrderType::Stop, OrderType::TrailingStop].as_slice()),
            Self::TakeProfit => ("take profit", [OrderType::Limit].as_slice()),
        };
        let below = (self == Self::StopLoss) == (side == OrderSide::Bid);
        let direction = if side == OrderSide::Bid { "longing" } else { "shorting" };
        if below && ticks >= 0 {
            return Some(format!(
                "Invalid {name} ticks ({ticks}). Ticks should be less than zero when {direction}."
            ));
        }
        if !below && ticks <= 0 {
            return Some(format!(
                "Invalid {name} ticks ({ticks}). Ticks should be greater than zero when {direction}."
            ));
        }
        if ticks.abs() < CLOSEST_TICKS {
            return Some(format!(
                "Invalid {name} ticks ({ticks}). Price should be at least {CLOSEST_TICKS} ticks away."
            ));
        }
        let known = OrderType::try_from(bracket.kind).is_ok_and(|kind| allowed.contains(&kind));
        (!known).then(|| format!("Invalid {name} type."))
    }
}

impl Gateway {
    /// Makes the suspended children of an entry that was just accepted: ids follow the entry's.
    pub(super) fn add_children(&mut self, entry: i64, stop: Option<&Bracket>, target: Option<&Bracket>) {
        let stop = stop.and_then(|bracket| self.add_child(entry, bracket, "-SL", None));
        let target = target.and_then(|bracket| self.add_child(entry, bracket, "-TP", stop));
        if let Some(order) = self.orders.get_mut(entry) {
            order.children = [stop, target].into_iter().flatten().collect();
        }
    }

    /// The entry may have ended or filled: its children begin to work, or end with it.
    pub(super) fn settle_children(&mut self, entry: i64) {
        let Some(order) = self.orders.get(entry).filter(|order| order.is_ended()) else { return };
        let (children, filled) = (order.children.clone(), order.filled);
        for (child, after) in children.into_iter().rev().zip(ACTIVATION_MS) {
            if filled == 0 {
                self.end_order(child, OrderStatus::Cancelled);
            } else if self.is_immediate() {
                self.activate(child);
            } else {
                self.plan_after(TimeDelta::milliseconds(after), Task::Activate(child));
            }
        }
    }

    /// A suspended child begins to work, at its distance from the entry's fill price.
    pub(super) fn activate(&mut self, child: i64) {
        let Some(order) = self.orders.get(child).filter(|order| order.status == OrderStatus::Suspended)
        else {
            return;
        };
        let Some(entry) = order.parent.and_then(|parent| self.orders.get(parent)) else { return };
        let tick = self.catalogue.listing(order.contract).tick();
        let base = entry.filled_price().unwrap_or_default();
        let price = base + Decimal::from(order.trail.unwrap_or_default()) * tick;
        let (size, price) = (entry.filled, (price / tick).round() * tick);
        if let Some(order) = self.orders.get_mut(child) {
            order.size = size;
            order.updated = self.now;
            match order.kind {
                OrderType::Limit => order.limit = Some(price),
                OrderType::Unknown
                | OrderType::Market
                | OrderType::StopLimit
                | OrderType::Stop
                | OrderType::TrailingStop
                | OrderType::JoinBid
                | OrderType::JoinAsk => order.stop = Some(price),
            }
        }
        self.orders.set_status(child, OrderStatus::Open);
        self.tell_order(child);
        self.match_order(child, Occasion::Placed);
    }

    /// One leg filled: the other one ends without any call.
    pub(super) fn settle_sibling(&mut self, leg: i64) {
        let filled = self.orders.get(leg).is_some_and(|order| order.status == OrderStatus::Filled);
        let Some(sibling) = self.sibling(leg).filter(|_| filled) else { return };
        if self.is_immediate() {
            self.cancel_sibling(sibling);
        } else {
            let after = self.rng.random_range(CANCEL_MS);
            self.plan_after(TimeDelta::milliseconds(after), Task::CancelSibling(sibling));
        }
    }

    pub(super) fn cancel_sibling(&mut self, leg: i64) {
        if self.orders.get(leg).is_some_and(|order| !order.is_ended()) {
            self.end_order(leg, OrderStatus::Cancelled);
        }
    }

    /// The other leg of a bracket child.
    pub(super) fn sibling(&self, leg: i64) -> Option<i64> {
        let parent = self.orders.get(self.orders.get(leg)?.parent?)?;
        parent.children.iter().copied().find(|child| *child != leg)
    }

    fn add_child(&mut self, entry: i64, bracket: &Bracket, suffix: &str, linked: Option<i64>) -> Option<i64> {
        let kind = OrderType::try_from(bracket.kind).ok()?;
        let entry = self.orders.get(entry)?.clone();
        let id = self.ids.order();
        let side = match entry.side {
            OrderSide::Bid => OrderSide::Ask,
            OrderSide::Ask => OrderSide::Bid,
        };
        let child = Order {
            id,
            kind,
            side,
            limit: None,
            stop: None,
            trail: Some(bracket.ticks),
            tag: entry.tag.as_ref().map(|tag| format!("{tag}{suffix}")),
            parent: Some(entry.id),
            linked,
            children: Vec::new(),
            status: OrderStatus::Suspended,
            stage: Stage::Resting,
            ..entry
        };
        self.keep_order(child);
        Some(id)
    }
}

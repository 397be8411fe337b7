//! Taking orders: what is checked, what is refused with which words, and how an accepted order starts
//! (gateway reference 2.2, 2.3, 3.4).

use chrono::TimeDelta;
use domain::Exposure;
use projectx::wire::{
    code::{OrderSide, OrderStatus, OrderType, PlaceError},
    rest::PlaceOrder,
};
use rand::RngExt;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{
    Gateway, brackets,
    catalogue::ContractIndex,
    matching::Occasion,
    order::{Order, Stage, Terms},
    schedule::Task,
};

/// What a shut market answers.
pub(super) const SHUT: &str =
    "Trading is currently unavailable. The instrument is not in an active trading status.";

/// Widest trailing stop, in ticks.
const TRAIL_LIMIT: i64 = 1_000;

/// From acceptance to rejection where things take time, in milliseconds.
const REJECT_MS: std::ops::RangeInclusive<i64> = 2..=4;

/// How a placement ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// Also of a rejected order: it exists.
    pub order: Option<i64>,
    pub code: PlaceError,
    pub message: Option<String>,
}

/// A placement whose enum numbers are known.
pub(super) struct Placement {
    pub account: usize,
    pub contract: ContractIndex,
    pub kind: OrderType,
    pub side: OrderSide,
    pub order: PlaceOrder,
}

impl Gateway {
    pub(super) fn place(&mut self, placement: &Placement) -> Placed {
        let refused = |code| Placed { order: None, code, message: None };
        if !self.catalogue.listing(placement.contract).instrument.active {
            return refused(PlaceError::ContractNotActive);
        }
        if !self.accounts[placement.account].can_trade {
            return refused(PlaceError::AccountViolation);
        }
        self.watch(placement.contract);
        let order = self.draft(placement);
        match self.check(&order, placement) {
            Ok((limit, stop, trail)) => self.accept(Order { limit, stop, trail, ..order }, placement),
            Err(message) => self.reject(order, message),
        }
    }

    /// Sends the market order that closes `size` contracts of a position; it carries no tag.
    pub(super) fn place_close(&mut self, account: usize, contract: ContractIndex, held: Exposure, size: i64) {
        let side = if held.0 > 0 { OrderSide::Ask } else { OrderSide::Bid };
        let id = self.ids.order();
        let order = self.blank(id, account, contract, OrderType::Market, side, size);
        self.keep_order(order);
        self.tell_order(id);
        self.execute(id, Terms::Market);
    }

    /// Keeps an order; forgets the tag of one that had to go for it.
    pub(super) fn keep_order(&mut self, order: Order) {
        if let Some((account, tag)) = self.orders.add(order) {
            self.accounts[account].tags.remove(&tag);
        }
    }

    fn draft(&mut self, placement: &Placement) -> Order {
        let Placement { account, contract, kind, side, order } = placement;
        let id = self.ids.order();
        let blank = self.blank(id, *account, *contract, *kind, *side, order.size);
        Order { tag: order.custom_tag.clone(), ..blank }
    }

    fn blank(
        &self,
        id: i64,
        account: usize,
        contract: ContractIndex,
        kind: OrderType,
        side: OrderSide,
        size: i64,
    ) -> Order {
        Order {
            id,
            account,
            contract,
            kind,
            side,
            size,
            limit: None,
            stop: None,
            trail: None,
            tag: None,
            parent: None,
            linked: None,
            children: Vec::new(),
            status: OrderStatus::Pending,
            stage: Stage::Resting,
            filled: 0,
            paid: Decimal::ZERO,
            fills: 0,
            created: self.now,
            updated: self.now,
        }
    }

    /// Everything that rejects an order, with the gateway's words; or its prices.
    fn check(&self, order: &Order, placement: &Placement) -> Result<Prices, String> {
        let wanted = &placement.order;
        let refusal = self.refusal(order, placement).or_else(|| {
            brackets::refusal(
                order.side,
                wanted.stop_loss_bracket.as_ref(),
                wanted.take_profit_bracket.as_ref(),
            )
        });
        refusal.map_or_else(|| self.order_prices(order, placement), Err)
    }

    fn refusal(&self, order: &Order, placement: &Placement) -> Option<String> {
        let account = &self.accounts[order.account];
        let wanted = &placement.order;
        let bracketed = wanted.stop_loss_bracket.is_some() || wanted.take_profit_bracket.is_some();
        if self.faults.market_closed {
            return Some(SHUT.to_string());
        }
        if wanted.size <= 0 {
            return Some("Invalid order size.".to_string());
        }
        if order.tag.as_ref().is_some_and(|tag| account.tags.contains(tag)) {
            return Some("Custom tag is already in use.".to_string());
        }
        if bracketed && !account.settings.auto_oco {
            return Some(
                "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
                    .to_string(),
            );
        }
        None
    }

    /// Limit, stop and trail of an order, checked against grid and market.
    fn order_prices(&self, order: &Order, placement: &Placement) -> Result<Prices, String> {
        let wanted = &placement.order;
        let tick = self.catalogue.listing(order.contract).tick();
        let limit = || on_grid("limit", wanted.limit_price.map(|price| price.0), tick).map(Some);
        let stop = || {
            let stop = on_grid("stop", wanted.stop_price.map(|price| price.0), tick)?;
            self.check_stop_side(order, stop).map(|()| Some(stop))
        };
        match placement.kind {
            OrderType::Market => Ok((None, None, None)),
            OrderType::Limit => Ok((limit()?, None, None)),
            OrderType::Stop => Ok((None, stop()?, None)),
            OrderType::StopLimit => Ok((limit()?, stop()?, None)),
            OrderType::TrailingStop => {
                let (stop, ticks) =
                    self.trail(order, wanted.trail_price.map(|price| price.0), Some(TRAIL_LIMIT))?;
                Ok((None, Some(stop), Some(ticks)))
            }
            OrderType::JoinBid => {
                Ok((Some(self.books[order.contract.0].own_best(OrderSide::Bid)), None, None))
            }
            OrderType::JoinAsk => {
                Ok((Some(self.books[order.contract.0].own_best(OrderSide::Ask)), None, None))
            }
            OrderType::Unknown => Err("Invalid order type.".to_string()),
        }
    }

    /// A stop must lie beyond the market.
    pub(super) fn check_stop_side(&self, order: &Order, stop: Decimal) -> Result<(), String> {
        let last = self.books[order.contract.0].last;
        let wrong = match order.side {
            OrderSide::Bid => stop < last,
            OrderSide::Ask => stop > last,
        };
        if wrong { Err("Invalid stop price".to_string()) } else { Ok(()) }
    }

    /// Stop and signed distance of a trailing stop whose trail price is an absolute level; the server
    /// keeps whole ticks.
    pub(super) fn trail(
        &self,
        order: &Order,
        level: Option<Decimal>,
        most: Option<i64>,
    ) -> Result<(Decimal, i64), String> {
        let tick = self.catalogue.listing(order.contract).tick();
        let last = self.books[order.contract.0].last;
        let level = level.ok_or_else(|| "Trail Distance not set.".to_string())?;
        if !(level % tick).is_zero() {
            return Err("Invalid trail price. Price is not aligned to tick size.".to_string());
        }
        if last <= Decimal::ZERO {
            return Err("Cannot trail without a last price".to_string());
        }
        let distance = ((last - level).abs() / tick).trunc().to_i64().unwrap_or(i64::MAX);
        if distance == 0 {
            return Err("Trail Distance not set.".to_string());
        }
        if most.is_some_and(|most| distance > most) {
            return Err(format!("Trail Distance exceeds maximum ({TRAIL_LIMIT})"));
        }
        let ticks = if order.side == OrderSide::Ask { -distance } else { distance };
        Ok((last + Decimal::from(ticks) * tick, ticks))
    }

    fn accept(&mut self, order: Order, placement: &Placement) -> Placed {
        let (id, kind) = (order.id, order.kind);
        if let Some(tag) = &order.tag {
            self.accounts[order.account].tags.insert(tag.clone());
        }
        self.keep_order(order);
        let wanted = &placement.order;
        self.add_children(id, wanted.stop_loss_bracket.as_ref(), wanted.take_profit_bracket.as_ref());
        self.tell_new_order(id);
        match kind {
            OrderType::Market => self.execute(id, Terms::Market),
            OrderType::Unknown
            | OrderType::Limit
            | OrderType::StopLimit
            | OrderType::Stop
            | OrderType::TrailingStop
            | OrderType::JoinBid
            | OrderType::JoinAsk => {
                self.orders.set_status(id, OrderStatus::Open);
                self.tell_order(id);
                self.match_order(id, Occasion::Placed);
            }
        }
        Placed { order: Some(id), code: PlaceError::Success, message: None }
    }

    /// The stop loss shows itself before the entry, the take profit after it (gateway reference 9.5).
    fn tell_new_order(&mut self, id: i64) {
        let children = self.orders.get(id).map(|order| order.children.clone()).unwrap_or_default();
        let is_target =
            |child: &i64| self.orders.get(*child).is_some_and(|order| order.kind == OrderType::Limit);
        let (after, before): (Vec<i64>, Vec<i64>) = children.into_iter().partition(is_target);
        for order in before.into_iter().chain([id]).chain(after) {
            self.tell_order(order);
        }
    }

    /// A rejected order exists: it is seen pending and then rejected.
    fn reject(&mut self, order: Order, message: String) -> Placed {
        let id = order.id;
        self.keep_order(order);
        self.tell_order(id);
        if self.is_immediate() {
            self.end_order(id, OrderStatus::Rejected);
        } else {
            let after = self.rng.random_range(REJECT_MS);
            self.plan_after(TimeDelta::milliseconds(after), Task::Reject(id));
        }
        Placed { order: Some(id), code: PlaceError::OrderRejected, message: Some(message) }
    }
}

/// Limit price, stop price, trail distance in ticks.
type Prices = (Option<Decimal>, Option<Decimal>, Option<i64>);

/// A price that lies on the grid.
pub(super) fn on_grid(name: &str, price: Option<Decimal>, tick: Decimal) -> Result<Decimal, String> {
    match price {
        Some(price) if (price % tick).is_zero() => Ok(price),
        Some(_) => Err(format!("Invalid {name} price. Price is not aligned to tick size.")),
        None => Err(format!("Invalid {name} price")),
    }
}

//! Orders.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ContractId, Contracts, Exposure, Instant, OrderId, Price, Symbol};

/// Direction of an order or a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OrderSide {
    /// Adds to a long, takes from a short.
    Buy,
    /// Adds to a short, takes from a long.
    Sell,
}

/// How an order executes (gateway reference 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// At the limit price or better.
    Limit,
    /// At once.
    Market,
    /// A limit order once the stop price trades.
    StopLimit,
    /// A market order once the stop price trades.
    Stop,
    /// A stop that follows the market.
    TrailingStop,
    /// A limit at the best bid of the moment.
    JoinBid,
    /// A limit at the best ask of the moment.
    JoinAsk,
}

/// Where an order stands (gateway reference 4). A partial fill is `Open` with `filled` above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Working at the exchange.
    Open,
    /// Accepted, not yet working.
    Pending,
    /// A bracket child that waits for its parent's fill.
    Suspended,
    /// A cancel is under way.
    CancelPending,
    /// Completely executed.
    Filled,
    /// Ended by a cancel.
    Cancelled,
    /// Ended by time.
    Expired,
    /// Refused.
    Rejected,
}

/// The whole entity, as the broker sends it with every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The broker's id.
    pub id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// For which contract.
    pub contract: ContractId,
    /// Its root, known without asking for metadata.
    pub symbol: Symbol,
    /// Direction.
    pub side: OrderSide,
    /// How it executes.
    pub kind: OrderKind,
    /// Where it stands.
    pub status: OrderStatus,
    /// Total size.
    pub size: Contracts,
    /// Executed so far.
    pub filled: Contracts,
    /// Limit price, if it has one.
    pub limit_price: Option<Price>,
    /// Stop price, if it has one.
    pub stop_price: Option<Price>,
    /// Average price of what was executed.
    pub filled_price: Option<Price>,
    /// The client's own mark; this product's orders carry `rm-…`.
    pub tag: Option<String>,
    /// Of a bracket child: the entry's id.
    pub parent: Option<OrderId>,
    /// Of a take-profit child: its stop-loss sibling.
    pub linked: Option<OrderId>,
    /// When it was created.
    pub created_at: Instant,
}

/// What a protective order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// A stop order that limits the loss or keeps a gain.
    Stop,
    /// A limit order that takes a gain.
    Target,
}

/// A protective order as it is wished for: it only ever reduces what is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// For which contract.
    pub contract: ContractId,
    /// What it is for.
    pub leg: Leg,
    /// Direction: opposite to what is held.
    pub side: OrderSide,
    /// Total size, what was executed of it included; never more than is held.
    pub size: Contracts,
    /// Stop price or limit price, on the grid of ticks.
    pub price: Price,
}

/// Prefix of the tag on every order that this product places (specification C.11).
pub const OWN_TAG: &str = "rm-";

impl Leg {
    /// What the leg is of an order that could be a protective one.
    #[must_use]
    pub fn of(kind: OrderKind) -> Option<Self> {
        match kind {
            OrderKind::Stop => Some(Self::Stop),
            OrderKind::Limit => Some(Self::Target),
            OrderKind::Market
            | OrderKind::StopLimit
            | OrderKind::TrailingStop
            | OrderKind::JoinBid
            | OrderKind::JoinAsk => None,
        }
    }
}

impl Ticket {
    /// Whether, filled completely, it does nothing but make an exposure smaller; `filled` of it is executed.
    #[must_use]
    pub fn only_reduces(&self, held: Exposure, filled: Contracts) -> bool {
        let left = self.size.saturating_sub(filled);
        self.side.reduces(held) && left > Contracts::ZERO && left <= held.size()
    }

    /// Whether a working order is as wished for.
    #[must_use]
    pub fn is_met_by(&self, order: &Order) -> bool {
        order.size == self.size && order.leg_price() == Some(self.price)
    }

    /// Whether bringing this order to the wished price would move a stop away from the market.
    #[must_use]
    pub fn loosens(&self, order: &Order) -> bool {
        order.stop_price.is_some_and(|stop| self.is_looser_than(stop))
    }

    /// Whether this is a stop farther from the market than one at that price.
    #[must_use]
    pub fn is_looser_than(&self, stop: Price) -> bool {
        match (self.leg, self.side) {
            (Leg::Stop, OrderSide::Sell) => self.price < stop,
            (Leg::Stop, OrderSide::Buy) => self.price > stop,
            (Leg::Target, _) => false,
        }
    }
}

impl OrderSide {
    /// `+1` for buys, `-1` for sells.
    #[must_use]
    pub fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// Whether an order of this side reduces the exposure rather than adding to it.
    #[must_use]
    pub fn reduces(self, exposure: Exposure) -> bool {
        self.sign() == -exposure.0.signum() && !exposure.is_flat()
    }
}

impl OrderStatus {
    /// It may still execute.
    #[must_use]
    pub fn is_working(self) -> bool {
        match self {
            Self::Open | Self::Pending | Self::Suspended | Self::CancelPending => true,
            Self::Filled | Self::Cancelled | Self::Expired | Self::Rejected => false,
        }
    }

    /// It counts as stop coverage: suspended children and orders being cancelled never do (ruling 22).
    #[must_use]
    pub fn covers(self) -> bool {
        matches!(self, Self::Open | Self::Pending)
    }
}

impl OrderKind {
    /// Stop, stop-limit or trailing stop.
    #[must_use]
    pub fn is_stop(self) -> bool {
        matches!(self, Self::Stop | Self::StopLimit | Self::TrailingStop)
    }
}

impl Order {
    /// What can still execute.
    #[must_use]
    pub fn remaining(&self) -> Contracts {
        self.size.saturating_sub(self.filled)
    }

    /// Placed by this product.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.tag.as_deref().is_some_and(|tag| tag.starts_with(OWN_TAG))
    }

    /// The price that a protective order of its kind goes by.
    #[must_use]
    pub fn leg_price(&self) -> Option<Price> {
        match Leg::of(self.kind)? {
            Leg::Stop => self.stop_price,
            Leg::Target => self.limit_price,
        }
    }

    /// What it would do to exposure if it filled completely: signed remaining size.
    #[must_use]
    pub fn would_add(&self) -> Exposure {
        Exposure(self.side.sign() * i64::from(self.remaining().0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(side: OrderSide, size: u32, price: i64) -> Ticket {
        let (contract, leg) = ("C".into(), Leg::Stop);
        Ticket { contract, leg, side, size: Contracts(size), price: Price(price.into()) }
    }

    #[test]
    fn a_protective_order_never_adds() {
        let reduces = |side, size, held| ticket(side, size, 1).only_reduces(Exposure(held), Contracts(0));
        assert!(reduces(OrderSide::Sell, 2, 2) && reduces(OrderSide::Buy, 1, -2));
        assert!(!reduces(OrderSide::Sell, 3, 2), "larger than the position");
        assert!(!reduces(OrderSide::Sell, 1, -2) && !reduces(OrderSide::Buy, 1, 2), "on the entry side");
        assert!(!reduces(OrderSide::Sell, 1, 0) && !reduces(OrderSide::Sell, 0, 1));
        assert!(ticket(OrderSide::Sell, 3, 1).only_reduces(Exposure(2), Contracts(1)), "one is filled");
        assert!(!ticket(OrderSide::Sell, 1, 1).only_reduces(Exposure(2), Contracts(1)), "nothing is left");
    }

    #[test]
    fn a_stop_loosens_away_from_the_market() {
        let order = |side| Order {
            id: 1.into(),
            account: 1.into(),
            contract: "C".into(),
            symbol: "MNQ".into(),
            side,
            kind: OrderKind::Stop,
            status: OrderStatus::Open,
            size: Contracts(1),
            filled: Contracts(0),
            limit_price: None,
            stop_price: Some(Price(10.into())),
            filled_price: None,
            tag: None,
            parent: None,
            linked: None,
            created_at: Instant::default(),
        };
        let loosens = |side, price| ticket(side, 1, price).loosens(&order(side));
        assert!(
            loosens(OrderSide::Sell, 9) && !loosens(OrderSide::Sell, 10) && !loosens(OrderSide::Sell, 11)
        );
        assert!(loosens(OrderSide::Buy, 11) && !loosens(OrderSide::Buy, 10) && !loosens(OrderSide::Buy, 9));
        let target = Ticket { leg: Leg::Target, ..ticket(OrderSide::Sell, 1, 9) };
        assert!(!target.loosens(&order(OrderSide::Sell)));
    }
}

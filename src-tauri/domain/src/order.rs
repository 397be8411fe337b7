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

/// Prefix of the tag on every order that this product places (specification C.11).
pub const OWN_TAG: &str = "rm-";

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

    /// What it would do to exposure if it filled completely: signed remaining size.
    #[must_use]
    pub fn would_add(&self) -> Exposure {
        Exposure(self.side.sign() * i64::from(self.remaining().0))
    }
}

//! Net holdings. One per account and contract.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ContractId, Exposure, Instant, PositionId, Price, Symbol};

/// Direction of a holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

/// The broker's word on one holding; `exposure` 0 says that it is closed, and then `average_price` is
/// still the entry, never an exit (gateway reference 8.4, L-12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// New for every position.
    pub id: PositionId,
    /// Whose it is.
    pub account: AccountId,
    /// What is held.
    pub contract: ContractId,
    /// Its root, known without asking for metadata.
    pub symbol: Symbol,
    /// How much, signed; the sign comes from the broker's direction field (L-11).
    pub exposure: Exposure,
    /// Volume-weighted entry price.
    pub average_price: Price,
    /// When it was opened; not moved by later changes.
    pub opened_at: Instant,
}

impl Side {
    /// Direction of an exposure; `None` when flat.
    #[must_use]
    pub fn of(exposure: Exposure) -> Option<Self> {
        match exposure.0 {
            0 => None,
            n if n > 0 => Some(Self::Long),
            _ => Some(Self::Short),
        }
    }
}

//! What outlives a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, ContractId, Fill, Instant, Lockout, TradingDay, Usd};

/// Final or running figures of one trading day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFigures {
    /// Which day.
    pub day: TradingDay,
    /// Gross result of closing fills.
    pub realized: Usd,
    /// Fees and commissions, positive.
    pub fees: Usd,
    /// Distinct trader orders with a fill.
    pub trades: u32,
    /// Closing fills with a gain.
    pub wins: u32,
    /// Closing fills with a loss.
    pub losses: u32,
    /// Some commissions are from the fee table, not from the broker.
    pub estimated: bool,
}

/// A fill with what this product knew of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFill {
    /// The fill.
    pub fill: Fill,
    /// Caused by this product.
    pub own: bool,
    /// An account-wide lockout was active.
    pub locked: bool,
}

/// What is remembered of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMemory {
    /// Lockouts that have not ended.
    pub lockouts: Vec<Lockout>,
    /// Deadlines of positions without complete stop.
    pub stop_deadlines: BTreeMap<ContractId, Instant>,
    /// The trading day that was open, and its figures so far.
    pub day: Option<DayFigures>,
    /// Fills of that day.
    pub fills: Vec<KnownFill>,
}

/// What a start finds; read by `store`, given to the engine as its first event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// By account.
    pub accounts: BTreeMap<AccountId, AccountMemory>,
    /// The first enforcement id that was never used.
    pub next_enforcement: u64,
    /// The latest engine time that was written down; the engine's time never starts before it.
    pub last_seen: Option<Instant>,
}

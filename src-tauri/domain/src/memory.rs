//! What outlives a restart.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, ContractId, Fill, Instant, Instrument, Lockout, OrderId, PositionId, Price, RuleKey,
    TradingDay, Usd,
};

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

/// Figures of a week, for display only. A week begins with the reset on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekFigures {
    /// The Monday.
    pub monday: NaiveDate,
    /// Result after fees and commissions.
    pub realized: Usd,
    /// Distinct trader orders with a fill, day by day.
    pub trades: u32,
}

/// A close that this product asked for: fills of that time and place are its own (ruling 18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnClose {
    /// The rule that wanted it.
    pub rule: RuleKey,
    /// Of which position; `None` of every one.
    pub contract: Option<ContractId>,
    /// When it was decided.
    pub from: Instant,
    /// When it was seen to be done or given up; `None` if that is not known.
    pub until: Option<Instant>,
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

/// What RULE-012 knows of one position beyond what the broker tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managed {
    /// Which position.
    pub position: PositionId,
    /// The best price since it was opened; `None` before the first one.
    pub best: Option<Price>,
    /// Our own stop, as last seen.
    pub stop: Option<OrderId>,
    /// Our own target, as last seen.
    pub target: Option<OrderId>,
    /// The stop was moved to the entry.
    pub breakeven_done: bool,
    /// The stop follows the best price.
    pub trailing: bool,
    /// How often the automatic stop was taken away by someone else.
    pub stops_lost: u32,
    /// The automatic target was taken away by someone else: it is not placed again.
    pub target_lost: bool,
}

/// What is remembered of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMemory {
    /// Lockouts that have not ended.
    pub lockouts: Vec<Lockout>,
    /// Deadlines of positions without complete stop.
    pub stop_deadlines: BTreeMap<ContractId, Instant>,
    /// What RULE-012 knows of open positions.
    #[serde(default)]
    pub managed: BTreeMap<ContractId, Managed>,
    /// The trading day that was open, and its figures so far.
    pub day: Option<DayFigures>,
    /// When that day began.
    #[serde(default)]
    pub day_began: Option<Instant>,
    /// Closed days of its week.
    #[serde(default)]
    pub week: Option<WeekFigures>,
    /// Fills of that day, and of the hour before it.
    pub fills: Vec<KnownFill>,
    /// Closes of the last hour.
    #[serde(default)]
    pub closes: Vec<OwnClose>,
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
    /// What contracts were worth by the broker's word of then: counts until it says it anew.
    #[serde(default)]
    pub instruments: Vec<Instrument>,
}

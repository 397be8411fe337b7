//! Connection, data and what is measured in the picture of the moment.

use domain::Instant;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// State of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// Connected and subscribed.
    Up,
    /// Not connected, or not subscribed yet.
    Down,
}

/// Connection and data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Health {
    /// Positions, orders, fills.
    pub user_stream: StreamState,
    /// Prices.
    pub market_stream: StreamState,
    /// Logged in.
    pub logged_in: bool,
    /// When the last fact of the user stream arrived.
    pub last_event_at: Option<Instant>,
    /// When the last price arrived.
    pub last_quote_at: Option<Instant>,
    /// When all accounts were last confirmed by the broker.
    pub last_reconcile_at: Option<Instant>,
    /// Whole seconds between this computer's clock and the broker's; null until it is known.
    pub clock_apart_seconds: Option<i64>,
    /// The disk takes what must be kept.
    pub disk_ok: bool,
}

/// Median, tail and number of a measurement, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Timing {
    /// How many samples, at most the last 1,000.
    pub count: u64,
    /// Median.
    #[cfg_attr(test, ts(type = "string"))]
    pub p50_ms: Decimal,
    /// 95th percentile.
    #[cfg_attr(test, ts(type = "string"))]
    pub p95_ms: Decimal,
    /// The largest.
    #[cfg_attr(test, ts(type = "string"))]
    pub max_ms: Decimal,
}

/// The six metrics of specification E.1; null until measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Metrics {
    /// Cause received to close request handed to the wire.
    pub enforcement_latency_ms: Option<Timing>,
    /// Cause received to target seen at the broker.
    pub confirmation_latency_ms: Option<Timing>,
    /// One event through all rules.
    pub event_processing_ms: Option<Timing>,
    /// Resident memory of the engine's process.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub memory_usage_mb: Option<Decimal>,
    /// Inputs waiting.
    pub queue_depth: u64,
    /// The last reconcile.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub reconciliation_time_sec: Option<Decimal>,
    /// Events taken since the start.
    pub events: u64,
    /// Broker messages that could not be understood or believed.
    pub malformed: u64,
    /// One rule's look at one event.
    pub rule_eval_ms: Option<Timing>,
    /// What is beyond its limit now.
    pub exceeded: Vec<Measure>,
    /// What arrived and was not as it should be.
    pub intake: Intake,
}

/// What is measured and has a limit (specification E.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Cause received to close request handed to the wire.
    EnforcementLatency,
    /// One event through all rules.
    EventProcessing,
    /// Resident memory.
    Memory,
    /// Growth of the memory over six hours.
    MemoryGrowth,
    /// Inputs waiting.
    QueueDepth,
    /// A reading of an account as a whole.
    Reconciliation,
    /// One rule's look at one event.
    RuleEvaluation,
}

/// Messages of the broker since the start that were not as they should be, by kind (specification C.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Intake {
    /// Not of the agreed form.
    pub unreadable: u64,
    /// With a value that this version does not know.
    pub unknown: u64,
    /// With a value that can't be.
    pub impossible: u64,
    /// With a price beside the contract's tick grid.
    pub off_grid: u64,
    /// About an account that is not watched.
    pub foreign: u64,
    /// Told again with the same content, and not taken again.
    pub repeated: u64,
    /// Times that positions and fills told different stories, as when messages arrive out of order.
    pub contradictory: u64,
    /// Times that the queue was full.
    pub overflows: u64,
}

//! One line of the audit in the picture of the moment.

use domain::{AccountId, Instant, RuleKey, Usd};
use serde::{Deserialize, Serialize};

/// How an audited action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptOutcome {
    /// Not ended yet.
    Pending,
    /// Seen at the broker.
    Confirmed,
    /// Given up.
    Failed,
    /// Only recorded, because the rule does not enforce.
    Observed,
    /// Another action made it needless.
    Superseded,
    /// A lock, a setting, a reset: done by being written down.
    Recorded,
}

/// One line of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReceiptView {
    /// Number in the chain.
    pub seq: i64,
    /// When it was written.
    pub at: Instant,
    /// Which account; null for settings.
    pub account: Option<AccountId>,
    /// Configuration key of the rule, or `trader`.
    pub rule: RuleKey,
    /// The rule in the words of people.
    pub title: String,
    /// `close_position`, `reduce_position`, `flatten_account`, `cancel_order`, `lockout` …
    pub action: String,
    /// Value of limit, as one sentence.
    pub reason: String,
    /// What was done, in the words of people; null while nothing is known.
    pub done: Option<String>,
    /// How it ended.
    pub outcome: ReceiptOutcome,
    /// When the cause was received.
    pub detected_at: Option<Instant>,
    /// When the first request was handed to the wire.
    pub sent_at: Option<Instant>,
    /// When the last request was accepted.
    pub acknowledged_at: Option<Instant>,
    /// When the target was seen at the broker.
    pub confirmed_at: Option<Instant>,
    /// From detected to confirmed, in microseconds; while pending null.
    pub latency_us: Option<i64>,
    /// Dollars past the limit, for money limits.
    pub overshoot_usd: Option<Usd>,
}

//! The past as viewers see it: trading days with result, breaches, lockouts and receipts, and personal
//! sessions. Plain values; read from the database beside the loop, never by it.

use domain::{AccountId, Instant, LockKind, RuleKey, Symbol, TradingDay, Usd};
use serde::{Deserialize, Serialize};

use crate::view::{ReceiptOutcome, ReceiptView};

/// What of the past is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HistoryQuery {
    /// How many trading days, the newest first.
    pub days: u32,
    /// Only this account.
    pub account: Option<AccountId>,
    /// Only what this rule did.
    pub rule: Option<RuleKey>,
    /// Which receipts.
    pub shown: Shown,
}

/// Receipts by how they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// All of them.
    All,
    /// What was done, or is being done.
    Enforced,
    /// What would have been done.
    Observed,
    /// What could not be done.
    Failed,
    /// Settings, resets, recoveries: what no rule brought about.
    Changes,
}

/// The past of all accounts, or of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct History {
    /// Newest first.
    pub days: Vec<HistoryDay>,
    /// Personal sessions, newest first.
    pub sessions: Vec<SessionView>,
    /// Older receipts are left out: there are too many.
    pub cut: bool,
}

/// One trading day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HistoryDay {
    /// Its label.
    pub day: TradingDay,
    /// How each account ended it.
    pub accounts: Vec<AccountDay>,
    /// What was done and why, newest first.
    pub receipts: Vec<PastReceipt>,
}

/// One account's trading day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AccountDay {
    /// The broker's id.
    pub account: AccountId,
    /// First two parts and last four characters of its name; the id where that is unknown.
    pub name: String,
    /// The day runs: its figures are those of a moment ago.
    pub is_open: bool,
    /// Closed result before fees and commissions.
    pub realized: Usd,
    /// Fees and commissions, positive.
    pub fees: Usd,
    /// Closed result after them.
    pub net: Usd,
    /// Some commissions come from the fee table.
    pub fees_estimated: bool,
    /// Distinct trader orders with a fill.
    pub trades: u32,
    /// Closing fills with a gain.
    pub wins: u32,
    /// Closing fills with a loss.
    pub losses: u32,
    /// Lowest closed and open result together; null when it was never known.
    pub lowest: Option<Usd>,
    /// Highest closed and open result together; null when it was never known.
    pub highest: Option<Usd>,
    /// How often a limit was crossed, enforced or only observed.
    pub breaches: u32,
    /// Lockouts that began on this day, oldest first.
    pub lockouts: Vec<PastLockout>,
}

/// A lockout, over or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PastLockout {
    /// Configuration key of the rule, or `trader`.
    pub rule: RuleKey,
    /// The rule in the words of people.
    pub title: String,
    /// HARD, TIMER or SYMBOL.
    pub kind: LockKind,
    /// For one symbol only.
    pub symbol: Option<Symbol>,
    /// Value of limit, as one sentence.
    pub reason: String,
    /// When it began.
    pub since: Instant,
    /// When it was to end; null without a time.
    pub until: Option<Instant>,
    /// When it ended; null while it lasts.
    pub ended: Option<Instant>,
}

/// A receipt with its place in the chain of records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PastReceipt {
    /// What was done and why.
    pub receipt: ReceiptView,
    /// Hash of its record.
    pub hash: String,
    /// The last error, where one stood in the way.
    pub error: Option<String>,
}

/// A personal session: from clocking in to clocking out. It has no effect on any rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionView {
    /// The broker's id.
    pub account: AccountId,
    /// Its short name.
    pub name: String,
    /// Clocked in.
    pub began: Instant,
    /// Clocked out, or ended by the daily reset; null while it runs.
    pub ended: Option<Instant>,
    /// Distinct trader orders with a fill; null while it runs or where it is not known.
    pub trades: Option<u32>,
    /// Closed result after fees and commissions; null as above.
    pub net: Option<Usd>,
    /// How often a limit was crossed; null as above.
    pub breaches: Option<u32>,
}

impl Shown {
    /// Whether a receipt belongs to it.
    #[must_use]
    pub fn shows(self, receipt: &ReceiptView) -> bool {
        self == Self::All || self == Self::of(receipt)
    }

    fn of(receipt: &ReceiptView) -> Self {
        match receipt.outcome {
            ReceiptOutcome::Observed => Self::Observed,
            ReceiptOutcome::Failed => Self::Failed,
            ReceiptOutcome::Recorded if NO_DEEDS.contains(&receipt.action.as_str()) => Self::Changes,
            ReceiptOutcome::Recorded
            | ReceiptOutcome::Pending
            | ReceiptOutcome::Confirmed
            | ReceiptOutcome::Superseded => Self::Enforced,
        }
    }
}

/// Recorded actions that enforce nothing.
const NO_DEEDS: [&str; 5] = ["settings", "reset", "recovery", "override", "alert"];

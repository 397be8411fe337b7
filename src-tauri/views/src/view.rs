//! The one picture of the moment that every viewer gets: window, tray, `riskctl status`.
//!
//! Its outer shape is a fixed interface (`riskctl status --json`). Money and prices are decimal strings,
//! times RFC 3339 UTC; what is unknown is null, never zero.

mod account;
mod health;
mod receipt;

use domain::{AccountId, Instant, RuleKey, Severity};
use serde::{Deserialize, Serialize};

use crate::{
    guard::GuardView,
    text::{Note, Purpose, Zones},
};
pub use account::{
    AccountKind, AccountView, CurvePoint, Gauge, GaugeState, Headroom, LockoutView, OrderRole, OrderView,
    PositionView, ProofView, QuoteState, Stretch, Unit,
};
pub use health::{Health, Intake, Measure, Metrics, StreamState, Timing};
pub use receipt::{ReceiptOutcome, ReceiptView};

/// Whether the trader is protected. Ordered by how much it matters: the greatest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Watched; the limits are not enforced, RULE-008 is.
    Observing,
    /// Watched and enforced.
    Armed,
    /// At least one account-wide lockout is active and enforced.
    Locked,
    /// Nothing can be promised.
    NotProtected,
}

/// Everything of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct View {
    /// Engine time of this picture.
    pub at: Instant,
    /// The worst truth over all accounts.
    pub protection: Protection,
    /// Since when `protection` has its value.
    pub since: Instant,
    /// The first ten seconds after a start: "Not protected yet", neutral.
    pub starting: bool,
    /// Some money or trade limit of an armed account is used by 75 % or more.
    pub near_limit: bool,
    /// Why, as one sentence; null when armed and nothing is to be said.
    pub reason: Option<String>,
    /// All reasons for not being protected, the weightiest first.
    pub doubts: Vec<DoubtView>,
    /// The watched accounts, in the broker's order.
    pub accounts: Vec<AccountView>,
    /// The latest enforcements, newest first, at most 50.
    pub receipts: Vec<ReceiptView>,
    /// Connection and data.
    pub health: Health,
    /// The measured figures.
    pub metrics: Metrics,
    /// Changes of the settings that do not apply yet, because they protect less.
    #[serde(default)]
    pub pending: Vec<PendingView>,
    /// Another one whenever the settings files, or what is in force of them, may have changed.
    #[serde(default)]
    pub settings_revision: String,
    /// Until when only stricter changes of the settings are taken; null: looser ones wait as usual.
    #[serde(default)]
    pub settings_locked_until: Option<Instant>,
    /// What is connected to, in the words of people: `TopstepX`, `Demo`.
    pub broker: String,
    /// How the engine runs: `tray`, `headless`, `demo`, `service`.
    pub mode: String,
    /// Version of the program.
    pub version: String,
    /// What the desktop is told.
    #[serde(default)]
    pub desktop: DesktopView,
    /// The zone whose times are shown beside Central Time, as IANA calls it; null: that of the reader's
    /// computer.
    #[serde(default)]
    pub zone: Option<String>,
    /// The guard password; null: none is set.
    #[serde(default)]
    pub guard: Option<GuardView>,
    /// Accounts of the login that are not watched, in the broker's order.
    #[serde(default)]
    pub other_accounts: Vec<OtherAccount>,
}

/// An account that is not watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OtherAccount {
    /// The broker's id.
    pub id: AccountId,
    /// The broker's whole name.
    pub name: String,
    /// What it is called: the trader's own name for it, or first two parts and last four characters of the broker's.
    pub short_name: String,
    /// What it is.
    pub kind: AccountKind,
    /// The broker accepts orders for it.
    pub can_trade: bool,
}

/// The settings of native notifications, as they are in force (specification C.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DesktopView {
    /// Whether there are any.
    pub enabled: bool,
    /// From which severity; lost protection is shown whatever it weighs.
    pub min_severity: Severity,
}

impl Default for DesktopView {
    /// Everything: what is not known keeps nothing back.
    fn default() -> Self {
        Self { enabled: true, min_severity: Severity::Info }
    }
}

impl DesktopView {
    /// Whether a message becomes a native notification.
    #[must_use]
    pub fn shows(self, note: &Note) -> bool {
        match note.purpose {
            Purpose::News | Purpose::Hint => self.enabled && note.severity >= self.min_severity,
            Purpose::Protection => self.enabled,
            Purpose::Test => true,
        }
    }
}

impl View {
    /// Whether a command would reach the broker: signed in, and the stream that confirms it is up.
    #[must_use]
    pub fn can_send(&self) -> bool {
        !self.starting && self.health.logged_in && self.health.user_stream == StreamState::Up
    }

    /// The zones in which its times are shown on a computer: a zone that the settings name comes first.
    #[must_use]
    pub fn zones(&self, of_computer: Zones) -> Zones {
        let chosen = self.zone.as_ref().and_then(|name| name.parse().ok());
        chosen.map_or(of_computer, |zone| of_computer.or_chosen(zone))
    }
}

/// What a change of the settings waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PendingState {
    /// The daily reset.
    Waits,
    /// The end of a lockout: its daily reset is over.
    Held,
    /// Somebody who knows what time it is.
    Undated,
    /// Nothing: it was made while the account was locked, and is not taken over.
    Refused,
}

/// A change of the settings that does not apply yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PendingView {
    /// Whose rules; null: of everyone.
    pub account: Option<AccountId>,
    /// Which rule; null: daily reset, holidays, watched accounts.
    pub rule: Option<RuleKey>,
    /// Dotted path of the setting.
    pub key: String,
    /// What changes, from what to what.
    pub text: String,
    /// The value in force, as it would be written.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub from: serde_json::Value,
    /// The value that waits.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub to: serde_json::Value,
    /// What it waits for.
    pub state: PendingState,
    /// From when it applies; null while that is unknown or if it never will.
    pub applies_at: Option<Instant>,
}

/// One reason for not being protected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DoubtView {
    /// Its kind, for icons and tests: `starting`, `login`, `unreachable`, `user_stream`, `market_stream`, `reconcile`,
    /// `disk`, `clock`, `config`, `rule`, `dry_run`, `accounts`, `engine_lost`.
    pub kind: String,
    /// One sentence: what and why.
    pub text: String,
    /// What the trader can do about it.
    pub advice: String,
    /// Since when.
    pub since: Instant,
    /// The account it concerns; null concerns all.
    pub account: Option<AccountId>,
}

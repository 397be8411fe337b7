//! Everything in the four files that is not a rule: addresses, timers, logs, backups, channels.
//!
//! Defaults and ranges: specification C.6, C.12, C.14, C.16, C.22; hosts: gateway reference, section 0.

use std::{collections::BTreeSet, fmt};

use chrono_tz::Tz;
use domain::{AccountId, Symbol, calendar::CENTRAL, rulebook::OnReduceRefused};
use serde::{Deserialize, Serialize, Serializer};

/// Where the broker is (`api.yaml`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// REST, without a trailing slash.
    pub base_url: String,
    /// Accounts, orders, positions, trades.
    pub user_hub_url: String,
    /// Quotes.
    pub market_hub_url: String,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            base_url: "https://api.topstepx.com".to_string(),
            user_hub_url: "https://rtc.topstepx.com/hubs/user".to_string(),
            market_hub_url: "https://rtc.topstepx.com/hubs/market".to_string(),
        }
    }
}

/// Settings of the program itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// What is shown and subscribed.
    pub general: General,
    /// Log files.
    pub logging: Logging,
    /// Backups of the database.
    pub database: Database,
    /// From which share of a limit people are told.
    pub warnings: Warnings,
    /// Who is told, and how.
    pub notifications: Notifications,
    /// Daily reset and timers, beyond what the rulebook says.
    pub timers: Timers,
}

/// What is shown and subscribed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct General {
    /// Roots that are subscribed even while nothing is held in them. Every traded symbol is protected,
    /// listed or not (D-46).
    pub instruments: BTreeSet<Symbol>,
    /// The zone in which times are shown. No schedule depends on it.
    pub timezone: Tz,
    /// What follows when the platform does not let an account reduce a position.
    pub on_reduce_refused: OnReduceRefused,
}

impl Default for General {
    fn default() -> Self {
        Self {
            instruments: BTreeSet::new(),
            timezone: CENTRAL,
            on_reduce_refused: OnReduceRefused::default(),
        }
    }
}

/// How much is written into the log files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// The ordinary course of things.
    #[default]
    Info,
    /// What somebody should look at.
    Warning,
    /// What failed.
    Error,
}

/// Log files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Logging {
    /// The least that is written.
    pub level: LogLevel,
    /// Folder; `None`: `logs` in the home folder.
    pub directory: Option<String>,
    /// Megabytes at which a file is turned over; 1 to 1000.
    pub max_size_mb: u32,
    /// Days that files are kept; 1 to 365.
    pub retention_days: u32,
}

impl Default for Logging {
    fn default() -> Self {
        Self { level: LogLevel::Info, directory: None, max_size_mb: 100, retention_days: 30 }
    }
}

/// Backups of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Database {
    /// Whether backups are made.
    pub backup_enabled: bool,
    /// Hours between two backups; 1 to 168.
    pub backup_interval_hours: u32,
    /// How many are kept; 1 to 100.
    pub max_backups: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self { backup_enabled: true, backup_interval_hours: 24, max_backups: 7 }
    }
}

/// From which share of a limit people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warnings {
    /// Percent of a money or trade limit at which people are told, each once a day; 1 to 99. None: nobody
    /// is told.
    pub told_at_percent: BTreeSet<u32>,
}

impl Default for Warnings {
    fn default() -> Self {
        let told_at_percent = domain::rulebook::warn_at_percent().into_iter().collect();
        Self { told_at_percent }
    }
}

/// How grave a message must be for a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Gravity {
    /// Everything.
    Info,
    /// Limits that come near, lost connections.
    #[default]
    Warning,
    /// Failures.
    Error,
    /// Protection at stake.
    Critical,
}

/// Who is told, and how (specification C.14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notifications {
    /// On this machine's desktop.
    pub desktop: Desktop,
    /// Discord.
    pub discord: Discord,
    /// Telegram.
    pub telegram: Telegram,
    /// Email.
    pub email: Email,
}

/// Notifications of the operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Desktop {
    /// Whether they are shown.
    pub enabled: bool,
    /// From which gravity.
    pub min_severity: Gravity,
}

impl Default for Desktop {
    fn default() -> Self {
        // The end of a lockout weighs no more, and a trader waits for it.
        Self { enabled: true, min_severity: Gravity::Info }
    }
}

/// A Discord webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Discord {
    /// Whether it is used.
    pub enabled: bool,
    /// From which gravity.
    pub min_severity: Gravity,
    /// Its address, which is a secret.
    pub webhook_url: Option<Secret>,
}

/// A Telegram bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Telegram {
    /// Whether it is used.
    pub enabled: bool,
    /// From which gravity.
    pub min_severity: Gravity,
    /// The bot's token.
    pub bot_token: Option<Secret>,
    /// Who gets the messages.
    pub chat_id: Option<String>,
}

/// Mail by SMTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Email {
    /// Whether it is used.
    pub enabled: bool,
    /// From which gravity.
    pub min_severity: Gravity,
    /// Mail server.
    pub smtp_host: Option<String>,
    /// Its port; 1 to 65535.
    pub smtp_port: u32,
    /// Whether the connection must be encrypted.
    pub tls: bool,
    /// Sender.
    pub from: Option<String>,
    /// Receiver.
    pub to: Option<String>,
    /// Login name at the server.
    pub username: Option<String>,
    /// Password at the server.
    pub password: Option<Secret>,
}

impl Default for Email {
    fn default() -> Self {
        Self {
            enabled: false,
            min_severity: Gravity::Warning,
            smtp_host: None,
            smtp_port: 587,
            tls: true,
            from: None,
            to: None,
            username: None,
            password: None,
        }
    }
}

/// Timers beyond what the rulebook says (specification C.6, C.16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timers {
    /// Whether the reset ends lockouts of RULE-003.
    pub unlock_daily_loss: bool,
    /// Whether the reset ends lockouts of RULE-013.
    pub unlock_daily_profit: bool,
    /// Whether the end of a lockout is told.
    pub notify_unlock: bool,
    /// Whether a change of the clocks is told.
    pub notify_dst: bool,
}

impl Default for Timers {
    fn default() -> Self {
        Self { unlock_daily_loss: true, unlock_daily_profit: true, notify_unlock: true, notify_dst: true }
    }
}

/// Practice or live, as the user says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// Simulated money.
    Practice,
    /// Real money.
    Live,
}

/// One entry of `accounts.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedAccount {
    /// The broker's id.
    pub id: AccountId,
    /// What the user calls it.
    pub name: Option<String>,
    /// Whether it is watched.
    pub enabled: bool,
    /// Practice or live.
    pub account_type: Option<AccountType>,
    /// A note.
    pub description: Option<String>,
    /// A file with rules of its own, inside the configuration folder.
    pub risk_config_file: Option<String>,
}

/// A secret that came out of the environment. Prints and serialises as stars.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// What stands in place of a secret.
pub(crate) const STARS: &str = "***";

impl Secret {
    /// The secret itself, for the one call that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(STARS)
    }
}

//! The settings as a window shows and edits them: what each key means, what applies to whom and where it
//! is written, and what a change would lead to. Knows no files and decides nothing.

use domain::{AccountId, Instant, RuleKey, Symbol, Usd};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Everything a form of the settings is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingsView {
    /// Rules and sections with their keys: rules by their number, then everything else.
    pub groups: Vec<SettingsGroup>,
    /// What applies: to everyone first, then to each account listed in the files.
    pub scopes: Vec<SettingsScope>,
    /// What somebody should look at in the files as they are now.
    pub faults: Vec<SettingFault>,
    /// Whether the files can be used. Otherwise these values are those that were read last.
    pub usable: bool,
}

/// One rule or section of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingsGroup {
    /// The rule, if it is one.
    pub rule: Option<RuleKey>,
    /// Dotted path inside its file; empty at the top.
    pub prefix: String,
    /// The file in which everyone's values stand.
    pub file: String,
    /// In the words of people.
    pub title: String,
    /// One or two sentences.
    pub help: String,
    /// Its keys, in the order of the file.
    pub keys: Vec<SettingKey>,
}

/// What one key means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingKey {
    /// Dotted path inside its file; `<symbol>` stands for a root symbol.
    pub key: String,
    /// In the words of people.
    pub title: String,
    /// One or two sentences.
    pub help: String,
    /// `boolean`, `integer`, `money`, `choice`, `duration`, `time`, `timezone`, `weekdays`, `percents`, `dates`,
    /// `early_closes`, `windows`, `tiers`, `patterns`, `symbols`, `unlisted_symbols`, `text`, `secret`, `url`.
    pub kind: String,
    /// What is expected, in words.
    pub expected: String,
    /// What a number counts: `contracts`, `dollars`, `seconds`, `ticks`, `trades`, `percent`, `hours`, `days`,
    /// `megabytes`, `files`; otherwise `none`.
    pub unit: String,
    /// As it would be written.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub default: Json,
    /// Smallest value; for money above or below zero, zero itself is excluded.
    pub min: Option<i64>,
    /// Largest value; seconds for durations.
    pub max: Option<i64>,
    /// The words of a choice; where one is stricter, it comes later.
    pub choices: Vec<String>,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// Whether the value cannot be changed.
    pub locked: bool,
    /// Whether it is an alternative or old way to write another key.
    pub alternative: bool,
}

/// The values that apply to everyone, or to one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingsScope {
    /// Whose; null: of everyone.
    pub account: Option<AccountId>,
    /// What the files call the account.
    pub name: Option<String>,
    /// By key.
    pub values: Vec<SettingValue>,
}

/// One effective value of the files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingValue {
    /// Dotted path inside its file.
    pub key: String,
    /// As it would be written; secrets are stars.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub value: Json,
    /// Where it comes from.
    pub origin: SettingOrigin,
    /// The file it stands in; null where it stands in none.
    pub file: Option<String>,
    /// Its line, counted from 1.
    pub line: Option<u32>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SettingOrigin {
    /// Built in.
    Default,
    /// The file for everyone.
    Everyone,
    /// The account's own value.
    Own,
    /// The program: it may not be changed, or this version lacks the rule.
    Forced,
}

/// Something wrong in a file, or in what it would say after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingFault {
    /// Whether nothing can be saved because of it.
    pub is_error: bool,
    /// File name inside the configuration folder; empty if it concerns none.
    pub file: String,
    /// Line, counted from 1; null: the file as a whole.
    pub line: Option<u32>,
    /// Dotted path of the key; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// Why that matters.
    pub reason: String,
    /// What to do.
    pub fix: String,
    /// How it would look.
    pub example: Option<String>,
}

/// What some edits would lead to. Nothing was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingsPreview {
    /// What would change, and when.
    pub changes: Vec<SettingChange>,
    /// What the check says of the files as they would be.
    pub faults: Vec<SettingFault>,
    /// Why it would not be saved, although the files would be in order: something is locked.
    pub refused: Option<String>,
}

/// One change that edits would lead to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingChange {
    /// Whose rules; null: of everyone.
    pub account: Option<AccountId>,
    /// Which rule; null: a setting of the program.
    pub rule: Option<RuleKey>,
    /// Dotted path of the setting.
    pub key: String,
    /// As it is in force.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub from: Json,
    /// As it would be.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub to: Json,
    /// When.
    pub effect: ChangeEffect,
    /// From when, for a change that waits; null while that is unknown.
    pub applies_at: Option<Instant>,
}

/// When a change applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ChangeEffect {
    /// At once: it protects more, or neither more nor less.
    Now,
    /// With the next trading day: it protects less.
    Later,
    /// At the next start of the program.
    Restart,
    /// Never: a change that waits is taken back.
    Withdrawn,
}

/// A contract that the broker offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ContractView {
    /// The root people speak of: what rules are written for.
    pub symbol: Symbol,
    /// The contract's short name, such as `MNQU6`.
    pub name: String,
    /// Smallest price step.
    #[cfg_attr(test, ts(type = "string"))]
    pub tick_size: Decimal,
    /// Dollars per tick and contract.
    pub tick_value: Usd,
    /// Whether it is the tradable one of its product.
    pub active: bool,
}

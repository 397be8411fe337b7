//! Starting rulebooks as viewers see them. Plain values; nothing of them is in force before it is saved.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::control::SettingEdit;

/// Starting rulebooks by account size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PresetsView {
    /// Where the figures come from.
    pub source: String,
    /// When they were taken.
    #[cfg_attr(test, ts(type = "string"))]
    pub date: NaiveDate,
    /// One for each size.
    pub presets: Vec<PresetView>,
}

/// A starting rulebook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PresetView {
    /// Size of the account as the firm names it: `50K`.
    pub size: String,
    /// The firm's own limits for that size, in words.
    pub firm: String,
    /// What is proposed, one line a rule.
    pub lines: Vec<PresetLine>,
    /// The same as changes of the settings.
    pub edits: Vec<SettingEdit>,
}

/// One proposed limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PresetLine {
    /// The rule in the words of people.
    pub title: String,
    /// Its limit with its unit.
    pub value: String,
}

//! The types of values: how they are called, which range they have, and how they look when written.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

/// A type of value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Bool,
    /// A switch that can't be switched off, and why.
    AlwaysTrue(&'static str),
    Whole {
        min: u32,
        max: u32,
    },
    Money(Sign),
    /// Case-sensitive words. Where one is stricter than another, the stricter one comes later.
    Choice(&'static [&'static str]),
    /// A single word, and why there is no other.
    Only(&'static str, &'static str),
    /// Seconds, written as `90`, `90s`, `30m` or `1h`.
    Duration {
        min: u32,
        max: u32,
    },
    Time,
    Zone,
    Days,
    Percents,
    Dates,
    EarlyCloses,
    Windows,
    Tiers,
    Patterns,
    Symbols,
    UnlistedSymbols,
    Text {
        longest: usize,
    },
    Secret,
    Url {
        hub: bool,
    },
    AccountId,
    /// Rules of an account, in the form of `risk.yaml`.
    Rules,
}

/// On which side of zero an amount lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Loss,
    Gain,
}

/// Largest amount of money that a limit may have, in dollars.
pub(crate) const LARGEST_AMOUNT: u32 = 1_000_000;

impl Kind {
    /// Its name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bool | Self::AlwaysTrue(_) => "boolean",
            Self::Whole { .. } => "integer",
            Self::Money(_) => "money",
            Self::Choice(_) | Self::Only(..) => "choice",
            Self::Duration { .. } => "duration",
            Self::Time => "time",
            Self::Zone => "timezone",
            Self::Days => "weekdays",
            Self::Percents => "percents",
            Self::Dates => "dates",
            Self::EarlyCloses => "early_closes",
            Self::Windows => "windows",
            Self::Tiers => "tiers",
            Self::Patterns => "patterns",
            Self::Symbols => "symbols",
            Self::UnlistedSymbols => "unlisted_symbols",
            Self::Text { .. } => "text",
            Self::Secret => "secret",
            Self::Url { .. } => "url",
            Self::AccountId => "account_id",
            Self::Rules => "rules",
        }
    }

    /// What is expected, in words, range included.
    pub fn expected(&self) -> String {
        match self {
            Self::Bool => "true or false".to_string(),
            Self::AlwaysTrue(_) => "true".to_string(),
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::Money(Sign::Loss) => format!("dollars from -{LARGEST_AMOUNT} to below 0"),
            Self::Money(Sign::Gain) => format!("dollars above 0, up to {LARGEST_AMOUNT}"),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Only(word, _) => (*word).to_string(),
            Self::Duration { min, max } => format!(
                "a duration from {} to {}: a number with s, m or h, or plain seconds",
                seconds_text(*min),
                seconds_text(*max)
            ),
            Self::Time => "a time of day as HH:MM, from 00:00 to 23:59".to_string(),
            Self::Zone => "an IANA time zone".to_string(),
            Self::Days => "a list of days, 0 is Monday and 6 is Sunday".to_string(),
            Self::Percents => "a list of percentages from 1 to 99; an empty list tells nothing".to_string(),
            Self::Dates => "a list of dates as YYYY-MM-DD".to_string(),
            Self::EarlyCloses => "a list of {date, close_time}".to_string(),
            Self::Windows => "a list of {start, end, days}".to_string(),
            Self::Tiers => "a list of {loss_amount, cooldown_duration}".to_string(),
            Self::Patterns => "a list of symbol patterns of 1 to 20 letters, digits, * and ?".to_string(),
            Self::Symbols => "a list of symbols".to_string(),
            Self::UnlistedSymbols => {
                "use_default, block, allow_unlimited or allow_with_limit:N with N from 1 to 1000".to_string()
            }
            Self::Text { longest } => format!("a text of 1 to {longest} characters"),
            Self::Secret => "a reference to an environment variable".to_string(),
            Self::Url { hub: false } => "an https address".to_string(),
            Self::Url { hub: true } => "an https or wss address".to_string(),
            Self::AccountId => "the broker's account number".to_string(),
            Self::Rules => "rules in the form of risk.yaml".to_string(),
        }
    }

    /// How a value may look.
    pub fn example(&self) -> String {
        match self {
            Self::Bool | Self::AlwaysTrue(_) => "true".to_string(),
            Self::Whole { min, max } => (5.clamp(*min, *max)).to_string(),
            Self::Money(Sign::Loss) => "-500.00".to_string(),
            Self::Money(Sign::Gain) => "500.00".to_string(),
            Self::Choice(words) => words.last().copied().unwrap_or_default().to_string(),
            Self::Only(word, _) => (*word).to_string(),
            Self::Duration { max, .. } => seconds_text(900.min(*max)),
            Self::Time => "\"08:30\"".to_string(),
            Self::Zone => "America/Chicago".to_string(),
            Self::Days => "[0, 1, 2, 3, 4]".to_string(),
            Self::Percents => "[50, 75, 90]".to_string(),
            Self::Dates => "[\"2026-12-25\"]".to_string(),
            Self::EarlyCloses => "[{date: \"2026-11-27\", close_time: \"12:15\"}]".to_string(),
            Self::Windows => "[{start: \"08:30\", end: \"15:00\", days: [0, 1, 2, 3, 4]}]".to_string(),
            Self::Tiers => "[{loss_amount: -100, cooldown_duration: 5m}]".to_string(),
            Self::Patterns => "[\"RTY\", \"M*\"]".to_string(),
            Self::Symbols => "[MNQ, ES]".to_string(),
            Self::UnlistedSymbols => "allow_with_limit:2".to_string(),
            Self::Text { .. } => "a text".to_string(),
            Self::Secret => "\"${NAME_OF_THE_VARIABLE}\"".to_string(),
            Self::Url { hub: false } => "https://api.topstepx.com".to_string(),
            Self::Url { hub: true } => "https://rtc.topstepx.com/hubs/user".to_string(),
            Self::AccountId => "1234567".to_string(),
            Self::Rules => "{max_contracts: {limit: 2}}".to_string(),
        }
    }

    /// The words of a choice.
    pub fn choices(&self) -> Vec<&'static str> {
        if let Self::Choice(words) = self {
            return words.to_vec();
        }
        if let Self::Only(word, _) = self { vec![word] } else { Vec::new() }
    }

    /// The range of a number: seconds for durations, dollars for money.
    pub fn range(&self) -> Option<(i64, i64)> {
        if let Self::Whole { min, max } | Self::Duration { min, max } = *self {
            return Some((min.into(), max.into()));
        }
        let Self::Money(sign) = self else { return None };
        Some(match sign {
            Sign::Loss => (-i64::from(LARGEST_AMOUNT), 0),
            Sign::Gain => (0, LARGEST_AMOUNT.into()),
        })
    }

    /// A value in the form in which people write it.
    pub fn written(&self, value: &Json) -> Json {
        match self {
            _ if value.is_null() => Json::Null,
            Self::Money(_) => money(value),
            Self::Duration { .. } => duration(value),
            Self::Time => clock(value),
            Self::Windows => each(
                value,
                |window| json!({"start": clock(&window["start"]), "end": clock(&window["end"]), "days": window["days"]}),
            ),
            Self::Tiers => each(value, |tier| {
                json!({
                    "loss_amount": money(&tier["loss"]),
                    "cooldown_duration": duration(&tier["cooldown_seconds"]),
                })
            }),
            Self::EarlyCloses => match value.as_object() {
                Some(days) => {
                    days.iter().map(|(date, time)| json!({"date": date, "close_time": clock(time)})).collect()
                }
                None => value.clone(),
            },
            Self::UnlistedSymbols => match value.get("allow_with_limit") {
                Some(limit) => json!(format!("allow_with_limit:{limit}")),
                None => value.clone(),
            },
            Self::Bool
            | Self::AlwaysTrue(_)
            | Self::Whole { .. }
            | Self::Choice(_)
            | Self::Only(..)
            | Self::Zone
            | Self::Days
            | Self::Percents
            | Self::Dates
            | Self::Patterns
            | Self::Symbols
            | Self::Text { .. }
            | Self::Secret
            | Self::Url { .. }
            | Self::AccountId
            | Self::Rules => value.clone(),
        }
    }
}

fn each(value: &Json, write: impl Fn(&Json) -> Json) -> Json {
    value.as_array().map(|items| items.iter().map(write).collect()).unwrap_or(Json::Null)
}

/// `"-500.00"` as the number -500.
fn money(value: &Json) -> Json {
    value
        .as_str()
        .and_then(|text| text.parse::<Decimal>().ok())
        .and_then(|amount| serde_json::from_str(&amount.normalize().to_string()).ok())
        .unwrap_or_else(|| value.clone())
}

fn duration(value: &Json) -> Json {
    value
        .as_u64()
        .and_then(|seconds| u32::try_from(seconds).ok())
        .map_or_else(|| value.clone(), |seconds| json!(seconds_text(seconds)))
}

/// `"08:30:00"` as `"08:30"`.
fn clock(value: &Json) -> Json {
    value.as_str().and_then(|text| text.get(..5)).map_or_else(|| value.clone(), |time| json!(time))
}

/// Seconds in the largest unit that fits: `90s`, `30m`, `1h`.
pub(crate) fn seconds_text(seconds: u32) -> String {
    match seconds {
        0 => "0s".to_string(),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

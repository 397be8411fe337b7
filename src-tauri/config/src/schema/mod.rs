//! The one table of every key: its name, type, unit, range, default, help, and which way is stricter.
//! Validation, effective values, JSON Schema, default files, handbook and forms are all made from it.
//! Never says what a value means for an engine; that is the rulebook.

mod kind;
mod old;
mod risk_basic;
mod risk_money;
mod risk_time;
mod settings;

use std::sync::LazyLock;

use domain::{RuleKey, Symbol};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

pub(crate) use kind::{Kind, LARGEST_AMOUNT, Sign, seconds_text};
pub(crate) use old::old_key;
pub(crate) use settings::ACCOUNT;

use crate::sheet::Sheet;

/// Stands for a root symbol in a path.
pub(crate) const SYMBOL: &str = "<symbol>";

/// The four files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum File {
    /// `risk.yaml`, and the files that accounts name in `risk_config_file`.
    Risk,
    /// `accounts.yaml`
    Accounts,
    /// `timers.yaml`
    Timers,
    /// `api.yaml`
    Api,
}

impl File {
    /// All of them, in the order in which they are written down.
    pub const ALL: [Self; 4] = [Self::Risk, Self::Accounts, Self::Timers, Self::Api];

    /// Its name in the configuration folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Risk => "risk.yaml",
            Self::Accounts => "accounts.yaml",
            Self::Timers => "timers.yaml",
            Self::Api => "api.yaml",
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nothing, or said by the type.
    None,
    /// Contracts, a mini and a micro alike.
    Contracts,
    /// US dollars.
    Dollars,
    /// Seconds.
    Seconds,
    /// Ticks of the instrument.
    Ticks,
    /// Trades, as `count` says.
    Trades,
    /// Percent of a limit.
    Percent,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Megabytes.
    Megabytes,
    /// Files.
    Files,
}

/// Which way is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// A smaller number; no value is the loosest.
    Lower,
    /// A larger number.
    Higher,
    /// `true`.
    On,
    /// `false`.
    Off,
    /// A later choice of the list.
    Later,
    /// A longer cooldown at some loss, a shorter one at none.
    LongerEverywhere,
    /// Changes protection in neither direction: applied at once.
    Neutral,
    /// Neither is clearly stricter: a change waits like a looser one.
    Unclear,
    /// Judged together with the keys of the same rule that stand on this as well.
    Together,
}

/// When a key is shown and written into the default files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Always.
    Plain,
    /// An alternative or old form: only where a file uses it.
    Alternative,
    /// Always, except where this other key of the same rule is used.
    Unless(&'static str),
}

/// One key.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// Dotted path below its group.
    pub path: &'static str,
    pub title: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub nullable: bool,
    pub form: Form,
    pub strictness: Strictness,
    pub lens: Option<Lens>,
    /// For a path with `<symbol>`: the symbols that have a value.
    pub symbols: Option<fn(&Sheet) -> Vec<Symbol>>,
}

/// Reads and writes one value of a sheet, in the form in which the domain serialises it. The text is the
/// symbol where the path has one.
#[derive(Clone, Copy)]
pub(crate) struct Lens {
    pub get: fn(&Sheet, &str) -> Json,
    pub set: fn(&mut Sheet, &str, Json) -> Result<(), serde_json::Error>,
}

/// Keys that belong together: a rule or a section of a file.
pub(crate) struct Group {
    pub file: File,
    /// Dotted path inside its file; empty at the top.
    pub prefix: &'static str,
    pub rule: Option<RuleKey>,
    pub title: &'static str,
    pub help: &'static str,
    pub keys: &'static [Key],
}

/// One key with its full path.
pub(crate) struct Row {
    pub path: String,
    pub group: &'static Group,
    pub key: &'static Key,
}

impl Key {
    pub const fn new(path: &'static str, kind: Kind, title: &'static str, help: &'static str) -> Self {
        Self {
            path,
            title,
            help,
            kind,
            unit: Unit::None,
            nullable: false,
            form: Form::Plain,
            strictness: Strictness::Neutral,
            lens: None,
            symbols: None,
        }
    }

    pub const fn at(self, lens: Lens) -> Self {
        Self { lens: Some(lens), ..self }
    }

    pub const fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    pub const fn stricter(self, strictness: Strictness) -> Self {
        Self { strictness, ..self }
    }

    pub const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    pub const fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    pub const fn each(self, symbols: fn(&Sheet) -> Vec<Symbol>) -> Self {
        Self { symbols: Some(symbols), ..self }
    }
}

impl Row {
    /// The default in the domain's form; null where there is none.
    pub fn default(&self) -> Json {
        let sheet = Sheet::default();
        match (self.key.kind, self.key.lens, self.key.symbols) {
            (Kind::Only(word, _), ..) => Json::from(word),
            (Kind::AlwaysTrue(_), ..) => Json::from(true),
            (_, Some(lens), None) => (lens.get)(&sheet, ""),
            _ => Json::Null,
        }
    }
}

/// Every group, files in their order, rules by their number.
pub(crate) static GROUPS: LazyLock<Vec<&'static Group>> = LazyLock::new(|| {
    let mut groups: Vec<&'static Group> = Vec::new();
    groups.extend(settings::GENERAL);
    groups.extend(risk_basic::GROUPS);
    groups.extend(risk_money::GROUPS);
    groups.extend(risk_time::GROUPS);
    groups.extend(settings::OTHER_FILES);
    groups.sort_by_key(|group| (group.file, group.rule));
    groups
});

/// Every key.
pub(crate) static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let join = |prefix: &str, path: &str| match prefix {
        "" => path.to_string(),
        _ => format!("{prefix}.{path}"),
    };
    GROUPS
        .iter()
        .flat_map(|group| {
            group.keys.iter().map(move |key| Row { path: join(group.prefix, key.path), group, key })
        })
        .collect()
});

/// The keys of one file.
pub(crate) fn rows(file: File) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.group.file == file)
}

/// The key with a full path, and the symbol in it.
pub(crate) fn find(file: File, path: &str) -> Option<(&'static Row, String)> {
    rows(file).find_map(|row| symbol_in(&row.path, path).map(|symbol| (row, symbol)))
}

/// The symbol by which a path fits a pattern; empty where the pattern has none.
fn symbol_in(pattern: &str, path: &str) -> Option<String> {
    match pattern.split_once(SYMBOL) {
        None => (pattern == path).then(String::new),
        Some((before, after)) => {
            let symbol = path.strip_prefix(before)?.strip_suffix(after)?;
            (!symbol.is_empty() && !symbol.contains('.')).then(|| symbol.to_string())
        }
    }
}

/// A value as the domain serialises it.
pub(crate) fn json<T: Serialize>(value: &T) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

/// Puts a value in its place.
pub(crate) fn put<T: DeserializeOwned>(place: &mut T, value: Json) -> Result<(), serde_json::Error> {
    *place = serde_json::from_value(value)?;
    Ok(())
}

macro_rules! lens {
    ($($field:tt)+) => {
        $crate::schema::Lens {
            get: |sheet, _| $crate::schema::json(&sheet.$($field)+),
            set: |sheet, _, value| $crate::schema::put(&mut sheet.$($field)+, value),
        }
    };
}
pub(crate) use lens;

macro_rules! enabled {
    ($rule:ident) => {
        $crate::schema::Key::new(
            "enabled",
            $crate::schema::Kind::Bool,
            "Enabled",
            "Whether the rule is evaluated. Lockouts it already caused run on when it is switched off.",
        )
        .stricter($crate::schema::Strictness::On)
        .at($crate::schema::lens!(rules.$rule.enabled))
    };
}
pub(crate) use enabled;

macro_rules! rule_mode {
    ($rule:ident) => {
        $crate::schema::Key::new(
            "rule_mode",
            $crate::schema::Kind::Choice(&["observe", "warn", "enforce"]),
            "Stance",
            "What a breach leads to: observe records what would have been done, warn tells, enforce acts.",
        )
        .stricter($crate::schema::Strictness::Later)
        .at($crate::schema::lens!(rules.$rule.mode))
    };
}
pub(crate) use rule_mode;

#[cfg(test)]
mod tests {
    use super::*;

    /// What a default file could not say must not be a default: each one is read back from its own words.
    #[test]
    fn every_default_is_a_valid_value_of_its_key() {
        for row in ROWS.iter().filter(|row| row.key.form == Form::Plain) {
            let default = row.default();
            if default.is_null() {
                continue;
            }
            let text = crate::defaults::flow(&row.key.kind.written(&default));
            let node = crate::yaml::parse("test", &format!("v: {text}"), &mut Vec::new()).unwrap();
            let read = crate::read::value(&row.key.kind, node.child("v").unwrap());
            assert_eq!(read.map_err(|complaint| complaint.problem), Ok(default), "{}", row.path);
        }
    }

    #[test]
    fn paths_are_unique_and_every_rule_has_its_switches() {
        let mut paths: Vec<(File, &str)> =
            ROWS.iter().map(|row| (row.group.file, row.path.as_str())).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
        for rule in RuleKey::RULES {
            for key in ["enabled", "rule_mode"] {
                assert!(find(File::Risk, &format!("rules.{rule}.{key}")).is_some(), "{rule}.{key}");
            }
        }
    }
}

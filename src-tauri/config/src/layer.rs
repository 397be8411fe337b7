//! What files say, key by key with its place, and how one file's word replaces another's:
//! defaults, risk.yaml, the account's own file, the account's overrides.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::{RuleKey, Symbol};
use serde::Serialize;
use serde_json::Value as Json;

use crate::{
    fault::{Fault, FaultKind, Place},
    schema::{self, File},
    sheet::Sheet,
};

/// Where an effective value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// Built in.
    Default,
    /// The file for everyone.
    File(Place),
    /// The account's own file.
    CustomFile(Place),
    /// The account's entry in `accounts.yaml`.
    Override(Place),
    /// Forced: the rule does not exist in this version, or may not be switched off.
    Forced,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, kind) = match self {
            Self::Default => return f.write_str("default"),
            Self::Forced => return f.write_str("forced"),
            Self::File(place) => (place, ""),
            Self::CustomFile(place) => (place, " (own file)"),
            Self::Override(place) => (place, " (override)"),
        };
        f.write_str(&place.file)?;
        if let Some(line) = place.line {
            write!(f, " line {line}")?;
        }
        f.write_str(kind)
    }
}

/// One value that a file gives.
#[derive(Clone)]
pub(crate) struct Given {
    pub value: Json,
    pub origin: Origin,
}

/// Everything that a file gives, by full path.
#[derive(Clone, Default)]
pub(crate) struct Layer {
    pub given: BTreeMap<String, Given>,
    /// Maps by symbol that the file has, empty ones included.
    pub maps: BTreeSet<String>,
    /// Paths that were complained about: nothing is concluded from them.
    pub bad: BTreeSet<String>,
}

/// Two ways to say one thing: `one` and `other` exclude each other.
struct Rivals {
    rule: RuleKey,
    one: &'static [&'static str],
    other: &'static [&'static str],
}

const RIVALS: [Rivals; 3] = [
    Rivals { rule: RuleKey::MaxContracts, one: &["enforcement"], other: &["reduce_to_limit", "close_all"] },
    Rivals {
        rule: RuleKey::CooldownAfterLoss,
        one: &["loss_thresholds"],
        other: &["loss_threshold", "cooldown_duration"],
    },
    Rivals {
        rule: RuleKey::SessionBlockOutside,
        one: &["sessions"],
        other: &[
            "session_hours.start",
            "session_hours.end",
            "pre_market.enabled",
            "pre_market.start",
            "after_hours.enabled",
            "after_hours.end",
        ],
    },
];

impl Origin {
    /// The place in a file, if it is one.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::File(place) | Self::CustomFile(place) | Self::Override(place) => Some(place),
            Self::Default | Self::Forced => None,
        }
    }
}

impl Rivals {
    fn path(&self, key: &str) -> String {
        format!("rules.{}.{key}", self.rule)
    }

    fn find<'a>(&self, keys: &[&'static str], layer: &'a Layer) -> Option<(&'static str, &'a Given)> {
        keys.iter().find_map(|key| layer.given.get(&self.path(key)).map(|given| (*key, given)))
    }
}

impl Layer {
    /// A fault for each two ways to say one thing in one file.
    pub fn refuse_rivals(&mut self, faults: &mut Vec<Fault>) {
        for rivals in &RIVALS {
            let (Some((one, _)), Some((other, given))) =
                (rivals.find(rivals.one, self), rivals.find(rivals.other, self))
            else {
                continue;
            };
            let path = rivals.path(other);
            let place = given.origin.place().cloned().unwrap_or_default();
            faults.push(
                Fault::error(
                    FaultKind::Conflict,
                    &place,
                    &path,
                    format!("{other} and {one} say the same thing in two ways."),
                )
                .because("It would be a guess which of the two counts.")
                .fix(format!("Keep {one} and remove {other}, or the other way round.")),
            );
            self.bad.insert(path);
        }
    }

    /// This layer with a stronger one on top. Maps by symbol grow together; a form of the stronger layer
    /// replaces its rival below.
    pub fn with(&self, stronger: &Self) -> Self {
        let mut merged = self.clone();
        for rivals in &RIVALS {
            for (mine, theirs) in [(rivals.one, rivals.other), (rivals.other, rivals.one)] {
                if rivals.find(mine, stronger).is_some() {
                    for key in theirs {
                        merged.given.remove(&rivals.path(key));
                    }
                }
            }
        }
        merged.given.extend(stronger.given.clone());
        merged.maps.extend(stronger.maps.iter().cloned());
        merged.bad.extend(stronger.bad.iter().cloned());
        merged
    }

    /// Whether something below a path was complained about.
    pub fn is_bad(&self, prefix: &str) -> bool {
        self.bad.iter().any(|path| path == prefix || path.starts_with(&format!("{prefix}.")))
    }

    /// The place of a path, or the file as a whole.
    pub fn place(&self, path: &str, file: File) -> Place {
        self.given
            .get(path)
            .and_then(|given| given.origin.place().cloned())
            .unwrap_or_else(|| Place::file(file.name()))
    }

    /// Writes everything given into a sheet: values for all symbols first, values by symbol on top.
    pub fn apply(&self, file: File, sheet: &mut Sheet) -> Result<(), serde_json::Error> {
        if self.maps.contains(INSTRUMENT_LIMITS) {
            sheet.rules.max_contracts_per_instrument.settings.instrument_limits.clear();
        }
        let mut by_symbol = Vec::new();
        for (path, given) in &self.given {
            let Some((row, symbol)) = schema::find(file, path) else { continue };
            let Some(lens) = row.key.lens else { continue };
            match symbol.is_empty() {
                true => (lens.set)(sheet, "", given.value.clone())?,
                false => by_symbol.push((lens, Symbol::new(symbol), given.value.clone())),
            }
        }
        for (lens, symbol, value) in by_symbol {
            (lens.set)(sheet, symbol.as_str(), value)?;
        }
        Ok(())
    }
}

/// The one map by symbol that has defaults: a file that gives it replaces them.
const INSTRUMENT_LIMITS: &str = "rules.max_contracts_per_instrument.instrument_limits";

//! What applies to an account, value by value, with the place it comes from; and what each key means.

use domain::{AccountId, RuleKey};
use serde::Serialize;
use serde_json::Value as Json;

use crate::{
    layer::{Layer, Origin},
    load::{Book, Loaded},
    schema::{self, File, Form, Row, SYMBOL, Strictness, Unit},
    sheet::Sheet,
};

/// One effective value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effective {
    /// The file in which the key belongs.
    pub file: File,
    /// The rule it belongs to.
    pub rule: Option<RuleKey>,
    /// Dotted path inside its file.
    pub key: String,
    /// Its name for people.
    pub title: &'static str,
    /// As it would be written; secrets are stars.
    pub value: Json,
    /// What a number counts.
    pub unit: Unit,
    /// Where it comes from.
    pub origin: Origin,
}

/// What one key means: for forms, checks and papers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyInfo {
    /// The file in which the key belongs.
    pub file: File,
    /// The rule it belongs to.
    pub rule: Option<RuleKey>,
    /// Dotted path inside its file; `<symbol>` stands for a root symbol, `[]` for an entry of a list.
    pub key: String,
    /// Its name for people.
    pub title: &'static str,
    /// One or two sentences.
    pub help: &'static str,
    /// Type, such as `integer`, `money`, `choice`, `duration`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What is expected, in words.
    pub expected: String,
    /// What a number counts.
    pub unit: Unit,
    /// As it would be written.
    pub default: Json,
    /// Smallest value; for money above or below zero, zero itself is excluded.
    pub min: Option<i64>,
    /// Largest value; seconds for durations.
    pub max: Option<i64>,
    /// The words of a choice.
    pub choices: Vec<&'static str>,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// Whether the value can't be changed (RULE-008 is always on).
    pub locked: bool,
    /// Whether it is an alternative or old way to write another key.
    pub alternative: bool,
    /// Which way is stricter.
    pub stricter: Strictness,
}

/// One rule or section with its keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupInfo {
    /// The file in which it belongs.
    pub file: File,
    /// The rule, if it is one.
    pub rule: Option<RuleKey>,
    /// Dotted path inside its file; empty at the top.
    pub prefix: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// One or two sentences.
    pub help: &'static str,
    /// Its keys.
    pub keys: Vec<KeyInfo>,
}

/// Every rule and section with every key: the one table, as values.
#[must_use]
pub fn describe() -> Vec<GroupInfo> {
    schema::GROUPS
        .iter()
        .map(|group| GroupInfo {
            file: group.file,
            rule: group.rule,
            prefix: group.prefix,
            title: group.title,
            help: group.help,
            keys: schema::rows(group.file)
                .filter(|row| std::ptr::eq(row.group, *group))
                .map(key_info)
                .collect(),
        })
        .collect()
}

fn key_info(row: &Row) -> KeyInfo {
    let range = row.key.kind.range();
    KeyInfo {
        file: row.group.file,
        rule: row.group.rule,
        key: row.path.clone(),
        title: row.key.title,
        help: row.key.help,
        kind: row.key.kind.name(),
        expected: row.key.kind.expected(),
        unit: row.key.unit,
        default: row.key.kind.written(&row.default()),
        min: range.map(|(min, _)| min),
        max: range.map(|(_, max)| max),
        choices: row.key.kind.choices(),
        nullable: row.key.nullable,
        locked: is_locked(row),
        alternative: row.key.form == Form::Alternative,
        stricter: row.key.strictness,
    }
}

/// RULE-008 is always on and always enforced (D-02, ruling 2).
pub(crate) fn is_locked(row: &Row) -> bool {
    let stance = matches!(row.key.path, "enabled" | "rule_mode");
    matches!(row.key.kind, schema::Kind::AlwaysTrue(_) | schema::Kind::Only(..))
        || (stance && row.group.rule == Some(RuleKey::NoStopLossGrace))
}

impl Loaded {
    /// Every value that applies to an account, or with `None` to accounts without values of their own.
    #[must_use]
    pub fn effective(&self, account: Option<&AccountId>) -> Vec<Effective> {
        let book = account.and_then(|id| self.books.own.get(id)).unwrap_or(&self.books.base);
        [File::Risk, File::Timers, File::Api]
            .into_iter()
            .flat_map(schema::rows)
            .flat_map(|row| self.values_of(row, book))
            .collect()
    }

    fn values_of(&self, row: &Row, book: &Book) -> Vec<Effective> {
        let layer = match row.group.file {
            File::Risk | File::Accounts => &book.risk,
            File::Timers => &self.books.timers,
            File::Api => &self.books.api,
        };
        if !is_used(row, layer) {
            return Vec::new();
        }
        let symbols = match row.key.symbols {
            None => vec![String::new()],
            Some(symbols) => symbols(&book.sheet).iter().map(ToString::to_string).collect(),
        };
        symbols.iter().filter_map(|symbol| self.value_of(row, symbol, book, layer)).collect()
    }

    fn value_of(&self, row: &Row, symbol: &str, book: &Book, layer: &Layer) -> Option<Effective> {
        let path = row.path.replace(SYMBOL, symbol);
        let value = match row.key.lens {
            Some(lens) => (lens.get)(&book.sheet, symbol),
            None => row.default(),
        };
        let given = layer.given.get(&path);
        let is_default = |lens: schema::Lens| !(lens.get)(&Sheet::default(), symbol).is_null();
        if !symbol.is_empty() && given.is_none() && !row.key.lens.is_some_and(is_default) {
            return None;
        }
        let origin = match given {
            _ if self.is_forced(row, given.map(|given| &given.value), &value) => Origin::Forced,
            Some(given) => given.origin.clone(),
            None => Origin::Default,
        };
        Some(Effective {
            file: row.group.file,
            rule: row.group.rule,
            key: path,
            title: row.key.title,
            value: row.key.kind.written(&value),
            unit: row.key.unit,
            origin,
        })
    }

    /// Whether a switch stands as it does whatever the file says.
    fn is_forced(&self, row: &Row, given: Option<&Json>, value: &Json) -> bool {
        let unbuilt = row.group.rule.is_some_and(|rule| !self.books.built.contains(&rule));
        let stance = matches!(row.key.path, "enabled" | "rule_mode");
        stance && (given.is_some_and(|given| given != value) || (unbuilt && row.key.path == "enabled"))
    }
}

/// Whether a key has a say, given the forms that the files use.
fn is_used(row: &Row, layer: &Layer) -> bool {
    match row.key.form {
        Form::Plain => true,
        Form::Alternative => layer.given.contains_key(&row.path) || row.path.contains(SYMBOL),
        Form::Unless(other) => !layer.given.contains_key(&format!("{}.{other}", row.group.prefix)),
    }
}

//! A tree against the table: every key is known, every value is of its type and in its range. What is
//! right goes into a layer, what is wrong becomes a fault, and the walk goes on.

use std::collections::BTreeSet;

use domain::RuleKey;
use serde_json::Value as Json;

use crate::{
    fault::{Fault, FaultKind, Place, nearest, shown},
    layer::{Given, Layer, Origin},
    read,
    schema::{self, File, Row, SYMBOL},
    yaml::{Content, Key, Node},
};

/// A walk through one tree.
pub(crate) struct Walk<'a> {
    file: File,
    origin: fn(Place) -> Origin,
    /// How the path is called in faults, where it stands elsewhere: `rules` as `accounts[1].config_overrides`.
    label: Option<(&'static str, String)>,
    layer: Layer,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Walk<'a> {
    pub fn new(file: File, origin: fn(Place) -> Origin, faults: &'a mut Vec<Fault>) -> Self {
        Self { file, origin, label: None, layer: Layer::default(), faults }
    }

    /// Names a part of the table as it is called where it stands.
    pub fn called(mut self, prefix: &'static str, label: String) -> Self {
        self.label = Some((prefix, label));
        self
    }

    /// Everything below a node that stands at `path`.
    pub fn read(mut self, node: &Node, path: &str) -> Layer {
        self.section(node, path, path);
        self.layer.refuse_rivals(self.faults);
        self.layer
    }

    fn section(&mut self, node: &Node, path: &str, pattern: &str) {
        let entries = match &node.content {
            Content::Map(entries) => entries,
            Content::Bad => return self.mark(path),
            Content::Scalar(_) if node.is_null() => return,
            Content::Scalar(_) | Content::List(_) => return self.not_a_map(node, path, pattern),
        };
        if self.has_symbols(pattern) {
            return self.by_symbol(entries, path, pattern);
        }
        for (key, value) in entries {
            let child = join(path, &key.name);
            let child_pattern = join(pattern, &key.name);
            match self.row(&child_pattern) {
                Some(row) => self.value(row, value, &child),
                None if self.is_section(&child_pattern) => self.section(value, &child, &child_pattern),
                None => self.unknown(key, &child, pattern),
            }
        }
    }

    fn by_symbol(&mut self, entries: &[(Key, Node)], path: &str, pattern: &str) {
        self.layer.maps.insert(path.to_string());
        let pattern = join(pattern, SYMBOL);
        let mut seen = BTreeSet::new();
        for (key, value) in entries {
            let Some(symbol) = read::symbol(&key.name) else {
                self.not_a_symbol(key, path);
                continue;
            };
            let child = join(path, symbol.as_str());
            if !seen.insert(symbol) {
                self.same_symbol(key, &child);
                continue;
            }
            match self.row(&pattern) {
                Some(row) => self.value(row, value, &child),
                None => self.section(value, &child, &pattern),
            }
        }
    }

    fn value(&mut self, row: &Row, node: &Node, path: &str) {
        if matches!(node.content, Content::Bad) {
            return self.mark(path);
        }
        let read = if node.is_null() && row.key.nullable {
            Ok(Json::Null)
        } else {
            read::value(&row.key.kind, node)
        };
        match read {
            Ok(value) => {
                let origin = (self.origin)(node.place.clone());
                self.layer.given.insert(path.to_string(), Given { value, origin });
            }
            Err(told) => {
                let name = row.key.path.rsplit('.').next().unwrap_or_default();
                let or_null = if row.key.nullable { ", or null" } else { "" };
                let name = if name == SYMBOL { path.rsplit('.').next().unwrap_or_default() } else { name };
                let reason = if told.reason.is_empty() { row.key.help.to_string() } else { told.reason };
                let fault = Fault::error(told.kind, &told.place, &self.shown(path), told.problem)
                    .because(reason)
                    .fix(format!("Write {}{or_null}.", row.key.kind.expected()))
                    .nearest(told.nearest.as_deref())
                    .example(format!("{name}: {}", row.key.kind.example()));
                self.complain(path, fault);
            }
        }
    }

    fn row(&self, pattern: &str) -> Option<&'static Row> {
        schema::rows(self.file).find(|row| row.path == pattern)
    }

    fn is_section(&self, pattern: &str) -> bool {
        let inside = format!("{pattern}.");
        schema::rows(self.file).any(|row| row.path.starts_with(&inside))
    }

    fn has_symbols(&self, pattern: &str) -> bool {
        self.is_section(&join(pattern, SYMBOL)) || self.row(&join(pattern, SYMBOL)).is_some()
    }

    /// The names that are valid directly below a pattern.
    fn names(&self, pattern: &str) -> Vec<&'static str> {
        let mut names = Vec::new();
        for row in schema::rows(self.file) {
            let rest = match pattern {
                "" => Some(row.path.as_str()),
                _ => row.path.strip_prefix(pattern).and_then(|rest| rest.strip_prefix('.')),
            };
            if let Some(name) = rest.and_then(|rest| rest.split('.').next())
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    fn not_a_map(&mut self, node: &Node, path: &str, pattern: &str) {
        let (what, example) = match self.names(pattern).first() {
            Some(&SYMBOL) => ("A map from symbols to values", "MNQ: 2".to_string()),
            first => ("A map of settings", format!("{}: ...", first.copied().unwrap_or_default())),
        };
        let fault = Fault::error(
            FaultKind::Type,
            &node.place,
            &self.shown(path),
            format!("{what} is expected here."),
        )
        .because("A list or a single value has no names to tell which setting is meant.")
        .fix("Write one `name: value` a line, indented below.")
        .example(example);
        self.complain(path, fault);
    }

    fn unknown(&mut self, key: &Key, path: &str, pattern: &str) {
        let shown_path = self.shown(path);
        let at = |kind, problem: String| Fault::error(kind, &key.place, &shown_path, problem);
        let names = self.names(pattern);
        let fault = if let Some(old) = schema::old_key(path) {
            at(FaultKind::OldKey, format!("{} is not valid here.", shown(&key.name)))
                .because(old.note)
                .fix(format!("Rename it to {}.", old.instead))
                .nearest(Some(old.instead))
        } else if is_credential(&key.name) {
            credential(&key.place, &shown_path)
        } else if pattern.is_empty() && RuleKey::from_key(&key.name).is_some() {
            at(FaultKind::UnknownKey, format!("The rule {} stands outside of `rules`.", key.name))
                .because("It would not be read.")
                .fix("Move it below `rules:` in risk.yaml.")
        } else {
            at(FaultKind::UnknownKey, format!("There is no setting {} here.", shown(&key.name)))
                .because("A misspelt limit would silently not apply.")
                .fix(format!("Valid names here: {}.", names.join(", ")))
                .nearest(nearest(&key.name, names.iter().copied()))
        };
        self.complain(path, fault);
    }

    fn not_a_symbol(&mut self, key: &Key, path: &str) {
        let fault = Fault::error(
            FaultKind::Range,
            &key.place,
            &self.shown(path),
            format!("{} is not a root symbol.", shown(&key.name)),
        )
        .because("Rules speak of roots of 1 to 10 letters and digits, not of contracts.")
        .fix("Write the root.")
        .example("MNQ: 2");
        self.complain(path, fault);
    }

    fn same_symbol(&mut self, key: &Key, path: &str) {
        let symbol = path.rsplit('.').next().unwrap_or_default();
        let fault = Fault::error(
            FaultKind::Conflict,
            &key.place,
            &self.shown(path),
            format!("{} is {symbol}, which is already in this map.", shown(&key.name)),
        )
        .because("Both names stand for the same product.")
        .fix("Keep one of them.");
        self.complain(path, fault);
    }

    fn complain(&mut self, path: &str, fault: Fault) {
        self.mark(path);
        self.faults.push(fault);
    }

    fn mark(&mut self, path: &str) {
        self.layer.bad.insert(path.to_string());
    }

    fn shown(&self, path: &str) -> String {
        match &self.label {
            Some((prefix, label)) => match path.strip_prefix(prefix) {
                Some(rest) => format!("{label}{rest}"),
                None => path.to_string(),
            },
            None => path.to_string(),
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// The fault of a place for credentials; what stands there is never shown.
pub(crate) fn credential(place: &Place, key: &str) -> Fault {
    Fault::error(FaultKind::Secret, place, key, "Credentials are not kept in this file.")
        .because("Files are copied, synchronised and shown to others.")
        .fix("Remove this line; store them with `riskctl credentials set`, or set PROJECT_X_USERNAME and PROJECT_X_API_KEY in the environment.")
}

/// Whether a name looks like a place for credentials.
pub(crate) fn is_credential(name: &str) -> bool {
    const MARKS: [&str; 7] = ["apikey", "password", "passwd", "secret", "token", "credential", "username"];
    let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    MARKS.iter().any(|mark| plain.contains(mark))
}

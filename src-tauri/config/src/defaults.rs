//! The four default files, with a comment for each value, made from the table: a comment can't tell
//! another story than its value (L-67).

use std::{fmt::Write, fs, io, path::Path};

use domain::RuleKey;
use serde_json::Value as Json;

use crate::{
    holidays, json_schema,
    schema::{self, File, Form, Group, Kind, Row, SYMBOL, Unit},
    sheet::Sheet,
};

/// Folder of the JSON Schema files, beside the YAML files.
const SCHEMAS: &str = "schemas";

/// The text of the four files, by name. Rules that are not built yet are switched off in them.
#[must_use]
pub fn default_files(built: &[RuleKey]) -> Vec<(&'static str, String)> {
    File::ALL.into_iter().map(|file| (file.name(), text(file, built))).collect()
}

/// Writes the default files that do not exist yet, and the JSON Schema files. Never replaces a file of
/// the user's. Gives the names of what it wrote.
///
/// # Errors
/// When a file can't be written.
pub fn write_defaults(dir: &Path, built: &[RuleKey]) -> io::Result<Vec<String>> {
    let schemas = dir.join(SCHEMAS);
    fs::create_dir_all(&schemas)?;
    let mut written = Vec::new();
    for (name, schema) in json_schema::schemas() {
        fs::write(schemas.join(name), format!("{schema:#}\n"))?;
        written.push(format!("{SCHEMAS}/{name}"));
    }
    for (name, text) in default_files(built) {
        let path = dir.join(name);
        if !path.exists() {
            fs::write(path, text)?;
            written.push(name.to_string());
        }
    }
    Ok(written)
}

fn text(file: File, built: &[RuleKey]) -> String {
    let name = file.name();
    let schema = json_schema::name(file);
    let mut out = format!("# yaml-language-server: $schema=./{SCHEMAS}/{schema}\n");
    let _ = writeln!(out, "# {name} of Risk Manager. A key that is left out has the value shown here.");
    let _ = writeln!(out, "# Check your changes with `riskctl config check`.");
    if file == File::Accounts {
        out.push_str(&accounts());
        return out;
    }
    let mut open: Vec<&str> = Vec::new();
    for group in schema::GROUPS.iter().filter(|group| group.file == file) {
        let rows: Vec<&Row> = schema::rows(file)
            .filter(|row| std::ptr::eq(row.group, *group) && row.key.form != Form::Alternative)
            .collect();
        if rows.is_empty() {
            continue;
        }
        let parents = path_of(group.prefix);
        heading(&mut out, &mut open, group, &parents);
        for row in rows {
            entry(&mut out, &mut open, row, built);
        }
    }
    out
}

fn path_of(path: &'static str) -> Vec<&'static str> {
    path.split('.').filter(|part| !part.is_empty()).collect()
}

/// Title and help of a group, above its first line.
fn heading(out: &mut String, open: &mut Vec<&'static str>, group: &Group, parents: &[&'static str]) {
    let (outer, own) = parents.split_at(parents.len().saturating_sub(1));
    out.push('\n');
    descend(out, open, outer);
    let indent = "  ".repeat(outer.len());
    let number = group.rule.and_then(RuleKey::number).map(|number| format!("RULE-{number:03} "));
    let _ = writeln!(out, "{indent}# {}{}. {}", number.unwrap_or_default(), group.title, group.help);
    if group.prefix == "holidays" {
        let _ = writeln!(out, "{indent}# Source: {}", holidays::source());
    }
    descend(out, open, &[outer, own].concat());
}

/// Opens the maps of a path, closing those that are not on it.
fn descend(out: &mut String, open: &mut Vec<&'static str>, path: &[&'static str]) {
    let common = open.iter().zip(path).take_while(|(a, b)| a == b).count();
    open.truncate(common);
    for part in &path[common..] {
        let _ = writeln!(out, "{}{part}:", "  ".repeat(open.len()));
        open.push(part);
    }
}

fn entry(out: &mut String, open: &mut Vec<&'static str>, row: &'static Row, built: &[RuleKey]) {
    let full: Vec<&'static str> = row.path.split('.').collect();
    let Some((name, parents)) = full.split_last() else { return };
    if *name == SYMBOL {
        return by_symbol(out, open, row, parents);
    }
    if row.key.symbols.is_some() {
        return;
    }
    let unbuilt = row.group.rule.is_some_and(|rule| !built.contains(&rule)) && row.key.path == "enabled";
    let value = if unbuilt { Json::from(false) } else { row.default() };
    descend(out, open, parents);
    let indent = "  ".repeat(parents.len());
    let note = if unbuilt { " Not in this version yet." } else { "" };
    let _ = writeln!(out, "{indent}# {}{note}{}", row.key.help, range(row));
    let _ = writeln!(out, "{indent}{name}:{}", value_text(&row.key.kind, &value, parents.len()));
}

fn by_symbol(out: &mut String, open: &mut Vec<&'static str>, row: &'static Row, parents: &[&'static str]) {
    let (Some(symbols), Some(lens)) = (row.key.symbols, row.key.lens) else { return };
    let sheet = Sheet::default();
    let symbols = symbols(&sheet);
    let Some((name, outer)) = parents.split_last() else { return };
    descend(out, open, outer);
    let indent = "  ".repeat(outer.len());
    let _ = writeln!(out, "{indent}# {}{}", row.key.help, range(row));
    if symbols.is_empty() {
        let _ = writeln!(out, "{indent}{name}: {{}}");
        return;
    }
    descend(out, open, parents);
    for symbol in symbols {
        let value = (lens.get)(&sheet, symbol.as_str());
        let text = value_text(&row.key.kind, &value, parents.len());
        let _ = writeln!(out, "{}{symbol}:{text}", "  ".repeat(parents.len()));
    }
}

fn range(row: &Row) -> String {
    let unit = match row.key.unit {
        _ if matches!(row.key.kind, Kind::Percents) => "",
        Unit::None | Unit::Dollars => "",
        Unit::Contracts => " contracts",
        Unit::Seconds => " seconds",
        Unit::Ticks => " ticks",
        Unit::Trades => " trades",
        Unit::Percent => " percent",
        Unit::Hours => " hours",
        Unit::Days => " days",
        Unit::Megabytes => " megabytes",
        Unit::Files => " files",
    };
    let or_null = if row.key.nullable { ", or null" } else { "" };
    if matches!(row.key.kind, Kind::Bool | Kind::AlwaysTrue(_) | Kind::Only(..)) {
        return String::new();
    }
    format!(" ({}{unit}{or_null})", row.key.kind.expected())
}

fn accounts() -> String {
    let mut out = String::new();
    let Some(group) = schema::GROUPS.iter().find(|group| group.file == File::Accounts) else { return out };
    let _ = writeln!(out, "\n# {}. {} An entry may have:", group.title, group.help);
    for key in group.keys {
        let _ = writeln!(out, "#   {}: {} ({})", key.path, key.help, key.kind.expected());
    }
    let _ = writeln!(out, "# Example:\n#   accounts:\n#     - id: 1234567\n#       name: Practice");
    let _ = writeln!(
        out,
        "#       config_overrides:\n#         max_contracts:\n#           limit: 2\naccounts: []"
    );
    out
}

/// A value behind its key's colon: short ones in the same line, long lists below.
fn value_text(kind: &Kind, value: &Json, depth: usize) -> String {
    const LONG: usize = 70;
    let written = kind.written(value);
    if let (Kind::Money(_), Some(amount)) = (kind, value.as_str().and_then(|text| text.parse().ok())) {
        return format!(" {}", domain::Usd(amount));
    }
    let short = flow(&written);
    match written.as_array().filter(|_| short.len() > LONG) {
        Some(items) => {
            let indent = "  ".repeat(depth + 1);
            items.iter().fold(String::new(), |lines, item| format!("{lines}\n{indent}- {}", flow(item)))
        }
        None => format!(" {short}"),
    }
}

/// A value in flow style, quoted only where it must be.
pub(crate) fn flow(value: &Json) -> String {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) if is_plain(text) => text.clone(),
        Json::String(_) => value.to_string(),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", flow(&Json::from(key.as_str())), flow(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Whether a text is the same text without quotes, for readers of any YAML version.
fn is_plain(text: &str) -> bool {
    const TAKEN: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];
    let number = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let legal = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_/.-".contains(&b));
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    legal && begins && !number && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
}

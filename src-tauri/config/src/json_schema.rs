//! JSON Schema (draft 2020-12) of the four files, so that editors complete and check them. Editors see
//! types and ranges; contradictions between values are found by the check.

use serde_json::{Map, Value as Json, json};

use crate::{
    effective::is_locked,
    schema::{self, ACCOUNT, File, Form, Kind, LARGEST_AMOUNT, Row, SYMBOL, Sign},
};

/// The schema files by name.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Json)> {
    File::ALL.into_iter().map(|file| (name(file), schema(file))).collect()
}

/// Name of a file's schema.
pub(crate) const fn name(file: File) -> &'static str {
    match file {
        File::Risk => "risk.schema.json",
        File::Accounts => "accounts.schema.json",
        File::Timers => "timers.schema.json",
        File::Api => "api.schema.json",
    }
}

fn schema(file: File) -> Json {
    let mut root = match file {
        File::Accounts => accounts(),
        File::Risk | File::Timers | File::Api => tree(file),
    };
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!(format!("{} of Risk Manager", file.name()));
    root
}

/// The nested object of all keys of a file.
fn tree(file: File) -> Json {
    let mut root = object();
    for group in schema::GROUPS.iter().filter(|group| group.file == file && !group.prefix.is_empty()) {
        let node = descend(&mut root, &group.prefix.split('.').collect::<Vec<_>>());
        node["title"] = json!(group.title);
        node["description"] = json!(group.help);
    }
    for row in schema::rows(file) {
        let parts: Vec<&str> = row.path.split('.').collect();
        let Some((name, parents)) = parts.split_last() else { continue };
        let parent = descend(&mut root, parents);
        match *name {
            SYMBOL => parent["additionalProperties"] = key(row),
            name => parent["properties"][name] = key(row),
        }
    }
    root
}

fn object() -> Json {
    json!({"type": ["object", "null"], "properties": {}, "additionalProperties": false})
}

/// The object at a path, made where it is missing.
fn descend<'a>(node: &'a mut Json, path: &[&str]) -> &'a mut Json {
    let Some((first, rest)) = path.split_first() else { return node };
    let slot = match *first {
        SYMBOL => &mut node["additionalProperties"],
        name => &mut node["properties"][name],
    };
    if !slot.is_object() {
        *slot = object();
    }
    descend(slot, rest)
}

fn accounts() -> Json {
    let mut entry = object();
    for row in schema::rows(File::Accounts) {
        if let Some(name) = row.path.strip_prefix(ACCOUNT).and_then(|rest| rest.strip_prefix('.')) {
            entry["properties"][name] = key(row);
        }
    }
    let rules = tree(File::Risk)["properties"]["rules"].clone();
    let mut wrapped = object();
    wrapped["properties"]["rules"] = rules.clone();
    entry["properties"]["config_overrides"] = json!({"anyOf": [rules, wrapped]});
    entry["required"] = json!(["id"]);
    entry["type"] = json!("object");
    json!({
        "type": "object",
        "properties": {
            "accounts": {"type": ["array", "null"], "items": entry.clone()},
            "monitored_account": entry,
        },
        "additionalProperties": false,
    })
}

fn key(row: &Row) -> Json {
    let plain = kind(&row.key.kind);
    let mut forms = vec![plain];
    if is_locked(row) && row.group.rule.is_some() {
        forms = vec![json!({"const": row.default()})];
    } else if !matches!(row.key.kind, Kind::Secret | Kind::Rules) {
        forms.push(reference());
    }
    if row.key.nullable {
        forms.push(json!({"type": "null"}));
    }
    let mut node = match forms.len() {
        1 => forms.remove(0),
        _ => json!({"anyOf": forms}),
    };
    node["title"] = json!(row.key.title);
    node["description"] = json!(format!("{} Expected: {}.", row.key.help, row.key.kind.expected()));
    let default = row.default();
    if !default.is_null() && row.key.form != Form::Alternative {
        node["default"] = row.key.kind.written(&default);
    }
    node
}

/// Any value may come out of the environment.
fn reference() -> Json {
    json!({"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"})
}

fn kind(kind: &Kind) -> Json {
    const TIME: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9]$";
    const DATE: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
    let list = |items: Json| json!({"type": "array", "items": items});
    match kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::AlwaysTrue(_) => json!({"const": true}),
        Kind::Whole { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Money(Sign::Loss) => {
            json!({"type": "number", "minimum": -i64::from(LARGEST_AMOUNT), "exclusiveMaximum": 0})
        }
        Kind::Money(Sign::Gain) => {
            json!({"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_AMOUNT})
        }
        Kind::Choice(words) => json!({"enum": words}),
        Kind::Only("false", _) => json!({"const": false}),
        Kind::Only(word, _) => json!({"const": word}),
        Kind::Duration { min, max } => json!({"anyOf": [
            {"type": "integer", "minimum": min, "maximum": max},
            {"type": "string", "pattern": "^[0-9]+[smh]?$"},
        ]}),
        Kind::Time => json!({"type": "string", "pattern": TIME}),
        Kind::Zone | Kind::Url { .. } => json!({"type": "string"}),
        Kind::Days => days(),
        Kind::Percents => list(json!({"type": "integer", "minimum": 1, "maximum": 99})),
        Kind::Dates => list(json!({"type": "string", "pattern": DATE})),
        Kind::EarlyCloses => list(fields(&[
            ("date", json!({"type": "string", "pattern": DATE}), true),
            ("close_time", json!({"type": "string", "pattern": TIME}), true),
        ])),
        Kind::Windows => list(fields(&[
            ("start", json!({"type": "string", "pattern": TIME}), true),
            ("end", json!({"type": "string", "pattern": TIME}), true),
            ("days", days(), false),
        ])),
        Kind::Tiers => list(fields(&[
            ("loss_amount", self::kind(&Kind::Money(Sign::Loss)), true),
            ("cooldown_duration", self::kind(&Kind::Duration { min: 1, max: 86_400 }), true),
        ])),
        Kind::Patterns => list(json!({"type": "string", "pattern": "^[A-Za-z0-9*?]{1,20}$"})),
        Kind::Symbols => list(json!({"type": "string", "pattern": "^[A-Za-z0-9]{1,10}$"})),
        Kind::UnlistedSymbols => json!({
            "type": "string",
            "pattern": "^(use_default|block|allow_unlimited|allow_with_limit:[0-9]+)$",
        }),
        Kind::Text { longest } => {
            json!({"type": ["string", "integer"], "minLength": 1, "maxLength": longest})
        }
        Kind::Secret => json!({"type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"}),
        Kind::AccountId => json!({"type": ["integer", "string"]}),
        Kind::Rules => json!({"type": ["object", "null"]}),
    }
}

fn days() -> Json {
    json!({
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 6},
        "minItems": 1,
        "uniqueItems": true,
    })
}

fn fields(fields: &[(&str, Json, bool)]) -> Json {
    let properties: Map<String, Json> =
        fields.iter().map(|(name, schema, _)| ((*name).to_string(), schema.clone())).collect();
    let required: Vec<&str> =
        fields.iter().filter(|(_, _, needed)| *needed).map(|(name, _, _)| *name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

//! `accounts.yaml`: who is watched, and whose rules differ, by a file of their own or by overrides.

use std::collections::BTreeMap;

use domain::AccountId;

use crate::{
    fault::{Fault, FaultKind, Place, nearest, shown},
    layer::{Layer, Origin},
    schema::{ACCOUNT, File},
    settings::ListedAccount,
    walk::{Walk, credential, is_credential},
    yaml::{Content, Key, Node},
};

/// One entry with the values that it changes.
pub(crate) struct Entry {
    pub account: ListedAccount,
    pub id_place: Place,
    pub layer: Layer,
}

/// Reads another file of the configuration folder, adds its faults, and gives its tree.
pub(crate) type Open<'a> = dyn FnMut(&str, &mut Vec<Fault>) -> Opened + 'a;

/// What came of opening a file.
pub(crate) enum Opened {
    Missing,
    /// Unreadable, which was told, or empty.
    Nothing,
    Tree(Node),
}

/// The entries of the file.
pub(crate) fn read(tree: &Node, open: &mut Open, faults: &mut Vec<Fault>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (index, node) in nodes(tree, faults).into_iter().enumerate() {
        entries.extend(entry(node, index, open, faults));
    }
    refuse_doubles(&entries, faults);
    if !entries.is_empty() && entries.iter().all(|entry| !entry.account.enabled) {
        faults.push(
            Fault::error(
                FaultKind::Conflict,
                &tree.place,
                "accounts",
                "Every listed account is switched off.",
            )
            .because("Nothing would be watched.")
            .fix("Enable one, or remove the list: then every active account is watched."),
        );
    }
    entries
}

/// Names at the top of the file.
const NAMES: [&str; 2] = ["accounts", "monitored_account"];

/// The nodes of the entries: the list `accounts`, or the single `monitored_account`.
fn nodes<'a>(tree: &'a Node, faults: &mut Vec<Fault>) -> Vec<&'a Node> {
    let wrong = |node: &Node, key: &str, problem: &str| {
        Fault::error(FaultKind::Type, &node.place, key, problem)
            .because("Each account has an entry of its own.")
            .fix("Write a list of entries.")
            .example("accounts: [{id: 1234567, name: Practice}]")
    };
    let Content::Map(entries) = &tree.content else {
        faults.push(wrong(tree, "", "A map with `accounts` is expected here."));
        return Vec::new();
    };
    refuse_others(entries, faults);
    match (tree.child("accounts"), tree.child("monitored_account")) {
        (Some(list), Some(_)) => {
            faults.push(
                Fault::error(
                    FaultKind::Conflict,
                    &list.place,
                    "accounts",
                    "accounts and monitored_account exclude each other.",
                )
                .because("It would be a guess which of the two counts.")
                .fix("Move the single account into the list."),
            );
            Vec::new()
        }
        (None, Some(single)) => vec![single],
        (Some(list), None) => match &list.content {
            Content::List(items) => items.iter().collect(),
            Content::Scalar(_) if list.is_null() => Vec::new(),
            Content::Scalar(_) | Content::Map(_) | Content::Bad => {
                faults.push(wrong(list, "accounts", "A list of accounts is expected here."));
                Vec::new()
            }
        },
        (None, None) => Vec::new(),
    }
}

fn refuse_others(entries: &[(Key, Node)], faults: &mut Vec<Fault>) {
    for (key, _) in entries.iter().filter(|(key, _)| !NAMES.contains(&key.name.as_str())) {
        if is_credential(&key.name) {
            faults.push(credential(&key.place, &key.name));
            continue;
        }
        faults.push(
            Fault::error(
                FaultKind::UnknownKey,
                &key.place,
                &key.name,
                format!("There is no setting {} here.", shown(&key.name)),
            )
            .because("This file lists accounts; what differs for one of them stands in its entry.")
            .fix("Valid here: accounts. Put config_overrides into the entry of the account it is meant for.")
            .nearest(nearest(&key.name, NAMES)),
        );
    }
}

fn entry(node: &Node, index: usize, open: &mut Open, faults: &mut Vec<Fault>) -> Option<Entry> {
    let label = format!("accounts[{index}]");
    let given =
        Walk::new(File::Accounts, Origin::File, faults).called(ACCOUNT, label.clone()).read(node, ACCOUNT);
    let text = |key: &str| {
        let value = given.given.get(&format!("{ACCOUNT}.{key}"));
        value.and_then(|given| given.value.as_str()).map(ToString::to_string)
    };
    let Some(id) = text("id") else {
        if !given.is_bad(&format!("{ACCOUNT}.id")) && matches!(node.content, Content::Map(_)) {
            faults.push(
                Fault::error(FaultKind::Type, &node.place, &format!("{label}.id"), "This account has no id.")
                    .because("Only the id says which of the broker's accounts is meant.")
                    .fix("Add the broker's account number.")
                    .example("id: 1234567"),
            );
        }
        return None;
    };
    let account_type = given.given.get(&format!("{ACCOUNT}.account_type"));
    let enabled = given.given.get(&format!("{ACCOUNT}.enabled"));
    let account = ListedAccount {
        id: AccountId::from(id),
        name: text("name"),
        enabled: enabled.is_none_or(|given| given.value == true),
        account_type: account_type.and_then(|given| serde_json::from_value(given.value.clone()).ok()),
        description: text("description"),
        risk_config_file: text("risk_config_file"),
    };
    let layer = rules(node, &account, &label, open, faults);
    let id_place = node.child("id").map_or_else(|| node.place.clone(), |id| id.place.clone());
    Some(Entry { account, id_place, layer })
}

/// What the account changes: by a file of its own or by overrides, never both.
fn rules(
    node: &Node,
    account: &ListedAccount,
    label: &str,
    open: &mut Open,
    faults: &mut Vec<Fault>,
) -> Layer {
    let file = node.child("risk_config_file");
    match (&account.risk_config_file, file, node.child("config_overrides")) {
        (Some(_), Some(place), Some(_)) => {
            faults.push(
                Fault::error(
                    FaultKind::Conflict,
                    &place.place,
                    &format!("{label}.risk_config_file"),
                    "risk_config_file and config_overrides exclude each other.",
                )
                .because("Each value of an account comes from one place.")
                .fix("Move the overrides into the file, or drop the file."),
            );
            Layer::default()
        }
        (Some(name), Some(place), None) => custom_file(name, &place.place, label, open, faults),
        (_, _, Some(overrides)) => overridden(overrides, label, faults),
        _ => Layer::default(),
    }
}

fn overridden(node: &Node, label: &str, faults: &mut Vec<Fault>) -> Layer {
    let walk = Walk::new(File::Risk, Origin::Override, faults);
    let layer = match node.child("rules") {
        Some(_) => walk.called("", format!("{label}.config_overrides.")).read(node, ""),
        None => walk.called("rules", format!("{label}.config_overrides")).read(node, "rules"),
    };
    rules_only(layer, faults)
}

fn custom_file(name: &str, place: &Place, label: &str, open: &mut Open, faults: &mut Vec<Fault>) -> Layer {
    let key = format!("{label}.risk_config_file");
    let inside = std::path::Path::new(name)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
    let taken = File::ALL.iter().any(|file| file.name() == name);
    if !inside || taken {
        faults.push(
            Fault::error(FaultKind::Range, place, &key, format!("{} can't be a file of rules.", shown(name)))
                .because("It lies inside the configuration folder and is none of its four files.")
                .fix("Put the file beside accounts.yaml.")
                .example("risk_config_file: practice.yaml"),
        );
        return Layer::default();
    }
    match open(name, faults) {
        Opened::Tree(tree) => {
            let layer = Walk::new(File::Risk, Origin::CustomFile, faults).read(&tree, "");
            rules_only(layer, faults)
        }
        Opened::Nothing => Layer::default(),
        Opened::Missing => {
            faults.push(
                Fault::error(
                    FaultKind::Unreadable,
                    place,
                    &key,
                    format!("There is no file {}.", shown(name)),
                )
                .because("The account's rules would be missing.")
                .fix("Create it in the configuration folder, or correct the name."),
            );
            Layer::default()
        }
    }
}

/// Settings of the program can't differ between accounts.
fn rules_only(mut layer: Layer, faults: &mut Vec<Fault>) -> Layer {
    layer.given.retain(|path, given| {
        let is_rule = path.starts_with("rules.");
        if !is_rule {
            let place = given.origin.place().cloned().unwrap_or_default();
            faults.push(
                Fault::error(FaultKind::Conflict, &place, path, "This holds for every account.")
                    .because("Only rules can differ between accounts.")
                    .fix("Move it to risk.yaml."),
            );
        }
        is_rule
    });
    layer
}

fn refuse_doubles(entries: &[Entry], faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<&AccountId, usize> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Some(earlier) = seen.insert(&entry.account.id, index) {
            let place = &entry.id_place;
            faults.push(
                Fault::error(
                    FaultKind::Conflict,
                    place,
                    &format!("accounts[{index}].id"),
                    format!(
                        "The account {} is listed twice; first in accounts[{earlier}].",
                        entry.account.id
                    ),
                )
                .because("It would be a guess which of the two entries counts.")
                .fix("Keep one of them."),
            );
        }
    }
}

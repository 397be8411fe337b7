//! The settings in the form in which a window shows them. Reads no file and judges nothing.

use config::{Fault, GroupInfo, KeyInfo, Loaded, Origin};
use domain::AccountId;
use serde_json::Value as Json;
use views::{
    settings::{
        SettingFault, SettingKey, SettingOrigin, SettingValue, SettingsGroup, SettingsScope, SettingsView,
    },
    text::words,
};

/// What every key means and what the files say.
pub(super) fn view(loaded: &Loaded, faults: &[Fault], usable: bool) -> SettingsView {
    let mut groups = config::describe();
    groups.retain(|group| group.file != config::File::Accounts);
    groups.sort_by_key(|group| (group.rule.is_none(), group.rule, group.file));
    let listed = loaded.accounts.iter().map(|it| (Some(&it.id), it.name.clone()));
    SettingsView {
        groups: groups.into_iter().map(group).collect(),
        scopes: std::iter::once((None, None))
            .chain(listed)
            .map(|(account, name)| scope(loaded, account, name))
            .collect(),
        faults: faults.iter().map(fault).collect(),
        usable,
    }
}

/// A fault as a window shows it.
pub(super) fn fault(fault: &Fault) -> SettingFault {
    SettingFault {
        is_error: fault.is_error(),
        file: fault.file.clone(),
        line: fault.line.and_then(|line| u32::try_from(line).ok()),
        key: fault.key.clone(),
        problem: fault.problem.clone(),
        reason: fault.reason.clone(),
        fix: fault.fix.clone(),
        example: fault.example.clone(),
    }
}

fn group(info: GroupInfo) -> SettingsGroup {
    SettingsGroup {
        rule: info.rule,
        prefix: info.prefix.to_string(),
        file: info.file.name().to_string(),
        title: info.rule.map_or(info.title, words::title).to_string(),
        help: info.help.to_string(),
        keys: info.keys.into_iter().map(key).collect(),
    }
}

fn key(info: KeyInfo) -> SettingKey {
    SettingKey {
        key: info.key,
        title: info.title.to_string(),
        help: info.help.to_string(),
        kind: info.kind.to_string(),
        expected: info.expected,
        unit: serde_json::to_value(info.unit).ok().and_then(name).unwrap_or_default(),
        default: info.default,
        min: info.min,
        max: info.max,
        choices: info.choices.into_iter().map(ToString::to_string).collect(),
        nullable: info.nullable,
        locked: info.locked,
        alternative: info.alternative,
    }
}

fn name(value: Json) -> Option<String> {
    value.as_str().map(ToString::to_string)
}

fn scope(loaded: &Loaded, account: Option<&AccountId>, name: Option<String>) -> SettingsScope {
    let values = loaded.effective(account).into_iter().map(|value| {
        let place = value.origin.place();
        SettingValue {
            key: value.key,
            value: value.value,
            origin: match &value.origin {
                Origin::Default => SettingOrigin::Default,
                Origin::File(_) => SettingOrigin::Everyone,
                Origin::CustomFile(_) | Origin::Override(_) => SettingOrigin::Own,
                Origin::Forced => SettingOrigin::Forced,
            },
            file: place.map(|place| place.file.clone()),
            line: place.and_then(|place| place.line).and_then(|line| u32::try_from(line).ok()),
        }
    });
    SettingsScope { account: account.cloned(), name, values: values.collect() }
}

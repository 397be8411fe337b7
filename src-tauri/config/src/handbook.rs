//! The handbook of all keys as Markdown (`docs/rules.md`), made from the table.

use std::fmt::Write;

use crate::{
    defaults::flow,
    effective::{GroupInfo, KeyInfo, describe},
    schema::Strictness,
};
use domain::RuleKey;

/// Every rule and section with its keys, defaults, ranges, and which way is stricter.
#[must_use]
pub fn handbook() -> String {
    let mut out = String::from(HEAD);
    for group in describe() {
        section(&mut out, &group);
    }
    out
}

const HEAD: &str = "# Rules and settings

Made from the program's own table of keys; `riskctl config check` judges by the same table.
Any value may be `${NAME}`, taken from the environment or from `.env` in the home folder.
Times are `HH:MM`, dates `YYYY-MM-DD`, durations a number with `s`, `m` or `h`, or plain seconds.

Stricter changes apply at once. Looser ones wait for the next trading day, and so do changes of which
neither way is clearly stricter. A rule that is off or only observes may be changed freely.
";

fn section(out: &mut String, group: &GroupInfo) {
    let number = group.rule.and_then(RuleKey::number).map(|number| format!("RULE-{number:03}: "));
    let path = match group.prefix {
        "" => String::new(),
        prefix => format!(", `{prefix}`"),
    };
    let _ = writeln!(
        out,
        "\n## {}{}\n\n`{}`{path}. {}\n",
        number.unwrap_or_default(),
        group.title,
        group.file.name(),
        group.help
    );
    out.push_str("| key | default | expected | meaning | stricter |\n| --- | --- | --- | --- | --- |\n");
    for key in &group.keys {
        let _ = writeln!(
            out,
            "| `{}` | {} | {}{} | {} | {} |",
            name(group, key),
            default(key),
            key.expected,
            if key.nullable { ", or null" } else { "" },
            key.help,
            stricter(group, key)
        );
    }
}

fn name<'a>(group: &GroupInfo, key: &'a KeyInfo) -> &'a str {
    key.key.strip_prefix(group.prefix).map_or(key.key.as_str(), |rest| rest.trim_start_matches('.'))
}

fn default(key: &KeyInfo) -> String {
    const LONG: usize = 10;
    match &key.default {
        none if none.is_null() => String::new(),
        list if list.as_array().is_some_and(|items| items.len() > LONG) => "the shipped list".to_string(),
        value => format!("`{}`", flow(value)),
    }
}

fn stricter(group: &GroupInfo, key: &KeyInfo) -> &'static str {
    if group.rule.is_none() {
        return "";
    }
    if key.locked {
        return "fixed";
    }
    match key.stricter {
        Strictness::Lower => "smaller",
        Strictness::Higher => "larger",
        Strictness::On => "true",
        Strictness::Off => "false",
        Strictness::Later => "later in the list",
        Strictness::LongerEverywhere => "longer at every loss",
        Strictness::Neutral => "",
        Strictness::Unclear => "waits",
        Strictness::Together => "judged together",
    }
}

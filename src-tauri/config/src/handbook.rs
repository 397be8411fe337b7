//! The handbook of all keys as Markdown (`docs/rules.md`), made from the table.

use std::fmt::Write;

use crate::{
    defaults::flow,
    effective::{GroupInfo, KeyInfo, describe},
    examples::example,
    schema::Strictness,
};
use domain::RuleKey;

/// The thirteen rules at a glance, then every rule and section with its keys, defaults, ranges, which way is
/// stricter, and an example for each rule.
#[must_use]
pub fn handbook() -> String {
    let groups = describe();
    let mut out = String::from(HEAD);
    overview(&mut out, &groups);
    for group in &groups {
        section(&mut out, group);
    }
    out.push_str(DIFFERENCES);
    out
}

const HEAD: &str = "# Rules and settings

Made from the program's own table of keys; `riskctl config check` judges by the same table.
Any value may be `${NAME}`, taken from the environment or from `.env` in the home folder.
Times are `HH:MM`, dates `YYYY-MM-DD`, durations a number with `s`, `m` or `h`, or plain seconds.

Stricter changes apply at once. Looser ones wait for the next trading day, and so do changes of which
neither way is clearly stricter. A rule that is off or only observes may be changed freely.
";

const DIFFERENCES: &str = "
## Where these rules differ from their specification

- **Fees count** in RULE-003 and RULE-013 unless `include_fees` is false: the platform's own limits and the
  balance are net, and a limit that is reached later than the platform's protects nobody.
- **Holidays** are one list in `timers.yaml`, for everyone; RULE-009 still takes its own if it is the only one.
- **A looser setting during the lock at the end of the trading hours** waits, while any other HARD or TIMER
  lockout refuses it: that lock stands every evening, and angers nobody.
- **RULE-012 moves the trader's own stops as well** (breakeven, trailing), never the looser way: a
  second stop beside it could fill as well and open the other side.
- **The newest message about a position counts**, whatever time it bears: positions carry the time of their
  opening only. Where it contradicts the fills, the broker is asked.
- **No circuit breaker** shuts the broker out for a minute after five failures (C.12): what is no enforcement is
  nearly all reading that limits are judged by. The one budget of requests, half of it kept for enforcement, and
  pauses that grow to 15 s stand in its place (ruling 19).
- **Discord, Telegram and email** (C.14) can be set and send nothing yet; `riskctl config check` says so.

`ARCHITECTURE.md` gives the reasons at length, beside the decisions that concern no rule.
";

fn overview(out: &mut String, groups: &[GroupInfo]) {
    out.push_str(
        "\n## The thirteen rules\n\n| rule | key | shipped | what it does |\n| --- | --- | --- | --- |\n",
    );
    for group in groups {
        let Some(rule) = group.rule else { continue };
        let Some(number) = rule.number() else { continue };
        let switch = format!("{}.enabled", group.prefix);
        let enabled = group.keys.iter().any(|key| key.key == switch && key.default == true);
        let shipped = if enabled { "on" } else { "off" };
        let _ = writeln!(out, "| RULE-{number:03} | `{}` | {shipped} | {} |", rule.key(), group.help);
    }
}

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
    if let Some((does, lines)) = group.rule.and_then(example) {
        let lines = lines.replace('\n', "\n  ");
        let _ = writeln!(out, "\nExample: {does}.\n\n```yaml\nrules:\n  {lines}\n```");
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
        // The one word of a choice, as it is written.
        word if !key.choices.is_empty() => format!("`{}`", word.as_str().unwrap_or_default()),
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

//! `riskctl log`: the audit, oldest first. Reads the database, whether an engine runs or not.

use std::{collections::BTreeMap, path::Path};

use domain::{AccountId, RuleKey};
use runtime::{Home, lines, settings};
use store::{AuditAction, AuditLine, AuditOutcome, LogQuery, Part, Reader};
use views::text::{money, words};

use crate::{args::Log, exit::Failure, print};

/// Lines read at once.
const PAGE: u32 = 1_000;

/// Prints the audit.
pub fn run(home: Option<&Path>, options: &Log) -> Result<(), Failure> {
    let home = Home::find(home)?;
    let reader = Reader::open(home.path())?;
    let rule = options.rule.as_deref().map(rule).transpose()?;
    let account = options.account.as_deref().map(Into::into);
    let query = |part, limit| LogQuery { part, limit, account: account.clone(), rule };
    let names = names(&home, &reader)?;
    let show = |line: &AuditLine| match options.json {
        true => print::json(line),
        false => print::line(sentence(line, &names)),
    };
    if let Some(limit) = options.tail {
        return reader.log(&query(Part::Latest, limit))?.iter().try_for_each(show);
    }
    let mut after = 0;
    loop {
        let page = reader.log(&query(Part::After(after), PAGE))?;
        page.iter().try_for_each(show)?;
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = last.seq,
            _ => return Ok(()),
        }
    }
}

fn rule(key: &str) -> Result<RuleKey, Failure> {
    RuleKey::from_key(key).ok_or_else(|| {
        let keys: Vec<&str> = RuleKey::RULES.iter().map(|rule| rule.key()).collect();
        Failure::other(format!("there is no rule {key:?}. The rules are: {}, trader", keys.join(", ")))
    })
}

/// What the accounts are called; none where there is but one.
fn names(home: &Home, reader: &Reader) -> Result<BTreeMap<AccountId, String>, Failure> {
    let (brokers, own) = (reader.names()?, settings::own_names(&home.config()));
    let called = |(id, name): (AccountId, String)| {
        let name = words::account_name(own.get(&id).map(String::as_str), &name);
        (id, name)
    };
    Ok(if brokers.len() > 1 { brokers.into_iter().map(called).collect() } else { BTreeMap::new() })
}

fn sentence(line: &AuditLine, names: &BTreeMap<AccountId, String>) -> String {
    let outcome = match line.outcome {
        AuditOutcome::Pending => "pending",
        AuditOutcome::Confirmed => "confirmed",
        AuditOutcome::Failed => "failed",
        AuditOutcome::Observed => "observed",
        AuditOutcome::Superseded => "superseded",
        AuditOutcome::Recorded => "recorded",
    };
    let mut text = format!(
        "{:>5}  {}  {:<10}  {:<16}  ",
        line.seq,
        line.at.format("%Y-%m-%d %H:%M:%S%.3f"),
        outcome,
        lines::action(line.action),
    );
    if let Some(name) = line.account.as_ref().and_then(|account| names.get(account)) {
        text.push_str(&format!("{name}  "));
    }
    // No rule stands behind settings and recoveries.
    if !matches!(line.action, AuditAction::Settings | AuditAction::Recovery) {
        text.push_str(lines::title(line));
        text.push_str(": ");
    }
    text.push_str(&line.reason);
    if let Some(done) = &line.done {
        text.push_str(&format!(". {done}"));
    }
    if let Some(microseconds) = line.latency_us {
        text.push_str(&format!(" Detected to seen {}.{:03} ms.", microseconds / 1000, microseconds % 1000));
    }
    if let Some(overshoot) = line.overshoot_usd.filter(|amount| amount.0 > 0.into()) {
        text.push_str(&format!(" {} past the limit.", money::unsigned(overshoot)));
    }
    if let Some(error) = &line.error {
        text.push_str(&format!(" Error: {error}."));
    }
    text
}

//! `riskctl lockouts`: what is locked, why, until when; and the way to end one before its time.

use std::path::Path;

use domain::{AccountId, Instant, LockKey, LockKind, RuleKey, Symbol};
use runtime::{
    Home,
    control::client::{Client, ClientError},
};
use serde::Serialize;
use store::{ReadError, Reader};
use views::{control::Ask, guard::GuardAct, text::lockout as text};

use super::guard;
use crate::{
    args::{Lockouts, LockoutsAct, Secret},
    exit::Failure,
    print,
};

#[derive(Serialize)]
struct Line {
    account: AccountId,
    rule: RuleKey,
    kind: LockKind,
    symbol: Option<Symbol>,
    reason: String,
    since: Instant,
    until: Option<Instant>,
    #[serde(skip)]
    key: LockKey,
    #[serde(skip)]
    title: String,
    ends: String,
}

/// Prints active lockouts, the strongest first, or ends one.
pub async fn run(home: Option<&Path>, options: Lockouts) -> Result<(), Failure> {
    let home = Home::find(home)?;
    match options.act {
        None => list(&home, options.json).await,
        Some(LockoutsAct::Override { rule, reason, account, symbol, secret }) => {
            let meant = Meant { rule, account, symbol };
            end(&home, &meant, reason, secret).await
        }
    }
}

/// Which lockout somebody means.
struct Meant {
    rule: String,
    account: Option<String>,
    symbol: Option<String>,
}

impl Meant {
    fn is(&self, line: &Line) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        line.rule.key() == self.rule
            && fits(&self.account, line.account.as_str())
            && fits(&self.symbol, line.symbol.as_ref().map_or("", Symbol::as_str))
    }
}

async fn end(home: &Home, meant: &Meant, reason: String, secret: Secret) -> Result<(), Failure> {
    let mut client = Client::connect(home.path()).await?;
    let mut lines = from_engine(&mut client).await?.into_iter().filter(|line| meant.is(line));
    let line = match (lines.next(), lines.next()) {
        (Some(line), None) => line,
        (None, _) => return Err(Failure::other("there is no such lockout. See `riskctl lockouts`")),
        (Some(_), Some(_)) => {
            return Err(Failure::other("several lockouts are meant by that. Name --account or --symbol too"));
        }
    };
    let password = guard::password("Guard password", secret)?;
    client.ask(Ask::Guard { act: GuardAct::Override { password, key: line.key, reason } }).await?;
    print::line(format!("The lock by {} is ended. The log keeps when and why.", line.title))
}

async fn list(home: &Home, as_json: bool) -> Result<(), Failure> {
    let lines = match Client::connect(home.path()).await {
        Ok(mut client) => from_engine(&mut client).await?,
        Err(ClientError::NotRunning { .. }) => from_database(home)?,
        Err(error) => return Err(error.into()),
    };
    if as_json {
        return print::json(&lines);
    }
    if lines.is_empty() {
        return print::line("No lockout is active.");
    }
    let now = chrono::Utc::now();
    let mut table = print::table(&["Account", "Rule", "Kind", "Reason", "Until", "How it ends"]);
    for line in lines {
        let title = match &line.symbol {
            Some(symbol) => format!("{} {symbol}", line.title),
            None => line.title,
        };
        table.add_row([
            line.account.to_string(),
            title,
            format!("{:?}", line.kind).to_uppercase(),
            line.reason,
            print::until(line.until, now),
            line.ends,
        ]);
    }
    print::line(table)
}

async fn from_engine(client: &mut Client) -> Result<Vec<Line>, Failure> {
    let view = client.view().await?;
    let mut lines = Vec::new();
    for account in view.accounts {
        for lockout in account.lockouts {
            lines.push(Line {
                account: account.id.clone(),
                rule: lockout.rule,
                kind: lockout.kind,
                symbol: lockout.symbol,
                reason: lockout.reason,
                since: lockout.since,
                until: lockout.until,
                key: lockout.key,
                title: lockout.title,
                ends: lockout.ends,
            });
        }
    }
    Ok(lines)
}

fn from_database(home: &Home) -> Result<Vec<Line>, Failure> {
    let now = chrono::Utc::now();
    let status = match Reader::open(home.path()) {
        Ok(reader) => reader.status(now)?,
        Err(ReadError::NoDatabase(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let held = status.accounts.into_iter().flat_map(|account| account.lockouts);
    Ok(held
        .map(|held| Line {
            account: held.lockout.key.account.clone(),
            rule: held.lockout.key.rule,
            kind: held.lockout.kind,
            symbol: held.lockout.key.symbol.clone(),
            since: held.lockout.since,
            until: held.lockout.end.at(),
            key: held.lockout.key.clone(),
            title: text::title(&held.lockout).to_string(),
            ends: text::ends(&held.lockout, now),
            reason: held.reason,
        })
        .collect())
}

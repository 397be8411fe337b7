//! `riskctl lockouts`: what is locked, why, until when.

use std::path::Path;

use domain::{AccountId, Instant, LockKind, RuleKey, Symbol};
use runtime::{
    Home,
    control::client::{Client, ClientError},
};
use serde::Serialize;
use store::{ReadError, Reader};
use views::text::lockout as text;

use crate::{args::Format, exit::Failure, print};

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
    title: String,
    ends: String,
}

/// Prints active lockouts, the strongest first.
pub async fn run(home: Option<&Path>, options: Format) -> Result<(), Failure> {
    let home = Home::find(home)?;
    let lines = match Client::connect(home.path()).await {
        Ok(mut client) => from_engine(&mut client).await?,
        Err(ClientError::NotRunning { .. }) => from_database(&home)?,
        Err(error) => return Err(error.into()),
    };
    if options.json {
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
            title: text::title(&held.lockout).to_string(),
            ends: text::ends(&held.lockout, now),
            reason: held.reason,
        })
        .collect())
}

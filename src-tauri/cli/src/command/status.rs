//! `riskctl status`: from the running engine, or from the database when none runs.

use std::path::Path;

use domain::{Instant, Lockout, Symbol};
use runtime::{
    Home,
    control::client::{Client, ClientError},
    settings,
};
use serde_json::{Value, json};
use store::{OfflineAccount, OfflineStatus, Reader};
use views::{
    View,
    control::Reply,
    text::{lockout, money, words},
    view::{AccountView, GaugeState, Protection, Unit},
};

use crate::{args::Status, command::pending, exit::Failure, print};

/// Prints the status once, or at every change.
pub async fn run(home: Option<&Path>, options: Status) -> Result<(), Failure> {
    let home = Home::find(home)?;
    let mut client = match Client::connect(home.path()).await {
        Ok(client) => client,
        Err(ClientError::NotRunning { .. }) => return offline(&home, options.json),
        Err(error) => return Err(error.into()),
    };
    if !options.watch {
        return show(&client.view().await?, options.json);
    }
    client.watch().await?;
    loop {
        match client.next().await? {
            Reply::View { view } => show(&view, options.json)?,
            Reply::Note { note } if !options.json => print::line(format!("! {}: {}", note.title, note.body))?,
            Reply::Note { .. }
            | Reply::Log { .. }
            | Reply::Accepted
            | Reply::Refused { .. }
            | Reply::Settings { .. }
            | Reply::Preview { .. }
            | Reply::Contracts { .. }
            | Reply::History { .. }
            | Reply::Reconciled { .. }
            | Reply::Presets { .. } => {}
        }
    }
}

fn show(view: &View, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut value = serde_json::to_value(view).map_err(Failure::other)?;
        value["running"] = Value::Bool(true);
        return print::json(&value);
    }
    print_view(view)
}

fn print_view(view: &View) -> Result<(), Failure> {
    print::line(headline(view))?;
    for doubt in view.doubts.iter().skip(1) {
        print::line(format!("  also: {}", doubt.text))?;
    }
    pending::print_all(&view.pending)?;
    for account in &view.accounts {
        print::line("")?;
        print_account(account, view.at)?;
    }
    Ok(())
}

fn headline(view: &View) -> String {
    let word = match (view.protection, view.starting) {
        (Protection::Armed, _) if view.near_limit => "Armed, near a limit",
        (Protection::Armed, _) => "Armed",
        (Protection::Observing, _) => "Observing: limits are not enforced, Stop-Loss Required is",
        (Protection::Locked, _) => "Locked",
        (Protection::NotProtected, true) => "Not protected yet",
        (Protection::NotProtected, false) => "Not protected",
    };
    match (&view.reason, view.doubts.first()) {
        (Some(reason), Some(doubt)) => format!("{word}. {reason} {}", doubt.advice),
        (Some(reason), None) => format!("{word}. {reason}"),
        (None, _) => word.to_string(),
    }
}

fn print_account(account: &AccountView, now: Instant) -> Result<(), Failure> {
    let trade = if account.can_trade { "" } else { ", the broker does not let it trade" };
    let named = named(Some(&account.short_name), &account.name, account.id.as_str());
    print::line(format!("{named}{trade}"))?;
    print::line(format!(
        "  Net P&L {}   closed {}   open {}   fees {}",
        print::pnl(account.net),
        money::signed(account.realized_today),
        print::pnl(account.unrealized),
        money::unsigned(account.fees_today)
    ))?;
    print::line(format!(
        "  This week {}   {}",
        money::signed(account.week_net),
        words::count(account.week_trades, "trade")
    ))?;
    for gauge in &account.gauges {
        let value = gauge.value.map_or_else(|| "unknown".to_string(), |value| value.normalize().to_string());
        let unit = match gauge.unit {
            Unit::Usd => "USD",
            Unit::Contracts => "contracts",
            Unit::Trades => "trades",
        };
        let mark = match gauge.state {
            GaugeState::Clear => "",
            GaugeState::Near => "  near",
            GaugeState::Reached => "  reached",
            GaugeState::Unknown => "  not judged",
        };
        print::line(format!("  {}: {value} of {} {unit}{mark}", gauge.title, gauge.limit.normalize()))?;
    }
    for position in &account.positions {
        let stop = match (position.stop_covered, position.closes_at) {
            (Some(true), _) => "stop covers it".to_string(),
            (Some(false), Some(at)) => format!("no complete stop, closes {}", print::until(Some(at), now)),
            (Some(false), None) => "no complete stop".to_string(),
            (None, _) => "stops unknown".to_string(),
        };
        print::line(format!(
            "  {:?} {} {} @ {}   {}   {stop}",
            position.side,
            position.size,
            position.symbol,
            position.average_price,
            print::pnl(position.unrealized)
        ))?;
    }
    for lockout in &account.lockouts {
        print::line(locked(&lockout.title, lockout.symbol.as_ref(), &lockout.reason, lockout.until, now))?;
    }
    Ok(())
}

/// `Swing (50KTC-V2-204817-93365101, 26100417)`; without a name of the trader's own `50KTC-… (26100417)`.
fn named(called: Option<&str>, name: &str, id: &str) -> String {
    match words::account_name(called, name) {
        own if own != words::short_name(name) => format!("{own} ({name}, {id})"),
        _ => format!("{name} ({id})"),
    }
}

fn locked(
    title: &str,
    symbol: Option<&Symbol>,
    reason: &str,
    until: Option<Instant>,
    now: Instant,
) -> String {
    let symbol = symbol.map(|it| format!(" {it}")).unwrap_or_default();
    let lasts = until
        .map_or_else(|| "no time limit".to_string(), |at| format!("until {}", print::until(Some(at), now)));
    format!("  Locked: {title}{symbol}, {reason}, {lasts}")
}

/// What the database tells when no engine runs: nobody is protected.
fn offline(home: &Home, as_json: bool) -> Result<(), Failure> {
    let now = chrono::Utc::now();
    let reason =
        "No engine is running: nothing is enforced. Start one with `riskctl run` or with the tray program.";
    let status = match Reader::open(home.path()) {
        Ok(reader) => reader.status(now)?,
        Err(store::ReadError::NoDatabase(_)) => OfflineStatus { last_seen: None, accounts: Vec::new() },
        Err(error) => return Err(error.into()),
    };
    let waiting = pending::kept(home)?;
    if as_json {
        let accounts: Vec<Value> = status.accounts.iter().map(offline_account).collect();
        return print::json(&json!({
            "running": false,
            "protection": Protection::NotProtected,
            "reason": reason,
            "last_seen": status.last_seen,
            "accounts": accounts,
            "pending": waiting,
            "metrics": {},
        }));
    }
    let own = settings::own_names(&home.config());
    print::line(format!("Not protected. {reason}"))?;
    pending::print_all(&waiting)?;
    for account in &status.accounts {
        let own = own.get(&account.id).map(String::as_str);
        let named = named(own, account.name.as_deref().unwrap_or("?"), account.id.as_str());
        print::line(format!("\n{named}, as last known"))?;
        print::line(format!("  Closed P&L {}", print::pnl(account.realized_today)))?;
        if let Some(error) = &account.error {
            print::line(format!("  Last trouble: {error}"))?;
        }
        for held in &account.lockouts {
            let Lockout { key, end, .. } = &held.lockout;
            let reason = lockout::reason(&held.lockout);
            print::line(locked(lockout::title(&held.lockout), key.symbol.as_ref(), &reason, end.at(), now))?;
        }
    }
    Ok(())
}

fn offline_account(account: &OfflineAccount) -> Value {
    let positions: Vec<Value> = account
        .positions
        .iter()
        .map(|it| {
            json!({
                "contract": it.contract, "symbol": it.symbol, "side": it.side, "size": it.size,
                "average_price": it.average_price, "stop_covered": it.stop_covered,
            })
        })
        .collect();
    let lockouts: Vec<Value> = account
        .lockouts
        .iter()
        .map(|held| {
            json!({
                "rule": held.lockout.key.rule, "kind": held.lockout.kind, "symbol": held.lockout.key.symbol,
                "reason": held.reason, "since": held.lockout.since, "until": held.lockout.end.at(),
            })
        })
        .collect();
    json!({
        "id": account.id,
        "name": account.name,
        "can_trade": account.can_trade,
        "realized_today": account.realized_today,
        "unrealized": account.unrealized,
        "error": account.error,
        "headroom": {"rule": null, "usd": null, "contracts": null},
        "positions": positions,
        "lockouts": lockouts,
    })
}

//! What a start finds: the engine's memory, read back whole.
//!
//! A lockout that cannot be read is an error, because leaving it out would free somebody. Other rows that
//! cannot be read are left out and told: the broker knows them better anyway.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Contracts, DailyReset, Fill, Instant, Instrument, Memory, Price, TradingDay, Usd,
    memory::{AccountMemory, DayFigures, KnownFill, Managed, OwnClose, WeekFigures},
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use rust_decimal::Decimal;

use crate::{
    audit::{EVERYONE, log},
    columns::{At, Exact, Id, Word, amount, moment},
    error::ReadError,
    record::ConfigSnapshot,
    write::lockouts,
};

/// How far fills go back before the trading day, and closes before the start: the longest rolling window
/// of RULE-006.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Contracts whose metadata is remembered; of more, the broker is asked when they are held.
const MOST_INSTRUMENTS: u32 = 200;

/// What was remembered, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recall {
    /// For the engine's first event.
    pub memory: Memory,
    /// Rows that were left out, one sentence each.
    pub unreadable: Vec<String>,
}

/// Reads everything. `floor` is the first enforcement id that the second place knows to be unused.
pub(crate) fn recall(
    db: &Connection,
    now: Instant,
    reset: &DailyReset,
    floor: u64,
) -> Result<Recall, ReadError> {
    let mut recall = Recall::default();
    let unreadable = &mut recall.unreadable;
    let next = log::next_enforcement(db).map_err(ReadError::of("enforcement_history"));
    recall.memory.next_enforcement = or_told(next, unreadable)?.unwrap_or_default().max(floor);
    recall.memory.last_seen = or_told(last_seen(db), unreadable)?.flatten();
    recall.memory.instruments = instruments(db, unreadable)?;
    for account in accounts(db)? {
        let remembered = account_memory(db, &account, now, reset, unreadable)?;
        recall.memory.accounts.insert(account, remembered);
    }
    for held in lockouts::all_active(db).map_err(ReadError::of("lockouts"))? {
        let account = recall.memory.accounts.entry(held.lockout.key.account.clone()).or_default();
        account.lockouts.push(held.lockout);
    }
    Ok(recall)
}

/// Nothing and a sentence in `unreadable` where a value makes no sense; a failing database stays an error.
fn or_told<T>(read: Result<T, ReadError>, unreadable: &mut Vec<String>) -> Result<Option<T>, ReadError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error @ ReadError::Unreadable { .. }) => {
            unreadable.push(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The accounts that have a row, except the one that stands for all.
pub(crate) fn accounts(db: &Connection) -> Result<Vec<AccountId>, ReadError> {
    let failed = ReadError::of("account_state");
    let mut rows = db
        .prepare("SELECT account_id FROM account_state WHERE account_id <> ?1 ORDER BY account_id")
        .map_err(&failed)?;
    let accounts =
        rows.query_map([EVERYONE], |row| Ok(row.get::<_, Id<_>>(0)?.0)).and_then(Iterator::collect);
    accounts.map_err(&failed)
}

/// The latest engine time that was written down.
pub(crate) fn last_seen(db: &Connection) -> Result<Option<Instant>, ReadError> {
    db.query_row("SELECT seen_at FROM last_seen", [], |row| Ok(row.get::<_, At>(0)?.0))
        .optional()
        .map_err(ReadError::of("last_seen"))
}

/// The newest settings that were accepted.
pub(crate) fn last_good_config(db: &Connection) -> Result<Option<ConfigSnapshot>, ReadError> {
    let sql = "SELECT time, hash, origin, os_user, diff, content FROM config_snapshots
        WHERE valid ORDER BY id DESC LIMIT 1";
    let snapshot = |row: &Row<'_>| {
        Ok(ConfigSnapshot {
            at: row.get::<_, At>("time")?.0,
            hash: row.get("hash")?,
            origin: row.get::<_, Word<_>>("origin")?.0,
            os_user: row.get("os_user")?,
            diff: row.get("diff")?,
            content: row.get("content")?,
            valid: true,
        })
    };
    db.query_row(sql, [], snapshot).optional().map_err(ReadError::of("config_snapshots"))
}

/// Everything of one account but its lockouts.
fn account_memory(
    db: &Connection,
    account: &AccountId,
    now: Instant,
    reset: &DailyReset,
    unreadable: &mut Vec<String>,
) -> Result<AccountMemory, ReadError> {
    let sql = "SELECT contract_id, deadline_at FROM stop_coverage
        WHERE account_id = ?1 AND deadline_at IS NOT NULL";
    let deadline = |row: &Row<'_>| Ok((row.get::<_, Id<_>>(0)?.0, row.get::<_, At>(1)?.0));
    let stop_deadlines = readable(db, "stop_coverage", sql, [account.as_str()], deadline, unreadable)?
        .into_iter()
        .collect::<BTreeMap<_, _>>();
    let sql = "SELECT * FROM daily_pnl WHERE account_id = ?1 AND closed_at IS NULL
        ORDER BY trading_day DESC LIMIT 1";
    let day = readable(db, "daily_pnl", sql, [account.as_str()], figures, unreadable)?.pop();
    let day_began = match &day {
        Some(figures) => began(db, account, figures.day)?,
        None => None,
    };
    let label = day.as_ref().map_or_else(|| reset.day_of(now), |figures| figures.day);
    let from = day_began.unwrap_or_else(|| beginning(reset, label)).min(now) - WINDOW;
    // The texts of instants have one length: their order is the order in time.
    let sql = "SELECT * FROM trade_log WHERE account_id = ?1 AND (trading_day >= ?2 OR platform_time >= ?3)
        ORDER BY platform_time, trade_id";
    let range = params![account.as_str(), Word(label), At(from)];
    let fills = readable(db, "trade_log", sql, range, |row| known_fill(row, account), unreadable)?;
    let week = Some(week(db, account, label, unreadable)?);
    let closes = closes(db, account, now - WINDOW, unreadable)?;
    let managed = managed(db, account, unreadable)?;
    Ok(AccountMemory { lockouts: Vec::new(), stop_deadlines, managed, day, day_began, week, fills, closes })
}

/// What contracts were worth, the latest told first.
fn instruments(db: &Connection, unreadable: &mut Vec<String>) -> Result<Vec<Instrument>, ReadError> {
    let sql = "SELECT * FROM instruments ORDER BY updated_at DESC, contract_id LIMIT ?1";
    let row = |row: &Row<'_>| {
        Ok(Instrument {
            contract: row.get::<_, Id<_>>("contract_id")?.0,
            symbol: row.get::<_, Id<_>>("symbol")?.0,
            name: row.get("name")?,
            tick_size: row.get::<_, Exact>("tick_size")?.0,
            tick_value: Usd(row.get::<_, Exact>("tick_value_exact")?.0),
            active: row.get("active")?,
        })
    };
    let read = readable(db, "instruments", sql, [MOST_INSTRUMENTS], row, unreadable)?;
    let is_sound = |it: &Instrument| it.tick_size > Decimal::ZERO && it.tick_value > Usd::ZERO;
    Ok(read.into_iter().filter(is_sound).collect())
}

/// What RULE-012 knew of positions.
fn managed(
    db: &Connection,
    account: &AccountId,
    unreadable: &mut Vec<String>,
) -> Result<BTreeMap<ContractId, Managed>, ReadError> {
    let sql = "SELECT * FROM trade_management_state WHERE account_id = ?1 AND position_id IS NOT NULL";
    let row = |row: &Row<'_>| {
        let order = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<Id<_>>>(column)?.map(|id| id.0));
        let managed = Managed {
            position: row.get::<_, Id<_>>("position_id")?.0,
            best: row.get::<_, Option<Exact>>("best_price")?.map(|best| Price(best.0)),
            stop: order("stop_order_id")?,
            target: order("target_order_id")?,
            breakeven_done: row.get("breakeven_done")?,
            trailing: row.get("trailing_active")?,
            stops_lost: row.get("stops_lost")?,
            target_lost: row.get("target_lost")?,
        };
        Ok((row.get::<_, Id<_>>("contract_id")?.0, managed))
    };
    let rows = readable(db, "trade_management_state", sql, [account.as_str()], row, unreadable)?;
    Ok(rows.into_iter().collect())
}

/// The closed days of the week to which a day belongs.
fn week(
    db: &Connection,
    account: &AccountId,
    day: TradingDay,
    unreadable: &mut Vec<String>,
) -> Result<WeekFigures, ReadError> {
    let monday = day.week();
    let sql = "SELECT * FROM daily_pnl
        WHERE account_id = ?1 AND trading_day > ?2 AND trading_day < ?3 AND closed_at IS NOT NULL";
    let range = params![account.as_str(), Word(TradingDay(monday)), Word(day)];
    let days = readable(db, "daily_pnl", sql, range, figures, unreadable)?;
    let none = WeekFigures { monday, realized: Usd::ZERO, trades: 0 };
    Ok(days.into_iter().fold(none, |sum, day| WeekFigures {
        realized: sum.realized + day.realized - day.fees,
        trades: sum.trades.saturating_add(day.trades),
        ..sum
    }))
}

/// What was asked of the broker to make positions smaller, and when it ended.
fn closes(
    db: &Connection,
    account: &AccountId,
    from: Instant,
    unreadable: &mut Vec<String>,
) -> Result<Vec<OwnClose>, ReadError> {
    let sql =
        "SELECT intent.rule_name, intent.contract_id, intent.timestamp AS begun, result.timestamp AS ended
        FROM enforcement_history AS intent
        LEFT JOIN enforcement_history AS result ON result.intent_id = intent.id
        WHERE intent.kind = 'intent' AND intent.account_id = ?1 AND intent.timestamp >= ?2
        AND intent.action_type IN ('close_position', 'reduce_position', 'flatten_account')
        ORDER BY intent.id";
    let close = |row: &Row<'_>| {
        Ok(OwnClose {
            rule: row.get::<_, Word<_>>("rule_name")?.0,
            contract: row.get::<_, Option<Id<_>>>("contract_id")?.map(|contract| contract.0),
            from: row.get::<_, At>("begun")?.0,
            until: moment(row, "ended")?,
        })
    };
    readable(db, "enforcement_history", sql, params![account.as_str(), At(from)], close, unreadable)
}

/// When the reset was due that began a day; `None` if none is entered.
fn began(db: &Connection, account: &AccountId, day: TradingDay) -> Result<Option<Instant>, ReadError> {
    let sql = "SELECT scheduled_at FROM reset_log
        WHERE account_id = ?1 AND trading_day = ?2 AND reset_type = 'daily'";
    let scheduled = |row: &Row<'_>| Ok(row.get::<_, At>("scheduled_at")?.0);
    db.query_row(sql, params![account.as_str(), Word(day)], scheduled)
        .optional()
        .map_err(ReadError::of("reset_log"))
}

/// The instant at which a trading day began by the present reset time.
fn beginning(reset: &DailyReset, day: TradingDay) -> Instant {
    reset.last_until(reset.on(day.0) - TimeDelta::microseconds(1))
}

/// The rows that make sense; the others are told in `unreadable`.
fn readable<T>(
    db: &Connection,
    table: &'static str,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    unreadable: &mut Vec<String>,
) -> Result<Vec<T>, ReadError> {
    let mut statement = db.prepare(sql).map_err(ReadError::of(table))?;
    let mut found = Vec::new();
    for row in statement.query_map(values, read).map_err(ReadError::of(table))? {
        found.extend(or_told(row.map_err(ReadError::of(table)), unreadable)?);
    }
    Ok(found)
}

pub(crate) fn figures(row: &Row<'_>) -> rusqlite::Result<DayFigures> {
    Ok(DayFigures {
        day: row.get::<_, Word<_>>("trading_day")?.0,
        realized: Usd(row.get::<_, Exact>("realized_exact")?.0),
        fees: Usd(row.get::<_, Exact>("fees_exact")?.0),
        trades: row.get("trade_count")?,
        wins: row.get("win_count")?,
        losses: row.get("loss_count")?,
        estimated: row.get("estimated")?,
    })
}

fn known_fill(row: &Row<'_>, account: &AccountId) -> rusqlite::Result<KnownFill> {
    let fill = Fill {
        id: row.get::<_, Id<_>>("trade_id")?.0,
        order: row.get::<_, Id<_>>("order_id")?.0,
        account: account.clone(),
        contract: row.get::<_, Id<_>>("contract_id")?.0,
        symbol: row.get::<_, Id<_>>("symbol")?.0,
        side: row.get::<_, Word<_>>("side")?.0,
        size: Contracts(row.get("size")?),
        price: Price(row.get::<_, Exact>("price")?.0),
        pnl: amount(row, "pnl_exact")?,
        fees: Usd(row.get::<_, Exact>("fees_exact")?.0),
        commissions: amount(row, "commissions_exact")?,
        voided: row.get("voided")?,
        at: row.get::<_, At>("platform_time")?.0,
    };
    Ok(KnownFill { fill, own: row.get("own")?, locked: row.get("locked_at_time")? })
}

//! Trading days: their fills, their running figures, and the reset that closes them (specification C.6,
//! C.7, L-35, L-38).

use chrono::Days;
use domain::{Instant, TradingDay, Usd, memory::DayFigures};
use rusqlite::{Connection, named_params, params};

use super::{clock, stored};
use crate::{
    columns::{At, Exact, Json, Word, cents},
    record::{DayRecord, FillRecord, ResetRecord, Written},
};

/// Keeps an execution; a repetition or a correction of the same trade replaces it, except for what only
/// the first delivery told.
pub(crate) fn fill(db: &Connection, record: &FillRecord) -> rusqlite::Result<Written> {
    let fill = &record.fill;
    let costs = fill.fees + fill.commissions.unwrap_or_default();
    stored(
        db.prepare_cached(
            "INSERT INTO trade_log (account_id, trade_id, order_id, contract_id, symbol, side, size, price,
                pnl_cents, fees_cents, pnl_exact, fees_exact, commissions_exact, voided, own, locked_at_time,
                platform_time, received_at, trading_day)
            VALUES (:account, :trade, :order, :contract, :symbol, :side, :size, :price, :pnl_cents, :fees_cents,
                :pnl, :fees, :commissions, :voided, :own, :locked, :at, :received, :day)
            ON CONFLICT (account_id, trade_id) DO UPDATE SET
                symbol = excluded.symbol, size = excluded.size, price = excluded.price,
                pnl_cents = excluded.pnl_cents, pnl_exact = excluded.pnl_exact,
                fees_cents = CASE WHEN excluded.commissions_exact IS NULL AND commissions_exact IS NOT NULL
                    THEN fees_cents ELSE excluded.fees_cents END,
                fees_exact = excluded.fees_exact,
                commissions_exact = coalesce(excluded.commissions_exact, commissions_exact),
                voided = excluded.voided, own = excluded.own, locked_at_time = excluded.locked_at_time,
                platform_time = excluded.platform_time, trading_day = excluded.trading_day",
        )?
        .execute(named_params! {
            ":account": fill.account.as_str(),
            ":trade": fill.id.as_str(),
            ":order": fill.order.as_str(),
            ":contract": fill.contract.as_str(),
            ":symbol": record.fill.symbol.as_str(),
            ":side": Word(fill.side),
            ":size": fill.size.0,
            ":price": Exact(fill.price.0),
            ":pnl_cents": fill.pnl.map(cents),
            ":fees_cents": cents(costs),
            ":pnl": fill.pnl.map(|pnl| Exact(pnl.0)),
            ":fees": Exact(fill.fees.0),
            ":commissions": fill.commissions.map(|amount| Exact(amount.0)),
            ":voided": fill.voided,
            ":own": record.own,
            ":locked": record.locked,
            ":at": At(fill.at),
            ":received": At(record.received_at),
            ":day": Word(record.day),
        }),
    )
}

/// Keeps the running figures of a day that is not closed.
pub(crate) fn running(db: &Connection, day: &DayRecord) -> rusqlite::Result<Written> {
    write_figures(db, day.account.as_str(), &day.figures, day.combined, day.at, None)
}

/// Closes a day and opens the next, once (specification C.6: the key and the change stand in one
/// transaction).
pub(crate) fn reset(db: &Connection, reset: &ResetRecord) -> rusqlite::Result<Written> {
    if !enter_in_log(db, reset)? {
        return Ok(Written::Nothing);
    }
    let account = reset.account.as_str();
    // A session that the trader left open ends with its day (specification C.22).
    let standing = reset
        .closed
        .as_ref()
        .map(|day| clock::Standing { realized: day.realized - day.fees, trades: day.trades });
    clock::end(db, account, reset.scheduled, standing)?;
    if let Some(figures) = &reset.closed {
        write_figures(db, account, figures, None, reset.scheduled, Some(reset.executed_at))?;
    }
    close_earlier_days(db, account, reset.day, reset.executed_at)?;
    week(db, reset)?;
    open_day(db, account, reset.day, reset.scheduled)?;
    db.prepare_cached(
        "UPDATE account_state SET last_daily_reset = ?2, realized_pnl_today = 0, realized_exact = '0'
        WHERE account_id = ?1",
    )?
    .execute(params![account, At(reset.executed_at)])?;
    Ok(Written::Stored)
}

/// Whether this reset was not done before.
fn enter_in_log(db: &Connection, reset: &ResetRecord) -> rusqlite::Result<bool> {
    let result = if reset.backup_file.is_some() { "done" } else { "done_without_backup" };
    let rows = db
        .prepare_cached(
            "INSERT INTO reset_log (account_id, reset_type, trading_day, scheduled_at, executed_at,
                figures_before, backup_file, result)
            VALUES (?1, 'daily', ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            reset.account.as_str(),
            Word(reset.day),
            At(reset.scheduled),
            At(reset.executed_at),
            reset.closed.as_ref().map(Json),
            reset.backup_file,
            result
        ])?;
    Ok(rows > 0)
}

/// Names the backup of a reset that was done without waiting for it.
pub(crate) fn backed_up(
    db: &Connection,
    account: &str,
    day: TradingDay,
    file: &str,
) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "UPDATE reset_log SET backup_file = ?3, result = 'done' WHERE account_id = ?1 AND reset_type = 'daily'
        AND trading_day = ?2 AND backup_file IS NULL",
    )?
    .execute(params![account, Word(day), file])
}

/// Days that were left open while nothing ran keep the figures they had.
fn close_earlier_days(db: &Connection, account: &str, day: TradingDay, at: Instant) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE daily_pnl SET closed_at = ?3 WHERE account_id = ?1 AND trading_day < ?2 AND closed_at IS NULL",
    )?
    .execute(params![account, Word(day), At(at)])?;
    Ok(())
}

/// Adds up the week of the day that ended; enters the weekly reset, once, where another week begins.
fn week(db: &Connection, reset: &ResetRecord) -> rusqlite::Result<()> {
    let account = reset.account.as_str();
    let last: Option<Word<TradingDay>> = db
        .prepare_cached("SELECT max(trading_day) FROM daily_pnl WHERE account_id = ?1 AND trading_day < ?2")?
        .query_row(params![account, Word(reset.day)], |row| row.get(0))?;
    let Some(Word(last)) = last else { return Ok(()) };
    let monday = TradingDay(last.week());
    let of_week = params![account, Word(monday), Word(TradingDay(monday.0 + Days::new(7)))];
    db.prepare_cached(
        "INSERT OR REPLACE INTO weekly_stats (account_id, week_start, realized_cents, trades)
        SELECT ?1, ?2, sum(realized_cents - fees_cents), sum(trade_count) FROM daily_pnl
        WHERE account_id = ?1 AND trading_day > ?2 AND trading_day <= ?3",
    )?
    .execute(of_week)?;
    if reset.day.week() == last.week() {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO reset_log (account_id, reset_type, trading_day, scheduled_at, executed_at, result)
        VALUES (?1, 'weekly', ?2, ?3, ?4, 'done') ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, Word(reset.day), At(reset.scheduled), At(reset.executed_at)])?;
    Ok(())
}

/// The new day begins with nothing; one that is there already is left alone.
fn open_day(db: &Connection, account: &str, day: TradingDay, at: Instant) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO daily_pnl (account_id, trading_day, realized_cents, fees_cents, realized_exact, fees_exact,
            trade_count, win_count, loss_count, estimated, opened_at)
        VALUES (?1, ?2, 0, 0, '0', '0', 0, 0, 0, FALSE, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, Word(day), At(at)])?;
    Ok(())
}

/// Writes the figures of a day unless it is closed; closes it if `closed_at` is given.
fn write_figures(
    db: &Connection,
    account: &str,
    figures: &DayFigures,
    combined: Option<Usd>,
    opened_at: Instant,
    closed_at: Option<Instant>,
) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT INTO daily_pnl (account_id, trading_day, realized_cents, fees_cents, realized_exact, fees_exact,
                trade_count, win_count, loss_count, estimated, max_combined_cents, min_combined_cents,
                opened_at, closed_at)
            VALUES (:account, :day, :realized_cents, :fees_cents, :realized, :fees, :trades, :wins, :losses,
                :estimated, :combined, :combined, :opened, :closed)
            ON CONFLICT (account_id, trading_day) DO UPDATE SET
                realized_cents = excluded.realized_cents, fees_cents = excluded.fees_cents,
                realized_exact = excluded.realized_exact, fees_exact = excluded.fees_exact,
                trade_count = excluded.trade_count, win_count = excluded.win_count,
                loss_count = excluded.loss_count, estimated = excluded.estimated,
                max_combined_cents = max(coalesce(max_combined_cents, excluded.max_combined_cents),
                    coalesce(excluded.max_combined_cents, max_combined_cents)),
                min_combined_cents = min(coalesce(min_combined_cents, excluded.min_combined_cents),
                    coalesce(excluded.min_combined_cents, min_combined_cents)),
                closed_at = excluded.closed_at
            WHERE closed_at IS NULL",
        )?
        .execute(named_params! {
            ":account": account,
            ":day": Word(figures.day),
            ":realized_cents": cents(figures.realized),
            ":fees_cents": cents(figures.fees),
            ":realized": Exact(figures.realized.0),
            ":fees": Exact(figures.fees.0),
            ":trades": figures.trades,
            ":wins": figures.wins,
            ":losses": figures.losses,
            ":estimated": figures.estimated,
            ":combined": combined.map(cents),
            ":opened": At(opened_at),
            ":closed": closed_at.map(At),
        }),
    )
}

//! How each record is laid down in the tables. Runs inside the transaction of a commit, calculates
//! nothing that a table could tell, and never reads a clock.

mod clock;
pub(crate) mod day;
pub(crate) mod lockouts;
mod picture;

use chrono::DateTime;
use domain::AccountId;
use rusqlite::{Connection, params};

use crate::{
    audit::{EVERYONE, entry},
    columns::{At, Word},
    record::{ConfigSnapshot, Record, Written},
};

/// Writes one record.
pub(crate) fn record(db: &Connection, record: &Record) -> rusqlite::Result<Written> {
    if let Some(account) = owner(record) {
        ensure_account(db, account)?;
    }
    match record {
        Record::Lock { lockout, reason } => lockouts::lock(db, lockout, reason),
        Record::Unlock { key, cause, at } => lockouts::unlock(db, key, cause, *at),
        Record::Intent(intent) => entry::intent(db, intent),
        Record::Receipt(receipt) => entry::receipt(db, receipt),
        Record::Note(note) => entry::note(db, note),
        Record::Fill(fill) => day::fill(db, fill),
        Record::StopDeadline { account, contract, deadline } => {
            picture::stop_deadline(db, account, contract, *deadline)
        }
        Record::Managed { account, contract, managed } => {
            picture::managed(db, account, contract, managed.as_deref())
        }
        Record::Reset(reset) => day::reset(db, reset),
        Record::BackedUp { account, day, file } => stored(day::backed_up(db, account.as_str(), *day, file)),
        Record::Config(snapshot) => config(db, snapshot),
        Record::Seen(at) => stored(
            db.prepare_cached("INSERT OR REPLACE INTO last_seen (id, seen_at) VALUES (1, ?1)")?
                .execute([At(*at)]),
        ),
        Record::Account(figures) => picture::account(db, figures),
        Record::Positions { account, held, at } => picture::positions(db, account, held, *at),
        Record::Order { order, at } => picture::order(db, order, *at),
        Record::Orders { account, working, at } => picture::orders(db, account, working, *at),
        Record::Coverage(coverage) => picture::coverage(db, coverage),
        Record::Instrument { instrument, at } => picture::instrument(db, instrument, *at),
        Record::Day(day) => day::running(db, day),
        Record::Metric { name, value, account, at, spread } => {
            picture::metric(db, name, *value, account.as_ref(), *at, *spread)
        }
        Record::Link { link, at } => picture::link(db, link, *at),
        Record::Alert(alert) => picture::alert(db, alert),
        Record::ClockIn { account, realized, trades, at } => {
            let day = clock::Standing { realized: *realized, trades: *trades };
            clock::begin(db, account.as_str(), *at, day)
        }
        Record::ClockOut { account, realized, trades, at } => {
            let day = clock::Standing { realized: *realized, trades: *trades };
            clock::end(db, account.as_str(), *at, Some(day))
        }
    }
}

/// The account whose row must exist before the record's own.
fn owner(record: &Record) -> Option<&str> {
    let account: &AccountId = match record {
        Record::Lock { lockout, .. } => &lockout.key.account,
        Record::Intent(intent) => &intent.enforcement.account,
        Record::Note(note) => return Some(note.account.as_ref().map_or(EVERYONE, AccountId::as_str)),
        Record::Fill(record) => &record.fill.account,
        Record::StopDeadline { account, .. }
        | Record::Managed { account, .. }
        | Record::ClockIn { account, .. }
        | Record::ClockOut { account, .. }
        | Record::Positions { account, .. }
        | Record::Orders { account, .. } => account,
        Record::Reset(reset) => &reset.account,
        Record::Account(figures) => &figures.account.id,
        Record::Order { order, .. } => &order.account,
        Record::Coverage(coverage) => &coverage.account,
        Record::Day(day) => &day.account,
        Record::Unlock { .. }
        | Record::Receipt(_)
        | Record::BackedUp { .. }
        | Record::Instrument { .. }
        | Record::Config(_)
        | Record::Seen(_)
        | Record::Metric { .. }
        | Record::Link { .. }
        | Record::Alert(_) => return None,
    };
    Some(account.as_str())
}

/// An account of which nothing is known yet. Its columns may not be empty (specification D.1): figures are
/// zero beside an unknown exact value, and the last reset lies at the beginning of time.
pub(crate) fn ensure_account(db: &Connection, account: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO account_state (account_id, realized_pnl_today, unrealized_pnl_total, last_daily_reset)
        VALUES (?1, 0, 0, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, At(DateTime::UNIX_EPOCH)])?;
    Ok(())
}

fn config(db: &Connection, snapshot: &ConfigSnapshot) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT INTO config_snapshots (time, hash, origin, os_user, diff, content, valid)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            At(snapshot.at),
            snapshot.hash,
            Word(snapshot.origin),
            snapshot.os_user,
            snapshot.diff,
            snapshot.content,
            snapshot.valid
        ]),
    )
}

/// What the number of changed rows says.
fn stored(changed: rusqlite::Result<usize>) -> rusqlite::Result<Written> {
    changed.map(|rows| if rows == 0 { Written::Nothing } else { Written::Stored })
}

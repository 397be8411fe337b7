//! Lockouts in their table: set, extended, ended, read back whole (specification A.5, L-33, L-34).
//!
//! Judges nothing but one point: the end of an active lockout is never moved to an earlier instant.

use domain::{EndCause, Instant, LockEnd, LockKey, Lockout, TradingDay};
use rusqlite::{Connection, Error, OptionalExtension, Row, named_params, params, types::Type};
use serde::{Deserialize, Serialize};

use crate::{
    columns::{At, Id, Json, Word, moment, rounded_up},
    record::Written,
};

/// An active lockout with its reason in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLock {
    /// The record.
    pub lockout: Lockout,
    /// Why, as one sentence.
    pub reason: String,
}

const COLUMNS: &str = "account_id, rule, symbol, cause, kind, breach, created_at, end_condition, expires_at,
    trading_day, baseline, exempt_symbols, reason";

/// Sets a lockout, or replaces the active one of its key.
pub(crate) fn lock(db: &Connection, lockout: &Lockout, reason: &str) -> rusqlite::Result<Written> {
    let found = active(db, &lockout.key)?;
    let end = found.map_or(lockout.end, |(_, end)| not_earlier(end, lockout.end));
    let (condition, expires_at) = condition(end);
    let sql = format!(
        "INSERT OR REPLACE INTO lockouts (id, {COLUMNS}, status)
        VALUES (:id, :account, :rule, :symbol, :cause, :kind, :breach, :since, :condition, :expires,
            :day, :baseline, :exempt, :reason, 'active')"
    );
    let LockKey { account, rule, symbol, cause } = &lockout.key;
    db.prepare_cached(&sql)?.execute(named_params! {
        ":id": found.map(|(row, _)| row),
        ":account": account.as_str(),
        ":rule": rule.key(),
        ":symbol": symbol.as_ref().map(domain::Symbol::as_str),
        ":cause": cause,
        ":kind": Word(lockout.kind),
        ":breach": Json(&lockout.breach),
        ":since": At(lockout.since),
        ":condition": condition,
        ":expires": expires_at.map(rounded_up).map(At),
        ":day": Word(lockout.day),
        ":baseline": Json(&lockout.baseline),
        ":exempt": Json(&lockout.exempt),
        ":reason": reason,
    })?;
    summarize(db, account.as_str())?;
    Ok(Written::Stored)
}

/// Ends the active lockout of a key.
pub(crate) fn unlock(
    db: &Connection,
    key: &LockKey,
    cause: &EndCause,
    at: Instant,
) -> rusqlite::Result<Written> {
    let Some((row, _)) = active(db, key)? else {
        return Ok(Written::Nothing);
    };
    let (word, reason) = match cause {
        EndCause::Expiry => ("expiry", None),
        EndCause::Condition => ("condition", None),
        EndCause::Config => ("config", None),
        EndCause::Reset => ("reset", None),
        EndCause::Override { reason } => ("override", Some(reason)),
    };
    db.prepare_cached(
        "UPDATE lockouts SET status = 'ended', ended_at = ?2, ended_by = ?3, override_reason = ?4 WHERE id = ?1",
    )?
    .execute(params![row, At(at), word, reason])?;
    summarize(db, key.account.as_str())?;
    Ok(Written::Stored)
}

/// All active lockouts, in the order in which they were first written.
pub(crate) fn all_active(db: &Connection) -> rusqlite::Result<Vec<HeldLock>> {
    let sql = format!("SELECT {COLUMNS} FROM lockouts WHERE status = 'active' ORDER BY id");
    db.prepare_cached(&sql)?.query_map([], held_lock)?.collect()
}

/// Row number and end of the active lockout of a key.
pub(crate) fn active(db: &Connection, key: &LockKey) -> rusqlite::Result<Option<(i64, LockEnd)>> {
    db.prepare_cached(
        "SELECT id, end_condition, expires_at FROM lockouts
        WHERE account_id = ?1 AND rule = ?2 AND symbol IS ?3 AND cause = ?4 AND status = 'active'",
    )?
    .query_row(key_columns(key), |row| Ok((row.get("id")?, end(row)?)))
    .optional()
}

/// Whether the table knows that the lockout of this key that began then is over.
pub(crate) fn has_ended(db: &Connection, key: &LockKey, since: Instant) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT created_at FROM lockouts
        WHERE account_id = ?1 AND rule = ?2 AND symbol IS ?3 AND cause = ?4 AND status = 'ended'",
    )?
    .query_map(key_columns(key), |row| row.get::<_, At>(0))?
    .try_fold(false, |ended, began| Ok(ended || began?.0 >= since))
}

fn key_columns(key: &LockKey) -> (&str, &'static str, Option<&str>, &str) {
    (key.account.as_str(), key.rule.key(), key.symbol.as_ref().map(domain::Symbol::as_str), &key.cause)
}

/// The new end, unless the stored one is later: a changed schedule does not shorten a lockout.
fn not_earlier(stored: LockEnd, new: LockEnd) -> LockEnd {
    match (stored.at(), new.at()) {
        (Some(stored_at), Some(new_at)) if stored_at > new_at => stored,
        (Some(_) | None, Some(_) | None) => new,
    }
}

/// The latest expiries, for the seed columns of the account's row. Their text form has one length, so the
/// greatest text is the latest instant.
fn summarize(db: &Connection, account: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE account_state SET
            lockout_until = (SELECT max(expires_at) FROM lockouts
                WHERE account_id = ?1 AND status = 'active' AND kind = 'HARD'),
            cooldown_until = (SELECT max(expires_at) FROM lockouts
                WHERE account_id = ?1 AND status = 'active' AND kind = 'TIMER')
        WHERE account_id = ?1",
    )?
    .execute([account])?;
    Ok(())
}

fn condition(end: LockEnd) -> (&'static str, Option<Instant>) {
    let word = match end {
        LockEnd::Time(_) => "at_time",
        LockEnd::Reset(_) => "until_reset",
        LockEnd::SessionStart(_) => "until_session_start",
        LockEnd::CanTrade => "until_can_trade",
        LockEnd::Config => "until_config",
    };
    (word, end.at())
}

fn end(row: &Row<'_>) -> rusqlite::Result<LockEnd> {
    let condition: String = row.get("end_condition")?;
    let at = moment(row, "expires_at")?;
    match (condition.as_str(), at) {
        ("at_time", Some(at)) => Ok(LockEnd::Time(at)),
        ("until_reset", Some(at)) => Ok(LockEnd::Reset(at)),
        ("until_session_start", at) => Ok(LockEnd::SessionStart(at)),
        ("until_can_trade", _) => Ok(LockEnd::CanTrade),
        ("until_config", _) => Ok(LockEnd::Config),
        _ => Err(Error::InvalidColumnType(
            0,
            format!("end_condition {condition}, expires_at {at:?}"),
            Type::Text,
        )),
    }
}

fn held_lock(row: &Row<'_>) -> rusqlite::Result<HeldLock> {
    let key = LockKey {
        account: row.get::<_, Id<_>>("account_id")?.0,
        rule: row.get::<_, Word<_>>("rule")?.0,
        symbol: row.get::<_, Option<Id<_>>>("symbol")?.map(|symbol| symbol.0),
        cause: row.get("cause")?,
    };
    let lockout = Lockout {
        key,
        kind: row.get::<_, Word<_>>("kind")?.0,
        breach: row.get::<_, Json<_>>("breach")?.0,
        since: row.get::<_, At>("created_at")?.0,
        end: end(row)?,
        day: row.get::<_, Word<TradingDay>>("trading_day")?.0,
        baseline: row.get::<_, Json<_>>("baseline")?.0,
        exempt: row.get::<_, Json<_>>("exempt_symbols")?.0,
    };
    Ok(HeldLock { lockout, reason: row.get("reason")? })
}

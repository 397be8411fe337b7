//! Personal sessions: clocked in and out by the trader, ended by the daily reset at the latest
//! (specification C.22). They have no effect on any rule.

use domain::{Instant, Usd};
use rusqlite::{Connection, named_params, params};

use super::stored;
use crate::{
    columns::{At, cents},
    history::BREACHES,
    record::Written,
};

/// The day's closed result after fees and its trades at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    pub realized: Usd,
    pub trades: u32,
}

/// Begins a session. [`Written::Nothing`] while one is open.
pub(crate) fn begin(db: &Connection, account: &str, at: Instant, day: Standing) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT INTO clock_sessions (account_id, clock_in, trades_in, realized_cents_in)
            VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, At(at), day.trades, cents(day.realized)]),
    )
}

/// Ends the open session with its summary; what is not known stays unknown. [`Written::Nothing`] without one.
pub(crate) fn end(
    db: &Connection,
    account: &str,
    at: Instant,
    day: Option<Standing>,
) -> rusqlite::Result<Written> {
    let sql = format!(
        "UPDATE clock_sessions SET clock_out = max(:at, clock_in),
            trades = max(0, :trades - trades_in), realized_cents = :realized - realized_cents_in,
            violations = (SELECT {BREACHES} FROM enforcement_history AS line
                WHERE line.account_id = :account AND line.timestamp >= clock_in AND line.timestamp < :at)
        WHERE account_id = :account AND clock_out IS NULL"
    );
    stored(db.prepare_cached(&sql)?.execute(named_params! {
        ":account": account,
        ":at": At(at),
        ":trades": day.map(|day| day.trades),
        ":realized": day.map(|day| cents(day.realized)),
    }))
}

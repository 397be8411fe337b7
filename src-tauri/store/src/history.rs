//! What is told of the days that are over, and of the one that runs. Reads only.

use std::collections::BTreeMap;

use domain::{AccountId, Instant, LockKind, RuleKey, Symbol, Usd, memory::DayFigures};
use rusqlite::{Connection, Row, named_params, params};

use crate::{
    audit::log::{self, AuditLine, LogQuery, Part},
    columns::{At, Id, Word, moment},
    error::ReadError,
    memory::figures,
};

/// How many breaches the audit rows named `line` tell of: what one event brought about under one rule is
/// one breach, however many deeds it took. What was done of our own accord or at the trader's word is none.
pub(crate) const BREACHES: &str = "count(DISTINCT CASE WHEN line.kind <> 'result'
    AND json_extract(line.breach, '$.breach') NOT IN ('own_effect', 'leftover', 'trader_command', 'management')
    THEN line.rule_name || ' ' || coalesce(line.detected_at, line.id) END)";

/// Days that can be asked for at once.
pub const MOST_DAYS: u32 = 400;
/// Lines of the audit that are told at once; where there are more, the oldest are left out.
pub const MOST_LINES: u32 = 2_000;

/// The past of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Names of the accounts, where known.
    pub names: BTreeMap<AccountId, String>,
    /// Newest day first, in a day by account.
    pub days: Vec<PastDay>,
    /// Lockouts that began in those days, oldest first.
    pub lockouts: Vec<PastLockout>,
    /// Lines of the audit in those days, oldest first.
    pub lines: Vec<AuditLine>,
    /// Older lines were left out.
    pub cut: bool,
    /// Personal sessions that began in those days, oldest first.
    pub sessions: Vec<PastSession>,
}

/// One account's trading day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastDay {
    /// Whose.
    pub account: AccountId,
    /// Final or running figures.
    pub figures: DayFigures,
    /// When it began.
    pub began: Instant,
    /// When the next day began; `None` for the day that runs.
    pub ended: Option<Instant>,
    /// Lowest closed and open result together.
    pub lowest: Option<Usd>,
    /// Highest closed and open result together.
    pub highest: Option<Usd>,
    /// Breaches of this day.
    pub breaches: u32,
}

impl PastDay {
    /// Whether an instant belongs to it.
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.began <= at && self.ended.is_none_or(|ended| at < ended)
    }
}

/// A lockout, ended or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastLockout {
    /// Whose.
    pub account: AccountId,
    /// By which rule.
    pub rule: RuleKey,
    /// Which command of the trader set it; `None`: none did.
    pub command: Option<String>,
    /// For one symbol only.
    pub symbol: Option<Symbol>,
    /// How strong.
    pub kind: LockKind,
    /// Value of limit, as one sentence.
    pub reason: String,
    /// When it began.
    pub since: Instant,
    /// When it was to end, where it has a time.
    pub until: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
}

/// A personal session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastSession {
    /// Whose.
    pub account: AccountId,
    /// Clocked in.
    pub began: Instant,
    /// Clocked out, or ended by the daily reset; `None` while it runs.
    pub ended: Option<Instant>,
    /// Trader orders with a fill.
    pub trades: Option<u32>,
    /// Closed result after fees.
    pub realized: Option<Usd>,
    /// Breaches.
    pub breaches: Option<u32>,
}

/// The last days of each account, as far as they are kept.
pub(crate) fn read(db: &Connection, account: Option<&AccountId>, days: u32) -> Result<Past, ReadError> {
    let days = past_days(db, account, days.clamp(1, MOST_DAYS)).map_err(ReadError::of("daily_pnl"))?;
    let names = names(db).map_err(ReadError::of("account_state"))?;
    let Some(from) = days.iter().map(|day| day.began).min() else {
        let (lockouts, lines, sessions) = (Vec::new(), Vec::new(), Vec::new());
        return Ok(Past { names, days, lockouts, lines, cut: false, sessions });
    };
    let whose = account.map(AccountId::as_str);
    let lockouts = lockouts(db, whose, from).map_err(ReadError::of("lockouts"))?;
    let sessions = sessions(db, whose, from).map_err(ReadError::of("clock_sessions"))?;
    let query = LogQuery { part: Part::Latest, limit: MOST_LINES, account: account.cloned(), rule: None };
    let mut lines = log::lines(db, &query)?;
    let cut = lines.len() == MOST_LINES as usize && lines.first().is_some_and(|line| line.at >= from);
    lines.retain(|line| line.at >= from);
    Ok(Past { names, days, lockouts, lines, cut, sessions })
}

/// Names of the accounts, where known.
pub(crate) fn names(db: &Connection) -> rusqlite::Result<BTreeMap<AccountId, String>> {
    db.prepare_cached("SELECT account_id, name FROM account_state WHERE name IS NOT NULL")?
        .query_map([], |row| Ok((row.get::<_, Id<_>>(0)?.0, row.get(1)?)))?
        .collect()
}

fn past_days(db: &Connection, account: Option<&AccountId>, days: u32) -> rusqlite::Result<Vec<PastDay>> {
    let sql = format!(
        "WITH spans AS (SELECT *, lead(opened_at) OVER (PARTITION BY account_id ORDER BY trading_day) AS ended
            FROM daily_pnl),
        newest AS (SELECT DISTINCT trading_day FROM daily_pnl WHERE account_id = coalesce(:account, account_id)
            ORDER BY trading_day DESC LIMIT :days)
        SELECT spans.*, (SELECT {BREACHES} FROM enforcement_history AS line
            WHERE line.account_id = spans.account_id AND line.timestamp >= spans.opened_at
                AND (spans.ended IS NULL OR line.timestamp < spans.ended)) AS breaches
        FROM spans JOIN newest USING (trading_day) WHERE account_id = coalesce(:account, account_id)
        ORDER BY trading_day DESC, account_id"
    );
    let values = named_params! { ":account": account.map(AccountId::as_str), ":days": days };
    db.prepare_cached(&sql)?.query_map(values, past_day)?.collect()
}

fn past_day(row: &Row<'_>) -> rusqlite::Result<PastDay> {
    let dollars = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Usd::from_cents));
    Ok(PastDay {
        account: row.get::<_, Id<_>>("account_id")?.0,
        figures: figures(row)?,
        began: row.get::<_, At>("opened_at")?.0,
        ended: moment(row, "ended")?,
        lowest: dollars("min_combined_cents")?,
        highest: dollars("max_combined_cents")?,
        breaches: row.get("breaches")?,
    })
}

fn lockouts(db: &Connection, account: Option<&str>, from: Instant) -> rusqlite::Result<Vec<PastLockout>> {
    let sql = "SELECT *, json_extract(breach, '$.command') AS command FROM lockouts
        WHERE account_id = coalesce(?1, account_id) AND created_at >= ?2 ORDER BY id";
    let lockout = |row: &Row<'_>| {
        Ok(PastLockout {
            account: row.get::<_, Id<_>>("account_id")?.0,
            rule: row.get::<_, Word<_>>("rule")?.0,
            command: row.get("command")?,
            symbol: row.get::<_, Option<Id<_>>>("symbol")?.map(|symbol| symbol.0),
            kind: row.get::<_, Word<_>>("kind")?.0,
            reason: row.get("reason")?,
            since: row.get::<_, At>("created_at")?.0,
            until: moment(row, "expires_at")?,
            ended: moment(row, "ended_at")?,
        })
    };
    db.prepare_cached(sql)?.query_map(params![account, At(from)], lockout)?.collect()
}

fn sessions(db: &Connection, account: Option<&str>, from: Instant) -> rusqlite::Result<Vec<PastSession>> {
    let sql = "SELECT * FROM clock_sessions WHERE account_id = coalesce(?1, account_id)
        AND (clock_in >= ?2 OR clock_out IS NULL) ORDER BY id";
    let session = |row: &Row<'_>| {
        Ok(PastSession {
            account: row.get::<_, Id<_>>("account_id")?.0,
            began: row.get::<_, At>("clock_in")?.0,
            ended: moment(row, "clock_out")?,
            trades: row.get("trades")?,
            realized: row.get::<_, Option<i64>>("realized_cents")?.map(Usd::from_cents),
            breaches: row.get("violations")?,
        })
    };
    db.prepare_cached(sql)?.query_map(params![account, At(from)], session)?.collect()
}

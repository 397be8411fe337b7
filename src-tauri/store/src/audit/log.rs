//! The audit as lines: intent and result joined to one (ruling 12).

use domain::{
    AccountId, Breach, Deed, Enforcement, EnforcementId, Instant, PositionId, Priority, RuleKey, Usd,
};
use rusqlite::{Connection, Row, named_params};
use serde::{Deserialize, Serialize};

use super::{
    EVERYONE,
    words::{AuditAction, AuditOutcome},
};
use crate::{
    columns::{At, Id, Json, Word, amount, moment},
    error::ReadError,
    record::Intent,
};

const TABLE: &str = "enforcement_history";

/// Which lines to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// From where.
    pub part: Part,
    /// At most this many lines.
    pub limit: u32,
    /// Only this account's.
    pub account: Option<AccountId>,
    /// Only this rule's.
    pub rule: Option<RuleKey>,
}

/// Which end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first lines after this number; 0 begins at the beginning.
    After(i64),
    /// The last lines.
    Latest,
}

/// One line: what was decided and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Number of its first row in the chain.
    pub seq: i64,
    /// When that row was written.
    pub at: Instant,
    /// Which account; `None` concerns all.
    pub account: Option<AccountId>,
    /// By which rule.
    pub rule: RuleKey,
    /// Further rules that wanted the same or less.
    pub merged: Vec<RuleKey>,
    /// Which command of the trader brought it about; `None`: none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What.
    pub action: AuditAction,
    /// Why, as one sentence.
    pub reason: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// When the cause was received.
    pub detected_at: Option<Instant>,
    /// When the first request was handed to the wire.
    pub sent_at: Option<Instant>,
    /// When the last request was accepted.
    pub acknowledged_at: Option<Instant>,
    /// When the target was seen at the broker.
    pub confirmed_at: Option<Instant>,
    /// From detected to confirmed, in microseconds.
    pub latency_us: Option<i64>,
    /// Dollars past the limit, exact, for money limits.
    pub overshoot_usd: Option<Usd>,
    /// What was done, in the words of people.
    pub done: Option<String>,
    /// The last error.
    pub error: Option<String>,
    /// Hash of the result row, if there is one, otherwise of the first row.
    pub hash: String,
}

/// Lines, oldest first.
pub(crate) fn lines(db: &Connection, query: &LogQuery) -> Result<Vec<AuditLine>, ReadError> {
    let failed = ReadError::of(TABLE);
    let (after, order) = match query.part {
        Part::After(seq) => (seq, "ASC"),
        Part::Latest => (0, "DESC"),
    };
    let sql = format!(
        "SELECT first.id, first.timestamp, first.account_id, first.rule_name, first.merged_rules,
            json_extract(first.breach, '$.command') AS command, first.action_type, first.reason, first.detected_at, result.sent_at, result.acknowledged_at,
            result.confirmed_at, result.latency_us, coalesce(result.outcome, first.outcome) AS outcome,
            coalesce(result.overshoot, first.overshoot) AS overshoot, coalesce(result.done, first.done) AS done,
            result.error_message, coalesce(result.hash, first.hash) AS hash
        FROM enforcement_history AS first LEFT JOIN enforcement_history AS result ON result.intent_id = first.id
        WHERE first.kind <> 'result' AND first.id > :after
            AND first.account_id = coalesce(:account, first.account_id)
            AND first.rule_name = coalesce(:rule, first.rule_name)
        ORDER BY first.id {order} LIMIT :limit"
    );
    let mut statement = db.prepare_cached(&sql).map_err(&failed)?;
    let values = named_params! {
        ":after": after,
        ":account": query.account.as_ref().map(AccountId::as_str),
        ":rule": query.rule.map(RuleKey::key),
        ":limit": query.limit,
    };
    let mut lines = statement
        .query_map(values, line)
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(&failed)?;
    if query.part == Part::Latest {
        lines.reverse();
    }
    Ok(lines)
}

/// Intents without a result, oldest first: what a restart has to finish.
pub(crate) fn pending(db: &Connection) -> Result<Vec<Intent>, ReadError> {
    let failed = ReadError::of(TABLE);
    let sql = "SELECT timestamp, account_id, rule_name, merged_rules, reason, position_id, cause_event_id,
            enforcement_id, priority, deed, breach, detected_at
        FROM enforcement_history AS intent
        WHERE kind = 'intent' AND NOT EXISTS (SELECT 1 FROM enforcement_history WHERE intent_id = intent.id)
        ORDER BY id";
    let mut statement = db.prepare(sql).map_err(&failed)?;
    let intents = statement.query_map([], intent).and_then(Iterator::collect);
    intents.map_err(&failed)
}

/// The first enforcement id after all that were used.
pub(crate) fn next_enforcement(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached(
        "SELECT coalesce(max(enforcement_id), 0) + 1 FROM enforcement_history WHERE kind = 'intent'",
    )?
    .query_row([], |row| row.get::<_, i64>(0))
    .map(i64::unsigned_abs)
}

fn line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    let account: AccountId = row.get::<_, Id<_>>("account_id")?.0;
    Ok(AuditLine {
        seq: row.get("id")?,
        at: row.get::<_, At>("timestamp")?.0,
        account: (account.as_str() != EVERYONE).then_some(account),
        rule: row.get::<_, Word<_>>("rule_name")?.0,
        merged: row.get::<_, Option<Json<_>>>("merged_rules")?.map_or_else(Vec::new, |rules| rules.0),
        command: row.get("command")?,
        action: row.get::<_, Word<_>>("action_type")?.0,
        reason: row.get("reason")?,
        outcome: row.get::<_, Word<_>>("outcome")?.0,
        detected_at: moment(row, "detected_at")?,
        sent_at: moment(row, "sent_at")?,
        acknowledged_at: moment(row, "acknowledged_at")?,
        confirmed_at: moment(row, "confirmed_at")?,
        latency_us: row.get("latency_us")?,
        overshoot_usd: amount(row, "overshoot")?,
        done: row.get("done")?,
        error: row.get("error_message")?,
        hash: row.get("hash")?,
    })
}

fn intent(row: &Row<'_>) -> rusqlite::Result<Intent> {
    let enforcement = Enforcement {
        id: EnforcementId(row.get::<_, i64>("enforcement_id")?.unsigned_abs()),
        account: row.get::<_, Id<_>>("account_id")?.0,
        rule: row.get::<_, Word<_>>("rule_name")?.0,
        merged: row.get::<_, Json<_>>("merged_rules")?.0,
        breach: row.get::<_, Json<Breach>>("breach")?.0,
        deed: row.get::<_, Json<Deed>>("deed")?.0,
        priority: priority(row.get("priority")?),
        detected_at: row.get::<_, At>("detected_at")?.0,
    };
    Ok(Intent {
        at: row.get::<_, At>("timestamp")?.0,
        enforcement,
        reason: row.get("reason")?,
        position: row.get::<_, Option<Id<PositionId>>>("position_id")?.map(|id| id.0),
        cause: row.get("cause_event_id")?,
    })
}

/// The priority of a number in the audit; what is unknown is as urgent as can be.
fn priority(number: u8) -> Priority {
    const ALL: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];
    ALL.into_iter().find(|priority| priority.number() == number).unwrap_or(Priority::Critical)
}

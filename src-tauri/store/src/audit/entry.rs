//! One audit row before it has a number and a hash: from the record to the values of its columns.

use domain::{AccountId, Breach, Deed, EnforcementId, OrderId};
use rusqlite::{Connection, OptionalExtension, types::Value};
use rust_decimal::Decimal;

use super::{
    EVERYONE, chain,
    words::{AuditAction, AuditOutcome},
};
use crate::{
    Ending, Intent, Note, Receipt, Written,
    columns::{json_text, text_of, word_text},
    proofs,
};

/// The columns of a row between `id` and `prev_hash`, in their order.
#[derive(Default)]
struct Entry {
    timestamp: String,
    account_id: String,
    rule_name: String,
    action_type: String,
    reason: String,
    position_id: Option<String>,
    order_id: Option<String>,
    success: bool,
    error_message: Option<String>,
    kind: &'static str,
    enforcement_id: Option<i64>,
    intent_id: Option<i64>,
    outcome: String,
    merged_rules: Option<String>,
    cause_event_id: Option<String>,
    contract_id: Option<String>,
    priority: Option<u8>,
    deed: Option<String>,
    breach: Option<String>,
    value: Option<String>,
    limit_value: Option<String>,
    attempt: Option<u32>,
    latency_ms: Option<i64>,
    latency_us: Option<i64>,
    dry_run: bool,
    detected_at: Option<String>,
    sent_at: Option<String>,
    acknowledged_at: Option<String>,
    confirmed_at: Option<String>,
    overshoot: Option<String>,
    done: Option<String>,
}

/// Writes what is about to be done.
pub(crate) fn intent(db: &Connection, intent: &Intent) -> rusqlite::Result<Written> {
    let enforcement = &intent.enforcement;
    if let Some(row) = intent_row(db, enforcement.id)? {
        return Ok(Written::Audit(row));
    }
    let (contract, order) = target(&enforcement.deed);
    let (value, limit) = figures(&enforcement.breach).unzip();
    let entry = Entry {
        timestamp: text_of(intent.at),
        account_id: enforcement.account.to_string(),
        rule_name: enforcement.rule.to_string(),
        action_type: word_text(&AuditAction::of_deed(&enforcement.deed))?,
        reason: intent.reason.clone(),
        position_id: intent.position.as_ref().map(ToString::to_string),
        cause_event_id: intent.cause.clone(),
        order_id: order,
        success: false,
        kind: "intent",
        enforcement_id: Some(number(enforcement.id)),
        outcome: word_text(&AuditOutcome::Pending)?,
        merged_rules: Some(json_text(&enforcement.merged)?),
        contract_id: contract,
        priority: Some(enforcement.priority.number()),
        deed: Some(json_text(&enforcement.deed)?),
        breach: Some(json_text(&enforcement.breach)?),
        value,
        limit_value: limit,
        detected_at: Some(text_of(enforcement.detected_at)),
        overshoot: enforcement.breach.overshoot().map(|past| past.0.to_string()),
        ..Entry::default()
    };
    append(db, entry)
}

/// Writes what came of it.
pub(crate) fn receipt(db: &Connection, receipt: &Receipt) -> rusqlite::Result<Written> {
    let Some(intended) = unanswered(db, receipt.enforcement)? else {
        return Ok(Written::Nothing);
    };
    let latency_us = receipt.latency.map(|latency| i64::try_from(latency.as_micros()).unwrap_or(i64::MAX));
    let outcome = match receipt.ending {
        Ending::Confirmed => AuditOutcome::Confirmed,
        Ending::Failed => AuditOutcome::Failed,
        Ending::Superseded => AuditOutcome::Superseded,
    };
    if receipt.ending == Ending::Confirmed {
        let seen_at = receipt.confirmed_at.unwrap_or(receipt.at);
        proofs::keep(db, &intended.account_id, &intended.rule_name, &intended.action_type, seen_at)?;
    }
    let entry = Entry {
        timestamp: text_of(receipt.at),
        success: outcome != AuditOutcome::Failed,
        error_message: receipt.error.clone(),
        kind: "result",
        outcome: word_text(&outcome)?,
        attempt: Some(receipt.attempts),
        latency_ms: latency_us.map(|us| us / 1000),
        latency_us,
        sent_at: receipt.sent_at.map(text_of),
        acknowledged_at: receipt.acknowledged_at.map(text_of),
        confirmed_at: receipt.confirmed_at.map(text_of),
        overshoot: receipt.overshoot.map(|past| past.0.to_string()),
        done: receipt.done.clone(),
        ..intended
    };
    append(db, entry)
}

/// Writes something that needs no result.
pub(crate) fn note(db: &Connection, note: &Note) -> rusqlite::Result<Written> {
    let outcome = if note.observed { AuditOutcome::Observed } else { AuditOutcome::Recorded };
    let (value, limit) = note.breach.as_ref().and_then(figures).unzip();
    let entry = Entry {
        timestamp: text_of(note.at),
        account_id: note.account.as_ref().map_or(EVERYONE, AccountId::as_str).to_owned(),
        rule_name: note.rule.to_string(),
        action_type: word_text(&note.action)?,
        reason: note.reason.clone(),
        success: true,
        dry_run: note.dry_run,
        kind: "record",
        outcome: word_text(&outcome)?,
        breach: note.breach.as_ref().map(json_text).transpose()?,
        value,
        limit_value: limit,
        detected_at: note.detected_at.map(text_of),
        overshoot: note.breach.as_ref().and_then(Breach::overshoot).map(|past| past.0.to_string()),
        done: note.done.clone(),
        ..Entry::default()
    };
    append(db, entry)
}

/// The row number of an enforcement's intent.
fn intent_row(db: &Connection, id: EnforcementId) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM enforcement_history WHERE kind = 'intent' AND enforcement_id = ?1")?
        .query_row([number(id)], |row| row.get(0))
        .optional()
}

/// What a result repeats of its intent, if that is there and has no result yet.
fn unanswered(db: &Connection, id: EnforcementId) -> rusqlite::Result<Option<Entry>> {
    let sql = "SELECT id, account_id, rule_name, action_type, reason, contract_id, detected_at
        FROM enforcement_history AS intent
        WHERE kind = 'intent' AND enforcement_id = ?1
        AND NOT EXISTS (SELECT 1 FROM enforcement_history WHERE intent_id = intent.id)";
    db.prepare_cached(sql)?
        .query_row([number(id)], |row| {
            Ok(Entry {
                intent_id: row.get(0)?,
                enforcement_id: Some(number(id)),
                account_id: row.get(1)?,
                rule_name: row.get(2)?,
                action_type: row.get(3)?,
                reason: row.get(4)?,
                contract_id: row.get(5)?,
                detected_at: row.get(6)?,
                ..Entry::default()
            })
        })
        .optional()
}

fn append(db: &Connection, entry: Entry) -> rusqlite::Result<Written> {
    chain::append(db, entry.into_values()).map(Written::Audit)
}

/// Enforcement ids count up from 1; SQLite's numbers end before a `u64` does.
pub(crate) fn number(id: EnforcementId) -> i64 {
    i64::try_from(id.0).unwrap_or(i64::MAX)
}

/// Contract and orders that a deed names.
fn target(deed: &Deed) -> (Option<String>, Option<String>) {
    match deed {
        Deed::Flatten => (None, None),
        Deed::Reduce { contract, .. } => (Some(contract.to_string()), None),
        Deed::Cancel { orders } => {
            (None, Some(orders.iter().map(OrderId::as_str).collect::<Vec<_>>().join(",")))
        }
        Deed::Shrink { order, .. } => (None, Some(order.to_string())),
        Deed::Place { ticket } => (Some(ticket.contract.to_string()), None),
        Deed::Modify { order, ticket } => (Some(ticket.contract.to_string()), Some(order.to_string())),
    }
}

/// The measured figure and what was allowed, for breaches that have both.
fn figures(breach: &Breach) -> Option<(String, String)> {
    let (value, limit) = match breach {
        Breach::TooManyContracts { count, limit, .. } | Breach::TooManyOfInstrument { count, limit, .. } => {
            (count.0.into(), limit.0.into())
        }
        Breach::DailyLoss { value, limit, .. } | Breach::OpenLoss { value, limit, .. } => (value.0, limit.0),
        Breach::DailyProfit { value, target, .. } | Breach::OpenProfit { value, target, .. } => {
            (value.0, target.0)
        }
        Breach::LosingTrade { loss, limit } => (loss.0, limit.0),
        Breach::TooManyTrades { count, limit, .. } => ((*count).into(), (*limit).into()),
        Breach::NoStop { covered, size, .. } => (covered.0.into(), size.0.into()),
        Breach::WhileLocked { held, permitted, .. } => (held.0.into(), permitted.0.into()),
        Breach::OwnEffect { size, .. } => (size.0.into(), Decimal::ZERO),
        Breach::SymbolBlocked { .. }
        | Breach::Leftover { .. }
        | Breach::TraderCommand { .. }
        | Breach::Management { .. }
        | Breach::CannotTrade
        | Breach::OutsideSession { .. } => return None,
    };
    Some((value.to_string(), limit.to_string()))
}

impl Entry {
    fn into_values(self) -> Vec<Value> {
        vec![
            self.timestamp.into(),
            self.account_id.into(),
            self.rule_name.into(),
            self.action_type.into(),
            self.reason.into(),
            self.position_id.into(),
            self.order_id.into(),
            self.success.into(),
            self.error_message.into(),
            self.kind.to_owned().into(),
            self.enforcement_id.into(),
            self.intent_id.into(),
            self.outcome.into(),
            self.merged_rules.into(),
            self.cause_event_id.into(),
            self.contract_id.into(),
            self.priority.into(),
            self.deed.into(),
            self.breach.into(),
            self.value.into(),
            self.limit_value.into(),
            self.attempt.into(),
            self.latency_ms.into(),
            self.latency_us.into(),
            self.dry_run.into(),
            self.detected_at.into(),
            self.sent_at.into(),
            self.acknowledged_at.into(),
            self.confirmed_at.into(),
            self.overshoot.into(),
            self.done.into(),
        ]
    }
}

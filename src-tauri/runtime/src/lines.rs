//! Audit lines as viewers see them.

use store::{AuditAction, AuditLine, AuditOutcome};
use views::{
    text::words,
    view::{ReceiptOutcome, ReceiptView},
};

/// A line of the audit as a receipt.
#[must_use]
pub fn receipt(line: &AuditLine) -> ReceiptView {
    ReceiptView {
        seq: line.seq,
        at: line.at,
        account: line.account.clone(),
        rule: line.rule,
        title: title(line).to_string(),
        action: action(line.action).to_string(),
        reason: line.reason.clone(),
        done: line.done.clone(),
        outcome: outcome(line.outcome),
        detected_at: line.detected_at,
        sent_at: line.sent_at,
        acknowledged_at: line.acknowledged_at,
        confirmed_at: line.confirmed_at,
        latency_us: line.latency_us,
        overshoot_usd: line.overshoot_usd,
    }
}

/// What the rule, or the trader's own command, is called.
#[must_use]
pub fn title(line: &AuditLine) -> &'static str {
    words::deed_title(line.rule, line.command.as_deref())
}

/// The word for an action in `log` and `status` (specification D.1).
#[must_use]
pub fn action(action: AuditAction) -> &'static str {
    match action {
        AuditAction::ClosePosition => "close_position",
        AuditAction::ReducePosition => "reduce_position",
        AuditAction::FlattenAccount => "flatten_account",
        AuditAction::CancelOrder => "cancel_order",
        AuditAction::Lockout => "lockout",
        AuditAction::Cooldown => "cooldown",
        AuditAction::SymbolLockout => "symbol_lockout",
        AuditAction::PlaceStop => "place_stop",
        AuditAction::ModifyStop => "modify_stop",
        AuditAction::PlaceTarget => "place_target",
        AuditAction::ModifyTarget => "modify_target",
        AuditAction::Alert => "alert",
        AuditAction::Override => "override",
        AuditAction::ShrinkOrder => "shrink_order",
        AuditAction::Unlock => "unlock",
        AuditAction::Settings => "settings",
        AuditAction::Reset => "reset",
        AuditAction::Recovery => "recovery",
    }
}

fn outcome(outcome: AuditOutcome) -> ReceiptOutcome {
    match outcome {
        AuditOutcome::Pending => ReceiptOutcome::Pending,
        AuditOutcome::Confirmed => ReceiptOutcome::Confirmed,
        AuditOutcome::Failed => ReceiptOutcome::Failed,
        AuditOutcome::Observed => ReceiptOutcome::Observed,
        AuditOutcome::Superseded => ReceiptOutcome::Superseded,
        AuditOutcome::Recorded => ReceiptOutcome::Recorded,
    }
}

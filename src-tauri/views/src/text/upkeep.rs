//! What is told of the engine's own state: messages that cannot be believed, a queue that was full, a
//! measurement beyond its limit. Names no message of a broker and shows nothing raw.

use domain::Severity;
use rust_decimal::Decimal;

use super::{Doubt, Note, Purpose, Scene};
use crate::view::Measure;

/// More messages made no sense than is bearable.
#[must_use]
pub fn bad_messages(count: usize, latest: &str, broker: &str) -> Note {
    Note {
        title: "Messages that make no sense".to_owned(),
        body: format!(
            "{count} messages of {broker} within a minute could not be used. The latest: {latest}. Positions \
             and orders are read again each time; the log has the messages."
        ),
        severity: Severity::Error,
        rule: None,
        purpose: Purpose::News,
    }
}

/// A message has a value that this version does not know.
#[must_use]
pub fn unknown_value(why: &str, broker: &str) -> Note {
    Note {
        title: format!("{broker} says something new"),
        body: format!(
            "A message was not used: {why}. Positions and orders were read again. A newer version may know it."
        ),
        severity: Severity::Warning,
        rule: None,
        purpose: Purpose::News,
    }
}

/// Logged in, and nothing arrives.
#[must_use]
pub fn no_events(broker: &str) -> Note {
    Note {
        title: "No events".to_owned(),
        body: format!(
            "Logged in to {broker}, but for 8 seconds neither an event nor a sign of its stream has arrived. It \
             is tried again by itself."
        ),
        severity: Severity::Error,
        rule: None,
        purpose: Purpose::News,
    }
}

/// There was no room for more messages.
#[must_use]
pub fn queue_full(waiting: usize) -> Note {
    Note {
        title: "Event queue overflow, engine degraded".to_owned(),
        body: format!(
            "{waiting} messages waited, and there was room for no more. None was dropped; everything is read \
             again now."
        ),
        severity: Severity::Critical,
        rule: None,
        purpose: Purpose::News,
    }
}

/// A rule cannot act on an account, found by the self-check.
#[must_use]
pub fn degraded(doubt: &Doubt, scene: &Scene<'_>) -> Note {
    let body = format!("{} {}", doubt.text(scene.broker), doubt.advice(scene.broker));
    scene.note(Severity::Error, "A rule can't act", &body).of_protection()
}

/// The broker knows nothing by a symbol that the settings name.
#[must_use]
pub fn unknown_symbol(symbol: &str, broker: &str) -> Note {
    Note {
        title: format!("{broker} does not know {symbol}"),
        body: format!(
            "The settings name {symbol}, but no contract is called so. Check its spelling in risk.yaml."
        ),
        severity: Severity::Warning,
        rule: None,
        purpose: Purpose::News,
    }
}

/// The database could not be copied.
#[must_use]
pub fn no_backup(why: &str) -> Note {
    Note {
        title: "Backup failed".to_owned(),
        body: format!(
            "The database could not be copied: {why}. Your rules act as before. Make room on the disk, see that the \
             folder backups can be written, then run `riskctl backup now`."
        ),
        severity: Severity::Error,
        rule: None,
        purpose: Purpose::News,
    }
}

/// A measurement went beyond its limit.
#[must_use]
pub fn exceeded(measure: Measure, value: Decimal, limit: Decimal) -> Note {
    let (title, unit) = match measure {
        Measure::EnforcementLatency => ("Enforcement is slow", "ms from cause to request"),
        Measure::EventProcessing => ("Events are judged slowly", "ms for one event"),
        Measure::Memory => ("Much memory in use", "MB"),
        Measure::MemoryGrowth => ("Memory grows", "MB an hour over six hours"),
        Measure::QueueDepth => ("Messages wait", "messages"),
        Measure::Reconciliation => ("Reading an account is slow", "s"),
        Measure::RuleEvaluation => ("Rules are judged slowly", "ms for one rule"),
    };
    let severity = match measure {
        Measure::Memory => Severity::Critical,
        Measure::EnforcementLatency
        | Measure::EventProcessing
        | Measure::MemoryGrowth
        | Measure::QueueDepth
        | Measure::Reconciliation
        | Measure::RuleEvaluation => Severity::Warning,
    };
    let (value, limit) = (value.round_dp(1).normalize(), limit.normalize());
    Note {
        title: title.to_owned(),
        body: format!("{value} {unit}; the limit is {limit}."),
        severity,
        rule: None,
        purpose: Purpose::News,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_told_with_its_limit() {
        let note = exceeded(Measure::EnforcementLatency, Decimal::new(6_124_567, 4), Decimal::from(500));
        assert_eq!(note.title, "Enforcement is slow");
        assert_eq!(note.body, "612.5 ms from cause to request; the limit is 500.");
        let note = exceeded(Measure::Memory, Decimal::from(240), Decimal::from(200));
        assert_eq!((note.body.as_str(), note.severity), ("240 MB; the limit is 200.", Severity::Critical));
    }

    #[test]
    fn a_full_queue_is_critical_and_says_that_nothing_was_lost() {
        let note = queue_full(10_001);
        assert_eq!(note.severity, Severity::Critical);
        assert!(note.body.starts_with("10001 messages waited"), "{}", note.body);
    }
}

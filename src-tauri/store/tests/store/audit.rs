//! The audit chain: what is written stays, and whoever changes it is found out (rulings 12).

use std::fs;

use domain::{Breach, Deed, Enforcement, EnforcementId, RuleKey};
use rusqlite::{Connection, params, types::Value};
use store::{
    AuditAction, AuditFault, AuditOutcome, Durability, Ending, LogQuery, Note, Part, Proof, Reader, Receipt,
    Record, Store, Written,
};

use crate::fixtures::*;

fn everything(part: Part) -> LogQuery {
    LogQuery { part, limit: 100, account: None, rule: None }
}

fn settings_note() -> Note {
    Note {
        at: now(),
        account: None,
        rule: RuleKey::Trader,
        action: AuditAction::Settings,
        observed: false,
        dry_run: false,
        reason: "max_contracts.limit: 5 to 4 — “stricter”".to_owned(),
        breach: None,
        detected_at: None,
        done: None,
    }
}

fn observation() -> Note {
    Note {
        account: Some(account()),
        rule: RuleKey::DailyRealizedLoss,
        action: AuditAction::Lockout,
        observed: true,
        dry_run: false,
        reason: "Daily loss -412.52 of -400.00.".to_owned(),
        breach: Some(daily_loss()),
        detected_at: Some(later(-1)),
        ..settings_note()
    }
}

/// Six rows of all kinds: intent, result, note, observation, intent that failed, its result.
fn written(home: &Home) -> Store {
    let mut store = home.open();
    let failed = Receipt {
        ending: Ending::Failed,
        confirmed_at: None,
        latency: None,
        error: Some("market closed".to_owned()),
        done: None,
        ..receipt(2)
    };
    let numbers = flush(
        &mut store,
        &[
            intent(1),
            confirmed(1),
            Record::Note(Box::new(settings_note())),
            Record::Note(Box::new(observation())),
            intent(2),
            Record::Receipt(Box::new(failed)),
        ],
    );
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6].map(Written::Audit));
    store.settle().unwrap();
    store
}

fn fault(home: &Home) -> AuditFault {
    Reader::open(home.path()).unwrap().verify_audit().unwrap_err()
}

#[test]
fn an_untouched_chain_verifies_with_and_without_an_engine() {
    let home = Home::new();
    let store = written(&home);
    let check = store.verify_audit().unwrap();
    assert_eq!((check.rows, check.breaks.len()), (6, 0));
    assert_eq!(Reader::open(home.path()).unwrap().verify_audit().unwrap(), check);
    drop(store);
    assert_eq!(Reader::open(home.path()).unwrap().verify_audit().unwrap(), check);
}

#[test]
fn intent_and_result_are_one_line() {
    let home = Home::new();
    let store = written(&home);
    let lines = store.log(&everything(Part::After(0))).unwrap();
    let summary: Vec<_> = lines.iter().map(|line| (line.seq, line.action, line.outcome)).collect();
    assert_eq!(
        summary,
        [
            (1, AuditAction::ReducePosition, AuditOutcome::Confirmed),
            (3, AuditAction::Settings, AuditOutcome::Recorded),
            (4, AuditAction::Lockout, AuditOutcome::Observed),
            (5, AuditAction::ReducePosition, AuditOutcome::Failed),
        ]
    );
    let first = &lines[0];
    assert_eq!(first.account, Some(account()));
    assert_eq!(first.rule, RuleKey::MaxContracts);
    assert_eq!(first.merged, [RuleKey::MaxContractsPerInstrument]);
    assert_eq!(first.reason, "6 contracts, 5 allowed.");
    assert_eq!(first.detected_at, Some(now()));
    assert_eq!(first.sent_at, Some(at("2026-03-02T14:30:00.000400Z")));
    assert_eq!(first.acknowledged_at, Some(at("2026-03-02T14:30:00.045Z")));
    assert_eq!(first.confirmed_at, Some(at("2026-03-02T14:30:00.061200Z")));
    assert_eq!(first.latency_us, Some(61_200));
    assert_eq!(first.overshoot_usd, None);
    assert_eq!(first.done.as_deref(), Some("Closed 1 of 6 MNQ."));
    assert_eq!(lines[1].account, None);
    assert_eq!(lines[2].overshoot_usd, Some(usd("12.515625")));
    assert_eq!(lines[3].error.as_deref(), Some("market closed"));
    let hash: String = home
        .tampered()
        .query_row("SELECT hash FROM enforcement_history WHERE id = 2", [], |row| row.get(0))
        .unwrap();
    assert_eq!(first.hash, hash, "of the result row");
}

#[test]
fn a_line_without_result_is_pending() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    let line = store.log(&everything(Part::After(0))).unwrap().remove(0);
    assert_eq!((line.outcome, line.sent_at, line.latency_us), (AuditOutcome::Pending, None, None));
    assert_eq!(line.hash, store.verify_audit().unwrap().head);
}

#[test]
fn the_log_is_read_in_parts_and_filtered() {
    let home = Home::new();
    let store = written(&home);
    let seqs = |query: LogQuery| store.log(&query).unwrap().iter().map(|line| line.seq).collect::<Vec<_>>();
    assert_eq!(seqs(LogQuery { limit: 2, ..everything(Part::After(1)) }), [3, 4]);
    assert_eq!(seqs(LogQuery { limit: 2, ..everything(Part::Latest) }), [4, 5], "oldest first all the same");
    assert_eq!(seqs(LogQuery { account: Some(account()), ..everything(Part::After(0)) }), [1, 4, 5]);
    assert_eq!(seqs(LogQuery { rule: Some(RuleKey::Trader), ..everything(Part::After(0)) }), [3]);
}

#[test]
fn the_numbers_behind_a_breach_stand_in_columns() {
    let home = Home::new();
    let mut store = home.open();
    let flatten = Enforcement { breach: daily_loss(), deed: Deed::Flatten, ..enforcement(1) };
    let cancel = Enforcement {
        breach: Breach::Leftover { symbol: None },
        deed: Deed::Cancel { orders: vec!["11".into(), "12".into()] },
        ..enforcement(2)
    };
    flush(&mut store, &[intent_of(flatten), intent_of(cancel)]);
    let db = home.tampered();
    let row = |id: i64| -> Vec<Option<String>> {
        let sql = "SELECT action_type, value, limit_value, overshoot, order_id, success, outcome
            FROM enforcement_history WHERE id = ?1";
        let values =
            db.query_row(sql, [id], |row| (0..7).map(|column| row.get::<_, Value>(column)).collect());
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::Integer(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Real(_) | Value::Blob(_) => panic!("{value:?}"),
        };
        values.map(|values: Vec<Value>| values.iter().map(text).collect()).unwrap()
    };
    let texts = |values: [&str; 7]| values.map(|text| (!text.is_empty()).then(|| text.to_owned()));
    assert_eq!(row(1), texts(["flatten_account", "-412.515625", "-400", "12.515625", "", "0", "pending"]));
    assert_eq!(row(2), texts(["cancel_order", "", "", "", "11,12", "0", "pending"]));
}

#[test]
fn an_intent_is_written_once_and_answered_once() {
    let home = Home::new();
    let mut store = home.open();
    let written = flush(&mut store, &[confirmed(1), intent(1), intent(1), confirmed(1), confirmed(1)]);
    let expected =
        [Written::Nothing, Written::Audit(1), Written::Audit(1), Written::Audit(2), Written::Nothing];
    assert_eq!(written, expected);
    assert_eq!(store.verify_audit().unwrap().rows, 2);
}

#[test]
fn the_table_refuses_changes() {
    let home = Home::new();
    drop(written(&home));
    let db = Connection::open(home.file("state.db")).unwrap();
    for sql in [
        "UPDATE enforcement_history SET reason = 'nothing happened' WHERE id = 1",
        "DELETE FROM enforcement_history WHERE id = 6",
        "INSERT OR REPLACE INTO enforcement_history SELECT * FROM enforcement_history WHERE id = 1",
    ] {
        let error = db.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
}

/// One changed character in any column of any row, NULLs included.
#[test]
fn one_changed_byte_anywhere_is_found() {
    let home = Home::new();
    drop(written(&home));
    let db = home.tampered();
    db.execute_batch("DROP INDEX enforcement_history_intents; DROP INDEX enforcement_history_results;")
        .unwrap();
    let columns: Vec<String> = db
        .prepare("SELECT name FROM pragma_table_info('enforcement_history')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(columns.len(), 34);
    let reader = Reader::open(home.path()).unwrap();
    for row in 1..=6 {
        for column in &columns {
            let select = format!("SELECT {column} FROM enforcement_history WHERE id = ?1");
            let before: Value = db.query_row(&select, [row], |found| found.get(0)).unwrap();
            let (changed, now_at) = changed(&before, column, row);
            let update = format!("UPDATE enforcement_history SET {column} = ?1 WHERE id = ?2");
            db.execute(&update, params![changed, row]).unwrap();
            let found = reader.verify_audit();
            assert!(found.is_err(), "row {row}, {column}: {before:?} to {changed:?} was not noticed");
            db.execute(&update, params![before, now_at]).unwrap();
            assert!(reader.verify_audit().is_ok(), "row {row}, {column} is back");
        }
    }
}

/// Another value of the same kind, and the id under which the row is found then.
fn changed(value: &Value, column: &str, row: i64) -> (Value, i64) {
    match value {
        Value::Null => (Value::Text("1".to_owned()), row),
        Value::Integer(number) if column == "id" => (Value::Integer(number + 1000), number + 1000),
        Value::Integer(number) => (Value::Integer(number ^ 1), row),
        Value::Text(text) => {
            let last = if text.ends_with('0') { '1' } else { '0' };
            let kept = text.char_indices().next_back().map_or(0, |(at, _)| at);
            (Value::Text(format!("{}{last}", &text[..kept])), row)
        }
        Value::Real(_) | Value::Blob(_) => panic!("{column} of row {row} holds {value:?}"),
    }
}

#[test]
fn every_fault_says_what_is_wrong() {
    let check = |sql: &str, expected: AuditFault| {
        let home = Home::new();
        drop(written(&home));
        home.tampered().execute_batch(sql).unwrap();
        assert_eq!(fault(&home), expected, "{sql}");
    };
    check("UPDATE enforcement_history SET reason = 'x' WHERE id = 3", AuditFault::Altered { row: 3 });
    check("UPDATE enforcement_history SET prev_hash = 'x' WHERE id = 3", AuditFault::Unlinked { row: 3 });
    check("UPDATE enforcement_history SET hash = 'x' WHERE id = 3", AuditFault::Altered { row: 3 });
    check(
        "UPDATE enforcement_history SET done = x'00' WHERE id = 3",
        AuditFault::WrongKind { row: 3, column: "done" },
    );
    check("DELETE FROM enforcement_history WHERE id = 1", AuditFault::Gap { expected: 1, found: 2 });
    check("DELETE FROM enforcement_history WHERE id = 4", AuditFault::Gap { expected: 4, found: 5 });
    check("DELETE FROM enforcement_history WHERE id > 4", AuditFault::MissingTail { rows: 4, expected: 6 });
    check("DELETE FROM enforcement_history", AuditFault::MissingTail { rows: 0, expected: 6 });
    check(
        "UPDATE enforcement_history SET id = 99 WHERE id = 3;
        UPDATE enforcement_history SET id = 3 WHERE id = 4;
        UPDATE enforcement_history SET id = 4 WHERE id = 99;",
        AuditFault::Unlinked { row: 3 },
    );
}

#[test]
fn a_replaced_end_and_a_lost_head_are_found() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    let shorter = home.crashed();
    flush(&mut store, &[confirmed(1)]);
    store.settle().unwrap();
    let head = fs::read(home.file("audit.head")).unwrap();

    let mut other = shorter.open();
    let superseded = Receipt { ending: Ending::Superseded, ..receipt(1) };
    flush(&mut other, &[Record::Receipt(Box::new(superseded))]);
    fs::write(shorter.file("audit.head"), head).unwrap();
    assert_eq!(fault(&shorter), AuditFault::OtherHead { row: 2 });

    fs::write(shorter.file("audit.head"), "{").unwrap();
    assert!(matches!(fault(&shorter), AuditFault::HeadDamaged { .. }));
    fs::remove_file(shorter.file("audit.head")).unwrap();
    assert_eq!(fault(&shorter), AuditFault::HeadMissing);
}

#[test]
fn rows_behind_the_head_are_fine_if_they_chain_on() {
    let home = Home::new();
    let mut store = written(&home);
    flush(&mut store, &[intent(3)]);
    let after = home.crashed();
    assert_eq!(Reader::open(after.path()).unwrap().verify_audit().unwrap().rows, 7);
    assert_eq!(after.found().audit, None);
}

#[test]
fn the_head_never_runs_ahead_of_what_is_flushed() {
    let home = Home::new();
    let mut store = written(&home);
    let head = fs::read(home.file("audit.head")).unwrap();
    store.commit(&[intent(3), confirmed(3)], Durability::Lazy).unwrap();
    store.settle().unwrap();
    assert_eq!(fs::read(home.file("audit.head")).unwrap(), head);
    flush(&mut store, &[Record::Seen(now())]);
    store.settle().unwrap();
    assert_ne!(fs::read(home.file("audit.head")).unwrap(), head, "a flush takes the lazy rows with it");
}

#[test]
fn a_start_does_not_paint_over_a_cut_tail() {
    let home = Home::new();
    drop(written(&home));
    home.tampered().execute("DELETE FROM enforcement_history WHERE id > 4", []).unwrap();

    let opened = home.opened();
    assert_eq!(opened.found.audit, Some(AuditFault::MissingTail { rows: 4, expected: 6 }));
    let check = opened.store.verify_audit().unwrap();
    assert_eq!(check.rows, 5);
    assert_eq!(check.breaks.len(), 1);
    assert!(check.breaks[0].reason.contains("6 rows were written"), "{}", check.breaks[0].reason);
    drop(opened);
    assert_eq!(home.found().audit, None, "told once");
}

#[test]
fn the_chain_can_be_verified_while_it_grows() {
    let home = Home::new();
    let mut store = home.open();
    let path = home.path().to_owned();
    let (done, finished) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let reader = Reader::open(&path).unwrap();
        let mut seen = Vec::new();
        while finished.try_recv().is_err() {
            seen.push(reader.verify_audit().unwrap().rows);
            reader.log(&everything(Part::Latest)).unwrap();
        }
        (seen, reader.verify_audit().unwrap().rows)
    });
    for id in 1..=300 {
        flush(&mut store, &[intent(id)]);
        store.commit(&[confirmed(id)], Durability::Lazy).unwrap();
        store.settle().unwrap();
    }
    done.send(()).unwrap();
    let (seen, last) = reader.join().unwrap();
    assert!(seen.is_sorted() && !seen.is_empty());
    assert_eq!(last, 600);
    assert_eq!(EnforcementId(memory(&store).next_enforcement), EnforcementId(301));
}

/// The close that was seen at the broker first is kept, whatever the audit says after it; a failed one, a cancel,
/// and what the trader himself asked for prove nothing.
#[test]
fn the_first_enforcement_that_was_seen_stays_a_proof() {
    let home = Home::new();
    let mut store = home.open();
    let failed = Receipt { ending: Ending::Failed, ..receipt(1) };
    let of_trader = Enforcement { rule: RuleKey::Trader, ..enforcement(2) };
    let cancel = Deed::Cancel { orders: vec!["1".into()] };
    let of_orders = Enforcement { deed: cancel, ..enforcement(3) };
    flush(&mut store, &[intent(1), Record::Receipt(Box::new(failed))]);
    flush(&mut store, &[intent_of(of_trader), confirmed(2), intent_of(of_orders), confirmed(3)]);
    assert!(store.proofs().unwrap().is_empty());
    let later = Receipt { confirmed_at: Some(later(60)), ..receipt(5) };
    flush(&mut store, &[intent(4), confirmed(4), intent(5), Record::Receipt(Box::new(later))]);
    drop(store);
    let proof = Proof {
        at: at("2026-03-02T14:30:00.0612Z"),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rule: RuleKey::MaxContracts,
    };
    assert_eq!(home.open().proofs().unwrap().into_iter().collect::<Vec<_>>(), [(account(), proof)]);
}

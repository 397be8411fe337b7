//! The database: damaged, newer, gone, or tampered with.

use std::fs;

use serde_json::Value;

use crate::stage::{Home, Rules, Stage, wait_until};

/// Locked for the day, with the engine stopped.
fn locked_and_stopped() -> Stage {
    let mut stage = Stage::with(&Rules::day_ends_at("-100"));
    stage.run();
    stage.simulator.price("MNQ", 21_000.0);
    stage.desk().buy("MNQ", 1);
    stage.simulator.price("MNQ", 20_940.0);
    wait_until("locked", || stage.is_locked_by(0, "daily_realized_loss", "HARD") && stage.desk().is_flat());
    stage.confirmed("daily_realized_loss", "flatten_account");
    stage.stop();
    // Nothing at the broker would lock it again.
    stage.home.write("risk.yaml", &Rules::open().to_string());
    stage
}

fn is_locked_and_undoes_what_is_new(stage: &mut Stage) {
    let line = stage.run();
    assert_eq!(line["protection"], "locked");
    assert!(stage.is_locked_by(0, "daily_realized_loss", "HARD"));
    let desk = stage.desk();
    let fills = desk.fills().len();
    desk.buy("MES", 1);
    wait_until("undone", || desk.fills().len() == fills + 2 && desk.is_flat());
}

fn remove_database(home: &Home) {
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(home.file(name));
    }
}

#[test]
fn a_lost_database_frees_nobody() {
    let mut stage = locked_and_stopped();
    remove_database(&stage.home);
    stage.audit_was_lost();
    is_locked_and_undoes_what_is_new(&mut stage);
    assert!(!stage.receipts("trader", "recovery").is_empty(), "the loss is written down");
    let listener = stage.home.start(&["status", "--watch"]);
    wait_until("whoever listens first is told", || listener.output().contains("! Database replaced: "));
    assert!(listener.output().contains("1 lockout came back"), "{}", listener.output());
}

/// Deleting the database is no way to a looser rule: what was accepted last is kept a second time, and with
/// it what waits for the next trading day.
#[test]
fn a_lost_database_loosens_nothing() {
    let mut stage = Stage::running(&Rules::two_mnq());
    stage.stop();
    remove_database(&stage.home);
    stage.audit_was_lost();
    let looser = Rules::open().with("max_contracts_per_instrument", "{instrument_limits: {MNQ: 9}}");
    stage.home.write("risk.yaml", &looser.to_string());
    stage.run();
    stage.desk().buy("MNQ", 5);
    wait_until("two MNQ", || stage.desk().held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    let pending = stage.status()["pending"].clone();
    assert_eq!(pending[0]["key"], "rules.max_contracts_per_instrument.instrument_limits.MNQ", "{pending}");
    let listener = stage.home.start(&["status", "--watch"]);
    wait_until("told", || listener.output().contains("The settings that were accepted last stay in force"));
}

/// With their second place gone as well, nobody can know them: that is said.
#[test]
fn settings_that_are_lost_altogether_are_told_to_be() {
    let mut stage = Stage::running(&Rules::two_mnq());
    stage.stop();
    remove_database(&stage.home);
    fs::remove_file(stage.home.file("accepted.json")).unwrap();
    stage.audit_was_lost();
    stage.run();
    let listener = stage.home.start(&["status", "--watch"]);
    wait_until("told", || listener.output().contains("! Database replaced: "));
    let told = listener.output();
    assert!(told.contains("what happened before is not known"), "{told}");
    assert!(told.contains("The settings accepted last are lost: the files count as they are."), "{told}");
}

#[test]
fn a_damaged_database_is_put_aside_and_frees_nobody() {
    for damage in [Damage::Garbage, Damage::CutOff, Damage::Empty] {
        let mut stage = locked_and_stopped();
        let file = stage.home.file("state.db");
        let content = fs::read(&file).unwrap();
        match damage {
            Damage::Garbage => fs::write(&file, b"this is no database".repeat(1000)).unwrap(),
            Damage::CutOff => fs::write(&file, &content[..content.len() / 2]).unwrap(),
            Damage::Empty => fs::write(&file, b"").unwrap(),
        }
        for name in ["state.db-wal", "state.db-shm"] {
            let _ = fs::remove_file(stage.home.file(name));
        }
        stage.audit_was_lost();
        is_locked_and_undoes_what_is_new(&mut stage);
    }
}

#[derive(Clone, Copy)]
enum Damage {
    Garbage,
    CutOff,
    Empty,
}

#[test]
fn a_newer_database_is_left_alone_and_protects_nobody() {
    for newer in ["PRAGMA user_version = 9999", "INSERT INTO schema_version VALUES (9999, '2099-01-01', 'x')"]
    {
        let stage = locked_and_stopped();
        let file = stage.home.file("state.db");
        let kept = fs::read(&file).unwrap();
        stage.home.database().execute_batch(newer).unwrap();
        let before = fs::read(&file).unwrap();
        let finished = stage.home.ask_with_login(&stage.simulator, &["run"]);
        assert_eq!(finished.code, Some(5), "{}", finished.errors);
        assert!(finished.output.is_empty());
        assert!(finished.errors.contains("9999") && finished.errors.contains("newer"), "{}", finished.errors);
        assert_eq!(fs::read(&file).unwrap(), before);
        fs::write(&file, kept).unwrap();
    }
}

/// Whoever locks the database stops every write to it: a disk that does not answer.
#[test]
fn a_disk_that_does_not_answer_holds_up_no_enforcement() {
    let mut stage = Stage::running(&Rules::day_ends_at("-100"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21_000.0);
    desk.buy("MNQ", 1);
    wait_until("valued", || stage.figure(0, "unrealized") == Some(0.00));
    let other = stage.home.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    stage.simulator.price("MNQ", 20_940.0);
    wait_until("flat, and told that the disk fails", || {
        desk.is_flat() && stage.doubts().contains(&"disk".to_string())
    });
    assert_eq!(stage.protection(), "not_protected");
    other.execute_batch("ROLLBACK").unwrap();
    wait_until("written", || stage.is_locked_by(0, "daily_realized_loss", "HARD"));
    stage.wait_until_protection("locked");
    stage.confirmed("daily_realized_loss", "flatten_account");
    // What was held up was written all the same.
    stage.kill();
    stage.run();
    assert!(stage.is_locked_by(0, "daily_realized_loss", "HARD"));
}

/// Changes one byte of a text in a row, as it stands in the file.
fn change_a_byte(home: &Home, text: &str) {
    let file = home.file("state.db");
    let mut content = fs::read(&file).unwrap();
    let at = content
        .windows(text.len())
        .position(|part| part == text.as_bytes())
        .expect("the text is in the file");
    content[at] ^= 1;
    fs::write(&file, content).unwrap();
}

fn verify(home: &Home) -> (Option<i32>, Value) {
    let finished = home.ask(&["audit", "verify", "--json"]);
    (finished.code, serde_json::from_str(&finished.output).unwrap())
}

/// Undoes a change, so that the scenario ends with what it began with.
fn with_a_copy(stage: &Stage, change: impl FnOnce(&Home)) -> (Option<i32>, Value) {
    let file = stage.home.file("state.db");
    let kept = fs::read(&file).unwrap();
    change(&stage.home);
    let verdict = verify(&stage.home);
    for name in ["state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(stage.home.file(name));
    }
    fs::write(&file, kept).unwrap();
    verdict
}

#[test]
fn one_changed_byte_of_one_row_is_found() {
    let stage = locked_and_stopped();
    let (code, said) = verify(&stage.home);
    assert_eq!((code, &said["sound"]), (Some(0), &Value::Bool(true)), "{said}");
    // A result's words, whatever the file looks like.
    let (code, said) = with_a_copy(&stage, |home| change_a_byte(home, "Closed 1 MNQ"));
    assert_eq!((code, &said["sound"]), (Some(1), &Value::Bool(false)), "{said}");
    assert!(said["reason"].is_string(), "{said}");
}

#[test]
fn any_column_of_any_row_is_under_the_seal() {
    let stage = locked_and_stopped();
    let columns: Vec<String> = {
        let database = stage.home.database();
        let mut statement =
            database.prepare("SELECT name FROM pragma_table_info('enforcement_history')").unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).filter(|name| name != "id" && name != "rowid").collect()
    };
    assert!(columns.len() > 10, "{columns:?}");
    for column in columns {
        let (code, said) = with_a_copy(&stage, |home| {
            let database = home.database();
            // Whatever keeps the program itself from changing a row does not keep somebody else.
            let triggers: Vec<String> = database
                .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            for trigger in triggers {
                database.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
            }
            database
                .execute_batch("PRAGMA ignore_check_constraints = on; PRAGMA foreign_keys = off")
                .unwrap();
            let change = format!(
                "UPDATE enforcement_history SET \"{column}\" = CASE typeof(\"{column}\")
                    WHEN 'integer' THEN \"{column}\" + 1 WHEN 'null' THEN 'x' ELSE \"{column}\" || 'x' END
                 WHERE id = (SELECT max(id) FROM enforcement_history)"
            );
            database.execute(&change, []).unwrap();
        });
        assert_eq!((code, &said["sound"]), (Some(1), &Value::Bool(false)), "{column}: {said}");
    }
}

#[test]
fn rows_that_are_cut_off_or_taken_out_are_missed() {
    let stage = locked_and_stopped();
    for row in ["max(id)", "min(id) + 1"] {
        let (code, said) = with_a_copy(&stage, |home| {
            let database = home.database();
            let triggers: Vec<String> = database
                .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            for trigger in triggers {
                database.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
            }
            let delete =
                format!("DELETE FROM enforcement_history WHERE id = (SELECT {row} FROM enforcement_history)");
            database.execute_batch(&format!("PRAGMA foreign_keys = off; {delete}")).unwrap();
        });
        assert_eq!((code, &said["sound"]), (Some(1), &Value::Bool(false)), "{row}: {said}");
    }
}

#[test]
fn the_log_reads_the_same_with_and_without_an_engine() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.run();
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    let receipt = stage.confirmed("max_contracts_per_instrument", "reduce_position");
    let running = stage.home.log();
    stage.stop();
    assert_eq!(stage.home.log(), running);
    for name in [
        "seq",
        "at",
        "account",
        "rule",
        "action",
        "reason",
        "outcome",
        "detected_at",
        "sent_at",
        "acknowledged_at",
        "confirmed_at",
        "latency_us",
        "overshoot_usd",
        "hash",
    ] {
        assert!(receipt.get(name).is_some(), "{name}: {receipt}");
    }
    let seqs: Vec<i64> = running.iter().map(|it| it["seq"].as_i64().unwrap()).collect();
    assert!(seqs.is_sorted(), "oldest first");
    let tail = stage.home.ask(&["log", "--json", "--tail", "1"]).output;
    assert_eq!(tail.lines().count(), 1);
    let of_rule = stage.home.ask(&["log", "--json", "--rule", "max_contracts_per_instrument"]).output;
    assert_eq!(of_rule.lines().count(), 1);
    let status = stage.status();
    assert_eq!((&status["running"], &status["protection"]), (&Value::Bool(false), &"not_protected".into()));
    assert_eq!(status["accounts"][0]["positions"][0]["size"], 2);
}

/// What the tables say of orders, stops and causes, for whoever asks the database itself.
#[test]
fn orders_stops_and_causes_are_rows_of_the_database() {
    let rules = Rules::two_mnq().with("no_stop_loss_grace", "{grace_period_seconds: 600}");
    let stage = Stage::running(&rules);
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21_000.0);
    desk.buy("MNQ", 1);
    let stop = desk.sell_stop("MNQ", 1, 20_990.0);
    let limit = desk.buy_limit("MNQ", 1, 20_900.0);
    let row = |sql: String| stage.home.database().query_row(&sql, [], |row| row.get::<_, String>(0)).ok();
    let status = |id: i64| row(format!("SELECT status FROM orders WHERE order_id = '{id}'"));
    wait_until("both work", || [stop, limit].map(status) == [Some("open".into()), Some("open".into())]);
    let cover =
        "SELECT covered_qty || bracket_order_ids || coalesce(uncovered_since, '-') FROM stop_coverage";
    wait_until("it is covered", || row(cover.to_string()) == Some(format!("1[\"{stop}\"]-")));
    desk.cancel(limit);
    wait_until("the limit order is cancelled", || status(limit).as_deref() == Some("cancelled"));
    desk.buy("MNQ", 2);
    wait_until("half is covered", || {
        row("SELECT covered_qty || (uncovered_since IS NOT NULL) FROM stop_coverage".to_string())
            .is_some_and(|it| it == "11")
    });
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    let cause = "SELECT cause_event_id FROM enforcement_history WHERE kind = 'intent'";
    let position = "SELECT 'position ' || position_id FROM enforcement_history WHERE kind = 'intent'";
    assert_eq!(row(cause.to_string()), row(position.to_string()));
}

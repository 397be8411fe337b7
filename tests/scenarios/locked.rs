//! While an account is locked: new exposure is undone, exits are left alone, and no `kill -9` frees
//! anybody.

use std::{thread, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::stage::{Rules, Stage, wait_for, wait_until};

const OPEN: f64 = 21_000.0;

/// Locked for the day, flat, the flatten confirmed.
fn locked() -> Stage {
    let stage = Stage::running(&Rules::day_ends_at("-100"));
    lose(&stage);
    wait_until("locked and flat", || is_locked(&stage) && stage.desk().is_flat());
    stage.confirmed("daily_realized_loss", "flatten_account");
    stage
}

fn lose(stage: &Stage) {
    stage.simulator.price("MNQ", OPEN);
    stage.desk().buy("MNQ", 1);
    stage.simulator.price("MNQ", OPEN - 60.0);
}

fn is_locked(stage: &Stage) -> bool {
    stage.is_locked_by(0, "daily_realized_loss", "HARD")
}

#[test]
fn a_new_order_while_locked_is_undone() {
    let stage = locked();
    let desk = stage.desk();
    let before = stage.home.log().len();
    desk.buy("MNQ", 3);
    wait_until("undone", || desk.fills().len() == 4 && desk.is_flat());
    desk.sell("ES", 1);
    wait_until("undone", || desk.fills().len() == 6 && desk.is_flat());
    wait_until("both have their receipts", || {
        let closes = stage.receipts("daily_realized_loss", "close_position");
        closes.len() == 2 && closes.iter().all(|it| it["outcome"] == "confirmed")
    });
    assert_eq!(stage.home.log().len(), before + 2, "still one lock");
    assert_eq!(stage.locks(0).len(), 1);
    assert_eq!(stage.protection(), "locked");
}

#[test]
fn a_resting_entry_while_locked_is_cancelled() {
    let stage = locked();
    let desk = stage.desk();
    let limit = desk.buy_limit("MNQ", 1, OPEN - 500.0);
    let stop = desk.sell_stop("MES", 2, 100.0);
    wait_until("both cancelled", || !desk.is_working(limit) && !desk.is_working(stop));
    stage.confirmed("daily_realized_loss", "cancel_order");
    assert!(stage.simulator.journal().to("Order/cancel").len() >= 2);
}

#[test]
fn a_bracketed_entry_while_locked_leaves_nothing_behind() {
    let stage = locked();
    let desk = stage.desk();
    desk.buy_with_bracket("MNQ", 2, 40, 40);
    wait_until("undone", || desk.fills().len() == 4 && desk.is_flat());
    wait_until("its children are gone", || desk.orders().is_empty());
    stage.confirmed("daily_realized_loss", "close_position");
}

#[test]
fn exits_and_stops_stay_while_a_close_cannot_be_done() {
    let mut stage = Stage::running(&Rules::day_ends_at("-100"));
    stage.simulator.price("MNQ", OPEN);
    let desk = stage.desk();
    desk.buy("MNQ", 1);
    let stop = desk.sell_stop("MNQ", 1, OPEN - 100.0);
    let entry = desk.buy_limit("MNQ", 1, OPEN - 300.0);
    wait_until("covered", || stage.account(0)["positions"][0]["stop_covered"] == true);
    stage
        .simulator
        .fault(&json!({"kind": "http_status", "path": "closeContract", "status": 503, "times": 1000}));
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("locked", || is_locked(&stage));
    wait_until("the entry is cancelled", || !stage.desk().is_working(entry));
    let failed = wait_for("a failed flatten", || {
        stage
            .receipts("daily_realized_loss", "flatten_account")
            .into_iter()
            .find(|it| it["outcome"] == "failed")
    });
    assert!(failed["error"].is_string(), "{failed}");
    assert!(stage.desk().is_working(stop), "the last protection of the position");
    assert!(is_locked(&stage), "a failure neither adds nor ends a lock");

    // The stop does it.
    stage.simulator.price("MNQ", OPEN - 100.0);
    wait_until("flat by the stop", || stage.desk().is_flat());
    wait_until("the engine saw it", || stage.account(0)["positions"] == json!([]));
    let closes = stage.simulator.journal().closes().len();
    stage.allow_misses(closes);
}

#[test]
fn a_close_that_cannot_be_done_is_taken_up_again() {
    let mut stage = Stage::running(&Rules::day_ends_at("-100"));
    stage
        .simulator
        .fault(&json!({"kind": "http_status", "path": "closeContract", "status": 503, "times": 1000}));
    lose(&stage);
    wait_until("locked", || is_locked(&stage));
    wait_until("given up for now", || {
        stage.receipts("daily_realized_loss", "flatten_account").iter().any(|it| it["outcome"] == "failed")
    });
    let misses = stage.simulator.journal().closes().len();
    stage.simulator.clear_faults();
    wait_until("closed after all", || stage.desk().is_flat());
    stage.confirmed("daily_realized_loss", "close_position");
    stage.allow_misses(misses + 3);
}

/// The lock as the database has it, without an engine.
fn lock_in_the_database(stage: &Stage) -> Option<Value> {
    stage.home.lockouts().into_iter().find(|it| it["rule"] == "daily_realized_loss" && it["kind"] == "HARD")
}

/// Starts an engine after a kill: it must end locked and flat, and undo what is new.
fn comes_back_locked(stage: &mut Stage) {
    let line = stage.run();
    assert_eq!(line["protection"], "locked", "{line}");
    let desk = stage.desk();
    wait_until("flat", || desk.is_flat());
    let fills = desk.fills().len();
    desk.buy("MES", 1);
    wait_until("undone", || desk.fills().len() == fills + 2 && desk.is_flat());
    assert!(stage.is_locked_by(0, "daily_realized_loss", "HARD"));
}

/// What the gateway, or the database, shows at the moment of a kill.
#[derive(Clone, Copy, Debug)]
enum Moment {
    PriceSent,
    LockWritten,
    CloseArrived,
    Flat,
    ReceiptWritten,
}

fn has_come(moment: Moment, stage: &Stage) -> bool {
    let rows = |what: &str| {
        let query = format!("SELECT count(*) FROM enforcement_history WHERE {what}");
        stage.home.database().query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    match moment {
        Moment::PriceSent => true,
        Moment::LockWritten => rows("action_type = 'lockout'") > 0,
        Moment::CloseArrived => !stage.simulator.journal().closes().is_empty(),
        Moment::Flat => stage.desk().is_flat(),
        Moment::ReceiptWritten => rows("kind = 'result'") > 0,
    }
}

#[test]
fn killed_at_any_moment_of_an_enforcement_it_comes_back_locked() {
    for moment in
        [Moment::PriceSent, Moment::LockWritten, Moment::CloseArrived, Moment::Flat, Moment::ReceiptWritten]
    {
        let mut stage = Stage::running(&Rules::day_ends_at("-100"));
        // The answer to the close comes late, so that there is a time between.
        stage.simulator.fault(&json!({"kind": "http_latency", "path": "closeContract", "ms": 300}));
        lose(&stage);
        wait_until(&format!("{moment:?}"), || has_come(moment, &stage));
        stage.kill();
        let closed = !stage.simulator.journal().closes().is_empty();
        if closed || !matches!(moment, Moment::PriceSent) {
            let lock = lock_in_the_database(&stage).expect("the lock was written before the close was sent");
            assert!(lock["until"].is_string());
        }
        stage.simulator.clear_faults();
        comes_back_locked(&mut stage);
    }
}

#[test]
fn killed_after_any_number_of_milliseconds_it_comes_back_locked() {
    for milliseconds in [0, 1, 2, 3, 4, 5, 7, 9, 12, 16, 22, 30] {
        let mut stage = Stage::running(&Rules::day_ends_at("-100"));
        stage.simulator.price("MNQ", OPEN);
        stage.desk().buy("MNQ", 1);
        wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
        stage.simulator.price("MNQ", OPEN - 60.0);
        // Chance decides what happened by then: that is the point.
        thread::sleep(Duration::from_millis(milliseconds));
        stage.kill();
        if !stage.simulator.journal().closes().is_empty() {
            assert!(!stage.home.lockouts().is_empty(), "closed before the lock was kept");
        }
        comes_back_locked(&mut stage);
    }
}

#[test]
fn a_lock_that_was_kept_needs_no_reason_to_stay() {
    let mut stage = locked();
    stage.kill();
    // Nothing at the broker would lock it again.
    stage.home.write("risk.yaml", &Rules::open().to_string());
    stage.simulator.price("MNQ", OPEN + 1000.0);
    comes_back_locked(&mut stage);
    for _ in 0..3 {
        stage.kill();
        stage.run();
    }
    assert_eq!(stage.locks(0).len(), 1);
}

#[test]
fn the_traders_own_lock_flattens_lasts_and_cannot_be_taken_back() {
    let stage = Stage::running(&Rules::open());
    let desk = stage.desk();
    desk.buy("MNQ", 2);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 2);
    let until = (Utc::now() + TimeDelta::hours(2)).to_rfc3339();
    let asked = stage.home.ask(&["lock-out", "--yes", "--until", &until]);
    assert_eq!(asked.code, Some(0), "{}", asked.errors);
    wait_until("locked and flat", || stage.is_locked_by(0, "trader", "HARD") && desk.is_flat());
    stage.confirmed("trader", "flatten_account");
    let ends: DateTime<Utc> = stage.account(0)["lockouts"][0]["until"].as_str().unwrap().parse().unwrap();
    assert!((ends - until.parse::<DateTime<Utc>>().unwrap()).abs() < TimeDelta::seconds(1));

    // An earlier end changes nothing.
    let earlier = (Utc::now() + TimeDelta::minutes(1)).to_rfc3339();
    stage.home.ask(&["lock-out", "--yes", "--until", &earlier]);
    assert_eq!(
        stage.account(0)["lockouts"][0]["until"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(),
        ends
    );
    desk.buy("MNQ", 1);
    wait_until("undone", || desk.fills().len() == 4 && desk.is_flat());
    stage.confirmed("trader", "close_position");
}

#[test]
fn flatten_closes_everything_and_locks_nothing() {
    let stage = Stage::running(&Rules::open());
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 2);
    desk.sell("MES", 3);
    let resting = desk.buy_limit("MNQ", 1, OPEN - 100.0);
    wait_until("seen", || stage.account(0)["positions"].as_array().map(Vec::len) == Some(2));
    assert_eq!(stage.home.ask(&["flatten", "--yes"]).code, Some(0));
    wait_until("flat", || desk.is_flat() && !desk.is_working(resting));
    stage.confirmed("trader", "flatten_account");
    assert!(stage.locks(0).is_empty());
    assert_eq!(stage.protection(), "armed");
}

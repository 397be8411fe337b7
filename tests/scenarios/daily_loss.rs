//! RULE-003: the day's loss limit, to the cent, with fees, with and without prices, before and after the
//! program ran.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde_json::json;

use crate::stage::{Rules, Stage, patiently, usd, wait_until};

/// Fees and commissions of one MNQ contract and side at the simulated gateway: 0.36 + 0.25.
/// One point of MNQ is $2.
const OPEN: f64 = 21_000.0;

fn locked(stage: &Stage) -> bool {
    stage.is_locked_by(0, "daily_realized_loss", "HARD")
}

#[test]
fn a_price_through_the_daily_loss_limit_flattens_and_locks() {
    let stage = Stage::running(&Rules::day_ends_at("-500"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 2);
    stage.simulator.price("MNQ", OPEN - 100.0);
    let far = desk.buy_limit("MNQ", 1, OPEN - 500.0);
    wait_until("the result is seen", || stage.figure(0, "unrealized") == Some(-400.00));
    assert!(!locked(&stage));

    stage.simulator.price("MNQ", OPEN - 130.0);
    wait_until("flat", || desk.is_flat());
    wait_until("locked", || locked(&stage));
    assert_eq!(stage.protection(), "locked");
    wait_until("the resting entry is gone", || !desk.is_working(far));

    let receipt = stage.confirmed("daily_realized_loss", "flatten_account");
    for stamp in ["detected_at", "sent_at", "acknowledged_at", "confirmed_at"] {
        assert!(receipt[stamp].is_string(), "{stamp}: {receipt}");
    }
    // 520.00 lost, and 2.44 of fees for two contracts in and out.
    assert_eq!(usd(&receipt["overshoot_usd"]), Some(22.44));
    let lock = &stage.receipts("daily_realized_loss", "lockout")[0];
    assert_eq!(lock["outcome"], "recorded");
    assert!(lock["seq"].as_i64() < receipt["seq"].as_i64(), "the lock is written before the close");
    let account = stage.account(0);
    assert_eq!(account["lockouts"][0]["until"], account["reset_at"]);
    assert_eq!(usd(&account["realized_today"]), Some(-522.44));
}

#[test]
fn exactly_at_the_limit_is_a_breach_and_a_cent_before_it_is_none() {
    // One MNQ in and out at -25 points: -50.00 gross, 1.22 of fees; before it is closed: 0.61.
    for (limit, basis, fees, is_breach) in [
        ("-50.61", "combined", true, true),
        ("-50.62", "combined", true, false),
        ("-50.00", "combined", false, true),
        ("-50.01", "combined", false, false),
    ] {
        let rule = format!("{{limit: {limit}, basis: {basis}, include_fees: {fees}}}");
        let stage = Stage::running(&Rules::open().with("daily_realized_loss", &rule));
        let desk = stage.desk();
        stage.simulator.price("MNQ", OPEN);
        desk.buy("MNQ", 1);
        stage.simulator.price("MNQ", OPEN - 24.75);
        wait_until("the result is seen", || stage.figure(0, "unrealized") == Some(-49.50));
        assert!(!locked(&stage), "{rule}");
        stage.simulator.price("MNQ", OPEN - 25.0);
        if is_breach {
            wait_until(&format!("the lock of {rule}"), || locked(&stage) && desk.is_flat());
        } else {
            wait_until("the result is seen", || stage.figure(0, "unrealized") == Some(-50.00));
            assert!(!locked(&stage), "{rule}");
        }
    }
}

#[test]
fn closed_results_count_net_and_to_the_cent() {
    for (limit, fees, is_breach) in
        [("-51.22", true, true), ("-51.23", true, false), ("-50.00", false, true), ("-50.01", false, false)]
    {
        let rule = format!("{{limit: {limit}, basis: realized, include_fees: {fees}}}");
        let stage = Stage::running(&Rules::open().with("daily_realized_loss", &rule));
        let desk = stage.desk();
        stage.simulator.price("MNQ", OPEN);
        desk.buy("MNQ", 1);
        // Far through the limit, but open: the basis is what is closed.
        stage.simulator.price("MNQ", OPEN - 1000.0);
        wait_until("the result is seen", || stage.figure(0, "unrealized") == Some(-2000.00));
        assert!(!locked(&stage), "{rule}");
        stage.simulator.price("MNQ", OPEN - 25.0);
        desk.close("MNQ");
        if is_breach {
            wait_until(&format!("the lock of {rule}"), || locked(&stage));
        } else {
            wait_until("the result is seen", || stage.figure(0, "realized_today") == Some(-51.22));
            assert!(!locked(&stage), "{rule}");
        }
    }
}

#[test]
fn without_prices_closed_results_still_count_and_nobody_is_called_armed() {
    let mut stage = Stage::with(&Rules::day_ends_at("-100"));
    stage.simulator.price("MNQ", OPEN);
    stage.desk().buy("MNQ", 2);
    stage.simulator.fault(&json!({"kind": "hub_silence", "hub": "market", "ms": 600_000}));
    stage.start();
    wait_until("the position is known", || stage.account(0)["positions"][0]["size"] == 2);
    let account = stage.account(0);
    assert!(account["unrealized"].is_null(), "unknown is not zero: {account}");
    assert!(account["headroom"]["usd"].is_null(), "{account}");
    assert_eq!(stage.protection(), "not_protected");
    assert_eq!(stage.doubts(), ["market_stream"]);

    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN - 60.0);
    desk.sell("MNQ", 1);
    wait_until("locked by what is closed", || locked(&stage) && desk.is_flat());
    assert_eq!(stage.protection(), "not_protected", "the worst truth wins");
    assert!(!stage.receipts("daily_realized_loss", "flatten_account").is_empty());
}

#[test]
fn a_loss_from_before_the_program_ran_locks_before_anything_else() {
    let mut stage = Stage::with(&Rules::day_ends_at("-500"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 4);
    stage.simulator.price("MNQ", OPEN - 70.0);
    desk.close("MNQ");
    let line = stage.run();
    assert_eq!(line["protection"], "locked");
    assert!(locked(&stage));
    let desk = stage.desk();
    desk.buy("MES", 1);
    wait_until("undone", || desk.fills().len() == 4 && desk.is_flat());
    stage.confirmed("daily_realized_loss", "close_position");
}

#[test]
fn no_recovery_and_no_voided_trade_unlocks() {
    let stage = Stage::running(&Rules::day_ends_at("-100"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 1);
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("locked", || locked(&stage) && desk.is_flat());
    stage.confirmed("daily_realized_loss", "flatten_account");
    let losing = desk.fills().last().unwrap()["id"].clone();
    stage.simulator.price("MNQ", OPEN + 500.0);
    stage.simulator.fault(&json!({"kind": "void_trade", "tradeId": losing}));
    wait_until("the correction is seen", || stage.figure(0, "realized_today").unwrap() > -10.0);
    assert!(locked(&stage));
    desk.buy("MNQ", 1);
    wait_until("undone", || desk.fills().len() == 4 && desk.is_flat());
    stage.confirmed("daily_realized_loss", "close_position");
    assert_eq!(stage.locks(0).len(), 1);
}

#[test]
fn a_quote_of_zero_is_no_price() {
    let stage = Stage::running(&Rules::day_ends_at("-500"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 2);
    wait_until("valued", || stage.figure(0, "unrealized") == Some(0.00));
    let contract = stage.simulator.contract("MNQ");
    stage.simulator.quote(&json!({"contractId": contract, "last": 0}));
    stage.simulator.quote(&json!({"contractId": contract, "last": 0, "bid": 0, "ask": 0}));
    stage.simulator.quote(&json!({"contractId": contract, "last": -5}));
    stage.simulator.price("MNQ", OPEN + 10.0);
    wait_until("valued anew", || stage.figure(0, "unrealized") == Some(40.00));
    assert_eq!(stage.protection(), "armed");
    assert_eq!(desk.held("MNQ"), 2);
    stage.simulator.price("MNQ", OPEN - 130.0);
    wait_until("locked by a real price", || locked(&stage) && desk.is_flat());
    stage.confirmed("daily_realized_loss", "flatten_account");
}

/// The next full minute that leaves enough time to get locked.
fn next_reset() -> DateTime<Utc> {
    let soon = Utc::now() + TimeDelta::seconds(15);
    let minute = soon.with_second(0).unwrap().with_nanosecond(0).unwrap();
    minute + TimeDelta::minutes(1)
}

/// The one of the minutes before: the reset itself took none.
fn is_closed_behind_a_backup(stage: &Stage, reset: DateTime<Utc>) {
    let row = "SELECT backup_file, result FROM reset_log WHERE figures_before IS NOT NULL";
    let text = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let (file, result) = stage.home.database().query_row(row, [], text).unwrap();
    assert_eq!(result, "done");
    assert!(file < format!("state-{}.db", reset.format("%Y%m%dT%H%M%SZ")), "{file}");
    assert!(stage.home.file("backups").join(file).exists());
}

#[test]
fn a_lock_ends_at_the_reset_and_no_restart_ends_it_earlier() {
    let mut stage = Stage::with(&Rules::day_ends_at("-100"));
    let reset = next_reset();
    stage.home.write_reset(reset);
    stage.run();
    stage.simulator.price("MNQ", OPEN);
    stage.desk().buy("MNQ", 1);
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("locked", || locked(&stage) && stage.desk().is_flat());
    let until: DateTime<Utc> = stage.account(0)["lockouts"][0]["until"].as_str().unwrap().parse().unwrap();
    assert_eq!(until, reset);
    stage.kill();
    stage.run();
    let mut last_locked = Utc::now();
    patiently(Duration::from_secs(90), "the end of the lock", || {
        let asked = Utc::now();
        let is_locked = locked(&stage);
        if is_locked {
            last_locked = asked;
        }
        assert!(is_locked || Utc::now() >= reset, "free before the reset");
        (!is_locked).then_some(())
    });
    assert!(last_locked > reset - TimeDelta::seconds(2), "looked too seldom");
    assert!(Utc::now() < reset + TimeDelta::seconds(20), "locked longer than asked for");
    wait_until("a new day", || stage.figure(0, "realized_today") == Some(0.00));
    is_closed_behind_a_backup(&stage, reset);
    stage.wait_until_protection("armed");
    let desk = stage.desk();
    desk.buy("MNQ", 1);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
    stage.home.replace("risk.yaml", &Rules::two_mnq().to_string());
    desk.buy("MNQ", 2);
    wait_until("two are left", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

//! The way to the broker is bad: refusals, delays, lost news. What must be closed is closed, once.

use serde_json::{Value, json};

use crate::stage::{Rules, Stage, patiently, wait_until};

const OPEN: f64 = 21_000.0;

/// Three of five are to be closed; returns when two are held and the receipt says so.
fn reduced(stage: &Stage) -> Value {
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position")
}

fn refused_before(path: &str, status: u16, times: u32) -> Value {
    json!({"kind": "http_status", "path": path, "status": status, "times": times})
}

#[test]
fn two_503s_on_closing_still_end_flat() {
    let mut stage = Stage::running(&Rules::day_ends_at("-100"));
    stage.simulator.fault(&refused_before("closeContract", 503, 2));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 2);
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("flat", || desk.is_flat());
    let receipt = stage.confirmed("daily_realized_loss", "flatten_account");
    for stamp in ["detected_at", "sent_at", "acknowledged_at", "confirmed_at"] {
        assert!(receipt[stamp].is_string(), "{stamp}: {receipt}");
    }
    assert_eq!(stage.simulator.journal().to("/closeContract").len(), 3);
    stage.allow_misses(2);
}

#[test]
fn a_close_that_was_done_and_answered_with_503_is_not_done_again() {
    let stage = Stage::running(&Rules::two_mnq());
    stage.simulator.fault(
        &json!({"kind": "http_status", "path": "partialCloseContract", "status": 503, "times": 1, "after": true}),
    );
    reduced(&stage);
    assert_eq!(stage.simulator.journal().closes().len(), 1);

    let whole = Stage::running(&Rules::day_ends_at("-100"));
    whole.simulator.fault(
        &json!({"kind": "http_status", "path": "closeContract", "status": 500, "times": 1, "after": true}),
    );
    let desk = whole.desk();
    whole.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 1);
    whole.simulator.price("MNQ", OPEN - 60.0);
    wait_until("flat", || desk.is_flat());
    whole.confirmed("daily_realized_loss", "flatten_account");
    assert_eq!(whole.simulator.journal().closes().len(), 1);
}

#[test]
fn an_answer_after_three_seconds_leads_to_no_second_close() {
    let stage = Stage::running(&Rules::day_ends_at("-100"));
    stage.simulator.fault(&json!({"kind": "http_latency", "path": "closeContract", "ms": 3000}));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 1);
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("flat", || desk.is_flat());
    let receipt = stage.confirmed("daily_realized_loss", "flatten_account");
    assert!(receipt["confirmed_at"].is_string());
    assert_eq!(stage.simulator.journal().closes().len(), 1);
}

#[test]
fn a_429_is_waited_out() {
    let mut stage = Stage::running(&Rules::two_mnq());
    stage.simulator.fault(&refused_before("partialCloseContract", 429, 2));
    reduced(&stage);
    assert_eq!(stage.simulator.journal().closes().len(), 3);
    stage.allow_misses(2);
}

#[test]
fn under_the_gateways_own_rate_limit_a_busy_trader_is_still_reduced() {
    let stage = Stage::running(&Rules::two_mnq());
    stage.simulator.fault(&json!({"kind": "rate_limit", "on": true}));
    let desk = stage.desk();
    for _ in 0..12 {
        desk.buy("MNQ", 3);
        wait_until("two MNQ", || desk.held("MNQ") == 2);
    }
    wait_until("all confirmed", || {
        let receipts = stage.receipts("max_contracts_per_instrument", "reduce_position");
        receipts.len() == 12 && receipts.iter().all(|it| it["outcome"] == "confirmed")
    });
    assert!(stage.simulator.journal().requests().iter().all(|row| row.status != Some(429)));
}

#[test]
fn a_closed_market_is_told_and_waited_out() {
    let mut stage = Stage::running(&Rules::day_ends_at("-100"));
    stage.simulator.price("MNQ", OPEN);
    stage.desk().buy("MNQ", 1);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
    stage.simulator.fault(&json!({"kind": "market_closed", "on": true}));
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("locked", || stage.is_locked_by(0, "daily_realized_loss", "HARD"));
    wait_until("told", || {
        let failed = stage.receipts("daily_realized_loss", "flatten_account");
        failed.iter().any(|it| it["outcome"] == "failed" && it["error"].is_string())
    });
    assert_eq!(stage.desk().held("MNQ"), 1);
    stage.simulator.fault(&json!({"kind": "market_closed", "on": false}));
    wait_until("closed when it can be", || stage.desk().is_flat());
    stage.confirmed("daily_realized_loss", "close_position");
    let closes = stage.simulator.journal().closes().len();
    stage.allow_misses(closes - 1);
}

#[test]
fn lost_news_of_a_close_are_found_by_asking() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.desk().buy("MNQ", 5);
    stage.simulator.fault(&json!({"kind": "lose_events", "times": 8}));
    stage.run();
    wait_until("two MNQ", || stage.desk().held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    wait_until("the status shows it", || stage.account(0)["positions"][0]["size"] == 2);
    assert_eq!(stage.simulator.journal().closes().len(), 1);
}

#[test]
fn lost_news_of_an_entry_are_found_within_the_minute() {
    let stage = Stage::running(&Rules::two_mnq());
    stage.simulator.fault(&json!({"kind": "lose_events", "times": 1000}));
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    stage.simulator.clear_faults();
    patiently(std::time::Duration::from_secs(75), "two MNQ", || (desk.held("MNQ") == 2).then_some(()));
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn news_that_arrive_twice_or_out_of_order_lead_to_one_close() {
    for kind in ["duplicate_events", "reorder_events"] {
        let stage = Stage::running(&Rules::two_mnq());
        stage.simulator.fault(&json!({"kind": kind, "times": 100}));
        reduced(&stage);
        let desk = stage.desk();
        desk.buy("MNQ", 1);
        wait_until("two MNQ again", || desk.fills().len() == 4 && desk.held("MNQ") == 2);
        wait_until("both confirmed", || {
            let receipts = stage.receipts("max_contracts_per_instrument", "reduce_position");
            receipts.iter().filter(|it| it["outcome"] == "confirmed").count() == 2
        });
        assert_eq!(stage.simulator.journal().closes().len(), 2, "{kind}");
    }
}

#[test]
fn a_close_that_fills_in_parts_is_waited_for() {
    let stage = Stage::running(&Rules::two_mnq());
    let desk = stage.desk();
    stage.simulator.fault(&json!({"kind": "partial_fills", "on": true}));
    stage.simulator.fault(&json!({"kind": "fill_latency", "ms": 150}));
    desk.buy("MNQ", 9);
    wait_until("two MNQ after nine", || {
        let bought: i64 =
            desk.fills().iter().filter(|it| it["side"] == 0).map(|it| it["size"].as_i64().unwrap()).sum();
        bought == 9 && desk.held("MNQ") == 2
    });
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    assert_eq!(desk.held("MNQ"), 2);
}

#[test]
fn an_accepted_close_that_fills_late_is_not_sent_again() {
    let stage = Stage::running(&Rules::day_ends_at("-100"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 2);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 2);
    stage.simulator.fault(&json!({"kind": "fill_latency", "ms": 2500}));
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("flat", || desk.is_flat());
    stage.confirmed("daily_realized_loss", "flatten_account");
    assert_eq!(stage.simulator.journal().closes().len(), 1);
    assert_eq!(desk.fills().len(), 2, "a second close would have turned the position");
}

#[test]
fn a_stream_that_drops_during_a_close_changes_nothing() {
    for how in ["close", "reset"] {
        let stage = Stage::running(&Rules::two_mnq());
        let desk = stage.desk();
        desk.buy("MNQ", 2);
        wait_until("seen", || stage.account(0)["positions"][0]["size"] == 2);
        stage.simulator.fault(&json!({"kind": "fill_latency", "ms": 400}));
        desk.buy("MNQ", 3);
        wait_until("the close is under way", || !stage.simulator.journal().closes().is_empty());
        stage.simulator.fault(&json!({"kind": "drop_hub", "hub": "user", "how": how}));
        wait_until("two MNQ", || desk.fills().len() == 3 && desk.held("MNQ") == 2);
        stage.confirmed("max_contracts_per_instrument", "reduce_position");
        stage.wait_until_protection("armed");
        assert_eq!(stage.simulator.journal().closes().len(), 1, "{how}");
    }
}

#[test]
fn a_stop_that_fills_during_a_close_leaves_no_position() {
    let mut stage = Stage::running(&Rules::day_ends_at("-100"));
    stage.simulator.price("MNQ", OPEN);
    let desk = stage.desk();
    desk.buy("MNQ", 2);
    desk.sell_stop("MNQ", 2, OPEN - 60.0);
    wait_until("covered", || stage.account(0)["positions"][0]["stop_covered"] == true);
    stage.simulator.fault(&json!({"kind": "fill_latency", "ms": 200}));
    // The same price breaks the limit and triggers the stop: both sell, and the position turns.
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("locked", || stage.is_locked_by(0, "daily_realized_loss", "HARD"));
    wait_until("flat in the end", || {
        let desk = stage.desk();
        desk.is_flat() && desk.fills().len() >= 2 && stage.account(0)["positions"] == json!([])
    });
    stage.simulator.clear_faults();
    let desk = stage.desk();
    wait_until("it stays flat", || {
        let receipts = stage.home.log();
        receipts.iter().all(|it| it["outcome"] != "pending") && desk.is_flat()
    });
    stage.allow_misses(1);
}

//! RULE-004, RULE-005 and RULE-013: an open loss and an open profit close their position and lock nobody;
//! a good day ends.

use serde_json::json;

use crate::stage::{Rules, Stage, wait_until};

/// One point of MNQ is $2, one of MES $5.
const MNQ: f64 = 21_000.0;
const MES: f64 = 6_000.0;

/// Long two MNQ and one MES, both valued.
fn two_positions(rules: &Rules) -> Stage {
    let stage = Stage::running(rules);
    let desk = stage.desk();
    stage.simulator.price("MNQ", MNQ);
    stage.simulator.price("MES", MES);
    desk.buy("MNQ", 2);
    desk.buy("MES", 1);
    wait_until("valued", || stage.figure(0, "unrealized") == Some(0.00));
    stage
}

/// MNQ is closed by the rule, whole and alone; who trades on is left alone.
fn only_mnq_is_closed(stage: &Stage, rule: &str) {
    let desk = stage.desk();
    wait_until("MNQ is closed", || desk.held("MNQ") == 0);
    let receipt = stage.confirmed(rule, "close_position");
    assert!(receipt["confirmed_at"].is_string(), "{receipt}");
    assert_eq!(desk.held("MES"), 1, "judged by itself");
    assert!(stage.locks(0).is_empty());
    assert_eq!(stage.protection(), "armed");
    desk.buy("MNQ", 1);
    wait_until("a new one is seen and stays", || {
        stage.account(0)["positions"].as_array().map(Vec::len) == Some(2) && desk.held("MNQ") == 1
    });
}

/// A position that is through its limit when the program comes back is closed before anything else.
fn closed_after_a_restart(stage: &mut Stage, rule: &str, price: f64) {
    stage.kill();
    stage.simulator.price("MNQ", price);
    let before = stage.simulator.journal().closes().len();
    stage.run();
    wait_until("closed after the restart", || stage.desk().held("MNQ") == 0);
    wait_until("both have their receipts", || {
        let closes = stage.receipts(rule, "close_position");
        closes.len() == 2 && closes.iter().all(|it| it["outcome"] == "confirmed")
    });
    assert_eq!(stage.simulator.journal().closes().len(), before + 1);
    assert_eq!(stage.desk().held("MES"), 1);
    assert!(stage.locks(0).is_empty());
}

#[test]
fn an_open_loss_at_its_limit_closes_that_position_and_locks_nobody() {
    let rules = Rules::open().with("daily_unrealized_loss", "{limit: -200}");
    let mut stage = two_positions(&rules);
    stage.simulator.price("MNQ", MNQ - 49.75);
    wait_until("a dollar before it", || stage.figure(0, "unrealized") == Some(-199.00));
    assert_eq!(stage.desk().held("MNQ"), 2);
    stage.simulator.price("MNQ", MNQ - 50.0);
    only_mnq_is_closed(&stage, "daily_unrealized_loss");
    // One at 20,950.00: 100 points are its limit.
    closed_after_a_restart(&mut stage, "daily_unrealized_loss", MNQ - 150.0);
}

#[test]
fn an_open_profit_at_its_target_closes_that_position_and_locks_nobody() {
    let rules = Rules::open().with("max_unrealized_profit", "{target: 500}");
    let mut stage = two_positions(&rules);
    stage.simulator.price("MNQ", MNQ + 124.75);
    wait_until("a dollar before it", || stage.figure(0, "unrealized") == Some(499.00));
    assert_eq!(stage.desk().held("MNQ"), 2);
    stage.simulator.price("MNQ", MNQ + 125.0);
    only_mnq_is_closed(&stage, "max_unrealized_profit");
    // One at 21,125.00: 250 points are its target.
    closed_after_a_restart(&mut stage, "max_unrealized_profit", MNQ + 375.0);
}

#[test]
fn a_day_at_its_target_is_flattened_and_locked_whatever_comes_after() {
    let rules = Rules::open().with("daily_realized_profit", "{target: 200, include_fees: false}");
    let mut stage = two_positions(&rules);
    let desk = stage.desk();
    stage.simulator.price("MNQ", MNQ + 25.0);
    desk.sell("MNQ", 1);
    wait_until("50 banked, 50 open", || stage.figure(0, "unrealized") == Some(50.00));
    stage.simulator.price("MNQ", MNQ + 74.75);
    wait_until("50 cents before it", || stage.figure(0, "unrealized") == Some(149.50));
    assert!(stage.locks(0).is_empty());
    stage.simulator.price("MNQ", MNQ + 75.0);
    let is_locked = |stage: &Stage| stage.is_locked_by(0, "daily_realized_profit", "HARD");
    wait_until("locked and flat", || is_locked(&stage) && stage.desk().is_flat());
    stage.confirmed("daily_realized_profit", "flatten_account");
    let account = stage.account(0);
    assert_eq!(account["lockouts"][0]["until"], account["reset_at"]);

    stage.kill();
    stage.desk().sell("MES", 1);
    let line = stage.run();
    assert_eq!(line["protection"], "locked");
    wait_until("undone", || stage.desk().is_flat());
    assert!(is_locked(&stage), "once, and not any longer: {:?}", stage.locks(0));
}

/// A quote of zero is no price: nothing is valued by it, nothing closed, and the next real one counts again.
#[test]
fn a_quote_of_zero_values_and_closes_nothing() {
    let stage = two_positions(&Rules::open().with("daily_unrealized_loss", "{enabled: true, limit: -100}"));
    let contract = stage.simulator.contract("MNQ");
    let zeros =
        [json!({"last": 0}), json!({"bid": 0, "ask": 0, "last": 0}), json!({"bid": 0}), json!({"last": -1})];
    for mut quote in zeros {
        let quoted_at = || stage.account(0)["positions"][0]["quoted_at"].clone();
        let before = quoted_at();
        quote["contractId"] = contract.clone().into();
        stage.simulator.quote(&quote);
        stage.simulator.price("MNQ", MNQ + 0.25);
        stage.simulator.price("MNQ", MNQ);
        wait_until("the next quotes are in", || quoted_at() != before);
        wait_until("valued as before", || stage.figure(0, "unrealized") == Some(0.00));
        assert_eq!(stage.desk().held("MNQ"), 2, "{quote}");
    }
    assert!(stage.receipts("daily_unrealized_loss", "close_position").is_empty());
    stage.simulator.price("MNQ", MNQ - 30.0);
    only_mnq_is_closed(&stage, "daily_unrealized_loss");
}

//! RULE-008: no position without a working protective stop for longer than the grace.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::stage::{Desk, Rules, Stage, wait_for, wait_until};

const OPEN: f64 = 21_000.0;

fn grace_of_five() -> Rules {
    Rules::open().with("no_stop_loss_grace", "{grace_period_seconds: 5}")
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// When the gateway executed the last fill of the account.
fn last_fill(desk: &Desk<'_>) -> DateTime<Utc> {
    time(&desk.fills().last().unwrap()["creationTimestamp"])
}

/// The position in a symbol as the status shows it.
fn shown(stage: &Stage, root: &str) -> Value {
    let account = stage.account(0);
    let positions = account["positions"].as_array().cloned().unwrap_or_default();
    positions.into_iter().find(|it| it["symbol"] == root).unwrap_or_default()
}

/// A second position without a stop, closed after a grace of its own: whatever was to be closed before it
/// is closed by now.
fn outlive_a_grace(stage: &Stage) {
    let desk = stage.desk();
    desk.buy("M2K", 1);
    wait_until("the bare position is closed", || desk.held("M2K") == 0 && shown(stage, "M2K").is_null());
}

#[test]
fn a_position_without_a_stop_is_closed_when_the_grace_is_over_not_earlier() {
    let stage = Stage::running(&grace_of_five());
    let desk = stage.desk();
    desk.buy("MNQ", 2);
    let opened = last_fill(&desk);
    wait_until("its deadline is shown", || shown(&stage, "MNQ")["closes_at"].is_string());
    assert_eq!(shown(&stage, "MNQ")["stop_covered"], false);
    wait_until("closed", || desk.is_flat());
    let took = last_fill(&desk) - opened;
    assert!(took >= TimeDelta::seconds(5) && took < TimeDelta::seconds(8), "{took}");
    let receipt = stage.confirmed("no_stop_loss_grace", "close_position");
    assert!(receipt["confirmed_at"].is_string());
    assert!(stage.locks(0).is_empty());
    assert_eq!(stage.protection(), "armed");
}

#[test]
fn a_stop_in_time_keeps_the_position_and_a_stop_for_half_of_it_does_not() {
    let stage = Stage::running(&grace_of_five());
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    stage.simulator.price("MES", 6000.0);
    desk.buy("MNQ", 2);
    desk.sell("MES", 2);
    desk.sell_stop("MNQ", 2, OPEN - 100.0);
    let half = desk.buy_stop("MES", 1, 6020.0);
    wait_until("covered", || shown(&stage, "MNQ")["stop_covered"] == true);
    wait_until("half covered", || shown(&stage, "MES")["covered"] == 1);
    wait_until("the half-covered one is closed", || desk.held("MES") == 0);
    stage.confirmed("no_stop_loss_grace", "close_position");
    wait_until("the stop of what is gone is gone", || !desk.is_working(half));
    outlive_a_grace(&stage);
    assert_eq!(desk.held("MNQ"), 2);
}

#[test]
fn only_a_stop_on_the_losing_side_counts() {
    let stage = Stage::running(&grace_of_five());
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 1);
    desk.sell_limit("MNQ", 1, OPEN + 100.0);
    desk.buy_stop("MNQ", 1, OPEN + 200.0);
    wait_until("closed", || desk.held("MNQ") == 0);
    stage.confirmed("no_stop_loss_grace", "close_position");
}

#[test]
fn the_stop_of_a_bracket_counts() {
    let stage = Stage::running(&grace_of_five());
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy_with_bracket("MNQ", 2, 40, 80);
    wait_until("covered", || shown(&stage, "MNQ")["stop_covered"] == true);
    outlive_a_grace(&stage);
    assert_eq!(desk.held("MNQ"), 2);
    stage.confirmed("no_stop_loss_grace", "close_position");
}

#[test]
fn a_cancelled_stop_begins_a_new_grace() {
    let stage = Stage::running(&grace_of_five());
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 1);
    let stop = desk.sell_stop("MNQ", 1, OPEN - 50.0);
    outlive_a_grace(&stage);
    assert_eq!(desk.held("MNQ"), 1);
    desk.cancel(stop);
    let cancelled = Utc::now();
    wait_until("closed", || desk.held("MNQ") == 0);
    let took = last_fill(&desk) - cancelled;
    assert!(took >= TimeDelta::milliseconds(4_900) && took < TimeDelta::seconds(8), "{took}");
}

#[test]
fn a_restart_neither_extends_nor_forgets_a_grace() {
    let mut stage = Stage::with(&Rules::open().with("no_stop_loss_grace", "{grace_period_seconds: 8}"));
    stage.run();
    stage.desk().buy("MNQ", 1);
    let deadline = wait_for("its deadline", || {
        let at = shown(&stage, "MNQ")["closes_at"].clone();
        at.is_string().then(|| time(&at))
    });
    stage.kill();
    stage.run();
    wait_until("its deadline", || shown(&stage, "MNQ")["closes_at"].is_string());
    // Kept to the microsecond.
    let difference = time(&shown(&stage, "MNQ")["closes_at"]) - deadline;
    assert!(difference.abs() < TimeDelta::milliseconds(1), "{difference}");
    let desk = stage.desk();
    wait_until("closed", || desk.is_flat());
    let late = last_fill(&desk) - deadline;
    assert!(late >= TimeDelta::zero() && late < TimeDelta::seconds(3), "{late}");
}

#[test]
fn a_grace_that_ended_while_nothing_ran_is_acted_on_at_the_start() {
    let mut stage = Stage::with(&grace_of_five());
    stage.run();
    stage.desk().buy("MNQ", 1);
    let deadline = wait_for("its deadline", || {
        let at = shown(&stage, "MNQ")["closes_at"].clone();
        at.is_string().then(|| time(&at))
    });
    stage.kill();
    wait_until("the deadline is over", || Utc::now() > deadline);
    stage.start();
    let started = Utc::now();
    wait_until("closed", || stage.desk().is_flat());
    let took = last_fill(&stage.desk()) - started;
    assert!(took < TimeDelta::seconds(4), "a fresh grace was given: {took}");
    stage.confirmed("no_stop_loss_grace", "close_position");
}

#[test]
fn orders_that_cannot_be_read_are_no_missing_stop() {
    let stage = Stage::running(&grace_of_five());
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    // The stop is placed, but neither its event nor the list of orders tells of it.
    desk.buy("MNQ", 1);
    wait_until("seen", || shown(&stage, "MNQ")["closes_at"].is_string());
    stage
        .simulator
        .fault(&json!({"kind": "http_status", "path": "Order/searchOpen", "status": 503, "times": 1000}));
    stage.simulator.fault(&json!({"kind": "lose_events", "times": 2}));
    desk.sell_stop("MNQ", 1, OPEN - 50.0);
    let deadline = time(&shown(&stage, "MNQ")["closes_at"]);
    wait_until("asked in vain after the grace", || {
        Utc::now() > deadline + TimeDelta::seconds(3)
            && stage.simulator.journal().to("Order/searchOpen").len() > 3
    });
    assert_eq!(desk.held("MNQ"), 1, "unknown is not missing");
    stage.simulator.clear_faults();
    wait_until("found", || shown(&stage, "MNQ")["stop_covered"] == true);
    assert_eq!(desk.held("MNQ"), 1);
}

#[test]
fn the_rule_cannot_be_switched_off() {
    let rules = Rules::open()
        .with("no_stop_loss_grace", "{enabled: false, grace_period_seconds: 5, rule_mode: observe}");
    let stage = Stage::running(&rules);
    let desk = stage.desk();
    desk.buy("MNQ", 1);
    wait_until("closed all the same", || desk.is_flat() && desk.fills().len() == 2);
    stage.confirmed("no_stop_loss_grace", "close_position");
    let checked = stage.home.ask(&["config", "check"]);
    assert_eq!(checked.code, Some(3), "{}", checked.output);
    assert!(checked.output.contains("no_stop_loss_grace"), "{}", checked.output);
}

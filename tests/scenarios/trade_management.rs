//! RULE-012: stop, target, breakeven and trailing stop at the gateway, and nothing left of them afterwards.

use serde_json::{Value, json};

use crate::stage::{Desk, Rules, Stage, wait_for, wait_until};

const OPEN: f64 = 21_000.0;

fn automation(values: &str) -> Rules {
    Rules::open().with("session_block_outside", "{enabled: false}").with("trade_management", values)
}

/// Our own working orders of a type: stop 4, limit 1.
fn own(desk: &Desk<'_>, kind: i64) -> Vec<Value> {
    let is_own = |order: &Value| order["customTag"].as_str().is_some_and(|tag| tag.starts_with("rm-"));
    desk.orders().into_iter().filter(|it| it["type"] == kind && is_own(it)).collect()
}

fn wait_for_own(desk: &Desk<'_>, kind: i64) -> Value {
    wait_for("our own order", || own(desk, kind).pop())
}

fn stop_is_at(desk: &Desk<'_>, price: f64) -> bool {
    own(desk, 4).iter().any(|stop| stop["stopPrice"].as_f64() == Some(price))
}

#[test]
fn a_position_gets_its_orders_the_stop_follows_the_price_and_a_close_by_hand_leaves_nothing() {
    let stage = Stage::running(&automation("{enabled: true, auto_take_profit: {ticks: 100}}"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 1);
    let stop = wait_for_own(&desk, 4);
    assert_eq!((stop["stopPrice"].as_f64(), stop["size"].as_i64()), (Some(20_997.5), Some(1)));
    let target = wait_for_own(&desk, 1);
    assert_eq!(target["limitPrice"].as_f64(), Some(21_025.0));
    stage.confirmed("trade_management", "place_stop");
    stage.confirmed("trade_management", "place_target");

    stage.simulator.price("MNQ", OPEN + 2.5);
    wait_until("the stop is at the entry", || stop_is_at(&desk, 21_000.25));
    stage.simulator.price("MNQ", OPEN + 7.25);
    wait_until("the stop follows", || stop_is_at(&desk, 21_004.75));
    stage.simulator.price("MNQ", OPEN + 5.5);
    stage.confirmed("trade_management", "modify_stop");

    desk.buy("MNQ", 2);
    wait_until("the sizes follow", || {
        own(&desk, 4).iter().chain(&own(&desk, 1)).all(|order| order["size"] == 3)
    });
    assert!(stop_is_at(&desk, 21_004.75), "never loosened");
    desk.close("MNQ");
    wait_until("nothing of ours is left", || desk.orders().is_empty());
    assert!(desk.is_flat());
    assert_eq!(stage.simulator.journal().to("/Order/place").len(), 2);
}

#[test]
fn a_lost_answer_places_no_second_stop_and_a_restart_knows_its_own() {
    let mut stage = Stage::with(&automation("{enabled: true, auto_take_profit: {enabled: false}}"));
    stage.simulator.price("MNQ", OPEN);
    stage.desk().buy("MNQ", 2);
    stage.simulator.fault(
        &json!({"kind": "http_status", "path": "Order/place", "status": 502, "times": 1, "after": true}),
    );
    stage.run();
    wait_for_own(&stage.desk(), 4);
    stage.confirmed("trade_management", "place_stop");
    stage.kill();
    stage.run();
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN + 2.5);
    wait_until("the stop of the earlier run is moved", || stop_is_at(&desk, 21_000.25));
    assert_eq!(own(&desk, 4).len(), 1);
    desk.close("MNQ");
    wait_until("nothing of ours is left", || own(&desk, 4).is_empty());
}

#[test]
fn our_orders_go_when_another_rule_closes_the_position() {
    let rules = automation("{enabled: true, auto_stop_loss: {ticks: 400}}")
        .with("daily_unrealized_loss", "{enabled: true, limit: -20}");
    let stage = Stage::running(&rules);
    let desk = stage.desk();
    stage.simulator.price("MNQ", OPEN);
    desk.buy("MNQ", 1);
    wait_for_own(&desk, 4);
    wait_for_own(&desk, 1);
    stage.simulator.price("MNQ", OPEN - 10.0);
    wait_until("closed and tidy", || desk.is_flat() && desk.orders().is_empty());
    stage.confirmed("daily_unrealized_loss", "close_position");
    assert_eq!(desk.fills().len(), 2);
}

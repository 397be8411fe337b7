//! RULE-010: an account that may not trade any longer is told of; if the trader wants it, it is flattened
//! and locked until it may trade again.

use serde_json::json;

use crate::stage::{Rules, Stage, wait_until};

const RULE: &str = "auth_loss_guard";

fn may_trade(stage: &Stage, value: bool) {
    let account = stage.simulator.accounts[0];
    stage.simulator.fault(&json!({"kind": "can_trade", "accountId": account, "value": value}));
}

#[test]
fn lost_permission_flattens_and_locks_until_it_is_given_again() {
    let mut stage = Stage::running(&Rules::open().with(RULE, "{on_can_trade_false: lockout}"));
    let desk = stage.desk();
    desk.buy("MES", 1);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
    may_trade(&stage, false);
    wait_until("locked and flat", || stage.is_locked_by(0, RULE, "HARD") && desk.is_flat());
    stage.confirmed(RULE, "flatten_account");
    assert_eq!(stage.account(0)["can_trade"], false);
    assert!(stage.account(0)["lockouts"][0]["until"].is_null(), "the broker says when");

    stage.kill();
    let line = stage.run();
    assert_eq!(line["protection"], "locked");
    assert!(stage.is_locked_by(0, RULE, "HARD"), "{:?}", stage.locks(0));
    // Given again while nothing ran: the start finds it.
    stage.kill();
    may_trade(&stage, true);
    stage.run();
    wait_until("free", || stage.locks(0).is_empty());
    stage.wait_until_protection("armed");
    let desk = stage.desk();
    desk.buy("MES", 1);
    wait_until("seen again", || stage.account(0)["positions"][0]["size"] == 1);
    assert_eq!(desk.held("MES"), 1);
}

#[test]
fn by_default_lost_permission_is_told_and_closes_nothing() {
    let stage = Stage::running(&Rules::open().with(RULE, "{enabled: true}"));
    let desk = stage.desk();
    desk.buy("MES", 1);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
    may_trade(&stage, false);
    wait_until("known", || stage.account(0)["can_trade"] == false);
    assert!(stage.locks(0).is_empty());
    assert_eq!(desk.held("MES"), 1);
    assert!(stage.simulator.journal().closes().is_empty());
}

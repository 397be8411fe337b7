//! Rules that only look on: what they would have done is recorded, nothing is sent.

use crate::stage::{Rules, Stage, wait_for, wait_until};

fn observing() -> Rules {
    Rules::open()
        .with("max_contracts", "{rule_mode: observe, limit: 3}")
        .with("max_contracts_per_instrument", "{rule_mode: observe, instrument_limits: {MNQ: 2}}")
        .with("daily_realized_loss", "{rule_mode: observe, limit: -100}")
        .with("symbol_blocks", "{rule_mode: warn, enabled: true, blocked_symbols: [RTY]}")
}

#[test]
fn what_would_have_been_done_is_recorded_and_nothing_is_sent() {
    let stage = Stage::running(&observing());
    assert_eq!(stage.protection(), "observing");
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21_000.0);
    desk.buy("MNQ", 5);
    desk.buy("RTY", 1);
    stage.simulator.price("MNQ", 20_900.0);
    for rule in ["max_contracts", "max_contracts_per_instrument", "daily_realized_loss", "symbol_blocks"] {
        let line = wait_for(rule, || stage.home.log().into_iter().find(|it| it["rule"] == rule));
        assert_eq!(line["outcome"], "observed", "{line}");
        assert!(line["sent_at"].is_null(), "{line}");
    }
    assert!(stage.simulator.journal().closes().is_empty());
    assert_eq!((desk.held("MNQ"), desk.held("RTY")), (5, 1));
    assert!(stage.locks(0).is_empty());
    assert_eq!(stage.protection(), "observing");
    assert!(stage.account(0)["observed_today"].as_u64() >= Some(4));
}

#[test]
fn the_stop_rule_and_the_traders_own_lock_act_all_the_same() {
    let stage = Stage::running(&observing().with("no_stop_loss_grace", "{grace_period_seconds: 5}"));
    let desk = stage.desk();
    desk.buy("MNQ", 1);
    wait_until("closed for want of a stop", || desk.fills().len() == 2 && desk.is_flat());
    stage.confirmed("no_stop_loss_grace", "close_position");
    desk.buy("MNQ", 1);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
    assert_eq!(stage.home.ask(&["lock-out", "--yes"]).code, Some(0));
    wait_until("locked and flat", || stage.is_locked_by(0, "trader", "HARD") && desk.is_flat());
    stage.wait_until_protection("locked");
    stage.confirmed("trader", "flatten_account");
}

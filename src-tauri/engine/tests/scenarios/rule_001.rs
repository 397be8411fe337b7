//! RULE-001, limit 5, net, reduce to limit.

use domain::{Contracts, breach::CountType, rulebook::SizeEnforcement};

use crate::desk::{Desk, contract, only};

fn desk() -> Desk {
    Desk::new(only(|rules| rules.max_contracts.enabled = true))
}

fn gross() -> Desk {
    Desk::new(only(|rules| {
        rules.max_contracts.enabled = true;
        rules.max_contracts.settings.count_type = CountType::Gross;
    }))
}

#[test]
fn rule_001_scenario_1() {
    let mut desk = desk();
    assert_eq!(desk.position("MNQ", 3, "21000"), "");
    assert_eq!(desk.position("ES", 2, "6000"), "");
}

#[test]
fn rule_001_scenario_2() {
    let mut desk = desk();
    desk.position("MNQ", 3, "21000");
    desk.position("ES", 2, "6000");
    assert_eq!(desk.position("MNQ", 4, "21000"), "reduce MNQ to 3 by max_contracts: 6 of 5");
    assert_eq!(desk.obey(), "");
    assert!(desk.lockouts().is_empty());
}

#[test]
fn rule_001_scenario_3() {
    let mut net = desk();
    assert_eq!(net.position("MNQ", 5, "21000"), "");
    assert_eq!(net.position("MES", -2, "6000"), "");
    assert_eq!(net.position("MNQ", 6, "21000"), "", "net 4");

    let mut gross = gross();
    gross.position("MNQ", 3, "21000");
    gross.hold("MNQ", 6, "21000");
    gross.later(1_000).hold("MES", -2, "6000");
    gross.later(5_000);
    // Both grew while nobody looked; MES is the one that grew last.
    let text = gross.reconcile(&[]);
    assert_eq!(text, "close MES by max_contracts: 8 of 5\nreduce MNQ to 5 by max_contracts: 8 of 5");
    assert_eq!(gross.obey(), "");
}

#[test]
fn rule_001_scenario_4() {
    let mut desk = desk();
    desk.position("MES", 4, "6000");
    assert_eq!(desk.position("MES", -6, "6000"), "reduce MES to 5 by max_contracts: 6 of 5");
}

#[test]
fn rule_001_scenario_5() {
    let mut desk = desk();
    assert_eq!(desk.position("MNQ", 3, "21000"), "");
    assert_eq!(desk.position("MNQ", 6, "21000"), "reduce MNQ to 5 by max_contracts: 6 of 5");
    // The target stands: the executor closes what is above it once the first call is settled.
    assert_eq!(desk.position("MNQ", 8, "21000"), "");
    assert_eq!(desk.obey(), "");
    assert!(desk.engine.accounts().all(|it| it.exposure(&contract("MNQ")).size() == Contracts(5)));
}

#[test]
fn rule_001_scenario_6() {
    let mut desk = desk();
    assert_eq!(desk.position("MNQ", 6, "21000"), "reduce MNQ to 5 by max_contracts: 6 of 5");
    assert_eq!(desk.position("MNQ", 6, "21000"), "");
    assert_eq!(desk.position("MNQ", 6, "21000"), "");
    assert_eq!(desk.obey(), "");
}

#[test]
fn rule_001_scenario_7() {
    let mut desk = Desk::down(only(|rules| rules.max_contracts.enabled = true));
    desk.hold("MNQ", 7, "21000");
    assert_eq!(desk.start(), "reduce MNQ to 5 by max_contracts: 7 of 5");
}

#[test]
fn rule_001_scenario_8() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts.enabled = true;
        rules.max_contracts.settings.enforcement = SizeEnforcement::CloseAll;
    }));
    desk.position("MNQ", 4, "21000");
    assert_eq!(
        desk.position("ES", 2, "6000"),
        "close ES by max_contracts: 6 of 5\nclose MNQ by max_contracts: 6 of 5"
    );
    assert_eq!(desk.obey(), "");
    assert!(desk.lockouts().is_empty());
}

#[test]
fn protective_orders_that_became_too_large_are_made_smaller() {
    let mut desk = desk();
    desk.position("MNQ", 5, "21000");
    desk.stop(7, "MNQ", domain::OrderSide::Sell, 6, "20900");
    desk.position("MNQ", 6, "21000");
    desk.obey();
    assert_eq!(desk.later(2_000).tick(), "shrink order 7 to 5 by no_stop_loss_grace: leftover");
}

#[test]
fn what_was_decided_for_the_sum_may_stay_once_another_position_got_smaller() {
    let mut desk = gross();
    desk.position("MNQ", 3, "21000");
    assert_eq!(desk.position("MES", 3, "6000"), "reduce MES to 2 by max_contracts: 6 of 5");
    let allowed = |desk: &Desk, to: u32| {
        desk.engine.accounts().map(|it| it.allowed(&contract("MES"), Contracts(to))).collect::<Vec<_>>()
    };
    assert_eq!(allowed(&desk, 2), [Contracts(2)]);
    desk.position("MNQ", 1, "21000");
    assert_eq!(allowed(&desk, 2), [Contracts(4)]);
    assert_eq!(allowed(&desk, 0), [Contracts(0)], "not what was decided");
}

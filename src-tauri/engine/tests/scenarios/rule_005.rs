//! RULE-005, target 500.

use domain::{OrderSide::Sell, breach::Basis};

use crate::desk::{Desk, only};

fn rulebook() -> domain::Rulebook {
    only(|rules| rules.max_unrealized_profit.enabled = true)
}

fn desk() -> Desk {
    Desk::new(rulebook())
}

/// Holds one position and sees one price.
fn held(name: &str, exposure: i64, entry: &str, price: &str) -> String {
    let mut desk = desk();
    desk.position(name, exposure, entry);
    desk.quote(name, price)
}

#[test]
fn rule_005_scenario_1() {
    assert_eq!(held("ES", 1, "6000", "6010"), "close ES by max_unrealized_profit: ES 500.00 of 500.00");
}

#[test]
fn rule_005_scenario_2() {
    assert_eq!(held("ES", 1, "6000", "6009.75"), "");
}

#[test]
fn rule_005_scenario_3() {
    assert_eq!(held("NQ", -1, "21000", "20975"), "close NQ by max_unrealized_profit: NQ 500.00 of 500.00");
}

#[test]
fn rule_005_scenario_4() {
    assert_eq!(held("MNQ", 5, "21000", "21050"), "close MNQ by max_unrealized_profit: MNQ 500.00 of 500.00");
}

#[test]
fn rule_005_scenario_5() {
    let mut rulebook = rulebook();
    rulebook.base.daily_unrealized_loss.enabled = true;
    let mut desk = Desk::new(rulebook);
    desk.position("MES", 10, "6000");
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.quote("MNQ", "20950.25"), "");
    assert_eq!(desk.quote("MES", "6010"), "close MES by max_unrealized_profit: MES 500.00 of 500.00");
    desk.obey();
    let held: Vec<_> = desk.engine.accounts().next().unwrap().holdings().collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].position.symbol.as_str(), "MNQ");
    assert_eq!(desk.lockouts(), Vec::<String>::new());
}

#[test]
fn rule_005_scenario_6() {
    let mut desk = desk();
    desk.position("ES", 2, "6000");
    assert_eq!(desk.quote("ES", "6004.75"), "");
    assert_eq!(desk.position("ES", 1, "6000"), "");
    assert_eq!(desk.quote("ES", "6009.75"), "");
    assert_eq!(desk.quote("ES", "6010"), "close ES by max_unrealized_profit: ES 500.00 of 500.00");
}

#[test]
fn rule_005_scenario_7() {
    let mut rulebook = rulebook();
    rulebook.base.daily_realized_profit.enabled = true;
    rulebook.base.daily_realized_profit.settings.basis = Basis::Realized;
    let mut desk = Desk::new(rulebook);
    desk.banked("550");
    desk.position("ES", 1, "6000");
    assert_eq!(desk.quote("ES", "6010"), "close ES by max_unrealized_profit: ES 500.00 of 500.00");
    assert_eq!(
        desk.fill("ES", Sell, 1, "6010", "500"),
        "lock HARD daily_realized_profit until 10-29 17:00:00\n\
         flatten by daily_realized_profit: 1050.00 of 1000.00"
    );
}

#[test]
fn of_the_day_and_the_position_the_day_is_reached_first_with_what_is_open() {
    let mut rulebook = rulebook();
    rulebook.base.daily_realized_profit.enabled = true;
    let mut desk = Desk::new(rulebook);
    desk.banked("550");
    desk.position("ES", 1, "6000");
    assert_eq!(desk.quote("ES", "6008.75"), "");
    assert_eq!(
        desk.quote("ES", "6009"),
        "lock HARD daily_realized_profit until 10-29 17:00:00\n\
         flatten by daily_realized_profit: 1000.00 of 1000.00"
    );
}

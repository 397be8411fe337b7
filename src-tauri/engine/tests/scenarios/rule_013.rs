//! RULE-013, target 1,000, combined.

use domain::{OrderSide::Sell, breach::Basis};

use crate::desk::{Desk, only};

fn rulebook(basis: Basis) -> domain::Rulebook {
    only(|rules| {
        rules.daily_realized_profit.enabled = true;
        rules.daily_realized_profit.settings.basis = basis;
    })
}

fn desk() -> Desk {
    Desk::new(rulebook(Basis::Combined))
}

const LOCKED: &str = "lock HARD daily_realized_profit until 10-29 17:00:00\n\
                      flatten by daily_realized_profit: 1000.00 of 1000.00";

#[test]
fn rule_013_scenario_1() {
    let mut desk = desk();
    desk.banked("800");
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.quote("MNQ", "21050"), LOCKED);
}

#[test]
fn rule_013_scenario_2() {
    let mut desk = desk();
    desk.banked("800");
    desk.position("MNQ", 1, "21000");
    assert_eq!(desk.quote("MNQ", "21099.75"), "");
}

#[test]
fn rule_013_scenario_3() {
    let mut desk = desk();
    desk.position("NQ", 1, "26232.50");
    desk.position("NQ", 0, "26232.50");
    assert_eq!(desk.fill("NQ", Sell, 1, "26282.50", "1000"), LOCKED);
}

#[test]
fn rule_013_scenario_4() {
    let mut desk = desk();
    desk.banked("800");
    desk.position("MNQ", 2, "21000");
    desk.quote("MNQ", "21050");
    desk.obey();
    assert_eq!(desk.fill("MNQ", Sell, 2, "21046.25", "185"), "");
    assert_eq!(desk.realized(), "985.00");
    assert_eq!(desk.lockouts(), ["HARD daily_realized_profit until 10-29 17:00:00"]);
}

#[test]
fn rule_013_scenario_5() {
    let mut desk = Desk::new(rulebook(Basis::Realized));
    desk.banked("800");
    desk.position("MNQ", 3, "21000");
    assert_eq!(desk.quote("MNQ", "21050"), "");
    desk.position("MNQ", 0, "21000");
    assert_eq!(
        desk.fill("MNQ", Sell, 3, "21050", "300"),
        "lock HARD daily_realized_profit until 10-29 17:00:00\n\
         flatten by daily_realized_profit: 1100.00 of 1000.00"
    );
}

#[test]
fn rule_013_scenario_6() {
    let mut desk = desk();
    desk.banked("1000");
    desk.obey();
    assert_eq!(
        desk.position("MES", 1, "6000"),
        "close MES by daily_realized_profit: 1 while 0 permitted by daily_realized_profit"
    );
    assert_eq!(desk.fill("MES", Sell, 1, "5999", "-5"), "");
    desk.obey();
    assert_eq!(desk.realized(), "995.00");
    assert_eq!(desk.lockouts().len(), 1);
}

#[test]
fn rule_013_scenario_8() {
    let mut rulebook = rulebook(Basis::Combined);
    rulebook.base.daily_realized_loss.enabled = true;
    let mut desk = Desk::new(rulebook);
    desk.banked("100");
    assert_eq!(desk.fill("MES", Sell, 1, "6010", "50"), "");
    assert_eq!(desk.realized(), "150.00");
}

#[test]
fn the_new_day_begins_free_and_at_zero() {
    let mut desk = desk();
    desk.banked("1000");
    desk.obey();
    assert_eq!(desk.at("16:59:59").tick(), "");
    assert_eq!(desk.at("17:00:00").tick(), "day 2025-10-30\nunlock daily_realized_profit reset");
    assert_eq!(desk.realized(), "0.00");
}

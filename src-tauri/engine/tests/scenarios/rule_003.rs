//! RULE-003, limit −500, combined.

use domain::{
    Fill,
    OrderSide::{Buy, Sell},
    Outcome,
    breach::Basis,
};

use crate::desk::{Desk, only};

fn rulebook(basis: Basis) -> domain::Rulebook {
    only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.settings.basis = basis;
    })
}

fn desk() -> Desk {
    Desk::new(rulebook(Basis::Combined))
}

#[test]
fn rule_003_scenario_1() {
    let mut desk = desk();
    desk.banked("-350");
    assert_eq!(
        desk.fill("MES", Sell, 3, "5990", "-150"),
        "lock HARD daily_realized_loss until 10-29 17:00:00\n\
         flatten by daily_realized_loss: -500.00 of -500.00"
    );
}

#[test]
fn rule_003_scenario_2() {
    let mut desk = desk();
    desk.banked("-349.50");
    assert_eq!(desk.fill("MES", Sell, 3, "5990", "-150"), "");
    assert_eq!(desk.realized(), "-499.50");
}

#[test]
fn rule_003_scenario_3() {
    let breached = |basis| {
        let mut desk = Desk::new(rulebook(basis));
        desk.banked("-400");
        desk.position("ES", -1, "5800");
        desk.quote("ES", "5802")
    };
    assert_eq!(
        breached(Basis::Combined),
        "lock HARD daily_realized_loss until 10-29 17:00:00\n\
         flatten by daily_realized_loss: -500.00 of -500.00"
    );
    assert_eq!(breached(Basis::Realized), "");
}

#[test]
fn rule_003_scenario_4() {
    let mut desk = desk();
    desk.position("ES", 1, "6000");
    assert_eq!(desk.quote("ES", "5995"), "");
    assert_eq!(
        desk.quote("ES", "5988"),
        "lock HARD daily_realized_loss until 10-29 17:00:00\n\
         flatten by daily_realized_loss: -600.00 of -500.00"
    );
    assert_eq!(desk.ordered().breach.overshoot().unwrap().to_string(), "100.00");
}

#[test]
fn rule_003_scenario_5() {
    let mut desk = desk();
    desk.banked("-499");
    assert_eq!(desk.fill("MES", Buy, 1, "6000", ""), "");
    assert_eq!(desk.realized(), "-499.00");
}

#[test]
fn rule_003_scenario_6() {
    let mut desk = Desk::down(rulebook(Basis::Combined));
    let fills: Vec<Fill> =
        vec![desk.fill_of("MES", Sell, 1, "6000", "-420"), desk.fill_of("MNQ", Sell, 4, "20980", "-160")];
    assert_eq!(
        desk.reconcile(&fills),
        "lock HARD daily_realized_loss until 10-29 17:00:00\n\
         flatten by daily_realized_loss: -580.00 of -500.00"
    );
}

#[test]
fn rule_003_scenario_7() {
    let mut desk = desk();
    desk.at("10:15:00").banked("-580");
    desk.obey();
    assert_eq!(
        desk.position("MNQ", 1, "21000"),
        "close MNQ by daily_realized_loss: 1 while 0 permitted by daily_realized_loss"
    );
    assert_eq!(desk.fill("MNQ", Sell, 1, "20999", "-2"), "");
    assert_eq!(desk.obey(), "");
    assert_eq!(desk.realized(), "-582.00");
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 10-29 17:00:00"]);
}

#[test]
fn rule_003_scenario_8() {
    let mut desk = desk();
    desk.banked("-580");
    desk.obey();
    assert_eq!(desk.at("2025-10-29T21:59:59Z").tick(), "");
    assert_eq!(desk.at("2025-10-29T22:00:00Z").tick(), "day 2025-10-30\nunlock daily_realized_loss reset");
    assert_eq!(desk.realized(), "0.00");

    desk.at("2025-11-03T15:00:00Z").tick();
    desk.fill("MES", Sell, 1, "6000", "-600");
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 11-03 17:00:00"]);
    assert_eq!(desk.engine.day_end().to_rfc3339(), "2025-11-03T23:00:00+00:00");
}

#[test]
fn rule_003_scenario_9() {
    let mut desk = desk();
    desk.banked("-420");
    let fill = desk.fill_of("MNQ", Sell, 4, "20980", "-160");
    desk.send(domain::Event::Fill(fill.clone()));
    desk.obey();
    assert_eq!(desk.send(domain::Event::Fill(Fill { voided: true, ..fill })), "");
    assert_eq!(desk.realized(), "-420.00");
    assert_eq!(desk.lockouts().len(), 1);
}

#[test]
fn rule_003_scenario_10() {
    let mut desk = desk();
    desk.position("ES", 1, "6000");
    desk.quote("ES", "5988");
    let flatten = desk.ordered();
    let failed = Outcome::Failed { why: "market closed".to_string() };
    assert_eq!(desk.report(&flatten, None, failed), "", "quiet for ten seconds");
    assert_eq!(desk.later(9_000).tick(), "");
    assert_eq!(
        desk.later(1_000).tick(),
        "close ES by daily_realized_loss: 1 while 0 permitted by daily_realized_loss"
    );
    assert_eq!(desk.lockouts().len(), 1);
}

#[test]
fn a_fill_counts_once_however_often_and_by_whatever_way_it_is_told() {
    let mut desk = desk();
    let fill = desk.fill_of("MES", Sell, 3, "5990", "-150");
    for _ in 0..3 {
        desk.send(domain::Event::Fill(fill.clone()));
    }
    desk.reconcile(&[fill]);
    assert_eq!(desk.realized(), "-150.00");
}

#[test]
fn an_unknown_price_is_not_zero() {
    let mut desk = desk();
    desk.banked("-400");
    assert_eq!(desk.position("ES", -1, "5800"), "");
    let account = desk.engine.accounts().next().unwrap();
    assert_eq!(account.unrealized(desk.engine.market()), None);
    assert_eq!(desk.engine.inactive_rules(account).len(), 1);
    // The realized part is judged all the same.
    assert!(desk.fill("MES", Sell, 1, "6000", "-100").starts_with("lock HARD"));
}

/// The news of a closing fill comes before that of the position (gateway reference 9.2).
#[test]
fn a_loss_that_is_banked_is_not_open_any_more() {
    let mut desk = desk();
    desk.fill("MES", Buy, 5, "6000", "");
    desk.position("MES", 5, "6000");
    desk.later(60_000);
    assert_eq!(desk.quote("MES", "5984"), "", "-400.00 is open");
    assert_eq!(desk.fill("MES", Sell, 3, "5984", "-240"), "", "-240.00 banked, -160.00 open");
    assert_eq!(desk.fill("MES", Sell, 2, "5984", "-160"), "", "all banked");
    assert_eq!(desk.position("MES", 0, "6000"), "");
    assert_eq!(desk.fill("MES", Sell, 1, "5984", "-100").lines().count(), 2, "and counted");
}

#[test]
fn a_gain_that_is_not_banked_yet_is_not_lost() {
    let mut desk = desk();
    desk.banked("-450");
    for name in ["MES", "MNQ"] {
        desk.fill(name, Buy, 2, "6000", "");
        desk.position(name, 2, "6000");
    }
    desk.later(60_000);
    assert_eq!(desk.quote("MNQ", "6050"), "", "200.00 are won");
    assert_eq!(desk.quote("MES", "5990"), "", "100.00 are lost");
    assert_eq!(desk.position("MNQ", 0, "6000"), "", "the position is gone before its result is heard");
    assert_eq!(desk.fill("MNQ", Sell, 2, "6050", "200"), "");
    assert_eq!(desk.quote("MES", "5974").lines().count(), 2, "-450.00 + 200.00 - 260.00");
}

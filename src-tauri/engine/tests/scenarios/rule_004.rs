//! RULE-004, limit −200.

use domain::{
    OrderSide::Sell,
    Outcome,
    breach::Basis,
    rulebook::{LossScope, PriceBasis},
};

use crate::desk::{Desk, only, usd};

fn rulebook(scope: LossScope) -> domain::Rulebook {
    only(|rules| {
        rules.daily_unrealized_loss.enabled = true;
        rules.daily_unrealized_loss.settings.scope = scope;
    })
}

fn desk() -> Desk {
    Desk::new(rulebook(LossScope::Position))
}

/// With the day's loss limit of −500 beside it.
fn with_day(basis: Basis) -> Desk {
    let mut rulebook = rulebook(LossScope::Position);
    rulebook.base.daily_realized_loss.enabled = true;
    rulebook.base.daily_realized_loss.settings.basis = basis;
    Desk::new(rulebook)
}

#[test]
fn rule_004_scenario_1() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.quote("MNQ", "20950"), "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00");
    assert_eq!(desk.lockouts(), Vec::<String>::new());
}

#[test]
fn rule_004_scenario_2() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.quote("MNQ", "20950.25"), "");
}

#[test]
fn rule_004_scenario_3() {
    let mut desk = desk();
    desk.position("ES", -1, "5800");
    assert_eq!(desk.quote("ES", "5804"), "close ES by daily_unrealized_loss: ES -200.00 of -200.00");
}

#[test]
fn rule_004_scenario_4() {
    let mut desk = desk();
    desk.position("MES", -4, "6000");
    assert_eq!(desk.quote("MES", "5990"), "");
}

#[test]
fn rule_004_scenario_5() {
    let moved = |scope| {
        let mut desk = Desk::new(rulebook(scope));
        desk.position("MNQ", 2, "21000");
        desk.position("MES", 3, "6000");
        let first = desk.quote("MNQ", "20970");
        [first, desk.quote("MES", "5990")].concat()
    };
    assert_eq!(moved(LossScope::Position), "");
    assert_eq!(
        moved(LossScope::AccountTotal),
        "close MES by daily_unrealized_loss: all -270.00 of -200.00\n\
         close MNQ by daily_unrealized_loss: all -270.00 of -200.00"
    );
}

#[test]
fn rule_004_scenario_6() {
    let mut desk = desk();
    desk.position("MNQ", 1, "21000");
    desk.position("MNQ", 2, "20980");
    assert_eq!(desk.quote("MNQ", "20930.25"), "");
    assert_eq!(desk.quote("MNQ", "20930"), "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00");
    desk.obey();
    assert_eq!(desk.engine.accounts().next().unwrap().holdings().count(), 0);
}

#[test]
fn rule_004_scenario_7() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert_eq!(
        desk.market("MNQ", "0", "20949.75", "20950.25"),
        "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00"
    );
}

#[test]
fn rule_004_scenario_8() {
    let mut desk = with_day(Basis::Combined);
    desk.banked("-300");
    desk.position("ES", 1, "6000");
    assert_eq!(
        desk.quote("ES", "5995.75"),
        "lock HARD daily_realized_loss until 10-29 17:00:00\n\
         flatten by daily_realized_loss + daily_unrealized_loss: -512.50 of -500.00"
    );
}

#[test]
fn judged_by_what_is_banked_the_close_comes_first_and_the_lock_with_its_fill() {
    let mut desk = with_day(Basis::Realized);
    desk.banked("-300");
    desk.position("ES", 1, "6000");
    assert_eq!(desk.quote("ES", "5995.75"), "close ES by daily_unrealized_loss: ES -212.50 of -200.00");
    assert_eq!(
        desk.fill("ES", Sell, 1, "5995.75", "-212.50"),
        "lock HARD daily_realized_loss until 10-29 17:00:00\n\
         flatten by daily_realized_loss: -512.50 of -500.00"
    );
}

#[test]
fn only_one_close_is_under_way_however_far_the_price_runs() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert!(desk.quote("MNQ", "20950").starts_with("close MNQ"));
    assert_eq!(desk.quote("MNQ", "20940"), "");
    assert_eq!(desk.later(6_000).tick(), "", "nor by the safety check");
    assert_eq!(desk.position("MNQ", 2, "21000"), "");
}

#[test]
fn a_close_that_failed_is_tried_again_by_the_safety_check() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.quote("MNQ", "20950");
    let close = desk.ordered();
    desk.report(&close, None, Outcome::Failed { why: "refused".to_string() });
    assert_eq!(desk.later(9_000).tick(), "");
    assert_eq!(desk.later(1_000).tick(), "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00");
}

#[test]
fn an_unknown_price_is_never_zero() {
    let mut desk = Desk::new(rulebook(LossScope::AccountTotal));
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.position("ES", 1, "6000"), "");
    assert_eq!(desk.quote("MNQ", "20900"), "", "the other half of the sum is not known");
    let account = desk.engine.accounts().next().unwrap();
    assert_eq!(desk.engine.inactive_rules(account).len(), 1);
}

#[test]
fn the_side_on_which_it_would_be_closed_can_decide() {
    let exit_side = |quote: (&str, &str)| {
        let mut rulebook = rulebook(LossScope::Position);
        rulebook.base.daily_unrealized_loss.settings.price_basis = PriceBasis::ExitSide;
        rulebook.base.daily_unrealized_loss.settings.limit = usd("-200");
        let mut desk = Desk::new(rulebook);
        desk.position("MNQ", 2, "21000");
        desk.market("MNQ", "20950.5", quote.0, quote.1)
    };
    assert_eq!(exit_side(("20950", "20951")), "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00");
    assert_eq!(exit_side(("20950.25", "20950.75")), "");
}

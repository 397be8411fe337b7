//! RULE-008, grace 120 s.

use domain::{
    Event, Order, OrderKind,
    OrderSide::{Buy, Sell},
    OrderStatus, Question,
};

use crate::desk::{ACCOUNT, Desk, only};

fn rulebook() -> domain::Rulebook {
    only(|rules| rules.no_stop_loss_grace.settings.grace_period_seconds = 120)
}

fn desk() -> Desk {
    let mut desk = Desk::down(rulebook());
    desk.at("09:59:00").start();
    desk.at("10:00:00");
    desk
}

/// Time passes until the grace is over; the broker answers at once.
fn expire(desk: &mut Desk, at: &str) -> String {
    desk.at(at).tick();
    desk.answer_orders()
}

#[test]
fn rule_008_scenario_1() {
    let mut desk = desk();
    assert_eq!(desk.position("ES", 2, "6000"), "");
    assert_eq!(desk.at("10:00:36").tick(), "alert: stop missing, 0 of 2");
    assert_eq!(desk.at("10:01:59").tick(), "");
    assert_eq!(expire(&mut desk, "10:02:00"), "close ES by no_stop_loss_grace: 0 of 2 covered");
    assert_eq!(desk.obey(), "");
    assert!(desk.lockouts().is_empty());
}

#[test]
fn rule_008_scenario_2() {
    let mut desk = desk();
    desk.position("ES", 2, "6000");
    desk.at("10:01:59").stop(1, "ES", Sell, 2, "5990");
    assert_eq!(expire(&mut desk, "10:02:00"), "");
    assert_eq!(expire(&mut desk, "10:05:00"), "");
}

#[test]
fn rule_008_scenario_3() {
    let mut half = desk();
    half.position("ES", 2, "6000");
    half.stop(1, "ES", Sell, 1, "5990");
    assert_eq!(expire(&mut half, "10:02:00"), "close ES by no_stop_loss_grace: 1 of 2 covered");

    let mut partial = Desk::new({
        let mut rulebook = rulebook();
        rulebook.base.no_stop_loss_grace.settings.require_full_coverage = false;
        rulebook
    });
    partial.position("ES", 2, "6000");
    partial.stop(1, "ES", Sell, 1, "5990");
    assert_eq!(expire(&mut partial, "10:02:00"), "");
}

#[test]
fn rule_008_scenario_4() {
    let mut wrong_side = desk();
    wrong_side.position("MNQ", 1, "21000");
    assert_eq!(wrong_side.stop(1, "MNQ", Buy, 1, "21100"), "alert: order 1 would add");
    assert_eq!(expire(&mut wrong_side, "10:02:00"), "close MNQ by no_stop_loss_grace: 0 of 1 covered");

    let mut target = desk();
    target.position("MNQ", 1, "21000");
    target.limit(1, "MNQ", Sell, 1, "21100");
    assert_eq!(expire(&mut target, "10:02:00"), "close MNQ by no_stop_loss_grace: 0 of 1 covered");
}

#[test]
fn rule_008_scenario_5() {
    let mut desk = desk();
    desk.position("ES", 2, "6000");
    desk.at("10:01:00").stop(1, "ES", Sell, 2, "5990");
    desk.at("10:05:00").end_order(1, OrderStatus::Cancelled);
    assert_eq!(desk.at("10:06:00").tick(), "alert: stop missing, 0 of 2");
    assert_eq!(expire(&mut desk, "10:06:59"), "");
    assert_eq!(expire(&mut desk, "10:07:00"), "close ES by no_stop_loss_grace: 0 of 2 covered");
}

#[test]
fn rule_008_scenario_6() {
    let mut desk = desk();
    desk.position("ES", 2, "6000");
    desk.stop(1, "ES", Sell, 2, "5990");
    desk.at("10:10:00").position("ES", 3, "6000");
    desk.at("10:11:00").stop(1, "ES", Sell, 3, "5990");
    assert_eq!(expire(&mut desk, "10:12:00"), "");
    assert_eq!(expire(&mut desk, "10:20:00"), "");
}

#[test]
fn rule_008_scenario_7() {
    let mut desk = desk();
    desk.position("ES", 2, "6000");
    desk.stop(1, "ES", Sell, 2, "5990");
    assert_eq!(desk.at("10:03:00").position("ES", -1, "5995"), "alert: order 1 would add");
    assert_eq!(
        desk.at("10:03:02").tick(),
        "cancel 1 by no_stop_loss_grace: leftover",
        "the stop of the position that is gone"
    );
    assert_eq!(expire(&mut desk, "10:04:59"), "");
    assert_eq!(expire(&mut desk, "10:05:00"), "close ES by no_stop_loss_grace: 0 of 1 covered");
}

#[test]
fn rule_008_scenario_8() {
    let mut desk = Desk::down(rulebook());
    desk.at("10:00:00").hold("ES", 2, "6000");
    let mut memory = domain::Memory::default();
    let account = memory.accounts.entry(ACCOUNT.into()).or_default();
    account.stop_deadlines.insert(crate::desk::contract("ES"), crate::desk::time("10:02:00"));
    desk.at("10:02:30").restored(memory);
    assert_eq!(desk.start(), "close ES by no_stop_loss_grace: 0 of 2 covered");
}

#[test]
fn rule_008_scenario_9() {
    let mut desk = Desk::new({
        let mut rulebook = rulebook();
        rulebook.base.no_stop_loss_grace.enabled = false;
        rulebook.base.no_stop_loss_grace.mode = domain::RuleMode::Observe;
        rulebook
    });
    desk.position("ES", 2, "6000");
    assert_eq!(expire(&mut desk, "10:02:00"), "close ES by no_stop_loss_grace: 0 of 2 covered");
}

#[test]
fn rule_008_scenario_10() {
    let mut desk = desk();
    desk.position("ES", 1, "6000");
    desk.answer_orders();
    desk.at("10:02:00").tick();
    let question = Question::Orders { account: ACCOUNT.into() };
    assert_eq!(desk.at("10:02:02").send(domain::Event::Unanswered(question)), "");
    assert_eq!(expire(&mut desk, "10:02:04"), "close ES by no_stop_loss_grace: 0 of 1 covered");
}

#[test]
fn orders_that_stay_unknown_are_told() {
    let mut desk = desk();
    desk.position("ES", 1, "6000");
    desk.at("10:02:00").tick();
    for second in 1..15 {
        let question = Question::Orders { account: ACCOUNT.into() };
        desk.at(&format!("10:02:{:02}", second * 2)).send(domain::Event::Unanswered(question));
        desk.tick();
    }
    assert_eq!(desk.at("10:02:30").tick(), "alert: stops unknown");
    assert_eq!(desk.at("10:02:31").tick(), "");
}

#[test]
fn a_suspended_bracket_child_does_not_cover() {
    let mut desk = desk();
    desk.position("ES", 1, "6000");
    let domain::Event::Order(mut child) = desk.order(1, "ES", Sell, domain::OrderKind::Stop, 1, "5990")
    else {
        unreachable!("it is an order");
    };
    child.status = OrderStatus::Suspended;
    desk.send(domain::Event::Order(child.clone()));
    desk.at("10:01:00").send(domain::Event::Order(child.clone()));
    let watch = |desk: &Desk| {
        let account = desk.engine.accounts().next().unwrap();
        account.stops().of(&crate::desk::contract("ES")).unwrap().deadline
    };
    assert!(watch(&desk).is_some());
    child.status = OrderStatus::Open;
    desk.send(domain::Event::Order(child));
    assert!(watch(&desk).is_none());
}

/// A stop that was rejected, and the stream lost the news: pending orders are in no list, so that it would
/// count as protection for ever.
#[test]
fn a_stop_that_stays_pending_and_unlisted_protects_nobody() {
    let mut desk = desk();
    desk.position("ES", 2, "6000");
    let Event::Order(stop) = desk.order(1, "ES", Sell, OrderKind::Stop, 2, "5990") else { unreachable!() };
    desk.forget_order(1);
    desk.send(Event::Order(Order { status: OrderStatus::Pending, ..stop }));
    assert_eq!(desk.at("10:00:05").answer_orders(), "", "it may become open any moment");
    desk.at("10:00:30").answer_orders();
    assert_eq!(desk.at("10:01:06").tick(), "alert: stop missing, 0 of 2");
    assert_eq!(expire(&mut desk, "10:02:30"), "close ES by no_stop_loss_grace: 0 of 2 covered");
}

/// A question may wait for its turn for long; put before the grace was over, its answer decides nothing.
#[test]
fn a_question_of_before_does_not_hold_up_the_one_that_decides() {
    let mut desk = desk();
    desk.position("ES", 2, "6000");
    let asked = |desk: &mut Desk, at: &str| {
        let now = desk.at(at).now;
        let actions = desk.engine.step(now, &Event::Tick);
        actions.iter().any(|action| matches!(action, domain::Action::Ask(Question::Orders { .. })))
    };
    desk.at("10:01:55").answer_orders();
    desk.at("10:01:59").position("ES", 3, "6000");
    assert!(asked(&mut desk, "10:02:00"), "though another one has no answer yet");
    assert!(!asked(&mut desk, "10:02:01"));
    assert_eq!(desk.answer_orders(), "close ES by no_stop_loss_grace: 0 of 3 covered");
}

/// A second protective order changes nothing in the position: that it is told again is the only sign (C.9).
#[test]
fn a_position_that_is_told_again_asks_for_the_orders_once_a_second() {
    let mut desk = Desk::new(rulebook());
    desk.position("ES", 2, "6000");
    desk.answer_orders();
    let again = desk.later(3_000).hold("ES", 2, "6000");
    assert!(!desk.asks_for_orders(&Event::Tick), "nothing happened");
    assert!(desk.later(100).asks_for_orders(&again));
    desk.answer_orders();
    assert!(!desk.later(500).asks_for_orders(&again), "once a second");
    assert!(desk.later(500).asks_for_orders(&Event::Tick));
}

//! RULE-007, −100 → 300 s, −200 → 900 s, −300 → 1800 s.

use domain::{
    Event, Fill, Memory,
    OrderSide::{Buy, Sell},
    RuleKey, Rulebook,
    memory::{KnownFill, OwnClose},
};

use crate::desk::{ACCOUNT, Desk, only, time, usd};

fn rulebook() -> Rulebook {
    only(|rules| rules.cooldown_after_loss.enabled = true)
}

fn desk() -> Desk {
    Desk::new(rulebook())
}

fn lock(until: &str) -> String {
    format!("lock TIMER cooldown_after_loss until 10-29 {until}")
}

/// A position is closed by the trader; the fill is told first.
fn exit(desk: &mut Desk, name: &str, held: i64, at: &str, pnl: &str) -> String {
    let side = if held > 0 { Sell } else { Buy };
    let size = u32::try_from(held.abs()).unwrap();
    let text = desk.fill(name, side, size, at, pnl);
    desk.position(name, 0, at);
    text
}

#[test]
fn rule_007_scenario_1() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.position("ES", 1, "6000");
    assert_eq!(
        exit(&mut desk, "MNQ", 2, "20970", "-120"),
        format!("{}\nflatten by cooldown_after_loss: -120.00 of -100.00", lock("10:05:00"))
    );
    assert_eq!(desk.obey(), "");
    assert_eq!(
        desk.position("ES", 1, "6000"),
        "close ES by cooldown_after_loss: 1 while 0 permitted by cooldown_after_loss"
    );
    desk.obey();
    assert_eq!(desk.at("10:05:00").tick(), "unlock cooldown_after_loss expiry");
}

#[test]
fn rule_007_scenario_2() {
    let mut desk = desk();
    desk.position("MES", -2, "6000");
    assert!(exit(&mut desk, "MES", -2, "6010", "-100").starts_with(&lock("10:05:00")), "exactly the tier");
}

#[test]
fn rule_007_scenario_3() {
    let mut desk = desk();
    desk.position("MNQ", 1, "21000");
    assert_eq!(exit(&mut desk, "MNQ", 1, "20950.25", "-99.50"), "");
}

#[test]
fn rule_007_scenario_4() {
    let mut desk = desk();
    desk.position("ES", 1, "6000");
    assert!(exit(&mut desk, "ES", 1, "5993.75", "-312.50").starts_with(&lock("10:30:00")));
}

#[test]
fn rule_007_scenario_5() {
    let mut desk = desk();
    let first = desk.fill_of("MNQ", Sell, 1, "20970", "-60");
    assert_eq!(desk.send(Event::Fill(first.clone())), "");
    desk.at("10:00:10");
    let second = desk.fill_more(&first, 1, "-60");
    assert!(desk.send(Event::Fill(second)).starts_with(&lock("10:05:10")));
    desk.at("10:00:20");
    let third = desk.fill_more(&first, 1, "-20");
    assert_eq!(desk.send(Event::Fill(third)), "", "the same step is reached once");
    desk.at("10:00:30");
    let fourth = desk.fill_more(&first, 1, "-80");
    assert_eq!(desk.send(Event::Fill(fourth)), lock("10:15:30"), "the next step is another one");
}

#[test]
fn rule_007_scenario_6() {
    let mut desk = desk();
    assert!(exit(&mut desk, "MNQ", 1, "20970", "-120").starts_with(&lock("10:05:00")));
    desk.obey();
    assert_eq!(exit(desk.at("10:02:00"), "MNQ", 1, "20970", "-220"), lock("10:17:00"));
    assert_eq!(desk.lockouts(), ["TIMER cooldown_after_loss until 10-29 10:17:00"]);
}

#[test]
fn rule_007_scenario_7() {
    let mut desk = desk();
    assert!(exit(&mut desk, "MNQ", 1, "20970", "-312.50").starts_with(&lock("10:30:00")));
    desk.obey();
    assert_eq!(exit(desk.at("10:16:00"), "MNQ", 1, "20970", "-120"), "");
    assert_eq!(desk.lockouts(), ["TIMER cooldown_after_loss until 10-29 10:30:00"]);
}

#[test]
fn rule_007_scenario_8() {
    let mut desk = desk();
    assert!(exit(desk.at("16:55:00"), "MNQ", 1, "20970", "-220").starts_with(&lock("17:10:00")));
    desk.obey();
    assert_eq!(desk.at("17:00:00").tick(), "day 2025-10-30");
    assert_eq!(desk.realized(), "0.00");
    assert_eq!(desk.lockouts(), ["TIMER cooldown_after_loss until 10-29 17:10:00"]);
    assert_eq!(desk.at("17:10:00").tick(), "unlock cooldown_after_loss expiry");
}

#[test]
fn opening_fills_gains_and_nothing_are_no_losses() {
    let mut desk = desk();
    for pnl in ["", "0", "250"] {
        assert_eq!(desk.fill("MNQ", Buy, 1, "21000", pnl), "");
    }
}

#[test]
fn orders_are_judged_one_by_one() {
    let mut desk = desk();
    assert_eq!(desk.fill("MNQ", Sell, 1, "20970", "-60"), "");
    assert_eq!(desk.fill("MNQ", Sell, 1, "20970", "-60"), "", "two trades of −60 are no trade of −120");
}

/// B.14: what its own close-all realises counts for the day, and does not extend the break.
#[test]
fn losses_of_its_own_closes_do_not_extend_and_those_of_other_rules_do() {
    let mut desk = desk();
    desk.position("ES", 1, "6000");
    exit(&mut desk, "MNQ", 1, "20970", "-120");
    desk.later(200).fill("ES", Sell, 1, "5990", "-500");
    desk.obey();
    assert_eq!(desk.lockouts(), ["TIMER cooldown_after_loss until 10-29 10:05:00"]);
    assert_eq!(desk.realized(), "-620.00");

    let mut other = Desk::new({
        let mut rulebook = rulebook();
        rulebook.base.max_contracts.enabled = true;
        rulebook
    });
    assert_eq!(other.position("MNQ", 6, "21000"), "reduce MNQ to 5 by max_contracts: 6 of 5");
    assert!(other.fill("MNQ", Sell, 1, "20900", "-200").starts_with(&lock("10:15:00")));
}

/// Ruling 18: a close that was under way when the engine ended is still known as its own.
#[test]
fn its_own_close_is_known_after_a_restart() {
    let mut first = desk();
    first.position("ES", 1, "6000");
    exit(&mut first, "MNQ", 1, "20970", "-120");
    let lockouts: Vec<_> = first.engine.accounts().flat_map(|it| it.lockouts().iter().cloned()).collect();
    first.later(300);
    let closed = first.fill_of("ES", Sell, 1, "5990", "-500");

    let restart = |closes: Vec<OwnClose>| {
        let mut memory = Memory::default();
        let account = memory.accounts.entry(ACCOUNT.into()).or_default();
        account.lockouts = lockouts.clone();
        account.closes = closes;
        let mut desk = Desk::down(rulebook());
        desk.at("10:00:10").restored(memory);
        desk.reconcile(std::slice::from_ref(&closed));
        desk.lockouts()
    };
    let close =
        OwnClose { rule: RuleKey::CooldownAfterLoss, contract: None, from: time("10:00:00"), until: None };
    assert_eq!(restart(vec![close]), ["TIMER cooldown_after_loss until 10-29 10:05:00"]);
    let extended = restart(Vec::new());
    assert!(extended[0].starts_with("TIMER cooldown_after_loss until 10-29 10:30:00"), "{extended:?}");
}

#[test]
fn a_voided_loss_leaves_the_lockout() {
    let mut desk = desk();
    let fill = desk.fill_of("MNQ", Sell, 1, "20970", "-120");
    desk.send(Event::Fill(fill.clone()));
    desk.obey();
    assert_eq!(desk.send(Event::Fill(Fill { voided: true, ..fill })), "");
    assert_eq!(desk.lockouts().len(), 1);
}

/// A result that is told later than its fill is news; the same again is none.
#[test]
fn a_result_that_is_told_late_counts_from_its_fill() {
    let mut desk = desk();
    let fill = desk.fill_of("MNQ", Sell, 1, "20970", "");
    assert_eq!(desk.send(Event::Fill(fill.clone())), "");
    let told = Fill { pnl: Some(usd("-120")), ..fill };
    assert!(desk.at("10:00:30").send(Event::Fill(told.clone())).starts_with(&lock("10:05:00")));
    desk.obey();
    desk.at("10:05:00").tick();
    assert_eq!(desk.send(Event::Fill(told.clone())), "");
    assert_eq!(desk.reconcile(&[told]), "");
    assert!(desk.lockouts().is_empty());
}

/// Fills of one order add up whatever the order of their arrival, and over a restart.
#[test]
fn an_order_is_summed_over_a_restart_and_out_of_order() {
    let mut first = desk();
    let early = first.fill_of("MNQ", Sell, 1, "20970", "-60");
    first.at("10:00:10");
    let late = first.fill_more(&early, 1, "-60");
    assert_eq!(first.send(Event::Fill(late.clone())), "");
    assert!(first.send(Event::Fill(early.clone())).starts_with(&lock("10:05:10")));

    let mut memory = Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default().fills =
        vec![KnownFill { fill: early.clone(), own: false, locked: false }];
    let mut desk = Desk::down(rulebook());
    desk.at("10:00:20").restored(memory);
    assert!(desk.reconcile(&[early, late]).starts_with(&lock("10:05:10")));
}

#[test]
fn positions_may_stay_if_the_rule_says_so() {
    let mut desk = Desk::new({
        let mut rulebook = rulebook();
        rulebook.base.cooldown_after_loss.settings.close_positions = false;
        rulebook
    });
    desk.position("ES", 1, "6000");
    desk.reconcile(&[]);
    desk.limit(5, "ES", Buy, 1, "5990");
    assert_eq!(
        desk.fill("MNQ", Sell, 1, "20970", "-120"),
        format!("{}\ncancel 5 by cooldown_after_loss: -120.00 of -100.00", lock("10:05:00"))
    );
    assert_eq!(desk.position("ES", 1, "6000.25"), "");
    assert!(desk.position("ES", 2, "6000.25").starts_with("reduce ES to 1"));
}

/// B.14: a turn by one order: its closing part brings the loss, the new side is closed.
#[test]
fn a_turn_that_brings_the_loss_is_closed() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.reconcile(&[]);
    assert!(desk.fill("MNQ", Sell, 3, "20970", "-120").starts_with(&lock("10:05:00")));
    let flatten = desk.ordered();
    assert_eq!(
        desk.position("MNQ", -1, "20970"),
        "close MNQ by cooldown_after_loss: 1 while 0 permitted by cooldown_after_loss"
    );
    desk.report(&flatten, None, domain::Outcome::Confirmed);
    assert_eq!(desk.obey(), "");
}

/// B.14: a cooldown that runs; a turn sets the baseline to zero, and the new side is closed.
#[test]
fn a_turn_during_a_cooldown_is_closed() {
    let mut desk = Desk::new(only(|rules| rules.trade_frequency_limit.enabled = true));
    desk.position("MNQ", 2, "21000");
    desk.reconcile(&[]);
    for _ in 0..3 {
        desk.fill("MES", Buy, 1, "6000", "");
    }
    desk.later(1_000).fill("MNQ", Sell, 3, "21000", "0");
    assert_eq!(
        desk.position("MNQ", -1, "21000"),
        "lock TIMER trade_frequency_limit per_minute until 10-29 10:01:00\n\
         close MNQ by trade_frequency_limit: 1 while 0 permitted by trade_frequency_limit"
    );
    assert_eq!(desk.gauges()[0], "3 of 3 per_minute", "one order, consumed by the lockout");
}

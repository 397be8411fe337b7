//! The market data feed of specification C.8; `feed_scenario_N` is its N-th row that the engine decides.

use std::collections::BTreeSet;

use domain::{Action, Event, Instrument, Link, Memory, Question, Usd};
use engine::Why;

use crate::desk::{Desk, contract, only, usd};

fn desk() -> Desk {
    Desk::new(only(|rules| rules.daily_unrealized_loss.enabled = true))
}

/// Two MNQ long at 21,000, which reach the limit at 20,950.
fn long() -> Desk {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk
}

const CLOSED: &str = "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00";

fn bars_asked(desk: &mut Desk) -> usize {
    let asked = |action: &Action| matches!(action, Action::Ask(Question::LatestBar { .. }));
    desk.engine.step(desk.now, &Event::Tick).iter().filter(|action| asked(action)).count()
}

/// Subscription: what is held or wanted by a working entry, and no more.
#[test]
fn feed_scenario_1() {
    let mut desk = long();
    desk.limit(1, "ES", domain::OrderSide::Buy, 1, "6000");
    assert_eq!(desk.engine.contracts_of_interest(), [contract("ES"), contract("MNQ")]);
    desk.end_order(1, domain::OrderStatus::Cancelled);
    assert_eq!(desk.engine.contracts_of_interest(), [contract("MNQ")]);
}

/// Load: of a thousand quotes a second ten are evaluated, and none is left waiting behind them.
#[test]
fn feed_scenario_2() {
    let mut desk = long();
    let waits_until = |desk: &Desk| {
        let deadline = desk.engine.next_deadline();
        deadline.filter(|deadline| deadline.why == Why::QuoteWaits).map(|deadline| deadline.at)
    };
    let mut evaluations = BTreeSet::new();
    for quote in 0..1_000 {
        let last = if quote % 2 == 0 { "20990" } else { "20990.25" };
        desk.later(1).stamped("MNQ", last, 0);
        evaluations.extend(waits_until(&desk));
    }
    assert_eq!(evaluations.len(), 10);
    assert_eq!(desk.later(100).tick(), "");
    assert_eq!(waits_until(&desk), None);
}

/// Throttle: the newest quote is evaluated in the end, 100 ms after the last one at the latest.
#[test]
fn feed_scenario_3() {
    let mut desk = long();
    assert_eq!(desk.stamped("MNQ", "20990", 0), "");
    assert_eq!(desk.later(10).stamped("MNQ", "20960", 0), "", "it waits");
    assert_eq!(desk.later(10).stamped("MNQ", "20950", 0), "", "it waits as well");
    assert_eq!(desk.later(79).tick(), "");
    assert_eq!(desk.later(1).tick(), CLOSED);
}

/// No gate on small changes: a quarter of a point more decides.
#[test]
fn feed_scenario_4() {
    let mut desk = long();
    assert_eq!(desk.quote("MNQ", "20950.25"), "");
    assert_eq!(desk.later(200).quote("MNQ", "20950"), CLOSED);
}

/// Usable price: a jump over 5 % waits for a second quote, or for a bar that does not contradict it.
#[test]
fn feed_scenario_5() {
    let mut desk = long();
    desk.quote("MNQ", "21000");
    assert_eq!(desk.later(200).quote("MNQ", "19000"), "");
    let confirmed = desk.later(200).quote("MNQ", "19000.25");
    assert!(confirmed.starts_with("close MNQ"), "{confirmed}");

    let mut desk = long();
    desk.quote("MNQ", "21000");
    desk.later(200).quote("MNQ", "19000");
    assert_eq!(bars_asked(desk.later(500)), 1);
    assert_eq!(desk.bar("MNQ", "20999"), "", "contradicted");
    assert_eq!(desk.later(100).quote("MNQ", "20999"), "");

    let mut desk = long();
    desk.quote("MNQ", "21000");
    desk.later(200).quote("MNQ", "19000");
    bars_asked(desk.later(500));
    assert!(desk.bar("MNQ", "19001").starts_with("close MNQ"), "not contradicted");
}

/// Lag and breaker: late quotes decide nothing until five in time have come; then at once.
#[test]
fn feed_scenario_6() {
    let mut desk = long();
    for _ in 0..3 {
        desk.later(200).stamped("MNQ", "20990", 40);
    }
    assert_eq!(desk.later(2_000).stamped("MNQ", "20900", 1_500), "alert: MNQ late by 1460 ms");
    for _ in 0..4 {
        assert_eq!(desk.later(150).stamped("MNQ", "20950", 40), "");
    }
    let last = desk.later(150).stamped("MNQ", "20950", 40);
    assert!(last.contains("alert: MNQ in time") && last.contains(CLOSED), "{last}");
}

/// The breaker pauses what needs prices, and nothing else.
#[test]
fn feed_scenario_7() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.max_contracts.enabled = true;
    }));
    desk.position("MNQ", 2, "21000");
    for _ in 0..3 {
        desk.later(200).stamped("MNQ", "20990", 40);
    }
    desk.later(2_000).stamped("MNQ", "20000", 1_500);
    assert_eq!(desk.position("MNQ", 6, "21000"), "reduce MNQ to 5 by max_contracts: 6 of 5");
    let banked = desk.fill("MES", domain::OrderSide::Sell, 1, "6000", "-500");
    assert!(banked.starts_with("lock HARD daily_realized_loss"), "{banked}");
}

/// Silence: a quiet contract keeps its price; 30 s without any quote in exchange hours take all prices.
#[test]
fn feed_scenario_8() {
    let mut desk = long();
    desk.quote("MNQ", "20990");
    desk.later(29_000).tick();
    assert!(desk.engine.market().price(&contract("MNQ")).is_some());
    desk.later(1_000).tick();
    assert!(desk.engine.market().is_silent());
    assert_eq!(desk.engine.market().price(&contract("MNQ")), None);
    assert_eq!(desk.quote("MNQ", "20950"), CLOSED, "and back with the next quote");
}

#[test]
fn a_shut_exchange_is_silent_and_nothing_is_wrong() {
    let mut desk = desk();
    desk.at("16:05:00").position("MNQ", 2, "21000");
    desk.quote("MNQ", "20990");
    desk.later(600_000).tick();
    assert!(desk.engine.market().price(&contract("MNQ")).is_some());
}

/// Price fallback: bars at most every 5 s; one tells, a second that agrees lets the rule act.
#[test]
fn feed_scenario_9() {
    let mut desk = long();
    desk.send(Event::Link(Link::MarketDown { why: "closed".to_string() }));
    assert_eq!(bars_asked(&mut desk), 0);
    assert_eq!(bars_asked(desk.later(2_000)), 1);
    assert_eq!(desk.bar("MNQ", "20940"), "");
    assert_eq!(bars_asked(desk.later(4_900)), 0);
    assert_eq!(bars_asked(desk.later(100)), 1);
    assert_eq!(desk.bar("MNQ", "20945"), "close MNQ by daily_unrealized_loss: MNQ -220.00 of -200.00");
}

/// Never zero, and never the price of another contract.
#[test]
fn feed_scenario_10() {
    let mut desk = desk();
    desk.position("MNQ.H26", 2, "21000");
    assert_eq!(desk.quote("MNQ", "20000"), "");
    let account = desk.engine.accounts().next().unwrap();
    assert_eq!(account.unrealized(desk.engine.market()), None);
}

/// Output: a new price gives a new open result at once.
#[test]
fn feed_scenario_11() {
    let mut desk = long();
    let open = |desk: &Desk| desk.engine.accounts().next().unwrap().unrealized(desk.engine.market());
    assert_eq!(open(&desk), None);
    desk.quote("MNQ", "20990");
    assert_eq!(open(&desk), Some(Usd::from_cents(-4_000)));
    desk.later(200).quote("MNQ", "21010");
    assert_eq!(open(&desk), Some(Usd::from_cents(4_000)));
}

/// Caches: the latest quote with its time; metadata that is missing is asked for, and asked again.
#[test]
fn feed_scenario_12() {
    let mut desk = long();
    desk.quote("MNQ", "20990");
    assert_eq!(desk.engine.market().heard(&contract("MNQ")), Some(desk.now));
    let unknown = desk.hold("ES", 1, "6000");
    let asked = |desk: &mut Desk, event: &Event| {
        let of = |action: &Action| matches!(action, Action::Ask(Question::Instrument { .. }));
        desk.engine.step(desk.now, event).iter().filter(|action| of(action)).count()
    };
    assert_eq!(asked(&mut desk, &unknown), 1);
    assert_eq!(asked(desk.later(14_000), &Event::Tick), 0);
    assert_eq!(asked(desk.later(1_000), &Event::Tick), 1);
}

/// What a contract cost before its subscription ended says nothing about now.
#[test]
fn a_price_from_before_the_subscription_is_none() {
    let mut desk = long();
    assert_eq!(desk.quote("MNQ", "20990"), "");
    desk.position("MNQ", 0, "21000");
    desk.later(9_000).position("MNQ", 2, "21000");
    assert_eq!(
        desk.engine.market().price(&contract("MNQ")).map(|it| it.to_string()).as_deref(),
        Some("20990")
    );
    desk.position("MNQ", 0, "21000");
    desk.later(10_000);
    assert_eq!(desk.position("MNQ", 2, "21100"), "", "-220.00 by the price of before");
    assert_eq!(desk.engine.market().price(&contract("MNQ")), None);
    assert_eq!(desk.quote("MNQ", "21050"), "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00");
}

/// A restart in a position values it before the broker has told anew what the contract is worth.
#[test]
fn metadata_that_is_remembered_counts_until_it_is_told_anew() {
    let mut desk = Desk::down(only(|_| {}));
    let instrument = |value: &str| Instrument {
        contract: contract("MNQ"),
        symbol: "MNQ".into(),
        name: "MNQZ5".to_string(),
        tick_size: "0.25".parse().unwrap(),
        tick_value: usd(value),
        active: true,
    };
    desk.restored(Memory { instruments: vec![instrument("0.50")], ..Memory::default() });
    desk.hold("MNQ", 2, "21000");
    let asks = |desk: &mut Desk, event: Event| {
        let asked = desk.engine.step(desk.now, &event).into_iter();
        asked.filter(|it| matches!(it, Action::Ask(Question::Instrument { .. }))).count()
    };
    desk.send(Event::Link(domain::Link::MarketUp));
    let snapshot = desk.snapshot(desk.now, &[]);
    assert_eq!(asks(&mut desk, snapshot), 1, "it may have changed meanwhile");
    assert!(desk.engine.market().instrument(&contract("MNQ")).is_some());
    desk.later(1_000);
    assert_eq!(asks(&mut desk, Event::Instrument(instrument("0.60"))), 0);
    assert_eq!(desk.engine.market().instrument(&contract("MNQ")), Some(&instrument("0.60")));
    desk.later(59 * 60_000);
    assert_eq!(asks(&mut desk, Event::Tick), 0);
    desk.later(60_000);
    assert_eq!(asks(&mut desk, Event::Tick), 1, "an hour later");
    desk.later(1_000);
    assert_eq!(asks(&mut desk, Event::Tick), 0, "once");
}

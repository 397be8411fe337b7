//! RULE-006, 3 a minute, 10 an hour, 50 a trading day.

use domain::{
    Event, Fill, Memory,
    OrderSide::{Buy, Sell},
    RuleMode, Rulebook,
    memory::{KnownFill, Managed},
    rulebook::TradeCount,
};

use crate::desk::{ACCOUNT, Desk, contract, only};

fn rulebook() -> Rulebook {
    only(|rules| rules.trade_frequency_limit.enabled = true)
}

fn counting(count: TradeCount) -> Rulebook {
    let mut rulebook = rulebook();
    rulebook.base.trade_frequency_limit.settings.count = count;
    rulebook
}

fn desk() -> Desk {
    Desk::new(rulebook())
}

/// A trade of one contract: its fill, then its position.
fn buy(desk: &mut Desk, time: &str, held: i64) -> String {
    let fill = desk.at(time).fill("MNQ", Buy, 1, "21000", "");
    let position = desk.position("MNQ", held, "21000");
    [fill, position].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Trades at these times, none of which reaches a limit.
fn trades(desk: &mut Desk, times: &[&str]) {
    for time in times {
        assert_eq!(desk.at(time).fill("MES", Buy, 1, "6000", ""), "", "{time}");
    }
}

fn kept(fill: &Fill) -> KnownFill {
    KnownFill { fill: fill.clone(), own: false, locked: false }
}

const MINUTE_LOCK: &str = "lock TIMER trade_frequency_limit per_minute until 10-29 10:01:40";

#[test]
fn rule_006_scenario_1() {
    let mut desk = desk();
    assert_eq!(buy(&mut desk, "10:00:00", 1), "");
    assert_eq!(buy(&mut desk, "10:00:20", 2), "");
    assert_eq!(buy(&mut desk, "10:00:40", 3), MINUTE_LOCK, "its position stays");
    assert_eq!(desk.at("10:01:39").tick(), "");
    assert_eq!(desk.at("10:01:40").tick(), "unlock trade_frequency_limit expiry");
}

#[test]
fn rule_006_scenario_2() {
    let mut desk = desk();
    trades(&mut desk, &["10:00:00", "10:00:30", "10:01:00.000"]);
    let mut desk = self::desk();
    trades(&mut desk, &["10:00:00.001", "10:00:30"]);
    assert!(!desk.at("10:01:00.000").fill("MES", Buy, 1, "6000", "").is_empty(), "not yet 60 s old");
}

#[test]
fn rule_006_scenario_3() {
    let mut desk = desk();
    let first = desk.fill_of("MNQ", Buy, 1, "21000", "");
    desk.send(Event::Fill(first.clone()));
    for size in [2, 1, 1] {
        let more = desk.fill_more(&first, size, "");
        assert_eq!(desk.send(Event::Fill(more)), "");
    }
    assert_eq!(desk.gauges(), ["1 of 3 per_minute", "1 of 10 per_hour", "1 of 50 per_session"]);
}

/// Three trades, the last at 10:00:40: TIMER until 10:01:40, one contract held.
fn locked() -> Desk {
    let mut desk = desk();
    trades(&mut desk, &["10:00:00", "10:00:20"]);
    desk.reconcile(&[]);
    assert_eq!(buy(&mut desk, "10:00:40", 1), MINUTE_LOCK);
    desk
}

#[test]
fn rule_006_scenario_4() {
    let mut desk = locked();
    assert_eq!(
        buy(&mut desk, "10:01:00", 2),
        "reduce MNQ to 1 by trade_frequency_limit: 2 while 1 permitted by trade_frequency_limit"
    );
    desk.obey();
    assert_eq!(desk.gauges()[1], "3 of 10 per_hour", "what a lockout consumed does not count");
    assert_eq!(desk.lockouts(), ["TIMER trade_frequency_limit per_minute until 10-29 10:01:40"]);
}

#[test]
fn rule_006_scenario_5() {
    let mut desk = locked();
    desk.at("10:01:10").fill("MNQ", Sell, 1, "21000", "5");
    assert_eq!(desk.position("MNQ", 0, "21000"), MINUTE_LOCK, "the lower baseline is written down");
    assert_eq!(
        buy(&mut desk, "10:01:20", 1),
        "close MNQ by trade_frequency_limit: 1 while 0 permitted by trade_frequency_limit"
    );
}

#[test]
fn rule_006_scenario_6() {
    let mut desk = Desk::down(rulebook());
    desk.at("09:30:00").start();
    let earlier = ["09:35:00", "09:40:00", "09:45:00", "09:50:00", "09:55:00", "10:00:00", "10:10:00"];
    trades(&mut desk, &earlier);
    trades(&mut desk, &["10:29:20", "10:29:40"]);
    assert_eq!(
        desk.at("10:30:00").fill("MES", Buy, 1, "6000", ""),
        "lock TIMER trade_frequency_limit per_minute until 10-29 10:31:00\n\
         lock TIMER trade_frequency_limit per_hour until 10-29 11:00:00"
    );
    assert_eq!(desk.at("10:31:00").tick(), "unlock trade_frequency_limit expiry");
    assert_eq!(desk.lockouts(), ["TIMER trade_frequency_limit per_hour until 10-29 11:00:00"]);
    desk.at("11:00:00").tick();
    assert!(desk.lockouts().is_empty());
}

#[test]
fn rule_006_scenario_7() {
    let mut first = Desk::down(rulebook());
    first.at("10:20:00").start();
    let mut fills = Vec::new();
    for minute in 21..=30 {
        first.at(&format!("10:{minute}:00"));
        let fill = first.fill_of("MES", Buy, 1, "6000", "");
        first.send(Event::Fill(fill.clone()));
        fills.push(fill);
        first.position("MES", i64::try_from(fills.len()).unwrap(), "6000");
    }
    let lockouts: Vec<_> = first.engine.accounts().flat_map(|it| it.lockouts().iter().cloned()).collect();
    assert_eq!(first.lockouts(), ["TIMER trade_frequency_limit per_hour until 10-29 11:00:00"]);

    let mut desk = Desk::down(rulebook());
    let mut memory = Memory::default();
    let account = memory.accounts.entry(ACCOUNT.into()).or_default();
    account.lockouts = lockouts;
    account.fills = fills.iter().map(kept).collect();
    desk.at("10:46:00").hold("MES", 10, "6000");
    desk.restored(memory);
    desk.send(Event::Link(domain::Link::UserUp));
    assert_eq!(desk.reconcile(&fills), "", "no new breach");
    assert_eq!(desk.lockouts(), ["TIMER trade_frequency_limit per_hour until 10-29 11:00:00"]);
    assert!(desk.position("MNQ", 1, "21000").starts_with("close MNQ"), "still locked");
    desk.obey();
    assert!(desk.at("11:00:00").tick().starts_with("unlock trade_frequency_limit expiry"));
}

/// Our own stop filled while nothing ran: its fill carries no tag, and is no trade of the trader's.
#[test]
fn an_automatic_stop_that_filled_while_nothing_ran_is_not_counted() {
    let after = |stop_is_ours: bool| {
        let mut desk = Desk::down(rulebook());
        desk.at("10:20:00");
        let mut fills: Vec<Fill> = (0..2).map(|_| desk.fill_of("MES", Buy, 1, "6000", "")).collect();
        fills.push(desk.later(5_000).fill_of("MES", Sell, 2, "5999", "-10"));
        let mut memory = Memory::default();
        let account = memory.accounts.entry(ACCOUNT.into()).or_default();
        account.fills = fills[..2].iter().map(kept).collect();
        let stop = stop_is_ours.then(|| fills[2].order.clone());
        let managed = Managed { stop, ..managed() };
        account.managed.insert(contract("MES"), managed);
        desk.later(5_000).restored(memory);
        desk.send(Event::Link(domain::Link::UserUp));
        desk.reconcile(&fills);
        desk.lockouts().len()
    };
    assert_eq!((after(true), after(false)), (0, 1), "the third trade of a minute locks");
}

fn managed() -> Managed {
    Managed {
        position: 1.into(),
        best: None,
        stop: None,
        target: None,
        breakeven_done: false,
        trailing: false,
        stops_lost: 0,
        target_lost: false,
    }
}

#[test]
fn rule_006_scenario_8() {
    let mut desk = Desk::down(rulebook());
    desk.at("2025-10-28T20:00:00").start();
    for trade in 0..49 {
        desk.later(if trade == 0 { 0 } else { 7 * 60 * 1000 + 60 * 1000 });
        assert_eq!(desk.fill("MES", Buy, 1, "6000", ""), "");
    }
    assert_eq!(
        desk.at("16:30:00").fill("MES", Buy, 1, "6000", ""),
        "lock TIMER trade_frequency_limit per_session until 10-29 17:30:00"
    );
    assert_eq!(desk.at("17:00:00").tick(), "day 2025-10-30");
    assert_eq!(desk.lockouts(), ["TIMER trade_frequency_limit per_session until 10-29 17:30:00"]);
    assert_eq!(desk.gauges()[2], "0 of 50 per_session");
    assert_eq!(desk.at("17:30:00").tick(), "unlock trade_frequency_limit expiry");
}

/// The Nth trade is kept whole: its further parts are no new exposure, whichever is told first.
#[test]
fn the_trade_that_reaches_the_limit_is_kept_whole() {
    for position_first in [false, true] {
        let mut desk = desk();
        trades(&mut desk, &["10:00:00", "10:00:20"]);
        desk.reconcile(&[]);
        desk.at("10:00:40");
        let mut fill = desk.fill_of("MNQ", Buy, 1, "21000", "");
        fill.order = 7.into();
        let order = desk.order(7, "MNQ", Buy, domain::OrderKind::Market, 5, "0");
        desk.send(order);
        if position_first {
            assert_eq!(desk.position("MNQ", 5, "21000"), "");
        }
        assert_eq!(desk.send(Event::Fill(fill.clone())), MINUTE_LOCK);
        let more = desk.fill_more(&fill, 4, "");
        assert_eq!(desk.send(Event::Fill(more)), "");
        assert_eq!(desk.position("MNQ", 5, "21000"), "");
        assert_eq!(desk.end_order(7, domain::OrderStatus::Filled), "");
        assert_eq!(
            desk.position("MNQ", 6, "21000"),
            "reduce MNQ to 5 by trade_frequency_limit: 6 while 5 permitted by trade_frequency_limit"
        );
    }
}

/// What the gate cancels of the Nth trade's order is no room for another one.
#[test]
fn a_rest_that_does_not_fill_leaves_no_room() {
    let mut desk = desk();
    trades(&mut desk, &["10:00:00", "10:00:20"]);
    desk.reconcile(&[]);
    desk.at("10:00:40").limit(7, "MNQ", Buy, 5, "21000");
    let mut fill = desk.fill_of("MNQ", Buy, 2, "21000", "");
    fill.order = 7.into();
    assert!(desk.send(Event::Fill(fill)).ends_with("cancel 7 by trade_frequency_limit: 3 of 3 per_minute"));
    assert_eq!(desk.position("MNQ", 2, "21000"), "");
    desk.fill_order(7, 2);
    assert_eq!(desk.end_order(7, domain::OrderStatus::Cancelled), MINUTE_LOCK, "the baseline goes down");
    assert!(desk.position("MNQ", 3, "21000").starts_with("reduce MNQ to 2 by trade_frequency_limit"));
}

#[test]
fn the_baseline_counts_a_fill_whose_position_is_not_told_yet() {
    let mut desk = desk();
    trades(&mut desk, &["10:00:00", "10:00:20"]);
    desk.reconcile(&[]);
    assert_eq!(desk.at("10:00:40").fill("MNQ", Sell, 2, "21000", ""), MINUTE_LOCK);
    let lockout = desk.engine.accounts().next().unwrap().lockouts().iter().next().unwrap().clone();
    assert_eq!(lockout.baseline[&contract("MNQ")], domain::Exposure(-2));
}

/// Ruling 10: sliding windows may still be full when the cooldown ends; only the next trade counts.
#[test]
fn the_end_of_a_cooldown_is_no_breach_and_the_next_trade_is() {
    let mut desk = Desk::new({
        let mut rulebook = rulebook();
        rulebook.base.trade_frequency_limit.settings.per_minute.cooldown_seconds = 5;
        rulebook
    });
    trades(&mut desk, &["10:00:00", "10:00:20"]);
    desk.at("10:00:40").fill("MES", Buy, 1, "6000", "");
    assert_eq!(desk.at("10:00:45").tick(), "unlock trade_frequency_limit expiry");
    assert_eq!(desk.reconcile(&[]), "", "asked again, nothing new");
    assert_eq!(desk.later(1_000).tick(), "");
    assert_eq!(
        desk.at("10:00:50").fill("MES", Buy, 1, "6000", ""),
        "lock TIMER trade_frequency_limit per_minute until 10-29 10:00:55"
    );
}

#[test]
fn a_voided_fill_lowers_the_count_and_the_lockout_stays() {
    let mut desk = desk();
    trades(&mut desk, &["10:00:00", "10:00:20"]);
    desk.at("10:00:40");
    let fill = desk.fill_of("MES", Buy, 1, "6000", "");
    assert_eq!(desk.send(Event::Fill(fill.clone())), MINUTE_LOCK);
    assert_eq!(desk.send(Event::Fill(Fill { voided: true, ..fill })), "");
    assert_eq!(desk.gauges()[0], "2 of 3 per_minute");
    assert_eq!(desk.lockouts().len(), 1);
}

/// Specification B.14: delivered by the hub, again by the hub and by the reconcile: one unit.
#[test]
fn a_fill_is_one_trade_however_often_it_is_told() {
    let mut desk = desk();
    let fills: Vec<Fill> = (0..2).map(|_| desk.fill_of("MES", Buy, 1, "6000", "")).collect();
    for fill in fills.iter().chain(&fills) {
        assert_eq!(desk.send(Event::Fill(fill.clone())), "");
    }
    assert_eq!(desk.reconcile(&fills), "");
    assert_eq!(desk.gauges()[0], "2 of 3 per_minute");
}

/// A reconcile tells what the stream lost: the third trade counts from its own time.
#[test]
fn fills_that_only_a_reconcile_tells_count_from_their_own_time() {
    let mut desk = desk();
    let fills: Vec<Fill> = ["10:00:00", "10:00:20", "10:00:40"]
        .map(|time| desk.at(time).fill_of("MES", Buy, 1, "6000", ""))
        .into();
    desk.at("10:01:10");
    assert_eq!(desk.reconcile(&fills), MINUTE_LOCK);
    let mut late = self::desk();
    assert_eq!(late.at("10:02:00").reconcile(&fills), "", "the break would be over");
}

/// Own closes never count, whether the hub or a reconcile tells them.
#[test]
fn own_closes_do_not_count() {
    let closed = || {
        let mut desk = Desk::new({
            let mut rulebook = rulebook();
            rulebook.base.max_contracts.enabled = true;
            rulebook
        });
        desk.position("MNQ", 6, "21000");
        desk.obey();
        desk
    };
    let mut told_by_hub = closed();
    told_by_hub.fill("MNQ", Sell, 1, "21000", "0");
    assert_eq!(told_by_hub.gauges()[0], "0 of 3 per_minute");
    let mut told_late = closed();
    let fill = told_late.fill_of("MNQ", Sell, 1, "21000", "0");
    told_late.later(30_000).reconcile(&[fill]);
    assert_eq!(told_late.gauges()[0], "0 of 3 per_minute");
    told_late.later(5_000).fill("MNQ", Sell, 1, "21000", "0");
    assert_eq!(told_late.gauges()[0], "1 of 3 per_minute", "the trader's own exit");
}

#[test]
fn entries_are_orders_that_opened_or_enlarged() {
    let mut desk = Desk::new(counting(TradeCount::Entries));
    desk.fill("MNQ", Buy, 2, "21000", "");
    desk.fill("MNQ", Sell, 1, "21000", "5");
    assert_eq!(desk.gauges()[0], "1 of 3 per_minute", "an exit is none");
    desk.fill("MNQ", Sell, 3, "21000", "5");
    assert_eq!(desk.gauges()[0], "2 of 3 per_minute", "a turn opens the other side");
    assert_eq!(
        desk.fill("MNQ", Sell, 1, "21000", ""),
        "lock TIMER trade_frequency_limit per_minute until 10-29 10:01:00"
    );
}

#[test]
fn round_turns_are_returns_to_flat() {
    let mut desk = Desk::new(counting(TradeCount::RoundTurns));
    desk.fill("MNQ", Buy, 2, "21000", "");
    desk.fill("MNQ", Sell, 1, "21000", "5");
    assert_eq!(desk.gauges()[0], "0 of 3 per_minute");
    desk.fill("MNQ", Sell, 1, "21000", "5");
    assert_eq!(desk.gauges()[0], "1 of 3 per_minute");
    desk.fill("ES", Buy, 1, "6000", "");
    desk.fill("ES", Sell, 2, "6000", "5");
    assert_eq!(desk.gauges()[0], "2 of 3 per_minute", "a turn ends a position too");
    assert_eq!(
        desk.fill("ES", Buy, 1, "6000", "5"),
        "lock TIMER trade_frequency_limit per_minute until 10-29 10:01:00"
    );
}

#[test]
fn a_window_can_be_off_and_positions_can_be_closed() {
    let mut desk = Desk::new({
        let mut rulebook = rulebook();
        let settings = &mut rulebook.base.trade_frequency_limit.settings;
        settings.per_minute.limit = None;
        settings.per_hour.limit = Some(2);
        settings.close_positions = true;
        rulebook
    });
    assert_eq!(desk.gauges(), ["0 of 2 per_hour", "0 of 50 per_session"]);
    desk.position("MNQ", 1, "21000");
    desk.fill("MES", Buy, 1, "6000", "");
    assert_eq!(
        desk.fill("MES", Buy, 1, "6000", ""),
        "lock TIMER trade_frequency_limit per_hour until 10-29 10:30:00\n\
         flatten by trade_frequency_limit: 2 of 2 per_hour"
    );
    assert_eq!(desk.obey(), "");
    assert!(desk.position("MNQ", 1, "21000").starts_with("close MNQ by trade_frequency_limit"));
}

#[test]
fn observed_it_tells_each_breach_and_locks_nothing() {
    let mut desk = Desk::new({
        let mut rulebook = rulebook();
        rulebook.base.trade_frequency_limit.mode = RuleMode::Observe;
        rulebook
    });
    trades(&mut desk, &["10:00:00", "10:00:20"]);
    assert_eq!(
        desk.at("10:00:40").fill("MES", Buy, 1, "6000", ""),
        "observe trade_frequency_limit: 3 of 3 per_minute"
    );
    assert_eq!(desk.tick(), "");
    assert!(desk.lockouts().is_empty());
}

/// What is closed of a position is decided when the close leaves: by then it may have grown.
#[test]
fn a_close_of_ours_that_takes_more_than_was_decided_is_no_trade() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_frequency_limit.enabled = true;
        rules.max_contracts_per_instrument.enabled = true;
        rules.max_contracts_per_instrument.settings.default_limit = Some(domain::Contracts(2));
    }));
    desk.fill("MES", Buy, 3, "6000", "");
    assert_eq!(desk.position("MES", 3, "6000").lines().count(), 1, "one is to be closed");
    desk.later(50).fill("MES", Buy, 3, "6000", "");
    desk.position("MES", 6, "6000");
    assert_eq!(desk.later(50).fill("MES", Sell, 4, "6000", "0"), "", "ours: the third trade would lock");
    assert_eq!(desk.later(50).fill("MES", Buy, 1, "6000", "").lines().count(), 1, "his does");
}

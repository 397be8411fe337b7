//! RULE-012 Trade management: the scenarios of specification B.12 and its edge cases.

use domain::{
    Command, ContractId, Event, LockEnd, Memory, OrderKind, OrderSide, OrderStatus, Outcome, RuleMode,
    Rulebook, memory::AccountMemory, rulebook::TradeManagementValues,
};

use crate::desk::{ACCOUNT, Desk, contract, only};

fn with(change: impl FnOnce(&mut TradeManagementValues)) -> Rulebook {
    only(|rules| {
        rules.trade_management.enabled = true;
        change(&mut rules.trade_management.settings.values);
    })
}

fn without_target() -> Rulebook {
    with(|values| values.take_profit.enabled = false)
}

/// MNQ long 1 @ 21,000.00 with what the rule placed for it: 9001 is the stop, 9002 the target.
fn long_one(rulebook: Rulebook) -> Desk {
    let mut desk = Desk::new(rulebook);
    desk.quote("MNQ", "21000.00");
    desk.position("MNQ", 1, "21000.00");
    desk.obey();
    desk
}

#[test]
fn rule_012_scenario_1() {
    let mut desk = Desk::new(with(|_| {}));
    desk.quote("MNQ", "21000.00");
    assert_eq!(
        desk.position("MNQ", 1, "21000.00"),
        "place stop sell 1 mnq @ 20997.5 by trade_management: stoploss\n\
         place target sell 1 mnq @ 21005 by trade_management: takeprofit"
    );
    assert_eq!(desk.obey(), "", "once");
}

#[test]
fn rule_012_scenario_2() {
    let mut desk = Desk::new(with(|_| {}));
    desk.quote("ES", "5800.00");
    assert_eq!(
        desk.position("ES", -1, "5800.00"),
        "place stop buy 1 es @ 5802.5 by trade_management: stoploss\n\
         place target buy 1 es @ 5795 by trade_management: takeprofit"
    );
}

#[test]
fn rule_012_scenario_3() {
    let mut desk = long_one(with(|_| {}));
    assert_eq!(desk.later(2_000).quote("MNQ", "21002.25"), "");
    assert_eq!(
        desk.later(2_000).quote("MNQ", "21002.50"),
        "change 9001 to stop sell 1 mnq @ 21000.25 by trade_management: breakeven"
    );
}

#[test]
fn rule_012_scenario_4() {
    let mut desk = Desk::new(with(|_| {}));
    desk.quote("ES", "5800.00");
    desk.position("ES", -1, "5800.00");
    desk.obey();
    assert_eq!(
        desk.later(2_000).quote("ES", "5797.50"),
        "change 9001 to stop buy 1 es @ 5799.75 by trade_management: breakeven"
    );
}

#[test]
fn rule_012_scenario_5() {
    let mut desk = long_one(without_target());
    assert_eq!(
        desk.later(2_000).quote("MNQ", "21005.00"),
        "change 9001 to stop sell 1 mnq @ 21002.5 by trade_management: trailing"
    );
    desk.obey();
    assert_eq!(
        desk.later(2_000).quote("MNQ", "21007.25"),
        "change 9001 to stop sell 1 mnq @ 21004.75 by trade_management: trailing"
    );
    desk.obey();
    assert_eq!(desk.later(2_000).quote("MNQ", "21005.50"), "");
}

#[test]
fn rule_012_scenario_6() {
    let mut desk = long_one(without_target());
    assert_eq!(
        desk.later(2_000).position("MNQ", 2, "21000.125"),
        "change 9001 to stop sell 2 mnq @ 20997.75 by trade_management: stoploss"
    );
}

#[test]
fn rule_012_scenario_7() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.stop(5, "MNQ", OrderSide::Sell, 1, "20999.00");
    assert_eq!(desk.position("MNQ", 1, "21000.00"), "");
}

#[test]
fn rule_012_scenario_8() {
    let mut desk = long_one(with(|_| {}));
    assert_eq!(
        desk.later(2_000).position("MNQ", 0, "21000.00"),
        "cancel 9001, 9002 by trade_management: leftover"
    );
    assert_eq!(desk.obey(), "");
    assert_eq!(desk.later(5_000).tick(), "");
}

/// The broker refuses to move a stop; a moment later its position ends. The stop would open a new one.
#[test]
fn a_stop_that_could_not_be_moved_goes_with_its_position() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.position("MNQ", 1, "21000.00");
    desk.obey();
    assert!(desk.later(2_000).position("MNQ", 2, "21000.00").starts_with("change 9001 to stop sell 2 mnq"));
    let change = desk.ordered();
    desk.report(&change, None, Outcome::Failed { why: "Invalid stop price".to_string() });
    assert_eq!(desk.later(2_000).tick(), "", "it keeps still for a while");
    assert_eq!(desk.position("MNQ", 0, "21000.00"), "cancel 9001 by trade_management: leftover");
}

/// Two resting orders are not linked: the second may fill before its cancel arrives (ruling 17).
#[test]
fn a_position_born_from_our_own_leftover_is_closed_as_our_effect() {
    let mut desk = long_one(with(|_| {}));
    desk.later(2_000).position("MNQ", 0, "21000.00");
    let order = desk.order(9001, "MNQ", OrderSide::Sell, OrderKind::Stop, 1, "20997.50");
    let Event::Order(order) = order else { unreachable!() };
    let mut fill = desk.fill_of("MNQ", OrderSide::Sell, 1, "20997.50", "");
    fill.order = order.id;
    desk.later(20).send(Event::Fill(fill));
    assert_eq!(desk.position("MNQ", -1, "20997.50"), "close MNQ by trade_management: own effect 1");
}

/// The same with the news of the fills before any of the position.
#[test]
fn both_orders_filled_before_the_position_is_heard_of() {
    let mut desk = Desk::new(with(|_| {}));
    desk.quote("MNQ", "21000.00");
    desk.fill("MNQ", OrderSide::Buy, 1, "21000.00", "");
    desk.position("MNQ", 1, "21000.00");
    desk.obey();
    for (order, price) in [(9002, "21005.00"), (9001, "20997.50")] {
        let mut fill = desk.fill_of("MNQ", OrderSide::Sell, 1, price, "");
        fill.order = order.into();
        assert_eq!(desk.later(5).send(Event::Fill(fill)), "");
    }
    let lines = desk.position("MNQ", -1, "20997.50");
    assert!(lines.contains("close MNQ by trade_management: own effect 1"), "{lines}");
}

/// A trader who turns his position is not taken for an effect of ours.
#[test]
fn a_turn_after_our_target_filled_is_the_traders() {
    let mut desk = Desk::new(with(|_| {}));
    desk.quote("MNQ", "21000.00");
    desk.fill("MNQ", OrderSide::Buy, 1, "21000.00", "");
    desk.position("MNQ", 1, "21000.00");
    desk.obey();
    let mut fill = desk.fill_of("MNQ", OrderSide::Sell, 1, "21005.00", "5.00");
    fill.order = 9002.into();
    desk.later(5).send(Event::Fill(fill));
    desk.end_order(9002, OrderStatus::Filled);
    desk.position("MNQ", 0, "21000.00");
    desk.obey();
    desk.later(1_000).fill("MNQ", OrderSide::Sell, 1, "21005.00", "");
    let lines = desk.position("MNQ", -1, "21005.00");
    assert!(!lines.contains("close") && lines.contains("place stop buy 1"), "{lines}");
}

#[test]
fn a_part_of_the_traders_stop_is_completed_not_doubled() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.stop(5, "MNQ", OrderSide::Sell, 1, "20999.00");
    let placed = "place stop sell 2 mnq @ 20997.5 by trade_management: stoploss";
    assert_eq!(desk.position("MNQ", 3, "21000.00"), placed);
    desk.obey();
    assert_eq!(
        desk.stop(6, "MNQ", OrderSide::Sell, 1, "20998.00"),
        "change 9001 to stop sell 1 mnq @ 20997.5 by trade_management: stoploss"
    );
    desk.obey();
    assert_eq!(
        desk.stop(7, "MNQ", OrderSide::Sell, 1, "20990.00"),
        "",
        "a farther stop replaces none of ours"
    );
    assert_eq!(
        desk.stop(8, "MNQ", OrderSide::Sell, 1, "20998.50"),
        "cancel 9001 by trade_management: stoploss"
    );
}

#[test]
fn the_stop_of_a_bracket_is_waited_for() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    let entry = desk.order(5, "MNQ", OrderSide::Buy, OrderKind::Market, 1, "");
    let Event::Order(mut child) = desk.order(6, "MNQ", OrderSide::Sell, OrderKind::Stop, 1, "20990") else {
        unreachable!()
    };
    child.status = OrderStatus::Suspended;
    child.stop_price = None;
    child.parent = Some(5.into());
    desk.send(Event::Order(child.clone()));
    desk.send(entry);
    assert_eq!(desk.position("MNQ", 1, "21000.00"), "");
    desk.end_order(5, OrderStatus::Filled);
    child.status = OrderStatus::Open;
    child.stop_price = Some(domain::Price(20_990.into()));
    assert_eq!(desk.later(20).send(Event::Order(child)), "");
}

#[test]
fn the_traders_stop_is_moved_to_breakeven_and_never_loosened() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.stop(5, "MNQ", OrderSide::Sell, 1, "20990.00");
    desk.position("MNQ", 1, "21000.00");
    let moved = "change 5 to stop sell 1 mnq @ 21000.25 by trade_management: breakeven";
    assert_eq!(desk.later(2_000).quote("MNQ", "21002.50"), moved);
    desk.obey();
    desk.later(2_000).quote("MNQ", "21004.75");
    let tight = desk.order(5, "MNQ", OrderSide::Sell, OrderKind::Stop, 1, "21004.00");
    assert_eq!(desk.later(2_000).send(tight), "");
    assert_eq!(desk.later(2_000).quote("MNQ", "21005.00"), "", "21,002.50 would be farther");
}

/// The news of its fill is on the way: a second stop would be left without a position.
#[test]
fn a_stop_that_the_market_has_passed_is_not_replaced() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.stop(5, "MNQ", OrderSide::Sell, 1, "20999.00");
    desk.position("MNQ", 1, "21000.00");
    assert_eq!(desk.later(2_000).quote("MNQ", "20998.00"), "");
}

#[test]
fn breakeven_is_done_once() {
    let mut desk = Desk::new(with(|values| {
        values.take_profit.enabled = false;
        values.trailing.enabled = false;
    }));
    desk.quote("MNQ", "21000.00");
    desk.stop(5, "MNQ", OrderSide::Sell, 1, "20990.00");
    desk.position("MNQ", 1, "21000.00");
    desk.later(2_000).quote("MNQ", "21002.50");
    desk.obey();
    let loosened = desk.order(5, "MNQ", OrderSide::Sell, OrderKind::Stop, 1, "20995.00");
    assert_eq!(desk.later(2_000).send(loosened), "");
    assert_eq!(desk.later(2_000).quote("MNQ", "21003.00"), "");
}

#[test]
fn a_deleted_stop_is_placed_again_once_and_then_left_alone() {
    let mut desk = long_one(without_target());
    assert_eq!(
        desk.later(2_000).end_order(9001, OrderStatus::Cancelled),
        "place stop sell 1 mnq @ 20997.5 by trade_management: stoploss"
    );
    desk.obey();
    assert_eq!(desk.later(2_000).end_order(9002, OrderStatus::Cancelled), "alert: MNQ left alone");
    assert_eq!(desk.later(2_000).quote("MNQ", "21001.00"), "");
    desk.position("MNQ", 0, "21000.00");
    assert!(desk.later(2_000).position("MNQ", 1, "21001.00").starts_with("place stop"), "a new position");
}

#[test]
fn a_deleted_target_is_left_alone() {
    let mut desk = long_one(with(|_| {}));
    assert_eq!(desk.later(2_000).end_order(9002, OrderStatus::Cancelled), "");
    assert_eq!(desk.later(2_000).quote("MNQ", "21001.00"), "");
}

#[test]
fn cancel_all_counts_as_a_deletion() {
    let mut desk = long_one(with(|_| {}));
    let command = Command::CancelAll { account: None };
    assert_eq!(desk.later(2_000).send(Event::Command(command)), "cancel 9001, 9002 by trader: cancel");
    assert_eq!(desk.obey(), "place stop sell 1 mnq @ 20997.5 by trade_management: stoploss");
}

#[test]
fn a_stop_that_filled_is_not_replaced_before_its_position_is_heard_of() {
    let mut desk = long_one(without_target());
    let Event::Order(mut stop) = desk.order(9001, "MNQ", OrderSide::Sell, OrderKind::Stop, 1, "20997.50")
    else {
        unreachable!()
    };
    stop.tag = Some("rm-trade_management-1".to_string());
    stop.filled = stop.size;
    stop.status = OrderStatus::Filled;
    assert_eq!(desk.later(2_000).send(Event::Order(stop)), "");
    assert_eq!(desk.later(100).quote("MNQ", "20997.00"), "");
    desk.forget_order(9001);
    assert_eq!(desk.later(100).position("MNQ", 0, "21000.00"), "");
}

#[test]
fn sizes_follow_the_position() {
    let mut desk = Desk::new(with(|_| {}));
    desk.quote("MNQ", "21000.00");
    desk.position("MNQ", 3, "21000.00");
    desk.obey();
    assert_eq!(
        desk.later(100).position("MNQ", 1, "21000.00"),
        "change 9001 to stop sell 1 mnq @ 20997.5 by trade_management: stoploss\n\
         change 9002 to target sell 1 mnq @ 21005 by trade_management: takeprofit"
    );
    desk.obey();
    assert_eq!(desk.later(3_000).tick(), "", "nothing is left over");
}

#[test]
fn a_target_follows_the_average_entry_and_rounds_towards_it() {
    let mut desk = long_one(with(|values| values.stop_loss.enabled = false));
    assert_eq!(
        desk.later(100).position("MNQ", 2, "21000.125"),
        "change 9001 to target sell 2 mnq @ 21005 by trade_management: takeprofit"
    );
    desk.obey();
    let mut short = Desk::new(with(|values| values.stop_loss.enabled = false));
    short.quote("MNQ", "21000.00");
    assert_eq!(
        short.position("MNQ", -2, "21000.125"),
        "place target buy 2 mnq @ 20995.25 by trade_management: takeprofit"
    );
}

#[test]
fn a_target_that_the_trader_moved_stays_where_it_is() {
    let mut desk = long_one(with(|_| {}));
    let Event::Order(mut target) = desk.order(9002, "MNQ", OrderSide::Sell, OrderKind::Limit, 1, "21010")
    else {
        unreachable!()
    };
    target.tag = Some("rm-trade_management-2".to_string());
    assert_eq!(desk.later(2_000).send(Event::Order(target)), "");
}

#[test]
fn a_turned_position_gets_new_orders_after_the_old_ones_are_gone() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.position("MNQ", 2, "21000.00");
    desk.obey();
    assert_eq!(desk.later(100).position("MNQ", -1, "20999.00"), "cancel 9001 by trade_management: leftover");
    assert_eq!(desk.obey(), "place stop buy 1 mnq @ 21001.5 by trade_management: stoploss");
}

#[test]
fn a_stop_beyond_the_market_is_placed_at_the_nearest_tick() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "20990.00");
    assert_eq!(
        desk.position("MNQ", 1, "21000.00"),
        "place stop sell 1 mnq @ 20989.75 by trade_management: stoploss\n\
         alert: stop at 20989.75, not 20997.5"
    );
}

#[test]
fn moves_are_a_second_apart_and_at_least_a_tick() {
    let mut desk = long_one(without_target());
    desk.later(2_000).quote("MNQ", "21005.00");
    desk.obey();
    assert_eq!(desk.later(300).quote("MNQ", "21006.00"), "");
    assert_eq!(desk.later(300).quote("MNQ", "21006.10"), "", "less than a tick");
    desk.later(1_000);
    assert_eq!(desk.tick(), "change 9001 to stop sell 1 mnq @ 21003.75 by trade_management: trailing");
}

#[test]
fn late_quotes_move_nothing_and_the_stop_stays() {
    let mut desk = long_one(without_target());
    desk.stamped("MNQ", "21000.00", 0);
    desk.later(2_000).stamped("MNQ", "21000.00", 0);
    assert_eq!(desk.later(2_000).stamped("MNQ", "21005.00", 1_500), "alert: MNQ late by 1500 ms");
    assert_eq!(desk.later(1_000).tick(), "");
}

#[test]
fn nothing_is_placed_for_a_position_that_is_being_closed() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_management.enabled = true;
        rules.symbol_blocks.enabled = true;
        rules.symbol_blocks.settings.patterns = vec!["MNQ".to_string()];
    }));
    desk.quote("MNQ", "21000.00");
    let lines = desk.position("MNQ", 1, "21000.00");
    assert!(lines.contains("close MNQ") && !lines.contains("place"), "{lines}");
}

#[test]
fn our_orders_go_with_the_position_that_we_close() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_management.enabled = true;
        rules.daily_unrealized_loss.enabled = true;
        rules.daily_unrealized_loss.settings.limit = crate::desk::usd("-4");
    }));
    desk.quote("MNQ", "21000.00");
    desk.position("MNQ", 1, "21000.00");
    desk.obey();
    assert_eq!(
        desk.later(2_000).quote("MNQ", "20998.00"),
        "close MNQ by daily_unrealized_loss: MNQ -4.00 of -4.00\n\
         cancel 9001, 9002 by daily_unrealized_loss: MNQ -4.00 of -4.00"
    );
    assert_eq!(desk.obey(), "", "nothing comes back");
}

#[test]
fn a_cooldown_keeps_protection_and_allows_no_new_target() {
    let mut desk = Desk::new(with(|_| {}));
    desk.quote("MNQ", "21000.00");
    let mut baseline = std::collections::BTreeMap::new();
    baseline.insert(contract("MNQ"), domain::Exposure(1));
    let lockout = domain::Lockout {
        key: domain::LockKey {
            account: ACCOUNT.into(),
            rule: domain::RuleKey::TradeFrequencyLimit,
            symbol: None,
            cause: "per_minute".to_string(),
        },
        kind: domain::LockKind::Timer,
        breach: domain::Breach::CannotTrade,
        since: desk.now,
        end: LockEnd::Time(crate::desk::time("11:00:00")),
        day: domain::TradingDay("2025-10-29".parse().unwrap()),
        baseline,
        exempt: std::collections::BTreeSet::new(),
    };
    let memory = AccountMemory { lockouts: vec![lockout], ..AccountMemory::default() };
    let accounts = [(ACCOUNT.into(), memory)].into();
    let mut desk = Desk::down(with(|_| {}));
    desk.restored(Memory { accounts, ..Memory::default() });
    desk.hold("MNQ", 1, "21000.00");
    desk.metadata("MNQ");
    let lines = desk.start();
    assert_eq!(lines, "place stop sell 1 mnq @ 20997.5 by trade_management: stoploss");
}

#[test]
fn a_failed_order_is_tried_again_after_a_while() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.position("MNQ", 1, "21000.00");
    let placed = desk.ordered();
    let failed = Outcome::Failed { why: "refused".to_string() };
    assert_eq!(desk.later(1_000).report(&placed, None, failed), "");
    assert_eq!(desk.later(9_000).tick(), "");
    assert_eq!(desk.later(1_000).tick(), "place stop sell 1 mnq @ 20997.5 by trade_management: stoploss");
}

#[test]
fn own_orders_are_known_by_their_tag_after_a_restart() {
    let mut desk = Desk::down(without_target());
    desk.hold("MNQ", 1, "21000.00");
    desk.metadata("MNQ");
    desk.order(7, "MNQ", OrderSide::Sell, OrderKind::Stop, 1, "20997.50");
    desk.tag_order(7, "rm-trade_management-3-1761750000000");
    assert_eq!(desk.start(), "");
    assert_eq!(desk.later(2_000).position("MNQ", 0, "21000.00"), "cancel 7 by trade_management: leftover");
}

#[test]
fn what_is_known_of_a_position_outlives_a_restart() {
    let mut desk = Desk::new(without_target());
    desk.quote("MNQ", "21000.00");
    desk.position("MNQ", 1, "21000.00");
    desk.obey();
    desk.later(2_000).quote("MNQ", "21007.25");
    desk.obey();
    let kept = desk.managed();
    assert_eq!(kept[&contract("MNQ")].best.unwrap().to_string(), "21007.25");
    assert!(kept[&contract("MNQ")].breakeven_done && kept[&contract("MNQ")].trailing);
    let mut again = desk.restarted(without_target(), kept);
    again.later(2_000).quote("MNQ", "21006.00");
    assert_eq!(
        again.later(2_000).end_order(9001, OrderStatus::Cancelled).lines().next().unwrap(),
        "place stop sell 1 mnq @ 21004.75 by trade_management: trailing"
    );
}

#[test]
fn values_of_a_symbol_replace_the_general_ones() {
    let mut rulebook = without_target();
    let mut own = rulebook.base.trade_management.settings.values;
    own.stop_loss.ticks = 40;
    rulebook.base.trade_management.settings.per_instrument.insert("MNQ".into(), own);
    let mut desk = Desk::new(rulebook);
    desk.quote("MNQ", "21000.00");
    assert!(desk.position("MNQ", 1, "21000.00").starts_with("place stop sell 1 mnq @ 20990 "));
}

#[test]
fn an_observing_rule_places_nothing() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_management.enabled = true;
        rules.trade_management.mode = RuleMode::Observe;
    }));
    desk.quote("MNQ", "21000.00");
    assert_eq!(
        desk.position("MNQ", 1, "21000.00"),
        "observe trade_management: stoploss, place 1\nobserve trade_management: takeprofit, place 1"
    );
    assert_eq!(desk.later(2_000).quote("MNQ", "21001.00"), "");
}

#[test]
fn the_automatic_stop_satisfies_the_stop_rule() {
    let mut desk = long_one(without_target());
    let account = desk.engine.account(&ACCOUNT.into()).unwrap();
    let contract: ContractId = contract("MNQ");
    assert_eq!(account.stops().of(&contract).unwrap().deadline, None);
    assert_eq!(desk.later(700_000).tick(), "");
}

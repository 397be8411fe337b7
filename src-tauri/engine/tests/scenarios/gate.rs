//! The gate, commands, observing rules, and the effects of our own closes.

use domain::{
    Command, Event, Memory, OrderKind,
    OrderSide::{Buy, Sell},
    Outcome, RuleMode,
};

use crate::desk::{ACCOUNT, Desk, contract, only};

fn locked() -> Desk {
    let mut desk = Desk::new(only(|_| {}));
    desk.send(Event::Command(Command::LockOut { account: None, until: None }));
    desk.obey();
    desk
}

#[test]
fn the_traders_own_lock_flattens_and_keeps_flat() {
    let mut desk = Desk::new(only(|_| {}));
    desk.position("MNQ", 2, "21000");
    desk.limit(5, "MNQ", Buy, 1, "20900");
    assert_eq!(
        desk.send(Event::Command(Command::LockOut { account: None, until: None })),
        "lock HARD trader until 10-29 17:00:00\nflatten by trader: done"
    );
    assert_eq!(desk.obey(), "");
    assert_eq!(desk.position("ES", 1, "6000"), "close ES by trader: 1 while 0 permitted by trader");
}

#[test]
fn while_locked_entries_are_cancelled_and_exits_are_not() {
    let mut desk = locked();
    assert_eq!(desk.limit(1, "MNQ", Buy, 1, "20900"), "cancel 1 by trader: 1 while 0 permitted by trader");
    assert_eq!(desk.limit(1, "MNQ", Buy, 1, "20900"), "", "it is being cancelled");
    desk.obey();
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.stop(2, "MNQ", Sell, 2, "20900"), "", "a protective stop");
    assert_eq!(desk.limit(3, "MNQ", Sell, 5, "21100"), "cancel 3 by trader: 3 while 0 permitted by trader");
    let market = desk.order(4, "MNQ", Sell, OrderKind::Market, 5, "0");
    assert_eq!(desk.send(market), "", "a market order is filling");
}

/// A cooldown runs, and so much was held when it began.
fn cooling(name: &str, held: i64) -> Desk {
    let mut desk = Desk::down(only(|_| {}));
    let until = crate::desk::time("10:05:00");
    let mut memory = Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default().lockouts = vec![domain::Lockout {
        key: domain::LockKey {
            account: ACCOUNT.into(),
            rule: domain::RuleKey::CooldownAfterLoss,
            symbol: None,
            cause: String::new(),
        },
        kind: domain::LockKind::Timer,
        breach: domain::Breach::TraderCommand { command: "test".to_string(), until: None },
        since: crate::desk::time("10:00:00"),
        end: domain::LockEnd::Time(until),
        day: domain::TradingDay::default(),
        baseline: [(contract(name), domain::Exposure(held))].into(),
        exempt: std::collections::BTreeSet::new(),
    }];
    desk.hold(name, held, "21000");
    desk.restored(memory);
    assert_eq!(desk.start(), "");
    desk
}

#[test]
fn a_timer_keeps_the_baseline() {
    let mut desk = cooling("MNQ", 1);
    assert_eq!(
        desk.position("MNQ", 2, "21000"),
        "reduce MNQ to 1 by cooldown_after_loss: 2 while 1 permitted by cooldown_after_loss"
    );
    desk.obey();
    // The trader leaves: the baseline follows down, and a new entry is closed.
    assert_eq!(
        desk.position("MNQ", 0, "21000"),
        "lock TIMER cooldown_after_loss until 10-29 10:05:00",
        "the lower baseline is written down"
    );
    assert_eq!(
        desk.position("MNQ", 1, "21000"),
        "close MNQ by cooldown_after_loss: 1 while 0 permitted by cooldown_after_loss"
    );
    desk.obey();
    assert_eq!(desk.at("10:05:00").tick(), "unlock cooldown_after_loss expiry");
    assert_eq!(desk.position("MNQ", 1, "21000"), "");
}

/// The trader takes a part off during a cooldown. What closes the rest is made to fit it: only the excess would
/// open anything (specification A.1).
#[test]
fn exits_shrink_with_their_position_while_locked() {
    let mut desk = cooling("MNQ", 3);
    desk.stop(7, "MNQ", Sell, 3, "20900");
    desk.limit(8, "MNQ", Sell, 3, "21100");
    assert_eq!(desk.fill("MNQ", Sell, 2, "21000", "0"), "", "the position was not told yet");
    assert_eq!(
        desk.position("MNQ", 1, "21000"),
        "lock TIMER cooldown_after_loss until 10-29 10:05:00\n\
         shrink order 7 to 1 by cooldown_after_loss: 2 while 0 permitted by cooldown_after_loss\n\
         shrink order 8 to 1 by cooldown_after_loss: 2 while 0 permitted by cooldown_after_loss"
    );
    desk.obey();
    assert_eq!(desk.later(2_000).tick(), "", "nothing is left to tidy up");
    assert_eq!(
        desk.limit(9, "MNQ", Sell, 3, "21200"),
        "shrink order 9 to 1 by cooldown_after_loss: 2 while 0 permitted by cooldown_after_loss"
    );
    desk.obey();
    desk.fill("MNQ", Sell, 1, "21000", "0");
    let gone = desk.position("MNQ", 0, "21000");
    let cancelled = "cancel 7, 8, 9 by cooldown_after_loss: 1 while 0 permitted by cooldown_after_loss";
    assert!(gone.ends_with(cancelled), "{gone}");
}

/// A stop fills in two pieces, and the position is told before the order and its fill: the rest of the stop is
/// what the rest of the position needs.
#[test]
fn an_exit_that_is_just_filling_keeps_its_rest() {
    let mut desk = cooling("MNQ", 3);
    desk.stop(7, "MNQ", Sell, 3, "20900");
    assert_eq!(desk.position("MNQ", 1, "20900"), "lock TIMER cooldown_after_loss until 10-29 10:05:00");
    let mut fill = desk.fill_of("MNQ", Sell, 2, "20900", "-400");
    fill.order = 7.into();
    assert_eq!(desk.later(300).send(Event::Fill(fill)), "", "one is left of each");
    assert_eq!(desk.later(1_000).tick(), "");
}

/// What was never told is not waited for.
#[test]
fn an_exit_is_made_to_fit_although_the_execution_stays_untold() {
    let mut desk = cooling("MNQ", 3);
    desk.stop(7, "MNQ", Sell, 3, "20900");
    desk.position("MNQ", 1, "21000");
    assert_eq!(
        desk.later(1_000).tick(),
        "shrink order 7 to 1 by cooldown_after_loss: 2 while 0 permitted by cooldown_after_loss"
    );
}

/// A target that can't be made smaller is no protection; a stop is.
#[test]
fn an_exit_that_cannot_be_made_smaller_is_given_up_unless_it_is_a_stop() {
    let mut desk = cooling("MNQ", 3);
    desk.stop(7, "MNQ", Sell, 3, "20900");
    desk.limit(8, "MNQ", Sell, 3, "21100");
    desk.fill("MNQ", Sell, 2, "21000", "0");
    desk.position("MNQ", 1, "21000");
    let mut fail = || {
        let shrink = desk.ordered();
        desk.report(&shrink, None, Outcome::Failed { why: "Invalid size".to_string() })
    };
    assert_eq!(fail(), "");
    assert_eq!(fail(), "cancel 8 by cooldown_after_loss: 2 while 0 permitted by cooldown_after_loss");
    let again = desk.later(10_000).tick();
    assert!(again.starts_with("shrink order 7 to 1"), "{again}");
}

/// Our close may fail: until the position is gone, its stop stays, however large it is.
#[test]
fn a_stop_is_no_entry_while_its_position_is_being_closed() {
    let mut desk = locked();
    desk.position("MNQ", 2, "21000");
    desk.later(2_000);
    assert_eq!(
        desk.stop(2, "MNQ", Sell, 5, "20900"),
        "shrink order 2 to 2 by trader: 3 while 0 permitted by trader"
    );
}

#[test]
fn flatten_all_closes_without_a_lock() {
    let mut desk = Desk::new(only(|_| {}));
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.send(Event::Command(Command::Flatten { account: None })), "flatten by trader: flatten");
    assert_eq!(desk.obey(), "");
    assert!(desk.lockouts().is_empty());
    assert_eq!(desk.position("MNQ", 1, "21000"), "");
}

#[test]
fn an_observing_rule_tells_once_and_does_nothing() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts.enabled = true;
        rules.max_contracts.mode = RuleMode::Observe;
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.mode = RuleMode::Warn;
    }));
    assert_eq!(desk.position("MNQ", 6, "21000"), "observe max_contracts: 6 of 5, close 1 MNQ");
    assert_eq!(desk.position("MNQ", 7, "21000"), "");
    assert_eq!(desk.position("MNQ", 5, "21000"), "");
    assert_eq!(
        desk.position("MNQ", 6, "21000"),
        "observe max_contracts: 6 of 5, close 1 MNQ",
        "it is the case again"
    );
    assert_eq!(
        desk.fill("MES", Sell, 1, "6000", "-600"),
        "warn daily_realized_loss: -600.00 of -500.00, close 6 MNQ"
    );
    assert_eq!(desk.fill("MES", Sell, 1, "6000", "-10"), "");
    assert!(desk.lockouts().is_empty());
}

/// Ruling 17: our close and the trader's resting stop both fill; what is born from that is closed.
#[test]
fn a_position_born_from_a_race_is_closed_as_our_own_effect() {
    let mut desk = Desk::new(only(|rules| rules.max_contracts_per_instrument.enabled = true));
    desk.position("MNQ", 2, "21000");
    desk.stop(7, "MNQ", Sell, 2, "20900");
    desk.later(500);
    let text = desk.position("MNQ", 3, "21000");
    assert_eq!(text, "reduce MNQ to 2 by max_contracts_per_instrument: 3 of 2 MNQ");
    let reduce = desk.ordered();
    // The stop's fill and our close's fill leave one contract short.
    let mut fill = desk.fill_of("MNQ", Sell, 2, "20900", "-400");
    fill.order = 7.into();
    desk.later(20).send(Event::Fill(fill));
    desk.end_order(7, domain::OrderStatus::Filled);
    desk.fill("MNQ", Sell, 2, "20900", "-200");
    assert_eq!(desk.position("MNQ", -1, "20900"), "close MNQ by max_contracts_per_instrument: own effect 1");
    desk.report(&reduce, Some(contract("MNQ")), Outcome::Confirmed);
}

#[test]
fn a_traders_own_turn_after_a_close_is_no_race() {
    let mut desk = Desk::new(only(|rules| rules.max_contracts_per_instrument.enabled = true));
    desk.position("MNQ", 3, "21000");
    desk.obey();
    desk.later(1_000);
    desk.fill("MNQ", Sell, 3, "21000", "0");
    assert_eq!(desk.position("MNQ", -1, "21000"), "");
}

/// After a failure a rule keeps still about the same position, then tries again.
#[test]
fn a_failed_enforcement_adds_no_lockout_and_is_tried_again() {
    let mut desk = Desk::new(only(|rules| rules.max_contracts.enabled = true));
    desk.position("MNQ", 6, "21000");
    let reduce = desk.ordered();
    let failed = Outcome::Failed { why: "503".to_string() };
    assert_eq!(desk.report(&reduce, Some(contract("MNQ")), failed), "");
    assert_eq!(desk.later(5_000).position("MNQ", 6, "21000"), "");
    assert_eq!(desk.later(5_000).tick(), "reduce MNQ to 5 by max_contracts: 6 of 5");
    let reduce = desk.ordered();
    let failed = Outcome::Failed { why: "503".to_string() };
    assert_eq!(desk.report(&reduce, Some(contract("MNQ")), failed), "");
    assert_eq!(
        desk.later(1_000).position("MNQ", 7, "21000"),
        "reduce MNQ to 5 by max_contracts: 7 of 5",
        "new exposure is never left waiting"
    );
    assert!(desk.lockouts().is_empty());
}

/// Specification B.14: a message that arrives after its order ended does not revive it.
#[test]
fn late_messages_revive_nothing() {
    let mut desk = locked();
    let open = desk.order(1, "MNQ", Buy, OrderKind::Limit, 1, "20900");
    assert!(desk.send(open.clone()).starts_with("cancel 1"));
    desk.obey();
    assert_eq!(desk.send(open), "");
    let position = desk.hold("ES", 1, "6000");
    desk.send(position.clone());
    desk.obey();
    assert_eq!(desk.send(position), "", "its id was closed");
}

#[test]
fn a_reset_that_was_missed_is_made_up_for_once_a_day() {
    let mut desk = Desk::down(only(|_| {}));
    let mut memory = Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default().day = Some(domain::memory::DayFigures {
        day: domain::TradingDay("2025-10-27".parse().unwrap()),
        realized: crate::desk::usd("-100"),
        fees: domain::Usd::ZERO,
        trades: 3,
        wins: 1,
        losses: 2,
        estimated: false,
    });
    desk.restored(memory);
    let actions = desk.engine.step(desk.now, &Event::Tick);
    let days: Vec<String> = actions
        .iter()
        .filter_map(|action| {
            let domain::Action::Reset { day, closed, .. } = action else { return None };
            Some(format!("{day} {}", closed.is_some()))
        })
        .collect();
    assert_eq!(days, ["2025-10-28 true", "2025-10-29 false"]);
    assert!(desk.engine.step(desk.now, &Event::Tick).is_empty());
}

/// The broker's queries may lag behind its stream: a position that was opened a moment ago and is not
/// listed is kept, and the question is put again.
#[test]
fn a_lagging_answer_does_not_close_what_was_just_opened() {
    let mut desk = Desk::new(only(|_| {}));
    let opened = desk.hold("MNQ", 1, "21000");
    desk.hold("MNQ", 0, "21000");
    desk.send(opened);
    desk.later(500).reconcile(&[]);
    assert!(!desk.engine.accounts().next().unwrap().exposure(&contract("MNQ")).is_flat());
    let asked = |desk: &mut Desk| {
        let actions = desk.engine.step(desk.now, &Event::Tick);
        actions.iter().any(|it| matches!(it, domain::Action::Ask(domain::Question::Everything { .. })))
    };
    desk.later(100);
    assert!(!asked(&mut desk));
    desk.later(1_000);
    assert!(asked(&mut desk));
    desk.later(1_000).reconcile(&[]);
    assert!(desk.engine.accounts().next().unwrap().exposure(&contract("MNQ")).is_flat());
}

/// A cancel that was taken for done and was not: the broker's list brings the order back, and the gate with
/// it.
#[test]
fn an_order_that_is_listed_after_its_end_has_not_ended() {
    let mut desk = locked();
    let open = desk.order(1, "MNQ", Buy, OrderKind::Limit, 1, "20900");
    desk.send(open.clone());
    let Event::Order(order) = open else { unreachable!() };
    desk.send(Event::Order(domain::Order { status: domain::OrderStatus::Cancelled, ..order }));
    desk.report_all();
    assert_eq!(desk.later(1_000).answer_orders(), "", "the list may lag");
    assert_eq!(
        desk.later(3_000).answer_orders(),
        "cancel 1 by trader: 1 while 0 permitted by trader",
        "but not for so long"
    );
}

/// Each rule names what it alone would have done: not what else is held, not what stays under its lock, and
/// the orders as well.
#[test]
fn an_observation_names_what_its_rule_would_have_done() {
    let observing = |change: fn(&mut domain::RuleSet)| {
        let mut desk = Desk::new(only(change));
        desk.position("MNQ", 2, "21000");
        desk.position("MES", 1, "6000");
        desk.limit(7, "MNQ", Buy, 1, "20900");
        desk
    };
    let mut open_loss = observing(|rules| {
        rules.daily_unrealized_loss.enabled = true;
        rules.daily_unrealized_loss.mode = RuleMode::Observe;
    });
    assert_eq!(
        open_loss.quote("MNQ", "20940"),
        "observe daily_unrealized_loss: MNQ -240.00 of -200.00, close 2 MNQ"
    );
    let mut day_loss = observing(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.mode = RuleMode::Observe;
    });
    assert_eq!(
        day_loss.fill("MES", Sell, 1, "6000", "-600"),
        "observe daily_realized_loss: -600.00 of -500.00, close 1 MES, close 2 MNQ, cancel 7"
    );
    let mut cooldown = observing(|rules| {
        rules.cooldown_after_loss.enabled = true;
        rules.cooldown_after_loss.mode = RuleMode::Observe;
        rules.cooldown_after_loss.settings.close_positions = false;
    });
    assert_eq!(
        cooldown.fill("MGC", Sell, 1, "4000", "-600"),
        "observe cooldown_after_loss: -600.00 of -300.00, cancel 7"
    );
    assert_eq!(cooldown.lockouts(), [""; 0], "looking at what it would do sets nothing");
}

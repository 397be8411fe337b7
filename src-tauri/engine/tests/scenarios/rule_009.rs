//! RULE-009, 08:30 to 15:00 on Monday to Friday with a grace of 60 s, holidays and early closes where named.

use chrono::{NaiveDate, NaiveTime};
use domain::{
    Event, LockEnd, Memory,
    OrderSide::{Buy, Sell},
    RuleMode, Rulebook, Symbol,
    rulebook::{SessionBlockOutside, SessionWindow},
};

use crate::desk::{ACCOUNT, Desk, only, time};

fn with(change: impl FnOnce(&mut SessionBlockOutside)) -> Rulebook {
    only(|rules| {
        rules.session_block_outside.enabled = true;
        change(&mut rules.session_block_outside.settings);
    })
}

fn rulebook() -> Rulebook {
    with(|_| {})
}

fn window(start: &str, end: &str, days: impl IntoIterator<Item = u8>) -> SessionWindow {
    let at = |text: &str| format!("{text}:00").parse::<NaiveTime>().unwrap();
    SessionWindow { start: at(start), end: at(end), days: days.into_iter().collect() }
}

/// Sunday to Thursday, 17:00 to 16:00 of the next day.
fn overnight() -> SessionWindow {
    window("17:00", "16:00", [6, 0, 1, 2, 3])
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An engine that was started at that time.
fn since(rulebook: Rulebook, start: &str) -> Desk {
    let mut desk = Desk::down(rulebook);
    desk.at(start);
    desk.start();
    desk
}

const TUESDAY: &str = "lock HARD session_block_outside until 10-28 08:30:00";

#[test]
fn rule_009_scenario_1() {
    let mut desk = since(rulebook(), "2025-10-27T14:59:00");
    desk.position("MNQ", 1, "21000");
    desk.stop(1, "MNQ", Sell, 1, "20900");
    desk.limit(2, "MNQ", Buy, 1, "20950");
    assert_eq!(desk.at("2025-10-27T14:59:59").tick(), "");
    assert_eq!(
        desk.at("2025-10-27T15:00:00").tick(),
        format!("{TUESDAY}\ncancel 2 by session_block_outside: outside the hours"),
        "the stop stays with its position"
    );
    desk.obey();
    assert_eq!(desk.at("2025-10-27T15:00:59").tick(), "");
    assert_eq!(
        desk.at("2025-10-27T15:01:00").tick(),
        "close MNQ by session_block_outside: outside the hours"
    );
    let text = desk.obey();
    assert!(
        text.contains("cancel 1 by session_block_outside"),
        "without its position it is an entry: {text}"
    );
}

#[test]
fn rule_009_scenario_2() {
    let mut desk = since(rulebook(), "2025-10-28T08:00:00");
    assert_eq!(desk.lockouts(), ["HARD session_block_outside until 10-28 08:30:00"]);
    desk.obey();
    desk.at("2025-10-28T08:29:59");
    assert_eq!(
        desk.position("ES", 1, "6000"),
        "close ES by session_block_outside: 1 while 0 permitted by session_block_outside"
    );
    desk.obey();
    desk.metadata("ES");
    let second = desk.hold("ES", 1, "6000");
    let text = desk.at("2025-10-28T08:30:00").send(second);
    assert_eq!(text, "unlock session_block_outside condition");
    assert!(desk.lockouts().is_empty());
}

#[test]
fn rule_009_scenario_3() {
    let mut desk = since(rulebook(), "2025-10-31T14:00:00");
    assert_eq!(desk.lockouts().len(), 0);
    desk.at("2025-10-31T20:00:00Z").tick();
    let lockout = desk.engine.accounts().flat_map(|it| it.lockouts().iter()).next().unwrap();
    assert_eq!(lockout.end, LockEnd::SessionStart(Some(time("2025-11-03T14:30:00Z"))));
    assert_eq!(desk.at("2025-11-03T14:29:59Z").tick(), "day 2025-11-03");
    assert_eq!(desk.lockouts().len(), 1);
    desk.at("2025-11-03T14:30:00Z").tick();
    assert!(desk.lockouts().is_empty());
}

fn thanksgiving() -> Rulebook {
    let mut rulebook = rulebook();
    rulebook.holidays.dates.insert(date("2025-11-27"));
    rulebook
}

#[test]
fn rule_009_scenario_4() {
    let mut desk = since(thanksgiving(), "2025-11-26T14:00:00");
    assert_eq!(desk.at("2025-11-26T15:00:00").tick(), "lock HARD session_block_outside until 11-28 08:30:00");
    let mut ignored = since(
        {
            let mut rulebook = thanksgiving();
            rulebook.base.session_block_outside.settings.respect_holidays = false;
            rulebook
        },
        "2025-11-26T15:00:00",
    );
    ignored.tick();
    assert_eq!(ignored.lockouts(), ["HARD session_block_outside until 11-27 08:30:00"]);
}

#[test]
fn rule_009_scenario_5() {
    let mut rulebook = thanksgiving();
    rulebook.holidays.early_closes.insert(date("2025-11-26"), "13:00:00".parse().unwrap());
    let mut desk = since(rulebook, "2025-11-26T12:59:00");
    desk.position("MNQ", -1, "21000");
    desk.limit(2, "MNQ", Sell, 1, "21050");
    assert_eq!(desk.at("2025-11-26T12:59:59").tick(), "");
    assert_eq!(
        desk.at("2025-11-26T13:00:00").tick(),
        "lock HARD session_block_outside until 11-28 08:30:00\n\
         cancel 2 by session_block_outside: outside the hours"
    );
    desk.obey();
    assert_eq!(
        desk.at("2025-11-26T13:01:00").tick(),
        "close MNQ by session_block_outside: outside the hours"
    );
}

#[test]
fn rule_009_scenario_6() {
    let overnight = || with(|it| it.windows = vec![overnight()]);
    let locked_at = |text: &str| since(overnight(), text).lockouts();
    assert_eq!(locked_at("2025-10-28T16:30:00"), ["HARD session_block_outside until 10-28 17:00:00"]);
    assert!(locked_at("2025-10-29T03:00:00").is_empty());
    assert!(locked_at("2025-10-31T15:59:59").is_empty());
    let mut desk = since(overnight(), "2025-10-31T15:59:00");
    assert_eq!(desk.at("2025-10-31T16:00:00").tick(), "lock HARD session_block_outside until 11-02 17:00:00");
}

fn two_windows() -> Rulebook {
    with(|it| it.windows = vec![window("08:30", "11:00", 0..5), window("13:00", "15:00", 0..5)])
}

#[test]
fn rule_009_scenario_7() {
    let mut desk = since(two_windows(), "2025-10-28T11:30:00");
    assert_eq!(desk.lockouts(), ["HARD session_block_outside until 10-28 13:00:00"]);
    assert_eq!(desk.at("2025-10-28T13:00:00").tick(), "unlock session_block_outside condition");
    assert_eq!(desk.at("2025-10-28T15:00:00").tick(), "lock HARD session_block_outside until 10-29 08:30:00");
}

#[test]
fn rule_009_scenario_8() {
    let mut desk = Desk::down(rulebook());
    desk.at("2025-11-01T10:00:00");
    desk.metadata("MES");
    desk.hold("MES", 1, "6000");
    let text = desk.start();
    assert_eq!(
        text,
        "lock HARD session_block_outside until 11-03 08:30:00\n\
         flatten by session_block_outside: outside the hours"
    );
    let flatten = desk.ordered();
    let refused = || domain::Outcome::Failed { why: "the market is closed".to_string() };
    desk.report(&flatten, None, refused());
    assert!(desk.later(10_000).tick().starts_with("close MES"), "again, as soon as the market accepts it");
}

fn with_own_hours() -> Rulebook {
    with(|it| {
        it.per_instrument.insert(Symbol::new("ES"), vec![overnight()]);
    })
}

#[test]
fn rule_009_scenario_9() {
    let mut desk = since(with_own_hours(), "2025-10-28T18:00:00");
    assert_eq!(desk.lockouts(), ["HARD session_block_outside until 10-29 08:30:00 except ES"]);
    assert_eq!(desk.position("ES", 1, "6000"), "");
    assert_eq!(
        desk.position("MNQ", 1, "21000"),
        "close MNQ by session_block_outside: 1 while 0 permitted by session_block_outside"
    );
}

#[test]
fn rule_009_scenario_10() {
    let mut desk = since(rulebook(), "2025-10-27T14:59:00");
    assert_eq!(desk.at("2025-10-27T15:00:00").tick(), TUESDAY);
    assert_eq!(desk.at("2025-10-27T17:00:00").tick(), "day 2025-10-28");
    assert_eq!(desk.lockouts(), ["HARD session_block_outside until 10-28 08:30:00"]);
}

#[test]
fn a_symbol_that_is_closed_by_its_own_hours_is_locked_alone() {
    let mut desk = since(with_own_hours(), "2025-10-28T14:30:00");
    desk.position("ES", 1, "6000");
    desk.stop(1, "ES", Sell, 1, "5990");
    assert_eq!(
        desk.at("2025-10-28T15:00:00").tick(),
        "lock HARD session_block_outside until 10-29 08:30:00 except ES",
        "its own hours go on"
    );
    assert_eq!(
        desk.at("2025-10-28T16:00:00").tick(),
        "lock SYMBOL session_block_outside ES until 10-28 17:00:00"
    );
    assert_eq!(desk.at("2025-10-28T16:01:00").tick(), "close ES by session_block_outside: outside the hours");
    desk.obey();
    desk.at("2025-10-28T17:00:00").tick();
    assert_eq!(desk.lockouts(), ["HARD session_block_outside until 10-29 08:30:00 except ES"]);
    assert_eq!(desk.position("ES", 1, "6000"), "");
}

/// Ruling 11: during the closing grace every protective rule goes on.
#[test]
fn the_daily_loss_flattens_at_once_during_the_closing_grace() {
    let mut rulebook = rulebook();
    rulebook.base.daily_realized_loss.enabled = true;
    rulebook.base.daily_realized_loss.settings.include_fees = false;
    let mut desk = since(rulebook, "2025-10-27T14:59:00");
    desk.position("MNQ", 2, "21000");
    desk.at("2025-10-27T15:00:00").tick();
    let text = desk.at("2025-10-27T15:00:20").fill("MNQ", Sell, 1, "20700", "-600");
    assert!(text.contains("lock HARD daily_realized_loss"), "{text}");
    assert!(text.contains("flatten by daily_realized_loss"), "{text}");
}

#[test]
fn a_position_may_not_grow_during_the_closing_grace() {
    let mut desk = since(rulebook(), "2025-10-27T14:59:00");
    desk.position("MNQ", 1, "21000");
    desk.at("2025-10-27T15:00:00").tick();
    assert_eq!(
        desk.later(1_000).position("MNQ", 2, "21000"),
        "reduce MNQ to 1 by session_block_outside: 2 while 1 permitted by session_block_outside"
    );
}

/// The platform's time decides about a position of the last second.
#[test]
fn a_position_of_the_last_second_stands_under_the_grace() {
    let mut desk = since(rulebook(), "2025-10-27T14:59:00");
    desk.metadata("MNQ");
    let opened = desk.at("2025-10-27T14:59:59.800").hold("MNQ", 1, "21000");
    assert_eq!(desk.at("2025-10-27T15:00:00").tick(), TUESDAY);
    assert_eq!(desk.at("2025-10-27T15:00:00.300").send(opened), TUESDAY, "its baseline is written down");
    assert!(desk.at("2025-10-27T15:01:00").tick().starts_with("close MNQ"));
}

/// Found outside: the grace counts from the end of the hours and is over.
#[test]
fn a_start_long_after_the_end_closes_at_once_and_one_during_the_grace_waits() {
    let started = |at: &str| {
        let mut desk = Desk::down(rulebook());
        desk.at("2025-10-27T14:59:00").metadata("MNQ");
        desk.hold("MNQ", 1, "21000");
        desk.at(at);
        (desk.start(), desk)
    };
    assert!(
        started("2025-10-27T20:00:00").0.ends_with("flatten by session_block_outside: outside the hours")
    );
    let (text, mut desk) = started("2025-10-27T15:00:30");
    assert_eq!(text, TUESDAY);
    assert!(desk.at("2025-10-27T15:01:00").tick().starts_with("close MNQ"));
}

/// The record, what may stay and the grace survive a restart.
#[test]
fn a_restart_during_the_grace_goes_on_with_it() {
    let mut first = since(rulebook(), "2025-10-27T14:59:00");
    first.position("MNQ", 1, "21000");
    first.at("2025-10-27T15:00:00").tick();
    let lockouts: Vec<_> = first.engine.accounts().flat_map(|it| it.lockouts().iter().cloned()).collect();

    let mut memory = Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default().lockouts = lockouts;
    let mut desk = Desk::down(rulebook());
    desk.at("2025-10-27T14:59:00").metadata("MNQ");
    desk.hold("MNQ", 2, "21000");
    desk.at("2025-10-27T15:00:40").restored(memory);
    assert!(
        desk.start().ends_with(
            "reduce MNQ to 1 by session_block_outside: 2 while 1 permitted by session_block_outside"
        )
    );
    desk.obey();
    assert_eq!(
        desk.at("2025-10-27T15:01:00").tick(),
        "close MNQ by session_block_outside: outside the hours"
    );
}

#[test]
fn windows_that_touch_are_one() {
    let touching =
        with(|it| it.windows = vec![window("08:30", "11:00", 0..5), window("11:00", "15:00", 0..5)]);
    let mut desk = since(touching, "2025-10-28T10:59:00");
    assert_eq!(desk.at("2025-10-28T11:00:00").tick(), "");
    assert_eq!(desk.at("2025-10-28T15:00:00").tick(), "lock HARD session_block_outside until 10-29 08:30:00");
}

#[test]
fn a_holiday_takes_away_the_night_that_starts_on_it_and_not_the_one_before() {
    let mut rulebook = with(|it| it.windows = vec![overnight()]);
    rulebook.holidays.dates.insert(date("2025-10-29"));
    let locked_at = |text: &str| since(rulebook.clone(), text).lockouts();
    assert!(locked_at("2025-10-29T03:00:00").is_empty(), "it started on Tuesday");
    assert_eq!(locked_at("2025-10-29T18:00:00"), ["HARD session_block_outside until 10-30 17:00:00"]);
}

#[test]
fn an_early_close_ends_the_night_session_and_the_next_one_begins() {
    let mut rulebook = with(|it| it.windows = vec![overnight()]);
    rulebook.holidays.early_closes.insert(date("2025-10-29"), "12:00:00".parse().unwrap());
    let mut desk = since(rulebook, "2025-10-29T11:00:00");
    assert_eq!(desk.at("2025-10-29T12:00:00").tick(), "lock HARD session_block_outside until 10-29 17:00:00");
    assert!(desk.at("2025-10-29T17:00:00").tick().contains("unlock session_block_outside condition"));
}

#[test]
fn no_hours_within_two_weeks_lock_without_an_end_and_are_told() {
    let mut rulebook = rulebook();
    let first = date("2025-10-30");
    rulebook.holidays.dates.extend(first.iter_days().take(20));
    let mut desk = since(rulebook, "2025-10-29T14:00:00");
    assert_eq!(
        desk.at("2025-10-29T15:00:00").tick(),
        "lock HARD session_block_outside until unknown\nalert: no trading hours"
    );
    assert!(desk.at("2025-11-06T00:00:00").tick().contains("until 11-19 08:30:00"), "found a week later");
}

#[test]
fn other_hours_end_a_record_only_where_they_are_open_now() {
    let mut desk = since(rulebook(), "2025-10-28T15:00:00");
    desk.tick();
    let rules = |start: &str, end: &str| {
        let window = window(start, end, 0..5);
        Event::Rules(Box::new(with(|it| it.windows = vec![window])))
    };
    assert_eq!(
        desk.later(1_000).send(rules("07:00", "15:00")),
        "",
        "an earlier start tomorrow shortens nothing"
    );
    assert_eq!(
        desk.later(1_000).send(rules("09:00", "15:00")),
        "lock HARD session_block_outside until 10-29 09:00:00"
    );
    assert_eq!(
        desk.later(1_000).send(rules("08:30", "16:00")),
        "unlock session_block_outside config",
        "open now"
    );
}

#[test]
fn without_a_lockout_it_closes_what_stood_and_tells_of_what_is_opened() {
    let mut desk = since(with(|it| it.lockout = false), "2025-10-27T14:59:00");
    desk.position("MNQ", 1, "21000");
    desk.limit(2, "MNQ", Buy, 1, "20950");
    assert_eq!(desk.at("2025-10-27T15:00:00").tick(), "cancel 2 by session_block_outside: outside the hours");
    desk.obey();
    assert_eq!(
        desk.at("2025-10-27T15:01:00").tick(),
        "close MNQ by session_block_outside: outside the hours"
    );
    desk.obey();
    assert_eq!(desk.later(1_000).position("ES", 1, "6000"), "warn session_block_outside: outside the hours");
    assert_eq!(desk.later(1_000).tick(), "", "told once");
    assert!(desk.lockouts().is_empty());
}

#[test]
fn positions_and_orders_stay_where_the_settings_say_so() {
    let mut desk = since(
        with(|it| {
            it.close_positions = false;
            it.cancel_orders = false;
        }),
        "2025-10-27T14:59:00",
    );
    desk.position("MNQ", 1, "21000");
    desk.limit(2, "MNQ", Buy, 1, "20950");
    assert_eq!(desk.at("2025-10-27T15:00:00").tick(), TUESDAY);
    assert_eq!(desk.at("2025-10-27T15:01:00").tick(), "");
    assert!(desk.position("MNQ", 2, "21000").starts_with("reduce MNQ to 1"), "new exposure never stays");
    desk.obey();
    assert_eq!(
        desk.limit(3, "MNQ", Buy, 1, "20940"),
        "cancel 3 by session_block_outside: 2 while 1 permitted by session_block_outside",
        "nor a new entry"
    );
}

#[test]
fn observed_it_tells_the_end_once_and_locks_nothing() {
    let mut observing = rulebook();
    observing.base.session_block_outside.mode = RuleMode::Observe;
    let mut desk = since(observing, "2025-10-27T14:59:00");
    desk.position("MNQ", 1, "21000");
    assert_eq!(
        desk.at("2025-10-27T15:00:00").tick(),
        "observe session_block_outside: outside the hours, close 1 MNQ"
    );
    assert_eq!(desk.at("2025-10-27T15:01:00").tick(), "");
    assert!(desk.lockouts().is_empty());
}

//! The daily reset, specification C.6: its scenarios in order, and what else is said of it there.

use domain::{
    DailyReset, Event, Fill, Instant, Memory,
    OrderSide::Sell,
    Rulebook, TradingDay, Usd,
    memory::{AccountMemory, DayFigures, KnownFill},
};

use crate::desk::{ACCOUNT, Desk, only, time, usd};

fn rulebook() -> Rulebook {
    only(|rules| rules.daily_realized_loss.enabled = true)
}

fn since(rulebook: Rulebook, start: &str) -> Desk {
    let mut desk = Desk::down(rulebook);
    desk.at(start);
    desk.start();
    desk
}

fn day(text: &str) -> TradingDay {
    TradingDay(text.parse().unwrap())
}

fn figures(label: &str, realized: &str) -> DayFigures {
    DayFigures {
        day: day(label),
        realized: usd(realized),
        fees: Usd::ZERO,
        trades: 1,
        wins: 0,
        losses: 1,
        estimated: false,
    }
}

/// What the store gives back of a day that was open.
fn open_day(label: &str, began: &str, desk: &Desk) -> Memory {
    let mut memory = Memory::default();
    let lockouts = desk.engine.accounts().flat_map(|it| it.lockouts().iter().cloned()).collect();
    let account = AccountMemory {
        lockouts,
        day: Some(figures(label, "-600")),
        day_began: Some(time(began)),
        ..AccountMemory::default()
    };
    memory.accounts.insert(ACCOUNT.into(), account);
    memory
}

/// Each reset between two times, asked for every half hour.
fn resets(rulebook: Rulebook, from: &str, until: &str) -> Vec<Instant> {
    let mut desk = since(rulebook, from);
    let mut found = Vec::new();
    while desk.now < time(until) {
        desk.later(30 * 60 * 1_000);
        if desk.tick().contains("day ") {
            found.push(desk.now);
        }
    }
    found
}

#[test]
fn reset_scenario_1() {
    let mut desk = since(rulebook(), "16:59:59");
    assert_eq!(desk.at("17:00:00").tick(), "day 2025-10-30");
    assert_eq!(desk.at("17:00:30").tick(), "", "one reset");
}

/// Locked by a loss at 16:40, down from 16:50 to 17:20.
#[test]
fn reset_scenario_2() {
    let mut first = since(rulebook(), "16:40:00");
    first.fill("MNQ", Sell, 1, "21000", "-600");
    assert_eq!(first.lockouts(), ["HARD daily_realized_loss until 10-29 17:00:00"]);
    let memory = open_day("2025-10-29", "2025-10-28T17:00:00", &first);

    let mut desk = Desk::down(rulebook());
    desk.at("17:20:00").restored(memory);
    let text = desk.send(Event::Link(domain::Link::UserUp));
    assert_eq!(text, "day 2025-10-30\nunlock daily_realized_loss reset", "before anything is judged");
    desk.reconcile(&[]);
    assert_eq!(desk.engine.accounts().next().unwrap().ledger().day(), day("2025-10-30"));
    assert_eq!(desk.realized(), "0.00");
    assert!(desk.lockouts().is_empty());
}

#[test]
fn reset_scenario_3() {
    assert_eq!(
        resets(rulebook(), "2025-11-01T12:00:00Z", "2025-11-03T12:00:00Z"),
        [time("2025-11-01T22:00:00Z"), time("2025-11-02T23:00:00Z")],
        "the day in between has 25 hours"
    );
}

#[test]
fn reset_scenario_4() {
    assert_eq!(
        resets(rulebook(), "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z"),
        [time("2026-03-07T23:00:00Z"), time("2026-03-08T22:00:00Z")],
        "the day in between has 23 hours"
    );
}

#[test]
fn reset_scenario_5() {
    let new_york = DailyReset { timezone: "America/New_York".parse().unwrap(), ..DailyReset::default() };
    let rulebook = Rulebook { reset: new_york, ..rulebook() };
    assert_eq!(
        resets(rulebook, "2025-10-29T12:00:00Z", "2025-10-30T12:00:00Z"),
        [time("2025-10-29T21:00:00Z")]
    );
}

/// A flatten is under way when the day ends; its fills are told afterwards.
#[test]
fn reset_scenario_6() {
    let mut desk = since(rulebook(), "16:59:50");
    desk.position("MNQ", 2, "21000");
    desk.position("ES", 1, "6000");
    desk.at("16:59:59").fill("MNQ", Sell, 1, "20700", "-600");
    let before = desk.at("16:59:59.800").fill_of("MNQ", Sell, 1, "20700", "-100");
    let after = desk.at("17:00:00.200").fill_of("ES", Sell, 1, "5990", "-50");
    let text = desk.at("17:00:00").tick();
    assert!(text.contains("day 2025-10-30") && text.contains("unlock daily_realized_loss reset"), "{text}");
    desk.at("17:00:01").send(Event::Fill(before.clone()));
    desk.send(Event::Fill(after));
    assert_eq!(desk.realized(), "-50.00", "the day of their own time");
    let account = desk.engine.accounts().next().unwrap();
    assert_eq!(account.ledger().day_of(before.at), day("2025-10-29"));
    assert_eq!(desk.obey(), "", "the flatten completes");
    assert!(desk.engine.accounts().next().unwrap().holdings().next().is_none());
}

/// Several days missed: one reset a label, in their order.
#[test]
fn missed_days_are_made_up_for_one_by_one() {
    let memory = open_day("2025-10-29", "2025-10-28T17:00:00", &Desk::down(rulebook()));
    let mut desk = Desk::down(rulebook());
    desk.at("2025-10-31T18:00:00");
    let mut labels = Vec::new();
    for event in [Event::Restored(Box::new(memory)), Event::Tick] {
        for action in desk.engine.step(desk.now, &event) {
            if let domain::Action::Reset { closed, day, scheduled, .. } = action {
                labels.push((closed.map(|it| it.day), day, scheduled));
            }
        }
    }
    assert_eq!(
        labels,
        [
            (Some(day("2025-10-29")), day("2025-10-30"), time("2025-10-29T17:00:00")),
            (None, day("2025-10-31"), time("2025-10-30T17:00:00")),
            (None, day("2025-11-01"), time("2025-10-31T17:00:00")),
        ]
    );
}

/// A new week begins with the reset on Monday; its figures are for display.
#[test]
fn the_week_sums_its_days_and_begins_anew_on_monday() {
    let mut desk = since(rulebook(), "2025-10-30T10:00:00");
    let week = |desk: &Desk| desk.engine.accounts().next().unwrap().week();
    desk.fill("MNQ", Sell, 1, "21000", "-50");
    desk.at("2025-10-30T17:00:00").tick();
    desk.at("2025-10-31T10:00:00").fill("MNQ", Sell, 1, "21000", "-30");
    assert_eq!((week(&desk).realized, week(&desk).trades), (usd("-80"), 2));
    for evening in ["2025-10-31", "2025-11-01", "2025-11-02"] {
        desk.at(&format!("{evening}T17:00:00")).tick();
    }
    assert_eq!(week(&desk).realized, usd("-80"), "Monday until its reset is still the old week");
    desk.at("2025-11-03T17:00:00").tick();
    assert_eq!((week(&desk).realized, week(&desk).trades), (Usd::ZERO, 0));
    assert_eq!(week(&desk).monday.to_string(), "2025-11-03");
}

/// A reset time that is changed counts from the next occurrence; the lockout never ends earlier than it
/// would have.
#[test]
fn another_reset_time_moves_the_end_of_a_lockout_later_and_never_earlier() {
    let at = |hour: u32| {
        let time = chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        Event::Rules(Box::new(Rulebook { reset: DailyReset { time, ..DailyReset::default() }, ..rulebook() }))
    };
    let mut desk = since(rulebook(), "10:00:00");
    desk.fill("MNQ", Sell, 1, "21000", "-600");
    desk.obey();
    desk.send(at(18));
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 10-29 18:00:00"]);
    desk.send(at(16));
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 10-29 18:00:00"]);
    assert_eq!(desk.at("16:00:00").tick(), "day 2025-10-30");
}

/// Fills of the day that a restart rebuilds do not count twice, and those of the day before not at all.
#[test]
fn a_restart_counts_the_open_days_fills_once() {
    let mut first = since(rulebook(), "10:00:00");
    let fill = first.fill_of("MNQ", Sell, 1, "21000", "-100");
    let old = Fill { id: 99.into(), at: time("2025-10-28T16:30:00"), ..fill.clone() };
    let mut memory = open_day("2025-10-29", "2025-10-28T17:00:00", &first);
    let known = |fill: &Fill| KnownFill { fill: fill.clone(), own: false, locked: false };
    memory.accounts.values_mut().next().unwrap().fills = vec![known(&old), known(&fill)];
    let mut desk = Desk::down(rulebook());
    desk.at("10:30:00").restored(memory);
    desk.reconcile(std::slice::from_ref(&fill));
    assert_eq!(desk.realized(), "-100.00");
}

#[test]
fn a_reset_that_does_not_unlock_leaves_the_lock_until_the_next_one_also_over_a_restart() {
    let mut rules = rulebook();
    rules.reset_unlocks.daily_loss = false;
    let mut desk = since(rules.clone(), "16:40:00");
    desk.fill("MNQ", Sell, 1, "21000", "-600");
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 10-29 17:00:00"]);
    let memory = open_day("2025-10-29", "2025-10-28T17:00:00", &desk);
    desk.at("17:00:00").tick();
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 10-30 17:00:00"]);

    let mut desk = Desk::down(rules);
    desk.at("17:20:00").restored(memory);
    desk.send(Event::Link(domain::Link::UserUp));
    assert_eq!(desk.lockouts(), ["HARD daily_realized_loss until 10-30 17:00:00"]);
}

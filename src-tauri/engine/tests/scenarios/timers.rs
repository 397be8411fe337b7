//! Lockouts and timers as specification C.4 and C.5 ask of them, and the loop guard of C.3.

use domain::{Command, Event, Memory, OrderSide::Buy, Outcome, RuleSet, Rulebook};

use crate::desk::{ACCOUNT, Desk, only, time};

fn rulebook(change: impl FnOnce(&mut RuleSet)) -> Rulebook {
    only(|rules| {
        rules.trade_frequency_limit.enabled = true;
        rules.trade_frequency_limit.settings.per_minute.limit = Some(1);
        change(rules);
    })
}

fn locked() -> Desk {
    let mut desk = Desk::new(rulebook(|_| {}));
    desk.fill("MES", Buy, 1, "6000", "");
    assert_eq!(desk.lockouts(), ["TIMER trade_frequency_limit per_minute until 10-29 10:01:00"]);
    desk
}

fn remembered(desk: &Desk) -> Memory {
    let mut memory = Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default().lockouts =
        desk.engine.accounts().flat_map(|it| it.lockouts().iter().cloned()).collect();
    memory
}

/// A due record is not reported as active, whatever is asked first.
#[test]
fn lockout_scenario_1() {
    let mut desk = locked();
    assert_eq!(desk.engine.next_deadline().map(|it| it.at), Some(time("10:01:00")), "woken for it precisely");
    assert_eq!(desk.at("10:01:00").position("MNQ", 1, "21000"), "");
    assert!(desk.lockouts().is_empty());
}

/// Records of several rules stand beside each other; each ends by itself.
#[test]
fn lockout_scenario_2() {
    let mut desk = locked();
    desk.later(1_000).send(Event::Command(Command::LockOut { account: None, until: Some(time("10:30:00")) }));
    assert_eq!(desk.lockouts().len(), 2);
    desk.obey();
    assert_eq!(desk.at("10:01:00").tick(), "unlock trade_frequency_limit expiry");
    assert_eq!(desk.lockouts(), ["HARD trader until 10-29 10:30:00"]);
}

/// Restored from the database: the same end, not a new one.
#[test]
fn lockout_scenario_3() {
    let mut desk = Desk::down(rulebook(|_| {}));
    desk.at("10:00:45").metadata("MES");
    desk.hold("MES", 1, "6000");
    desk.restored(remembered(&locked()));
    assert!(!desk.start().contains("lock"), "nothing changed");
    assert_eq!(desk.lockouts(), ["TIMER trade_frequency_limit per_minute until 10-29 10:01:00"]);
    assert_eq!(desk.at("10:01:00").tick(), "unlock trade_frequency_limit expiry");
}

/// A timer that was due while nothing ran fires once, and what is held then is nobody's breach.
#[test]
fn timer_scenario_1() {
    let mut desk = Desk::down(rulebook(|_| {}));
    desk.at("10:05:00").metadata("MES");
    desk.hold("MES", 2, "6000");
    desk.restored(remembered(&locked()));
    let text = [desk.send(Event::Link(domain::Link::UserUp)), desk.reconcile(&[])].join("\n");
    assert_eq!(text.matches("unlock trade_frequency_limit expiry").count(), 1, "{text}");
    assert!(!text.contains("close") && !text.contains("reduce"), "{text}");
    assert_eq!(desk.tick(), "");
}

/// Many timers at once: the nearest is the one to be woken for, and each fires once.
#[test]
fn timer_scenario_2() {
    let mut desk = locked();
    desk.position("MNQ", 1, "21000");
    let mut wakes = Vec::new();
    while let Some(deadline) = desk.engine.next_deadline().filter(|it| it.at <= time("10:01:30")) {
        assert!(deadline.at > desk.now, "never woken twice for the same instant");
        desk.now = deadline.at;
        desk.tick();
        wakes.push(deadline.at);
    }
    assert!(wakes.contains(&time("10:01:00")));
    assert!(desk.lockouts().is_empty());
}

/// The clock never runs backwards: an earlier time revives no record and delays none.
#[test]
fn timer_scenario_3() {
    let mut desk = locked();
    desk.at("10:01:00").tick();
    assert_eq!(desk.at("10:00:30").tick(), "");
    assert!(desk.lockouts().is_empty());
}

/// C.3: more than five actions on one contract within a minute without a trade of the trader are a loop:
/// told once, and acted on once a second from then on.
#[test]
fn a_loop_is_told_once_and_gets_room_and_new_exposure_does_not_wait() {
    let mut desk = Desk::new(only(|rules| {
        rules.symbol_blocks.enabled = true;
        rules.symbol_blocks.settings.patterns = vec!["RTY".to_string()];
    }));
    let close = "close RTY by symbol_blocks: 1 while 0 permitted by symbol_blocks";
    desk.position("RTY", 1, "2300");
    // Done, the broker says each time, and the position stays.
    let done = |desk: &mut Desk| {
        let enforcement = desk.ordered();
        desk.later(100).report(&enforcement, None, Outcome::Confirmed)
    };
    for _ in 2..=5 {
        assert_eq!(done(&mut desk), close);
    }
    assert_eq!(done(&mut desk), format!("{close}\nalert: loop of 6"));
    assert_eq!(done(&mut desk), "", "it gets room");
    assert_eq!(desk.later(500).tick(), "");
    assert_eq!(desk.later(400).tick(), close, "protection goes on");
    assert_eq!(done(&mut desk), "");
    assert!(desk.later(100).position("RTY", 2, "2300").contains("close RTY"), "new exposure never waits");
}

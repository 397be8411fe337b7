//! What failed is tried again, but not in a storm; and time that has passed does not ask to be passed
//! again.

use domain::{Command, Event, OrderSide::Buy, Outcome};

use crate::desk::{Desk, only};

fn failed() -> Outcome {
    Outcome::Failed { why: "the broker answered with HTTP status 503".to_string() }
}

fn locked() -> Desk {
    let mut desk = Desk::new(only(|_| {}));
    desk.send(Event::Command(Command::LockOut { account: None, until: None }));
    desk.obey();
    desk
}

/// At the second try, ten seconds later, it is known to last: then once a minute, should the hours be wrong, and at
/// the open.
#[test]
fn a_shut_market_is_tried_once_a_minute_and_at_the_open() {
    let mut desk = Desk::new(only(|_| {}));
    desk.at("2025-11-02T16:50:00");
    let until = Some("2025-11-04T20:00:00Z".parse().unwrap());
    desk.send(Event::Command(Command::LockOut { account: None, until }));
    desk.obey();
    let mut tried = Vec::new();
    let mut text = desk.position("MES", 1, "6000");
    for second in 0..605 {
        assert!(!text.contains("loop"), "{second}: {text}");
        if text.contains("close MES") {
            tried.push(second);
            let close = desk.ordered();
            text = desk.refuse(&close);
            assert!(!text.contains("close"), "{second}: {text}");
        }
        text = desk.later(1_000).tick();
    }
    assert_eq!(tried, [0, 10, 70, 130, 190, 250, 310, 370, 430, 490, 550, 600], "it opens at 5:00 PM");
}

/// A cancel that fails at once must not use up the requests that a close needs.
#[test]
fn a_failed_cancel_waits_before_it_is_tried_again() {
    let mut desk = locked();
    assert!(desk.limit(1, "MNQ", Buy, 1, "20900").starts_with("cancel 1 by trader"));
    let cancel = desk.ordered();
    assert_eq!(desk.report(&cancel, None, failed()), "");
    assert_eq!(desk.later(9_000).tick(), "");
    assert!(desk.later(1_000).tick().starts_with("cancel 1 by trader"));
}

#[test]
fn a_failed_cancel_holds_up_no_other() {
    let mut desk = locked();
    desk.limit(1, "MNQ", Buy, 1, "20900");
    let cancel = desk.ordered();
    desk.report(&cancel, None, failed());
    assert!(desk.limit(2, "MNQ", Buy, 1, "20900").starts_with("cancel 2 by trader"));
    let text = desk.send(Event::Command(Command::CancelAll { account: None }));
    assert!(text.starts_with("cancel 1 by trader"), "a person is never told to wait: {text}");
}

/// A deadline that has been served by a tick and still waits for the broker must not wake the loop a
/// thousand times a second.
#[test]
fn a_grace_that_is_over_asks_for_no_more_ticks_than_the_clock_gives() {
    let mut desk = Desk::new(only(|rules| rules.no_stop_loss_grace.settings.grace_period_seconds = 120));
    desk.position("ES", 2, "6000");
    desk.later(120_000).tick();
    for _ in 0..60 {
        let deadline = desk.engine.next_deadline().unwrap();
        assert!(deadline.at > desk.now, "{deadline:?}");
        desk.later(1_000).tick();
    }
}

/// Time may pass in a step that is not a tick: what became due in it still wants its tick.
#[test]
fn a_deadline_that_passed_in_another_step_still_wants_its_tick() {
    let mut desk = Desk::new(only(|rules| rules.no_stop_loss_grace.settings.grace_period_seconds = 120));
    desk.position("ES", 2, "6000");
    desk.later(120_000).quote("MNQ", "21000");
    assert!(desk.engine.next_deadline().unwrap().at <= desk.now);
    desk.tick();
    assert!(desk.engine.next_deadline().unwrap().at > desk.now);
}

//! RULE-009: outside the hours the account is locked; what was open gets its grace, what is new gets none.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde_json::json;

use crate::stage::{Rules, Stage, patiently, wait_until};

const RULE: &str = "session_block_outside";
/// From the end of a session to the close of what was open.
const GRACE: TimeDelta = TimeDelta::seconds(15);

/// A full minute that leaves time to begin.
fn next_end() -> DateTime<Utc> {
    let soon = Utc::now() + TimeDelta::seconds(10);
    soon.with_second(0).unwrap().with_nanosecond(0).unwrap() + TimeDelta::minutes(1)
}

/// A session around now that ends at `end`, and the next one a minute later.
fn two_sessions(end: DateTime<Utc>) -> Rules {
    let session = |from: i64, to: i64| {
        let at = |minutes: i64| (end + TimeDelta::minutes(minutes)).format("%H:%M").to_string();
        format!("{{start: \"{}\", end: \"{}\", days: [0, 1, 2, 3, 4, 5, 6]}}", at(from), at(to))
    };
    let sessions = format!("[{}, {}]", session(-30, 0), session(1, 20));
    Rules::open().with(
        RULE,
        &format!(
            "{{sessions: {sessions}, timezone: UTC, session_close_grace: {}, respect_holidays: false}}",
            GRACE.num_seconds()
        ),
    )
}

#[test]
fn the_end_of_a_session_locks_gives_grace_and_the_next_session_frees() {
    let end = next_end();
    let mut stage = Stage::running(&two_sessions(end));
    stage.desk().buy("MNQ", 1);
    wait_until("seen, inside the hours", || stage.account(0)["positions"][0]["size"] == 1);
    assert!(stage.locks(0).is_empty());
    patiently(Duration::from_secs(100), "the end of the session", || {
        let is_locked = stage.is_locked_by(0, RULE, "HARD");
        assert!(!is_locked || Utc::now() >= end, "locked before the end");
        is_locked.then_some(())
    });
    let lock = stage.account(0)["lockouts"][0].clone();
    let until: DateTime<Utc> = lock["until"].as_str().unwrap().parse().unwrap();
    assert_eq!(until, end + TimeDelta::minutes(1), "until the next session");
    let desk = stage.desk();
    desk.buy("ES", 1);
    wait_until("what is new is closed at once", || desk.fills().len() == 3 && desk.held("ES") == 0);
    assert_eq!(desk.held("MNQ"), 1, "what was open has its grace");
    assert!(Utc::now() < end + GRACE, "this machine is too slow for the story");

    stage.kill();
    stage.run();
    assert!(stage.is_locked_by(0, RULE, "HARD"), "{:?}", stage.locks(0));
    assert_eq!(stage.account(0)["lockouts"][0]["until"], lock["until"]);
    wait_until("closed after the grace", || {
        let is_flat = stage.desk().is_flat();
        assert!(!is_flat || Utc::now() >= end + GRACE, "closed within the grace");
        is_flat
    });
    assert_eq!(stage.account(0)["lockouts"].as_array().map(Vec::len), Some(1));
    patiently(Duration::from_secs(75), "the next session", || {
        let is_free = stage.locks(0).is_empty();
        assert!(!is_free || Utc::now() >= until, "free before the session");
        is_free.then_some(())
    });
    stage.desk().buy("MNQ", 1);
    wait_until("open again", || stage.account(0)["positions"][0]["size"] == 1);
    assert_eq!(stage.desk().held("MNQ"), 1);
}

#[test]
fn what_is_open_outside_the_hours_at_a_start_is_closed() {
    let away = |minutes: i64| (Utc::now() + TimeDelta::minutes(minutes)).format("%H:%M").to_string();
    let hours = format!(
        "{{sessions: [{{start: \"{}\", end: \"{}\", days: [0, 1, 2, 3, 4, 5, 6]}}], timezone: UTC, \
         respect_holidays: false}}",
        away(120),
        away(180)
    );
    let mut stage = Stage::with(&Rules::open().with(RULE, &hours));
    stage.desk().buy("MES", 1);
    let line = stage.run();
    assert_eq!(line["protection"], "locked");
    assert!(stage.is_locked_by(0, RULE, "HARD"));
    wait_until("closed", || stage.desk().is_flat());
    assert_eq!(stage.account(0)["positions"], json!([]));
}

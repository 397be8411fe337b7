//! RULE-006 and RULE-007: a break after too many trades or after a losing one, which neither a restart nor
//! a reason shortens, and which ends by itself.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::stage::{Rules, Stage, wait_until};

/// Length of the breaks here: long enough for a restart on a busy machine.
const BREAK: TimeDelta = TimeDelta::seconds(14);

/// When the one break of the account began and ends.
fn lasts(stage: &Stage, rule: &str) -> (DateTime<Utc>, DateTime<Utc>) {
    assert!(stage.is_locked_by(0, rule, "TIMER"), "{:?}", stage.locks(0));
    let lock = stage.account(0)["lockouts"][0].clone();
    // What was written down is exact to the microsecond.
    let at = |name: &str| lock[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap().trunc_subsecs(6);
    (at("since"), at("until"))
}

/// Counted from the fill, by the gateway's time; begun when it was heard of.
fn is_whole(length: TimeDelta) {
    assert!(length <= BREAK && length > BREAK - TimeDelta::seconds(1), "{length}");
}

/// Waits until the break has ended, which it may not do before its time.
fn ends_by_itself(stage: &Stage, until: DateTime<Utc>) {
    wait_until("the end of the break", || {
        let is_free = stage.locks(0).is_empty();
        assert!(!is_free || Utc::now() >= until, "free before {until}");
        is_free
    });
    assert!(Utc::now() < until + TimeDelta::seconds(5), "locked for too long");
    stage.wait_until_protection("armed");
}

#[test]
fn the_trade_that_is_one_too_many_begins_a_break_and_keeps_its_position() {
    const RULE: &str = "trade_frequency_limit";
    let rules = Rules::open().with(
        RULE,
        "{limits: {per_minute: 2, per_hour: 10, per_session: 50}, cooldown_on_breach: {per_minute_breach: 14s}}",
    );
    let mut stage = Stage::running(&rules);
    let desk = stage.desk();
    desk.buy("MNQ", 1);
    desk.buy("MNQ", 1);
    wait_until("a break", || !stage.locks(0).is_empty());
    let (since, until) = lasts(&stage, RULE);
    is_whole(until - since);
    assert_eq!(desk.held("MNQ"), 2, "what made it full is kept");
    desk.buy("MNQ", 1);
    wait_until("the third is taken back", || desk.fills().len() == 4 && desk.held("MNQ") == 2);
    stage.confirmed(RULE, "reduce_position");

    stage.kill();
    stage.desk().buy("MNQ", 2);
    let line = stage.run();
    assert_eq!(line["protection"], "locked");
    wait_until("what was bought meanwhile is taken back", || stage.desk().held("MNQ") == 2);
    assert_eq!(lasts(&stage, RULE), (since, until), "neither longer nor shorter");
    stage.desk().sell("MNQ", 1);
    wait_until("the exit is seen", || stage.account(0)["positions"][0]["size"] == 1);
    ends_by_itself(&stage, until);
    assert_eq!(stage.desk().held("MNQ"), 1);
    assert_eq!(stage.receipts(RULE, "cooldown").len(), 1, "a smaller baseline is no second break");
}

#[test]
fn a_losing_trade_closes_everything_and_begins_a_break() {
    const RULE: &str = "cooldown_after_loss";
    let rules = Rules::open().with(RULE, "{loss_thresholds: [{loss_amount: -100, cooldown_duration: 14s}]}");
    let mut stage = Stage::running(&rules);
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21_000.0);
    desk.buy("MNQ", 2);
    desk.buy("ES", 1);
    wait_until("both seen", || stage.account(0)["positions"].as_array().map(Vec::len) == Some(2));
    stage.simulator.price("MNQ", 20_970.0);
    desk.sell("MNQ", 2);
    wait_until("a break, and flat", || !stage.locks(0).is_empty() && desk.is_flat());
    let (since, until) = lasts(&stage, RULE);
    is_whole(until - since);

    stage.kill();
    stage.desk().buy("ES", 1);
    let line = stage.run();
    assert_eq!(line["protection"], "locked");
    wait_until("what was bought meanwhile is closed", || stage.desk().is_flat());
    assert_eq!(lasts(&stage, RULE), (since, until), "one break, neither longer nor shorter");
    ends_by_itself(&stage, until);
    let desk = stage.desk();
    desk.buy("ES", 1);
    wait_until("a new one is seen", || stage.account(0)["positions"][0]["size"] == 1);
    assert_eq!(desk.held("ES"), 1);
}

//! One request after another to one goal, and what the answers mean.

use super::*;

#[test]
fn accepted_is_not_done_seen_is() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(2));
    bench.pass(4);
    bench.serve();
    assert!(bench.receipts.is_empty(), "accepted only");
    bench.now += TimeDelta::milliseconds(6);
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["reduce MNQ by 1"]);
    let receipt = &bench.receipts[0];
    let after = |at: Option<Instant>| (at.unwrap() - receipt.enforcement.detected_at).num_milliseconds();
    assert_eq!(
        (after(receipt.sent_at), after(receipt.acknowledged_at), after(receipt.confirmed_at)),
        (0, 4, 10)
    );
    assert_eq!(receipt.closed["MNQ"], Contracts(1));
}

#[test]
fn the_stream_may_be_faster_than_the_reply() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.broker.positions.clear();
    bench.pass(5);
    bench.stream();
    assert!(bench.receipts.is_empty(), "a call is in flight");
    bench.pass(5);
    bench.reply(Ok(Answer::Accepted));
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    let receipt = &bench.receipts[0];
    assert_eq!((receipt.confirmed_at.unwrap() - receipt.enforcement.detected_at).num_milliseconds(), 5);
}

#[test]
fn a_silent_stream_is_made_up_for_by_a_look() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.serve();
    bench.pass(749);
    assert_eq!(bench.sent.len(), 1);
    bench.pass(1);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["close MNQ", "verify"]);
}

#[test]
fn a_position_that_is_gone_is_a_success() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.clear();
    bench.begin(1, close());
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn what_is_no_longer_needed_is_not_sent() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, to(2));
    assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    assert!(bench.sent.is_empty());
}

/// RULE-001, scenario 5: sizes 3, 6, 8 with one call in flight: exactly three contracts are closed.
#[test]
fn growth_while_a_call_is_in_flight_is_closed_by_the_next_call() {
    let mut bench = Bench::new(&[("MNQ", 6)]);
    bench.begin(1, to(5));
    bench.broker.positions.insert("MNQ".into(), 8);
    bench.stream();
    assert_eq!(bench.sent, ["reduce MNQ by 1"]);
    bench.serve();
    bench.filled(1);
    bench.stream();
    bench.serve();
    bench.serve();
    bench.stream();
    assert_eq!(bench.sent, ["reduce MNQ by 1", "verify", "reduce MNQ by 2"]);
    assert_eq!(bench.broker.positions["MNQ"], 5);
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn a_stricter_goal_takes_over_and_the_weaker_is_superseded() {
    let mut bench = Bench::new(&[("MNQ", 6)]);
    bench.begin(1, to(5));
    bench.begin(2, close());
    assert_eq!(bench.sent, ["reduce MNQ by 1"], "one call in flight");
    bench.serve();
    bench.filled(1);
    bench.stream();
    bench.serve();
    bench.serve();
    bench.stream();
    assert_eq!(bench.sent, ["reduce MNQ by 1", "verify", "close MNQ"]);
    let by_id = |id| bench.receipts.iter().find(|it| it.enforcement.id == EnforcementId(id)).unwrap();
    assert!(by_id(1).superseded);
    assert_eq!(by_id(2).outcome, Outcome::Confirmed);
}

#[test]
fn a_closed_market_ends_the_attempt_at_once() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Err(CallError::Refused {
        code: 5,
        text: "Trading is currently unavailable.".to_string(),
        kind: Refusal::MarketClosed,
    }));
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("Trading is currently")));
    assert!(bench.receipts[0].report().market_shut, "the engine waits for the open");
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn where_reducing_is_refused_people_are_told_or_the_whole_position_is_closed() {
    let refused =
        || CallError::Refused { code: 7, text: "AccountRejected".to_string(), kind: Refusal::NotPermitted };
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(2));
    bench.reply(Err(refused()));
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("AccountRejected")));
    assert_eq!(bench.sent, ["reduce MNQ by 1"]);

    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.known.closes_instead = true;
    bench.begin(1, to(2));
    bench.reply(Err(refused()));
    bench.pass_to_deadline();
    bench.serve();
    bench.stream();
    assert_eq!(*bench.outcome(), Outcome::Confirmed);
    assert_eq!(bench.sent, ["reduce MNQ by 1", "close MNQ"]);

    // Closing is refused as well: that is the end of it.
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.known.closes_instead = true;
    bench.begin(1, to(2));
    bench.reply(Err(refused()));
    bench.pass_to_deadline();
    bench.reply(Err(refused()));
    assert!(matches!(bench.outcome(), Outcome::Failed { .. }));
}

/// A position is open: not a moment longer either.
#[test]
fn too_many_requests_wait_as_long_as_the_broker_asks() {
    for told in [60, 2_000] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.begin(1, close());
        let retry_after = Some(Duration::from_millis(told));
        bench.reply(Err(CallError::RateLimited { retry_after }));
        bench.pass(i64::try_from(told).unwrap() - 1);
        assert_eq!(bench.sent.len(), 1);
        bench.pass(1);
        assert_eq!(bench.sent.len(), 2);
    }
    for unsaid in [None, Some(Duration::ZERO)] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.begin(1, close());
        bench.reply(Err(CallError::RateLimited { retry_after: unsaid }));
        bench.pass(249);
        assert_eq!(bench.sent.len(), 1, "{unsaid:?}");
    }
}

#[test]
fn attempts_end() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    for _ in 0..3 {
        bench.reply(Err(CallError::Unreachable("refused".to_string())));
        if bench.receipts.is_empty() {
            bench.pass_to_deadline();
        }
    }
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("refused")));
    assert!(bench.executor.is_idle());
}

#[test]
fn a_call_that_is_never_answered_is_looked_after() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.execute().unwrap();
    bench.calls.clear();
    bench.pass(2_500);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

/// Another position that counted was closed meanwhile.
#[test]
fn a_reduction_whose_reason_has_gone_is_withdrawn_before_it_is_repeated() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(1));
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.known.allowed = Some(Contracts(2));
    bench.pass(250);
    assert_eq!(bench.sent, ["reduce MNQ by 2", "reduce MNQ by 1"]);
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.known.allowed = Some(Contracts(4));
    bench.pass(750);
    assert_eq!(bench.sent.len(), 2);
    assert_eq!(bench.receipts.len(), 1);
}

/// A close that left right after the computer woke is not late because the broker's time is hours ahead.
#[test]
fn nobody_waited_for_an_answer_while_the_clock_was_put_forward() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, Deed::Reduce { contract: "MNQ".into(), to: Contracts::ZERO });
    let by = TimeDelta::hours(1);
    bench.executor.stepped(by);
    bench.now += by;
    bench.pass(2_000);
    assert_eq!(bench.sent, ["close MNQ"]);
    bench.pass(500);
    assert_eq!(bench.sent.len(), 2, "then it is looked after");
}

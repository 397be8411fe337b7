//! Closes of ours that may exist and do not show, or show late: never a second one beside them.

use super::*;

#[test]
fn two_times_503_still_ends_flat() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    for _ in 0..2 {
        bench.reply(Err(CallError::Server(503)));
        bench.serve();
        bench.pass_to_deadline();
        bench.serve();
    }
    bench.serve();
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    let once = ["close MNQ", "verify", "verify"];
    assert_eq!(bench.sent, [&once[..], &once[..], &["close MNQ"]].concat());
    assert_eq!(bench.receipts[0].attempts, 3);
    assert_eq!(bench.receipts[0].error.as_deref(), Some("the broker answered with HTTP status 503"));
}

/// The case that tempts into closing twice: executed, then answered with 503.
#[test]
fn executed_and_then_503_is_not_repeated() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.execute().unwrap();
    bench.reply(Err(CallError::Server(503)));
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["close MNQ", "verify"]);
}

/// Taken by the broker and answered with 502 at once, booked only a moment later: the look that followed came
/// too early to show it.
#[test]
fn a_close_that_is_booked_after_its_bad_answer_is_seen_before_it_is_repeated() {
    for told_by_stream in [false, true] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.begin(1, close());
        bench.reply(Err(CallError::Server(502)));
        bench.serve();
        bench.pass(100);
        let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
        match told_by_stream {
            true => drop(bench.known.orders.insert(ours.id.clone(), ours)),
            false => bench.history.push(ours),
        }
        bench.pass(150);
        bench.serve();
        bench.pass(250);
        bench.history.clear();
        bench.broker.positions.clear();
        bench.serve();
        assert_eq!(bench.outcome(), &Outcome::Confirmed);
        assert_eq!(bench.sent, ["close MNQ", "verify", "verify", "verify"]);
    }
}

/// The answer itself comes after its limit: there is an order, whatever the lists show.
#[test]
fn an_acceptance_that_comes_late_is_believed() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    let (id, _) = bench.calls.remove(0);
    bench.pass(2_500);
    let (result, waited) = (Ok(Answer::Accepted), Duration::ZERO);
    let reply = Reply { id, result, waited, server_time: None };
    let mut floor = Floor { now: bench.now, book: &bench.known, ids: &mut bench.ids };
    let effects = bench.executor.replied(&reply, &mut floor).unwrap();
    bench.take(effects);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

#[test]
fn a_closing_order_that_still_works_is_waited_for() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Err(CallError::TimedOut(Duration::from_secs(2))));
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.history.push(ours);
    for _ in 0..5 {
        bench.serve();
        bench.pass(250);
    }
    bench.history[0].status = OrderStatus::Filled;
    bench.broker.positions.clear();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1);
}

/// The broker lists no pending orders: only the stream tells that the close is on its way.
#[test]
fn a_closing_order_that_only_the_stream_knows_is_waited_for() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.known.orders.insert(ours.id.clone(), ours);
    bench.pass(750);
    for _ in 0..6 {
        bench.serve();
        bench.pass(250);
    }
    bench.broker.positions.clear();
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1);
}

#[test]
fn an_order_that_was_lost_from_sight_does_not_hold_up_a_close_for_ever() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    let ghost = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.known.orders.insert(ghost.id.clone(), ghost);
    bench.now += TimeDelta::seconds(61);
    bench.begin(1, close());
    bench.serve();
    bench.serve();
    assert_eq!(bench.sent, ["verify", "close MNQ"]);
}

#[test]
fn an_accepted_close_of_which_nothing_is_seen_is_looked_for_before_it_is_repeated() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent[0], "close MNQ");
    assert_eq!(bench.sent[1..], ["verify"; 9]);
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent.last().map(String::as_str), Some("close MNQ"));
}

#[test]
fn a_filled_close_is_given_time_to_show() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now));
    bench.pass(750);
    bench.serve();
    bench.pass(250);
    bench.broker.positions.clear();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["close MNQ", "verify", "verify"]);
}

/// Accepted means that there is an order: until the lists show it, nothing is known about it.
#[test]
fn an_accepted_close_that_does_not_show_yet_is_not_repeated() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, to(2));
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    for _ in 0..3 {
        bench.serve();
        bench.pass(250);
    }
    bench.broker.positions.insert("MNQ".into(), 2);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call != "verify").count(), 1, "{:?}", bench.sent);
}

/// Code 6 of a close says "order pending": there is one.
#[test]
fn a_refusal_that_may_speak_of_an_order_is_looked_into() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now));
    let kind = Refusal::Other;
    bench.reply(Err(CallError::Refused { code: 6, text: "OrderPending".to_string(), kind }));
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent, ["close MNQ", "verify", "verify"]);
}

/// A halt: the closing order works for longer than anybody waits. It is found again, not repeated.
#[test]
fn a_close_that_was_given_up_while_it_worked_is_looked_for_by_the_next() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
    bench.history.push(Order { size: Contracts(3), ..ours });
    bench.reply(Ok(Answer::Accepted));
    while bench.receipts.is_empty() {
        bench.pass_to_deadline();
        if !bench.calls.is_empty() {
            bench.serve();
        }
    }
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("still working")));
    bench.sent.clear();
    bench.pass(10_000);
    bench.begin(2, close());
    bench.serve();
    bench.history[0].status = OrderStatus::Cancelled;
    bench.pass(250);
    bench.serve();
    assert_eq!(bench.sent, ["verify", "verify", "close MNQ"]);
}

/// The market pauses: the first close works on and is in no list, its decision ended, and another follows.
#[test]
fn a_close_of_an_earlier_decision_that_is_out_of_sight_is_looked_for_as_long_as_ones_own() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.known.positions.clear();
    bench.advance();
    bench.known.positions.insert("MNQ".into(), 2);
    bench.begin(2, close());
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent[1..], ["verify"; 9]);
    bench.serve();
    bench.pass(0);
    assert_eq!(bench.sent.last().map(String::as_str), Some("close MNQ"));
}

/// A look ends the first decision, and another one is made by what it showed, before anything moved on.
#[test]
fn a_decision_that_joins_one_that_just_ended_looks_for_its_close_as_well() {
    let mut bench = Bench::new(&[("MNQ", 4)]);
    bench.begin(1, to(2));
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    bench.broker.positions.insert("MNQ".into(), 2);
    let verified = bench.execute();
    let (id, _) = bench.calls.remove(0);
    let reply = Reply { id, result: verified, waited: Duration::ZERO, server_time: None };
    let mut floor = Floor { now: bench.now, book: &bench.known, ids: &mut bench.ids };
    bench.executor.replied(&reply, &mut floor).unwrap();
    bench.known.positions.insert("MNQ".into(), 2);
    bench.begin(2, close());
    assert_eq!(bench.sent, ["reduce MNQ by 2", "verify", "verify"]);
}

/// Which order an earlier run sent is not known: whatever was traded since, the broker is asked.
#[test]
fn what_an_earlier_run_sent_is_always_looked_for() {
    for begun in [close(), Deed::Flatten] {
        let mut bench = Bench::new(&[("MNQ", 3)]);
        bench.executor.begun_before(&enforcement(1, begun, bench.now), bench.now, bench.now);
        bench.known.traded = Some(Exposure(-3));
        bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now));
        bench.begin(2, close());
        bench.serve();
        bench.history[0].status = OrderStatus::Filled;
        bench.broker.positions.clear();
        bench.pass(250);
        bench.serve();
        assert_eq!(bench.sent, ["verify", "verify"]);
        assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    }
}

/// It left before the earlier run ended, and is slower than this one's start: a list without it says nothing.
#[test]
fn what_an_earlier_run_sent_may_still_arrive() {
    for begun in [close(), Deed::Flatten] {
        let mut bench = Bench::new(&[("MNQ", 3)]);
        bench.executor.begun_before(&enforcement(1, begun, bench.now), bench.now, bench.now);
        bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now));
        bench.begin(2, close());
        for _ in 0..4 {
            assert_eq!(bench.sent.last().unwrap(), "verify");
            bench.serve();
            bench.pass(250);
        }
        bench.serve();
        bench.pass(0);
        assert_eq!(bench.sent.last().unwrap(), "close MNQ", "it never left");
    }
}

/// Its time was told wrong: that it was put forward is no time in which our close was filled.
#[test]
fn a_close_out_of_sight_does_not_age_by_a_clock_that_is_put_right() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.known.positions.insert("MNQ".into(), -1);
    bench.advance();
    let by = TimeDelta::seconds(72);
    bench.executor.stepped(by);
    bench.now += by;
    bench.begin(2, close());
    assert_eq!(bench.sent, ["close MNQ", "verify"]);
}

//! Looking at the broker's lists: when, how often, and what is learned first.

use super::*;

#[test]
fn a_look_that_is_not_answered_holds_up_no_close() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.known.is_shrinking = true;
    bench.begin(1, close());
    bench.reply(Err(CallError::Server(503)));
    bench.serve();
    assert_eq!(bench.sent, ["verify", "close MNQ"]);
}

/// A locked account, our close under way, the trader buys three: what the look was to find out is told by the
/// stream while the rate budget refuses the look, once an order of the trader's can't stand for ours any more.
#[test]
fn a_look_that_is_refused_holds_up_no_close_of_which_the_stream_has_told() {
    let mut bench = Bench::new(&[("MNQ", -1)]);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.known.positions.insert("MNQ".into(), 3);
    bench.advance();
    bench.sent.clear();
    bench.begin(2, close());
    bench.reply(Err(CallError::RateLimited { retry_after: Some(Duration::from_secs(4)) }));
    bench.pass(100);
    bench.known.closed = Some(Exposure(1));
    bench.pass(1_899);
    assert_eq!(bench.sent, ["verify"]);
    bench.pass(1);
    assert_eq!(bench.sent, ["verify", "close MNQ"]);
}

#[test]
fn a_look_that_is_refused_is_repeated_for_longer_than_one_that_fails() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.executor.begun_before(&enforcement(1, Deed::Flatten, bench.now), bench.now, bench.now);
    bench.begin(2, close());
    for _ in 0..6 {
        bench.reply(Err(CallError::RateLimited { retry_after: Some(Duration::from_secs(1)) }));
        bench.pass(999);
        assert!(bench.calls.is_empty(), "as long as was asked");
        bench.pass(1);
    }
    bench.serve();
    assert_eq!(bench.sent.last().unwrap(), "close MNQ");
    assert!(bench.receipts.is_empty());
}

/// Without its exit the position as known before would look too large again, and be reduced once more.
#[test]
fn what_is_held_is_learned_before_the_end_of_what_reduced_it() {
    let mut bench = Bench::new(&[("MNQ", 3)]).with_order(9, OrderSide::Sell, OrderKind::Market);
    bench.history.push(order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now));
    bench.begin(1, to(1));
    let (id, _) = bench.calls.remove(0);
    let result = Ok(Answer::Verified { positions: Vec::new(), orders: bench.history.clone() });
    let reply = Reply { id, result, waited: Duration::ZERO, server_time: None };
    let mut floor = Floor { now: bench.now, book: &bench.known, ids: &mut bench.ids };
    let effects = bench.executor.replied(&reply, &mut floor).unwrap();
    assert!(
        matches!(&effects[..], [Effect::Learn(Event::Positions { .. }), Effect::Learn(Event::Order(_))]),
        "{effects:?}"
    );
}

/// The stream says three, the fills say two: one message was late. A part is closed of what is there.
#[test]
fn what_is_in_doubt_is_looked_at_before_a_part_of_it_is_closed() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.broker.positions.insert("MNQ".into(), 2);
    bench.known.doubtful.push("MNQ".into());
    bench.begin(1, to(2));
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    assert_eq!(bench.sent, ["verify"]);

    let mut whole = Bench::new(&[("MNQ", 3)]);
    whole.known.doubtful.push("MNQ".into());
    whole.begin(1, close());
    assert_eq!(whole.sent, ["close MNQ"], "a whole close cannot be too much");
}

/// The stream was lost and came back, and the account could not be read since.
#[test]
fn what_may_have_been_missed_is_looked_at_before_a_part_is_closed_and_before_that_is_repeated() {
    let mut bench = Bench::new(&[("MNQ", 5)]);
    bench.known.is_doubtful = true;
    bench.begin(1, to(2));
    bench.serve();
    assert_eq!(bench.sent, ["verify", "reduce MNQ by 3"]);
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.broker.positions.insert("MNQ".into(), 3);
    bench.pass(250);
    bench.serve();
    assert_eq!(bench.sent[2..], ["verify", "reduce MNQ by 1"]);
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.broker.positions.insert("MNQ".into(), 2);
    bench.pass(750);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent[4..], ["verify"]);

    let mut whole = Bench::new(&[("MNQ", 5)]);
    whole.known.is_doubtful = true;
    whole.begin(1, close());
    assert_eq!(whole.sent, ["close MNQ"], "a whole close cannot be too much");
}

/// The lists hold open orders only.
#[test]
fn a_pending_order_that_is_not_listed_is_not_taken_for_ended() {
    let mut bench = Bench::new(&[]).with_order(5, OrderSide::Buy, OrderKind::Limit);
    bench.known.orders.get_mut("5").unwrap().status = OrderStatus::Pending;
    bench.begin(1, Deed::Cancel { orders: vec![5.into()] });
    let listed = bench.broker.orders.clone();
    bench.broker.orders.clear();
    bench.reply(Err(CallError::NotFound));
    bench.serve_as_pending();
    assert!(bench.receipts.is_empty());
    bench.broker.orders = listed;
    bench.pass(250);
    assert_eq!(bench.sent, ["cancel 5", "orders", "cancel 5"]);
}

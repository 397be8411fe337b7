//! Others trade the contract as well: what is theirs is not taken for ours, and not closed over.

use super::*;

/// The computer wakes: two were known to be held, it was three by then, and the engine's time is put forward
/// after the close left. What the trader bought meanwhile is heard of only now, and is not our close.
#[test]
fn the_traders_own_orders_do_not_stand_for_a_close_that_is_still_working() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.insert("MNQ".into(), 3);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    let wakes = TimeDelta::seconds(72);
    bench.executor.stepped(wakes);
    bench.now += wakes;
    let his = order(8, OrderSide::Buy, OrderKind::Market, OrderStatus::Filled, bench.now);
    bench.history.push(Order { size: Contracts(1), ..his });
    bench.stream();
    for _ in 0..5 {
        bench.serve();
        bench.pass(250);
    }
    let ours = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now);
    bench.history.push(Order { size: Contracts(3), ..ours });
    bench.broker.positions.clear();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

/// As above, and by chance the trader sold two while the computer slept: by the broker's clock that was before
/// our close left.
#[test]
fn what_was_traded_while_the_computer_slept_is_not_taken_for_a_close() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, close());
    let before = bench.now;
    bench.now += TimeDelta::seconds(72);
    let (id, _) = bench.calls.remove(0);
    let (result, waited) = (Ok(Answer::Accepted), Duration::ZERO);
    let reply = Reply { id, result, waited, server_time: Some(bench.now) };
    let mut floor = Floor { now: before, book: &bench.known, ids: &mut bench.ids };
    let effects = bench.executor.replied(&reply, &mut floor).unwrap();
    bench.take(effects);
    let slept = before + TimeDelta::seconds(30);
    bench.history.push(order(8, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, slept));
    bench.pass(750);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

/// What the trader traded before our close left is older than it, whoever heard of it when.
#[test]
fn an_order_from_before_a_close_is_not_taken_for_it() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.history.push(order(8, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now));
    bench.pass(3_000);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    for _ in 0..8 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.sent.iter().filter(|call| *call == "close MNQ").count(), 1, "{:?}", bench.sent);
}

#[test]
fn a_position_that_the_trader_is_closing_is_looked_at_before_anything_is_sent() {
    for shrinking_by_fill in [true, false] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.known.is_shrinking = shrinking_by_fill;
        if !shrinking_by_fill {
            let his = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Pending, bench.now);
            bench.known.orders.insert(his.id.clone(), his);
        }
        bench.broker.positions.clear();
        bench.begin(1, close());
        bench.serve();
        assert_eq!(bench.sent, ["verify"]);
        assert_eq!(bench.outcome(), &Outcome::NotNeeded);
    }
}

/// Our close arrives when the trader's stop has turned the position: it goes the other way, and is ours all
/// the same.
#[test]
fn a_close_that_went_the_other_way_is_waited_for() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    bench.begin(1, close());
    bench.broker.positions.insert("MNQ".into(), -1);
    bench.stream();
    bench.begin(2, close());
    bench.history.push(order(9, OrderSide::Buy, OrderKind::Market, OrderStatus::Pending, bench.now));
    bench.reply(Ok(Answer::Accepted));
    bench.serve();
    bench.pass(250);
    bench.serve();
    assert_eq!(bench.sent, ["close MNQ", "verify", "verify"]);
}

#[test]
fn a_close_of_a_moment_ago_is_not_taken_for_the_new_one() {
    let mut bench = Bench::new(&[("MNQ", 3)]);
    let old = order(8, OrderSide::Sell, OrderKind::Market, OrderStatus::Filled, bench.now);
    bench.known.heard.insert(old.id.clone(), bench.now);
    bench.history.push(old);
    bench.pass(10);
    bench.begin(1, to(2));
    bench.reply(Ok(Answer::Accepted));
    bench.pass(750);
    let new = order(9, OrderSide::Sell, OrderKind::Market, OrderStatus::Rejected, bench.now);
    bench.history.push(Order { size: Contracts(1), ..new });
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent, ["reduce MNQ by 1", "verify", "reduce MNQ by 1"], "the new one was rejected");
}

/// The trader trades in the moment of our close: only an order that did what ours was to do can be believed to
/// be it, and only when ours can't be out of sight any more. What a close of the whole takes is decided by what
/// is held when it arrives.
#[test]
fn an_order_that_did_something_else_does_not_stand_for_our_close() {
    let again = |after, goal, known: &dyn Fn(&mut World)| {
        let mut bench = Bench::new(&[("MNQ", 4)]);
        bench.begin(1, goal);
        bench.reply(Ok(Answer::Accepted));
        bench.known.positions.clear();
        bench.advance();
        assert_eq!(bench.outcome(), &Outcome::Confirmed);
        bench.known.positions.insert("MNQ".into(), 2);
        known(&mut bench.known);
        bench.pass(after);
        bench.begin(2, close());
        bench.sent.pop().unwrap()
    };
    for (traded, sent) in [(5, "verify"), (3, "verify"), (-2, "verify"), (-3, "close MNQ")] {
        assert_eq!(again(2_000, to(1), &|known| known.traded = Some(Exposure(traded))), sent, "{traded}");
    }
    assert_eq!(again(1_999, to(1), &|known| known.traded = Some(Exposure(-3))), "verify");
    assert_eq!(again(2_000, close(), &|known| known.traded = Some(Exposure(-4))), "verify");
    assert_eq!(again(2_000, close(), &|known| known.closed = Some(Exposure(4))), "verify");
    assert_eq!(again(2_000, close(), &|known| known.closed = Some(Exposure(-3))), "close MNQ");
    assert_eq!(again(1_999, close(), &|known| known.closed = Some(Exposure(-3))), "verify");
}

/// Two were known to be held, it was three by then: the close took all three, and the trader buys again.
#[test]
fn a_close_that_took_more_than_was_known_is_recognised_at_once() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.insert("MNQ".into(), 1);
    bench.begin(1, close());
    bench.reply(Ok(Answer::Accepted));
    bench.filled(3);
    bench.known.held_before = Exposure(3);
    bench.pass(750);
    bench.serve();
    bench.pass(0);
    assert_eq!(bench.sent, ["close MNQ", "verify", "close MNQ"]);
}

/// The trader takes from a position that is to be reduced: nothing is waited for longer than it takes.
#[test]
fn the_end_of_what_was_in_the_way_is_told_by_the_stream_and_looked_at_at_once() {
    let mut bench = Bench::new(&[("MNQ", 5)]).with_order(9, OrderSide::Sell, OrderKind::Market);
    bench.history.push(bench.broker.orders.remove("9").unwrap());
    bench.begin(1, to(2));
    bench.serve();
    bench.pass(20);
    assert_eq!(bench.sent, ["verify"], "it works");
    bench.history[0].status = OrderStatus::Filled;
    bench.broker.positions.insert("MNQ".into(), 4);
    bench.known.orders.clear();
    bench.known.heard.insert(9.into(), bench.now);
    bench.advance();
    bench.serve();
    assert_eq!(bench.sent, ["verify", "verify", "reduce MNQ by 2"]);
}

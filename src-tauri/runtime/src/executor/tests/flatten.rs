//! A whole account is flattened and checked; orders are cancelled and made smaller.

use super::*;

#[test]
fn a_flatten_closes_and_cancels_together_and_then_checks() {
    let mut bench = Bench::new(&[("MNQ", 2), ("ES", -1)])
        .with_order(5, OrderSide::Buy, OrderKind::Limit)
        .with_order(6, OrderSide::Sell, OrderKind::Stop);
    bench.begin(1, Deed::Flatten);
    assert_eq!(bench.sent, ["close ES", "close MNQ", "cancel 5"]);
    for _ in 0..3 {
        bench.serve();
    }
    bench.stream();
    assert_eq!(bench.sent[3..], ["verify", "orders"]);
    bench.serve();
    bench.serve();
    assert_eq!(bench.sent[5..], ["cancel 6"], "the stop is a leftover now");
    bench.serve();
    bench.stream();
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    let receipt = &bench.receipts[0];
    assert_eq!((receipt.closed.len(), receipt.cancelled), (2, 2));
}

#[test]
fn a_flatten_closes_what_only_the_broker_knows() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.broker.positions.insert("CL".into(), -3);
    bench.begin(1, Deed::Flatten);
    bench.serve();
    bench.stream_only("MNQ");
    bench.serve();
    bench.serve();
    assert_eq!(bench.sent.last().unwrap(), "close CL");
    bench.serve();
    bench.stream();
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn a_flatten_that_nobody_confirms_is_a_failure() {
    let mut bench = Bench::new(&[]);
    bench.begin(1, Deed::Flatten);
    while bench.receipts.is_empty() {
        bench.calls.clear();
        bench.pass_to_deadline();
    }
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("did not confirm")));
}

#[test]
fn orders_are_cancelled_and_made_smaller() {
    let mut bench = Bench::new(&[("MNQ", 1)]).with_order(5, OrderSide::Buy, OrderKind::Limit).with_order(
        6,
        OrderSide::Sell,
        OrderKind::Stop,
    );
    bench.begin(1, Deed::Cancel { orders: vec![5.into()] });
    bench.begin(2, Deed::Shrink { order: 6.into(), to: Contracts(1) });
    assert_eq!(bench.sent, ["cancel 5", "resize 6 to 1"]);
    bench.serve();
    bench.serve();
    bench.pass(750);
    bench.serve();
    bench.serve();
    assert!(bench.receipts.iter().all(|it| it.outcome == Outcome::Confirmed), "{:?}", bench.receipts);
    assert_eq!(bench.broker.orders.len(), 1);
}

#[test]
fn an_order_that_is_gone_already_is_no_failure() {
    let mut bench = Bench::new(&[]).with_order(5, OrderSide::Buy, OrderKind::Limit);
    bench.broker.orders.clear();
    bench.begin(1, Deed::Cancel { orders: vec![5.into()] });
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

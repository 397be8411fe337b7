//! Placing and changing protective orders against a broker that misbehaves: never twice, never more than is
//! held, never away from the market.

use domain::{Leg, Ticket};

use super::*;

fn ticket(size: u32, at: i64) -> Ticket {
    let (contract, leg, side) = ("MNQ".into(), Leg::Stop, OrderSide::Sell);
    Ticket { contract, leg, side, size: Contracts(size), price: Price(at.into()) }
}

fn place(size: u32) -> Deed {
    Deed::Place { ticket: ticket(size, 20_990) }
}

fn change(size: u32, at: i64) -> Deed {
    Deed::Modify { order: 6.into(), ticket: ticket(size, at) }
}

pub fn placed(id: usize, ticket: &Ticket, tag: &str, now: Instant) -> Order {
    let id = i64::try_from(id).unwrap();
    Order {
        size: ticket.size,
        stop_price: Some(ticket.price),
        tag: Some(tag.to_string()),
        ..order(id, ticket.side, OrderKind::Stop, OrderStatus::Open, now)
    }
}

fn rejected() -> CallError {
    CallError::Refused { code: 2, text: "Invalid stop price".to_string(), kind: Refusal::Other }
}

impl Bench {
    /// A position of two with our stop, order 6, at 20,990.
    fn protected() -> Self {
        let mut bench = Self::new(&[("MNQ", 2)]);
        let stop = Order { id: 6.into(), ..placed(6, &ticket(2, 20_990), "rm-x", bench.now) };
        bench.known.orders.insert(stop.id.clone(), stop.clone());
        bench.broker.orders.insert(stop.id.clone(), stop);
        bench
    }

    fn placings(&self) -> usize {
        self.sent.iter().filter(|call| call.starts_with("place")).count()
    }
}

#[test]
fn a_placed_order_is_done_when_the_stream_shows_it() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    bench.serve();
    assert!(bench.receipts.is_empty(), "accepted only");
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["place 2 at 20990"]);
    assert_eq!(bench.receipts[0].placed, 1);
}

#[test]
fn a_silent_stream_is_made_up_for_by_a_look_for_the_tag() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    bench.serve();
    bench.pass(750);
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["place 2 at 20990", "verify"]);
}

#[test]
fn an_order_whose_answer_was_lost_is_found_by_its_tag_and_not_placed_again() {
    for error in [CallError::TimedOut(Duration::from_secs(2)), CallError::Server(502)] {
        let mut bench = Bench::new(&[("MNQ", 2)]);
        bench.begin(1, place(2));
        bench.execute().unwrap();
        bench.reply(Err(error));
        bench.serve();
        assert_eq!(bench.outcome(), &Outcome::Confirmed);
        assert_eq!(bench.placings(), 1);
    }
}

#[test]
fn an_order_that_does_not_show_is_looked_for_patiently_and_placed_again_under_the_same_tag() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    bench.reply(Err(CallError::TimedOut(Duration::from_secs(2))));
    for _ in 0..4 {
        bench.serve();
        bench.pass(250);
    }
    assert_eq!(bench.placings(), 1, "{:?}", bench.sent);
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent.last().unwrap(), "place 2 at 20990");
    assert_eq!(bench.placings(), 2);
}

#[test]
fn a_rejected_order_takes_its_tag_with_it() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    let tag = bench.receipt_tag();
    let refused = placed(9, &ticket(2, 20_990), &tag, bench.now);
    bench.history.push(Order { status: OrderStatus::Rejected, ..refused });
    bench.reply(Err(rejected()));
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent, ["place 2 at 20990", "verify", "place 2 at 20990-2"]);
    bench.serve();
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn a_broker_that_goes_on_rejecting_is_given_up_after_three_attempts() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    let tag = bench.receipt_tag();
    while bench.receipts.is_empty() {
        match bench.calls.first().map(|(_, call)| name(call)) {
            Some(call) if call.starts_with("place") => {
                let refused = placed(300 + bench.history.len(), &ticket(2, 20_990), &tag, bench.now);
                bench.history.push(Order { status: OrderStatus::Rejected, ..refused });
                bench.reply(Err(rejected()));
            }
            Some(_) => bench.serve(),
            None => bench.pass_to_deadline(),
        }
    }
    assert_eq!(bench.placings(), 3);
    assert!(matches!(bench.outcome(), Outcome::Failed { why } if why.contains("Invalid stop price")));
}

#[test]
fn a_closed_market_takes_no_orders() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    let kind = Refusal::MarketClosed;
    bench.reply(Err(CallError::Refused { code: 2, text: "Trading is unavailable.".to_string(), kind }));
    assert!(matches!(bench.outcome(), Outcome::Failed { .. }));
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn an_order_that_would_open_a_position_is_not_sent() {
    for held in [&[][..], &[("MNQ", 1)], &[("MNQ", -2)]] {
        let mut bench = Bench::new(held);
        bench.begin(1, place(2));
        assert_eq!(bench.outcome(), &Outcome::NotNeeded, "{held:?}");
        assert!(bench.sent.is_empty());
    }
}

#[test]
fn a_position_that_is_being_closed_by_others_is_looked_at_first() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.known.is_shrinking = true;
    bench.broker.positions.clear();
    bench.begin(1, place(2));
    bench.serve();
    assert_eq!(bench.sent, ["verify"]);
    assert_eq!(bench.outcome(), &Outcome::NotNeeded);
}

#[test]
fn a_placing_that_waits_is_withdrawn_by_a_close() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    bench.reply(Err(CallError::Unreachable("refused".to_string())));
    bench.begin(2, close());
    bench.pass(1_000);
    assert_eq!(bench.sent, ["place 2 at 20990", "close MNQ"]);
    assert_eq!(bench.outcome(), &Outcome::NotNeeded, "the order; the close is under way");
}

#[test]
fn an_order_of_an_earlier_run_is_looked_for_first() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    let earlier = enforcement(7, place(2), bench.now);
    bench.executor.begun_before(&earlier, bench.now, bench.now);
    bench.history.push(placed(9, &ticket(2, 20_990), &earlier.tag(), bench.now));
    bench.begin(8, place(2));
    bench.serve();
    assert_eq!(bench.sent, ["verify"]);
    assert_eq!(bench.outcome(), &Outcome::NotNeeded);
}

#[test]
fn an_order_of_an_earlier_run_may_still_arrive() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.executor.begun_before(&enforcement(7, place(2), bench.now), bench.now, bench.now);
    bench.begin(8, place(2));
    for _ in 0..4 {
        assert_eq!(bench.sent.last().unwrap(), "verify");
        bench.serve();
        bench.pass(250);
    }
    bench.serve();
    bench.pass(0);
    assert_eq!(bench.sent.last().unwrap(), "place 2 at 20990", "it never left");
}

#[test]
fn an_order_is_brought_to_its_size_and_price() {
    let mut bench = Bench::protected();
    bench.begin(1, change(1, 20_995));
    bench.serve();
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
    assert_eq!(bench.sent, ["change 6 to 1 at 20995"]);
    assert_eq!(bench.receipts[0].moved, 1);
}

#[test]
fn a_change_that_is_not_seen_is_looked_at_and_made_again() {
    let mut bench = Bench::protected();
    bench.begin(1, change(2, 20_995));
    bench.reply(Err(CallError::TimedOut(Duration::from_secs(2))));
    bench.serve();
    bench.pass(250);
    assert_eq!(bench.sent, ["change 6 to 2 at 20995", "orders", "change 6 to 2 at 20995"]);
    bench.serve();
    bench.stream();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

#[test]
fn a_stop_is_never_moved_away_nor_made_larger_than_the_position() {
    for deed in [change(2, 20_985), change(3, 20_995)] {
        let mut bench = Bench::protected();
        bench.begin(1, deed);
        assert_eq!(bench.outcome(), &Outcome::NotNeeded);
        assert!(bench.sent.is_empty());
    }
}

#[test]
fn a_cancel_overtakes_a_change() {
    let mut bench = Bench::protected();
    bench.begin(1, change(2, 20_995));
    bench.serve();
    bench.begin(2, Deed::Cancel { orders: vec![6.into()] });
    assert_eq!(bench.sent, ["change 6 to 2 at 20995", "cancel 6"]);
    bench.serve();
    bench.stream();
    let by_id = |id| bench.receipts.iter().find(|it| it.enforcement.id == EnforcementId(id)).unwrap();
    assert!(by_id(1).superseded);
    assert_eq!(by_id(2).outcome, Outcome::Confirmed);
}

#[test]
fn a_change_of_an_order_that_is_gone_is_no_failure() {
    let mut bench = Bench::protected();
    bench.broker.orders.clear();
    bench.begin(1, change(2, 20_995));
    bench.serve();
    bench.serve();
    assert_eq!(bench.outcome(), &Outcome::Confirmed);
}

impl Bench {
    /// The tag under which the oldest open call places its order.
    fn receipt_tag(&self) -> String {
        match &self.calls[0].1 {
            Call::Place { tag, .. } => tag.clone(),
            other => panic!("{other:?} places nothing"),
        }
    }
}

/// A reading failed after the stream was lost: the position may have turned.
#[test]
fn in_doubt_an_order_is_placed_only_after_a_look_and_a_change_waits_for_the_reading() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.known.is_doubtful = true;
    bench.broker.positions.insert("MNQ".into(), -3);
    bench.begin(1, place(2));
    bench.serve();
    assert_eq!(bench.sent, ["verify"]);
    assert_eq!(bench.outcome(), &Outcome::NotNeeded);

    let mut bench = Bench::protected();
    bench.known.is_doubtful = true;
    bench.begin(1, change(2, 20_995));
    bench.pass(5_000);
    assert_eq!(bench.sent, [""; 0]);
    bench.known.is_doubtful = false;
    bench.advance();
    assert_eq!(bench.sent.len(), 1);
}

/// The stop was moved nearer, and the news of where it was before comes once more, late.
#[test]
fn a_stop_that_was_moved_is_not_moved_back_by_older_news() {
    for truth in [20_995, 20_990] {
        let mut bench = Bench::new(&[("MNQ", 2)]).with_order(6, OrderSide::Sell, OrderKind::Stop);
        let stop_at = |world: &mut World, price: i64| {
            world.orders.get_mut("6").unwrap().stop_price = Some(Price(price.into()));
        };
        stop_at(&mut bench.known, 20_990);
        stop_at(&mut bench.broker, 20_990);
        bench.begin(1, change(2, 20_995));
        bench.serve();
        bench.stream();
        assert_eq!(bench.outcome(), &Outcome::Confirmed);
        stop_at(&mut bench.known, 20_990);
        stop_at(&mut bench.broker, truth);
        bench.begin(2, change(1, 20_990));
        assert_eq!(bench.sent, ["change 6 to 2 at 20995", "orders"]);
        bench.serve();
        bench.pass(250);
        // The trader may move it: then the list says so.
        assert_eq!(bench.sent.len(), if truth == 20_990 { 3 } else { 2 }, "{:?}", bench.sent);
    }
}

/// Executed, answered with 502, and no look was answered: the next decision finds it by its tag.
#[test]
fn a_stop_that_was_given_up_unseen_is_found_by_the_next_decision() {
    let mut bench = Bench::new(&[("MNQ", 2)]);
    bench.begin(1, place(2));
    bench.execute().unwrap();
    bench.reply(Err(CallError::Server(502)));
    while bench.receipts.is_empty() {
        bench.reply(Err(CallError::Unreachable("refused".to_string())));
        if bench.receipts.is_empty() {
            bench.pass_to_deadline();
        }
    }
    assert!(matches!(bench.outcome(), Outcome::Failed { .. }));
    bench.sent.clear();
    bench.pass(10_000);
    bench.begin(2, place(2));
    bench.serve();
    assert_eq!(bench.sent, ["verify"]);
    assert_eq!(bench.known.orders.len(), 1);
}

//! Doubts about what is known of an account: everything is asked for again (specification C.10, ruling 21).

use domain::{
    Action, Contracts, Difference, Discrepancy, Event, Exposure, Order, OrderKind,
    OrderSide::{Buy, Sell},
    OrderStatus, Price, Question, Subject,
};

use crate::desk::{ACCOUNT, Desk, contract, only};

fn desk() -> Desk {
    Desk::new(only(|_| {}))
}

fn asks(desk: &mut Desk) -> bool {
    let actions = desk.engine.step(desk.now, &Event::Tick);
    actions.iter().any(|it| matches!(it, Action::Ask(Question::Everything { .. })))
}

/// The stream tells that an order has executed so much.
fn executed(desk: &mut Desk, id: i64, filled: u32, status: OrderStatus) {
    let Event::Order(order) = desk.order(id, "MNQ", Buy, OrderKind::Limit, 2, "21000") else {
        unreachable!()
    };
    desk.fill_order(id, filled);
    desk.send(Event::Order(Order { filled: Contracts(filled), status, ..order }));
    if !status.is_working() {
        desk.forget_order(id);
    }
}

/// Neither its fill nor its position is heard of: what is known agrees with itself.
#[test]
fn an_executed_order_without_fill_and_position_is_asked_about_at_once() {
    let mut desk = desk();
    desk.limit(1, "MNQ", Buy, 2, "21000");
    executed(&mut desk, 1, 2, OrderStatus::Filled);
    let mut fill = desk.fill_of("MNQ", Buy, 2, "21000", "");
    fill.order = 1.into();
    desk.hold("MNQ", 2, "21000");
    desk.later(900);
    assert!(!asks(&mut desk), "news may take a moment");
    desk.later(100);
    assert!(asks(&mut desk));
    desk.later(1_000);
    assert!(!asks(&mut desk), "once");
    desk.reconcile(&[fill]);
    let account = desk.engine.account(&ACCOUNT.into()).unwrap();
    assert_eq!(account.exposure(&contract("MNQ")), Exposure(2));
    desk.later(60_000);
    assert!(!asks(&mut desk));
}

#[test]
fn an_order_whose_fills_come_is_not_asked_about() {
    let mut desk = desk();
    desk.limit(1, "MNQ", Buy, 2, "21000");
    let mut fill = desk.fill_of("MNQ", Buy, 1, "21000", "");
    fill.order = 1.into();
    executed(&mut desk, 1, 1, OrderStatus::Open);
    desk.later(500).send(Event::Fill(fill.clone()));
    desk.position("MNQ", 1, "21000");
    let second = desk.fill_more(&fill, 1, "");
    desk.later(400).send(Event::Fill(second));
    executed(&mut desk, 1, 2, OrderStatus::Filled);
    desk.position("MNQ", 2, "21000");
    for _ in 0..20 {
        desk.later(500);
        assert!(!asks(&mut desk));
    }
}

/// The fills of an earlier day are in no reading: it is asked once more, where the first answer may have
/// lagged, and then no more.
#[test]
fn what_no_reading_explains_is_left_alone() {
    let mut desk = desk();
    desk.limit(1, "MNQ", Buy, 2, "21000");
    executed(&mut desk, 1, 1, OrderStatus::Open);
    let mut asked = 0;
    for _ in 0..120 {
        desk.later(1_000);
        if asks(&mut desk) {
            asked += 1;
            desk.reconcile(&[]);
        }
    }
    assert_eq!(asked, 2);
}

/// That an order had executed something when it was first listed is no news.
#[test]
fn an_order_that_was_filled_in_part_before_is_not_asked_about() {
    let mut desk = Desk::down(only(|_| {}));
    desk.order(1, "MNQ", Buy, OrderKind::Limit, 2, "21000");
    desk.fill_order(1, 1);
    desk.start();
    executed(&mut desk, 1, 1, OrderStatus::Cancelled);
    for _ in 0..20 {
        desk.later(1_000);
        assert!(!asks(&mut desk));
    }
}

/// What a reading says otherwise than what was known: subject and kind of each difference.
fn read(desk: &mut Desk, fills: &[domain::Fill]) -> Vec<(Subject, Difference)> {
    let snapshot = desk.snapshot(desk.now, fills);
    differences(desk.engine.step(desk.now, &snapshot))
        .into_iter()
        .map(|it| (it.subject, it.difference))
        .collect()
}

fn differences(actions: Vec<Action>) -> Vec<Discrepancy> {
    let mut told = Vec::new();
    for action in actions {
        if let Action::Differ { differences, .. } = action {
            told.extend(differences);
        }
    }
    told
}

#[test]
fn a_reading_that_agrees_names_no_difference() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.stop(1, "MNQ", Sell, 2, "20990");
    desk.later(5_000);
    assert_eq!(read(&mut desk, &[]), []);
}

#[test]
fn a_reading_names_what_was_not_heard_of() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.position("ES", 1, "6000");
    desk.position("NQ", 1, "25000");
    desk.stop(1, "MNQ", Sell, 2, "20990");
    desk.stop(2, "ES", Sell, 1, "5990");
    desk.later(5_000);
    desk.hold("MNQ", 3, "21001");
    desk.hold("ES", -1, "6001");
    desk.hold("NQ", 0, "25000");
    desk.hold("GC", 1, "4000");
    desk.order(1, "MNQ", Sell, OrderKind::Stop, 2, "20980");
    desk.forget_order(2);
    desk.order(3, "MNQ", Sell, OrderKind::Limit, 1, "21050");
    let fill = desk.fill_of("GC", Buy, 1, "4000", "");
    let price = |text: &str| Some(Price(text.parse().unwrap()));
    let order = |id: i64| Subject::Order { order: id.into() };
    let expected = [
        (Subject::Position, Difference::Missing { known: Exposure(1) }),
        (Subject::Position, Difference::Side { known: Exposure(1), read: Exposure(-1) }),
        (Subject::Position, Difference::Price { known: price("6000"), read: price("6001") }),
        (Subject::Position, Difference::Extra { read: Exposure(1) }),
        (Subject::Position, Difference::Size { known: Exposure(2), read: Exposure(3) }),
        (Subject::Position, Difference::Price { known: price("21000"), read: price("21001") }),
        (order(2), Difference::Missing { known: Exposure(-1) }),
        (order(1), Difference::Stop { known: price("20990"), read: price("20980") }),
        (order(3), Difference::Extra { read: Exposure(-1) }),
        (Subject::Fill { fill: fill.id.clone() }, Difference::Extra { read: Exposure(1) }),
    ];
    let mut told = read(&mut desk, std::slice::from_ref(&fill));
    for difference in expected {
        let at = told.iter().position(|it| *it == difference);
        told.remove(at.unwrap_or_else(|| panic!("{difference:?} is not among {told:?}")));
    }
    assert_eq!(told, []);
    desk.later(5_000);
    assert_eq!(read(&mut desk, &[fill]), [], "it counts from then on");
}

/// The broker's queries may lag behind its stream, and the stream behind the queries.
#[test]
fn what_the_stream_told_a_moment_before_is_no_difference() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.stop(1, "MNQ", Sell, 2, "20990");
    desk.later(5_000);
    let lagging = desk.snapshot(desk.now, &[]);
    desk.later(100).position("MNQ", 3, "21000");
    desk.later(100).end_order(1, OrderStatus::Cancelled);
    assert_eq!(differences(desk.engine.step(desk.now, &lagging)), []);
}

/// Before the first reading nothing was known.
#[test]
fn the_first_reading_differs_from_nothing() {
    let mut desk = Desk::down(only(|_| {}));
    desk.hold("MNQ", 2, "21000");
    assert_eq!(read(&mut desk, &[]), []);
}

#[test]
fn a_list_of_working_orders_names_what_was_not_heard_of() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.stop(1, "MNQ", Sell, 2, "20990");
    desk.later(5_000);
    let list = Event::Orders { account: ACCOUNT.into(), orders: Vec::new(), asked_at: desk.now };
    let told = differences(desk.engine.step(desk.now, &list));
    assert_eq!(told[0].difference, Difference::Missing { known: Exposure(-2) });
}

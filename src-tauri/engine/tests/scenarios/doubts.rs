//! Doubts about what is known of an account: everything is asked for again (specification C.10, ruling 21).

use domain::{Action, Contracts, Event, Exposure, Order, OrderKind, OrderSide::Buy, OrderStatus, Question};

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

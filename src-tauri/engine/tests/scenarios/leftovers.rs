//! Orders that a position left behind would open a new one: they are cancelled, whatever happens (L-47,
//! ruling 23).

use domain::{
    OrderKind,
    OrderSide::{Buy, Sell},
    OrderStatus, Outcome,
};

use crate::desk::{Desk, only};

fn desk() -> Desk {
    Desk::new(only(|_| {}))
}

#[test]
fn a_leftover_that_could_not_be_cancelled_is_not_forgotten() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.stop(7, "MNQ", Sell, 2, "20900");
    desk.position("MNQ", 0, "21000");
    assert_eq!(desk.later(2_000).tick(), "cancel 7 by no_stop_loss_grace: leftover");
    let cancel = desk.ordered();
    assert_eq!(desk.report(&cancel, None, Outcome::Failed { why: "503".to_string() }), "");
    assert_eq!(desk.later(9_000).tick(), "");
    assert_eq!(desk.later(2_000).tick(), "cancel 7 by no_stop_loss_grace: leftover");
    desk.end_order(7, OrderStatus::Cancelled);
    let cancel = desk.ordered();
    desk.report(&cancel, None, Outcome::Confirmed);
    assert_eq!(desk.later(60_000).tick(), "");
}

/// A position that turns and is closed within two seconds leaves orders of two positions behind.
#[test]
fn leftovers_of_both_sides_of_a_turn_are_cancelled() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    desk.stop(7, "MNQ", Sell, 2, "20900");
    desk.position("MNQ", -1, "21000");
    desk.stop(8, "MNQ", Buy, 1, "21100");
    desk.later(500).position("MNQ", 0, "21000");
    assert_eq!(desk.later(1_500).tick(), "cancel 7 by no_stop_loss_grace: leftover");
    assert_eq!(desk.later(500).tick(), "cancel 8 by no_stop_loss_grace: leftover");
}

/// A position that is closed at once may be gone before its bracket children are heard of.
#[test]
fn a_child_that_arrives_after_its_position_ended_is_a_leftover() {
    let mut desk = desk();
    let entry = desk.order(1, "MNQ", Buy, OrderKind::Market, 2, "0");
    desk.send(entry);
    desk.end_order(1, OrderStatus::Filled);
    desk.position("MNQ", 2, "21000");
    desk.later(40).position("MNQ", 0, "21000");
    let child = desk.child(2, "MNQ", Sell, 1);
    desk.later(10).send(child);
    assert_eq!(desk.later(2_000).tick(), "cancel 2 by no_stop_loss_grace: leftover");
}

/// After a restart, or a gap in the stream, nobody remembers the position that the children belonged to.
#[test]
fn children_without_a_position_are_found_by_a_reading() {
    let mut desk = Desk::down(only(|_| {}));
    desk.child(2, "MNQ", Sell, 1);
    assert_eq!(desk.start(), "");
    assert_eq!(desk.later(2_000).tick(), "cancel 2 by no_stop_loss_grace: leftover");
}

#[test]
fn children_whose_position_shows_a_moment_later_stay() {
    let mut desk = desk();
    let child = desk.child(2, "MNQ", Sell, 1);
    desk.send(child);
    desk.reconcile(&[]);
    desk.later(100).position("MNQ", 2, "21000");
    assert_eq!(desk.later(2_000).tick(), "");
    assert_eq!(desk.later(10_000).tick(), "");
}

/// Two targets, and the position shrank below them: made smaller once, not with every tick.
#[test]
fn an_order_that_is_being_made_smaller_is_not_asked_again() {
    let mut desk = desk();
    desk.position("MNQ", 3, "21000");
    desk.stop(7, "MNQ", Sell, 3, "20900");
    desk.position("MNQ", 1, "21000");
    assert_eq!(desk.later(2_000).tick(), "shrink order 7 to 1 by no_stop_loss_grace: leftover");
    assert_eq!(desk.later(2_000).tick(), "");
    desk.obey();
    assert_eq!(desk.later(60_000).tick(), "");
}

/// That an order could not be made smaller says nothing of cancelling it once nothing is held any more.
#[test]
fn an_order_that_could_not_be_made_smaller_goes_with_its_position() {
    let mut desk = desk();
    desk.position("MNQ", 3, "21000");
    desk.stop(7, "MNQ", Sell, 3, "20900");
    desk.position("MNQ", 1, "21000");
    assert_eq!(desk.later(2_000).tick(), "shrink order 7 to 1 by no_stop_loss_grace: leftover");
    let shrink = desk.ordered();
    desk.report(&shrink, None, Outcome::Failed { why: "Invalid size".to_string() });
    assert_eq!(desk.later(2_000).tick(), "", "it keeps still for a while");
    desk.position("MNQ", 0, "21000");
    assert_eq!(desk.later(2_000).tick(), "cancel 7 by no_stop_loss_grace: leftover");
}

/// RULE-012 and the tidying up measure our stop alike: what one of them sizes the other leaves as it is.
#[test]
fn our_stop_beside_a_farther_one_of_the_trader_keeps_its_size() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_management.enabled = true;
        rules.trade_management.settings.values.take_profit.enabled = false;
    }));
    desk.quote("MNQ", "21000.00");
    desk.stop(5, "MNQ", Sell, 2, "20990.00");
    desk.position("MNQ", 4, "21000.00");
    while !desk.obey().is_empty() {}
    assert_eq!(
        desk.position("MNQ", 3, "21000.00"),
        "change 9001 to stop sell 3 mnq @ 20997.5 by trade_management: stoploss"
    );
    desk.obey();
    for _ in 0..5 {
        assert_eq!(desk.later(2_000).tick(), "");
    }
    assert_eq!(
        desk.position("MNQ", 1, "21000.00"),
        "change 9001 to stop sell 1 mnq @ 20997.5 by trade_management: stoploss"
    );
    desk.obey();
    assert_eq!(desk.later(2_000).tick(), "shrink order 5 to 1 by no_stop_loss_grace: leftover");
}

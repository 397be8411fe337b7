//! News of which a half is lost or late: what is known then agrees with itself and is wrong all the same.

use chrono::TimeDelta;
use domain::{AccountId, ContractId, Event, Exposure, broker::Signal};
use runtime::core::Input;

use crate::{
    broker::contract,
    chaos::Chaos,
    rules::{rulebook, with_automation},
    trader::Step,
    world::World,
};

fn milliseconds(count: i64) -> TimeDelta {
    TimeDelta::milliseconds(count)
}

fn one() -> AccountId {
    1.into()
}

fn mnq() -> ContractId {
    contract("MNQ")
}

fn trade(world: &mut World, buys: bool, size: u32) {
    world.play(&Step::Market { whose: 0, symbol: 0, buys, size });
}

fn chaos() -> Chaos {
    Chaos { way: 20, fill: 20, ..Chaos::default() }
}

/// Our target fills, and all that is told of it is less than the whole: nothing is placed for, or moved with, a
/// position that is gone (the world objects).
#[test]
fn no_protective_order_is_sent_while_an_execution_is_only_half_told() {
    for lost in [&["position"][..], &["fill", "position"]] {
        for after in [300, 500, 900, 1_300] {
            let mut world = World::new(with_automation(), 1, chaos());
            trade(&mut world, true, 2);
            world.pass(milliseconds(after));
            assert_eq!(world.broker.working().filter(|order| order.is_own()).count(), 2);
            world.losing = lost.to_vec();
            world.play(&Step::Move { symbol: 0, ticks: 20 });
            assert_eq!(world.broker.size(&one(), &mnq()), 0, "the target");
            world.pass(milliseconds(20_000));
            assert_eq!(world.broker.working().count(), 0);
        }
    }
}

/// A reduction is done. Its fill is lost, and the news of the larger position comes once more, late: order and
/// list know better.
#[test]
fn what_an_order_told_as_executed_is_not_reduced_again() {
    let mut world = World::new(rulebook(), 1, chaos());
    trade(&mut world, true, 4);
    while world.broker.size(&one(), &mnq()) == 0 {
        world.pass(milliseconds(1));
    }
    let late = world.broker.open_positions(&one()).remove(0);
    world.losing = vec!["fill"];
    world.pass(milliseconds(500));
    assert_eq!(world.broker.size(&one(), &mnq()), 3, "the limit");
    world.handle(Input::Signal(Signal::Event(Event::Position(late))));
    world.pass(milliseconds(10_000));
    assert_eq!(world.broker.size(&one(), &mnq()), 3);
}

/// What a close of the whole looks like is told by the fills: not every order of its size is one.
#[test]
fn only_an_order_that_left_nothing_has_closed() {
    let mut rulebook = rulebook();
    rulebook.base.max_contracts.enabled = false;
    rulebook.base.max_contracts_per_instrument.enabled = false;
    let mut world = World::new(rulebook, 1, chaos());
    trade(&mut world, false, 3);
    world.pass(milliseconds(1_000));
    let since = world.now;
    let has_closed = |world: &World, change| {
        let account = world.core.engine().account(&one()).unwrap();
        account.has_closed(&mnq(), Exposure(change), since)
    };
    for (buys, size, bought, sold) in [
        (true, 2, false, false),
        (true, 1, true, false),
        (true, 2, true, false),
        // Turned: an order that opens something is no close.
        (false, 3, true, false),
        (true, 1, true, false),
        (true, 2, true, false),
        (false, 2, true, true),
    ] {
        trade(&mut world, buys, size);
        world.pass(milliseconds(1_000));
        assert_eq!((has_closed(&world, 9), has_closed(&world, -9)), (bought, sold), "{size}");
    }
    let account = world.core.engine().account(&one()).unwrap();
    assert_eq!(account.held_at(&mnq(), since), Exposure(-3));
    assert_eq!(account.held_at(&mnq(), since + milliseconds(900)), Exposure(-1));
}

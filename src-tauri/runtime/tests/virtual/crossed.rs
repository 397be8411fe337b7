//! Orders of the trader, of an earlier run and our own cross on their way: none is taken for another. The world
//! objects to a second close beside one that is under way.

use chrono::TimeDelta;
use domain::AccountId;

use crate::{broker::contract, chaos::Chaos, rules::rulebook, trader::Step, world::World};

fn milliseconds(count: i64) -> TimeDelta {
    TimeDelta::milliseconds(count)
}

fn one() -> AccountId {
    1.into()
}

fn held(world: &World) -> i64 {
    world.broker.size(&one(), &contract("MNQ"))
}

fn trade(world: &mut World, buys: bool) {
    world.play(&Step::Market { whose: 0, symbol: 0, buys, size: 1 });
}

/// A locked account; a position was opened, and its close has left.
fn closing(seed: u64) -> World {
    let mut world = World::new(rulebook(), 1, Chaos { seed, way: 20, fill: 20, ..Chaos::default() });
    world.play(&Step::LockOut { whose: 0 });
    world.pass(milliseconds(1_000));
    trade(&mut world, true);
    while !world.trace.iter().any(|line| line.contains("sent Close")) {
        world.pass(milliseconds(1));
    }
    world
}

/// Our close has arrived, and the market pauses before it is filled.
fn pause_when_closing(world: &mut World) {
    while !world.broker.working().any(|order| world.broker.is_own(&order.id)) {
        world.pass(milliseconds(1));
    }
    world.hold_fills(milliseconds(600));
    world.pass(milliseconds(5_000));
}

/// The trader sells twice while our close is on its way: the first leaves nothing, as our close was to do, the
/// second opens what our close then takes. That our close is there is told late, and the rest in any order.
#[test]
fn what_the_trader_closed_is_not_taken_for_our_close() {
    for seed in 0..40 {
        let mut world = closing(seed);
        trade(&mut world, false);
        trade(&mut world, false);
        world.hold_fills(milliseconds(-1_000));
        world.pass(milliseconds(0));
        assert_eq!(held(&world), -1, "faster than our close");
        world.losing = vec!["order"];
        pause_when_closing(&mut world);
        assert_eq!(held(&world), 0);
        assert_eq!(world.broker.orders.len(), 4, "closed once");
    }
}

/// The process ends with a close on its way, and the next one has read the account before it arrives.
#[test]
fn what_an_earlier_run_sent_is_waited_for_after_a_quick_start() {
    let mut world = closing(0);
    world.hold_requests(milliseconds(300));
    world.restart(false);
    pause_when_closing(&mut world);
    assert_eq!(held(&world), 0);
    assert_eq!(world.broker.orders.len(), 2, "closed once");
}

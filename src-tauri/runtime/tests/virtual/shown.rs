//! What the picture of the moment says of an account.

use chrono::TimeDelta;
use domain::{RuleMode, Rulebook};
use views::view::AccountView;

use crate::{chaos::Chaos, rules::rulebook, trader::Step, world::World};

/// An account that bought under these rules, with a stop for all of it.
fn in_position(rulebook: Rulebook, size: u32) -> World {
    let mut world = World::new(rulebook, 1, Chaos::default());
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size });
    world.pass(TimeDelta::seconds(1));
    world
}

fn shown(world: &mut World) -> AccountView {
    world.pass(TimeDelta::seconds(2));
    world.core.view(world.now).accounts.remove(0)
}

#[test]
fn only_a_limit_that_is_enforced_comes_near() {
    let is_near = |mode| {
        let mut rules = rulebook();
        rules.base.daily_realized_loss.mode = mode;
        let mut world = in_position(rules, 3);
        // 300 ticks of three contracts: $450 of $500.
        world.play(&Step::Move { symbol: 0, ticks: -300 });
        let account = shown(&mut world);
        assert_eq!(account.gauges[0].used_percent, Some(90), "{:?}", account.gauges);
        account.near_limit
    };
    assert!(is_near(RuleMode::Enforce));
    assert!(!is_near(RuleMode::Warn));
    assert!(!is_near(RuleMode::Observe));
}

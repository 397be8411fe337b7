//! What the picture of the moment says of an account.

use chrono::TimeDelta;
use domain::{Command, OrderKind, Price, RuleMode, Rulebook, Usd, rulebook::SessionWindow};
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

fn with_stop(world: &mut World, size: u32, ticks: i64) {
    // A resting order stands one tick further than asked.
    let ticks = ticks - 1;
    world.play(&Step::Resting { whose: 0, symbol: 0, buys: false, size, kind: OrderKind::Stop, ticks });
}

/// Stops at several prices lose what each of them loses for its size, and the last of them decides how far
/// away the end is.
#[test]
fn every_stop_counts_for_its_own_size() {
    let mut world = in_position(rulebook(), 3);
    with_stop(&mut world, 1, 40);
    let partly = shown(&mut world);
    assert_eq!(partly.positions[0].stop_price, Some(Price(19_990.into())));
    assert_eq!(partly.positions[0].stop_distance_usd, None, "what the rest would lose is unknown");
    assert_eq!((partly.positions[0].last_stop_price, partly.headroom_if_stopped), (None, None));

    with_stop(&mut world, 2, 200);
    let whole = shown(&mut world);
    assert_eq!(whole.positions[0].stop_price, Some(Price(19_990.into())));
    assert_eq!(whole.positions[0].last_stop_price, Some(Price(19_950.into())));
    assert_eq!(whole.positions[0].stop_distance_usd, Some(Usd::from_cents(22_000)), "1 × $20 and 2 × $100");
    assert_eq!(whole.headroom_if_stopped, Some(Usd::from_cents(28_000)));

    with_stop(&mut world, 3, 280);
    assert_eq!(shown(&mut world).headroom_if_stopped, Some(Usd::from_cents(28_000)), "one too many");
}

#[test]
fn a_limit_that_is_not_enforced_leaves_nothing_when_stops_fill() {
    let mut rules = rulebook();
    rules.base.daily_realized_loss.mode = RuleMode::Warn;
    let mut world = in_position(rules, 1);
    with_stop(&mut world, 1, 40);
    let account = shown(&mut world);
    assert_eq!((account.positions[0].stop_covered, account.headroom_if_stopped), (Some(true), None));
}

/// MES has hours of its own and trades on, until another lock of the whole account takes it along.
#[test]
fn a_lock_names_what_no_lock_keeps_from_trading() {
    let at = |text: &str| text.parse().unwrap();
    let window = |end| SessionWindow { start: at("08:30:00"), end: at(end), days: (0..7).collect() };
    let mut rules = rulebook();
    rules.base.session_block_outside.enabled = true;
    let hours = &mut rules.base.session_block_outside.settings;
    hours.windows = vec![window("09:00:00")];
    hours.per_instrument = [("MES".into(), vec![window("15:00:00")])].into();
    let mut world = World::new(rules, 1, Chaos::default());
    let except = |world: &mut World| {
        let lockouts = shown(world).lockouts;
        let session = lockouts.into_iter().find(|it| it.rule == domain::RuleKey::SessionBlockOutside);
        session.unwrap().except
    };
    let own = "except MES, which has its own hours";
    assert_eq!(except(&mut world).as_deref(), Some(own));
    assert!(world.told.iter().any(|told| told.note.body.ends_with(&format!(", {own}."))), "{:?}", world.told);
    world.command(Command::LockOut { account: None, until: None });
    assert_eq!(except(&mut world), None);
}

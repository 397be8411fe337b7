//! The invariants over generated histories. A failure prints its steps, its seed and what happened.

use chrono::TimeDelta;
use domain::{LockKind, OrderStatus, Rulebook, Usd};
use proptest::prelude::*;
use views::view::Protection;

use crate::{
    chaos::Chaos,
    rules::{rulebook, with_automation},
    trader::{Step, steps},
    world::World,
};

fn chaos() -> impl Strategy<Value = Chaos> {
    let share = || prop_oneof![3 => Just(0), 1 => 0..40_u32];
    (any::<u64>(), 1..120_u64, 1..150_u64, share(), share(), share(), share(), share()).prop_map(
        |(seed, way, fill, twice, lost, passed, pieces, failing)| Chaos {
            seed,
            way,
            fill,
            twice,
            lost: lost / 2,
            passed,
            pieces,
            failing,
        },
    )
}

pub fn run(rulebook: Rulebook, chaos: Chaos, steps: &[Step]) -> World {
    let mut world = World::new(rulebook, 2, chaos);
    for step in steps {
        world.play(step);
    }
    world.calm();
    world.pass(TimeDelta::seconds(240));
    world
}

/// How things must stand once the broker has answered for a while.
pub fn judge(world: &World) {
    for id in &world.accounts {
        let state = world.core.engine().account(id).unwrap();
        let rules = world.core.engine().rulebook().of(id);
        let open = world.broker.open_positions(id);
        let truth: Usd =
            world.broker.fills.iter().filter(|it| it.account == *id).filter_map(|it| it.pnl).sum();
        world.check(state.ledger().realized_gross() == truth, || {
            format!("{} realized, {truth} in truth", state.ledger().realized_gross())
        });
        let known: Vec<_> = state.holdings().map(|it| it.position.clone()).collect();
        world.check(known == open, || format!("{known:?} known, {open:?} in truth"));
        let locked = state.lockouts().account_wide() == Some(LockKind::Hard);
        world.check(!locked || open.is_empty(), || format!("locked and open: {open:?}"));
        let total: u32 = open.iter().map(|it| it.exposure.size().0).sum();
        world.check(total <= rules.max_contracts.settings.limit.0, || format!("{total} contracts"));
        for position in &open {
            world.check(position.exposure.size().0 <= 3, || format!("too many: {position:?}"));
            world.check(position.symbol.as_str() != "M2K", || format!("blocked: {position:?}"));
            let stops = world.broker.working().filter(|order| {
                order.account == *id
                    && order.contract == position.contract
                    && order.kind.is_stop()
                    && order.side.reduces(position.exposure)
            });
            let covered: u32 = stops.map(|order| order.remaining().0).sum();
            world.check(covered >= position.exposure.size().0, || format!("naked: {position:?}"));
        }
        let forbidden = |symbol: &str| locked || symbol == "M2K";
        for order in world.broker.working().filter(|order| order.account == *id) {
            let held = world.broker.size(id, &order.contract);
            let entry = !order.side.reduces(domain::Exposure(held));
            world.check(!(entry && forbidden(order.symbol.as_str())), || format!("left working: {order:?}"));
            let belongs = order.parent.is_some() || order.is_own();
            let orphan = held == 0 && belongs && order.status == OrderStatus::Open;
            let fits = !order.is_own() || i64::from(order.remaining().0) <= held.abs();
            world.check(fits, || format!("larger than {held}: {order:?}"));
            world.check(!orphan, || format!("left behind: {order:?}"));
        }
    }
    let pending: Vec<_> = world.kept.pending().collect();
    world.check(pending.is_empty(), || format!("never settled: {pending:?}"));
    let view = world.core.view(world.now);
    world.check(view.protection != Protection::NotProtected, || format!("{:?}", view.doubts));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_rules_hold_in_the_end(chaos in chaos(), steps in steps()) {
        judge(&run(rulebook(), chaos, &steps));
    }

    #[test]
    fn whatever_happens_automatic_orders_only_protect(chaos in chaos(), steps in steps()) {
        judge(&run(with_automation(), chaos, &steps));
    }
}

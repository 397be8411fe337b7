//! What once went wrong, one story each.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, Command, Event, OrderKind, RuleKey, Rulebook,
    broker::{CallError, Class, Signal},
    rulebook::Watched,
};
use runtime::core::Input;
use store::Proof;

use crate::{
    broker::{account, contract},
    chaos::Chaos,
    rules::{GRACE, rulebook, with_automation},
    trader::Step,
    world::World,
};

fn world() -> World {
    World::new(rulebook(), 1, Chaos { way: 20, fill: 20, ..Chaos::default() })
}

fn milliseconds(count: i64) -> TimeDelta {
    TimeDelta::milliseconds(count)
}

/// What is to be read waits for the stream; the loop sleeps meanwhile (the world counts its wake-ups).
#[test]
fn a_lost_stream_lets_the_processor_rest() {
    let mut world = world();
    world.lose_stream(milliseconds(0), milliseconds(60_000));
    world.pass(milliseconds(70_000));
    world.check(world.is_protected(), || "the stream is back".to_string());
}

/// "Accepted" is only said of what will be done.
#[test]
fn commands_that_would_do_nothing_are_refused() {
    let mut empty = World::unconnected(rulebook());
    let lock = |account: Option<i64>, until: Option<&str>| Command::LockOut {
        account: account.map(Into::into),
        until: until.map(|text| text.parse().unwrap()),
    };
    let refused = empty.core.command(empty.now, lock(None, None)).unwrap_err();
    assert!(refused.starts_with("No account of Model is known yet"), "{refused}");

    let mut world = world();
    let mut try_lock = |until| world.core.command(world.now, lock(Some(1), until)).map(drop).unwrap_err();
    assert!(try_lock(Some("2025-10-29T14:00:00Z")).contains("in the past"));
    assert!(try_lock(Some("2027-10-29T14:00:00Z")).contains("366 days at most"));
    assert!(try_lock(Some("+262142-12-31T23:59:59Z")).contains("366 days at most"));
}

/// A proof that is older than everything else shown stays with its account.
#[test]
fn what_was_proved_is_shown_with_its_account() {
    let mut world = world();
    assert_eq!(world.core.view(world.now).accounts[0].proved, None);
    let proof = Proof { at: world.now, version: "0.0.9".to_owned(), rule: RuleKey::NoStopLossGrace };
    let account = world.core.view(world.now).accounts[0].id.clone();
    world.core.show_kept(Vec::new(), BTreeMap::from([(account, proof)]));
    let proved = world.core.view(world.now).accounts[0].proved.clone().unwrap();
    assert_eq!((proved.version.as_str(), proved.title.as_str()), ("0.0.9", "Stop-Loss Required"));
}

/// The process ends between a close and its fill: the next start finds the closing order and waits for it.
#[test]
fn a_restart_does_not_repeat_a_close_that_is_under_way() {
    let chaos = Chaos { way: 5, fill: 1, seed: 3, ..Chaos::default() };
    let mut world = World::new(rulebook(), 1, chaos);
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 4 });
    let is_closing = |world: &World| world.broker.working().any(|it| world.broker.is_own(&it.id));
    while !is_closing(&world) {
        world.pass(milliseconds(1));
    }
    world.hold_fills(milliseconds(1_500));
    world.restart(false);
    world.pass(milliseconds(5_000));
    assert_eq!(
        world.broker.size(&1.into(), &contract("MNQ")),
        3,
        "the world itself objects to a second close"
    );
}

fn doubts(world: &World) -> Vec<String> {
    world.core.view(world.now).doubts.into_iter().map(|doubt| doubt.text).collect()
}

#[test]
fn an_account_list_in_another_order_is_the_same_list() {
    let mut world = World::new(rulebook(), 3, Chaos::default());
    world.accounts.reverse();
    world.connect();
    world.pass(milliseconds(5_000));
    assert_eq!(doubts(&world), [""; 0]);
}

#[test]
fn accounts_that_could_not_be_watched_are_watched_a_moment_later() {
    let mut world = World::unconnected(rulebook());
    world.failing.push(("Watch(", CallError::RateLimited { retry_after: None }));
    world.connect();
    world.pass(milliseconds(5_000));
    assert_eq!(doubts(&world), [""; 0]);
}

#[test]
fn an_account_that_the_login_lost_does_not_leave_the_others_in_doubt() {
    let mut world = World::new(rulebook(), 2, Chaos::default());
    world.accounts.pop();
    world.pass(milliseconds(70_000));
    assert_eq!(doubts(&world), [""; 0]);
    assert_eq!(world.core.view(world.now).accounts.len(), 1);
}

#[test]
fn an_account_that_the_login_got_is_guarded_from_then_on() {
    let mut world = world();
    let new = AccountId::from(2);
    world.accounts.push(new.clone());
    world.handle(Input::Signal(Signal::Event(Event::Account(account(&new)))));
    world.pass(milliseconds(3_000));
    assert_eq!(doubts(&world), [""; 0]);
    world.play(&Step::Market { whose: 1, symbol: 2, buys: true, size: 1 });
    world.pass(milliseconds(3_000));
    assert_eq!(world.broker.size(&new, &contract("M2K")), 0, "blocked");
}

/// The list of accounts takes effect with the next start: until then the old one is served whole.
#[test]
fn an_account_taken_from_the_list_stays_guarded_until_the_next_start() {
    let mut world = World::new(rulebook(), 2, Chaos::default());
    let accounts = Watched::Listed([AccountId::from(1)].into());
    world.change_rules(Rulebook { accounts, ..rulebook() });
    world.lose_stream(milliseconds(0), milliseconds(1_000));
    world.play(&Step::Market { whose: 1, symbol: 0, buys: true, size: 4 });
    world.pass(milliseconds(10_000));
    assert_eq!(doubts(&world), [""; 0]);
    assert_eq!(world.broker.size(&2.into(), &contract("MNQ")), 3);
}

/// Ruling 19: whether a position without a stop is closed does not wait behind what keeps up with the broker.
#[test]
fn the_question_that_decides_a_missing_stop_is_part_of_the_enforcement() {
    let mut world = world();
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 1 });
    world.pass(milliseconds(1_000));
    let view = world.core.engine().account(&1.into()).unwrap();
    let over = view.stops().deadlines().next().unwrap();
    assert!(over > world.now + TimeDelta::seconds(i64::from(GRACE) - 2));
    world.pass(over - world.now + milliseconds(1_000));
    let of = |class: Class| world.order_questions.iter().filter(move |(_, it)| *it == class);
    assert!(of(Class::Routine).count() > 0 && of(Class::Routine).all(|(at, _)| *at < over));
    assert!(of(Class::Enforcement).next().is_some_and(|(at, _)| *at >= over), "{:?}", world.order_questions);
    assert_eq!(world.broker.size(&1.into(), &contract("MNQ")), 0);
}

/// A stop and a target while a position is held, and nothing of ours when it is gone.
#[test]
fn automatic_orders_come_and_go_with_their_position() {
    let mut world =
        World::new(with_automation(), 1, Chaos { way: 20, fill: 20, seed: 5, ..Chaos::default() });
    let market = |buys| Step::Market { whose: 0, symbol: 0, buys, size: 2 };
    let own = |world: &World| -> Vec<(OrderKind, u32)> {
        let mut own: Vec<_> = world.broker.working().filter(|it| it.is_own()).collect();
        own.sort_by_key(|order| order.kind == OrderKind::Limit);
        own.into_iter().map(|it| (it.kind, it.size.0)).collect()
    };
    world.play(&market(true));
    world.pass(milliseconds(2_000));
    assert_eq!(own(&world), [(OrderKind::Stop, 2), (OrderKind::Limit, 2)]);
    world.play(&market(false));
    world.pass(milliseconds(2_000));
    assert_eq!(own(&world), []);
    assert_eq!(world.broker.size(&1.into(), &contract("MNQ")), 0);
}

/// The process ends between the sending of a stop and its answer: the next run finds it by its tag.
#[test]
fn a_restart_does_not_place_a_second_stop() {
    for outputs in 0..6 {
        let chaos = Chaos { way: 30, fill: 5, seed: 9, ..Chaos::default() };
        let mut world = World::new(with_automation(), 1, chaos);
        world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 1 });
        world.crash_after(outputs, false);
        world.pass(milliseconds(5_000));
        let stops = world.broker.working().filter(|it| it.is_own() && it.kind == OrderKind::Stop);
        assert_eq!(stops.count(), 1, "the world itself objects to a second one");
    }
}

/// The trader reverses in the very moment in which a close of a locked account is under way: what comes of it
/// is closed as well, with one close at a time (the world objects to a second one), whatever the stream
/// repeats, splits and reorders.
#[test]
fn a_locked_account_is_flat_within_two_seconds_however_the_trader_reverses() {
    for seed in 0..500 {
        let world = reversed_under_a_lock(seed);
        world.check(world.broker.size(&1.into(), &contract("MES")) == 0, || format!("open, seed {seed}"));
    }
}

fn reversed_under_a_lock(seed: u64) -> World {
    let share = |every: u64, percent| if seed.is_multiple_of(every) { percent } else { 0 };
    let chaos = Chaos {
        seed,
        way: 1 + seed % 60,
        fill: 1 + seed % 80,
        twice: share(4, 30),
        passed: share(5, 40),
        pieces: share(7, 50),
        ..Chaos::default()
    };
    let mut world = World::new(rulebook(), 1, chaos);
    let entry = Step::Market { whose: 0, symbol: 1, buys: false, size: 1 };
    let lock = Step::LockOut { whose: 0 };
    let (first, then) = if seed.is_multiple_of(2) { (entry, lock) } else { (lock, entry) };
    world.play(&first);
    world.pass(milliseconds(500));
    world.play(&then);
    world.pass(milliseconds(i64::try_from(seed * 7 % 200).unwrap()));
    world.play(&Step::Market { whose: 0, symbol: 1, buys: true, size: 3 });
    world.pass(milliseconds(2_000));
    world
}

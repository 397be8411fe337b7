//! Messages that cannot be used, a queue that was full, measurements: what is told, counted and kept.

use chrono::TimeDelta;
use domain::{
    Command, Contracts, Event, Fill, OrderKind, OrderSide, Price, Severity, Usd,
    broker::{CallError, Flaw, Inbox, Malformed, Signal},
};
use runtime::core::Input;

use crate::{broker::contract, chaos::Chaos, rules::rulebook, trader::Step, world::World};

fn world() -> World {
    World::new(rulebook(), 1, Chaos { way: 20, fill: 20, ..Chaos::default() })
}

fn malformed(flaw: Flaw, why: &str) -> Input {
    let (what, raw) = ("order".to_string(), "{}".to_string());
    let account = Some(1.into());
    Input::Signal(Signal::Malformed(Malformed { flaw, what, why: why.to_string(), account, raw }))
}

/// Kinds of the messages to people since the last look.
fn told(world: &mut World) -> Vec<String> {
    world.told.drain(..).map(|told| told.kind).collect()
}

fn is_read_again(world: &mut World) -> bool {
    let before = world.core.view(world.now).accounts[0].confirmed_at;
    world.pass(TimeDelta::seconds(2));
    world.core.view(world.now).accounts[0].confirmed_at > before
}

#[test]
fn more_than_five_bad_messages_a_minute_are_told_once_and_each_is_counted_by_kind() {
    let mut world = world();
    for _ in 0..5 {
        world.handle(malformed(Flaw::Impossible, "size is -1"));
        world.pass(TimeDelta::seconds(1));
    }
    assert_eq!(told(&mut world), [""; 0]);
    for _ in 0..20 {
        world.handle(malformed(Flaw::Unreadable, "no JSON"));
        world.pass(TimeDelta::seconds(1));
    }
    assert_eq!(told(&mut world), ["bad_messages"]);
    let metrics = world.core.view(world.now).metrics;
    assert_eq!((metrics.intake.impossible, metrics.intake.unreadable, metrics.malformed), (5, 20, 25));
}

#[test]
fn a_value_that_is_new_is_told_the_first_time() {
    let mut world = world();
    world.handle(malformed(Flaw::Unknown, "type is 9: unknown order type"));
    world.pass(TimeDelta::seconds(90));
    world.handle(malformed(Flaw::Unknown, "type is 9: unknown order type"));
    world.handle(malformed(Flaw::Unknown, "type is 10: unknown order type"));
    assert_eq!(told(&mut world), ["unknown_value", "unknown_value"]);
    assert!(is_read_again(&mut world));
}

/// What cannot be a price is not booked; the reading that follows says what really happened.
#[test]
fn a_fill_beside_the_tick_grid_is_not_booked_and_everything_is_read_again() {
    let mut world = world();
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 1 });
    world.pass(TimeDelta::seconds(1));
    let fill = |price: &str| {
        Event::Fill(Fill {
            id: 77_777.into(),
            order: 66_666.into(),
            account: 1.into(),
            contract: contract("MNQ"),
            symbol: "MNQ".into(),
            side: OrderSide::Sell,
            size: Contracts(1),
            price: Price(price.parse().unwrap()),
            pnl: Some(Usd::from_cents(-90_000)),
            fees: Usd::ZERO,
            commissions: None,
            voided: false,
            at: world.now,
        })
    };
    let (bad, good) = (fill("19000.10"), fill("19000.25"));
    world.handle(Input::Signal(Signal::Event(bad)));
    let view = world.core.view(world.now);
    assert_eq!(view.metrics.intake.off_grid, 1);
    assert!(view.accounts[0].lockouts.is_empty(), "$900 are not believed");
    assert!(is_read_again(&mut world));
    world.handle(Input::Signal(Signal::Event(good)));
    assert_eq!(world.core.view(world.now).accounts[0].lockouts.len(), 1);
}

#[test]
fn a_message_about_a_foreign_account_is_counted_and_changes_nothing() {
    let mut world = world();
    let mut position = world.broker.open_positions(&1.into());
    assert!(position.is_empty());
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 1 });
    world.pass(TimeDelta::seconds(1));
    position = world.broker.open_positions(&1.into());
    let mut foreign = position.remove(0);
    foreign.account = 999.into();
    world.handle(Input::Signal(Signal::Event(Event::Position(foreign))));
    let view = world.core.view(world.now);
    assert_eq!((view.metrics.intake.foreign, view.accounts.len()), (1, 1));
}

#[test]
fn after_an_overflow_everything_is_read_again_and_people_are_told() {
    let mut world = world();
    world.handle(Input::Signal(Signal::Inbox(Inbox::Overflowed { waiting: 10_000 })));
    assert_eq!(world.told[0].note.severity, Severity::Critical);
    assert_eq!(told(&mut world), ["queue_overflow"]);
    assert!(is_read_again(&mut world));
    for _ in 0..3 {
        world.handle(Input::Signal(Signal::Inbox(Inbox::Repeated)));
    }
    let intake = world.core.view(world.now).metrics.intake;
    assert_eq!((intake.overflows, intake.repeated), (1, 3));
}

/// The same sentence within a minute is held back, and the next one says how often.
#[test]
fn a_message_says_how_many_equal_ones_were_held_back_before_it() {
    let mut world = world();
    let refused = || Input::SettingsRefused("risk.yaml:3: no number".to_string());
    for _ in 0..4 {
        world.handle(refused());
    }
    world.pass(TimeDelta::seconds(61));
    world.handle(refused());
    let suppressed: Vec<u32> = world.told.iter().map(|told| told.suppressed).collect();
    assert_eq!(suppressed, [0, 3]);
}

fn rest(world: &mut World) {
    let order = Step::Resting { whose: 0, symbol: 0, buys: true, size: 1, kind: OrderKind::Limit, ticks: 40 };
    world.play(&order);
}

/// Nothing contradicts it: only the reading of each minute finds the order.
#[test]
fn a_lost_message_is_told_by_the_reading_that_finds_it() {
    let mut world = world();
    world.losing = vec!["order"];
    rest(&mut world);
    world.pass(TimeDelta::seconds(70));
    let lost: Vec<&str> = world.told.iter().map(|told| told.note.body.as_str()).collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].contains("MNQ order") && lost[0].contains("1 to buy read"), "{lost:?}");
    world.told.clear();
    world.pass(TimeDelta::seconds(130));
    assert_eq!(told(&mut world), [""; 0], "once");
}

/// The reading is faster than the stream, in each of many moments.
#[test]
fn a_message_that_crosses_a_reading_is_not_lost() {
    for before in 0..40 {
        let mut world = World::new(rulebook(), 1, Chaos { way: 900, fill: 20, ..Chaos::default() });
        world.pass(TimeDelta::milliseconds(57_000 + 100 * before));
        rest(&mut world);
        world.pass(TimeDelta::seconds(10));
        assert_eq!(told(&mut world), [""; 0], "{before}");
    }
}

/// Reads everything anew, as a person asks for it; the answer of that.
fn review(world: &mut World) -> Result<Vec<String>, String> {
    world.reviewed = None;
    let outputs = world.core.review(world.now)?;
    world.carry(outputs);
    assert!(world.is_protected(), "a wish is no doubt");
    world.pass(TimeDelta::seconds(5));
    let differences = world.reviewed.take().expect("an answer")?;
    Ok(differences.into_iter().map(|it| format!("{} {}", it.subject, it.kind)).collect())
}

#[test]
fn whoever_asks_is_told_what_differs() {
    let mut world = world();
    assert_eq!(review(&mut world), Ok(vec![]));
    world.losing = vec!["order"];
    rest(&mut world);
    assert_eq!(review(&mut world), Ok(vec!["order extra".to_string()]));
    assert_eq!(review(&mut world), Ok(vec![]));
    world.failing.push(("Snapshot", CallError::Server(503)));
    let failed = review(&mut world).unwrap_err();
    assert!(failed.starts_with("Not everything could be read"), "{failed}");
    assert_eq!(review(&mut world), Ok(vec![]), "the next one is answered");
    world.lose_stream(TimeDelta::seconds(1), TimeDelta::seconds(60));
    world.pass(TimeDelta::seconds(2));
    assert!(world.core.review(world.now).is_err(), "nobody can be asked");
}

/// That it was undone at once does not explain why it was not heard of.
#[test]
fn what_a_reading_found_and_a_lock_undid_is_told() {
    let mut world = world();
    world.command(Command::LockOut { account: None, until: None });
    world.pass(TimeDelta::seconds(3));
    world.losing = vec!["order"];
    rest(&mut world);
    assert_eq!(review(&mut world), Ok(vec!["order extra".to_string()]));
    assert_eq!(world.broker.working().count(), 0);
    let readings = world.readings;
    assert_eq!(review(&mut world), Ok(vec![]));
    assert_eq!(world.readings, readings + 1, "one is enough");
}

/// What happened while the stream was down had no message to lose.
#[test]
fn what_is_found_after_the_stream_was_down_is_no_lost_message() {
    let mut world = world();
    world.lose_stream(TimeDelta::seconds(5), TimeDelta::seconds(5));
    rest(&mut world);
    world.pass(TimeDelta::seconds(30));
    assert!(!told(&mut world).contains(&"event_lost".to_string()));
}

/// The request is an answer late: the limit of E.1 is told, and every enforcement is kept.
#[test]
fn a_slow_reading_and_each_enforcement_leave_their_marks() {
    let mut world = world();
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 4 });
    world.pass(TimeDelta::seconds(5));
    assert_eq!(world.broker.size(&1.into(), &contract("MNQ")), 3, "reduced to the limit");
    world.pass(TimeDelta::seconds(85));
    for name in ["enforcement_latency_ms", "queue_depth", "reconciliation_time_sec"] {
        assert!(world.kept.metrics.contains(name), "{name}: {:?}", world.kept.metrics);
    }
    world.core.metrics().observed(Some(240 << 20), 1_500);
    world.pass(TimeDelta::seconds(5));
    let metrics = world.core.view(world.now).metrics;
    assert_eq!(metrics.exceeded, [views::view::Measure::Memory, views::view::Measure::QueueDepth]);
    let metric = |world: &World| world.told.iter().filter(|told| told.kind == "metric").count();
    assert_eq!(metric(&world), 2);
    world.core.metrics().observed(Some(240 << 20), 900);
    world.pass(TimeDelta::seconds(120));
    assert_eq!(metric(&world), 2, "told once");
    world.core.metrics().observed(Some(100 << 20), 10);
    world.pass(TimeDelta::seconds(2));
    assert!(world.core.view(world.now).metrics.exceeded.is_empty());
}

/// A broker that fails for a while is no bad message.
#[test]
fn a_failing_call_counts_as_no_bad_message() {
    let mut world = world();
    world.failing.push(("Snapshot", CallError::Server(503)));
    world.handle(Input::Jumped);
    world.pass(TimeDelta::seconds(5));
    assert_eq!(world.core.view(world.now).metrics.malformed, 0);
}

/// For whoever asks while no engine runs: what was not known is not said.
#[test]
fn what_is_kept_of_an_account_says_what_was_doubtful() {
    let mut world = world();
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 1 });
    world.pass(TimeDelta::seconds(3));
    assert_eq!(world.kept.covered, [Some(false)]);
    assert_eq!(world.kept.trouble, None);
    world.lose_stream(TimeDelta::seconds(1), TimeDelta::seconds(15));
    world.pass(TimeDelta::seconds(5));
    assert_eq!(world.kept.covered, [None]);
    assert!(world.kept.trouble.is_some());
    world.pass(TimeDelta::seconds(20));
    assert_eq!((world.kept.covered.as_slice(), world.kept.trouble.as_ref()), (&[Some(false)][..], None));
}

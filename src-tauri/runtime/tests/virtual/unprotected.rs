//! Who is told, and when, that protection never began, or stays lost for another reason.

use chrono::TimeDelta;
use domain::broker::{CallError, Refusal};
use runtime::core::Input;
use views::view::Protection;

use crate::{chaos::Chaos, rules::rulebook, trader::Step, world::World};

fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

/// What was told of protection: title, and how the message begins.
fn told(world: &World) -> Vec<String> {
    let of_protection =
        world.told.iter().filter(|it| ["not_protected", "protected"].contains(&it.kind.as_str()));
    let notes = of_protection.map(|told| &told.note);
    notes.map(|note| format!("{}: {}", note.title, note.body)).collect()
}

fn begins(told: &[String], beginnings: &[&str]) -> bool {
    told.len() == beginnings.len() && told.iter().zip(beginnings).all(|(it, with)| it.starts_with(with))
}

#[test]
fn protection_that_never_begins_is_told_once_the_start_is_over() {
    let mut world = World::unconnected(rulebook());
    world.handle(Input::Settings(Err("risk.yaml, line 3: no such key".to_string())));
    world.connect();
    world.pass(seconds(9));
    assert_eq!(told(&world), [""; 0], "a start takes a moment");
    world.pass(seconds(60));
    let broken = "Not protected: The settings cannot be used: risk.yaml, line 3";
    assert!(begins(&told(&world), &[broken]), "{:?}", told(&world));
    world.handle(Input::Settings(Ok(())));
    world.pass(seconds(3));
    assert!(begins(&told(&world), &[broken, "Armed again"]), "{:?}", told(&world));
}

/// The broker says what time it is: that no time has passed is no reason to hurry.
#[test]
fn a_start_whose_clock_is_put_forward_takes_its_moment_all_the_same() {
    let mut world = World::unconnected(rulebook());
    world.now += seconds(7_200);
    world.handle(Input::Stepped(seconds(7_200)));
    world.pass(seconds(9));
    assert_eq!(told(&world), [""; 0]);
    world.pass(seconds(2));
    assert!(begins(&told(&world), &["Not protected"]), "{:?}", told(&world));
}

/// An account on which a rule can't act is told of by itself, and hides nothing that comes later.
#[test]
fn a_doubt_beside_a_rule_that_cannot_act_is_told() {
    let mut world = World::new(rulebook(), 2, Chaos::default());
    let refused =
        || CallError::Refused { kind: Refusal::NotPermitted, code: 2, text: "not allowed".to_string() };
    world.failing.extend((0..20).map(|_| ("Reduce", refused())));
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 4 });
    world.pass(seconds(5));
    assert_eq!(world.core.protection(), Protection::NotProtected);
    assert_eq!(told(&world), [""; 0], "the rule that cannot act is told in words of its own");
    world.handle(Input::Disk(Err("no space".to_string())));
    world.pass(seconds(1));
    assert_eq!(told(&world), [""; 0], "what is over in a moment is not told");
    world.pass(seconds(60));
    let full = "Not protected: Locks and records are not saved: no space";
    assert!(begins(&told(&world), &[full]), "{:?}", told(&world));
}

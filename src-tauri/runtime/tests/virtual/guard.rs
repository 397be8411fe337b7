//! The guard password over days, restarts and losses of power: what it allows, to whom, and from when.

use chrono::{NaiveTime, TimeDelta};
use domain::{AccountId, Command, Instant, LockKey, RuleKey, Rulebook, Usd};
use runtime::{
    core::{Due, GuardDeed},
    password::Hash,
};
use views::view::Protection;

use crate::{chaos::Chaos, rules, world::World};

/// Five minutes after the world begins.
fn reset() -> Instant {
    "2025-10-29T15:05:00Z".parse().unwrap()
}

/// The first reset a week later: in Chicago the clocks were turned back in between.
fn a_week_later() -> Instant {
    "2025-11-05T16:05:00Z".parse().unwrap()
}

fn book(loss: i64) -> Rulebook {
    let mut book = rules::rulebook();
    book.reset.time = NaiveTime::from_hms_opt(10, 5, 0).unwrap();
    book.base.daily_realized_loss.settings.limit = Usd(loss.into());
    book
}

fn hash() -> Option<Hash> {
    Some(Hash::of(&"correct horse".to_string().into()).unwrap())
}

/// A world with a guard password that was set a moment ago.
fn world() -> World {
    let mut world = World::new(book(-500), 1, Chaos::default());
    world.change_rules(book(-500));
    world.guard(GuardDeed::Set, hash()).unwrap();
    world
}

fn due(world: &World) -> Vec<Due> {
    world.core.waiting().iter().map(|it| it.due).collect()
}

fn own_lock() -> GuardDeed {
    let key =
        LockKey { account: AccountId::from(1), rule: RuleKey::Trader, symbol: None, cause: String::new() };
    GuardDeed::Override { key, reason: "please".to_string() }
}

fn last(world: &World) -> &str {
    world.kept.settings_told().last().unwrap()
}

#[test]
fn with_a_guard_password_what_is_looser_waits_a_week_unless_it_is_approved() {
    let mut world = world();
    world.change_rules(book(-900));
    assert_eq!(due(&world), [Due::At(a_week_later())]);
    assert_eq!(
        last(&world),
        "waits for the guard password, or until 2025-11-05T16:05:00+00:00: daily_realized_loss.limit: -500 -> -900"
    );
    world.restart(true);
    assert_eq!(due(&world), [Due::At(a_week_later())], "also after a loss of power");

    world.guard(GuardDeed::Approve, None).unwrap();
    assert_eq!(due(&world), [Due::At(reset())], "not at once: the next trading day, as ever");
    assert!(last(&world).starts_with("approved with the guard password: daily_realized_loss.limit"));
    assert_eq!(world.guard(GuardDeed::Approve, None).unwrap_err(), "Nothing waits for the guard password.");
    world.pass(reset() - world.now + TimeDelta::seconds(2));
    assert_eq!(due(&world), []);
    world.change_rules(book(-400));
    assert_eq!(due(&world), [], "what is stricter asks nobody");
}

#[test]
fn nothing_is_approved_and_no_removal_is_planned_while_locked() {
    let mut world = world();
    world.change_rules(book(-900));
    world.command(Command::LockOut { account: None, until: Some(world.now + TimeDelta::minutes(2)) });
    for deed in [GuardDeed::Approve, GuardDeed::Forget] {
        let refused = world.guard(deed, None).unwrap_err();
        assert_eq!(refused, "Account PRAC-V2-…01-1 is locked: nothing is loosened until the lock has ended.");
    }
    world.pass(TimeDelta::minutes(3));
    world.guard(GuardDeed::Approve, None).unwrap();
}

#[test]
fn a_lost_password_goes_after_a_week_that_everybody_can_see_and_stop() {
    let mut world = world();
    world.guard(GuardDeed::Forget, None).unwrap();
    let at = a_week_later();
    let removal = |world: &World| world.core.view(world.now).guard.unwrap().removal_at;
    assert_eq!(removal(&world), Some(at));
    world.restart(true);
    assert_eq!(removal(&world), Some(at));
    world.guard(GuardDeed::Keep, None).unwrap();
    assert_eq!(removal(&world), None);
    assert_eq!(world.guard(GuardDeed::Keep, None).unwrap_err(), "It stays anyway.");

    world.guard(GuardDeed::Forget, None).unwrap();
    world.now = at - TimeDelta::seconds(30);
    world.restart(false);
    world.pass(TimeDelta::seconds(10));
    assert!(world.core.view(world.now).guard.is_some(), "not a second earlier");
    world.pass(TimeDelta::seconds(30));
    assert_eq!(world.core.view(world.now).guard, None);
    assert_eq!(last(&world), "guard password removed: its removal was asked for, and nobody kept it");
    world.restart(true);
    assert_eq!(world.core.view(world.now).guard, None);
    assert_eq!(world.guard(GuardDeed::Remove, None).unwrap_err(), "No guard password is set.");
}

#[test]
fn wrong_passwords_cost_ever_more_time_and_a_restart_gives_none_of_it_back() {
    let mut world = world();
    for _ in 0..2 {
        assert_eq!(world.guess(&GuardDeed::Remove), "That is not the guard password.");
    }
    assert!(world.guess(&GuardDeed::Remove).starts_with("That is not the guard password. Try again after "));
    assert_eq!(last(&world), "wrong guard password to remove it, 3 in a row");
    let audited = world.kept.settings_told().len();
    world.restart(true);
    assert!(world.guess(&GuardDeed::Remove).starts_with("Too many wrong passwords. Try again after "));
    assert_eq!(world.kept.settings_told().len(), audited, "none was looked at");
    let waits = |world: &World| world.core.may_guard(&GuardDeed::Remove, world.now).is_err();
    assert!(waits(&world), "nor is the right one");
    world.pass(TimeDelta::seconds(31));
    assert!(!waits(&world));
    world.guess(&GuardDeed::Remove);
    world.pass(TimeDelta::seconds(31));
    assert!(waits(&world), "twice as long");
    world.pass(TimeDelta::seconds(31));
    world.guard(GuardDeed::Change, hash()).unwrap();
    assert_eq!(world.guess(&GuardDeed::Remove), "That is not the guard password.", "counted anew");
    assert!(world.told.iter().any(|told| told.note.title == "Wrong guard password"));
}

#[test]
fn the_traders_own_lock_cannot_be_overridden() {
    let mut world = world();
    let none = world.guard(own_lock(), None).unwrap_err();
    assert_eq!(none, "There is no such lockout. See `riskctl lockouts`.");
    world.pass(reset() - world.now + TimeDelta::seconds(2));
    world.command(Command::LockOut { account: None, until: None });
    let refused = world.guard(own_lock(), None).unwrap_err();
    assert_eq!(refused, "Your own lock cannot be overridden, not even with the guard password.");
    assert_eq!(world.core.view(world.now).protection, Protection::Locked);
}

#[test]
fn a_first_password_needs_no_other_and_a_second_one_is_no_first() {
    let mut world = world();
    let refused = world.guard(GuardDeed::Set, hash()).unwrap_err();
    assert_eq!(refused, "A guard password is set already. Change it.");
    let from = |world: &World| world.core.view(world.now).guard.unwrap().overrides_from;
    assert_eq!(from(&world), reset(), "not on the day on which it was set");
    world.pass(reset() - world.now + TimeDelta::minutes(1));
    world.guard(GuardDeed::Change, hash()).unwrap();
    assert_eq!(from(&world), reset(), "a change makes nothing possible that was not");
    world.guard(GuardDeed::Remove, None).unwrap();
    assert_eq!(world.core.view(world.now).guard, None);
    world.guard(GuardDeed::Set, hash()).unwrap();
    assert_eq!(from(&world), reset() + TimeDelta::days(1), "set anew");
}

#[test]
fn nothing_is_set_before_anybody_knows_the_time() {
    let mut world = World::unconnected(book(-500));
    world.change_rules(book(-500));
    assert!(world.guard(GuardDeed::Set, hash()).unwrap_err().starts_with("The broker has not told the time"));
}

/// Before the first connection of a start an old time counts; whoever knows the password is not held up by it.
#[test]
fn a_start_without_a_connection_lets_whoever_knows_it_quit_and_nobody_loosen() {
    let mut world = world();
    world.restart_unconnected(false);
    assert!(world.guard(GuardDeed::Forget, None).is_err());
    assert!(world.guard(GuardDeed::Approve, None).is_err());
    world.guard(GuardDeed::Quit, None).unwrap();
    assert_eq!(last(&world), "the program was ended with the guard password");
    assert_eq!(world.guess(&GuardDeed::Quit), "That is not the guard password.");
}

//! Tighten now, loosen later (rulings 5 to 7): what of changed files applies at once, what waits, what is
//! refused, and that no restart, lock or loss of power makes a difference.

use chrono::{NaiveTime, TimeDelta};
use domain::{Command, Contracts, Instant, Rulebook, Severity, Usd, rulebook::SessionWindow};
use runtime::core::Due;
use views::view::{DesktopView, Protection};

use crate::{chaos::Chaos, rules, world::World};

/// Five minutes after the world begins.
fn reset() -> Instant {
    "2025-10-29T15:05:00Z".parse().unwrap()
}

fn book(contracts: u32, loss: i64, blocked: bool) -> Rulebook {
    let mut book = rules::rulebook();
    book.reset.time = NaiveTime::from_hms_opt(10, 5, 0).unwrap();
    book.base.max_contracts.settings.limit = Contracts(contracts);
    book.base.daily_realized_loss.settings.limit = Usd(loss.into());
    book.base.symbol_blocks.enabled = blocked;
    book
}

/// A world whose settings were accepted: 5 contracts, -500 a day, M2K blocked.
fn world() -> World {
    let mut world = World::new(book(5, -500, true), 1, Chaos::default());
    world.change_rules(book(5, -500, true));
    assert_eq!(world.kept.settings_told(), ["settings accepted"]);
    world
}

/// Contracts, dollars and whether M2K is blocked, as enforced.
fn in_force(world: &World) -> (u32, Usd, bool) {
    let rules = &world.core.engine().rulebook().base;
    let limit = rules.daily_realized_loss.settings.limit;
    (rules.max_contracts.settings.limit.0, limit, rules.symbol_blocks.enabled)
}

fn usd(dollars: i64) -> Usd {
    Usd(dollars.into())
}

fn pending(world: &World) -> Vec<(&str, Due)> {
    world.core.waiting().iter().map(|it| (it.change.key.as_str(), it.due)).collect()
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

const LOSS: &str = "rules.daily_realized_loss.limit";
const BLOCKS: &str = "rules.symbol_blocks.enabled";
const CONTRACTS: &str = "rules.max_contracts.limit";

#[test]
fn one_of_three_applies_at_once_and_two_wait_for_the_reset_also_over_a_restart() {
    let mut world = world();
    world.change_rules(book(2, -900, false));
    let at_first = (in_force(&world), pending(&world).len());
    assert_eq!(at_first, ((2, usd(-500), true), 2));
    assert_eq!(pending(&world), [(LOSS, Due::At(reset())), (BLOCKS, Due::At(reset()))]);
    world.pass(minutes(1));
    world.restart(true);
    assert_eq!((in_force(&world), pending(&world).len()), at_first);
    assert_eq!(world.core.view(world.now).pending[0].applies_at, Some(reset()));

    world.pass(reset() - world.now - TimeDelta::seconds(1));
    assert_eq!((in_force(&world), pending(&world).len()), at_first, "a second before");
    world.pass(TimeDelta::seconds(2));
    assert_eq!(in_force(&world), (2, usd(-900), false));
    assert_eq!(pending(&world), []);
    let told = world.kept.settings_told();
    let begins = |number: usize, text: &str| assert!(told[number].starts_with(text), "{told:?}");
    assert_eq!(told.len(), 4, "{told:?}");
    begins(1, "settings changed: max_contracts.limit: 5 -> 2");
    begins(
        2,
        "waits for the next trading day: daily_realized_loss.limit: -500 -> -900; symbol_blocks.enabled",
    );
    begins(3, "settings changed with the new trading day: daily_realized_loss.limit");
    world.restart(false);
    assert_eq!((in_force(&world), pending(&world).len()), ((2, usd(-900), false), 0));
}

#[test]
fn what_waits_applies_at_a_start_after_a_missed_reset() {
    let mut world = world();
    world.change_rules(book(5, -900, true));
    world.now = reset() + minutes(30);
    world.restart(false);
    world.pass(minutes(1));
    assert_eq!((in_force(&world), pending(&world).len()), ((5, usd(-900), true), 0));
}

#[test]
fn a_file_that_was_edited_while_the_engine_was_off_waits_for_a_reset_that_is_still_to_come() {
    let mut world = world();
    world.write_rules(book(4, -900, true));
    world.now = reset() + minutes(30);
    world.restart(false);
    world.pass(minutes(1));
    assert_eq!(in_force(&world), (4, usd(-500), true));
    assert_eq!(pending(&world), [(LOSS, Due::At(reset() + TimeDelta::days(1)))]);
}

#[test]
fn while_locked_nothing_looser_is_even_queued() {
    let mut world = world();
    world.command(Command::LockOut { account: None, until: Some(world.now + minutes(2)) });
    world.change_rules(book(4, -900, true));
    let refused = ((4, usd(-500), true), vec![(LOSS, Due::Refused)]);
    assert_eq!((in_force(&world), pending(&world)), refused);
    assert_eq!(world.core.view(world.now).pending[0].applies_at, None);
    world.pass(minutes(1));
    world.restart(true);
    assert_eq!((in_force(&world), pending(&world)), refused, "during the lock");
    world.pass(minutes(10));
    world.restart(true);
    world.pass(minutes(1));
    assert_eq!((in_force(&world), pending(&world)), refused, "after lock and reset");

    // The same wish, made again when the lock is over.
    world.change_rules(book(3, -900, true));
    assert_eq!(pending(&world), [(LOSS, Due::At(reset() + TimeDelta::days(1)))]);
    assert!(world.kept.settings_told().iter().any(|it| it.starts_with("refused while locked")));
}

#[test]
fn a_lock_that_outlasts_the_reset_holds_up_what_waited_before_it() {
    let mut world = world();
    world.change_rules(book(6, -500, true));
    world.command(Command::LockOut { account: None, until: Some(reset() + minutes(3)) });
    world.pass(reset() + minutes(1) - world.now);
    assert_eq!((in_force(&world).0, pending(&world)), (5, vec![(CONTRACTS, Due::At(reset()))]));
    world.pass(minutes(3));
    assert_eq!((in_force(&world).0, pending(&world)), (6, vec![]));
}

#[test]
fn a_change_that_is_taken_back_is_withdrawn_and_never_applies() {
    let mut world = world();
    world.change_rules(book(6, -900, true));
    let edits = world.core.undo(None, LOSS).unwrap();
    assert_eq!((edits[0].key.as_str(), edits[0].value.as_ref()), (LOSS, Some(&serde_json::json!(-500))));
    assert!(world.core.undo(None, BLOCKS).is_err(), "not pending");
    world.change_rules(book(6, -500, true));
    assert_eq!(pending(&world), [(CONTRACTS, Due::At(reset()))]);
    let told = world.kept.settings_told().last().unwrap();
    assert_eq!(told, "withdrawn before it applied: daily_realized_loss.limit: -500 -> -900");
    world.pass(minutes(10));
    assert_eq!(in_force(&world), (6, usd(-500), true));
}

#[test]
fn a_pending_change_that_grows_while_locked_is_refused_and_one_that_shrinks_below_the_old_value_applies() {
    let mut world = world();
    world.change_rules(book(6, -500, true));
    world.command(Command::LockOut { account: None, until: Some(world.now + minutes(2)) });
    world.change_rules(book(9, -500, true));
    assert_eq!(pending(&world), [(CONTRACTS, Due::Refused)]);
    world.change_rules(book(3, -500, true));
    assert_eq!((in_force(&world).0, pending(&world)), (3, vec![]));
}

#[test]
fn a_lock_of_the_settings_outlives_a_restart_and_lets_only_stricter_changes_through() {
    let mut world = world();
    let until = reset() + minutes(30);
    world.lock_settings(Some(until)).unwrap();
    assert_eq!(world.core.view(world.now).settings_locked_until, Some(until));
    let shorter = world.lock_settings(None).unwrap_err();
    assert_eq!(shorter, "Risk Settings are locked for as long already.");

    world.restart(true);
    world.pass(minutes(1));
    world.change_rules(book(2, -900, true));
    assert_eq!(in_force(&world), (2, usd(-500), true));
    assert_eq!(pending(&world), [(LOSS, Due::Refused)]);

    world.pass(until - world.now + minutes(1));
    assert_eq!(world.core.view(world.now).settings_locked_until, None);
    assert_eq!(in_force(&world), (2, usd(-500), true), "what was refused does not come by itself");
    world.change_rules(book(3, -500, true));
    assert_eq!(pending(&world), [(CONTRACTS, Due::At(reset() + TimeDelta::days(1)))]);
}

#[test]
fn what_waited_when_the_settings_were_locked_waits_for_the_end_of_the_lock() {
    let mut world = world();
    world.change_rules(book(5, -900, true));
    let until = reset() + minutes(30);
    world.lock_settings(Some(until)).unwrap();
    world.pass(reset() - world.now + minutes(10));
    assert_eq!(in_force(&world), (5, usd(-500), true));
    world.pass(until - world.now + minutes(1));
    assert_eq!(in_force(&world), (5, usd(-900), true));
}

/// The world begins at 10:00 in Chicago: outside these hours, which begin after the reset of five past.
fn evening(loss: i64) -> Rulebook {
    let mut book = book(5, loss, true);
    book.base.session_block_outside.enabled = true;
    book.base.session_block_outside.settings.windows = vec![SessionWindow {
        start: NaiveTime::from_hms_opt(10, 8, 0).unwrap(),
        end: NaiveTime::from_hms_opt(15, 0, 0).unwrap(),
        days: (0..7).collect(),
    }];
    book
}

#[test]
fn outside_the_hours_what_is_looser_is_queued_and_applies_when_the_lock_has_ended() {
    let mut world = World::new(evening(-500), 1, Chaos::default());
    world.change_rules(evening(-500));
    assert_eq!(world.core.view(world.now).protection, Protection::Locked);
    world.change_rules(evening(-900));
    assert_eq!(pending(&world), [(LOSS, Due::At(reset()))]);
    assert_eq!(world.core.refusing(), []);
    world.pass(reset() + minutes(2) - world.now);
    assert_eq!((in_force(&world).1, pending(&world).len()), (usd(-500), 1), "still outside");
    world.pass(minutes(2));
    assert_eq!((in_force(&world).1, pending(&world).len()), (usd(-900), 0));
}

#[test]
fn outside_the_hours_another_lock_refuses_what_is_looser_as_ever() {
    let mut world = World::new(evening(-500), 1, Chaos::default());
    world.change_rules(evening(-500));
    world.command(Command::LockOut { account: None, until: Some(world.now + minutes(2)) });
    world.change_rules(evening(-900));
    assert_eq!(pending(&world), [(LOSS, Due::Refused)]);
    assert_eq!(world.core.refusing(), [1.into()]);
}

/// Being told less protects no less: it applies at once, and whoever shows notifications sees it.
#[test]
fn what_the_desktop_is_told_applies_at_once() {
    let mut world = world();
    let shown = |world: &World| world.core.view(world.now).desktop;
    assert_eq!(shown(&world), DesktopView::default());
    let quieter = DesktopView { enabled: true, min_severity: Severity::Error };
    world.change_desktop(quieter);
    assert_eq!(shown(&world), quieter);
    assert_eq!(world.core.waiting(), []);
}

/// Records name the keys of the files; people read rules, money and their own names of accounts.
#[test]
fn what_waits_is_told_in_the_words_of_people() {
    let told = |world: &World| {
        let notes = world.told.iter().filter(|told| told.kind == "settings_changed");
        notes.map(|told| (told.note.title.clone(), told.note.body.clone())).next_back().unwrap()
    };
    let mut everyone = world();
    everyone.change_rules(book(5, -900, true));
    let (title, body) = told(&everyone);
    assert_eq!(title, "Looser change saved");
    assert!(body.starts_with("Daily Loss Limit −$500 → −$900 applies at 10:05 AM CT (in "), "{body}");
    assert!(body.ends_with("). Until then −$500 is enforced."), "{body}");

    let mut swing = world();
    let mut rules = book(5, -500, true);
    rules.own = [(1.into(), book(8, -900, true).base)].into();
    swing.write_rules(rules);
    swing.call_account(1, "Swing");
    let (title, body) = told(&swing);
    assert_eq!(title, "Settings changed");
    let each = "Swing: Max Contracts 5 → 8; Swing: Daily Loss Limit −$500 → −$900.";
    assert!(body.starts_with("From 10:05 AM CT (in ") && body.ends_with(each), "{body}");
}

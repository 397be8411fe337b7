//! What is announced although nothing follows from it: the end of a lockout, a change of the clocks.

use chrono::TimeDelta;
use chrono_tz::Tz;
use domain::{Command, Instant, Memory, calendar::CENTRAL};
use runtime::core::{Announced, BackupPlan, Core, Files, Input, Output, Setting};
use views::text::Zones;

use crate::{chaos::Chaos, rules::rulebook, trader::Step, world::World};

const ENDED: &str = "Lock ended: ";

/// A minute's lock of the trader's own, seen to its end.
fn told_after_a_lock(announced: Announced) -> Vec<String> {
    let mut world = World::new(rulebook(), 1, Chaos::default());
    world.change_rules(rulebook());
    world.change_announced(announced);
    world.told.clear();
    world.command(Command::LockOut { account: None, until: Some(world.now + TimeDelta::minutes(1)) });
    world.pass(TimeDelta::seconds(70));
    assert!(!world.core.has_lockouts(), "it ended");
    world.told.iter().map(|told| told.note.title.clone()).filter(|title| title.starts_with(ENDED)).collect()
}

#[test]
fn the_end_of_a_lockout_is_told_unless_nobody_wants_to_hear_it() {
    let loud = told_after_a_lock(Announced::default());
    assert_eq!(loud.len(), 1, "{loud:?}");
    let quiet = told_after_a_lock(Announced { unlocks: false, clocks: true });
    assert_eq!(quiet, [""; 0]);
}

#[test]
fn an_account_goes_by_the_traders_own_name_with_the_brokers_beside_it() {
    let mut world = World::new(rulebook(), 1, Chaos::default());
    world.change_rules(rulebook());
    let named = |world: &World| {
        let account = world.core.view(world.now).accounts.remove(0);
        (account.short_name, account.name)
    };
    let brokers = named(&world).1;
    world.call_account(1, "Swing");
    assert_eq!(named(&world), ("Swing".to_string(), brokers));
}

/// A core that looks at the time now and then, from one instant to another; what it told of the clocks.
fn told_of_clocks(announced: Announced, zones: Zones, from: &str, until: &str) -> Vec<(Instant, String)> {
    told_where_chosen(CENTRAL, announced, zones, from, until)
}

/// The same where the settings name a zone.
fn told_where_chosen(
    zone: Tz,
    announced: Announced,
    zones: Zones,
    from: &str,
    until: &str,
) -> Vec<(Instant, String)> {
    let (from, until): (Instant, Instant) = (from.parse().unwrap(), until.parse().unwrap());
    let setting = Setting { broker: "Model".to_string(), mode: "headless".to_string(), zones, started: from };
    let (mut core, _) = Core::new(setting, rulebook(), Memory::default(), Vec::new(), from);
    let files = Files {
        rulebook: rulebook(),
        api: config::Api::default(),
        hash: String::new(),
        origin: store::ConfigOrigin::File,
        instruments: std::collections::BTreeSet::new(),
        desktop: views::view::DesktopView::default(),
        announced,
        backups: BackupPlan::default(),
        zone,
        names: std::collections::BTreeMap::new(),
        later: Vec::new(),
    };
    core.handle(from, from, Input::Files(Box::new(files)));
    core.handle(from, from, Input::ClockApart(TimeDelta::zero()));
    let mut told = Vec::new();
    let mut now = from;
    while now < until {
        for output in core.handle(now, now, Input::Tick) {
            if let Output::Tell(one) = output
                && one.kind == "clocks_change"
            {
                told.push((now, one.note.title));
            }
        }
        now += TimeDelta::minutes(20);
    }
    told
}

#[test]
fn a_change_of_the_clocks_is_told_once_two_days_ahead() {
    let week = ("2025-10-29T15:00:00Z", "2025-11-05T15:00:00Z");
    let told = |announced, zones| told_of_clocks(announced, zones, week.0, week.1);
    let friday: Instant = "2025-10-31T07:00:00Z".parse().unwrap();
    let sunday = vec![(friday, "Clocks change on Sun Nov 2".to_string())];
    assert_eq!(told(Announced::default(), Zones::CENTRAL), sunday);
    assert_eq!(told(Announced { unlocks: true, clocks: false }, Zones::CENTRAL), []);

    let berlin = Zones::of_computer("Europe/Berlin".parse().unwrap());
    assert_eq!(told(Announced::default(), berlin), sunday, "Berlin's clocks changed a week before");
    let before = told_of_clocks(Announced::default(), berlin, "2025-10-22T15:00:00Z", week.0);
    let titles: Vec<&str> = before.iter().map(|(_, title)| title.as_str()).collect();
    assert_eq!(titles, ["Your clocks change on Sun Oct 26"]);

    let (paris, october) = (chrono_tz::Europe::Paris, "2025-10-22T15:00:00Z");
    let chosen = told_where_chosen(paris, Announced::default(), Zones::CENTRAL, october, week.0);
    let titles: Vec<&str> = chosen.iter().map(|(_, title)| title.as_str()).collect();
    assert_eq!(titles, ["Paris clocks change on Sun Oct 26"], "the zone of the settings counts");
}

/// New York's clocks change an hour before those of Chicago: one message for both.
#[test]
fn clocks_that_change_in_one_night_are_told_of_together() {
    let new_york = Zones::of_computer("America/New_York".parse().unwrap());
    let told = told_of_clocks(Announced::default(), new_york, "2026-03-05T15:00:00Z", "2026-03-12T15:00:00Z");
    let titles: Vec<&str> = told.iter().map(|(_, title)| title.as_str()).collect();
    assert_eq!(titles, ["Clocks change on Sun Mar 8"]);
}

/// The close and the lock of a blocked symbol are one message.
#[test]
fn the_lock_of_a_symbol_is_told_with_its_close() {
    let mut world = World::new(rulebook(), 1, Chaos::default());
    world.told.clear();
    world.play(&Step::Market { whose: 0, symbol: 2, buys: true, size: 1 });
    world.pass(TimeDelta::seconds(5));
    let told: Vec<_> = world.told.iter().map(|told| &told.note).collect();
    let [note] = &told[..] else { panic!("{told:?}") };
    assert_eq!(note.title, "M2K locked");
    assert!(
        note.body.ends_with("Closed 1 M2K. New trades in M2K blocked until the settings unblock it."),
        "{}",
        note.body
    );
}

#[test]
fn a_reached_target_is_told_in_the_traders_own_words() {
    let mut rules = rulebook();
    rules.base.daily_realized_profit.enabled = true;
    rules.base.daily_realized_profit.settings.target = domain::Usd::from_cents(30_000);
    rules.base.daily_realized_profit.settings.message = "Walk the dog".to_string();
    let mut world = World::new(rules, 1, Chaos::default());
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size: 3 });
    world.pass(TimeDelta::seconds(1));
    world.told.clear();
    world.play(&Step::Move { symbol: 0, ticks: 240 });
    world.pass(TimeDelta::seconds(5));
    let target = "Walk the dog. Daily Profit Target: ";
    assert!(world.told.iter().any(|told| told.note.body.starts_with(target)), "{:?}", world.told);
    let view = world.core.view(world.now);
    assert_eq!(view.accounts[0].lockouts[0].own_words.as_deref(), Some("Walk the dog."));
}

/// What RULE-010 repeats reads the same each time: the trader asked to hear it that often.
#[test]
fn a_lost_connection_is_repeated_as_often_as_asked() {
    let told = |seconds| {
        let mut rules = rulebook();
        rules.base.auth_loss_guard.enabled = true;
        rules.base.auth_loss_guard.settings.alert_repeat_seconds = seconds;
        let mut world = World::new(rules, 1, Chaos::default());
        world.play(&Step::Bracket { whose: 0, symbol: 0, buys: true, size: 1 });
        world.pass(TimeDelta::seconds(3));
        world.told.clear();
        world.lose_stream(TimeDelta::zero(), TimeDelta::seconds(45));
        world.pass(TimeDelta::seconds(44));
        world.told.iter().filter(|told| told.kind == "trouble").count()
    };
    assert_eq!((told(60), told(20), told(10)), (1, 3, 5));
}

/// It is tried again hourly, and at each reset.
#[test]
fn a_backup_that_fails_is_told_once_a_day() {
    let mut world = World::new(rulebook(), 1, Chaos::default());
    world.told.clear();
    let mut told_after = |hours: i64| {
        world.now += TimeDelta::hours(hours);
        world.handle(Input::NoBackup(format!("the disk was full {hours} h after")));
        world.told.iter().filter(|told| told.kind == "backup_failed").count()
    };
    assert_eq!([told_after(0), told_after(1), told_after(22), told_after(1)], [1, 1, 1, 2]);
}

#[test]
fn another_plan_for_backups_counts_at_once() {
    let mut world = World::new(rulebook(), 1, Chaos::default());
    world.change_rules(rulebook());
    assert_eq!(world.core.backups(), BackupPlan::default());
    let none = BackupPlan { enabled: false, ..BackupPlan::default() };
    world.change_backups(none);
    assert_eq!(world.core.backups(), none);
}

/// Who is watched is settled at a start: nobody is told that it was applied.
#[test]
fn what_counts_from_the_next_start_is_told_as_such() {
    let mut rules = rulebook();
    let mut watch = |ids: &[&str]| {
        rules.accounts = domain::rulebook::Watched::Listed(ids.iter().map(|id| (*id).into()).collect());
        rules.clone()
    };
    let mut world = World::new(watch(&["26100417"]), 1, Chaos::default());
    world.change_rules(watch(&["26100417"]));
    world.told.clear();
    let rules = watch(&["26100417", "26100999"]);
    world.write_rules(rules);
    world.change_later("The list of watched accounts in accounts.yaml changed.");
    let told: Vec<_> = world.told.iter().map(|told| told.note.body.as_str()).collect();
    let [body] = &told[..] else { panic!("{told:?}") };
    assert!(
        body.starts_with(
            "The list of watched accounts in accounts.yaml changed. It counts from the next start"
        )
    );
}

//! Opening what a bad day left behind: never a panic, never a silent stop, nobody freed (ruling 13).

use std::{fs, path::PathBuf};

use domain::{EndCause, Instant, LockEnd, LockKind, Lockout, RuleKey};
use rusqlite::Connection;
use store::{AuditFault, ConfigOrigin, ConfigSnapshot, OpenError, Origin, Record, Settings, Store, backup};

use crate::fixtures::*;

fn quarantined(origin: &Origin) -> Option<&PathBuf> {
    match origin {
        Origin::Restored { quarantined, .. }
        | Origin::Chosen { quarantined, .. }
        | Origin::Rebuilt { quarantined, .. } => quarantined.as_ref(),
        Origin::Fresh | Origin::AsItWas => None,
    }
}

fn hard(rule: RuleKey) -> Lockout {
    lockout(rule, LockKind::Hard, LockEnd::Reset(at("2026-03-02T23:00:00Z")))
}

#[test]
fn a_new_home_is_fresh_and_the_next_start_finds_it_as_it_was() {
    let home = Home::new();
    assert_eq!(home.found().origin, Origin::Fresh);
    let found = home.found();
    assert_eq!(found.origin, Origin::AsItWas);
    assert_eq!((found.audit, found.migrated_from, found.damaged_mirror), (None, None, None));
}

#[test]
fn a_damaged_database_is_replaced_by_the_backup_and_no_lockout_is_lost() {
    let home = Home::new();
    let mut store = home.open();
    let ended = hard(RuleKey::AuthLossGuard);
    let in_backup = hard(RuleKey::DailyRealizedLoss);
    let extended = lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(later(60)));
    flush(
        &mut store,
        &[lock(&ended), Record::Unlock { key: ended.key.clone(), cause: EndCause::Condition, at: now() }],
    );
    flush(&mut store, &[lock(&in_backup), lock(&extended), intent(1), confirmed(1)]);
    let backup = backup::take(home.path(), now(), 7).unwrap();
    let extended = Lockout { end: LockEnd::Time(later(600)), ..extended };
    let after_backup = hard(RuleKey::DailyRealizedProfit);
    flush(&mut store, &[lock(&extended), lock(&after_backup), intent(2)]);
    store.settle().unwrap();
    drop(store);
    home.damage();

    let opened = home.opened();
    let found = &opened.found;
    assert!(
        matches!(&found.origin, Origin::Restored { backup: used, .. } if *used == backup.path),
        "{found:?}"
    );
    assert!(quarantined(&found.origin).is_some_and(|file| file.exists()));
    assert_eq!(found.restored_lockouts, [held(&after_backup)]);
    assert_eq!(found.audit, Some(AuditFault::MissingTail { rows: 2, expected: 3 }));
    assert_eq!(locks(&opened.store), sorted(vec![in_backup, extended, after_backup]));
    let check = opened.store.verify_audit().unwrap();
    assert!(check.breaks[0].reason.contains("took its place"), "{check:?}");
    drop(opened);
    assert_eq!(home.found().origin, Origin::AsItWas);
}

#[test]
fn without_a_backup_a_new_database_begins_with_the_lockouts_of_the_mirror() {
    let home = Home::new();
    let mut store = home.open();
    let expected = lockouts_of_every_kind();
    flush(&mut store, &expected.iter().map(lock).collect::<Vec<_>>());
    store.settle().unwrap();
    drop(store);
    fs::write(home.file("state.db"), "this is no database, but it is long enough to be taken for one")
        .unwrap();

    let opened = home.opened();
    assert!(
        matches!(opened.found.origin, Origin::Rebuilt { quarantined: Some(_), .. }),
        "{:?}",
        opened.found
    );
    assert_eq!(opened.found.restored_lockouts.len(), expected.len());
    assert_eq!(locks(&opened.store), sorted(expected));
    assert_eq!(opened.store.verify_audit().unwrap().breaks.len(), 1);
}

#[test]
fn an_unsound_backup_is_passed_over() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    let good = backup::take(home.path(), now(), 7).unwrap();
    let bad = backup::take(home.path(), later(60), 7).unwrap();
    drop(store);
    damage(&bad.path);
    home.damage();
    let found = home.found();
    assert!(matches!(&found.origin, Origin::Restored { backup, .. } if *backup == good.path), "{found:?}");
}

#[test]
fn a_deleted_or_emptied_database_frees_nobody() {
    for way in ["deleted", "emptied"] {
        let home = Home::new();
        let mut store = home.open();
        let locked = hard(RuleKey::Trader);
        flush(&mut store, &[lock(&locked)]);
        store.settle().unwrap();
        drop(store);
        match way {
            "deleted" => fs::remove_file(home.file("state.db")).unwrap(),
            _ => fs::write(home.file("state.db"), "").unwrap(),
        }
        let opened = home.opened();
        assert!(matches!(opened.found.origin, Origin::Rebuilt { .. }), "{way}: {:?}", opened.found);
        assert_eq!(locks(&opened.store), [locked], "{way}");
    }
}

fn settings(at: Instant, content: &str) -> ConfigSnapshot {
    ConfigSnapshot {
        at,
        hash: content.to_owned(),
        origin: ConfigOrigin::File,
        os_user: None,
        diff: String::new(),
        content: content.to_owned(),
        valid: true,
    }
}

/// The second place knows what the backup does not.
#[test]
fn the_accepted_settings_outlive_a_lost_database() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[Record::Config(Box::new(settings(now(), "limit 3")))]);
    backup::take(home.path(), now(), 7).unwrap();
    flush(&mut store, &[Record::Config(Box::new(settings(later(60), "limit 2")))]);
    let refused = ConfigSnapshot { valid: false, ..settings(later(90), "limit 9") };
    flush(&mut store, &[Record::Config(Box::new(refused))]);
    store.settle().unwrap();
    drop(store);
    home.damage();
    let opened = home.opened();
    assert_eq!(opened.found.settings, Settings::Restored);
    assert_eq!(opened.store.last_good_config().unwrap(), Some(settings(later(60), "limit 2")));
    drop(opened);
    assert_eq!(home.found().settings, Settings::Kept);
}

/// Choosing an old backup is no way to a looser rule.
#[test]
fn the_accepted_settings_outlive_a_restored_backup() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[Record::Config(Box::new(settings(now(), "limit 3")))]);
    let taken = backup::take(home.path(), now(), 7).unwrap();
    flush(&mut store, &[Record::Config(Box::new(settings(later(60), "limit 2")))]);
    store.settle().unwrap();
    drop(store);
    assert_eq!(backup::restore(home.path(), &taken.path, later(90)).unwrap().settings, Settings::Restored);
    assert_eq!(home.open().last_good_config().unwrap(), Some(settings(later(60), "limit 2")));
}

#[test]
fn settings_without_a_trustworthy_second_place_are_lost_and_told_to_be() {
    let lost = |damage: &dyn Fn(&Home)| {
        let home = Home::new();
        let mut store = home.open();
        flush(&mut store, &[Record::Config(Box::new(settings(now(), "limit 3")))]);
        store.settle().unwrap();
        drop(store);
        fs::remove_file(home.file("state.db")).unwrap();
        damage(&home);
        let opened = home.opened();
        assert_eq!(opened.store.last_good_config().unwrap(), None);
        opened.found.settings
    };
    let changed = |home: &Home| {
        let text = fs::read_to_string(home.file("accepted.json")).unwrap();
        fs::write(home.file("accepted.json"), text.replace("limit 3", "limit 9")).unwrap();
    };
    assert_eq!(lost(&changed), Settings::Lost { why: Some("its checksum is wrong".to_owned()) });
    assert!(matches!(
        lost(&|home| fs::write(home.file("accepted.json"), "{").unwrap()),
        Settings::Lost { why: Some(_) }
    ));
}

#[test]
fn a_log_without_its_database_is_not_poured_into_the_next_one() {
    let home = Home::new();
    let mut store = home.open();
    let locked = hard(RuleKey::Trader);
    flush(&mut store, &[lock(&locked), intent(1)]);
    store.settle().unwrap();
    let torn = home.crashed();
    assert!(torn.file("state.db-wal").exists());
    fs::remove_file(torn.file("state.db")).unwrap();
    let opened = torn.opened();
    assert!(matches!(opened.found.origin, Origin::Rebuilt { quarantined: None, .. }), "{:?}", opened.found);
    assert_eq!(locks(&opened.store), [locked]);
    assert_eq!(opened.store.pending_intents().unwrap(), []);
}

type Damage = fn(&Home);

/// Every way of damage ends with an open home, a file in quarantine and the lockout in force.
#[test]
fn whatever_is_wrong_with_the_file_nobody_is_freed() {
    let damages: [(&str, Damage); 8] = [
        ("cut in the middle of a page", |home| cut(home, 40_001)),
        ("cut between pages", |home| cut(home, 40_960)),
        ("first page lost", |home| {
            let mut bytes = fs::read(home.file("state.db")).unwrap();
            bytes[..4096].fill(0);
            fs::write(home.file("state.db"), bytes).unwrap();
        }),
        ("pages overwritten", |home| home.damage()),
        ("schema table emptied", |home| {
            home.tampered().execute("DELETE FROM schema_version", []).unwrap();
        }),
        ("nonsense in the schema table", |home| {
            home.tampered().execute("UPDATE schema_version SET checksum = x'00'", []).unwrap();
        }),
        ("nonsense in the lockout", |home| {
            home.tampered().execute("UPDATE lockouts SET breach = 'x', kind = 'SOFT'", []).unwrap();
        }),
        ("nonsense at the end of the audit", |home| {
            home.tampered().execute("UPDATE enforcement_history SET hash = x'FF'", []).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let home = Home::new();
        let mut store = home.open();
        let locked = hard(RuleKey::DailyRealizedLoss);
        flush(&mut store, &[lock(&locked), intent(1)]);
        store.settle().unwrap();
        drop(store);
        damage(&home);
        let opened = home.opened();
        assert!(
            quarantined(&opened.found.origin).is_some_and(|file| file.exists()),
            "{what}: {:?}",
            opened.found
        );
        assert_eq!(locks(&opened.store), [locked], "{what}");
        assert_eq!(opened.store.verify_audit().unwrap().breaks.len(), 1, "{what}");
    }
}

fn cut(home: &Home, length: u64) {
    fs::File::options().write(true).open(home.file("state.db")).unwrap().set_len(length).unwrap();
}

#[test]
fn a_lockout_deleted_from_the_table_comes_back_and_the_audit_says_so() {
    let home = Home::new();
    let mut store = home.open();
    let locked = hard(RuleKey::DailyRealizedLoss);
    flush(&mut store, &[lock(&locked)]);
    store.settle().unwrap();
    drop(store);
    home.tampered().execute("DELETE FROM lockouts", []).unwrap();
    let opened = home.opened();
    assert_eq!(opened.found.origin, Origin::AsItWas);
    assert_eq!(opened.found.restored_lockouts, [held(&locked)]);
    assert_eq!(locks(&opened.store), [locked]);
    assert_eq!(opened.store.verify_audit().unwrap().breaks.len(), 1);
}

#[test]
fn another_programs_database_is_put_aside() {
    let home = Home::new();
    let other = Connection::open(home.file("state.db")).unwrap();
    other.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(other);
    let found = home.found();
    let aside = quarantined(&found.origin).unwrap();
    Connection::open(aside).unwrap().execute("INSERT INTO recipes VALUES ('soup')", []).unwrap();
}

#[test]
fn a_damaged_mirror_is_told_and_written_anew() {
    let home = Home::new();
    let mut store = home.open();
    let locked = hard(RuleKey::DailyRealizedLoss);
    flush(&mut store, &[lock(&locked)]);
    store.settle().unwrap();
    drop(store);
    let text = fs::read_to_string(home.file("lockouts.json")).unwrap();
    fs::write(home.file("lockouts.json"), text.replace(ACCOUNT, "26100418")).unwrap();

    let opened = home.opened();
    assert_eq!(opened.found.damaged_mirror.as_deref(), Some("its checksum is wrong"));
    assert_eq!(locks(&opened.store), [locked], "nobody else is locked either");
    drop(opened);
    assert_eq!(fs::read_to_string(home.file("lockouts.json")).unwrap(), text);
    assert_eq!(home.found().damaged_mirror, None);
}

#[test]
fn with_the_database_lost_even_a_damaged_mirror_counts() {
    let home = Home::new();
    let mut store = home.open();
    let locked = hard(RuleKey::DailyRealizedLoss);
    flush(&mut store, &[lock(&locked)]);
    store.settle().unwrap();
    drop(store);
    fs::remove_file(home.file("state.db")).unwrap();
    let text = fs::read_to_string(home.file("lockouts.json")).unwrap();
    fs::write(home.file("lockouts.json"), text.replace("-412.515625", "-999")).unwrap();
    let store = home.open();
    assert_eq!(locks(&store).into_iter().map(|lockout| lockout.key).collect::<Vec<_>>(), [locked.key]);
}

#[test]
fn a_newer_database_is_refused_and_not_touched() {
    let home = Home::new();
    drop(home.open());
    home.tampered()
        .execute(
            "INSERT INTO schema_version SELECT 10, '2027-01-01T00:00:00.000000Z', lower(hex(randomblob(32)))",
            [],
        )
        .unwrap();
    let before = fs::read(home.file("state.db")).unwrap();
    let error = Store::open(home.path(), now()).unwrap_err();
    assert_eq!(error, OpenError::Newer { path: home.file("state.db"), found: 10, known: 9 });
    assert!(error.to_string().contains("schema 10") && error.to_string().contains("up to 9"), "{error}");
    assert_eq!(fs::read(home.file("state.db")).unwrap(), before);
    assert!(!home.file("quarantine").exists());
}

#[test]
fn a_database_of_a_different_build_is_refused() {
    let home = Home::new();
    drop(home.open());
    home.tampered().execute("UPDATE schema_version SET checksum = lower(hex(randomblob(32)))", []).unwrap();
    let error = Store::open(home.path(), now()).unwrap_err();
    assert_eq!(error, OpenError::ForeignSchema { path: home.file("state.db"), version: 1 });
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let home = Home::new();
    fs::write(home.file("a file"), "").unwrap();
    let below = home.file("a file").join("home");
    let error = Store::open(&below, now()).unwrap_err();
    assert!(matches!(&error, OpenError::NotWritable { path, .. } if *path == below), "{error:?}");
    assert!(error.to_string().contains("--home"), "{error}");

    let blocked = Home::new();
    fs::create_dir(blocked.file("state.db")).unwrap();
    let error = Store::open(blocked.path(), now()).unwrap_err();
    assert!(
        matches!(&error, OpenError::NotWritable { path, .. } if *path == blocked.file("state.db")),
        "{error:?}"
    );
}

#[test]
fn the_quarantine_keeps_the_newest_five() {
    let home = Home::new();
    drop(home.open());
    for minute in 0..7 {
        fs::write(home.file("state.db"), format!("no database at minute {minute}, but of some length"))
            .unwrap();
        drop(Store::open(home.path(), later(60 * minute)).unwrap());
    }
    let mut kept: Vec<_> = fs::read_dir(home.file("quarantine"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept.first().map(String::as_str), Some("state-20260302T143200Z.db"));
    assert_eq!(kept.len(), 5);
}

/// A loss of power can leave any beginning of the log behind.
#[test]
fn wherever_the_log_is_torn_the_lockouts_of_the_mirror_hold() {
    let home = Home::new();
    let mut store = home.open();
    let expected =
        [hard(RuleKey::DailyRealizedLoss), hard(RuleKey::DailyRealizedProfit), hard(RuleKey::Trader)];
    for (id, locked) in (1..).zip(&expected) {
        flush(&mut store, &[lock(locked), intent(id)]);
        store.settle().unwrap();
    }
    let log = fs::metadata(home.file("state.db-wal")).unwrap().len();
    for length in (0..log).step_by(2_777) {
        let torn = home.crashed();
        fs::File::options().write(true).open(torn.file("state.db-wal")).unwrap().set_len(length).unwrap();
        let opened = torn.opened();
        assert_eq!(locks(&opened.store), sorted(expected.to_vec()), "{length} of {log} bytes");
        let check = opened.store.verify_audit().unwrap();
        assert_eq!(
            check.breaks.is_empty(),
            opened.found.audit.is_none() && opened.found.restored_lockouts.is_empty()
        );
        assert_eq!(memory(&opened.store).next_enforcement, 4, "{length} of {log} bytes");
    }
}

/// A few bytes anywhere in the file, from a seed: no panic, no refusal, nobody freed before the time.
#[test]
fn whatever_bytes_a_disk_changes_the_home_opens_and_every_lockout_holds() {
    let home = Home::new();
    let mut store = home.open();
    let expected = lockouts_of_every_kind();
    flush(&mut store, &expected.iter().map(lock).collect::<Vec<_>>());
    backup::take(home.path(), now(), 7).unwrap();
    flush(&mut store, &(1..=40).flat_map(|id| [intent(id), confirmed(id)]).collect::<Vec<_>>());
    store.settle().unwrap();
    drop(store);
    let whole = fs::read(home.file("state.db")).unwrap();
    for seed in 1..=150_u64 {
        let mut state = seed;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut bytes = whole.clone();
        for _ in 0..=next(4) {
            let at = next(bytes.len() - 64);
            for byte in &mut bytes[at..at + 1 + next(63)] {
                *byte = u8::try_from(next(256)).unwrap();
            }
        }
        let struck = home.crashed();
        fs::write(struck.file("state.db"), bytes).unwrap();
        let opened = Store::open(struck.path(), now()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let recall = opened.store.memory(now(), &domain::DailyReset::default()).unwrap();
        let held: Vec<_> =
            recall.memory.accounts.into_values().flat_map(|account| account.lockouts).collect();
        for lockout in &expected {
            let lasts = held.iter().any(|held| held.key == lockout.key && held.end.at() >= lockout.end.at());
            assert!(lasts, "seed {seed}: {lockout:?} in {held:?}, {:?}", opened.found);
        }
    }
}

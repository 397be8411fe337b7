//! Backups: whole, checked, few, and a way back (specification C.15).

use std::{fs, path::Path};

use domain::{Instant, LockEnd, LockKind, RuleKey, Severity};
use rusqlite::Connection;
use store::{AlertRecord, BackupError, Durability, Origin, Record, RestoreError, Spread, backup};

use crate::fixtures::*;

#[test]
fn a_backup_stands_alone_and_is_whole_while_the_engine_goes_on_writing() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    let path = home.path().to_owned();
    let taker = std::thread::spawn(move || backup::take(&path, now(), 7).unwrap());
    for id in 2..=200 {
        store.commit(&[intent(id)], Durability::Lazy).unwrap();
    }
    let taken = taker.join().unwrap();
    assert_eq!(taken.path, home.file("backups").join("state-20260302T143000Z.db"));
    let files: Vec<_> =
        fs::read_dir(home.file("backups")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [taken.path.as_path()], "no log, no half file beside it");
    backup::check(&taken.path).unwrap();
    let rows: i64 = Connection::open(&taken.path)
        .unwrap()
        .query_row("SELECT count(*) FROM enforcement_history", [], |row| row.get(0))
        .unwrap();
    assert!((1..=200).contains(&rows));
}

/// What is written while a large database is being copied is not in the copy.
#[test]
fn a_backup_is_of_the_moment_it_was_begun() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    let snapshot = backup::Snapshot::of(home.path()).unwrap();
    flush(&mut store, &[intent(2), intent(3)]);
    store.settle().unwrap();
    let taken = snapshot.keep(home.path(), now(), 7).unwrap();
    backup::check(&taken.path).unwrap();
    let rows = |file: &Path| -> i64 {
        let count = "SELECT count(*) FROM enforcement_history";
        Connection::open(file).unwrap().query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!([rows(&taken.path), rows(&home.file("state.db"))], [1, 3]);
}

fn listed(home: &Home) -> Vec<Instant> {
    backup::list(home.path()).unwrap().into_iter().map(|backup| backup.at).collect()
}

#[test]
fn as_many_of_the_newest_are_kept_as_is_asked_for() {
    let home = Home::new();
    let _store = home.open();
    let newest = |hours: std::ops::Range<i64>| hours.rev().map(|it| later(3600 * it)).collect::<Vec<_>>();
    for hour in 0..9 {
        backup::take(home.path(), later(3600 * hour), 7).unwrap();
    }
    fs::write(home.file("backups").join("notes.txt"), "mine").unwrap();
    assert_eq!(listed(&home), newest(2..9));
    backup::take(home.path(), later(3600 * 9), 9).unwrap();
    assert_eq!(listed(&home), newest(2..10));
    backup::take(home.path(), later(3600 * 10), 2).unwrap();
    assert_eq!(listed(&home), newest(9..11));
    assert!(home.file("backups").join("notes.txt").exists());
}

/// A computer's clock that was wrong once does not cost the backup of today.
#[test]
fn the_one_just_taken_is_kept_beside_one_from_the_future() {
    let home = Home::new();
    let _store = home.open();
    backup::take(home.path(), later(86_400), 1).unwrap();
    backup::take(home.path(), now(), 1).unwrap();
    assert_eq!(listed(&home), [now()]);
}

#[test]
fn what_a_broken_off_backup_left_behind_is_taken_away() {
    let home = Home::new();
    let _store = home.open();
    let file = |name: &str| home.file("backups").join(name);
    fs::create_dir(home.file("backups")).unwrap();
    let [old, log, fresh] = [
        "state-20260301T143000Z.db.part",
        "state-20260301T143000Z.db.part-journal",
        "state-20260302T142959Z.db.part",
    ]
    .map(file);
    for part in [&old, &log, &fresh] {
        fs::write(part, "half of it").unwrap();
    }
    backup::take(home.path(), now(), 7).unwrap();
    assert_eq!([old.exists(), log.exists(), fresh.exists()], [false, false, true]);
}

#[test]
fn a_restored_backup_keeps_the_lockouts_and_the_audit_tells_of_it() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    let taken = backup::take(home.path(), now(), 7).unwrap();
    let locked = lockout(RuleKey::Trader, LockKind::Hard, LockEnd::Reset(later(9000)));
    flush(&mut store, &[confirmed(1), lock(&locked)]);
    store.settle().unwrap();
    drop(store);

    let found = backup::restore(home.path(), &taken.path, later(60)).unwrap();
    let Origin::Chosen { backup, quarantined: Some(aside) } = found.origin else { panic!("{found:?}") };
    assert!(aside.exists());
    assert_eq!(backup, taken.path);
    assert_eq!(found.restored_lockouts, [held(&locked)]);
    let opened = home.opened();
    assert_eq!(opened.found.origin, Origin::AsItWas);
    assert_eq!(locks(&opened.store), [locked]);
    assert_eq!(opened.store.pending_intents().unwrap().len(), 1);
    assert_eq!(opened.store.verify_audit().unwrap().breaks.len(), 1);
}

#[test]
fn an_unsound_file_is_not_restored() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    drop(store);
    let before = fs::read(home.file("state.db")).unwrap();
    fs::write(home.file("letter.txt"), "a text that is no database at all").unwrap();
    let error = backup::restore(home.path(), &home.file("letter.txt"), now()).unwrap_err();
    assert!(matches!(error, RestoreError::Backup(BackupError::Unsound { .. })), "{error}");
    assert_eq!(fs::read(home.file("state.db")).unwrap(), before);
}

#[test]
fn a_minute_is_kept_in_one_row() {
    let home = Home::new();
    let mut store = home.open();
    let spread = Some(Spread { samples: 240, p95: 1.5, largest: 9.25 });
    let (name, at) = ("event_processing_fill_ms".to_owned(), now());
    store
        .commit(&[Record::Metric { name, value: 0.5, account: None, at, spread }], Durability::Lazy)
        .unwrap();
    let row: String = home
        .tampered()
        .query_row(
            "SELECT metric_name || ' ' || metric_value || ' ' || samples || ' ' || p95 || ' ' || largest
            FROM performance_metrics",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(row, "event_processing_fill_ms 0.5 240 1.5 9.25");
}

#[test]
fn messages_are_kept_for_ninety_days() {
    let home = Home::new();
    let mut store = home.open();
    let alert = |days: i64| {
        Record::Alert(Box::new(AlertRecord {
            at: later(-days * 86_400 - 1),
            severity: Severity::Warning,
            kind: "locked".to_owned(),
            account: None,
            text: format!("{days} days ago"),
            channels: Vec::new(),
            delivered: false,
            error: Some("nobody was listening".to_owned()),
            suppressed: 2,
        }))
    };
    store.commit(&[alert(200), alert(90), alert(89)], Durability::Lazy).unwrap();
    assert_eq!([store.prune(now()).unwrap(), store.prune(now()).unwrap()], [2, 0]);
    let kept: String = home.tampered().query_row("SELECT text FROM alerts", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "89 days ago");
}

#[test]
fn old_measurements_go_in_small_portions() {
    let home = Home::new();
    let mut store = home.open();
    let metric = |name: &str, seconds: i64, value| Record::Metric {
        name: name.to_owned(),
        value,
        account: None,
        at: later(seconds),
        spread: None,
    };
    let month = 30 * 86_400;
    let old: Vec<_> = (0..5_001).map(|_| metric("queue_depth", -month - 1, 3.0)).collect();
    store.commit(&old, Durability::Lazy).unwrap();
    store.commit(&[metric("queue_depth", -month, 1.5), metric("x", 0, f64::NAN)], Durability::Lazy).unwrap();
    assert_eq!(
        [store.prune(now()).unwrap(), store.prune(now()).unwrap(), store.prune(now()).unwrap()],
        [5_000, 1, 0]
    );
    let kept: f64 = home
        .tampered()
        .query_row("SELECT metric_value FROM performance_metrics", [], |row| row.get(0))
        .unwrap();
    assert!((kept - 1.5).abs() < f64::EPSILON);
}

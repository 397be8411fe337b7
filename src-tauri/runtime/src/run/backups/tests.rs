//! When a backup is due, by the clock alone; and what resets learn of it, with real files.

use domain::{Usd, memory::DayFigures};
use store::{Durability, Opened, Store};

use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn day(text: &str) -> TradingDay {
    TradingDay(text.parse().unwrap())
}

/// The end of the trading day.
fn reset_time() -> Instant {
    at("2026-03-02T23:00:00Z")
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// An open home with its writing thread.
struct Stage {
    home: tempfile::TempDir,
    disk: Disk,
    backups: Backups,
    /// What resets were told afterwards.
    named: Vec<Record>,
}

impl Stage {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let Opened { mut store, .. } = Store::open(home.path(), at("2026-03-02T14:30:00Z")).unwrap();
        store.commit(&[reset_of("7", None, "2026-03-02", reset_time())], Durability::Flush).unwrap();
        let (disk, _) = Disk::start(store).unwrap();
        let backups = Backups::of(home.path(), None);
        Self { home, disk, backups, named: Vec::new() }
    }

    async fn take(&mut self, now: Instant) -> Result<BackupFile, String> {
        self.backups.begin(now, BackupPlan::default(), &mut self.disk);
        self.finish().await
    }

    async fn finish(&mut self) -> Result<BackupFile, String> {
        let made = self.backups.made().await;
        self.named = self.backups.ended(&made);
        made
    }

    /// Ends the day of an account; which backup its record names.
    fn reset(&mut self, account: &str, now: Instant, plan: BackupPlan) -> Option<String> {
        let mut records = vec![reset_of(account, Some("2026-03-02"), "2026-03-03", now)];
        self.backups.precede(&mut records, plan, &mut self.disk);
        let named = reset(&mut records[0]).and_then(|it| it.backup_file.clone());
        self.disk.write_lazily(records);
        named
    }

    fn is_due(&self, now: Instant) -> bool {
        self.backups.is_due(now, Some(reset_time()), BackupPlan::default())
    }

    /// The trading day that is open in a backup.
    fn open_day(&self, file: &BackupFile) -> TradingDay {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(&file.path, copy.path().join("state.db")).unwrap();
        let Opened { store, .. } = Store::open(copy.path(), reset_time()).unwrap();
        let recall = store.memory(reset_time(), &domain::DailyReset::default()).unwrap();
        recall.memory.accounts.into_values().find_map(|it| it.day).unwrap().day
    }

    fn kept(&self) -> Vec<String> {
        backup::list(self.home.path()).unwrap().iter().filter_map(name).collect()
    }
}

fn reset_of(account: &str, closed: Option<&str>, label: &str, now: Instant) -> Record {
    let figures = |label: &str| DayFigures {
        day: day(label),
        realized: Usd::from_cents(-500),
        fees: Usd::ZERO,
        trades: 1,
        wins: 0,
        losses: 1,
        estimated: false,
    };
    Record::Reset(Box::new(ResetRecord {
        account: account.into(),
        closed: closed.map(figures),
        day: day(label),
        scheduled: reset_time(),
        executed_at: now,
        backup_file: None,
    }))
}

fn named(account: &str, file: &str) -> Record {
    Record::BackedUp { account: account.into(), day: day("2026-03-03"), file: file.to_string() }
}

#[tokio::test]
async fn a_backup_is_due_five_minutes_before_the_day_ends_and_once() {
    let mut stage = Stage::new();
    stage.take(reset_time() - minutes(60)).await.unwrap();
    assert!(!stage.is_due(reset_time() - minutes(5) - TimeDelta::milliseconds(1)));
    assert!(stage.is_due(reset_time() - minutes(5)));
    stage.backups.begin(reset_time() - minutes(5), BackupPlan::default(), &mut stage.disk);
    assert!(!stage.is_due(reset_time() - minutes(5)), "one is being made");
    stage.finish().await.unwrap();
    assert!(!stage.is_due(reset_time() - minutes(4)));
    assert_eq!(stage.kept(), ["state-20260302T225500Z.db", "state-20260302T220000Z.db"]);
}

#[tokio::test]
async fn a_backup_is_due_when_the_newest_one_is_too_old() {
    let mut stage = Stage::new();
    let taken = reset_time() - minutes(23 * 60);
    assert!(stage.is_due(taken), "there is none");
    stage.take(taken).await.unwrap();
    let due = |hours: i64, every: i64| {
        let plan = BackupPlan { every: TimeDelta::hours(every), ..BackupPlan::default() };
        stage.backups.is_due(taken + TimeDelta::hours(hours), None, plan)
    };
    assert_eq!([due(23, 24), due(24, 24), due(5, 6), due(6, 6)], [false, true, false, true]);
    let again = Backups::of(stage.home.path(), None);
    let plan = BackupPlan::default();
    let is_due = |hours| again.is_due(taken + TimeDelta::hours(hours), None, plan);
    assert_eq!([is_due(23), is_due(24)], [false, true], "after a start");
}

/// A home that was made a moment ago holds nothing that could be lost.
#[test]
fn a_new_home_is_backed_up_after_the_first_interval() {
    let home = tempfile::tempdir().unwrap();
    let begun = at("2026-03-02T14:30:00Z");
    let new = Backups::of(home.path(), Some(begun));
    let is_due = |hours| new.is_due(begun + TimeDelta::hours(hours), None, BackupPlan::default());
    assert_eq!([is_due(0), is_due(23), is_due(24)], [false, false, true]);
}

#[tokio::test]
async fn a_backup_with_a_time_that_has_not_come_yet_puts_off_none() {
    let mut stage = Stage::new();
    stage.take(reset_time() + TimeDelta::days(300)).await.unwrap();
    assert!(stage.is_due(reset_time() - minutes(600)));
    assert!(stage.is_due(reset_time() - minutes(5)));
}

#[tokio::test]
async fn resets_of_several_accounts_name_the_one_backup_before_them() {
    let mut stage = Stage::new();
    stage.take(reset_time() - minutes(5)).await.unwrap();
    let plan = BackupPlan::default();
    let name = Some("state-20260302T225500Z.db".to_string());
    assert_eq!(stage.reset("7", reset_time(), plan), name);
    assert_eq!(stage.reset("8", reset_time() + minutes(5), plan), name);
    assert!(!stage.backups.is_making());
    assert_eq!(stage.reset("9", reset_time() + minutes(6), plan), None, "it is too old for that");
}

/// The computer slept: the reset waits for no copy, and the copy is of the moment before it.
#[tokio::test]
async fn a_reset_without_a_backup_begins_one_of_the_day_that_ends() {
    let mut stage = Stage::new();
    let plan = BackupPlan::default();
    assert_eq!(stage.reset("7", reset_time(), plan), None);
    assert_eq!(stage.reset("8", reset_time(), plan), None);
    let made = stage.finish().await.unwrap();
    let file = "state-20260302T230000Z.db";
    assert_eq!(stage.named, [named("7", file), named("8", file)]);
    assert_eq!(stage.open_day(&made), day("2026-03-02"), "still open in the backup");
    assert_eq!(stage.reset("9", reset_time() + minutes(1), plan).as_deref(), Some(file));
    assert_eq!(stage.kept(), [file]);
}

#[tokio::test]
async fn a_reset_during_a_backup_learns_its_name_afterwards() {
    let mut stage = Stage::new();
    let plan = BackupPlan::default();
    stage.backups.begin(reset_time() - minutes(5), plan, &mut stage.disk);
    assert_eq!(stage.reset("7", reset_time(), plan), None);
    let made = stage.finish().await.unwrap();
    assert_eq!(stage.named, [named("7", "state-20260302T225500Z.db")]);
    assert_eq!(stage.open_day(&made), day("2026-03-02"));
}

#[tokio::test]
async fn a_backup_that_takes_too_long_is_not_the_one_of_a_reset() {
    let mut stage = Stage::new();
    stage.backups.begin(reset_time() - minutes(11), BackupPlan::default(), &mut stage.disk);
    assert_eq!(stage.reset("7", reset_time(), BackupPlan::default()), None);
    stage.finish().await.unwrap();
    assert_eq!(stage.named, []);
}

/// Another one is tried as the first step of the reset, then hourly.
#[tokio::test]
async fn a_backup_that_fails_is_tried_again_at_the_reset() {
    let mut stage = Stage::new();
    std::fs::write(stage.home.path().join(backup::DIRECTORY), "in the way").unwrap();
    let begun = reset_time() - minutes(5);
    let why = stage.take(begun).await.unwrap_err();
    assert!(why.contains("backups"), "{why}");
    assert!(!stage.is_due(begun + minutes(1)));
    let later = |after| stage.backups.is_due(begun + after, None, BackupPlan::default());
    assert_eq!([later(minutes(60)), later(minutes(61))], [false, true]);
    assert_eq!(stage.reset("7", reset_time(), BackupPlan::default()), None);
    stage.finish().await.unwrap_err();
    assert_eq!(stage.named, []);
}

#[tokio::test]
async fn no_backup_is_taken_where_none_is_wanted() {
    let mut stage = Stage::new();
    let none = BackupPlan { enabled: false, ..BackupPlan::default() };
    assert!(!stage.backups.is_due(reset_time() - minutes(5), Some(reset_time()), none));
    assert_eq!(stage.reset("7", reset_time(), none), None);
    assert!(!stage.backups.is_making());
    assert_eq!(stage.kept(), [""; 0]);
}

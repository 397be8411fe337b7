//! Backups: taken by themselves before the day ends, told when they fail, and in the trader's own hand.

use std::fs;

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::stage::{Home, Rules, Stage, wait_until};

fn rules_with_backups(values: &str) -> String {
    format!("{}general: {{database: {values}}}\n", Rules::open())
}

fn kept(home: &Home) -> Vec<String> {
    let listed = home.json(&["backup", "list", "--json"]);
    listed.as_array().unwrap().iter().map(|it| it["file"].as_str().unwrap().to_string()).collect()
}

/// The day ends within five minutes, and nothing else makes a backup of a new home due.
#[test]
fn a_backup_is_taken_before_the_day_ends_as_soon_as_the_settings_want_one() {
    let mut stage = Stage::with(&Rules::open());
    stage.home.write_reset(Utc::now() + TimeDelta::minutes(4));
    stage.home.write("risk.yaml", &rules_with_backups("{backup_enabled: false}"));
    stage.run();
    // What was read shows that the clock has been looked at since the start.
    wait_until("a figure", || stage.figure(0, "realized_today").is_some());
    assert_eq!(kept(&stage.home), [""; 0]);
    stage.home.replace("risk.yaml", &rules_with_backups("{backup_enabled: true}"));
    wait_until("a backup", || !kept(&stage.home).is_empty());
    let verified = stage.home.json(&["backup", "verify", "--json"]);
    assert_eq!(verified[0]["sound"], true, "{verified}");
}

/// The program did not run when the last one was due.
#[test]
fn a_start_makes_up_for_a_backup_that_is_too_old_and_keeps_as_many_as_is_wanted() {
    let mut stage = Stage::running(&Rules::open());
    assert_eq!(kept(&stage.home), [""; 0], "a new home holds nothing that could be lost");
    let taken = stage.home.ask(&["backup", "now"]);
    assert_eq!(taken.code, Some(0), "{}", taken.errors);
    stage.stop();
    let backups = stage.home.file("backups");
    let old = ["state-20200301T143000Z.db", "state-20200302T143000Z.db"];
    fs::rename(backups.join(&kept(&stage.home)[0]), backups.join(old[0])).unwrap();
    fs::copy(backups.join(old[0]), backups.join(old[1])).unwrap();
    stage.home.write("risk.yaml", &rules_with_backups("{max_backups: 2}"));
    stage.run();
    wait_until("a backup", || kept(&stage.home).first().is_some_and(|newest| newest != old[1]));
    wait_until("the oldest is gone", || kept(&stage.home).len() == 2);
    assert_eq!(kept(&stage.home)[1], old[1]);
}

#[test]
fn a_backup_that_fails_is_told_and_holds_up_nothing() {
    let mut stage = Stage::running(&Rules::two_mnq());
    stage.stop();
    fs::write(stage.home.file("backups"), "in the way").unwrap();
    stage.run();
    let told = || -> Vec<String> {
        let database = stage.home.database();
        let mut alerts = database.prepare("SELECT text FROM alerts WHERE type = 'backup_failed'").unwrap();
        alerts.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    wait_until("told", || !told().is_empty());
    assert_eq!(told().len(), 1);
    assert!(
        told()[0].contains("Backup failed: ") && told()[0].contains("riskctl backup now"),
        "{:?}",
        told()
    );
    assert_eq!(stage.protection(), "armed");
    stage.desk().buy("MNQ", 3);
    wait_until("two MNQ", || stage.desk().held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn a_backup_is_put_back_while_no_engine_runs_and_frees_nobody() {
    let mut stage = Stage::with(&Rules::day_ends_at("-100"));
    stage.run();
    let taken = stage.home.json(&["backup", "now", "--json"]);
    let file = taken["file"].as_str().unwrap();
    stage.simulator.price("MNQ", 21_000.0);
    stage.desk().buy("MNQ", 1);
    stage.simulator.price("MNQ", 20_940.0);
    wait_until("locked", || stage.is_locked_by(0, "daily_realized_loss", "HARD") && stage.desk().is_flat());
    stage.confirmed("daily_realized_loss", "flatten_account");
    let refused = stage.home.ask(&["backup", "restore", file, "--yes"]);
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert!(refused.errors.contains("Quit it first"), "{}", refused.errors);
    stage.stop();
    assert_eq!(stage.home.ask_typing(&["backup", "restore", file], "no\n").code, Some(1));
    assert!(!stage.home.file("quarantine").exists());

    let restored = stage.home.ask_typing(&["backup", "restore", file], "yes\n");
    assert_eq!(restored.code, Some(0), "{}", restored.errors);
    assert!(restored.output.contains("1 lockout"), "{}", restored.output);
    assert!(stage.home.file("quarantine").exists());
    stage.audit_was_lost();
    assert_eq!(stage.run()["protection"], "locked");
    assert!(stage.is_locked_by(0, "daily_realized_loss", "HARD"));
}

#[test]
fn backups_that_cannot_be_used_are_told_and_not_put_back() {
    let mut stage = Stage::running(&Rules::open());
    stage.stop();
    let none = stage.home.ask(&["backup", "list"]);
    assert!(none.output.contains("riskctl backup now"), "{}", none.output);
    let file = stage.home.json(&["backup", "now", "--json"])["file"].as_str().unwrap().to_string();
    let listed = stage.home.ask(&["backup", "list"]);
    assert!(listed.output.contains(&file) && listed.output.contains(" KB"), "{}", listed.output);
    assert_eq!(stage.home.ask(&["backup", "verify", &file]).code, Some(0));
    fs::write(stage.home.file("backups").join(&file), "no database").unwrap();
    let verified = stage.home.ask(&["backup", "verify", "--json"]);
    let said: Value = serde_json::from_str(&verified.output).unwrap();
    assert_eq!((verified.code, &said[0]["sound"]), (Some(1), &Value::Bool(false)), "{said}");
    let before = fs::read(stage.home.file("state.db")).unwrap();
    let refused = stage.home.ask(&["backup", "restore", &file, "--yes"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.errors.contains("no usable backup"), "{}", refused.errors);
    assert_eq!(fs::read(stage.home.file("state.db")).unwrap(), before);
}

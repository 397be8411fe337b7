//! The guard password: a lockout ends before its time with it and without it never; who does not know it waits;
//! nobody finds it anywhere.

use std::fs;

use serde_json::Value;

use crate::stage::{Finished, Rules, Stage, wait_until};

const PASSWORD: &str = "correct horse";
const OPEN: f64 = 21_000.0;
const COOLDOWN: [&str; 4] = ["lockouts", "override", "cooldown_after_loss", "--reason"];

/// A loss of 100 dollars is followed by a cooldown.
fn rules() -> Rules {
    Rules::open().with("cooldown_after_loss", "{enabled: true}").with("max_contracts", "{limit: 50}")
}

/// An engine whose guard password was set some days ago.
fn guarded() -> Stage {
    let mut stage = Stage::running(&rules());
    let set = typing(&stage, &["guard", "set"], &[PASSWORD]);
    assert_eq!(set.code, Some(0), "{}", set.errors);
    stage.stop();
    days_pass(&stage);
    stage.run();
    stage
}

/// Nobody waits for days here: the password counts from an earlier day on.
fn days_pass(stage: &Stage) {
    let changed = stage.home.database().execute(
        "UPDATE config_snapshots SET content = json_set(content, '$.guard.overrides_from', '2025-01-02T22:00:00Z')
            WHERE json_extract(content, '$.guard') IS NOT NULL",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
}

/// A command that is given these passwords.
fn typing(stage: &Stage, arguments: &[&str], passwords: &[&str]) -> Finished {
    let arguments = [arguments, &["--password-from-stdin"]].concat();
    stage.home.ask_typing(&arguments, &(passwords.join("\n") + "\n"))
}

fn lose(stage: &Stage) {
    stage.simulator.price("MNQ", OPEN);
    stage.desk().buy("MNQ", 1);
    stage.simulator.price("MNQ", OPEN - 60.0);
    stage.desk().sell("MNQ", 1);
    wait_until("cooling down", || stage.is_locked_by(0, "cooldown_after_loss", "TIMER"));
}

/// The guard password in the audit.
fn told(stage: &Stage, begins: &str) -> bool {
    let lines = stage.receipts("trader", "settings");
    lines.iter().any(|line| line["reason"].as_str().unwrap().starts_with(begins))
}

fn guard(stage: &Stage) -> Value {
    stage.home.json(&["guard", "status", "--json"])
}

#[test]
fn with_the_password_a_lock_ends_and_trades_are_allowed_again_and_without_it_it_stays() {
    let stage = guarded();
    lose(&stage);

    let arguments = [&COOLDOWN[..], &["the fill was a platform error"]].concat();
    let wrong = typing(&stage, &arguments, &["incorrect horse"]);
    assert_eq!(wrong.code, Some(1));
    assert_eq!(wrong.errors, "riskctl: That is not the guard password.\n");
    assert!(stage.is_locked_by(0, "cooldown_after_loss", "TIMER"));
    assert!(told(&stage, "wrong guard password to override cooldown_after_loss of "));
    let desk = stage.desk();
    let fills = desk.fills().len();
    desk.buy("MNQ", 1);
    wait_until("undone", || desk.fills().len() == fills + 2 && desk.is_flat());
    wait_until("cooling down", || stage.is_locked_by(0, "cooldown_after_loss", "TIMER"));

    let silent = typing(&stage, &[&COOLDOWN[..], &[" "]].concat(), &[PASSWORD]);
    assert_eq!(silent.code, Some(1), "a reason is needed");
    let right = typing(&stage, &arguments, &[PASSWORD]);
    assert_eq!(right.code, Some(0), "{}", right.errors);
    assert_eq!(stage.locks(0), []);
    assert_eq!(stage.protection(), "armed");
    desk.buy("MNQ", 1);
    wait_until("the position is seen and left alone", || {
        stage.account(0)["positions"][0]["size"] == 1 && desk.held("MNQ") == 1
    });
    let overridden = stage.receipts("cooldown_after_loss", "override");
    assert_eq!(overridden.len(), 1);
    let reason = overridden[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the fill was a platform error (with the guard password)"), "{reason}");
    assert_eq!(overridden[0]["outcome"], "recorded");
}

#[test]
fn the_traders_own_lock_stays_whoever_knows_the_password() {
    let stage = guarded();
    assert_eq!(stage.home.ask(&["lock-out", "--yes"]).code, Some(0));
    wait_until("locked", || stage.is_locked_by(0, "trader", "HARD"));
    let refused =
        typing(&stage, &["lockouts", "override", "trader", "--reason", "I changed my mind"], &[PASSWORD]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.errors.contains("Your own lock cannot be overridden"), "{}", refused.errors);
    assert!(stage.is_locked_by(0, "trader", "HARD"));
    assert_eq!(stage.receipts("trader", "override"), Vec::<Value>::new());
}

#[test]
fn a_password_that_was_set_today_overrides_nothing_today() {
    let stage = Stage::running(&rules());
    lose(&stage);
    let none = typing(&stage, &[&COOLDOWN[..], &["please"]].concat(), &[PASSWORD]);
    assert!(none.errors.contains("No guard password is set"), "{}", none.errors);
    assert_eq!(typing(&stage, &["guard", "set"], &["short"]).code, Some(1));
    assert_eq!(guard(&stage)["set"], false);
    assert_eq!(typing(&stage, &["guard", "set"], &[PASSWORD]).code, Some(0));
    let refused = typing(&stage, &[&COOLDOWN[..], &["please"]].concat(), &[PASSWORD]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.errors.contains("The guard password is too new"), "{}", refused.errors);
    assert!(stage.is_locked_by(0, "cooldown_after_loss", "TIMER"));
}

#[test]
fn the_password_outlives_a_kill_and_a_lost_database_and_stands_nowhere() {
    let mut stage = guarded();
    let guesses = || {
        let tried = typing(&stage, &["guard", "remove"], &["incorrect horse"]);
        tried.errors.contains("Try again after")
    };
    assert!(!guesses() && !guesses() && guesses(), "the third one costs time");
    let counted = || fs::read_to_string(stage.home.file("accepted.json")).unwrap().contains(r#"wrong\":3"#);
    wait_until("the second place knows of it", counted);
    stage.kill();
    assert_eq!(guard(&stage)["set"], true, "told from the database");
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(stage.home.file(name));
    }
    stage.audit_was_lost();
    stage.run();
    assert_eq!(guard(&stage)["set"], true, "told from the second place");
    let too_early = typing(&stage, &["guard", "remove"], &[PASSWORD]);
    assert!(too_early.errors.contains("Too many wrong passwords"), "{}", too_early.errors);
    assert_eq!(stage.home.holds_text(PASSWORD), None);
    assert!(stage.home.holds_text("$argon2id$v=19$m=19456,t=2,p=1$").is_some(), "its hash is kept");
    let everywhere = |name: &str| stage.home.holds_text(name);
    assert_eq!(everywhere("incorrect horse"), None);
}

#[cfg(unix)]
#[test]
fn what_holds_the_hash_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let stage = guarded();
    for name in ["state.db", "state.db-wal", "accepted.json"] {
        let mode = fs::metadata(stage.home.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn it_is_changed_and_removed_by_whoever_knows_it_and_goes_after_a_week_for_whoever_does_not() {
    let stage = guarded();
    let new = "battery staple";
    assert_eq!(typing(&stage, &["guard", "change"], &["wrong horse", new]).code, Some(1));
    assert_eq!(typing(&stage, &["guard", "change"], &[PASSWORD, new]).code, Some(0));
    assert_eq!(typing(&stage, &["guard", "remove"], &[PASSWORD]).code, Some(1), "the old one");

    assert_eq!(stage.home.ask(&["guard", "remove", "--forgotten"]).code, Some(0));
    assert!(guard(&stage)["guard"]["removal_at"].is_string(), "{}", guard(&stage));
    assert_eq!(stage.home.ask(&["guard", "keep"]).code, Some(0));
    assert_eq!(guard(&stage)["guard"]["removal_at"], Value::Null);

    assert_eq!(typing(&stage, &["guard", "remove"], &[new]).code, Some(0));
    assert_eq!(guard(&stage)["set"], false);
    for line in [
        "guard password set",
        "guard password changed",
        "guard password is removed",
        "guard password stays",
        "guard password removed by whoever knew it",
    ] {
        assert!(told(&stage, line), "{line}");
    }
}

#[test]
fn looser_settings_wait_for_the_password_or_a_week() {
    let stage = guarded();
    let looser = rules().with("max_contracts", "{limit: 80}");
    stage.home.replace("risk.yaml", &looser.to_string());
    let applies = || {
        let pending = stage.home.json(&["pending", "--json"]);
        let at: Option<chrono::DateTime<chrono::Utc>> = pending[0]["applies_at"].as_str()?.parse().ok();
        at.map(|at| (at - chrono::Utc::now()).num_hours())
    };
    wait_until("it is pending", || applies().is_some());
    assert!((7 * 24..=8 * 24 + 1).contains(&applies().unwrap()), "{:?} h", applies());
    assert_eq!(typing(&stage, &["pending", "approve"], &["wrong horse"]).code, Some(1));
    assert_eq!(typing(&stage, &["pending", "approve"], &[PASSWORD]).code, Some(0));
    assert!(applies().unwrap() < 24, "the next trading day");
    let nothing = typing(&stage, &["pending", "approve"], &[PASSWORD]);
    assert!(nothing.errors.contains("Nothing waits for the guard password"), "{}", nothing.errors);
}

#[test]
fn risk_settings_are_locked_from_the_command_line_and_say_so() {
    let mut stage = Stage::running(&rules());
    let locked =
        |stage: &Stage| stage.home.json(&["settings", "status", "--json"])["locked_until"].is_string();
    assert!(!locked(&stage));
    assert_eq!(stage.home.ask(&["settings", "lock"]).code, Some(1), "nobody said yes");
    assert_eq!(stage.home.ask(&["settings", "lock", "--yes"]).code, Some(0));
    assert!(locked(&stage));
    let again = stage.home.ask(&["settings", "lock", "--yes"]);
    assert!(again.errors.contains("locked for as long already"), "{}", again.errors);
    stage.kill();
    assert!(locked(&stage), "told from the database");
}

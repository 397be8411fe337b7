//! Starting, and what keeps it from starting: home, login, agreements, a second engine.

use std::fs;

use serde_json::json;

use crate::stage::{Finished, Process, Rules, Stage, riskctl, wait_until};

/// Runs an engine to its end, with another key.
fn run_with_key(stage: &Stage, key: &str) -> Finished {
    let mut command = stage.home.command(&["run"]);
    command.env("PROJECT_X_USERNAME", &stage.simulator.user_name).env("PROJECT_X_API_KEY", key);
    Process::spawn(command, &stage.home.file("refused")).finished()
}

#[test]
fn a_wrong_key_ends_it_with_exit_code_4_and_a_sentence() {
    let stage = Stage::with(&Rules::open());
    let finished = run_with_key(&stage, "not-the-key-but-long-enough");
    assert_eq!(finished.code, Some(4), "{}", finished.errors);
    assert!(finished.output.is_empty());
    let last = finished.errors.lines().last().unwrap();
    assert!(last.contains("riskctl credentials set"), "{last}");
    assert!(!finished.errors.contains("not-the-key-but-long-enough"));
}

#[test]
fn unsigned_agreements_end_it_with_exit_code_4_and_a_sentence() {
    let stage = Stage::with(&Rules::open());
    stage.simulator.fault(&json!({"kind": "login_error", "code": 7}));
    let finished = stage.home.ask_with_login(&stage.simulator, &["run"]);
    assert_eq!(finished.code, Some(4), "{}", finished.errors);
    let last = finished.errors.lines().last().unwrap();
    assert!(last.contains("agreements") && last.contains("browser"), "{last}");
}

#[test]
fn no_login_at_all_ends_it_with_exit_code_4_and_a_sentence() {
    let stage = Stage::with(&Rules::open());
    let finished = stage.home.ask(&["run"]);
    assert_eq!(finished.code, Some(4), "{}", finished.errors);
    assert!(finished.errors.contains("PROJECT_X_USERNAME"), "{}", finished.errors);
    assert!(stage.simulator.journal().requests().is_empty());
}

#[test]
fn a_wrong_key_while_a_lock_exists_keeps_it_running() {
    let mut stage = Stage::with(&Rules::day_ends_at("-100"));
    stage.run();
    stage.simulator.price("MNQ", 21_000.0);
    stage.desk().buy("MNQ", 1);
    stage.simulator.price("MNQ", 20_940.0);
    wait_until("locked", || stage.is_locked_by(0, "daily_realized_loss", "HARD") && stage.desk().is_flat());
    stage.stop();
    stage.simulator.fault(&json!({"kind": "login_error", "code": 3}));
    stage.start();
    wait_until("the reason", || stage.doubts() == ["login"]);
    assert_eq!(stage.protection(), "not_protected");
    assert!(stage.engine().ending().is_none());
    assert_eq!(stage.account(0)["lockouts"][0]["kind"], "HARD");
}

#[test]
fn a_second_engine_on_the_same_home_is_refused_and_the_first_goes_on() {
    let stage = Stage::running(&Rules::two_mnq());
    let second = stage.home.ask_with_login(&stage.simulator, &["run"]);
    assert_ne!(second.code, Some(0));
    assert!(second.output.is_empty());
    assert!(second.errors.contains("running already"), "{}", second.errors);
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    assert_eq!(stage.protection(), "armed");
}

#[test]
fn a_home_that_cannot_be_written_is_refused_with_the_way_out() {
    let stage = Stage::with(&Rules::open());
    let file = stage.home.file("a-file");
    fs::write(&file, "").unwrap();
    let mut command = riskctl(&["run"]);
    command.arg("--home").arg(file.join("home"));
    stage.simulator.give_login(&mut command);
    let finished = Process::spawn(command, &stage.home.file("refused")).finished();
    assert!(matches!(finished.code, Some(1..)), "{:?}", finished.code);
    assert!(finished.output.is_empty());
    assert!(finished.errors.contains("--home"), "{}", finished.errors);
    assert!(stage.simulator.journal().requests().is_empty());
}

#[test]
fn a_database_that_cannot_be_written_protects_nobody() {
    let stage = Stage::with(&Rules::open());
    fs::create_dir(stage.home.file("state.db")).unwrap();
    let finished = stage.home.ask_with_login(&stage.simulator, &["run"]);
    assert_eq!(finished.code, Some(5), "{}", finished.errors);
    assert!(finished.output.is_empty());
    assert!(finished.errors.contains("state.db"), "{}", finished.errors);
    fs::remove_dir(stage.home.file("state.db")).unwrap();
}

#[test]
fn the_line_on_standard_output_is_the_only_one() {
    let mut stage = Stage::with(&Rules::two_mnq());
    let line = stage.run();
    assert_eq!(line["accounts"], json!([stage.simulator.accounts[0].to_string()]));
    assert_eq!(line["protection"], "armed");
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    stage.simulator.fault(&json!({"kind": "drop_hub", "hub": "both", "how": "reset"}));
    stage.wait_until_protection("armed");
    assert_eq!(stage.engine().output().lines().count(), 1);
    let errors = stage.engine().errors();
    assert!(!errors.contains('\u{1b}'), "colours in what is no terminal");
    for checkpoint in 1..=5 {
        let marked = errors.lines().filter(|line| line.contains(&format!("checkpoint={checkpoint}")));
        assert_eq!(marked.count(), 1, "checkpoint {checkpoint}: {errors}");
    }
    stage.stop();
}

/// All lines of a log of the home.
fn log_of(stage: &Stage, name: &str) -> String {
    let files = fs::read_dir(stage.home.file("logs")).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: &std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(name);
    files.filter(named).map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn each_request_and_each_call_of_a_hub_is_logged_without_its_secrets() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.run();
    stage.desk().buy("MNQ", 3);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    stage.stop();
    let api = log_of(&stage, "api");
    let has = |parts: &[&str]| api.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    for path in ["/api/Auth/loginKey", "/api/Position/searchOpen", "/api/Position/partialCloseContract"] {
        assert!(has(&[path, "\"status\":200", "\"code\":0", "\"ms\":"]), "{path}: {api}");
    }
    for call in ["SubscribeOrders(", "SubscribeContractQuotes("] {
        assert!(has(&[call, "invoked"]) && has(&[call, "answered"]), "{call}: {api}");
    }
    assert!(has(&["logged in"]), "{api}");
    assert!(!api.contains("eyJ"), "a token stands in the log");
    let enforcement = log_of(&stage, "enforcement");
    assert!(enforcement.contains("confirmed: ") && enforcement.contains("confirmed_ms"), "{enforcement}");
}

#[test]
fn the_login_comes_from_the_environment_and_can_be_tested() {
    let stage = Stage::with_accounts(2, &Rules::open());
    let tested = stage.home.ask_with_login(&stage.simulator, &["credentials", "test", "--json"]);
    assert_eq!(tested.code, Some(0), "{}", tested.errors);
    let said: serde_json::Value = serde_json::from_str(&tested.output).unwrap();
    assert_eq!((&said["ok"], &said["source"]), (&json!(true), &json!("environment")));
    assert_eq!(said["accounts"].as_array().map(Vec::len), Some(2));

    let mut wrong = stage.home.command(&["credentials", "test", "--json"]);
    wrong.env("PROJECT_X_USERNAME", "nobody").env("PROJECT_X_API_KEY", "nothing-that-is-long-enough");
    let finished = Process::spawn(wrong, &stage.home.file("refused")).finished();
    assert_eq!(finished.code, Some(4), "{}", finished.errors);
    assert!(!finished.errors.contains("nothing-that-is-long-enough"));
}

#[test]
fn without_an_engine_the_status_says_so() {
    let stage = Stage::with(&Rules::open());
    let status = stage.status();
    assert_eq!((&status["running"], &status["protection"]), (&json!(false), &json!("not_protected")));
    assert!(status["reason"].is_string());
    assert_eq!(stage.home.lockouts(), Vec::<serde_json::Value>::new());
    let refused = stage.home.ask(&["flatten", "--yes"]);
    assert_eq!(refused.code, Some(1));
    assert!(!refused.errors.is_empty());
}

#[test]
fn it_stops_well_when_asked_to_and_goes_on_where_it_stopped() {
    let mut stage = Stage::with(&Rules::two_mnq());
    for round in 1..=3 {
        stage.run();
        let desk = stage.desk();
        desk.buy("MNQ", 3);
        wait_until("two MNQ", || desk.held("MNQ") == 2);
        wait_until("its receipt", || {
            let receipts = stage.receipts("max_contracts_per_instrument", "reduce_position");
            receipts.iter().filter(|it| it["outcome"] == "confirmed").count() == round
        });
        stage.stop();
    }
    assert_eq!(stage.receipts("trader", "settings").len(), 1, "nothing changed in the settings");
}

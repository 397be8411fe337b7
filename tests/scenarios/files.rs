//! Settings files: broken, contradictory, replaced, repaired.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::stage::{Rules, Stage, patiently, wait_until};

/// A file, its text, and what must be said about it: line, key, way out.
struct Broken {
    file: &'static str,
    text: &'static str,
    line: u64,
    key: &'static str,
}

const BROKEN: [Broken; 5] = [
    Broken { file: "risk.yaml", text: "rules:\n  max_contracts: {limit: [}\n", line: 2, key: "" },
    Broken {
        file: "risk.yaml",
        text: "rules:\n  max_contracts:\n    limit: 0\n",
        line: 3,
        key: "rules.max_contracts.limit",
    },
    Broken {
        file: "risk.yaml",
        text: "rules:\n  daily_realized_loss:\n    enabled: true\n    limit: 500\n",
        line: 4,
        key: "rules.daily_realized_loss.limit",
    },
    Broken {
        file: "risk.yaml",
        text: "rules:\n  max_contracts:\n    limits: 4\n",
        line: 3,
        key: "rules.max_contracts.limits",
    },
    Broken {
        file: "timers.yaml",
        text: "daily_reset: {time: \"25:00\"}\n",
        line: 1,
        key: "daily_reset.time",
    },
];

fn checked(stage: &Stage) -> (Option<i32>, Value) {
    let finished = stage.home.ask(&["config", "check", "--json"]);
    (finished.code, serde_json::from_str(&finished.output).unwrap())
}

#[test]
fn every_mistake_is_told_with_file_line_key_and_the_way_out() {
    for Broken { file, text, line, key } in BROKEN {
        let stage = Stage::with(&Rules::open());
        stage.home.write(file, text);
        let (code, said) = checked(&stage);
        assert_eq!((code, &said["ok"]), (Some(3), &json!(false)), "{text}");
        let faults = said["faults"].as_array().unwrap();
        let fault = faults.iter().find(|it| it["severity"] == "error").unwrap();
        assert_eq!(fault["file"], file, "{fault}");
        assert_eq!(fault["line"], line, "{fault}");
        assert_eq!(fault["key"], key, "{fault}");
        assert!(!fault["problem"].as_str().unwrap().is_empty(), "{fault}");
        assert!(!fault["fix"].as_str().unwrap_or_default().is_empty(), "no way out: {fault}");
        let for_people = stage.home.ask(&["config", "check"]).output;
        assert!(for_people.contains(file) && for_people.contains(key), "{for_people}");
    }
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let stage = Stage::with(&Rules::open());
    stage.home.write(
        "risk.yaml",
        "rules:\n  max_contracts: {limit: 0}\n  symbol_blocks: {enabled: true, mode: sideways}\n",
    );
    stage.home.write("timers.yaml", "daily_reset: {timezone: Mars/Olympus}\n");
    let (code, said) = checked(&stage);
    assert_eq!(code, Some(3));
    let errors = said["faults"].as_array().unwrap().iter().filter(|it| it["severity"] == "error").count();
    assert!(errors >= 3, "{said}");
}

#[test]
fn a_first_start_with_broken_or_contradictory_files_protects_nobody_and_says_why() {
    let contradictory = "rules:\n  session_block_outside:\n    holidays: {dates: [\"2026-01-01\"]}\n";
    let texts = BROKEN.iter().map(|broken| (broken.file, broken.text)).chain([
        ("risk.yaml", "rules:\n  max_contracts: {reduce_to_limit: true, close_all: true}\n"),
        ("risk.yaml", "rules:\n  daily_realized_loss: {reset_time: \"12:34\"}\n"),
        ("risk.yaml", contradictory),
        ("accounts.yaml", "accounts: [{id: 1}, {id: 1}]\n"),
        ("api.yaml", "base_url: http://broker.example\n"),
    ]);
    for (file, text) in texts {
        let stage = Stage::with(&Rules::open());
        stage.home.write(file, text);
        if file == "risk.yaml" && text == contradictory {
            stage.home.write("timers.yaml", "holidays: {dates: [\"2026-12-25\"]}\n");
        }
        let finished = stage.home.ask_with_login(&stage.simulator, &["run"]);
        assert_eq!(finished.code, Some(3), "{file} {text}: {}", finished.errors);
        assert!(finished.output.is_empty(), "{}", finished.output);
        assert!(finished.errors.contains(file), "{}", finished.errors);
        assert!(stage.simulator.journal().requests().is_empty(), "nobody was logged in");
    }
}

#[test]
fn breaking_a_file_while_the_engine_is_off_frees_nobody() {
    for Broken { file, text, .. } in BROKEN {
        let mut stage = Stage::with(&Rules::two_mnq());
        stage.run();
        stage.stop();
        stage.home.write(file, text);
        stage.start();
        // The last good settings act, on the gateway they named.
        stage.desk().buy("MNQ", 5);
        wait_until("two MNQ", || stage.desk().held("MNQ") == 2);
        stage.confirmed("max_contracts_per_instrument", "reduce_position");
        assert_eq!(stage.protection(), "not_protected");
        let status = stage.status();
        assert_eq!(status["doubts"][0]["kind"], "config", "{status}");
        assert!(status["reason"].as_str().unwrap().contains(file), "{status}");
        assert!(stage.engine().output().is_empty());

        // Repaired: everything counts again, without a restart.
        stage.home.write_calm_reset();
        stage.home.replace("risk.yaml", &Rules::two_mnq().to_string());
        stage.wait_until_protection("armed");
    }
}

#[test]
fn a_broken_address_file_keeps_the_last_good_addresses() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.run();
    stage.stop();
    stage.home.write("api.yaml", "base_url: [\n");
    stage.start();
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    assert_eq!(stage.protection(), "not_protected");
    let errors = stage.engine().errors();
    let told: Vec<&str> = errors.lines().filter(|line| line.contains("checkpoint=2")).collect();
    assert!(told.len() == 1 && told[0].contains("accepted last"), "{errors}");
}

#[test]
fn a_lock_outlives_broken_files() {
    let mut stage = Stage::with(&Rules::day_ends_at("-100"));
    stage.run();
    stage.simulator.price("MNQ", 21_000.0);
    stage.desk().buy("MNQ", 1);
    stage.simulator.price("MNQ", 20_940.0);
    wait_until("locked", || stage.is_locked_by(0, "daily_realized_loss", "HARD") && stage.desk().is_flat());
    stage.stop();
    stage.home.write("risk.yaml", "rules: [\n");
    stage.start();
    let desk = stage.desk();
    wait_until("it is known", || stage.account(0)["lockouts"][0]["kind"] == "HARD");
    let fills = desk.fills().len();
    desk.buy("MNQ", 1);
    wait_until("undone", || desk.fills().len() == fills + 2 && desk.is_flat());
    assert_eq!(stage.protection(), "not_protected", "locked, but with broken settings");
}

#[test]
fn a_file_that_breaks_while_the_engine_runs_changes_nothing() {
    let stage = Stage::running(&Rules::two_mnq());
    stage.home.replace("risk.yaml", "rules: {max_contracts: {limit: -4}}\n");
    // Seen: it is told where errors are.
    wait_until("it is told", || stage.home.holds_text("rules.max_contracts.limit").is_some());
    assert_eq!(stage.protection(), "armed");
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn a_replaced_file_takes_effect_within_two_seconds() {
    let stage = Stage::running(&Rules::open());
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 5);
    let replaced = Instant::now();
    stage.home.replace("risk.yaml", &Rules::two_mnq().to_string());
    patiently(Duration::from_secs(10), "two MNQ", || (desk.held("MNQ") == 2).then_some(()));
    assert!(replaced.elapsed() < Duration::from_millis(2_500), "{:?}", replaced.elapsed());
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    let settings = stage.receipts("trader", "settings");
    assert_eq!(settings.len(), 2);
    assert!(settings[1]["reason"].as_str().unwrap().contains("MNQ"), "{}", settings[1]);

    // The same length and the same second: only the content differs.
    stage.home.replace("risk.yaml", &Rules::two_mnq().to_string().replace("MNQ: 2", "MNQ: 1"));
    patiently(Duration::from_secs(10), "one MNQ", || (desk.held("MNQ") == 1).then_some(()));
}

#[test]
fn an_account_that_the_login_does_not_have_is_no_protection() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.home.write("accounts.yaml", "accounts: [{id: 4711}]\n");
    stage.start();
    wait_until("the reason", || {
        let status = stage.home.ask(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.output).unwrap_or_default();
        status["reason"].as_str().is_some_and(|reason| reason.contains("4711"))
    });
    assert_eq!(stage.protection(), "not_protected");
    assert!(stage.engine().output().is_empty());
}

#[test]
fn a_missing_folder_means_the_defaults() {
    let stage = Stage::with(&Rules::open());
    fs::remove_dir_all(stage.home.file("config")).unwrap();
    let (code, said) = checked(&stage);
    assert_eq!((code, &said["ok"]), (Some(0), &json!(true)), "{said}");
}

#[test]
fn the_shipped_files_are_good() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/defaults");
    let stage = Stage::with(&Rules::open());
    for file in ["accounts.yaml", "api.yaml", "timers.yaml", "risk.yaml"] {
        stage.home.write(file, &fs::read_to_string(root.join(file)).unwrap());
    }
    let (code, said) = checked(&stage);
    assert_eq!(code, Some(0), "{said}");
}

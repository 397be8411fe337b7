//! Tighten now, loosen later: changed files while an engine runs, while none runs, and during a lock.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::stage::{Rules, Stage, wait_until};

fn calm() -> Rules {
    Rules::open()
        .with("max_contracts", "{limit: 50}")
        .with("daily_realized_loss", "{limit: -1000}")
        .with("max_contracts_per_instrument", "{instrument_limits: {MNQ: 2}}")
}

/// Two limits are looser, one is stricter.
fn greedy() -> Rules {
    calm()
        .with("max_contracts", "{limit: 80}")
        .with("daily_realized_loss", "{limit: -5000}")
        .with("max_contracts_per_instrument", "{instrument_limits: {MNQ: 1}}")
}

const CONTRACTS: &str = "rules.max_contracts.limit";
const LOSS: &str = "rules.daily_realized_loss.limit";

/// Pending keys with their states, as the status tells them.
fn pending(stage: &Stage) -> Vec<(String, String)> {
    let status = stage.status();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let list = status["pending"].as_array().unwrap();
    list.iter().map(|it| (text(&it["key"]), text(&it["state"]))).collect()
}

fn states(keys: [&str; 2], state: &str) -> Vec<(String, String)> {
    keys.map(|key| (key.to_string(), state.to_string())).into()
}

fn settings_told(stage: &Stage, begins: &str) -> bool {
    let lines = stage.receipts("trader", "settings");
    lines.iter().any(|line| line["reason"].as_str().unwrap().starts_with(begins))
}

#[test]
fn two_looser_limits_wait_for_the_reset_and_the_stricter_one_acts_at_once_also_after_a_restart() {
    let mut stage = Stage::running(&calm());
    stage.simulator.price("MNQ", 21_000.0);
    stage.desk().buy("MNQ", 2);
    wait_until("two MNQ", || stage.desk().held("MNQ") == 2);
    stage.home.replace("risk.yaml", &greedy().to_string());
    wait_until("one MNQ", || stage.desk().held("MNQ") == 1);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");

    let waits = states([LOSS, CONTRACTS], "waits");
    wait_until("two are pending", || {
        let mut found = pending(&stage);
        found.sort();
        found == waits
    });
    let applies = |stage: &Stage| -> Vec<DateTime<Utc>> {
        let list = stage.home.json(&["pending", "--json"]);
        list.as_array()
            .unwrap()
            .iter()
            .map(|it| it["applies_at"].as_str().unwrap().parse().unwrap())
            .collect()
    };
    let at = applies(&stage);
    let ahead = at[0] - Utc::now();
    assert!(ahead > TimeDelta::hours(11) && ahead <= TimeDelta::hours(12), "{at:?}");
    assert_eq!(at[0].timestamp() % 60, 0, "{at:?}");
    assert!(settings_told(&stage, "settings changed: max_contracts_per_instrument"));
    assert!(settings_told(&stage, "waits for the next trading day: "));
    assert!(stage.home.ask(&["status"]).output.contains("Pending: max_contracts.limit: 50 -> 80"));

    stage.kill();
    assert_eq!(pending(&stage).len(), 2, "told from the database");
    stage.run();
    assert_eq!(applies(&stage), at);
    let fills = stage.desk().fills().len();
    stage.desk().buy("MNQ", 2);
    wait_until("one MNQ again", || stage.desk().held("MNQ") == 1 && stage.desk().fills().len() == fills + 2);
}

#[test]
fn a_pending_change_can_be_taken_back_and_the_file_says_the_old_value_again() {
    let stage = Stage::running(&calm());
    stage.home.replace("risk.yaml", &greedy().to_string());
    wait_until("two are pending", || pending(&stage).len() == 2);
    let unknown = stage.home.ask(&["pending", "cancel", "rules.symbol_blocks.enabled"]);
    assert_ne!(unknown.code, Some(0));
    let cancelled = stage.home.ask(&["pending", "cancel", LOSS]);
    assert_eq!(cancelled.code, Some(0), "{}", cancelled.errors);
    wait_until("one is pending", || pending(&stage) == [(CONTRACTS.to_string(), "waits".to_string())]);
    let file = fs::read_to_string(stage.home.file("config/risk.yaml")).unwrap();
    assert!(file.contains("daily_realized_loss: {limit: -1000}"), "{file}");
    assert!(settings_told(&stage, "withdrawn before it applied: daily_realized_loss.limit"));
}

#[test]
fn while_locked_nothing_looser_is_queued_and_no_restart_queues_it() {
    let mut stage = Stage::running(&calm());
    assert_eq!(stage.home.ask(&["lock-out", "--yes"]).code, Some(0));
    wait_until("locked", || stage.is_locked_by(0, "trader", "HARD"));
    stage.home.replace("risk.yaml", &greedy().to_string());
    let refused = states([LOSS, CONTRACTS], "refused");
    let refuses = |stage: &Stage| {
        let mut found = pending(stage);
        found.sort();
        found == refused
    };
    wait_until("two are refused", || refuses(&stage));
    assert!(settings_told(&stage, "refused while locked: "));
    assert!(
        settings_told(&stage, "settings changed: max_contracts_per_instrument"),
        "the stricter one counts"
    );
    stage.kill();
    stage.run();
    wait_until("still refused", || refuses(&stage));
    assert!(!settings_told(&stage, "waits for the next trading day"));
}

#[test]
fn files_that_were_loosened_while_no_engine_ran_wait_as_well() {
    let mut stage = Stage::running(&calm());
    stage.stop();
    stage.home.write("risk.yaml", &greedy().to_string());
    stage.run();
    let waits = states([LOSS, CONTRACTS], "waits");
    wait_until("two are pending", || {
        let mut found = pending(&stage);
        found.sort();
        found == waits
    });
    let desk = stage.desk();
    desk.buy("MNQ", 2);
    wait_until("one MNQ", || desk.held("MNQ") == 1);
}

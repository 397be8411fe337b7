//! `riskctl replay-events`: what a running engine recorded gives the same decisions again, without broker,
//! clock or engine.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{Home, Rules, Stage, wait_until};

/// What tells one line of the audit, or of a replay, from another.
fn essence(line: &Value) -> [String; 4] {
    ["account", "rule", "action", "reason"].map(|name| line[name].as_str().unwrap_or_default().to_string())
}

/// The recorded inputs of a home.
fn recorded(home: &Home) -> Vec<String> {
    let logs = fs::read_dir(home.file("logs")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> = logs
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("events-"))
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    files.sort_unstable();
    files
}

fn replayed(home: &Home, files: &[String]) -> Vec<Value> {
    let mut arguments = vec!["replay-events", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let finished = home.ask(&arguments);
    assert_eq!((finished.code, finished.errors.as_str()), (Some(0), ""));
    finished.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_a_run_recorded_gives_the_decisions_of_its_audit_again() {
    let mut stage = Stage::running(&Rules::two_mnq().with("daily_realized_loss", "{limit: -500}"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21_000.0);
    desk.buy("MNQ", 3);
    wait_until("the third is closed", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    // By a second start, rules and memory stand in the recording once more.
    stage.stop();
    stage.run();
    let desk = stage.desk();
    desk.buy_limit("MNQ", 1, 20_000.0);
    stage.simulator.price("MNQ", 20_800.0);
    wait_until("flat", || desk.is_flat());
    stage.confirmed("daily_realized_loss", "flatten_account");
    stage.stop();

    let log = stage.home.log();
    let audit: Vec<_> = log.iter().filter(|line| line["action"] != "settings").map(essence).collect();
    // The home has other rules by now: those of the recording count.
    stage.home.write("risk.yaml", &Rules::open().to_string());
    let files = recorded(&stage.home);
    let lines = replayed(&stage.home, &files);
    let decided: Vec<_> = lines.iter().filter(|line| !line["outcome"].is_null()).map(essence).collect();
    assert_eq!(decided, audit);
    assert!(audit.len() >= 3, "{audit:?}");
    assert_eq!(lines, replayed(&stage.home, &files), "the same again");
}

/// An account is read as a whole, then it holds three MNQ.
fn three_mnq() -> String {
    let account = json!({
        "id": "7", "name": "PRAC-1", "balance": "50000", "can_trade": true, "visible": true, "simulated": true
    });
    let snapshot = json!({
        "event": "snapshot", "account": account, "positions": [], "orders": [], "fills": [],
        "asked_at": "2026-06-10T14:30:00Z"
    });
    let position = json!({
        "event": "position", "id": "1", "account": "7", "contract": "CON.F.US.MNQ.U26", "symbol": "MNQ",
        "exposure": 3, "average_price": "21000", "opened_at": "2026-06-10T14:30:02Z"
    });
    let first = json!({"at": "2026-06-10T14:30:01Z", "event": snapshot});
    let second = json!({"at": "2026-06-10T14:30:02Z", "event": position});
    format!("{first}\n{second}\n\n")
}

#[test]
fn a_file_written_by_hand_is_judged_by_the_rules_of_the_home() {
    let home = Home::new();
    home.write("risk.yaml", &Rules::two_mnq().to_string());
    let file = home.file("day.jsonl").to_string_lossy().into_owned();
    fs::write(&file, three_mnq()).unwrap();
    let lines = replayed(&home, std::slice::from_ref(&file));
    let reduced = lines.iter().find(|line| line["action"] == "reduce_position").unwrap();
    assert_eq!(reduced["at"], "2026-06-10T14:30:02Z");
    assert_eq!(essence(reduced)[..2], ["7", "max_contracts_per_instrument"]);
    assert_eq!((&reduced["contract"], &reduced["to"]), (&json!("CON.F.US.MNQ.U26"), &json!(2)));

    let told = home.ask(&["replay-events", &file]).output;
    assert!(told.contains("2026-06-10 14:30:02.000  7  reduce_position"), "{told}");
    assert!(told.ends_with("2 inputs were replayed.\n"), "{told}");
}

#[test]
fn other_rules_and_a_gap_in_the_recording_show_in_a_replay() {
    let home = Home::new();
    let observing = "{rule_mode: observe, instrument_limits: {MNQ: 2}}";
    home.write("risk.yaml", &Rules::open().with("max_contracts_per_instrument", observing).to_string());
    let file = home.file("day.jsonl").to_string_lossy().into_owned();
    let gap = json!({"at": "2026-06-10T14:30:03Z", "lost": 3});
    fs::write(&file, format!("{}{gap}\n", three_mnq())).unwrap();
    let finished = home.ask(&["replay-events", "--json", &file]);
    assert_eq!(finished.code, Some(0));
    assert!(finished.errors.contains("3 inputs before 2026-06-10 14:30:03 UTC"), "{}", finished.errors);
    let lines: Vec<Value> = finished.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let observed = lines.iter().find(|line| line["reason"] == "3 of 2 MNQ").unwrap();
    assert_eq!((&observed["outcome"], &observed["action"]), (&json!("observed"), &json!("alert")));
}

/// A start in the recording says which lockouts stood: a smaller baseline of one is no news.
#[test]
fn a_lockout_that_a_start_restored_is_not_told_again() {
    let stage = {
        let values = "{limits: {per_minute: 2}, cooldown_on_breach: {per_minute_breach: 10m}}";
        let mut stage = Stage::running(&Rules::open().with("trade_frequency_limit", values));
        let desk = stage.desk();
        desk.buy("MNQ", 1);
        desk.buy("MNQ", 1);
        wait_until("a break", || !stage.locks(0).is_empty());
        stage.stop();
        stage.run();
        stage.desk().sell("MNQ", 1);
        wait_until("the exit is seen", || stage.account(0)["positions"][0]["size"] == 1);
        stage.stop();
        stage
    };
    let whole =
        recorded(&stage.home).iter().map(|file| fs::read_to_string(file).unwrap()).collect::<String>();
    let inputs: Vec<&str> = whole.lines().collect();
    let start = inputs.iter().rposition(|line| line.contains("\"event\":\"restored\"")).unwrap();
    let file = stage.home.file("second.jsonl").to_string_lossy().into_owned();
    fs::write(&file, inputs[start..].join("\n")).unwrap();
    let lines = replayed(&stage.home, &[file]);
    let breaks: Vec<&Value> = lines.iter().filter(|line| line["action"] == "cooldown").collect();
    assert!(!breaks.is_empty() && breaks.iter().all(|line| line["outcome"].is_null()), "{breaks:?}");
}

#[test]
fn a_line_that_cannot_be_used_is_named_with_what_is_wrong_and_what_is_right() {
    let home = Home::new();
    let file = home.file("day.jsonl").to_string_lossy().into_owned();
    let refused = |text: &str| {
        fs::write(&file, text).unwrap();
        let finished = home.ask(&["replay-events", "--json", &file]);
        assert_eq!(finished.code, Some(1));
        assert!(finished.errors.contains("docs/events.md"), "{}", finished.errors);
        (finished.output.lines().count(), finished.errors)
    };
    let quotes = r#"{"at": "2026-06-10T14:30:03Z", "event": {"event": "quotes"}}"#;
    let (told, errors) = refused(&format!("{}{quotes}\n", three_mnq()));
    assert!(told > 0, "what came before is told");
    assert!(errors.contains("day.jsonl: line 4 is no recorded input: unknown variant `quotes`"), "{errors}");
    let (_, errors) = refused("{\"at\": ");
    assert!(errors.contains("line 1 is no recorded input: EOF while parsing a value"), "{errors}");

    let missing = home.ask(&["replay-events", &home.file("none.jsonl").to_string_lossy()]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.errors.contains("logs/events-DATE.jsonl"), "{}", missing.errors);
    home.write("risk.yaml", "rules: {max_contracts: {limit: many}}\n");
    assert_eq!(home.ask(&["replay-events", &file]).code, Some(3), "rules that cannot be used");
}

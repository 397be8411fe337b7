//! The log files: what they hold, where they lie and how long, as `general.logging` says; and the zone in
//! which times are shown.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::{Days, NaiveDate, Utc};
use serde_json::Value;

use crate::stage::{Rules, Stage, wait_until};

fn with_general(rules: &Rules, general: &str) -> String {
    format!("{rules}general: {{{general}}}\n")
}

/// An engine that has not been started yet, on a home with these settings of the program itself.
fn stage_with(general: &str) -> Stage {
    let stage = Stage::with(&Rules::open());
    stage.home.write("risk.yaml", &with_general(&Rules::open(), general));
    stage
}

/// The files of a subject.
fn files(directory: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let is_one = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(name);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_one).collect();
    files.sort_unstable();
    files
}

/// The lines of a subject.
fn lines(directory: &Path, name: &str) -> Vec<Value> {
    let texts =
        files(directory, &format!("{name}.")).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let whole: String = texts.collect();
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn checkpoints(lines: &[Value]) -> Vec<i64> {
    lines
        .iter()
        .filter_map(|line| line["fields"]["checkpoint"].as_i64())
        .filter(|number| *number <= 5)
        .collect()
}

#[test]
fn the_log_lies_where_and_begins_at_the_level_that_the_settings_name_and_the_level_can_be_changed() {
    let mut stage = stage_with("logging: {level: ERROR, directory: kept/here}");
    let here = stage.home.file("kept/here");
    stage.run();
    assert_eq!(lines(&here, "daemon"), Vec::<Value>::new(), "nothing failed");
    assert_eq!(stage.engine().errors(), "", "what is shown begins there as well");
    let general = "logging: {level: INFO, directory: kept/here}";
    stage.home.replace("risk.yaml", &with_general(&Rules::two_mnq(), general));
    wait_until("the change is in the log", || !lines(&here, "daemon").is_empty());
    stage.stop();
    assert!(files(&stage.home.file("logs"), "daemon").is_empty(), "not in the home's folder");

    stage.run();
    stage.stop();
    assert_eq!(checkpoints(&lines(&here, "daemon")), [1, 2, 3, 4, 5]);
}

#[test]
fn where_the_folder_cannot_be_written_the_log_is_in_the_home_and_says_so() {
    let mut stage = stage_with("logging: {directory: config/risk.yaml}");
    stage.run();
    stage.stop();
    let logs = stage.home.file("logs");
    let errors = lines(&logs, "errors");
    let told = errors.iter().find_map(|line| {
        line["fields"]["message"].as_str().filter(|text| text.starts_with("general.logging.directory"))
    });
    let told = told.expect("the folder is named");
    assert!(told.contains("config/risk.yaml") && told.contains(&*logs.to_string_lossy()), "{told}");
    assert_eq!(checkpoints(&lines(&logs, "daemon")), [1, 2, 3, 4, 5]);
}

#[test]
fn what_is_wrong_with_the_settings_is_in_the_folder_that_they_name() {
    let stage = stage_with("logging: {directory: elsewhere, level: WARNING}");
    let broken = Rules::open().with("max_contracts", "{limit: none}");
    let general = "logging: {directory: elsewhere, level: WARNING}, timezone: Mars/Olympus";
    stage.home.write("risk.yaml", &with_general(&broken, general));
    let finished = stage.home.ask_with_login(&stage.simulator, &["run"]);
    assert_eq!(finished.code, Some(3), "{}", finished.errors);
    let errors = lines(&stage.home.file("elsewhere"), "errors");
    let is_told = |key: &str| errors.iter().any(|line| line.to_string().contains(key));
    assert!(is_told("rules.max_contracts.limit") && is_told("general.timezone"), "{errors:?}");
    assert!(errors.iter().all(|line| line["level"] != "INFO"), "{errors:?}");
}

#[test]
fn full_and_old_log_files_are_followed_and_taken_away() {
    let mut stage = stage_with("logging: {max_size_mb: 1, retention_days: 3}");
    let logs = stage.home.file("logs");
    fs::create_dir(&logs).unwrap();
    let today = Utc::now().date_naive();
    let before = |days| today.checked_sub_days(Days::new(days)).unwrap();
    let file = |name: &str, date: NaiveDate| logs.join(format!("{name}.{date}.log"));
    // A line of almost a megabyte: nothing else has room beside it.
    let full = format!("{{\"fields\":\"{}\"}}\n", "x".repeat((1 << 20) - 20));
    fs::write(file("daemon", today), &full).unwrap();
    for (name, days) in [("daemon", 3), ("daemon", 4), ("api", 7), ("api", 8), ("errors", 90), ("errors", 91)]
    {
        fs::write(file(name, before(days)), "").unwrap();
    }
    stage.run();
    stage.stop();
    assert_eq!(fs::read_to_string(file("daemon", today)).unwrap(), full, "nothing was added");
    if Utc::now().date_naive() == today {
        let next = fs::read_to_string(logs.join(format!("daemon.{today}.1.log"))).unwrap();
        assert!(next.contains("\"checkpoint\":1"), "{next}");
        let is_kept = |(name, days)| file(name, before(days)).exists();
        assert!([("daemon", 3), ("api", 7), ("errors", 90)].into_iter().all(is_kept));
        assert!(![("daemon", 4), ("api", 8), ("errors", 91)].into_iter().any(is_kept));
    }
}

#[test]
fn times_are_shown_in_the_zone_that_the_settings_name() {
    let mut stage = stage_with("timezone: Asia/Kathmandu");
    stage.run();
    assert_eq!(stage.status()["zone"], "Asia/Kathmandu");
    let locked = stage.home.ask(&["lock-out", "--yes"]);
    assert_eq!(locked.code, Some(0), "{}", locked.errors);
    wait_until("locked", || !stage.locks(0).is_empty());
    for command in ["status", "lockouts"] {
        let told = stage.home.ask(&[command]).output;
        assert!(told.contains("M Kathmandu, in "), "{told}");
    }
    let general = "timezone: America/Chicago";
    stage.home.replace("risk.yaml", &with_general(&Rules::open(), general));
    wait_until("the change is seen", || stage.status()["zone"].is_null());
    let told = stage.home.ask(&["status"]).output;
    assert!(!told.contains("Kathmandu"), "{told}");
}

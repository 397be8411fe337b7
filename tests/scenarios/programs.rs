//! The programs around the engine: demo and simulator.

use serde_json::json;

use crate::stage::{Process, Rules, Stage, riskctl, wait_until};

#[test]
fn the_demo_misses_nothing_and_says_so_last() {
    let directory = tempfile::tempdir().unwrap();
    let finished = Process::spawn(riskctl(&["demo"]), &directory.path().join("demo")).finished();
    assert_eq!(finished.code, Some(0), "{}{}", finished.output, finished.errors);
    let last = finished.output.lines().last().unwrap();
    let words: Vec<&str> = last.split(' ').collect();
    let [breaches, "breaches,", enforced, "enforced,", "0", "missed"] = words[..] else { panic!("{last}") };
    assert_eq!(breaches, enforced);
    assert!(breaches.parse::<u32>().unwrap() >= 6, "{last}");
    let latencies = finished.output.lines().filter(|line| line.contains("enforced:") && line.contains(" ms"));
    assert_eq!(latencies.count(), breaches.parse::<usize>().unwrap(), "{}", finished.output);
    assert!(!finished.errors.contains("panicked"), "{}", finished.errors);
}

#[test]
fn the_demo_writes_into_a_home_that_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    let mut command = riskctl(&["demo"]);
    command.arg("--home").arg(&home);
    let finished = Process::spawn(command, &directory.path().join("demo")).finished();
    assert_eq!(finished.code, Some(0), "{}{}", finished.output, finished.errors);
    let mut verify = riskctl(&["audit", "verify"]);
    verify.arg("--home").arg(&home);
    let verified = Process::spawn(verify, &directory.path().join("verify")).finished();
    assert_eq!(verified.code, Some(0), "{}{}", verified.output, verified.errors);
}

/// How fast is measured elsewhere; here, that it is measured at all.
#[test]
fn the_bench_measures_every_breach_beside_a_floor() {
    let directory = tempfile::tempdir().unwrap();
    let command = riskctl(&["bench", "--breaches", "2", "--json"]);
    let finished = Process::spawn(command, &directory.path().join("bench")).finished();
    assert_eq!(finished.code, Some(0), "{}{}", finished.output, finished.errors);
    let figures: serde_json::Value = serde_json::from_str(&finished.output).unwrap();
    for name in ["floor", "product"] {
        assert_eq!(figures[name]["samples"], 2, "{figures}");
        assert!(figures[name]["median_us"].as_u64() > Some(0), "{figures}");
    }
}

#[test]
fn a_wrong_call_is_told_on_standard_error() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in
        [vec!["nonsense"], vec!["simulate", "--speed", "0"], vec!["simulate", "--market", "scenario"]]
    {
        let finished = Process::spawn(riskctl(&arguments), &directory.path().join("wrong")).finished();
        assert!(matches!(finished.code, Some(1..)), "{arguments:?}: {:?}", finished.code);
        assert!(finished.output.is_empty() && !finished.errors.is_empty(), "{arguments:?}");
    }
}

/// The running engine reads its broker anew, and says whether it was right.
#[test]
fn a_reading_can_be_asked_for() {
    let stage = Stage::running(&Rules::open());
    let agrees = stage.home.ask(&["reconcile"]);
    assert!(agrees.output.contains("agrees"), "{agrees:?}");
    stage.simulator.fault(&json!({"kind": "lose_events", "times": 9}));
    stage.desk().buy_limit("MNQ", 1, 100.0);
    let differences = stage.home.json(&["reconcile", "--json"]);
    assert_eq!(differences[0]["subject"], "order", "{differences}");
    assert_eq!(differences[0]["kind"], "extra", "{differences}");
}

/// As behind `| head -1`: no panic, no message, and the code by which shells tell of it.
#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let stage = Stage::running(&Rules::open());
    let outputs = tempfile::tempdir().unwrap();
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["status", "--watch"],
        &["log"],
        &["log", "--json"],
        &["lockouts"],
        &["pending"],
        &["history"],
        &["history", "--csv"],
        &["config", "check"],
        &["audit", "verify"],
        &["backup", "now"],
        &["backup", "list"],
        &["backup", "verify"],
    ] {
        let command = stage.home.command(arguments);
        let finished = Process::unread(command, &outputs.path().join("unread")).finished();
        assert_eq!((finished.code, finished.errors.as_str()), (Some(141), ""), "{arguments:?}");
    }
}

/// Who started it does not listen: that is no reason to stop protecting.
#[test]
fn an_engine_whose_line_nobody_reads_protects_all_the_same() {
    let stage = Stage::with(&Rules::two_mnq());
    let outputs = tempfile::tempdir().unwrap();
    let mut command = stage.home.command(&["run"]);
    stage.simulator.give_login(&mut command);
    let mut engine = Process::unread(command, &outputs.path().join("engine"));
    wait_until("protected", || {
        assert!(engine.ending().is_none(), "the engine ended: {}", engine.errors());
        stage.status()["protection"] == "armed"
    });
    stage.desk().buy("MNQ", 3);
    wait_until("two MNQ", || stage.desk().held("MNQ") == 2);
    let finished = engine.terminate();
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
}

//! A dry run: everything is judged, nothing is sent, and nobody is told that they are protected.

use serde_json::{Value, json};

use crate::stage::{Rules, Stage, wait_for, wait_until};

fn dry(stage: &mut Stage) -> Value {
    stage.start_where(|command| {
        command.arg("--dry-run");
    });
    stage.protected()
}

#[test]
fn a_dry_run_records_what_it_would_have_done_and_sends_nothing() {
    let rules = Rules::two_mnq()
        .with("daily_realized_loss", "{limit: -100}")
        .with("no_stop_loss_grace", "{grace_period_seconds: 5}");
    let mut stage = Stage::with(&rules);
    assert_eq!(dry(&mut stage)["protection"], "not_protected");
    assert_eq!(stage.doubts(), ["dry_run"]);
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21_000.0);
    desk.buy("MNQ", 5);
    stage.simulator.price("MNQ", 20_900.0);
    for rule in ["max_contracts_per_instrument", "daily_realized_loss", "no_stop_loss_grace"] {
        let line = wait_for(rule, || stage.home.log().into_iter().find(|it| it["rule"] == rule));
        assert_eq!(line["outcome"], "observed", "{line}");
    }
    assert!(stage.account(0)["positions"][0]["closes_at"].is_null(), "nothing closes it");
    let asked = stage.home.ask(&["flatten", "--yes"]);
    assert_ne!(asked.code, Some(0));
    assert!(asked.errors.contains("This is a dry run: nothing is sent."), "{}", asked.errors);
    assert_ne!(stage.home.ask(&["lock-out", "--yes"]).code, Some(0));
    assert!(stage.simulator.journal().closes().is_empty());
    assert_eq!(desk.held("MNQ"), 5);
    assert!(stage.locks(0).is_empty());
    assert!(stage.home.log().iter().all(|it| it["outcome"] != "pending" && it["outcome"] != "failed"));
    let marked = "SELECT min(dry_run) FROM enforcement_history WHERE outcome = 'observed'";
    let marked: bool = stage.home.database().query_row(marked, [], |row| row.get(0)).unwrap();
    assert!(marked);
    assert!(stage.home.ask(&["status"]).output.contains("Dry run: the rules are judged"));

    // The rules were never looser than the files: the next run enforces them.
    stage.stop();
    stage.run();
    wait_until("closed, and locked", || {
        stage.desk().is_flat() && stage.is_locked_by(0, "daily_realized_loss", "HARD")
    });
}

/// A stop that an earlier run placed and that lost its position could open another one: a dry run says so, once, and
/// leaves it where it is.
#[test]
fn what_an_earlier_run_left_over_is_told_and_stays() {
    let automation = "{enabled: true, auto_take_profit: {enabled: false}}";
    let mut stage = Stage::running(&Rules::open().with("trade_management", automation));
    stage.simulator.price("MNQ", 21_000.0);
    stage.desk().buy("MNQ", 1);
    wait_until("our stop", || stage.desk().orders().len() == 1);
    stage.confirmed("trade_management", "place_stop");
    stage.kill();
    stage.desk().close("MNQ");
    dry(&mut stage);
    let would = "Dry run. Would have cancelled 1 order.";
    wait_until("it is asked for again", || stage.engine().errors().matches("dry run, not sent").count() >= 2);
    let told = stage.home.log().into_iter().filter(|it| it["done"] == would).count();
    assert_eq!((told, stage.desk().orders().len()), (1, 1), "told once, and left alone");
    stage.stop();
    stage.run();
    wait_until("cancelled", || stage.desk().orders().is_empty());
}

/// What a run had begun when it was killed is the business of the next real run.
#[test]
fn what_was_under_way_stays_pending() {
    let mut stage = Stage::running(&Rules::open());
    stage.desk().buy("MNQ", 1);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
    stage.simulator.fault(&json!({"kind": "http_latency", "path": "closeContract", "ms": 3000}));
    let asked = stage.home.start(&["flatten", "--yes"]);
    let outcome = |stage: &Stage| {
        let flattened = stage.receipts("trader", "flatten_account").pop();
        flattened.map(|it| it["outcome"].as_str().unwrap().to_string())
    };
    wait_until("it is under way", || outcome(&stage).as_deref() == Some("pending"));
    stage.kill();
    asked.kill();
    stage.simulator.clear_faults();
    dry(&mut stage);
    stage.stop();
    assert_eq!(outcome(&stage).as_deref(), Some("pending"));
    stage.run();
    wait_until("it is settled", || outcome(&stage).as_deref() != Some("pending"));
    wait_until("flat", || stage.desk().is_flat());
}

#[test]
fn a_dry_run_does_not_start_beside_a_lockout() {
    let mut stage = Stage::running(&Rules::open());
    assert_eq!(stage.home.ask(&["lock-out", "--yes"]).code, Some(0));
    wait_until("locked", || stage.is_locked_by(0, "trader", "HARD"));
    stage.stop();
    let finished = stage.home.ask_with_login(&stage.simulator, &["run", "--dry-run"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.errors.contains("has a lockout that has not ended here"), "{}", finished.errors);
    stage.run();
    assert!(stage.is_locked_by(0, "trader", "HARD"));
}

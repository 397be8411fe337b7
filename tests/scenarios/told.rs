//! What is kept beside the audit: every message to people, every enforcement's latency, and what was
//! wrong with the broker's messages.

use serde_json::json;

use crate::stage::{Home, Rules, Stage, wait_until};

/// Rows of one query, as texts.
fn rows(home: &Home, query: &str) -> Vec<String> {
    let database = home.database();
    let mut statement = database.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn every_message_is_kept_with_what_became_of_it() {
    let stage = Stage::running(&Rules::day_ends_at("-100"));
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21_000.0);
    desk.buy("MNQ", 1);
    wait_until("valued", || stage.figure(0, "unrealized") == Some(0.00));
    let listener = stage.home.start(&["status", "--watch"]);
    wait_until("somebody listens", || !listener.output().is_empty());
    stage.simulator.price("MNQ", 20_940.0);
    stage.confirmed("daily_realized_loss", "flatten_account");
    let account = stage.simulator.accounts[0];
    let query = "SELECT severity || ' ' || account_id || ' ' || channels || ' ' || delivered FROM alerts
        WHERE type = 'enforced' AND text LIKE 'Locked until %Daily Loss Limit%'";
    let expected = format!("warning {account} [\"viewers\"] 1");
    wait_until("the message is kept", || rows(&stage.home, query) == [expected.clone()]);
    let latencies = "SELECT account_id FROM performance_metrics
        WHERE metric_name = 'enforcement_latency_ms' AND metric_value > 0";
    wait_until("the latency is kept", || rows(&stage.home, latencies) == [account.to_string()]);
}

/// A red icon is no message: who looks elsewhere is told that protection did not begin, and why.
#[test]
fn protection_that_never_begins_is_told() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.run();
    stage.stop();
    stage.home.write("risk.yaml", "rules:\n  max_contracts: {limit: [}\n");
    stage.start();
    let told = || rows(&stage.home, "SELECT text FROM alerts WHERE type = 'not_protected'");
    wait_until("told", || !told().is_empty());
    let text = told().remove(0);
    assert!(text.starts_with("Not protected: The settings cannot be used: risk.yaml"), "{text}");
}

/// A stream that repeats itself moves nothing twice, and it shows.
#[test]
fn repeated_messages_are_counted_and_taken_once() {
    let stage = Stage::running(&Rules::two_mnq());
    stage.simulator.fault(&json!({"kind": "duplicate_events", "times": 100}));
    let desk = stage.desk();
    desk.buy("MNQ", 1);
    wait_until("held", || stage.account(0)["positions"].as_array().is_some_and(|held| held.len() == 1));
    desk.close("MNQ");
    wait_until("counted", || stage.status()["metrics"]["intake"]["repeated"].as_u64() > Some(0));
    wait_until("two fills make one trade", || stage.account(0)["trades_today"] == 2);
    assert_eq!(stage.account(0)["week_trades"], 2);
    let status = stage.home.ask(&["status"]).output;
    assert!(status.lines().any(|line| line.contains("This week") && line.ends_with("2 trades")), "{status}");
    let intake = stage.status()["metrics"]["intake"].clone();
    for kind in ["unreadable", "unknown", "impossible", "off_grid", "foreign", "overflows"] {
        assert_eq!(intake[kind], 0, "{kind}: {intake}");
    }
}

/// A limit for a symbol that nobody trades is a limit that was mistyped.
#[test]
fn a_symbol_that_the_broker_does_not_know_is_told_at_the_start() {
    let limits = "{instrument_limits: {MNQ: 2, MNX: 1}}";
    let stage = Stage::running(&Rules::open().with("max_contracts_per_instrument", limits));
    let query = "SELECT text FROM alerts WHERE type = 'unknown_symbol'";
    wait_until("told", || rows(&stage.home, query).len() == 1);
    let told = rows(&stage.home, query);
    assert!(told[0].starts_with("TopstepX does not know MNX: "), "{told:?}");
}

/// What the settings list is quoted before anything is held in it.
#[test]
fn listed_instruments_are_subscribed_while_nothing_is_held() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.home.write("risk.yaml", &format!("general: {{instruments: [MNQ, ES]}}\n{}", Rules::two_mnq()));
    stage.run();
    let contracts = [stage.simulator.contract("MNQ"), stage.simulator.contract("ES")];
    let is_subscribed = |contract: &String| {
        let journal = stage.simulator.journal();
        journal.requests().iter().any(|row| {
            row.target.as_deref() == Some("SubscribeContractQuotes")
                && row.body.to_string().contains(contract)
        })
    };
    wait_until("both are subscribed", || contracts.iter().all(is_subscribed));
    stage.wait_until_protection("armed");
    stage.simulator.price("MNQ", 21_000.0);
    stage.desk().buy("MNQ", 1);
    wait_until("valued", || stage.figure(0, "unrealized") == Some(0.00));
}

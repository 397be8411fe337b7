//! The status never claims more than is true: what takes protection away, and what must have happened
//! before it is claimed again.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::stage::{Journal, Rules, Stage, patiently, wait_until};

/// The gateway reference's limit for silence, 30 s, and some time for a busy machine.
const SILENCE_SEEN_WITHIN: Duration = Duration::from_secs(40);

/// No events, pings or handshakes of a hub for so long.
fn silence(stage: &Stage, hub: &str, ms: u32) {
    stage.simulator.fault(&json!({"kind": "hub_silence", "hub": hub, "ms": ms}));
}

fn drop_hub(stage: &Stage, hub: &str, how: &str) {
    stage.simulator.fault(&json!({"kind": "drop_hub", "hub": hub, "how": how}));
}

/// After row `since`: the hub's subscriptions were made anew and, for the user hub, everything was read
/// after them.
fn resubscribed(journal: &Journal, since: u64, hub: &str) -> bool {
    let after = |what: &str| {
        let row = journal
            .requests()
            .into_iter()
            .find(|row| row.seq > since && (row.path.ends_with(what) || row.target.as_deref() == Some(what)));
        row.map(|row| row.seq)
    };
    match hub {
        "market" => after("SubscribeContractQuotes").is_some(),
        _ => {
            let subscribed =
                after("SubscribePositions").max(after("SubscribeOrders")).max(after("SubscribeTrades"));
            let read = journal.requests().into_iter().rfind(|row| row.path.ends_with("Position/searchOpen"));
            subscribed.is_some() && read.map(|row| row.seq) > subscribed
        }
    }
}

/// A dropped hub that stays away for a while: seen at once, and over only when everything is as before.
fn drops(hub: &str, how: &str, kind: &str) {
    let stage = Stage::running(&Rules::two_mnq());
    let desk = stage.desk();
    desk.buy("MNQ", 1);
    wait_until("valued", || stage.account(0)["unrealized"].is_string());
    assert_eq!(stage.protection(), "armed");
    let before = stage.simulator.journal().last();
    // Silence keeps the way back shut: no handshake is answered.
    silence(&stage, hub, 60_000);
    drop_hub(&stage, hub, how);
    wait_until("not protected", || stage.protection() == "not_protected");
    let status = stage.status();
    assert!(status["reason"].is_string(), "{status}");
    assert_eq!(stage.doubts()[0], kind);
    assert!(
        stage.account(0)["unrealized"].is_null() || hub == "user",
        "no price is known without the stream"
    );

    stage.simulator.clear_faults();
    stage.wait_until_protection("armed");
    assert!(resubscribed(&stage.simulator.journal(), before, hub));
    assert!(stage.status()["reason"].is_null());
    let stretches = stage.account(0)["unwatched"].as_array().unwrap().len();
    assert!(stretches >= 2, "the start and the drop are remembered");
    desk.buy("MNQ", 4);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn a_user_hub_that_closes_takes_protection_away() {
    drops("user", "close", "user_stream");
}

#[test]
fn a_user_hub_whose_socket_ends_takes_protection_away() {
    drops("user", "reset", "user_stream");
}

#[test]
fn a_market_hub_that_closes_takes_protection_away() {
    drops("market", "close", "market_stream");
}

#[test]
fn a_market_hub_whose_socket_ends_takes_protection_away() {
    drops("market", "reset", "market_stream");
}

#[test]
fn what_happened_while_the_hubs_were_away_is_enforced_when_they_are_back() {
    let stage = Stage::running(&Rules::two_mnq());
    silence(&stage, "both", 60_000);
    drop_hub(&stage, "both", "reset");
    wait_until("not protected", || stage.protection() == "not_protected");
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    stage.simulator.clear_faults();
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    stage.wait_until_protection("armed");
}

fn falls_silent(hub: &str, kind: &str) {
    let stage = Stage::running(&Rules::two_mnq());
    silence(&stage, hub, 600_000);
    patiently(SILENCE_SEEN_WITHIN, "not protected", || (stage.protection() == "not_protected").then_some(()));
    assert_eq!(stage.doubts()[0], kind);
    assert!(stage.status()["reason"].is_string());
    stage.simulator.clear_faults();
    stage.wait_until_protection("armed");
}

#[test]
fn a_silent_user_hub_is_noticed_within_the_gateways_limit() {
    falls_silent("user", "user_stream");
}

#[test]
fn a_silent_market_hub_is_noticed_within_the_gateways_limit() {
    falls_silent("market", "market_stream");
}

#[test]
fn an_expired_token_is_renewed_and_nothing_is_missed() {
    let stage = Stage::running(&Rules::two_mnq());
    let desk = stage.desk();
    desk.buy("MNQ", 2);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 2);
    stage.simulator.fault(&json!({"kind": "expire_tokens"}));
    let before = stage.simulator.journal().last();
    desk.buy("MNQ", 3);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    stage.wait_until_protection("armed");
    let journal = stage.simulator.journal();
    assert!(journal.to("/Auth/loginKey").iter().any(|row| row.seq > before));
    wait_until("both hubs are up with the new token", || {
        let status = stage.status();
        status["health"]["user_stream"] == "up" && status["health"]["market_stream"] == "up"
    });
}

#[test]
fn a_gateway_that_cannot_be_reached_is_told_and_waited_for() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.simulator.go_away();
    stage.start();
    wait_until("the reason", || {
        let status = stage.home.ask(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.output).unwrap_or_default();
        status["doubts"][0]["kind"] == "unreachable"
    });
    assert_eq!(stage.protection(), "not_protected");
    assert!(stage.engine().output().is_empty());
    stage.simulator.come_back();
    assert_eq!(stage.protected()["protection"], "armed");
    let desk = stage.desk();
    desk.buy("MNQ", 4);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn a_gateway_that_goes_away_is_told_and_waited_for() {
    let mut stage = Stage::running(&Rules::two_mnq());
    stage.simulator.go_away();
    stage.wait_until_protection("not_protected");
    stage.simulator.come_back();
    stage.wait_until_protection("armed");
    let desk = stage.desk();
    desk.buy("MNQ", 4);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn a_login_that_fails_in_passing_is_tried_again() {
    let mut stage = Stage::with(&Rules::two_mnq());
    for status in [503, 429, 500] {
        stage
            .simulator
            .fault(&json!({"kind": "http_status", "path": "loginKey", "status": status, "times": 1}));
    }
    stage.start();
    assert_eq!(stage.protected()["protection"], "armed");
}

#[test]
fn readings_that_fail_keep_it_from_being_protected() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage
        .simulator
        .fault(&json!({"kind": "http_status", "path": "Position/searchOpen", "status": 503, "times": 100}));
    stage.start();
    wait_until("the reason", || {
        let status = stage.home.ask(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.output).unwrap_or_default();
        status["doubts"][0]["kind"] == "reconcile" && status["reason"].as_str().unwrap().contains("503")
    });
    assert!(stage.engine().output().is_empty(), "nothing is protected yet");
    stage.simulator.clear_faults();
    assert_eq!(stage.protected()["protection"], "armed");
}

#[test]
fn messages_that_make_no_sense_are_logged_counted_and_survived() {
    let stage = Stage::running(&Rules::two_mnq());
    let account = stage.simulator.accounts[0];
    let event = |target: &str, data: Value| {
        json!({"type": 1, "target": target, "arguments": [{"action": 1, "data": data}]}).to_string()
    };
    let contract = stage.simulator.contract("MNQ");
    let nonsense = [
        // An unknown side, a missing size, a size that is no number, an unknown order type.
        event(
            "GatewayUserPosition",
            json!({"id": 1, "accountId": account, "contractId": contract, "type": 7, "size": 3,
            "averagePrice": 1, "creationTimestamp": "2026-01-05T15:00:00Z"}),
        ),
        event(
            "GatewayUserPosition",
            json!({"id": 1, "accountId": account, "contractId": contract, "type": 1}),
        ),
        event(
            "GatewayUserOrder",
            json!({"id": 5, "accountId": account, "contractId": contract, "status": 99, "type": 77,
            "side": 3, "size": "many"}),
        ),
        event("GatewayUserTrade", json!({"id": 9})),
        "{\"type\":1,\"target\":".to_string(),
        "not even JSON".to_string(),
        json!({"type": 42}).to_string(),
    ];
    let readings = |stage: &Stage| stage.simulator.journal().to("Position/searchOpen").len();
    let before = readings(&stage);
    for text in nonsense {
        stage.simulator.fault(&json!({"kind": "malformed_event", "text": text}));
    }
    wait_until("they are counted", || stage.status()["metrics"]["malformed"].as_u64() >= Some(4));
    wait_until("everything is read again", || readings(&stage) > before);
    stage.wait_until_protection("armed");
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn unknown_events_and_members_are_no_reason_to_stop() {
    let stage = Stage::running(&Rules::two_mnq());
    let text = json!({"type": 1, "target": "GatewaySomethingNew", "arguments": [{"a": 1}]}).to_string();
    stage.simulator.fault(&json!({"kind": "malformed_event", "text": text}));
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    assert_eq!(stage.protection(), "armed");
}

#[test]
fn a_clock_that_is_more_than_a_minute_off_is_no_protection() {
    for seconds in [90, -90] {
        let mut stage = Stage::with(&Rules::two_mnq());
        stage.simulator.fault(&json!({"kind": "clock_skew", "seconds": seconds}));
        stage.start();
        wait_until("the reason", || {
            let status = stage.home.ask(&["status", "--json"]);
            let status: Value = serde_json::from_str(&status.output).unwrap_or_default();
            status["doubts"].as_array().is_some_and(|doubts| doubts.iter().any(|it| it["kind"] == "clock"))
        });
        assert_eq!(stage.protection(), "not_protected");
        // What can be enforced is enforced all the same.
        let desk = stage.desk();
        desk.buy("MNQ", 4);
        wait_until("two MNQ", || desk.held("MNQ") == 2);
        stage.confirmed("max_contracts_per_instrument", "reduce_position");
        assert_eq!(stage.protection(), "not_protected");
        assert!(stage.engine().output().is_empty());
    }
}

#[test]
fn a_clock_that_is_a_little_off_is_accepted() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.simulator.fault(&json!({"kind": "clock_skew", "seconds": 50}));
    assert_eq!(stage.run()["protection"], "armed");
}

#[test]
fn an_account_that_may_not_trade_is_watched_all_the_same() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.desk().buy("MNQ", 4);
    let account = stage.simulator.accounts[0];
    stage.simulator.fault(&json!({"kind": "can_trade", "accountId": account, "value": false}));
    stage.run();
    assert_eq!(stage.account(0)["can_trade"], false);
    let desk = stage.desk();
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    stage.simulator.fault(&json!({"kind": "can_trade", "accountId": account, "value": true}));
    wait_until("told", || stage.account(0)["can_trade"] == true);
}

#[test]
fn a_second_engine_elsewhere_and_many_questions_disturb_nobody() {
    let stage = Stage::running(&Rules::two_mnq());
    let desk = stage.desk();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(stage.status()["running"], true);
                    stage.home.lockouts();
                }
            });
        }
        desk.buy("MNQ", 5);
    });
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

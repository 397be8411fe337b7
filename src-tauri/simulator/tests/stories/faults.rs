//! Faults on a running gateway, the journal, and that the same seed gives the same bytes.

use crate::desk::{ACCOUNT, Desk, MNQ, start};
use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::{Gateway, HttpRequest, Hub, Market, Settings, Ticket, Trader};

const CLOSE: &str = "/api/Position/closeContract";

fn on_mnq() -> Value {
    json!({"accountId": ACCOUNT, "contractId": MNQ})
}

#[test]
fn a_status_before_execution_does_nothing_and_one_after_it_has_happened() {
    let mut desk = Desk::manual();
    desk.place(json!({"size": 2}));
    desk.fault(json!({"kind": "http_status", "path": "closeContract", "status": 503, "times": 2}));
    for _ in 0..2 {
        assert_eq!(desk.send(CLOSE, &on_mnq()).status, 503);
    }
    assert_eq!(desk.truth(), ["position 231 +2@21000"]);
    desk.fault(
        json!({"kind": "http_status", "path": "/api/Position/closeContract", "status": 504, "after": true}),
    );
    assert_eq!(desk.send(CLOSE, &on_mnq()).status, 504);
    assert_eq!(desk.truth(), Vec::<String>::new(), "it was executed");
    assert_eq!(desk.close().0, 2, "and the fault is used up");
    desk.fault(json!({"kind": "http_status", "path": "/hubs/user", "status": 503}));
    assert_eq!(desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None), Err(503), "upgrades, too");
    assert!(desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None).is_ok());
}

#[test]
fn latency_holds_back_the_answer_only() {
    let mut desk = Desk::manual();
    desk.place(json!({}));
    desk.fault(json!({"kind": "http_latency", "path": "Position/", "ms": 750, "times": 1}));
    assert_eq!(desk.send(CLOSE, &on_mnq()).delay, TimeDelta::milliseconds(750));
    assert_eq!(desk.truth(), Vec::<String>::new());
    assert_eq!(desk.send(CLOSE, &on_mnq()).delay, TimeDelta::zero());
}

#[test]
fn an_api_error_refuses_in_the_envelope() {
    let mut desk = Desk::manual();
    desk.fault(
        json!({"kind": "api_error", "path": "Order/place", "code": 2, "message": "Not enough margin."}),
    );
    assert_eq!(desk.place_code(json!({})), (2, "Not enough margin.".to_string()));
    assert_eq!(desk.truth(), Vec::<String>::new());
    desk.place(json!({}));
}

#[test]
fn expired_tokens_lock_everybody_out_until_they_log_in_again() {
    let mut desk = Desk::manual();
    let hub = desk.listen();
    desk.fault(json!({"kind": "expire_tokens"}));
    assert_eq!(desk.send(CLOSE, &on_mnq()).status, 401);
    assert_eq!(desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None), Err(401));
    desk.token = desk.log_in();
    desk.place(json!({}));
    assert_eq!(desk.events(hub).len(), 6, "an open hub stays open");
}

#[test]
fn logins_can_be_refused_by_code() {
    let mut desk = Desk::manual();
    desk.fault(json!({"kind": "login_error", "code": 7}));
    let (user, key) = desk.gateway.credentials();
    let login = json!({"userName": user, "apiKey": key});
    let (code, message) = desk.code("/api/Auth/loginKey", &login);
    assert_eq!((code, message.contains("required agreements")), (7, true));
    desk.clear_faults();
    assert_eq!(desk.code("/api/Auth/loginKey", &login).0, 0);
}

#[test]
fn user_events_are_doubled_lost_and_overtaken() {
    let whole = [
        "order 417 buy market status 6 0/1",
        "trade 731 buy 1@21000 pnl -",
        "order 417 buy market status 2 1/1",
        "position 231 +1@21000",
        "account 150000 true",
        "account 150000 true",
    ];
    for (fault, order) in [
        (json!({"kind": "duplicate_events", "times": 2}), vec![0, 0, 1, 1, 2, 3, 4, 5]),
        (json!({"kind": "lose_events", "times": 4}), vec![4, 5]),
        (json!({"kind": "reorder_events", "times": 2}), vec![1, 0, 3, 2, 4, 5]),
    ] {
        let mut desk = Desk::manual();
        let hub = desk.listen();
        desk.fault(fault.clone());
        desk.place(json!({}));
        let expected: Vec<&str> = order.into_iter().map(|index: usize| whole[index]).collect();
        assert_eq!(desk.events(hub), expected, "{fault}");
    }
}

#[test]
fn an_event_that_nobody_overtakes_comes_late() {
    let mut desk = Desk::manual();
    let hub = desk.listen();
    desk.fault(json!({"kind": "reorder_events", "times": 1}));
    desk.fault(json!({"kind": "can_trade", "accountId": ACCOUNT, "value": false}));
    assert_eq!(desk.events(hub), Vec::<String>::new());
    desk.wait_ms(250);
    assert_eq!(desk.events(hub), ["account 150000 false"]);
}

#[test]
fn can_trade_is_told_and_taken_back_with_the_faults() {
    let mut desk = Desk::manual();
    let hub = desk.listen();
    desk.fault(json!({"kind": "can_trade", "accountId": ACCOUNT, "value": false}));
    desk.fault(json!({"kind": "can_trade", "accountId": ACCOUNT, "value": false}));
    assert_eq!(desk.events(hub), ["account 150000 false"]);
    desk.clear_faults();
    assert_eq!(desk.events(hub), ["account 150000 true"]);
}

#[test]
fn live_and_follower_accounts_cannot_cancel() {
    for (kind, message) in [
        ("live_account", "Live accounts not supported"),
        ("follower_account", "Follower accounts cannot cancel orders"),
    ] {
        let mut desk = Desk::manual();
        let order = desk.place(json!({"type": 1, "limitPrice": 20_900.0}));
        desk.fault(json!({"kind": kind, "accountId": ACCOUNT, "value": true}));
        let cancel = json!({"accountId": ACCOUNT, "orderId": order});
        assert_eq!(desk.code("/api/Order/cancel", &cancel), (6, message.to_string()));
        desk.clear_faults();
        assert_eq!(desk.code("/api/Order/cancel", &cancel).0, 0);
    }
}

#[test]
fn a_voided_trade_is_sent_again_and_its_money_taken_back() {
    let mut desk = Desk::manual();
    desk.place(json!({}));
    desk.last("21010");
    desk.close();
    assert_eq!(desk.balance(), 150_020.0);
    let hub = desk.listen();
    desk.fault(json!({"kind": "void_trade", "tradeId": 2_950_000_732_i64}));
    assert_eq!(desk.events(hub), ["trade 732 sell 1@21010 pnl 20 voided", "account 150000 true"]);
    assert_eq!(desk.get("/sim/accounts")[0]["realized"]["gross"], 0);
}

#[test]
fn a_shut_market_fills_nothing_until_it_opens() {
    let mut desk = Desk::manual();
    desk.place(json!({"type": 1, "limitPrice": 20_990.0}));
    desk.fault(json!({"kind": "market_closed", "on": true}));
    desk.last("20980");
    assert_eq!(desk.truth(), ["order 417 buy limit status 1 0/1 limitPrice 20990"]);
    desk.fault(json!({"kind": "market_closed", "on": false}));
    desk.last("20980");
    assert_eq!(desk.truth(), ["position 231 +1@20990"]);
}

#[test]
fn the_clock_can_be_wrong_and_events_malformed() {
    let mut desk = Desk::manual();
    let hub = desk.connect(Hub::User);
    desk.fault(json!({"kind": "clock_skew", "seconds": -90}));
    let ping = desk.gateway.handle(desk.now, &HttpRequest::get("/api/Status/ping"));
    assert_eq!(ping.header("date"), Some("Mon, 22 Jun 2026 14:28:30 GMT"));
    desk.fault(json!({"kind": "malformed_event", "text": "{\"type\":1,"}));
    assert_eq!(desk.records(hub), ["{\"type\":1,"]);
}

#[test]
fn control_paths_say_what_is_wrong_with_a_request() {
    let mut desk = Desk::manual();
    for (path, body, error) in [
        ("/sim/fault", json!({"kind": "can_trade", "accountId": 5, "value": true}), "no account 5"),
        ("/sim/fault", json!({"kind": "void_trade", "tradeId": 5}), "no trade 5"),
        ("/sim/fault", json!({"kind": "surprise"}), "unknown variant `surprise`"),
        ("/sim/quote", json!({"contractId": MNQ}), "a quote needs at least one of bid, ask and last"),
        ("/sim/quote", json!({"contractId": "XYZ", "last": 1}), "no contract XYZ"),
        ("/sim/quote", json!({"contractId": MNQ, "price": 1}), "unknown field `price`"),
    ] {
        let response = desk.send(path, &body);
        let reply: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(response.status, 400, "{body}");
        assert!(reply["error"].as_str().unwrap().contains(error), "{body}: {reply}");
    }
    assert_eq!(desk.send("/sim/other", &json!({})).status, 404);
    assert_eq!(desk.send("/sim/journal", &json!({})).status, 405);
}

#[test]
fn the_journal_tells_who_asked_what_and_who_was_told() {
    let mut desk = Desk::manual();
    let hub = desk.listen();
    let mut trader = Trader::new(&desk.gateway);
    desk.wait_ms(10);
    let ticket = Ticket::market(ACCOUNT, MNQ, domain::OrderSide::Buy, 1);
    trader.place(&mut desk.gateway, desk.now, &ticket).unwrap();
    assert_eq!(trader.session(&desk.gateway).as_deref(), Some("s2"));
    desk.records(hub);
    desk.wait_ms(10);
    desk.close();
    let rows = desk.get("/sim/journal");
    let rows = rows.as_array().unwrap();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let what =
                [&row["path"], &row["target"]].into_iter().filter_map(Value::as_str).collect::<Vec<_>>();
            let ms = row["at_ns"].as_i64().unwrap() / 1_000_000;
            format!(
                "{ms} {} {} {} {}",
                row["kind"].as_str().unwrap(),
                row["session"],
                what.join(" "),
                row["status"]
            )
        })
        .collect();
    let expected = [
        "0 request \"s1\" /api/Auth/loginKey 200",
        "0 request \"s1\" /hubs/user 101",
        "0 request \"s1\" /hubs/user SubscribeAccounts null",
        "0 request \"s1\" /hubs/user SubscribeOrders null",
        "0 request \"s1\" /hubs/user SubscribePositions null",
        "0 request \"s1\" /hubs/user SubscribeTrades null",
        "10 request \"s2\" /api/Auth/loginKey 200",
        "10 request \"s2\" /api/Order/place 200",
        "10 event \"s1\" GatewayUserOrder null",
        "10 event \"s1\" GatewayUserTrade null",
        "10 event \"s1\" GatewayUserOrder null",
        "10 event \"s1\" GatewayUserPosition null",
        "10 event \"s1\" GatewayUserAccount null",
        "10 event \"s1\" GatewayUserAccount null",
        "20 request \"s1\" /api/Position/closeContract 200",
    ];
    assert_eq!(lines[..expected.len()], expected);
    assert_eq!(rows[0]["body"]["apiKey"], "***", "no key is ever kept");
    assert_eq!(rows[7]["body"]["contractId"], MNQ);
    assert_eq!(rows[11]["body"][0]["data"]["size"], 1);
    let later = desk.get("/sim/journal?after=14");
    assert_eq!(later[0]["seq"], 15);
}

/// Ten busy minutes of a walk with faults, as one text.
fn ten_minutes(seed: u64) -> String {
    let mut desk = Desk::walk(seed);
    let (user, market) = (desk.listen(), desk.connect(Hub::Market));
    desk.call(market, "SubscribeContractQuotes", json!([MNQ]));
    desk.call(market, "SubscribeContractMarketDepth", json!([MNQ]));
    let mut seen = Vec::new();
    for minute in 0..10 {
        if minute % 3 == 0 {
            desk.fault(json!({"kind": "reorder_events", "times": 2}));
            desk.fault(json!({"kind": "partial_fills", "on": true}));
        }
        let brackets = json!({
            "side": minute % 2, "size": 3,
            "stopLossBracket": {"ticks": if minute % 2 == 0 { -40 } else { 40 }, "type": 4},
        });
        desk.place_raw(brackets);
        for _ in 0..60 {
            desk.wait_ms(1_000);
            seen.extend(desk.records(user));
            seen.extend(desk.records(market));
            for hub in [user, market] {
                desk.say(hub, r#"{"type":6}"#);
            }
        }
        let close = desk.send(CLOSE, &on_mnq());
        seen.push(String::from_utf8_lossy(&close.body).into_owned());
    }
    seen.push(desk.get("/sim/accounts").to_string());
    seen.join("\n")
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let first = ten_minutes(5);
    assert!(first.len() > 1_000_000, "{} bytes of quotes and depth", first.len());
    assert!(first == ten_minutes(5), "the same seed");
    assert!(first != ten_minutes(6), "another seed");
}

#[test]
fn time_never_runs_backwards() {
    let mut gateway = Gateway::new(Settings::new(Market::Manual), start());
    gateway.advance(start() + TimeDelta::seconds(10));
    gateway.handle(start(), &HttpRequest::get("/api/Status/ping"));
    let rows: Vec<i64> = gateway.journal().after(0).map(|row| row.at_ns).collect();
    assert_eq!(rows, [10_000_000_000]);
}

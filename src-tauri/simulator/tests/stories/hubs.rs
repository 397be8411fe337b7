//! SignalR on the core: handshake, calls, completions, timers, closing, silence, snapshots.

use crate::desk::{ACCOUNT, Desk, MNQ, SEPARATOR};
use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::{ConnectionId, Frame, HttpRequest, Hub, Market, Settings};

const HELLO: &str = r#"{"protocol":"json","version":1}"#;

fn negotiate(desk: &mut Desk, query: &str) -> Value {
    let mut request = HttpRequest::post("/hubs/user/negotiate", Some(&desk.token), &json!({})).unwrap();
    (request.query, request.body) = (query.to_string(), Vec::new());
    let response = desk.gateway.handle(desk.now, &request);
    assert_eq!(response.status, 200);
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn a_negotiated_id_opens_one_connection() {
    let mut desk = Desk::manual();
    let token = desk.token.clone();
    let reply = negotiate(&mut desk, "negotiateVersion=1");
    assert_eq!(
        reply["availableTransports"][0],
        json!({"transport": "WebSockets", "transferFormats": ["Text", "Binary"]})
    );
    let id = reply["connectionToken"].as_str().unwrap().to_string();
    assert_ne!(reply["connectionId"], reply["connectionToken"]);
    let mut open = |hub, token: Option<&str>, id: Option<&str>| desk.gateway.open(desk.now, hub, token, id);
    assert_eq!(open(Hub::User, Some(&token), Some("nonsense")), Err(404));
    assert_eq!(open(Hub::Market, Some(&token), Some(&id)), Err(404), "ids belong to a hub");
    assert_eq!(open(Hub::User, None, Some(&id)), Err(401));
    let connection = open(Hub::User, Some(&token), Some(&id)).unwrap();
    assert_eq!(open(Hub::User, Some(&token), Some(&id)), Err(409));
    desk.gateway.closed(desk.now, connection);
    assert_eq!(desk.gateway.open(desk.now, Hub::User, Some(&token), Some(&id)), Err(404));
    let old = negotiate(&mut desk, "");
    assert!(old.get("connectionToken").is_none() && old["negotiateVersion"] == 0);
    let id = old["connectionId"].as_str().unwrap();
    desk.gateway.open(desk.now, Hub::User, Some(&token), Some(id)).unwrap();
    let late = negotiate(&mut desk, "negotiateVersion=1");
    desk.wait_ms(15_000);
    let id = late["connectionToken"].as_str();
    assert_eq!(desk.gateway.open(desk.now, Hub::User, Some(&token), id), Err(404), "nobody came for 15 s");
}

#[test]
fn handshakes_are_answered_or_refused_and_nothing_comes_before_them() {
    for (hello, answer) in [
        (HELLO, r#"{}"#),
        (
            r#"{"protocol":"messagepack","version":1}"#,
            r#"{"error":"Requested protocol 'messagepack' is not available."}"#,
        ),
        (
            r#"{"protocol":"json","version":2}"#,
            r#"{"error":"The server does not support version 2 of the 'json' protocol."}"#,
        ),
        ("hello", r#"{"error":"An unexpected error occurred during connection handshake."}"#),
    ] {
        let mut desk = Desk::manual();
        let id = desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None).unwrap();
        assert_eq!(desk.records(id), Vec::<String>::new());
        desk.say(id, hello);
        let mut expected = vec![answer.to_string()];
        if hello != HELLO {
            expected.push("<close>".to_string());
        }
        assert_eq!(desk.records(id), expected);
    }
    let mut desk = Desk::manual();
    let id = desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None).unwrap();
    desk.wait_ms(15_000);
    assert_eq!(desk.records(id), [r#"{"error":"Handshake was canceled."}"#, "<close>"]);
}

#[test]
fn records_may_share_a_frame_or_be_cut_in_two() {
    let mut desk = Desk::manual();
    let id = desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None).unwrap();
    let call = r#"{"type":1,"invocationId":"0","target":"subscribeaccounts","arguments":[]}"#;
    let text = format!("{HELLO}{SEPARATOR}{SEPARATOR}{call}{SEPARATOR}{call}");
    desk.gateway.receive(desk.now, id, &text);
    let done = r#"{"type":3,"invocationId":"0","result":null}"#;
    assert_eq!(desk.records(id), ["{}", done]);
    desk.gateway.receive(desk.now, id, &SEPARATOR.to_string());
    assert_eq!(desk.records(id), [done]);
}

#[test]
fn calls_complete_with_the_servers_words() {
    let mut desk = Desk::manual();
    let id = desk.connect(Hub::User);
    let failed = |method: &str| format!("Failed to invoke '{method}' due to an error on the server.");
    for (method, arguments, error) in [
        ("SubscribeOrders", json!([ACCOUNT]), None),
        ("SubscribeOrders", json!([5]), None),
        ("UnsubscribeOrders", json!([ACCOUNT]), None),
        ("SubscribeOrders", json!(["x"]), Some(failed("SubscribeOrders"))),
        ("SubscribeOrders", json!([]), Some(failed("SubscribeOrders"))),
        ("SubscribeAccounts", json!([ACCOUNT]), Some(failed("SubscribeAccounts"))),
        (
            "SubscribeContractDepth",
            json!([MNQ]),
            Some(failed("SubscribeContractDepth") + " HubException: Method does not exist."),
        ),
    ] {
        desk.call(id, method, arguments);
        let completion: Value = serde_json::from_str(&desk.records(id)[0]).unwrap();
        assert_eq!(completion["error"].as_str().map(str::to_string), error, "{completion}");
        assert_eq!(completion.get("result").is_some(), error.is_none(), "{completion}");
    }
    for call in [
        r#"{"type":1,"target":"Nothing","arguments":[]}"#,
        r#"{"type":6}"#,
        r#"{"type":99}"#,
        r#"{"type":5,"invocationId":"1"}"#,
    ] {
        desk.say(id, call);
        assert_eq!(desk.records(id), Vec::<String>::new(), "{call}");
    }
}

#[test]
fn what_is_no_message_ends_the_connection_for_good() {
    for record in [
        "{",
        r#"{"type":1,"invocationId":"1"}"#,
        r#"{"type":1,"invocationId":1,"target":"a","arguments":[]}"#,
    ] {
        let mut desk = Desk::manual();
        let id = desk.connect(Hub::User);
        desk.say(id, record);
        let close = r#"{"type":7,"error":"Connection closed with an error."}"#;
        assert_eq!(desk.records(id), [close, "<close>"], "{record}");
    }
    let mut desk = Desk::manual();
    let id = desk.connect(Hub::User);
    desk.gateway.receive(desk.now, id, &"x".repeat(40_000));
    assert_eq!(desk.records(id).len(), 2, "a message of more than 32 KiB");
    let id = desk.connect(Hub::User);
    desk.say(id, r#"{"type":7}"#);
    assert_eq!(desk.records(id), ["<close>"], "a client that says goodbye");
}

#[test]
fn the_server_pings_after_15_s_and_gives_a_silent_client_30_s() {
    let mut desk = Desk::manual();
    let id = desk.connect(Hub::User);
    desk.wait_ms(14_999);
    assert_eq!(desk.records(id), Vec::<String>::new());
    desk.wait_ms(1);
    assert_eq!(desk.records(id), [r#"{"type":6}"#]);
    desk.say(id, r#"{"type":6}"#);
    desk.wait_ms(15_000);
    assert_eq!(desk.records(id), [r#"{"type":6}"#], "the client spoke, so it lives on");
    desk.wait_ms(15_000);
    assert_eq!(desk.records(id), [r#"{"type":7,"allowReconnect":true}"#, "<close>"]);
    assert_eq!(desk.gateway.next_deadline(), None, "the connection is forgotten");
}

#[test]
fn subscriptions_decide_what_is_sent_and_die_with_the_connection() {
    let mut desk = Desk::manual();
    let hub = desk.connect(Hub::User);
    desk.call(hub, "SubscribePositions", json!([ACCOUNT]));
    desk.records(hub);
    desk.place(json!({}));
    assert_eq!(desk.events(hub), ["position 231 +1@21000"]);
    desk.call(hub, "UnsubscribePositions", json!([ACCOUNT]));
    desk.records(hub);
    desk.place(json!({}));
    assert_eq!(desk.events(hub), Vec::<String>::new());
    desk.fault(json!({"kind": "drop_hub", "hub": "user", "how": "close"}));
    let close = r#"{"type":7,"error":"Connection closed with an error.","allowReconnect":true}"#;
    assert_eq!(desk.records(hub), [close, "<close>"]);
    let again = desk.connect(Hub::User);
    desk.place(json!({}));
    assert_eq!(desk.events(again), Vec::<String>::new(), "nothing is remembered, nothing replayed");
}

#[test]
fn a_reset_ends_without_a_word() {
    let mut desk = Desk::manual();
    let (user, market) = (desk.listen(), desk.connect(Hub::Market));
    desk.place(json!({}));
    desk.fault(json!({"kind": "drop_hub", "hub": "user", "how": "reset"}));
    assert_eq!(desk.gateway.outgoing(user), [Frame::Reset], "what waited is lost");
    assert_eq!(desk.gateway.outgoing(market), []);
}

#[test]
fn quotes_begin_full_and_go_on_with_what_changed() {
    let mut desk = Desk::manual();
    let hub = desk.connect(Hub::Market);
    desk.call(hub, "SubscribeContractQuotes", json!([MNQ]));
    let records = desk.records(hub);
    assert_eq!(records.len(), 2);
    let full: Value = serde_json::from_str(&records[1]).unwrap();
    assert_eq!(full["arguments"][0], MNQ);
    for (member, value) in [
        ("symbol", json!("F.US.MNQ")),
        ("symbolName", json!("/MNQ")),
        ("lastPrice", json!(21_000)),
        ("bestBid", json!(20_999.75)),
        ("bestAsk", json!(21_000.25)),
        ("open", json!(21_000)),
        ("high", json!(21_000)),
    ] {
        assert_eq!(full["arguments"][1][member], value, "{member}");
    }
    desk.wait_ms(125);
    desk.quote(json!({"contractId": MNQ, "bid": 20_999.75, "ask": 21_000.5}));
    let partial: Value = serde_json::from_str(&desk.records(hub)[0]).unwrap();
    let expected = json!({
        "symbol": "F.US.MNQ", "bestAsk": 21_000.5, "contract": MNQ,
        "lastUpdated": "2026-06-22T14:30:00.125+00:00", "timestamp": "2026-06-22T14:30:00.125+00:00"
    });
    assert_eq!(partial["arguments"][1], expected);
}

#[test]
fn a_manual_market_that_nobody_moves_is_quoted_again_every_five_seconds() {
    let mut desk = Desk::manual();
    let hub = desk.connect(Hub::Market);
    desk.call(hub, "SubscribeContractQuotes", json!([MNQ]));
    desk.last("21000");
    desk.records(hub);
    desk.wait_ms(4_999);
    assert_eq!(quoted(&mut desk, hub), Vec::<Value>::new());
    desk.wait_ms(1);
    assert_eq!(quoted(&mut desk, hub), [json!([21_000, 20_999.75, 21_000.25])]);
    desk.wait_ms(2_000);
    desk.last("21001");
    assert_eq!(quoted(&mut desk, hub).len(), 1);
    desk.wait_ms(4_999);
    assert_eq!(quoted(&mut desk, hub), Vec::<Value>::new(), "counted from what was told last");
    desk.wait_ms(10_001);
    assert_eq!(quoted(&mut desk, hub).len(), 3);
    desk.say(hub, r#"{"type":6}"#);
    desk.fault(json!({"kind": "market_closed", "on": true}));
    desk.wait_ms(10_000);
    assert_eq!(quoted(&mut desk, hub), Vec::<Value>::new(), "a closed market is silent");
    desk.clear_faults();
    desk.fault(json!({"kind": "hub_silence", "hub": "market", "ms": 10_000}));
    desk.wait_ms(9_999);
    assert_eq!(quoted(&mut desk, hub), Vec::<Value>::new(), "a dead hub is silent");
    desk.wait_ms(5_000);
    assert!(!quoted(&mut desk, hub).is_empty(), "it speaks again");
}

/// The quotes that wait for a connection: last, bid, ask.
fn quoted(desk: &mut Desk, hub: ConnectionId) -> Vec<Value> {
    let records = desk.records(hub).into_iter().map(|text| serde_json::from_str::<Value>(&text).unwrap());
    let quotes = records.filter(|record| record["target"] == "GatewayQuote");
    let figures =
        |quote: Value| ["lastPrice", "bestBid", "bestAsk"].map(|it| quote["arguments"][1][it].clone());
    quotes.map(|quote| json!(figures(quote))).collect()
}

#[test]
fn prints_and_depth_are_arrays() {
    let mut desk = Desk::manual();
    let hub = desk.connect(Hub::Market);
    desk.call(hub, "SubscribeContractTrades", json!([MNQ]));
    desk.call(hub, "SubscribeContractMarketDepth", json!([MNQ]));
    let records = desk.records(hub);
    let snapshot: Value = serde_json::from_str(&records[2]).unwrap();
    assert_eq!(snapshot["target"], "GatewayDepth");
    assert_eq!(snapshot["arguments"][1].as_array().unwrap().len(), 22, "best prices and ten levels a side");
    desk.last("21001");
    let events: Vec<Value> =
        desk.records(hub).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(events[0]["target"], "GatewayTrade");
    let print = &events[0]["arguments"][1][0];
    assert_eq!(
        (&print["price"], &print["symbolId"], &print["volume"]),
        (&json!(21_001), &json!("F.US.MNQ"), &json!(1))
    );
    let rows = events[1]["arguments"][1].as_array().unwrap();
    let removed: Vec<&Value> =
        rows.iter().filter(|row| row["volume"] == 0).map(|row| &row["price"]).collect();
    assert_eq!(
        removed,
        [&json!(21_000.25), &json!(21_000.5), &json!(21_000.75), &json!(21_001)],
        "asks that were taken"
    );
}

#[test]
fn a_silent_hub_sends_nothing_and_greets_nobody() {
    let mut desk = Desk::manual();
    let (user, market) = (desk.listen(), desk.connect(Hub::Market));
    desk.fault(json!({"kind": "hub_silence", "hub": "user", "ms": 60_000}));
    desk.place(json!({}));
    let late = desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None).unwrap();
    desk.say(late, HELLO);
    desk.wait_ms(20_000);
    assert_eq!(desk.records(user), Vec::<String>::new(), "no events, no pings");
    assert_eq!(desk.records(late), Vec::<String>::new(), "no handshake");
    assert_eq!(desk.records(market), [r#"{"type":6}"#], "the other hub lives");
    desk.wait_ms(40_000);
    assert_eq!(desk.records(late), ["{}"]);
    assert_eq!(desk.records(user), Vec::<String>::new(), "what happened meanwhile is lost");
    desk.place(json!({}));
    assert_eq!(desk.events(user).len(), 6);
}

#[test]
fn clearing_the_faults_ends_a_silence() {
    let mut desk = Desk::manual();
    desk.fault(json!({"kind": "hub_silence", "ms": 600_000}));
    let late = desk.gateway.open(desk.now, Hub::User, Some(&desk.token), None).unwrap();
    desk.say(late, HELLO);
    desk.wait_ms(5_000);
    desk.clear_faults();
    assert_eq!(desk.records(late), ["{}"]);
}

#[test]
fn a_connection_that_does_not_read_is_reset() {
    let mut desk = Desk::new(Settings { journal_limit: 10, ..Settings::new(Market::Manual) });
    let hub = desk.connect(Hub::Market);
    desk.call(hub, "SubscribeContractQuotes", json!([MNQ]));
    for _ in 0..simulator::gateway::OUTGOING_LIMIT {
        desk.last("21000");
    }
    assert_eq!(desk.gateway.outgoing(hub), [Frame::Reset]);
}

#[test]
fn a_walk_quotes_several_times_a_second_and_faster_on_demand() {
    let quotes_in_10_s = |speed: f64| {
        let mut desk = Desk::new(Settings { speed, ..Settings::new(Market::Walk) });
        let hub = desk.connect(Hub::Market);
        desk.call(hub, "SubscribeContractQuotes", json!([MNQ]));
        desk.gateway.advance(desk.now + TimeDelta::seconds(10));
        desk.records(hub).len()
    };
    let (normal, fast) = (quotes_in_10_s(1.0), quotes_in_10_s(10.0));
    assert!((40..=70).contains(&normal), "{normal}");
    assert!((400..=700).contains(&fast), "{fast}");
}

//! Orders in the manual market: what fills, when, at which price, and what is said about it.

use crate::desk::{ACCOUNT, Desk, MNQ};
use serde_json::{Value, json};
use simulator::Hub;

/// Events of one order and what the gateway holds afterwards.
fn check(before: impl FnOnce(&mut Desk), order: Value, prices: &[&str], events: &[&str], truth: &[&str]) {
    let mut desk = Desk::manual();
    before(&mut desk);
    let hub = desk.listen();
    desk.place(order.clone());
    for price in prices {
        desk.last(price);
    }
    assert_eq!(desk.events(hub), events, "{order}");
    assert_eq!(desk.truth(), truth, "{order}");
}

#[test]
fn a_market_order_fills_at_last_in_the_observed_order_of_events() {
    check(
        |_| (),
        json!({"size": 2}),
        &[],
        &[
            "order 417 buy market status 6 0/2",
            "trade 731 buy 2@21000 pnl -",
            "order 417 buy market status 2 2/2",
            "position 231 +2@21000",
            "account 150000 true",
            "account 150000 true",
        ],
        &["position 231 +2@21000"],
    );
}

#[test]
fn a_closing_fill_shows_the_opening_trade_again() {
    check(
        |desk| {
            desk.place(json!({"size": 2}));
            desk.last("21010");
        },
        json!({"side": 1, "size": 2}),
        &[],
        &[
            "order 418 sell market status 6 0/2",
            "order 418 sell market status 2 2/2",
            "trade 732 sell 2@21010 pnl 40",
            "trade 731 buy 2@21000 pnl -",
            "position 231 0@21000",
            "account 150040 true",
            "account 150040 true",
        ],
        &[],
    );
}

#[test]
fn a_flip_closes_the_old_position_and_opens_a_new_one() {
    let flip: &[&str] = &[
        "order 418 sell market status 6 0/3",
        "order 418 sell market status 2 3/3",
        "trade 732 sell 3@21000 pnl 0",
        "trade 731 buy 1@21000 pnl -",
        "position 231 0@21000",
        "position 232 -2@21000",
        "account 150000 true",
        "account 150000 true",
    ];
    let open = |desk: &mut Desk| {
        desk.place(json!({}));
    };
    check(open, json!({"side": 1, "size": 3}), &[], flip, &["position 232 -2@21000"]);
    let mut update = flip.to_vec();
    update.remove(4);
    update[4] = "position 231 -2@21000";
    check(
        |desk| {
            desk.fault(json!({"kind": "flip_as_update", "on": true}));
            open(desk);
        },
        json!({"side": 1, "size": 3}),
        &[],
        &update,
        &["position 231 -2@21000"],
    );
}

/// What an order of one contract comes to while MNQ trades at 21000 and then at the given prices.
fn fill_price(order: Value, prices: &[&str]) -> Option<f64> {
    let mut desk = Desk::manual();
    let id = desk.place(order);
    for price in prices {
        desk.last(price);
    }
    let body = json!({"accountId": ACCOUNT, "orderId": id});
    desk.post("/api/Order/searchById", &body)["order"]["filledPrice"].as_f64()
}

#[test]
fn resting_orders_fill_when_the_market_reaches_them() {
    let buy_limit = |price: f64| json!({"type": 1, "limitPrice": price});
    let sell_limit = |price: f64| json!({"type": 1, "side": 1, "limitPrice": price});
    let buy_stop = |price: f64| json!({"type": 4, "stopPrice": price});
    let sell_stop = |price: f64| json!({"type": 4, "side": 1, "stopPrice": price});
    let stop_limit = |stop: f64, limit: f64| json!({"type": 3, "stopPrice": stop, "limitPrice": limit});
    for (order, prices, expected) in [
        (buy_limit(20_990.0), &["20990.5"][..], None),
        (buy_limit(20_990.0), &["20990"], Some(20_990.0)),
        (buy_limit(20_990.0), &["20980"], Some(20_990.0)),
        (buy_limit(21_010.0), &[], Some(21_000.0)),
        (sell_limit(21_010.0), &["21009.5"], None),
        (sell_limit(21_010.0), &["21010"], Some(21_010.0)),
        (sell_limit(21_010.0), &["21020"], Some(21_010.0)),
        (sell_limit(20_990.0), &[], Some(21_000.0)),
        (buy_stop(21_010.0), &["21009.75"], None),
        (buy_stop(21_010.0), &["21010"], Some(21_010.0)),
        (buy_stop(21_010.0), &["21012"], Some(21_012.0)),
        (sell_stop(20_990.0), &["20990.25"], None),
        (sell_stop(20_990.0), &["20985"], Some(20_985.0)),
        (stop_limit(21_010.0, 21_011.0), &["21009"], None),
        (stop_limit(21_010.0, 21_011.0), &["21010"], Some(21_010.0)),
        (stop_limit(21_010.0, 21_011.0), &["21020"], None),
        (stop_limit(21_010.0, 21_011.0), &["21020", "21011"], Some(21_011.0)),
        (json!({"type": 6}), &["20999.75"], Some(20_999.75)),
        (json!({"type": 7, "side": 1}), &["21000.25"], Some(21_000.25)),
    ] {
        assert_eq!(fill_price(order.clone(), prices), expected, "{order} {prices:?}");
    }
}

#[test]
fn a_quote_without_last_fills_limits_by_the_other_side_of_the_book() {
    let mut desk = Desk::manual();
    let id = desk.place(json!({"type": 1, "limitPrice": 20_990.0}));
    desk.quote(json!({"contractId": MNQ, "bid": 20_989.0, "ask": 20_989.5}));
    let found = desk.post("/api/Order/searchById", &json!({"accountId": ACCOUNT, "orderId": id}));
    assert_eq!((&found["order"]["status"], &found["order"]["filledPrice"]), (&json!(2), &json!(20_990)));
    let stop = desk.place(json!({"type": 4, "side": 1, "stopPrice": 20_995.0}));
    desk.quote(json!({"contractId": MNQ, "bid": 20_980.0, "ask": 20_980.5}));
    let found = desk.post("/api/Order/searchById", &json!({"accountId": ACCOUNT, "orderId": stop}));
    assert_eq!(found["order"]["status"], 1, "stops wait for a trade");
}

#[test]
fn a_trailing_stop_follows_the_market_and_never_turns_back() {
    let mut desk = Desk::manual();
    desk.place(json!({"side": 0}));
    let stop = desk.place(json!({"type": 5, "side": 1, "trailPrice": 20_990.0}));
    for (price, expected) in [
        ("21004", "order 418 sell trailing stop status 1 0/1 stopPrice 20994"),
        ("21001", "order 418 sell trailing stop status 1 0/1 stopPrice 20994"),
        ("21008.25", "order 418 sell trailing stop status 1 0/1 stopPrice 20998.25"),
    ] {
        desk.last(price);
        assert_eq!(desk.truth()[1], expected, "at {price}");
    }
    let row = desk.post("/api/Order/searchById", &json!({"accountId": ACCOUNT, "orderId": stop}));
    assert_eq!((&row["order"]["trailDistance"], &row["order"]["trailPrice"]), (&json!(-40), &json!(-10)));
    desk.last("20998");
    assert_eq!(desk.truth(), Vec::<String>::new(), "stopped out");
    let body = json!({"accountId": ACCOUNT, "orderId": stop});
    assert_eq!(desk.post("/api/Order/searchById", &body)["order"]["filledPrice"], 20_998);
}

#[test]
fn refused_orders_exist_and_say_why_in_the_reply_only() {
    let mut desk = Desk::manual();
    let hub = desk.listen();
    for (order, message) in [
        (json!({"type": 4, "stopPrice": 21_010.1}), "Invalid stop price. Price is not aligned to tick size."),
        (
            json!({"type": 1, "limitPrice": 20_990.1}),
            "Invalid limit price. Price is not aligned to tick size.",
        ),
        (json!({"type": 4, "stopPrice": 20_990.0}), "Invalid stop price"),
        (json!({"type": 1}), "Invalid limit price"),
        (json!({"type": 5, "side": 1}), "Trail Distance not set."),
        (
            json!({"type": 5, "side": 1, "trailPrice": 20_990.1}),
            "Invalid trail price. Price is not aligned to tick size.",
        ),
        (json!({"type": 5, "side": 1, "trailPrice": 20_749.75}), "Trail Distance exceeds maximum (1000)"),
        (json!({"size": 0}), "Invalid order size."),
    ] {
        assert_eq!(desk.place_code(order.clone()), (2, message.to_string()), "{order}");
        let events = desk.events(hub);
        assert_eq!(events.len(), 2, "{events:?}");
        assert!(events[0].contains("status 6") && events[1].contains("status 5"), "{events:?}");
    }
    let reply = desk.place_raw(json!({"size": -1}));
    assert!(reply["orderId"].as_i64().unwrap() > 3_300_000_000, "{reply}");
    assert_eq!(desk.truth(), Vec::<String>::new());
}

#[test]
fn other_refusals_have_codes_and_no_order() {
    let mut desk = Desk::manual();
    assert_eq!(desk.place_code(json!({"accountId": 1})).0, 1);
    assert_eq!(desk.place_code(json!({"contractId": "CON.F.US.XYZ.U26"})).0, 8);
    assert_eq!(desk.place_code(json!({"contractId": "CON.F.US.MNQ.M26"})).0, 9, "the expired month");
    desk.fault(json!({"kind": "can_trade", "accountId": ACCOUNT, "value": false}));
    assert_eq!(desk.place_code(json!({})).0, 4);
    assert_eq!(desk.place_raw(json!({}))["orderId"], Value::Null);
}

#[test]
fn a_tag_is_used_once_even_after_its_order_ended() {
    let mut desk = Desk::manual();
    desk.place(json!({"customTag": "run-1"}));
    assert_eq!(
        desk.place_code(json!({"customTag": "run-1"})),
        (2, "Custom tag is already in use.".to_string())
    );
    desk.place(json!({"customTag": "run-2"}));
}

#[test]
fn modifying_moves_what_belongs_to_the_type_and_refuses_the_rest() {
    let mut desk = Desk::manual();
    desk.place(json!({}));
    let stop = desk.place(json!({"type": 4, "side": 1, "stopPrice": 20_990.0}));
    let path = "/api/Order/modify";
    let modify = |members: Value| {
        let mut body = json!({"accountId": ACCOUNT, "orderId": stop});
        for (member, value) in members.as_object().unwrap() {
            body[member] = value.clone();
        }
        body
    };
    for (members, code, message) in [
        (json!({"stopPrice": 20_995.0, "limitPrice": 1.0}), 0, "-"),
        (json!({"stopPrice": 20_995.1}), 3, "Invalid stop price. Price is not aligned to tick size."),
        (json!({"stopPrice": 21_005.0}), 3, "Invalid stop price"),
        (json!({"size": 0}), 3, "Invalid order size."),
        (json!({"size": 3, "stopPrice": null}), 0, "-"),
        (json!({"orderId": 5}), 2, "-"),
        (json!({"accountId": 5}), 1, "-"),
    ] {
        assert_eq!(desk.code(path, &modify(members.clone())), (code, message.to_string()), "{members}");
    }
    assert_eq!(desk.truth()[1], "order 418 sell stop status 1 0/3 stopPrice 20995");
    desk.last("20990");
    assert_eq!(desk.code(path, &modify(json!({"size": 1}))).0, 2, "ended");
}

#[test]
fn a_limit_that_is_moved_through_the_market_fills() {
    let mut desk = Desk::manual();
    let limit = desk.place(json!({"type": 1, "limitPrice": 20_900.0}));
    let body = json!({"accountId": ACCOUNT, "orderId": limit, "limitPrice": 21_050.0});
    assert_eq!(desk.code("/api/Order/modify", &body).0, 0);
    assert_eq!(desk.truth(), ["position 231 +1@21000"]);
}

#[test]
fn cancelling_ends_working_orders_only() {
    let mut desk = Desk::manual();
    let hub = desk.listen();
    let limit = desk.place(json!({"type": 1, "limitPrice": 20_900.0}));
    let path = "/api/Order/cancel";
    let body = json!({"accountId": ACCOUNT, "orderId": limit});
    desk.wait_ms(1_500);
    desk.events(hub);
    assert_eq!(desk.code(path, &body).0, 0);
    assert_eq!(desk.events(hub), ["order 417 buy limit status 3 0/1 limitPrice 20900"]);
    assert_eq!(desk.code(path, &body).0, 2, "twice");
    assert_eq!(desk.code(path, &json!({"accountId": 9, "orderId": limit})).0, 1);
    let row = desk.post("/api/Order/searchById", &body);
    assert_eq!(row["order"]["creationTimestamp"], "2026-06-22T14:30:00+00:00");
    assert_eq!(row["order"]["updateTimestamp"], "2026-06-22T14:30:01.5+00:00", "a cancel moves the stamp");
}

#[test]
fn partial_fills_come_in_several_trades() {
    let mut desk = Desk::manual();
    desk.fault(json!({"kind": "partial_fills", "on": true}));
    let hub = desk.listen();
    desk.place(json!({"size": 10}));
    let events = desk.events(hub);
    let trades: Vec<i64> = events
        .iter()
        .filter_map(|line| {
            line.strip_prefix("trade ")?.split_once(" buy ")?.1.split_once('@')?.0.parse().ok()
        })
        .collect();
    assert!((2..=3).contains(&trades.len()), "{events:?}");
    assert_eq!(trades.iter().sum::<i64>(), 10);
    assert!(events.contains(&format!("order 417 buy market status 1 {}/10", trades[0])), "{events:?}");
    assert_eq!(desk.truth(), ["position 231 +10@21000"]);
}

#[test]
fn money_of_fills_goes_to_the_balance_net() {
    let mut desk = Desk::new(simulator::Settings::new(simulator::Market::Manual));
    desk.last("21000");
    let hub = desk.listen();
    desk.place(json!({"size": 2}));
    desk.last("20990");
    desk.place(json!({"side": 1, "size": 2}));
    let trades: Vec<Value> = desk
        .records(hub)
        .iter()
        .map(|record| serde_json::from_str::<Value>(record).unwrap())
        .filter(|message| message["target"] == "GatewayUserTrade")
        .map(|message| message["arguments"][0]["data"].clone())
        .collect();
    assert_eq!((&trades[0]["fees"], &trades[0]["commissions"]), (&json!(0.72), &json!(0.5)));
    assert!(trades[0].get("profitAndLoss").is_none(), "absent on an opening half-turn");
    assert_eq!(trades[1]["profitAndLoss"], -40);
    assert!((desk.balance() - (150_000.0 - 40.0 - 2.44)).abs() < 1e-9);
    let account = &desk.get("/sim/accounts")[0];
    assert_eq!(account["realized"], json!({"gross": -40, "fees": 2.44}));
    let search = json!({"accountId": ACCOUNT, "startTimestamp": "2026-06-22T00:00:00Z"});
    let rows = desk.post("/api/Trade/search", &search)["trades"].clone();
    assert_eq!(rows[0]["profitAndLoss"], -40, "newest first");
    assert_eq!(rows[1]["profitAndLoss"], Value::Null, "null in REST");
}

#[test]
fn a_market_without_posted_prices_fills_at_its_opening_price() {
    let mut desk = Desk::new(simulator::Settings::new(simulator::Market::Manual));
    desk.place(json!({}));
    assert_eq!(desk.truth(), ["position 231 +1@24800"]);
    let hub = desk.connect(Hub::Market);
    desk.call(hub, "SubscribeContractQuotes", json!([MNQ]));
    let snapshot: Value = serde_json::from_str(&desk.records(hub)[1]).unwrap();
    assert_eq!(snapshot["arguments"][1]["lastPrice"], 24_800);
}

//! Brackets: suspended children, their activation, one cancelling the other, orphans.

use crate::desk::{ACCOUNT, Desk, MNQ};
use serde_json::{Value, json};
use simulator::{AccountSettings, Costs, FillDelay, Market, Settings};

fn brackets(stop: i64, target: i64) -> Value {
    json!({"stopLossBracket": {"ticks": stop, "type": 4}, "takeProfitBracket": {"ticks": target, "type": 1}})
}

fn bracketed(mut order: Value) -> Value {
    for (member, value) in brackets(-40, 80).as_object().unwrap() {
        order[member] = value.clone();
    }
    order
}

#[test]
fn children_are_born_suspended_and_work_after_the_fill() {
    let mut desk = Desk::manual();
    let hub = desk.listen();
    desk.place(bracketed(json!({"customTag": "run7-0001"})));
    assert_eq!(
        desk.events(hub),
        [
            "order 418 sell stop status 8 0/1",
            "order 417 buy market status 6 0/1",
            "order 419 sell limit status 8 0/1",
            "trade 731 buy 1@21000 pnl -",
            "order 417 buy market status 2 1/1",
            "position 231 +1@21000",
            "account 150000 true",
            "account 150000 true",
            "order 419 sell limit status 1 0/1 limitPrice 21020",
            "order 418 sell stop status 1 0/1 stopPrice 20990",
        ]
    );
    let orders = desk.post("/api/Order/searchOpen", &json!({"accountId": ACCOUNT}))["orders"].clone();
    let expected = |members: [&str; 3]| members.map(|member| orders[1][member].clone());
    assert_eq!(orders[0]["customTag"], "run7-0001-SL");
    assert_eq!(orders[0]["parentOrderId"], 3_300_000_417_i64);
    assert!(orders[0].get("linkedOrderId").is_none(), "only the take profit names its sibling");
    assert_eq!(
        expected(["customTag", "parentOrderId", "linkedOrderId"]),
        [json!("run7-0001-TP"), json!(3_300_000_417_i64), json!(3_300_000_418_i64)]
    );
    assert_eq!((&orders[1]["trailDistance"], &orders[1]["trailPrice"]), (&json!(80), &json!(20)));
}

#[test]
fn suspended_children_are_in_no_list() {
    let mut desk = Desk::manual();
    let entry = desk.place(bracketed(json!({"type": 1, "limitPrice": 20_950.0})));
    let list = |desk: &mut Desk, path: &str| {
        let body = json!({"accountId": ACCOUNT, "startTimestamp": "2026-06-22T00:00:00Z"});
        desk.post(path, &body)["orders"].as_array().unwrap().len()
    };
    assert_eq!(list(&mut desk, "/api/Order/searchOpen"), 1);
    assert_eq!(list(&mut desk, "/api/Order/search"), 1);
    let query = json!({"filter": {"accountId": ACCOUNT, "statuses": [8]}, "includeTotalCount": true});
    assert_eq!(desk.post("/api/Order/v2/query", &query)["totalCount"], 0);
    let child = json!({"accountId": ACCOUNT, "orderId": entry + 1});
    assert_eq!(desk.code("/api/Order/searchById", &child).0, 1);
    assert_eq!(desk.code("/api/Order/cancel", &child).0, 2);
    assert_eq!(desk.truth().len(), 3, "but the simulator's own truth shows them");
}

#[test]
fn one_leg_fills_and_the_other_is_cancelled() {
    for (price, ends, balance) in [
        (
            "21020",
            [
                "order 419 sell limit status 2 1/1 limitPrice 21020",
                "order 418 sell stop status 3 0/1 stopPrice 20990",
            ],
            150_040.0,
        ),
        (
            "20985",
            [
                "order 418 sell stop status 2 1/1 stopPrice 20990",
                "order 419 sell limit status 3 0/1 limitPrice 21020",
            ],
            149_970.0,
        ),
    ] {
        let mut desk = Desk::manual();
        desk.place(bracketed(json!({})));
        let hub = desk.listen();
        desk.last(price);
        let events = desk.events(hub);
        assert_eq!([events.first().unwrap(), events.last().unwrap()], ends, "{events:?}");
        assert_eq!(desk.truth(), Vec::<String>::new());
        assert_eq!(desk.balance(), balance);
    }
}

#[test]
fn children_end_with_an_entry_that_never_filled() {
    let mut desk = Desk::manual();
    let entry = desk.place(bracketed(json!({"type": 1, "limitPrice": 20_950.0})));
    let hub = desk.listen();
    assert_eq!(desk.code("/api/Order/cancel", &json!({"accountId": ACCOUNT, "orderId": entry})).0, 0);
    assert_eq!(
        desk.events(hub),
        [
            "order 417 buy limit status 3 0/1 limitPrice 20950",
            "order 419 sell limit status 3 0/1",
            "order 418 sell stop status 3 0/1",
        ]
    );
}

#[test]
fn closing_leaves_the_children_and_an_orphaned_stop_opens_a_position() {
    let mut desk = Desk::manual();
    desk.place(bracketed(json!({})));
    assert_eq!(desk.close().0, 0);
    assert_eq!(desk.truth().len(), 2, "both children still work");
    desk.last("20990");
    assert_eq!(desk.truth(), ["position 232 -1@20990"]);
}

#[test]
fn changing_or_cancelling_one_leg_leaves_the_other() {
    let mut desk = Desk::manual();
    let entry = desk.place(bracketed(json!({})));
    let stop = json!({"accountId": ACCOUNT, "orderId": entry + 1, "stopPrice": 20_980.0});
    assert_eq!(desk.code("/api/Order/modify", &stop).0, 0);
    assert_eq!(desk.code("/api/Order/cancel", &json!({"accountId": ACCOUNT, "orderId": entry + 2})).0, 0);
    assert_eq!(desk.truth(), ["position 231 +1@21000", "order 418 sell stop status 1 0/1 stopPrice 20980"]);
}

#[test]
fn ticks_are_signed_and_at_least_four() {
    let far = |name: &str, ticks: i64| {
        format!("Invalid {name} ticks ({ticks}). Price should be at least 4 ticks away.")
    };
    let sign = |name: &str, ticks: i64, direction: &str, way: &str| {
        format!("Invalid {name} ticks ({ticks}). Ticks should be {way} than zero when {direction}.")
    };
    for (side, stop, target, message) in [
        (0, 40, 80, sign("stop loss", 40, "longing", "less")),
        (0, -40, -80, sign("take profit", -80, "longing", "greater")),
        (1, -40, -80, sign("stop loss", -40, "shorting", "greater")),
        (1, 40, 80, sign("take profit", 80, "shorting", "less")),
        (0, -1, 80, far("stop loss", -1)),
        (1, 40, -3, far("take profit", -3)),
    ] {
        let mut desk = Desk::manual();
        let mut order = brackets(stop, target);
        order["side"] = json!(side);
        assert_eq!(desk.place_code(order), (2, message));
    }
    let mut desk = Desk::manual();
    let mut short = brackets(40, -80);
    short["side"] = json!(1);
    desk.place(short);
    assert_eq!(
        desk.truth(),
        [
            "position 231 -1@21000",
            "order 418 buy stop status 1 0/1 stopPrice 21010",
            "order 419 buy limit status 1 0/1 limitPrice 20980",
        ]
    );
}

#[test]
fn an_account_with_position_brackets_refuses_them() {
    let accounts =
        AccountSettings::several(1).into_iter().map(|one| AccountSettings { auto_oco: false, ..one });
    let mut desk = Desk::new(Settings { accounts: accounts.collect(), ..Settings::new(Market::Manual) });
    let refusal = "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets.";
    assert_eq!(desk.place_code(bracketed(json!({}))), (2, refusal.to_string()));
}

#[test]
fn an_entry_cancelled_half_way_keeps_children_for_what_was_filled() {
    let fill_delay = Some(FillDelay { min_ms: 5, max_ms: 5 });
    let mut desk = Desk::new(Settings { costs: Costs::Zero, fill_delay, ..Settings::new(Market::Scenario) });
    desk.last("21000");
    desk.fault(json!({"kind": "partial_fills", "on": true}));
    desk.place(bracketed(json!({"size": 6})));
    desk.wait_ms(100);
    let truth = desk.truth();
    assert_eq!(truth[0], "position 231 +6@21000");
    assert_eq!(truth[1], "order 418 sell stop status 1 0/6 stopPrice 20990");
}

/// Where things take time: activation after 18 and 19 ms, the other leg's end after 11 to 14 ms.
#[test]
fn outside_the_manual_market_things_take_their_time() {
    let fill_delay = Some(FillDelay { min_ms: 40, max_ms: 40 });
    let mut desk = Desk::new(Settings { costs: Costs::Zero, fill_delay, ..Settings::new(Market::Scenario) });
    desk.last("21000");
    let hub = desk.listen();
    desk.place(bracketed(json!({})));
    assert_eq!(desk.events(hub).len(), 3, "nothing but the three orders");
    desk.wait_ms(40);
    let fill = desk.events(hub);
    assert_eq!(fill[0], "trade 731 buy 1@21000 pnl -");
    desk.wait_ms(20);
    assert_eq!(desk.truth().len(), 3);
    desk.wait_ms(1_000);
    let repeats = desk.events(hub).iter().filter(|line| line.starts_with("account")).count();
    assert!((1..=3).contains(&repeats), "the account event was repeated {repeats} times");
    desk.quote(json!({"contractId": MNQ, "last": 21_020.0}));
    desk.wait_ms(40);
    assert_eq!(desk.truth().len(), 1, "the stop lives a little longer");
    desk.wait_ms(14);
    assert_eq!(desk.truth(), Vec::<String>::new());
}

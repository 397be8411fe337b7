//! Closing: codes, partial closes, races, and what the searches show.

use crate::desk::{ACCOUNT, Desk, ES, MNQ};
use serde_json::{Value, json};
use simulator::{FillDelay, Market, Settings};

const CLOSE: &str = "/api/Position/closeContract";
const PARTIAL: &str = "/api/Position/partialCloseContract";

fn on_mnq(size: i64) -> Value {
    json!({"accountId": ACCOUNT, "contractId": MNQ, "size": size})
}

#[test]
fn closing_sends_an_untagged_market_order_for_everything() {
    let mut desk = Desk::manual();
    desk.place(json!({"size": 3, "customTag": "mine"}));
    assert_eq!(desk.close().0, 0);
    assert_eq!(desk.truth(), Vec::<String>::new());
    let search = json!({"accountId": ACCOUNT, "startTimestamp": "2026-06-22T00:00:00Z"});
    let orders = desk.post("/api/Order/search", &search)["orders"].clone();
    let order = &orders[1];
    assert_eq!((&order["type"], &order["side"], &order["size"]), (&json!(2), &json!(1), &json!(3)));
    assert_eq!(order["customTag"], Value::Null);
    assert_eq!(desk.close().0, 2, "already flat");
}

#[test]
fn closes_are_refused_by_code() {
    let mut desk = Desk::manual();
    for (contract, account, code) in
        [(MNQ, 5, 1), ("CON.F.US.XYZ.U26", ACCOUNT, 3), ("CON.F.US.MNQ.M26", ACCOUNT, 4), (ES, ACCOUNT, 2)]
    {
        let body = json!({"accountId": account, "contractId": contract, "size": 1});
        assert_eq!(desk.code(CLOSE, &body).0, code, "{contract}");
        assert_eq!(desk.code(PARTIAL, &body).0, code, "{contract}");
    }
    desk.place(json!({"size": 2}));
    for size in [0, -1, 3] {
        assert_eq!(desk.code(PARTIAL, &on_mnq(size)).0, 5, "size {size}");
    }
    desk.fault(json!({"kind": "market_closed", "on": true}));
    let shut = "Trading is currently unavailable. The instrument is not in an active trading status.";
    assert_eq!(desk.close(), (5, shut.to_string()));
    assert_eq!(desk.code(PARTIAL, &on_mnq(1)), (6, "-".to_string()));
    assert_eq!(desk.place_code(json!({})), (2, shut.to_string()));
    desk.last("21001");
    desk.clear_faults();
    desk.fault(json!({"kind": "live_account", "accountId": ACCOUNT, "value": true}));
    assert_eq!(desk.code(PARTIAL, &on_mnq(1)).0, 9);
    assert_eq!(desk.close().0, 0, "a whole close is not refused on live accounts");
}

#[test]
fn a_partial_close_keeps_id_and_average() {
    let mut desk = Desk::manual();
    desk.place(json!({"size": 3}));
    desk.last("21005");
    desk.place(json!({"size": 1}));
    assert_eq!(desk.truth(), ["position 231 +4@21001.25"]);
    assert_eq!(desk.code(PARTIAL, &on_mnq(1)).0, 0);
    assert_eq!(desk.truth(), ["position 231 +3@21001.25"]);
    assert_eq!(desk.balance(), 150_007.5);
    let wrong_member = json!({"accountId": ACCOUNT, "contractId": MNQ, "closeSize": 1});
    assert_eq!(desk.send(PARTIAL, &wrong_member).status, 400);
}

/// Two closes before the first is booked: the second opens the opposite position (gateway reference 9.7).
#[test]
fn two_closes_in_quick_succession_flip_where_fills_take_time() {
    let mut desk = Desk::new(Settings {
        fill_delay: Some(FillDelay { min_ms: 20, max_ms: 20 }),
        ..Settings::new(Market::Walk)
    });
    desk.place(json!({"size": 2}));
    desk.wait_ms(20);
    assert_eq!(desk.close().0, 0);
    desk.wait_ms(10);
    assert_eq!(desk.close().0, 0);
    desk.wait_ms(20);
    let truth = desk.truth();
    assert!(truth[0].starts_with("position 232 -2@"), "{truth:?}");
}

#[test]
fn in_the_manual_market_a_second_close_finds_nothing_unless_fills_are_held_back() {
    let mut desk = Desk::manual();
    desk.place(json!({}));
    assert_eq!([desk.close().0, desk.close().0], [0, 2]);
    desk.place(json!({}));
    desk.fault(json!({"kind": "fill_latency", "ms": 500}));
    assert_eq!([desk.close().0, desk.close().0], [0, 0]);
    desk.wait_ms(499);
    assert_eq!(desk.truth()[0], "position 232 +1@21000");
    desk.wait_ms(1);
    assert_eq!(desk.truth(), ["position 233 -1@21000"]);
}

#[test]
fn an_order_that_is_filling_can_no_longer_be_changed() {
    let mut desk = Desk::manual();
    desk.fault(json!({"kind": "fill_latency", "ms": 500}));
    let id = desk.place(json!({}));
    let body = json!({"accountId": ACCOUNT, "orderId": id, "size": 2});
    assert_eq!(desk.code("/api/Order/cancel", &body).0, 4);
    assert_eq!(desk.code("/api/Order/modify", &body).0, 4);
    let open = desk.post("/api/Order/searchOpen", &json!({"accountId": ACCOUNT}));
    assert_eq!(open["orders"], json!([]), "pending orders are not listed");
}

#[test]
fn a_position_is_shown_as_the_gateway_shows_it() {
    let mut desk = Desk::manual();
    desk.place(json!({"side": 1, "size": 2}));
    let reply = desk.post("/api/Position/searchOpen", &json!({"accountId": ACCOUNT}));
    let expected = json!([{
        "id": 810_000_231, "accountId": ACCOUNT, "contractId": MNQ, "contractDisplayName": "MNQU26",
        "creationTimestamp": "2026-06-22T14:30:00+00:00", "type": 2, "size": 2, "averagePrice": 21_000
    }]);
    assert_eq!(reply["positions"], expected);
    let unknown = desk.post("/api/Position/searchOpen", &json!({"accountId": 5}));
    assert_eq!(unknown, json!({"positions": null, "success": false, "errorCode": 1, "errorMessage": null}));
}

#[test]
fn accounts_are_strangers_to_each_other() {
    let accounts = simulator::AccountSettings::several(3);
    let mut desk = Desk::new(Settings { accounts, ..Settings::new(Market::Manual) });
    let reply = desk.post("/api/Account/search", &json!({"onlyActiveAccounts": true}));
    let accounts = reply["accounts"].as_array().unwrap();
    let names: Vec<&str> = accounts.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["PRAC-V2-700001-40000017", "50KTC-V2-700001-51015101", "150KTC-V2-700001-51015102"]);
    let second = accounts[1]["id"].as_i64().unwrap();
    desk.place(json!({"accountId": second}));
    assert_eq!(desk.truth(), Vec::<String>::new());
    assert_eq!(desk.close().0, 2);
    let truth = desk.get("/sim/accounts");
    assert_eq!(truth[1]["positions"].as_array().unwrap().len(), 1);
    assert_eq!(truth[1]["fills"].as_array().unwrap().len(), 1);
}

#[test]
fn the_truth_shows_what_clients_cannot_see() {
    let mut desk = Desk::manual();
    let entry = json!({
        "type": 1, "limitPrice": 20_990, "size": 2,
        "stopLossBracket": {"ticks": -40, "type": 4}, "takeProfitBracket": {"ticks": 40, "type": 1},
    });
    desk.place(entry);
    let shown = |desk: &Desk| {
        let truth = desk.gateway.truth(ACCOUNT);
        let positions = truth.positions.iter().map(|it| format!("{} {}", it.symbol, it.exposure.0));
        let orders = truth.orders.iter().map(|it| format!("{:?} {:?} {}", it.kind, it.status, it.size));
        positions.chain(orders).collect::<Vec<_>>()
    };
    assert_eq!(shown(&desk), ["Limit Open 2", "Stop Suspended 2", "Limit Suspended 2"]);
    desk.last("20990");
    assert_eq!(shown(&desk), ["MNQ 2", "Stop Open 2", "Limit Open 2"]);
    let fills: Vec<_> = desk.gateway.executions_after(0).collect();
    assert_eq!((fills.len(), fills[0].size.0, fills[0].pnl), (1, 2, None));
    let last: i64 = fills[0].id.as_str().parse().unwrap();
    assert_eq!(desk.gateway.executions_after(last).count(), 0);
    assert_eq!(desk.gateway.execution(last), Some(fills[0].clone()));
    let worth = desk.gateway.instrument(&MNQ.into()).map(|it| it.tick_value.to_string());
    assert_eq!(worth.as_deref(), Some("0.50"));
}

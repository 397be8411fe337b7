//! The REST border: logins, tokens, statuses, envelopes, searches, bars, limits.

use crate::desk::{ACCOUNT, Desk, ES, MNQ, start};
use serde_json::{Value, json};
use simulator::{Gateway, HttpRequest, HttpResponse, Market, Method, Settings};

const SEARCH: &str = "/api/Account/search";

fn body(response: &HttpResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn the_login_answers_as_documented() {
    let mut gateway = Gateway::new(Settings::new(Market::Manual), start());
    let (user, key) = gateway.credentials();
    let (user, key) = (user.to_string(), key.to_string());
    let mut login =
        |body: Value| gateway.handle(start(), &HttpRequest::post("/api/Auth/loginKey", None, &body).unwrap());
    let refused = json!({"token": null, "success": false, "errorCode": 3, "errorMessage": null});
    let response = login(json!({"userName": user, "apiKey": "wrong"}));
    assert_eq!((response.status, body(&response)), (200, refused.clone()));
    assert_eq!(body(&login(json!({"userName": "nobody", "apiKey": key}))), refused);
    let good = body(&login(json!({"userName": user.to_uppercase(), "apiKey": key})));
    assert_eq!((&good["success"], &good["errorCode"]), (&json!(true), &json!(0)));
    assert_eq!(good["token"].as_str().unwrap().split('.').count(), 3);
    let missing = login(json!({"userName": user}));
    assert_eq!(
        (missing.status, missing.header("content-type")),
        (400, Some("application/problem+json; charset=utf-8"))
    );
    assert_eq!(body(&missing)["status"], 400);
    assert!(body(&missing)["errors"]["$"][0].as_str().unwrap().contains("apiKey"));
}

#[test]
fn the_application_login_is_refused_for_want_of_a_licence() {
    let mut desk = Desk::manual();
    let user = desk.gateway.credentials().0.to_string();
    let login = |user: &str| json!({"userName": user, "password": "p", "deviceId": "d", "appId": "a", "verifyKey": "v"});
    assert_eq!(desk.code("/api/Auth/loginApp", &login(&user)).0, 4);
    assert_eq!(desk.code("/api/Auth/loginApp", &login("nobody")).0, 1);
    assert_eq!(desk.send("/api/Auth/loginApp", &json!({"userName": user})).status, 400);
}

#[test]
fn tokens_are_renewed_ended_and_expire() {
    let mut desk = Desk::manual();
    let old = desk.token.clone();
    let renewed = desk.post("/api/Auth/validate", &json!({}))["newToken"].as_str().unwrap().to_string();
    assert_ne!(renewed, old);
    let status = |desk: &mut Desk, token: &str| {
        desk.token = token.to_string();
        let response = desk.send(SEARCH, &json!({"onlyActiveAccounts": true}));
        assert!(response.status == 200 || response.body.is_empty());
        response.status
    };
    assert_eq!(
        [status(&mut desk, &old), status(&mut desk, &renewed), status(&mut desk, "x")],
        [200, 200, 401]
    );
    desk.token = old.clone();
    assert_eq!(desk.code("/api/Auth/logout", &json!({})).0, 0);
    assert_eq!([status(&mut desk, &old), status(&mut desk, &renewed)], [401, 200], "this token only");
    desk.wait_ms(24 * 3_600_000 - 1);
    assert_eq!(status(&mut desk, &renewed), 200);
    desk.wait_ms(1);
    assert_eq!(status(&mut desk, &renewed), 401, "24 hours");
    assert_eq!(desk.send("/api/Auth/validate", &json!({})).status, 401);
}

#[test]
fn a_logout_is_told_to_the_hubs_of_its_token() {
    let mut desk = Desk::manual();
    let hub = desk.connect(simulator::Hub::Market);
    desk.post("/api/Auth/logout", &json!({}));
    assert_eq!(desk.records(hub), [r#"{"type":1,"target":"GatewayLogout","arguments":[{}]}"#]);
}

#[test]
fn statuses_without_business() {
    let mut desk = Desk::manual();
    for (method, path, status) in [
        (Method::Post, "/api/Position/close", 404),
        (Method::Post, "/", 404),
        (Method::Get, SEARCH, 405),
        (Method::Post, "/api/Status/ping", 405),
        (Method::Get, "/hubs/user", 400),
        (Method::Post, "/hubs/user/negotiate", 401),
        (Method::Post, SEARCH, 401),
    ] {
        let request = HttpRequest { method, ..HttpRequest::get(path) };
        assert_eq!(desk.gateway.handle(desk.now, &request).status, status, "{method:?} {path}");
    }
    let ping = desk.gateway.handle(desk.now, &HttpRequest::get("/api/Status/ping"));
    assert_eq!((ping.status, ping.body.as_slice()), (200, b"pong".as_slice()));
    assert_eq!(ping.header("date"), Some("Mon, 22 Jun 2026 14:30:00 GMT"));
    assert_eq!(desk.send("/api/account/SEARCH", &json!({"onlyActiveAccounts": true})).status, 200);
}

#[test]
fn bodies_that_are_not_of_the_form_are_problems() {
    let mut desk = Desk::manual();
    let order = |member: &str, value: Value| {
        let mut order = json!({"accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1});
        order[member] = value;
        order
    };
    for (path, body) in [
        (SEARCH, json!({})),
        (SEARCH, json!({"onlyActiveAccounts": "perhaps"})),
        ("/api/Order/place", order("type", json!(8))),
        ("/api/Order/place", order("side", json!(2))),
        ("/api/Order/place", order("size", json!("many"))),
        ("/api/Order/place", order("stopLossBracket", json!({"ticks": -40}))),
        ("/api/Order/search", json!({"accountId": ACCOUNT, "startTimestamp": "yesterday"})),
        ("/api/Trade/search", json!({"accountId": ACCOUNT})),
        ("/api/Order/v2/query", json!({"filter": {"accountId": ACCOUNT, "statuses": [9]}})),
        ("/api/Order/v2/query", json!({"filter": {"accountId": ACCOUNT}, "pageSize": 0})),
        ("/api/Order/v2/query", json!({"filter": {"accountId": ACCOUNT}, "sortBy": 2})),
    ] {
        let response = desk.send(path, &body);
        assert_eq!(response.status, 400, "{path} {body}");
        let problem: Value = serde_json::from_slice(&response.body).unwrap();
        assert!(
            problem["title"].is_string() && problem["traceId"].is_string() && problem["errors"].is_object()
        );
    }
    assert_eq!(desk.post("/api/Order/place", &order("linkedOrderId", Value::Null))["success"], true);
    let mut form = HttpRequest::post(SEARCH, Some(&desk.token), &json!({})).unwrap();
    form.content_type = Some("application/x-www-form-urlencoded".to_string());
    assert_eq!(desk.gateway.handle(desk.now, &form).status, 415);
    form.content_type = Some("application/json; charset=utf-8".to_string());
    form.body = Vec::new();
    assert_eq!(desk.gateway.handle(desk.now, &form).status, 400);
}

#[test]
fn contracts_are_found() {
    let mut desk = Desk::manual();
    let count = |desk: &mut Desk, live: bool| {
        desk.post("/api/Contract/available", &json!({"live": live}))["contracts"].as_array().unwrap().len()
    };
    assert_eq!((count(&mut desk, false), count(&mut desk, true)), (51, 0));
    let found = desk.post("/api/Contract/search", &json!({"searchText": "ES", "live": false}));
    assert_eq!(found["contracts"][0]["id"], ES);
    let all = desk.post("/api/Contract/search", &json!({"live": false}));
    assert_eq!(all["contracts"].as_array().unwrap().len(), 20);
    let expired = desk.post("/api/Contract/searchById", &json!({"contractId": "CON.F.US.MNQ.M26"}));
    assert_eq!(expired["contract"]["activeContract"], false);
    let unknown = desk.post("/api/Contract/searchById", &json!({"contractId": "con.f.us.mnq.u26"}));
    assert_eq!(unknown, json!({"contract": null, "success": false, "errorCode": 1, "errorMessage": null}));
}

#[test]
fn bars_come_from_the_posted_prices() {
    let mut desk = Desk::manual();
    desk.wait_ms(61_000);
    desk.last("21010");
    desk.wait_ms(10_000);
    desk.last("21005");
    let query = |unit: i64, number: i64, limit: i64, partial: bool| {
        json!({
            "contractId": MNQ, "live": false, "startTime": "2026-06-22T00:00:00Z", "endTime": "2026-06-23T00:00:00Z",
            "unit": unit, "unitNumber": number, "limit": limit, "includePartialBar": partial
        })
    };
    let bars = desk.post("/api/History/retrieveBars", &query(2, 1, 10, true))["bars"].clone();
    assert_eq!(
        bars,
        json!([
            {"t": "2026-06-22T14:31:00+00:00", "o": 21_010, "h": 21_010, "l": 21_005, "c": 21_005, "v": 2},
            {"t": "2026-06-22T14:30:00+00:00", "o": 21_000, "h": 21_000, "l": 21_000, "c": 21_000, "v": 1},
        ])
    );
    let whole = desk.post("/api/History/retrieveBars", &query(2, 1, 10, false))["bars"].clone();
    assert_eq!(whole.as_array().unwrap().len(), 1);
    for (unit, number, limit, code) in
        [(0, 1, 1, 2), (7, 1, 1, 2), (2, 0, 1, 3), (2, 1, 0, 4), (2, 1, 20_001, 4)]
    {
        let refused = desk.code("/api/History/retrieveBars", &query(unit, number, limit, true));
        assert_eq!(refused.0, code, "unit {unit}, number {number}, limit {limit}");
    }
    let mut unknown = query(2, 1, 1, true);
    unknown["contractId"] = json!("CON");
    assert_eq!(desk.code("/api/History/retrieveBars", &unknown).0, 1);
}

#[test]
fn orders_are_paged() {
    let mut desk = Desk::manual();
    for price in 0..5 {
        desk.place(json!({"type": 1, "limitPrice": 20_900 + price}));
        desk.wait_ms(1_000);
    }
    desk.place(json!({"contractId": ES}));
    let page = |desk: &mut Desk, members: Value| {
        let mut query = json!({"filter": {"accountId": ACCOUNT, "contractId": MNQ}});
        for (member, value) in members.as_object().unwrap() {
            query[member] = value.clone();
        }
        let reply = desk.post("/api/Order/v2/query", &query);
        let ids = reply["orders"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap() % 1_000);
        (ids.collect::<Vec<_>>(), reply["totalCount"].clone())
    };
    assert_eq!(page(&mut desk, json!({})), (vec![417, 418, 419, 420, 421], Value::Null));
    let newest = json!({"pageSize": 2, "pageOffset": 1, "sortDirection": 1, "includeTotalCount": true});
    assert_eq!(page(&mut desk, newest), (vec![420, 419], json!(5)));
    let window = json!({"filter": {
        "accountId": ACCOUNT, "contractId": MNQ,
        "createdAfter": "2026-06-22T14:30:01Z", "createdBefore": "2026-06-22T14:30:02Z"
    }});
    assert_eq!(page(&mut desk, window).0, [418, 419]);
    let filled = json!({"filter": {"accountId": ACCOUNT, "statuses": [2]}});
    assert_eq!(page(&mut desk, filled).0, [422]);
    assert_eq!(desk.code("/api/Order/v2/query", &json!({"filter": {"accountId": 5}})).0, 1);
}

#[test]
fn the_rate_limit_holds_per_token_and_is_off_in_the_manual_market() {
    let status = |desk: &mut Desk, path: &str| {
        let response = desk.send(path, &json!({"onlyActiveAccounts": true}));
        (response.status, response.header("retry-after").map(str::to_string), response.body.is_empty())
    };
    let mut desk = Desk::manual();
    for _ in 0..300 {
        assert_eq!(status(&mut desk, SEARCH).0, 200);
    }
    desk.fault(json!({"kind": "rate_limit", "on": true, "retry_after": true}));
    for _ in 0..200 {
        assert_eq!(status(&mut desk, SEARCH).0, 200);
    }
    assert_eq!(status(&mut desk, SEARCH), (429, Some("60".to_string()), true));
    for _ in 0..50 {
        assert_eq!(status(&mut desk, "/api/History/retrieveBars").0, 400, "bars are counted apart");
    }
    assert_eq!(status(&mut desk, "/api/History/retrieveBars").0, 429);
    desk.token = desk.log_in();
    assert_eq!(status(&mut desk, SEARCH).0, 200, "another token");
    let mut walk = Desk::walk(1);
    for _ in 0..200 {
        assert_eq!(status(&mut walk, SEARCH).0, 200);
    }
    assert_eq!(status(&mut walk, SEARCH), (429, None, true));
    walk.wait_ms(60_000);
    assert_eq!(status(&mut walk, SEARCH).0, 200);
}

#[test]
fn rest_trades_can_do_without_commissions() {
    let mut desk = Desk::new(Settings { rest_commissions: false, ..Settings::new(Market::Manual) });
    desk.place(json!({}));
    let search = json!({"accountId": ACCOUNT, "startTimestamp": "2026-06-22T00:00:00Z"});
    let row = desk.post("/api/Trade/search", &search)["trades"][0].clone();
    assert_eq!(row["fees"], 0.36);
    assert!(row.get("commissions").is_none());
}

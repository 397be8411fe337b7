use std::time::Duration;

use domain::{
    AccountId, Contracts, Instant, Leg, OrderSide, Price, Ticket,
    broker::{Answer, Call, CallError, LoginError, Refusal},
};
use expect_test::{Expect, expect};
use projectx::{
    Credentials,
    rest::{self, Plan, Response, Validated},
    session::Token,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::json;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn now() -> Instant {
    at("2026-06-10T14:40:00.25Z")
}

fn account() -> AccountId {
    26_100_417.into()
}

fn http(status: u16, body: impl ToString) -> Response {
    Response { status, body: body.to_string(), retry_after: None }
}

fn ok(name: &str) -> Response {
    http(200, json::response(name))
}

fn close() -> Call {
    Call::Close { account: account(), contract: "CON.F.US.MNQ.U26".into() }
}

fn reduce() -> Call {
    Call::Reduce { account: account(), contract: "CON.F.US.MNQ.U26".into(), by: Contracts(2) }
}

fn cancel() -> Call {
    Call::Cancel { account: account(), order: 3_300_000_417.into() }
}

fn resize() -> Call {
    Call::Resize { account: account(), order: 3_300_000_417.into(), size: Contracts(1) }
}

fn ticket(leg: Leg, price: &str) -> Ticket {
    let price = Price(price.parse().unwrap());
    Ticket { contract: "CON.F.US.MNQ.U26".into(), leg, side: OrderSide::Sell, size: Contracts(2), price }
}

fn place(leg: Leg, price: &str) -> Call {
    Call::Place { account: account(), ticket: ticket(leg, price), tag: "rm-trade_management-7-1".to_string() }
}

fn modify(leg: Leg, price: &str) -> Call {
    Call::Modify { account: account(), order: 3_300_000_417.into(), ticket: ticket(leg, price) }
}

fn verify() -> Call {
    Call::Verify { account: account(), orders_since: at("2026-06-10T14:39:59Z") }
}

fn snapshot() -> Call {
    Call::Snapshot { account: account(), fills_since: at("2026-06-09T22:00:00Z") }
}

fn every_call() -> Vec<Call> {
    vec![
        Call::Accounts,
        Call::Watch(vec![account()]),
        Call::WatchQuotes(vec!["C".into()]),
        snapshot(),
        Call::WorkingOrders(account()),
        verify(),
        Call::Instrument("CON.F.US.MNQ.U26".into()),
        Call::SearchInstruments("MNQ".into()),
        Call::LatestBar("CON.F.US.MNQ.U26".into()),
        close(),
        reduce(),
        cancel(),
        resize(),
    ]
}

/// The requests of a call, one per line.
fn check_plan(call: &Call, in_order: bool, expected: &Expect) {
    let Plan { requests, in_order: is_in_order } = rest::plan(call, now()).unwrap();
    let lines: Vec<String> =
        requests.iter().map(|request| format!("{} {}", request.path, request.body)).collect();
    expected.assert_eq(&lines.join("\n"));
    assert_eq!(is_in_order, in_order);
}

#[test]
fn calls_become_the_gateways_requests() {
    check_plan(&Call::Accounts, false, &expect![[r#"/api/Account/search {"onlyActiveAccounts":true}"#]]);
    check_plan(
        &snapshot(),
        false,
        &expect![[r#"
        /api/Account/search {"onlyActiveAccounts":false}
        /api/Position/searchOpen {"accountId":26100417}
        /api/Order/searchOpen {"accountId":26100417}
        /api/Trade/search {"accountId":26100417,"startTimestamp":"2026-06-09T22:00:00.000000Z"}"#]],
    );
    check_plan(
        &Call::WorkingOrders(account()),
        false,
        &expect![[r#"/api/Order/searchOpen {"accountId":26100417}"#]],
    );
    check_plan(
        &Call::Instrument("CON.F.US.MNQ.U26".into()),
        false,
        &expect![[r#"/api/Contract/searchById {"contractId":"CON.F.US.MNQ.U26"}"#]],
    );
    check_plan(
        &Call::SearchInstruments("MNQ".into()),
        false,
        &expect![[r#"/api/Contract/search {"searchText":"MNQ","live":false}"#]],
    );
    check_plan(
        &Call::LatestBar("CON.F.US.MNQ.U26".into()),
        false,
        &expect![[
            r#"/api/History/retrieveBars {"contractId":"CON.F.US.MNQ.U26","live":false,"startTime":"2026-06-03T14:40:00.250000Z","endTime":"2026-06-10T15:40:00.250000Z","unit":2,"unitNumber":1,"limit":1,"includePartialBar":true}"#
        ]],
    );
    check_plan(
        &close(),
        false,
        &expect![[r#"/api/Position/closeContract {"accountId":26100417,"contractId":"CON.F.US.MNQ.U26"}"#]],
    );
    check_plan(
        &reduce(),
        false,
        &expect![[
            r#"/api/Position/partialCloseContract {"accountId":26100417,"contractId":"CON.F.US.MNQ.U26","size":2}"#
        ]],
    );
    check_plan(
        &cancel(),
        false,
        &expect![[r#"/api/Order/cancel {"accountId":26100417,"orderId":3300000417}"#]],
    );
    check_plan(
        &resize(),
        false,
        &expect![[r#"/api/Order/modify {"accountId":26100417,"orderId":3300000417,"size":1}"#]],
    );
    check_plan(&Call::Watch(vec![account()]), false, &expect![""]);
}

#[test]
fn protective_orders_carry_their_price_their_size_and_a_tag() {
    check_plan(
        &place(Leg::Stop, "20997.50"),
        false,
        &expect![[
            r#"/api/Order/place {"accountId":26100417,"contractId":"CON.F.US.MNQ.U26","type":4,"side":1,"size":2,"stopPrice":20997.5,"customTag":"rm-trade_management-7-1"}"#
        ]],
    );
    check_plan(
        &place(Leg::Target, "1.08355"),
        false,
        &expect![[
            r#"/api/Order/place {"accountId":26100417,"contractId":"CON.F.US.MNQ.U26","type":1,"side":1,"size":2,"limitPrice":1.08355,"customTag":"rm-trade_management-7-1"}"#
        ]],
    );
    check_plan(
        &modify(Leg::Stop, "21000.25"),
        false,
        &expect![[
            r#"/api/Order/modify {"accountId":26100417,"orderId":3300000417,"size":2,"stopPrice":21000.25}"#
        ]],
    );
    check_plan(
        &modify(Leg::Target, "21005"),
        false,
        &expect![[
            r#"/api/Order/modify {"accountId":26100417,"orderId":3300000417,"size":2,"limitPrice":21005}"#
        ]],
    );
}

/// A list of two values reads like an envelope's members.
#[test]
fn a_list_is_no_answer() {
    assert!(rest::finish(&close(), &[http(200, json!([true, 0]))]).is_err());
}

/// Whatever went wrong before: an order that could do harm does not leave.
#[test]
fn an_order_without_tag_size_or_price_is_not_sent() {
    let plan = |ticket: Ticket, tag: &str| {
        rest::plan(&Call::Place { account: account(), ticket, tag: tag.to_string() }, now())
    };
    let stop = || ticket(Leg::Stop, "20997.5");
    assert!(plan(stop(), "rm-1").is_ok());
    assert!(plan(stop(), "").is_err());
    assert!(plan(stop(), "rm-").is_err());
    assert!(plan(stop(), "mine").is_err());
    assert!(plan(Ticket { size: Contracts(0), ..stop() }, "rm-1").is_err());
    assert!(plan(Ticket { price: Price(0.into()), ..stop() }, "rm-1").is_err());
    let nothing = Ticket { size: Contracts(0), ..stop() };
    let modify = Call::Modify { account: account(), order: 1.into(), ticket: nothing };
    assert!(rest::plan(&modify, now()).is_err());
}

#[test]
fn verifying_asks_for_orders_before_positions_one_after_the_other() {
    check_plan(
        &verify(),
        true,
        &expect![[r#"
        /api/Order/search {"accountId":26100417,"startTimestamp":"2026-06-10T14:39:59.000000Z"}
        /api/Position/searchOpen {"accountId":26100417}"#]],
    );
}

#[test]
fn ids_that_are_no_numbers_are_refused_unsent() {
    for call in [
        Call::WorkingOrders("PRAC-V2".into()),
        Call::Cancel { account: account(), order: "x".into() },
        Call::Close { account: "".into(), contract: "C".into() },
    ] {
        let error = rest::plan(&call, now()).unwrap_err();
        assert!(matches!(error, CallError::Refused { .. }) && !error.may_have_acted(), "{call:?}");
    }
}

#[test]
fn recorded_responses_become_answers() {
    let answer = rest::finish(&snapshot(), &["accounts", "positions", "orders", "trades"].map(ok)).unwrap();
    expect![[r#"
        Snapshot(
            Snapshot {
                account: Account {
                    id: "26100417",
                    name: "PRAC-V2-700001-40000017",
                    balance: Usd(
                        149718.36,
                    ),
                    can_trade: true,
                    visible: true,
                    simulated: Some(
                        true,
                    ),
                },
                positions: [
                    Position {
                        id: "810000231",
                        account: "26100417",
                        contract: "CON.F.US.MNQ.U26",
                        symbol: "MNQ",
                        exposure: Exposure(
                            2,
                        ),
                        average_price: Price(
                            21455.375,
                        ),
                        opened_at: 2026-06-10T14:31:07.216402Z,
                    },
                ],
                orders: [
                    Order {
                        id: "3300000419",
                        account: "26100417",
                        contract: "CON.F.US.MNQ.U26",
                        symbol: "MNQ",
                        side: Sell,
                        kind: Limit,
                        status: Cancelled,
                        size: Contracts(
                            1,
                        ),
                        filled: Contracts(
                            0,
                        ),
                        limit_price: Some(
                            Price(
                                21475.25,
                            ),
                        ),
                        stop_price: None,
                        filled_price: None,
                        tag: Some(
                            "run7-0001-TP",
                        ),
                        parent: Some(
                            "3300000417",
                        ),
                        linked: Some(
                            "3300000418",
                        ),
                        created_at: 2026-06-10T14:31:07.204118Z,
                    },
                ],
                fills: [
                    Fill {
                        id: "2950000731",
                        order: "3300000418",
                        account: "26100417",
                        contract: "CON.F.US.MNQ.U26",
                        symbol: "MNQ",
                        side: Sell,
                        size: Contracts(
                            1,
                        ),
                        price: Price(
                            21445.25,
                        ),
                        pnl: Some(
                            Usd(
                                -20,
                            ),
                        ),
                        fees: Usd(
                            0.36,
                        ),
                        commissions: None,
                        voided: false,
                        at: 2026-06-10T14:33:41.871552Z,
                    },
                ],
                asked_at: 1970-01-01T00:00:00Z,
            },
        )
    "#]]
    .assert_debug_eq(&answer);
    let answer = rest::finish(&verify(), &["orders", "positions"].map(ok)).unwrap();
    assert!(
        matches!(answer, Answer::Verified { positions, orders } if positions.len() == 1 && orders.len() == 1)
    );
    let answer = rest::finish(&Call::Instrument("CON.F.US.MNQ.U26".into()), &[ok("contract")]).unwrap();
    expect![[r#"
        Instrument(
            Instrument {
                contract: "CON.F.US.MNQ.U26",
                symbol: "MNQ",
                name: "MNQU6",
                tick_size: 0.25,
                tick_value: Usd(
                    0.5,
                ),
                active: true,
            },
        )
    "#]]
    .assert_debug_eq(&answer);
    let answer = rest::finish(&Call::LatestBar("C".into()), &[ok("bars")]).unwrap();
    expect![[r#"
        Bar {
            at: 2026-06-10T14:31:00Z,
            close: Price(
                21459.75,
            ),
        }
    "#]]
    .assert_debug_eq(&answer);
    let protective = [place(Leg::Stop, "20997.5"), modify(Leg::Stop, "21000")];
    for call in [close(), reduce(), cancel(), resize()].into_iter().chain(protective) {
        assert_eq!(rest::finish(&call, &[ok("accepted")]), Ok(Answer::Accepted));
    }
    assert_eq!(rest::finish(&Call::Watch(vec![]), &[]), Ok(Answer::Noted));
}

#[test]
fn a_search_leaves_out_odd_contracts_and_keeps_the_others() {
    let answer = rest::finish(&Call::SearchInstruments("E".into()), &[ok("contracts")]).unwrap();
    assert!(
        matches!(answer, Answer::Instruments(found) if found.len() == 1 && found[0].symbol.as_str() == "ES")
    );
}

#[test]
fn closed_positions_are_not_open_positions() {
    let mut body = json::response("positions");
    (body["positions"][0]["size"], body["positions"][0]["type"]) = (0.into(), 0.into());
    let answer = rest::finish(&verify(), &[ok("orders"), http(200, body)]).unwrap();
    assert!(matches!(answer, Answer::Verified { positions, .. } if positions.is_empty()));
}

#[test]
fn a_snapshot_of_an_account_the_login_does_not_have_is_refused() {
    let call = Call::Snapshot { account: 7.into(), fills_since: now() };
    let error = rest::finish(&call, &["accounts", "positions", "orders", "trades"].map(ok)).unwrap_err();
    assert!(matches!(error, CallError::Refused { .. }));
}

/// Unknown is not flat: half an answer is none.
#[test]
fn a_missing_list_or_one_bad_row_is_no_answer() {
    for positions in [Value::Null, json!("none"), json!({})] {
        let mut body = json::response("positions");
        body["positions"] = positions;
        let error = rest::finish(&verify(), &[ok("orders"), http(200, body)]).unwrap_err();
        assert!(matches!(&error, CallError::Protocol(why) if why.contains("positions")), "{error}");
    }
    let mut body = json::response("positions");
    body["positions"][0]["type"] = 7.into();
    let error = rest::finish(&verify(), &[ok("orders"), http(200, body)]).unwrap_err();
    assert!(error.to_string().contains("type is 7: unknown position type"), "{error}");
}

/// What a refusal by code and text means.
fn check_refusal(call: &Call, code: i64, message: Option<&str>, expected: Result<Refusal, CallError>) {
    let body = json!({"success": false, "errorCode": code, "errorMessage": message});
    let error = rest::finish(call, &[http(200, body)]).unwrap_err();
    match (&error, expected) {
        (CallError::Refused { code: got, kind, .. }, Ok(refusal)) => {
            assert_eq!((*got, *kind), (code, refusal))
        }
        (error, Ok(refusal)) => panic!("{call:?} {code}: {error:?} instead of {refusal:?}"),
        (error, Err(other)) => assert_eq!(error, &other, "{call:?} {code}"),
    }
    assert!(!error.may_have_acted());
}

#[test]
fn the_same_code_means_different_things_per_endpoint() {
    use Refusal::{Contract, NotPermitted, Other, Size};
    let gone = || Err(CallError::NotFound);
    let tables: [(Call, Vec<Result<Refusal, CallError>>); 4] = [
        (
            close(),
            vec![
                Ok(Other),
                gone(),
                Ok(Contract),
                Ok(Contract),
                Ok(Other),
                Ok(Other),
                Ok(Other),
                Ok(NotPermitted),
                Ok(Other),
            ],
        ),
        (
            reduce(),
            vec![
                Ok(Other),
                gone(),
                Ok(Contract),
                Ok(Contract),
                Ok(Size),
                Ok(Refusal::MarketClosed),
                Ok(Other),
                Ok(Other),
                Ok(NotPermitted),
                Ok(Other),
            ],
        ),
        (cancel(), vec![Ok(Other), gone(), Ok(Other), Ok(Other), Ok(Other), Ok(NotPermitted), Ok(Other)]),
        (
            resize(),
            vec![
                Ok(Other),
                gone(),
                Ok(Other),
                Ok(Other),
                Ok(Other),
                Ok(NotPermitted),
                Ok(Contract),
                Ok(Other),
            ],
        ),
    ];
    let placing = vec![
        Ok(Other),
        Ok(Other),
        Ok(Other),
        Ok(NotPermitted),
        Ok(Refusal::MarketClosed),
        Ok(Other),
        Ok(Other),
        Ok(Contract),
        Ok(Contract),
        Ok(NotPermitted),
        Ok(Other),
    ];
    let tables = tables.into_iter().chain([(place(Leg::Stop, "20997.5"), placing)]);
    for (call, meanings) in tables {
        for (code, meaning) in (1..).zip(meanings) {
            check_refusal(&call, code, None, meaning);
        }
    }
    check_refusal(&Call::Instrument("C".into()), 1, None, Ok(Contract));
    check_refusal(&Call::LatestBar("C".into()), 1, None, Ok(Contract));
    check_refusal(&Call::WorkingOrders(account()), 1, None, Ok(Other));
}

#[test]
fn the_text_of_a_refusal_says_more_than_its_number() {
    let shut = "Trading is currently unavailable. The instrument is not in an active trading status.";
    check_refusal(&close(), 2, Some(shut), Ok(Refusal::MarketClosed));
    check_refusal(&close(), 5, Some(shut), Ok(Refusal::MarketClosed));
    check_refusal(&close(), 5, Some("No liquidity"), Ok(Refusal::Other));
    check_refusal(&reduce(), 6, Some("No liquidity"), Ok(Refusal::Other));
    check_refusal(&cancel(), 6, Some("Follower accounts cannot cancel orders"), Ok(Refusal::NotPermitted));
    check_refusal(&cancel(), 3, Some("Live accounts not supported"), Ok(Refusal::NotPermitted));
    let named = rest::finish(&close(), &[http(200, json!({"success": false, "errorCode": 6}))]).unwrap_err();
    assert_eq!(named.to_string(), "refused (code 6): OrderPending");
}

#[test]
fn http_failures_are_told_apart_by_whether_something_may_have_happened() {
    let problem = json!({"title": "One or more validation errors occurred.", "status": 400, "errors": {"accountId": ["bad"]}});
    for (response, expected, may_have_acted) in [
        (http(401, ""), "not logged in: the session is not valid", false),
        (http(403, "<html>"), "refused (code 403): HTTP status 403", false),
        (http(404, ""), "refused (code 404): HTTP status 404", false),
        (
            http(400, problem),
            "refused (code 400): One or more validation errors occurred. {\"accountId\":[\"bad\"]}",
            false,
        ),
        (http(429, ""), "too many requests", false),
        (http(500, "<html>"), "the broker answered with HTTP status 500", true),
        (http(504, ""), "the broker answered with HTTP status 504", true),
        (http(302, ""), "the answer could not be understood: unexpected HTTP status 302", true),
        (
            http(200, ""),
            "the answer could not be understood: EOF while parsing a value at line 1 column 0: ",
            true,
        ),
        (
            http(200, r#"{"success":true,"errorCode":3}"#),
            "the answer could not be understood: success with error code 3",
            true,
        ),
    ] {
        let error = rest::finish(&close(), &[response]).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.may_have_acted()), (expected, may_have_acted));
    }
    let limited = Response { retry_after: Some(Duration::from_secs(7)), ..http(429, "") };
    let expected = CallError::RateLimited { retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(rest::finish(&close(), &[limited]), Err(expected));
}

#[test]
fn a_login_tells_a_token_or_what_to_do() {
    let request = rest::log_in(&Credentials::new("jdoe42", "k+/="));
    assert_eq!(request.body, r#"{"userName":"jdoe42","apiKey":"k+/="}"#);
    assert_eq!(format!("{request:?}"), "POST /api/Auth/loginKey");
    assert!(rest::logged_in(&ok("login")).is_ok());
    assert_eq!(rest::logged_in(&ok("login refused")), Err(LoginError::Credentials));
    let code = |code: i64| {
        let body = json!({"token": null, "success": false, "errorCode": code, "errorMessage": null});
        rest::logged_in(&http(200, body)).unwrap_err()
    };
    assert_eq!(
        [1, 2, 3].map(code),
        [LoginError::Credentials, LoginError::Credentials, LoginError::Credentials]
    );
    assert_eq!(code(7), LoginError::Agreements);
    assert_eq!(code(9), LoginError::NoSubscription);
    assert_eq!(code(10), LoginError::KeyLoginDisabled);
    assert_eq!(code(6), LoginError::Refused { code: 6, text: "InvalidDevice".into() });
    assert_eq!(code(77), LoginError::Refused { code: 77, text: "unknown login error 77".into() });
    assert!(matches!(code(8), LoginError::Passing(_)));
}

#[test]
fn a_login_that_could_not_be_tried_is_no_refusal() {
    for response in [http(503, ""), http(429, ""), http(403, "<html>"), http(200, "<html>"), http(200, "{}")]
    {
        assert!(matches!(rest::logged_in(&response), Err(LoginError::Passing(_))), "{response:?}");
    }
    let no_token = json!({"token": "", "success": true, "errorCode": 0});
    assert!(matches!(rest::logged_in(&http(200, no_token)), Err(LoginError::Passing(_))));
    let empty_fields = http(400, json!({"title": "Bad Request"}));
    assert!(matches!(rest::logged_in(&empty_fields), Err(LoginError::Refused { code: 400, .. })));
}

#[test]
fn a_session_is_renewed_kept_or_over() {
    let old = Token::new("old");
    let validated = |status, token: Value, code: i64| {
        let body = json!({"success": code == 0, "errorCode": code, "newToken": token});
        rest::validated(&http(status, body), &old)
    };
    assert_eq!(validated(200, "new".into(), 0), Ok(Validated::Renewed(Token::new("new"))));
    assert_eq!(validated(200, "old".into(), 0), Ok(Validated::Kept));
    assert_eq!(validated(200, Value::Null, 0), Ok(Validated::Kept));
    assert_eq!(validated(200, Value::Null, 3), Ok(Validated::Ended("ExpiredToken".into())));
    assert!(matches!(validated(401, Value::Null, 0), Ok(Validated::Ended(_))));
    assert_eq!(validated(503, Value::Null, 0), Err(CallError::Server(503)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_response_makes_it_panic(
        bodies in prop::collection::vec(json::any_json(), 4),
        status in prop_oneof![4 => Just(200u16), 1 => 100u16..600],
        members in prop::sample::subsequence(
            vec!["accounts", "positions", "orders", "trades", "contract", "contracts", "bars"], 7),
    ) {
        let responses: Vec<Response> = bodies
            .iter()
            .map(|body| {
                let mut envelope = json!({"success": true, "errorCode": 0});
                members.iter().for_each(|member| envelope[member] = body.clone());
                http(status, if members.is_empty() { body.clone() } else { envelope })
            })
            .collect();
        for call in every_call() {
            for count in 0..=responses.len() {
                let _ = rest::finish(&call, &responses[..count]);
            }
        }
        let _ = rest::logged_in(&responses[0]);
        let _ = rest::validated(&responses[0], &Token::new("t"));
    }

    #[test]
    fn an_accepted_close_is_never_made_of_garbage(body in json::any_json()) {
        let answer = rest::finish(&close(), &[http(200, body)]);
        prop_assert!(answer.is_err());
    }
}

use domain::{
    Contracts, Event, Exposure, OrderKind, OrderSide, OrderStatus, Price, Usd,
    broker::{Flaw, Malformed},
};
use expect_test::{Expect, expect};
use projectx::{
    mask::RAW_LIMIT,
    normalise::{Normaliser, Said},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::json;

fn hear(target: &str, arguments: &[Value]) -> Vec<Said> {
    Normaliser::default().hear(target, arguments, &Value::from(arguments).to_string())
}

fn fact(said: &Said) -> &Event {
    match said {
        Said::Fact(event) => event,
        Said::Malformed(_) | Said::Repeated | Said::SessionEnded => panic!("{said:?}"),
    }
}

fn malformed(said: &Said) -> &Malformed {
    match said {
        Said::Malformed(report) => report,
        Said::Fact(_) | Said::Repeated | Said::SessionEnded => panic!("{said:?}"),
    }
}

/// A recorded event becomes exactly this fact.
fn check(name: &str, expected: &Expect) {
    let (target, arguments) = json::hub(name);
    let said = hear(&target, &arguments);
    assert_eq!(said.len(), 1, "{name}");
    expected.assert_eq(&serde_json::to_string(fact(&said[0])).unwrap());
}

/// A row with one member changed (or, for `None`, missing) is refused with these words.
fn check_refused(name: &str, member: &str, value: Option<Value>, words: &str) {
    let (target, _) = json::hub(name);
    let mut row = json::row(name);
    match &value {
        Some(value) => row[member] = value.clone(),
        None => drop(row.as_object_mut().unwrap().remove(member)),
    }
    let arguments = if target == "GatewayQuote" { vec!["CON.F.US.MNQ.U26".into(), row] } else { vec![row] };
    let said = hear(&target, &arguments);
    assert_eq!(said.len(), 1, "{name} {member} {value:?}");
    let report = malformed(&said[0]);
    assert!(report.why.contains(words), "{name} {member} {value:?}: {}", report.why);
    assert_eq!(report.what, target);
    assert_eq!(report.flaw == Flaw::Unknown, words.starts_with("unknown "), "{}", report.why);
    assert!(value.is_some() || report.flaw == Flaw::Unreadable, "{}", report.why);
}

/// A row with one member changed is taken all the same.
fn accepted(name: &str, member: &str, value: Value) -> Event {
    let (target, _) = json::hub(name);
    let mut row = json::row(name);
    row[member] = value;
    let said = hear(&target, &[row]);
    fact(&said[0]).clone()
}

#[test]
fn accounts_and_orders() {
    check(
        "account",
        &expect![[
            r#"{"event":"account","id":"26100417","name":"PRAC-V2-700001-40000017","balance":"149718.36","can_trade":true,"visible":true,"simulated":true}"#
        ]],
    );
    check(
        "entry pending",
        &expect![[
            r#"{"event":"order","id":"3300000417","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","side":"buy","kind":"market","status":"pending","size":1,"filled":0,"limit_price":null,"stop_price":null,"filled_price":null,"tag":"run7-0001","parent":null,"linked":null,"created_at":"2026-06-10T14:31:07.204118Z"}"#
        ]],
    );
    check(
        "entry filled",
        &expect![[
            r#"{"event":"order","id":"3300000417","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","side":"buy","kind":"market","status":"filled","size":1,"filled":1,"limit_price":null,"stop_price":null,"filled_price":"21455.25","tag":"run7-0001","parent":null,"linked":null,"created_at":"2026-06-10T14:31:07.204118Z"}"#
        ]],
    );
    check(
        "stop suspended",
        &expect![[
            r#"{"event":"order","id":"3300000418","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","side":"sell","kind":"stop","status":"suspended","size":1,"filled":0,"limit_price":null,"stop_price":null,"filled_price":null,"tag":"run7-0001-SL","parent":"3300000417","linked":null,"created_at":"2026-06-10T14:31:07.204118Z"}"#
        ]],
    );
    check(
        "target working",
        &expect![[
            r#"{"event":"order","id":"3300000419","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","side":"sell","kind":"limit","status":"open","size":1,"filled":0,"limit_price":"21475.25","stop_price":null,"filled_price":null,"tag":"run7-0001-TP","parent":"3300000417","linked":"3300000418","created_at":"2026-06-10T14:31:07.204118Z"}"#
        ]],
    );
}

#[test]
fn positions_and_trades() {
    check(
        "position open",
        &expect![[
            r#"{"event":"position","id":"810000231","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","exposure":1,"average_price":"21455.25","opened_at":"2026-06-10T14:31:07.216402Z"}"#
        ]],
    );
    check(
        "position closed",
        &expect![[
            r#"{"event":"position","id":"810000231","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","exposure":0,"average_price":"21455.25","opened_at":"2026-06-10T14:31:07.216402Z"}"#
        ]],
    );
    check(
        "opening trade",
        &expect![[
            r#"{"event":"fill","id":"2950000730","order":"3300000417","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","side":"buy","size":1,"price":"21455.25","pnl":null,"fees":"0.36","commissions":"0.25","voided":false,"at":"2026-06-10T14:31:07.211152Z"}"#
        ]],
    );
    check(
        "closing trade",
        &expect![[
            r#"{"event":"fill","id":"2950000731","order":"3300000418","account":"26100417","contract":"CON.F.US.MNQ.U26","symbol":"MNQ","side":"sell","size":1,"price":"21445.25","pnl":"-20","fees":"0.36","commissions":"0.25","voided":false,"at":"2026-06-10T14:33:41.871552Z"}"#
        ]],
    );
}

#[test]
fn quotes_tell_what_changed() {
    check(
        "full quote",
        &expect![[
            r#"{"event":"quote","contract":"CON.F.US.MNQ.U26","last":"21455.25","bid":"21455","ask":"21455.25","at":"2026-06-10T14:31:07.118043Z"}"#
        ]],
    );
    check(
        "partial quote",
        &expect![[
            r#"{"event":"quote","contract":"CON.F.US.MNQ.U26","bid":"21455","ask":"21455.5","at":"2026-06-10T14:31:07.140227Z"}"#
        ]],
    );
}

#[test]
fn events_are_taken_wrapped_bare_and_in_arrays_of_either() {
    let row = json::row("closing trade");
    let mut other = row.clone();
    other["id"] = 1.into();
    let wrapped = json!({"action": 0, "data": row});
    for (arguments, facts) in [
        (vec![row.clone()], 1),
        (vec![wrapped.clone()], 1),
        (vec![json!([wrapped, other])], 2),
        (vec![json!([[row]])], 1),
        (vec![json!({"action": 0, "data": [row, other]})], 2),
        (vec![row.clone(), other.clone()], 2),
        (vec![json!([])], 0),
    ] {
        let said = hear("GatewayUserTrade", &arguments);
        assert_eq!(said.len(), facts, "{arguments:?}");
        said.iter().for_each(|said| drop(fact(said).clone()));
    }
}

#[test]
fn every_number_of_the_tables_is_known_and_no_other() {
    let statuses = [
        OrderStatus::Open,
        OrderStatus::Filled,
        OrderStatus::Cancelled,
        OrderStatus::Expired,
        OrderStatus::Rejected,
        OrderStatus::Pending,
        OrderStatus::CancelPending,
        OrderStatus::Suspended,
    ];
    for (number, status) in (1..).zip(statuses) {
        let Event::Order(order) = accepted("target working", "status", number.into()) else { panic!() };
        assert_eq!(order.status, status);
    }
    let kinds = [
        OrderKind::Limit,
        OrderKind::Market,
        OrderKind::StopLimit,
        OrderKind::Stop,
        OrderKind::TrailingStop,
        OrderKind::JoinBid,
        OrderKind::JoinAsk,
    ];
    for (number, kind) in (1..).zip(kinds) {
        let Event::Order(order) = accepted("target working", "type", number.into()) else { panic!() };
        assert_eq!(order.kind, kind);
    }
    for (number, side) in [(0, OrderSide::Buy), (1, OrderSide::Sell)] {
        let Event::Fill(fill) = accepted("closing trade", "side", number.into()) else { panic!() };
        assert_eq!(fill.side, side);
    }
    for number in [-1, 9, 42, i64::MAX] {
        check_refused("target working", "status", Some(number.into()), "unknown order status");
        check_refused("target working", "type", Some(number.into()), "unknown order type");
        check_refused("closing trade", "side", Some(number.into()), "unknown order side");
        check_refused("position open", "type", Some(number.into()), "unknown position type");
    }
    check_refused("target working", "status", Some(0.into()), "status is 0: an order without status");
    check_refused("target working", "type", Some(0.into()), "type is 0: an order of unknown type");
}

#[test]
fn the_direction_of_a_position_comes_from_its_type_alone() {
    let exposure = |kind: i64, size: i64| {
        let mut row = json::row("position open");
        (row["type"], row["size"]) = (kind.into(), size.into());
        let said = hear("GatewayUserPosition", &[row]);
        let Event::Position(position) = fact(&said[0]) else { panic!("{said:?}") };
        position.exposure
    };
    assert_eq!(exposure(1, 3), Exposure(3));
    assert_eq!(exposure(2, 3), Exposure(-3));
    assert_eq!(exposure(0, 0), Exposure::FLAT);
    assert_eq!(exposure(1, 0), Exposure::FLAT);
    check_refused("position open", "type", Some(0.into()), "1 contracts without a direction");
    check_refused("position open", "size", Some((-1).into()), "size is -1");
    check_refused("position open", "averagePrice", Some(0.into()), "a price must be above zero");
}

#[test]
fn missing_and_ill_typed_members_are_named() {
    for (name, members) in [
        ("account", &["id", "name", "balance", "canTrade", "isVisible"][..]),
        (
            "target working",
            &["id", "accountId", "contractId", "creationTimestamp", "status", "type", "side", "size"],
        ),
        (
            "position open",
            &["id", "accountId", "contractId", "creationTimestamp", "type", "size", "averagePrice"],
        ),
        (
            "closing trade",
            &["id", "accountId", "contractId", "creationTimestamp", "price", "side", "size", "orderId"],
        ),
    ] {
        for member in members {
            check_refused(name, member, None, member);
            check_refused(name, member, Some(json!({"odd": 1})), member);
            check_refused(name, member, Some(Value::Null), member);
        }
    }
}

#[test]
fn impossible_values_are_named_with_their_value() {
    check_refused("target working", "limitPrice", Some(0.into()), "limitPrice is 0");
    check_refused("target working", "limitPrice", Some((-1.5).into()), "limitPrice is -1.5");
    check_refused("entry pending", "stopPrice", Some((-1).into()), "stopPrice is -1");
    check_refused("entry filled", "filledPrice", Some(0.into()), "filledPrice is 0");
    check_refused("target working", "size", Some(0.into()), "size is 0");
    check_refused("target working", "size", Some(5_000_000_000_i64.into()), "size is 5000000000");
    check_refused("target working", "fillVolume", Some((-1).into()), "fillVolume is -1");
    check_refused("closing trade", "price", Some(0.into()), "price is 0");
    check_refused("closing trade", "size", Some((-1).into()), "size is -1");
    check_refused(
        "closing trade",
        "creationTimestamp",
        Some("yesterday".into()),
        "creationTimestamp is yesterday",
    );
    check_refused("closing trade", "creationTimestamp", Some("2026-06-10T14:31:07".into()), "no time");
    check_refused("full quote", "lastUpdated", Some("soon".into()), "lastUpdated is soon");
    check_refused("full quote", "lastPrice", Some("abc".into()), "lastPrice");
}

#[test]
fn a_zero_where_no_price_is_needed_is_no_price() {
    let Event::Order(order) = accepted("entry pending", "limitPrice", 0.into()) else { panic!() };
    assert_eq!(order.limit_price, None);
    let Event::Order(order) = accepted("entry pending", "filledPrice", 0.into()) else { panic!() };
    assert_eq!(order.filled_price, None);
    let zeros = json!({"lastPrice": 0, "bestBid": -1, "bestAsk": 5.25});
    let said = hear("GatewayQuote", &["C".into(), zeros]);
    let Event::Quote(quote) = fact(&said[0]) else { panic!() };
    assert_eq!((quote.last, quote.bid, quote.ask), (None, None, Some(Price("5.25".parse().unwrap()))));
}

#[test]
fn odd_spellings_that_were_met_are_read() {
    let Event::Order(order) = accepted("entry pending", "id", "3300000417".into()) else { panic!() };
    assert_eq!(order.id.as_str(), "3300000417");
    let Event::Order(order) = accepted("target working", "limitPrice", "21475.250000000".into()) else {
        panic!()
    };
    assert_eq!(order.limit_price.unwrap().to_string(), "21475.25");
    let Event::Fill(fill) = accepted("closing trade", "creationTimestamp", "2026-06-10T14:33:41Z".into())
    else {
        panic!()
    };
    assert_eq!(fill.at.to_rfc3339(), "2026-06-10T14:33:41+00:00");
    let Event::Fill(fill) =
        accepted("closing trade", "creationTimestamp", "2026-06-10T09:33:41.8-05:00".into())
    else {
        panic!()
    };
    assert_eq!(fill.at.to_rfc3339(), "2026-06-10T14:33:41.800+00:00");
    accepted("closing trade", "somethingNew", json!([1, 2]));
}

#[test]
fn costs_that_are_not_sent_are_never_taken_for_zero() {
    let fill = |fees: Value, commissions: Value| {
        let mut row = json::row("closing trade");
        (row["size"], row["fees"], row["commissions"]) = (3.into(), fees, commissions);
        let said = hear("GatewayUserTrade", &[row]);
        let Event::Fill(fill) = fact(&said[0]) else { panic!("{said:?}") };
        (fill.fees, fill.commissions, fill.size)
    };
    let (three, cents) = (Contracts(3), Usd::from_cents);
    assert_eq!(fill(0.36.into(), 0.25.into()), (cents(36), Some(cents(25)), three));
    assert_eq!(fill(Value::Null, 0.61.into()), (Usd::ZERO, Some(cents(61)), three));
    assert_eq!(fill(0.36.into(), Value::Null), (cents(36), None, three));
    assert_eq!(fill(Value::Null, Value::Null), (cents(108), None, three));
}

#[test]
fn what_was_told_last_is_not_told_again_except_positions() {
    let mut normaliser = Normaliser::default();
    let mut tell = |name: &str, member: &str, value: Value| {
        let (target, mut arguments) = json::hub(name);
        let last = arguments.last_mut().unwrap();
        let row = if last.get("data").is_some() { &mut last["data"] } else { last };
        row[member] = value;
        let said = normaliser.hear(&target, &arguments, "");
        said.iter().filter(|it| matches!(it, Said::Fact(_))).count()
    };
    for (name, member, one, other) in [
        ("account", "balance", json!(1.5), json!(2)),
        ("target working", "limitPrice", json!(21475.25), json!(21480)),
        ("closing trade", "voided", json!(false), json!(true)),
        ("full quote", "lastUpdated", json!("2026-06-10T14:31:07Z"), json!("2026-06-10T14:31:08Z")),
    ] {
        let told = [&one, &one, &other, &other, &one].map(|value| tell(name, member, value.clone()));
        assert_eq!(told, [1, 0, 1, 0, 1], "{name}");
    }
    let told = [1, 1, 2, 2, 1].map(|size: i64| tell("position open", "size", size.into()));
    assert_eq!(told, [1, 1, 1, 1, 1]);
    normaliser.forget();
    let (target, arguments) = json::hub("closing trade");
    assert_eq!(normaliser.hear(&target, &arguments, "").len(), 1);
}

#[test]
fn a_malformed_row_spoils_neither_its_neighbours_nor_its_correction() {
    let mut bad = json::row("closing trade");
    bad["price"] = 0.into();
    let good = json::row("opening trade");
    let mut normaliser = Normaliser::default();
    let said = normaliser.hear("GatewayUserTrade", &[json!([bad, good])], "");
    assert_eq!(malformed(&said[0]).account.as_ref().unwrap().as_str(), "26100417");
    assert!(matches!(fact(&said[1]), Event::Fill(_)));
    bad["price"] = 21445.25.into();
    assert!(matches!(fact(&normaliser.hear("GatewayUserTrade", &[bad], "")[0]), Event::Fill(_)));
}

#[test]
fn a_report_carries_the_message_cut_and_without_secrets() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3ODczNTY4MDB9.c2ln";
    let row =
        json!({"accountId": "26100417", "note": token, "apiKey": "k", "padding": "x ".repeat(RAW_LIMIT)});
    let said = hear("GatewayUserOrder", &[row]);
    let report = malformed(&said[0]);
    assert!(
        report.raw.starts_with(r#"[{"accountId":"26100417","note":"***","apiKey":"***""#),
        "{}",
        report.raw
    );
    assert!(report.raw.chars().count() <= RAW_LIMIT + 1);
    assert_eq!(report.account.as_ref().unwrap().as_str(), "26100417");
}

#[test]
fn what_concerns_nobody_says_nothing_and_a_logout_says_so() {
    assert_eq!(hear("GatewayDepth", &["C".into(), json!([])]), []);
    for arguments in [vec![], vec![json!({})], vec![json!("bye"), json!(1)]] {
        assert_eq!(hear("GatewayLogout", &arguments), [Said::SessionEnded]);
    }
    for arguments in [vec![], vec![json!(7), json!({})], vec![json!("C")]] {
        malformed(&hear("GatewayQuote", &arguments)[0]);
    }
    malformed(&hear("GatewayUserOrder", &[])[0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_json_makes_it_panic(
        target in prop::sample::select(vec![
            "GatewayUserAccount", "GatewayUserOrder", "GatewayUserPosition", "GatewayUserTrade", "GatewayQuote",
            "GatewayLogout", "Other",
        ]),
        arguments in prop::collection::vec(json::any_json(), 0..4),
    ) {
        hear(target, &arguments);
    }

    /// Never silence: one row is one fact or one report.
    #[test]
    fn one_damaged_member_gives_a_fact_or_a_report((target, arguments) in json::damaged_event()) {
        let said = hear(&target, &arguments);
        prop_assert_eq!(said.len(), 1);
        prop_assert!(!matches!(said[0], Said::SessionEnded));
    }
}

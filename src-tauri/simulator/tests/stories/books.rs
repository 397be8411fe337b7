//! Whatever traders, markets and faults do, the books balance.

use chrono::TimeDelta;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rust_decimal::{Decimal, prelude::FromPrimitive};
use serde_json::{Value, json};
use simulator::{Market, Settings};

use crate::desk::{ACCOUNT, Desk, ES, MNQ};

/// A few hundred random deeds of a trader in a fast walk, with partial fills and held-back fills.
fn wild_day(seed: u64) -> Desk {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut desk = Desk::new(Settings { seed, speed: 10.0, ..Settings::new(Market::Walk) });
    desk.fault(json!({"kind": "rate_limit", "on": false}));
    for number in 0..300 {
        deed(&mut desk, &mut rng);
        desk.now += TimeDelta::milliseconds(rng.random_range(0..2_000));
        desk.gateway.advance(desk.now);
        if number % 10 == 0 {
            check_books(&mut desk, seed);
        }
    }
    desk
}

fn deed(desk: &mut Desk, rng: &mut StdRng) {
    let contract = if rng.random_bool(0.7) { MNQ } else { ES };
    let (last, ..) = desk.gateway.prices(contract).unwrap();
    let away = Decimal::from(rng.random_range(-80_i64..80)) / Decimal::from(4);
    let price = json!(f64::try_from(last + away).unwrap());
    let (side, size) = (rng.random_range(0..2_i64), rng.random_range(1..5_i64));
    let order = json!({"contractId": contract, "side": side, "size": size});
    let with = |members: Value| {
        let mut order = order.clone();
        members.as_object().unwrap().iter().for_each(|(name, value)| order[name] = value.clone());
        order
    };
    let sign = if side == 0 { 1 } else { -1 };
    match rng.random_range(0..10) {
        0..3 => drop(desk.place_raw(with(json!({"type": 2})))),
        3 => drop(desk.place_raw(with(json!({"type": 1, "limitPrice": price})))),
        4 => drop(desk.place_raw(with(json!({"type": 4, "stopPrice": price})))),
        5 => drop(desk.place_raw(with(json!({"type": 5, "trailPrice": price})))),
        6 => drop(desk.place_raw(with(json!({
            "stopLossBracket": {"ticks": -20 * sign, "type": 4}, "takeProfitBracket": {"ticks": 30 * sign, "type": 1}
        })))),
        7 => drop(desk.send("/api/Position/closeContract", &json!({"accountId": ACCOUNT, "contractId": contract}))),
        8 => {
            let partial = json!({"accountId": ACCOUNT, "contractId": contract, "size": 1});
            desk.send("/api/Position/partialCloseContract", &partial);
        }
        _ => desk.fault(json!({"kind": "partial_fills", "on": rng.random_bool(0.5)})),
    }
}

/// Balance, positions and fills tell the same story.
fn check_books(desk: &mut Desk, seed: u64) {
    let account = desk.get("/sim/accounts")[0].clone();
    let number = |value: &Value| Decimal::from_f64(value.as_f64().unwrap()).unwrap();
    let (gross, fees) = (number(&account["realized"]["gross"]), number(&account["realized"]["fees"]));
    let balance = number(&account["balance"]);
    let cents = |amount: Decimal| (amount * Decimal::from(100)).round();
    assert_eq!(cents(balance), cents(Decimal::from(150_000) + gross - fees), "seed {seed}");
    let mut cash = Decimal::ZERO;
    for contract in [MNQ, ES] {
        let of = |rows: &Value| -> Vec<Value> {
            rows.as_array().unwrap().iter().filter(|row| row["contractId"] == contract).cloned().collect()
        };
        let point = Decimal::from(if contract == MNQ { 2 } else { 50 });
        let mut held = 0;
        for fill in of(&account["fills"]) {
            let size = fill["size"].as_i64().unwrap() * if fill["side"] == 0 { 1 } else { -1 };
            held += size;
            cash -= number(&fill["price"]) * Decimal::from(size) * point;
        }
        let positions = of(&account["positions"]);
        let shown: i64 = positions
            .iter()
            .map(|row| row["size"].as_i64().unwrap() * if row["type"] == 1 { 1 } else { -1 })
            .sum();
        assert_eq!(shown, held, "seed {seed}: position and fills of {contract}");
        for row in &positions {
            cash += number(&row["averagePrice"]) * Decimal::from(shown) * point;
        }
    }
    assert!((cash - gross).abs() < Decimal::new(2, 2), "seed {seed}: cash {cash} but gross {gross}");
}

#[test]
fn positions_fills_and_balance_always_agree() {
    for seed in 0..6 {
        let mut desk = wild_day(seed);
        desk.wait_ms(5_000);
        let search = json!({"accountId": ACCOUNT, "startTimestamp": "2026-06-22T00:00:00Z"});
        let orders = desk.post("/api/Order/search", &search)["orders"].clone();
        let fills = desk.get("/sim/accounts")[0]["fills"].clone();
        for order in orders.as_array().unwrap() {
            let sizes = fills.as_array().unwrap().iter().filter(|fill| fill["orderId"] == order["id"]);
            let filled: i64 = sizes.map(|fill| fill["size"].as_i64().unwrap()).sum();
            assert_eq!(order["fillVolume"], filled, "seed {seed}: {order}");
            assert_eq!(order["status"] == 2, order["fillVolume"] == order["size"], "seed {seed}: {order}");
        }
        assert!(fills.as_array().unwrap().len() > 100, "seed {seed}: a busy day");
    }
}

#[test]
fn the_journals_clock_never_runs_backwards() {
    let desk = wild_day(1);
    let times: Vec<i64> = desk.gateway.journal().after(0).map(|row| row.at_ns).collect();
    assert!(times.len() > 200 && times.is_sorted());
}

/// A quote of zero is said as it is, moves nothing and fills nothing.
#[test]
fn a_price_that_is_none_moves_no_market() {
    let mut desk = Desk::manual();
    desk.last("21000");
    let before = desk.gateway.prices(MNQ);
    desk.place(json!({"contractId": MNQ, "type": 1, "side": 0, "size": 1, "limitPrice": 20_000.0}));
    let truth = desk.truth();
    for figures in [json!({"last": 0}), json!({"last": 0, "bid": 0, "ask": 0}), json!({"bid": -1})] {
        let mut quote = figures.clone();
        quote["contractId"] = MNQ.into();
        desk.quote(quote);
        assert_eq!(desk.gateway.prices(MNQ), before, "{figures}");
    }
    assert_eq!(desk.truth(), truth, "a buy at 20,000 is far away from the market");
    desk.place(json!({"contractId": MNQ, "type": 2, "side": 0, "size": 1}));
    assert!(desk.truth().iter().any(|line| line.contains("+1@21000")), "{:?}", desk.truth());
}

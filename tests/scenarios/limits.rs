//! RULE-001, RULE-002 and RULE-011: too many contracts are reduced, blocked symbols are closed.

use serde_json::{Value, json};

use crate::stage::{Rules, Stage, wait_until};

#[test]
fn five_contracts_with_a_limit_of_two_are_reduced_to_two() {
    let stage = Stage::running(&Rules::two_mnq());
    let desk = stage.desk();
    desk.buy("MNQ", 5);
    wait_until("two MNQ", || desk.held("MNQ") == 2);

    let receipt = stage.confirmed("max_contracts_per_instrument", "reduce_position");
    for stamp in ["detected_at", "sent_at", "acknowledged_at", "confirmed_at"] {
        assert!(receipt[stamp].is_string(), "{stamp}: {receipt}");
    }
    assert!(receipt["latency_us"].as_i64().unwrap() > 0);
    assert_eq!(receipt["account"], desk.account.to_string());
    let journal = stage.simulator.journal();
    let closes = journal.closes();
    assert_eq!(closes.len(), 1);
    assert!(closes[0].path.ends_with("partialCloseContract"));
    assert_eq!(closes[0].body["size"], 3);

    wait_until("the status shows it", || {
        let account = stage.account(0);
        account["positions"][0]["size"] == 2 && account["lockouts"] == json!([])
    });
    let account = stage.account(0);
    assert_eq!(account["positions"][0]["contract"], stage.simulator.contract("MNQ").as_str());
    assert_eq!(account["positions"][0]["symbol"], "MNQ");
    assert_eq!(account["positions"][0]["side"], "long");
    assert_eq!(account["headroom"]["contracts"], 0);
    assert_eq!(stage.protection(), "armed");
}

#[test]
fn the_account_limit_counts_net_or_gross() {
    let net = Stage::running(&Rules::open().with("max_contracts", "{limit: 5}"));
    let desk = net.desk();
    desk.sell("MES", 3);
    desk.buy("MNQ", 6);
    desk.buy("ES", 3);
    // 6 + 3 - 3 = 6: one too many, taken from the one that grew last.
    wait_until("two ES", || desk.held("ES") == 2);
    net.confirmed("max_contracts", "reduce_position");
    assert_eq!((desk.held("MNQ"), desk.held("MES")), (6, -3));

    let gross = Stage::running(&Rules::open().with("max_contracts", "{limit: 5, count_type: gross}"));
    let desk = gross.desk();
    desk.buy("MNQ", 4);
    desk.sell("MES", 3);
    wait_until("one MES", || desk.held("MES") == -1);
    gross.confirmed("max_contracts", "reduce_position");
    assert_eq!(desk.held("MNQ"), 4);
}

#[test]
fn of_two_limits_on_one_position_the_smaller_counts_in_one_close() {
    let rules = Rules::two_mnq().with("max_contracts", "{limit: 5}");
    let stage = Stage::running(&rules);
    let desk = stage.desk();
    desk.buy("MNQ", 6);
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    let receipt = stage.confirmed("max_contracts_per_instrument", "reduce_position");
    assert_eq!(receipt["merged"], json!(["max_contracts"]));
    assert_eq!(stage.simulator.journal().closes().len(), 1);
}

#[test]
fn a_turn_from_long_to_short_is_judged_on_the_new_side() {
    for flip_as_update in [false, true] {
        let stage = Stage::running(&Rules::open().with("max_contracts", "{limit: 5}"));
        stage.simulator.fault(&json!({"kind": "flip_as_update", "on": flip_as_update}));
        let desk = stage.desk();
        desk.buy("MES", 4);
        desk.sell("MES", 10);
        wait_until("five short", || desk.held("MES") == -5);
        stage.confirmed("max_contracts", "reduce_position");
    }
}

#[test]
fn partial_fills_are_reduced_to_the_contract() {
    let stage = Stage::running(&Rules::open().with("max_contracts", "{limit: 5}"));
    stage.simulator.fault(&json!({"kind": "partial_fills", "on": true}));
    stage.simulator.fault(&json!({"kind": "fill_latency", "ms": 60}));
    let desk = stage.desk();
    desk.buy("MNQ", 8);
    wait_until("five MNQ after eight", || bought(&desk.fills()) == 8 && desk.held("MNQ") == 5);
    stage.confirmed("max_contracts", "reduce_position");
    assert_eq!(desk.held("MNQ"), 5);
}

fn bought(fills: &[Value]) -> i64 {
    fills.iter().filter(|fill| fill["side"] == 0).map(|fill| fill["size"].as_i64().unwrap()).sum()
}

#[test]
fn close_all_closes_everything() {
    let stage = Stage::running(&Rules::open().with("max_contracts", "{limit: 5, enforcement: close_all}"));
    let desk = stage.desk();
    desk.buy("MNQ", 4);
    desk.buy("ES", 2);
    wait_until("flat", || desk.is_flat());
    stage.confirmed("max_contracts", "close_position");
    assert!(stage.locks(0).is_empty());
}

#[test]
fn what_was_too_much_before_the_start_is_reduced_at_the_start() {
    let mut stage = Stage::with(&Rules::two_mnq());
    stage.desk().buy("MNQ", 7);
    stage.run();
    let desk = stage.desk();
    wait_until("two MNQ", || desk.held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

#[test]
fn a_blocked_symbol_is_closed_and_locked_and_others_are_left_alone() {
    let rules = Rules::open().with("symbol_blocks", "{enabled: true, blocked_symbols: [RTY, \"ES*\"]}");
    let mut stage = Stage::running(&rules);
    let desk = stage.desk();
    desk.buy("M2K", 1);
    desk.buy("MES", 1);
    desk.buy("RTY", 1);
    // Known at the broker as EP: the pattern is about the root.
    desk.sell("ES", 1);
    wait_until("both closed", || desk.held("RTY") == 0 && desk.held("ES") == 0);
    wait_until("two locks", || stage.locks(0).len() == 2);
    assert!(stage.locks(0).iter().all(|(rule, kind)| rule == "symbol_blocks" && kind == "SYMBOL"));
    assert_eq!((desk.held("M2K"), desk.held("MES")), (1, 1));
    stage.confirmed("symbol_blocks", "close_position");
    assert_eq!(stage.protection(), "armed", "a blocked symbol does not lock the account");
    tells_the_lock(&stage);
    stage.stop();
    tells_the_lock(&stage);
}

/// People read it, whether an engine runs or not.
fn tells_the_lock(stage: &Stage) {
    let status = stage.home.ask(&["status"]).output;
    assert!(status.contains("  Locked: Symbol Block RTY, RTY is blocked, no time limit\n"), "{status}");
    let table = stage.home.ask(&["lockouts"]).output;
    let line = table.lines().find(|line| line.contains("Symbol Block RTY")).expect(&table);
    let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells[1..5], ["Symbol Block RTY", "SYMBOL", "RTY is blocked", "no time limit"], "{line}");
    assert!(cells[5].contains("ends the trading day after you take RTY off the list"), "{line}");
}

#[test]
fn resting_entries_in_a_blocked_symbol_are_cancelled_before_they_fill() {
    let rules = Rules::open().with("symbol_blocks", "{enabled: true, blocked_symbols: [RTY]}");
    let stage = Stage::running(&rules);
    let desk = stage.desk();
    stage.simulator.price("RTY", 2440.0);
    let allowed = desk.buy_limit("M2K", 2, 2400.0);
    let limit = desk.buy_limit("RTY", 2, 2400.0);
    let stop = desk.buy_stop("RTY", 1, 2500.0);
    wait_until("both cancelled", || !desk.is_working(limit) && !desk.is_working(stop));
    stage.confirmed("symbol_blocks", "cancel_order");
    assert!(desk.is_working(allowed));
    assert!(desk.is_flat());
    assert!(stage.simulator.journal().closes().is_empty());
}

#[test]
fn a_symbol_that_the_settings_no_longer_block_stays_blocked_for_the_day() {
    let rules = Rules::open().with("symbol_blocks", "{enabled: true, blocked_symbols: [RTY]}");
    let stage = Stage::running(&rules);
    let desk = stage.desk();
    desk.buy("RTY", 1);
    wait_until("locked", || stage.locks(0).len() == 1);
    wait_until("closed", || desk.is_flat());

    stage.home.replace("risk.yaml", &Rules::open().to_string());
    wait_until("pending", || stage.status()["pending"][0]["key"] == "rules.symbol_blocks.enabled");
    let fills = desk.fills().len();
    desk.buy("RTY", 1);
    wait_until("closed again", || desk.fills().len() == fills + 2 && desk.is_flat());
    assert_eq!(stage.locks(0).len(), 1);
}

#[test]
fn exits_in_a_blocked_symbol_are_left_alone() {
    let rules =
        Rules::open().with("symbol_blocks", "{enabled: true, blocked_symbols: [RTY], close_existing: false}");
    let mut stage = Stage::with(&rules);
    stage.simulator.price("RTY", 2440.0);
    stage.desk().buy("RTY", 2);
    stage.run();
    let desk = stage.desk();
    let exit = desk.sell_limit("RTY", 2, 2500.0);
    let entry = desk.buy_limit("RTY", 1, 2400.0);
    wait_until("the entry is cancelled", || !desk.is_working(entry));
    stage.confirmed("symbol_blocks", "cancel_order");
    assert!(desk.is_working(exit), "an exit is always allowed");
    assert_eq!(desk.held("RTY"), 2);
    desk.buy("RTY", 1);
    wait_until("back at two", || desk.fills().len() == 3 && desk.held("RTY") == 2);
    desk.close("RTY");
    stage.confirmed("symbol_blocks", "reduce_position");
}

#[test]
fn stops_that_are_larger_than_what_is_left_are_made_smaller_or_cancelled() {
    let stage = Stage::running(&Rules::two_mnq());
    let desk = stage.desk();
    stage.simulator.price("MNQ", 21000.0);
    desk.buy("MNQ", 2);
    let stop = desk.sell_stop("MNQ", 2, 20900.0);
    desk.buy("MNQ", 2);
    let second = desk.sell_stop("MNQ", 2, 20890.0);
    wait_until("two MNQ", || desk.fills().len() == 3 && desk.held("MNQ") == 2);
    wait_until("stops for two", || {
        let orders = desk.orders();
        orders.iter().map(|order| order["size"].as_i64().unwrap()).sum::<i64>() == 2
    });
    assert!(desk.is_working(stop) || desk.is_working(second));
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    desk.close("MNQ");
    wait_until("no stop is left of a position that is gone", || desk.orders().is_empty());
}

//! RULE-002, default 3, MNQ 2, ES 1, reduce to limit.

use domain::{Contracts, rulebook::UnknownSymbol};

use crate::desk::{Desk, only};

fn desk() -> Desk {
    Desk::new(only(|rules| rules.max_contracts_per_instrument.enabled = true))
}

#[test]
fn rule_002_scenario_1() {
    assert_eq!(desk().position("MNQ", 2, "21000"), "");
}

#[test]
fn rule_002_scenario_2() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert_eq!(
        desk.position("MNQ", 3, "21000"),
        "reduce MNQ to 2 by max_contracts_per_instrument: 3 of 2 MNQ"
    );
}

#[test]
fn rule_002_scenario_3() {
    let text = desk().position("ES", -2, "6000");
    assert_eq!(text, "reduce ES to 1 by max_contracts_per_instrument: 2 of 1 ES");
}

#[test]
fn rule_002_scenario_4() {
    let mut desk = desk();
    assert_eq!(desk.position("MES", 3, "6000"), "");
    assert_eq!(
        desk.position("MES", 4, "6000"),
        "reduce MES to 3 by max_contracts_per_instrument: 4 of 3 MES"
    );
}

#[test]
fn rule_002_scenario_5() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts_per_instrument.enabled = true;
        rules.max_contracts_per_instrument.settings.default_limit = None;
        rules.max_contracts_per_instrument.settings.unknown_symbol = UnknownSymbol::Block;
    }));
    assert_eq!(desk.position("CL", 1, "70"), "close CL by max_contracts_per_instrument: 1 of 0 CL");
}

#[test]
fn rule_002_scenario_6() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert_eq!(
        desk.position("MNQ.H26", 1, "21200"),
        "close MNQ.H26 by max_contracts_per_instrument: 3 of 2 MNQ"
    );
}

#[test]
fn rule_002_scenario_7() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts_per_instrument.enabled = true;
        rules.max_contracts.enabled = true;
    }));
    assert_eq!(
        desk.position("MNQ", 6, "21000"),
        "reduce MNQ to 2 by max_contracts_per_instrument + max_contracts: 6 of 2 MNQ"
    );
    assert_eq!(desk.obey(), "");
}

#[test]
fn rule_002_scenario_8() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts_per_instrument.enabled = true;
        rules.max_contracts_per_instrument.settings.unknown_symbol =
            UnknownSymbol::AllowWithLimit(Contracts(2));
    }));
    assert_eq!(desk.position("GC", 3, "2400"), "reduce GC to 2 by max_contracts_per_instrument: 3 of 2 GC");
}

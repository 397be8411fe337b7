//! RULE-011.

use domain::{Event, Memory, OrderSide::Buy, Rulebook, rulebook::SymbolListMode};

use crate::desk::{ACCOUNT, Desk, only};

fn blocking(patterns: &[&str]) -> Rulebook {
    only(|rules| {
        rules.symbol_blocks.enabled = true;
        rules.symbol_blocks.settings.patterns = patterns.iter().map(ToString::to_string).collect();
    })
}

#[test]
fn rule_011_scenario_1() {
    let mut desk = Desk::new(blocking(&["RTY"]));
    assert_eq!(
        desk.position("RTY", 1, "2200"),
        "lock SYMBOL symbol_blocks RTY until unblocked\nclose RTY by symbol_blocks: RTY is blocked by RTY"
    );
    assert_eq!(desk.obey(), "");
    assert_eq!(desk.position("M2K", 1, "2200"), "");
    assert_eq!(
        desk.position("RTY", 1, "2200"),
        "close RTY by symbol_blocks: 1 while 0 permitted by symbol_blocks",
        "again, by the gate"
    );
}

#[test]
fn rule_011_scenario_2() {
    let mut desk = Desk::new(blocking(&["ES*"]));
    assert_eq!(
        desk.position("ES", -1, "6000"),
        "lock SYMBOL symbol_blocks ES until unblocked\nclose ES by symbol_blocks: ES is blocked by ES*"
    );
    assert_eq!(desk.position("MES", 1, "6000"), "");
}

#[test]
fn rule_011_scenario_3() {
    let mut desk = Desk::new(blocking(&["*NQ"]));
    assert!(desk.position("NQ", 1, "21000").contains("close NQ"));
    assert!(desk.position("MNQ", 1, "21000").contains("close MNQ"));
}

#[test]
fn rule_011_scenario_4() {
    let mut desk = Desk::new(blocking(&["RTY"]));
    assert_eq!(
        desk.limit(1, "RTY", Buy, 2, "2190"),
        "lock SYMBOL symbol_blocks RTY until unblocked\ncancel 1 by symbol_blocks: RTY is blocked by RTY"
    );
}

#[test]
fn rule_011_scenario_5() {
    let mut desk = Desk::new({
        let mut rulebook = blocking(&["MNQ", "MES"]);
        rulebook.base.symbol_blocks.settings.mode = SymbolListMode::Whitelist;
        rulebook
    });
    assert!(
        desk.position("NQ", -1, "21000").contains("close NQ by symbol_blocks: NQ is blocked by whitelist")
    );
    assert_eq!(desk.position("MES", 1, "6000"), "");
}

#[test]
fn rule_011_scenario_6() {
    let mut desk = Desk::new(only(|_| {}));
    desk.position("RTY", 1, "2200");
    let text = desk.send(Event::Rules(Box::new(blocking(&["RTY"]))));
    assert!(text.contains("close RTY"), "{text}");
}

#[test]
fn rule_011_scenario_7() {
    let mut desk = Desk::new(blocking(&["RTY"]));
    desk.position("RTY", 1, "2200");
    desk.obey();
    assert_eq!(desk.send(Event::Rules(Box::new(blocking(&["CL"])))), "unlock symbol_blocks config");
    assert_eq!(desk.position("RTY", 1, "2200"), "");
}

#[test]
fn rule_011_scenario_8() {
    let mut first = Desk::new(blocking(&["RTY"]));
    first.position("RTY", 1, "2200");
    let lockouts: Vec<_> = first.engine.accounts().flat_map(|it| it.lockouts().iter().cloned()).collect();

    let mut desk = Desk::down(blocking(&["RTY"]));
    let mut memory = Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default().lockouts = lockouts;
    desk.hold("RTY", 1, "2200");
    desk.restored(memory);
    assert_eq!(desk.start(), "close RTY by symbol_blocks: 1 while 0 permitted by symbol_blocks");
    assert_eq!(desk.lockouts().len(), 1);
}

#[test]
fn aliases_of_a_root_are_the_same_root() {
    let mut desk = Desk::new(blocking(&["ENQ"]));
    assert!(desk.position("NQ", 1, "21000").contains("close NQ"));
    assert_eq!(desk.position("MNQ", 1, "21000"), "");
}

#[test]
fn existing_positions_may_stay_if_the_rule_says_so() {
    let mut keeping = blocking(&["RTY"]);
    keeping.base.symbol_blocks.settings.close_existing = false;
    let mut desk = Desk::new(only(|_| {}));
    desk.position("RTY", 1, "2200");
    let text = desk.send(Event::Rules(Box::new(keeping)));
    assert_eq!(text, "lock SYMBOL symbol_blocks RTY until unblocked");
    let text = desk.position("RTY", 2, "2200");
    assert_eq!(text, "reduce RTY to 1 by symbol_blocks: 2 while 1 permitted by symbol_blocks");
}

/// A blocked position is closed; it is no excess that another position would have to pay for.
#[test]
fn a_blocked_position_does_not_count_for_the_limit_of_all() {
    let mut desk = Desk::down(only(|rules| {
        rules.symbol_blocks.enabled = true;
        rules.symbol_blocks.settings.patterns = vec!["RTY".to_string()];
        rules.max_contracts.enabled = true;
    }));
    desk.at("09:59:00").hold("RTY", 3, "2000");
    desk.at("10:00:00").hold("MNQ", 3, "21000");
    let text = desk.start();
    assert_eq!(
        text,
        "lock SYMBOL symbol_blocks RTY until unblocked\nclose RTY by symbol_blocks + max_contracts: RTY is blocked by RTY"
    );
}

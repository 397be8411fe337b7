//! A rule with a mistake takes neither the other rules nor the engine with it.

#![allow(clippy::indexing_slicing)]

use chrono::TimeDelta;
use domain::{
    Account, Action, Contracts, Deed, Event, EventKind, Exposure, Instant, Link, Notice, Position, Price,
    RuleKey, RuleMode, Rulebook, Snapshot, Source, Usd,
};
use rust_decimal::Decimal;

use crate::{
    Engine,
    kinds::Kinds,
    rules::{ArmedRule, Finding, Rule, Scene, Verdict},
};

/// Breaks off while anything is held.
#[derive(Debug)]
struct Mistaken;

impl Rule for Mistaken {
    fn key(&self) -> RuleKey {
        RuleKey::SymbolBlocks
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[EventKind::PositionOpened, EventKind::PositionClosed])
    }

    fn needs(&self) -> &'static [Source] {
        &[]
    }

    fn check(&self, scene: &Scene<'_>, _: &mut Vec<Finding>) -> Verdict {
        assert!(scene.account.holdings().next().is_none(), "a mistake");
        Verdict::Passed
    }
}

fn at(second: i64) -> Instant {
    let start: Instant = "2025-10-29T15:00:00Z".parse().unwrap();
    start + TimeDelta::seconds(second)
}

fn held(size: i64) -> Event {
    Event::Position(Position {
        id: 1.into(),
        account: "7".into(),
        contract: "CON.F.US.MNQ.Z25".into(),
        symbol: "MNQ".into(),
        exposure: Exposure(size),
        average_price: Price(Decimal::from(21_000)),
        opened_at: at(1),
    })
}

/// An engine whose account is known and has a mistaken rule before all others.
fn engine() -> Engine {
    let mut engine = Engine::new(Rulebook::default());
    for link in [Link::LoggedIn, Link::UserUp, Link::MarketUp] {
        engine.step(at(0), &Event::Link(link));
    }
    let account = Account {
        id: "7".into(),
        name: "PRAC".to_string(),
        balance: Usd::ZERO,
        can_trade: true,
        visible: true,
        simulated: Some(true),
    };
    let read = Snapshot { account, positions: vec![], orders: vec![], fills: vec![], asked_at: at(0) };
    engine.step(at(0), &Event::Snapshot(Box::new(read)));
    let rules = &mut engine.accounts.get_mut("7").unwrap().rules;
    rules.insert(0, ArmedRule::new(Box::new(Mistaken), RuleMode::Enforce));
    engine
}

fn mistaken(engine: &Engine) -> &ArmedRule {
    &engine.accounts["7"].rules()[0]
}

fn tells(actions: &[Action]) -> bool {
    let failed = Notice::RuleFailed { rule: RuleKey::SymbolBlocks };
    actions.iter().any(|it| matches!(it, Action::Alert(alert) if alert.notice == failed))
}

fn reduces(actions: &[Action]) -> bool {
    let is_reduction = |deed: &Deed| matches!(deed, Deed::Reduce { to: Contracts(2), .. });
    actions.iter().any(|it| matches!(it, Action::Enforce(it) if is_reduction(&it.deed)))
}

#[test]
fn a_rule_that_breaks_off_is_told_once_and_the_others_act() {
    let mut engine = engine();
    let actions = engine.step(at(1), &held(9));
    assert!(tells(&actions) && reduces(&actions), "{actions:?}");
    assert_eq!(*mistaken(&engine).verdict(), Verdict::Failed);
    assert!(!mistaken(&engine).is_failing(), "once is no habit");
    for second in 2..4 {
        assert!(!tells(&engine.step(at(second), &Event::Tick)), "told already");
    }
    assert!(mistaken(&engine).is_failing(), "asked again with time, though it listens to none");
    engine.step(at(4), &held(0));
    assert_eq!(*mistaken(&engine).verdict(), Verdict::Passed);
    assert!(!mistaken(&engine).is_failing(), "it works again");
}

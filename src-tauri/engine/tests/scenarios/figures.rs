//! What the engine tells of itself: how much of each limit is used, and which rule protects nobody at the
//! moment because something it needs is not known.

use domain::{
    Contracts, Event, Fill, Link,
    OrderSide::{Buy, Sell},
    RuleKey, RuleSet,
    breach::Basis,
    rulebook::{LossScope, UnknownSymbol},
};
use engine::rules::Unit;

use crate::desk::{ACCOUNT, Desk, contract, only, usd};

/// All rules on.
fn all_on(rules: &mut RuleSet) {
    *rules = RuleSet::default();
    rules.symbol_blocks.enabled = true;
    rules.trade_management.enabled = true;
    rules.daily_realized_loss.settings.include_fees = false;
    rules.daily_realized_profit.settings.include_fees = false;
}

/// `max_contracts 2 of 5`, a line for each limit.
fn used(desk: &Desk) -> Vec<String> {
    let account = desk.engine.account(&ACCOUNT.into()).unwrap();
    let gauges = desk.engine.gauges(account).into_iter().map(|(gauge, _)| gauge);
    let figures = gauges.filter(|gauge| !matches!(gauge.unit, Unit::Trades(_)));
    figures
        .map(|gauge| {
            let symbol = gauge.symbol.map(|symbol| format!(" {symbol}")).unwrap_or_default();
            let value = gauge.value.map_or("unknown".to_string(), |value| value.normalize().to_string());
            format!("{}{symbol} {value} of {}", gauge.rule, gauge.limit.normalize())
        })
        .collect()
}

#[test]
fn each_limit_tells_how_much_of_it_is_used() {
    let mut desk = Desk::new(only(all_on));
    desk.banked("-120");
    desk.position("MNQ", 2, "21000");
    desk.position("MGC", -1, "4000");
    assert_eq!(
        used(&desk),
        [
            "max_contracts 1 of 5",
            "max_contracts_per_instrument MGC 1 of 3",
            "max_contracts_per_instrument MNQ 2 of 2",
            "daily_realized_loss unknown of -500",
            "daily_unrealized_loss MGC unknown of -200",
            "daily_unrealized_loss MNQ unknown of -200",
            "max_unrealized_profit MGC unknown of 500",
            "max_unrealized_profit MNQ unknown of 500",
            "daily_realized_profit unknown of 1000",
        ],
        "without prices a figure is unknown, not zero"
    );
    desk.quote("MNQ", "20990");
    desk.quote("MGC", "3999");
    let of = |rule: &str| used(&desk).into_iter().filter(|line| line.starts_with(rule)).collect::<Vec<_>>();
    assert_eq!(
        of("daily_realized"),
        ["daily_realized_loss -150 of -500", "daily_realized_profit -150 of 1000"]
    );
    assert_eq!(
        of("daily_unrealized_loss"),
        ["daily_unrealized_loss MGC 10 of -200", "daily_unrealized_loss MNQ -40 of -200"]
    );
    assert_eq!(
        of("max_unrealized_profit"),
        ["max_unrealized_profit MGC 10 of 500", "max_unrealized_profit MNQ -40 of 500"]
    );
}

#[test]
fn a_limit_on_the_sum_has_one_figure_and_an_unlimited_symbol_has_none() {
    let mut rulebook = only(|rules| {
        rules.daily_unrealized_loss.enabled = true;
        rules.daily_unrealized_loss.settings.scope = LossScope::AccountTotal;
        rules.max_contracts_per_instrument.enabled = true;
        rules.max_contracts_per_instrument.settings.unknown_symbol = UnknownSymbol::AllowUnlimited;
    });
    rulebook.warn_at_percent = vec![50];
    let mut desk = Desk::new(rulebook);
    desk.position("MNQ", 2, "21000");
    desk.position("MGC", 9, "4000");
    desk.quote("MGC", "4000");
    assert_eq!(
        desk.quote("MNQ", "20970"),
        "alert: 50 % of daily_unrealized_loss used, -120.00",
        "told of the sum"
    );
    assert_eq!(
        used(&desk),
        ["max_contracts_per_instrument MNQ 2 of 2", "daily_unrealized_loss -120 of -200"]
    );
}

/// Invariant A.8-5: an enabled rule whose sources are missing must not look as if it protected.
#[test]
fn rules_that_lack_something_are_named() {
    let mut desk = Desk::new(only(all_on));
    let lacking = |desk: &Desk| {
        let account = desk.engine.account(&ACCOUNT.into()).unwrap();
        let rules = desk.engine.inactive_rules(account).into_iter().map(|(rule, _)| rule);
        rules.collect::<std::collections::BTreeSet<RuleKey>>()
    };
    assert_eq!(lacking(&desk), [].into());
    let by_price = [
        RuleKey::DailyRealizedLoss,
        RuleKey::DailyUnrealizedLoss,
        RuleKey::MaxUnrealizedProfit,
        RuleKey::TradeManagement,
        RuleKey::DailyRealizedProfit,
    ];
    desk.position("MNQ", 2, "21000");
    assert_eq!(lacking(&desk), by_price.into(), "a position without a price");
    desk.quote("MNQ", "21000");
    assert_eq!(lacking(&desk), [].into());
    desk.send(Event::Link(Link::MarketDown { why: "reset".to_string() }));
    assert_eq!(lacking(&desk), by_price.into(), "no stream of prices");
    let mut realized = only(all_on);
    realized.base.daily_realized_loss.settings.basis = Basis::Realized;
    desk.send(Event::Rules(Box::new(realized)));
    assert!(!lacking(&desk).contains(&RuleKey::DailyRealizedLoss), "closed results need no price");

    let mut unread = Desk::down(only(all_on));
    let mut memory = domain::Memory::default();
    memory.accounts.entry(ACCOUNT.into()).or_default();
    unread.restored(memory);
    assert_eq!(lacking(&unread).len(), 13, "before the first reading none protects");
}

/// A metadata question is open: what a tick is worth is not known, whatever the price.
#[test]
fn a_position_without_metadata_has_no_result() {
    let mut desk = Desk::new(only(|rules| rules.daily_unrealized_loss.enabled = true));
    let opened = desk.hold("MNQ", 2, "21000");
    desk.send(opened);
    desk.quote("MNQ", "20000");
    let account = desk.engine.account(&ACCOUNT.into()).unwrap();
    let lacking = desk.engine.inactive_rules(account);
    assert_eq!(lacking, [(RuleKey::DailyUnrealizedLoss, domain::Source::Metadata)]);
    desk.metadata("MNQ");
    assert_eq!(desk.ordered().rule, RuleKey::DailyUnrealizedLoss, "now it has one, and it is judged");
}

/// Ruling 3: the hub's commission is missing in the query, and the fee table stands in.
#[test]
fn commissions_that_the_broker_does_not_name_come_from_the_table() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.settings.include_fees = true;
    }));
    let fill = desk.fill_of("MNQ", Sell, 2, "21000", "-10");
    let fill = Fill { fees: usd("0.74"), commissions: None, ..fill };
    desk.send(Event::Fill(fill.clone()));
    let day = |desk: &Desk| {
        let ledger = desk.engine.account(&ACCOUNT.into()).unwrap().ledger();
        (ledger.costs().to_string(), ledger.is_estimated())
    };
    assert_eq!(day(&desk), ("1.24".to_string(), true));
    desk.send(Event::Fill(Fill { commissions: Some(usd("0.60")), ..fill.clone() }));
    assert_eq!(day(&desk), ("1.34".to_string(), false), "the broker's word replaces it");
    desk.send(Event::Fill(fill));
    assert_eq!(day(&desk), ("1.34".to_string(), false), "and stays");
}

#[test]
fn trades_on_their_way_to_a_limit_are_told_once_a_level() {
    let mut rulebook = only(|rules| {
        rules.trade_frequency_limit.enabled = true;
        rules.trade_frequency_limit.settings.per_minute.limit = None;
        rules.trade_frequency_limit.settings.per_session.limit = None;
        rules.trade_frequency_limit.settings.per_hour.limit = Some(4);
    });
    rulebook.warn_at_percent = vec![50, 75];
    let mut desk = Desk::new(rulebook);
    assert_eq!(desk.fill("MNQ", Buy, 1, "21000", ""), "");
    assert_eq!(desk.fill("MNQ", Sell, 1, "21000", "0"), "alert: 50 % of trade_frequency_limit used, 2 of 4");
    assert_eq!(desk.fill("MNQ", Buy, 1, "21000", ""), "alert: 75 % of trade_frequency_limit used, 3 of 4");
    assert!(desk.fill("MNQ", Sell, 1, "21000", "0").starts_with("lock TIMER trade_frequency_limit"));
}

/// A decision whose call is still to be sent: what changed meanwhile may leave more room.
#[test]
fn how_much_may_stay_follows_what_else_is_held() {
    for (per_instrument, other) in [(false, "MES"), (true, "MNQ.H26")] {
        let mut desk = Desk::new(only(|rules| {
            rules.max_contracts.enabled = !per_instrument;
            rules.max_contracts_per_instrument.enabled = per_instrument;
            rules.max_contracts_per_instrument.settings.instrument_limits =
                [("MNQ".into(), Contracts(5))].into();
        }));
        desk.position(other, 3, "6000");
        let text = desk.position("MNQ", 4, "21000");
        assert!(text.starts_with("reduce MNQ to 2 by"), "{text}");
        let allowed = |desk: &Desk, to| {
            desk.engine.account(&ACCOUNT.into()).unwrap().allowed(&contract("MNQ"), Contracts(to)).0
        };
        assert_eq!(allowed(&desk, 2), 2);
        desk.position(other, 1, "6000");
        assert_eq!(allowed(&desk, 2), 4, "the other one shrank");
        desk.position(other, 0, "6000");
        assert_eq!(allowed(&desk, 2), 5, "and is gone");
        assert_eq!(allowed(&desk, 1), 1, "another decision stays as it is");
    }
}

//! Where rules meet: `interaction_scenario_N` is the N-th row of specification B.14, the last one its worked
//! cascade. Rows that a rule's own scenario plays already are not repeated here.

use domain::{
    Command, Contracts, Event,
    OrderSide::{Buy, Sell},
    Outcome,
    breach::Basis,
};

use crate::desk::{Desk, only};

const DAY_LOCK: &str = "lock HARD daily_realized_loss until 10-29 17:00:00";
const NIGHT_LOCK: &str = "lock HARD session_block_outside until 10-30 08:30:00";

#[test]
fn interaction_scenario_2() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts.enabled = true;
        rules.max_contracts.settings.limit = Contracts(2);
        rules.daily_realized_loss.enabled = true;
    }));
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.quote("MNQ", "20900"), "");
    assert_eq!(
        desk.position("MNQ", 3, "21000"),
        format!("{DAY_LOCK}\nflatten by daily_realized_loss + max_contracts: -600.00 of -500.00")
    );
}

#[test]
fn interaction_scenario_4() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.session_block_outside.enabled = true;
    }));
    desk.at("14:59:59").tick();
    desk.position("MNQ", 1, "21000");
    assert_eq!(desk.quote("MNQ", "20750.25"), "");
    assert_eq!(
        desk.at("15:00:00").quote("MNQ", "20750"),
        format!("{DAY_LOCK}\n{NIGHT_LOCK}\nflatten by daily_realized_loss: -500.00 of -500.00"),
        "one flatten"
    );
    desk.obey();
    assert_eq!(desk.at("17:00:00").tick(), "day 2025-10-30\nunlock daily_realized_loss reset");
    assert_eq!(desk.lockouts(), ["HARD session_block_outside until 10-30 08:30:00"], "the later end");
}

#[test]
fn interaction_scenario_5() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.settings.basis = Basis::Realized;
        rules.daily_unrealized_loss.enabled = true;
        rules.cooldown_after_loss.enabled = true;
    }));
    desk.banked("-300");
    desk.position("ES", 1, "6000");
    assert_eq!(desk.quote("ES", "5995.75"), "close ES by daily_unrealized_loss: ES -212.50 of -200.00");
    assert_eq!(
        desk.fill("ES", Sell, 1, "5995.75", "-212.50"),
        format!(
            "{DAY_LOCK}\nlock TIMER cooldown_after_loss until 10-29 10:15:00\n\
             flatten by daily_realized_loss: -512.50 of -500.00"
        )
    );
}

#[test]
fn interaction_scenario_7() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.settings.basis = Basis::Realized;
        rules.cooldown_after_loss.enabled = true;
    }));
    desk.position("ES", 1, "6000");
    desk.position("MNQ", 0, "21000");
    assert_eq!(
        desk.fill("MNQ", Sell, 2, "20970", "-120"),
        "lock TIMER cooldown_after_loss until 10-29 10:05:00\n\
         flatten by cooldown_after_loss: -120.00 of -100.00"
    );
    assert_eq!(
        desk.later(300).fill("ES", Sell, 1, "5992", "-400"),
        format!("{DAY_LOCK}\nflatten by daily_realized_loss: -520.00 of -500.00")
    );
    assert_eq!(
        desk.lockouts(),
        ["HARD daily_realized_loss until 10-29 17:00:00", "TIMER cooldown_after_loss until 10-29 10:05:00"],
        "its own close does not extend it"
    );
}

#[test]
fn interaction_scenario_8() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.trade_frequency_limit.enabled = true;
    }));
    desk.position("MNQ", 3, "21000");
    for _ in 0..3 {
        desk.fill("MNQ", Buy, 1, "21000", "");
    }
    assert_eq!(desk.lockouts(), ["TIMER trade_frequency_limit per_minute until 10-29 10:01:00"]);
    assert_eq!(
        desk.quote("MNQ", "20900"),
        format!("{DAY_LOCK}\nflatten by daily_realized_loss: -600.00 of -500.00")
    );
    assert_eq!(desk.lockouts().len(), 2);
}

#[test]
fn interaction_scenario_9() {
    let mut desk = Desk::new(only(|rules| {
        rules.cooldown_after_loss.enabled = true;
        rules.session_block_outside.enabled = true;
    }));
    desk.at("14:54:30").fill("MNQ", Sell, 2, "20970", "-120");
    assert_eq!(desk.at("14:59:30").tick(), "unlock cooldown_after_loss expiry");
    assert_eq!(desk.at("15:00:00").tick(), NIGHT_LOCK);
    let mut desk = Desk::new(only(|rules| {
        rules.cooldown_after_loss.enabled = true;
        rules.session_block_outside.enabled = true;
    }));
    desk.at("14:55:00").fill("MNQ", Sell, 2, "20890", "-220");
    assert_eq!(desk.at("15:00:00").tick(), NIGHT_LOCK);
    assert_eq!(desk.lockouts().len(), 2);
    assert_eq!(desk.at("15:10:00").tick(), "unlock cooldown_after_loss expiry");
    assert_eq!(
        desk.at("2025-10-30T08:30:00").tick(),
        "day 2025-10-30\nunlock session_block_outside condition"
    );
}

/// A stop that is on its way when the grace ends: seen before the close is decided, it spares the position;
/// seen after, it is taken back.
#[test]
fn interaction_scenario_10() {
    let grace_over = || {
        let mut desk = Desk::new(only(|rules| {
            rules.no_stop_loss_grace.settings.grace_period_seconds = 5;
            rules.trade_management.enabled = true;
            rules.trade_management.settings.values.take_profit.enabled = false;
        }));
        desk.quote("MNQ", "21000");
        let placed = desk.position("MNQ", 1, "21000");
        assert!(placed.starts_with("place stop sell 1 mnq @ 20997.5"), "{placed}");
        desk.later(5_000).tick();
        desk
    };
    let mut in_time = grace_over();
    in_time.obey();
    assert_eq!(in_time.answer_orders(), "");

    let mut late = grace_over();
    let closed = late.answer_orders();
    assert!(closed.starts_with("close MNQ by no_stop_loss_grace: 0 of 1 covered"), "{closed}");
    let undone = format!("{}\n{}", late.obey(), late.later(2_000).tick());
    assert!(undone.contains("cancel 9001"), "{undone}");
}

#[test]
fn interaction_scenario_11() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts_per_instrument.enabled = true;
        rules.symbol_blocks.enabled = true;
        rules.symbol_blocks.settings.patterns = vec!["MNQ".into()];
    }));
    assert_eq!(
        desk.position("MNQ", 5, "21000"),
        "lock SYMBOL symbol_blocks MNQ until unblocked\n\
         close MNQ by symbol_blocks + max_contracts_per_instrument: MNQ is blocked by MNQ"
    );
}

#[test]
fn interaction_scenario_13() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.settings.basis = Basis::Realized;
        rules.trade_frequency_limit.enabled = true;
        rules.session_block_outside.enabled = true;
    }));
    desk.at("16:30:00");
    desk.tick();
    for _ in 0..3 {
        desk.fill("MNQ", Sell, 1, "21000", "-200");
    }
    desk.obey();
    assert_eq!(desk.at("16:59:30").fill("MNQ", Buy, 1, "21000", ""), "", "a third within the minute is none");
    assert_eq!(desk.lockouts().len(), 2);
    assert_eq!(desk.at("17:00:00").tick(), "day 2025-10-30\nunlock daily_realized_loss reset");
    assert_eq!(desk.lockouts(), ["HARD session_block_outside until 10-30 08:30:00"]);
}

#[test]
fn interaction_scenario_14() {
    let mut desk = Desk::new(only(|rules| rules.daily_realized_loss.enabled = true));
    desk.at("16:58:00").banked("300");
    desk.position("MNQ", 1, "21000");
    assert_eq!(desk.quote("MNQ", "20740"), "", "220 down on the day");
    assert_eq!(
        desk.at("17:00:00").tick(),
        "day 2025-10-30\nlock HARD daily_realized_loss until 10-30 17:00:00\n\
         flatten by daily_realized_loss: -520.00 of -500.00",
        "the open loss counts whole for the new day"
    );
}

#[test]
fn interaction_scenario_15() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts.enabled = true;
        rules.max_contracts.settings.limit = Contracts(1);
        rules.trade_frequency_limit.enabled = true;
        rules.cooldown_after_loss.enabled = true;
    }));
    desk.fill("MNQ", Buy, 2, "21000", "");
    assert_eq!(desk.position("MNQ", 2, "21000"), "reduce MNQ to 1 by max_contracts: 2 of 1");
    assert_eq!(desk.gauges()[0], "1 of 3 per_minute");
    assert_eq!(
        desk.fill("MNQ", Sell, 1, "20940", "-120"),
        "lock TIMER cooldown_after_loss until 10-29 10:05:00\n\
         flatten by cooldown_after_loss: -120.00 of -100.00",
        "its loss counts"
    );
    assert_eq!(desk.gauges()[0], "1 of 3 per_minute", "it is no trade of the trader");
    assert_eq!(desk.realized(), "-120.00");
}

#[test]
fn interaction_scenario_16() {
    let mut desk = Desk::new(only(|rules| {
        rules.max_contracts.enabled = true;
        rules.max_contracts_per_instrument.enabled = true;
    }));
    let command = Command::LockOut { account: None, until: None };
    desk.send(Event::Command(command));
    desk.obey();
    assert_eq!(
        desk.position("MNQ", 9, "21000"),
        "close MNQ by trader: 9 while 0 permitted by trader",
        "whole, and by nobody else"
    );
}

#[test]
fn interaction_scenario_20() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_frequency_limit.enabled = true;
        rules.cooldown_after_loss.enabled = true;
    }));
    let fill = desk.fill_of("MNQ", Sell, 1, "20940", "-120");
    let locked = desk.send(Event::Fill(fill.clone()));
    assert!(locked.starts_with("lock TIMER cooldown_after_loss"), "{locked}");
    assert_eq!(desk.send(Event::Fill(fill.clone())), "");
    assert_eq!(desk.reconcile(&[fill]), "");
    assert_eq!(desk.realized(), "-120.00");
    assert_eq!(desk.gauges()[0], "1 of 3 per_minute");
    assert_eq!(desk.lockouts(), ["TIMER cooldown_after_loss until 10-29 10:05:00"]);
}

#[test]
fn interaction_scenario_21() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_frequency_limit.enabled = true;
        rules.trade_frequency_limit.settings.per_minute.limit = Some(1);
    }));
    desk.fill("MNQ", Buy, 2, "21000", "");
    desk.position("MNQ", 2, "21000");
    let fill = desk.fill_of("MNQ", Sell, 2, "21010", "40");
    let rest = desk.fill_more(&fill, 1, "");
    desk.send(Event::Fill(fill));
    desk.send(Event::Fill(rest));
    let turned = desk.position("MNQ", -1, "21010");
    assert!(
        turned.ends_with("close MNQ by trade_frequency_limit: 1 while 0 permitted by trade_frequency_limit"),
        "{turned}"
    );
    assert_eq!(desk.realized(), "40.00");
    assert_eq!(desk.gauges()[0], "1 of 1 per_minute", "what the break undoes is no trade");
}

#[test]
fn interaction_scenario_22() {
    let mut desk = Desk::new(only(|rules| {
        rules.daily_unrealized_loss.enabled = true;
        rules.daily_realized_loss.enabled = true;
    }));
    desk.position("ES", 1, "6000");
    desk.position("MNQ", 2, "21000");
    for (name, at) in [("ES", "6000"), ("MNQ", "21000")] {
        desk.stamped(name, at, 0);
        desk.later(500).stamped(name, at, 0);
    }
    assert_eq!(desk.later(2_000).stamped("ES", "5900", 1_500), "alert: ES late by 1500 ms");
    assert_eq!(
        desk.later(500).stamped("MNQ", "20950", 0),
        "close MNQ by daily_unrealized_loss: MNQ -200.00 of -200.00"
    );
    assert_eq!(
        desk.fill("MES", Sell, 1, "5900", "-500"),
        format!("{DAY_LOCK}\nflatten by daily_realized_loss: -500.00 of -500.00"),
        "what is banked goes on"
    );
}

#[test]
fn interaction_scenario_23() {
    let mut desk = Desk::down(only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.settings.basis = Basis::Realized;
        rules.daily_unrealized_loss.enabled = true;
        rules.cooldown_after_loss.enabled = true;
    }));
    desk.at("09:30:00").start();
    desk.banked("-310");
    desk.position("ES", 1, "6000");
    assert_eq!(
        desk.at("09:31:00").quote("ES", "5996"),
        "close ES by daily_unrealized_loss: ES -200.00 of -200.00"
    );
    let close = desk.ordered();
    let closed = desk.hold("ES", 0, "6000");
    assert_eq!(
        desk.at("09:31:00.300").fill("ES", Sell, 1, "5996", "-200"),
        format!(
            "{DAY_LOCK}\nlock TIMER cooldown_after_loss until 10-29 09:46:00\n\
             flatten by daily_realized_loss: -510.00 of -500.00"
        )
    );
    assert_eq!(desk.send(closed), "");
    assert_eq!(desk.report(&close, None, Outcome::Confirmed), "");
    assert_eq!(desk.obey(), "", "a flatten that finds nothing");
    assert_eq!(desk.at("09:46:00.300").tick(), "unlock cooldown_after_loss expiry");
    assert_eq!(desk.at("17:00:00").tick(), "day 2025-10-30\nunlock daily_realized_loss reset");
    assert_eq!(desk.lockouts(), Vec::<String>::new());
}

/// An exit that is told before its position is no reason to close what is on its way out.
#[test]
fn an_exit_that_reaches_the_trade_limit_is_not_closed_once_more() {
    let mut desk = Desk::new(only(|rules| {
        rules.trade_frequency_limit.enabled = true;
        rules.trade_frequency_limit.settings.per_minute.limit = Some(2);
    }));
    desk.fill("MNQ", Buy, 1, "21000", "");
    desk.position("MNQ", 1, "21000");
    assert_eq!(
        desk.fill("MNQ", Sell, 1, "21000", "0"),
        "lock TIMER trade_frequency_limit per_minute until 10-29 10:01:00"
    );
    desk.position("MNQ", 0, "21000");
    assert!(desk.position("MNQ", 1, "21000").contains("close MNQ"), "nothing may stay");
}

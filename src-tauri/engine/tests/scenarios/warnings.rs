//! Warnings before a limit: once per level and day.

use domain::{OrderSide::Sell, RuleMode};

use crate::desk::{Desk, only};

fn desk() -> Desk {
    let mut rulebook = only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.settings.basis = domain::breach::Basis::Realized;
    });
    rulebook.warn_at_percent = vec![50, 75, 90];
    Desk::new(rulebook)
}

#[test]
fn each_level_is_told_once_a_day() {
    let mut desk = desk();
    assert_eq!(desk.fill("MES", Sell, 1, "6000", "-249.99"), "");
    assert_eq!(
        desk.fill("MES", Sell, 1, "6000", "-0.01"),
        "alert: 50 % of daily_realized_loss used, -250.00"
    );
    assert_eq!(desk.fill("MES", Sell, 1, "6000", "-10"), "");
    assert_eq!(desk.fill("MES", Sell, 1, "6000", "100"), "");
    assert_eq!(desk.fill("MES", Sell, 1, "6000", "-100"), "", "back at a level that was told");
    assert_eq!(
        desk.fill("MES", Sell, 1, "6000", "-200"),
        "alert: 90 % of daily_realized_loss used, -460.00",
        "only the highest of two levels"
    );
    desk.at("17:00:01").tick();
    assert_eq!(
        desk.fill("MES", Sell, 1, "6000", "-250"),
        "alert: 50 % of daily_realized_loss used, -250.00",
        "a new day"
    );
}

#[test]
fn a_position_that_nears_its_own_limit_is_named() {
    let mut rulebook = only(|rules| rules.daily_unrealized_loss.enabled = true);
    rulebook.warn_at_percent = vec![50, 75, 90];
    let mut desk = Desk::new(rulebook);
    desk.position("MNQ", 2, "21000");
    assert_eq!(desk.quote("MNQ", "20960"), "alert: 75 % of daily_unrealized_loss MNQ used, -160.00");
    assert_eq!(desk.later(200).quote("MNQ", "20970"), "");
}

#[test]
fn a_rule_that_only_warns_says_so_before_its_limit() {
    let mut rulebook = only(|rules| {
        rules.daily_realized_loss.enabled = true;
        rules.daily_realized_loss.mode = RuleMode::Warn;
        rules.daily_realized_loss.settings.basis = domain::breach::Basis::Realized;
        rules.trade_frequency_limit.enabled = true;
        rules.trade_frequency_limit.mode = RuleMode::Warn;
        rules.trade_frequency_limit.settings.per_minute.limit = None;
        rules.trade_frequency_limit.settings.per_hour.limit = None;
        rules.trade_frequency_limit.settings.per_session.limit = Some(2);
    });
    rulebook.warn_at_percent = vec![50];
    assert_eq!(
        Desk::new(rulebook).fill("MES", Sell, 1, "6000", "-250"),
        "alert: 50 % of daily_realized_loss used, -250.00, warned of only\n\
         alert: 50 % of trade_frequency_limit used, 1 of 2, warned of only"
    );
}

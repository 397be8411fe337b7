//! RULE-010: told of lost connections, refused logins and lost permission.

use domain::{Account, Event, Link, OrderSide::Sell, rulebook::OnCanTradeFalse};

use crate::desk::{ACCOUNT, Desk, account, only};

fn rulebook() -> domain::Rulebook {
    only(|rules| rules.auth_loss_guard.enabled = true)
}

fn desk() -> Desk {
    Desk::new(rulebook())
}

fn locking() -> Desk {
    let mut rulebook = rulebook();
    rulebook.base.auth_loss_guard.settings.on_can_trade_false = OnCanTradeFalse::Lockout;
    Desk::new(rulebook)
}

fn drop_stream(desk: &mut Desk) -> String {
    desk.send(Event::Link(Link::UserDown { why: "closed".to_string() }))
}

/// The stream is up and everything was read again.
fn bring_back(desk: &mut Desk) -> String {
    let up = desk.send(Event::Link(Link::UserUp));
    [up, desk.reconcile(&[])].concat()
}

fn permit(desk: &mut Desk, can_trade: bool) -> String {
    desk.send(Event::Account(account(can_trade)))
}

#[test]
fn rule_010_scenario_1() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert_eq!(drop_stream(&mut desk), "alert: connection_lost 1, MNQ 2 open");
}

#[test]
fn rule_010_scenario_2() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    assert_eq!(drop_stream(&mut desk), "alert: connection_lost 1, MNQ 2 open");
    assert_eq!(bring_back(desk.later(2_000)), "alert: connection_lost 1 over after 2 s");
    assert_eq!(drop_stream(desk.later(8_000)), "");
    assert_eq!(bring_back(desk.later(5_000)), "");
    assert_eq!(drop_stream(desk.later(15_000)), "");
    assert_eq!(desk.later(29_000).tick(), "", "59 s after the first");
    assert_eq!(desk.later(1_000).tick(), "alert: connection_lost 3, MNQ 2 open");
}

#[test]
fn rule_010_scenario_3() {
    let mut desk = desk();
    drop_stream(&mut desk);
    assert_eq!(desk.later(42_000).send(Event::Link(Link::UserUp)), "", "not before everything was read");
    assert_eq!(desk.reconcile(&[]), "alert: connection_lost 1 over after 42 s");
}

#[test]
fn rule_010_scenario_4() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    let refused = Event::Link(Link::LoginRefused { why: "invalid credentials".to_string() });
    assert_eq!(desk.send(refused), "alert: auth_failed 1, MNQ 2 open");
    assert_eq!(desk.later(59_000).tick(), "");
    assert_eq!(desk.later(1_000).tick(), "alert: auth_failed 1, MNQ 2 open", "again while it presses");
    assert_eq!(desk.later(1_000).send(Event::Link(Link::LoggedIn)), "alert: auth_failed 1 over after 61 s");
}

#[test]
fn rule_010_scenario_5() {
    let mut desk = desk();
    assert_eq!(permit(&mut desk, false), "alert: can_trade_false 1, nothing open");
    assert_eq!(permit(&mut desk, false), "");
    assert_eq!(desk.lockouts(), Vec::<String>::new());
}

#[test]
fn rule_010_scenario_6() {
    let mut desk = locking();
    desk.position("MES", 1, "6000");
    assert_eq!(
        permit(&mut desk, false),
        "alert: can_trade_false 1, MES 1 open\n\
         lock HARD auth_loss_guard until can trade\n\
         flatten by auth_loss_guard: the broker forbids it"
    );
    desk.obey();
    let reset = desk.at("17:00:01").tick();
    assert_eq!(reset, "day 2025-10-30", "no reset ends it");
    assert_eq!(desk.lockouts(), ["HARD auth_loss_guard until can trade"]);
    let freed = permit(&mut desk, true);
    assert!(freed.contains("unlock auth_loss_guard condition"), "{freed}");
    assert_eq!(desk.lockouts(), Vec::<String>::new());
}

#[test]
fn rule_010_scenario_7() {
    let mut rulebook = rulebook();
    rulebook.base.daily_realized_loss.enabled = true;
    let mut desk = Desk::new(rulebook);
    drop_stream(&mut desk);
    let missed = desk.later(30_000).fill_of("MES", Sell, 1, "6000", "-520");
    desk.later(10_000).send(Event::Link(Link::UserUp));
    assert_eq!(
        desk.reconcile(&[missed]),
        "lock HARD daily_realized_loss until 10-29 17:00:00\n\
         flatten by daily_realized_loss: -520.00 of -500.00\n\
         alert: connection_lost 1 over after 40 s"
    );
}

/// Nothing is told while the rule is off, and nothing is due at every moment either.
#[test]
fn a_loss_that_nobody_is_told_of_wakes_nobody() {
    let mut desk = Desk::new(only(|_| {}));
    drop_stream(&mut desk);
    for size in [1, 2, 1] {
        desk.later(500).position("MNQ", size, "21000");
        let deadline = desk.engine.next_deadline().unwrap();
        assert!(deadline.at > desk.now, "{deadline:?}");
    }
}

#[test]
fn lost_permission_is_told_at_the_start_as_well() {
    let mut desk = Desk::down(rulebook());
    desk.send(Event::Link(Link::UserUp));
    assert_eq!(permit(&mut desk, false), "alert: can_trade_false 1, nothing open");
}

#[test]
fn the_market_stream_alone_is_told_and_closes_nothing() {
    let mut desk = desk();
    desk.position("MNQ", 2, "21000");
    let down = Event::Link(Link::MarketDown { why: "closed".to_string() });
    assert_eq!(desk.send(down), "alert: connection_lost 1, MNQ 2 open");
    assert_eq!(
        desk.later(5_000).send(Event::Link(Link::MarketUp)),
        "alert: connection_lost 1 over after 5 s"
    );
}

#[test]
fn what_is_switched_off_is_not_told() {
    let mut rulebook = rulebook();
    rulebook.base.auth_loss_guard.settings.alert_on_disconnect = false;
    rulebook.base.auth_loss_guard.settings.alert_on_can_trade_false = false;
    let mut desk = Desk::new(rulebook);
    assert_eq!(drop_stream(&mut desk), "");
    assert_eq!(permit(&mut desk, false), "");
    let told = desk.send(Event::Link(Link::LoginRefused { why: "no".to_string() }));
    assert_eq!(told, "alert: auth_failed 1, nothing open");
}

#[test]
fn an_account_that_is_not_watched_is_told_of_by_nobody() {
    let mut rulebook = rulebook();
    rulebook.accounts = domain::rulebook::Watched::Listed([ACCOUNT.into()].into());
    let mut desk = Desk::new(rulebook);
    let other = Account { id: "26100418".into(), ..account(false) };
    assert_eq!(desk.send(Event::Account(other)), "");
}

/// What was traded in spite of the lock stays that, also where it is told after the lock has ended.
#[test]
fn a_fill_under_the_lock_that_is_told_late_counts_as_locked() {
    let mut rulebook = rulebook();
    rulebook.base.auth_loss_guard.settings.on_can_trade_false = OnCanTradeFalse::Lockout;
    rulebook.base.trade_frequency_limit.enabled = true;
    let mut desk = Desk::new(rulebook);
    permit(&mut desk, false);
    assert_eq!(desk.lockouts().len(), 1);
    let fill = desk.later(5_000).fill_of("MNQ", Sell, 1, "21000", "");
    desk.later(5_000);
    permit(&mut desk, true);
    assert!(desk.lockouts().is_empty());
    desk.later(5_000).reconcile(&[fill]);
    assert_eq!(desk.gauges()[0], "0 of 3 per_minute");
}

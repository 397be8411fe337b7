//! Each state's icon and menu, as values.

use super::*;
use crate::sample;
use expect_test::{Expect, expect};

fn check(view: &View, expected_icon: Icon, expected: &Expect) {
    assert_eq!(icon(view), expected_icon);
    expected.assert_eq(&drawn(&menu(view, view.at, Zones::CENTRAL)));
}

fn drawn(menu: &Menu) -> String {
    let head = [&menu.state, &menu.detail].into_iter().chain(menu.lines()).map(|line| format!("  {line}\n"));
    let items = menu.items.iter().map(|item| {
        let mark = if item.enabled { ">" } else { "x" };
        format!("{mark} {}\n", item.label)
    });
    head.chain(items).collect()
}

#[test]
fn armed_leads_with_the_smallest_headroom() {
    check(
        &sample::armed(),
        Icon::Armed,
        &expect![[r#"
              Armed · $187.50 left
              Daily Loss Limit bites first
              Today's P&L: −$128.50, 2 accounts
              50KTC-V2-…5101: −$312.50, $187.50 left
              PRAC-V2-…7733: +$184.00, $684.00 left
            > Open Status
            > Risk Settings
            > History
            > Setup
            > Flatten All…
            > Cancel All…
            > Lock me out until…
            > Done for the day…
            > Quit…
        "#]],
    );
}

#[test]
fn without_a_money_limit_contracts_lead_and_without_any_the_accounts() {
    let mut view = sample::armed();
    for account in &mut view.accounts {
        account.headroom = crate::view::Headroom { rule: None, usd: None, contracts: Some(2) };
    }
    let head = |view: &View| {
        let menu = menu(view, view.at, Zones::CENTRAL);
        format!("{} / {}", menu.state, menu.detail)
    };
    assert_eq!(head(&view), "Armed · 2 contracts left / 2 accounts watched");
    view.accounts.iter_mut().for_each(|account| account.headroom = Default::default());
    assert_eq!(head(&view), "Armed / 2 accounts watched");
}

#[test]
fn near_a_limit_leads_with_the_most_used_limit() {
    check(
        &sample::near(),
        Icon::NearLimit,
        &expect![[r#"
              Armed · near limit · $87.50 left
              Daily Loss Limit, 83 % used
              Today's P&L: −$228.50, 2 accounts
              50KTC-V2-…5101: −$412.50, $87.50 left
              PRAC-V2-…7733: +$184.00, $684.00 left
              Locked by Symbol Block, RTY, 50KTC-V2-…5101: no time limit
            > Open Status
            > Risk Settings
            > History
            > Setup
            > Flatten All…
            > Cancel All…
            > Lock me out until…
            > Done for the day…
            > Quit…
        "#]],
    );
}

/// A limit that nothing enforces is not what comes near.
#[test]
fn near_a_limit_names_one_that_is_enforced() {
    let mut view = sample::near();
    let main = &mut view.accounts[0];
    let observed = crate::view::Gauge {
        rule: RuleKey::DailyUnrealizedLoss,
        title: "Open Loss per Position".into(),
        used_percent: Some(99),
        mode: domain::RuleMode::Warn,
        ..main.gauges[0].clone()
    };
    main.gauges.push(observed);
    assert_eq!(menu(&view, view.at, Zones::CENTRAL).detail, "Daily Loss Limit, 83 % used");
}

#[test]
fn locked_says_until_when_and_why() {
    check(
        &sample::locked(),
        Icon::Locked,
        &expect![[r#"
              Locked until 5:00 PM CT (in 2h 14m)
              Daily Loss Limit −$512.50 of −$500.00
              Today's P&L: −$328.50, 2 accounts
              50KTC-V2-…5101: −$512.50, locked until 5:00 PM CT
              PRAC-V2-…7733: +$184.00, $684.00 left
              Locked by Daily Loss Limit, 50KTC-V2-…5101: 2h 14m
              Locked by Trade Limits, 50KTC-V2-…5101: 7m
              Locked by Symbol Block, RTY, 50KTC-V2-…5101: no time limit
            > Open Status
            > Risk Settings
            > History
            > Setup
            x Flatten All…
            x Cancel All…
            > Lock me out until…
            > Done for the day…
            > Quit…
        "#]],
    );
}

#[test]
fn locked_names_what_trades_on() {
    let mut view = sample::locked();
    view.accounts[0].lockouts[0].except = Some("except ES, which has its own hours".into());
    assert_eq!(
        menu(&view, view.at, Zones::CENTRAL).detail,
        "Daily Loss Limit −$512.50 of −$500.00, except ES, which has its own hours"
    );
}

#[test]
fn not_protected_sends_nothing() {
    check(
        &sample::not_protected(),
        Icon::NotProtected,
        &expect![[r#"
              Not protected since 1:12:04 PM CT
              No connection to TopstepX
              Today's P&L: unknown, 2 accounts
              50KTC-V2-…5101: −$227.00, last known, not protected
              PRAC-V2-…7733: +$184.00, last known, not protected
              Locked by Symbol Block, RTY, 50KTC-V2-…5101: no time limit
            > Open Status
            > Risk Settings
            > History
            > Setup
            x Flatten All…
            x Cancel All…
            x Lock me out until…
            x Done for the day…
            > Quit…
        "#]],
    );
}

#[test]
fn observing_says_how_often_it_would_have_acted() {
    check(
        &sample::observing(),
        Icon::Observing,
        &expect![[r#"
              Observing · limits not enforced
              Would have acted 3 times today
              Today's P&L: −$364.00, 2 accounts
              50KTC-V2-…5101: −$548.00, limit reached, observed
              PRAC-V2-…7733: +$184.00, $684.00 left, observed
            > Open Status
            > Risk Settings
            > History
            > Setup
            x Flatten All…
            x Cancel All…
            > Lock me out until…
            > Done for the day…
            > Quit…
        "#]],
    );
}

#[test]
fn the_first_seconds_are_neutral() {
    check(
        &sample::starting(),
        Icon::Starting,
        &expect![[r#"
              Not protected yet
              Waiting for the first answer from TopstepX
            > Open Status
            > Risk Settings
            > History
            > Setup
            x Flatten All…
            x Cancel All…
            x Lock me out until…
            x Done for the day…
            > Quit…
        "#]],
    );
}

#[test]
fn without_credentials_it_says_so() {
    check(
        &sample::no_credentials(),
        Icon::NotProtected,
        &expect![[r#"
              Not protected since 8:01:03 AM CT
              No user name and API key for TopstepX yet
            > Open Status
            > Risk Settings
            > History
            > Setup
            x Flatten All…
            x Cancel All…
            x Lock me out until…
            x Done for the day…
            > Quit…
        "#]],
    );
}

#[test]
fn a_lost_engine_shows_nothing_that_could_be_untrue() {
    let view = Box::new(sample::armed());
    let (icon, menu) = of(&Sight::Lost { view: Some(view), age_ms: 65_000 }, Zones::CENTRAL);
    assert_eq!(icon, Icon::NotProtected);
    expect![[r#"
          Not protected since 10:42:18 AM CT
          The engine does not answer
        > Open Status
        > Risk Settings
        > History
        > Setup
        x Flatten All…
        x Cancel All…
        x Lock me out until…
        x Done for the day…
        > Quit…
    "#]]
    .assert_eq(&drawn(&menu));
    let (_, never_seen) = of(&Sight::Lost { view: None, age_ms: 12_000 }, Zones::CENTRAL);
    assert_eq!(never_seen.state, "Not protected");
}

#[test]
fn before_the_first_answer_it_waits() {
    let (icon, menu) = of(&Sight::Connecting { age_ms: 300 }, Zones::CENTRAL);
    assert_eq!((icon, menu.state.as_str()), (Icon::Starting, "Not protected yet"));
}

#[test]
fn a_live_view_counts_on_by_its_age() {
    let live = |age_ms| of(&Sight::Live { view: Box::new(sample::locked()), age_ms }, Zones::CENTRAL).1.state;
    assert_eq!(live(0), "Locked until 5:00 PM CT (in 2h 14m)");
    assert_eq!(live(60_000), "Locked until 5:00 PM CT (in 2h 13m)");
}

#[test]
fn not_protected_outranks_a_lock_and_a_lock_outranks_near() {
    let mut view = sample::locked();
    view.near_limit = true;
    assert_eq!(icon(&view), Icon::Locked);
    view.protection = Protection::NotProtected;
    assert_eq!(icon(&view), Icon::NotProtected);
}

#[test]
fn a_failing_disk_leaves_flatten_possible() {
    let mut view = sample::armed();
    view.protection = Protection::NotProtected;
    let flatten = |view: &View| {
        let menu = menu(view, view.at, Zones::CENTRAL);
        menu.items.iter().any(|item| item.action == MenuAction::FlattenAll && item.enabled)
    };
    assert!(flatten(&view));
    view.health.user_stream = crate::view::StreamState::Down;
    assert!(!flatten(&view));
}

#[test]
fn the_tooltip_carries_result_and_countdown() {
    let view = sample::locked();
    let menu = menu(&view, view.at, Zones::of_computer(chrono_tz::America::New_York));
    expect![[r#"
        Risk Manager: Locked until 5:00 PM CT (6:00 PM local, in 2h 14m)
        Daily Loss Limit −$512.50 of −$500.00
        Today's P&L: −$328.50, 2 accounts
        50KTC-V2-…5101: −$512.50, locked until 5:00 PM CT
        PRAC-V2-…7733: +$184.00, $684.00 left
        Locked by Daily Loss Limit, 50KTC-V2-…5101: 2h 14m
        Locked by Trade Limits, 50KTC-V2-…5101: 7m
        Locked by Symbol Block, RTY, 50KTC-V2-…5101: no time limit"#]]
    .assert_eq(&tooltip(&menu));
}

#[test]
fn many_accounts_keep_the_menu_short() {
    let mut view = sample::armed();
    let account = view.accounts[0].clone();
    view.accounts = vec![account; 9];
    assert_eq!(menu(&view, view.at, Zones::CENTRAL).accounts.len(), MAX_ACCOUNT_LINES);
}

#[test]
fn a_zone_that_the_settings_name_takes_the_place_of_the_computers() {
    let mut view = sample::locked();
    view.zone = Some("Europe/London".to_string());
    let menu = menu(&view, view.at, Zones::of_computer(chrono_tz::America::New_York));
    assert_eq!(menu.state, "Locked until 5:00 PM CT (11:00 PM London, in 2h 14m)");
}

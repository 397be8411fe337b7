//! Views of every state, for the tests here, for the pages' fake back end and for the desktop tests.
//!
//! One source: `typescript` writes them as JSON beside the pages and fails when they are stale.

mod curves;
mod parts;

use chrono::{TimeDelta, TimeZone};
use domain::{
    Contracts, Instant, OrderKind, OrderSide, Price, RuleKey, RuleMode, Side, TradingDay, Usd,
    calendar::CENTRAL,
};

use curves::{AFTERNOON, MIDDAY, MORNING, OBSERVED, OUTAGE, curve};
use parts::{
    Held, cooldown, count, daily_loss_lock, daily_loss_receipt, money, observed_receipts, open_loss_receipt,
    order, symbol_block, target, unknown,
};

use crate::{
    text::{Doubt, words},
    view::*,
};

/// All of them by the name of their file.
pub fn all() -> Vec<(&'static str, View)> {
    vec![
        ("armed", armed()),
        ("near", near()),
        ("locked", locked()),
        ("not-protected", not_protected()),
        ("observing", observing()),
        ("starting", starting()),
        ("empty", empty()),
        ("no-credentials", no_credentials()),
    ]
}

pub fn armed() -> View {
    let at = ct(10, 42, 18);
    let mut main = combine(at, "-347.5", "35");
    main.headroom_if_stopped = Some(usd("72.50"));
    main.positions =
        vec![Held("MNQ", Side::Long, 2, "25112.25", "25121", "35").stopped("25092.25", "28.75", "115")];
    main.orders = vec![
        order("MNQ", OrderSide::Sell, OrderKind::Stop, "25092.25", 2, OrderRole::Stop),
        order("MNQ", OrderSide::Sell, OrderKind::Limit, "25180", 2, OrderRole::Exit),
    ];
    main.gauges = vec![
        money(RuleKey::DailyRealizedLoss, "-312.5", "-500"),
        count(RuleKey::MaxContractsPerInstrument, Some("MNQ"), 2, 4, Unit::Contracts),
        count(RuleKey::MaxContracts, None, 2, 5, Unit::Contracts),
        count(RuleKey::TradeFrequencyLimit, None, 3, 10, Unit::Trades),
        target("-312.5", "1000"),
    ];
    main.curve = curve(MORNING, 10 * 60 + 42);
    let receipts = vec![open_loss_receipt()];
    let base = view(at, Protection::Armed, ct(8, 0, 5), vec![main, practice(at)]);
    View { receipts, pending: vec![looser_loss_limit()], other_accounts: vec![other_account()], ..base }
}

fn looser_loss_limit() -> PendingView {
    PendingView {
        account: Some("93365101".into()),
        rule: Some(RuleKey::DailyRealizedLoss),
        key: "rules.daily_realized_loss.limit".into(),
        text: "account 93365101, daily_realized_loss.limit: -500 -> -750".into(),
        from: serde_json::json!(-500),
        to: serde_json::json!(-750),
        state: PendingState::Waits,
        applies_at: Some(ct(17, 0, 0)),
    }
}

pub fn near() -> View {
    let at = ct(12, 29, 41);
    let mut main = combine(at, "-336", "-76.5");
    main.near_limit = true;
    main.positions = vec![
        Held("ES", Side::Short, 1, "6702.50", "6704.25", "-87.5").stopped("6706.50", "2.25", "112.5"),
        PositionView {
            stop_covered: Some(false),
            covered: Some(Contracts(0)),
            closes_at: Some(ct(12, 31, 5)),
            ..Held("MNQ", Side::Long, 1, "25098", "25103.5", "11").bare()
        },
    ];
    main.orders = vec![order("ES", OrderSide::Buy, OrderKind::Stop, "6706.50", 1, OrderRole::Stop)];
    main.gauges = vec![
        money(RuleKey::DailyRealizedLoss, "-412.5", "-500"),
        count(RuleKey::MaxContractsPerInstrument, Some("ES"), 1, 1, Unit::Contracts),
        count(RuleKey::TradeFrequencyLimit, None, 6, 10, Unit::Trades),
        count(RuleKey::MaxContracts, None, 2, 5, Unit::Contracts),
    ];
    main.curve = curve(MIDDAY, 12 * 60 + 29);
    main.lockouts = vec![symbol_block()];
    let receipts = vec![open_loss_receipt()];
    let base = view(at, Protection::Armed, ct(8, 0, 5), vec![main, practice(at)]);
    View { near_limit: true, receipts, ..base }
}

pub fn locked() -> View {
    let at = ct(14, 46, 20);
    let mut main = combine(at, "-512.5", "0");
    main.protection = Protection::Locked;
    main.headroom = Headroom { rule: Some(RuleKey::DailyRealizedLoss), usd: Some(usd("0")), contracts: None };
    main.gauges = vec![
        money(RuleKey::DailyRealizedLoss, "-512.5", "-500"),
        count(RuleKey::TradeFrequencyLimit, None, 10, 10, Unit::Trades),
        count(RuleKey::MaxContracts, None, 0, 5, Unit::Contracts),
    ];
    main.curve = curve(AFTERNOON, 14 * 60 + 46);
    main.trades_today = 14;
    main.lockouts = vec![daily_loss_lock(), cooldown(), symbol_block()];
    let receipts = vec![daily_loss_receipt(), open_loss_receipt()];
    let base = view(at, Protection::Locked, ct(14, 24, 31), vec![main, practice(at)]);
    View { reason: Some("Daily Loss Limit: −$512.50 of −$500.00.".into()), receipts, ..base }
}

pub fn not_protected() -> View {
    let lost = ct(13, 12, 4);
    let at = ct(13, 15, 45);
    let mut main = combine(lost, "-262", "35");
    main.positions =
        vec![Held("MNQ", Side::Long, 2, "25112.25", "25121", "35").stopped("25092.25", "28.75", "115")];
    main.orders = vec![order("MNQ", OrderSide::Sell, OrderKind::Stop, "25092.25", 2, OrderRole::Stop)];
    main.gauges = vec![
        unknown(money(RuleKey::DailyRealizedLoss, "-227", "-500")),
        unknown(count(RuleKey::MaxContractsPerInstrument, Some("MNQ"), 2, 4, Unit::Contracts)),
        unknown(count(RuleKey::TradeFrequencyLimit, None, 3, 10, Unit::Trades)),
    ];
    main.curve = curve(OUTAGE, 13 * 60 + 12);
    main.unwatched = vec![Stretch { from: lost, to: None }];
    main.lockouts = vec![symbol_block()];
    let mut accounts = vec![main, practice(lost)];
    for account in &mut accounts {
        account.protection = Protection::NotProtected;
        account.headroom = Headroom { rule: account.headroom.rule, ..Headroom::default() };
        account.headroom_if_stopped = None;
        account.confirmed_at = Some(lost);
    }
    let mut view = View {
        receipts: vec![open_loss_receipt()],
        doubts: vec![doubt(&Doubt::UserStream, lost)],
        reason: Some("No connection to TopstepX.".into()),
        ..view(at, Protection::NotProtected, lost, accounts)
    };
    view.health = Health {
        user_stream: StreamState::Down,
        market_stream: StreamState::Down,
        last_event_at: Some(lost),
        last_quote_at: Some(lost),
        last_reconcile_at: Some(lost),
        ..view.health
    };
    view
}

pub fn observing() -> View {
    let at = ct(11, 58, 10);
    let mut main = combine(at, "-548", "0");
    main.protection = Protection::Observing;
    main.observed_today = 3;
    main.headroom = Headroom { rule: Some(RuleKey::DailyRealizedLoss), usd: Some(usd("0")), contracts: None };
    main.gauges = vec![
        money(RuleKey::DailyRealizedLoss, "-548", "-500"),
        count(RuleKey::TradeFrequencyLimit, None, 6, 10, Unit::Trades),
        count(RuleKey::MaxContracts, None, 0, 5, Unit::Contracts),
    ];
    main.curve = curve(OBSERVED, 11 * 60 + 58);
    let mut accounts = vec![main, practice(at)];
    for account in &mut accounts {
        account.protection = Protection::Observing;
        account.gauges.iter_mut().for_each(|gauge| gauge.mode = RuleMode::Observe);
    }
    let since = CENTRAL.with_ymd_and_hms(2025, 11, 14, 16, 10, 0).single().unwrap().to_utc();
    View { receipts: observed_receipts(), ..view(at, Protection::Observing, since, accounts) }
}

pub fn starting() -> View {
    let at = ct(8, 1, 6);
    let base = view(at, Protection::NotProtected, at - TimeDelta::seconds(3), vec![]);
    View {
        starting: true,
        doubts: vec![doubt(&Doubt::Starting, at - TimeDelta::seconds(3))],
        reason: Some("Waiting for the first answer from TopstepX.".into()),
        health: Health { user_stream: StreamState::Down, market_stream: StreamState::Down, ..silent() },
        ..base
    }
}

pub fn empty() -> View {
    let at = ct(8, 4, 10);
    let mut main = combine(at, "0", "0");
    main.realized_gross = Usd::ZERO;
    main.fees_today = Usd::ZERO;
    main.trades_today = 0;
    main.gauges = vec![
        money(RuleKey::DailyRealizedLoss, "0", "-500"),
        count(RuleKey::MaxContracts, None, 0, 5, Unit::Contracts),
        count(RuleKey::TradeFrequencyLimit, None, 0, 10, Unit::Trades),
    ];
    let mut practice = practice(at);
    practice.realized_today = Usd::ZERO;
    practice.realized_gross = Usd::ZERO;
    practice.fees_today = Usd::ZERO;
    practice.net = Some(Usd::ZERO);
    practice.headroom.usd = Some(usd("500"));
    practice.gauges = vec![money(RuleKey::DailyRealizedLoss, "0", "-500")];
    view(at, Protection::Armed, ct(8, 0, 5), vec![main, practice])
}

pub fn no_credentials() -> View {
    let at = ct(8, 1, 40);
    View {
        doubts: vec![doubt(&Doubt::NoCredentials, ct(8, 1, 3))],
        reason: Some(Doubt::NoCredentials.text("TopstepX")),
        health: Health { logged_in: false, ..starting().health },
        ..view(at, Protection::NotProtected, ct(8, 1, 3), vec![])
    }
}

fn view(at: Instant, protection: Protection, since: Instant, accounts: Vec<AccountView>) -> View {
    View {
        at,
        protection,
        since,
        starting: false,
        near_limit: false,
        reason: None,
        doubts: vec![],
        accounts,
        receipts: vec![],
        health: Health {
            user_stream: StreamState::Up,
            market_stream: StreamState::Up,
            logged_in: true,
            last_event_at: Some(at - TimeDelta::seconds(4)),
            last_quote_at: Some(at - TimeDelta::milliseconds(200)),
            last_reconcile_at: Some(at - TimeDelta::seconds(20)),
            clock_apart_seconds: Some(0),
            disk_ok: true,
        },
        metrics: Metrics::default(),
        broker: "TopstepX".into(),
        mode: "tray".into(),
        pending: Vec::new(),
        settings_revision: "1".into(),
        settings_locked_until: None,
        version: "0.1.0".into(),
        desktop: DesktopView::default(),
        zone: None,
        guard: None,
        other_accounts: Vec::new(),
    }
}

fn other_account() -> OtherAccount {
    OtherAccount {
        id: "88120344".into(),
        name: "EXPRESS-V2-212345-41920344".into(),
        short_name: "EXPRESS-V2-…0344".into(),
        kind: AccountKind::Funded,
        can_trade: true,
    }
}

fn silent() -> Health {
    Health {
        user_stream: StreamState::Down,
        market_stream: StreamState::Down,
        logged_in: true,
        last_event_at: None,
        last_quote_at: None,
        last_reconcile_at: None,
        clock_apart_seconds: None,
        disk_ok: true,
    }
}

fn doubt(doubt: &Doubt, since: Instant) -> DoubtView {
    DoubtView {
        kind: doubt.kind().into(),
        text: doubt.text("TopstepX"),
        advice: doubt.advice("TopstepX"),
        since,
        account: None,
    }
}

fn combine(at: Instant, realized: &str, open: &str) -> AccountView {
    let (realized, open, fees) = (usd(realized), usd(open), usd("6.5"));
    let left = (usd("500") + realized + open).max(Usd::ZERO);
    AccountView {
        id: "93365101".into(),
        name: "50KTC-V2-204817-93365101".into(),
        short_name: words::short_name("50KTC-V2-204817-93365101"),
        kind: AccountKind::Combine,
        can_trade: true,
        protection: Protection::Armed,
        near_limit: false,
        realized_today: realized,
        realized_gross: realized + fees,
        fees_today: fees,
        fees_estimated: false,
        unrealized: Some(open),
        net: Some(realized + open),
        trades_today: 7,
        week_net: usd("214.60"),
        week_trades: 31,
        day: TradingDay(at.date_naive()),
        reset_at: ct(17, 0, 0),
        headroom: Headroom { rule: Some(RuleKey::DailyRealizedLoss), usd: Some(left), contracts: None },
        headroom_if_stopped: None,
        positions: vec![],
        orders: vec![],
        lockouts: vec![],
        gauges: vec![],
        curve: vec![],
        unwatched: vec![],
        observed_today: 0,
        confirmed_at: Some(at - TimeDelta::seconds(2)),
        proved: None,
    }
}

fn practice(at: Instant) -> AccountView {
    AccountView {
        id: "61407733".into(),
        name: "PRAC-V2-204817-61407733".into(),
        short_name: words::short_name("PRAC-V2-204817-61407733"),
        kind: AccountKind::Practice,
        trades_today: 2,
        week_net: usd("-48.20"),
        week_trades: 9,
        gauges: vec![money(RuleKey::DailyRealizedLoss, "184", "-500")],
        proved: Some(ProofView {
            at: ct(8, 4, 31),
            version: "0.1.0".into(),
            title: words::title(RuleKey::NoStopLossGrace).into(),
        }),
        ..combine(at, "184", "0")
    }
}

/// A time of Tuesday, November 18, 2025 in Chicago.
fn ct(hour: u32, minute: u32, second: u32) -> Instant {
    CENTRAL.with_ymd_and_hms(2025, 11, 18, hour, minute, second).single().unwrap().to_utc()
}

fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

fn price(text: &str) -> Price {
    Price(text.parse().unwrap())
}

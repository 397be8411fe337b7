//! Views of every state, for the tests here, for the pages' fake back end and for the desktop tests.
//!
//! One source: `typescript` writes them as JSON beside the pages and fails when they are stale.

use chrono::{TimeDelta, TimeZone};
use domain::{
    Contracts, Instant, LockKey, LockKind, OrderKind, OrderSide, OrderStatus, Price, RuleKey, RuleMode, Side,
    TradingDay, Usd, calendar::CENTRAL,
};
use rust_decimal::Decimal;

use crate::{text::Doubt, text::words, view::*};

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
    }
}

fn practice(at: Instant) -> AccountView {
    AccountView {
        id: "61407733".into(),
        name: "PRAC-V2-204817-61407733".into(),
        short_name: words::short_name("PRAC-V2-204817-61407733"),
        kind: AccountKind::Practice,
        trades_today: 2,
        gauges: vec![money(RuleKey::DailyRealizedLoss, "184", "-500")],
        ..combine(at, "184", "0")
    }
}

/// Symbol, side, size, entry, price, open result.
struct Held(&'static str, Side, u32, &'static str, &'static str, &'static str);

impl Held {
    fn bare(&self) -> PositionView {
        PositionView {
            contract: format!("CON.F.US.{}.Z25", self.0).into(),
            symbol: self.0.into(),
            side: self.1,
            size: Contracts(self.2),
            average_price: price(self.3),
            price: Some(price(self.4)),
            quoted_at: Some(ct(12, 29, 40)),
            quotes: QuoteState::Live,
            unrealized: Some(usd(self.5)),
            stop_covered: None,
            covered: None,
            stop_price: None,
            stop_distance: None,
            stop_distance_usd: None,
            closes_at: None,
            opened_at: ct(10, 31, 2),
        }
    }

    fn stopped(&self, stop: &str, points: &str, dollars: &str) -> PositionView {
        PositionView {
            stop_covered: Some(true),
            covered: Some(Contracts(self.2)),
            stop_price: Some(price(stop)),
            stop_distance: Some(points.parse().unwrap()),
            stop_distance_usd: Some(usd(dollars)),
            ..self.bare()
        }
    }
}

fn order(symbol: &str, side: OrderSide, kind: OrderKind, at: &str, size: u32, role: OrderRole) -> OrderView {
    let stop = kind.is_stop();
    OrderView {
        id: format!("{}", at.len() + symbol.len()).as_str().into(),
        contract: format!("CON.F.US.{symbol}.Z25").into(),
        symbol: symbol.into(),
        side,
        kind,
        status: OrderStatus::Open,
        remaining: Contracts(size),
        limit_price: (!stop).then(|| price(at)),
        stop_price: stop.then(|| price(at)),
        role,
        own: false,
    }
}

fn money(rule: RuleKey, value: &str, limit: &str) -> Gauge {
    let (value, limit): (Decimal, Decimal) = (value.parse().unwrap(), limit.parse().unwrap());
    let used = (value / limit * Decimal::ONE_HUNDRED).max(Decimal::ZERO);
    gauge(rule, None, Unit::Usd, value, limit, (limit - value).abs().min(limit.abs() + value), used)
}

fn target(value: &str, limit: &str) -> Gauge {
    let (value, limit): (Decimal, Decimal) = (value.parse().unwrap(), limit.parse().unwrap());
    let used = (value / limit * Decimal::ONE_HUNDRED).max(Decimal::ZERO);
    gauge(RuleKey::DailyRealizedProfit, None, Unit::Usd, value, limit, limit - value, used)
}

fn count(rule: RuleKey, symbol: Option<&str>, value: u32, limit: u32, unit: Unit) -> Gauge {
    let (value, limit) = (Decimal::from(value), Decimal::from(limit));
    gauge(rule, symbol, unit, value, limit, limit - value, value / limit * Decimal::ONE_HUNDRED)
}

fn gauge(
    rule: RuleKey,
    symbol: Option<&str>,
    unit: Unit,
    value: Decimal,
    limit: Decimal,
    left: Decimal,
    used: Decimal,
) -> Gauge {
    let symbol = symbol.map(domain::Symbol::new);
    let percent = u32::try_from(used.ceil().min(Decimal::ONE_HUNDRED)).unwrap();
    let state = match (percent, unit) {
        (100, Unit::Usd | Unit::Trades) => GaugeState::Reached,
        (75.., Unit::Usd | Unit::Trades) => GaugeState::Near,
        _ => GaugeState::Clear,
    };
    Gauge {
        title: words::title_with(rule, symbol.as_ref()),
        rule,
        symbol,
        unit,
        value: Some(value),
        limit,
        left: Some(left.max(Decimal::ZERO)),
        used_percent: Some(percent),
        mode: RuleMode::Enforce,
        state,
    }
}

/// The last value stays; nothing is judged from it.
fn unknown(gauge: Gauge) -> Gauge {
    Gauge { left: None, used_percent: None, state: GaugeState::Unknown, ..gauge }
}

fn lockout(
    rule: RuleKey,
    kind: LockKind,
    symbol: Option<&str>,
    since: Instant,
    until: Option<Instant>,
) -> LockoutView {
    let symbol = symbol.map(domain::Symbol::new);
    LockoutView {
        rule,
        title: words::title_with(rule, symbol.as_ref()),
        kind,
        symbol: symbol.clone(),
        reason: String::new(),
        since,
        until,
        ends: String::new(),
        key: LockKey { account: "93365101".into(), rule, symbol, cause: String::new() },
    }
}

fn daily_loss_lock() -> LockoutView {
    LockoutView {
        reason: "−$512.50 of −$500.00".into(),
        ends: "Lock since 2:24:31 PM CT, ends at the daily reset. New positions are closed at once; exits \
               stay allowed."
            .into(),
        ..lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, None, ct(14, 24, 31), Some(ct(17, 0, 0)))
    }
}

fn cooldown() -> LockoutView {
    LockoutView {
        reason: "10 of 10 trades in one hour".into(),
        ends: "Cooldown since 2:23:10 PM CT, ends by itself. New and larger positions \
               are closed back at once; exits stay allowed."
            .into(),
        ..lockout(RuleKey::TradeFrequencyLimit, LockKind::Timer, None, ct(14, 23, 10), Some(ct(14, 53, 10)))
    }
}

fn symbol_block() -> LockoutView {
    LockoutView {
        reason: "RTY is blocked".into(),
        ends: "Symbol lock since 11:04:18 AM CT, no time limit: ends the trading day after you take RTY off \
               the list. Its positions are closed at once; other symbols trade normally."
            .into(),
        ..lockout(RuleKey::SymbolBlocks, LockKind::Symbol, Some("RTY"), ct(11, 4, 18), None)
    }
}

fn receipt(seq: i64, at: Instant, rule: RuleKey, reason: &str, done: &str) -> ReceiptView {
    ReceiptView {
        seq,
        at,
        account: Some("93365101".into()),
        rule,
        title: words::title(rule).into(),
        action: "flatten_account".into(),
        reason: reason.into(),
        done: Some(done.into()),
        outcome: ReceiptOutcome::Observed,
        detected_at: Some(at),
        sent_at: None,
        acknowledged_at: None,
        confirmed_at: None,
        latency_us: None,
        overshoot_usd: None,
    }
}

fn confirmed(receipt: ReceiptView, stations_ms: [i64; 3], overshoot: &str) -> ReceiptView {
    let after = |ms| Some(receipt.at + TimeDelta::milliseconds(ms));
    let [sent, acknowledged, confirmed] = stations_ms;
    ReceiptView {
        outcome: ReceiptOutcome::Confirmed,
        sent_at: after(sent),
        acknowledged_at: after(acknowledged),
        confirmed_at: after(confirmed),
        latency_us: Some(confirmed * 1_000),
        overshoot_usd: Some(usd(overshoot)),
        ..receipt
    }
}

fn daily_loss_receipt() -> ReceiptView {
    let done = "Closed 2 MNQ, cancelled 1 order.";
    let line = receipt(1_284, ct(14, 24, 31), RuleKey::DailyRealizedLoss, "−$512.50 of −$500.00", done);
    confirmed(line, [2, 58, 143], "12.5")
}

fn open_loss_receipt() -> ReceiptView {
    let done = "Closed 2 MNQ, cancelled 1 order.";
    let line = receipt(1_271, ct(9, 22, 7), RuleKey::DailyUnrealizedLoss, "−$202.00 of −$200.00", done);
    confirmed(ReceiptView { title: "Open Loss per Position, MNQ".into(), ..line }, [2, 63, 131], "2")
}

fn observed_receipts() -> Vec<ReceiptView> {
    vec![
        receipt(
            1_290,
            ct(11, 26, 40),
            RuleKey::DailyRealizedLoss,
            "−$501.00 of −$500.00",
            "Would have closed 2 MNQ and locked until 5:00 PM CT.",
        ),
        receipt(
            1_288,
            ct(10, 19, 55),
            RuleKey::CooldownAfterLoss,
            "−$124.00 on one trade",
            "Would have locked until 10:24:55 AM CT.",
        ),
        receipt(
            1_271,
            ct(9, 22, 7),
            RuleKey::DailyUnrealizedLoss,
            "−$202.00 of −$200.00",
            "Would have closed 2 MNQ.",
        ),
    ]
}

/// Corners of a day's curve: minutes since 8:00 AM CT and net dollars.
type Corners = &'static [(i64, i64)];
const MORNING: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (148, -347),
    (162, -312),
];
const MIDDAY: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (170, -300),
    (200, -190),
    (228, -336),
    (255, -336),
    (262, -380),
    (269, -412),
];
const AFTERNOON: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (170, -300),
    (200, -190),
    (228, -336),
    (255, -330),
    (290, -250),
    (330, -398),
    (362, -420),
    (378, -455),
    (384, -501),
    (385, -512),
    (406, -512),
];
const OUTAGE: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (170, -300),
    (200, -190),
    (228, -286),
    (255, -270),
    (290, -250),
    (312, -227),
];
const OBSERVED: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -397),
    (170, -350),
    (200, -430),
    (206, -501),
    (222, -548),
    (238, -548),
];

/// Straight lines between the corners with a little seeded noise, a point every three minutes.
fn curve(corners: Corners, until_minute: i64) -> Vec<CurvePoint> {
    let mut noise = 7_i64;
    let mut points = vec![];
    for pair in corners.windows(2) {
        let ((from, start), (to, end)) = (pair[0], pair[1]);
        for minute in (from..to).step_by(3) {
            noise = noise * 16_807 % 2_147_483_647;
            let wobble = if start == end || minute == from { 0 } else { noise % 41 - 20 };
            points.push((minute, start + (end - start) * (minute - from) / (to - from) + wobble));
        }
    }
    points.extend(corners.last());
    points
        .into_iter()
        .filter(|(minute, _)| 8 * 60 + minute <= until_minute)
        .map(|(minute, net)| CurvePoint {
            at: ct(8, 0, 0) + TimeDelta::minutes(minute),
            net: Usd::from_cents(net * 100),
        })
        .collect()
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

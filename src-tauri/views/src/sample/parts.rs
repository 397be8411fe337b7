//! What the sample views are put together from: positions, orders, limits, lockouts, receipts.

use chrono::TimeDelta;
use domain::{
    Contracts, Instant, LockKey, LockKind, OrderKind, OrderSide, OrderStatus, RuleKey, RuleMode, Side,
};
use rust_decimal::Decimal;

use super::{ct, price, usd};
use crate::{text::words, view::*};

/// Symbol, side, size, entry, price, open result.
pub(super) struct Held(
    pub(super) &'static str,
    pub(super) Side,
    pub(super) u32,
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
);

impl Held {
    pub(super) fn bare(&self) -> PositionView {
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
            last_stop_price: None,
            stop_distance_usd: None,
            closes_at: None,
            opened_at: ct(10, 31, 2),
        }
    }

    pub(super) fn stopped(&self, stop: &str, points: &str, dollars: &str) -> PositionView {
        PositionView {
            stop_covered: Some(true),
            covered: Some(Contracts(self.2)),
            stop_price: Some(price(stop)),
            stop_distance: Some(points.parse().unwrap()),
            last_stop_price: Some(price(stop)),
            stop_distance_usd: Some(usd(dollars)),
            ..self.bare()
        }
    }
}

pub(super) fn order(
    symbol: &str,
    side: OrderSide,
    kind: OrderKind,
    at: &str,
    size: u32,
    role: OrderRole,
) -> OrderView {
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

pub(super) fn money(rule: RuleKey, value: &str, limit: &str) -> Gauge {
    let (value, limit): (Decimal, Decimal) = (value.parse().unwrap(), limit.parse().unwrap());
    let used = (value / limit * Decimal::ONE_HUNDRED).max(Decimal::ZERO);
    gauge(rule, None, Unit::Usd, value, limit, (limit - value).abs().min(limit.abs() + value), used)
}

pub(super) fn target(value: &str, limit: &str) -> Gauge {
    let (value, limit): (Decimal, Decimal) = (value.parse().unwrap(), limit.parse().unwrap());
    let used = (value / limit * Decimal::ONE_HUNDRED).max(Decimal::ZERO);
    gauge(RuleKey::DailyRealizedProfit, None, Unit::Usd, value, limit, limit - value, used)
}

pub(super) fn count(rule: RuleKey, symbol: Option<&str>, value: u32, limit: u32, unit: Unit) -> Gauge {
    let (value, limit) = (Decimal::from(value), Decimal::from(limit));
    gauge(rule, symbol, unit, value, limit, limit - value, value / limit * Decimal::ONE_HUNDRED)
}

pub(super) fn gauge(
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
pub(super) fn unknown(gauge: Gauge) -> Gauge {
    Gauge { left: None, used_percent: None, state: GaugeState::Unknown, ..gauge }
}

pub(super) fn lockout(
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
        own_words: None,
        reason: String::new(),
        since,
        until,
        except: None,
        ends: String::new(),
        key: LockKey { account: "93365101".into(), rule, symbol, cause: String::new() },
    }
}

pub(super) fn daily_loss_lock() -> LockoutView {
    LockoutView {
        reason: "−$512.50 of −$500.00".into(),
        ends: "Lock since 2:24:31 PM CT, ends at the daily reset. New positions are closed at once; exits \
               stay allowed."
            .into(),
        ..lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, None, ct(14, 24, 31), Some(ct(17, 0, 0)))
    }
}

pub(super) fn cooldown() -> LockoutView {
    LockoutView {
        reason: "10 of 10 trades in one hour".into(),
        ends: "Cooldown since 2:23:10 PM CT, ends by itself. New and larger positions \
               are closed back at once; exits stay allowed."
            .into(),
        ..lockout(RuleKey::TradeFrequencyLimit, LockKind::Timer, None, ct(14, 23, 10), Some(ct(14, 53, 10)))
    }
}

pub(super) fn symbol_block() -> LockoutView {
    LockoutView {
        reason: "RTY is blocked".into(),
        ends: "Symbol lock since 11:04:18 AM CT, no time limit: ends the trading day after you take RTY off \
               the list. Its positions are closed at once; other symbols trade normally."
            .into(),
        ..lockout(RuleKey::SymbolBlocks, LockKind::Symbol, Some("RTY"), ct(11, 4, 18), None)
    }
}

pub(super) fn receipt(seq: i64, at: Instant, rule: RuleKey, reason: &str, done: &str) -> ReceiptView {
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

pub(super) fn confirmed(receipt: ReceiptView, stations_ms: [i64; 3], overshoot: &str) -> ReceiptView {
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

pub(super) fn daily_loss_receipt() -> ReceiptView {
    let done = "Closed 2 MNQ, cancelled 1 order.";
    let line = receipt(1_284, ct(14, 24, 31), RuleKey::DailyRealizedLoss, "−$512.50 of −$500.00", done);
    confirmed(line, [2, 58, 143], "12.5")
}

pub(super) fn open_loss_receipt() -> ReceiptView {
    let done = "Closed 2 MNQ, cancelled 1 order.";
    let line = receipt(1_271, ct(9, 22, 7), RuleKey::DailyUnrealizedLoss, "−$202.00 of −$200.00", done);
    confirmed(ReceiptView { title: "Open Loss per Position, MNQ".into(), ..line }, [2, 63, 131], "2")
}

pub(super) fn observed_receipts() -> Vec<ReceiptView> {
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

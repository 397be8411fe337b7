//! RULE-006: a break after too many trades. The trade that reaches a limit is kept, the next one is
//! prevented by the gate. Fires on fills that were just learned, never because it is asked again.

use chrono::TimeDelta;
use domain::{
    Breach, EventKind, Instant, LockKey, RuleKey, Source,
    breach::TradeWindow,
    rulebook::{FrequencyWindow, TradeFrequencyLimit},
};
use rust_decimal::Decimal;

use super::{Finding, Gauge, Lock, Remedy, Rule, Scene, Unit, Verdict};
use crate::{
    kinds::Kinds,
    trades::{Trade, length},
};

/// The rule with its values.
#[derive(Debug)]
pub struct TradeLimits {
    settings: TradeFrequencyLimit,
}

impl TradeLimits {
    pub(super) fn new(settings: TradeFrequencyLimit) -> Self {
        Self { settings }
    }

    /// The windows that are on, with their limits.
    fn windows(&self) -> impl Iterator<Item = (TradeWindow, u32, FrequencyWindow)> {
        let TradeFrequencyLimit { per_minute, per_hour, per_session, .. } = self.settings;
        let all = [
            (TradeWindow::PerMinute, per_minute),
            (TradeWindow::PerHour, per_hour),
            (TradeWindow::PerSession, per_session),
        ];
        all.into_iter().filter_map(|(window, values)| Some((window, values.limit?, values)))
    }

    fn key_of(&self, scene: &Scene<'_>, window: TradeWindow) -> LockKey {
        let (account, cause) = (scene.account.id().clone(), window.key().to_string());
        LockKey { account, rule: self.key(), symbol: None, cause }
    }
}

/// Those of trades, which are in the order of their times, that lie in the window that ends at `end`. A trade
/// exactly as old as the window is long does not.
fn within(trades: &[Trade], end: Instant, length: Option<TimeDelta>, day_began: Instant) -> &[Trade] {
    let first = match length {
        Some(length) => trades.partition_point(|trade| end - trade.at >= length),
        None => trades.partition_point(|trade| trade.at < day_began),
    };
    trades.get(first..).unwrap_or_default()
}

/// The last moment at which trades that are news brought the count of a window to its limit.
fn reached(
    trades: &[Trade],
    length: Option<TimeDelta>,
    day_began: Instant,
    limit: u32,
) -> Option<(Instant, u32)> {
    let first_news = trades.iter().position(|trade| trade.is_news)?;
    let enough = usize::try_from(limit).unwrap_or(usize::MAX).max(first_news + 1);
    (enough..=trades.len()).rev().find_map(|count| {
        let until = trades.get(..count)?;
        let end = until.last()?.at;
        let window = within(until, end, length, day_began);
        let count = u32::try_from(window.len()).unwrap_or(u32::MAX);
        (count >= limit && window.iter().any(|trade| trade.is_news)).then_some((end, count))
    })
}

impl Rule for TradeLimits {
    fn key(&self) -> RuleKey {
        RuleKey::TradeFrequencyLimit
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[EventKind::TradeExecuted, EventKind::StateReconciled])
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream, Source::ResetSchedule]
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let account = scene.account;
        let is_locked = self.windows().any(|(it, ..)| account.lockouts().has(&self.key_of(scene, it)));
        let verdict = if is_locked { Verdict::Violated } else { Verdict::Passed };
        if !account.has_news() {
            return verdict;
        }
        let before = findings.len();
        let trades = scene.trades(self.settings.count);
        let began = account.ledger().span().began;
        for (window, limit, values) in self.windows() {
            let Some((at, count)) = reached(trades, length(window), began, limit) else { continue };
            let until = at.min(scene.now) + TimeDelta::seconds(values.cooldown_seconds.into());
            if until <= scene.now {
                continue;
            }
            let lock = match self.settings.close_positions {
                true => Lock::closing_timer(until),
                false => Lock::timer(until, account.baseline(scene.now)),
            };
            findings.push(Finding {
                breach: Breach::TooManyTrades { window, count, limit },
                remedy: Remedy::Lock(Lock { cause: window.key().to_string(), ..lock }),
            });
        }
        if findings.len() > before { Verdict::Violated } else { verdict }
    }

    fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        let trades = scene.trades(self.settings.count);
        let began = scene.account.ledger().span().began;
        let count = |window| within(trades, scene.now, length(window), began).len();
        let gauge = |(window, limit, _)| Gauge {
            rule: self.key(),
            symbol: None,
            unit: Unit::Trades(window),
            value: Some(Decimal::from(count(window))),
            limit: Decimal::from(limit),
        };
        self.windows().map(gauge).collect()
    }
}

//! The day's net result over time, as the window draws it: sampled and thinned out, never judged.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{AccountId, Instant, Usd};
use engine::{AccountState, Engine};
use views::view::CurvePoint;

/// Most points of a day's curve; when full, every second one is left out.
const MOST_POINTS: usize = 400;
/// Least time between two points.
const POINT_EVERY: TimeDelta = TimeDelta::seconds(15);

/// The day's net result over time, by account.
#[derive(Debug, Default)]
pub(super) struct Curves {
    by_account: BTreeMap<AccountId, Curve>,
}

#[derive(Debug)]
struct Curve {
    day: domain::TradingDay,
    points: Vec<CurvePoint>,
    every: TimeDelta,
}

impl Curves {
    /// Adds a point to each account's curve when it is time and the result is known.
    pub fn sample(&mut self, engine: &Engine, now: Instant) {
        for account in engine.accounts().filter(|account| account.is_known()) {
            let Some(net) = net(engine, account) else { continue };
            let day = account.ledger().day();
            let curve = self.by_account.entry(account.id().clone()).or_insert_with(|| Curve {
                day,
                points: from_fills(account),
                every: POINT_EVERY,
            });
            if curve.day != day {
                *curve = Curve { day, points: Vec::new(), every: POINT_EVERY };
            }
            curve.add(CurvePoint { at: now, net });
        }
    }

    pub fn of(&self, account: &AccountId) -> Vec<CurvePoint> {
        self.by_account.get(account).map(|curve| curve.points.clone()).unwrap_or_default()
    }
}

impl Curve {
    fn add(&mut self, point: CurvePoint) {
        if self.points.last().is_some_and(|last| point.at - last.at < self.every) {
            return;
        }
        self.points.push(point);
        if self.points.len() > MOST_POINTS {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
            self.every = self.every * 2;
        }
    }
}

/// The part of the curve from before this run: the closed results as they added up.
fn from_fills(account: &AccountState) -> Vec<CurvePoint> {
    let mut fills: Vec<_> =
        account.ledger().fills().map(|known| &known.fill).filter(|it| !it.voided).collect();
    fills.sort_by_key(|fill| (fill.at, fill.id.clone()));
    let mut net = Usd::ZERO;
    let mut points = Vec::new();
    for fill in fills {
        net += fill.pnl.unwrap_or_default() - fill.fees - fill.commissions.unwrap_or_default();
        points.push(CurvePoint { at: fill.at, net });
    }
    let surplus = points.len().saturating_sub(MOST_POINTS / 2);
    points.split_off(surplus)
}

fn net(engine: &Engine, account: &AccountState) -> Option<Usd> {
    Some(account.ledger().realized(true) + account.unrealized(engine.market())?)
}

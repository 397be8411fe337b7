//! History bars, built from the prices that were quoted (gateway reference 3.3). Periods are aligned to
//! UTC; a period without a price has no bar.

use std::collections::VecDeque;

use chrono::{DateTime, Datelike, Months, NaiveDate};
use domain::Instant;
use projectx::wire::code::BarUnit;
use rust_decimal::Decimal;

/// Bars kept per contract and base unit, and most bars of one answer (gateway reference 3.3).
pub const BARS_LIMIT: usize = 20_000;

const DAY_SECONDS: i64 = 86_400;

/// The first Monday of the epoch, in days.
const FIRST_MONDAY: i64 = 4;

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Bar {
    /// Opening time in Unix seconds.
    pub start: i64,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
    pub volume: i64,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::gateway) struct Query {
    pub unit: BarUnit,
    pub number: i64,
    pub from: Instant,
    pub to: Instant,
    pub limit: usize,
    pub partial: bool,
}

/// Bars of a second, a minute, an hour and a day; longer ones are put together from days.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Bars {
    seconds: VecDeque<Bar>,
    minutes: VecDeque<Bar>,
    hours: VecDeque<Bar>,
    days: VecDeque<Bar>,
}

impl Bars {
    pub(in crate::gateway) fn record(&mut self, at: Instant, price: Decimal, volume: i64) {
        let at = at.timestamp();
        let series = [
            (&mut self.seconds, 1),
            (&mut self.minutes, 60),
            (&mut self.hours, 3_600),
            (&mut self.days, DAY_SECONDS),
        ];
        for (bars, span) in series {
            extend(bars, at.div_euclid(span) * span, price, volume);
        }
    }

    /// Bars that open within the window, newest first.
    pub(in crate::gateway) fn query(&self, now: Instant, query: Query) -> Vec<Bar> {
        let mut found: Vec<Bar> = Vec::new();
        for bar in self.base(query.unit).iter().rev() {
            let start = period_start(query.unit, query.number, bar.start);
            if start > query.to.timestamp() {
                continue;
            }
            let full = found.len() > query.limit;
            match found.last_mut() {
                Some(newer) if newer.start == start => newer.put_before(bar),
                Some(_) | None if full || start < query.from.timestamp() => break,
                Some(_) | None => found.push(Bar { start, ..*bar }),
            }
        }
        let ended = |bar: &Bar| period_end(query.unit, query.number, bar.start) <= now.timestamp();
        found.retain(|bar| query.partial || ended(bar));
        found.truncate(query.limit);
        found
    }

    fn base(&self, unit: BarUnit) -> &VecDeque<Bar> {
        match unit {
            BarUnit::Second => &self.seconds,
            BarUnit::Minute => &self.minutes,
            BarUnit::Hour => &self.hours,
            BarUnit::Day | BarUnit::Week | BarUnit::Month => &self.days,
        }
    }
}

impl Bar {
    fn add(&mut self, price: Decimal, volume: i64) {
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.close = price;
        self.volume += volume;
    }

    /// Takes an older bar of the same period in.
    fn put_before(&mut self, older: &Self) {
        self.open = older.open;
        self.high = self.high.max(older.high);
        self.low = self.low.min(older.low);
        self.volume += older.volume;
    }
}

fn extend(bars: &mut VecDeque<Bar>, start: i64, price: Decimal, volume: i64) {
    match bars.back_mut() {
        Some(bar) if bar.start == start => bar.add(price, volume),
        Some(_) | None => {
            if bars.len() == BARS_LIMIT {
                bars.pop_front();
            }
            bars.push_back(Bar { start, open: price, high: price, low: price, close: price, volume });
        }
    }
}

fn period_start(unit: BarUnit, number: i64, at: i64) -> i64 {
    let aligned = |span: i64, offset: i64| (at - offset).div_euclid(span) * span + offset;
    match unit {
        BarUnit::Second => aligned(number, 0),
        BarUnit::Minute => aligned(number.saturating_mul(60), 0),
        BarUnit::Hour => aligned(number.saturating_mul(3_600), 0),
        BarUnit::Day => aligned(number.saturating_mul(DAY_SECONDS), 0),
        BarUnit::Week => aligned(number.saturating_mul(7 * DAY_SECONDS), FIRST_MONDAY * DAY_SECONDS),
        BarUnit::Month => {
            let date = DateTime::from_timestamp(at, 0).unwrap_or_default().date_naive();
            let months = i64::from(date.year()) * 12 + i64::from(date.month0());
            month_start(months.div_euclid(number) * number)
        }
    }
}

fn period_end(unit: BarUnit, number: i64, start: i64) -> i64 {
    match unit {
        BarUnit::Second => start.saturating_add(number),
        BarUnit::Minute => start.saturating_add(number.saturating_mul(60)),
        BarUnit::Hour => start.saturating_add(number.saturating_mul(3_600)),
        BarUnit::Day => start.saturating_add(number.saturating_mul(DAY_SECONDS)),
        BarUnit::Week => start.saturating_add(number.saturating_mul(7 * DAY_SECONDS)),
        BarUnit::Month => {
            let first = DateTime::from_timestamp(start, 0).unwrap_or_default().date_naive();
            let months = Months::new(u32::try_from(number).unwrap_or(u32::MAX));
            first.checked_add_months(months).map_or(i64::MAX, midnight)
        }
    }
}

/// The first instant of a month, counted from year 0.
fn month_start(months: i64) -> i64 {
    let year = i32::try_from(months.div_euclid(12)).unwrap_or_default();
    let month = u32::try_from(months.rem_euclid(12)).unwrap_or_default() + 1;
    NaiveDate::from_ymd_opt(year, month, 1).map_or(0, midnight)
}

fn midnight(date: NaiveDate) -> i64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        format!("2026-06-{text}Z").parse().unwrap()
    }

    fn bars() -> Bars {
        let mut bars = Bars::default();
        for (time, price, volume) in [
            ("09T23:59:59", 100, 1),
            ("10T14:30:00", 101, 2),
            ("10T14:30:40", 105, 1),
            ("10T14:31:10", 99, 4),
            ("10T14:33:00", 103, 1),
        ] {
            bars.record(at(time), Decimal::from(price), volume);
        }
        bars
    }

    fn check(unit: BarUnit, number: i64, partial: bool, limit: usize, expected: &[&str]) {
        let query = Query { unit, number, from: at("01T00:00:00"), to: at("11T00:00:00"), limit, partial };
        let rows: Vec<String> = bars()
            .query(at("10T14:33:30"), query)
            .iter()
            .map(|bar| {
                let start = DateTime::from_timestamp(bar.start, 0).unwrap().format("%d %H:%M:%S");
                format!("{start} {} {} {} {} {}", bar.open, bar.high, bar.low, bar.close, bar.volume)
            })
            .collect();
        assert_eq!(rows, expected, "{number} {unit:?}");
    }

    #[test]
    fn bars_are_newest_first_and_limited_from_the_newest() {
        let minutes = [
            "10 14:33:00 103 103 103 103 1",
            "10 14:31:00 99 99 99 99 4",
            "10 14:30:00 101 105 101 105 3",
            "09 23:59:00 100 100 100 100 1",
        ];
        check(BarUnit::Minute, 1, true, 10, &minutes);
        check(BarUnit::Minute, 1, false, 10, &minutes[1..]);
        check(BarUnit::Minute, 1, false, 2, &minutes[1..3]);
        check(BarUnit::Minute, 5, true, 1, &["10 14:30:00 101 105 99 103 8"]);
        check(BarUnit::Hour, 1, true, 1, &["10 14:00:00 101 105 99 103 8"]);
        check(BarUnit::Second, 30, true, 2, &["10 14:33:00 103 103 103 103 1", "10 14:31:00 99 99 99 99 4"]);
        check(BarUnit::Day, 1, false, 9, &["09 00:00:00 100 100 100 100 1"]);
        check(BarUnit::Week, 1, true, 9, &["08 00:00:00 100 105 99 103 9"]);
        check(BarUnit::Month, 1, true, 9, &["01 00:00:00 100 105 99 103 9"]);
    }
}

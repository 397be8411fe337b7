//! When the exchange trades a product: the hours in which silence means that something is wrong.
//!
//! Never decides whether anybody may trade; that is RULE-009's. The hours are data with a source and a
//! date: `data/exchange_hours.json`. On holidays and after an early close nothing is promised: such hours
//! count as shut.

use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::{
    Instant, Symbol,
    calendar::{CENTRAL, instant_of},
    rulebook::{Holidays, SessionWindow},
};

#[derive(Deserialize)]
struct Hours {
    timezone: Tz,
    others: Vec<SessionWindow>,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    symbols: Vec<Symbol>,
    windows: Vec<SessionWindow>,
}

static HOURS: LazyLock<Hours> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/exchange_hours.json")).unwrap_or_else(|_| Hours {
        timezone: CENTRAL,
        others: Vec::new(),
        groups: Vec::new(),
    })
});

/// Since when the exchange has been trading a product without a break; `None` while it does not.
#[must_use]
pub fn open_since(symbol: &Symbol, now: Instant, holidays: &Holidays) -> Option<Instant> {
    let hours = &*HOURS;
    let group = hours.groups.iter().find(|group| group.symbols.contains(symbol));
    let windows = group.map_or(&hours.others, |group| &group.windows);
    let today = now.with_timezone(&hours.timezone).date_naive();
    // A window begins on its start's date, so that one of yesterday may still be open.
    [today - Days::new(1), today]
        .into_iter()
        .flat_map(|date| windows.iter().map(move |window| (date, window)))
        .filter_map(|(date, window)| span(window, date, hours.timezone, holidays))
        .find(|(start, end)| (*start..*end).contains(&now))
        .map(|(start, _)| start)
}

/// Begin and end of a window that starts on a date, if it takes place.
fn span(
    window: &SessionWindow,
    date: NaiveDate,
    zone: Tz,
    holidays: &Holidays,
) -> Option<(Instant, Instant)> {
    let day = u8::try_from(date.weekday().num_days_from_monday()).ok()?;
    let last = if window.end <= window.start { date + Days::new(1) } else { date };
    let takes_place =
        window.days.contains(&day) && [date, last].iter().all(|it| !holidays.dates.contains(it));
    let close = holidays.early_closes.get(&last).map_or(window.end, |early| window.end.min(*early));
    takes_place
        .then(|| (instant_of(date.and_time(window.start), zone), instant_of(last.and_time(close), zone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(symbol: &str, local: &str) -> bool {
        let holidays = Holidays {
            dates: ["2025-11-27".parse().unwrap()].into(),
            early_closes: [("2025-11-28".parse().unwrap(), "12:15:00".parse().unwrap())].into(),
        };
        let now = instant_of(local.parse().unwrap(), CENTRAL);
        open_since(&symbol.into(), now, &holidays).is_some()
    }

    #[test]
    fn the_week_of_globex() {
        let es = |local| open("ES", local);
        assert!(!es("2025-10-26T16:59:59"), "Sunday before the open");
        assert!(es("2025-10-26T17:00:00"));
        assert!(es("2025-10-27T15:59:59"));
        assert!(!es("2025-10-27T16:00:00"), "the daily halt");
        assert!(!es("2025-10-27T16:59:59"));
        assert!(es("2025-10-27T17:00:00"));
        assert!(!es("2025-10-31T16:00:00"), "Friday");
        assert!(!es("2025-11-01T12:00:00"), "Saturday");
    }

    #[test]
    fn grains_and_livestock_keep_hours_of_their_own() {
        assert!(open("ZC", "2025-10-27T07:44:59"));
        assert!(!open("ZC", "2025-10-27T08:00:00"));
        assert!(open("ZC", "2025-10-27T08:30:00"));
        assert!(!open("ZC", "2025-10-27T13:20:00"));
        assert!(open("LE", "2025-10-27T13:04:59"));
        assert!(!open("LE", "2025-10-27T19:30:00"));
    }

    #[test]
    fn holidays_and_early_closes_promise_nothing() {
        assert!(!open("ES", "2025-11-27T10:00:00"));
        assert!(!open("ES", "2025-11-26T18:00:00"), "the evening before belongs to it");
        assert!(open("ES", "2025-11-26T10:00:00"));
        assert!(!open("ES", "2025-11-28T10:00:00"), "its window began on the holiday");
        assert!(open("ZC", "2025-11-28T12:14:59"));
        assert!(!open("ZC", "2025-11-28T12:15:00"));
    }

    #[test]
    fn the_open_counts_from_the_beginning_of_the_window() {
        let now = instant_of("2025-10-27T03:00:00".parse().unwrap(), CENTRAL);
        let since = open_since(&"MNQ".into(), now, &Holidays::default()).unwrap();
        assert_eq!(since, instant_of("2025-10-26T17:00:00".parse().unwrap(), CENTRAL));
    }
}

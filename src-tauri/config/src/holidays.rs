//! The shipped list of exchange holidays: data with a source and a date (`data/holidays.json`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use chrono::{Datelike, NaiveDate};
use domain::rulebook::Holidays;
use serde::Deserialize;

use crate::fault::{Fault, FaultKind, Place};

#[derive(Deserialize)]
struct Table {
    source: String,
    date: String,
    years: BTreeMap<String, Year>,
}

#[derive(Deserialize)]
struct Year {
    dates: BTreeSet<NaiveDate>,
}

struct Shipped {
    holidays: Holidays,
    source: String,
}

static SHIPPED: LazyLock<Shipped> =
    LazyLock::new(|| match serde_json::from_str::<Table>(include_str!("../data/holidays.json")) {
        Ok(table) => Shipped {
            source: format!("{} ({}).", table.source, table.date),
            holidays: Holidays {
                dates: table.years.into_values().flat_map(|year| year.dates).collect(),
                early_closes: BTreeMap::new(),
            },
        },
        Err(_) => Shipped { holidays: Holidays::default(), source: String::new() },
    });

/// The holidays that apply where `timers.yaml` lists none. Early closes are not shipped.
#[must_use]
pub fn shipped() -> &'static Holidays {
    &SHIPPED.holidays
}

/// Where the shipped list comes from, and when it was taken.
pub(crate) fn source() -> &'static str {
    &SHIPPED.source
}

/// A warning for the given year and the next one where the list has no date in it.
#[must_use]
pub fn missing_years(holidays: &Holidays, year: i32) -> Vec<Fault> {
    [year, year + 1]
        .into_iter()
        .filter(|year| !holidays.dates.iter().any(|date| date.year() == *year))
        .map(|year| {
            Fault::warning(
                FaultKind::Doubtful,
                &Place::file("timers.yaml"),
                "holidays.dates",
                format!("The holiday list has no date in {year}."),
            )
            .because("Sessions would be open on exchange holidays of that year.")
            .fix(format!("Add the exchange's holidays of {year}."))
            .example(format!("{year}-12-25"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Weekday;

    /// The derived year against the rules of the exchange, holiday by holiday.
    #[test]
    fn shipped_years_follow_the_rules_of_the_exchange() {
        for year in [2025, 2026, 2027] {
            let nth = |month, day, n| NaiveDate::from_weekday_of_month_opt(year, month, day, n).unwrap();
            let observed = |month, day| {
                let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
                match date.weekday() {
                    Weekday::Sat => date.pred_opt().unwrap(),
                    Weekday::Sun => date.succ_opt().unwrap(),
                    Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => date,
                }
            };
            let last_monday_of_may =
                nth(5, Weekday::Mon, if nth(5, Weekday::Mon, 1).day() <= 3 { 5 } else { 4 });
            let good_friday = match year {
                2025 => (4, 18),
                2026 => (4, 3),
                _ => (3, 26),
            };
            let expected: BTreeSet<NaiveDate> = [
                observed(1, 1),
                nth(1, Weekday::Mon, 3),
                nth(2, Weekday::Mon, 3),
                NaiveDate::from_ymd_opt(year, good_friday.0, good_friday.1).unwrap(),
                last_monday_of_may,
                observed(7, 4),
                nth(9, Weekday::Mon, 1),
                nth(11, Weekday::Thu, 4),
                observed(12, 25),
            ]
            .into();
            let shipped: BTreeSet<NaiveDate> =
                shipped().dates.iter().copied().filter(|date| date.year() == year).collect();
            assert_eq!(shipped, expected, "{year}");
        }
    }

    #[test]
    fn a_year_without_a_list_is_told() {
        assert!(missing_years(shipped(), 2026).is_empty());
        let told = missing_years(shipped(), 2027);
        assert_eq!(told.len(), 1);
        assert!(told[0].to_string().contains("no date in 2028"), "{}", told[0]);
    }
}

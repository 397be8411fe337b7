//! Wall-clock schedules turned into instants: daily reset, trading day (specification A.4, C.6).

use std::fmt;

use chrono::{
    Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Timelike,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// The exchange's time zone.
pub const CENTRAL: Tz = chrono_tz::America::Chicago;

/// Two resets are at least this far apart, whatever becomes of their time (specification C.6).
const LEAST_DAY: TimeDelta = TimeDelta::hours(12);

/// Label of a trading day: the local date on which it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[serde(transparent)]
pub struct TradingDay(pub NaiveDate);

/// When one trading day ends and the next begins: a wall-clock time in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyReset {
    /// Local time.
    pub time: NaiveTime,
    /// IANA zone.
    pub timezone: Tz,
}

impl Default for DailyReset {
    fn default() -> Self {
        Self { time: NaiveTime::from_hms_opt(17, 0, 0).unwrap_or_default(), timezone: CENTRAL }
    }
}

impl TradingDay {
    /// The Monday whose reset began the week of this day: a day that ends on a Monday closes a week.
    #[must_use]
    pub fn week(self) -> NaiveDate {
        let began = self.0.pred_opt().unwrap_or(self.0);
        began - Days::new(began.weekday().num_days_from_monday().into())
    }
}

impl fmt::Display for TradingDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The instant of a local time: a time that does not exist becomes the first valid instant after the
/// gap, one that occurs twice becomes its first occurrence.
#[must_use]
pub fn instant_of(local: NaiveDateTime, zone: Tz) -> Instant {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) => at.to_utc(),
        MappedLocalTime::Ambiguous(first, _) => first.to_utc(),
        MappedLocalTime::None => end_of_gap(local, zone),
    }
}

/// The first local time after a gap, found minute by minute: transitions happen on whole minutes, and
/// no zone has skipped more than a day.
fn end_of_gap(local: NaiveDateTime, zone: Tz) -> Instant {
    const LONGEST_GAP_MINUTES: i64 = 24 * 60;
    let minute = local.with_second(0).and_then(|minute| minute.with_nanosecond(0)).unwrap_or(local);
    (1..=LONGEST_GAP_MINUTES)
        .find_map(|minutes| zone.from_local_datetime(&(minute + TimeDelta::minutes(minutes))).earliest())
        .map_or_else(|| zone.from_utc_datetime(&local).to_utc(), |at| at.to_utc())
}

/// The first instant after `from` and up to `until` at which the clocks of a zone are put forward or back; found
/// to the minute. `None` where they show the same offset at both ends.
#[must_use]
pub fn clocks_change(zone: Tz, from: Instant, until: Instant) -> Option<Instant> {
    let offset = |at: Instant| at.with_timezone(&zone).offset().fix();
    let before = offset(from);
    if offset(until) == before {
        return None;
    }
    let (mut old, mut new) = (from.timestamp().div_euclid(60), until.timestamp().div_euclid(60) + 1);
    while new - old > 1 {
        let middle = i64::midpoint(old, new);
        let at = Instant::from_timestamp(middle * 60, 0)?;
        if offset(at) == before { old = middle } else { new = middle }
    }
    Instant::from_timestamp(new * 60, 0)
}

impl DailyReset {
    /// The reset on a local calendar date.
    #[must_use]
    pub fn on(&self, date: NaiveDate) -> Instant {
        instant_of(date.and_time(self.time), self.timezone)
    }

    /// The first reset after `now`. A trading day has 23 or 25 hours when the clocks change.
    ///
    /// ```
    /// use domain::{DailyReset, Instant};
    ///
    /// let reset = DailyReset::default(); // 17:00 in Chicago
    /// let saturday: Instant = "2025-11-01T22:00:00Z".parse()?;
    /// let sunday = reset.next_after(saturday);
    /// assert_eq!(sunday.to_rfc3339(), "2025-11-02T23:00:00+00:00");
    /// assert_eq!((sunday - saturday).num_hours(), 25);
    /// assert_eq!(reset.last_until(sunday), sunday, "at its very instant the next day has begun");
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    #[must_use]
    pub fn next_after(&self, now: Instant) -> Instant {
        let mut date = now.with_timezone(&self.timezone).date_naive() - Days::new(1);
        loop {
            let reset = self.on(date);
            if reset > now {
                return reset;
            }
            date = date + Days::new(1);
        }
    }

    /// The latest reset at or before `now`: the instant at which the current trading day began.
    #[must_use]
    pub fn last_until(&self, now: Instant) -> Instant {
        let mut date = now.with_timezone(&self.timezone).date_naive() + Days::new(1);
        loop {
            let reset = self.on(date);
            if reset <= now {
                return reset;
            }
            date = date - Days::new(1);
        }
    }

    /// When a day ends that began at `began` and is not over at `now`. A reset time that was changed so
    /// that it would come again within 12 hours is passed over once.
    #[must_use]
    pub fn ends(&self, began: Instant, now: Instant) -> Instant {
        let mut end = self.next_after(now.max(began));
        while end - began < LEAST_DAY {
            end = self.next_after(end);
        }
        end
    }

    /// The local date of an instant: the label of a day that ends then.
    #[must_use]
    pub fn label(&self, end: Instant) -> TradingDay {
        TradingDay(end.with_timezone(&self.timezone).date_naive())
    }

    /// The trading day to which an instant belongs.
    #[must_use]
    pub fn day_of(&self, now: Instant) -> TradingDay {
        self.label(self.next_after(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Instant {
        text.parse().unwrap()
    }

    /// Specification C.6: resets around both changes of the clock, and a day that ends at 17:00:00.
    #[test]
    fn resets_follow_the_wall_clock() {
        let reset = DailyReset::default();
        let next = |text| reset.next_after(utc(text));
        assert_eq!(next("2025-10-29T15:00:00Z"), utc("2025-10-29T22:00:00Z"));
        assert_eq!(next("2025-11-01T22:00:00Z"), utc("2025-11-02T23:00:00Z"), "a day of 25 hours");
        assert_eq!(next("2026-03-07T23:00:00Z"), utc("2026-03-08T22:00:00Z"), "a day of 23 hours");
        assert_eq!(reset.last_until(utc("2025-11-02T22:59:59Z")), utc("2025-11-01T22:00:00Z"));
        assert_eq!(reset.last_until(utc("2025-11-02T23:00:00Z")), utc("2025-11-02T23:00:00Z"));
    }

    #[test]
    fn a_zone_of_its_own() {
        let reset = DailyReset { timezone: chrono_tz::America::New_York, ..DailyReset::default() };
        assert_eq!(reset.next_after(utc("2025-10-27T12:00:00Z")), utc("2025-10-27T21:00:00Z"));
    }

    #[test]
    fn the_label_is_the_date_on_which_the_day_ends() {
        let reset = DailyReset::default();
        let day = |text| reset.day_of(utc(text)).to_string();
        assert_eq!(day("2025-10-29T21:59:59Z"), "2025-10-29");
        assert_eq!(day("2025-10-29T22:00:00Z"), "2025-10-30");
    }

    #[test]
    fn a_changed_time_never_brings_two_resets_within_twelve_hours() {
        let began = utc("2025-10-29T22:00:00Z");
        let ends = |time: &str| {
            let reset = DailyReset { time: time.parse().unwrap(), ..DailyReset::default() };
            reset.ends(began, began)
        };
        assert_eq!(ends("17:00:00"), utc("2025-10-30T22:00:00Z"));
        assert_eq!(ends("18:00:00"), utc("2025-10-30T23:00:00Z"), "an hour later would be too early");
        assert_eq!(ends("05:00:00"), utc("2025-10-30T10:00:00Z"), "twelve hours are enough");
        assert_eq!(ends("04:59:00"), utc("2025-10-31T09:59:00Z"));
    }

    #[test]
    fn a_week_begins_with_the_reset_on_monday() {
        let week = |day: &str| TradingDay(day.parse().unwrap()).week().to_string();
        assert_eq!(week("2025-10-27"), "2025-10-20", "it ends on Monday and closes the week");
        assert_eq!(week("2025-10-28"), "2025-10-27");
        assert_eq!(week("2025-11-02"), "2025-10-27");
        assert_eq!(week("2025-11-03"), "2025-10-27");
    }

    #[test]
    fn the_clocks_change_at_an_instant_or_not_at_all() {
        let change = |zone, from, until| clocks_change(zone, utc(from), utc(until));
        let march = Some(utc("2026-03-08T08:00:00Z"));
        assert_eq!(change(CENTRAL, "2026-03-06T10:00:30Z", "2026-03-08T10:00:30Z"), march);
        assert_eq!(change(CENTRAL, "2026-03-08T07:59:59Z", "2026-03-08T08:00:00Z"), march, "to the minute");
        assert_eq!(change(CENTRAL, "2026-03-08T08:00:00Z", "2026-03-10T08:00:00Z"), None, "it is over");
        let autumn = Some(utc("2026-10-25T01:00:00Z"));
        assert_eq!(change(chrono_tz::Europe::Berlin, "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"), autumn);
        assert_eq!(change(chrono_tz::Asia::Tokyo, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"), None);
    }

    #[test]
    fn local_times_that_do_not_exist_or_exist_twice() {
        let local = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        assert_eq!(instant_of(local("2026-03-08T02:30:00"), CENTRAL), utc("2026-03-08T08:00:00Z"));
        assert_eq!(instant_of(local("2025-11-02T01:30:00"), CENTRAL), utc("2025-11-02T06:30:00Z"));
    }
}

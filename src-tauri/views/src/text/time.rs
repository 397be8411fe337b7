//! Times and countdowns for people: Central Time first, local time beside it where it differs, or the time of
//! the zone that the reader chose.

use chrono::{Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use domain::{Instant, calendar::CENTRAL};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// From here on a countdown shows no seconds: nobody acts on them.
const COARSE_FROM: i64 = 10 * MINUTE;

/// The zones in which times are shown. Central Time is always one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zones {
    /// Where the reader sits, or the zone he chose instead.
    pub local: Tz,
    /// Whether he chose it: then it is called by its name.
    pub is_chosen: bool,
}

impl Zones {
    /// For a reader in Central Time.
    pub const CENTRAL: Self = Self::of_computer(CENTRAL);

    /// As the reader's computer is set.
    #[must_use]
    pub const fn of_computer(local: Tz) -> Self {
        Self { local, is_chosen: false }
    }

    /// The zone that the settings name takes the place of the computer's. Central Time is shown anyway, so
    /// naming it changes nothing.
    #[must_use]
    pub fn or_chosen(self, zone: Tz) -> Self {
        if zone == CENTRAL { self } else { Self { local: zone, is_chosen: true } }
    }

    /// What the zone beside Central Time is called: `local`, or `New York` where it was chosen.
    #[must_use]
    pub fn called(self) -> String {
        match self.is_chosen {
            true => self.local.name().rsplit('/').next().unwrap_or_default().replace('_', " "),
            false => "local".to_owned(),
        }
    }

    /// The local time, where it differs from Central Time: `6:00 PM local`, `12:00 AM London`.
    #[must_use]
    pub fn local_clock(self, at: Instant) -> Option<String> {
        let here = at.with_timezone(&self.local);
        let there = at.with_timezone(&CENTRAL);
        (here.offset().fix() != there.offset().fix())
            .then(|| format!("{} {}", wall(at, self.local), self.called()))
    }
}

/// A planned time: `5:00 PM CT`; seconds only if it has some, the date only where the next such time of
/// day is not meant.
#[must_use]
pub fn schedule(at: Instant, now: Instant) -> String {
    format!("{}{} CT", other_day(at, now), wall(at, CENTRAL))
}

/// The time of an event, with seconds: `1:12:04 PM CT`.
#[must_use]
pub fn event(at: Instant, now: Instant) -> String {
    let local = at.with_timezone(&CENTRAL);
    format!("{}{} CT", other_day(at, now), local.format("%-I:%M:%S %p"))
}

/// When something ends, and in how long: `5:00 PM CT (in 2h 14m)`, with the local time where it differs.
#[must_use]
pub fn ahead(at: Instant, now: Instant, zones: Zones) -> String {
    let left = (at > now).then(|| format!("in {}", countdown(at - now)));
    let aside: Vec<String> = zones.local_clock(at).into_iter().chain(left).collect();
    match aside.is_empty() {
        true => schedule(at, now),
        false => format!("{} ({})", schedule(at, now), aside.join(", ")),
    }
}

/// Time left, rounded up so that it never promises an earlier end: `2d 03h`, `2h 14m`, `14m`,
/// `6m 50s`, `41s`. Nothing left is `ending…`, until the engine says that it ended.
#[must_use]
pub fn countdown(left: TimeDelta) -> String {
    let seconds = left.num_seconds() + i64::from(left.subsec_nanos() > 0);
    if seconds <= 0 {
        return "ending…".to_owned();
    }
    if seconds < COARSE_FROM {
        return fine(seconds);
    }
    let minutes = ceil(seconds, MINUTE);
    match minutes * MINUTE {
        long if long >= DAY => days(ceil(minutes, 60)),
        _ => coarse(minutes),
    }
}

/// Time left in whole minutes, rounded up, for places that are not repainted each second.
#[must_use]
pub fn countdown_minutes(left: TimeDelta) -> String {
    let seconds = left.num_seconds() + i64::from(left.subsec_nanos() > 0);
    match seconds {
        ..=0 => "ending…".to_owned(),
        short if short < COARSE_FROM => format!("{}m", ceil(short, MINUTE)),
        _ => countdown(left),
    }
}

/// Time gone, rounded down: `42s`, `3m 41s`, `2h 14m`, `2d 03h`.
#[must_use]
pub fn elapsed(gone: TimeDelta) -> String {
    match gone.num_seconds().max(0) {
        short if short < COARSE_FROM => fine(short),
        long if long >= DAY => days(long / HOUR),
        seconds => coarse(seconds / MINUTE),
    }
}

/// How long something lasted, in running text: `42 s`, `3m 58s`.
#[must_use]
pub fn lasted(gone: TimeDelta) -> String {
    match gone.num_seconds().max(0) {
        seconds if seconds < MINUTE => format!("{seconds} s"),
        _ => elapsed(gone),
    }
}

fn fine(seconds: i64) -> String {
    match seconds / MINUTE {
        0 => format!("{seconds}s"),
        minutes => format!("{minutes}m {:02}s", seconds % MINUTE),
    }
}

fn coarse(minutes: i64) -> String {
    match minutes / 60 {
        0 => format!("{minutes}m"),
        hours => format!("{hours}h {:02}m", minutes % 60),
    }
}

fn days(hours: i64) -> String {
    format!("{}d {:02}h", hours / 24, hours % 24)
}

fn wall(at: Instant, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let form = if local.second() == 0 { "%-I:%M %p" } else { "%-I:%M:%S %p" };
    local.format(form).to_string()
}

fn other_day(at: Instant, now: Instant) -> String {
    if at >= now && at - now < TimeDelta::days(1) {
        return String::new();
    }
    let date = |instant: Instant| CENTRAL.from_utc_datetime(&instant.naive_utc()).date_naive();
    match date(at) == date(now) {
        true => String::new(),
        false => date(at).format("%a %b %-d, ").to_string(),
    }
}

/// Division rounded up, for values above zero.
fn ceil(value: i64, by: i64) -> i64 {
    (value + by - 1) / by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn left(seconds: i64) -> String {
        countdown(TimeDelta::seconds(seconds))
    }

    #[test]
    fn countdowns_are_rounded_up() {
        assert_eq!(left(2 * HOUR + 13 * MINUTE + 1), "2h 14m");
        assert_eq!(left(3 * HOUR + 2 * MINUTE), "3h 02m");
        assert_eq!(left(10 * MINUTE), "10m");
        assert_eq!(left(10 * MINUTE - 1), "9m 59s");
        assert_eq!(left(5 * MINUTE), "5m 00s");
        assert_eq!(left(41), "41s");
        assert_eq!(countdown(TimeDelta::milliseconds(40_001)), "41s");
        assert_eq!(left(50 * HOUR + 1), "2d 03h");
        assert_eq!(left(DAY), "1d 00h");
    }

    #[test]
    fn nothing_left_waits_for_the_engine() {
        assert_eq!(left(0), "ending…");
        assert_eq!(left(-5), "ending…");
        assert_eq!(countdown_minutes(TimeDelta::zero()), "ending…");
    }

    #[test]
    fn the_tray_counts_minutes() {
        assert_eq!(countdown_minutes(TimeDelta::seconds(401)), "7m");
        assert_eq!(countdown_minutes(TimeDelta::seconds(1)), "1m");
        assert_eq!(countdown_minutes(TimeDelta::hours(2)), "2h 00m");
    }

    #[test]
    fn time_gone_is_rounded_down() {
        assert_eq!(elapsed(TimeDelta::seconds(221)), "3m 41s");
        assert_eq!(elapsed(TimeDelta::seconds(2 * HOUR + 119)), "2h 01m");
        assert_eq!(lasted(TimeDelta::milliseconds(42_900)), "42 s");
        assert_eq!(lasted(TimeDelta::seconds(238)), "3m 58s");
    }

    #[test]
    fn central_time_first_and_local_time_where_it_differs() {
        let (at, now) = (utc("2025-11-18T23:00:00Z"), utc("2025-11-18T20:46:20Z"));
        let eastern = Zones::of_computer(chrono_tz::America::New_York);
        assert_eq!(ahead(at, now, Zones::CENTRAL), "5:00 PM CT (in 2h 14m)");
        assert_eq!(ahead(at, now, eastern), "5:00 PM CT (6:00 PM local, in 2h 14m)");
        assert_eq!(ahead(now, at, Zones::CENTRAL), "2:46:20 PM CT");
        let same_offset = Zones::of_computer(chrono_tz::America::Winnipeg);
        assert_eq!(same_offset.local_clock(at), None);
    }

    #[test]
    fn a_zone_that_was_chosen_is_called_by_its_name() {
        let (at, now) = (utc("2025-11-18T23:00:00Z"), utc("2025-11-18T20:46:20Z"));
        let eastern = Zones::of_computer(chrono_tz::America::New_York);
        assert_eq!(eastern.or_chosen(CENTRAL), eastern, "Central Time is shown anyway");
        let told = |zone| ahead(at, now, eastern.or_chosen(zone));
        assert_eq!(told(chrono_tz::Europe::London), "5:00 PM CT (11:00 PM London, in 2h 14m)");
        assert_eq!(told(chrono_tz::America::New_York), "5:00 PM CT (6:00 PM New York, in 2h 14m)");
        assert_eq!(told(chrono_tz::UTC), "5:00 PM CT (11:00 PM UTC, in 2h 14m)");
        assert_eq!(told(chrono_tz::America::Winnipeg), "5:00 PM CT (in 2h 14m)");
    }

    #[test]
    fn another_day_carries_its_date() {
        let now = utc("2025-11-18T23:30:00Z");
        assert_eq!(schedule(utc("2025-11-20T23:00:00Z"), now), "Thu Nov 20, 5:00 PM CT");
        assert_eq!(schedule(utc("2025-11-19T23:00:00Z"), now), "5:00 PM CT", "the next one is meant");
        assert_eq!(event(utc("2025-11-14T22:10:05Z"), now), "Fri Nov 14, 4:10:05 PM CT");
        assert_eq!(event(utc("2025-11-18T19:12:04Z"), now), "1:12:04 PM CT");
    }
}

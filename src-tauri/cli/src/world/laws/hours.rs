//! Trading hours, worked out a second time: whether an instant lies inside one of the windows.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta};
use domain::{
    Instant, Symbol, calendar,
    rulebook::{Holidays, SessionBlockOutside, SessionWindow},
};

/// Whether trading in a symbol, or in what has no hours of its own, was permitted at every moment of the last
/// while: then nobody may be locked out.
pub(super) fn were_open(
    settings: &SessionBlockOutside,
    hours: Option<&Symbol>,
    holidays: &Holidays,
    from: Instant,
    to: Instant,
) -> bool {
    let minutes = (to - from).num_minutes().max(0);
    let mut looks = (0..=minutes).map(|minute| from + TimeDelta::minutes(minute)).chain([to]);
    looks.all(|at| is_open(settings, hours, holidays, at))
}

/// Whether trading is permitted at a moment.
pub(super) fn is_open(
    settings: &SessionBlockOutside,
    hours: Option<&Symbol>,
    holidays: &Holidays,
    at: Instant,
) -> bool {
    let today = at.with_timezone(&settings.timezone).date_naive();
    let starts = [today - Days::new(1), today];
    let own = hours.and_then(|symbol| settings.per_instrument.get(symbol));
    own.unwrap_or(&settings.windows).iter().any(|window| {
        starts
            .iter()
            .any(|date| span(window, *date, settings, holidays).is_some_and(|(a, b)| a <= at && at < b))
    })
}

/// The window that starts on a date.
fn span(
    window: &SessionWindow,
    date: NaiveDate,
    settings: &SessionBlockOutside,
    holidays: &Holidays,
) -> Option<(Instant, Instant)> {
    let weekday = u8::try_from(date.weekday().num_days_from_monday()).unwrap_or_default();
    let is_holiday = settings.respect_holidays && holidays.dates.contains(&date);
    if !window.days.contains(&weekday) || is_holiday {
        return None;
    }
    let instant = |local: NaiveDateTime| calendar::instant_of(local, settings.timezone);
    let last = if window.end <= window.start { date + Days::new(1) } else { date };
    let mut end = last.and_time(window.end);
    if settings.respect_holidays {
        for (day, closes) in &holidays.early_closes {
            let closing = day.and_time(*closes);
            let is_during = date.and_time(window.start) < closing && closing < end;
            if is_during || (*day == date && window.start >= *closes) {
                end = end.min(closing);
            }
        }
    }
    Some((instant(date.and_time(window.start)), instant(end)))
}

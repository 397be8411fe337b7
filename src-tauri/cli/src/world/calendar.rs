//! When a world takes place, and what its days are made of: a few stretches of trading, and the hours in
//! between. Changes of the clock, weekends and holidays occur more often than in life.

use chrono::{Datelike, Days, NaiveDate, TimeDelta};
use domain::{DailyReset, Instant};

use crate::dice::Dice;

/// Days of one world: a home, a simulator, an engine with its restarts.
pub(crate) const DAYS: u32 = 5;

/// Changes of the clock in Chicago.
const CHANGES: [(i32, u32, u32); 8] = [
    (2024, 3, 10),
    (2024, 11, 3),
    (2025, 3, 9),
    (2025, 11, 2),
    (2026, 3, 8),
    (2026, 11, 1),
    (2027, 3, 14),
    (2027, 11, 7),
];

/// A stretch of trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub from: Instant,
    pub length: TimeDelta,
}

/// The first trading day of a world.
pub(crate) fn first_day(dice: &mut Dice) -> NaiveDate {
    let back = Days::new(u64::try_from(dice.between(0..=i64::from(DAYS) - 1)).unwrap_or_default());
    let special = match dice.between(0..=9) {
        0..=2 => {
            let (year, month, day) = *dice.choose(&CHANGES);
            NaiveDate::from_ymd_opt(year, month, day)
        }
        3..=4 => {
            let holidays: Vec<NaiveDate> = config::shipped_holidays().dates.iter().copied().collect();
            (!holidays.is_empty()).then(|| *dice.choose(&holidays))
        }
        _ => None,
    };
    let any = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap_or_default()
        + Days::new(u64::try_from(dice.between(0..=1_400)).unwrap_or_default());
    special.map_or(any, |date| date - back)
}

/// The stretches of one trading day, in order and apart from each other. Some lie across the reset.
pub(crate) fn stretches(reset: DailyReset, day: NaiveDate, dice: &mut Dice) -> Vec<Stretch> {
    let begin = reset.on(day - Days::new(1));
    let end = reset.on(day);
    let count = dice.between(2..=4);
    let minutes = (end - begin).num_minutes();
    let mut starts: Vec<i64> = (0..count).map(|_| dice.between(10..=minutes - 15)).collect();
    if dice.percent(35) {
        starts.push(minutes - 2);
    }
    starts.sort_unstable();
    // Each needs some minutes until everything has settled.
    starts.dedup_by(|later, earlier| *later - *earlier < 8);
    starts
        .into_iter()
        .map(|minute| Stretch {
            from: begin + TimeDelta::minutes(minute) + dice.ms(0..=50_000),
            length: dice.seconds(20..=150),
        })
        .collect()
}

/// The label of a day, for people.
pub(crate) fn label(day: NaiveDate) -> String {
    format!("{day} ({})", day.weekday())
}

//! What people are told before the clocks change: which clocks, when, and what moves with them. Knows no
//! schedule but the daily reset that it is handed.

use chrono::{Offset, TimeDelta};
use chrono_tz::Tz;
use domain::{Instant, Severity, calendar::CENTRAL};

use super::{Note, Scene, time};

/// A change of the clocks, and the daily resets before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClocksChange {
    /// When those of Central Time change.
    pub central: Option<Instant>,
    /// When those of the reader change.
    pub local: Option<Instant>,
    /// The last daily reset before the first of them, and the next one after both.
    pub resets: (Instant, Instant),
}

/// The clocks change soon. `None` where neither do.
#[must_use]
pub fn clocks_change(change: &ClocksChange, scene: &Scene<'_>) -> Option<Note> {
    let (title, told) = match (change.central, change.local) {
        (Some(at), _) => {
            let told = "Trading hours and the daily reset keep their time of day.";
            (
                format!("Clocks change on {}", day(at, CENTRAL)),
                format!("{} {told}", turn("Central Time", at, CENTRAL)),
            )
        }
        (None, Some(at)) => {
            let local = scene.zones.local;
            let told = "Central Time and what goes by it stay as they are.";
            (
                format!("{} clocks change on {}", whose("Your", scene), day(at, local)),
                format!("{} {told}", turn(&format!("{} time", whose("Local", scene)), at, local)),
            )
        }
        (None, None) => return None,
    };
    let body: Vec<String> = [Some(told), shift(change, scene)].into_iter().flatten().collect();
    Some(scene.note(Severity::Info, &title, &body.join(" ")))
}

/// The reader's own, or those of the zone that he chose.
fn whose(own: &str, scene: &Scene<'_>) -> String {
    match scene.zones.is_chosen {
        true => scene.zones.called(),
        false => own.to_owned(),
    }
}

/// `Central Time goes forward by 1 h at 2:00 AM.`, in the words of those who turn the hands: the time before.
fn turn(whose: &str, at: Instant, zone: Tz) -> String {
    let offset =
        |at: Instant| TimeDelta::seconds(at.with_timezone(&zone).offset().fix().local_minus_utc().into());
    let just_before = at - TimeDelta::minutes(1);
    let by = offset(at) - offset(just_before);
    let way = if by > TimeDelta::zero() { "forward" } else { "back" };
    let by = match (by.num_minutes().abs() / 60, by.num_minutes().abs() % 60) {
        (hours, 0) => format!("{hours} h"),
        (_, _) => format!("{} min", by.num_minutes().abs()),
    };
    let hand = just_before.with_timezone(&zone).naive_local() + TimeDelta::minutes(1);
    format!("{whose} goes {way} by {by} at {}.", hand.format("%-I:%M %p"))
}

fn day(at: Instant, zone: Tz) -> String {
    (at - TimeDelta::minutes(1)).with_timezone(&zone).format("%a %b %-d").to_string()
}

/// What the reader's own clock shows at the daily reset from then on, where that is another time.
fn shift(change: &ClocksChange, scene: &Scene<'_>) -> Option<String> {
    let (before, after) = change.resets;
    let wall = |at: Instant| at.with_timezone(&scene.zones.local).time();
    if wall(before) == wall(after) {
        return None;
    }
    let on_clock = |at: Instant| {
        scene.zones.local_clock(at).unwrap_or_else(|| format!("the same {}", scene.zones.called()))
    };
    Some(format!(
        "From then {} is {}, not {}.",
        time::schedule(after, after),
        on_clock(after),
        on_clock(before)
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono_tz::{America, Europe};

    use super::*;
    use crate::text::Zones;

    fn utc(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn told(local: Tz, central: Option<&str>, own: Option<&str>, resets: (&str, &str)) -> (String, String) {
        let symbols = BTreeMap::new();
        let scene = Scene {
            now: utc("2026-03-06T12:00:00Z"),
            zones: Zones::of_computer(local),
            broker: "TopstepX",
            account: None,
            open: &[],
            still_locked: false,
            symbols: &symbols,
        };
        let change = ClocksChange {
            central: central.map(utc),
            local: own.map(utc),
            resets: (utc(resets.0), utc(resets.1)),
        };
        let note = clocks_change(&change, &scene).unwrap();
        (note.title, note.body)
    }

    const MARCH: (&str, &str) = ("2026-03-07T23:00:00Z", "2026-03-08T22:00:00Z");

    #[test]
    fn the_change_is_told_in_the_readers_own_time() {
        let central = "Central Time goes forward by 1 h at 2:00 AM. Trading hours and the daily reset keep their time of day.";
        let at = Some("2026-03-08T08:00:00Z");
        let title = "Clocks change on Sun Mar 8".to_owned();
        assert_eq!(told(CENTRAL, at, at, MARCH), (title.clone(), central.to_owned()));
        assert_eq!(
            told(America::New_York, at, Some("2026-03-08T07:00:00Z"), MARCH),
            (title.clone(), central.to_owned()),
            "an hour apart as ever"
        );
        let moved = "From then 5:00 PM CT is 11:00 PM local, not 12:00 AM local.";
        assert_eq!(told(Europe::Berlin, at, None, MARCH), (title, format!("{central} {moved}")));
    }

    #[test]
    fn clocks_of_the_reader_alone() {
        let resets = ("2026-03-28T22:00:00Z", "2026-03-29T22:00:00Z");
        let body = "Local time goes forward by 1 h at 2:00 AM. Central Time and what goes by it stay as they are. From then 5:00 PM CT is 12:00 AM local, not 11:00 PM local.";
        assert_eq!(
            told(Europe::Berlin, None, Some("2026-03-29T01:00:00Z"), resets),
            ("Your clocks change on Sun Mar 29".to_owned(), body.to_owned())
        );
    }

    #[test]
    fn back_in_autumn() {
        let (title, body) = told(
            CENTRAL,
            Some("2026-11-01T07:00:00Z"),
            None,
            ("2026-10-31T22:00:00Z", "2026-11-01T23:00:00Z"),
        );
        assert_eq!(title, "Clocks change on Sun Nov 1");
        assert!(body.starts_with("Central Time goes back by 1 h at 2:00 AM."), "{body}");
    }
}

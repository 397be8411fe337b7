//! RULE-006 and RULE-009.

use domain::{
    RuleKey,
    rulebook::{FrequencyWindow, SessionWindow},
};

use super::{Check, is_of_account, minute};
use crate::{
    fault::{Fault, FaultKind},
    schema::File,
};

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;
const SESSION: &str = "rules.session_block_outside";

impl Check<'_> {
    pub(super) fn frequency(&mut self) {
        let settings = &self.sheet.rules.trade_frequency_limit.settings;
        let windows: [(&str, FrequencyWindow); 3] = [
            ("per_minute", settings.per_minute),
            ("per_hour", settings.per_hour),
            ("per_session", settings.per_session),
        ];
        let limits: Vec<(&str, u32)> =
            windows.iter().filter_map(|(name, window)| window.limit.map(|limit| (*name, limit))).collect();
        for pair in limits.windows(2) {
            let [(short, few), (long, many)] = pair else { continue };
            if few > many {
                let paths = [long, short].map(|name| format!("rules.trade_frequency_limit.limits.{name}"));
                let path = paths.iter().find(|path| self.is_given(path)).unwrap_or(&paths[0]);
                self.error(
                    FaultKind::Conflict,
                    path,
                    format!("{long} allows {many} trades, {short} allows {few}."),
                )
                .because("A longer time can't allow fewer trades than a shorter one.")
                .fix(format!("Make {short} at most {long}, or set one of them to null."))
                .add(self.faults);
            }
        }
    }

    pub(super) fn sessions(&mut self) {
        self.holidays();
        let settings = self.sheet.rules.session_block_outside.settings.clone();
        let paths = [
            "rules.session_block_outside.session_hours.end",
            "rules.session_block_outside.session_hours.start",
            "rules.session_block_outside.sessions",
        ];
        if settings.windows.iter().any(|window| window.start == window.end) {
            let place = self.first_place(&paths);
            Fault::error(
                FaultKind::Conflict,
                &place,
                paths[0],
                "The session begins and ends at the same time.",
            )
            .because("It could mean always or never.")
            .fix("For a session of nearly a day, end it a minute before it begins.")
            .example("session_hours: {start: \"17:00\", end: \"16:59\"}")
            .add(self.faults);
        }
        self.overlaps(paths[2], &settings.windows);
        for (symbol, windows) in &settings.per_instrument {
            self.overlaps(&format!("{SESSION}.per_instrument_sessions.sessions.{symbol}"), windows);
        }
        if self.sheet.forms.per_instrument_sessions && settings.per_instrument.is_empty() {
            let path = "rules.session_block_outside.per_instrument_sessions.enabled";
            self.error(FaultKind::Conflict, path, "Hours by symbol are switched on and no symbol has any.")
                .because("Nothing would change.")
                .fix("Add the symbols below per_instrument_sessions.sessions, or switch this off.")
                .example("sessions: {ES: [{start: \"17:00\", end: \"16:00\"}]}")
                .add(self.faults);
        }
        if self.sheet.rules.session_block_outside.enabled && !settings.lockout {
            self.doubt(
                &format!("{SESSION}.lockout_outside_session"),
                "Trading outside the hours is only told.",
            )
            .because("Nothing keeps the trader out.")
            .fix("Set it to true, unless this is meant.")
            .add(self.faults);
        }
    }

    fn holidays(&mut self) {
        for (key, global) in
            [("holidays.dates", "holidays.dates"), ("holidays.early_close", "holidays.early_close")]
        {
            let path = format!("{SESSION}.{key}");
            let Some(own) = self.risk.given.get(&path) else { continue };
            if is_of_account(&own.origin) {
                self.error(FaultKind::Conflict, &path, "Holidays of one account are not possible.")
                    .because("The exchange is closed for everyone.")
                    .fix("Move the list to holidays in timers.yaml.")
                    .add(self.faults);
            } else if self.timers.given.get(global).is_some_and(|given| given.value != own.value) {
                self.error(FaultKind::Conflict, &path, "This list differs from that of timers.yaml.")
                    .because("There is one holiday list, and it would be a guess which of the two counts.")
                    .fix("Remove it here; the list lives in timers.yaml.")
                    .add(self.faults);
            }
        }
        let respected = self.sheet.rules.session_block_outside.settings.respect_holidays;
        if self.is_sound(RuleKey::SessionBlockOutside) && respected && self.sheet.holidays.dates.is_empty() {
            let path = "holidays.dates";
            Fault::error(
                FaultKind::Conflict,
                &self.timers.place(path, File::Timers),
                path,
                "Holidays are to be respected and the list is empty.",
            )
            .because("Sessions would be open on every holiday.")
            .fix("Fill the list, remove the key (then the shipped list applies), or set respect_holidays to false in risk.yaml.")
            .example("dates: [\"2026-12-25\"]")
            .add(self.faults);
        }
    }

    fn overlaps(&mut self, path: &str, windows: &[SessionWindow]) {
        for (index, one) in windows.iter().enumerate() {
            for other in &windows[index + 1..] {
                if overlap(one, other) {
                    self.error(
                        FaultKind::Conflict,
                        path,
                        format!("The sessions {} and {} overlap.", shown(one), shown(other)),
                    )
                    .because("A session that begins inside another has no beginning of its own.")
                    .fix("Join them, or move one of them.")
                    .add(self.faults);
                }
            }
        }
    }
}

fn shown(window: &SessionWindow) -> String {
    format!("{}-{}", window.start.format("%H:%M"), window.end.format("%H:%M"))
}

/// Minutes from start to end; an end at or before the start lies on the next day.
pub(crate) fn length(window: &SessionWindow) -> i64 {
    let minutes = minute(window.end) - minute(window.start);
    if minutes > 0 { minutes } else { minutes + DAY }
}

fn starts(window: &SessionWindow) -> impl Iterator<Item = i64> + '_ {
    window.days.iter().map(|day| i64::from(*day) * DAY + minute(window.start))
}

fn overlap(one: &SessionWindow, other: &SessionWindow) -> bool {
    starts(one).any(|a| {
        starts(other).any(|b| {
            let ahead = (b - a).rem_euclid(WEEK);
            let behind = (a - b).rem_euclid(WEEK);
            ahead < length(one) || behind < length(other)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: &str, days: impl IntoIterator<Item = u8>) -> SessionWindow {
        SessionWindow {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
            days: days.into_iter().collect(),
        }
    }

    #[test]
    fn windows_overlap_across_midnight_and_the_end_of_the_week() {
        let check = |one: &SessionWindow, other: &SessionWindow| {
            assert_eq!(overlap(one, other), overlap(other, one));
            overlap(one, other)
        };
        let morning = window("08:30", "11:00", 0..5);
        assert!(!check(&morning, &window("11:00", "15:00", 0..5)), "half-open windows may touch");
        assert!(check(&morning, &window("10:59", "15:00", [4])));
        assert!(!check(&morning, &window("09:00", "10:00", [5, 6])));
        let night = window("17:00", "16:00", [6]);
        assert!(check(&night, &morning), "Sunday's night reaches into Monday");
        assert!(!check(&night, &window("16:00", "17:00", [0])));
        assert!(check(&window("22:00", "02:00", [6]), &window("01:00", "03:00", [0])));
    }
}

//! What people are told of the guard password: every use and every change of it, and wrong ones.

use domain::{Instant, Severity};

use super::{Note, Purpose, Zones, time};

/// Something happened to the guard password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardNews {
    /// One was set where there was none.
    Set {
        /// From when lockouts can be overridden with it.
        overrides_from: Instant,
    },
    /// It was replaced by somebody who knew it.
    Changed,
    /// It was removed by somebody who knew it.
    Removed,
    /// Somebody who did not know it asked for its removal.
    Forgotten {
        /// When it goes.
        at: Instant,
    },
    /// That was taken back.
    Kept,
    /// The time of a removal that was asked for is over.
    Gone,
    /// Looser changes were approved.
    Approved {
        /// When they apply.
        at: Instant,
    },
    /// Several wrong ones in a row.
    Wrong {
        /// How many.
        tries: u32,
        /// Before that none is looked at.
        next_try_at: Instant,
    },
}

/// The message.
#[must_use]
pub fn note(news: GuardNews, now: Instant, zones: Zones) -> Note {
    let ahead = |at| time::ahead(at, now, zones);
    let (severity, title, body) = match news {
        GuardNews::Set { overrides_from } => (
            Severity::Info,
            "Guard password set",
            format!(
                "Looser changes and quitting ask for it from now on. Lockouts can be overridden with it from {}.",
                ahead(overrides_from)
            ),
        ),
        GuardNews::Changed => {
            (Severity::Info, "Guard password changed", "The old one counts no longer.".to_string())
        }
        GuardNews::Removed => (Severity::Warning, "Guard password removed", NO_LONGER.to_string()),
        GuardNews::Gone => (
            Severity::Warning,
            "Guard password removed",
            format!("Its removal was asked for seven days ago. {NO_LONGER}"),
        ),
        GuardNews::Forgotten { at } => (
            Severity::Warning,
            "Guard password will be removed",
            format!(
                "Somebody asked for it without knowing it. It is removed {} unless it is kept.",
                ahead(at)
            ),
        ),
        GuardNews::Kept => {
            (Severity::Info, "Guard password stays", "Its removal was taken back.".to_string())
        }
        GuardNews::Approved { at } => (
            Severity::Info,
            "Looser changes approved",
            format!("With the guard password. They apply {}.", ahead(at)),
        ),
        GuardNews::Wrong { tries, next_try_at } => (
            Severity::Warning,
            "Wrong guard password",
            format!("{tries} in a row. None is looked at before {}.", ahead(next_try_at)),
        ),
    };
    Note { title: title.to_string(), body, severity, rule: None, purpose: Purpose::News }
}

const NO_LONGER: &str = "Looser changes wait until the next trading day only; no lockout can be overridden.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_without_the_password_says_when_and_how_to_stop_it() {
        let now: Instant = "2025-11-18T20:46:20Z".parse().unwrap();
        let at = "2025-11-25T23:00:00Z".parse().unwrap();
        let told = note(GuardNews::Forgotten { at }, now, Zones::CENTRAL);
        assert_eq!(told.severity, Severity::Warning);
        assert!(told.body.contains("Tue Nov 25") && told.body.contains("unless it is kept"), "{}", told.body);
    }
}

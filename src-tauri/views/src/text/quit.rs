//! The question before the program ends: what stops being protected.

use crate::view::{Protection, View};

/// A question with two answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuitQuestion {
    /// One line.
    pub title: String,
    /// What ends with the program.
    pub body: String,
    /// The answer that changes nothing.
    pub keep: &'static str,
    /// The answer that ends the program.
    pub quit: &'static str,
}

/// `own_engine`: the engine lives in this program and ends with it. A view that is not known is the
/// worst case.
#[must_use]
pub fn question(view: Option<&View>, own_engine: bool) -> QuitQuestion {
    let (title, body, quit) = match own_engine {
        true => ("Quit and stop protecting?", stops(view), "Quit, not protected"),
        false => (
            "Quit the tray icon?",
            "The engine keeps running as a service and goes on protecting. Icon and notifications end."
                .to_owned(),
            "Quit",
        ),
    };
    QuitQuestion { title: title.to_owned(), body, keep: "Keep running", quit }
}

/// Whether the guard password is asked for: it is set, and an account is locked or holds a position.
#[must_use]
pub fn asks_for_password(view: &View) -> bool {
    let is_at_stake = view.accounts.iter().any(|it| !it.lockouts.is_empty() || !it.positions.is_empty());
    view.guard.is_some() && is_at_stake
}

fn stops(view: Option<&View>) -> String {
    let Some(view) = view else {
        return "Nothing is watched or enforced until you start Risk Manager again.".to_owned();
    };
    let locked = view.accounts.iter().any(|account| !account.lockouts.is_empty());
    let open = view.accounts.iter().any(|account| !account.positions.is_empty());
    let acted = match view.protection {
        Protection::Observing => "watched",
        Protection::Armed | Protection::Locked | Protection::NotProtected => "watched or enforced",
    };
    let mut lines = vec![format!("Nothing is {acted} until you start Risk Manager again.")];
    if open {
        lines.push("You are in a position: its limits are no longer watched.".to_owned());
    }
    if locked {
        lines.push("A lock is active. It stays, and is enforced again at the next start.".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{guard::GuardView, sample};

    #[test]
    fn it_always_says_what_stops_being_protected() {
        let armed = question(Some(&sample::armed()), true);
        assert_eq!(armed.title, "Quit and stop protecting?");
        assert_eq!(
            armed.body,
            "Nothing is watched or enforced until you start Risk Manager again.\nYou are in a position: \
             its limits are no longer watched."
        );
        assert!(question(Some(&sample::locked()), true).body.contains("A lock is active. It stays"));
        assert!(question(Some(&sample::observing()), true).body.starts_with("Nothing is watched until"));
        assert!(question(None, true).body.starts_with("Nothing is watched or enforced"));
    }

    #[test]
    fn the_guard_password_is_asked_for_only_while_something_is_at_stake() {
        let at = "2025-11-18T20:46:20Z".parse().unwrap();
        let guard = Some(GuardView { overrides_from: at, removal_at: None, next_try_at: None });
        let guarded = |view: View| asks_for_password(&View { guard, ..view });
        assert!(guarded(sample::locked()), "locked");
        assert!(guarded(sample::armed()), "in a position");
        let mut flat = sample::armed();
        flat.accounts.iter_mut().for_each(|account| account.positions.clear());
        assert!(!guarded(flat));
        assert!(!asks_for_password(&sample::locked()), "none is set");
    }

    #[test]
    fn a_viewer_of_a_service_ends_nothing() {
        let viewer = question(Some(&sample::armed()), false);
        assert!(viewer.body.contains("goes on protecting"));
    }
}

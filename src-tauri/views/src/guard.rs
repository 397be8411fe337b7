//! The guard password: what can be done with it, and what is shown of it. Never the password, never its hash.

use std::fmt;

use domain::{Instant, LockKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Fewest characters of a new password: the floor of NIST SP 800-63B.
pub const SHORTEST_PASSWORD: usize = 8;
/// Most bytes of a password: nobody types more, and hashing must stay short.
pub const LONGEST_PASSWORD: usize = 256;
/// Most characters of the reason for an override.
pub const LONGEST_REASON: usize = 200;

/// A password on its way to the engine. Never printed; its memory is wiped when it is dropped. Copies that
/// parsing makes on the way are freed without being wiped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Password(String);

/// What can be done about the guard password, and with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum GuardAct {
    /// Set one where there is none. What it guards is guarded at once; lockouts can be overridden with it from
    /// the next trading day on.
    Set {
        /// The new one.
        password: Password,
    },
    /// Replace it.
    Change {
        /// The one that is set.
        password: Password,
        /// The new one.
        new: Password,
    },
    /// Remove it at once.
    Remove {
        /// The one that is set.
        password: Password,
    },
    /// Remove it without knowing it: it goes after seven days, and everybody can see that until then.
    Forget,
    /// Take back [`GuardAct::Forget`]. Needs no password, because it protects more.
    Keep,
    /// End a lockout before its time. Not the trader's own.
    Override {
        /// The one that is set.
        password: Password,
        /// Which lockout.
        key: LockKey,
        /// Why: goes into the audit.
        reason: String,
    },
    /// Let looser changes that wait apply with the next trading day.
    Approve {
        /// The one that is set.
        password: Password,
    },
    /// End the tray program while an account is locked or holds a position.
    Quit {
        /// The one that is set.
        password: Password,
    },
}

/// What is shown of a guard password that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GuardView {
    /// From when lockouts can be overridden with it.
    pub overrides_from: Instant,
    /// When it goes, because somebody asked for its removal without knowing it; null: it stays.
    pub removal_at: Option<Instant>,
    /// Before that no password is looked at, after wrong ones; null: at once.
    pub next_try_at: Option<Instant>,
}

impl Password {
    /// Its bytes, for the hash.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether it may be set.
    ///
    /// # Errors
    /// Why not, in the words of people.
    pub fn check(&self) -> Result<(), String> {
        if self.0.chars().count() < SHORTEST_PASSWORD {
            return Err(format!("A guard password has at least {SHORTEST_PASSWORD} characters."));
        }
        if self.0.len() > LONGEST_PASSWORD {
            return Err(format!("A guard password has at most {LONGEST_PASSWORD} bytes."));
        }
        Ok(())
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let act = GuardAct::Remove { password: "correct horse".to_string().into() };
        assert_eq!(format!("{act:?}"), "Remove { password: Password(..) }");
    }

    #[test]
    fn a_new_password_is_neither_short_nor_endless() {
        let check = |text: &str| Password::from(text.to_string()).check();
        assert!(check("7 chars").is_err());
        assert_eq!(check("пароль88"), Ok(()), "characters, not bytes");
        assert_eq!(check(&"x".repeat(LONGEST_PASSWORD)), Ok(()));
        assert!(check(&"x".repeat(LONGEST_PASSWORD + 1)).is_err());
    }
}

//! User name and API key of the broker: in the system's keyring, or given by the environment.
//!
//! Never in a file, a log or an error text. Keyrings can prompt and block, so each call has a thread of
//! its own and a limit.

use std::{fmt, sync::mpsc, thread, time::Duration};

use keyring::{Entry, Error};
use serde::{Deserialize, Serialize};
use views::text::Keyring;

const SERVICE: &str = "risk-manager";
/// One entry for both, so that name and key can't come from different logins.
const ENTRY: &str = "login";
/// Long enough to type a keyring's password.
const LIMIT: Duration = Duration::from_secs(60);

const USER_NAME: &str = "PROJECT_X_USERNAME";
const API_KEY: &str = "PROJECT_X_API_KEY";

/// A login.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// User name at the broker.
    pub user_name: String,
    /// Its API key.
    pub api_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// Where a login comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The system's keyring.
    Keyring,
    /// The environment; it goes before the keyring.
    Environment,
}

/// Why the keyring did not do what was wanted, with what to do instead.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no keyring service.
    #[error(
        "This system offers no keyring ({0}). Install or start one, or start Risk Manager with {USER_NAME} \
         and {API_KEY} set."
    )]
    None(String),
    /// It is locked.
    #[error(
        "The keyring is locked. Unlock it and try again, or start Risk Manager with {USER_NAME} and \
         {API_KEY} set."
    )]
    Locked,
    /// It did not answer.
    #[error("The keyring did not answer within {} s. Look for its password prompt.", LIMIT.as_secs())]
    Silent,
    /// Anything else.
    #[error("The keyring refused: {0}.")]
    Refused(String),
}

impl KeyringError {
    /// The same as a reason for not being protected.
    #[must_use]
    pub fn doubt(&self) -> Keyring {
        match self {
            Self::None(_) => Keyring::Missing,
            Self::Locked => Keyring::Locked,
            Self::Silent => Keyring::Silent,
            Self::Refused(why) => Keyring::Refused { why: why.clone() },
        }
    }
}

/// The login in force, and where it comes from; `None` when there is none yet.
///
/// # Errors
/// When the keyring can't be read. The environment is asked first and needs no keyring.
pub fn load() -> Result<Option<(Credentials, Source)>, KeyringError> {
    if let Some(given) = from_environment(|name| std::env::var(name).ok()) {
        return Ok(Some((given, Source::Environment)));
    }
    let read = limited(|| Entry::new(SERVICE, ENTRY)?.get_password());
    match read {
        Ok(secret) => match serde_json::from_str(&secret) {
            Ok(kept) => Ok(Some((kept, Source::Keyring))),
            Err(_) => Err(KeyringError::Refused("its entry cannot be read; save the login again".into())),
        },
        Err(Failure::Keyring(Error::NoEntry)) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// Keeps a login in the keyring.
///
/// # Errors
/// When the keyring does not take it.
pub fn save(login: &Credentials) -> Result<(), KeyringError> {
    let secret = serde_json::to_string(login).map_err(|error| KeyringError::Refused(error.to_string()))?;
    Ok(limited(move || Entry::new(SERVICE, ENTRY)?.set_password(&secret))?)
}

/// Takes the login out of the keyring; false if there was none.
///
/// # Errors
/// When the keyring does not let go of it.
pub fn clear() -> Result<bool, KeyringError> {
    match limited(|| Entry::new(SERVICE, ENTRY)?.delete_credential()) {
        Ok(()) => Ok(true),
        Err(Failure::Keyring(Error::NoEntry)) => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}

/// Both variables, or none: half a login is no login.
fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Credentials> {
    let filled = |name| variable(name).filter(|value| !value.trim().is_empty());
    Some(Credentials { user_name: filled(USER_NAME)?, api_key: filled(API_KEY)? })
}

enum Failure {
    Silent,
    Keyring(Error),
}

fn limited<T: Send + 'static>(
    call: impl FnOnce() -> keyring::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, answer) = mpsc::sync_channel(1);
    let started = thread::Builder::new().name("keyring".into()).spawn(move || {
        let _ = sender.send(call());
    });
    if let Err(error) = started {
        return Err(Failure::Keyring(Error::PlatformFailure(error.into())));
    }
    match answer.recv_timeout(LIMIT) {
        Ok(result) => result.map_err(Failure::Keyring),
        Err(_) => Err(Failure::Silent),
    }
}

impl From<Failure> for KeyringError {
    fn from(failure: Failure) -> Self {
        let error = match failure {
            Failure::Silent => return Self::Silent,
            Failure::Keyring(error) => error,
        };
        if matches!(error, Error::NoDefaultStore) {
            let cause = Entry::store_status().as_ref().err().map(ToString::to_string);
            return Self::None(cause.unwrap_or_else(|| error.to_string()));
        }
        if matches!(error, Error::NoStorageAccess(_)) {
            Self::Locked
        } else {
            Self::Refused(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_login_in_the_environment_is_none() {
        let given = |name: &str| (name == USER_NAME).then(|| "j.marlow".to_owned());
        assert_eq!(from_environment(given), None);
        let both = |_: &str| Some("x".to_owned());
        assert!(from_environment(both).is_some());
        let blank = |name: &str| Some(if name == API_KEY { " " } else { "j.marlow" }.to_owned());
        assert_eq!(from_environment(blank), None);
    }

    #[test]
    fn the_key_is_never_printed() {
        let login = Credentials { user_name: "j.marlow".into(), api_key: "very-secret".into() };
        assert_eq!(format!("{login:?}"), r#"Credentials { user_name: "j.marlow", .. }"#);
    }
}

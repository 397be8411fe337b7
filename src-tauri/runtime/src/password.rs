//! The guard password's hash: Argon2id, made and compared beside the loop, because it takes its time and
//! 19 MiB on purpose. Keeps nothing, knows no rule.

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use views::guard::Password;

/// Memory in KiB: 19 MiB, the first of the equivalent settings that OWASP's Password Storage Cheat Sheet
/// recommends for Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it, of the same source.
const PASSES: u32 = 2;
/// Lanes, of the same source.
const LANES: u32 = 1;
/// Memory of a kept hash that is still looked at: a damaged or forged one must not take all there is.
const MOST_MEMORY_KIB: u32 = 256 * 1024;

/// A salted hash in the PHC string format, which names its own parameters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(String);

/// A password could not be hashed or compared.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PasswordError {
    /// The kept hash is none.
    #[error("the kept hash of the guard password cannot be used: {0}")]
    Kept(String),
    /// The system refused random numbers or memory.
    #[error("the guard password cannot be hashed: {0}")]
    Refused(String),
}

impl Hash {
    /// The hash of a password, with a salt of its own.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn of(password: &Password) -> Result<Self, PasswordError> {
        let refused = |error: &dyn fmt::Display| PasswordError::Refused(error.to_string());
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| refused(&error))?;
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password(password.bytes())
            .map_err(|error| refused(&error))?;
        Ok(Self(hash.to_string()))
    }

    /// Whether it is the hash of this password.
    ///
    /// # Errors
    /// It is no hash.
    pub fn is_of(&self, password: &Password) -> Result<bool, PasswordError> {
        let kept = |error: &dyn fmt::Display| PasswordError::Kept(error.to_string());
        let hash = PasswordHash::new(&self.0).map_err(|error| kept(&error))?;
        let params = Params::try_from(&hash).map_err(|error| kept(&error))?;
        if params.m_cost() > MOST_MEMORY_KIB {
            return Err(kept(&"it asks for too much memory"));
        }
        match Argon2::default().verify_password(password.bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(kept(&error)),
        }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.to_string().into()
    }

    #[test]
    fn only_the_same_password_fits_and_no_two_hashes_are_alike() {
        let hash = Hash::of(&password("correct horse")).unwrap();
        assert_eq!(hash.is_of(&password("correct horse")), Ok(true));
        assert_eq!(hash.is_of(&password("correct horsE")), Ok(false));
        assert_eq!(hash.is_of(&password("")), Ok(false));
        assert_ne!(Hash::of(&password("correct horse")).unwrap(), hash, "salted");
    }

    #[test]
    fn it_is_argon2id_with_the_recommended_cost_and_shows_itself_to_nobody() {
        let hash = Hash::of(&password("correct horse")).unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert_eq!(format!("{hash:?}"), "Hash(..)");
    }

    /// Made by the reference implementation (its own test of version 0x13, t = 2, m = 2^16): parameters come from the hash.
    #[test]
    fn a_hash_of_other_parameters_is_compared_by_them() {
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(Hash(kept.to_string()).is_of(&password("password")), Ok(true));
        assert_eq!(Hash(kept.to_string()).is_of(&password("passwort")), Ok(false));
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        for kept in ["", "password", "$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q"] {
            let result = Hash(kept.to_string()).is_of(&password("password"));
            assert!(matches!(result, Err(PasswordError::Kept(_))), "{kept}: {result:?}");
        }
    }
}

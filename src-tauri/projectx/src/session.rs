//! Credentials, tokens and how long they live (gateway reference 1). Decides when to renew; sends
//! nothing, reads no clock, and shows no secret in a debug output.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Instant;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Life of a token that does not tell its end: what the platform documents.
pub const DOCUMENTED_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Part of its remaining life after which a token is renewed, in percent (specification C.12).
pub const RENEW_AT_PERCENT: u32 = 80;

/// A token with less life than this is replaced by a new login rather than renewed.
pub const LAST_CHANCE: Duration = Duration::from_secs(5 * 60);

/// Two renewals are at least so far apart.
pub const RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// User name and API key. Wiped from memory when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: Zeroizing<String>,
    key: Zeroizing<String>,
}

/// A session token. Cheap to clone, wiped from memory with its last copy, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<Zeroizing<String>>);

/// How to renew a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Ask for the session to be extended.
    Validate,
    /// Log in anew while the old token still works.
    LogIn,
}

impl Credentials {
    /// The platform's login name (not the e-mail address) and an API key.
    pub fn new(user: impl Into<String>, key: impl Into<String>) -> Self {
        Self { user: Zeroizing::new(user.into()), key: Zeroizing::new(key.into()) }
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl Token {
    /// As the platform gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// What is left of its life at an instant of the platform's clock: its `exp` claim is read, not
    /// verified. Never more than [`DOCUMENTED_LIFE`].
    #[must_use]
    pub fn life(&self, now: Instant) -> Duration {
        match expiry(&self.0) {
            Some(expiry) => {
                let seconds = expiry.saturating_sub(now.timestamp());
                Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(DOCUMENTED_LIFE)
            }
            None => DOCUMENTED_LIFE,
        }
    }
}

/// When to renew a token, counted from now, and how once that time has come.
#[must_use]
pub fn renewal(life_left: Duration) -> (Duration, Renewal) {
    let wait = (life_left * RENEW_AT_PERCENT / 100).max(RENEWAL_PAUSE);
    let left_then = life_left.saturating_sub(wait);
    (wait, if left_then < LAST_CHANCE { Renewal::LogIn } else { Renewal::Validate })
}

fn expiry(token: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: serde_json::Number,
    }
    let claims = token.split('.').nth(1)?.trim_end_matches('=');
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims.exp.as_i64().or_else(|| claims.exp.as_f64().map(|seconds| seconds as i64))
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> Token {
        Token::new(format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    fn at(seconds: i64) -> Instant {
        Instant::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_life_of_a_token_is_read_from_it() {
        let hour = Duration::from_secs(3_600);
        let reference = Token::new("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3ODczNTY4MDB9.c2ln");
        assert_eq!(reference.life(at(1_787_356_800 - 3_600)), hour);
        assert_eq!(token(r#"{"exp":7200.5,"sub":"x"}"#).life(at(3_600)), hour);
        assert_eq!(token(r#"{"exp":10}"#).life(at(3_600)), Duration::ZERO);
        assert_eq!(token(r#"{"exp":9000000000}"#).life(at(0)), DOCUMENTED_LIFE);
        for odd in ["", "no-jwt", "a.b.c", "a.!!!.c"] {
            assert_eq!(Token::new(odd).life(at(0)), DOCUMENTED_LIFE, "{odd}");
        }
        assert_eq!(token(r#"{"sub":"x"}"#).life(at(0)), DOCUMENTED_LIFE);
    }

    #[test]
    fn a_token_is_renewed_at_four_fifths_and_at_last_replaced() {
        assert_eq!(renewal(DOCUMENTED_LIFE), (Duration::from_secs(69_120), Renewal::Validate));
        assert_eq!(renewal(Duration::from_secs(1_000)), (Duration::from_secs(800), Renewal::LogIn));
        assert_eq!(renewal(Duration::ZERO), (RENEWAL_PAUSE, Renewal::LogIn));
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?} {:?}", Credentials::new("jdoe42", "key-1"), Token::new("tok-1"));
        assert_eq!(shown, "Credentials(***) Token(***)");
    }
}

//! Sessions: one per token. Tokens look like JWTs, live 24 hours and are never verified by anybody; a
//! new login throws nobody out (gateway reference 1.5, ruling 33).

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::Instant;
use rand::{Rng, RngExt, rngs::StdRng};
use serde_json::json;

use super::limits::Window;

/// Life of a token, in hours.
pub const TOKEN_LIFE_HOURS: i64 = 24;

/// Sessions that are remembered; the oldest is forgotten beyond it.
const SESSIONS_LIMIT: usize = 10_000;

/// A session's number.
pub(super) type SessionNumber = u64;

/// What a token stands for.
#[derive(Debug)]
pub(super) struct Session {
    /// Stable short name, such as `s1`.
    pub name: Arc<str>,
    /// Calls of this token.
    pub window: Window,
    token: String,
    ends: Instant,
}

/// The user and the sessions.
#[derive(Debug)]
pub(super) struct Auth {
    pub username: String,
    pub api_key: String,
    /// Calls without a token: the logins.
    pub logins: Window,
    sessions: BTreeMap<SessionNumber, Session>,
    by_token: BTreeMap<String, SessionNumber>,
    begun: SessionNumber,
}

impl Auth {
    pub(super) fn new(rng: &mut StdRng) -> Self {
        Self {
            username: format!("sim-{:05}", rng.random_range(0..100_000_u32)),
            api_key: base64::engine::general_purpose::STANDARD.encode(bytes::<32>(rng)),
            logins: Window::default(),
            sessions: BTreeMap::new(),
            by_token: BTreeMap::new(),
            begun: 0,
        }
    }

    pub(super) fn knows(&self, username: &str) -> bool {
        self.username.eq_ignore_ascii_case(username)
    }

    /// Begins a session and returns its number and token.
    pub(super) fn begin(&mut self, now: Instant, rng: &mut StdRng) -> (SessionNumber, String) {
        if self.sessions.len() == SESSIONS_LIMIT
            && let Some((_, oldest)) = self.sessions.pop_first()
        {
            self.by_token.remove(&oldest.token);
        }
        self.begun += 1;
        let ends = now + TimeDelta::hours(TOKEN_LIFE_HOURS);
        let token = self.token(ends, rng);
        let name = format!("s{}", self.begun).into();
        let session = Session { name, window: Window::default(), token: token.clone(), ends };
        self.sessions.insert(self.begun, session);
        self.by_token.insert(token.clone(), self.begun);
        (self.begun, token)
    }

    /// How many sessions have begun; the number of the latest.
    pub(super) fn begun(&self) -> SessionNumber {
        self.begun
    }

    /// The session of a token that is still good.
    pub(super) fn valid(&self, now: Instant, token: Option<&str>) -> Option<SessionNumber> {
        let number = self.known(token)?;
        self.sessions.get(&number).filter(|session| now < session.ends).map(|_| number)
    }

    /// The session of a token, good or not.
    pub(super) fn known(&self, token: Option<&str>) -> Option<SessionNumber> {
        self.by_token.get(token?).copied()
    }

    pub(super) fn session(&mut self, number: SessionNumber) -> Option<&mut Session> {
        self.sessions.get_mut(&number)
    }

    pub(super) fn name(&self, number: SessionNumber) -> Option<Arc<str>> {
        self.sessions.get(&number).map(|session| session.name.clone())
    }

    pub(super) fn end(&mut self, now: Instant, number: SessionNumber) {
        if let Some(session) = self.sessions.get_mut(&number) {
            session.ends = now;
        }
    }

    pub(super) fn end_all(&mut self, now: Instant) {
        for session in self.sessions.values_mut() {
            session.ends = session.ends.min(now);
        }
    }

    fn token(&self, ends: Instant, rng: &mut StdRng) -> String {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let claims = json!({"sub": self.username, "jti": self.begun, "exp": ends.timestamp()});
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        let signature = URL_SAFE_NO_PAD.encode(bytes::<32>(rng));
        format!("{}.{}.{signature}", part(header.to_string()), part(claims.to_string()))
    }
}

fn bytes<const N: usize>(rng: &mut StdRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A random identifier in the form of SignalR's: 16 bytes, base64url.
pub(super) fn identifier(rng: &mut StdRng) -> String {
    URL_SAFE_NO_PAD.encode(bytes::<16>(rng))
}

/// A trace id in the form of ASP.NET's.
pub(super) fn trace_id(rng: &mut StdRng) -> String {
    format!("00-{:032x}-{:016x}-00", rng.random::<u128>(), rng.random::<u64>())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_token_is_a_jwt_that_ends_after_a_day() {
        let mut rng = StdRng::seed_from_u64(7);
        let now: Instant = "2026-06-10T14:00:00Z".parse().unwrap();
        let mut auth = Auth::new(&mut rng);
        let (session, token) = auth.begin(now, &mut rng);
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        let claims: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        assert_eq!(claims["exp"], (now + TimeDelta::hours(24)).timestamp());
        assert_eq!(
            auth.valid(now + TimeDelta::hours(24) - TimeDelta::seconds(1), Some(&token)),
            Some(session)
        );
        assert_eq!(auth.valid(now + TimeDelta::hours(24), Some(&token)), None);
        assert_eq!(auth.known(Some(&token)), Some(session), "its name is still known");
        assert!(auth.api_key.len() >= 16);
        assert!(auth.knows(&auth.username.to_uppercase()));
    }

    #[test]
    fn a_second_login_leaves_the_first_one_alone() {
        let mut rng = StdRng::seed_from_u64(7);
        let now: Instant = "2026-06-10T14:00:00Z".parse().unwrap();
        let mut auth = Auth::new(&mut rng);
        let (first, one) = auth.begin(now, &mut rng);
        let (second, two) = auth.begin(now, &mut rng);
        assert_ne!(one, two);
        auth.end(now, second);
        assert_eq!(auth.valid(now, Some(&one)), Some(first));
        assert_eq!(auth.valid(now, Some(&two)), None);
        assert_eq!(auth.name(second).as_deref(), Some("s2"));
    }
}

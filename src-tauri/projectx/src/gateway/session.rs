//! The session that everyone shares: one token at a time, or the reason why there is none. Who finds it
//! over says so; one task ([`super::keeper`]) gets the next, however many noticed.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::broker::{CallError, LoginError};
use tokio::sync::watch;

use crate::session::Token;

/// Where the session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No session; the next is being got.
    LoggedOut(Reason),
    /// No session, and none will be tried for until someone asks.
    Refused(LoginError),
    /// A token that works, as far as is known.
    LoggedIn(Token),
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// There was none yet, or other credentials are to be used.
    Starting,
    /// The token was not accepted any more.
    Expired,
    /// The platform ended the session, as after a login elsewhere.
    ThrownOut,
    /// The last login could not be tried to the end.
    Failed(CallError),
}

/// The shared session.
#[derive(Debug)]
pub(super) struct Session {
    phase: watch::Sender<Phase>,
    /// A request with the present token was accepted: it is not the token's fault if a later one is not.
    is_proved: AtomicBool,
}

impl Session {
    pub fn new() -> Self {
        let (phase, _) = watch::channel(Phase::LoggedOut(Reason::Starting));
        Self { phase, is_proved: AtomicBool::new(false) }
    }

    pub fn phase(&self) -> Phase {
        self.phase.borrow().clone()
    }

    pub fn enter(&self, phase: Phase) {
        self.is_proved.store(false, Ordering::Relaxed);
        self.phase.send_replace(phase);
    }

    /// Waits for a token.
    ///
    /// # Errors
    /// [`CallError::Unauthorized`] when a login was refused: waiting does not help.
    pub async fn token(&self) -> Result<Token, CallError> {
        let mut phases = self.phase.subscribe();
        loop {
            match &*phases.borrow_and_update() {
                Phase::LoggedIn(token) => return Ok(token.clone()),
                Phase::Refused(error) => return Err(CallError::Unauthorized(error.to_string())),
                Phase::LoggedOut(_) => {}
            }
            // The sender is `self`: it does not go away.
            let _ = phases.changed().await;
        }
    }

    /// Waits for a token, whatever is said about logins meanwhile.
    pub async fn token_in_the_end(&self) -> Token {
        let mut phases = self.phase.subscribe();
        loop {
            if let Phase::LoggedIn(token) = &*phases.borrow_and_update() {
                return token.clone();
            }
            let _ = phases.changed().await;
        }
    }

    /// Waits until this token is not the present one.
    pub async fn end_of(&self, token: &Token) {
        let mut phases = self.phase.subscribe();
        let _ = phases.wait_for(|phase| !matches!(phase, Phase::LoggedIn(present) if present == token)).await;
    }

    /// This token is over. Nothing happens if another one has taken its place already.
    pub fn ended(&self, token: &Token, reason: Reason) {
        self.phase.send_if_modified(|phase| {
            let is_present = matches!(phase, Phase::LoggedIn(present) if present == token);
            if is_present {
                *phase = Phase::LoggedOut(reason);
            }
            is_present
        });
    }

    /// The present token was accepted.
    pub fn proved(&self) {
        self.is_proved.store(true, Ordering::Relaxed);
    }

    pub fn is_proved(&self) -> bool {
        self.is_proved.load(Ordering::Relaxed)
    }

    /// Why a call that waited for a token got none. It was not sent.
    pub fn absence(&self) -> CallError {
        match self.phase() {
            Phase::LoggedOut(Reason::Failed(error)) => {
                CallError::Unreachable(format!("not logged in: {error}"))
            }
            Phase::LoggedOut(Reason::Starting | Reason::Expired | Reason::ThrownOut) | Phase::LoggedIn(_) => {
                CallError::Unreachable("not logged in yet".into())
            }
            Phase::Refused(error) => CallError::Unauthorized(error.to_string()),
        }
    }
}

//! Keeps one session alive: logs in, renews before expiry, logs in again when it ended. The only place
//! that sends credentials, one attempt at a time, however many calls wait for it.
//!
//! Passing failures are tried again with growing pauses. A login refused by code is not, until someone
//! asks for it: the same key would only be refused again.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use domain::{
    Link,
    broker::{CallError, Class, LoginError, Signal, Stamped},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    clock::{Monotonic, jitter, now, system_time},
    http::{CONNECT_TIMEOUT, Post, Received},
    outlet::Outlet,
    session::{Phase, Reason, Session},
    told,
};
use crate::{
    backoff::Backoff,
    budget::{Budget, Cost},
    mask::masked,
    rest::{self, Request, Validated},
    session::{Credentials, Renewal, Token, renewal},
};

/// A login may have to open the first connection.
pub(super) const LOGIN_TIMEOUT: Duration = CONNECT_TIMEOUT;

/// A session that lasted so long was not thrown out by a rival that logs in as eagerly as we do.
const STABLE_AFTER: Duration = Duration::from_secs(60);

const ONE_REQUEST: Cost = Cost { requests: 1, bars: 0 };

pub(super) struct Keeper<P> {
    wire: Wire<P>,
    session: Arc<Session>,
    outlet: Arc<Outlet>,
    hints: Hints,
    failures: Backoff,
    evictions: Backoff,
    told: Option<String>,
    expires_at: Instant,
}

/// How requests about the session travel.
struct Wire<P> {
    http: Arc<P>,
    budget: Arc<Budget<Monotonic>>,
}

impl<P: Post> Wire<P> {
    async fn send(&self, request: &Request, token: Option<&Token>) -> Result<Received, CallError> {
        while let Err(wait) = self.budget.take(Class::Enforcement, ONE_REQUEST) {
            sleep(wait).await;
        }
        let begun = Instant::now();
        let received = timeout(LOGIN_TIMEOUT, self.http.post(request, token)).await.unwrap_or_else(|_| {
            self.http.start_over();
            Err(CallError::TimedOut(LOGIN_TIMEOUT))
        });
        told::request(request, &received, begun.elapsed());
        received
    }
}

/// A token that was just given.
struct Fresh {
    token: Token,
    life: Duration,
}

impl Fresh {
    /// Judged by the server's clock: this host's may be wrong.
    fn new(token: Token, server_time: Option<domain::Instant>) -> Self {
        let life = token.life(server_time.unwrap_or_else(system_time));
        Self { token, life }
    }
}

/// What people can do about logins.
pub(super) struct Hints {
    pub credentials: watch::Receiver<Credentials>,
    pub nudges: watch::Receiver<u64>,
}

impl Hints {
    /// Waits for other credentials or a request to try now. Pends for ever when nobody can ask any more.
    async fn any(&mut self) {
        let asked = tokio::select! {
            changed = self.credentials.changed() => changed,
            changed = self.nudges.changed() => changed,
        };
        if asked.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl<P: Post> Keeper<P> {
    pub fn new(
        http: Arc<P>,
        session: Arc<Session>,
        budget: Arc<Budget<Monotonic>>,
        outlet: Arc<Outlet>,
        hints: Hints,
    ) -> Self {
        Self {
            wire: Wire { http, budget },
            session,
            outlet,
            hints,
            failures: Backoff::default(),
            evictions: Backoff::default(),
            told: None,
            expires_at: Instant::now(),
        }
    }

    /// Never ends by itself.
    pub async fn run(mut self) {
        loop {
            match self.session.phase() {
                Phase::LoggedOut(reason) => self.log_in(&reason).await,
                Phase::Refused(_) => {
                    self.hints.any().await;
                    self.session.enter(Phase::LoggedOut(Reason::Starting));
                }
                Phase::LoggedIn(token) => self.guard(&token).await,
            }
        }
    }

    async fn log_in(&mut self, reason: &Reason) {
        let pause = self.pause(reason);
        tokio::select! {
            () = sleep(pause) => {}
            () = self.hints.any() => {}
        }
        match self.attempt().await {
            Ok(fresh) => self.enter(fresh).await,
            Err(LoginError::Passing(error)) => {
                self.tell_failure(error.to_string()).await;
                self.session.enter(Phase::LoggedOut(Reason::Failed(error)));
            }
            Err(refused) => {
                self.session.enter(Phase::Refused(refused.clone()));
                self.tell_failure(refused.to_string()).await;
                self.tell(Signal::LoginRefused(refused)).await;
            }
        }
    }

    fn pause(&mut self, reason: &Reason) -> Duration {
        match reason {
            Reason::Starting => self.failures.reset(),
            Reason::Expired if self.session.is_proved() => self.failures.reset(),
            Reason::Expired | Reason::Failed(_) => {}
            // Two programs of one user can throw each other out in a loop (gateway reference 9.11).
            Reason::ThrownOut => {
                self.evictions.not_at_once();
                return self.evictions.next(jitter());
            }
        }
        self.failures.next(jitter())
    }

    /// Holds a session until it is over or replaced.
    async fn guard(&mut self, token: &Token) {
        let since = Instant::now();
        let mut is_refused = false;
        loop {
            let life_left = self.expires_at.saturating_duration_since(Instant::now());
            let (wait, how) = renewal(life_left);
            tokio::select! {
                () = self.session.end_of(token) => break,
                () = sleep(wait), if !is_refused => is_refused = self.renew(token, how).await,
                Ok(()) = self.hints.credentials.changed() => self.session.ended(token, Reason::Starting),
            }
        }
        if since.elapsed() >= STABLE_AFTER {
            self.evictions.reset();
        }
    }

    /// Whether a new login was refused by code. The old token goes on as long as it is accepted.
    async fn renew(&mut self, token: &Token, how: Renewal) -> bool {
        let renewed = match how {
            Renewal::Validate => self.validate(token).await.map_err(LoginError::Passing),
            Renewal::LogIn => self.attempt().await.map(Some),
        };
        match renewed {
            Ok(Some(fresh)) => self.enter(fresh).await,
            Ok(None) => {}
            Err(LoginError::Passing(error)) => tracing::warn!(%error, "the session is not renewed yet"),
            Err(refused) => {
                self.tell(Signal::LoginRefused(refused)).await;
                return true;
            }
        }
        false
    }

    /// `None` when there is no other token: the old one goes on, or the session is over.
    async fn validate(&self, token: &Token) -> Result<Option<Fresh>, CallError> {
        let received = self.wire.send(&rest::validate(), Some(token)).await?;
        match rest::validated(&received.response, token)? {
            Validated::Renewed(fresh) => Ok(Some(Fresh::new(fresh, received.server_time))),
            Validated::Kept => Ok(None),
            Validated::Ended(why) => {
                tracing::info!(why, "the session could not be extended");
                self.session.ended(token, Reason::Expired);
                Ok(None)
            }
        }
    }

    async fn attempt(&mut self) -> Result<Fresh, LoginError> {
        let received = loop {
            let request = rest::log_in(&self.hints.credentials.borrow_and_update());
            tokio::select! {
                received = self.wire.send(&request, None) => break received.map_err(LoginError::Passing)?,
                // Asked to try now: an attempt that hangs is given up for a new one.
                () = self.hints.any() => {}
            }
        };
        let token = rest::logged_in(&received.response)?;
        Ok(Fresh::new(token, received.server_time))
    }

    async fn enter(&mut self, fresh: Fresh) {
        self.expires_at = Instant::now() + fresh.life;
        self.told = None;
        tracing::info!(minutes = fresh.life.as_secs() / 60, "logged in");
        self.session.enter(Phase::LoggedIn(fresh.token));
        self.tell(Signal::Link(Link::LoggedIn)).await;
    }

    /// Says why there is no session, once per reason.
    async fn tell_failure(&mut self, why: String) {
        if self.told.as_ref() != Some(&why) {
            tracing::warn!(why = masked(&why), "login failed");
            self.told = Some(why.clone());
            self.tell(Signal::Link(Link::LoginFailed { why })).await;
        }
    }

    async fn tell(&self, signal: Signal) {
        self.outlet.tell(Stamped { received: now(), signal }).await;
    }
}

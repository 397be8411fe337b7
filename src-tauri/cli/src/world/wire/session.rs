//! Logging in, renewing, logging in again: when the real port's keeper does, in virtual time.

use std::time::{Duration, Instant as Monotonic};

use domain::{
    Link,
    broker::{CallError, Class, LoginError, Signal},
};
use projectx::{
    Credentials,
    backoff::Backoff,
    budget::Cost,
    rest::{self, Response, Validated},
    session::{LAST_CHANCE, Token, renewal},
};
use serde_json::Value;

use super::{Net, Port, Received, RequestKey, Timer};

/// As in the real port: a login may have to open the first connection.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
const STABLE_AFTER: Duration = Duration::from_secs(60);
const ONE_REQUEST: Cost = Cost { requests: 1, bars: 0 };

/// Where the session stands.
#[derive(Debug)]
enum Phase {
    Out(Reason),
    Refused(LoginError),
    In(Ticket),
}

/// Why there is no session.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    Starting,
    Expired,
    ThrownOut,
    Failed(CallError),
}

/// A token, and its text as the header carries it.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    token: Token,
    text: String,
}

/// The session of a port.
#[derive(Debug)]
pub(super) struct Session {
    login: Credentials,
    phase: Phase,
    /// Counts attempts and waits: what belongs to an earlier one is passed over.
    attempt: u64,
    failures: Backoff,
    evictions: Backoff,
    told: Option<String>,
    is_proved: bool,
    since: Monotonic,
    expires: Monotonic,
}

impl Session {
    pub fn new(login: Credentials, now: Monotonic) -> Self {
        Self {
            login,
            phase: Phase::Out(Reason::Starting),
            attempt: 0,
            failures: Backoff::default(),
            evictions: Backoff::default(),
            told: None,
            is_proved: false,
            since: now,
            expires: now,
        }
    }

    /// The text of the present token.
    pub fn token(&self) -> Option<&str> {
        match &self.phase {
            Phase::In(ticket) => Some(&ticket.text),
            Phase::Out(_) | Phase::Refused(_) => None,
        }
    }

    pub fn refusal(&self) -> Option<CallError> {
        match &self.phase {
            Phase::Refused(error) => Some(CallError::Unauthorized(error.to_string())),
            Phase::Out(_) | Phase::In(_) => None,
        }
    }

    /// Why a call that waited for a token got none. It was not sent.
    pub fn absence(&self) -> CallError {
        match &self.phase {
            Phase::Out(Reason::Failed(error)) => CallError::Unreachable(format!("not logged in: {error}")),
            Phase::Out(Reason::Starting | Reason::Expired | Reason::ThrownOut) | Phase::In(_) => {
                CallError::Unreachable("not logged in yet".to_string())
            }
            Phase::Refused(error) => CallError::Unauthorized(error.to_string()),
        }
    }

    pub fn proved(&mut self) {
        self.is_proved = true;
    }

    fn pause(&mut self, reason: &Reason, jitter: f64) -> Duration {
        match reason {
            Reason::Starting => self.failures.reset(),
            Reason::Expired if self.is_proved => self.failures.reset(),
            Reason::Expired | Reason::Failed(_) => {}
            Reason::ThrownOut => {
                self.evictions.not_at_once();
                return self.evictions.next(jitter);
            }
        }
        self.failures.next(jitter)
    }
}

impl Port {
    pub(super) fn begin_session(&mut self, net: &mut Net<'_>) {
        self.go_out(Reason::Starting, net);
    }

    /// A token is over, if it still is the present one.
    pub(super) fn session_ended(&mut self, token: &str, reason: Reason, net: &mut Net<'_>) {
        if self.session.token() != Some(token) {
            return;
        }
        let lasted = net.monotonic().saturating_duration_since(self.session.since);
        if lasted >= STABLE_AFTER {
            self.session.evictions.reset();
        }
        self.go_out(reason, net);
        self.end_lines_of_sessions(net);
    }

    fn go_out(&mut self, reason: Reason, net: &mut Net<'_>) {
        let pause = self.session.pause(&reason, net.weather.jitter());
        self.session.phase = Phase::Out(reason);
        self.session.attempt += 1;
        net.timer(net.monotonic() + pause, Timer::LogIn(self.session.attempt));
    }

    pub(super) fn nudge_session(&mut self, net: &mut Net<'_>) {
        match self.session.phase {
            Phase::Out(_) | Phase::Refused(_) => {
                if matches!(self.session.phase, Phase::Refused(_)) {
                    self.session.phase = Phase::Out(Reason::Starting);
                }
                self.session.attempt += 1;
                net.timer(net.monotonic(), Timer::LogIn(self.session.attempt));
            }
            Phase::In(_) => {}
        }
    }

    pub(super) fn log_in(&mut self, attempt: u64, net: &mut Net<'_>) {
        if attempt != self.session.attempt || !matches!(self.session.phase, Phase::Out(_)) {
            return;
        }
        self.send_login(attempt, net);
    }

    fn send_login(&mut self, attempt: u64, net: &mut Net<'_>) {
        if let Err(wait) = self.budget.take(Class::Enforcement, ONE_REQUEST) {
            net.timer(net.monotonic() + wait, Timer::LogIn(attempt));
            return;
        }
        net.send(RequestKey::Login(attempt), &rest::log_in(&self.session.login), None);
        net.timer(net.monotonic() + LOGIN_TIMEOUT, Timer::LoginLimit(attempt));
    }

    pub(super) fn login_late(&mut self, attempt: u64, net: &mut Net<'_>) {
        self.login_answered(attempt, Err(CallError::TimedOut(LOGIN_TIMEOUT)), net);
    }

    pub(super) fn login_answered(
        &mut self,
        attempt: u64,
        result: Result<Received, CallError>,
        net: &mut Net<'_>,
    ) {
        if attempt != self.session.attempt {
            return;
        }
        // Whatever belongs to this attempt is over.
        self.session.attempt += 1;
        let is_renewal = matches!(self.session.phase, Phase::In(_));
        let outcome = result.map_err(LoginError::Passing).and_then(|received| {
            let token = rest::logged_in(&received.response)?;
            let life = token.life(received.server_time.unwrap_or(net.now));
            let text = member(&received.response, "token");
            Ok((Ticket { token, text }, life))
        });
        match outcome {
            Ok((ticket, life)) => self.enter(ticket, life, net),
            Err(LoginError::Passing(_)) if is_renewal => self.plan_renewal(net),
            Err(refused) if is_renewal => self.tell(Signal::LoginRefused(refused), net),
            Err(LoginError::Passing(error)) => {
                self.tell_failure(error.to_string(), net);
                self.go_out(Reason::Failed(error), net);
            }
            Err(refused) => {
                self.session.phase = Phase::Refused(refused.clone());
                self.tell_failure(refused.to_string(), net);
                self.tell(Signal::LoginRefused(refused), net);
                self.fail_waiting_calls(net);
            }
        }
    }

    pub(super) fn renew(&mut self, attempt: u64, net: &mut Net<'_>) {
        if attempt != self.session.attempt {
            return;
        }
        let Some(token) = self.session.token().map(str::to_string) else { return };
        let left = self.session.expires.saturating_duration_since(net.monotonic());
        // At four fifths of its life the rest is still long, or it is time for a new login.
        if left < LAST_CHANCE {
            self.send_login(attempt, net);
        } else if self.budget.take(Class::Enforcement, ONE_REQUEST).is_ok() {
            net.send(RequestKey::Renewal(attempt), &rest::validate(), Some(&token));
            net.timer(net.monotonic() + LOGIN_TIMEOUT, Timer::LoginLimit(attempt));
        } else {
            self.plan_renewal(net);
        }
    }

    pub(super) fn renewal_answered(
        &mut self,
        attempt: u64,
        result: Result<Received, CallError>,
        net: &mut Net<'_>,
    ) {
        if attempt != self.session.attempt {
            return;
        }
        let Phase::In(ticket) = &self.session.phase else { return };
        let ticket = ticket.clone();
        let outcome = result.and_then(|received| {
            rest::validated(&received.response, &ticket.token).map(|validated| (validated, received))
        });
        match outcome {
            Ok((Validated::Renewed(token), received)) => {
                let life = token.life(received.server_time.unwrap_or(net.now));
                let text = member(&received.response, "newToken");
                self.enter(Ticket { token, text }, life, net);
            }
            Ok((Validated::Kept, _)) | Err(_) => self.plan_renewal(net),
            Ok((Validated::Ended(_), _)) => self.session_ended(&ticket.text, Reason::Expired, net),
        }
    }

    fn enter(&mut self, ticket: Ticket, life: Duration, net: &mut Net<'_>) {
        let now = net.monotonic();
        self.session.phase = Phase::In(ticket);
        self.session.is_proved = false;
        self.session.told = None;
        self.session.since = now;
        self.session.expires = now + life;
        self.tell(Signal::Link(Link::LoggedIn), net);
        self.plan_renewal(net);
        // A connection lives no longer than the session it was opened with.
        self.end_lines_of_sessions(net);
        self.start_lines(net);
        self.send_waiting_calls(net);
    }

    fn plan_renewal(&mut self, net: &mut Net<'_>) {
        let now = net.monotonic();
        let (wait, _) = renewal(self.session.expires.saturating_duration_since(now));
        self.session.attempt += 1;
        net.timer(now + wait, Timer::Renew(self.session.attempt));
    }

    /// Says why there is no session, once per reason.
    fn tell_failure(&mut self, why: String, net: &Net<'_>) {
        if self.session.told.as_ref() != Some(&why) {
            self.session.told = Some(why.clone());
            self.tell(Signal::Link(Link::LoginFailed { why }), net);
        }
    }
}

/// A token's text: the inner parts keep it to themselves.
fn member(response: &Response, name: &str) -> String {
    let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_string()
}

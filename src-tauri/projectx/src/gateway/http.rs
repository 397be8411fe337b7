//! HTTP to the gateway: one request, one response, over connections that are kept warm. Repeats nothing
//! and judges nothing.
//!
//! A request that the server provably did not take (an HTTP/2 refusal, a pooled connection that was
//! closed before a byte was written) is sent again by the HTTP library; that cannot act twice.

use std::{
    error::Error,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::{Instant, broker::CallError};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect,
};
use rustls::ClientConfig;
use tokio::sync::Notify;

use super::settings::SettingsError;
use crate::{
    mask::masked,
    rest::{Request, Response},
    session::Token,
    wire::rest::path,
};

/// How long making a connection may take (specification C.12). Calls have shorter limits of their own.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Idle connections are kept so long, and at most so many: a close must not pay for a handshake.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const IDLE_CONNECTIONS: usize = 8;

/// Signs of life on HTTP/2 connections, and how long their answer may take (specification C.12).
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest response that is read.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// A response, and what its headers say beside it.
#[derive(Debug)]
pub(super) struct Received {
    pub response: Response,
    /// The server's clock.
    pub server_time: Option<Instant>,
}

/// How requests reach the gateway. Tests bring a script instead of a network.
pub(super) trait Post: Send + Sync + 'static {
    /// Sends a request and reads the whole response. Has no limit of time: dropping it gives it up.
    fn post(
        &self,
        request: &Request,
        token: Option<&Token>,
    ) -> impl Future<Output = Result<Received, CallError>> + Send;

    /// Gives up all idle connections: after a sleep, a change of network or a time-out they may be dead
    /// without knowing, and the next call must not find that out. Calls under way go on.
    fn start_over(&self);
}

/// A pool of connections to one gateway.
#[derive(Debug)]
pub(super) struct Http {
    base: String,
    tls: ClientConfig,
    client: Mutex<Client>,
    is_cold: Notify,
}

impl Http {
    pub fn new(base: &Url, mut tls: ClientConfig) -> Result<Self, SettingsError> {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = client(tls.clone()).map_err(|error| SettingsError::Tls(error_text(&error)))?;
        let base = base.as_str().trim_end_matches('/').to_string();
        Ok(Self { base, tls, client: Mutex::new(client), is_cold: Notify::new() })
    }

    /// Keeps connections open by using them; what comes of it is of no interest.
    pub async fn warm(&self) {
        // An answer must be read to its end before its connection can be used again.
        let ping =
            async || self.client().get(format!("{}{}", self.base, path::PING)).send().await?.bytes().await;
        let (_, _) = tokio::join!(ping(), ping());
    }

    /// Waits until all connections have been given up.
    pub async fn cold(&self) {
        self.is_cold.notified().await;
    }

    fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, answered: reqwest::Result<reqwest::Response>) -> Result<Received, Trouble> {
        let mut answer = answered?;
        let headers = answer.headers();
        let server_time = date(headers, DATE);
        let wait = retry_after(headers, server_time);
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Trouble::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Received { response: Response { status, body, retry_after: wait }, server_time })
    }
}

impl Post for Http {
    async fn post(&self, request: &Request, token: Option<&Token>) -> Result<Received, CallError> {
        let mut post = self
            .client()
            .post(format!("{}{}", self.base, request.path))
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.clone());
        if let Some(token) = token {
            post = post.header(AUTHORIZATION, bearer(token)?);
        }
        let answered = post.send().await;
        match self.read(answered).await {
            Err(Trouble::Broken(error)) => {
                // Its neighbours in the pool are likely dead as well.
                self.start_over();
                Err(CallError::Protocol(format!("the connection ended before the answer: {error}")))
            }
            Err(Trouble::NoConnection(error)) => Err(CallError::Unreachable(error)),
            Err(Trouble::TooLong) => Err(CallError::Protocol("the answer is too long".into())),
            Ok(received) => Ok(received),
        }
    }

    fn start_over(&self) {
        match client(self.tls.clone()) {
            Ok(fresh) => {
                *self.client.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                self.is_cold.notify_one();
            }
            Err(error) => tracing::warn!(error = error_text(&error), "kept the old connections"),
        }
    }
}

enum Trouble {
    NoConnection(String),
    Broken(String),
    TooLong,
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() {
            Self::NoConnection(error_text(&error))
        } else {
            Self::Broken(error_text(&error))
        }
    }
}

fn client(tls: ClientConfig) -> reqwest::Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        // The hubs go directly, too; and no environment variable may lead the key elsewhere.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .http2_keep_alive_while_idle(true)
        .user_agent(concat!("risk-manager/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn bearer(token: &Token) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.text()))
        .map_err(|_| CallError::Unauthorized("the session token cannot be sent".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<Instant> {
    let text = headers.get(name)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|at| at.with_timezone(&Utc))
}

/// Seconds, or a date on the server's own clock.
fn retry_after(headers: &HeaderMap, server_time: Option<Instant>) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().map(Duration::from_secs);
    seconds.ok().or_else(|| (date(headers, RETRY_AFTER)? - server_time?).to_std().ok())
}

/// The error with its causes, without address and secrets.
fn error_text(error: &reqwest::Error) -> String {
    let causes: Vec<String> =
        std::iter::successors(error.source(), |cause| (*cause).source()).map(ToString::to_string).collect();
    masked(&if causes.is_empty() { error.to_string() } else { causes.join(": ") })
}

//! A gateway by script, for tests in virtual time: answers are prepared, requests are noted.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::broker::CallError;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::http::{Post, Received};
use crate::{
    rest::{Request, Response},
    session::Token,
};

/// Virtual time that no story takes; a wait for something that never comes ends here.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What comes of it, or a failed test.
pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it never came")
}

/// Where the script's server clock begins.
const EPOCH: i64 = 1_787_000_000;

#[derive(Debug)]
pub(super) struct Script {
    began: Instant,
    answers: Mutex<HashMap<&'static str, VecDeque<Step>>>,
    seen: Mutex<Vec<Seen>>,
    pub started_over: AtomicU32,
}

/// One prepared answer.
#[derive(Clone, Debug)]
pub(super) struct Step {
    after: Duration,
    result: Result<Response, CallError>,
}

/// One request that was made.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub at: Duration,
    pub path: &'static str,
    pub body: Value,
    pub token: Option<Token>,
}

impl Script {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            answers: Mutex::default(),
            seen: Mutex::default(),
            started_over: AtomicU32::new(0),
        }
    }

    /// The next answers at a path. The last one is given for ever.
    pub fn answer(&self, path: &'static str, steps: impl IntoIterator<Item = Step>) {
        self.answers.lock().unwrap().insert(path, steps.into_iter().collect());
    }

    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// A token of this name that ends so long after the script began.
    pub fn token(name: &str, ends_after: Duration) -> String {
        let claims = json!({"exp": EPOCH + i64::try_from(ends_after.as_secs()).unwrap(), "name": name});
        format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn next(&self, path: &'static str) -> Step {
        let mut answers = self.answers.lock().unwrap();
        let steps = answers.get_mut(path).unwrap_or_else(|| panic!("nobody expected {path}"));
        if steps.len() > 1 { steps.pop_front().unwrap() } else { steps[0].clone() }
    }
}

impl Post for Script {
    async fn post(&self, request: &Request, token: Option<&Token>) -> Result<Received, CallError> {
        self.seen.lock().unwrap().push(Seen {
            at: self.began.elapsed(),
            path: request.path,
            body: serde_json::from_str(&request.body).unwrap(),
            token: token.cloned(),
        });
        let step = self.next(request.path);
        sleep(step.after).await;
        let seconds = EPOCH + i64::try_from(self.began.elapsed().as_secs()).unwrap();
        let server_time = domain::Instant::from_timestamp(seconds, 0);
        step.result.map(|response| Received { response, server_time })
    }

    fn start_over(&self) {
        self.started_over.fetch_add(1, Ordering::Relaxed);
    }
}

impl Step {
    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

pub(super) fn status(status: u16) -> Step {
    let response = Response { status, body: String::new(), retry_after: None };
    Step { after: Duration::ZERO, result: Ok(response) }
}

/// A success with these members.
pub(super) fn success(mut members: Value) -> Step {
    members["success"] = true.into();
    members["errorCode"] = 0.into();
    let response = Response { status: 200, body: members.to_string(), retry_after: None };
    Step { after: Duration::ZERO, result: Ok(response) }
}

pub(super) fn refusal(code: i64) -> Step {
    let body = json!({"success": false, "errorCode": code}).to_string();
    Step { after: Duration::ZERO, result: Ok(Response { status: 200, body, retry_after: None }) }
}

pub(super) fn rate_limited(retry_after: Duration) -> Step {
    let response = Response { status: 429, body: String::new(), retry_after: Some(retry_after) };
    Step { after: Duration::ZERO, result: Ok(response) }
}

pub(super) fn failure(error: CallError) -> Step {
    Step { after: Duration::ZERO, result: Err(error) }
}

/// Longer than anyone waits.
pub(super) fn silence() -> Step {
    status(504).after(Duration::from_secs(3_600))
}

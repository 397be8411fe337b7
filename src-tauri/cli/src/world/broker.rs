//! The broker's end of the wire: requests are executed or not, answered or not; frames go their way.

use domain::{AccountId, broker::CallError};
use projectx::{
    hub::Which,
    wire::{code, rest::path},
};
use serde_json::Value;
use simulator::{HttpRequest, HttpResponse, Hub};

use crate::{
    happening::{Arrival, Change, Happening},
    wire::{DialFailure, Fate, Knock, Received, RequestKey},
    world::{Event, Owner, World},
};

/// Requests that only ask.
const HARMLESS: [&str; 10] = [
    path::LOGIN_KEY,
    path::VALIDATE,
    path::ACCOUNTS,
    path::CONTRACT_SEARCH,
    path::CONTRACT_BY_ID,
    path::BARS,
    path::ORDER_SEARCH,
    path::ORDER_SEARCH_OPEN,
    path::POSITION_SEARCH_OPEN,
    path::TRADE_SEARCH,
];

impl World<'_> {
    pub(crate) fn request(&mut self, life: u64, key: RequestKey, request: &HttpRequest, fate: Fate) {
        self.hash(&(&request.path, &request.body));
        let is_executed = match fate {
            Fate::Answered | Fate::LostAfter | Fate::Broken | Fate::Status { executed: true, .. } => true,
            Fate::LostBefore | Fate::Refused | Fate::Status { executed: false, .. } => false,
        };
        let response = is_executed.then(|| self.execute(request));
        let lost = || CallError::Protocol("the connection ended before the answer".to_string());
        let result = match (fate, response) {
            (Fate::LostBefore | Fate::LostAfter, _) => return,
            (Fate::Refused, _) => Err(CallError::Unreachable("connection refused".to_string())),
            (Fate::Broken, _) | (Fate::Answered, None) => Err(lost()),
            (Fate::Answered, Some(response)) => Ok(response),
            (Fate::Status { status, retry_after, .. }, _) => Ok(self.error_page(status, retry_after)),
        };
        let delay = result.as_ref().map_or_else(|_| chrono::TimeDelta::zero(), |response| response.delay);
        let result = result.map(Received::of);
        let at = self.weather.arrival(self.now) + delay;
        self.queue.plan(at, Event::Knock { life, knock: Knock::Response { key, result } });
    }

    fn execute(&mut self, request: &HttpRequest) -> HttpResponse {
        let response = self.gateway.handle(self.now, request);
        self.hash(&response.body);
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let accepted = response.status == 200 && body.get("success") == Some(&Value::Bool(true));
        self.touched(true);
        if let Some(arrival) = arrival(request, accepted) {
            let is_close = matches!(arrival.what, Change::Close { .. });
            self.happened.push(Happening::Arrived(arrival.clone()));
            if is_close {
                self.provoke(&arrival.account);
            }
        }
        response
    }

    fn error_page(&self, status: u16, retry_after: Option<u8>) -> HttpResponse {
        let mut page = HttpResponse::text(status, "text/html", "<html></html>");
        let date = self.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        page.headers.push(("date", date));
        page.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        page
    }

    pub(crate) fn dial(&mut self, life: u64, which: Which, dial: u64, token: &str) {
        if !self.weather.connects(self.now) {
            let at = self.now + self.weather.way();
            let knock = Knock::Dialled { which, dial, result: Err(DialFailure::Unreachable) };
            return self.queue.plan(at, Event::Knock { life, knock });
        }
        let hub = match which {
            Which::User => Hub::User,
            Which::Market => Hub::Market,
        };
        let opened = self.gateway.open(self.now, hub, Some(token), None);
        let at = self.weather.arrival(self.now);
        if let Ok(connection) = opened {
            self.connections.insert(connection, Owner { life, until: at });
        }
        let result = opened.map_err(DialFailure::Status);
        self.queue.plan(at, Event::Knock { life, knock: Knock::Dialled { which, dial, result } });
    }

    /// Frames that wait go on their way; none overtakes another.
    pub(crate) fn carry_frames(&mut self) {
        for connection in self.gateway.ready() {
            let frames = self.gateway.outgoing(connection);
            let Some(owner) = self.connections.get_mut(&connection) else { continue };
            for frame in frames {
                owner.until = self.weather.arrival(self.now).max(owner.until);
                let knock = Knock::Frame { connection, frame };
                self.queue.plan(owner.until, Event::Knock { life: owner.life, knock });
            }
        }
    }
}

/// What a request changes, if it is one that changes something.
fn arrival(request: &HttpRequest, accepted: bool) -> Option<Arrival> {
    if HARMLESS.contains(&request.path.as_str()) {
        return None;
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    let size = || number("size").and_then(|size| u32::try_from(size).ok());
    let contract = || body.get("contractId").and_then(Value::as_str).unwrap_or_default().into();
    let what = match request.path.as_str() {
        path::POSITION_CLOSE => Change::Close { contract: contract(), by: None },
        path::POSITION_PARTIAL_CLOSE => Change::Close { contract: contract(), by: size() },
        path::ORDER_CANCEL => Change::Cancel { order: number("orderId").unwrap_or_default() },
        path::ORDER_MODIFY => Change::Resize { order: number("orderId").unwrap_or_default(), size: size() },
        path::ORDER_PLACE => Change::Place {
            contract: contract(),
            size: size(),
            stop_or_target: [code::OrderType::Stop, code::OrderType::Limit]
                .iter()
                .any(|kind| number("type") == Some(kind.code())),
        },
        other => Change::Other { path: other.to_string() },
    };
    let account = number("accountId").map_or_else(|| AccountId::new(""), AccountId::from);
    Some(Arrival { account, what, accepted })
}

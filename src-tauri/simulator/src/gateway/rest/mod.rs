//! The REST border: paths, verbs, tokens, limits, envelopes (gateway reference 0 to 3). Business is
//! elsewhere.

mod body;
mod contracts;
mod control;
mod orders;
mod positions;
mod session;

use domain::Instant;
use projectx::wire::rest::{Envelope, path};
use serde::Serialize;

use super::{
    Gateway, HttpRequest, HttpResponse, Hub, Method,
    faults::Mishap,
    journal::{self, Entry, Kind},
    limits::Scope,
    stamp,
};

pub(super) use control::CONTROL;

/// Everything that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    LoginKey,
    LoginApp,
    Validate,
    Logout,
    Accounts,
    ContractSearch,
    ContractById,
    ContractAvailable,
    Bars,
    OrderPlace,
    OrderModify,
    OrderCancel,
    OrderSearch,
    OrderSearchOpen,
    OrderById,
    OrderQuery,
    PositionSearchOpen,
    PositionClose,
    PositionPartialClose,
    TradeSearch,
    Ping,
    Negotiate(Hub),
    Hub,
}

/// Who may ask, and what counts as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Anybody, as often as they like.
    Open,
    /// Anybody; counted with the logins.
    Login,
    /// A token that is good; counted for it.
    Token(Scope),
    /// A token that is good; hubs are not counted.
    Hub,
}

/// Path, verb, access, endpoint.
type Route = (&'static str, Method, Access, Endpoint);

const ROUTES: [Route; 25] = [
    (path::LOGIN_KEY, Method::Post, Access::Login, Endpoint::LoginKey),
    (path::LOGIN_APP, Method::Post, Access::Login, Endpoint::LoginApp),
    (path::VALIDATE, Method::Post, Access::Token(Scope::Other), Endpoint::Validate),
    (path::LOGOUT, Method::Post, Access::Token(Scope::Other), Endpoint::Logout),
    (path::ACCOUNTS, Method::Post, Access::Token(Scope::Other), Endpoint::Accounts),
    (path::CONTRACT_SEARCH, Method::Post, Access::Token(Scope::Other), Endpoint::ContractSearch),
    (path::CONTRACT_BY_ID, Method::Post, Access::Token(Scope::Other), Endpoint::ContractById),
    (path::CONTRACT_AVAILABLE, Method::Post, Access::Token(Scope::Other), Endpoint::ContractAvailable),
    (path::BARS, Method::Post, Access::Token(Scope::Bars), Endpoint::Bars),
    (path::ORDER_PLACE, Method::Post, Access::Token(Scope::Other), Endpoint::OrderPlace),
    (path::ORDER_MODIFY, Method::Post, Access::Token(Scope::Other), Endpoint::OrderModify),
    (path::ORDER_CANCEL, Method::Post, Access::Token(Scope::Other), Endpoint::OrderCancel),
    (path::ORDER_SEARCH, Method::Post, Access::Token(Scope::Other), Endpoint::OrderSearch),
    (path::ORDER_SEARCH_OPEN, Method::Post, Access::Token(Scope::Other), Endpoint::OrderSearchOpen),
    (path::ORDER_BY_ID, Method::Post, Access::Token(Scope::Other), Endpoint::OrderById),
    (path::ORDER_QUERY, Method::Post, Access::Token(Scope::Other), Endpoint::OrderQuery),
    (path::POSITION_SEARCH_OPEN, Method::Post, Access::Token(Scope::Other), Endpoint::PositionSearchOpen),
    (path::POSITION_CLOSE, Method::Post, Access::Token(Scope::Other), Endpoint::PositionClose),
    (path::POSITION_PARTIAL_CLOSE, Method::Post, Access::Token(Scope::Other), Endpoint::PositionPartialClose),
    (path::TRADE_SEARCH, Method::Post, Access::Token(Scope::Other), Endpoint::TradeSearch),
    (path::PING, Method::Get, Access::Open, Endpoint::Ping),
    ("/hubs/user/negotiate", Method::Post, Access::Hub, Endpoint::Negotiate(Hub::User)),
    ("/hubs/market/negotiate", Method::Post, Access::Hub, Endpoint::Negotiate(Hub::Market)),
    ("/hubs/user", Method::Get, Access::Open, Endpoint::Hub),
    ("/hubs/market", Method::Get, Access::Open, Endpoint::Hub),
];

/// An endpoint's answer, or the refusal that comes before it.
type Answer = Result<HttpResponse, HttpResponse>;

impl Gateway {
    /// Answers a request. Everything that it causes at once has happened when this returns; a `delay`
    /// only holds back the answer.
    pub fn handle(&mut self, now: Instant, request: &HttpRequest) -> HttpResponse {
        self.run_until(now);
        if request.path.starts_with(CONTROL) {
            let response = self.control(request);
            return self.dated(response);
        }
        let token = request.token();
        let known = self.auth.known(token.as_deref());
        let entry = Entry {
            kind: Kind::Request,
            session: known.and_then(|number| self.auth.name(number)),
            path: Some(request.path.as_str().into()),
            target: None,
            body: journal::body(&request.body),
        };
        let row = self.journal.write(self.now, entry);
        let begun = self.auth.begun();
        let response = self.answer(request, token.as_deref());
        let newcomer =
            (known.is_none() && self.auth.begun() > begun).then(|| self.auth.name(begun + 1)).flatten();
        self.journal.answered(row, response.status, newcomer);
        self.dated(response)
    }

    /// Every response says what time the gateway thinks it is.
    fn dated(&self, mut response: HttpResponse) -> HttpResponse {
        response.headers.push(("date", stamp::http_date(self.now + self.faults.clock_skew)));
        response
    }

    fn answer(&mut self, request: &HttpRequest, token: Option<&str>) -> HttpResponse {
        let Some((_, method, access, endpoint)) = route(&request.path) else {
            return HttpResponse::empty(404);
        };
        if *method != request.method {
            return wrong_method(*method);
        }
        let mishaps = self.faults.meet(&request.path);
        let mut instead = None;
        let mut refusal = None;
        let mut delay = chrono::TimeDelta::zero();
        for mishap in mishaps {
            match mishap {
                Mishap::Status { status, after: false } => return fault_page(status),
                Mishap::Status { status, after: true } => instead = Some(status),
                Mishap::Latency(late) => delay = late,
                Mishap::Api { code, message } => refusal = Some((code, message)),
            }
        }
        let admitted = self.admit_request(*access, token);
        let answer = admitted.and_then(|()| match refusal {
            Some((code, message)) => Ok(refuse(code, message)),
            None => self.dispatch(*endpoint, request, token),
        });
        let response = match instead {
            Some(status) => fault_page(status),
            None => answer.unwrap_or_else(|refused| refused),
        };
        HttpResponse { delay, ..response }
    }

    /// Token and rate limit.
    fn admit_request(&mut self, access: Access, token: Option<&str>) -> Result<(), HttpResponse> {
        let limited = self.is_rate_limited();
        let session = self.auth.valid(self.now, token);
        let (window, scope) = match (access, session.and_then(|number| self.auth.session(number))) {
            (Access::Open, _) | (Access::Hub, Some(_)) => return Ok(()),
            (Access::Token(_) | Access::Hub, None) => return Err(HttpResponse::empty(401)),
            (Access::Token(scope), Some(session)) => (&mut session.window, scope),
            (Access::Login, _) => (&mut self.auth.logins, Scope::Other),
        };
        if !limited {
            return Ok(());
        }
        window.take(self.now, scope).map_err(|seconds| self.too_many(seconds))
    }

    /// On unless the market is the manual one (ruling 35); the fault has the last word.
    fn is_rate_limited(&self) -> bool {
        self.faults.rate_limit.unwrap_or(!self.is_immediate())
    }

    fn too_many(&self, seconds: i64) -> HttpResponse {
        let mut response = HttpResponse::empty(429);
        if self.faults.retry_after {
            response.headers.push(("retry-after", seconds.to_string()));
        }
        response
    }

    fn dispatch(&mut self, endpoint: Endpoint, request: &HttpRequest, token: Option<&str>) -> Answer {
        match endpoint {
            Endpoint::LoginKey => self.login_key(request),
            Endpoint::LoginApp => self.login_app(request),
            Endpoint::Validate => Ok(self.validate(token)),
            Endpoint::Logout => Ok(self.logout(token)),
            Endpoint::Accounts => self.search_accounts(request),
            Endpoint::ContractSearch => self.search_contracts(request),
            Endpoint::ContractById => self.contract_by_id(request),
            Endpoint::ContractAvailable => self.available_contracts(request),
            Endpoint::Bars => self.retrieve_bars(request),
            Endpoint::OrderPlace => self.place_order(request),
            Endpoint::OrderModify => self.modify_order(request),
            Endpoint::OrderCancel => self.cancel_order(request),
            Endpoint::OrderSearch => self.search_orders(request),
            Endpoint::OrderSearchOpen => self.search_open_orders(request),
            Endpoint::OrderById => self.order_by_id(request),
            Endpoint::OrderQuery => self.query_orders(request),
            Endpoint::PositionSearchOpen => self.search_open_positions(request),
            Endpoint::PositionClose => self.close_contract(request),
            Endpoint::PositionPartialClose => self.partial_close_contract(request),
            Endpoint::TradeSearch => self.search_trades(request),
            Endpoint::Ping => Ok(HttpResponse::text(200, "text/plain; charset=utf-8", "pong")),
            Endpoint::Negotiate(hub) => Ok(self.negotiate(hub, request)),
            Endpoint::Hub => Ok(HttpResponse::text(400, "text/plain", "Connection ID required")),
        }
    }
}

/// Paths are found whatever their case, as the framework does.
fn route(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(path))
}

/// A success, with the endpoint's own members beside the envelope.
fn succeed<T: Serialize>(payload: T) -> HttpResponse {
    envelope(payload, true, 0, None)
}

/// A success without members of its own.
fn done() -> HttpResponse {
    succeed(serde_json::Map::new())
}

/// A refusal: HTTP 200, a code, perhaps a text.
fn refuse(code: i64, message: Option<String>) -> HttpResponse {
    envelope(serde_json::Map::new(), false, code, message)
}

/// A refusal that still carries the endpoint's own members, as null.
fn refuse_with<T: Serialize>(payload: T, code: i64, message: Option<String>) -> HttpResponse {
    envelope(payload, false, code, message)
}

fn envelope<T: Serialize>(payload: T, success: bool, code: i64, message: Option<String>) -> HttpResponse {
    #[derive(Serialize)]
    struct Reply<T> {
        #[serde(flatten)]
        payload: T,
        #[serde(flatten)]
        envelope: Envelope,
    }
    let envelope = Envelope { success, error_code: code, error_message: message };
    HttpResponse::json(200, &Reply { payload, envelope })
}

fn wrong_method(allowed: Method) -> HttpResponse {
    let name = if allowed == Method::Get { "GET" } else { "POST" };
    let mut response = HttpResponse::empty(405);
    response.headers.push(("allow", name.to_string()));
    response
}

/// What comes with an HTTP error: nothing with 4xx, a page with 5xx.
fn fault_page(status: u16) -> HttpResponse {
    if status < 500 {
        return HttpResponse::empty(status);
    }
    let page = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
    HttpResponse::text(status, "text/html", page)
}

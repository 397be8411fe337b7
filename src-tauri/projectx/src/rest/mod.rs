//! Calls to HTTP requests and responses to answers. Opens no socket, reads no clock, repeats nothing:
//! what a failure means for the order or position is said by the kind of [`CallError`].

mod login;
mod orders;
mod refusal;

use std::{fmt, time::Duration};

use chrono::{SecondsFormat, TimeDelta};
use domain::{
    AccountId, Instant, OrderId, Snapshot,
    broker::{Answer, Call, CallError, Refusal},
};
use serde::Serialize;
use serde_json::Value;

pub use login::{Validated, log_in, logged_in, validate, validated};

use crate::{
    budget::Cost,
    mask::masked,
    normalise::{self, list, protocol, read},
    symbols,
    wire::{
        code::BarUnit,
        model,
        rest::{self as body, Envelope, path},
    },
};
use refusal::Verb;

/// The simulated data feed: the right one for Practice and Combine accounts, and what the others see
/// too (gateway reference 3.2).
const LIVE_FEED: bool = false;

/// How far back the newest bar is looked for: longer than any holiday.
const BAR_LOOKBACK: TimeDelta = TimeDelta::days(7);

/// How far ahead: more than a host's clock may be slow without hiding the newest bars.
const BAR_LOOKAHEAD: TimeDelta = TimeDelta::hours(1);

/// One POST.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Under the base address.
    pub path: &'static str,
    /// JSON.
    pub body: String,
}

/// What a call needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// To be sent; none for calls that concern the hubs.
    pub requests: Vec<Request>,
    /// One after the other, each when the one before is answered; otherwise all at once.
    pub in_order: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Its content.
    pub body: String,
    /// The `Retry-After` header.
    pub retry_after: Option<Duration>,
}

impl Plan {
    /// Its price.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let count = |requests: usize| u32::try_from(requests).unwrap_or(u32::MAX);
        Cost {
            requests: count(self.requests.len()),
            bars: count(self.requests.iter().filter(|request| request.path == path::BARS).count()),
        }
    }

    fn at_once(requests: Vec<Request>) -> Self {
        Self { requests, in_order: false }
    }
}

/// The requests of a call. `now` bounds the search for the newest bar.
///
/// # Errors
/// [`CallError::Refused`] for ids that are no numbers: this broker cannot know them.
pub fn plan(call: &Call, now: Instant) -> Result<Plan, CallError> {
    let requests = match call {
        Call::Watch(_) | Call::WatchQuotes(_) => vec![],
        Call::Accounts => vec![accounts(true)],
        Call::Snapshot { account, fills_since } => {
            let account_id = account_number(account)?;
            vec![
                // A locked account may count as inactive and must be found all the same.
                accounts(false),
                of_account(path::POSITION_SEARCH_OPEN, account_id),
                of_account(path::ORDER_SEARCH_OPEN, account_id),
                since(path::TRADE_SEARCH, account_id, *fills_since),
            ]
        }
        Call::WorkingOrders(account) => {
            vec![of_account(path::ORDER_SEARCH_OPEN, account_number(account)?)]
        }
        Call::Verify { account, orders_since } => {
            let account_id = account_number(account)?;
            // Orders first, so that a fill between the two shows as a changed position.
            let orders = since(path::ORDER_SEARCH, account_id, *orders_since);
            let positions = of_account(path::POSITION_SEARCH_OPEN, account_id);
            return Ok(Plan { requests: vec![orders, positions], in_order: true });
        }
        Call::Instrument(contract) => {
            vec![request(path::CONTRACT_BY_ID, &body::ContractById { contract_id: contract.to_string() })]
        }
        Call::SearchInstruments(text) => {
            let search = body::SearchContracts { search_text: Some(text.clone()), live: LIVE_FEED };
            vec![request(path::CONTRACT_SEARCH, &search)]
        }
        Call::LatestBar(contract) => vec![latest_bar(contract.as_str(), now)],
        Call::Close { account, contract } => {
            let account_id = account_number(account)?;
            let close = body::CloseContract { account_id, contract_id: contract.to_string() };
            vec![request(path::POSITION_CLOSE, &close)]
        }
        Call::Reduce { account, contract, by } => {
            let close = body::PartialCloseContract {
                account_id: account_number(account)?,
                contract_id: contract.to_string(),
                size: by.0.into(),
            };
            vec![request(path::POSITION_PARTIAL_CLOSE, &close)]
        }
        Call::Cancel { account, order } => {
            let order =
                body::OrderRef { account_id: account_number(account)?, order_id: order_number(order)? };
            vec![request(path::ORDER_CANCEL, &order)]
        }
        Call::Place { account, ticket, tag } => vec![orders::place(account, ticket, tag)?],
        Call::Modify { account, order, ticket } => vec![orders::modify(account, order, ticket)?],
        Call::Resize { account, order, size } => vec![orders::resize(account, order, *size)?],
    };
    Ok(Plan::at_once(requests))
}

/// The answer of a call, from the responses to its plan's requests, in their order.
///
/// `Snapshot::asked_at` is left at the epoch: the receiver knows when it asked.
///
/// # Errors
/// What the broker refused, or could not do, or said in words that make no sense.
pub fn finish(call: &Call, responses: &[Response]) -> Result<Answer, CallError> {
    match (call, responses) {
        (Call::Watch(_) | Call::WatchQuotes(_), []) => Ok(Answer::Noted),
        (Call::Accounts, [accounts]) => {
            let body = decode(Verb::Search, accounts)?;
            list(&body, "accounts", |row| Ok(normalise::account(row))).map(Answer::Accounts)
        }
        (Call::Snapshot { account, .. }, [accounts, positions, orders, trades]) => {
            snapshot(account, [accounts, positions, orders, trades])
        }
        (Call::WorkingOrders(_), [orders]) => order_rows(orders).map(Answer::WorkingOrders),
        (Call::Verify { .. }, [orders, positions]) => {
            Ok(Answer::Verified { positions: self::positions(positions)?, orders: order_rows(orders)? })
        }
        (Call::Instrument(_), [contract]) => {
            let body = decode(Verb::Contract, contract)?;
            match body.get("contract") {
                Some(row @ Value::Object(_)) => read::<model::Contract>(row)
                    .and_then(|typed| symbols::instrument(&typed))
                    .map(Answer::Instrument)
                    .map_err(|fault| protocol("contract", &fault, row)),
                Some(_) | None => Err(refused(0, "no such contract", Refusal::Contract)),
            }
        }
        (Call::SearchInstruments(_), [contracts]) => search(contracts),
        (Call::LatestBar(_), [bars]) => {
            let body = decode(Verb::Bars, bars)?;
            let bars = list::<model::Bar, _>(&body, "bars", normalise::bar)?;
            // Newest first, though nothing but captures says so.
            let newest = bars.into_iter().max_by_key(|(at, _)| *at).ok_or(CallError::NotFound)?;
            Ok(Answer::Bar { at: newest.0, close: newest.1 })
        }
        (Call::Close { .. }, [response]) => decode(Verb::Close, response).map(|_| Answer::Accepted),
        (Call::Reduce { .. }, [response]) => decode(Verb::PartialClose, response).map(|_| Answer::Accepted),
        (Call::Cancel { .. }, [response]) => decode(Verb::Cancel, response).map(|_| Answer::Accepted),
        (Call::Place { .. }, [response]) => decode(Verb::Place, response).map(|_| Answer::Accepted),
        (Call::Modify { .. } | Call::Resize { .. }, [response]) => {
            decode(Verb::Modify, response).map(|_| Answer::Accepted)
        }
        (_, responses) => {
            Err(CallError::Protocol(format!("{} responses do not answer this call", responses.len())))
        }
    }
}

/// The number of an account.
///
/// # Errors
/// [`CallError::Refused`] for an id that is no number.
pub fn account_number(account: &AccountId) -> Result<i64, CallError> {
    account.as_str().parse().map_err(|_| refused(0, "account ids are numbers here", Refusal::Other))
}

fn order_number(order: &OrderId) -> Result<i64, CallError> {
    order.as_str().parse().map_err(|_| refused(0, "order ids are numbers here", Refusal::Other))
}

fn accounts(only_active_accounts: bool) -> Request {
    request(path::ACCOUNTS, &body::SearchAccounts { only_active_accounts })
}

fn of_account(path: &'static str, account_id: i64) -> Request {
    request(path, &body::OfAccount { account_id })
}

fn since(path: &'static str, account_id: i64, start: Instant) -> Request {
    let search = body::SearchSince { account_id, start_timestamp: stamp(start), end_timestamp: None };
    request(path, &search)
}

fn latest_bar(contract: &str, now: Instant) -> Request {
    let bars = body::RetrieveBars {
        contract_id: contract.to_string(),
        live: LIVE_FEED,
        start_time: stamp(now - BAR_LOOKBACK),
        end_time: stamp(now + BAR_LOOKAHEAD),
        unit: BarUnit::Minute.code(),
        unit_number: 1,
        limit: 1,
        include_partial_bar: true,
    };
    request(path::BARS, &bars)
}

fn request(path: &'static str, body: &impl Serialize) -> Request {
    Request { path, body: serde_json::to_string(body).unwrap_or_default() }
}

fn stamp(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn snapshot(
    asked: &AccountId,
    [accounts, positions, orders, trades]: [&Response; 4],
) -> Result<Answer, CallError> {
    let accounts = list(&decode(Verb::Search, accounts)?, "accounts", |row| Ok(normalise::account(row)))?;
    let account = accounts
        .into_iter()
        .find(|account| account.id == *asked)
        .ok_or_else(|| refused(0, "the login has no such account", Refusal::Other))?;
    let fills = list(&decode(Verb::Search, trades)?, "trades", normalise::fill)?;
    Ok(Answer::Snapshot(Box::new(Snapshot {
        account,
        positions: self::positions(positions)?,
        orders: order_rows(orders)?,
        fills,
        asked_at: Instant::UNIX_EPOCH,
    })))
}

fn positions(response: &Response) -> Result<Vec<domain::Position>, CallError> {
    let rows = list(&decode(Verb::Search, response)?, "positions", normalise::position)?;
    Ok(rows.into_iter().filter(|position| !position.exposure.is_flat()).collect())
}

fn order_rows(response: &Response) -> Result<Vec<domain::Order>, CallError> {
    list(&decode(Verb::Search, response)?, "orders", normalise::order)
}

/// A help for people choosing a contract: one odd row must not hide the others.
fn search(response: &Response) -> Result<Answer, CallError> {
    let rows = list(&decode(Verb::Search, response)?, "contracts", |row: &model::Contract| {
        Ok(symbols::instrument(row)
            .map_err(|fault| tracing::warn!(contract = row.id, %fault, "left out"))
            .ok())
    })?;
    Ok(Answer::Instruments(rows.into_iter().flatten().collect()))
}

/// The body of a successful response.
fn decode(verb: Verb, response: &Response) -> Result<Value, CallError> {
    check_status(response)?;
    let unreadable = |error: serde_json::Error| {
        CallError::Protocol(format!("{}: {}", masked(&error.to_string()), masked(&response.body)))
    };
    let body: Value = serde_json::from_str(&response.body).map_err(unreadable)?;
    // A list would be read as the members in their order.
    if !body.is_object() {
        return Err(CallError::Protocol(format!("no object: {}", masked(&response.body))));
    }
    let envelope: Envelope = read(&body).map_err(|fault| protocol("envelope", &fault, &body))?;
    match (envelope.success, envelope.error_code) {
        (true, 0) => Ok(body),
        (true, code) => Err(CallError::Protocol(format!("success with error code {code}"))),
        (false, code) => Err(refusal::meaning(verb, code, envelope.error_message.as_deref())),
    }
}

/// HTTP-level failures (gateway reference 2.4). An unknown path is no missing position.
fn check_status(response: &Response) -> Result<(), CallError> {
    match response.status {
        200..=299 => Ok(()),
        401 => Err(CallError::Unauthorized("the session is not valid".into())),
        429 => Err(CallError::RateLimited { retry_after: response.retry_after }),
        408 | 500..=599 => Err(CallError::Server(response.status)),
        400..=499 => {
            Err(refused(response.status.into(), &problem(&response.body, response.status), Refusal::Other))
        }
        status => Err(CallError::Protocol(format!("unexpected HTTP status {status}"))),
    }
}

/// The title and the named fields of an ASP.NET ProblemDetails, or the status.
fn problem(body: &str, status: u16) -> String {
    let details: Value = serde_json::from_str(body).unwrap_or_default();
    match (details.get("title").and_then(Value::as_str), details.get("errors")) {
        (Some(title), Some(errors)) => masked(&format!("{title} {errors}")),
        (Some(title), None) => masked(title),
        (None, _) => format!("HTTP status {status}"),
    }
}

fn refused(code: i64, text: &str, kind: Refusal) -> CallError {
    CallError::Refused { code, text: text.to_string(), kind }
}

impl fmt::Debug for Request {
    /// Without the body, which may be a login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "POST {}", self.path)
    }
}

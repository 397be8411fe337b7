//! The broker's messages to `domain` facts: the only place where raw field names and enum numbers are
//! read (L-06). Never panics, never guesses, never drops silently: what cannot be understood becomes
//! [`Malformed`], which the receiver logs, counts and answers with a reconcile.
//!
//! De-duplication: the platform repeats itself (gateway reference 9.1). An account, order, trade or quote
//! whose content is exactly what was told last is not told again. Positions are always told: a repeated
//! position is the only sign that a protective order was added (specification C.9).

mod fault;
mod rows;
mod seen;

use domain::{
    Event,
    broker::{CallError, Malformed},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use fault::{Fault, malformed, read};
pub use rows::{account, bar, fill, order, position, quote};
pub use seen::{SEEN_LIMIT, Seen};

use crate::wire::model;

/// What one hub invocation says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A fact.
    Fact(Event),
    /// A row that says again what was told last.
    Repeated,
    /// A row that makes no sense.
    Malformed(Malformed),
    /// `GatewayLogout`: the session was ended from elsewhere (gateway reference 8.9).
    SessionEnded,
}

/// Reads the invocations of one hub connection.
///
/// Begin anew with every connection and after every query of the broker's state: what a query told in
/// between is not known here, and an old content that returns must not be taken for a repetition.
#[derive(Clone, Debug, Default)]
pub struct Normaliser {
    seen: Seen,
}

impl Normaliser {
    /// The facts of one invocation, in order. `raw` is the record as it arrived.
    ///
    /// User events are taken with or without the `{action, data}` wrapper, singly or in arrays; nothing
    /// is decided by `action` (gateway reference 8.1). Targets that were not subscribed say nothing.
    pub fn hear(&mut self, target: &str, arguments: &[Value], raw: &str) -> Vec<Said> {
        match target {
            "GatewayUserAccount" => each(target, arguments, raw, |row: model::Account| {
                Ok((!self.seen.account(&row)).then(|| Event::Account(account(&row))))
            }),
            "GatewayUserOrder" => each(target, arguments, raw, |row: model::Order| {
                let order = order(&row)?;
                Ok((!self.seen.order(&row)).then_some(Event::Order(order)))
            }),
            "GatewayUserPosition" => each(target, arguments, raw, |row: model::Position| {
                Ok(Some(Event::Position(position(&row)?)))
            }),
            "GatewayUserTrade" => each(target, arguments, raw, |row: model::Trade| {
                let fill = fill(&row)?;
                Ok((!self.seen.trade(&row)).then_some(Event::Fill(fill)))
            }),
            "GatewayQuote" => self.quotes(target, arguments, raw),
            "GatewayLogout" => vec![Said::SessionEnded],
            other => {
                tracing::debug!(target = other, "an event nobody subscribed");
                Vec::new()
            }
        }
    }

    /// Takes everything for new from here on.
    pub fn forget(&mut self) {
        self.seen = Seen::default();
    }

    /// Argument 0 is the key, whatever the object says about symbols (gateway reference 8.6).
    fn quotes(&mut self, target: &str, arguments: &[Value], raw: &str) -> Vec<Said> {
        let Some((Value::String(contract), rest)) = arguments.split_first() else {
            let fault = Fault::value("arguments", arguments.len(), "the first must be a contract id");
            return vec![Said::Malformed(malformed(target, &fault, &Value::Null, raw))];
        };
        let mut said = each(target, rest, raw, |row: model::Quote| {
            let quote = quote(contract, &row)?;
            Ok((!self.seen.quote(contract, &row)).then_some(Event::Quote(quote)))
        });
        // A price that stands still is told again and again: that says nothing about the stream.
        said.retain(|said| *said != Said::Repeated);
        said
    }
}

/// Rows of a REST list.
///
/// # Errors
/// [`CallError::Protocol`] when the list is missing (unknown is not empty) or one of its rows is
/// malformed: half a list would be taken for the whole.
pub fn list<T: DeserializeOwned, F>(
    body: &Value,
    member: &str,
    mut convert: impl FnMut(&T) -> Result<F, Fault>,
) -> Result<Vec<F>, CallError> {
    let rows = body
        .get(member)
        .and_then(Value::as_array)
        .ok_or_else(|| CallError::Protocol(format!("no list `{member}`")))?;
    rows.iter()
        .map(|row| read(row).and_then(|typed| convert(&typed)).map_err(|fault| protocol(member, &fault, row)))
        .collect()
}

/// A row that makes no sense, as the error of the call that brought it.
#[must_use]
pub fn protocol(what: &str, fault: &Fault, row: &Value) -> CallError {
    let report = malformed(what, fault, row, &row.to_string());
    CallError::Protocol(format!("{} in `{}`: {}", report.why, report.what, report.raw))
}

fn each<T: DeserializeOwned>(
    target: &str,
    arguments: &[Value],
    raw: &str,
    mut convert: impl FnMut(T) -> Result<Option<Event>, Fault>,
) -> Vec<Said> {
    if arguments.is_empty() {
        let fault = Fault::value("arguments", 0, "an event without content");
        return vec![Said::Malformed(malformed(target, &fault, &Value::Null, raw))];
    }
    let mut rows = Vec::new();
    arguments.iter().for_each(|argument| unwrap_rows(argument, &mut rows));
    rows.into_iter()
        .map(|row| match read(row).and_then(&mut convert) {
            Ok(event) => event.map_or(Said::Repeated, Said::Fact),
            Err(fault) => Said::Malformed(malformed(target, &fault, row, raw)),
        })
        .collect()
}

/// Takes rows out of arrays and `{action, data}` wrappers. Depth is bounded by the JSON parser's own.
fn unwrap_rows<'v>(value: &'v Value, rows: &mut Vec<&'v Value>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| unwrap_rows(element, rows)),
        Value::Object(members) => match members.get("data") {
            Some(data @ (Value::Object(_) | Value::Array(_))) => unwrap_rows(data, rows),
            Some(_) | None => rows.push(value),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => rows.push(value),
    }
}

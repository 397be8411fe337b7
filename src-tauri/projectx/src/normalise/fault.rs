//! What can be wrong with a message, and the report about it.

use domain::{
    AccountId,
    broker::{Flaw, Malformed},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::mask::masked;

/// Why a row is no fact. Names the field and, where there is one, its value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// A member is missing or of another type.
    #[error("{path}: {problem}")]
    Shape {
        /// Where in the row; `.` for the row itself.
        path: String,
        /// The parser's words.
        problem: String,
    },
    /// A member has the right type and an impossible value.
    #[error("{field} is {value}: {problem}")]
    Value {
        /// Which member.
        field: &'static str,
        /// What was sent.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A member has a number that this version does not know.
    #[error("{field} is {number}: unknown {what}")]
    Unknown {
        /// Which member.
        field: &'static str,
        /// What was sent.
        number: i64,
        /// What it should name.
        what: &'static str,
    },
}

impl Fault {
    /// What it comes to.
    #[must_use]
    pub fn flaw(&self) -> Flaw {
        match self {
            Self::Shape { .. } => Flaw::Unreadable,
            Self::Value { .. } => Flaw::Impossible,
            Self::Unknown { .. } => Flaw::Unknown,
        }
    }

    /// An impossible value.
    pub fn value(field: &'static str, value: impl ToString, problem: impl Into<String>) -> Self {
        Self::Value { field, value: value.to_string(), problem: problem.into() }
    }
}

/// Reads a row; unknown members are ignored.
///
/// # Errors
/// [`Fault::Shape`] with the path of the first member that is missing or of another type.
pub fn read<T: DeserializeOwned>(row: &Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(row).map_err(|error| Fault::Shape {
        path: error.path().to_string(),
        problem: masked(&error.inner().to_string()),
    })
}

/// The report about a row that is no fact. `raw` is the message as it arrived.
#[must_use]
pub fn malformed(what: &str, fault: &Fault, row: &Value, raw: &str) -> Malformed {
    Malformed {
        flaw: fault.flaw(),
        what: what.to_string(),
        why: masked(&fault.to_string()),
        account: account_of(row),
        raw: masked(raw),
    }
}

fn account_of(row: &Value) -> Option<AccountId> {
    match row.get("accountId")? {
        Value::Number(number) => number.as_i64().map(AccountId::from),
        Value::String(text) => Some(AccountId::new(text)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

//! Faults that can be switched on from outside, and what is left of them. Nothing happens by itself:
//! a gateway without faults is a well-behaved gateway.

use chrono::TimeDelta;
use projectx::wire::{code::LoginError, number::id};
use serde::Deserialize;
use thiserror::Error;

use super::hub::Hub;

/// Faults by path that may be set at once; more are refused.
pub const PATH_FAULTS_LIMIT: usize = 100;

/// Longest latency or silence, in milliseconds: an hour.
pub const LONGEST_MS: u32 = 3_600_000;

/// One fault as it is set: `POST /sim/fault`. Members that are not named here are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The next `times` requests whose path contains `path` (any `/api/` path without it) get this
    /// status; `after`: they are executed first.
    HttpStatus {
        /// Part of a path.
        #[serde(default)]
        path: String,
        /// 400 to 599.
        status: u16,
        /// How often.
        #[serde(default = "once")]
        times: u32,
        /// Executed before it is refused.
        #[serde(default)]
        after: bool,
    },
    /// The next `times` requests are executed at once and answered `ms` later.
    HttpLatency {
        /// Part of a path.
        #[serde(default)]
        path: String,
        /// Milliseconds.
        ms: u32,
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// The next `times` requests are not executed but refused in the envelope, as HTTP 200.
    ApiError {
        /// Part of a path.
        path: String,
        /// `errorCode`.
        code: i64,
        /// `errorMessage`.
        #[serde(default)]
        message: Option<String>,
        /// How often.
        #[serde(default = "once")]
        times: u32,
    },
    /// All connections of the hub end now.
    DropHub {
        /// Which.
        #[serde(default)]
        hub: HubChoice,
        /// How.
        #[serde(default)]
        how: HubEnd,
    },
    /// Neither events nor pings nor handshakes for `ms` (ruling 36).
    HubSilence {
        /// Which.
        #[serde(default)]
        hub: HubChoice,
        /// Milliseconds.
        ms: u32,
    },
    /// Every token issued so far is expired.
    ExpireTokens {},
    /// The next `times` user events are sent twice.
    DuplicateEvents {
        /// How many.
        #[serde(default = "once")]
        times: u32,
    },
    /// The next `times` user events happen but are sent to nobody.
    LoseEvents {
        /// How many.
        #[serde(default = "once")]
        times: u32,
    },
    /// The next `times` user events arrive after their successor.
    ReorderEvents {
        /// How many.
        #[serde(default = "once")]
        times: u32,
    },
    /// Orders of two contracts and more fill in several trades.
    PartialFills {
        /// On or off.
        on: bool,
    },
    /// The market is shut: no fills, orders and closes are refused.
    MarketClosed {
        /// On or off.
        on: bool,
    },
    /// The account's `canTrade`.
    CanTrade {
        /// Account.
        #[serde(with = "id")]
        account_id: i64,
        /// The new value.
        value: bool,
    },
    /// The rate limit of gateway reference 2.5, whatever the market.
    RateLimit {
        /// On or off.
        on: bool,
        /// Whether a 429 carries `Retry-After`.
        #[serde(default, rename = "retry_after", alias = "retryAfter")]
        retry_after: bool,
    },
    /// Logins are refused with this code until cleared.
    LoginError {
        /// `LoginErrorCode`.
        code: i64,
    },
    /// The `Date` header is off by so much.
    ClockSkew {
        /// Seconds, ahead when positive.
        seconds: i32,
    },
    /// Fills come this long after acceptance or trigger.
    FillLatency {
        /// Milliseconds.
        ms: u32,
    },
    /// A flip is sent as one position update with another `type` instead of a close and an open.
    FlipAsUpdate {
        /// On or off.
        on: bool,
    },
    /// A trade is undone by the venue: sent again with `voided`.
    VoidTrade {
        /// Trade.
        #[serde(with = "id")]
        trade_id: i64,
    },
    /// A raw record to every connection of the user hub.
    MalformedEvent {
        /// The record, without its separator.
        text: String,
    },
    /// The account is a live one: cancel and partial close are refused.
    LiveAccount {
        /// Account.
        #[serde(with = "id")]
        account_id: i64,
        /// Live or not.
        value: bool,
    },
    /// The account follows another one: cancel is refused.
    FollowerAccount {
        /// Account.
        #[serde(with = "id")]
        account_id: i64,
        /// Follower or not.
        value: bool,
    },
}

/// Which hub a fault concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HubChoice {
    /// The user hub.
    User,
    /// The market hub.
    Market,
    /// Both hubs.
    #[default]
    Both,
}

/// How a hub connection ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HubEnd {
    /// A SignalR Close with reconnect allowed, then the socket's close.
    #[default]
    Close,
    /// The bare socket ends.
    Reset,
}

/// Why a fault was not set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FaultError {
    /// Not a fault at all.
    #[error("not a known fault: {0}")]
    Unreadable(String),
    /// A number outside its range.
    #[error("{member} must be {allowed}, not {value}")]
    OutOfRange {
        /// Which member.
        member: &'static str,
        /// What is allowed.
        allowed: &'static str,
        /// What was given.
        value: i64,
    },
    /// No such account.
    #[error("no account {0}")]
    UnknownAccount(i64),
    /// No such trade.
    #[error("no trade {0}")]
    UnknownTrade(i64),
    /// [`PATH_FAULTS_LIMIT`] is reached.
    #[error("more than {PATH_FAULTS_LIMIT} faults by path; clear them with DELETE /sim/fault")]
    TooMany,
}

impl HubChoice {
    pub(super) const fn hubs(self) -> &'static [Hub] {
        match self {
            Self::User => &[Hub::User],
            Self::Market => &[Hub::Market],
            Self::Both => &[Hub::User, Hub::Market],
        }
    }
}

impl Fault {
    /// Reads a fault from JSON.
    ///
    /// # Errors
    /// [`FaultError`] for an unknown kind, an unknown or missing member, or a number out of range.
    pub fn parse(text: &[u8]) -> Result<Self, FaultError> {
        let fault: Self =
            serde_json::from_slice(text).map_err(|error| FaultError::Unreadable(error.to_string()))?;
        fault.check()?;
        Ok(fault)
    }

    /// Checks the ranges of all numbers.
    ///
    /// # Errors
    /// [`FaultError::OutOfRange`].
    pub fn check(&self) -> Result<(), FaultError> {
        let out = |member, allowed, value| Err(FaultError::OutOfRange { member, allowed, value });
        if let Self::HttpStatus { status, .. } = self
            && !(400..=599).contains(status)
        {
            return out("status", "400 to 599", i64::from(*status));
        }
        if let Self::HttpLatency { ms, .. } | Self::HubSilence { ms, .. } | Self::FillLatency { ms } = self
            && *ms > LONGEST_MS
        {
            return out("ms", "0 to 3600000", i64::from(*ms));
        }
        if let Self::LoginError { code } = self
            && (*code == LoginError::Success.code() || LoginError::try_from(*code).is_err())
        {
            return out("code", "1 to 10", *code);
        }
        if let Self::ApiError { code: 0, .. } = self {
            return out("code", "other than 0", 0);
        }
        Ok(())
    }
}

/// What is left of the faults.
#[derive(Debug, Default)]
pub(super) struct Faults {
    by_path: Vec<PathFault>,
    pub duplicate: u32,
    pub lose: u32,
    pub reorder: u32,
    pub partial_fills: bool,
    pub market_closed: bool,
    pub rate_limit: Option<bool>,
    pub retry_after: bool,
    pub login_error: Option<i64>,
    pub clock_skew: TimeDelta,
    pub fill_latency: Option<TimeDelta>,
    pub flip_as_update: bool,
}

/// What one request meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// Answered with this status; `after`: executed first.
    Status { status: u16, after: bool },
    /// Answered late.
    Latency(TimeDelta),
    /// Refused in the envelope.
    Api { code: i64, message: Option<String> },
}

#[derive(Debug)]
struct PathFault {
    path: String,
    left: u32,
    mishap: Mishap,
}

impl Faults {
    pub(super) fn on_path(&mut self, path: String, times: u32, mishap: Mishap) -> Result<(), FaultError> {
        if self.by_path.len() >= PATH_FAULTS_LIMIT {
            return Err(FaultError::TooMany);
        }
        self.by_path.push(PathFault { path, left: times, mishap });
        Ok(())
    }

    /// The mishaps of a request: at most one of each sort, the one set first.
    pub(super) fn meet(&mut self, path: &str) -> Vec<Mishap> {
        let mut met: Vec<Mishap> = Vec::new();
        for fault in &mut self.by_path {
            let concerned = match fault.path.as_str() {
                "" => path.starts_with("/api/"),
                part => path.contains(part),
            };
            let sort = std::mem::discriminant(&fault.mishap);
            if concerned && fault.left > 0 && met.iter().all(|other| std::mem::discriminant(other) != sort) {
                fault.left -= 1;
                met.push(fault.mishap.clone());
            }
        }
        self.by_path.retain(|fault| fault.left > 0);
        met
    }
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Fault::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn every_fault_of_the_design_is_read_as_named_there() {
        for text in [
            r#"{"kind":"http_status","path":"closeContract","status":503,"times":2,"after":true}"#,
            r#"{"kind":"http_latency","path":"/api/Order/place","ms":250,"times":1}"#,
            r#"{"kind":"drop_hub","hub":"user","how":"reset"}"#,
            r#"{"kind":"hub_silence","hub":"both","ms":31000}"#,
            r#"{"kind":"expire_tokens"}"#,
            r#"{"kind":"duplicate_events","times":3}"#,
            r#"{"kind":"lose_events","times":3}"#,
            r#"{"kind":"reorder_events","times":3}"#,
            r#"{"kind":"partial_fills","on":true}"#,
            r#"{"kind":"market_closed","on":true}"#,
            r#"{"kind":"can_trade","accountId":26100417,"value":false}"#,
            r#"{"kind":"rate_limit","on":true}"#,
        ] {
            Fault::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        let with_header = Fault::parse(br#"{"kind":"rate_limit","on":true,"retry_after":true}"#);
        assert_eq!(with_header, Ok(Fault::RateLimit { on: true, retry_after: true }));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_a_reason() {
        assert!(error(r#"{"kind":"earthquake"}"#).contains("unknown variant `earthquake`, expected one of"));
        assert!(error(r#"{"kind":"expire_tokens","soon":true}"#).contains("unknown field `soon`"));
        assert!(error(r#"{"kind":"hub_silence"}"#).contains("missing field `ms`"));
        assert!(error(r#"{"kind":"drop_hub","how":"gently"}"#).contains("unknown variant `gently`"));
        assert_eq!(error(r#"{"kind":"http_status","status":200}"#), "status must be 400 to 599, not 200");
        assert_eq!(error(r#"{"kind":"login_error","code":11}"#), "code must be 1 to 10, not 11");
        assert!(error("nonsense").starts_with("not a known fault"));
    }

    #[test]
    fn path_faults_are_used_up_one_by_one() {
        let mut faults = Faults::default();
        let status = |status| Mishap::Status { status, after: false };
        faults.on_path("closeContract".to_string(), 1, status(503)).unwrap();
        faults.on_path(String::new(), 2, status(500)).unwrap();
        faults.on_path("Position/".to_string(), 1, Mishap::Latency(TimeDelta::seconds(1))).unwrap();
        let close = "/api/Position/closeContract";
        assert_eq!(faults.meet(close), [status(503), Mishap::Latency(TimeDelta::seconds(1))]);
        assert_eq!(faults.meet(close), [status(500)]);
        assert_eq!(faults.meet("/hubs/user/negotiate"), []);
        assert_eq!(faults.meet("/api/Status/ping"), [status(500)]);
        assert_eq!(faults.meet(close), []);
    }
}

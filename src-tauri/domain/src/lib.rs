//! The nouns of Risk Manager: what all crates mean when they say price, order, lockout or breach.
//!
//! Knows nobody. Has no clock, no I/O, no async, no threads, no randomness and no floats; time is
//! always an argument. Parsing of the broker's words happens in `projectx`, text for people in `views`.

#![deny(clippy::float_arithmetic)]

pub mod account;
pub mod action;
pub mod breach;
pub mod broker;
pub mod calendar;
pub mod discrepancy;
pub mod event;
pub mod exchange;
pub mod fill;
pub mod ids;
pub mod instrument;
pub mod lockout;
pub mod memory;
pub mod money;
pub mod notice;
pub mod order;
pub mod position;
pub mod products;
pub mod quote;
pub mod rule;
pub mod rulebook;

pub use account::Account;
pub use action::{Action, Deed, Enforcement, EnforcementId, Observation, Omitted, Priority, Question};
pub use breach::Breach;
pub use calendar::{DailyReset, TradingDay};
pub use discrepancy::{Difference, Discrepancy, Subject};
pub use event::{Command, Event, EventKind, Link, Outcome, Report, Snapshot};
pub use fill::Fill;
pub use ids::{AccountId, ContractId, OrderId, PositionId, Symbol, TradeId};
pub use instrument::Instrument;
pub use lockout::{EndCause, LockEnd, LockKey, LockKind, Lockout};
pub use memory::Memory;
pub use money::{Contracts, Exposure, Price, Usd};
pub use notice::{Alert, Notice, OpenPosition, Part, Severity, Trouble};
pub use order::{Leg, Order, OrderKind, OrderSide, OrderStatus, Ticket};
pub use position::{Position, Side};
pub use quote::Quote;
pub use rule::{Means, RuleKey, RuleMode, Source};
pub use rulebook::{RuleSet, Rulebook};

/// An instant in UTC. Everything stored or compared is one of these; wall-clock time exists only
/// inside [`calendar`].
pub type Instant = chrono::DateTime<chrono::Utc>;

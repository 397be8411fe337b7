//! What the engine wants done. The engine only says it; `runtime` does it (specification A.6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Alert, Breach, ContractId, Contracts, Discrepancy, EndCause, Fill, Instant, LockKey, Lockout,
    OrderId, RuleKey, TradingDay,
    memory::{DayFigures, Managed},
    order::{OWN_TAG, Ticket},
};

/// Which enforcements go first. Lower numbers first (specification A.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 1: hard lockouts.
    Critical,
    /// 3: cooldowns.
    High,
    /// 5: single positions.
    Medium,
    /// 7: automation and tidying up.
    Low,
}

/// Names one enforcement from its decision to its receipt. Never used twice in one home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnforcementId(pub u64);

/// What is to be done at the broker. Targets, not amounts: repeating one cannot do it twice, and none
/// can make a position larger (invariant 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Deed {
    /// Close every position the broker reports except the spared ones, cancel what could open new ones.
    Flatten,
    /// Bring one position down to a size; zero closes it.
    Reduce {
        /// Which.
        contract: ContractId,
        /// Size that may remain.
        to: Contracts,
    },
    /// Cancel working orders.
    Cancel {
        /// Which.
        orders: Vec<OrderId>,
    },
    /// Make a protective order smaller.
    Shrink {
        /// Which.
        order: OrderId,
        /// Its new total size.
        to: Contracts,
    },
    /// Place a protective order, once: its tag is [`Enforcement::tag`].
    Place {
        /// Which.
        ticket: Ticket,
    },
    /// Bring a protective order to a size and a price: a stop only ever nearer to the market.
    Modify {
        /// Which.
        order: OrderId,
        /// How it is to be.
        ticket: Ticket,
    },
}

/// One enforcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforcement {
    /// Its name.
    pub id: EnforcementId,
    /// At which account.
    pub account: AccountId,
    /// The rule that caused it.
    pub rule: RuleKey,
    /// Further rules that wanted the same or less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<RuleKey>,
    /// Why.
    #[serde(flatten)]
    pub breach: Breach,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
    /// How urgent.
    pub priority: Priority,
    /// When the event that caused it was received.
    pub detected_at: Instant,
}

/// What a rule that does not enforce would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// At which account.
    pub account: AccountId,
    /// By which rule.
    pub rule: RuleKey,
    /// Why.
    #[serde(flatten)]
    pub breach: Breach,
    /// The lock it would have set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<crate::LockKind>,
    /// How that would have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<crate::LockEnd>,
    /// What it would have done at the broker. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Omitted::is_nothing")]
    pub omitted: Omitted,
    /// When the event that caused it was received.
    pub detected_at: Instant,
    /// Whether the trader is told as of a warning (`warn`) or it is only recorded (`observe`).
    pub warn: bool,
}

/// What a rule that does not enforce left undone at the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Omitted {
    /// Contracts that it would have closed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub closed: BTreeMap<ContractId, Contracts>,
    /// Orders that it would have cancelled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cancelled: Vec<OrderId>,
    /// Protective orders that it would have placed.
    pub placed: u32,
    /// Protective orders that it would have brought to another size or price.
    pub moved: u32,
}

impl Omitted {
    /// Whether it would have left everything as it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A question that only the broker can answer. Asked by the engine, put by `runtime`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "snake_case")]
pub enum Question {
    /// All working orders of the account; the answer is [`crate::Event::Orders`].
    Orders {
        /// Whose.
        account: AccountId,
    },
    /// Everything about the account; the answer is [`crate::Event::Snapshot`].
    Everything {
        /// Whose.
        account: AccountId,
    },
    /// Metadata of a contract; the answer is [`crate::Event::Instrument`].
    Instrument {
        /// Which.
        contract: ContractId,
    },
    /// The newest bar of a contract; the answer is [`crate::Event::Bar`].
    LatestBar {
        /// Which.
        contract: ContractId,
    },
    /// All accounts of the login; the answer is a [`crate::Event::Account`] for each.
    Accounts,
}

/// One output of [the engine's step](crate::event).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Set or extend a lockout; durable before any broker call that follows it.
    Lock {
        /// The whole record.
        lockout: Box<Lockout>,
    },
    /// End a lockout.
    Unlock {
        /// Which.
        key: LockKey,
        /// Why.
        cause: EndCause,
    },
    /// Do something at the broker.
    Enforce(Box<Enforcement>),
    /// Record what would have been done.
    Observe(Box<Observation>),
    /// Tell people.
    Alert(Alert),
    /// Ask the broker.
    Ask(Question),
    /// Keep a fill for the next start.
    RecordFill {
        /// The fill.
        fill: Fill,
        /// Caused by this product.
        own: bool,
        /// An account-wide lockout was active.
        locked: bool,
        /// To which day it counts.
        day: TradingDay,
    },
    /// Keep the deadline of a position without complete stop; `None` clears it.
    RecordStopDeadline {
        /// Whose.
        account: AccountId,
        /// Where.
        contract: ContractId,
        /// Until when.
        deadline: Option<Instant>,
    },
    /// Keep what RULE-012 knows of a position; `None` clears it.
    RecordManaged {
        /// Whose.
        account: AccountId,
        /// Where.
        contract: ContractId,
        /// What is known.
        managed: Option<Managed>,
    },
    /// A reading of the broker's state says otherwise than what was known, and counts. What is on its way
    /// meanwhile differs too, until it arrives.
    Differ {
        /// Whose.
        account: AccountId,
        /// In what.
        differences: Vec<Discrepancy>,
    },
    /// A trading day ended and the next began.
    Reset {
        /// Whose.
        account: AccountId,
        /// The day that ended, with its final figures; `None` at the first start of a home.
        closed: Option<DayFigures>,
        /// The day that began.
        day: TradingDay,
        /// When it was due.
        scheduled: Instant,
    },
}

impl Enforcement {
    /// The tag of the order that it places: the broker takes each tag once only, so that a repetition can't
    /// place a second one. The time tells homes apart that number their enforcements alike.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("{OWN_TAG}{}-{}-{}", self.rule, self.id.0, self.detected_at.timestamp_millis())
    }
}

impl Priority {
    /// The number used in the specification and in the audit.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Critical => 1,
            Self::High => 3,
            Self::Medium => 5,
            Self::Low => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What earlier versions wrote is still read.
    #[test]
    fn an_observation_without_its_deed_is_one_of_before() {
        let before = r#"{"account":"1","rule":"auth_loss_guard","breach":"cannot_trade",
            "detected_at":"2025-10-29T15:00:00Z","warn":false}"#;
        let read: Observation = serde_json::from_str(before).unwrap();
        assert!(read.omitted.is_nothing());
        let said = serde_json::to_value(&read).unwrap();
        assert_eq!(said.get("omitted"), None);
    }
}

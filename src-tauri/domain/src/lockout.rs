//! Lockouts: records that forbid new exposure (specification A.5).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Breach, ContractId, Exposure, Instant, RuleKey, Symbol, TradingDay};

/// What a lockout forbids. Ordered by strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "UPPERCASE")]
pub enum LockKind {
    /// One symbol: its positions are closed, its entries cancelled.
    Symbol,
    /// New or increased exposure over the baseline.
    Timer,
    /// Everything: the account is made and kept flat.
    Hard,
}

/// How a lockout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", content = "at", rename_all = "snake_case")]
pub enum LockEnd {
    /// When a countdown is over.
    Time(Instant),
    /// At the daily reset; the instant was fixed when the lock began.
    Reset(Instant),
    /// At the next session start; `None` when none was found.
    SessionStart(Option<Instant>),
    /// When the broker says that the account may trade.
    CanTrade,
    /// When the configuration no longer blocks the symbol.
    Config,
}

/// Why a lockout ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// Its time was over.
    Expiry,
    /// Its condition came true.
    Condition,
    /// The configuration no longer asks for it.
    Config,
    /// The daily reset.
    Reset,
    /// Somebody with proof of the right to do so, and the reason given.
    Override {
        /// Why.
        reason: String,
    },
}

/// What makes a lockout one record: a later one with the same key extends it, never replaces another
/// (ruling 9).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LockKey {
    /// Whose.
    pub account: AccountId,
    /// By which rule.
    pub rule: RuleKey,
    /// For one symbol only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Symbol>,
    /// Distinguishes several records of one rule, such as the windows of RULE-006; usually empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lockout {
    /// Its identity.
    #[serde(flatten)]
    pub key: LockKey,
    /// What it forbids.
    pub kind: LockKind,
    /// The numbers that caused it.
    pub breach: Breach,
    /// When it began.
    pub since: Instant,
    /// How it ends.
    pub end: LockEnd,
    /// The trading day in which it began.
    pub day: TradingDay,
    /// TIMER: what was held when it began; only ever lowered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baseline: BTreeMap<ContractId, Exposure>,
    /// Symbols that an account-wide session record leaves alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exempt: BTreeSet<Symbol>,
}

impl LockEnd {
    /// The instant at which it ends, if one is known.
    #[must_use]
    pub fn at(self) -> Option<Instant> {
        match self {
            Self::Time(at) | Self::Reset(at) => Some(at),
            Self::SessionStart(at) => at,
            Self::CanTrade | Self::Config => None,
        }
    }
}

impl Lockout {
    /// Whether it still applies at `now`.
    #[must_use]
    pub fn is_active(&self, now: Instant) -> bool {
        self.end.at().is_none_or(|end| now < end)
    }

    /// Whether what stood when it began may still stay: always under a TIMER and a SYMBOL record of
    /// RULE-011, during the closing grace or without closing under a record of RULE-009, else never.
    #[must_use]
    pub fn spares_baseline(&self, now: Instant) -> bool {
        match (&self.breach, self.kind) {
            (Breach::OutsideSession { closes_at, .. }, _) => closes_at.is_none_or(|at| now < at),
            (_, LockKind::Timer | LockKind::Symbol) => true,
            (_, LockKind::Hard) => false,
        }
    }

    /// When the closing grace of RULE-009 ends.
    #[must_use]
    pub fn grace_ends(&self) -> Option<Instant> {
        if let Breach::OutsideSession { closes_at, .. } = self.breach { closes_at } else { None }
    }

    /// Whether it forbids exposure in a symbol.
    #[must_use]
    pub fn concerns(&self, symbol: &Symbol) -> bool {
        match &self.key.symbol {
            Some(own) => own == symbol,
            None => !self.exempt.contains(symbol),
        }
    }
}

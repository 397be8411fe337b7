//! The words of the audit: what a row is about and how it ended.

use domain::{Contracts, Deed, EndCause, Leg, LockKind, Observation};
use serde::{Deserialize, Serialize};

/// The kinds of audit rows: the list of specification D.1 and what else is worth a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// Close one position.
    ClosePosition,
    /// Bring one position down to a size.
    ReducePosition,
    /// Close everything.
    FlattenAccount,
    /// Cancel orders.
    CancelOrder,
    /// A HARD lockout.
    Lockout,
    /// A TIMER lockout.
    Cooldown,
    /// A SYMBOL lockout.
    SymbolLockout,
    /// A protective stop was placed.
    PlaceStop,
    /// A protective stop was changed.
    ModifyStop,
    /// A target was placed.
    PlaceTarget,
    /// Not in D.1: a target was changed.
    ModifyTarget,
    /// A notification of weight.
    Alert,
    /// A lockout was ended before its time.
    Override,
    /// Not in D.1: a protective order was made smaller, stop or target.
    ShrinkOrder,
    /// Not in D.1: a lockout ended as it was meant to.
    Unlock,
    /// Not in D.1: settings were accepted or refused.
    Settings,
    /// Not in D.1: a trading day ended.
    Reset,
    /// Not in D.1: this database was restored or rebuilt, or the chain was found broken. Written by the
    /// store alone.
    Recovery,
}

/// How a line of the audit ended (ruling 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Not ended yet.
    Pending,
    /// Seen at the broker.
    Confirmed,
    /// Given up.
    Failed,
    /// Only recorded, because the rule does not enforce.
    Observed,
    /// Another action, or the trader, made it needless.
    Superseded,
    /// Done by being written down.
    Recorded,
}

impl AuditAction {
    /// The kind of row for a deed at the broker.
    #[must_use]
    pub fn of_deed(deed: &Deed) -> Self {
        match deed {
            Deed::Flatten => Self::FlattenAccount,
            Deed::Reduce { to: Contracts::ZERO, .. } => Self::ClosePosition,
            Deed::Reduce { .. } => Self::ReducePosition,
            Deed::Cancel { .. } => Self::CancelOrder,
            Deed::Shrink { .. } => Self::ShrinkOrder,
            Deed::Place { ticket } => match ticket.leg {
                Leg::Stop => Self::PlaceStop,
                Leg::Target => Self::PlaceTarget,
            },
            Deed::Modify { ticket, .. } => match ticket.leg {
                Leg::Stop => Self::ModifyStop,
                Leg::Target => Self::ModifyTarget,
            },
        }
    }

    /// The kind of row for a lockout that begins.
    #[must_use]
    pub fn of_lock(kind: LockKind) -> Self {
        match kind {
            LockKind::Hard => Self::Lockout,
            LockKind::Timer => Self::Cooldown,
            LockKind::Symbol => Self::SymbolLockout,
        }
    }

    /// The kind of row for a lockout that ended.
    #[must_use]
    pub fn of_end(cause: &EndCause) -> Self {
        match cause {
            EndCause::Override { .. } => Self::Override,
            EndCause::Expiry | EndCause::Condition | EndCause::Config | EndCause::Reset => Self::Unlock,
        }
    }

    /// The kind of row for what a rule that does not enforce would have done.
    #[must_use]
    pub fn of_observation(observation: &Observation) -> Self {
        observation.lock.map_or(Self::Alert, Self::of_lock)
    }
}

//! What happened in one step of the world, for the laws that watch it.

use domain::{AccountId, Action, ContractId, Fill, Link, broker::Ask, broker::CallId};
use store::{Record, Written};

use crate::disk::Kept;

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// An engine process began, its memory restored.
    Began,
    /// It ended.
    Ended,
    /// The loop was told of a link.
    Link(Link),
    /// The loop was given an account's snapshot.
    Read(AccountId),
    /// The loop was given a reply.
    Replied(CallId),
    /// The core sent something to the port.
    Asked(Ask),
    /// The core decided something and had it written.
    Decided(Action),
    /// Something is in the database now.
    Kept(Box<Kept>),
    /// People were told something.
    Told,
    /// An enforcement had to wait because there were too many requests.
    Starved,
    /// One of our requests that change something arrived at the broker.
    Arrived(Arrival),
    /// An execution at the broker.
    Filled { fill: Fill, own: bool },
}

/// A request that changes something, as it arrives at the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub account: AccountId,
    pub what: Change,
    /// The broker took it.
    pub accepted: bool,
}

/// What a request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A close of so many contracts; `None` closes all.
    Close { contract: ContractId, by: Option<u32> },
    /// The end of an order.
    Cancel { order: i64 },
    /// Another size of an order.
    Resize { order: i64, size: Option<u32> },
    /// A new order; what is true of it where it is taken.
    Place { contract: ContractId, size: Option<u32>, stop_or_target: bool },
    /// Anything else: there must be none.
    Other { path: String },
}

impl Happening {
    /// Whether it is worth a line where steps are told in words.
    pub fn is_telling(&self) -> bool {
        match self {
            Self::Began
            | Self::Ended
            | Self::Link(_)
            | Self::Asked(_)
            | Self::Decided(_)
            | Self::Arrived(_)
            | Self::Starved
            | Self::Filled { .. } => true,
            Self::Read(_) | Self::Replied(_) | Self::Kept(_) | Self::Told => false,
        }
    }

    pub fn kept(kept: Kept) -> Self {
        Self::Kept(Box::new(kept))
    }
}

/// Whether a record changed the database.
pub(crate) fn changed((_, written): &(Record, Written)) -> bool {
    *written != Written::Nothing
}

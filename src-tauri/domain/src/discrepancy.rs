//! How a reading of the broker's state differs from what was known (specification C.10).

use serde::{Deserialize, Serialize};

use crate::{ContractId, Exposure, OrderId, Price, TradeId};

/// One difference. The reading counts; this says what had not been heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancy {
    /// Where.
    pub contract: ContractId,
    /// Of what.
    #[serde(flatten)]
    pub subject: Subject,
    /// How.
    #[serde(flatten)]
    pub difference: Difference,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// The position in the contract.
    Position,
    /// A working order.
    Order {
        /// Which.
        order: OrderId,
    },
    /// An execution.
    Fill {
        /// Which.
        fill: TradeId,
    },
}

/// In what it differs. Sizes are signed: what is held, or what an order would still do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum Difference {
    /// Known here, and not at the broker.
    Missing {
        /// How much.
        known: Exposure,
    },
    /// At the broker, and not known here.
    Extra {
        /// How much.
        read: Exposure,
    },
    /// Another size.
    Size {
        /// As it was known.
        known: Exposure,
        /// As the broker says.
        read: Exposure,
    },
    /// The other side.
    Side {
        /// As it was known.
        known: Exposure,
        /// As the broker says.
        read: Exposure,
    },
    /// Another average or limit price.
    Price {
        /// As it was known.
        known: Option<Price>,
        /// As the broker says.
        read: Option<Price>,
    },
    /// Another stop price.
    Stop {
        /// As it was known.
        known: Option<Price>,
        /// As the broker says.
        read: Option<Price>,
    },
}

impl Subject {
    /// Its name in the log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Order { .. } => "order",
            Self::Fill { .. } => "fill",
        }
    }
}

impl Difference {
    /// Between two sizes, neither of them zero.
    #[must_use]
    pub fn of_sizes(known: Exposure, read: Exposure) -> Option<Self> {
        match (known == read, known.same_side(read)) {
            (true, _) => None,
            (false, true) => Some(Self::Size { known, read }),
            (false, false) => Some(Self::Side { known, read }),
        }
    }

    /// Its name in the log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Extra { .. } => "extra",
            Self::Size { .. } => "size",
            Self::Side { .. } => "side",
            Self::Price { .. } => "price",
            Self::Stop { .. } => "stop",
        }
    }
}

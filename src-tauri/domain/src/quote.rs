//! Prices of the moment.

use serde::{Deserialize, Serialize};

use crate::{ContractId, Instant, Price};

/// A change of prices. Each figure is present only if it was sent; the receiver keeps the last known
/// value of the others (gateway reference 8.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Of which contract.
    pub contract: ContractId,
    /// Last traded price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Price>,
    /// Best bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<Price>,
    /// Best ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Price>,
    /// The platform's stamp; `None` when it sent none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
}

impl Quote {
    /// Lays a newer change over this one, field by field.
    pub fn merge(&mut self, newer: &Self) {
        self.last = newer.last.or(self.last);
        self.bid = newer.bid.or(self.bid);
        self.ask = newer.ask.or(self.ask);
        self.at = newer.at.or(self.at);
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_change_lays_over_an_older_figure_by_figure() {
        let price = |number: i64| Some(Price(number.into()));
        let mut quote = Quote { contract: "C".into(), last: price(100), bid: price(99), ask: None, at: None };
        let at = "2026-06-10T14:30:00Z".parse().ok();
        quote.merge(&Quote { contract: "C".into(), last: None, bid: price(98), ask: price(101), at });
        let merged = Quote { contract: "C".into(), last: price(100), bid: price(98), ask: price(101), at };
        assert_eq!(quote, merged);
        quote.merge(&Quote { contract: "C".into(), last: None, bid: None, ask: None, at: None });
        assert_eq!(quote, merged, "what is not sent stays");
    }
}

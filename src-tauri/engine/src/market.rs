//! Prices and metadata: what an open position is worth. Unknown stays unknown (specification A.3, C.8).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{ContractId, Instant, Instrument, Position, Price, Quote, Usd};
use rust_decimal::Decimal;

/// All known contracts.
#[derive(Clone, Debug, Default)]
pub struct Market {
    contracts: BTreeMap<ContractId, Listing>,
    connected: bool,
}

#[derive(Clone, Debug, Default)]
struct Listing {
    instrument: Option<Instrument>,
    quote: Option<Quote>,
    price: Option<Price>,
    heard: Option<Instant>,
    metadata_asked: Option<Instant>,
}

/// A question for metadata without answer is put again after this time.
const ASK_METADATA_EVERY: TimeDelta = TimeDelta::seconds(15);

impl Market {
    /// Lays a change of prices over what is known; true if the usable price changed.
    pub(crate) fn learn_quote(&mut self, quote: &Quote, now: Instant) -> bool {
        if !self.contracts.contains_key(&quote.contract) {
            self.contracts.insert(quote.contract.clone(), Listing::default());
        }
        let Some(listing) = self.contracts.get_mut(&quote.contract) else { return false };
        match &mut listing.quote {
            Some(known) => known.merge(quote),
            None => listing.quote = Some(quote.clone()),
        }
        listing.heard = Some(now);
        let price = listing.quote.as_ref().and_then(usable).or(listing.price);
        let changed = price != listing.price;
        listing.price = price;
        changed
    }

    pub(crate) fn learn_instrument(&mut self, instrument: Instrument) -> bool {
        let listing = self.contracts.entry(instrument.contract.clone()).or_default();
        let changed = listing.instrument.as_ref() != Some(&instrument);
        listing.instrument = Some(instrument);
        changed
    }

    /// Whether the metadata of a contract is to be asked for now; notes that it was.
    pub(crate) fn lacks_metadata(&mut self, contract: &ContractId, now: Instant) -> bool {
        if !self.contracts.contains_key(contract) {
            self.contracts.insert(contract.clone(), Listing::default());
        }
        let Some(listing) = self.contracts.get_mut(contract) else { return false };
        let asked = listing.metadata_asked.is_some_and(|at| now < at + ASK_METADATA_EVERY);
        if listing.instrument.is_some() || asked {
            return false;
        }
        listing.metadata_asked = Some(now);
        true
    }

    /// The market stream is back or lost. Prices from before a loss are not usable afterwards: each
    /// contract needs a new quote.
    pub(crate) fn connected(&mut self, connected: bool) {
        self.connected = connected;
        for listing in self.contracts.values_mut().filter(|_| !connected) {
            listing.quote = None;
            listing.price = None;
        }
    }

    /// Whether the market stream is up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Metadata of a contract.
    #[must_use]
    pub fn instrument(&self, contract: &ContractId) -> Option<&Instrument> {
        self.contracts.get(contract)?.instrument.as_ref()
    }

    /// The price that values a position of this contract.
    #[must_use]
    pub fn price(&self, contract: &ContractId) -> Option<Price> {
        self.contracts.get(contract)?.price
    }

    /// When the last quote of this contract arrived.
    #[must_use]
    pub fn heard(&self, contract: &ContractId) -> Option<Instant> {
        self.contracts.get(contract)?.heard
    }

    /// Open result of a position; `None` without metadata or without a usable price.
    #[must_use]
    pub fn value(&self, position: &Position) -> Option<Usd> {
        let listing = self.contracts.get(&position.contract)?;
        let instrument = listing.instrument.as_ref()?;
        Some(instrument.value(position.exposure, position.average_price, listing.price?))
    }
}

/// Last trade if it lies inside bid and ask, otherwise their middle; a crossed market gives none
/// (specification A.3, L-17).
fn usable(quote: &Quote) -> Option<Price> {
    let positive = |price: Option<Price>| price.filter(|price| price.0 > Decimal::ZERO);
    let last = positive(quote.last);
    match (positive(quote.bid), positive(quote.ask)) {
        (Some(bid), Some(ask)) if bid > ask => None,
        (Some(bid), Some(ask)) => {
            last.filter(|last| (bid..=ask).contains(last)).or(Some(Price((bid.0 + ask.0) / Decimal::TWO)))
        }
        (None, _) | (_, None) => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price_of(last: Option<&str>, bid: Option<&str>, ask: Option<&str>) -> Option<String> {
        let price = |text: Option<&str>| text.map(|text| Price(text.parse().unwrap()));
        let quote =
            Quote { contract: "C".into(), last: price(last), bid: price(bid), ask: price(ask), at: None };
        usable(&quote).map(|price| price.to_string())
    }

    #[test]
    fn the_usable_price() {
        assert_eq!(price_of(Some("100.25"), Some("100"), Some("100.5")).as_deref(), Some("100.25"));
        assert_eq!(price_of(Some("0"), Some("100"), Some("100.5")).as_deref(), Some("100.25"));
        assert_eq!(price_of(Some("99"), Some("100"), Some("100.5")).as_deref(), Some("100.25"));
        assert_eq!(price_of(None, Some("100"), Some("100.5")).as_deref(), Some("100.25"));
        assert_eq!(price_of(Some("99"), None, None).as_deref(), Some("99"));
        assert_eq!(price_of(Some("100"), Some("101"), Some("100.5")), None, "crossed");
        assert_eq!(price_of(None, None, Some("100")), None);
    }

    #[test]
    fn a_lost_stream_takes_all_prices_with_it() {
        let mut market = Market::default();
        let quote =
            Quote { contract: "C".into(), last: Some(Price(Decimal::TEN)), bid: None, ask: None, at: None };
        assert!(market.learn_quote(&quote, Instant::default()));
        assert!(!market.learn_quote(&quote, Instant::default()), "the same again changes nothing");
        market.connected(false);
        assert_eq!(market.price(&"C".into()), None);
    }
}

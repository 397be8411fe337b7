//! The figures of a quote, and which price they give. A figure of zero says "no price" (L-17); anything
//! else is taken as it is. Whether it can be believed is for [`trust`](super::trust) to say.

use domain::{Exposure, Price, Quote, rulebook::PriceBasis};
use rust_decimal::Decimal;

/// The newest figures of one contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub last: Option<Price>,
    pub bid: Option<Price>,
    pub ask: Option<Price>,
}

impl Figures {
    /// These with a change laid over.
    pub fn with(self, quote: &Quote) -> Self {
        let told = |price: Option<Price>| price.filter(|price| !price.0.is_zero());
        Self {
            last: told(quote.last).or(self.last),
            bid: told(quote.bid).or(self.bid),
            ask: told(quote.ask).or(self.ask),
        }
    }

    /// Whether a quote says anything about prices.
    pub fn are_told_by(quote: &Quote) -> bool {
        Self::default().with(quote) != Self::default()
    }

    /// The bid above the ask: one of the two is old or wrong.
    pub fn is_crossed(self) -> bool {
        self.bid.zip(self.ask).is_some_and(|(bid, ask)| bid > ask)
    }

    /// Last trade if it lies inside bid and ask, otherwise their middle (specification A.3).
    pub fn valuation(self) -> Option<Price> {
        match (self.bid, self.ask) {
            (Some(bid), Some(ask)) => {
                let inside = bid.min(ask)..=bid.max(ask);
                self.last.filter(|last| inside.contains(last)).or_else(|| Some(middle(bid, ask)))
            }
            (None, _) | (_, None) => self.last,
        }
    }

    /// The price that values an exposure (specification B.4).
    pub fn price(self, basis: PriceBasis, held: Exposure) -> Option<Price> {
        match basis {
            PriceBasis::LastElseMid => self.valuation(),
            PriceBasis::Mid => self.bid.zip(self.ask).map(|(bid, ask)| middle(bid, ask)),
            PriceBasis::ExitSide if held.0 < 0 => self.ask,
            PriceBasis::ExitSide => self.bid,
        }
    }
}

fn middle(bid: Price, ask: Price) -> Price {
    Price((bid.0 + ask.0) / Decimal::TWO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(last: &str, bid: &str, ask: &str) -> Figures {
        let price = |text: &str| (!text.is_empty()).then(|| Price(text.parse().unwrap()));
        let quote =
            Quote { contract: "C".into(), last: price(last), bid: price(bid), ask: price(ask), at: None };
        Figures::default().with(&quote)
    }

    #[test]
    fn the_usable_price() {
        let price = |last, bid, ask| figures(last, bid, ask).valuation().map(|price| price.to_string());
        assert_eq!(price("100.25", "100", "100.5").as_deref(), Some("100.25"));
        assert_eq!(price("0", "100", "100.5").as_deref(), Some("100.25"));
        assert_eq!(price("99", "100", "100.5").as_deref(), Some("100.25"));
        assert_eq!(price("", "100", "100.5").as_deref(), Some("100.25"));
        assert_eq!(price("99", "", "").as_deref(), Some("99"));
        assert_eq!(price("", "", "100"), None);
    }

    #[test]
    fn each_basis_has_its_price_or_none() {
        let quote = figures("100.25", "100", "101");
        let price = |basis, held| quote.price(basis, Exposure(held)).map(|price| price.to_string());
        assert_eq!(price(PriceBasis::LastElseMid, 1).as_deref(), Some("100.25"));
        assert_eq!(price(PriceBasis::Mid, 1).as_deref(), Some("100.5"));
        assert_eq!(price(PriceBasis::ExitSide, 1).as_deref(), Some("100"));
        assert_eq!(price(PriceBasis::ExitSide, -1).as_deref(), Some("101"));
        assert_eq!(figures("100", "", "").price(PriceBasis::Mid, Exposure(1)), None);
        assert_eq!(figures("100", "", "101").price(PriceBasis::ExitSide, Exposure(1)), None);
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let zero = Quote {
            contract: "C".into(),
            last: Some(Price(Decimal::ZERO)),
            bid: None,
            ask: Some(Price(102.into())),
            at: None,
        };
        assert_eq!(figures("100", "100", "101").with(&zero), figures("100", "100", "102"));
    }
}

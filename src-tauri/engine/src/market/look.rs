//! One contract as a whole step sees it: found once, asked often. Changes nothing.

use domain::{Exposure, Instrument, Position, Price, rulebook::PriceBasis};

use super::{Listing, Worth};

/// What is known of one contract at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    /// `None`: nothing was ever heard of it.
    pub(super) listing: Option<&'a Listing>,
    /// No price of any contract is usable.
    pub(super) silent: bool,
}

impl<'a> Look<'a> {
    pub fn instrument(self) -> Option<&'a Instrument> {
        self.listing?.instrument.as_ref()
    }

    /// The usable price that values a position.
    pub fn price(self) -> Option<Price> {
        self.price_by(Exposure::FLAT, PriceBasis::LastElseMid)
    }

    /// The usable price that values an exposure by a basis.
    pub fn price_by(self, held: Exposure, basis: PriceBasis) -> Option<Price> {
        self.listing?.price(basis, held, self.silent)
    }

    /// Open result of a position of this contract by a basis, with how sure it is.
    pub fn worth(self, position: &Position, basis: PriceBasis) -> Worth {
        self.worth_of(position, position.exposure, basis)
    }

    /// The same for a part of the position.
    pub fn worth_of(self, position: &Position, part: Exposure, basis: PriceBasis) -> Worth {
        let unknown = || Worth::Unknown(position.contract.clone());
        let Some(listing) = self.listing else { return unknown() };
        let Some(instrument) = &listing.instrument else { return unknown() };
        let value = |price| instrument.value(part, position.average_price, price);
        match listing.price(basis, part, self.silent) {
            Some(price) => Worth::Live(value(price)),
            None => listing.bars.prices().map_or_else(unknown, |(newest, before)| Worth::Bars {
                newest: value(newest),
                before: before.map(value),
                missing: position.contract.clone(),
            }),
        }
    }
}

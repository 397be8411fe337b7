//! How far prices may move before a rule would say anything else than it just did. Too little room costs
//! time only; too much would cost a verdict.

use domain::{Exposure, Instrument, Price, Usd};
use rust_decimal::Decimal;

/// The prices of one contract between two that count.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    at: Price,
    above: Option<Price>,
    below: Option<Price>,
}

/// What is left to prices by all rules together, while nothing but prices and time changes.
#[derive(Debug)]
pub struct Room<'a> {
    /// Shares of a limit at which people are told, in percent.
    warn_at: &'a [u32],
    /// One for each position, in their order.
    bands: Vec<Band>,
    /// By how much all open results together must have changed before it counts; `None`: they don't.
    together: Option<Decimal>,
    /// By how much a single one must have.
    each: Option<Decimal>,
    /// Every price counts.
    is_closed: bool,
}

impl Band {
    /// Around the present price, without end.
    pub(crate) fn around(at: Price) -> Self {
        Self { at, above: None, below: None }
    }

    /// Ends the band before a price that counts.
    pub(crate) fn avoid(&mut self, mark: Price) {
        if mark <= self.at {
            self.above = self.above.max(Some(mark));
        }
        if mark >= self.at {
            self.below = Some(self.below.map_or(mark, |below| below.min(mark)));
        }
    }

    /// Whether a price says nothing new.
    pub(crate) fn holds(&self, price: Price) -> bool {
        let is_inside =
            self.above.is_none_or(|above| price > above) && self.below.is_none_or(|below| price < below);
        is_inside || price == self.at
    }
}

impl<'a> Room<'a> {
    pub(crate) fn new(bands: Vec<Band>, warn_at: &'a [u32]) -> Self {
        Self { warn_at, bands, together: None, each: None, is_closed: false }
    }

    /// Every price counts for a rule.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// The open results of all positions move this value towards a limit, or away from it.
    pub fn keep_together(&mut self, value: Option<Usd>, limit: Usd) {
        let Some(value) = value else { return self.close() };
        let step = self.to_next_mark(value, limit);
        self.together = Some(self.together.map_or(step, |known| known.min(step)));
    }

    /// The open result of one position is held against a limit.
    pub fn keep_each(&mut self, value: Option<Usd>, limit: Usd) {
        let Some(value) = value else { return self.close() };
        let step = self.to_next_mark(value, limit);
        self.each = Some(self.each.map_or(step, |known| known.min(step)));
    }

    /// The bands, one for each position, in their order.
    pub(crate) fn bands_mut(&mut self) -> impl Iterator<Item = &mut Band> {
        self.bands.iter_mut()
    }

    /// What is left to each contract; `None` when every price counts.
    pub(crate) fn into_bands(mut self, held: &[(Exposure, &Instrument)]) -> Option<Vec<Band>> {
        if self.is_closed {
            return None;
        }
        // Each position may use up its part of what all may change together.
        let part = self.together.map(|together| together / Decimal::from(held.len().max(1)));
        let Some(step) = [part, self.each].into_iter().flatten().min() else { return Some(self.bands) };
        for (band, (held, instrument)) in self.bands.iter_mut().zip(held) {
            let one_tick = instrument.tick_value.0 * Decimal::from(held.size().0);
            let reach = (step * instrument.tick_size).checked_div(one_tick)?;
            band.avoid(Price(band.at.0 - reach));
            band.avoid(Price(band.at.0 + reach));
        }
        Some(self.bands)
    }

    /// How far a value is from the next limit or level of a warning, on either side.
    fn to_next_mark(&self, value: Usd, limit: Usd) -> Decimal {
        let marks = self.warn_at.iter().map(|percent| limit.0 * Decimal::new(i64::from(*percent), 2));
        marks.chain([limit.0]).map(|mark| (mark - value.0).abs()).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        Price(text.parse().unwrap())
    }

    fn instrument() -> Instrument {
        Instrument {
            contract: "C".into(),
            symbol: "MNQ".into(),
            name: "MNQ".to_string(),
            tick_size: "0.25".parse().unwrap(),
            tick_value: Usd::from_cents(50),
            active: true,
        }
    }

    #[test]
    fn a_band_ends_before_the_nearest_price_that_counts() {
        let mut band = Band::around(price("100"));
        for mark in ["90", "95", "110", "120"] {
            band.avoid(price(mark));
        }
        let held: Vec<&str> = ["94.75", "95", "95.25", "109.75", "110"]
            .into_iter()
            .filter(|it| band.holds(price(it)))
            .collect();
        assert_eq!(held, ["95.25", "109.75"]);
        band.avoid(price("100"));
        assert!(band.holds(price("100")) && !band.holds(price("100.25")) && !band.holds(price("99.75")));
    }

    /// Two MNQ long are worth 4 dollars a point; half of what is left to two positions is 25 dollars.
    #[test]
    fn money_that_is_left_to_all_is_shared_between_the_positions() {
        let mut room = Room::new(vec![Band::around(price("21000")); 2], &[50]);
        room.keep_together(Some(Usd::from_cents(-20_000)), Usd::from_cents(-50_000));
        let instrument = instrument();
        let bands = room.into_bands(&[(Exposure(2), &instrument), (Exposure(-5), &instrument)]).unwrap();
        assert!(bands[0].holds(price("20994")) && !bands[0].holds(price("20993.75")));
        assert!(bands[1].holds(price("21002.25")) && !bands[1].holds(price("21002.50")));
    }

    #[test]
    fn a_value_that_is_not_known_leaves_no_room() {
        let mut room = Room::new(vec![Band::around(price("21000"))], &[]);
        room.keep_each(None, Usd::from_cents(-50_000));
        assert!(room.into_bands(&[(Exposure(1), &instrument())]).is_none());
    }
}

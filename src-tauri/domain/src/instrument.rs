//! What a contract is worth.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{ContractId, Exposure, Price, Symbol, Usd};

/// One tradable contract with the broker's own metadata (gateway reference 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// The contract.
    pub contract: ContractId,
    /// The root people speak of.
    pub symbol: Symbol,
    /// Short name, such as `MNQU6`.
    pub name: String,
    /// Smallest price step; above zero.
    pub tick_size: Decimal,
    /// Dollars per tick and contract; above zero.
    pub tick_value: Usd,
    /// Whether the contract is the tradable one of its product.
    pub active: bool,
}

impl Instrument {
    /// Result in dollars of holding `exposure` from `entry` to `now`: positive is a gain.
    ///
    /// `(now - entry) / tick size * tick value * signed size` (specification A.3), multiplied first so
    /// that nothing is rounded on the way.
    ///
    /// ```
    /// use domain::{Exposure, Instrument, Price, Usd};
    ///
    /// let mnq = Instrument {
    ///     contract: "CON.F.US.MNQ.Z26".into(),
    ///     symbol: "MNQ".into(),
    ///     name: "MNQZ6".to_string(),
    ///     tick_size: "0.25".parse()?,
    ///     tick_value: Usd::from_cents(50),
    ///     active: true,
    /// };
    /// let (entry, now) = (Price("21000.00".parse()?), Price("20970.00".parse()?));
    /// assert_eq!(mnq.value(Exposure(2), entry, now), Usd::from_cents(-120_00));
    /// assert_eq!(mnq.value(Exposure(-2), entry, now), Usd::from_cents(120_00), "the sign is the side's");
    /// // A stop for a long rounds up, so that it is never farther away than was asked for.
    /// assert_eq!(mnq.grid_above(Price("20997.625".parse()?)), Price("20997.75".parse()?));
    /// # Ok::<(), rust_decimal::Error>(())
    /// ```
    #[must_use]
    pub fn value(&self, exposure: Exposure, entry: Price, now: Price) -> Usd {
        let moved = (now.0 - entry.0) * self.tick_value.0 * Decimal::from(exposure.0);
        Usd(moved / self.tick_size)
    }

    /// The price this many ticks away; negative is below.
    #[must_use]
    pub fn ticks_away(&self, from: Price, ticks: i64) -> Price {
        Price(from.0 + self.tick_size * Decimal::from(ticks))
    }

    /// The nearest price of the grid at or above.
    #[must_use]
    pub fn grid_above(&self, price: Price) -> Price {
        Price((price.0 / self.tick_size).ceil() * self.tick_size)
    }

    /// The nearest price of the grid at or below.
    #[must_use]
    pub fn grid_below(&self, price: Price) -> Price {
        Price((price.0 / self.tick_size).floor() * self.tick_size)
    }

    /// Whether a price lies on the tick grid.
    #[must_use]
    pub fn is_on_grid(&self, price: Price) -> bool {
        (price.0 % self.tick_size).is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::products;

    fn check(symbol: &str, exposure: i64, entry: &str, now: &str, expected: &str) {
        let product = products::find(symbol).unwrap();
        let instrument = Instrument {
            contract: "C".into(),
            symbol: symbol.into(),
            name: symbol.to_string(),
            tick_size: product.tick_size,
            tick_value: Usd(product.tick_value),
            active: true,
        };
        let price = |text: &str| Price(text.parse().unwrap());
        let value = instrument.value(Exposure(exposure), price(entry), price(now));
        assert_eq!(value.to_string(), expected, "{symbol} {exposure} {entry} -> {now}");
    }

    #[test]
    fn prices_are_brought_to_the_grid() {
        let instrument = Instrument {
            contract: "C".into(),
            symbol: "MNQ".into(),
            name: "MNQ".to_string(),
            tick_size: "0.25".parse().unwrap(),
            tick_value: Usd::from_cents(50),
            active: true,
        };
        let price = |text: &str| Price(text.parse().unwrap());
        let raw = price("20997.625");
        assert_eq!(instrument.grid_above(raw), price("20997.75"));
        assert_eq!(instrument.grid_below(raw), price("20997.50"));
        assert_eq!(instrument.grid_above(price("20997.50")), price("20997.50"));
        assert_eq!(instrument.ticks_away(price("21000"), -10), price("20997.50"));
    }

    /// The reference vectors of specification A.3.
    #[test]
    fn reference_vectors() {
        check("MNQ", 2, "21000.00", "20970.00", "-120.00");
        check("MNQ", 2, "21000.00", "21050.00", "200.00");
        check("ES", 1, "6000.00", "6010.00", "500.00");
        check("ES", -1, "5800.00", "5790.00", "500.00");
        check("ES", 1, "5000.00", "5002.50", "125.00");
        check("MNQ", 1, "21000.00", "21002.50", "5.00");
        check("MNQ", 2, "25900.00", "25898.25", "-7.00");
        check("MNQ", 1, "25897.75", "25898.25", "1.00");
        check("NQ", 1, "26232.50", "26231.50", "-20.00");
        check("MES", -4, "6000.00", "5990.00", "200.00");
    }
}

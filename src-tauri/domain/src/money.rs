//! Exact quantities. Decimal arithmetic throughout; comparison is exact, rounding is for display only
//! (specification A.3, rulings 3).

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign},
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A price in the quote unit of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[serde(transparent)]
pub struct Price(pub Decimal);

/// US dollars, exact. Losses are negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[serde(transparent)]
pub struct Usd(pub Decimal);

/// A number of contracts without direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Contracts(pub u32);

/// A signed number of contracts: long is positive, short is negative, zero is flat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Exposure(pub i64);

impl Usd {
    /// No money.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Whole cents, for tables and tests.
    #[must_use]
    pub fn from_cents(cents: i64) -> Self {
        Self(Decimal::new(cents, 2))
    }

    /// The amount without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Rounded to whole cents, half away from zero: for display and for stored columns only. A limit is
    /// compared with the exact amount, because ticks of Treasury futures are fractions of a cent.
    ///
    /// ```
    /// use domain::Usd;
    ///
    /// let (result, limit) = (Usd("-499.996".parse()?), Usd::from_cents(-500_00));
    /// assert_eq!(result.rounded().to_string(), "-500.00");
    /// assert!(result > limit, "shown as the limit, and not yet there");
    /// # Ok::<(), rust_decimal::Error>(())
    /// ```
    #[must_use]
    pub fn rounded(self) -> Decimal {
        let mut cents =
            self.0.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        cents.rescale(2);
        cents
    }
}

impl Contracts {
    /// No contracts.
    pub const ZERO: Self = Self(0);

    /// The difference, never below zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Exposure {
    /// Flat.
    pub const FLAT: Self = Self(0);

    /// Size without direction.
    #[must_use]
    pub fn size(self) -> Contracts {
        Contracts(u32::try_from(self.0.unsigned_abs()).unwrap_or(u32::MAX))
    }

    /// Nothing held.
    #[must_use]
    pub fn is_flat(self) -> bool {
        self.0 == 0
    }

    /// The same direction (both long, both short or both flat).
    #[must_use]
    pub fn same_side(self, other: Self) -> bool {
        self.0.signum() == other.0.signum()
    }

    /// This direction with another size.
    #[must_use]
    pub fn resized(self, size: Contracts) -> Self {
        Self(self.0.signum() * i64::from(size.0))
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for Usd {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Neg for Usd {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Mul<i64> for Usd {
    type Output = Self;
    fn mul(self, times: i64) -> Self {
        Self(self.0 * Decimal::from(times))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Add for Contracts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Contracts {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::ZERO, Add::add)
    }
}

impl Add for Exposure {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Neg for Exposure {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rounded().fmt(f)
    }
}

impl fmt::Display for Contracts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_rounded_for_display_only() {
        let eighth = Usd(Decimal::new(-15_625, 3));
        assert_eq!(eighth.to_string(), "-15.63");
        assert_eq!((eighth + eighth).to_string(), "-31.25");
        assert_eq!(Usd::ZERO.to_string(), "0.00");
    }

    #[test]
    fn exposure_keeps_its_direction_when_resized() {
        assert_eq!(Exposure(-6).resized(Contracts(5)), Exposure(-5));
        assert_eq!(Exposure(3).resized(Contracts(0)), Exposure::FLAT);
        assert!(!Exposure(1).same_side(Exposure(-1)));
    }
}

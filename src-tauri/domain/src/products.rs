//! Known futures products: roots, the vendor's names for them, tick sizes, tick values, fees.
//!
//! A cross-check and a help for spelling, never the source of a verdict: the broker's own metadata
//! comes first, and a product in neither is *unknown* (specification A.2, L-21, L-74). The figures are
//! data with a source and a date: `data/products.json`.

use std::sync::LazyLock;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::Symbol;

/// One product of the table.
#[derive(Clone, Debug, Deserialize)]
pub struct Product {
    /// The exchange's root, as people say it: `ES`.
    pub symbol: Symbol,
    /// The vendor's root inside contract ids: `EP`.
    pub vendor_root: String,
    /// Plain name.
    pub name: String,
    /// Smallest price step.
    pub tick_size: Decimal,
    /// Dollars per tick and contract.
    pub tick_value: Decimal,
    /// Exchange and clearing fees per contract and side in dollars, where captured.
    pub fees: Option<Decimal>,
    /// Commissions per contract and side in dollars, where captured.
    pub commissions: Option<Decimal>,
}

#[derive(Deserialize)]
struct Table {
    products: Vec<Product>,
}

static TABLE: LazyLock<Vec<Product>> = LazyLock::new(|| {
    serde_json::from_str::<Table>(include_str!("../data/products.json"))
        .map(|table| table.products)
        .unwrap_or_default()
});

/// All known products.
#[must_use]
pub fn all() -> &'static [Product] {
    &TABLE
}

/// The product of a root, by either name, in any case: `NQ` and `ENQ` are the same product.
#[must_use]
pub fn find(root: &str) -> Option<&'static Product> {
    by_symbol(root).or_else(|| by_vendor_root(root))
}

/// The product with this exchange root.
#[must_use]
pub fn by_symbol(symbol: &str) -> Option<&'static Product> {
    TABLE.iter().find(|product| product.symbol.as_str().eq_ignore_ascii_case(symbol))
}

/// The product with this vendor root. `NQM` is E-mini crude, not a Nasdaq contract.
#[must_use]
pub fn by_vendor_root(root: &str) -> Option<&'static Product> {
    TABLE.iter().find(|product| product.vendor_root.eq_ignore_ascii_case(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_has_no_double_names() {
        assert_eq!(all().len(), 52);
        for (index, product) in all().iter().enumerate() {
            assert!(product.tick_size > Decimal::ZERO && product.tick_value > Decimal::ZERO);
            for other in &all()[index + 1..] {
                assert_ne!(product.symbol, other.symbol);
                assert_ne!(product.vendor_root, other.vendor_root);
            }
        }
    }

    #[test]
    fn vendor_roots_are_not_guessed() {
        assert_eq!(find("EP").unwrap().symbol.as_str(), "ES");
        assert_eq!(find("enq").unwrap().symbol.as_str(), "NQ");
        assert_eq!(find("MNQ").unwrap().symbol.as_str(), "MNQ");
        assert_eq!(find("NQM").unwrap().symbol.as_str(), "QM");
        assert!(find("XYZ").is_none());
    }
}

//! Contract ids, names and the roots people speak of (gateway reference 5, specification A.2).
//!
//! A symbol comes from the table of known vendor roots or from the contract's own `name`: `EP` is ES, and
//! `NQM` is crude oil. Facts arrive without the name and cannot wait for it: those about a product that is
//! not in the table carry the vendor's root, which is then taken for nothing but itself.

use domain::{Instrument, Symbol, Usd, products};
use rust_decimal::Decimal;

use crate::{normalise::Fault, wire::model};

/// The vendor's root inside a contract id: `EP` of `CON.F.US.EP.Z26`.
#[must_use]
pub fn vendor_root(contract: &str) -> Option<&str> {
    parts(contract).map(|(root, _)| root)
}

/// The root that facts about a contract carry, known without asking: from the table of products, and for
/// a product that is not in it the vendor's own root.
#[must_use]
pub fn root(contract: &str) -> Symbol {
    let vendor = vendor_root(contract).unwrap_or(contract);
    products::by_vendor_root(vendor).map_or_else(|| Symbol::new(vendor), |product| product.symbol.clone())
}

/// What a contract is worth, in the broker's own figures. A difference from the table of known products
/// is logged; the broker wins.
///
/// # Errors
/// An id or a name of another form, a tick size or a tick value that is not above zero.
pub fn instrument(row: &model::Contract) -> Result<Instrument, Fault> {
    let above_zero = |field, number: Decimal| {
        Some(number)
            .filter(|number| *number > Decimal::ZERO)
            .ok_or_else(|| Fault::value(field, number, "must be above zero"))
    };
    let instrument = Instrument {
        contract: row.id.as_str().into(),
        symbol: symbol(&row.id, &row.name)?,
        name: row.name.clone(),
        tick_size: above_zero("tickSize", row.tick_size.0)?,
        tick_value: Usd(above_zero("tickValue", row.tick_value.0)?),
        active: row.active_contract,
    };
    compare_with_table(&instrument);
    Ok(instrument)
}

fn symbol(contract: &str, name: &str) -> Result<Symbol, Fault> {
    let (root, expiry) = parts(contract)
        .ok_or_else(|| Fault::value("id", contract, "not of the form CON.F.US.<root>.<month><year>"))?;
    match products::by_vendor_root(root) {
        Some(product) => Ok(product.symbol.clone()),
        None => root_of_name(name, expiry)
            .map(Symbol::new)
            .ok_or_else(|| Fault::value("name", name, format!("does not end in the expiry {expiry}"))),
    }
}

/// Vendor root and expiry (`Z26`).
fn parts(contract: &str) -> Option<(&str, &str)> {
    let mut parts = contract.split('.');
    let (con, kind, _country) = (parts.next()?, parts.next()?, parts.next()?);
    let (root, expiry) = (parts.next()?, parts.next()?);
    (con == "CON" && kind == "F" && !root.is_empty() && parts.next().is_none()).then_some((root, expiry))
}

/// The name without month and year. Names carry one or two digits of the year, so the id's own expiry
/// tells what to take away: `6EU6` is 6E in September, not `6EU` in a month `6`.
fn root_of_name<'n>(name: &'n str, expiry: &str) -> Option<&'n str> {
    let mut characters = expiry.chars();
    let month = characters.next().filter(|month| "FGHJKMNQUVXZ".contains(*month))?;
    let year = characters.as_str();
    let without_year = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[without_year.len()..];
    let root = without_year.strip_suffix(month)?;
    (!digits.is_empty() && (year.ends_with(digits) || digits.ends_with(year)) && !root.is_empty())
        .then_some(root)
}

fn compare_with_table(instrument: &Instrument) {
    let Some(product) = products::by_symbol(instrument.symbol.as_str()) else { return };
    if product.tick_size != instrument.tick_size || product.tick_value != instrument.tick_value.0 {
        tracing::warn!(
            contract = %instrument.contract,
            tick_size = %instrument.tick_size,
            tick_value = %instrument.tick_value.0,
            table_tick_size = %product.tick_size,
            table_tick_value = %product.tick_value,
            "the broker's contract figures differ from the table; the broker's are used",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Number;

    fn row(id: &str, name: &str, tick_size: &str, tick_value: &str) -> model::Contract {
        let number = |text: &str| Number(text.parse().unwrap());
        model::Contract {
            id: id.into(),
            name: name.into(),
            description: String::new(),
            tick_size: number(tick_size),
            tick_value: number(tick_value),
            active_contract: true,
            symbol_id: String::new(),
        }
    }

    fn check(id: &str, name: &str, expected: Option<&str>) {
        let symbol = instrument(&row(id, name, "0.25", "12.5")).ok().map(|known| known.symbol);
        assert_eq!(symbol, expected.map(Symbol::new), "{id} {name}");
    }

    #[test]
    fn known_vendor_roots_are_translated_whatever_the_name() {
        check("CON.F.US.EP.Z26", "ESZ6", Some("ES"));
        check("CON.F.US.ENQ.U26", "NQU6", Some("NQ"));
        check("CON.F.US.MNQ.U26", "MNQU6", Some("MNQ"));
        check("CON.F.US.NQM.V26", "QMV6", Some("QM"));
        check("CON.F.US.EU6.U26", "6EU6", Some("6E"));
        check("CON.F.US.GMET.Q26", "anything", Some("MET"));
    }

    #[test]
    fn facts_carry_the_symbol_of_the_table_or_else_the_vendors_root() {
        for (contract, expected) in [
            ("CON.F.US.EP.Z26", "ES"),
            ("CON.F.US.ENQ.U26", "NQ"),
            ("CON.F.US.NQM.V26", "QM"),
            ("CON.F.US.XYE.U26", "XYE"),
            ("odd", "odd"),
        ] {
            assert_eq!(root(contract), Symbol::new(expected));
        }
    }

    #[test]
    fn unknown_vendor_roots_are_read_from_the_name_or_not_at_all() {
        check("CON.F.US.XYE.U26", "XYU6", Some("XY"));
        check("CON.F.US.X2K.U26", "X2KU26", Some("X2K"));
        check("CON.F.US.X6E.U26", "6XU6", Some("6X"));
        check("CON.F.US.XYE.U26", "XYZ6", None);
        check("CON.F.US.XYE.U26", "XYU7", None);
        check("CON.F.US.XYE.U26", "U6", None);
        check("CON.F.US.XYE.U26", "XY", None);
        check("CON.F.US.XYE", "XYU6", None);
        check("F.US.EP", "ESU6", None);
    }

    #[test]
    fn ticks_must_be_above_zero_and_the_broker_wins_over_the_table() {
        for (size, value) in [("0", "12.5"), ("0.25", "0"), ("-0.25", "12.5")] {
            assert!(instrument(&row("CON.F.US.EP.Z26", "ESZ6", size, value)).is_err());
        }
        let odd = instrument(&row("CON.F.US.EP.Z26", "ESZ6", "0.5", "25")).unwrap();
        assert_eq!((odd.tick_size.to_string(), odd.tick_value.to_string()), ("0.5".into(), "25.00".into()));
    }
}

//! The contracts that can be traded: a front month per product, derived from the start date, and the
//! expired month before it (gateway reference 5, 9.10). Knows no prices but the opening ones.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, TimeDelta};
use domain::{Instant, Instrument, Usd, products, products::Product};
use projectx::wire::{Number, model};
use rust_decimal::Decimal;
use serde::Deserialize;

/// Month codes, January first.
const MONTHS: &str = "FGHJKMNQUVXZ";

/// Months looked at when the front is sought: more than the longest gap in any cycle.
const MONTHS_AHEAD: u32 = 24;

/// A contract's place in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ContractIndex(pub usize);

/// One contract.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub instrument: Instrument,
    /// Such as `MNQU26`.
    pub display_name: String,
    /// Such as `Micro E-mini Nasdaq-100: September 2026`.
    pub description: String,
    /// Such as `F.US.MNQ`.
    pub symbol_id: String,
    /// Price at which the market opens.
    pub opening: Decimal,
    /// Per contract and side, in dollars.
    pub fees: Decimal,
    /// Per contract and side, in dollars.
    pub commissions: Decimal,
}

/// All contracts: the fronts first, in the order of the product table, then the expired ones.
#[derive(Debug)]
pub(super) struct Catalogue {
    listings: Vec<Listing>,
}

impl Catalogue {
    pub(super) fn new(start: Instant) -> Self {
        let date = start.date_naive();
        let markets: Vec<(&OpeningMarket, &Product)> = MARKETS
            .iter()
            .filter_map(|market| Some((market, products::by_symbol(&market.symbol)?)))
            .collect();
        let fronts = markets
            .iter()
            .filter_map(|(market, product)| Some(market.listing(product, market.front(date)?, true)));
        let expired = markets.iter().filter_map(|(market, product)| {
            Some(market.listing(product, market.before(market.front(date)?)?, false))
        });
        Self { listings: fronts.chain(expired).collect() }
    }

    pub(super) fn listing(&self, index: ContractIndex) -> &Listing {
        &self.listings[index.0]
    }

    pub(super) fn all(&self) -> &[Listing] {
        &self.listings
    }

    pub(super) fn find(&self, contract_id: &str) -> Option<ContractIndex> {
        self.position(|listing| listing.instrument.contract.as_str() == contract_id)
    }

    /// The front of a root, by the exchange's or the vendor's name.
    pub(super) fn front(&self, root: &str) -> Option<ContractIndex> {
        let symbol = &products::find(root)?.symbol;
        self.position(|listing| listing.instrument.active && listing.instrument.symbol == *symbol)
    }

    pub(super) fn fronts(&self) -> impl Iterator<Item = &Listing> {
        self.listings.iter().filter(|listing| listing.instrument.active)
    }

    /// Fronts whose id or name contains the text, the exact root first (ruling 38).
    pub(super) fn search(&self, text: &str) -> Vec<&Listing> {
        let text = text.to_ascii_uppercase();
        let mut found: Vec<&Listing> = self
            .fronts()
            .filter(|listing| {
                listing.instrument.contract.as_str().contains(&text)
                    || listing.instrument.name.contains(&text)
            })
            .collect();
        found.sort_by_key(|listing| {
            let exact = listing.instrument.symbol.as_str() == text;
            let vendor = listing.symbol_id.rsplit('.').next() == Some(text.as_str());
            (!exact, !vendor)
        });
        found
    }

    fn position(&self, wanted: impl Fn(&Listing) -> bool) -> Option<ContractIndex> {
        self.listings.iter().position(wanted).map(ContractIndex)
    }
}

impl Listing {
    pub(super) fn wire(&self) -> model::Contract {
        model::Contract {
            id: self.instrument.contract.to_string(),
            name: self.instrument.name.clone(),
            description: self.description.clone(),
            tick_size: Number(self.instrument.tick_size),
            tick_value: Number(self.instrument.tick_value.0),
            active_contract: self.instrument.active,
            symbol_id: self.symbol_id.clone(),
        }
    }

    pub(super) fn tick(&self) -> Decimal {
        self.instrument.tick_size
    }
}

/// One row of the opening data.
#[derive(Debug, Deserialize)]
struct OpeningMarket {
    symbol: String,
    price: Decimal,
    cycle: String,
    roll_days: i64,
    fees: Option<Decimal>,
    commissions: Option<Decimal>,
}

#[derive(Deserialize)]
struct OpeningMarkets {
    markets: Vec<OpeningMarket>,
}

static MARKETS: LazyLock<Vec<OpeningMarket>> = LazyLock::new(|| {
    serde_json::from_str::<OpeningMarkets>(include_str!("../../data/markets.json"))
        .map(|table| table.markets)
        .unwrap_or_default()
});

/// A contract month, as its first day.
type Month = NaiveDate;

impl OpeningMarket {
    /// The first month of the cycle that has not rolled yet.
    fn front(&self, date: NaiveDate) -> Option<Month> {
        let this_month = date.with_day(1)?;
        (0..MONTHS_AHEAD)
            .filter_map(|ahead| this_month.checked_add_months(chrono::Months::new(ahead)))
            .find(|month| self.trades(*month) && date < *month + TimeDelta::days(self.roll_days))
    }

    fn before(&self, front: Month) -> Option<Month> {
        (1..MONTHS_AHEAD)
            .filter_map(|back| front.checked_sub_months(chrono::Months::new(back)))
            .find(|month| self.trades(*month))
    }

    fn trades(&self, month: Month) -> bool {
        self.cycle.contains(code(month))
    }

    fn listing(&self, product: &Product, month: Month, active: bool) -> Listing {
        let (symbol, root) = (&product.symbol, &product.vendor_root);
        let (code, year) = (code(month), month.year() % 100);
        let contract = format!("CON.F.US.{root}.{code}{year:02}");
        Listing {
            instrument: Instrument {
                contract: contract.into(),
                symbol: symbol.clone(),
                name: format!("{symbol}{code}{}", year % 10),
                tick_size: product.tick_size,
                tick_value: Usd(product.tick_value),
                active,
            },
            display_name: format!("{symbol}{code}{year:02}"),
            description: format!("{}: {}", product.name, month.format("%B %Y")),
            symbol_id: format!("F.US.{root}"),
            opening: self.price,
            fees: product.fees.or(self.fees).unwrap_or_default(),
            commissions: product.commissions.or(self.commissions).unwrap_or_default(),
        }
    }
}

fn code(month: Month) -> char {
    MONTHS.chars().nth(month.month0() as usize).unwrap_or('F')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(date: &str) -> Catalogue {
        Catalogue::new(format!("{date}T12:00:00Z").parse().unwrap())
    }

    fn front_of(catalogue: &Catalogue, symbol: &str) -> String {
        let index = catalogue.front(symbol).unwrap();
        catalogue.listing(index).instrument.contract.to_string()
    }

    /// The fronts of the capture of 19 and 20 August 2026 (gateway reference 5.2).
    #[test]
    fn fronts_are_those_of_the_capture() {
        for date in ["2026-08-19", "2026-08-20"] {
            let catalogue = catalogue(date);
            let month = |symbol: &str| front_of(&catalogue, symbol).rsplit('.').next().unwrap().to_string();
            for (expected, symbols) in [
                ("U26", "ES MES NQ MNQ RTY M2K YM MYM NKD 6E E7 M6E 6B M6B 6A M6A 6C 6J 6S 6M 6N"),
                ("U26", "ZT ZF ZN TN ZB UB HG MHG SI SIL NG QG MNG"),
                ("V26", "CL MCL QM HO RB PL LE HE"),
                ("Z26", "GC MGC ZC ZW ZM ZL"),
                ("X26", "ZS"),
                ("Q26", "MBT MET"),
            ] {
                for symbol in symbols.split(' ') {
                    assert_eq!(month(symbol), expected, "{symbol} on {date}");
                }
            }
            assert_eq!(catalogue.fronts().count(), 51);
        }
    }

    #[test]
    fn contracts_are_described_as_the_gateway_does() {
        let catalogue = catalogue("2026-06-20");
        let contract = catalogue.listing(catalogue.front("MNQ").unwrap());
        let text = serde_json::to_string(&contract.wire()).unwrap();
        assert_eq!(
            text,
            r#"{"id":"CON.F.US.MNQ.U26","name":"MNQU6","description":"Micro E-mini Nasdaq-100: September 2026","tickSize":0.25,"tickValue":0.5,"activeContract":true,"symbolId":"F.US.MNQ"}"#
        );
        assert_eq!(contract.display_name, "MNQU26");
        assert_eq!(front_of(&catalogue, "ES"), "CON.F.US.EP.U26");
        assert_eq!(front_of(&catalogue, "ENQ"), "CON.F.US.ENQ.U26");
    }

    #[test]
    fn fronts_roll_and_the_old_month_stays_known_as_inactive() {
        assert_eq!(front_of(&catalogue("2026-12-10"), "MNQ"), "CON.F.US.MNQ.Z26");
        let after = catalogue("2026-12-11");
        assert_eq!(front_of(&after, "MNQ"), "CON.F.US.MNQ.H27");
        let expired = after.find("CON.F.US.MNQ.Z26").unwrap();
        assert!(!after.listing(expired).instrument.active);
    }

    #[test]
    fn search_finds_ids_and_names_and_puts_the_exact_root_first() {
        let catalogue = catalogue("2026-08-20");
        let names = |text: &str| -> Vec<String> {
            catalogue.search(text).iter().map(|listing| listing.instrument.name.clone()).collect()
        };
        let found = names("nq");
        assert_eq!(found[0], "NQU6");
        for name in ["MNQU6", "QMV6", "QGU6"] {
            assert!(found.contains(&name.to_string()), "{name} in {found:?}");
        }
        assert_eq!(names("Nasdaq"), Vec::<String>::new(), "descriptions are not searched");
    }

    #[test]
    fn every_market_opens_on_its_grid() {
        for listing in catalogue("2026-08-20").fronts() {
            assert!(
                listing.instrument.is_on_grid(domain::Price(listing.opening)),
                "{}",
                listing.instrument.name
            );
            assert!(listing.fees > Decimal::ZERO && listing.commissions > Decimal::ZERO);
        }
    }
}

//! The day's results as the fills themselves tell them, by the average-price method: a cross-check of the
//! broker's figures, and their substitute while the broker has given none (specification A.3, C.7, L-25).
//! The broker's figure always wins; where the fills and the position tell different stories, nothing is
//! claimed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    Action, ContractId, Contracts, EventKind, Exposure, Fill, Instant, Notice, Price, Severity, Snapshot,
    TradeId, Usd,
};
use rust_decimal::Decimal;

use crate::{account::AccountState, facts::FRESH, judge::Court, kinds::Kinds};

/// A larger difference for one fill is told (specification C.7).
const CENT: Usd = Usd(Decimal::from_parts(1, 0, 0, false, 2));
/// A larger difference of the whole day is told to people.
const DOLLAR: Usd = Usd(Decimal::ONE);
/// A closing fill without a result may get one from the broker within this time; then its own counts.
const RESULT_WITHIN: TimeDelta = TimeDelta::seconds(2);

const NEWS: &[EventKind] = &[EventKind::TradeExecuted, EventKind::StateReconciled, EventKind::SessionTick];

/// What the day's fills add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Averages {
    /// Where contracts stood when the day's first fill came; flat where nothing is said.
    openings: BTreeMap<ContractId, Stand>,
    /// Where they stand by the fills.
    stands: BTreeMap<ContractId, Stand>,
    /// Fills whose difference was told.
    told: BTreeSet<TradeId>,
    /// When a fill without a result is counted by its own.
    pub due: Option<Instant>,
    /// Metadata arrived.
    pub stale: bool,
}

/// What is held by the fills, and at which average; an average that is not known stays so until flat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stand {
    held: Exposure,
    average: Option<Price>,
}

/// What one fill closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Closed {
    size: Contracts,
    /// Price points times contracts, positive for a gain; `None` where the average was not known.
    points: Option<Decimal>,
}

impl Stand {
    /// Scaling in weighs the average, scaling out keeps it, a flip closes the old and opens the rest.
    fn apply(&mut self, fill: &Fill) -> Closed {
        let change = Exposure(fill.side.sign() * i64::from(fill.size.0));
        let (old, new) = (self.held, self.held + change);
        self.held = new;
        if !fill.side.reduces(old) {
            let weighed = self.average.filter(|_| !old.is_flat()).map(|average| {
                let (known, added) = (Decimal::from(old.size().0), Decimal::from(fill.size.0));
                Price((average.0 * known + fill.price.0 * added) / (known + added))
            });
            self.average = if old.is_flat() { Some(fill.price) } else { weighed };
            return Closed::default();
        }
        let size = old.size().min(fill.size);
        let signed = Decimal::from(old.resized(size).0);
        let points = self.average.map(|average| (fill.price.0 - average.0) * signed);
        if !new.same_side(old) {
            self.average = (!new.is_flat()).then_some(fill.price);
        }
        Closed { size, points }
    }
}

/// A fill of the day with when it was heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub fill: Fill,
    pub at: Instant,
}

impl AccountState {
    /// Adds up the day anew where it changed. True if a result of its own now counts, or no longer does.
    pub(crate) fn settle_results(&mut self, kinds: Kinds, court: &mut Court<'_>) -> bool {
        let due = self.averages.due.is_some_and(|at| at <= court.now);
        let stale = std::mem::take(&mut self.averages.stale);
        if !due && !stale && !kinds.touches(Kinds::of(NEWS)) {
            return false;
        }
        self.averages.due = None;
        let mut own = BTreeMap::new();
        for (contract, fills) in self.ledger.by_contract() {
            own.extend(self.settle_contract(&contract, &fills, court));
        }
        self.ledger.count_own(own)
    }

    /// The results of its own that count for one contract.
    fn settle_contract(
        &mut self,
        contract: &ContractId,
        fills: &[Heard],
        court: &mut Court<'_>,
    ) -> Vec<(TradeId, Usd)> {
        let mut stand = self.averages.openings.get(contract).copied().unwrap_or_default();
        let closed: Vec<Closed> = fills.iter().map(|heard| stand.apply(&heard.fill)).collect();
        self.averages.stands.insert(contract.clone(), stand);
        let Some(instrument) = court.market.instrument(contract) else { return Vec::new() };
        let value = |points: Decimal| Usd(points * instrument.tick_value.0 / instrument.tick_size);
        // A result where nothing was closed: a fill is missing, and no figure after it is right.
        let contradicted = |(heard, closed): (&Heard, &Closed)| {
            closed.size == Contracts::ZERO && heard.fill.pnl.is_some_and(|pnl| pnl != Usd::ZERO)
        };
        if fills.iter().zip(&closed).any(contradicted) {
            return Vec::new();
        }
        let agrees = self.disagree_since.is_none() && self.exposure(contract) == stand.held;
        let mut counts = Vec::new();
        for (heard, closed) in fills.iter().zip(closed) {
            let Some(own) = closed.points.filter(|_| closed.size > Contracts::ZERO).map(value) else {
                continue;
            };
            match heard.fill.pnl {
                Some(brokers) => self.compare_result(&heard.fill, brokers, own, court),
                None if court.now < heard.at + RESULT_WITHIN || !agrees => {
                    let again = (heard.at + RESULT_WITHIN).max(court.now + RESULT_WITHIN);
                    self.averages.due = Some(self.averages.due.map_or(again, |due| due.min(again)));
                }
                None => counts.push((heard.fill.id.clone(), own)),
            }
        }
        counts
    }

    fn compare_result(&mut self, fill: &Fill, brokers: Usd, own: Usd, court: &mut Court<'_>) {
        if (brokers - own).abs() > CENT && self.averages.told.insert(fill.id.clone()) {
            let (fill, contract) = (fill.id.clone(), fill.contract.clone());
            let notice = Notice::ResultDiffers { fill, contract, brokers, own };
            self.alert(Severity::Info, notice, court.out);
        }
    }

    /// Positions and fills were read as a whole: where contracts stood before the day's first fill
    /// follows from both.
    pub(crate) fn reopen_results(&mut self) {
        let by_contract = self.ledger.by_contract();
        let held = self.positions.keys().filter(|contract| !by_contract.contains_key(*contract));
        let mut openings = BTreeMap::new();
        for contract in by_contract.keys().chain(held) {
            let fills = by_contract.get(contract).map(Vec::as_slice).unwrap_or_default();
            let traded = fills.iter().fold(Exposure::FLAT, |sum, heard| {
                sum + Exposure(heard.fill.side.sign() * i64::from(heard.fill.size.0))
            });
            let opening = self.exposure(contract) + -traded;
            let known = self.averages.openings.get(contract).filter(|known| known.held == opening);
            let untouched = self.positions.get(contract).filter(|_| fills.is_empty());
            let average = known
                .and_then(|known| known.average)
                .or_else(|| untouched.map(|holding| holding.position.average_price));
            openings.insert(contract.clone(), Stand { held: opening, average });
        }
        self.averages.openings = openings;
    }

    /// Holds a reading of the whole day against what was known of it (specification C.7). The broker's
    /// figures win; a fill that the reading leaves out counts on, because a list that was cut short must
    /// not lift a limit.
    pub(crate) fn compare_day(&mut self, snapshot: &Snapshot, out: &mut Vec<Action>) {
        let (known, brokers) = self.ledger.compare(&snapshot.fills, snapshot.asked_at - FRESH);
        let difference = known - brokers;
        if std::mem::replace(&mut self.differed, difference) != difference && difference.abs() > DOLLAR {
            self.alert(Severity::Warning, Notice::DayDiffers { known, brokers }, out);
        }
    }

    /// A new trading day begins where the old one ended.
    pub(crate) fn carry_results(&mut self) {
        let Averages { openings, stands, told, .. } = &mut self.averages;
        openings.append(stands);
        openings.retain(|_, stand| !stand.held.is_flat());
        told.clear();
    }
}

#[cfg(test)]
mod tests {
    use domain::{Instrument, OrderSide, products};

    use super::*;

    /// Applies fills like `+2 21000` (bought two) and tells each closed result in dollars.
    fn results(symbol: &str, fills: &[(i64, &str)]) -> Vec<String> {
        let product = products::by_symbol(symbol).unwrap();
        let instrument = Instrument {
            contract: "C".into(),
            symbol: symbol.into(),
            name: symbol.to_string(),
            tick_size: product.tick_size,
            tick_value: Usd(product.tick_value),
            active: true,
        };
        let mut stand = Stand::default();
        let mut told = Vec::new();
        for (change, price) in fills {
            let side = if *change > 0 { OrderSide::Buy } else { OrderSide::Sell };
            let size = Contracts(u32::try_from(change.abs()).unwrap());
            let fill = Fill {
                id: "1".into(),
                order: "1".into(),
                account: "1".into(),
                contract: "C".into(),
                symbol: symbol.into(),
                side,
                size,
                price: Price(price.parse().unwrap()),
                pnl: None,
                fees: Usd::ZERO,
                commissions: None,
                voided: false,
                at: Instant::default(),
            };
            let closed = stand.apply(&fill);
            if closed.size > Contracts::ZERO {
                let points = closed.points.unwrap();
                let value = Usd(points * instrument.tick_value.0 / instrument.tick_size);
                told.push(format!("{} for {value}", closed.size));
            }
        }
        let average = stand.average.map_or_else(String::new, |price| format!(" @ {}", price.0.normalize()));
        told.push(format!("{}{average}", stand.held.0));
        told
    }

    /// The reference vectors of specification A.3, as closing fills.
    #[test]
    fn reference_vectors() {
        let closed =
            |symbol, size: i64, entry, exit| results(symbol, &[(size, entry), (-size, exit)])[0].clone();
        assert_eq!(closed("MNQ", 2, "21000", "20970"), "2 for -120.00");
        assert_eq!(closed("MNQ", 2, "21000", "21050"), "2 for 200.00");
        assert_eq!(closed("ES", 1, "6000", "6010"), "1 for 500.00");
        assert_eq!(closed("ES", -1, "5800", "5790"), "1 for 500.00");
        assert_eq!(closed("ES", 1, "5000", "5002.50"), "1 for 125.00");
        assert_eq!(closed("MNQ", 1, "21000", "21002.50"), "1 for 5.00");
        assert_eq!(closed("MNQ", 2, "25900", "25898.25"), "2 for -7.00");
        assert_eq!(closed("MNQ", 1, "25897.75", "25898.25"), "1 for 1.00");
        assert_eq!(closed("NQ", 1, "26232.50", "26231.50"), "1 for -20.00");
        assert_eq!(closed("MES", -4, "6000", "5990"), "4 for 200.00");
    }

    #[test]
    fn scaling_in_weighs_the_average_and_scaling_out_keeps_it() {
        assert_eq!(
            results("MNQ", &[(1, "21000"), (1, "20960"), (-1, "20970"), (-1, "20930")]),
            ["1 for -20.00", "1 for -100.00", "0"]
        );
        assert_eq!(
            results("MNQ", &[(1, "21000"), (1, "21000.25"), (-1, "21000")]),
            ["1 for -0.25", "1 @ 21000.125"]
        );
    }

    #[test]
    fn a_flip_closes_the_old_and_opens_the_rest() {
        assert_eq!(
            results("MNQ", &[(2, "21000"), (-3, "20990"), (1, "20980")]),
            ["2 for -40.00", "1 for 20.00", "0"]
        );
    }
}

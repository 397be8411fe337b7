//! The day's results as the fills themselves tell them, by the average-price method: a cross-check of the
//! broker's figures, and their substitute while the broker has given none (specification A.3, C.7, L-25).
//! The broker's figure always wins; where the fills and the position tell different stories, nothing is
//! claimed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    Action, ContractId, Contracts, EventKind, Exposure, Fill, Instant, Instrument, Notice, Price, Severity,
    Snapshot, TradeId, Usd,
};
use rust_decimal::Decimal;

use crate::{
    account::AccountState,
    facts::FRESH,
    judge::Court,
    kinds::Kinds,
    ledger::{Entry, Latest},
};

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
    /// Contracts of which no figure can be told, because a fill is missing or was undone.
    doubtful: BTreeSet<ContractId>,
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

impl Closed {
    /// A result where nothing was closed, or none where something was: where contracts stood is not known.
    fn contradicts(self, entry: &Entry) -> bool {
        match entry.known.fill.pnl {
            Some(pnl) => self.size == Contracts::ZERO && pnl != Usd::ZERO,
            None => entry.opened && self.points.is_some_and(|points| !points.is_zero()),
        }
    }

    fn value(self, instrument: &Instrument) -> Option<Usd> {
        let points = self.points.filter(|_| self.size > Contracts::ZERO)?;
        Some(Usd(points * instrument.tick_value.0 / instrument.tick_size))
    }
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

/// What the day's fills of one contract come to.
#[derive(Debug, Default)]
struct Settled {
    stand: Stand,
    /// A fill is missing or was undone: no figure after it is right.
    doubtful: bool,
    /// Results of its own that count.
    counts: Vec<(TradeId, Usd)>,
    /// Fills with the broker's result, where its own is another.
    differ: Vec<(TradeId, Usd, Usd)>,
    /// When a fill without a result is looked at again.
    due: Option<Instant>,
}

impl AccountState {
    /// Adds up the day anew where it changed. True if a result of its own now counts, or no longer does.
    pub(crate) fn settle_results(&mut self, kinds: Kinds, court: &mut Court<'_>) -> bool {
        let due = self.averages.due.is_some_and(|at| at <= court.now);
        let stale = std::mem::take(&mut self.averages.stale);
        if !due && !stale && !kinds.touches(Kinds::of(NEWS)) {
            return false;
        }
        let latest = self.ledger.take_latest();
        let only_fills = !due
            && !stale
            && kinds.touches(Kinds::of(&[EventKind::TradeExecuted]))
            && !kinds.touches(Kinds::of(&[EventKind::StateReconciled, EventKind::SessionTick]));
        let in_order = only_fills && self.averages.due.is_none() && !self.ledger.counts_own();
        match latest {
            Latest::Appended(fills) if in_order && self.settle_latest(&fills, court) => false,
            Latest::Appended(_) | Latest::Anything => self.settle_day(court),
        }
    }

    /// Goes on from where the contracts stood: the short way for fills that came after all others and
    /// leave no question open. False where the whole day must be looked through.
    fn settle_latest(&mut self, fills: &[TradeId], court: &mut Court<'_>) -> bool {
        for id in fills {
            let Some(entry) = self.ledger.entry(id) else { return false };
            let fill = &entry.known.fill;
            let contract = fill.contract.clone();
            let Averages { stands, openings, doubtful, .. } = &self.averages;
            let Some(instrument) = court.market.instrument(&contract) else { return false };
            let mut stand = stands.get(&contract).or(openings.get(&contract)).copied().unwrap_or_default();
            let closed = stand.apply(fill);
            if doubtful.contains(&contract) || closed.contradicts(entry) {
                return false;
            }
            let mut differ = Vec::new();
            match (closed.value(instrument), fill.pnl) {
                (Some(own), Some(brokers)) if (brokers - own).abs() > CENT => {
                    differ.push((id.clone(), brokers, own));
                }
                (Some(_), None) => return false,
                (Some(_), Some(_)) | (None, _) => {}
            }
            self.tell_differences(&contract, differ, court);
            self.averages.stands.insert(contract, stand);
        }
        true
    }

    fn settle_day(&mut self, court: &mut Court<'_>) -> bool {
        // Nobody says what the venue did with the position of a trade that it undid.
        let undone = self.ledger.fills().map(|known| &known.fill).filter(|fill| fill.voided);
        self.averages.doubtful = undone.map(|fill| fill.contract.clone()).collect();
        let by_contract = self.ledger.by_contract();
        let settled: Vec<(ContractId, Settled)> = by_contract
            .iter()
            .map(|(contract, fills)| ((*contract).clone(), self.settle_contract(contract, fills, court)))
            .collect();
        self.averages.due = settled.iter().filter_map(|(_, settled)| settled.due).min();
        // A contract whose only fills were undone is none of them.
        self.averages.stands.clear();
        let mut own = BTreeMap::new();
        for (contract, Settled { stand, doubtful, counts, differ, .. }) in settled {
            if doubtful {
                self.averages.doubtful.insert(contract.clone());
            }
            self.tell_differences(&contract, differ, court);
            self.averages.stands.insert(contract, stand);
            own.extend(counts);
        }
        self.ledger.count_own(own)
    }

    fn settle_contract(&self, contract: &ContractId, fills: &[&Entry], court: &Court<'_>) -> Settled {
        let mut stand = self.averages.openings.get(contract).copied().unwrap_or_default();
        let closed: Vec<Closed> = fills.iter().map(|entry| stand.apply(&entry.known.fill)).collect();
        let contradicted = fills.iter().zip(&closed).any(|(entry, closed)| closed.contradicts(entry));
        let doubtful = contradicted || self.averages.doubtful.contains(contract);
        let mut settled = Settled { stand, doubtful, ..Settled::default() };
        let Some(instrument) = court.market.instrument(contract).filter(|_| !settled.doubtful) else {
            return settled;
        };
        let agrees = self.disagree_since.is_none() && self.exposure(contract) == stand.held;
        for (entry, closed) in fills.iter().zip(closed) {
            let Some(own) = closed.value(instrument) else { continue };
            let (id, counts_at) = (&entry.known.fill.id, entry.heard + RESULT_WITHIN);
            match entry.known.fill.pnl {
                Some(brokers) if (brokers - own).abs() > CENT => {
                    settled.differ.push((id.clone(), brokers, own));
                }
                Some(_) => {}
                None if court.now < counts_at || !agrees => {
                    let again = counts_at.max(court.now + RESULT_WITHIN);
                    settled.due = Some(settled.due.map_or(again, |due| due.min(again)));
                }
                None => settled.counts.push((id.clone(), own)),
            }
        }
        settled
    }

    fn tell_differences(
        &mut self,
        contract: &ContractId,
        differ: Vec<(TradeId, Usd, Usd)>,
        court: &mut Court<'_>,
    ) {
        for (fill, brokers, own) in differ {
            if self.averages.told.insert(fill.clone()) {
                let notice = Notice::ResultDiffers { fill, contract: contract.clone(), brokers, own };
                self.alert(Severity::Info, notice, court.out);
            }
        }
    }

    /// Positions and fills were read as a whole and nothing newer is known of them: where contracts stood
    /// before the day's first fill follows from both.
    pub(crate) fn reopen_results(&mut self) {
        let by_contract = self.ledger.by_contract();
        let held = self.positions.keys().filter(|contract| !by_contract.contains_key(*contract));
        let mut openings = BTreeMap::new();
        for contract in by_contract.keys().copied().chain(held) {
            let fills = by_contract.get(contract).map(Vec::as_slice).unwrap_or_default();
            let traded = fills
                .iter()
                .map(|entry| &entry.known.fill)
                .fold(Exposure::FLAT, |sum, fill| sum + Exposure(fill.side.sign() * i64::from(fill.size.0)));
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
mod short_way;

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

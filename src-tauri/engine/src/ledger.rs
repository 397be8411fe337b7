//! The trading day's fills and what they add up to. A sum over distinct trade ids, so neither order nor
//! repetition of deliveries matters (specification C.7, L-14, L-15). Written by the state step only.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    ContractId, Contracts, DailyReset, Fill, Instant, OrderId, TradeId, TradingDay, Usd, memory::DayFigures,
    memory::KnownFill, products,
};

use crate::averages::Heard;

/// Two tellings of one execution differ by less than this.
const SAME_INSTANT: TimeDelta = TimeDelta::milliseconds(1);

/// Fills from before the trading day that are kept: the longest rolling window of RULE-006.
pub(crate) const KEPT_BEFORE: TimeDelta = TimeDelta::hours(1);

/// A trading day as it runs: from one reset to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its label.
    pub label: TradingDay,
    /// The reset that began it.
    pub began: Instant,
    /// The reset that ends it.
    pub ends: Instant,
}

/// Fills of the current trading day, of the hour before it, and later ones that belong to the next.
#[derive(Clone, Debug)]
pub struct Ledger {
    day: Day,
    reset: DailyReset,
    fills: BTreeMap<TradeId, Entry>,
    /// Results of closing fills for which the broker has given none.
    own: BTreeMap<TradeId, Usd>,
    totals: Totals,
}

#[derive(Clone, Debug)]
struct Entry {
    known: KnownFill,
    /// When it was first heard of; long ago where it was remembered.
    heard: Instant,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    realized: Usd,
    costs: Usd,
    wins: u32,
    losses: u32,
    estimated: u32,
}

/// What a delivery of a fill meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// Known already, or from long before the day.
    Nothing,
    /// Not known before.
    New,
    /// Known, but voided or otherwise corrected since.
    Corrected,
}

impl Day {
    fn at(reset: &DailyReset, now: Instant) -> Self {
        let began = reset.last_until(now);
        let ends = reset.ends(began, now);
        Self { label: reset.label(ends), began, ends }
    }

    /// The day after this one.
    pub(crate) fn next(self, reset: &DailyReset) -> Self {
        let ends = reset.ends(self.ends, self.ends);
        let after = TradingDay(self.label.0.succ_opt().unwrap_or(self.label.0));
        Self { label: reset.label(ends).max(after), began: self.ends, ends }
    }
}

impl Ledger {
    /// An empty ledger of the trading day at `now`.
    #[must_use]
    pub fn new(reset: DailyReset, now: Instant) -> Self {
        let day = Day::at(&reset, now);
        Self { day, reset, fills: BTreeMap::new(), own: BTreeMap::new(), totals: Totals::default() }
    }

    /// Which day it is about.
    #[must_use]
    pub fn day(&self) -> TradingDay {
        self.day.label
    }

    /// When that day began and when it ends.
    #[must_use]
    pub fn span(&self) -> Day {
        self.day
    }

    /// Gross result of the day's closing fills.
    #[must_use]
    pub fn realized_gross(&self) -> Usd {
        self.totals.realized
    }

    /// Fees and commissions of the day, positive; opening half-turns count as well.
    #[must_use]
    pub fn costs(&self) -> Usd {
        self.totals.costs
    }

    /// The day's result as a limit judges it (ruling 3).
    #[must_use]
    pub fn realized(&self, include_fees: bool) -> Usd {
        if include_fees { self.totals.realized - self.totals.costs } else { self.totals.realized }
    }

    /// Whether some commissions come from the fee table.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        self.totals.estimated > 0
    }

    /// Distinct trader orders with at least one fill that counts.
    #[must_use]
    pub fn trades(&self) -> u32 {
        let mut orders: Vec<_> = self
            .of_day()
            .filter(|entry| !entry.known.own && !entry.known.fill.voided)
            .map(|entry| &entry.known.fill.order)
            .collect();
        orders.sort_unstable();
        orders.dedup();
        u32::try_from(orders.len()).unwrap_or(u32::MAX)
    }

    /// The day's figures.
    #[must_use]
    pub fn figures(&self) -> DayFigures {
        DayFigures {
            day: self.day.label,
            realized: self.totals.realized,
            fees: self.totals.costs,
            trades: self.trades(),
            wins: self.totals.wins,
            losses: self.totals.losses,
            estimated: self.is_estimated(),
        }
    }

    /// The fills of the day.
    pub fn fills(&self) -> impl Iterator<Item = &KnownFill> {
        self.of_day().map(|entry| &entry.known)
    }

    /// All fills that count and are kept, those of the hour before the day too, in the order of their
    /// times.
    #[must_use]
    pub fn in_order(&self) -> Vec<&KnownFill> {
        let mut fills: Vec<_> =
            self.fills.values().map(|entry| &entry.known).filter(|known| !known.fill.voided).collect();
        fills.sort_by_key(|known| (known.fill.at, &known.fill.id));
        fills
    }

    /// Contracts of an order that are told by fills, voided ones too.
    pub(crate) fn executed(&self, order: &OrderId) -> Contracts {
        let fills = self.fills.values().map(|entry| &entry.known.fill);
        fills.filter(|fill| fill.order == *order).map(|fill| fill.size).sum()
    }

    /// A fill with what is known of it.
    #[must_use]
    pub fn known(&self, id: &TradeId) -> Option<&KnownFill> {
        self.fills.get(id).map(|entry| &entry.known)
    }

    /// What a fill counts for: the broker's result, otherwise the one its own price gives.
    #[must_use]
    pub fn result_of(&self, fill: &Fill) -> Option<Usd> {
        fill.pnl.or_else(|| self.own.get(&fill.id).copied())
    }

    /// To which trading day an instant counts.
    #[must_use]
    pub fn day_of(&self, at: Instant) -> TradingDay {
        let Day { label, began, ends } = self.day;
        let told = self.reset.day_of(at);
        if at < began {
            told.min(TradingDay(label.0.pred_opt().unwrap_or(label.0)))
        } else if at < ends {
            label
        } else {
            told.max(TradingDay(label.0.succ_opt().unwrap_or(label.0)))
        }
    }

    /// Goes on with a day that was open before a restart.
    pub(crate) fn resume(&mut self, label: TradingDay, began: Option<Instant>) {
        let began = began.unwrap_or_else(|| self.reset.on(label.0.pred_opt().unwrap_or(label.0)));
        self.day = Day { label, began, ends: self.reset.ends(began, began) };
    }

    /// Another reset time: the day that runs ends at its next occurrence.
    pub(crate) fn reschedule(&mut self, reset: DailyReset, now: Instant) {
        self.reset = reset;
        self.day.ends = reset.ends(self.day.began, now);
        self.total();
    }

    /// Takes over a fill that was remembered from before a restart.
    pub(crate) fn restore(&mut self, known: KnownFill) {
        self.fills.insert(known.fill.id.clone(), Entry { known, heard: Instant::MIN_UTC });
        self.total();
    }

    /// Takes a delivery of a fill. A commission that the broker once named is kept when a later
    /// delivery lacks it (ruling 3).
    pub(crate) fn learn(&mut self, fill: &Fill, own: bool, locked: bool, now: Instant) -> Learned {
        if fill.at < self.day.began - KEPT_BEFORE && !self.fills.contains_key(&fill.id) {
            return Learned::Nothing;
        }
        let mut fill = fill.clone();
        let learned = match self.fills.get_mut(&fill.id) {
            Some(Entry { known, .. }) => {
                fill.commissions = fill.commissions.or(known.fill.commissions);
                // The same instant is told with different precision by stream and query.
                if (fill.at - known.fill.at).abs() < SAME_INSTANT {
                    fill.at = known.fill.at;
                }
                fill.pnl = fill.pnl.or(known.fill.pnl);
                if known.fill == fill {
                    return Learned::Nothing;
                }
                known.fill = fill;
                Learned::Corrected
            }
            None => {
                let id = fill.id.clone();
                self.fills.insert(id, Entry { known: KnownFill { fill, own, locked }, heard: now });
                Learned::New
            }
        };
        self.total();
        learned
    }

    /// Begins a trading day.
    pub(crate) fn roll(&mut self, day: Day) {
        self.day = day;
        self.fills.retain(|_, entry| entry.known.fill.at >= day.began - KEPT_BEFORE);
        self.own.clear();
        self.total();
    }

    /// The day's fills that count, by contract, in the order of their execution.
    pub(crate) fn by_contract(&self) -> BTreeMap<ContractId, Vec<Heard>> {
        let mut contracts: BTreeMap<ContractId, Vec<Heard>> = BTreeMap::new();
        for entry in self.of_day().filter(|entry| !entry.known.fill.voided) {
            let fill = entry.known.fill.clone();
            contracts.entry(fill.contract.clone()).or_default().push(Heard { fill, at: entry.heard });
        }
        for fills in contracts.values_mut() {
            // Ids are numbers that grow: of two in one instant, the shorter one is the earlier.
            fills.sort_by_cached_key(|it| (it.fill.at, it.fill.id.as_str().len(), it.fill.id.clone()));
        }
        contracts
    }

    /// Counts these results of its own, and no others; true if that changes anything.
    pub(crate) fn count_own(&mut self, own: BTreeMap<TradeId, Usd>) -> bool {
        if own == self.own {
            return false;
        }
        self.own = own;
        self.total();
        true
    }

    /// What is known of the fills that were known before, and what a reading of the whole day says of
    /// them. Results that the reading leaves out are kept; fills that it leaves out count on, unless they
    /// are older than `newest`: then they are a difference.
    pub(crate) fn compare(&self, read: &[Fill], newest: Instant) -> (Usd, Usd) {
        let counted = |fill: &Fill| if fill.voided { Usd::ZERO } else { fill.pnl.unwrap_or_default() };
        let (mut known, mut told) = (Usd::ZERO, Usd::ZERO);
        for entry in self.of_day() {
            let mine = &entry.known.fill;
            match read.iter().find(|fill| fill.id == mine.id) {
                Some(fill) => {
                    known += counted(mine);
                    told += counted(&Fill { pnl: fill.pnl.or(mine.pnl), ..fill.clone() });
                }
                None if entry.heard <= newest => known += counted(mine),
                None => {}
            }
        }
        (known, told)
    }

    fn of_day(&self) -> impl Iterator<Item = &Entry> {
        let Day { began, ends, .. } = self.day;
        self.fills.values().filter(move |entry| (began..ends).contains(&entry.known.fill.at))
    }

    fn total(&mut self) {
        let mut totals = Totals::default();
        for entry in self.of_day().filter(|entry| !entry.known.fill.voided) {
            let fill = &entry.known.fill;
            totals.add(fill, self.result_of(fill));
        }
        self.totals = totals;
    }
}

impl Totals {
    fn add(&mut self, fill: &Fill, result: Option<Usd>) {
        if let Some(pnl) = result {
            self.realized += pnl;
            self.wins += u32::from(pnl > Usd::ZERO);
            self.losses += u32::from(pnl < Usd::ZERO);
        }
        let commissions = fill.commissions.unwrap_or_else(|| {
            self.estimated += 1;
            table_commissions(fill)
        });
        self.costs += fill.fees + commissions;
    }
}

fn table_commissions(fill: &Fill) -> Usd {
    products::by_symbol(fill.symbol.as_str())
        .and_then(|product| product.commissions)
        .map_or(Usd::ZERO, |each| Usd(each) * i64::from(fill.size.0))
}

//! The trading day's fills and what they add up to. A sum over distinct trade ids, so neither order nor
//! repetition of deliveries matters (specification C.7, L-14, L-15). Written by the state step only.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    ContractId, Contracts, DailyReset, Fill, Instant, OrderId, TradeId, TradingDay, Usd, memory::DayFigures,
    memory::KnownFill, products,
};

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
    fills: BTreeMap<Place, Entry>,
    /// When each of them was executed.
    times: BTreeMap<TradeId, Instant>,
    /// Results of closing fills for which the broker has given none.
    own: BTreeMap<TradeId, Usd>,
    totals: Totals,
    latest: Latest,
}

/// What came since the day was last looked through.
#[derive(Clone, Debug)]
pub(crate) enum Latest {
    /// Only fills that stand behind all others.
    Appended(Vec<TradeId>),
    /// Anything else.
    Anything,
}

/// Where a fill stands among the others. Ids are numbers that grow: of two in one instant, the shorter one
/// is the earlier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: Instant,
    digits: usize,
    id: TradeId,
}

/// A fill with what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub known: KnownFill,
    /// When it was first heard of; long ago where it was remembered.
    pub heard: Instant,
    /// A list that was asked for well after it names no result: by the gateway's word it closed nothing
    /// (gateway reference 3.6).
    pub opened: bool,
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

impl Place {
    fn new(at: Instant, id: &TradeId) -> Self {
        Self { at, digits: id.as_str().len(), id: id.clone() }
    }
}

impl Day {
    fn at(reset: &DailyReset, now: Instant) -> Self {
        let began = reset.last_until(now);
        let ends = reset.ends(began, now);
        Self { label: reset.label(ends), began, ends }
    }

    fn has(self, at: Instant) -> bool {
        (self.began..self.ends).contains(&at)
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
        let (fills, times, own) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { day, reset, fills, times, own, totals: Totals::default(), latest: Latest::Anything }
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
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = &KnownFill> + Clone {
        self.fills.values().map(|entry| &entry.known).filter(|known| !known.fill.voided)
    }

    /// Contracts of an order that are told by fills, voided ones too.
    pub(crate) fn executed(&self, order: &OrderId) -> Contracts {
        let fills = self.fills.values().map(|entry| &entry.known.fill);
        fills.filter(|fill| fill.order == *order).map(|fill| fill.size).sum()
    }

    /// A fill with what is known of it.
    #[must_use]
    pub fn known(&self, id: &TradeId) -> Option<&KnownFill> {
        self.entry(id).map(|entry| &entry.known)
    }

    pub(crate) fn entry(&self, id: &TradeId) -> Option<&Entry> {
        self.fills.get(&Place::new(*self.times.get(id)?, id))
    }

    /// What a fill counts for: the broker's result, otherwise the one its own price gives.
    #[must_use]
    pub fn result_of(&self, fill: &Fill) -> Option<Usd> {
        fill.pnl.or_else(|| self.own.get(&fill.id).copied())
    }

    /// To which trading day an instant counts.
    #[must_use]
    pub fn day_of(&self, at: Instant) -> TradingDay {
        let Day { label, began, .. } = self.day;
        if self.day.has(at) {
            label
        } else if at < began {
            self.reset.day_of(at).min(TradingDay(label.0.pred_opt().unwrap_or(label.0)))
        } else {
            self.reset.day_of(at).max(TradingDay(label.0.succ_opt().unwrap_or(label.0)))
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
        self.insert(Entry { known, heard: Instant::MIN_UTC, opened: false });
        self.total();
    }

    /// Takes in a fill in place of what was known of it.
    fn insert(&mut self, entry: Entry) {
        let Fill { id, at, .. } = &entry.known.fill;
        let place = Place::new(*at, id);
        if let Some(before) = self.times.insert(id.clone(), *at) {
            self.fills.remove(&Place::new(before, id));
        }
        self.fills.insert(place, entry);
    }

    /// Takes a delivery of a fill. A commission that the broker once named is kept when a later
    /// delivery lacks it (ruling 3).
    pub(crate) fn learn(&mut self, fill: &Fill, own: bool, locked: bool, now: Instant) -> Learned {
        let Some(entry) = self.entry(&fill.id) else {
            return self.learn_new(Entry {
                known: KnownFill { fill: fill.clone(), own, locked },
                heard: now,
                opened: false,
            });
        };
        let known = &entry.known.fill;
        // The same instant is told with different precision by stream and query.
        let same = (fill.at - known.at).abs() < SAME_INSTANT;
        let fill = Fill {
            commissions: fill.commissions.or(known.commissions),
            at: if same { known.at } else { fill.at },
            pnl: fill.pnl.or(known.pnl),
            ..fill.clone()
        };
        if *known == fill {
            return Learned::Nothing;
        }
        let entry = Entry { known: KnownFill { fill, ..entry.known.clone() }, ..*entry };
        self.insert(entry);
        self.total();
        Learned::Corrected
    }

    fn learn_new(&mut self, entry: Entry) -> Learned {
        let fill = &entry.known.fill;
        if fill.at < self.day.began - KEPT_BEFORE {
            return Learned::Nothing;
        }
        let counts = !fill.voided && self.day.has(fill.at);
        if counts {
            self.totals.add(fill, self.result_of(fill));
        }
        let is_last = self.fills.keys().next_back().is_none_or(|last| *last < Place::new(fill.at, &fill.id));
        match &mut self.latest {
            Latest::Appended(fills) if counts && is_last => fills.push(fill.id.clone()),
            Latest::Appended(_) | Latest::Anything => self.latest = Latest::Anything,
        }
        self.insert(entry);
        Learned::New
    }

    /// A list that was asked for well after `settled` names these fills: those without a result up to then
    /// opened something.
    pub(crate) fn confirm(&mut self, read: &[Fill], settled: Instant) {
        for fill in read.iter().filter(|fill| fill.pnl.is_none() && fill.at <= settled) {
            let place = self.times.get(&fill.id).map(|at| Place::new(*at, &fill.id));
            if let Some(entry) = place.and_then(|place| self.fills.get_mut(&place)) {
                entry.opened = true;
            }
        }
    }

    /// Begins a trading day.
    pub(crate) fn roll(&mut self, day: Day) {
        self.day = day;
        self.fills.retain(|place, _| place.at >= day.began - KEPT_BEFORE);
        self.times.retain(|_, at| *at >= day.began - KEPT_BEFORE);
        self.own.clear();
        self.total();
    }

    /// The day's fills that count, by contract, in the order of their execution.
    pub(crate) fn by_contract(&self) -> BTreeMap<&ContractId, Vec<&Entry>> {
        let mut contracts: BTreeMap<&ContractId, Vec<&Entry>> = BTreeMap::new();
        for entry in self.of_day().filter(|entry| !entry.known.fill.voided) {
            contracts.entry(&entry.known.fill.contract).or_default().push(entry);
        }
        contracts
    }

    /// What came since this was last asked.
    pub(crate) fn take_latest(&mut self) -> Latest {
        std::mem::replace(&mut self.latest, Latest::Appended(Vec::new()))
    }

    /// Whether a result of its own counts.
    pub(crate) fn counts_own(&self) -> bool {
        !self.own.is_empty()
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
        self.fills.values().filter(|entry| self.day.has(entry.known.fill.at))
    }

    fn total(&mut self) {
        let mut totals = Totals::default();
        for entry in self.of_day().filter(|entry| !entry.known.fill.voided) {
            let fill = &entry.known.fill;
            totals.add(fill, self.result_of(fill));
        }
        self.totals = totals;
        self.latest = Latest::Anything;
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

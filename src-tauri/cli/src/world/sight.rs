//! What really is, as the simulator knows it, with what the laws need to know about its past: since when a
//! position is as large as it is, since when it has no stop, which executions were our own doing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Contracts, DailyReset, Exposure, Fill, Instant, Order, OrderId, OrderKind,
    Position, Price, Symbol, TradeId, TradingDay, Usd,
};
use rust_decimal::Decimal;
use simulator::Gateway;

use crate::{
    glance::{Glance, Stake, Sum},
    happening::Happening,
    traders::SYMBOLS,
};

/// How far back glances are kept: longer than any news takes, that of a sleep included.
const REMEMBERED: TimeDelta = TimeDelta::seconds(720);

/// Everything that is watched of the simulator.
#[derive(Debug)]
pub(crate) struct Sight {
    pub accounts: Vec<Seen>,
    reset: DailyReset,
    last_trade: i64,
    /// The newest order that is known to be somebody's.
    last_order: i64,
    own: BTreeSet<OrderId>,
    /// What contracts were worth of late.
    prices: BTreeMap<ContractId, VecDeque<(Instant, Price)>>,
}

/// One account.
#[derive(Debug)]
pub(crate) struct Seen {
    pub id: AccountId,
    pub number: i64,
    pub held: BTreeMap<ContractId, Held>,
    pub orders: BTreeMap<OrderId, Seeing>,
    /// Executions, oldest first, with whether they were our own.
    pub fills: BTreeMap<TradeId, (Fill, bool)>,
    pub days: BTreeMap<TradingDay, Sum>,
    pub glances: VecDeque<Glance>,
}

/// A position with its past.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub position: Position,
    /// When it last became larger, or turned.
    pub grown: Instant,
    /// Since when its working stops do not cover it.
    pub uncovered: Option<Instant>,
    /// Contracts that working stops cover.
    pub covered: Contracts,
    /// When some of its stops last lay beyond the price of the moment, or were too few: an engine may have
    /// seen it without complete stop then.
    pub doubtful: Option<Instant>,
}

/// An order with its past.
#[derive(Clone, Debug)]
pub(crate) struct Seeing {
    pub order: Order,
    /// Since when it would open or enlarge exposure, if it would.
    pub entry_since: Option<Instant>,
}

impl Sight {
    pub fn new(gateway: &Gateway, reset: DailyReset) -> Self {
        let accounts = gateway.account_ids().into_iter().map(Seen::new).collect();
        Self { accounts, reset, last_trade: 0, last_order: 0, own: BTreeSet::new(), prices: BTreeMap::new() }
    }

    pub fn account(&self, id: &AccountId) -> Option<&Seen> {
        self.accounts.iter().find(|seen| seen.id == *id)
    }

    pub fn is_own(&self, order: &OrderId) -> bool {
        self.own.contains(order)
    }

    /// The day to which an instant counts.
    pub fn day_of(&self, at: Instant) -> TradingDay {
        self.reset.day_of(at)
    }

    /// Looks again after something may have changed. `by_us`: one of our own requests was taken in, so that
    /// new orders are ours.
    pub fn refresh(&mut self, gateway: &Gateway, now: Instant, by_us: bool, happened: &mut Vec<Happening>) {
        let mut newest = self.last_order;
        let mut prices = BTreeMap::new();
        let mut truths = Vec::new();
        for seen in &self.accounts {
            let truth = gateway.truth(seen.number);
            for order in &truth.orders {
                let number = number_of(&order.id);
                if number > self.last_order && by_us {
                    self.own.insert(order.id.clone());
                }
                newest = newest.max(number);
            }
            truths.push(truth);
        }
        self.last_order = newest;
        let fills: Vec<Fill> = gateway.executions_after(self.last_trade).collect();
        for fill in fills {
            self.last_trade = self.last_trade.max(fill.id.as_str().parse().unwrap_or_default());
            let own = self.own.contains(&fill.order);
            let day = self.reset.day_of(fill.at);
            if let Some(seen) = self.accounts.iter_mut().find(|seen| seen.id == fill.account) {
                seen.take_fill(&fill, own, day);
                seen.pass(&fill, now);
            }
            happened.push(Happening::Filled { fill, own });
        }
        self.note_prices(gateway, now);
        let today = self.reset.day_of(now);
        for (seen, truth) in self.accounts.iter_mut().zip(truths) {
            seen.take_truth(truth, now);
            seen.glance(gateway, now, today, &mut prices);
        }
    }

    /// What a contract was worth since a moment, the price of that moment included.
    pub fn prices_since(&self, contract: &ContractId, since: Instant) -> impl Iterator<Item = Price> {
        let prices = self.prices.get(contract);
        let begun = prices.and_then(|it| it.iter().rposition(|(at, _)| *at <= since)).unwrap_or(0);
        prices.into_iter().flat_map(move |it| it.iter().skip(begun)).map(|(_, price)| *price)
    }

    fn note_prices(&mut self, gateway: &Gateway, now: Instant) {
        let fronts = SYMBOLS.iter().filter_map(|symbol| gateway.front_contract(symbol)).map(ContractId::new);
        let held = self.accounts.iter().flat_map(|seen| seen.held.keys().cloned());
        for contract in fronts.chain(held.collect::<Vec<_>>()) {
            let Some(price) = usable(gateway.prices(contract.as_str())) else { continue };
            let known = self.prices.entry(contract).or_default();
            if known.back().is_none_or(|(_, last)| *last != price) {
                known.push_back((now, price));
            }
            while known.get(1).is_some_and(|(at, _)| *at < now - REMEMBERED) {
                known.pop_front();
            }
        }
    }

    /// An execution was undone by the venue.
    pub fn voided(&mut self, gateway: &Gateway, trade: i64) {
        let Some(fill) = gateway.execution(trade) else { return };
        let day = self.reset.day_of(fill.at);
        if let Some(seen) = self.accounts.iter_mut().find(|seen| seen.id == fill.account) {
            seen.void(&fill, day);
        }
    }
}

/// The number in an id of the simulator.
pub(crate) fn number_of(order: &OrderId) -> i64 {
    order.as_str().parse().unwrap_or_default()
}

impl Seen {
    fn new(number: i64) -> Self {
        Self {
            id: number.into(),
            number,
            held: BTreeMap::new(),
            orders: BTreeMap::new(),
            fills: BTreeMap::new(),
            days: BTreeMap::new(),
            glances: VecDeque::new(),
        }
    }

    pub fn exposure(&self, contract: &ContractId) -> Exposure {
        self.held.get(contract).map_or(Exposure::FLAT, |held| held.position.exposure)
    }

    /// What the executions of a day add up to.
    pub fn sum(&self, day: TradingDay) -> Sum {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// Whether something was so at any moment of the last while.
    pub fn was(&self, since: Instant, so: impl FnMut(&Glance) -> bool) -> bool {
        self.glances_since(since).any(so)
    }

    /// The most of each contract that was held at any moment, added up.
    pub fn most_of(&self, since: Instant, symbol: Option<&Symbol>) -> u32 {
        let mut most: BTreeMap<&ContractId, u32> = BTreeMap::new();
        for stake in self.glances_since(since).flat_map(|glance| &glance.stakes) {
            if symbol.is_none_or(|it| *it == stake.symbol) {
                let known = most.entry(&stake.contract).or_default();
                *known = stake.exposure.size().0.max(*known);
            }
        }
        most.into_values().sum()
    }

    /// The moments since then, that of then included.
    pub fn glances_since(&self, since: Instant) -> impl Iterator<Item = &Glance> {
        let begun = self.glances.iter().rposition(|glance| glance.at <= since).unwrap_or(0);
        self.glances.iter().skip(begun)
    }

    fn take_fill(&mut self, fill: &Fill, own: bool, day: TradingDay) {
        self.days.entry(day).or_default().add(fill, 1);
        self.fills.insert(fill.id.clone(), (fill.clone(), own));
    }

    /// A moment between two executions, which nobody but the broker's stream tells of.
    fn pass(&mut self, fill: &Fill, now: Instant) {
        let Some(last) = self.glances.back() else { return };
        let mut stakes = last.stakes.clone();
        let change = Exposure(fill.side.sign() * i64::from(fill.size.0));
        match stakes.iter_mut().find(|stake| stake.contract == fill.contract) {
            Some(stake) => stake.change(change, fill.price),
            None => stakes.push(Stake {
                contract: fill.contract.clone(),
                symbol: fill.symbol.clone(),
                exposure: change,
                average: fill.price,
            }),
        }
        stakes.retain(|stake| !stake.exposure.is_flat());
        let mut sum = last.sum;
        sum.add(fill, 1);
        self.glances.push_back(Glance { at: now, stakes, sum, open: None });
    }

    fn void(&mut self, fill: &Fill, day: TradingDay) {
        if let Some((known, _)) = self.fills.get_mut(&fill.id)
            && !known.voided
        {
            known.voided = true;
            self.days.entry(day).or_default().add(fill, -1);
        }
    }

    fn take_truth(&mut self, truth: simulator::Truth, now: Instant) {
        let before = std::mem::take(&mut self.held);
        for position in truth.positions {
            let covered = coverage(&position, None, truth.orders.iter());
            let is_covered = covered >= position.exposure.size();
            let known = before.get(&position.contract).filter(|known| {
                known.position.id == position.id && known.position.exposure.same_side(position.exposure)
            });
            let grown = known
                .filter(|known| known.position.exposure.size() >= position.exposure.size())
                .map_or(now, |known| known.grown);
            let uncovered = known.and_then(|known| known.uncovered).unwrap_or(now);
            let uncovered = (!is_covered).then_some(uncovered);
            let doubtful = known.and_then(|known| known.doubtful);
            let held = Held { position, grown, uncovered, covered, doubtful };
            self.held.insert(held.position.contract.clone(), held);
        }
        let before = std::mem::take(&mut self.orders);
        for order in truth.orders {
            let is_entry = self.is_entry(&order);
            let since = before.get(&order.id).and_then(|known| known.entry_since).unwrap_or(now);
            let entry_since = is_entry.then_some(since);
            self.orders.insert(order.id.clone(), Seeing { order, entry_since });
        }
    }

    /// Whether an order works and would open or enlarge exposure: market orders are filling already.
    fn is_entry(&self, order: &Order) -> bool {
        let held = self.exposure(&order.contract);
        order.status.covers()
            && order.kind != OrderKind::Market
            && (!order.side.reduces(held) || order.remaining() > held.size())
    }

    fn glance(
        &mut self,
        gateway: &Gateway,
        now: Instant,
        today: TradingDay,
        prices: &mut BTreeMap<ContractId, Option<Price>>,
    ) {
        let sum = self.sum(today);
        let mut open = Some(Usd::ZERO);
        let mut stakes = Vec::new();
        for held in self.held.values_mut() {
            let position = &held.position;
            stakes.push(Stake {
                contract: position.contract.clone(),
                symbol: position.symbol.clone(),
                exposure: position.exposure,
                average: position.average_price,
            });
            let price = *prices
                .entry(position.contract.clone())
                .or_insert_with(|| usable(gateway.prices(position.contract.as_str())));
            let worth = gateway.instrument(&position.contract).zip(price).map(|(instrument, price)| {
                instrument.value(position.exposure, position.average_price, price)
            });
            open = open.zip(worth).map(|(open, worth)| open + worth);
            let orders = self.orders.values().map(|seeing| &seeing.order);
            if coverage(position, price, orders) < position.exposure.size() {
                held.doubtful = Some(now);
            }
        }
        let same = self
            .glances
            .back()
            .is_some_and(|last| last.sum == sum && last.open == open && last.stakes == stakes);
        if same {
            return;
        }
        self.glances.push_back(Glance { at: now, stakes, sum, open });
        while self.glances.get(1).is_some_and(|second| second.at < now - REMEMBERED) {
            self.glances.pop_front();
        }
    }
}

/// Contracts of a position that its working stops cover; with a price, only those on its loss side.
fn coverage<'a>(
    position: &Position,
    price: Option<Price>,
    orders: impl Iterator<Item = &'a Order>,
) -> Contracts {
    let on_loss_side = |order: &Order| match (price, order.stop_price) {
        (Some(price), Some(stop)) if position.exposure.0 > 0 => stop <= price,
        (Some(price), Some(stop)) => stop >= price,
        (None, _) | (_, None) => true,
    };
    let stops = orders.filter(|order| {
        order.contract == position.contract
            && order.kind.is_stop()
            && order.status.covers()
            && order.side.reduces(position.exposure)
            && on_loss_side(order)
    });
    let covered: Contracts = stops.map(Order::remaining).sum();
    covered.min(position.exposure.size())
}

/// The price that values a position: the last one inside bid and ask, otherwise their middle
/// (specification A.3).
pub(crate) fn usable(prices: Option<(Decimal, Decimal, Decimal)>) -> Option<Price> {
    let (last, bid, ask) = prices?;
    if last > Decimal::ZERO && (bid..=ask).contains(&last) {
        return Some(Price(last));
    }
    (bid <= ask).then_some(Price((bid + ask) / Decimal::TWO))
}

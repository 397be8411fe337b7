//! Prices: one book per contract, moved by hand, by a scenario or by a seeded walk, and what subscribers
//! see of it. Fills nothing; it says when prices changed.

pub(super) mod bars;
mod depth;
mod walk;

pub(super) use walk::pace;

use chrono::TimeDelta;
use domain::Instant;
use projectx::wire::{Number, code::OrderSide, model};
use rand::rngs::StdRng;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    Gateway,
    catalogue::{ContractIndex, Listing},
    events::without_nulls,
    hub::Topic,
    matching::Occasion,
    schedule::Task,
    stamp::{self, Precision},
};
use crate::settings::Market;
use bars::Bars;
use walk::Walk;

/// A manual market that nobody moves says so often how it stands: quiet, but alive. Well below the 30 s of
/// silence after which a client has to doubt the hub (gateway reference 7.5).
const REPEAT_AFTER: TimeDelta = TimeDelta::seconds(5);

/// New prices of a contract; what is left out stays, or follows `last`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteUpdate {
    /// Best bid; one tick below a new `last` when left out.
    pub bid: Option<Decimal>,
    /// Best ask; one tick above a new `last` when left out.
    pub ask: Option<Decimal>,
    /// Last trade price.
    pub last: Option<Decimal>,
}

impl QuoteUpdate {
    /// Of what is given, what is a price.
    fn prices(self) -> Self {
        let price = |given: Option<Decimal>| given.filter(|price| *price > Decimal::ZERO);
        Self { bid: price(self.bid), ask: price(self.ask), last: price(self.last) }
    }
}

/// The market of one contract.
#[derive(Debug)]
pub(super) struct Book {
    pub last: Decimal,
    pub bid: Decimal,
    pub ask: Decimal,
    tick: Decimal,
    open: Decimal,
    high: Decimal,
    low: Decimal,
    volume: i64,
    pub bars: Bars,
    walk: Walk,
    /// Whether somebody is interested: it walks by itself from then on, or says again how it stands.
    watched: bool,
    /// When its prices were last told.
    told: Instant,
}

impl Book {
    pub(super) fn new(start: Instant, listing: &Listing, rng: StdRng) -> Self {
        let (last, tick) = (listing.opening, listing.tick());
        let mut bars = Bars::default();
        bars.record(start, last, 0);
        Self {
            last,
            bid: last - tick,
            ask: last + tick,
            tick,
            open: last,
            high: last,
            low: last,
            volume: 0,
            bars,
            walk: Walk::new(rng, last, tick),
            watched: false,
            told: start,
        }
    }

    /// The other side of the book: what a market order of this side gets.
    pub(super) fn best_for(&self, side: OrderSide) -> Decimal {
        match side {
            OrderSide::Bid => self.ask,
            OrderSide::Ask => self.bid,
        }
    }

    /// The side of the book that an order of this side joins.
    pub(super) fn own_best(&self, side: OrderSide) -> Decimal {
        match side {
            OrderSide::Bid => self.bid,
            OrderSide::Ask => self.ask,
        }
    }

    /// Takes new prices and returns the quote of what changed. What is no price, zero or below, is said as it
    /// is and counts for nothing else.
    fn apply(&mut self, now: Instant, update: QuoteUpdate, volume: i64) -> model::Quote {
        let before = (self.last, self.bid, self.ask, self.high, self.low);
        let QuoteUpdate { bid, ask, last } = update.prices();
        if let Some(last) = last {
            self.last = last;
            self.bid = bid.unwrap_or(last - self.tick);
            self.ask = ask.unwrap_or(last + self.tick);
            self.record_last(now, last, volume);
        } else {
            self.bid = bid.unwrap_or(self.bid);
            self.ask = ask.unwrap_or(self.ask);
        }
        let said = |given: Option<Decimal>| given.filter(|price| *price <= Decimal::ZERO).map(Number);
        let changed = |now: Decimal, before: Decimal| (now != before).then_some(Number(now));
        let last = changed(self.last, before.0);
        model::Quote {
            last_price: said(update.last).or(last),
            best_bid: said(update.bid).or(changed(self.bid, before.1)),
            best_ask: said(update.ask).or(changed(self.ask, before.2)),
            change: last.map(|_| self.change()),
            change_percent: last.map(|_| self.change_percent()),
            high: changed(self.high, before.3),
            low: changed(self.low, before.4),
            volume: update.last.map(|_| Number(self.volume.into())),
            ..model::Quote::default()
        }
    }

    /// The first price that trades opens the market: what the data file opened it with is forgotten.
    fn record_last(&mut self, now: Instant, last: Decimal, volume: i64) {
        if self.volume == 0 {
            (self.open, self.high, self.low) = (last, last, last);
            self.bars = Bars::default();
        }
        self.high = self.high.max(last);
        self.low = self.low.min(last);
        self.volume += volume;
        self.bars.record(now, last, volume);
    }

    fn standing(&self) -> model::Quote {
        model::Quote {
            last_price: Some(Number(self.last)),
            best_bid: Some(Number(self.bid)),
            best_ask: Some(Number(self.ask)),
            ..model::Quote::default()
        }
    }

    fn full(&self) -> model::Quote {
        model::Quote {
            change: Some(self.change()),
            change_percent: Some(self.change_percent()),
            open: Some(Number(self.open)),
            high: Some(Number(self.high)),
            low: Some(Number(self.low)),
            volume: Some(Number(self.volume.into())),
            ..self.standing()
        }
    }

    fn change(&self) -> Number {
        Number(self.last - self.open)
    }

    /// As a fraction: the unit is not documented (gateway reference 8.6).
    fn change_percent(&self) -> Number {
        let fraction = (self.last - self.open).checked_div(self.open).unwrap_or_default();
        Number(fraction.round_dp(4))
    }
}

impl Gateway {
    /// Sets the prices of a contract, given by id or root: matches resting orders, then pushes the
    /// quote. Returns false for a contract nobody knows.
    pub fn post_quote(&mut self, now: Instant, contract: &str, update: QuoteUpdate) -> bool {
        self.run_until(now);
        let found = self.catalogue.find(contract).or_else(|| self.catalogue.front(contract));
        if let Some(index) = found {
            self.move_market(index, update, 1);
        }
        found.is_some()
    }

    /// Last, bid and ask of a contract, given by id or root.
    #[must_use]
    pub fn prices(&self, contract: &str) -> Option<(Decimal, Decimal, Decimal)> {
        let index = self.catalogue.find(contract).or_else(|| self.catalogue.front(contract))?;
        let book = &self.books[index.0];
        Some((book.last, book.bid, book.ask))
    }

    /// Smallest price step of a contract, given by id or root.
    #[must_use]
    pub fn tick_size(&self, contract: &str) -> Option<Decimal> {
        let index = self.catalogue.find(contract).or_else(|| self.catalogue.front(contract))?;
        Some(self.catalogue.listing(index).tick())
    }

    /// New prices: orders first, then quote, print and depth.
    fn move_market(&mut self, contract: ContractIndex, update: QuoteUpdate, volume: i64) {
        let before = (self.books[contract.0].bid, self.books[contract.0].ask);
        let quote = self.books[contract.0].apply(self.now, update, volume);
        self.books[contract.0].told = self.now;
        if !self.faults.market_closed {
            let printed = update.prices().last.is_some();
            self.match_contract(contract, if printed { Occasion::Printed } else { Occasion::Quoted });
        }
        self.push_quote(contract, quote);
        if let Some(last) = update.last {
            self.push_print(contract, last, volume);
        }
        self.push_depth(contract, before);
    }

    pub(super) fn quote_snapshot(&mut self, contract: ContractIndex) -> Option<(&'static str, Value)> {
        self.watch(contract);
        let root = &self.catalogue.listing(contract).instrument.symbol;
        let quote = model::Quote { symbol_name: Some(format!("/{root}")), ..self.books[contract.0].full() };
        Some(("GatewayQuote", self.quote_arguments(contract, quote)))
    }

    pub(super) fn depth_snapshot(&mut self, contract: ContractIndex) -> Option<(&'static str, Value)> {
        self.watch(contract);
        let rows =
            self.books[contract.0].depth_snapshot(&stamp::write(self.now, Precision::Hub), &mut self.paint);
        Some(("GatewayDepth", self.market_arguments(contract, &rows)))
    }

    /// Somebody is interested in a contract: its walk begins, or its standing quote is repeated.
    pub(super) fn watch(&mut self, contract: ContractIndex) {
        let pace = self.speed();
        let book = &mut self.books[contract.0];
        if book.watched || !self.catalogue.listing(contract).instrument.active {
            return;
        }
        match self.settings.market {
            Market::Walk => {
                book.watched = true;
                let pause = book.walk.pause(pace);
                self.plan_after(pause, Task::Step(contract));
            }
            Market::Manual => {
                book.watched = true;
                self.plan_after(REPEAT_AFTER, Task::Repeat(contract));
            }
            Market::Scenario => {}
        }
    }

    /// Tells once more how a contract stands, if that was not told for a while.
    pub(super) fn repeat_quote(&mut self, contract: ContractIndex) {
        let book = &self.books[contract.0];
        if book.told + REPEAT_AFTER <= self.now {
            let quote = book.standing();
            if !self.faults.market_closed {
                self.push_quote(contract, quote);
            }
            self.books[contract.0].told = self.now;
        }
        self.schedule.plan(self.books[contract.0].told + REPEAT_AFTER, Task::Repeat(contract));
    }

    /// One step of the walk.
    pub(super) fn step(&mut self, contract: ContractIndex) {
        let pace = self.speed();
        let book = &mut self.books[contract.0];
        let (update, volume) = book.walk.step(book.last);
        let pause = book.walk.pause(pace);
        self.plan_after(pause, Task::Step(contract));
        if !self.faults.market_closed {
            self.move_market(contract, update, volume);
        }
    }

    fn push_quote(&mut self, contract: ContractIndex, quote: model::Quote) {
        let topic = Topic::Quotes(contract);
        if self.hubs.listening(topic) {
            let id = self.catalogue.listing(contract).instrument.contract.to_string();
            let quote = model::Quote { contract: Some(id), ..quote };
            let arguments = self.quote_arguments(contract, quote);
            self.push(topic, "GatewayQuote", &arguments);
        }
    }

    fn push_print(&mut self, contract: ContractIndex, price: Decimal, volume: i64) {
        let topic = Topic::Prints(contract);
        if !self.hubs.listening(topic) {
            return;
        }
        let listing = self.catalogue.listing(contract);
        let side = if price >= self.books[contract.0].ask { OrderSide::Bid } else { OrderSide::Ask };
        let print = model::MarketTrade {
            symbol_id: listing.symbol_id.clone(),
            price: Number(price),
            timestamp: stamp::write(self.now, Precision::Hub),
            kind: side.code(),
            volume,
            contract_id: Some(listing.instrument.contract.to_string()),
        };
        let arguments = self.market_arguments(contract, &[print]);
        self.push(topic, "GatewayTrade", &arguments);
    }

    fn push_depth(&mut self, contract: ContractIndex, before: (Decimal, Decimal)) {
        let topic = Topic::Depth(contract);
        if self.hubs.listening(topic) {
            let at = stamp::write(self.now, Precision::Hub);
            let rows = self.books[contract.0].depth_update(before, &at, &mut self.paint);
            let arguments = self.market_arguments(contract, &rows);
            self.push(topic, "GatewayDepth", &arguments);
        }
    }

    fn quote_arguments(&self, contract: ContractIndex, quote: model::Quote) -> Value {
        let listing = self.catalogue.listing(contract);
        let at = stamp::write(self.now, Precision::Hub);
        let quote = model::Quote {
            symbol: Some(listing.symbol_id.clone()),
            last_updated: Some(at.clone()),
            timestamp: Some(at),
            ..quote
        };
        json!([listing.instrument.contract.as_str(), without_nulls(&quote)])
    }

    fn market_arguments<T: serde::Serialize>(&self, contract: ContractIndex, rows: &[T]) -> Value {
        json!([self.catalogue.listing(contract).instrument.contract.as_str(), without_nulls(&rows)])
    }
}

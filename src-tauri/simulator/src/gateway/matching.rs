//! When an order fills: market orders at once, the others when the market reaches them. What a fill does
//! to positions and balances is booked elsewhere.

use chrono::TimeDelta;
use projectx::wire::code::{OrderSide, OrderStatus, OrderType};
use rand::RngExt;
use rust_decimal::Decimal;

use super::{
    Gateway,
    catalogue::ContractIndex,
    order::{Order, Stage, Terms},
    schedule::Task,
};
use crate::settings::Market;

/// Pause between two partial fills where fills take time, in milliseconds.
const PIECE_MS: std::ops::RangeInclusive<i64> = 1..=8;

/// Most trades into which fault `partial_fills` splits an order.
const PIECES_LIMIT: u32 = 3;

/// Rounds in which fills at once may set off further fills before the rest waits for the next quote.
const CASCADE_LIMIT: usize = 100;

/// What a price makes of a resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Rests,
    Trails(Decimal),
    Triggers,
    Fills(Terms),
}

/// Why an order is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// It has just begun to work at this price: it takes what is there.
    Placed,
    /// Bid or ask moved.
    Quoted,
    /// A trade was printed: it fills resting limits that it reaches.
    Printed,
}

/// What the market shows an order.
#[derive(Clone, Copy, Debug)]
struct Sight {
    /// The last trade price, where it is a price.
    last: Option<Decimal>,
    /// The other side of the book.
    best: Decimal,
    occasion: Occasion,
    tick: Decimal,
}

impl Gateway {
    /// The market of a contract moved: fills what it reached.
    pub(super) fn match_contract(&mut self, contract: ContractIndex, occasion: Occasion) {
        for id in self.orders.working_in(contract) {
            self.match_order(id, occasion);
        }
    }

    /// Looks whether an order that works meets its price.
    pub(super) fn match_order(&mut self, id: i64, mut occasion: Occasion) {
        for _ in 0..CASCADE_LIMIT {
            let Some(order) = self.orders.get(id).filter(|order| order.status == OrderStatus::Open) else {
                return;
            };
            if self.faults.market_closed || self.is_sibling_executing(order) {
                return;
            }
            match verdict(order, self.sight(order, occasion)) {
                Verdict::Rests => return,
                Verdict::Trails(stop) => {
                    if let Some(order) = self.orders.get_mut(id) {
                        order.stop = Some(stop);
                    }
                    self.tell_order(id);
                }
                Verdict::Triggers => {
                    self.set_stage(id, Stage::Triggered);
                    occasion = Occasion::Placed;
                }
                Verdict::Fills(terms) => return self.execute(id, terms),
            }
        }
    }

    /// Sends an order into execution: at once, or after the market's delay.
    pub(super) fn execute(&mut self, id: i64, terms: Terms) {
        self.set_stage(id, Stage::Executing(terms));
        let delay = self.fill_delay();
        if delay.is_zero() {
            self.fill(id);
        } else {
            self.plan_after(delay, Task::Fill(id));
        }
    }

    /// Books the next piece of an order under execution.
    pub(super) fn fill(&mut self, id: i64) {
        while let Some(order) = self.orders.get(id).filter(|order| !order.is_ended()) {
            let Stage::Executing(terms) = order.stage else { return };
            let price = self.execution_price(order, terms);
            let size = self.next_piece(id);
            self.book_fill(id, size, price);
            if self.orders.get(id).is_none_or(|order| order.left() == 0) {
                return;
            }
            if !self.is_immediate() {
                let pause = self.rng.random_range(PIECE_MS);
                self.plan_after(TimeDelta::milliseconds(pause), Task::Fill(id));
                return;
            }
        }
    }

    /// Whether everything happens at once: the manual market.
    pub(super) fn is_immediate(&self) -> bool {
        self.settings.market == Market::Manual
    }

    /// The price a market order of this side gets now.
    pub(super) fn market_price(&self, contract: ContractIndex, side: OrderSide) -> Decimal {
        let book = &self.books[contract.0];
        match self.settings.market {
            Market::Walk => book.best_for(side),
            // Ruling 35.
            Market::Manual | Market::Scenario => book.last,
        }
    }

    fn fill_delay(&mut self) -> TimeDelta {
        if let Some(fault) = self.faults.fill_latency {
            return fault;
        }
        let delay = self.settings.fill_delay.unwrap_or(self.settings.market.fill_delay());
        let ms = if delay.min_ms < delay.max_ms {
            self.rng.random_range(delay.min_ms..=delay.max_ms)
        } else {
            delay.min_ms
        };
        TimeDelta::milliseconds(ms.into())
    }

    fn execution_price(&self, order: &Order, terms: Terms) -> Decimal {
        let market = self.market_price(order.contract, order.side);
        let limit = order.limit.unwrap_or(market);
        match (terms, order.side) {
            (Terms::Market, OrderSide::Bid | OrderSide::Ask) => market,
            (Terms::Limit, OrderSide::Bid | OrderSide::Ask) => limit,
            (Terms::MarketOrBetter, OrderSide::Bid) => market.min(limit),
            (Terms::MarketOrBetter, OrderSide::Ask) => market.max(limit),
        }
    }

    /// How many contracts fill next: all, or by fault `partial_fills` a part.
    fn next_piece(&mut self, id: i64) -> i64 {
        let Some(order) = self.orders.get(id) else { return 0 };
        let (left, splits) = (order.left(), order.fills + 1 < PIECES_LIMIT);
        if self.faults.partial_fills && splits && left > 1 { self.rng.random_range(1..left) } else { left }
    }

    fn set_stage(&mut self, id: i64, stage: Stage) {
        if let Some(order) = self.orders.get_mut(id) {
            order.stage = stage;
        }
    }

    fn sight(&self, order: &Order, occasion: Occasion) -> Sight {
        let book = &self.books[order.contract.0];
        Sight {
            last: (book.last > Decimal::ZERO).then_some(book.last),
            best: book.best_for(order.side),
            occasion,
            tick: self.catalogue.listing(order.contract).tick(),
        }
    }

    fn is_sibling_executing(&self, order: &Order) -> bool {
        let sibling = self.sibling(order.id).and_then(|id| self.orders.get(id));
        sibling.is_some_and(|leg| matches!(leg.stage, Stage::Executing(_)))
    }
}

fn verdict(order: &Order, sight: Sight) -> Verdict {
    let stop_reached =
        || order.stop.zip(sight.last).is_some_and(|(stop, last)| reaches(order.side, last, stop));
    match (order.stage, order.kind) {
        (Stage::Executing(_), _) => Verdict::Rests,
        (Stage::Resting, OrderType::Limit | OrderType::JoinBid | OrderType::JoinAsk)
        | (Stage::Triggered, OrderType::StopLimit) => limit_verdict(order, sight),
        (Stage::Resting, OrderType::Stop) if stop_reached() => Verdict::Fills(Terms::Market),
        (Stage::Resting, OrderType::TrailingStop) if stop_reached() => Verdict::Fills(Terms::Market),
        (Stage::Resting, OrderType::TrailingStop) => trail_verdict(order, sight),
        (Stage::Resting, OrderType::StopLimit) if stop_reached() => Verdict::Triggers,
        (Stage::Resting, OrderType::Market) => Verdict::Fills(Terms::Market),
        (
            Stage::Resting | Stage::Triggered,
            OrderType::Unknown
            | OrderType::Limit
            | OrderType::Market
            | OrderType::StopLimit
            | OrderType::Stop
            | OrderType::TrailingStop
            | OrderType::JoinBid
            | OrderType::JoinAsk,
        ) => Verdict::Rests,
    }
}

/// A limit fills when the other side of the book or a print reaches it: at its own price if it rested,
/// at what is there if it has just begun to work.
fn limit_verdict(order: &Order, sight: Sight) -> Verdict {
    let Some(limit) = order.limit else { return Verdict::Rests };
    let within = |price: Decimal| match order.side {
        OrderSide::Bid => price <= limit,
        OrderSide::Ask => price >= limit,
    };
    let printed_within = sight.last.is_some_and(within) && sight.occasion == Occasion::Printed;
    match (within(sight.best), sight.occasion) {
        (true, Occasion::Placed) => Verdict::Fills(Terms::MarketOrBetter),
        (true, Occasion::Quoted | Occasion::Printed) => Verdict::Fills(Terms::Limit),
        (false, _) if printed_within => Verdict::Fills(Terms::Limit),
        (false, _) => Verdict::Rests,
    }
}

/// A trailing stop follows a market that moves its way, never back.
fn trail_verdict(order: &Order, sight: Sight) -> Verdict {
    let (Some(last), Some(ticks), Some(stop)) = (sight.last, order.trail, order.stop) else {
        return Verdict::Rests;
    };
    let wanted = last + Decimal::from(ticks) * sight.tick;
    let better = match order.side {
        OrderSide::Ask => wanted > stop,
        OrderSide::Bid => wanted < stop,
    };
    if better { Verdict::Trails(wanted) } else { Verdict::Rests }
}

/// Whether the market has come to a stop of this side.
fn reaches(side: OrderSide, last: Decimal, stop: Decimal) -> bool {
    match side {
        OrderSide::Bid => last >= stop,
        OrderSide::Ask => last <= stop,
    }
}

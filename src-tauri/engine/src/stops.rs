//! Stop coverage: which working orders protect a position, and how long it has been without
//! (specification B.8, C.9). Coverage is measured in contracts, over all stops, by side and by the
//! market's side of the price (L-42, L-43, L-48).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    ContractId, Contracts, Exposure, Instant, Instrument, Order, OrderId, Position, Price, Side,
    rulebook::NoStopLossGrace,
};
use rust_decimal::Decimal;

use crate::account::AccountState;

/// Shortest time between two questions for one account's orders.
const ASK_AT_MOST_EVERY: TimeDelta = TimeDelta::seconds(1);
/// Wait before an unanswered question is put again.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(2);
/// A question without any answer for this long is put again.
const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(12);
/// How long the orders may stay unknown after a grace is over before people are told.
pub(crate) const UNKNOWN_FOR_TOO_LONG: TimeDelta = TimeDelta::seconds(30);
/// Slack when a position's opening time (the broker's) is held against a remembered deadline (ours).
const OPENED_SLACK: TimeDelta = TimeDelta::seconds(2);

/// How far a position is covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Contracts covered by qualifying stops.
    pub covered: Contracts,
    /// The qualifying stop nearest to the market; `None` also for a trailing stop without a price.
    pub nearest: Option<Price>,
    /// Working stops that would add to the position if they filled.
    pub dangerous: Vec<OrderId>,
}

/// One position's watch.
#[derive(Clone, Debug)]
pub struct StopWatch {
    /// The direction that is watched; a turn begins a new watch.
    side: Option<Side>,
    /// Until when the position may stay without complete stop; `None` while it is covered.
    pub deadline: Option<Instant>,
    pub(crate) warned: bool,
    pub(crate) unknown_told: bool,
}

/// The watches of one account, and what is being asked about its orders.
#[derive(Clone, Debug, Default)]
pub struct StopWatches {
    pub(crate) watches: BTreeMap<ContractId, StopWatch>,
    /// Deadlines from before a restart, until their positions are seen again.
    pub(crate) restored: BTreeMap<ContractId, Instant>,
    pub(crate) told_dangerous: Vec<OrderId>,
    pub(crate) inquiry: Inquiry,
}

/// Questions for the working orders of one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inquiry {
    wanted: bool,
    asked: Option<Instant>,
    outstanding: bool,
    not_before: Option<Instant>,
    /// A grace was over at this time: only a question that is sent later can tell whether to close.
    decisive: Option<Instant>,
    /// When the question was sent whose answer is the newest.
    pub(crate) confirmed: Option<Instant>,
}

impl Inquiry {
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// A grace is over: the answer to a question of before would decide nothing.
    pub(crate) fn want_since(&mut self, deadline: Instant) {
        self.wanted = true;
        self.decisive = self.decisive.max(Some(deadline));
    }

    /// Whether the question on its way was put too early.
    fn is_outdated(&self) -> bool {
        self.wanted && self.asked < self.decisive
    }

    /// Whether to ask now; notes that it was asked.
    pub(crate) fn ask(&mut self, now: Instant) -> bool {
        let outstanding = self.outstanding && !self.is_outdated();
        let waiting = outstanding && self.asked.is_some_and(|asked| now < asked + ANSWER_WITHIN);
        if !self.wanted || waiting || self.next_at().is_some_and(|at| now < at) {
            return false;
        }
        *self = Self { wanted: false, asked: Some(now), outstanding: true, ..*self };
        true
    }

    /// When a wanted question may be put.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.not_before.max(self.asked.map(|asked| asked + ASK_AT_MOST_EVERY))
    }

    /// When something is to be done about it.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.outstanding && !self.is_outdated() {
            return self.asked.map(|asked| asked + ANSWER_WITHIN);
        }
        self.wanted.then(|| self.next_at()).flatten()
    }

    pub(crate) fn answered(&mut self, asked_at: Instant) {
        self.outstanding = false;
        self.not_before = None;
        self.confirmed = self.confirmed.max(Some(asked_at));
    }

    pub(crate) fn unanswered(&mut self, now: Instant) {
        self.outstanding = false;
        self.wanted = true;
        self.not_before = Some(now + RETRY_AFTER);
    }

    pub(crate) fn is_due(&self, poll: TimeDelta, now: Instant) -> bool {
        self.polls_at(poll).is_none_or(|at| now >= at)
    }

    /// When the orders are asked for, however quiet everything is; `None`: now.
    pub(crate) fn polls_at(&self, poll: TimeDelta) -> Option<Instant> {
        self.confirmed.max(self.asked).map(|last| last + poll)
    }

    /// Whether nothing is asked, or to be asked.
    pub(crate) fn is_idle(&self) -> bool {
        !self.wanted && !self.outstanding
    }
}

impl StopWatches {
    /// The watch of a position.
    #[must_use]
    pub fn of(&self, contract: &ContractId) -> Option<&StopWatch> {
        self.watches.get(contract)
    }

    /// The instants at which graces are over.
    pub fn deadlines(&self) -> impl Iterator<Item = Instant> {
        self.watches.values().filter_map(|watch| watch.deadline)
    }

    /// When the working orders were last confirmed by an answer of the broker.
    #[must_use]
    pub fn confirmed(&self) -> Option<Instant> {
        self.inquiry.confirmed
    }

    /// Brings one watch in line with the coverage; returns the deadline if it changed.
    pub(crate) fn update(
        &mut self,
        position: &Position,
        covered: bool,
        grace: TimeDelta,
        now: Instant,
    ) -> Option<Option<Instant>> {
        let side = Side::of(position.exposure);
        let is_known_so = |watch: &StopWatch| watch.side == side && watch.deadline.is_none();
        if covered && self.restored.is_empty() && self.of(&position.contract).is_some_and(is_known_so) {
            return None;
        }
        let restored = self.restored.remove(&position.contract);
        let known = self.watches.get(&position.contract).filter(|watch| watch.side == side);
        let before = known.and_then(|watch| watch.deadline).or(restored);
        let deadline = if covered {
            None
        } else {
            let inherited =
                before.filter(|at| known.is_some() || position.opened_at <= *at - grace + OPENED_SLACK);
            inherited.or(Some(now + grace))
        };
        let warned = known.is_some_and(|watch| watch.warned && watch.deadline == deadline);
        let unknown_told = known.is_some_and(|watch| watch.unknown_told && watch.deadline == deadline);
        let watch = StopWatch { side, deadline, warned, unknown_told };
        let recorded = self.watches.insert(position.contract.clone(), watch).and_then(|watch| watch.deadline);
        (recorded.or(restored) != deadline).then_some(deadline)
    }

    /// Ends the watches of positions that are gone; returns those that had a deadline.
    pub(crate) fn forget(&mut self, is_held: impl Fn(&ContractId) -> bool) -> Vec<ContractId> {
        let mut cleared = Vec::new();
        self.watches.retain(|contract, watch| {
            let held = is_held(contract);
            if !held && watch.deadline.is_some() {
                cleared.push(contract.clone());
            }
            held
        });
        self.restored.retain(|contract, _| {
            let held = is_held(contract);
            if !held {
                cleared.push(contract.clone());
            }
            held
        });
        cleared
    }
}

impl AccountState {
    /// How far a position is covered by working stops.
    #[must_use]
    pub fn coverage(
        &self,
        position: &Position,
        price: Option<Price>,
        instrument: Option<&Instrument>,
        settings: &NoStopLossGrace,
    ) -> Coverage {
        let mut coverage = Coverage::default();
        for stop in self.covering(position, price, instrument, settings) {
            coverage.covered = coverage.covered + stop.remaining();
            coverage.nearest = nearer(coverage.nearest, stop.stop_price, position.exposure);
        }
        coverage.covered = coverage.covered.min(position.exposure.size());
        // Our own are withdrawn at once.
        let is_dangerous = |stop: &&Order| !stop.side.reduces(position.exposure) && !stop.is_own();
        let dangerous = self.stops_in(&position.contract).filter(is_dangerous);
        coverage.dangerous.extend(dangerous.map(|stop| stop.id.clone()));
        coverage
    }

    /// The stops that cover a position.
    pub fn covering(
        &self,
        position: &Position,
        price: Option<Price>,
        instrument: Option<&Instrument>,
        settings: &NoStopLossGrace,
    ) -> impl Iterator<Item = &Order> {
        self.stops_in(&position.contract).filter(move |stop| {
            stop.side.reduces(position.exposure)
                && qualifies(stop, position.exposure, price, instrument, settings)
        })
    }

    /// The stops that would close a position and how much each, in the order in which the market reaches
    /// them; `None` unless they close all of it at known prices.
    #[must_use]
    pub fn stopped_out(
        &self,
        position: &Position,
        price: Option<Price>,
        instrument: Option<&Instrument>,
        settings: &NoStopLossGrace,
    ) -> Option<Vec<(Price, Contracts)>> {
        let held = position.exposure;
        let mut stops: Vec<(Price, Contracts)> = self
            .stops_in(&position.contract)
            .filter(|stop| stop.side.reduces(held) && qualifies(stop, held, price, instrument, settings))
            .map(|stop| Some((stop.stop_price?, stop.remaining())))
            .collect::<Option<_>>()?;
        stops.sort_by_key(|(stop, _)| *stop);
        if held.0 > 0 {
            stops.reverse();
        }
        let mut left = held.size();
        for (_, size) in &mut stops {
            *size = left.min(*size);
            left = left.saturating_sub(*size);
        }
        stops.retain(|(_, size)| *size > Contracts::ZERO);
        (left == Contracts::ZERO).then_some(stops)
    }

    fn stops_in(&self, contract: &ContractId) -> impl Iterator<Item = &Order> {
        self.working_orders()
            .map(|known| &known.order)
            .filter(move |order| order.kind.is_stop() && order.status.covers() && order.contract == *contract)
    }
}

/// Whether a stop on the exit side protects.
fn qualifies(
    stop: &Order,
    held: Exposure,
    price: Option<Price>,
    instrument: Option<&Instrument>,
    settings: &NoStopLossGrace,
) -> bool {
    on_loss_side(stop, held, price) && near_enough(stop, price, instrument, settings.max_stop_distance_ticks)
}

/// A stop beyond the market would fill at once or is an entry; without a known price or stop price the
/// side of the order decides.
fn on_loss_side(stop: &Order, held: Exposure, price: Option<Price>) -> bool {
    match (price, stop.stop_price) {
        (Some(price), Some(stop)) if held.0 > 0 => stop <= price,
        (Some(price), Some(stop)) => stop >= price,
        (None, _) | (_, None) => true,
    }
}

fn near_enough(
    stop: &Order,
    price: Option<Price>,
    instrument: Option<&Instrument>,
    max_ticks: Option<u32>,
) -> bool {
    match (max_ticks, price, stop.stop_price, instrument) {
        (Some(max), Some(price), Some(stop), Some(instrument)) => {
            (price.0 - stop.0).abs() <= instrument.tick_size * Decimal::from(max)
        }
        _ => true,
    }
}

fn nearer(known: Option<Price>, stop: Option<Price>, held: Exposure) -> Option<Price> {
    match (known, stop) {
        (Some(known), Some(stop)) if held.0 > 0 => Some(known.max(stop)),
        (Some(known), Some(stop)) => Some(known.min(stop)),
        (known, stop) => known.or(stop),
    }
}

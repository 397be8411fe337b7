//! RULE-012: automatic stop, target, breakeven and trailing stop. Only asks for orders that reduce what is
//! held, and moves a stop only towards the market; never closes, never locks.
//!
//! Stops of the trader are counted first and never doubled: breakeven and trailing move them as well, the
//! distance from the entry is for our own stop alone.

use chrono::TimeDelta;
use domain::{
    Breach, Contracts, EventKind, Instrument, Leg, Means, Order, OrderSide, Position, Price, RuleKey, Source,
    Ticket,
    breach::Step,
    rulebook::{PriceBasis, TradeManagement, TradeManagementValues},
};

use super::{Band, Finding, Missing, Remedy, Room, Rule, Scene, Verdict};
use crate::{
    account::{AccountState, Holding},
    kinds::Kinds,
    managed::{ManagedTrade, PLACED_AGAIN, breakeven_price, is_tighter, stop_at, values_of},
    market::Look,
};

/// Shortest time between two moves of a stop that only follow the price.
const MOVE_EVERY: TimeDelta = TimeDelta::seconds(1);
/// What waits for time alone is looked at this often.
const LOOK_EVERY: TimeDelta = TimeDelta::seconds(1);

/// The rule with its values.
#[derive(Debug)]
pub struct Automation {
    settings: TradeManagement,
}

/// One position as the rule sees it.
struct Trade<'a> {
    account: &'a AccountState,
    position: &'a Position,
    known: &'a ManagedTrade,
    instrument: &'a Instrument,
    values: TradeManagementValues,
    /// The market, as near as it may be to the stop; `None` while no price is usable.
    price: Option<Price>,
    /// Price-driven moves may be made again.
    may_move: bool,
}

impl Automation {
    pub(super) fn new(settings: TradeManagement) -> Self {
        Self { settings }
    }

    fn manage(
        &self,
        scene: &Scene<'_>,
        holding: &Holding,
        look: Look<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Missing> {
        let (account, position) = (scene.account, &holding.position);
        let contract = &position.contract;
        let Some(known) = account.managed(contract) else { return Ok(()) };
        let closing = account.engaged().is_flattening()
            || account.engaged().of(contract).is_some()
            || scene.planned.contains_key(contract)
            || account.is_shrinking(contract);
        let unsure = known.unsure_until.is_some_and(|until| scene.now < until);
        let turning = account.own_orders(contract).any(|order| !order.side.reduces(position.exposure));
        if closing || unsure || turning {
            return Ok(());
        }
        let instrument = look.instrument().ok_or_else(|| Missing::Value(contract.clone()))?;
        let last = look.price();
        let exit = look.price_by(position.exposure, PriceBasis::ExitSide).or(last);
        let nearest =
            |one: Price, two: Price| if position.exposure.0 > 0 { one.min(two) } else { one.max(two) };
        let trade = Trade {
            account,
            position,
            known,
            instrument,
            values: values_of(&self.settings, position),
            price: last.zip(exit).map(|(last, exit)| nearest(last, exit)),
            may_move: known.moved_at.is_none_or(|at| scene.now >= at + MOVE_EVERY),
        };
        trade.stops(findings);
        if trade.values.take_profit.enabled {
            let permitted = account.lockouts().permitted(contract, &position.symbol, scene.now, |_| true);
            trade.target(permitted.is_some(), findings);
        }
        match trade.price {
            Some(_) => Ok(()),
            None => Err(Missing::Value(contract.clone())),
        }
    }

    /// Leaves the prices at which a stop begins to follow; `None` where one follows, or might at once.
    fn keep_to(&self, scene: &Scene<'_>, holding: &Holding, look: Look<'_>, band: &mut Band) -> Option<()> {
        let (account, position) = (scene.account, &holding.position);
        let (known, instrument) = (account.managed(&position.contract)?, look.instrument()?);
        let values = values_of(&self.settings, position);
        let has_gained = |ticks| known.has_gained(ticks, position, instrument);
        let even = values.breakeven.profit_threshold_ticks;
        let is_moving = (has_gained(even) && !known.known.breakeven_done)
            || (values.trailing.enabled && has_gained(values.trailing.activation_ticks));
        let first = first_stop(position, instrument, &values);
        let held_back = account
            .movable_stops(position)
            .filter(|stop| stop.is_own())
            .any(|stop| stop.stop_price.is_none_or(|present| is_tighter(position.exposure, first, present)));
        if is_moving || held_back || known.unsure_until.is_some_and(|until| scene.now < until) {
            return None;
        }
        for ticks in [even, values.trailing.activation_ticks] {
            let ticks = position.exposure.0.signum() * i64::from(ticks);
            band.avoid(instrument.ticks_away(position.average_price, ticks));
        }
        Some(())
    }
}

impl Rule for Automation {
    fn key(&self) -> RuleKey {
        RuleKey::TradeManagement
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::PositionClosed,
            EventKind::OrderPlaced,
            EventKind::OrderModified,
            EventKind::OrderPartiallyFilled,
            EventKind::OrderFilled,
            EventKind::OrderCancelled,
            EventKind::OrderExpired,
            EventKind::OrderRejected,
            EventKind::TradeExecuted,
            EventKind::UnrealizedPnlUpdate,
            EventKind::StateReconciled,
            EventKind::ConfigChanged,
        ])
    }

    fn every(&self) -> Option<TimeDelta> {
        Some(LOOK_EVERY)
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream, Source::MarketStream, Source::Metadata]
    }

    fn stands_on(&self) -> Option<Means> {
        Some(Means::Cancel)
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let mut verdict = Verdict::Passed;
        for (holding, look) in scene.positions() {
            if let Err(missing) = self.manage(scene, holding, look, findings) {
                verdict = Verdict::Skipped(missing);
            }
        }
        verdict
    }

    fn room(&self, scene: &Scene<'_>, room: &mut Room<'_>) {
        let is_left = scene
            .positions()
            .zip(room.bands_mut())
            .all(|((holding, look), band)| self.keep_to(scene, holding, look, band).is_some());
        if !is_left {
            room.close();
        }
    }
}

impl Trade<'_> {
    fn stops(&self, findings: &mut Vec<Finding>) {
        let mut own: Vec<&Order> =
            self.account.movable_stops(self.position).filter(|order| order.is_own()).collect();
        own.sort_by_key(|order| order.stop_price);
        if self.position.exposure.0 > 0 {
            own.reverse();
        }
        let tightest = own.first().copied();
        for surplus in own.iter().skip(1) {
            let remedy = Remedy::Cancel(surplus.id.clone());
            findings.push(self.finding(Step::StopLoss, surplus.size, surplus.stop_price, remedy));
        }
        let wanted = self.account.own_share(self.position, Leg::Stop);
        match tightest {
            Some(stop) => self.keep_stop(stop, wanted, findings),
            None => self.place_stop(wanted, findings),
        }
        for stop in self.account.movable_stops(self.position).filter(|order| !order.is_own()) {
            self.move_traders_stop(stop, findings);
        }
    }

    fn place_stop(&self, wanted: Contracts, findings: &mut Vec<Finding>) {
        let is_wanted = self.values.stop_loss.enabled && wanted > Contracts::ZERO;
        if !is_wanted || self.known.known.stops_lost > PLACED_AGAIN {
            return;
        }
        let (meant, step) = self.tightest([Some(self.first_stop()), self.breakeven(true), self.trail()]);
        let ticket = self.ticket(Leg::Stop, wanted, self.before_market(meant));
        let remedy = Remedy::Place { ticket: ticket.clone(), meant };
        findings.push(self.finding(step, wanted, Some(ticket.price), remedy));
    }

    /// Our stop: its size follows the position, its price only tightens.
    fn keep_stop(&self, stop: &Order, wanted: Contracts, findings: &mut Vec<Finding>) {
        let Some(present) = stop.stop_price else { return };
        if wanted == Contracts::ZERO {
            let remedy = Remedy::Cancel(stop.id.clone());
            return findings.push(self.finding(Step::StopLoss, stop.size, Some(present), remedy));
        }
        let first = self.values.stop_loss.enabled.then(|| self.first_stop());
        let here = Some((present, Step::StopLoss));
        let (best, step) = self.tightest([here, first, self.breakeven(false), self.trail()]);
        let best = self.before_market(best);
        let resized = stop.remaining() != wanted;
        let moved = is_tighter(self.position.exposure, best, present) && (self.may_move || resized);
        if resized || moved {
            let price = if moved { best } else { present };
            self.modify(stop, step, wanted, price, findings);
        }
    }

    fn move_traders_stop(&self, stop: &Order, findings: &mut Vec<Finding>) {
        let Some(present) = stop.stop_price.filter(|_| self.may_move) else { return };
        let moves = [self.breakeven(false), self.trail()];
        if moves == [None, None] {
            return;
        }
        let (best, step) = self.tightest(moves);
        let best = self.before_market(best);
        if is_tighter(self.position.exposure, best, present)
            && stop.remaining() <= self.position.exposure.size()
        {
            self.modify(stop, step, stop.remaining(), best, findings);
        }
    }

    fn target(&self, locked: bool, findings: &mut Vec<Finding>) {
        let contract = &self.position.contract;
        let own = self
            .account
            .own_orders(contract)
            .filter(|it| it.side.reduces(self.position.exposure))
            .find(|it| Leg::of(it.kind) == Some(Leg::Target));
        let wanted = self.account.own_share(self.position, Leg::Target);
        let price = self.target_price();
        match own {
            Some(order) if wanted == Contracts::ZERO => {
                let remedy = Remedy::Cancel(order.id.clone());
                findings.push(self.finding(Step::TakeProfit, order.size, order.limit_price, remedy));
            }
            Some(order) => {
                let price = order.limit_price.filter(|_| !self.known.retarget).unwrap_or(price);
                if order.remaining() != wanted || order.limit_price != Some(price) {
                    self.modify(order, Step::TakeProfit, wanted, price, findings);
                }
            }
            None if wanted > Contracts::ZERO && !locked && !self.known.known.target_lost => {
                let ticket = self.ticket(Leg::Target, wanted, price);
                let remedy = Remedy::Place { ticket, meant: price };
                findings.push(self.finding(Step::TakeProfit, wanted, Some(price), remedy));
            }
            None => {}
        }
    }

    /// The stop at its distance from the entry.
    fn first_stop(&self) -> (Price, Step) {
        (first_stop(self.position, self.instrument, &self.values), Step::StopLoss)
    }

    /// The stop at the entry, once the gain was large enough. A stop that was there once is not brought
    /// back, a new one is.
    fn breakeven(&self, again: bool) -> Option<(Price, Step)> {
        let values = self.values.breakeven;
        let is_due = again || !self.known.known.breakeven_done;
        (values.enabled && is_due && self.gained(values.profit_threshold_ticks))
            .then(|| (breakeven_price(self.position, self.instrument, values.offset_ticks), Step::Breakeven))
    }

    /// The stop behind the best price, once the gain was large enough.
    fn trail(&self) -> Option<(Price, Step)> {
        let values = self.values.trailing;
        let best =
            self.known.known.best.filter(|_| values.enabled && self.gained(values.activation_ticks))?;
        let ticks = -i64::from(values.trail_ticks);
        Some((stop_at(self.position, self.instrument, best, ticks), Step::Trailing))
    }

    /// Whether the best gain reached so many ticks; nothing moves while no price is usable.
    fn gained(&self, ticks: u32) -> bool {
        self.price.is_some() && self.known.has_gained(ticks, self.position, self.instrument)
    }

    fn tightest<const N: usize>(&self, prices: [Option<(Price, Step)>; N]) -> (Price, Step) {
        let tighter = |one: (Price, Step), two: (Price, Step)| {
            if is_tighter(self.position.exposure, two.0, one.0) { two } else { one }
        };
        prices.into_iter().flatten().reduce(tighter).unwrap_or_else(|| self.first_stop())
    }

    /// A stop that the market has passed would fill at once: the nearest price that it has not.
    fn before_market(&self, stop: Price) -> Price {
        let Some(price) = self.price else { return stop };
        let (held, instrument) = (self.position.exposure, self.instrument);
        let nearest = match held.0 > 0 {
            true => instrument.ticks_away(instrument.grid_above(price), -1),
            false => instrument.ticks_away(instrument.grid_below(price), 1),
        };
        if is_tighter(held, stop, nearest) { nearest } else { stop }
    }

    /// The target, rounded towards the entry.
    fn target_price(&self) -> Price {
        let (position, instrument) = (self.position, self.instrument);
        let ticks = i64::from(self.values.take_profit.ticks);
        match position.exposure.0 > 0 {
            true => instrument.grid_below(instrument.ticks_away(position.average_price, ticks)),
            false => instrument.grid_above(instrument.ticks_away(position.average_price, -ticks)),
        }
    }

    fn ticket(&self, leg: Leg, size: Contracts, price: Price) -> Ticket {
        let side = if self.position.exposure.0 > 0 { OrderSide::Sell } else { OrderSide::Buy };
        Ticket { contract: self.position.contract.clone(), leg, side, size, price }
    }

    fn modify(&self, order: &Order, step: Step, left: Contracts, price: Price, findings: &mut Vec<Finding>) {
        let leg = if step == Step::TakeProfit { Leg::Target } else { Leg::Stop };
        let ticket = self.ticket(leg, left + order.filled, price);
        let remedy = Remedy::Modify { order: order.id.clone(), ticket };
        findings.push(self.finding(step, left, Some(price), remedy));
    }

    fn finding(&self, step: Step, size: Contracts, price: Option<Price>, remedy: Remedy) -> Finding {
        let price = price.unwrap_or(self.position.average_price);
        Finding {
            breach: Breach::Management { symbol: self.position.symbol.clone(), step, size, price },
            remedy,
        }
    }
}

/// The stop at its distance from the entry.
fn first_stop(position: &Position, instrument: &Instrument, values: &TradeManagementValues) -> Price {
    stop_at(position, instrument, position.average_price, -i64::from(values.stop_loss.ticks))
}

//! Calm: while nothing but time and prices changes, and prices stay where no rule looks at them differently,
//! judging an account again would say what was said before. What one full judgement found out spares the
//! next ones; in doubt there is no calm, and everything is judged.
//!
//! Any event but a quote or a tick ends the calm of every account. While anything is pending there is none.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{Event, EventKind, Instant, Position, rulebook::PriceBasis};

use crate::{
    Engine,
    account::AccountState,
    judge::Court,
    kinds::Kinds,
    market::Market,
    near::MOVES_A_VALUE,
    rules::{Band, Reckoned, Room, Scene, Verdict},
    watch::CONCERNS_STOPS,
};

/// Changes that may leave an account calm.
const PASSING: &[EventKind] = &[EventKind::TimeTick, EventKind::UnrealizedPnlUpdate];

/// What moves values alone.
const VALUES: Kinds = Kinds::NONE.with(EventKind::UnrealizedPnlUpdate);

/// An account about which there is nothing to say.
#[derive(Clone, Debug)]
pub(crate) struct Calm {
    /// From then on time alone may bring something.
    until: Instant,
    /// Whether a tick brings nothing either: the stops were looked at, and nothing is left to be written.
    ticks: bool,
    /// The prices that say nothing new, position by position.
    bands: Vec<Band>,
}

impl Engine {
    /// Whatever is not a quote or a tick may concern anything.
    pub(crate) fn end_calm(&mut self, event: &Event) {
        if !matches!(event, Event::Quote(_) | Event::Tick) {
            self.accounts.values_mut().for_each(|account| account.calm = None);
        }
    }
}

impl AccountState {
    /// Whether the present prices say nothing that was not judged.
    pub(crate) fn knows_prices(&self, market: &Market) -> bool {
        let Some(calm) = &self.calm else { return false };
        let mut prices = self.positions.keys().map(|contract| market.price(contract)).zip(&calm.bands);
        prices.all(|(price, band)| price.is_some_and(|price| band.holds(price)))
    }

    /// Whether these changes, at prices that are known, say nothing new either. Notes what a judgement would
    /// have noted all the same.
    pub(crate) fn stays_calm(&mut self, kinds: Kinds, market: &Market, now: Instant) -> bool {
        let Some(calm) = &mut self.calm else { return false };
        let is_tick = kinds.has(EventKind::TimeTick);
        if !kinds.is_within(Kinds::of(PASSING)) || now >= calm.until || (is_tick && !calm.ticks) {
            return false;
        }
        let prices = || self.positions.keys().map(|contract| market.price(contract));
        if self.managed.has_better(prices()) {
            // The best prices are written with the ticks.
            if is_tick {
                return false;
            }
            calm.ticks = false;
            self.managed.see(prices());
        }
        for armed in self.rules.iter_mut().filter(|armed| armed.is_asked(kinds, now)) {
            armed.asked = Some(now);
        }
        true
    }

    /// Whether all that values concern was asked by these changes, and people were told.
    pub(crate) fn judges_values(&self, kinds: Kinds, ask_all: bool) -> bool {
        let mut concerned = self.rules.iter().filter(|armed| armed.listens_to(VALUES));
        kinds.touches(Kinds::of(MOVES_A_VALUE)) && concerned.all(|it| ask_all || it.listens_to(kinds))
    }

    /// The calm after a judgement of the present prices by which nobody wanted anything, if nothing is
    /// pending.
    pub(crate) fn find_calm(&self, kinds: Kinds, reckoned: &Reckoned<'_>, court: &Court<'_>) -> Option<Calm> {
        let until = self.time_brings_something()?;
        if !self.is_plain() || !self.rules.iter().all(|it| it.verdict == Verdict::Passed) {
            return None;
        }
        let scene = Scene {
            now: court.now,
            account: self,
            market: court.market,
            reckoned,
            kinds,
            planned: &BTreeMap::new(),
            day_end: self.ledger.span().ends,
        };
        let priced = scene.open().zip(reckoned.looks());
        let bands = priced.map(|((_, worth), look)| worth.sure().and(look.price()).map(Band::around));
        let mut room = Room::new(bands.collect::<Option<_>>()?, court.warn_at);
        for armed in &self.rules {
            if armed.rule.price_basis() != PriceBasis::LastElseMid {
                return None;
            }
            armed.room(&scene, &mut room);
        }
        let ticks = kinds.touches(Kinds::of(CONCERNS_STOPS)) && self.managed.is_written();
        if ticks {
            self.avoid_stops(&scene, &mut room);
        }
        let held = scene.positions().map(|(it, look)| Some((it.position.exposure, look.instrument()?)));
        Some(Calm { until, ticks, bands: room.into_bands(&held.collect::<Option<Vec<_>>>()?)? })
    }

    /// Whether nothing is locked, decided, asked, doubted or waited for. Every part of an account is named here:
    /// a new one is to be weighed.
    fn is_plain(&self) -> bool {
        let Self {
            lockouts,
            races,
            engaged,
            quiet,
            shut,
            quiet_orders,
            quiet_changes,
            leftovers,
            loops,
            reread,
            disagree_since,
            owed,
            averages,
            stops,
            observed,
            commands,
            reduced,
            news,
            // What only other events change, and what is looked at by itself.
            id: _,
            info: _,
            known: _,
            positions: _,
            orders: _,
            ended_orders: _,
            closed_positions: _,
            traded: _,
            book: _,
            day_told: _,
            ledger: _,
            near: _,
            permission: _,
            read: _,
            differed: _,
            week: _,
            sessions: _,
            own: _,
            managed: _,
            filling: _,
            observed_today: _,
            rules: _,
            stop_rule: _,
            touched: _,
            ask_all: _,
            calm: _,
            asked_everything: _,
            serial: _,
        } = self;
        let nothing_done = lockouts.is_empty()
            && races.is_empty()
            && engaged.is_empty()
            && quiet.is_empty()
            && shut.is_empty()
            && quiet_orders.is_empty()
            && quiet_changes.is_empty()
            && leftovers.next_due().is_none()
            && loops.next_due().is_none();
        let nothing_doubted = !reread
            && disagree_since.is_none()
            && owed.is_empty()
            && averages.due.is_none()
            && !averages.stale
            && stops.deadlines().next().is_none()
            && stops.inquiry.is_idle();
        let nothing_left =
            observed.is_empty() && commands.is_empty() && reduced.is_empty() && news.is_empty();
        nothing_done && nothing_doubted && nothing_left
    }

    /// When time alone brings something next; `None`: now.
    fn time_brings_something(&self) -> Option<Instant> {
        let due = self.deadlines().map(|deadline| deadline.at).min()?;
        if self.positions.is_empty() {
            return Some(due);
        }
        let every = TimeDelta::seconds(self.stop_rule.poll_interval_seconds.into());
        Some(due.min(self.stops.inquiry.polls_at(every)?))
    }

    /// How far a stop covers its position depends on which side of it the price is.
    fn avoid_stops(&self, scene: &Scene<'_>, room: &mut Room<'_>) {
        for ((holding, look), band) in scene.positions().zip(room.bands_mut()) {
            let Position { contract, .. } = &holding.position;
            let stops = self.working_orders().map(|known| &known.order);
            let stops = stops.filter(|it| it.kind.is_stop() && it.contract == *contract);
            for stop in stops.filter_map(|stop| stop.stop_price) {
                band.avoid(stop);
                let farthest = self.stop_rule.max_stop_distance_ticks.zip(look.instrument());
                if let Some((ticks, instrument)) = farthest {
                    band.avoid(instrument.ticks_away(stop, ticks.into()));
                    band.avoid(instrument.ticks_away(stop, -i64::from(ticks)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

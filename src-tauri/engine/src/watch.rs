//! Keeping the stop watches: starting and ending graces, asking for the orders, warning in time
//! (specification B.8, C.9). The verdict itself is RULE-008's.

use chrono::TimeDelta;
use domain::{Action, Contracts, EventKind, Instant, Notice, Position, RuleKey, RuleMode, Severity};

use crate::{
    account::{AccountState, Holding},
    judge::Court,
    kinds::Kinds,
    market::Look,
    rules::Reckoned,
    stops::{StopWatches, UNKNOWN_FOR_TOO_LONG},
};

/// Share of the grace after which the trader is warned, in percent. Bracket children arrive within
/// hundreds of milliseconds; a warning before that would cry at every entry (L-45).
const WARN_AFTER_PERCENT: i32 = 30;

/// Changes after which the stops are looked at.
pub(crate) const CONCERNS_STOPS: &[EventKind] = &[
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
    EventKind::TimeTick,
    EventKind::StateReconciled,
    EventKind::ConfigChanged,
];

/// Changes after which the broker's own list is asked for.
const WORTH_ASKING: &[EventKind] = &[
    EventKind::PositionOpened,
    EventKind::PositionUpdated,
    EventKind::OrderCancelled,
    EventKind::OrderExpired,
    EventKind::OrderRejected,
];

impl AccountState {
    pub(crate) fn watch_stops(&mut self, kinds: Kinds, reckoned: &Reckoned<'_>, court: &mut Court<'_>) {
        if !kinds.touches(Kinds::of(CONCERNS_STOPS)) {
            return;
        }
        let mut stops = std::mem::take(&mut self.stops);
        if kinds.touches(Kinds::of(WORTH_ASKING)) && !self.positions.is_empty() {
            stops.inquiry.want();
        }
        for (holding, look) in self.positions.values().zip(reckoned.looks()) {
            self.watch(&mut stops, holding, look, court);
        }
        self.poll(&mut stops, court.now);
        // Every position has its watch by now: no more watches than positions means that none is left over.
        if stops.watches.len() > self.positions.len() || !stops.restored.is_empty() {
            for contract in stops.forget(|contract| self.positions.contains_key(contract)) {
                let account = self.id.clone();
                court.out.push(Action::RecordStopDeadline { account, contract, deadline: None });
            }
        }
        self.stops = stops;
    }

    fn watch(&self, stops: &mut StopWatches, holding: &Holding, look: Look<'_>, court: &mut Court<'_>) {
        let position = &holding.position;
        let contract = &position.contract;
        let coverage = self.coverage(position, look.price(), look.instrument(), &self.stop_rule);
        for order in coverage.dangerous {
            if !stops.told_dangerous.contains(&order) {
                stops.told_dangerous.push(order.clone());
                let notice = Notice::DangerousStop { contract: contract.clone(), order };
                self.alert(Severity::Warning, notice, court.out);
            }
        }
        let covered = if self.stop_rule.require_full_coverage {
            coverage.covered >= position.exposure.size()
        } else {
            coverage.covered.0 > 0
        };
        if let Some(deadline) = stops.update(position, covered, self.grace(), court.now) {
            let (account, contract) = (self.id.clone(), contract.clone());
            court.out.push(Action::RecordStopDeadline { account, contract, deadline });
        }
        if !covered {
            self.mind_deadline(stops, position, coverage.covered, court);
        }
    }

    /// A position without complete stop: the trader is warned in time, and the orders are asked for at the
    /// end of the grace.
    fn mind_deadline(
        &self,
        stops: &mut StopWatches,
        position: &Position,
        covered: Contracts,
        court: &mut Court<'_>,
    ) {
        let StopWatches { watches, inquiry, .. } = stops;
        let warn_at = self.grace() * (100 - WARN_AFTER_PERCENT) / 100;
        let Some(watch) = watches.get_mut(&position.contract) else { return };
        let Some(deadline) = watch.deadline else { return };
        let is_time = court.now >= deadline - warn_at && court.now < deadline;
        if is_time && !watch.warned && self.closes_without_stop() {
            watch.warned = true;
            let (contract, size) = (position.contract.clone(), position.exposure.size());
            let notice = Notice::StopMissing { contract, covered, size, closes_at: deadline };
            self.alert(Severity::Warning, notice, court.out);
        }
        if court.now >= deadline && inquiry.confirmed < Some(deadline) {
            inquiry.want_since(deadline);
            if !watch.unknown_told && court.now >= deadline + UNKNOWN_FOR_TOO_LONG {
                watch.unknown_told = true;
                let notice = Notice::StopsUnknown { contract: position.contract.clone(), since: deadline };
                self.alert(Severity::Critical, notice, court.out);
            }
        }
    }

    /// In a dry run nothing is closed at the deadline.
    fn closes_without_stop(&self) -> bool {
        self.rules.iter().any(|it| it.key() == RuleKey::NoStopLossGrace && it.mode == RuleMode::Enforce)
    }

    fn poll(&self, stops: &mut StopWatches, now: Instant) {
        let every = TimeDelta::seconds(self.stop_rule.poll_interval_seconds.into());
        if !self.positions.is_empty() && stops.inquiry.is_due(every, now) {
            stops.inquiry.want();
        }
    }

    fn grace(&self) -> TimeDelta {
        TimeDelta::seconds(self.stop_rule.grace_period_seconds.into())
    }
}

//! Keeping the stop watches: starting and ending graces, asking for the orders, warning in time
//! (specification B.8, C.9). The verdict itself is RULE-008's.

use chrono::TimeDelta;
use domain::{Action, EventKind, Notice, Severity};

use crate::{
    account::{AccountState, Holding},
    judge::Court,
    kinds::Kinds,
    stops::UNKNOWN_FOR_TOO_LONG,
};

/// Share of the grace after which the trader is warned, in percent. Bracket children arrive within
/// hundreds of milliseconds; a warning before that would cry at every entry (L-45).
const WARN_AFTER_PERCENT: i32 = 30;

const CONCERNS_STOPS: &[EventKind] = &[
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
    pub(crate) fn watch_stops(&mut self, kinds: Kinds, court: &mut Court<'_>) {
        if !kinds.touches(Kinds::of(CONCERNS_STOPS)) {
            return;
        }
        if kinds.touches(Kinds::of(WORTH_ASKING)) && !self.positions.is_empty() {
            self.stops.inquiry.want();
        }
        let holdings: Vec<Holding> = self.positions.values().cloned().collect();
        for holding in &holdings {
            self.watch(holding, court);
        }
        self.poll(court);
        let positions = &self.positions;
        for contract in self.stops.forget(|contract| positions.contains_key(contract)) {
            let account = self.id.clone();
            court.out.push(Action::RecordStopDeadline { account, contract, deadline: None });
        }
    }

    fn watch(&mut self, holding: &Holding, court: &mut Court<'_>) {
        let position = &holding.position;
        let contract = &position.contract;
        let price = court.market.price(contract);
        let coverage = self.coverage(position, price, court.market.instrument(contract), &self.stop_rule);
        for order in coverage.dangerous {
            if !self.stops.told_dangerous.contains(&order) {
                self.stops.told_dangerous.push(order.clone());
                let notice = Notice::DangerousStop { contract: contract.clone(), order };
                self.alert(Severity::Warning, notice, court.out);
            }
        }
        let covered = if self.stop_rule.require_full_coverage {
            coverage.covered >= position.exposure.size()
        } else {
            coverage.covered.0 > 0
        };
        if let Some(deadline) = self.stops.update(position, covered, self.grace(), court.now) {
            let (account, contract) = (self.id.clone(), contract.clone());
            court.out.push(Action::RecordStopDeadline { account, contract, deadline });
        }
        self.mind_deadline(holding, coverage.covered, court);
    }

    fn mind_deadline(&mut self, holding: &Holding, covered: domain::Contracts, court: &mut Court<'_>) {
        let contract = &holding.position.contract;
        let warn_at = self.grace() * (100 - WARN_AFTER_PERCENT) / 100;
        let confirmed = self.stops.confirmed();
        let Some(watch) = self.stops.watches.get_mut(contract) else { return };
        let Some(deadline) = watch.deadline else { return };
        let mut notices = Vec::new();
        if !watch.warned && court.now >= deadline - warn_at && court.now < deadline {
            watch.warned = true;
            let size = holding.position.exposure.size();
            let (contract, closes_at) = (contract.clone(), deadline);
            notices.push((Severity::Warning, Notice::StopMissing { contract, covered, size, closes_at }));
        }
        if court.now >= deadline && confirmed < Some(deadline) {
            self.stops.inquiry.want_since(deadline);
            if !watch.unknown_told && court.now >= deadline + UNKNOWN_FOR_TOO_LONG {
                watch.unknown_told = true;
                let notice = Notice::StopsUnknown { contract: contract.clone(), since: deadline };
                notices.push((Severity::Critical, notice));
            }
        }
        for (severity, notice) in notices {
            self.alert(severity, notice, court.out);
        }
    }

    fn poll(&mut self, court: &Court<'_>) {
        let every = TimeDelta::seconds(self.stop_rule.poll_interval_seconds.into());
        if !self.positions.is_empty() && self.stops.inquiry.is_due(every, court.now) {
            self.stops.inquiry.want();
        }
    }

    fn grace(&self) -> TimeDelta {
        TimeDelta::seconds(self.stop_rule.grace_period_seconds.into())
    }
}

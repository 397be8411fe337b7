//! RULE-009: trading only inside the trading hours. Outside, a HARD record forbids new exposure until the
//! next start, and positions from before are closed after a grace; a symbol with hours of its own has a
//! record of its own instead.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    Breach, ContractId, Contracts, EventKind, Exposure, Instant, LockEnd, LockKey, RuleKey, Source, Symbol,
    rulebook::SessionBlockOutside,
};

use super::{Finding, Lock, Remedy, Rule, Scene, Verdict};
use crate::{account::Holding, kinds::Kinds, sessions::Phase};

/// The rule with its values.
#[derive(Debug)]
pub struct TradingHours {
    settings: SessionBlockOutside,
}

/// Hours that are over: whose, since when, until when.
struct Outside<'a> {
    symbol: Option<&'a Symbol>,
    ended: Option<Instant>,
    starts: Option<Instant>,
    closes_at: Option<Instant>,
}

impl TradingHours {
    pub(super) fn new(settings: SessionBlockOutside) -> Self {
        Self { settings }
    }

    /// Whether these hours are those of a symbol.
    fn concerns(&self, hours: Option<&Symbol>, symbol: &Symbol) -> bool {
        match hours {
            Some(own) => own == symbol,
            None => !self.settings.per_instrument.contains_key(symbol),
        }
    }

    /// The grace counts from the end of the hours; where there were none, it is over.
    fn closes_at(&self, ended: Option<Instant>, now: Instant) -> Option<Instant> {
        let grace = TimeDelta::seconds(self.settings.close_grace_seconds.into());
        self.settings.close_positions.then(|| ended.map_or(now, |ended| ended + grace))
    }

    fn lock(&self, scene: &Scene<'_>, outside: &Outside<'_>) -> Lock {
        let end = LockEnd::SessionStart(outside.starts);
        let is_over = outside.closes_at.is_some_and(|at| at <= scene.now);
        let baseline = if is_over { BTreeMap::new() } else { self.standing(scene, outside.symbol) };
        match outside.symbol {
            Some(symbol) => Lock::symbol(symbol.clone(), end, baseline),
            None => {
                let exempt = self.settings.per_instrument.keys().cloned().collect();
                let flatten = is_over && self.settings.per_instrument.is_empty();
                Lock { baseline, exempt, flatten, ..Lock::hard(end) }
            }
        }
    }

    fn standing(&self, scene: &Scene<'_>, hours: Option<&Symbol>) -> BTreeMap<ContractId, Exposure> {
        let mut standing = scene.account.baseline(scene.now);
        standing.retain(|contract, _| match scene.account.symbol(contract) {
            Some(symbol) => self.concerns(hours, symbol),
            None => hours.is_none(),
        });
        standing
    }

    /// Without a lockout: entry orders and positions from before the end go as the settings say, and what
    /// is opened afterwards is only told.
    fn without_lock(&self, scene: &Scene<'_>, outside: &Outside<'_>, findings: &mut Vec<Finding>) {
        let from_before = |at: Instant| outside.ended.is_none_or(|ended| at < ended);
        let breach = outside.breach();
        let mut find = |remedy| findings.push(Finding { breach: breach.clone(), remedy });
        let holdings =
            scene.account.holdings().filter(|it| self.concerns(outside.symbol, &it.position.symbol));
        for Holding { position, .. } in holdings {
            if !from_before(position.opened_at) {
                find(Remedy::Tell { about: position.contract.to_string() });
            } else if outside.closes_at.is_some_and(|at| at <= scene.now) {
                find(Remedy::Reduce { contract: position.contract.clone(), to: Contracts::ZERO });
            }
        }
        let orders = scene.account.working_orders().map(|it| &it.order);
        for order in orders.filter(|it| self.concerns(outside.symbol, &it.symbol)) {
            let concerned = scene.account.is_entry(order) && scene.account.is_cancellable(order);
            if self.settings.cancel_orders && concerned && from_before(order.created_at) {
                find(Remedy::Cancel(order.id.clone()));
            }
        }
    }
}

impl Outside<'_> {
    fn breach(&self) -> Breach {
        Breach::OutsideSession { symbol: self.symbol.cloned(), ended: self.ended, closes_at: self.closes_at }
    }
}

impl Rule for TradingHours {
    fn key(&self) -> RuleKey {
        RuleKey::SessionBlockOutside
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::TimeTick,
            EventKind::SessionTick,
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::OrderPlaced,
            EventKind::OrderModified,
            EventKind::StateReconciled,
            EventKind::ConfigChanged,
        ])
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream, Source::SessionCalendar]
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let mut verdict = Verdict::Passed;
        for (symbol, phase) in scene.account.sessions().phases() {
            let Phase::Closed { since: ended, until: starts } = phase else { continue };
            verdict = Verdict::Violated;
            let closes_at = self.closes_at(ended, scene.now);
            let outside = Outside { symbol, ended, starts, closes_at };
            let key = LockKey {
                account: scene.account.id().clone(),
                rule: self.key(),
                symbol: symbol.cloned(),
                cause: String::new(),
            };
            if !self.settings.lockout {
                self.without_lock(scene, &outside, findings);
            } else if !scene.account.lockouts().has(&key) {
                let lock = self.lock(scene, &outside);
                findings.push(Finding { breach: outside.breach(), remedy: Remedy::Lock(lock) });
            }
        }
        verdict
    }
}

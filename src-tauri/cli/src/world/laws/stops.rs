//! No position is without complete stop for longer than its grace, whatever restarts lie in between
//! (RULE-008, invariant A.8-6).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{AccountId, ContractId, Instant};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
};

/// The law.
#[derive(Debug, Default)]
pub(super) struct Stops {
    debts: Debts<(AccountId, ContractId)>,
    /// Since when the engine was able to know of a position without complete stop: one that it sees for the
    /// first time gets one fresh grace (RULE-008, edge cases).
    knowable: BTreeMap<(AccountId, ContractId), (Instant, Option<Instant>)>,
}

impl Law for Stops {
    fn name(&self) -> &'static str {
        "every position has a stop"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        self.know(scene);
        let Some(process) = scene.process else { return Ok(()) };
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            let grace = scene.rules(&seen.id).no_stop_loss_grace.settings.grace_period_seconds;
            let grace = TimeDelta::seconds(grace.into());
            for held in seen.held.values() {
                let key = (seen.id.clone(), held.position.contract.clone());
                let by_truth = self.knowable.get(&key).and_then(|(_, since)| *since).map(|at| at + grace);
                let account = process.core.engine().account(&seen.id);
                let watch = account.and_then(|account| account.stops().of(&key.1));
                let by_engine = watch.and_then(|watch| watch.deadline).filter(|_| held.uncovered.is_some());
                let over = by_truth.into_iter().chain(by_engine).min().filter(|over| *over <= scene.now);
                wrong.extend(over.map(|over| (key, over)));
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

impl Stops {
    fn know(&mut self, scene: &Scene<'_>) {
        let mut before = std::mem::take(&mut self.knowable);
        let is_calm = scene.process.is_some() && scene.answering.is_calm(scene.now);
        for seen in &scene.sight.accounts {
            for held in seen.held.values() {
                let Some(since) = held.uncovered else { continue };
                let key = (seen.id.clone(), held.position.contract.clone());
                let known = before.remove(&key).filter(|(it, _)| *it == since).and_then(|(_, at)| at);
                let at = known.or_else(|| is_calm.then_some(scene.now));
                self.knowable.insert(key, (since, at));
            }
        }
    }
}

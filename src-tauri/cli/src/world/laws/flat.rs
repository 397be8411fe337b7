//! An account under a HARD lockout ends flat, and stays flat: every position and every entry order is
//! answered in time (invariants A.8-4).

use domain::{AccountId, ContractId, Instant, LockKind, OrderId};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
};
use crate::sight::Held;

/// The law.
#[derive(Debug, Default)]
pub(super) struct Flat {
    debts: Debts<Wrong>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Held(AccountId, ContractId),
    Entry(AccountId, OrderId),
}

impl Law for Flat {
    fn name(&self) -> &'static str {
        "a locked account is flat"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Some(process) = scene.process else { return Ok(()) };
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            let Some(account) = process.core.engine().account(&seen.id) else { continue };
            let hard = || account.lockouts().iter().filter(|it| it.kind == LockKind::Hard);
            let Some(since) = hard().map(|lockout| lockout.since).min() else { continue };
            // What stood when the hours ended may stay for a while (RULE-009).
            let spared = |since: Instant, held: &Held| {
                held.grown < since && hard().all(|lockout| lockout.spares_baseline(scene.now))
            };
            for held in seen.held.values().filter(|held| !spared(since, held)) {
                let key = Wrong::Held(seen.id.clone(), held.position.contract.clone());
                let unspared = hard().filter_map(|lockout| lockout.grace_ends()).max();
                wrong.push((key, held.grown.max(since).max(unspared.unwrap_or(since).min(scene.now))));
            }
            for seeing in seen.orders.values() {
                if let Some(entry) = seeing.entry_since {
                    let key = Wrong::Entry(seen.id.clone(), seeing.order.id.clone());
                    wrong.push((key, entry.max(since)));
                }
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

//! Under a cooldown nothing grows: what stood when it began may stay, what is opened or enlarged is closed
//! again, and no order waits to open anything (RULE-006, RULE-007).

use std::collections::BTreeMap;

use domain::{AccountId, ContractId, Exposure, Instant, LockKind, OrderId};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
};
use crate::sight::Seen;

/// The law.
#[derive(Debug, Default)]
pub(super) struct Cooldowns {
    debts: Debts<Wrong>,
    /// Since when an account cools down, and what may stay.
    cooling: BTreeMap<AccountId, (Instant, BTreeMap<ContractId, Exposure>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Grown(AccountId, ContractId),
    Entry(AccountId, OrderId),
}

impl Law for Cooldowns {
    fn name(&self) -> &'static str {
        "nothing grows under a cooldown"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Some(process) = scene.process else { return Ok(()) };
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            let account = process.core.engine().account(&seen.id);
            let cools = account.is_some_and(|it| it.lockouts().account_wide() == Some(LockKind::Timer));
            // What changes while it is not known whether news arrives may belong to either side.
            if !cools || !scene.answering.is_calm(scene.now) {
                self.cooling.remove(&seen.id);
                continue;
            }
            let (since, allowed) =
                self.cooling.entry(seen.id.clone()).or_insert_with(|| (scene.now, held(seen)));
            for (contract, most) in allowed.iter_mut() {
                let now = seen.exposure(contract);
                *most = if most.same_side(now) {
                    most.resized(most.size().min(now.size()))
                } else {
                    Exposure::FLAT
                };
            }
            for held in seen.held.values() {
                let most = allowed.get(&held.position.contract).copied().unwrap_or_default();
                let exposure = held.position.exposure;
                if !most.same_side(exposure) || exposure.size() > most.size() {
                    let key = Wrong::Grown(seen.id.clone(), held.position.contract.clone());
                    wrong.push((key, held.grown.max(*since)));
                }
            }
            for seeing in seen.orders.values() {
                if let Some(entry) = seeing.entry_since {
                    let key = Wrong::Entry(seen.id.clone(), seeing.order.id.clone());
                    wrong.push((key, entry.max(*since)));
                }
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

fn held(seen: &Seen) -> BTreeMap<ContractId, Exposure> {
    seen.held.values().map(|held| (held.position.contract.clone(), held.position.exposure)).collect()
}

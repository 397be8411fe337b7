//! An account under a HARD lockout ends flat, and stays flat: every position and every entry order is
//! answered in time (invariants A.8-4). So does a symbol outside its own hours.

use domain::{AccountId, ContractId, Exposure, LockKind, Lockout, OrderId, RuleKey, Symbol};

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
            let locks: Vec<&Lockout> = account.lockouts().iter().filter(|it| forbids(it)).collect();
            let of = |symbol: &Symbol| -> Vec<&Lockout> {
                locks.iter().copied().filter(|it| it.concerns(symbol)).collect()
            };
            for held in seen.held.values() {
                let locks = of(&held.position.symbol);
                let Some(since) = locks.iter().map(|lockout| lockout.since).min() else { continue };
                // What stood when the hours ended may stay for a while (RULE-009); so may what is left of it
                // once an addition was taken off again.
                let spared = locks.iter().all(|lockout| lockout.spares_baseline(scene.now));
                if spared && (held.grown < since || locks.iter().all(|lockout| is_within(lockout, held))) {
                    continue;
                }
                let key = Wrong::Held(seen.id.clone(), held.position.contract.clone());
                let unspared = locks.iter().filter_map(|lockout| lockout.grace_ends()).max();
                wrong.push((key, held.grown.max(since).max(unspared.unwrap_or(since).min(scene.now))));
            }
            for seeing in seen.orders.values() {
                let since = of(&seeing.order.symbol).iter().map(|lockout| lockout.since).min();
                if let (Some(entry), Some(since)) = (seeing.entry_since, since) {
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

fn is_within(lockout: &Lockout, held: &Held) -> bool {
    let (position, none) = (&held.position, Exposure::default());
    let baseline = lockout.baseline.get(&position.contract).unwrap_or(&none);
    baseline.same_side(position.exposure) && position.exposure.size() <= baseline.size()
}

fn forbids(lockout: &Lockout) -> bool {
    lockout.kind == LockKind::Hard || lockout.key.rule == RuleKey::SessionBlockOutside
}

//! An order of ours never waits to open anything: what protected a position goes with it (ruling 23).

use domain::{AccountId, OrderId};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
};

/// The law.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    debts: Debts<(AccountId, OrderId)>,
}

impl Law for Orphans {
    fn name(&self) -> &'static str {
        "no order of ours outlives its position"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if scene.process.is_none() {
            return Ok(());
        }
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            for seeing in seen.orders.values().filter(|it| scene.sight.is_own(&it.order.id)) {
                // Larger than the position is one that shrank: it follows after the 2 s that the platform
                // has for linked orders.
                let is_orphan = seen.exposure(&seeing.order.contract).is_flat();
                if let Some(since) = seeing.entry_since.filter(|_| is_orphan) {
                    wrong.push(((seen.id.clone(), seeing.order.id.clone()), since));
                }
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

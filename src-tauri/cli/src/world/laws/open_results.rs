//! A position at its open limit is closed (RULE-004 by position, RULE-005).

use domain::{AccountId, ContractId, RuleKey, rulebook::LossScope};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
    results,
};

/// The law.
#[derive(Debug, Default)]
pub(super) struct OpenResults {
    debts: Debts<(AccountId, ContractId, RuleKey)>,
}

impl Law for OpenResults {
    fn name(&self) -> &'static str {
        "a position at its open limit is closed"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if scene.process.is_none() {
            return Ok(());
        }
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            let rules = scene.rules(&seen.id);
            let loss = &rules.daily_unrealized_loss.settings;
            let loss = (scene.enforces(&seen.id, RuleKey::DailyUnrealizedLoss)
                && loss.scope == LossScope::Position)
                .then_some(loss.limit);
            let target = scene
                .enforces(&seen.id, RuleKey::MaxUnrealizedProfit)
                .then_some(rules.max_unrealized_profit.settings.target);
            if loss.is_none() && target.is_none() {
                continue;
            }
            for held in seen.held.values() {
                let Some(value) = results::open_result(&held.position, scene) else { continue };
                let contract = &held.position.contract;
                let reached = [
                    (RuleKey::DailyUnrealizedLoss, loss.is_some_and(|limit| value <= limit)),
                    (RuleKey::MaxUnrealizedProfit, target.is_some_and(|target| value >= target)),
                ];
                for (rule, _) in reached.into_iter().filter(|(_, is_reached)| *is_reached) {
                    wrong.push(((seen.id.clone(), contract.clone(), rule), held.grown));
                }
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

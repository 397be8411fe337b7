//! RULE-007: a break after a losing trade. A trade is what one closing order brought in all; the deepest
//! step that it reached decides how long the break is. Fires on fills that were just learned, never
//! because it is asked again, and not on the losses of its own closes.

use chrono::TimeDelta;
use domain::{
    Breach, EventKind, Instant, LockKey, RuleKey, Source, Usd,
    rulebook::{CooldownAfterLoss, LossTier},
};

use super::{Finding, Lock, Remedy, Rule, Scene, Verdict};
use crate::{kinds::Kinds, trades::Closing};

/// The rule with its values.
#[derive(Debug)]
pub struct LossCooldown {
    settings: CooldownAfterLoss,
}

/// A step that was reached: until when, by which loss, and which one it is.
struct Reached {
    until: Instant,
    loss: Usd,
    tier: LossTier,
}

impl LossCooldown {
    pub(super) fn new(settings: CooldownAfterLoss) -> Self {
        Self { settings }
    }

    /// The steps that news about one order reached, one after the other.
    fn reached(&self, closing: &Closing, now: Instant) -> Vec<Reached> {
        let steps = |loss: Usd| self.settings.tiers.iter().filter(|tier| loss <= tier.loss).count();
        let mut deepest = 0;
        let mut reached = Vec::new();
        for (at, loss) in closing.results.iter().copied() {
            let depth = steps(loss);
            if depth <= deepest {
                continue;
            }
            deepest = depth;
            let Some(tier) = self.settings.tiers.get(depth - 1).copied() else { continue };
            if at >= closing.news_from {
                let until = at.min(now) + TimeDelta::seconds(tier.cooldown_seconds.into());
                reached.push(Reached { until, loss, tier });
            }
        }
        reached
    }
}

impl Rule for LossCooldown {
    fn key(&self) -> RuleKey {
        RuleKey::CooldownAfterLoss
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[EventKind::TradeExecuted, EventKind::StateReconciled])
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream]
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let account = scene.account;
        let closings = account.closings(self.key());
        let reached = closings.iter().flat_map(|closing| self.reached(closing, scene.now));
        let last = reached.filter(|it| it.until > scene.now).max_by_key(|it| it.until);
        let Some(Reached { until, loss, tier }) = last else {
            let key = LockKey {
                account: account.id().clone(),
                rule: self.key(),
                symbol: None,
                cause: String::new(),
            };
            return if account.lockouts().has(&key) { Verdict::Violated } else { Verdict::Passed };
        };
        let lock = match self.settings.close_positions {
            true => Lock::closing_timer(until),
            false => Lock::timer(until, account.baseline(scene.now)),
        };
        let breach = Breach::LosingTrade { loss, limit: tier.loss };
        findings.push(Finding { breach, remedy: Remedy::Lock(lock) });
        Verdict::Violated
    }
}

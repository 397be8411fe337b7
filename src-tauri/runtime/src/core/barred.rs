//! What an account refuses for good, and which rules can't act there because of it (ruling 24): told once,
//! shown as long as it lasts. What becomes of a refused reduction is the executor's business.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, Instant, Means, RuleKey, RuleMode,
    broker::{Ask, Call, CallError, CallId, Refusal, Reply},
    rulebook::OnReduceRefused,
};
use engine::AccountState;
use views::text::{Doubt, upkeep};

use super::{Core, telling::About};

/// What was refused in this run, and to whom that was told.
#[derive(Debug, Default)]
pub(super) struct Barred {
    refused: BTreeSet<(AccountId, Means)>,
    /// What the calls under way try. Each is answered (see [`domain::broker`]).
    trying: BTreeMap<CallId, (AccountId, Means)>,
    told: BTreeSet<(AccountId, RuleKey)>,
}

impl Barred {
    pub fn asked(&mut self, ask: &Ask) {
        let (account, means) = match &ask.call {
            Call::Reduce { account, .. } => (account, Means::Reduce),
            Call::Cancel { account, .. } | Call::Modify { account, .. } | Call::Resize { account, .. } => {
                (account, Means::Cancel)
            }
            Call::Accounts
            | Call::Watch(_)
            | Call::WatchQuotes(_)
            | Call::Snapshot { .. }
            | Call::WorkingOrders(_)
            | Call::Verify { .. }
            | Call::Instrument(_)
            | Call::SearchInstruments(_)
            | Call::LatestBar(_)
            | Call::Close { .. }
            | Call::Place { .. } => return,
        };
        self.trying.insert(ask.id, (account.clone(), means));
    }

    /// What was refused for good is not expected to work the next time; what worked is.
    pub fn replied(&mut self, reply: &Reply) {
        let Some(tried) = self.trying.remove(&reply.id) else { return };
        match &reply.result {
            Ok(_) => {
                self.refused.remove(&tried);
            }
            Err(CallError::Refused { kind: Refusal::NotPermitted, .. }) => {
                self.refused.insert(tried);
            }
            Err(_) => {}
        }
    }
}

impl Core {
    /// The enforcing rules of an account that can't do what they are for.
    pub(super) fn barred_rules(&self, account: &AccountState) -> Vec<Doubt> {
        let Some(info) = account.info() else { return Vec::new() };
        // A live account refuses both (gateway reference 9.8); one that may not trade refuses anything.
        let is_live = info.simulated == Some(false);
        let refuses = |means| {
            is_live || (info.can_trade && self.barred.refused.contains(&(account.id().clone(), means)))
        };
        let closes_instead = self.engine.rulebook().on_reduce_refused == OnReduceRefused::Close;
        account
            .rules()
            .iter()
            .filter(|armed| armed.mode() == RuleMode::Enforce)
            .filter_map(|armed| Some((armed.key(), armed.stands_on()?)))
            .filter(|(_, means)| refuses(*means) && !(closes_instead && *means == Means::Reduce))
            .map(|(rule, means)| Doubt::Barred { rule, means })
            .collect()
    }

    /// Tells of each such rule once, as long as it lasts.
    pub(super) fn tell_barred(&mut self, now: Instant) {
        let barred: Vec<(AccountId, RuleKey, Doubt)> = self
            .guard
            .reasons
            .iter()
            .filter_map(|(doubt, account)| match (doubt, account) {
                (Doubt::Barred { rule, .. }, Some(account)) => Some((account.clone(), *rule, doubt.clone())),
                _ => None,
            })
            .collect();
        // While the connection is gone, nobody knows better.
        if barred.is_empty() && self.guard.reasons.iter().any(|(_, account)| account.is_none()) {
            return;
        }
        self.barred
            .told
            .retain(|(account, rule)| barred.iter().any(|(of, by, _)| (of, by) == (account, rule)));
        for (account, rule, doubt) in barred {
            if self.barred.told.insert((account.clone(), rule)) {
                let text = doubt.text(&self.setting.broker);
                tracing::error!(target: "daemon", checkpoint = 4, %account, "DEGRADED: {rule}: {text}");
                let note = self.with_scene(Some(&account), now, |scene| upkeep::degraded(&doubt, scene));
                self.tell(note, About::account("rule_cannot_act", Some(&account)), now);
            }
        }
    }
}

//! A run that judges everything and sends nothing (specification C.11): every rule observes, what acts without a
//! rule is withheld, people's commands are refused, and nobody is told that they are protected.

use std::collections::BTreeSet;

use domain::{
    AccountId, Action, ContractId, Contracts, Deed, Enforcement, Event, Instant, Observation, Omitted,
    Outcome, Report, Rulebook,
};
use engine::AccountState;

use super::{Core, Setting};

/// The [`Setting::mode`] of such a run.
pub const DRY_RUN: &str = "dry-run";

impl Setting {
    /// Nothing is sent to the broker that changes anything there.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.mode == DRY_RUN
    }

    /// The rules as the engine judges by them.
    pub(super) fn judged(&self, rulebook: Rulebook) -> Rulebook {
        Rulebook { dry_run: self.is_dry_run(), ..rulebook }
    }
}

/// What was withheld and told of; when full, it is told anew.
#[derive(Debug, Default)]
pub(super) struct Withheld(BTreeSet<(AccountId, String)>);

/// Deeds that are remembered.
const MOST_WITHHELD: usize = 500;

impl Withheld {
    fn is_news(&mut self, enforcement: &Enforcement) -> bool {
        if self.0.len() >= MOST_WITHHELD {
            self.0.clear();
        }
        self.0.insert((enforcement.account.clone(), format!("{:?}", enforcement.deed)))
    }
}

impl Core {
    /// What acts without a rule, a stop that was left over say, is told and recorded once as what would have been
    /// done. The engine hears that it failed, so that it asks again no sooner than after a failure.
    pub(super) fn withhold(&mut self, enforcement: &Enforcement, cause: &Event, now: Instant) -> Event {
        let Enforcement { account, rule, deed, .. } = enforcement;
        tracing::info!(target: "enforcement", %account, %rule, ?deed, "dry run, not sent");
        if self.withheld.is_news(enforcement) {
            let observed = Action::Observe(Box::new(Observation {
                account: enforcement.account.clone(),
                rule: enforcement.rule,
                breach: enforcement.breach.clone(),
                lock: None,
                end: None,
                omitted: self.omitted(enforcement),
                detected_at: enforcement.detected_at,
                warn: false,
            }));
            self.record(&observed, cause, now);
            self.tell_of(&observed, now);
        }
        Event::Report(Report {
            enforcement: enforcement.id,
            account: enforcement.account.clone(),
            contract: None,
            outcome: Outcome::Failed { why: "dry run: nothing is sent".to_string() },
            market_shut: false,
        })
    }

    fn omitted(&self, enforcement: &Enforcement) -> Omitted {
        let holdings =
            || self.engine.account(&enforcement.account).into_iter().flat_map(AccountState::holdings);
        let excess = |of: Option<&ContractId>, to: Contracts| {
            let meant = holdings().map(|it| &it.position).filter(|it| of.is_none_or(|of| *of == it.contract));
            meant.map(|it| (it.contract.clone(), it.exposure.size().saturating_sub(to))).collect()
        };
        let nothing = Omitted::default();
        match &enforcement.deed {
            Deed::Flatten => Omitted { closed: excess(None, Contracts::ZERO), ..nothing },
            Deed::Reduce { contract, to } => Omitted { closed: excess(Some(contract), *to), ..nothing },
            Deed::Cancel { orders } => Omitted { cancelled: orders.clone(), ..nothing },
            Deed::Place { .. } => Omitted { placed: 1, ..nothing },
            Deed::Shrink { .. } | Deed::Modify { .. } => Omitted { moved: 1, ..nothing },
        }
    }
}

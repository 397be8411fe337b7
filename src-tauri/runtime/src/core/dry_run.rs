//! A run that judges everything and sends nothing (specification C.11): every rule observes, what acts without a
//! rule is withheld, people's commands are refused, and nobody is told that they are protected.

use domain::{Enforcement, Event, Outcome, Report, Rulebook};

use super::Setting;

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

/// What the engine is told of an enforcement in a dry run, so that it asks again no sooner than after a failure.
pub(super) fn withheld(enforcement: &Enforcement) -> Event {
    tracing::info!(
        target: "enforcement",
        rule = %enforcement.rule,
        account = %enforcement.account,
        deed = ?enforcement.deed,
        "dry run, not sent: {}", views::text::reason::full(&enforcement.breach)
    );
    Event::Report(Report {
        enforcement: enforcement.id,
        account: enforcement.account.clone(),
        contract: None,
        outcome: Outcome::Failed { why: "dry run: nothing is sent".to_string() },
        market_shut: false,
    })
}

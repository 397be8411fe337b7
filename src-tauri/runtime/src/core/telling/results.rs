//! The end of an enforcement, told together with the lock that it belongs to.

use domain::{Breach, Contracts, Deed, Enforcement, Instant, Outcome, Symbol};
use views::text::{
    note::{self, Enforced, Failure},
    reason,
};

use super::{
    super::{Core, lock_news::News},
    About,
};
use crate::executor::Receipt;

impl Core {
    /// An enforcement ended: told when it was done or failed, not when it turned out to be needless.
    pub(in crate::core) fn tell_receipt(&mut self, receipt: &Receipt, now: Instant) {
        let enforcement = &receipt.enforcement;
        self.log_result(receipt);
        let news = self.lock_told_with(enforcement);
        let beside = news.as_ref().map(|it| self.beside(it.lockout()));
        let lock = news.as_ref().zip(beside.as_ref()).map(|(news, beside)| news.locking(beside));
        match &receipt.outcome {
            Outcome::Confirmed if is_routine(&enforcement.breach) => {}
            Outcome::Confirmed if !receipt.superseded => {
                let deeds = self.deeds(receipt);
                let reason = reason::short(&enforcement.breach);
                let (rule, title) = (enforcement.rule, reason::title(enforcement.rule, &enforcement.breach));
                let news = Enforced { rule, title, reason: &reason, deeds: &deeds, lock };
                let note =
                    self.with_scene(Some(&enforcement.account), now, |scene| note::enforced(&news, scene));
                self.tell(note, About::account("enforced", Some(&enforcement.account)), now);
            }
            Outcome::Confirmed | Outcome::NotNeeded => {}
            Outcome::Failed { why } => self.tell_failure(receipt, why, now),
        }
    }

    /// Checkpoint 8, its second half: the result and its latency.
    fn log_result(&self, receipt: &Receipt) {
        let Receipt { enforcement, attempts, .. } = receipt;
        let (account, rule) = (&enforcement.account, enforcement.rule);
        let since = |at: Option<Instant>| at.map(|at| (at - enforcement.detected_at).num_milliseconds());
        let (sent_ms, confirmed_ms) = (since(receipt.sent_at), since(receipt.confirmed_at));
        match &receipt.outcome {
            Outcome::Confirmed => {
                let done = self.deeds(receipt).done();
                tracing::info!(target: "enforcement", checkpoint = 8, %account, %rule, attempts, sent_ms, confirmed_ms, "confirmed: {done}");
            }
            Outcome::NotNeeded => {
                tracing::info!(target: "enforcement", checkpoint = 8, %account, %rule, attempts, "no longer needed");
            }
            Outcome::Failed { why } => {
                tracing::error!(target: "enforcement", checkpoint = 8, %account, %rule, attempts, sent_ms, "enforcement failed: {why}");
            }
        }
    }

    fn tell_failure(&mut self, receipt: &Receipt, why: &str, now: Instant) {
        let account = &receipt.enforcement.account;
        if receipt.market_shut && !self.teller.admit_shut(account, now) {
            return;
        }
        if let Breach::Management { symbol, .. } = &receipt.enforcement.breach {
            let reason = reason::short(&receipt.enforcement.breach);
            let note = self.with_scene(Some(account), now, |scene| {
                note::order_failed(symbol.as_str(), &reason, why, scene)
            });
            return self.tell(note, About::account("order_failed", Some(account)), now);
        }
        let open: Vec<(Contracts, Symbol)> =
            self.held(Some(account)).into_iter().map(|held| (held.size, held.symbol)).collect();
        let lock_stays =
            self.engine.account(account).is_some_and(|it| it.lockouts().account_wide().is_some());
        let failure = Failure {
            open: &open,
            tries: receipt.attempts,
            why,
            lock_stays,
            market_closed: receipt.market_shut,
        };
        let note = self.with_scene(Some(account), now, |scene| note::close_failed(&failure, scene));
        self.tell(note, About::account("enforcement_failed", Some(account)), now);
    }

    /// The lock that a flatten, or the close of a symbol, belongs to, so that one message tells both.
    fn lock_told_with(&mut self, enforcement: &Enforcement) -> Option<News> {
        let symbol = match &enforcement.deed {
            Deed::Flatten => None,
            Deed::Reduce { contract, .. } => Some(self.symbol_of(contract)),
            Deed::Cancel { .. } | Deed::Shrink { .. } | Deed::Place { .. } | Deed::Modify { .. } => {
                return None;
            }
        };
        self.teller.locks.told_with(&enforcement.account, symbol, enforcement.rule)
    }
}

/// What is done without a word: tidying up, and what RULE-012 was asked to do all day.
fn is_routine(breach: &Breach) -> bool {
    matches!(breach, Breach::Leftover { .. } | Breach::Management { .. })
}

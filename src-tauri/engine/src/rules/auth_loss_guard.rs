//! RULE-010: makes lost protection visible. The messages are kept by [`vigil`](crate::vigil): without
//! connection or login nothing can be closed, so "enforcing" would be pretence. Opted in, an account that
//! the broker does not let trade is flattened, as far as that goes, and locked until it may trade again.

use chrono::TimeDelta;
use domain::{
    Breach, EventKind, LockEnd, LockKey, RuleKey, Source,
    rulebook::{AuthLossGuard, OnCanTradeFalse},
};

use super::{Finding, Lock, Remedy, Rule, Scene, Verdict};
use crate::kinds::Kinds;

/// The rule with its values.
#[derive(Debug)]
pub struct AuthGuard {
    settings: AuthLossGuard,
}

impl AuthGuard {
    pub(super) fn new(settings: AuthLossGuard) -> Self {
        Self { settings }
    }
}

impl Rule for AuthGuard {
    fn key(&self) -> RuleKey {
        RuleKey::AuthLossGuard
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::AccountUpdated,
            EventKind::SdkConnected,
            EventKind::SdkDisconnected,
            EventKind::AuthSuccess,
            EventKind::AuthFailed,
            EventKind::StateReconciled,
            EventKind::ConfigChanged,
        ])
    }

    fn every(&self) -> Option<TimeDelta> {
        Some(TimeDelta::seconds(self.settings.check_interval_seconds.into()))
    }

    fn needs(&self) -> &'static [Source] {
        &[Source::UserStream]
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        if scene.account.info().is_none_or(|info| info.can_trade) {
            return Verdict::Passed;
        }
        let key = LockKey {
            account: scene.account.id().clone(),
            rule: self.key(),
            symbol: None,
            cause: String::new(),
        };
        let locks = self.settings.on_can_trade_false == OnCanTradeFalse::Lockout;
        if locks && !scene.account.lockouts().has(&key) {
            findings.push(Finding {
                breach: Breach::CannotTrade,
                remedy: Remedy::Lock(Lock::hard(LockEnd::CanTrade)),
            });
        }
        Verdict::Violated
    }
}

//! Outside the trading hours an account is locked, and a symbol with hours of its own outside those
//! (RULE-009).

use domain::{AccountId, Instant, LockKey, RuleKey, Symbol};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
    hours,
};

/// The law.
#[derive(Debug, Default)]
pub(super) struct ClosedHours {
    debts: Debts<LockKey>,
    /// The hours that are over, and at which second they were looked at.
    over: Vec<LockKey>,
    looked: Option<i64>,
}

impl Law for ClosedHours {
    fn name(&self) -> &'static str {
        "nobody trades outside the hours"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if self.looked.replace(scene.now.timestamp()) != Some(scene.now.timestamp()) {
            self.over = over(scene);
        }
        let Some(process) = scene.process else { return Ok(()) };
        let is_locked = |key: &LockKey| {
            process.core.engine().account(&key.account).is_some_and(|account| account.lockouts().has(key))
        };
        let since = |key: &LockKey| self.debts.met(key).unwrap_or(scene.now);
        let wrong: Vec<(LockKey, Instant)> =
            self.over.iter().filter(|key| !is_locked(key)).map(|key| (key.clone(), since(key))).collect();
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

/// The lockouts that must be in force now.
fn over(scene: &Scene<'_>) -> Vec<LockKey> {
    let rule = RuleKey::SessionBlockOutside;
    let key = |account: &AccountId, symbol: Option<&Symbol>| LockKey {
        account: account.clone(),
        rule,
        symbol: symbol.cloned(),
        cause: String::new(),
    };
    let accounts = scene.sight.accounts.iter().map(|seen| &seen.id);
    accounts
        .filter(|account| scene.enforces(account, rule))
        .flat_map(|account| {
            let settings = &scene.rules(account).session_block_outside.settings;
            let hours = settings.per_instrument.keys().map(Some).chain([None]);
            let holidays = &scene.rulebook.holidays;
            let closed = hours.filter(|it| !hours::is_open(settings, *it, holidays, scene.now));
            closed.map(|it| key(account, it)).collect::<Vec<_>>()
        })
        .collect()
}

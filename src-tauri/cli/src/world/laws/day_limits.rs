//! A day that has reached its loss limit or its profit target is locked, and only such a day is (RULE-003,
//! RULE-013).

use domain::{AccountId, Action, Breach, Lockout, RuleKey, TradingDay, Usd, breach::Basis};

use super::{
    Law, Scene,
    debts::{Answers, Debts},
    results,
};
use crate::{happening::Happening, sight::Seen};

/// The law.
#[derive(Debug, Default)]
pub(super) struct DayLimits {
    debts: Debts<(AccountId, RuleKey, TradingDay)>,
}

/// One of the two rules.
#[derive(Clone, Copy, Debug)]
struct Limit {
    rule: RuleKey,
    at: Usd,
    basis: Basis,
    include_fees: bool,
}

impl Law for DayLimits {
    fn name(&self) -> &'static str {
        "a day at its limit is locked"
    }

    fn watch(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for happening in scene.happened {
            let Happening::Decided(Action::Lock { lockout }) = happening else { continue };
            if lockout.since >= scene.engine_time.unwrap_or(lockout.since) {
                is_justified(lockout, scene)?;
            }
        }
        let Some(process) = scene.process else { return Ok(()) };
        let today = scene.sight.day_of(scene.now);
        let mut wrong = Vec::new();
        for seen in &scene.sight.accounts {
            let account = process.core.engine().account(&seen.id);
            let is_locked = |rule: RuleKey| {
                account.is_some_and(|account| account.lockouts().iter().any(|it| it.key.rule == rule))
            };
            for limit in limits(scene, &seen.id) {
                if scene.enforces(&seen.id, limit.rule)
                    && !is_locked(limit.rule)
                    && limit.is_reached(seen, today)
                {
                    let key = (seen.id.clone(), limit.rule, today);
                    let since = self.debts.met(&key).unwrap_or(scene.now);
                    wrong.push((key, since));
                }
            }
        }
        self.debts.update(wrong, scene)
    }

    fn answers(&self) -> Answers {
        self.debts.answers()
    }
}

impl Limit {
    /// Which of two results is nearer to it.
    fn nearer(self, one: Usd, other: Usd) -> Usd {
        if self.at < Usd::ZERO { one.min(other) } else { one.max(other) }
    }

    fn includes(self, value: Usd) -> bool {
        if self.at < Usd::ZERO { value <= self.at } else { value >= self.at }
    }

    fn is_reached(self, seen: &Seen, today: TradingDay) -> bool {
        let Some(glance) = seen.glances.back() else { return false };
        let banked = seen.sum(today).result(self.include_fees);
        let value = match self.basis {
            Basis::Realized => banked,
            Basis::Combined => self.nearer(banked, glance.open.map_or(banked, |open| banked + open)),
        };
        self.includes(value)
    }
}

fn limits(scene: &Scene<'_>, account: &AccountId) -> [Limit; 2] {
    let rules = scene.rules(account);
    let (loss, profit) = (&rules.daily_realized_loss.settings, &rules.daily_realized_profit.settings);
    [
        Limit {
            rule: RuleKey::DailyRealizedLoss,
            at: loss.limit,
            basis: loss.basis,
            include_fees: loss.include_fees,
        },
        Limit {
            rule: RuleKey::DailyRealizedProfit,
            at: profit.target,
            basis: profit.basis,
            include_fees: profit.include_fees,
        },
    ]
}

/// A lock has a cause that really was one a moment ago.
fn is_justified(lockout: &Lockout, scene: &Scene<'_>) -> Result<(), String> {
    let account = &lockout.key.account;
    let Some(limit) = limits(scene, account).into_iter().find(|limit| limit.rule == lockout.key.rule) else {
        return Ok(());
    };
    let (Some(seen), Breach::DailyLoss { value, .. } | Breach::DailyProfit { value, .. }) =
        (scene.sight.account(account), &lockout.breach)
    else {
        return Err(format!("{account} was locked for {:?}", lockout.breach));
    };
    let nearest = if limit.at < Usd::ZERO {
        results::worst(seen, limit.include_fees, scene)
    } else {
        results::best(seen, limit.include_fees, scene)
    };
    if limit.includes(nearest) {
        return Ok(());
    }
    Err(format!("{account} was locked at {value} of {}, but the nearest of late was {nearest}", limit.at))
}

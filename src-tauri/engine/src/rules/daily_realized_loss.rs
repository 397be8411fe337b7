//! RULE-003: the day's loss limit. Judges closed results, and closed plus open ones where the prices are
//! known; locks the account until the daily reset.

use domain::{
    Breach, EventKind, LockEnd, LockKey, RuleKey, Source, Usd, breach::Basis, rulebook::DailyRealizedLoss,
};

use super::{Finding, Gauge, Lock, Missing, Remedy, Rule, Scene, Unit, Verdict};
use crate::kinds::Kinds;

/// The rule with its values.
#[derive(Debug)]
pub struct DailyLoss {
    settings: DailyRealizedLoss,
}

impl DailyLoss {
    pub(super) fn new(settings: DailyRealizedLoss) -> Self {
        Self { settings }
    }

    fn realized(&self, scene: &Scene<'_>) -> Usd {
        scene.account.ledger().realized(self.settings.include_fees)
    }

    fn finding(&self, scene: &Scene<'_>, basis: Basis, value: Usd) -> Finding {
        Finding {
            breach: Breach::DailyLoss { basis, value, limit: self.settings.limit },
            remedy: Remedy::Lock(Lock::hard(LockEnd::Reset(scene.day_end))),
        }
    }

    fn judge(&self, scene: &Scene<'_>) -> Result<Option<(Basis, Usd)>, Missing> {
        let realized = self.realized(scene);
        if realized <= self.settings.limit {
            return Ok(Some((Basis::Realized, realized)));
        }
        if self.settings.basis == Basis::Realized {
            return Ok(None);
        }
        let combined = realized + open_result(scene)?;
        Ok((combined <= self.settings.limit).then_some((Basis::Combined, combined)))
    }
}

/// Sum of the open results, or the first contract whose result is not known.
fn open_result(scene: &Scene<'_>) -> Result<Usd, Missing> {
    scene
        .account
        .holdings()
        .map(|it| {
            scene.market.value(&it.position).ok_or_else(|| Missing::Value(it.position.contract.clone()))
        })
        .sum()
}

impl Rule for DailyLoss {
    fn key(&self) -> RuleKey {
        RuleKey::DailyRealizedLoss
    }

    fn listens(&self) -> Kinds {
        Kinds::of(&[
            EventKind::TradeExecuted,
            EventKind::PositionOpened,
            EventKind::PositionUpdated,
            EventKind::PositionClosed,
            EventKind::UnrealizedPnlUpdate,
            EventKind::StateReconciled,
            EventKind::SessionTick,
            EventKind::ConfigChanged,
        ])
    }

    fn needs(&self) -> &'static [Source] {
        match self.settings.basis {
            Basis::Realized => &[Source::UserStream, Source::ResetSchedule],
            Basis::Combined => {
                &[Source::UserStream, Source::ResetSchedule, Source::MarketStream, Source::Metadata]
            }
        }
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        let key = LockKey {
            account: scene.account.id().clone(),
            rule: self.key(),
            symbol: None,
            cause: String::new(),
        };
        if scene.account.lockouts().has(&key) {
            return Verdict::Violated;
        }
        match self.judge(scene) {
            Ok(None) => Verdict::Passed,
            Ok(Some((basis, value))) => {
                findings.push(self.finding(scene, basis, value));
                Verdict::Violated
            }
            Err(missing) => Verdict::Skipped(missing),
        }
    }

    fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        let realized = self.realized(scene);
        let value = match self.settings.basis {
            Basis::Realized => Some(realized),
            Basis::Combined => open_result(scene).ok().map(|open| realized + open),
        };
        vec![Gauge {
            rule: self.key(),
            symbol: None,
            unit: Unit::Usd,
            value: value.map(|value| value.0),
            limit: self.settings.limit.0,
        }]
    }
}

//! RULE-003: the day's loss limit. Judges closed results, and closed plus open ones where the prices are
//! known; locks the account until the daily reset.

use domain::{Breach, RuleKey, Source, rulebook::DailyRealizedLoss};

use super::{
    Finding, Gauge, Room, Rule, Scene, Share, Unit, Verdict,
    day_result::{self, DayResult},
};
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

    fn result(&self) -> DayResult {
        DayResult { basis: self.settings.basis, include_fees: self.settings.include_fees }
    }
}

impl Rule for DailyLoss {
    fn key(&self) -> RuleKey {
        RuleKey::DailyRealizedLoss
    }

    fn listens(&self) -> Kinds {
        DayResult::listens()
    }

    fn needs(&self) -> &'static [Source] {
        self.result().needs()
    }

    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict {
        if day_result::is_locked(scene, self.key()) {
            return Verdict::Violated;
        }
        let limit = self.settings.limit;
        match self.result().judge(scene, |value| value <= limit) {
            Ok(None) => Verdict::Passed,
            Ok(Some((basis, value))) => {
                let breach = Breach::DailyLoss { basis, value, limit };
                findings.push(Finding { breach, remedy: day_result::lock(scene) });
                Verdict::Violated
            }
            Err(skipped) => skipped,
        }
    }

    fn gauges(&self, scene: &Scene<'_>) -> Vec<Gauge> {
        vec![Gauge {
            rule: self.key(),
            symbol: None,
            unit: Unit::Usd,
            value: self.result().value(scene),
            limit: self.settings.limit.0,
        }]
    }

    fn shares(&self, scene: &Scene<'_>, shares: &mut Vec<Share>) {
        let value = self.result().worth(scene).newest();
        shares.extend(value.map(|value| Share::of_all(value, self.settings.limit)));
    }

    fn room(&self, scene: &Scene<'_>, room: &mut Room<'_>) {
        room.keep_together(self.result().worth(scene).sure(), self.settings.limit);
    }
}

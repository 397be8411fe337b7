//! RULE-013: keeps a good day. The mirror of RULE-003: at the target everything is closed and the account
//! is locked until the daily reset. What slippage takes away afterwards unlocks nothing.

use domain::{Breach, RuleKey, Source, rulebook::DailyRealizedProfit};

use super::{
    Finding, Gauge, Room, Rule, Scene, Share, Unit, Verdict,
    day_result::{self, DayResult},
};
use crate::kinds::Kinds;

/// The rule with its values.
#[derive(Debug)]
pub struct DailyProfit {
    settings: DailyRealizedProfit,
}

impl DailyProfit {
    pub(super) fn new(settings: DailyRealizedProfit) -> Self {
        Self { settings }
    }

    fn result(&self) -> DayResult {
        DayResult { basis: self.settings.basis, include_fees: self.settings.include_fees }
    }
}

impl Rule for DailyProfit {
    fn key(&self) -> RuleKey {
        RuleKey::DailyRealizedProfit
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
        let target = self.settings.target;
        match self.result().judge(scene, |value| value >= target) {
            Ok(None) => Verdict::Passed,
            Ok(Some((basis, value))) => {
                let breach = Breach::DailyProfit { basis, value, target };
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
            limit: self.settings.target.0,
        }]
    }

    fn shares(&self, scene: &Scene<'_>, shares: &mut Vec<Share>) {
        let value = self.result().worth(scene).newest();
        shares.extend(value.map(|value| Share::of_all(value, self.settings.target)));
    }

    fn room(&self, scene: &Scene<'_>, room: &mut Room<'_>) {
        room.keep_together(self.result().worth(scene).sure(), self.settings.target);
    }
}

//! RULE-003, 005, 007, 013.

use domain::RuleKey;

use super::Check;
use crate::{fault::FaultKind, schema::seconds_text};

impl Check<'_> {
    pub(super) fn daily_loss(&mut self) {
        self.day_limit(RuleKey::DailyRealizedLoss, 0);
        let (day, open) = (
            &self.sheet.rules.daily_realized_loss.settings,
            &self.sheet.rules.daily_unrealized_loss.settings,
        );
        let sound = self.is_sound(RuleKey::DailyRealizedLoss) && self.is_sound(RuleKey::DailyUnrealizedLoss);
        if sound && day.limit >= open.limit {
            let path = "rules.daily_realized_loss.limit";
            let (day, open) = (day.limit, open.limit);
            self.doubt(
                path,
                format!("The day's limit {day} is not farther away than that of one position, {open}."),
            )
            .because("The first position that reaches its limit ends the day.")
            .fix("Make daily_unrealized_loss.limit the smaller loss, unless this is meant.")
            .add(self.faults);
        }
    }

    pub(super) fn daily_profit(&mut self) {
        self.day_limit(RuleKey::DailyRealizedProfit, 1);
    }

    pub(super) fn open_profit(&mut self) {
        let (open, day) = (
            &self.sheet.rules.max_unrealized_profit.settings,
            &self.sheet.rules.daily_realized_profit.settings,
        );
        let sound =
            self.is_sound(RuleKey::MaxUnrealizedProfit) && self.is_sound(RuleKey::DailyRealizedProfit);
        if sound && open.target >= day.target {
            let path = "rules.max_unrealized_profit.target";
            let (open, day) = (open.target, day.target);
            self.doubt(
                path,
                format!("The target {open} of one position is not below that of the day, {day}."),
            )
            .because("The day's target is reached first, and locks the account.")
            .fix("Lower it, unless this is meant.")
            .add(self.faults);
        }
    }

    /// What RULE-003 and RULE-013 need of the daily reset.
    fn day_limit(&mut self, rule: RuleKey, form: usize) {
        let reset = &self.sheet.reset;
        let Some(own) = self.sheet.forms.reset_times.get(form) else { return };
        if let Some(time) = own.time.filter(|time| *time != reset.time) {
            let shown = (time.format("%H:%M").to_string(), reset.time.format("%H:%M").to_string());
            self.other_reset(rule, "reset_time", &shown);
        }
        if let Some(zone) = own.timezone.filter(|zone| *zone != reset.timezone) {
            self.other_reset(rule, "timezone", &(zone.to_string(), reset.timezone.to_string()));
        }
    }

    fn other_reset(&mut self, rule: RuleKey, key: &str, (own, global): &(String, String)) {
        let path = format!("rules.{rule}.{key}");
        self.error(
            FaultKind::Conflict,
            &path,
            format!("{own} is not the daily reset of timers.yaml, {global}."),
        )
        .because("There is one trading day for everything.")
        .fix("Remove this line, or change daily_reset in timers.yaml.")
        .add(self.faults);
    }

    pub(super) fn cooldown(&mut self) {
        let path = "rules.cooldown_after_loss.loss_thresholds";
        let single = "rules.cooldown_after_loss.cooldown_duration";
        if self.is_given(single) && self.sheet.forms.loss_threshold.is_none() {
            self.error(FaultKind::Conflict, single, "cooldown_duration stands without loss_threshold.")
                .because("It is the duration of that one loss; loss_thresholds have durations of their own.")
                .fix("Add loss_threshold, or write the steps as loss_thresholds.")
                .example("loss_thresholds: [{loss_amount: -100, cooldown_duration: 15m}]")
                .add(self.faults);
        }
        let tiers = self.sheet.rules.cooldown_after_loss.settings.tiers.clone();
        for pair in tiers.windows(2) {
            let [less, more] = pair else { continue };
            if less.loss == more.loss {
                self.error(FaultKind::Conflict, path, format!("The loss {} has two durations.", less.loss))
                    .because("It would be a guess which of the two counts.")
                    .fix("Keep one of them.")
                    .add(self.faults);
            } else if more.cooldown_seconds < less.cooldown_seconds {
                let (deep, flat) = (seconds_text(more.cooldown_seconds), seconds_text(less.cooldown_seconds));
                self.error(
                    FaultKind::Conflict,
                    path,
                    format!(
                        "The deeper loss {} has the shorter break: {deep} after {flat} for {}.",
                        more.loss, less.loss
                    ),
                )
                .because("Losing more would shorten the break.")
                .fix("Give the deeper loss at least the same duration.")
                .add(self.faults);
            }
        }
    }
}

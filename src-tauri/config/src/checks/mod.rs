//! Values that contradict each other: inside a rule, between rules, between files. Runs on finished
//! sheets; where a value of a rule was already complained about, nothing more is concluded about that rule.

mod money;
mod size;
mod time;

pub(crate) use time::length;

use chrono::Timelike;
use domain::{RuleKey, RuleMode};

use crate::{
    fault::{Fault, FaultKind, Place},
    layer::{Layer, Origin},
    schema::File,
    sheet::Sheet,
};

/// For whom the files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A running or starting engine: RULE-008 is enforced whatever the file says.
    Run,
    /// A check, or a change that wants to be saved: nothing that weakens RULE-008 is accepted.
    Check,
}

/// One sheet and what the files gave for it.
pub(crate) struct Check<'a> {
    pub sheet: &'a Sheet,
    pub risk: &'a Layer,
    pub timers: &'a Layer,
    pub built: &'a [RuleKey],
    pub purpose: Purpose,
    pub faults: &'a mut Vec<Fault>,
}

impl Check<'_> {
    /// Everything that concerns the rules of one account, or of those without rules of their own.
    pub fn rules(&mut self) {
        for rule in RuleKey::RULES {
            if self.risk.is_bad(&format!("rules.{rule}")) {
                continue;
            }
            self.not_built(rule);
            self.rule(rule);
        }
    }

    fn rule(&mut self, rule: RuleKey) {
        match rule {
            RuleKey::MaxContracts => self.max_contracts(),
            RuleKey::MaxContractsPerInstrument => self.per_instrument(),
            RuleKey::DailyRealizedLoss => self.daily_loss(),
            RuleKey::DailyUnrealizedLoss | RuleKey::AuthLossGuard | RuleKey::Trader => {}
            RuleKey::MaxUnrealizedProfit => self.open_profit(),
            RuleKey::TradeFrequencyLimit => self.frequency(),
            RuleKey::CooldownAfterLoss => self.cooldown(),
            RuleKey::NoStopLossGrace => self.stop_rule(),
            RuleKey::SessionBlockOutside => self.sessions(),
            RuleKey::SymbolBlocks => self.symbols(),
            RuleKey::TradeManagement => self.management(),
            RuleKey::DailyRealizedProfit => self.daily_profit(),
        }
    }

    /// Ruling 1: a rule that is not built counts as off; switching it on explicitly is an error.
    fn not_built(&mut self, rule: RuleKey) {
        let path = format!("rules.{rule}.enabled");
        let switched_on = self.risk.given.get(&path).is_some_and(|given| given.value == true);
        if switched_on && !self.built.contains(&rule) {
            self.error(FaultKind::NotBuilt, &path, format!("This version does not have the rule {rule}."))
                .because("It would look switched on and protect nothing.")
                .fix("Remove this line, or set it to false, until a version has the rule.")
                .example("enabled: false")
                .add(self.faults);
        }
    }

    fn stop_rule(&mut self) {
        let weak = |path: &str, weak: fn(&serde_json::Value) -> bool| {
            self.risk.given.get(path).is_some_and(|given| weak(&given.value))
        };
        let enforced = crate::schema::json(&RuleMode::Enforce);
        let off = weak("rules.no_stop_loss_grace.enabled", |value| *value == false);
        let mode = self.risk.given.get("rules.no_stop_loss_grace.rule_mode");
        let soft = mode.is_some_and(|given| given.value != enforced);
        for (found, key, valid) in
            [(off, "enabled", "enabled: true"), (soft, "rule_mode", "rule_mode: enforce")]
        {
            if !found {
                continue;
            }
            let path = format!("rules.no_stop_loss_grace.{key}");
            let (place, problem) = (self.place(&path), "This rule can't be switched off or weakened.");
            match self.purpose {
                Purpose::Check => Fault::error(FaultKind::Conflict, &place, &path, problem)
                    .because("An open position without a stop is the one risk without a bound."),
                Purpose::Run => Fault::warning(FaultKind::StopRuleForced, &place, &path, problem)
                    .because("It is enforced all the same."),
            }
            .fix("Remove this line; set the grace instead, 5 to 600 seconds.")
            .example(valid)
            .add(self.faults);
        }
    }

    /// Whether a rule applies and nothing about it was complained about.
    fn is_sound(&self, rule: RuleKey) -> bool {
        self.sheet.rules.stance(rule).0 && !self.risk.is_bad(&format!("rules.{rule}"))
    }

    fn place(&self, path: &str) -> Place {
        self.risk.place(path, File::Risk)
    }

    /// The place of the first of some paths that a file gives.
    fn first_place(&self, paths: &[&str]) -> Place {
        let given = paths.iter().find(|path| self.risk.given.contains_key(**path));
        self.place(given.or(paths.first()).copied().unwrap_or_default())
    }

    fn error(&self, kind: FaultKind, path: &str, problem: impl Into<String>) -> Fault {
        Fault::error(kind, &self.place(path), path, problem)
    }

    fn doubt(&self, path: &str, problem: impl Into<String>) -> Fault {
        Fault::warning(FaultKind::Doubtful, &self.place(path), path, problem)
    }

    fn is_given(&self, path: &str) -> bool {
        self.risk.given.contains_key(path)
    }
}

impl Fault {
    /// Adds it, unless it is already known from another account.
    pub(crate) fn add(self, faults: &mut Vec<Self>) {
        if !faults.contains(&self) {
            faults.push(self);
        }
    }
}

/// Settings that are the same for every account.
pub(crate) fn settings(sheet: &Sheet, risk: &Layer, faults: &mut Vec<Fault>) {
    let channels = &sheet.settings.notifications;
    let needs = [
        (channels.discord.enabled, "discord", "webhook_url", channels.discord.webhook_url.is_some()),
        (channels.telegram.enabled, "telegram", "bot_token", channels.telegram.bot_token.is_some()),
        (channels.telegram.enabled, "telegram", "chat_id", channels.telegram.chat_id.is_some()),
        (channels.email.enabled, "email", "smtp_host", channels.email.smtp_host.is_some()),
        (channels.email.enabled, "email", "from", channels.email.from.is_some()),
        (channels.email.enabled, "email", "to", channels.email.to.is_some()),
    ];
    for (enabled, channel) in [
        (channels.discord.enabled, "discord"),
        (channels.telegram.enabled, "telegram"),
        (channels.email.enabled, "email"),
    ] {
        let path = format!("general.notifications.{channel}.enabled");
        if enabled {
            Fault::warning(
                FaultKind::Doubtful,
                &risk.place(&path, File::Risk),
                &path,
                format!("{channel} is switched on, and this version sends nothing there."),
            )
            .because("Messages reach the desktop only.")
            .fix(format!("Do not rely on {channel} yet; switch it off."))
            .add(faults);
        }
    }
    for (enabled, channel, key, has) in needs {
        let path = format!("general.notifications.{channel}.{key}");
        if enabled && !has && !risk.is_bad(&path) {
            let switch = format!("general.notifications.{channel}.enabled");
            Fault::error(
                FaultKind::Conflict,
                &risk.place(&switch, File::Risk),
                &path,
                format!("{channel} is switched on and has no `{key}`."),
            )
            .because("No message would arrive.")
            .fix(format!("Set `{key}`, or switch {channel} off."))
            .add(faults);
        }
    }
}

/// Where a value came from, by its place in the layers, is not a file for everyone.
fn is_of_account(origin: &Origin) -> bool {
    match origin {
        Origin::CustomFile(_) | Origin::Override(_) => true,
        Origin::Default | Origin::File(_) | Origin::Forced => false,
    }
}

/// Minutes since midnight.
pub(crate) fn minute(time: chrono::NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight() / 60)
}

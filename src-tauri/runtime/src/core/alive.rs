//! Signs of life for the log: what arrives, what rules say, a line every minute, and that nothing arrives
//! at all (specification C.17, checkpoints 6 and 7). Decides nothing.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{AccountId, Event, Instant, RuleKey, Source};
use engine::rules::Verdict;
use tracing::Level;
use views::text::{Doubt, upkeep};

use super::{Core, metrics::kind_of_event, telling::About};

/// Time between two lines that say that everything runs.
const BEAT_EVERY: TimeDelta = TimeDelta::seconds(60);
/// Logged in, the first event or the first confirmed stream comes within this time.
const HEARD_WITHIN: TimeDelta = TimeDelta::seconds(8);

/// What was said of being alive.
#[derive(Debug, Default)]
pub(super) struct Alive {
    beat: Option<Instant>,
    /// An event arrived.
    has_begun: bool,
    /// An event arrived, or the stream was confirmed.
    is_heard: bool,
    /// Since when somebody is logged in and hears nothing.
    silent_since: Option<Instant>,
    is_told: bool,
}

impl Alive {
    /// Engine time was put forward.
    pub fn stepped(&mut self, by: TimeDelta) {
        for at in [&mut self.beat, &mut self.silent_since].into_iter().flatten() {
            *at += by;
        }
    }
}

/// How many rules are on, and which of them lack what they need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulesAtWork {
    /// Rules that are on for some account.
    pub enabled: BTreeSet<RuleKey>,
    /// Those that can't do their work, where, and why.
    pub inactive: Vec<(AccountId, RuleKey, String)>,
}

impl RulesAtWork {
    /// Rules that do their work on every account.
    #[must_use]
    pub fn active(&self) -> usize {
        let idle: BTreeSet<&RuleKey> = self.inactive.iter().map(|(_, rule, _)| rule).collect();
        self.enabled.len() - idle.len()
    }
}

impl Core {
    /// The self-check of checkpoint 4, over all accounts with their own rules.
    #[must_use]
    pub fn rules_at_work(&self) -> RulesAtWork {
        let mut found = RulesAtWork::default();
        for account in self.engine.accounts() {
            found.enabled.extend(account.rules().iter().map(engine::rules::ArmedRule::key));
            let lacking = self.engine.inactive_rules(account).into_iter();
            let lacking = lacking.map(|(rule, source)| (rule, lack(source).to_string()));
            let barred = self.barred_rules(account).into_iter().filter_map(|doubt| {
                let Doubt::Barred { rule, .. } = &doubt else { return None };
                Some((*rule, doubt.text(&self.setting.broker)))
            });
            let id = account.id();
            found.inactive.extend(lacking.chain(barred).map(|(rule, why)| (id.clone(), rule, why)));
        }
        found
    }

    /// Checkpoint 6: the first event, then each of them where somebody looks that closely.
    pub(super) fn log_event(&mut self, event: &Event) {
        let kind = kind_of_event(event);
        if std::mem::replace(&mut self.alive.has_begun, true) {
            tracing::debug!(target: "daemon", checkpoint = 6, kind, "event");
        } else {
            tracing::info!(target: "daemon", checkpoint = 6, kind, "first event");
        }
    }

    /// Checkpoint 7: what each rule said that was asked just now.
    pub(super) fn log_verdicts(&self) {
        if !tracing::enabled!(target: "daemon", Level::DEBUG) {
            return;
        }
        let now = self.engine.now();
        for account in self.engine.accounts() {
            let gauges = self.engine.gauges(account);
            for armed in account.rules().iter().filter(|armed| armed.asked() == Some(now)) {
                let gauge = gauges.iter().map(|(gauge, _)| gauge).find(|gauge| gauge.rule == armed.key());
                tracing::debug!(
                    target: "daemon",
                    checkpoint = 7,
                    account = %account.id(),
                    rule = %armed.key(),
                    value = gauge.and_then(|gauge| gauge.value).map(tracing::field::display),
                    limit = gauge.map(|gauge| tracing::field::display(gauge.limit)),
                    "{}", verdict(armed.verdict())
                );
            }
        }
    }

    /// A line every minute.
    pub(super) fn heartbeat(&mut self, now: Instant) {
        let last = *self.alive.beat.get_or_insert(now);
        if now - last < BEAT_EVERY {
            return;
        }
        self.alive.beat = Some(now);
        let last_event = self.links.last_event.max(self.links.last_quote);
        tracing::info!(
            target: "daemon",
            events = self.metrics.events,
            queue = self.metrics.queue_depth,
            last_event_seconds = last_event.map(|at| (now - at).num_seconds()),
            positions = self.engine.accounts().map(|it| it.holdings().count()).sum::<usize>(),
            lockouts = self.engine.accounts().map(|it| it.lockouts().iter().count()).sum::<usize>(),
            "heartbeat"
        );
    }

    /// Logged in and nothing is heard: told once.
    pub(super) fn tell_silence(&mut self, now: Instant) {
        self.alive.is_heard |= self.alive.has_begun || self.links.user_up;
        if self.alive.is_heard || self.alive.is_told || !self.links.logged_in {
            return;
        }
        let since = *self.alive.silent_since.get_or_insert(now);
        if now - since >= HEARD_WITHIN {
            self.alive.is_told = true;
            tracing::error!(target: "daemon", "no events since the login");
            self.tell(upkeep::no_events(&self.setting.broker), About::all("no_events"), now);
        }
    }
}

fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::NotAsked => "not asked",
        Verdict::Passed => "passed",
        Verdict::Violated => "violated",
        Verdict::Skipped(_) => "skipped",
        Verdict::Failed => "failed",
    }
}

fn lack(source: Source) -> &'static str {
    match source {
        Source::UserStream => "positions and orders are not known",
        Source::MarketStream => "there is no price",
        Source::Metadata => "tick size and value are not known",
        Source::ResetSchedule => "there is no daily reset",
        Source::SessionCalendar => "there is no session calendar",
    }
}

//! What protects whom at this moment, and since when (invariant 9): the worst truth wins.

use chrono::TimeDelta;
use domain::{AccountId, Instant, LockKind, RuleKey, RuleMode, Source};
use engine::AccountState;
use views::{
    text::Doubt,
    view::{Protection, Stretch},
};

use super::{Core, links::Since};

/// A price or metadata may be missing for this long after a position was opened before it is a doubt: the
/// subscription needs a moment.
const PRICES_WITHIN: TimeDelta = TimeDelta::seconds(5);
/// After a start, what is not known yet is told neutrally for this long.
pub(super) const STARTING: TimeDelta = TimeDelta::seconds(10);
/// Stretches without protection that are remembered of a day; when full, the oldest goes.
const MOST_STRETCHES: usize = 200;

/// A doubt and the account it concerns; `None` concerns all.
pub(super) type Reasons = Vec<(Doubt, Option<AccountId>)>;

/// The present state of protection.
#[derive(Debug)]
pub(super) struct Guard {
    pub protection: Protection,
    pub since: Instant,
    pub reasons: Reasons,
    pub begun: Since,
    pub started: Instant,
    /// A first judged reading was announced.
    pub announced: bool,
    /// The doubt that ended the last protection, until it is told that protection is back.
    pub lost: Option<(Doubt, Instant)>,
    pub stretches: Vec<Stretch>,
    missing: Vec<String>,
}

impl Guard {
    pub fn new(started: Instant, last_seen: Option<Instant>) -> Self {
        let from = last_seen.unwrap_or(started);
        Self {
            protection: Protection::NotProtected,
            since: started,
            reasons: vec![(Doubt::Starting, None)],
            begun: Since::default(),
            started,
            announced: false,
            lost: Some((Doubt::Starting, started)),
            stretches: vec![Stretch { from, to: None }],
            missing: Vec::new(),
        }
    }

    pub fn missing_accounts(&mut self, missing: Vec<String>) {
        self.missing = missing;
    }

    pub fn is_starting(&self, now: Instant) -> bool {
        self.protection == Protection::NotProtected && !self.announced && now < self.started + STARTING
    }

    fn unwatched(&mut self, is_unwatched: bool, now: Instant) {
        match (self.stretches.last_mut(), is_unwatched) {
            (Some(stretch), false) if stretch.to.is_none() => stretch.to = Some(now),
            (Some(stretch), true) if stretch.to.is_none() => {}
            (_, true) => self.stretches.push(Stretch { from: now, to: None }),
            (_, false) => {}
        }
        if self.stretches.len() > MOST_STRETCHES {
            self.stretches.remove(0);
        }
    }
}

impl Core {
    /// Judges anew what is protected.
    pub(super) fn assess(&mut self, now: Instant) {
        let reasons = self.reasons(now);
        let protection = self
            .watched()
            .iter()
            .filter_map(|id| self.engine.account(id))
            .map(|account| protection_of(account, &reasons))
            .max()
            .unwrap_or(Protection::NotProtected);
        let protection = if reasons.iter().any(|(_, account)| account.is_none()) {
            Protection::NotProtected
        } else {
            protection
        };
        self.guard.begun.update(&reasons, now);
        self.guard.reasons = reasons;
        if protection != self.guard.protection {
            let before = std::mem::replace(&mut self.guard.protection, protection);
            self.guard.since = now;
            self.protection_changed(before, now);
        } else if protection == Protection::NotProtected && !self.guard.is_starting(now) {
            self.doubts_changed(now);
        }
        self.guard.unwatched(protection == Protection::NotProtected, now);
        // What an account refuses for good, or a dry run, is no reason to wait: the first reading has been judged.
        let is_lasting = |doubt: &Doubt| matches!(doubt, Doubt::Barred { .. } | Doubt::DryRun);
        let is_judged = self.guard.reasons.iter().all(|(doubt, _)| is_lasting(doubt));
        let is_judged = is_judged && !self.watched().is_empty();
        if (protection != Protection::NotProtected || is_judged) && !self.guard.announced {
            self.guard.announced = true;
            self.announce(protection);
        }
    }

    /// What people know least of comes first: who asked for a dry run knows of it.
    fn reasons(&self, now: Instant) -> Reasons {
        let mut reasons = self.troubles(now);
        reasons.extend(self.setting.is_dry_run().then_some((Doubt::DryRun, None)));
        reasons
    }

    fn troubles(&self, now: Instant) -> Reasons {
        let mut reasons = Reasons::new();
        if !self.guard.missing.is_empty() {
            let why = format!(
                "accounts.yaml names {}, which the login does not have",
                self.guard.missing.join(", ")
            );
            reasons.push((Doubt::Config { why }, None));
        }
        reasons.extend(self.links.doubts().into_iter().map(|doubt| (doubt, None)));
        if !reasons.is_empty() {
            return reasons;
        }
        for id in self.watched() {
            match self.reconciler.doubt_about(id, now) {
                Some(why) if why.is_empty() => reasons.push((Doubt::Reading, Some(id.clone()))),
                Some(why) => reasons.push((Doubt::Reconcile { why }, Some(id.clone()))),
                None => {
                    if let Some(account) = self.engine.account(id) {
                        reasons.extend(self.inactive(account, now));
                        let barred = self.barred_rules(account).into_iter();
                        reasons.extend(barred.map(|doubt| (doubt, Some(id.clone()))));
                    }
                }
            }
        }
        reasons
    }

    /// The self-check (invariant A.8-5): enabled rules that lack something they need, or fail by themselves.
    fn inactive(&self, account: &AccountState, now: Instant) -> Reasons {
        // What was open before the start was not opened a moment ago: nobody is told to be protected
        // before it has a price.
        let recently = self.guard.announced && account.holdings().any(|it| now - it.heard < PRICES_WITHIN);
        let doubt = |rule, why: &str| {
            (Doubt::Rule { rule, symbol: None, why: why.to_string() }, Some(account.id().clone()))
        };
        let failing = account.rules().iter().filter(|armed| armed.is_failing());
        let failing = failing.map(|armed| doubt(armed.key(), "judging it fails again and again"));
        let lacking = self
            .engine
            .inactive_rules(account)
            .into_iter()
            .filter(|(_, source)| match source {
                Source::MarketStream | Source::Metadata => !recently,
                Source::UserStream | Source::ResetSchedule | Source::SessionCalendar => true,
            })
            .map(|(rule, source)| {
                let why = match source {
                    Source::UserStream => "positions and orders are not known",
                    Source::MarketStream => "there is no price for an open position",
                    Source::Metadata => "tick size and value of an open position are not known",
                    Source::ResetSchedule => "there is no daily reset",
                    Source::SessionCalendar => "there is no session calendar",
                };
                doubt(rule, why)
            });
        failing.chain(lacking).collect()
    }
}

/// State of one account, given all the reasons for doubt.
pub(super) fn protection_of(account: &AccountState, reasons: &Reasons) -> Protection {
    let doubted = reasons.iter().any(|(_, whose)| whose.as_ref().is_none_or(|id| id == account.id()));
    if doubted {
        return Protection::NotProtected;
    }
    if matches!(account.lockouts().account_wide(), Some(LockKind::Hard | LockKind::Timer)) {
        return Protection::Locked;
    }
    // What nobody can switch off, and what only tells, arms nothing.
    let by_itself = |rule| matches!(rule, RuleKey::NoStopLossGrace | RuleKey::AuthLossGuard);
    let enforces =
        account.rules().iter().any(|armed| !by_itself(armed.key()) && armed.mode() == RuleMode::Enforce);
    if enforces { Protection::Armed } else { Protection::Observing }
}

//! Keeping the records of RULE-009 in line with the trading hours: ends that were not known, hours that
//! were changed, positions of the last second. The verdict itself is RULE-009's.

use chrono::TimeDelta;
use domain::{
    Action, Breach, EndCause, EventKind, Instant, LockEnd, LockKey, Lockout, RuleKey, RuleMode, Rulebook,
    rulebook::SessionBlockOutside,
};

use crate::{
    account::AccountState,
    judge::Court,
    kinds::Kinds,
    sessions::{Phase, Sessions},
};

impl AccountState {
    /// Time went on from `before` to `now`: windows may have started or ended, a grace may be over.
    pub(crate) fn pass_hours(&mut self, before: Instant, now: Instant, out: &mut Vec<Action>) {
        let grace_over =
            self.lockouts.iter().filter_map(Lockout::grace_ends).any(|at| before < at && at <= now);
        if self.sessions.refresh(now) || grace_over {
            self.touched.add(Kinds::NONE.with(EventKind::SessionTick));
            self.find_ends(now, out);
        }
    }

    /// Records without a known end: it may be known now.
    fn find_ends(&mut self, now: Instant, out: &mut Vec<Action>) {
        for lockout in self.session_records() {
            if lockout.end != LockEnd::SessionStart(None) {
                continue;
            }
            match self.sessions.phase(lockout.key.symbol.as_ref()) {
                Phase::Open { .. } => self.end_record(&lockout.key, EndCause::Condition, now, out),
                Phase::Closed { until: None, .. } => {}
                Phase::Closed { until, .. } => {
                    self.amend(&lockout.key, |it| it.end = LockEnd::SessionStart(until), out);
                }
            }
        }
    }

    /// New hours: a record ends where they are open now, is never shortened otherwise, and lasts longer
    /// where they start later (specification B.9).
    pub(crate) fn adopt_hours(&mut self, rulebook: &Rulebook, now: Instant, out: &mut Vec<Action>) {
        let entry = &rulebook.of(&self.id).session_block_outside;
        self.sessions = Sessions::new(&entry.settings, &rulebook.holidays, now);
        if !entry.enabled || entry.mode != RuleMode::Enforce {
            return;
        }
        for lockout in self.session_records() {
            match self.sessions.phase(lockout.key.symbol.as_ref()) {
                Phase::Open { .. } => self.end_record(&lockout.key, EndCause::Config, now, out),
                Phase::Closed { until, .. } => {
                    let later = match (lockout.end.at(), until) {
                        (Some(known), Some(until)) => Some(known.max(until)),
                        (None, until) => until,
                        (Some(_), None) => None,
                    };
                    let exempt = self.sessions.symbols().cloned().collect();
                    let tighten = |it: &mut Lockout| {
                        it.end = LockEnd::SessionStart(later);
                        it.breach = sooner_closed(&it.breach, &entry.settings);
                        if it.key.symbol.is_none() {
                            it.exempt = exempt;
                        }
                    };
                    self.amend(&lockout.key, tighten, out);
                }
            }
        }
    }

    /// Positions that were opened before the hours ended, and told only after: the platform's time decides
    /// (specification B.9). They stand under the closing grace like the others.
    pub(crate) fn admit_last_second(&mut self, court: &mut Court<'_>) {
        for lockout in self.session_records() {
            let Breach::OutsideSession { ended: Some(ended), .. } = lockout.breach else { continue };
            let admitted: Vec<_> = self
                .holdings()
                .map(|it| &it.position)
                .filter(|it| lockout.spares_baseline(court.now) && lockout.concerns(&it.symbol))
                .filter(|it| it.opened_at < ended && !lockout.baseline.contains_key(&it.contract))
                .map(|it| (it.contract.clone(), it.exposure))
                .collect();
            if !admitted.is_empty() {
                self.amend(&lockout.key, |it| it.baseline.extend(admitted), court.out);
            }
        }
    }

    fn session_records(&self) -> Vec<Lockout> {
        let records = self.lockouts.iter();
        records.filter(|it| it.key.rule == RuleKey::SessionBlockOutside).cloned().collect()
    }

    /// Changes a record and writes it down.
    pub(crate) fn amend(&mut self, key: &LockKey, change: impl FnOnce(&mut Lockout), out: &mut Vec<Action>) {
        if let Some(lockout) = self.lockouts.amend(key, change) {
            out.push(Action::Lock { lockout: Box::new(lockout) });
        }
    }

    fn end_record(&mut self, key: &LockKey, cause: EndCause, now: Instant, out: &mut Vec<Action>) {
        if let Some(lockout) = self.lockouts.end(key, now) {
            self.unlocked(lockout, cause, out);
        }
    }
}

/// The same with the grace of these settings where that is over sooner.
fn sooner_closed(breach: &Breach, settings: &SessionBlockOutside) -> Breach {
    let mut breach = breach.clone();
    if let Breach::OutsideSession { ended: Some(ended), closes_at, .. } = &mut breach
        && settings.close_positions
    {
        let new = *ended + TimeDelta::seconds(settings.close_grace_seconds.into());
        *closes_at = Some(closes_at.map_or(new, |known| known.min(new)));
    }
    breach
}

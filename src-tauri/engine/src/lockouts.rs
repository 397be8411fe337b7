//! The lockouts of one account: a set of records, never one slot (specification A.5, C.4, L-33).

use std::collections::{BTreeMap, VecDeque};

use domain::{
    ContractId, Contracts, EndCause, Exposure, Instant, LockEnd, LockKey, LockKind, Lockout, Symbol,
};

/// Ended records that are remembered for executions that are told late. When full, the oldest goes.
const MOST_ENDED: usize = 32;

/// Active records by key.
#[derive(Clone, Debug, Default)]
pub struct Lockouts {
    active: BTreeMap<LockKey, Lockout>,
    ended: VecDeque<(Lockout, Instant)>,
}

impl Lockouts {
    /// Adds a record, or extends the one with the same key: the later end stays, with what caused it, and
    /// never does a record become shorter or weaker. Returns the record if anything changed.
    pub(crate) fn set(&mut self, lockout: Lockout) -> Option<Lockout> {
        let is_new = !self.active.contains_key(&lockout.key);
        let known = self.active.entry(lockout.key.clone()).or_insert_with(|| lockout.clone());
        let later = ends_later(lockout.end, known.end);
        if later {
            known.end = lockout.end;
            known.breach = lockout.breach;
        }
        (is_new || later).then(|| known.clone())
    }

    /// Changes a record; returns it if anything changed.
    pub(crate) fn amend(&mut self, key: &LockKey, change: impl FnOnce(&mut Lockout)) -> Option<Lockout> {
        let known = self.active.get_mut(key)?;
        let before = known.clone();
        change(known);
        (*known != before).then(|| known.clone())
    }

    /// Takes a record out; the caller says why.
    pub(crate) fn end(&mut self, key: &LockKey, now: Instant) -> Option<Lockout> {
        let lockout = self.active.remove(key)?;
        self.ended.push_back((lockout.clone(), now));
        if self.ended.len() > MOST_ENDED {
            self.ended.pop_front();
        }
        Some(lockout)
    }

    /// Takes out all whose time is over, with the cause.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<(Lockout, EndCause)> {
        if self.is_empty() {
            return Vec::new();
        }
        let due: Vec<LockKey> =
            self.active.values().filter(|lockout| !lockout.is_active(now)).map(|it| it.key.clone()).collect();
        due.into_iter()
            .filter_map(|key| {
                let at = self.active.get(&key)?.end.at()?;
                self.end(&key, at)
            })
            .map(|lockout| {
                let cause = match lockout.end {
                    LockEnd::Reset(_) => EndCause::Reset,
                    LockEnd::SessionStart(_) => EndCause::Condition,
                    LockEnd::Time(_) | LockEnd::CanTrade | LockEnd::Config => EndCause::Expiry,
                };
                (lockout, cause)
            })
            .collect()
    }

    /// Takes out all that end when the broker lets the account trade.
    pub(crate) fn take_permitted(&mut self, now: Instant) -> Vec<Lockout> {
        let keys: Vec<LockKey> =
            self.active.values().filter(|it| it.end == LockEnd::CanTrade).map(|it| it.key.clone()).collect();
        keys.into_iter().filter_map(|key| self.end(&key, now)).collect()
    }

    /// All active records, the strongest first, then the one that ends last.
    #[must_use]
    pub fn by_strength(&self) -> Vec<&Lockout> {
        let mut records: Vec<_> = self.active.values().collect();
        records.sort_by_key(|lockout| {
            (
                std::cmp::Reverse(lockout.kind),
                std::cmp::Reverse(lockout.end.at().unwrap_or(Instant::MAX_UTC)),
                lockout.key.clone(),
            )
        });
        records
    }

    /// All active records in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Lockout> {
        self.active.values()
    }

    /// Whether none applies.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Whether a record with this key is active.
    #[must_use]
    pub fn has(&self, key: &LockKey) -> bool {
        self.active.contains_key(key)
    }

    /// The strongest account-wide record.
    #[must_use]
    pub fn account_wide(&self) -> Option<LockKind> {
        self.active.values().filter(|lockout| lockout.key.symbol.is_none()).map(|lockout| lockout.kind).max()
    }

    /// What the records leave to the rules: under HARD nothing stands that they could protect, under
    /// TIMER what stood before does. A record that leaves some symbols alone, or lets positions stay for a
    /// while, is not HARD to them (ruling 11).
    #[must_use]
    pub fn supervision(&self, now: Instant) -> Option<LockKind> {
        let wide = self.active.values().filter(|lockout| lockout.key.symbol.is_none());
        let limits = wide.filter(|lockout| lockout.exempt.is_empty());
        limits.map(|it| if it.spares_baseline(now) { LockKind::Timer } else { it.kind }).max()
    }

    /// Whether an execution at that time was in spite of an account-wide record.
    #[must_use]
    pub fn forbade(&self, symbol: &Symbol, at: Instant) -> bool {
        let ended = self.ended.iter().filter(|(_, ended)| at < *ended).map(|(lockout, _)| lockout);
        let mut records = self.active.values().chain(ended);
        records.any(|it| it.key.symbol.is_none() && it.concerns(symbol) && it.since <= at)
    }

    /// The record that permits least in a contract, with the exposure it permits, of those that count;
    /// `None` when nothing forbids any.
    #[must_use]
    pub fn permitted(
        &self,
        contract: &ContractId,
        symbol: &Symbol,
        now: Instant,
        counts: impl Fn(&Lockout) -> bool,
    ) -> Option<(&Lockout, Exposure)> {
        self.active
            .values()
            .filter(|lockout| lockout.concerns(symbol) && counts(lockout))
            .map(|lockout| {
                let kept = lockout.baseline.get(contract).filter(|_| lockout.spares_baseline(now));
                (lockout, kept.copied().unwrap_or_default())
            })
            .min_by_key(|(lockout, exposure)| (exposure.size(), std::cmp::Reverse(lockout.kind)))
    }

    /// Lowers the baselines of a contract to what is held; a turn to the other side sets them to zero
    /// (specification C.1, baseline ratchet). Returns the records that changed.
    pub(crate) fn ratchet(&mut self, contract: &ContractId, held: Exposure) -> Vec<Lockout> {
        let mut changed = Vec::new();
        for lockout in self.active.values_mut() {
            let Some(baseline) = lockout.baseline.get_mut(contract) else { continue };
            let lower =
                if held.same_side(*baseline) { held.size().min(baseline.size()) } else { Contracts::ZERO };
            if lower < baseline.size() {
                *baseline = baseline.resized(lower);
                changed.push(lockout.clone());
            }
        }
        changed
    }

    /// Contracts of which something may stay.
    pub(crate) fn baselines(&self) -> impl Iterator<Item = &ContractId> {
        self.active.values().flat_map(|lockout| lockout.baseline.keys())
    }

    /// The next instant at which a record ends.
    #[must_use]
    pub fn next_end(&self) -> Option<Instant> {
        self.active.values().filter_map(|lockout| lockout.end.at()).min()
    }
}

/// Whether one end is later than another; no time at all is later than any.
fn ends_later(new: LockEnd, known: LockEnd) -> bool {
    match (new.at(), known.at()) {
        (Some(new), Some(known)) => new > known,
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::{Breach, RuleKey, TradingDay};

    use super::*;

    fn at(minute: u32) -> Instant {
        format!("2025-10-29T15:{minute:02}:00Z").parse().unwrap()
    }

    fn lockout(rule: RuleKey, kind: LockKind, end: LockEnd) -> Lockout {
        Lockout {
            key: LockKey { account: "1".into(), rule, symbol: None, cause: String::new() },
            kind,
            breach: Breach::TraderCommand { command: "lock".to_string(), until: None },
            since: at(0),
            end,
            day: TradingDay::default(),
            baseline: [("C".into(), Exposure(2))].into(),
            exempt: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn a_later_record_never_overwrites_one_of_another_rule() {
        let mut set = Lockouts::default();
        set.set(lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::Reset(at(50))));
        set.set(lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(at(5))));
        assert_eq!(set.account_wide(), Some(LockKind::Hard));
        let ended = set.take_due(at(5));
        assert_eq!(ended.len(), 1);
        assert_eq!(set.account_wide(), Some(LockKind::Hard));
        assert_eq!(set.take_due(at(50))[0].1, EndCause::Reset);
        assert!(set.is_empty());
    }

    #[test]
    fn the_same_rule_keeps_the_later_end() {
        let mut set = Lockouts::default();
        let mut set_until = |minute| {
            set.set(lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(at(minute)))).is_some()
        };
        assert!(set_until(10));
        assert!(!set_until(8), "an earlier end changes nothing");
        assert!(set_until(20));
        assert_eq!(set.next_end(), Some(at(20)));
    }

    #[test]
    fn a_longer_record_says_what_made_it_longer() {
        let until = |minute: u32| Lockout {
            breach: Breach::TraderCommand { command: "lock".to_string(), until: Some(at(minute)) },
            ..lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(at(minute)))
        };
        let mut set = Lockouts::default();
        set.set(until(10));
        let longer = set.set(until(20)).unwrap();
        assert_eq!((longer.breach, longer.since), (until(20).breach, at(0)));
        set.set(until(15));
        assert_eq!(set.iter().next().map(|it| &it.breach), Some(&until(20).breach));
    }

    #[test]
    fn a_baseline_only_goes_down() {
        let mut set = Lockouts::default();
        set.set(lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(at(10))));
        let permitted = |set: &Lockouts| {
            set.permitted(&"C".into(), &"MNQ".into(), at(0), |_| true).map(|(_, held)| held.0)
        };
        assert_eq!(permitted(&set), Some(2));
        assert!(set.ratchet(&"C".into(), Exposure(3)).is_empty());
        assert_eq!(set.ratchet(&"C".into(), Exposure(1)).len(), 1);
        assert!(set.ratchet(&"C".into(), Exposure(2)).is_empty());
        assert_eq!(permitted(&set), Some(1));
        set.ratchet(&"C".into(), Exposure(-1));
        assert_eq!(permitted(&set).map(|held| Contracts(u32::try_from(held).unwrap())), Some(Contracts(0)));
    }
}

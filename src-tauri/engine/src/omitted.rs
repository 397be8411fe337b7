//! What a rule that does not enforce leaves undone at the broker. Decides nothing.

use std::collections::BTreeMap;

use domain::{Breach, ContractId, Contracts, Instant, Lockout, Omitted, RuleKey};

use crate::{account::AccountState, rules::Remedy, wants::Wants};

impl AccountState {
    /// What a remedy would do at the broker, beside what is being done or decided already.
    pub(crate) fn omitted(
        &mut self,
        rule: RuleKey,
        breach: &Breach,
        remedy: Remedy,
        wants: &Wants,
        now: Instant,
    ) -> Omitted {
        match remedy {
            Remedy::Reduce { contract, to } => {
                Omitted { closed: self.closing([(contract, to)], wants), ..Omitted::default() }
            }
            Remedy::Cancel(order) => Omitted { cancelled: vec![order], ..Omitted::default() },
            Remedy::Place { .. } => Omitted { placed: 1, ..Omitted::default() },
            Remedy::Modify { .. } => Omitted { moved: 1, ..Omitted::default() },
            Remedy::Lock(lock) => {
                let lockout = self.record_of(rule, breach.clone(), lock, now);
                self.omitted_by_lock(lockout, wants, now)
            }
            Remedy::Covered | Remedy::Tell { .. } => Omitted::default(),
        }
    }

    /// What the gate would make necessary under a lockout, the end of its closing grace included.
    fn omitted_by_lock(&mut self, lockout: Lockout, wants: &Wants, now: Instant) -> Omitted {
        let (rule, at) = (lockout.key.rule, lockout.grace_ends().map_or(now, |ends| ends.max(now)));
        let known = self.lockouts.clone();
        self.lockouts.set(lockout);
        let mut would = Wants::default();
        self.gate(&[], at, &mut would);
        self.lockouts = known;
        let reduced = would.reduce.into_iter().filter(|(_, want)| want.rule == rule);
        let cancelled = would.cancel.into_iter().filter(|(_, want)| want.rule == rule);
        Omitted {
            closed: self.closing(reduced.map(|(contract, want)| (contract, want.to)), wants),
            cancelled: cancelled.map(|(order, _)| order).collect(),
            ..Omitted::default()
        }
    }

    /// What bringing positions down to these sizes closes of what will be left of them.
    fn closing(
        &self,
        targets: impl IntoIterator<Item = (ContractId, Contracts)>,
        wants: &Wants,
    ) -> BTreeMap<ContractId, Contracts> {
        if wants.flatten.is_some() {
            return BTreeMap::new();
        }
        let closed = |(contract, to): (ContractId, Contracts)| {
            let left = self.remaining(self.positions.get(&contract)?).size();
            let left = wants.planned.get(&contract).map_or(left, |planned| left.min(*planned));
            let size = left.saturating_sub(to);
            (size > Contracts::ZERO).then_some((contract, size))
        };
        targets.into_iter().filter_map(closed).collect()
    }
}

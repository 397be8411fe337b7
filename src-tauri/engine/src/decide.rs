//! Turns what is wanted into enforcements: nothing is decided twice, and what is being done already is left
//! out (specification C.3). Wants nothing itself.

use std::collections::BTreeMap;

use domain::{
    Action, ContractId, Contracts, Deed, Enforcement, EnforcementId, Notice, OrderId, Priority, RuleKey,
    Severity,
};

use crate::{
    account::AccountState,
    engaged::Engagement,
    judge::Court,
    wants::{Want, Wants},
};

impl AccountState {
    /// Turns the wishes into enforcements, the most urgent first, leaving out what is being done already.
    pub(crate) fn decide(&mut self, mut wants: Wants, court: &mut Court<'_>) {
        if let Some(want) = wants.take_flatten() {
            self.decide_flatten(want, court);
        }
        let mut reduce: Vec<(ContractId, Want)> = wants.reduce.into_iter().collect();
        reduce.sort_by_key(|(contract, want)| (want.priority, contract.clone()));
        let mut cancel = wants.cancel;
        for (contract, want) in reduce {
            let (to, closing) = (want.to, want.clone());
            if self.decide_reduce(contract.clone(), want, court) && to == Contracts::ZERO {
                for order in self.own_orders_of(&contract) {
                    cancel.entry(order).or_insert_with(|| closing.clone());
                }
            }
        }
        self.decide_cancels(cancel, court);
        for (order, want) in wants.shrink {
            if !self.may_change(&order) {
                continue;
            }
            let deed = Deed::Shrink { order: order.clone(), to: want.to };
            let id = self.issue(want, deed, court);
            self.engaged.changing(order, id);
        }
        self.decide_protect(wants.protect, court);
    }

    /// The executor closes every position and ends every order of the account; until it reports, the
    /// gate leaves the orders to it.
    fn decide_flatten(&mut self, want: Want, court: &mut Court<'_>) {
        let rule = want.rule;
        let id = self.issue(want, Deed::Flatten, court);
        self.engaged.flattening(id);
        let held: Vec<_> = self.positions.values().map(|it| it.position.clone()).collect();
        for position in held {
            let from = position.exposure;
            let to = Contracts::ZERO;
            let engagement = Engagement { id, from, to, rules: vec![rule], since: court.now };
            self.engage(position.contract, engagement, court);
        }
    }

    /// Notes that a position is being brought down.
    fn engage(&mut self, contract: ContractId, engagement: Engagement, court: &mut Court<'_>) {
        let rule = engagement.rules.first().copied().unwrap_or(RuleKey::Trader);
        self.races.began(contract.clone(), rule, engagement.from, court.now);
        self.own.closing(&contract, &engagement);
        let increase = self.positions.get(&contract).map_or(0, |holding| holding.increased);
        if let Some(actions) = self.loops.acted(&contract, increase, court.now) {
            let notice = Notice::Loop { contract: contract.clone(), actions };
            self.alert(Severity::Critical, notice, court.out);
        }
        self.engaged.engage(contract, engagement);
    }

    /// Whether it was decided now.
    fn decide_reduce(&mut self, contract: ContractId, want: Want, court: &mut Court<'_>) -> bool {
        let held = self.exposure(&contract);
        let rules: Vec<RuleKey> = [want.rule].into_iter().chain(want.merged.iter().copied()).collect();
        let quiet = rules.iter().all(|rule| self.quiet.contains_key(&(*rule, Some(contract.clone()))));
        if quiet || self.shut.waits(&contract) || self.engaged.remaining(&contract, held).size() <= want.to {
            return false;
        }
        let increase = self.positions.get(&contract).map_or(0, |holding| holding.increased);
        if !self.loops.may_act(&contract, increase, court.now) {
            return false;
        }
        let to = want.to;
        let id = self.issue(want, Deed::Reduce { contract: contract.clone(), to }, court);
        let engagement = Engagement { id, from: held, to, rules, since: court.now };
        self.engage(contract, engagement, court);
        true
    }

    /// One enforcement for each rule and urgency, whatever the number of orders.
    fn decide_cancels(&mut self, cancel: BTreeMap<OrderId, Want>, court: &mut Court<'_>) {
        let mut groups: BTreeMap<(Priority, RuleKey), (Want, Vec<OrderId>)> = BTreeMap::new();
        for (order, want) in cancel {
            if self.engaged.is_ending(&order) || self.quiet_orders.contains_key(&order) {
                continue;
            }
            let group = groups.entry((want.priority, want.rule)).or_insert_with(|| (want, Vec::new()));
            group.1.push(order);
        }
        for (want, orders) in groups.into_values() {
            let id = self.issue(want, Deed::Cancel { orders: orders.clone() }, court);
            for order in orders {
                self.engaged.ending(order, id);
            }
        }
    }

    pub(crate) fn issue(&self, want: Want, deed: Deed, court: &mut Court<'_>) -> EnforcementId {
        let id = EnforcementId(*court.next_enforcement);
        *court.next_enforcement += 1;
        court.out.push(Action::Enforce(Box::new(Enforcement {
            id,
            account: self.id.clone(),
            rule: want.rule,
            merged: want.merged,
            breach: want.breach,
            deed,
            priority: want.priority,
            detected_at: court.now,
        })));
        id
    }
}

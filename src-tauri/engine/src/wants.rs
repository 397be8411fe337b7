//! What one step wants done at one account, merged: of several wishes about one position the smallest
//! target wins, a flatten swallows them all (specification C.3, subsumption).

use std::collections::BTreeMap;

use domain::{Breach, ContractId, Contracts, OrderId, Price, Priority, RuleKey, Ticket};

use crate::leftovers::Tidy;

/// All wishes of one step.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    pub flatten: Option<Want>,
    pub reduce: BTreeMap<ContractId, Want>,
    pub cancel: BTreeMap<OrderId, Want>,
    pub shrink: BTreeMap<OrderId, Want>,
    /// Protective orders, in the order of the wishes.
    pub protect: Vec<(Protect, Want)>,
    /// Targets by contract, as far as decided.
    pub planned: BTreeMap<ContractId, Contracts>,
}

/// A wish for a protective order.
#[derive(Clone, Debug)]
pub(crate) enum Protect {
    /// A new one, and where it would have been had the market not passed that price already.
    Place { ticket: Ticket, meant: Price },
    /// A working one, as it is to be.
    Modify { order: OrderId, ticket: Ticket },
}

/// One wish and who had it.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    pub rule: RuleKey,
    pub merged: Vec<RuleKey>,
    pub breach: Breach,
    pub priority: Priority,
    /// Size that may remain; zero for cancels and flattens.
    pub to: Contracts,
}

impl Want {
    pub fn new(rule: RuleKey, breach: Breach, priority: Priority) -> Self {
        Self { rule, merged: Vec::new(), breach, priority, to: Contracts::ZERO }
    }

    pub fn down_to(self, to: Contracts) -> Self {
        Self { to, ..self }
    }

    /// What another wish asks for is done along with this one.
    pub fn absorb(&mut self, other: &Self) {
        for rule in other.merged.iter().chain([&other.rule]) {
            self.also(*rule);
        }
    }

    fn merge(&mut self, other: Self) {
        let stronger = (other.to, other.priority) < (self.to, self.priority);
        let weaker = if stronger { std::mem::replace(self, other) } else { other };
        for rule in weaker.merged.into_iter().chain([weaker.rule]) {
            self.also(rule);
        }
    }

    fn also(&mut self, rule: RuleKey) {
        if rule != self.rule && !self.merged.contains(&rule) {
            self.merged.push(rule);
        }
    }
}

impl Wants {
    /// Whether nobody wants anything.
    pub fn is_empty(&self) -> bool {
        let Self { flatten, reduce, cancel, shrink, protect, planned: _ } = self;
        let nothing_ends = flatten.is_none() && reduce.is_empty() && cancel.is_empty() && shrink.is_empty();
        nothing_ends && protect.is_empty()
    }

    pub fn reduce(&mut self, contract: &ContractId, want: Want) {
        let planned = self.planned.entry(contract.clone()).or_insert(want.to);
        *planned = want.to.min(*planned);
        match self.reduce.get_mut(contract) {
            Some(known) => known.merge(want),
            None => {
                self.reduce.insert(contract.clone(), want);
            }
        }
    }

    pub fn cancel(&mut self, order: &OrderId, want: Want) {
        match self.cancel.get_mut(order) {
            Some(known) => known.merge(want),
            None => {
                self.cancel.insert(order.clone(), want);
            }
        }
    }

    pub fn shrink(&mut self, order: &OrderId, want: Want) {
        match self.shrink.get_mut(order) {
            Some(known) => known.merge(want),
            None => {
                self.shrink.insert(order.clone(), want);
            }
        }
    }

    pub fn tidy(&mut self, tidy: Tidy, want: Want) {
        match tidy {
            Tidy::Cancel(order) => self.cancel(&order, want),
            Tidy::Shrink(order, to) => self.shrink(&order, want.down_to(to)),
        }
    }

    pub fn flatten(&mut self, want: Want) {
        match &mut self.flatten {
            Some(known) => known.merge(want),
            None => self.flatten = Some(want),
        }
    }

    /// The flatten, which does the work of every close: those who wanted one are named with it.
    pub fn take_flatten(&mut self) -> Option<Want> {
        let mut flatten = self.flatten.take()?;
        for want in std::mem::take(&mut self.reduce).into_values() {
            flatten.absorb(&want);
        }
        Some(flatten)
    }

    /// A rule that is satisfied by what others wanted.
    pub fn covered(&mut self, rule: RuleKey) {
        for want in self.reduce.values_mut() {
            want.also(rule);
        }
    }
}

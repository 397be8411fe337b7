//! What has been decided and is not settled yet, so that nothing is decided twice: the engine's side of
//! the in-flight registry (specification C.3, L-52).

use std::collections::BTreeMap;

use domain::{ContractId, Contracts, EnforcementId, Exposure, Instant, Leg, OrderId, RuleKey};

/// A position that is being brought down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engagement {
    /// By which enforcement.
    pub id: EnforcementId,
    /// What was held when it was decided.
    pub from: Exposure,
    /// What may remain.
    pub to: Contracts,
    /// The rules that wanted it.
    pub rules: Vec<RuleKey>,
    /// When it was decided.
    pub since: Instant,
}

/// What an enforcement was about when it ended.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub contracts: Vec<(ContractId, Engagement)>,
    /// Orders that have not ended.
    pub orders: Vec<OrderId>,
    /// Orders whose size or price was to be another.
    pub changing: Vec<OrderId>,
    /// Contracts for which an order was to be placed.
    pub placing: Vec<ContractId>,
}

/// All unsettled decisions of one account.
#[derive(Clone, Debug, Default)]
pub struct Engagements {
    contracts: BTreeMap<ContractId, Engagement>,
    orders: BTreeMap<OrderId, EnforcementId>,
    /// Orders that are being brought to another size or price.
    changing: BTreeMap<OrderId, EnforcementId>,
    /// Orders that are being placed.
    placing: BTreeMap<(ContractId, Leg), EnforcementId>,
    flatten: Option<EnforcementId>,
}

impl Engagements {
    /// What will remain of an exposure once everything decided is done.
    #[must_use]
    pub fn remaining(&self, contract: &ContractId, held: Exposure) -> Exposure {
        match self.contracts.get(contract) {
            Some(it) if it.from.same_side(held) && held.size() > it.to => held.resized(it.to),
            _ => held,
        }
    }

    /// Whether everything is settled.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { contracts, orders, changing, placing, flatten } = self;
        let no_orders = orders.is_empty() && changing.is_empty() && placing.is_empty();
        contracts.is_empty() && no_orders && flatten.is_none()
    }

    /// The unsettled decision about a contract.
    #[must_use]
    pub fn of(&self, contract: &ContractId) -> Option<&Engagement> {
        self.contracts.get(contract)
    }

    /// Whether an order is being cancelled.
    #[must_use]
    pub fn is_ending(&self, order: &OrderId) -> bool {
        self.orders.contains_key(order)
    }

    /// Whether an order is being brought to another size or price.
    #[must_use]
    pub fn is_changing(&self, order: &OrderId) -> bool {
        self.changing.contains_key(order)
    }

    /// Whether an order of this purpose is being placed.
    #[must_use]
    pub fn is_placing(&self, contract: &ContractId, leg: Leg) -> bool {
        self.placing.contains_key(&(contract.clone(), leg))
    }

    /// Whether the account is being flattened.
    #[must_use]
    pub fn is_flattening(&self) -> bool {
        self.flatten.is_some()
    }

    pub(crate) fn engage(&mut self, contract: ContractId, engagement: Engagement) {
        self.contracts.insert(contract, engagement);
    }

    pub(crate) fn ending(&mut self, order: OrderId, id: EnforcementId) {
        self.orders.insert(order, id);
    }

    pub(crate) fn changing(&mut self, order: OrderId, id: EnforcementId) {
        self.changing.insert(order, id);
    }

    pub(crate) fn placing(&mut self, contract: ContractId, leg: Leg, id: EnforcementId) {
        self.placing.insert((contract, leg), id);
    }

    pub(crate) fn flattening(&mut self, id: EnforcementId) {
        self.flatten = Some(id);
    }

    /// An order is no longer working: nothing is left to be ended.
    pub(crate) fn order_ended(&mut self, order: &OrderId) {
        self.orders.remove(order);
        self.changing.remove(order);
    }

    /// The part of an enforcement at one contract ended. A newer decision about the contract stays.
    pub(crate) fn settle_contract(&mut self, id: EnforcementId, contract: &ContractId) -> Option<Engagement> {
        if self.contracts.get(contract).is_some_and(|it| it.id <= id) {
            return self.contracts.remove(contract);
        }
        None
    }

    /// An enforcement ended as a whole: what it was about is free to be decided anew.
    pub(crate) fn settle(&mut self, id: EnforcementId) -> Settled {
        if self.flatten == Some(id) {
            self.flatten = None;
        }
        let ending = self.orders.extract_if(.., |_, ending| *ending == id);
        let changing = self.changing.extract_if(.., |_, changing| *changing == id);
        let placing = self.placing.extract_if(.., |_, placing| *placing == id);
        Settled {
            contracts: self.contracts.extract_if(.., |_, it| it.id == id).collect(),
            orders: ending.map(|(order, _)| order).collect(),
            changing: changing.map(|(order, _)| order).collect(),
            placing: placing.map(|((contract, _), _)| contract).collect(),
        }
    }
}

//! What must never happen: looked at in every call and every record.

use super::*;

impl World {
    pub(super) fn is_justified(&self, call: &Call) -> bool {
        let reduces = |account: &AccountId, ticket: &domain::Ticket, filled| {
            let held = domain::Exposure(self.broker.size(account, &ticket.contract));
            ticket.only_reduces(held, filled)
        };
        match call {
            Call::Reduce { account, contract, by } => self.is_excess(account, contract, by.0),
            Call::Place { account, ticket, .. } => reduces(account, ticket, Contracts::ZERO),
            Call::Modify { account, order, ticket } => {
                reduces(account, ticket, self.broker.order(order).filled)
            }
            _ => false,
        }
    }

    /// A protective order does nothing but reduce, when it leaves or when it arrives: a close that was decided
    /// after it left does not wait for it (ruling 16).
    pub(super) fn check_protective(
        &self,
        account: &AccountId,
        ticket: &domain::Ticket,
        filled: Contracts,
        was_justified: bool,
    ) {
        let held = domain::Exposure(self.broker.size(account, &ticket.contract));
        let place = (account.clone(), ticket.contract.clone());
        let raced = self.traders_fills.get(&place).is_some_and(|at| self.now - *at < NEWS_TAKES);
        let closing = self.broker.working().any(|order| {
            order.account == *account && order.contract == ticket.contract && order.kind == OrderKind::Market
        });
        let fits = ticket.only_reduces(held, filled);
        self.check(fits || was_justified || raced || closing, || {
            format!("{ticket:?} while {} is held", held.0)
        });
    }

    /// A partial close never takes more than the excess, when it leaves or when it arrives, unless the trader
    /// took from it a moment ago.
    pub(super) fn check_excess(&self, account: &AccountId, contract: &ContractId, by: u32) {
        let place = (account.clone(), contract.clone());
        let is_recent = |at: &Instant| self.now - *at < NEWS_TAKES;
        let raced = self.traders_fills.iter().any(|((whose, _), at)| whose == account && is_recent(at));
        if raced && self.traders_fills.contains_key(&place) {
            return;
        }
        let open = self.broker.size(account, contract);
        self.check(self.is_excess(account, contract, by), || format!("{by} of {open} {contract} closed"));
    }

    pub(super) fn is_excess(&self, account: &AccountId, contract: &ContractId, by: u32) -> bool {
        let (open, by) = (self.broker.size(account, contract).abs(), i64::from(by));
        let rules = self.rulebook.of(account);
        let per_contract = rules.max_contracts_per_instrument.settings.default_limit.unwrap_or_default().0;
        let in_all: i64 = self.broker.open_positions(account).iter().map(|it| it.exposure.0.abs()).sum();
        let limit = i64::from(rules.max_contracts.settings.limit.0);
        // What cannot be taken is refused.
        by > open || open - by >= i64::from(per_contract) || in_all - by >= limit
    }

    /// Lockouts end when their time is over, never before, and are never moved to an earlier end.
    pub(super) fn watch_locks(&mut self, records: &[Record]) {
        for record in records {
            if let Record::Lock { lockout, .. } = record {
                let known = self.locks.insert(lockout.key.clone(), lockout.end);
                let (known, new) = (known.and_then(LockEnd::at), lockout.end.at());
                let shorter = known.is_some_and(|known| new.is_some_and(|new| new < known));
                self.check(!shorter, || format!("a lockout was shortened: {lockout:?}"));
            }
            if let Record::Unlock { key, cause, .. } = record {
                let end = self.locks.remove(key).and_then(LockEnd::at);
                let early = end.is_some_and(|end| self.now < end);
                self.check(!early, || format!("a lockout ended early: {key:?} by {cause:?}"));
            }
        }
    }
}

/// Whether an intent that was written down asks for a call.
pub(super) fn covers(intent: &Intent, call: &Call) -> bool {
    let enforcement = &intent.enforcement;
    match (call, &enforcement.deed) {
        (Call::Close { account, .. }, Deed::Flatten) | (Call::Cancel { account, .. }, Deed::Flatten) => {
            *account == enforcement.account
        }
        (Call::Close { account, contract } | Call::Reduce { account, contract, .. }, deed) => {
            *account == enforcement.account
                && matches!(deed, Deed::Reduce { contract: meant, .. } if meant == contract)
        }
        (Call::Cancel { order, .. }, deed) => {
            matches!(deed, Deed::Cancel { orders } if orders.contains(order))
        }
        (Call::Place { tag, .. }, Deed::Place { .. }) => tag.starts_with(&enforcement.tag()),
        (Call::Modify { order, .. }, deed) => {
            matches!(deed, Deed::Modify { order: meant, .. } if meant == order)
        }
        (Call::Resize { order, .. }, deed) => {
            matches!(deed, Deed::Shrink { order: meant, .. } if meant == order)
        }
        _ => false,
    }
}

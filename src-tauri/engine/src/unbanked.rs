//! What is open beside the results that are banked: the news of a position and that of its fills come one
//! after the other (gateway reference 9.2). Nothing counts twice, nothing is claimed that is not heard.

use domain::{ContractId, Exposure, Fill};

use crate::account::{AccountState, Holding};

impl AccountState {
    /// What of a contract is held and not banked: what a closing fill banked is not open any more. `None`
    /// while the result of what is no longer held is not known.
    pub(crate) fn unbanked(&self, contract: &ContractId) -> Option<Exposure> {
        let told = self.book.get(contract).copied().unwrap_or_default();
        let Some(Holding { position, .. }) = self.positions.get(contract) else {
            return told.is_flat().then_some(told);
        };
        let held = position.exposure;
        if told.same_side(held) {
            return (told.size() <= held.size()).then_some(told);
        }
        let is_closing = |fill: &Fill| fill.at >= position.opened_at && fill.side.reduces(held);
        if self.ledger.fills().any(|it| it.fill.contract == *contract && is_closing(&it.fill)) {
            return Some(Exposure::FLAT);
        }
        told.is_flat().then_some(held)
    }

    /// Contracts of which fills or positions tell.
    pub(crate) fn contracts(&self) -> impl Iterator<Item = &ContractId> {
        let told_only = self.book.keys().filter(|contract| !self.positions.contains_key(*contract));
        self.positions.keys().chain(told_only)
    }
}

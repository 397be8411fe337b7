//! What is open beside the results that are banked: the news of a position and that of its fills come one
//! after the other (gateway reference 9.2). Nothing counts twice, nothing is claimed that is not heard.

use domain::{ContractId, Exposure, Fill, Position};

use crate::account::AccountState;

impl AccountState {
    /// What of a position is not banked: what a closing fill banked is not open any more. `None` while the
    /// result of what is no longer held is not known.
    pub(crate) fn unbanked(&self, position: &Position) -> Option<Exposure> {
        let (contract, held) = (&position.contract, position.exposure);
        let told = self.book.get(contract).copied().unwrap_or_default();
        if told.same_side(held) {
            return (told.size() <= held.size()).then_some(told);
        }
        let is_closing = |fill: &Fill| fill.at >= position.opened_at && fill.side.reduces(held);
        if self.ledger.fills().any(|it| it.fill.contract == *contract && is_closing(&it.fill)) {
            return Some(Exposure::FLAT);
        }
        told.is_flat().then_some(held)
    }

    /// Contracts of which fills tell and no position does, with what the fills say is held.
    pub(crate) fn told_elsewhere(&self) -> impl Iterator<Item = (&ContractId, Exposure)> {
        let mut held = self.positions.keys().peekable();
        self.book.iter().map(|(contract, told)| (contract, *told)).filter(move |(contract, _)| {
            while held.next_if(|it| it < contract).is_some() {}
            held.peek() != Some(contract)
        })
    }
}

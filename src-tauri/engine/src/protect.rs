//! Turns the wishes for protective orders into enforcements: none for a position that is being closed, and
//! none twice (specification B.12, C.3).

use domain::{Deed, Notice, OrderId, RuleKey, Severity, Ticket};

use crate::{
    account::AccountState,
    judge::Court,
    wants::{Protect, Want},
};

impl AccountState {
    pub(crate) fn decide_protect(&mut self, protect: Vec<(Protect, Want)>, court: &mut Court<'_>) {
        for (protect, want) in protect {
            match protect {
                Protect::Place { ticket, meant } if self.may_place(&ticket) => {
                    let (contract, leg, placed) = (ticket.contract.clone(), ticket.leg, ticket.price);
                    let id = self.issue(want, Deed::Place { ticket }, court);
                    self.engaged.placing(contract.clone(), leg, id);
                    if meant != placed {
                        let notice = Notice::StopMovedIn { contract, meant, placed };
                        self.alert(Severity::Warning, notice, court.out);
                    }
                }
                Protect::Modify { order, ticket } => {
                    if !self.may_change(&order) || self.is_closing(&ticket) {
                        continue;
                    }
                    self.managed.moved(&ticket.contract, ticket.leg, court.now);
                    let id = self.issue(want, Deed::Modify { order: order.clone(), ticket }, court);
                    self.engaged.changing(order, id);
                }
                Protect::Place { .. } => {}
            }
        }
    }

    /// Whether an order may be brought to another size or price now.
    pub(crate) fn may_change(&self, order: &OrderId) -> bool {
        let busy = self.engaged.is_ending(order) || self.engaged.is_changing(order);
        !busy && !self.quiet_orders.contains_key(order) && !self.quiet_changes.contains_key(order)
    }

    fn may_place(&self, ticket: &Ticket) -> bool {
        let quiet = self.quiet.contains_key(&(RuleKey::TradeManagement, Some(ticket.contract.clone())));
        let quiet = quiet || self.shut.waits(&ticket.contract);
        !quiet && !self.engaged.is_placing(&ticket.contract, ticket.leg) && !self.is_closing(ticket)
    }

    fn is_closing(&self, ticket: &Ticket) -> bool {
        self.engaged.is_flattening() || self.engaged.of(&ticket.contract).is_some()
    }
}

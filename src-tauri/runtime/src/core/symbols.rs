//! Roots by contract, as facts named them.

use domain::{ContractId, Event, Symbol};

use super::Core;

impl Core {
    /// The root of a contract, as some fact named it; the contract id where none did.
    pub(super) fn symbol_of(&self, contract: &ContractId) -> Symbol {
        self.symbols.get(contract).cloned().unwrap_or_else(|| Symbol::new(contract.as_str()))
    }

    /// Remembers the roots that an event names.
    pub(super) fn learn_symbols(&mut self, event: &Event) {
        match event {
            Event::Position(position) => self.name(&position.contract, &position.symbol),
            Event::Order(order) => self.name(&order.contract, &order.symbol),
            Event::Snapshot(snapshot) => {
                for position in &snapshot.positions {
                    self.name(&position.contract, &position.symbol);
                }
                for order in &snapshot.orders {
                    self.name(&order.contract, &order.symbol);
                }
            }
            Event::Positions { positions, .. } => {
                for position in positions {
                    self.name(&position.contract, &position.symbol);
                }
            }
            Event::Fill(_)
            | Event::Orders { .. }
            | Event::Instrument(_)
            | Event::Account(_)
            | Event::Quote(_)
            | Event::Unanswered(_)
            | Event::Link(_)
            | Event::Report(_)
            | Event::Command(_)
            | Event::Rules(_)
            | Event::Restored(_)
            | Event::Bar { .. }
            | Event::Tick => {}
        }
    }

    fn name(&mut self, contract: &ContractId, symbol: &Symbol) {
        if !self.symbols.contains_key(contract) {
            self.symbols.insert(contract.clone(), symbol.clone());
        }
    }
}

//! Instruments that the settings list: their quotes are subscribed also while nothing is held in them
//! (specification C.8). Everything that is held or wanted is subscribed anyway, listed or not.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    ContractId, Event, Instant, Instrument, Symbol,
    broker::{Answer, Call, CallError},
};
use views::text::upkeep;

use super::{Core, asking::Purpose, telling::About};

/// Instruments that are followed; further ones are subscribed when something is held in them.
const MOST_LISTED: usize = 50;
/// Wait before an instrument that could not be found is searched for again.
const SEARCH_AGAIN: TimeDelta = TimeDelta::minutes(10);

/// The listed roots, and the contract that is traded of each.
#[derive(Debug, Default)]
pub(super) struct Listed {
    roots: Vec<Symbol>,
    contracts: BTreeMap<Symbol, ContractId>,
    /// When each was searched for.
    asked: BTreeMap<Symbol, Instant>,
}

impl Listed {
    /// Follows these roots from now on.
    pub fn follow(&mut self, roots: &BTreeSet<Symbol>) {
        self.roots = roots.iter().take(MOST_LISTED).cloned().collect();
        self.contracts.retain(|symbol, _| self.roots.contains(symbol));
        self.asked.retain(|symbol, _| self.roots.contains(symbol));
    }

    /// With a new session everything is searched for again: contracts expire.
    pub fn begin_anew(&mut self) {
        self.asked.clear();
    }

    pub fn contracts(&self) -> impl Iterator<Item = &ContractId> {
        self.contracts.values()
    }

    fn due(&self, now: Instant) -> Option<Symbol> {
        let is_due = |symbol: &&Symbol| match self.asked.get(*symbol) {
            None => true,
            Some(at) => !self.contracts.contains_key(*symbol) && now - *at >= SEARCH_AGAIN,
        };
        self.roots.iter().find(is_due).cloned()
    }
}

impl Core {
    /// Searches for the contracts of the listed roots, once the accounts are known.
    pub(super) fn find_listed(&mut self, now: Instant) {
        if !self.links.logged_in || self.links.watched.is_none() {
            return;
        }
        while let Some(symbol) = self.listed.due(now) {
            self.listed.asked.insert(symbol.clone(), now);
            self.send(Call::SearchInstruments(symbol.to_string()), Purpose::Listed(symbol));
        }
    }

    pub(super) fn listed_found(&mut self, symbol: &Symbol, result: &Result<Answer, CallError>, now: Instant) {
        let Ok(Answer::Instruments(found)) = result else {
            tracing::warn!(target: "daemon", %symbol, "a listed instrument could not be searched for");
            return;
        };
        let is_traded = |it: &&Instrument| it.symbol == *symbol && it.active;
        match found.iter().find(is_traded) {
            Some(instrument) => {
                self.listed.contracts.insert(symbol.clone(), instrument.contract.clone());
                self.step(now, Event::Instrument(instrument.clone()));
            }
            None => {
                let note = upkeep::unknown_symbol(symbol.as_str(), &self.setting.broker);
                self.tell(note, About::all("unknown_symbol"), now);
            }
        }
    }
}

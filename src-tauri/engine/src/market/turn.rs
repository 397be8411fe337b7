//! What time alone brings to the market: evaluations that waited, breakers that close, bars to ask for,
//! a stream that has been silent for too long (specification C.8, ruling 26).

use chrono::TimeDelta;
use domain::{
    ContractId, Exposure, Instant, exchange,
    rulebook::{Holidays, PriceBasis},
};

use super::{Listing, Market};
use crate::schedule::{Deadline, Why};

/// Silence of the whole stream after which no price is usable.
const SILENT_AFTER: TimeDelta = TimeDelta::seconds(30);
/// Least time between two bars of any contract: the gateway answers 50 in 30 s (gateway reference 3.3).
const BAR_EVERY: TimeDelta = TimeDelta::seconds(1);

/// What is to be done after time has passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Contracts to evaluate.
    pub evaluate: Vec<ContractId>,
    /// Contracts whose quotes arrive in time again.
    pub in_time: Vec<ContractId>,
    /// The contract whose bar is asked for.
    pub bar: Option<ContractId>,
    /// Every contract is to be evaluated: the stream fell silent.
    pub silent: bool,
}

impl Market {
    /// Lets time pass. `is_held` says of which contracts somebody has a position.
    pub(crate) fn pass_time(
        &mut self,
        now: Instant,
        holidays: &Holidays,
        is_held: impl Fn(&ContractId) -> bool,
    ) -> Turn {
        let mut turn = Turn { silent: self.falls_silent(now, holidays), ..Turn::default() };
        self.silent |= turn.silent;
        for (contract, listing) in &mut self.contracts {
            let closed = listing.lag.pass(now);
            if closed {
                turn.in_time.push(contract.clone());
            }
            if listing.pace.pass(now) || closed {
                turn.evaluate.push(contract.clone());
            }
        }
        self.mind_missing(now, is_held);
        turn.bar = self.take_bar(now);
        turn
    }

    /// The next instant after `now` at which time alone brings something.
    pub(crate) fn next_deadline(&self, now: Instant) -> Option<Deadline> {
        let due = |at: Option<Instant>, why| at.map(|at| Deadline { at, why });
        let free = self.bar_asked.map(|at| at + BAR_EVERY);
        let silent = self.silent_at().filter(|at| *at > now);
        let listings = self.contracts.values().flat_map(|listing| {
            [
                due(listing.pace.due(), Why::QuoteWaits),
                due(listing.lag.closes_at(), Why::QuotesInTime),
                due(listing.bar_due().map(|at| at.max(free.unwrap_or(at))), Why::BarWanted),
            ]
        });
        listings.flatten().chain(due(silent, Why::StreamSilent)).min()
    }

    /// When the silence of the stream has lasted too long; `None` while nobody waits for quotes.
    fn silent_at(&self) -> Option<Instant> {
        let is_waiting = self.connected && !self.silent;
        let is_wanted = || self.contracts.values().any(|listing| listing.wanted.is_some());
        (is_waiting && is_wanted()).then(|| self.quoted.max(self.up).map(|at| at + SILENT_AFTER)).flatten()
    }

    /// Only a product that has been traded and wanted for as long tells anything by its silence.
    fn falls_silent(&self, now: Instant, holidays: &Holidays) -> bool {
        let since = now - SILENT_AFTER;
        self.silent_at().is_some_and(|at| now >= at)
            && self.contracts.values().filter(|listing| listing.wanted.is_some_and(|at| at <= since)).any(
                |listing| {
                    let symbol = listing.symbol.as_ref();
                    let open = symbol.and_then(|symbol| exchange::open_since(symbol, now, holidays));
                    open.is_some_and(|at| at <= since)
                },
            )
    }

    fn mind_missing(&mut self, now: Instant, is_held: impl Fn(&ContractId) -> bool) {
        let silent = self.silent;
        for (contract, listing) in &mut self.contracts {
            if is_held(contract) && listing.price(PriceBasis::LastElseMid, Exposure::FLAT, silent).is_none() {
                listing.bars.missing(now);
            } else {
                listing.bars.rest();
            }
        }
    }

    /// The bar that has been waited for longest, if one may be asked for now; notes that it was.
    fn take_bar(&mut self, now: Instant) -> Option<ContractId> {
        if self.bar_asked.is_some_and(|at| now < at + BAR_EVERY) {
            return None;
        }
        let (contract, listing) = self
            .contracts
            .iter_mut()
            .filter(|(_, listing)| listing.bar_due().is_some_and(|at| at <= now))
            .min_by_key(|(_, listing)| listing.bar_due())?;
        self.bar_asked = Some(now);
        listing.bars.asked(now);
        listing.trust.asked();
        Some(contract.clone())
    }
}

impl Listing {
    fn bar_due(&self) -> Option<Instant> {
        let free = self.bars.free_at();
        let doubt = self.trust.asks_at().map(|at| at.max(free.unwrap_or(at)));
        [doubt, self.bars.due()].into_iter().flatten().min()
    }
}

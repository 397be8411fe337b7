//! What a rule sees of one account, and what was reckoned for other rules already. Changes nothing.

use std::{cell::OnceCell, collections::BTreeMap};

use domain::{
    ContractId, Contracts, Exposure, Instant,
    rulebook::{PriceBasis, TradeCount},
};

use crate::{
    account::{AccountState, Holding},
    kinds::Kinds,
    market::{Look, Market, Worth},
    trades::Trade,
};

/// What several want to know of one account, reckoned once while nothing changes.
#[derive(Debug)]
pub struct Reckoned<'a> {
    /// The contracts of the positions, in the order of the positions.
    looks: Vec<Look<'a>>,
    /// Open results by the usual price, in the same order.
    open: OnceCell<Vec<Worth>>,
    /// What is open and not banked.
    pub(super) unbanked: OnceCell<Worth>,
    /// Trades as RULE-006 counts them.
    trades: OnceCell<Vec<Trade>>,
}

impl<'a> Reckoned<'a> {
    pub(crate) fn of(account: &AccountState, market: &'a Market) -> Self {
        let looks = account.holdings().map(|holding| market.look(&holding.position.contract)).collect();
        Self { looks, open: OnceCell::new(), unbanked: OnceCell::new(), trades: OnceCell::new() }
    }

    /// The contracts of the positions, in the order of the positions.
    pub(crate) fn looks(&self) -> impl Iterator<Item = Look<'a>> {
        self.looks.iter().copied()
    }
}

/// What a rule sees.
#[derive(Debug)]
pub struct Scene<'a> {
    /// Engine time.
    pub now: Instant,
    /// The account, state step done.
    pub account: &'a AccountState,
    /// Prices and metadata.
    pub market: &'a Market,
    /// What was reckoned for other rules already.
    pub reckoned: &'a Reckoned<'a>,
    /// What changed.
    pub kinds: Kinds,
    /// Sizes that were decided in this step already, by stronger rules or by the gate.
    pub planned: &'a BTreeMap<ContractId, Contracts>,
    /// When the trading day ends.
    pub day_end: Instant,
}

impl<'a> Scene<'a> {
    /// All positions with their contracts.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (&'a Holding, Look<'a>)> {
        self.account.holdings().zip(self.reckoned.looks())
    }

    /// All positions with their open results by the usual price.
    pub fn open(&self) -> impl Iterator<Item = (&'a Holding, &'a Worth)> {
        let usual = |(it, look): (&Holding, Look<'_>)| look.worth(&it.position, PriceBasis::LastElseMid);
        let open = self.reckoned.open.get_or_init(|| self.positions().map(usual).collect());
        self.account.holdings().zip(open)
    }

    /// All positions with their open results by a basis.
    pub fn open_results(&self, basis: PriceBasis) -> impl Iterator<Item = (&'a Holding, Worth)> {
        let known = (basis == PriceBasis::LastElseMid).then(|| self.open());
        let mut known = known.into_iter().flatten();
        self.positions().map(move |(holding, look)| {
            let known = known.next().map(|(_, worth)| worth.clone());
            (holding, known.unwrap_or_else(|| look.worth(&holding.position, basis)))
        })
    }

    /// The trader's trades of the day and of the hour before it, as RULE-006 counts them.
    #[must_use]
    pub fn trades(&self, count: TradeCount) -> &'a [Trade] {
        self.reckoned.trades.get_or_init(|| self.account.trades(count))
    }

    /// What will be held of a position once everything decided so far is done.
    #[must_use]
    pub fn held(&self, holding: &Holding) -> Exposure {
        let remaining = self.account.remaining(holding);
        match self.planned.get(&holding.position.contract) {
            Some(planned) => remaining.resized(remaining.size().min(*planned)),
            None => remaining,
        }
    }
}

//! An account at a moment: what was held at which average, what the day's executions added up to.

use domain::{ContractId, Exposure, Fill, Instant, Price, Symbol, Usd};
use rust_decimal::Decimal;

/// What the executions of a day add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub gross: Usd,
    pub costs: Usd,
}

/// What is held of one contract at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stake {
    pub contract: ContractId,
    pub symbol: Symbol,
    pub exposure: Exposure,
    pub average: Price,
}

/// An account at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Glance {
    pub at: Instant,
    pub stakes: Vec<Stake>,
    /// The day's executions.
    pub sum: Sum,
    /// The open result; `None` without a price.
    pub open: Option<Usd>,
}

impl Sum {
    /// What counts for a rule.
    pub fn result(self, include_fees: bool) -> Usd {
        if include_fees { self.gross - self.costs } else { self.gross }
    }

    pub fn add(&mut self, fill: &Fill, sign: i64) {
        self.gross += fill.pnl.unwrap_or_default() * sign;
        self.costs += (fill.fees + fill.commissions.unwrap_or_default()) * sign;
    }
}

impl Stake {
    /// Scaling in weighs the average, scaling out keeps it, a flip begins anew.
    pub fn change(&mut self, change: Exposure, price: Price) {
        let (old, new) = (self.exposure, self.exposure + change);
        self.exposure = new;
        if !new.same_side(old) {
            self.average = price;
        } else if new.size() > old.size() {
            let sum = self.average.0 * Decimal::from(old.0) + price.0 * Decimal::from(change.0);
            self.average = Price(sum / Decimal::from(new.0));
        }
    }
}

impl Glance {
    /// Contracts of the account: net, and gross.
    pub fn counts(&self) -> (u32, u32) {
        let net: i64 = self.stakes.iter().map(|stake| stake.exposure.0).sum();
        let gross: u32 = self.stakes.iter().map(|stake| stake.exposure.size().0).sum();
        (u32::try_from(net.unsigned_abs()).unwrap_or(u32::MAX), gross)
    }

    /// Contracts of a symbol over its expiries.
    pub fn count_of(&self, symbol: &Symbol) -> u32 {
        self.stakes.iter().filter(|it| it.symbol == *symbol).map(|it| it.exposure.size().0).sum()
    }
}

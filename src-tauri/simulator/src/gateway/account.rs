//! Accounts, their positions and their trades, with their rows on the wire. Money is exact; nothing here
//! decides whether an order fills.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::{Exposure, Instant, Price, Usd};
use projectx::wire::{
    Number,
    code::{OrderSide, PositionType},
    model,
};
use rust_decimal::Decimal;

use super::{
    Gateway,
    catalogue::{ContractIndex, Listing},
    stamp::{self, Precision},
};
use crate::settings::AccountSettings;

/// First account id, and the distance to the next.
const FIRST_ACCOUNT: i64 = 26_100_417;
const ACCOUNT_STEP: i64 = 101;

/// Trades that are kept; the oldest goes beyond it.
pub(super) const TRADES_LIMIT: usize = 200_000;

/// Decimals of an average price, as the database keeps them (gateway reference 3.9).
const PRICE_DECIMALS: u32 = 9;

/// Decimals of profit and loss, as the database keeps them.
const MONEY_DECIMALS: u32 = 4;

#[derive(Debug)]
pub(super) struct Account {
    pub id: i64,
    pub settings: AccountSettings,
    pub balance: Usd,
    pub can_trade: bool,
    pub simulated: bool,
    pub follower: bool,
    pub positions: BTreeMap<ContractIndex, Position>,
    /// Tags of all orders, ended ones included.
    pub tags: BTreeSet<String>,
    /// Sum of profit and loss, gross.
    pub gross: Usd,
    /// Sum of fees and commissions.
    pub costs: Usd,
}

#[derive(Clone, Debug)]
pub(super) struct Position {
    pub id: i64,
    pub opened: Instant,
    pub exposure: Exposure,
    pub average: Decimal,
    /// The trade that opened it: sent again when it is closed.
    pub first_trade: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Trade {
    pub id: i64,
    pub account: usize,
    pub contract: ContractIndex,
    pub order: i64,
    pub at: Instant,
    pub price: Decimal,
    pub side: OrderSide,
    pub size: i64,
    /// Gross; `None` on an opening half-turn.
    pub profit: Option<Usd>,
    pub fees: Usd,
    pub commissions: Usd,
    pub voided: bool,
}

/// All trades, oldest first.
#[derive(Debug, Default)]
pub(super) struct Trades(VecDeque<Trade>);

/// What a fill does to a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Gross result of the part that closes, if any.
    pub profit: Option<Usd>,
    pub before: Exposure,
    pub after: Exposure,
    /// Average entry afterwards; of a position that is gone its last one.
    pub average: Decimal,
}

impl Account {
    pub(super) fn several(settings: &[AccountSettings]) -> Vec<Self> {
        (0_i64..).zip(settings).map(|(index, settings)| Self::new(index, settings)).collect()
    }

    fn new(index: i64, settings: &AccountSettings) -> Self {
        Self {
            id: FIRST_ACCOUNT + index * ACCOUNT_STEP,
            settings: settings.clone(),
            balance: settings.balance,
            can_trade: true,
            simulated: settings.simulated,
            follower: false,
            positions: BTreeMap::new(),
            tags: BTreeSet::new(),
            gross: Usd::ZERO,
            costs: Usd::ZERO,
        }
    }

    pub(super) fn row(&self) -> model::Account {
        model::Account {
            id: self.id,
            name: self.settings.name.clone(),
            balance: Number(self.balance.0),
            can_trade: self.can_trade,
            is_visible: self.settings.visible,
            simulated: Some(self.simulated),
        }
    }

    pub(super) fn exposure(&self, contract: ContractIndex) -> Exposure {
        self.positions.get(&contract).map_or(Exposure::FLAT, |position| position.exposure)
    }
}

impl Trades {
    pub(super) fn add(&mut self, trade: Trade) {
        if self.0.len() == TRADES_LIMIT {
            self.0.pop_front();
        }
        self.0.push_back(trade);
    }

    pub(super) fn get(&self, id: i64) -> Option<&Trade> {
        self.index(id).and_then(|index| self.0.get(index))
    }

    pub(super) fn get_mut(&mut self, id: i64) -> Option<&mut Trade> {
        self.index(id).and_then(|index| self.0.get_mut(index))
    }

    pub(super) fn of(&self, account: usize) -> impl DoubleEndedIterator<Item = &Trade> {
        self.0.iter().filter(move |trade| trade.account == account)
    }

    /// Trades with an id above `id`, oldest first.
    pub(super) fn after(&self, id: i64) -> impl Iterator<Item = &Trade> {
        self.0.iter().skip(self.0.partition_point(|trade| trade.id <= id))
    }

    fn index(&self, id: i64) -> Option<usize> {
        self.0.binary_search_by_key(&id, |trade| trade.id).ok()
    }
}

impl Change {
    /// Nets a fill into a position: what is closed is realised against the average, what is added
    /// moves the average, what goes through zero opens anew at the fill price (specification A.3).
    pub(super) fn of(position: Option<&Position>, listing: &Listing, fill: Exposure, price: Decimal) -> Self {
        let before = position.map_or(Exposure::FLAT, |position| position.exposure);
        let average = position.map_or(price, |position| position.average);
        let after = before + fill;
        if before.is_flat() || before.same_side(fill) {
            let size = |exposure: Exposure| Decimal::from(exposure.0.abs());
            let sum = average * size(before) + price * size(fill);
            let average = (sum / size(after).max(Decimal::ONE)).round_dp(PRICE_DECIMALS);
            return Self { profit: None, before, after, average };
        }
        let closed = before.resized(before.size().min(fill.size()));
        let profit = listing.instrument.value(closed, Price(average), Price(price));
        let flipped = !after.is_flat() && !after.same_side(before);
        Self {
            profit: Some(Usd(profit.0.round_dp(MONEY_DECIMALS))),
            before,
            after,
            average: if flipped { price } else { average },
        }
    }

    pub(super) fn is_flip(&self) -> bool {
        !self.before.is_flat() && !self.after.is_flat() && !self.before.same_side(self.after)
    }
}

impl Gateway {
    pub(super) fn account_index(&self, id: i64) -> Option<usize> {
        self.accounts.iter().position(|account| account.id == id)
    }

    /// A position as REST and hubs show it; `exposure` is given because a closed one is shown as well.
    pub(super) fn position_row(
        &self,
        account: usize,
        contract: ContractIndex,
        position: &Position,
        precision: Precision,
    ) -> model::Position {
        let listing = self.catalogue.listing(contract);
        let kind = match position.exposure.0.signum() {
            1 => PositionType::Long,
            -1 => PositionType::Short,
            _ => PositionType::Undefined,
        };
        model::Position {
            id: position.id,
            account_id: self.accounts[account].id,
            contract_id: listing.instrument.contract.to_string(),
            contract_display_name: Some(listing.display_name.clone()),
            creation_timestamp: stamp::write(position.opened, precision),
            kind: kind.code(),
            size: position.exposure.0.abs(),
            average_price: Number(position.average),
        }
    }

    pub(super) fn trade_row(&self, trade: &Trade, precision: Precision) -> model::Trade {
        let with_commissions = precision == Precision::Hub || self.settings.rest_commissions;
        model::Trade {
            id: trade.id,
            account_id: self.accounts[trade.account].id,
            contract_id: self.catalogue.listing(trade.contract).instrument.contract.to_string(),
            creation_timestamp: stamp::write(trade.at, precision),
            price: Number(trade.price),
            profit_and_loss: trade.profit.map(|profit| Number(profit.0)),
            fees: Some(Number(trade.fees.0)),
            commissions: with_commissions.then_some(Number(trade.commissions.0)),
            side: trade.side.code(),
            size: trade.size,
            voided: trade.voided,
            order_id: trade.order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::catalogue::Catalogue;

    fn check(symbol: &str, held: (i64, &str), fill: (i64, &str), expected: (Option<&str>, i64, &str)) {
        let catalogue = Catalogue::new("2026-06-10T14:00:00Z".parse().unwrap());
        let listing = catalogue.listing(catalogue.front(symbol).unwrap());
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let position = (held.0 != 0).then(|| Position {
            id: 1,
            opened: "2026-06-10T14:00:00Z".parse().unwrap(),
            exposure: Exposure(held.0),
            average: number(held.1),
            first_trade: 1,
        });
        let change = Change::of(position.as_ref(), listing, Exposure(fill.0), number(fill.1));
        let actual =
            (change.profit.map(|profit| profit.0.normalize()), change.after.0, change.average.normalize());
        let (profit, after, average) = expected;
        assert_eq!(actual, (profit.map(number), after, number(average)), "{symbol} {held:?} then {fill:?}");
    }

    /// Opening, scaling in, scaling out, closing, flipping; the reference vectors of specification A.3.
    #[test]
    fn fills_are_netted_by_average_price() {
        check("MNQ", (0, "0"), (2, "21000"), (None, 2, "21000"));
        check("MNQ", (2, "21000"), (1, "21003"), (None, 3, "21001"));
        check("MNQ", (1, "21000"), (2, "21000.25"), (None, 3, "21000.166666667"));
        check("MNQ", (2, "21000"), (-2, "20970"), (Some("-120"), 0, "21000"));
        check("MNQ", (2, "21000"), (-2, "21050"), (Some("200"), 0, "21000"));
        check("MNQ", (3, "21000"), (-1, "21010"), (Some("20"), 2, "21000"));
        check("ES", (-1, "5800"), (1, "5790"), (Some("500"), 0, "5800"));
        check("MES", (-4, "6000"), (4, "5990"), (Some("200"), 0, "6000"));
        check("MNQ", (2, "21000"), (-5, "21010"), (Some("40"), -3, "21010"));
        check("MNQ", (-2, "21000"), (3, "20990"), (Some("40"), 1, "20990"));
        check("ZT", (1, "104.25"), (-1, "104.25390625"), (Some("7.8125"), 0, "104.25"));
    }
}

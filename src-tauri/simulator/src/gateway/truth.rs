//! What really is, as domain values: for whoever holds a client against it. Shows everything, also what no
//! client can see, such as suspended orders.

use domain::{
    ContractId, Contracts, Fill, Instrument, Order, OrderKind, OrderSide, OrderStatus, Position, Price,
};
use projectx::wire::code;

use super::{Gateway, account::Trade, order};

/// An account as it really is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Open positions, in a fixed order.
    pub positions: Vec<Position>,
    /// Orders that have not ended, the oldest first.
    pub orders: Vec<Order>,
}

impl Gateway {
    /// An account as it really is; empty for one that nobody knows.
    #[must_use]
    pub fn truth(&self, account: i64) -> Truth {
        let Some(index) = self.account_index(account) else { return Truth::default() };
        let positions = self.accounts[index].positions.iter().map(|(contract, held)| {
            let instrument = &self.catalogue.listing(*contract).instrument;
            Position {
                id: held.id.into(),
                account: account.into(),
                contract: instrument.contract.clone(),
                symbol: instrument.symbol.clone(),
                exposure: held.exposure,
                average_price: Price(held.average),
                opened_at: held.opened,
            }
        });
        let orders = self.orders.working_of(index).into_iter().map(|order| self.true_order(account, order));
        Truth { positions: positions.collect(), orders: orders.collect() }
    }

    /// Executions of all accounts with an id above `after`, the oldest first.
    pub fn executions_after(&self, after: i64) -> impl Iterator<Item = Fill> + '_ {
        self.trades.after(after).map(|trade| self.true_fill(trade))
    }

    /// One execution as it is now.
    #[must_use]
    pub fn execution(&self, id: i64) -> Option<Fill> {
        self.trades.get(id).map(|trade| self.true_fill(trade))
    }

    /// What a contract is worth.
    #[must_use]
    pub fn instrument(&self, contract: &ContractId) -> Option<&Instrument> {
        let index = self.catalogue.find(contract.as_str())?;
        Some(&self.catalogue.listing(index).instrument)
    }

    fn true_order(&self, account: i64, order: &order::Order) -> Order {
        let instrument = &self.catalogue.listing(order.contract).instrument;
        Order {
            id: order.id.into(),
            account: account.into(),
            contract: instrument.contract.clone(),
            symbol: instrument.symbol.clone(),
            side: side(order.side),
            kind: kind(order.kind),
            status: status(order.status),
            size: contracts(order.size),
            filled: contracts(order.filled),
            limit_price: order.limit.map(Price),
            stop_price: order.stop.map(Price),
            filled_price: order.filled_price().map(Price),
            tag: order.tag.clone(),
            parent: order.parent.map(Into::into),
            linked: order.linked.map(Into::into),
            created_at: order.created,
        }
    }

    fn true_fill(&self, trade: &Trade) -> Fill {
        let instrument = &self.catalogue.listing(trade.contract).instrument;
        Fill {
            id: trade.id.into(),
            order: trade.order.into(),
            account: self.accounts[trade.account].id.into(),
            contract: instrument.contract.clone(),
            symbol: instrument.symbol.clone(),
            side: side(trade.side),
            size: contracts(trade.size),
            price: Price(trade.price),
            pnl: trade.profit,
            fees: trade.fees,
            commissions: Some(trade.commissions),
            voided: trade.voided,
            at: trade.at,
        }
    }
}

fn contracts(size: i64) -> Contracts {
    Contracts(u32::try_from(size).unwrap_or_default())
}

fn side(side: code::OrderSide) -> OrderSide {
    match side {
        code::OrderSide::Bid => OrderSide::Buy,
        code::OrderSide::Ask => OrderSide::Sell,
    }
}

fn kind(kind: code::OrderType) -> OrderKind {
    match kind {
        code::OrderType::Limit => OrderKind::Limit,
        code::OrderType::Unknown | code::OrderType::Market => OrderKind::Market,
        code::OrderType::StopLimit => OrderKind::StopLimit,
        code::OrderType::Stop => OrderKind::Stop,
        code::OrderType::TrailingStop => OrderKind::TrailingStop,
        code::OrderType::JoinBid => OrderKind::JoinBid,
        code::OrderType::JoinAsk => OrderKind::JoinAsk,
    }
}

fn status(status: code::OrderStatus) -> OrderStatus {
    match status {
        code::OrderStatus::Open => OrderStatus::Open,
        code::OrderStatus::None | code::OrderStatus::Pending => OrderStatus::Pending,
        code::OrderStatus::Suspended => OrderStatus::Suspended,
        code::OrderStatus::PendingCancellation => OrderStatus::CancelPending,
        code::OrderStatus::Filled => OrderStatus::Filled,
        code::OrderStatus::Cancelled => OrderStatus::Cancelled,
        code::OrderStatus::Expired => OrderStatus::Expired,
        code::OrderStatus::Rejected => OrderStatus::Rejected,
    }
}

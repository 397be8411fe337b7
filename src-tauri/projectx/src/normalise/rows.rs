//! One row of the broker to one fact, whether it came by REST or by hub. Strict where a wrong reading
//! would cost money: unknown enum numbers, missing members and impossible values are faults, never
//! guesses. Unknown members are ignored (gateway reference 3.9).

use chrono::{DateTime, SubsecRound, Utc};
use domain::{
    Account, Contracts, Exposure, Fill, Instant, Order, OrderKind, OrderSide, OrderStatus, Position, Price,
    Quote, Usd, products,
};
use rust_decimal::Decimal;

use super::fault::Fault;
use crate::{
    symbols,
    wire::{Number, code, model},
};

/// An account.
#[must_use]
pub fn account(row: &model::Account) -> Account {
    Account {
        id: row.id.into(),
        name: row.name.clone(),
        balance: Usd(row.balance.0),
        can_trade: row.can_trade,
        visible: row.is_visible,
        simulated: row.simulated,
    }
}

/// An order. A price that the order has no use for may be zero, which then means "none".
///
/// # Errors
/// Type 0, status 0, unknown numbers, sizes below one, prices that are not above zero.
pub fn order(row: &model::Order) -> Result<Order, Fault> {
    let kind = order_kind(row.kind)?;
    let filled = contracts("fillVolume", row.fill_volume)?;
    // Suspended children carry no prices until they are activated (gateway reference 8.3).
    let has_limit = matches!(kind, OrderKind::Limit | OrderKind::StopLimit);
    let has_stop = kind.is_stop();
    Ok(Order {
        id: row.id.into(),
        account: row.account_id.into(),
        contract: row.contract_id.as_str().into(),
        symbol: symbols::root(&row.contract_id),
        side: side(row.side)?,
        kind,
        status: order_status(row.status)?,
        size: at_least_one("size", row.size)?,
        filled,
        limit_price: optional_price("limitPrice", row.limit_price, has_limit)?,
        stop_price: optional_price("stopPrice", row.stop_price, has_stop)?,
        filled_price: optional_price("filledPrice", row.filled_price, filled > Contracts::ZERO)?,
        tag: row.custom_tag.clone(),
        parent: row.parent_order_id.map(Into::into),
        linked: row.linked_order_id.map(Into::into),
        created_at: time("creationTimestamp", &row.creation_timestamp)?,
    })
}

/// A position. The direction comes from `type` alone (L-11); when it is closed `averagePrice` is the
/// entry still, and is not judged.
///
/// # Errors
/// Unknown type, size below zero, a size without direction, no entry price while open.
pub fn position(row: &model::Position) -> Result<Position, Fault> {
    let size = contracts("size", row.size)?;
    let exposure = exposure(row.kind, size)?;
    let average_price = if exposure.is_flat() {
        Price(row.average_price.0)
    } else {
        price("averagePrice", row.average_price)?
    };
    Ok(Position {
        id: row.id.into(),
        account: row.account_id.into(),
        contract: row.contract_id.as_str().into(),
        symbol: symbols::root(&row.contract_id),
        exposure,
        average_price,
        opened_at: time("creationTimestamp", &row.creation_timestamp)?,
    })
}

/// An execution.
///
/// # Errors
/// Unknown side, size below one, price not above zero.
pub fn fill(row: &model::Trade) -> Result<Fill, Fault> {
    let size = at_least_one("size", row.size)?;
    Ok(Fill {
        id: row.id.into(),
        order: row.order_id.into(),
        account: row.account_id.into(),
        contract: row.contract_id.as_str().into(),
        symbol: symbols::root(&row.contract_id),
        side: side(row.side)?,
        size,
        price: price("price", row.price)?,
        pnl: row.profit_and_loss.map(|amount| Usd(amount.0)),
        fees: fees(row, size),
        commissions: row.commissions.map(|amount| Usd(amount.0)),
        voided: row.voided,
        at: time("creationTimestamp", &row.creation_timestamp)?,
    })
}

/// A change of prices of the contract under whose id it arrived. Figures that are not above zero are
/// left out: a zero says "no price" (L-17).
///
/// # Errors
/// A `lastUpdated` that is no time.
pub fn quote(contract: &str, row: &model::Quote) -> Result<Quote, Fault> {
    let figure = |number: Option<Number>| {
        number.filter(|Number(figure)| *figure > Decimal::ZERO).map(|Number(figure)| Price(figure))
    };
    Ok(Quote {
        contract: contract.into(),
        last: figure(row.last_price),
        bid: figure(row.best_bid),
        ask: figure(row.best_ask),
        at: row.last_updated.as_deref().map(|text| time("lastUpdated", text)).transpose()?,
    })
}

/// Opening time and close of a bar.
///
/// # Errors
/// A close that is not above zero.
pub fn bar(row: &model::Bar) -> Result<(Instant, Price), Fault> {
    Ok((time("t", &row.t)?, price("c", row.c)?))
}

fn side(number: i64) -> Result<OrderSide, Fault> {
    match code::OrderSide::try_from(number).map_err(|error| unknown("side", &error))? {
        code::OrderSide::Bid => Ok(OrderSide::Buy),
        code::OrderSide::Ask => Ok(OrderSide::Sell),
    }
}

fn order_kind(number: i64) -> Result<OrderKind, Fault> {
    match code::OrderType::try_from(number).map_err(|error| unknown("type", &error))? {
        code::OrderType::Unknown => Err(Fault::value("type", number, "an order of unknown type")),
        code::OrderType::Limit => Ok(OrderKind::Limit),
        code::OrderType::Market => Ok(OrderKind::Market),
        code::OrderType::StopLimit => Ok(OrderKind::StopLimit),
        code::OrderType::Stop => Ok(OrderKind::Stop),
        code::OrderType::TrailingStop => Ok(OrderKind::TrailingStop),
        code::OrderType::JoinBid => Ok(OrderKind::JoinBid),
        code::OrderType::JoinAsk => Ok(OrderKind::JoinAsk),
    }
}

fn order_status(number: i64) -> Result<OrderStatus, Fault> {
    match code::OrderStatus::try_from(number).map_err(|error| unknown("status", &error))? {
        code::OrderStatus::None => Err(Fault::value("status", number, "an order without status")),
        code::OrderStatus::Open => Ok(OrderStatus::Open),
        code::OrderStatus::Filled => Ok(OrderStatus::Filled),
        code::OrderStatus::Cancelled => Ok(OrderStatus::Cancelled),
        code::OrderStatus::Expired => Ok(OrderStatus::Expired),
        code::OrderStatus::Rejected => Ok(OrderStatus::Rejected),
        code::OrderStatus::Pending => Ok(OrderStatus::Pending),
        code::OrderStatus::PendingCancellation => Ok(OrderStatus::CancelPending),
        code::OrderStatus::Suspended => Ok(OrderStatus::Suspended),
    }
}

fn exposure(kind: i64, size: Contracts) -> Result<Exposure, Fault> {
    let magnitude = i64::from(size.0);
    match code::PositionType::try_from(kind).map_err(|error| unknown("type", &error))? {
        code::PositionType::Long => Ok(Exposure(magnitude)),
        code::PositionType::Short => Ok(Exposure(-magnitude)),
        code::PositionType::Undefined if magnitude == 0 => Ok(Exposure::FLAT),
        code::PositionType::Undefined => {
            Err(Fault::value("type", kind, format!("{magnitude} contracts without a direction")))
        }
    }
}

/// Some rows carry `commissions` instead of `fees`. A row with neither is charged by the dated table, so
/// that costs are not understated; its missing commissions mark the day as estimated (ruling 3).
fn fees(row: &model::Trade, size: Contracts) -> Usd {
    match (row.fees, row.commissions) {
        (Some(amount), _) => Usd(amount.0),
        (None, Some(_)) => Usd::ZERO,
        (None, None) => symbols::vendor_root(&row.contract_id)
            .and_then(products::by_vendor_root)
            .and_then(|product| product.fees)
            .map_or(Usd::ZERO, |per_contract| Usd(per_contract) * i64::from(size.0)),
    }
}

fn unknown(field: &'static str, error: &code::UnknownCode) -> Fault {
    Fault::Unknown { field, number: error.number, what: error.what }
}

fn contracts(field: &'static str, number: i64) -> Result<Contracts, Fault> {
    u32::try_from(number).map(Contracts).map_err(|_| Fault::value(field, number, "no number of contracts"))
}

fn at_least_one(field: &'static str, number: i64) -> Result<Contracts, Fault> {
    match contracts(field, number)? {
        Contracts::ZERO => Err(Fault::value(field, number, "must be at least one")),
        some => Ok(some),
    }
}

fn price(field: &'static str, number: Number) -> Result<Price, Fault> {
    if number.0 > Decimal::ZERO {
        Ok(Price(number.0))
    } else {
        Err(Fault::value(field, number.0, "a price must be above zero"))
    }
}

fn optional_price(
    field: &'static str,
    number: Option<Number>,
    is_used: bool,
) -> Result<Option<Price>, Fault> {
    match number {
        Some(number) if number.0.is_zero() && !is_used => Ok(None),
        Some(number) => price(field, number).map(Some),
        None => Ok(None),
    }
}

/// Up to seven fractional digits, `Z` or an offset (gateway reference 8.10).
fn time(field: &'static str, text: &str) -> Result<Instant, Fault> {
    // The stream tells seven digits of a second, REST six of the same instant (gateway reference 8.10).
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc).trunc_subsecs(6))
        .map_err(|error| Fault::value(field, text, format!("no time: {error}")))
}

//! Placing and changing protective orders. Looks at every order once more before it leaves: what is not a
//! tagged stop or target with a size and a price is not sent.

use domain::{
    AccountId, Contracts, Leg, OrderId, OrderSide, Price, Ticket,
    broker::{CallError, Refusal},
    order::OWN_TAG,
};
use rust_decimal::Decimal;

use super::{Request, account_number, order_number, refused, request};
use crate::wire::{
    Number, code,
    rest::{self as body, path},
};

pub(super) fn place(account: &AccountId, ticket: &Ticket, tag: &str) -> Result<Request, CallError> {
    check(ticket)?;
    if !tag.starts_with(OWN_TAG) || tag.len() == OWN_TAG.len() {
        return Err(refused(0, "an order of this product carries its tag", Refusal::Other));
    }
    let (kind, prices) = terms(ticket);
    let side = match ticket.side {
        OrderSide::Buy => code::OrderSide::Bid,
        OrderSide::Sell => code::OrderSide::Ask,
    };
    let order = body::PlaceOrder {
        account_id: account_number(account)?,
        contract_id: ticket.contract.to_string(),
        kind: kind.code(),
        side: side.code(),
        size: ticket.size.0.into(),
        limit_price: prices.limit,
        stop_price: prices.stop,
        trail_price: None,
        custom_tag: Some(tag.to_string()),
        stop_loss_bracket: None,
        take_profit_bracket: None,
    };
    Ok(request(path::ORDER_PLACE, &order))
}

pub(super) fn modify(account: &AccountId, order: &OrderId, ticket: &Ticket) -> Result<Request, CallError> {
    check(ticket)?;
    let (_, prices) = terms(ticket);
    let change = body::ModifyOrder {
        account_id: account_number(account)?,
        order_id: order_number(order)?,
        size: Some(ticket.size.0.into()),
        limit_price: prices.limit,
        stop_price: prices.stop,
        trail_price: None,
    };
    Ok(request(path::ORDER_MODIFY, &change))
}

pub(super) fn resize(account: &AccountId, order: &OrderId, size: Contracts) -> Result<Request, CallError> {
    let change = body::ModifyOrder {
        account_id: account_number(account)?,
        order_id: order_number(order)?,
        size: Some(size.0.into()),
        limit_price: None,
        stop_price: None,
        trail_price: None,
    };
    Ok(request(path::ORDER_MODIFY, &change))
}

struct Prices {
    limit: Option<Number>,
    stop: Option<Number>,
}

fn terms(ticket: &Ticket) -> (code::OrderType, Prices) {
    let price = Some(Number(ticket.price.0));
    match ticket.leg {
        Leg::Stop => (code::OrderType::Stop, Prices { limit: None, stop: price }),
        Leg::Target => (code::OrderType::Limit, Prices { limit: price, stop: None }),
    }
}

fn check(ticket: &Ticket) -> Result<(), CallError> {
    match ticket {
        Ticket { size: Contracts::ZERO, .. } => Err(refused(0, "an order needs a size", Refusal::Size)),
        Ticket { price: Price(price), .. } if *price <= Decimal::ZERO => {
            Err(refused(0, "a protective order needs a price above zero", Refusal::Other))
        }
        Ticket { .. } => Ok(()),
    }
}

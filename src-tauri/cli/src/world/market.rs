//! Prices: a walk by a few ticks, now and then a jump, rarely a gap.

use rust_decimal::Decimal;
use simulator::{Gateway, QuoteUpdate};

use crate::{dice::Dice, traders::SYMBOLS};
use domain::Instant;

/// Moves one contract, most likely one that somebody holds.
pub(crate) fn move_one(gateway: &mut Gateway, now: Instant, held: &[String], dice: &mut Dice) {
    let contract = if held.is_empty() || dice.percent(15) {
        let symbol = *dice.choose(&SYMBOLS);
        match gateway.front_contract(symbol) {
            Some(contract) => contract.to_string(),
            None => return,
        }
    } else {
        dice.choose(held).clone()
    };
    let ticks = match dice.between(0..=99) {
        0 => dice.between(-400..=400),
        1..=6 => dice.between(-60..=60),
        _ => dice.between(-5..=5),
    };
    let (Some((last, ..)), Some(tick)) = (gateway.prices(&contract), gateway.tick_size(&contract)) else {
        return;
    };
    let last = (last + tick * Decimal::from(ticks)).max(tick * Decimal::from(1_000));
    let update = if dice.percent(80) {
        QuoteUpdate { last: Some(last), ..QuoteUpdate::default() }
    } else {
        // The book moves, nothing trades.
        QuoteUpdate { bid: Some(last - tick), ask: Some(last + tick), last: None }
    };
    gateway.post_quote(now, &contract, update);
}

/// Tells a contract's price once more.
pub(crate) fn rest(gateway: &mut Gateway, now: Instant, contract: &str) {
    if let Some((last, ..)) = gateway.prices(contract) {
        gateway.post_quote(now, contract, QuoteUpdate { last: Some(last), ..QuoteUpdate::default() });
    }
}

//! The form of a scenario file. Members that are not named here are refused.

use domain::{OrderKind, OrderSide};
use projectx::wire::Number;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{LONGEST_SECONDS, ScenarioError, player::Step};
use crate::{
    gateway::{Fault, QuoteUpdate},
    trader::{Amendment, Ticket},
};

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub description: String,
    #[serde(default = "one")]
    pub accounts: u32,
    pub steps: Vec<FileStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileStep {
    at: f64,
    price: Option<FilePrice>,
    r#move: Option<FileMove>,
    order: Option<FileOrder>,
    modify: Option<FileModify>,
    cancel: Option<FileCancel>,
    close: Option<FileClose>,
    fault: Option<Fault>,
    clear_faults: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePrice {
    contract: String,
    last: Option<Number>,
    bid: Option<Number>,
    ask: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileMove {
    contract: String,
    to: Number,
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOrder {
    name: Option<String>,
    #[serde(default = "first")]
    account: usize,
    contract: String,
    side: OrderSide,
    size: i64,
    #[serde(rename = "type", default = "market")]
    kind: OrderKind,
    limit: Option<Number>,
    stop: Option<Number>,
    trail: Option<Number>,
    stop_loss_ticks: Option<i64>,
    take_profit_ticks: Option<i64>,
    tag: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileModify {
    order: String,
    size: Option<i64>,
    limit: Option<Number>,
    stop: Option<Number>,
    trail: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCancel {
    order: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileClose {
    #[serde(default = "first")]
    account: usize,
    contract: String,
    size: Option<i64>,
}

impl FileStep {
    pub(super) fn read(self, number: usize) -> Result<(f64, Step), ScenarioError> {
        let lasts = self.r#move.as_ref().map_or(0.0, |file| file.seconds);
        if ![self.at, lasts].iter().all(|seconds| (0.0..=LONGEST_SECONDS).contains(seconds)) {
            return Err(ScenarioError::BadTime { step: number });
        }
        let mut things: Vec<Step> = [
            self.price.map(FilePrice::step),
            self.r#move.map(|file| Step::Move {
                contract: file.contract,
                to: file.to.0,
                seconds: file.seconds,
            }),
            self.order.map(FileOrder::step),
            self.modify.map(FileModify::step),
            self.cancel.map(|file| Step::Cancel { order: file.order }),
            self.close.map(|file| Step::Close {
                account: file.account,
                contract: file.contract,
                size: file.size,
            }),
            self.fault.map(Step::Fault),
            self.clear_faults.filter(|clear| *clear).map(|_| Step::ClearFaults),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (things.pop(), things.is_empty()) {
            (Some(step), true) => Ok((self.at, step)),
            (Some(_) | None, _) => Err(ScenarioError::NotOneThing { step: number }),
        }
    }
}

impl FilePrice {
    fn step(self) -> Step {
        let update =
            QuoteUpdate { bid: self.bid.map(value), ask: self.ask.map(value), last: self.last.map(value) };
        Step::Price { contract: self.contract, update }
    }
}

impl FileOrder {
    fn step(self) -> Step {
        let ticket = Ticket {
            account: 0,
            contract: self.contract,
            side: self.side,
            kind: self.kind,
            size: self.size,
            limit: self.limit.map(value),
            stop: self.stop.map(value),
            trail: self.trail.map(value),
            stop_loss_ticks: self.stop_loss_ticks,
            take_profit_ticks: self.take_profit_ticks,
            tag: self.tag,
        };
        Step::Order { name: self.name, account: self.account, ticket }
    }
}

impl FileModify {
    fn step(self) -> Step {
        let wish = Amendment {
            size: self.size,
            limit: self.limit.map(value),
            stop: self.stop.map(value),
            trail: self.trail.map(value),
        };
        Step::Modify { order: self.order, wish }
    }
}

fn value(number: Number) -> Decimal {
    number.0
}

fn one() -> u32 {
    1
}

fn first() -> usize {
    1
}

fn market() -> OrderKind {
    OrderKind::Market
}

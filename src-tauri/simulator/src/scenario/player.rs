//! Performing a scenario: prices and faults directly, orders through a trader like any other.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::Instant;
use rust_decimal::Decimal;
use thiserror::Error;

use super::{Scenario, ScenarioError};
use crate::{
    gateway::{Fault, FaultError, Gateway, QuoteUpdate},
    trader::{Amendment, Ticket, Trader, TraderError},
};

/// Quotes a second of a moving price, and most quotes of one move.
const MOVE_QUOTES_A_SECOND: f64 = 4.0;
const MOVE_QUOTES_LIMIT: u32 = 10_000;

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// When it was performed.
    pub at: Instant,
    /// Number of the step, from 1.
    pub step: usize,
    /// What the gateway answered.
    pub result: Result<(), StepError>,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StepError {
    /// The trader's call failed.
    #[error(transparent)]
    Trader(#[from] TraderError),
    /// The fault was not set.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// No order of this name was placed before.
    #[error("no order is named {0}")]
    UnknownOrder(String),
}

/// Performs a scenario on a gateway.
#[derive(Debug)]
pub struct Player {
    trader: Trader,
    due: BTreeMap<(Instant, usize, u32), Step>,
    names: BTreeMap<String, (i64, i64)>,
    outcomes: Vec<Outcome>,
}

impl Player {
    /// Prepares a scenario whose time zero is the gateway's present.
    ///
    /// # Errors
    /// [`ScenarioError`] for contracts and accounts that the gateway does not have.
    pub fn new(scenario: &Scenario, gateway: &Gateway) -> Result<Self, ScenarioError> {
        let (start, pace) = (gateway.now(), gateway.speed());
        let mut due = BTreeMap::new();
        for (number, (at, step)) in (1..).zip(&scenario.steps) {
            let step = step.bound_to(gateway, number)?;
            due.insert((start + seconds(at / pace), number, 0), step);
        }
        Ok(Self { trader: Trader::new(gateway), due, names: BTreeMap::new(), outcomes: Vec::new() })
    }

    /// When the next step is due, if any is left.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, ..), _)| *at)
    }

    /// Performs every step that is due until `now`, each at its own time.
    pub fn advance(&mut self, now: Instant, gateway: &mut Gateway) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, number, part), step) = entry.remove_entry();
            let result = self.perform(at, number, step, gateway);
            if part == 0 {
                self.outcomes.push(Outcome { at, step: number, result });
            }
        }
    }

    /// What the steps performed so far came to; quotes of a move count as one step.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The trader who places the orders.
    #[must_use]
    pub fn trader(&self) -> &Trader {
        &self.trader
    }

    fn perform(
        &mut self,
        at: Instant,
        number: usize,
        step: Step,
        gateway: &mut Gateway,
    ) -> Result<(), StepError> {
        match step {
            Step::Price { contract, update } => {
                gateway.post_quote(at, &contract, update);
            }
            Step::Move { contract, to, seconds } => {
                self.plan_move(at, number, &contract, (to, seconds), gateway)
            }
            Step::Order { name, ticket, account } => {
                let ticket = Ticket { account: account_id(gateway, account), ..ticket };
                let id = self.trader.place(gateway, at, &ticket)?;
                name.map(|name| self.names.insert(name, (ticket.account, id)));
            }
            Step::Modify { order, wish } => {
                let named = self.named(order)?;
                self.trader.modify(gateway, at, named, wish)?;
            }
            Step::Cancel { order } => {
                let named = self.named(order)?;
                self.trader.cancel(gateway, at, named)?;
            }
            Step::Close { account, contract, size } => {
                let account = account_id(gateway, account);
                self.trader.close(gateway, at, (account, &contract), size)?;
            }
            Step::Fault(fault) => gateway.set_fault(at, fault)?,
            Step::ClearFaults => gateway.clear_faults(at),
        }
        Ok(())
    }

    fn named(&self, order: String) -> Result<(i64, i64), StepError> {
        self.names.get(&order).copied().ok_or(StepError::UnknownOrder(order))
    }

    /// Plans the quotes of a price that moves evenly, on the tick grid, and ends exactly at its target.
    fn plan_move(
        &mut self,
        at: Instant,
        number: usize,
        contract: &str,
        (to, duration): (Decimal, f64),
        gateway: &Gateway,
    ) {
        let Some((from, ..)) = gateway.prices(contract) else { return };
        let tick = gateway.tick_size(contract).unwrap_or(Decimal::ONE);
        let wanted = (duration * MOVE_QUOTES_A_SECOND).ceil().max(1.0);
        let quotes =
            (1..=MOVE_QUOTES_LIMIT).find(|count| f64::from(*count) >= wanted).unwrap_or(MOVE_QUOTES_LIMIT);
        for quote in 1..=quotes {
            let part = Decimal::from(quote) / Decimal::from(quotes);
            let exact = from + (to - from) * part;
            let last = if quote == quotes { to } else { (exact / tick).round() * tick };
            let after = duration * f64::from(quote) / f64::from(quotes) / gateway.speed();
            let update = QuoteUpdate { last: Some(last), ..QuoteUpdate::default() };
            let step = Step::Price { contract: contract.to_string(), update };
            self.due.insert((at + seconds(after), number, quote), step);
        }
    }
}

/// One step, read and checked.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Price { contract: String, update: QuoteUpdate },
    Move { contract: String, to: Decimal, seconds: f64 },
    Order { name: Option<String>, account: usize, ticket: Ticket },
    Modify { order: String, wish: Amendment },
    Cancel { order: String },
    Close { account: usize, contract: String, size: Option<i64> },
    Fault(Fault),
    ClearFaults,
}

impl Step {
    /// The same step with contract ids instead of roots.
    fn bound_to(&self, gateway: &Gateway, number: usize) -> Result<Self, ScenarioError> {
        let mut step = self.clone();
        let (account, contract) = match &mut step {
            Self::Price { contract, .. } | Self::Move { contract, .. } => (None, Some(contract)),
            Self::Order { account, ticket, .. } => (Some(*account), Some(&mut ticket.contract)),
            Self::Close { account, contract, .. } => (Some(*account), Some(contract)),
            Self::Fault(fault) => {
                fault.check().map_err(|error| ScenarioError::BadFault { step: number, error })?;
                (None, None)
            }
            Self::Modify { .. } | Self::Cancel { .. } | Self::ClearFaults => (None, None),
        };
        if let Some(account) = account.filter(|account| !(1..=gateway.account_ids().len()).contains(account))
        {
            return Err(ScenarioError::UnknownAccount { step: number, account });
        }
        if let Some(contract) = contract {
            let id = gateway.front_contract(contract).map(str::to_string);
            *contract = id
                .ok_or_else(|| ScenarioError::UnknownContract { step: number, contract: contract.clone() })?;
        }
        Ok(step)
    }
}

/// The id of an account by its number from 1, which was checked.
fn account_id(gateway: &Gateway, number: usize) -> i64 {
    gateway.account_ids().get(number.saturating_sub(1)).copied().unwrap_or_default()
}

fn seconds(seconds: f64) -> TimeDelta {
    std::time::Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|duration| TimeDelta::from_std(duration).ok())
        .unwrap_or(TimeDelta::zero())
}

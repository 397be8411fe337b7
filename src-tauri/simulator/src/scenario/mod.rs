//! Scenario files: a timeline of prices, a trader's orders and faults, in YAML or JSON, and the player
//! that performs it on a gateway. It judges nothing; what the trader's calls came to is written down.

mod file;
mod player;

use thiserror::Error;

pub use player::{Outcome, Player, StepError};

use crate::gateway::FaultError;
use player::Step;

/// Steps of a scenario; more are refused.
pub const STEPS_LIMIT: usize = 10_000;

/// Latest time of a step and longest move, in seconds of the scenario: a week.
pub const LONGEST_SECONDS: f64 = 604_800.0;

/// A timeline.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it shows.
    pub description: String,
    /// Accounts that it needs.
    pub accounts: u32,
    steps: Vec<(f64, Step)>,
}

/// Why a scenario cannot be played.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ScenarioError {
    /// Not YAML of the documented form; names line and column.
    #[error("unreadable scenario: {0}")]
    Unreadable(String),
    /// A step that says nothing, or several things at once.
    #[error(
        "step {step}: must have exactly one of price, move, order, modify, cancel, close, fault, clear_faults"
    )]
    NotOneThing {
        /// Number of the step, from 1.
        step: usize,
    },
    /// A time that is no number of seconds from 0 to [`LONGEST_SECONDS`].
    #[error("step {step}: at and seconds must be numbers from 0 to {LONGEST_SECONDS}")]
    BadTime {
        /// Number of the step, from 1.
        step: usize,
    },
    /// More than [`STEPS_LIMIT`] steps.
    #[error("more than {STEPS_LIMIT} steps")]
    TooLong,
    /// A contract that the gateway does not have.
    #[error("step {step}: no contract {contract}")]
    UnknownContract {
        /// Number of the step, from 1.
        step: usize,
        /// As written.
        contract: String,
    },
    /// An account that the gateway does not have.
    #[error("step {step}: no account number {account}; the first is 1")]
    UnknownAccount {
        /// Number of the step, from 1.
        step: usize,
        /// As written.
        account: usize,
    },
    /// A fault with a number out of range.
    #[error("step {step}: {error}")]
    BadFault {
        /// Number of the step, from 1.
        step: usize,
        /// What is wrong with it.
        error: FaultError,
    },
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: file::File =
            serde_saphyr::from_str(text).map_err(|error| ScenarioError::Unreadable(error.to_string()))?;
        if file.steps.len() > STEPS_LIMIT {
            return Err(ScenarioError::TooLong);
        }
        let steps =
            (1..).zip(file.steps).map(|(number, step)| step.read(number)).collect::<Result<_, _>>()?;
        Ok(Self { description: file.description, accounts: file.accounts, steps })
    }
}

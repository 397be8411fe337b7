//! One file a command.

pub mod act;
pub mod audit;
pub mod config;
pub mod credentials;
pub mod guard;
pub mod history;
pub mod lockouts;
pub mod log;
pub mod pending;
pub mod reconcile;
pub mod replay_events;
pub mod run;
pub mod settings;
pub mod simulate;
pub mod simulate_days;
pub mod status;

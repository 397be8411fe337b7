//! The loop that makes verdicts real: clock, inbox, executor, reconciler, store, control socket.
//!
//! The only crate that reads the operating system's clock. Knows engine, store and views, and any broker
//! as two channels of plain values; never a broker by name.

pub mod clock;
pub mod control;
pub mod core;
pub mod credentials;
pub mod disk;
pub mod executor;
pub mod history;
pub mod home;
pub mod journal;
pub mod lines;
pub mod logs;
mod panics;
pub mod password;
pub mod presets;
pub mod run;
pub mod settings;
pub mod start;
mod wake;

pub use core::DRY_RUN;
pub use home::{Home, HomeError};
pub use run::{Broker, Ending, Sign};
pub use start::{Running, Start, StartError, start};

//! The loop that makes verdicts real: clock, inbox, executor, reconciler, store, control socket.
//!
//! The only crate that reads the operating system's clock. Knows engine, store and views, and any broker
//! as two channels of plain values; never a broker by name.

pub mod clock;
pub mod core;
pub mod executor;

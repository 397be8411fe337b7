//! The loop: clock, inbox, executor, reconciler, control socket.

pub mod executor;

//! The whole client against a small gateway on real sockets.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod broken;
mod client;
mod gateway;
mod stories;

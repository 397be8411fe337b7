//! The inner layers without sockets and clock: messages to facts, calls to requests and back, frames to
//! signals.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod hub;
mod json;
mod normalise;
mod rest;

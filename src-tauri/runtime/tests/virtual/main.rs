//! The core of the loop against a model of a broker, in virtual time: no sockets, no files, no waiting.
//! Streams that repeat, lose and reorder, requests that fail before or after they were executed, restarts
//! at any point: the invariants of specification A.8 hold all the same.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic, and its name says what it is")]

mod broker;
mod chaos;
mod kept;
mod rules;
mod stories;
mod trader;
mod world;

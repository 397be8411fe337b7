//! The core of the loop against a model of a broker, in virtual time: no sockets, no files, no waiting.
//! Streams that repeat, lose and reorder, requests that fail before or after they were executed, restarts
//! at any point: the invariants of specification A.8 hold all the same.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test may panic, its name says what it is, and the model speaks of a few events only"
)]

mod announced;
mod broker;
mod chaos;
mod crossed;
mod guard;
mod half_told;
mod intake;
mod kept;
mod logged;
mod loosening;
mod properties;
mod rules;
mod shown;
mod stories;
mod trader;
mod unprotected;
mod world;

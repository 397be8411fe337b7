//! Stories about the simulated gateway: on its core in virtual time, and over real sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod books;
mod brackets;
mod desk;
mod faults;
mod hubs;
mod orders;
mod positions;
mod rest;
mod scenarios;
mod sockets;

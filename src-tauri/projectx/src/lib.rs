//! The ProjectX Gateway (TopstepX): its words, its wires, and their translation into `domain` types.
//!
//! The only crate that knows the broker's field names and enum numbers, and the only one beside the
//! simulator's server that opens broker sockets. It judges nothing: it says what the broker said.
//!
//! From the inside out, each usable without the next: [`rest`] (calls to requests, responses to
//! answers), [`normalise`] (messages to facts), [`signalr`] and [`hub`] (text frames to signals),
//! [`session`], [`budget`] and [`backoff`] (when to log in, send, try again). All of them take the time as
//! an argument and open nothing. [`connect`] puts them onto sockets and the clock.

pub mod backoff;
pub mod budget;
mod gateway;
pub mod hub;
pub mod mask;
pub mod normalise;
pub mod rest;
pub mod session;
pub mod signalr;
pub mod symbols;
pub mod wire;

pub use gateway::{ASK_LIMIT, Control, Port, Settings, SettingsError, connect, probe};
pub use session::Credentials;

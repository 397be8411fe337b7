//! A ProjectX gateway on loopback that an existing client cannot tell from the real one: REST, both
//! SignalR hubs, matching, fees, faults, a journal, scripted traders and scenario files.
//!
//! [`gateway`] is the whole behaviour without sockets, clock or threads: time comes in as an argument
//! and chance from a seed, so that it runs in virtual time as well as in real time. [`server`] puts it
//! on a socket. It never talks to a real broker. Every path, fault and shape is described in
//! `docs/simulator.md`.

pub mod gateway;
pub mod scenario;
pub mod server;
pub mod settings;
pub mod trader;

pub use gateway::{
    ConnectionId, Fault, Frame, Gateway, HttpRequest, HttpResponse, Hub, Method, QuoteUpdate, Truth,
};
pub use scenario::{Player, Scenario, ScenarioError};
pub use server::{Description, Handle, Running, ServeError, serve};
pub use settings::{AccountSettings, Costs, FillDelay, Market, Settings};
pub use trader::{Amendment, Ticket, Trader, TraderError};

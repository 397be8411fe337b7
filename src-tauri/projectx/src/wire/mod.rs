//! The gateway's words, as they travel: field names, enum numbers, message shapes (gateway reference 1
//! to 8). Shared by the client and by the simulator; nothing outside `projectx` and `simulator` may
//! name any of it.

pub mod code;
pub mod model;
pub mod number;
pub mod rest;
pub mod signalr;

pub use number::Number;

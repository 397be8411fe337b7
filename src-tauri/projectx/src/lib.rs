//! The ProjectX Gateway (TopstepX): its words, its wires, and their translation into `domain` types.
//!
//! The only crate that knows the broker's field names and enum numbers, and the only one beside the
//! simulator's server that opens broker sockets. It judges nothing: it says what the broker said.

pub mod wire;

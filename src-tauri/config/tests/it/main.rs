//! The crate from outside: files in, rulebooks and faults out.

// Helpers of tests may unwrap, like the tests themselves.
#![allow(clippy::unwrap_used)]

mod broken;
mod compare;
mod defaults;
mod home;
mod layers;
mod properties;
mod save;
mod scenarios;
mod undo;

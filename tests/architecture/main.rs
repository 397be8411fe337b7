//! The house as it is drawn in `ARCHITECTURE.md`: arrows over `cargo metadata`, doors and words over the
//! source text. Runs nothing of the product.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod arrows;
mod papers;
mod source;
mod words;

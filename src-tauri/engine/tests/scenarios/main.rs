//! The worked scenarios of the specification, part B, one test each; names carry their numbers.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic, and its name says what it is")]

mod commands;
mod desk;
mod doubts;
mod feed;
mod figures;
mod gate;
mod interactions;
mod ledger;
mod leftovers;
mod reset;
mod retries;
mod rule_001;
mod rule_002;
mod rule_003;
mod rule_004;
mod rule_005;
mod rule_006;
mod rule_007;
mod rule_008;
mod rule_009;
mod rule_010;
mod rule_011;
mod rule_012;
mod rule_013;
mod timers;
mod warnings;

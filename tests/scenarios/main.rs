//! Risk Manager from outside: the real programs as processes, plain HTTP to the simulated gateway, real
//! files. Nothing of the product is linked in, nothing is replaced.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod accounts;
mod backups;
mod breaks;
mod daily_loss;
mod database;
mod dry_run;
mod executor;
mod files;
mod guard;
mod hours;
mod limits;
mod locked;
mod logs;
mod loosening;
mod observing;
mod open_results;
mod permission;
mod programs;
mod protection;
mod replay;
mod stage;
mod starts;
mod stop_required;
mod told;
mod trade_management;
#[cfg(target_os = "linux")]
mod wakes;

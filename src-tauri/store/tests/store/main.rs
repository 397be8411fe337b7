//! The store from outside: real files in a directory of their own, crashes by copying a home while it is
//! open, tampering with a plain SQLite connection.

#![allow(clippy::unwrap_used, reason = "fixtures fail a test as its own lines do")]

mod audit;
mod backups;
mod days;
mod fixtures;
mod history;
mod opening;
mod reading;
mod restart;

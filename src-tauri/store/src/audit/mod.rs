//! The audit: rows of `enforcement_history`, appended and never changed, each bound to the one before it.
//!
//! What is written is decided elsewhere; here it is chained ([`chain`]), checked ([`verify`]) and joined
//! for reading ([`log`]).

pub(crate) mod chain;
pub(crate) mod entry;
pub(crate) mod head;
pub(crate) mod log;
pub(crate) mod verify;
pub(crate) mod words;

/// The account of rows that concern all accounts: the table wants one in every row.
pub(crate) const EVERYONE: &str = "*";

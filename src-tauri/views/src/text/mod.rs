//! Every sentence that people read outside the pages: rule titles, reasons, deeds, notifications.
//!
//! One place, so that a word is changed or translated once. Never decides anything and never looks at
//! a clock: time and zones are arguments.

pub mod clocks;
pub mod deeds;
pub mod discrepancy;
pub mod doubt;
pub mod flood;
pub mod guard;
pub mod lockout;
pub mod money;
pub mod note;
pub mod quit;
pub mod reason;
pub mod time;
mod trouble;
pub mod upkeep;
pub mod words;

pub use deeds::{Deeds, WouldLock};
pub use doubt::{Doubt, Keyring};
pub use flood::Flood;
pub use guard::GuardNews;
pub use note::{Note, Purpose, Scene};
pub use time::Zones;
pub use words::Held;

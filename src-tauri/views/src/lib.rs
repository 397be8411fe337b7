//! What people see, as plain values: the view of the moment, the tray's menu and icon, messages.
//!
//! Pure functions and types; knows no engine, no window and no broker. Exported to TypeScript, so that
//! the page can't drift away from it.

pub mod control;
pub mod guard;
pub mod history;
pub mod presets;
pub mod settings;
pub mod sight;
pub mod text;
pub mod tray;
pub mod view;

pub use sight::Sight;
pub use text::{Deeds, Doubt, Held, Note, Purpose, Scene, Zones};
pub use view::View;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod typescript;

//! The four YAML files of a home, read into a validated [`domain::Rulebook`]; effective values with
//! their origin; what is stricter and what is looser between two rulebooks; JSON Schema, default files
//! and the handbook, all made from one table of keys.
//!
//! Never watches a file, never reads the clock or the environment by itself, never talks to a broker.

mod accounts;
mod address;
mod checks;
mod compare;
mod defaults;
mod edit;
mod effective;
mod environment;
mod examples;
mod fault;
mod handbook;
mod holidays;
mod json_schema;
mod layer;
mod load;
mod presets;
mod read;
mod schema;
mod settings;
mod sheet;
mod walk;
mod yaml;

pub use compare::{Change, Changes, Direction, Outdated, Pending, apply, compare, split, undo};
pub use defaults::{default_files, write_defaults};
pub use edit::{Edit, SaveError, preview, save};
pub use effective::{Effective, GroupInfo, KeyInfo, describe};
pub use fault::{Fault, FaultKind, Faults, Place, Severity};
pub use handbook::handbook;
pub use holidays::{missing_years, shipped as shipped_holidays};
pub use json_schema::schemas;
pub use layer::Origin;
pub use load::{Loaded, check, glance, load, restart_needed};
pub use presets::{FILE as PRESETS_FILE, Preset, PresetRule, Presets, presets};
pub use schema::{File, Strictness, Unit};
pub use settings::{
    AccountType, Api, Database, Desktop, Discord, Email, General, Gravity, ListedAccount, LogLevel, Logging,
    Notifications, Secret, Settings, Telegram, Timers, Warnings,
};

//! What the program can be started with. A second start hands these over to the first one.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

use clap::{Parser, ValueEnum};
use runtime::{Home, HomeError};
use serde::Serialize;

/// Watches futures accounts from the tray and enforces your own rules.
#[derive(Clone, Debug, Parser)]
#[command(name = "risk-manager", version)]
pub struct Args {
    /// Folder of settings, state and logs [default: ~/.risk_manager].
    #[arg(long, value_name = "DIR", env = runtime::home::HOME_VARIABLE)]
    pub home: Option<PathBuf>,
    /// Open the status window at once.
    #[arg(long)]
    pub open: bool,
    /// Watch a simulated account instead of your own, in a home that is thrown away afterwards.
    #[arg(long)]
    pub demo: bool,
    /// Be the window: a viewer of the engine that serves this home.
    #[arg(long, hide = true)]
    pub window: bool,
    /// Page of the window.
    #[arg(long, value_enum, default_value_t = Page::Status, hide = true)]
    pub page: Page,
    /// Question that the window asks at once.
    #[arg(long, value_enum, hide = true)]
    pub sheet: Option<Sheet>,
}

/// Pages of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// What is protected, and what happened.
    Status,
    /// The trader's own rules.
    Settings,
    /// Past trading days.
    History,
    /// Connection and credentials.
    Setup,
}

/// Questions that the window asks before something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sheet {
    /// Close everything?
    Flatten,
    /// Cancel all working orders?
    Cancel,
    /// Lock out until a time?
    Until,
    /// Lock out until the daily reset?
    Done,
    /// End the tray program with the guard password?
    Quit,
}

impl Args {
    /// The home that is served.
    ///
    /// # Errors
    /// When none is named and the system tells no home directory of the user.
    pub fn home(&self) -> Result<Home, HomeError> {
        Home::find(self.home.as_deref())
    }

    /// Name under which only one instance runs: one for each home, and one for its window.
    pub fn identifier(&self, base: &str) -> String {
        let window = if self.window { ".window" } else { "" };
        let home = match &self.home {
            None => String::new(),
            Some(home) => {
                let mut hasher = DefaultHasher::new();
                std::path::absolute(home).as_ref().unwrap_or(home).hash(&mut hasher);
                format!(".h{:016x}", hasher.finish())
            }
        };
        format!("{base}{home}{window}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(args: &[&str]) -> String {
        let args = Args::parse_from([&["risk-manager"], args].concat());
        args.identifier("app.risk-manager")
    }

    #[test]
    fn one_instance_for_each_home_and_one_for_its_window() {
        assert_eq!(identifier(&["--home", "/a", "--open"]), identifier(&["--home", "/a", "--page", "setup"]));
        assert_ne!(identifier(&["--home", "/a"]), identifier(&["--home", "/b"]));
        assert_ne!(identifier(&["--home", "/a"]), identifier(&["--home", "/a", "--window"]));
    }
}

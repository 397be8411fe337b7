//! What both programs can be started with: where, and what to show. A later start hands the second over to
//! the first.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

use clap::ValueEnum;
use runtime::{Home, HomeError};
use serde::{Deserialize, Serialize};

/// Name of the product among others.
const IDENTIFIER: &str = "app.risk-manager";

/// What both programs understand.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder of settings, state and logs [default: ~/.risk_manager].
    #[arg(long, value_name = "DIR", env = runtime::home::HOME_VARIABLE)]
    pub home: Option<PathBuf>,
    #[command(flatten)]
    pub opening: Opening,
}

/// Where the window is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct Opening {
    /// Page of the window.
    #[arg(long, value_enum, default_value_t = Page::Status, hide = true)]
    pub page: Page,
    /// Question that the window asks at once.
    #[arg(long, value_enum, hide = true)]
    pub sheet: Option<Sheet>,
}

/// Pages of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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

/// Which of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The tray with its engine.
    Tray,
    /// The window.
    Window,
}

impl Program {
    /// Name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Tray => "risk-manager",
            Self::Window => "risk-manager-window",
        }
    }
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
    pub fn identifier(&self, program: Program) -> String {
        let window = match program {
            Program::Tray => "",
            Program::Window => ".window",
        };
        let home = match &self.home {
            None => String::new(),
            Some(home) => {
                let mut hasher = DefaultHasher::new();
                std::path::absolute(home).as_ref().unwrap_or(home).hash(&mut hasher);
                format!(".h{:016x}", hasher.finish())
            }
        };
        format!("{IDENTIFIER}{home}{window}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instance_for_each_home_and_one_for_its_window() {
        let name = |home: &str, page, program| {
            let opening = Opening { page, sheet: None };
            Args { home: Some(home.into()), opening }.identifier(program)
        };
        let first = name("/a", Page::Status, Program::Tray);
        assert_eq!(first, name("/a", Page::Setup, Program::Tray));
        assert_ne!(first, name("/b", Page::Status, Program::Tray));
        assert_ne!(first, name("/a", Page::Status, Program::Window));
    }

    #[test]
    fn the_framework_knows_the_product_by_the_same_name() {
        let settings: serde_json::Value =
            serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
        assert_eq!(settings["identifier"], IDENTIFIER);
    }
}

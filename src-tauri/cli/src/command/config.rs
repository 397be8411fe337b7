//! `riskctl config check`: every mistake in every settings file, with its place and the way out.

use std::path::Path;

use config::{Fault, Loaded};
use engine::rules::BUILT;
use runtime::Home;
use serde_json::json;

use crate::{args::Config, exit::Failure, print};

/// Checks the files of the home.
pub fn run(home: Option<&Path>, options: &Config) -> Result<(), Failure> {
    let Config::Check(format) = options;
    let home = Home::find(home)?;
    match config::check(&home.config(), &|name| std::env::var(name).ok(), &BUILT) {
        Ok(loaded) => accepted(&loaded, format.json),
        Err(faults) => {
            if format.json {
                print::json(&json!({"ok": false, "faults": faults.0}))?;
                return Err(Failure::settings(""));
            }
            show(&faults.0)?;
            let errors = faults.0.iter().filter(|fault| fault.is_error()).count();
            let noun = if errors == 1 { "mistake" } else { "mistakes" };
            Err(Failure::settings(format!("{errors} {noun} in the settings")))
        }
    }
}

fn accepted(loaded: &Loaded, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print::json(&json!({"ok": true, "faults": loaded.warnings}));
    }
    show(&loaded.warnings)?;
    print::line("The settings are good.")
}

fn show(faults: &[Fault]) -> Result<(), Failure> {
    faults.iter().try_for_each(|fault| print::line(format!("{fault}\n")))
}

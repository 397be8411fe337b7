//! Starting with the trader's login to this computer, and the demo as a way to look first. Off until asked.

use std::{io, process::Command};

use auto_launch::{AutoLaunch, AutoLaunchBuilder, Error};
use tauri::State;

use crate::{
    args::{Args, Program},
    neighbour,
};

/// The entry that starts the tray program with the login.
pub struct Entry {
    args: Vec<String>,
}

impl Entry {
    /// Starts it with the home that is served, where that is not the usual one.
    pub fn of(args: &Args) -> Self {
        let home = args.home.iter().map(|home| std::path::absolute(home).unwrap_or_else(|_| home.clone()));
        Self {
            args: home.flat_map(|home| ["--home".to_owned(), quoted(&home.display().to_string())]).collect(),
        }
    }

    fn place(&self) -> anyhow::Result<AutoLaunch> {
        let program = neighbour::find(Program::Tray)?;
        let mut builder = AutoLaunchBuilder::new();
        builder.set_app_name(Program::Tray.file()).set_app_path(&quoted(&program.display().to_string()));
        Ok(builder.set_args(&self.args).build()?)
    }

    fn is_on(&self) -> anyhow::Result<bool> {
        Ok(self.place()?.is_enabled()?)
    }

    fn switch(&self, on: bool) -> anyhow::Result<bool> {
        let place = self.place()?;
        match if on { place.enable() } else { place.disable() } {
            // Windows calls an entry that is gone already an error.
            Err(Error::Io(error)) if !on && error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
        Ok(place.is_enabled()?)
    }
}

/// One word of a command line, also where it holds spaces: what writes the entry only joins the words.
/// Form of a desktop entry's `Exec` key, whose backslashes are written twice.
#[cfg(not(windows))]
fn quoted(word: &str) -> String {
    if word.chars().all(|it| it.is_alphanumeric() || "/._-+".contains(it)) {
        return word.to_owned();
    }
    let mut written = String::from('"');
    for it in word.chars() {
        match it {
            '\\' => written.push_str(r"\\\\"),
            '"' | '`' | '$' => written.extend(['\\', '\\', it]),
            '%' => written.push_str("%%"),
            _ => written.push(it),
        }
    }
    written.push('"');
    written
}

/// As above, for the registry. A path holds no quotation mark there.
#[cfg(windows)]
fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

/// Whether the program starts with the login.
#[tauri::command]
pub async fn autostart(entry: State<'_, Entry>) -> Result<bool, String> {
    entry.is_on().map_err(|error| format!("{error:#}"))
}

/// Switches it; tells how it is afterwards.
#[tauri::command]
pub async fn set_autostart(on: bool, entry: State<'_, Entry>) -> Result<bool, String> {
    entry.switch(on).map_err(|error| format!("{error:#}"))
}

/// Starts the tray program once more, on a simulated account in a home of its own.
#[tauri::command]
pub async fn start_demo() -> Result<(), String> {
    let program = neighbour::find(Program::Tray).map_err(|missing| missing.to_string())?;
    let started =
        Command::new(program).args(["--demo", "--open"]).env_remove(runtime::home::HOME_VARIABLE).spawn();
    started.map(drop).map_err(|error| format!("The demo could not be started: {error}."))
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::quoted;

    #[test]
    fn words_with_spaces_stay_one_word_of_the_entry() {
        assert_eq!(quoted("/opt/risk-manager"), "/opt/risk-manager");
        assert_eq!(quoted("/home/ana maria/rules"), r#""/home/ana maria/rules""#);
        assert_eq!(quoted(r#"/a$b/100%/"c"\d"#), r#""/a\\$b/100%%/\\"c\\"\\\\d""#);
    }
}

//! Starting with the trader's login to this computer, and the demo as a way to look first. Off until asked.

use std::process::Command;

use tauri::{AppHandle, Runtime, plugin::TauriPlugin};
use tauri_plugin_autostart::{Builder, ManagerExt};

use crate::args::Args;

/// Registers this binary with the home that it serves, where that is not the usual one.
pub fn plugin<R: Runtime>(args: &Args) -> TauriPlugin<R> {
    let home = args.home.iter().map(|home| std::path::absolute(home).unwrap_or_else(|_| home.clone()));
    Builder::new().args(home.flat_map(|home| ["--home".to_owned(), home.display().to_string()])).build()
}

/// Whether the program starts with the login.
#[tauri::command]
pub async fn autostart(app: AppHandle) -> Result<bool, String> {
    app.autolaunch().is_enabled().map_err(|error| error.to_string())
}

/// Switches it; tells how it is afterwards.
#[tauri::command]
pub async fn set_autostart(on: bool, app: AppHandle) -> Result<bool, String> {
    let manager = app.autolaunch();
    let done = if on { manager.enable() } else { manager.disable() };
    done.and_then(|()| manager.is_enabled()).map_err(|error| error.to_string())
}

/// Starts the program once more, on a simulated account in a home of its own.
#[tauri::command]
pub async fn start_demo() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let started =
        Command::new(program).args(["--demo", "--open"]).env_remove(runtime::home::HOME_VARIABLE).spawn();
    started.map(drop).map_err(|error| format!("The demo could not be started: {error}."))
}

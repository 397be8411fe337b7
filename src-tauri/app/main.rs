//! The tray program. The pages are shown by a program of their own beside it, so that the process with the
//! engine has no browser in it; asked for the window, this one becomes that one.
//!
//! Draws and forwards; decides nothing. Exit codes as in specification C.17: 0 done, 1 unexpected,
//! 3 settings, 5 something of the desktop is missing (a display, the tray library, the window program).

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod args;
mod demo;
mod desktop;
mod engine;
mod neighbour;
mod notifier;
mod question;
mod tray;
mod viewer;

use std::process::{Command, ExitCode};

use clap::Parser;

use args::Args;

const UNEXPECTED: u8 = 1;
const DESKTOP_MISSING: u8 = 5;

/// Watches futures accounts from the tray and enforces your own rules.
#[derive(Clone, Debug, Parser)]
#[command(name = "risk-manager", version)]
struct Start {
    #[command(flatten)]
    args: Args,
    /// Open the status window at once.
    #[arg(long)]
    open: bool,
    /// Watch a simulated account instead of your own, in a home that is thrown away afterwards.
    #[arg(long)]
    demo: bool,
    /// Be the window: a viewer of the engine that serves this home.
    #[arg(long, hide = true)]
    window: bool,
}

fn main() -> ExitCode {
    let start = Start::parse();
    let ended = if start.window { show_window(&start.args) } else { show_tray(start) };
    ended.unwrap_or_else(|error| {
        eprintln!("Risk Manager cannot start: {error:#}");
        ExitCode::from(UNEXPECTED)
    })
}

fn show_tray(start: Start) -> anyhow::Result<ExitCode> {
    match desktop::check() {
        Ok(()) => tray::run(start),
        Err(missing) => Ok(missing_here(&missing)),
    }
}

fn show_window(args: &Args) -> anyhow::Result<ExitCode> {
    match tray::window(&args.home()?, args.opening) {
        Ok(command) => become_it(command),
        Err(missing) => Ok(missing_here(&missing)),
    }
}

fn missing_here(missing: &dyn std::error::Error) -> ExitCode {
    eprintln!("{missing}");
    ExitCode::from(DESKTOP_MISSING)
}

/// In the same process.
#[cfg(unix)]
fn become_it(mut command: Command) -> anyhow::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command).into())
}

/// No process can become another program here: it waits for it.
#[cfg(not(unix))]
fn become_it(mut command: Command) -> anyhow::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(UNEXPECTED)))
}

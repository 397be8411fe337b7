//! The tray program, and the window as a second process of the same binary.
//!
//! Draws and forwards; decides nothing. Exit codes as in specification C.17: 0 done, 1 unexpected,
//! 3 settings, 5 something of the desktop is missing (a display, the tray library).

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod args;
mod demo;
mod desktop;
mod engine;
mod login;
mod notifier;
mod question;
mod tray;
mod viewer;
mod window;

use std::process::ExitCode;

use clap::Parser;

use args::Args;

const UNEXPECTED: u8 = 1;
const DESKTOP_MISSING: u8 = 5;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(missing) = desktop::check(&args) {
        eprintln!("{missing}");
        return ExitCode::from(DESKTOP_MISSING);
    }
    let ended = if args.window { window::run(&args) } else { tray::run(args) };
    ended.unwrap_or_else(|error| {
        eprintln!("Risk Manager cannot start: {error:#}");
        ExitCode::from(UNEXPECTED)
    })
}

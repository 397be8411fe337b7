//! The window: a program of its own that shows the pages and forwards what is pressed.
//!
//! A viewer like every other: closing it gives its memory back, hanging it harms nobody.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod args;
mod login;
mod neighbour;
mod viewer;

use std::{process::ExitCode, sync::Mutex, time::Duration};

use anyhow::Context;
use clap::Parser;
use runtime::{
    Home,
    control::{
        client::{Client, ClientError},
        instance::{Claim, Instance, claim},
    },
    credentials::{self, Credentials, Source},
    history,
};
use serde::Serialize;
use tauri::{
    AppHandle, Emitter, Manager, State, WebviewUrl, WebviewWindowBuilder, WindowEvent,
    async_runtime::JoinHandle,
};
use tokio::sync::{oneshot, watch};
use views::{
    Sight,
    control::{Ask, Reply},
    history::HistoryQuery,
};

use args::{Args, Opening, Page, Program};
use viewer::{Seen, Viewer};

const MAIN: &str = "main";
/// Figures are repainted at most four times a second: flicker costs calm.
const REPAINT_AFTER: Duration = Duration::from_millis(250);
const SIZE: (f64, f64) = (460.0, 720.0);
const SMALLEST: (f64, f64) = (420.0, 560.0);
/// Pages with columns need so much width.
const WIDE: (f64, f64) = (980.0, 720.0);

/// What the page's commands need.
struct Glass {
    home: Home,
    seen: watch::Receiver<Seen>,
    opening: Mutex<Opening>,
}

/// Where the login comes from, for the page: never the key itself.
#[derive(Serialize)]
struct Login {
    source: &'static str,
    user_name: Option<String>,
    problem: Option<String>,
}

/// The window of Risk Manager: shows what the engine of a home does.
#[derive(Debug, Parser)]
#[command(name = "risk-manager-window", version)]
struct Start {
    #[command(flatten)]
    args: Args,
}

/// Exit codes of specification C.17.
const UNEXPECTED: u8 = 1;
const DESKTOP_MISSING: u8 = 5;

/// Hears later starts until the window is closed; from then on they open one of their own.
struct Hearing(JoinHandle<()>);

fn main() -> ExitCode {
    let Start { args } = Start::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    run(args).unwrap_or_else(|error| {
        eprintln!("The window of Risk Manager cannot be shown: {error:#}");
        ExitCode::from(UNEXPECTED)
    })
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (home, identifier) = (args.home()?, args.identifier(Program::Window));
    match tauri::async_runtime::block_on(claim(&identifier, &args.opening))? {
        Claim::First(instance) if has_display() => show(home, identifier, &args, instance),
        Claim::First(_) => {
            eprintln!("There is no display to show the window on: see `riskctl status --watch`.");
            Ok(ExitCode::from(DESKTOP_MISSING))
        }
        Claim::HandedOver => {
            println!("The window is open already: it was brought to the front.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Without one the window library panics.
#[cfg(target_os = "linux")]
fn has_display() -> bool {
    gtk::init().is_ok()
}

/// Windows and macOS always have a desktop.
#[cfg(not(target_os = "linux"))]
fn has_display() -> bool {
    true
}

/// Shows the window until it is closed.
fn show(home: Home, identifier: String, args: &Args, instance: Instance) -> anyhow::Result<ExitCode> {
    let mut context = tauri::generate_context!("tauri.conf.json");
    context.config_mut().identifier = identifier;
    let (opening, entry) = (args.opening, login::Entry::of(args));
    tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            snapshot,
            opening_of,
            send,
            credentials_of,
            save_credentials,
            widen,
            export_history,
            login::autostart,
            login::set_autostart,
            login::start_demo
        ])
        .on_window_event(|window, event| {
            if matches!(event, WindowEvent::CloseRequested { .. }) {
                window.state::<Hearing>().0.abort();
            }
        })
        .setup(move |app| {
            let size = if matches!(opening.page, Page::Settings) { WIDE } else { SIZE };
            let Viewer { seen, notes } = tauri::async_runtime::block_on(async { Viewer::of(home.clone()) });
            // They are the tray's.
            drop(notes);
            tauri::async_runtime::spawn(repaint(app.handle().clone(), seen.clone()));
            app.manage(Glass { home, seen, opening: Mutex::new(opening) });
            app.manage(entry);
            let handle = app.handle().clone();
            let hearing = instance.serve(move |opening| raise(&handle, opening));
            app.manage(Hearing(tauri::async_runtime::spawn(hearing)));
            WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
                .title("Risk Manager")
                .inner_size(size.0, size.1)
                .min_inner_size(SMALLEST.0, SMALLEST.1)
                .build()?;
            Ok(())
        })
        .run(context)
        .context("the framework could not make it")?;
    Ok(ExitCode::SUCCESS)
}

/// A later start brings this window to the front, on the wanted page. Tells when that was done.
fn raise(app: &AppHandle, opening: Opening) -> oneshot::Receiver<()> {
    let (done, raised) = oneshot::channel();
    let handle = app.clone();
    let asked = app.run_on_main_thread(move || {
        if let Ok(mut kept) = handle.state::<Glass>().opening.lock() {
            *kept = opening;
        }
        let Some(window) = handle.get_webview_window(MAIN) else { return };
        let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
        match shown.and_then(|()| window.emit("open", opening)) {
            Ok(()) => drop(done.send(())),
            Err(error) => tracing::warn!(%error, "the window could not be raised"),
        }
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "the window could not be raised");
    }
    raised
}

async fn repaint(app: AppHandle, mut seen: watch::Receiver<Seen>) {
    while seen.changed().await.is_ok() {
        let sight = seen.borrow_and_update().sight();
        if let Err(error) = app.emit("view", sight) {
            tracing::warn!(%error, "the page could not be told");
        }
        tokio::time::sleep(REPAINT_AFTER).await;
    }
}

#[tauri::command]
fn snapshot(glass: State<'_, Glass>) -> Sight {
    glass.seen.borrow().sight()
}

#[tauri::command(rename = "opening")]
fn opening_of(glass: State<'_, Glass>) -> Result<Opening, String> {
    glass.opening.lock().map(|opening| *opening).map_err(|error| error.to_string())
}

#[tauri::command]
async fn send(ask: Ask, glass: State<'_, Glass>) -> Result<Reply, String> {
    let asked = async { Client::connect(glass.home.path()).await?.ask(ask).await };
    match asked.await {
        Ok(reply) => Ok(reply),
        Err(ClientError::Refused(reason)) => Ok(Reply::Refused { reason }),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes the past as tables for a spreadsheet where people look for files, and says where.
#[tauri::command]
async fn export_history(
    query: HistoryQuery,
    app: AppHandle,
    glass: State<'_, Glass>,
) -> Result<String, String> {
    let asked = async { Client::connect(glass.home.path()).await?.ask(Ask::History { query }).await };
    let Reply::History { history } = asked.await.map_err(|error| error.to_string())? else {
        return Err("The engine gave another answer.".to_owned());
    };
    let folder = app.path().download_dir().or_else(|_| app.path().home_dir());
    let folder = folder.map_err(|error| error.to_string())?;
    let saved = tauri::async_runtime::spawn_blocking(move || -> Result<String, String> {
        let written = std::fs::create_dir_all(&folder).map_err(history::CsvError::End);
        let written = written.and_then(|()| history::export(&history, &folder));
        let paths = written.map_err(|error| format!("Not saved in {}: {error}.", folder.display()))?;
        let names = paths.map(|path| path.file_name().unwrap_or_default().display().to_string());
        Ok(format!("Saved {} and {} in {}.", names[0], names[1], folder.display()))
    });
    saved.await.map_err(|error| error.to_string())?
}

#[tauri::command(rename = "credentials")]
async fn credentials_of() -> Result<Login, String> {
    let loaded = tauri::async_runtime::spawn_blocking(credentials::load).await;
    Ok(match loaded.map_err(|error| error.to_string())? {
        Ok(Some((login, Source::Keyring))) => Login::known("keyring", login),
        Ok(Some((login, Source::Environment))) => Login::known("environment", login),
        Ok(None) => Login { source: "none", user_name: None, problem: None },
        Err(problem) => Login { source: "none", user_name: None, problem: Some(problem.to_string()) },
    })
}

#[tauri::command]
async fn save_credentials(user_name: String, api_key: String) -> Result<(), String> {
    let login = Credentials { user_name, api_key };
    let saved = tauri::async_runtime::spawn_blocking(move || credentials::save(&login)).await;
    saved.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// Makes the window as large as a wide page needs it, unless it is already.
#[tauri::command]
fn widen(window: tauri::WebviewWindow) -> Result<(), String> {
    let grow = || -> tauri::Result<()> {
        let size = window.inner_size()?.to_logical::<f64>(window.scale_factor()?);
        if size.width < WIDE.0 && !window.is_maximized()? {
            window.set_size(tauri::LogicalSize::new(WIDE.0, size.height.max(WIDE.1)))?;
        }
        Ok(())
    };
    grow().map_err(|error| error.to_string())
}

impl Login {
    fn known(source: &'static str, login: Credentials) -> Self {
        Self { source, user_name: Some(login.user_name), problem: None }
    }
}

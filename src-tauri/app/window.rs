//! The window: a process of its own that shows the pages and forwards what is pressed.
//!
//! A viewer like every other: closing it gives its memory back, hanging it harms nobody.

use std::{process::ExitCode, sync::Mutex, time::Duration};

use anyhow::Context;
use clap::Parser;
use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager, State, WebviewUrl, WebviewWindowBuilder};
use tokio::sync::watch;
use views::{
    Sight,
    control::{Ask, Reply},
    history::HistoryQuery,
};

use runtime::history;

use crate::{
    args::{Args, Page, Sheet},
    engine::{
        Client, ClientError, Home,
        credentials::{self, Credentials, Source},
    },
    login,
    viewer::{Seen, Viewer},
};

const MAIN: &str = "main";
/// Figures are repainted at most four times a second: flicker costs calm.
const REPAINT_AFTER: Duration = Duration::from_millis(250);
const SIZE: (f64, f64) = (460.0, 720.0);
const SMALLEST: (f64, f64) = (420.0, 560.0);
/// Pages with columns need so much width.
const WIDE: (f64, f64) = (980.0, 720.0);

/// Where the window is to be.
#[derive(Clone, Copy, Debug, Serialize)]
struct Opening {
    page: Page,
    sheet: Option<Sheet>,
}

impl Opening {
    fn of(args: &Args) -> Self {
        Self { page: args.page, sheet: args.sheet }
    }
}

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

/// Shows the window until it is closed.
///
/// # Errors
/// When the window can't be made.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    let mut context = tauri::generate_context!("tauri.conf.json");
    let identifier = args.identifier(&context.config().identifier);
    context.config_mut().identifier = identifier;
    let (home, opening) = (args.home()?, Opening::of(args));
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, argv, _| raise(app, &argv)))
        .plugin(login::plugin(args))
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
        .setup(move |app| {
            let seen = tauri::async_runtime::block_on(async { Viewer::of(home.clone()) }).seen;
            tauri::async_runtime::spawn(repaint(app.handle().clone(), seen.clone()));
            app.manage(Glass { home, seen, opening: Mutex::new(opening) });
            WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
                .title("Risk Manager")
                .inner_size(SIZE.0, SIZE.1)
                .min_inner_size(SMALLEST.0, SMALLEST.1)
                .build()?;
            Ok(())
        })
        .run(context)
        .context("the window could not be shown")?;
    Ok(ExitCode::SUCCESS)
}

/// A second start brings the first window to the front, on the wanted page.
fn raise(app: &AppHandle, argv: &[String]) {
    let Ok(args) = Args::try_parse_from(argv) else { return };
    let opening = Opening::of(&args);
    if let Ok(mut kept) = app.state::<Glass>().opening.lock() {
        *kept = opening;
    }
    if let Some(window) = app.get_webview_window(MAIN) {
        let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
        if let Err(error) = shown.and_then(|()| window.emit("open", opening)) {
            tracing::warn!(%error, "the window could not be raised");
        }
    }
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

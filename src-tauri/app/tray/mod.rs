//! The tray program: icon and menu follow the engine, notes become notifications, choices open the
//! window. One owner of state; drawing is `surface`.

mod surface;
mod windows;

use std::{process::ExitCode, sync::Mutex, time::Duration};

use anyhow::Context;
use chrono_tz::Tz;
use clap::Parser;
use runtime::Sign;
use tauri::{AppHandle, Manager, RunEvent};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use views::{
    Note, Sight, Zones,
    text::{note, quit},
    tray::MenuAction,
};

use crate::{
    args::{Args, Page, Sheet},
    demo::Demo,
    engine::{Engine, Failure, Home},
    notifier::Notifier,
    question,
    viewer::{Seen, Viewer},
};
use surface::Surface;
use windows::Windows;

/// Countdowns in the menu are looked at this often; what reads the same is not drawn again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What the menu's choices, and the end, need.
struct Tray {
    windows: Windows,
    seen: watch::Receiver<Seen>,
    /// Taken when the program ends.
    engine: Mutex<Option<Engine>>,
    /// The engine lives in this program and ends with it.
    own_engine: bool,
}

/// Shows the tray icon until the trader quits.
///
/// # Errors
/// When the tray can't be made.
pub fn run(mut args: Args) -> anyhow::Result<ExitCode> {
    let demo_home = args.demo.then(|| TempDir::with_prefix("risk-manager-demo-")).transpose()?;
    args.home = demo_home.as_ref().map(|place| place.path().to_path_buf()).or(args.home);
    let mut context = tauri::generate_context!("tauri.conf.json");
    let identifier = args.identifier(&context.config().identifier);
    context.config_mut().identifier = identifier;
    let home = args.home()?;
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, argv, _| started_again(app, &argv)))
        .setup(move |app| {
            let begun = set_up(app, &args, home, demo_home);
            // An error given to Tauri would end in a panic: it is told to people here.
            if let Err(failure) = begun {
                give_up(app.handle(), &failure);
            }
            Ok(())
        })
        .build(context)
        .context("the tray could not be made")?;
    let code = app.run_return(|app, event| {
        // The last window of a tray program is no reason to end it; only an explicit exit is.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        } else if matches!(event, RunEvent::Exit) {
            end(app);
        }
    });
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn set_up(app: &tauri::App, args: &Args, home: Home, demo_home: Option<TempDir>) -> Result<(), Failure> {
    let handle = app.handle().clone();
    let zones = zones();
    let is_new = !home.path().join("state.db").exists();
    let notifier = Notifier::start(opener(handle.clone()))?;
    let mut engine = tauri::async_runtime::block_on(async {
        let demo = match demo_home {
            Some(place) => Some(Demo::open(place).await?),
            None => None,
        };
        Engine::start(home.clone(), demo, zones).await
    })?;
    // Before any window is opened, so that none is left over by a program that is told to end at once.
    let to_end = handle.clone();
    tauri::async_runtime::spawn(async move {
        told_to_end().await;
        to_end.exit(0);
    });
    let Viewer { seen, notes } = tauri::async_runtime::block_on(async { Viewer::of(home.clone()) });
    let surface = Surface::new(&handle, &seen.borrow().sight(), zones, chosen)?;
    let windows = Windows::new(home);
    if args.open {
        windows.open(args.page, args.sheet);
    }
    let own_engine = engine.is_own();
    if let Some(signs) = engine.signs() {
        tauri::async_runtime::spawn(end_when_allowed(handle.clone(), signs));
    }
    // The first thing somebody sees of a program that waits in the tray.
    if is_new && own_engine && !args.demo && !args.open {
        windows.open(Page::Setup, None);
    }
    app.manage(Tray { windows, seen: seen.clone(), engine: Mutex::new(Some(engine)), own_engine });
    tauri::async_runtime::spawn(tell(notes, seen.clone(), notifier.clone()));
    tauri::async_runtime::spawn(follow(handle, surface, seen, zones, notifier));
    Ok(())
}

/// Nothing runs: that is told where a trader looks, and the program ends.
fn give_up(app: &AppHandle, failure: &Failure) {
    eprintln!("Risk Manager cannot start: {}", failure.text);
    question::say("Risk Manager cannot start: you are not protected.", &failure.text);
    app.exit(i32::from(failure.code));
}

/// Windows first, so that none is left without an engine; then the engine, with the time it needs.
fn end(app: &AppHandle) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    tray.windows.close();
    let engine = tray.engine.lock().ok().and_then(|mut engine| engine.take());
    if let Some(engine) = engine {
        tauri::async_runtime::block_on(engine.stop());
    }
}

/// The guard password was given for quitting.
async fn end_when_allowed(app: AppHandle, mut signs: mpsc::Receiver<Sign>) {
    while let Some(sign) = signs.recv().await {
        if sign == Sign::MayEnd {
            app.exit(0);
        }
    }
}

/// A notification that is clicked opens the window.
fn opener(app: AppHandle) -> impl Fn() + Send + Sync + 'static {
    move || {
        if let Some(tray) = app.try_state::<Tray>() {
            tray.windows.open(Page::Status, None);
        }
    }
}

/// Draws every change of what is seen, and of what time makes of it.
async fn follow(
    app: AppHandle,
    surface: Surface,
    mut seen: watch::Receiver<Seen>,
    zones: Zones,
    notifier: Notifier,
) {
    let mut surface = Some(surface);
    let mut was_lost = false;
    loop {
        let sight = seen.borrow_and_update().sight();
        let is_lost = matches!(sight, Sight::Lost { .. });
        if is_lost && !was_lost {
            engine_lost(&sight, zones).into_iter().for_each(|note| tell_if_wanted(note, &sight, &notifier));
        }
        was_lost = is_lost;
        surface = match surface {
            Some(surface) => surface.show(&app, &sight, zones).await,
            None => return,
        };
        tokio::select! {
            changed = seen.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_AGAIN_AFTER) => {}
        }
    }
}

fn engine_lost(sight: &Sight, zones: Zones) -> Option<Note> {
    Some(note::engine_lost(sight.view()?, sight.now()?, zones))
}

async fn tell(mut notes: mpsc::Receiver<Note>, seen: watch::Receiver<Seen>, notifier: Notifier) {
    while let Some(note) = notes.recv().await {
        let sight = seen.borrow().sight();
        tell_if_wanted(note, &sight, &notifier);
    }
}

/// As the settings in the last picture say.
fn tell_if_wanted(note: Note, sight: &Sight, notifier: &Notifier) {
    if sight.view().is_none_or(|view| view.desktop.shows(&note)) {
        notifier.tell(note);
    }
}

/// A choice in the menu. None of them sends anything to the broker.
fn chosen(app: &AppHandle, action: MenuAction) {
    let tray = app.state::<Tray>();
    match action {
        MenuAction::OpenStatus => tray.windows.open(Page::Status, None),
        MenuAction::OpenSettings => tray.windows.open(Page::Settings, None),
        MenuAction::OpenHistory => tray.windows.open(Page::History, None),
        MenuAction::OpenSetup => tray.windows.open(Page::Setup, None),
        MenuAction::FlattenAll => tray.windows.open(Page::Status, Some(Sheet::Flatten)),
        MenuAction::CancelAll => tray.windows.open(Page::Status, Some(Sheet::Cancel)),
        MenuAction::LockOutUntil => tray.windows.open(Page::Status, Some(Sheet::Until)),
        MenuAction::DoneForTheDay => tray.windows.open(Page::Status, Some(Sheet::Done)),
        MenuAction::Quit => quit(app, &tray),
    }
}

/// Where the guard password stands in between, the window asks for it, and the engine gives the sign.
fn quit(app: &AppHandle, tray: &Tray) {
    let sight = tray.seen.borrow().sight();
    if tray.own_engine && sight.view().is_some_and(quit::asks_for_password) {
        return tray.windows.open(Page::Status, Some(Sheet::Quit));
    }
    let app_to_end = app.clone();
    question::ask(app, quit::question(sight.view(), tray.own_engine), move || app_to_end.exit(0));
}

/// A second start opens the window of the first.
fn started_again(app: &AppHandle, argv: &[String]) {
    let (page, sheet) =
        Args::try_parse_from(argv).map_or((Page::Status, None), |args| (args.page, args.sheet));
    app.state::<Tray>().windows.open(page, sheet);
}

/// Where the trader sits, by `TZ` or by the system's setting; Central Time where neither tells.
fn zones() -> Zones {
    let parsed = |name: String| name.trim_start_matches(':').parse::<Tz>().ok();
    let named = std::env::var("TZ").ok().and_then(parsed);
    let local = named.or_else(|| iana_time_zone::get_timezone().ok().and_then(parsed));
    local.map_or(Zones::CENTRAL, |local| Zones { local })
}

/// The system or a terminal asks the program to end.
#[cfg(unix)]
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut end), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = end.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The system or a terminal asks the program to end.
#[cfg(not(unix))]
async fn told_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

//! The tray program: icon and menu follow the engine, notes become notifications, choices open the
//! window. One owner of state, on the main thread; whoever wants something of it sends a deed. Drawing is
//! `surface`.

mod picture;
mod revival;
mod surface;
mod windows;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use chrono_tz::Tz;
use domain::Severity;
use runtime::{
    Home,
    control::instance::{Claim, Instance, claim},
};
use tao::{
    event::{Event, StartCause},
    event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy},
    platform::run_return::EventLoopExtRunReturn,
};
use tempfile::TempDir;
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tray_icon::menu::MenuEvent;
use views::{
    Note, Purpose, Sight, Zones,
    text::{note, quit},
    tray::MenuAction,
};

use crate::{
    Start,
    args::{Opening, Page, Program, Sheet},
    demo::Demo,
    engine::{Engine, Failure},
    notifier::Notifier,
    question,
    viewer::{Seen, Viewer},
};
use surface::{Drawing, Surface};
use windows::Windows;

pub use windows::window;

/// Countdowns in the menu are looked at this often; what reads the same is not drawn again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// What waits here waits for the disk, the network or the clock.
const WORKERS: usize = 2;

/// What the main thread is asked to do.
enum Deed {
    /// Draw icon and menu, and say so.
    Draw(Box<Drawing>, oneshot::Sender<()>),
    /// An entry of the menu was chosen.
    Choose(MenuAction),
    /// Show the window, and say so.
    Open(Opening, oneshot::Sender<()>),
    /// The engine ended by itself.
    Revive,
    /// Another one took its place, or none could.
    Revived(Box<Result<Engine, Failure>>),
    /// The program is to end with this exit code.
    End(u8),
}

type Deeds = EventLoopProxy<Deed>;

/// The one owner of what the main thread needs.
struct Tray {
    deeds: Deeds,
    surface: Option<Surface>,
    windows: Windows,
    seen: watch::Receiver<Seen>,
    zones: Zones,
    notifier: Notifier,
    engine: Engine,
    /// How often another engine took the place of one that ended by itself.
    restarts: u32,
}

/// Shows the tray icon until the trader quits.
///
/// # Errors
/// When the system gives no threads, no temporary folder or no name to be found by.
pub fn run(mut start: Start) -> anyhow::Result<ExitCode> {
    let demo_home = start.demo.then(|| TempDir::with_prefix("risk-manager-demo-")).transpose()?;
    start.args.home = demo_home.as_ref().map(|place| place.path().to_path_buf()).or(start.args.home);
    let tasks = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let tasks = tasks.context("no threads")?;
    let _inside = tasks.enter();
    let instance = match tasks.block_on(claim(&start.args.identifier(Program::Tray), &start.args.opening))? {
        Claim::First(instance) => instance,
        Claim::HandedOver => {
            println!("Risk Manager runs already: its window was opened.");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let event_loop = EventLoopBuilder::with_user_event().build();
    let home = start.args.home()?;
    let code = match tasks.block_on(Tray::start(&start, home, demo_home, event_loop.create_proxy())) {
        Ok(tray) => live(tray, event_loop, instance, &tasks),
        Err(failure) => {
            // Whoever has mended it starts again.
            drop(instance);
            give_up(&failure)
        }
    };
    tasks.shutdown_background();
    Ok(ExitCode::from(code))
}

/// Until it is told to end. The name is held to the last, so that no later start finds the engine still busy.
fn live(mut tray: Tray, mut event_loop: EventLoop<Deed>, instance: Instance, tasks: &Runtime) -> u8 {
    let _hearing = hear(instance, event_loop.create_proxy());
    let code = event_loop.run_return(|event, _, flow| {
        let ends = if let Event::UserEvent(deed) = event {
            tray.act(deed)
        } else if matches!(event, Event::NewEvents(StartCause::Init)) {
            *flow = ControlFlow::Wait;
            tray.appear().err().map(|failure| give_up(&failure))
        } else {
            None
        };
        if let Some(code) = ends {
            *flow = ControlFlow::ExitWithCode(code.into());
        }
    });
    // What is asked from now on is asked in vain.
    drop(event_loop);
    let ended_badly = tasks.block_on(tray.end());
    ended_badly.unwrap_or_else(|| u8::try_from(code).unwrap_or(crate::UNEXPECTED))
}

/// A later start opens the window of this one.
fn hear(instance: Instance, deeds: Deeds) -> JoinHandle<()> {
    tokio::spawn(instance.serve(move |opening| {
        let (done, opened) = oneshot::channel();
        send(&deeds, Deed::Open(opening, done));
        opened
    }))
}

/// Nothing is lost that way but what comes after the end.
fn send(deeds: &Deeds, deed: Deed) {
    if deeds.send_event(deed).is_err() {
        tracing::debug!("the program is ending");
    }
}

/// Nothing runs: that is told where a trader looks, and the program ends.
fn give_up(failure: &Failure) -> u8 {
    eprintln!("Risk Manager cannot start: {}", failure.text);
    question::say("Risk Manager cannot start: you are not protected.", &failure.text);
    failure.code
}

impl Tray {
    async fn start(
        start: &Start,
        home: Home,
        demo_home: Option<TempDir>,
        deeds: Deeds,
    ) -> Result<Self, Failure> {
        let zones = zones();
        let is_new = !home.path().join("state.db").exists();
        let status = Opening { page: Page::Status, sheet: None };
        let to_open = deeds.clone();
        let notifier = Notifier::start(move || send(&to_open, Deed::Open(status, oneshot::channel().0)))?;
        let demo = match demo_home {
            Some(place) => Some(Demo::open(place).await?),
            None => None,
        };
        let mut engine = Engine::start(home.clone(), demo, zones).await?;
        // Before any window is opened, so that none is left over by a program that is told to end at once.
        tokio::spawn(end_when_told(deeds.clone())?);
        revival::watch(&mut engine, &deeds);
        let Viewer { seen, notes } = Viewer::of(home.clone());
        tokio::spawn(tell(notes, seen.clone(), notifier.clone()));
        let windows = Windows::new(home);
        let tray = Self { deeds, surface: None, windows, seen, zones, notifier, engine, restarts: 0 };
        if start.open {
            tray.open(start.args.opening);
        } else if is_new && tray.engine.is_own() && !start.demo {
            // The first thing somebody sees of a program that waits in the tray.
            tray.open(Opening { page: Page::Setup, sheet: None });
        }
        Ok(tray)
    }

    /// The icon is drawn, and from now on follows.
    fn appear(&mut self) -> Result<(), Failure> {
        let drawing = surface::drawing(&self.seen.borrow().sight(), self.zones);
        self.surface = Some(Surface::new(drawing)?);
        let deeds = self.deeds.clone();
        MenuEvent::set_event_handler(Some(move |event: MenuEvent| {
            if let Some(action) = surface::action(&event) {
                send(&deeds, Deed::Choose(action));
            }
        }));
        tokio::spawn(follow(self.deeds.clone(), self.seen.clone(), self.zones, self.notifier.clone()));
        Ok(())
    }

    /// The exit code, when that was the last one.
    fn act(&mut self, deed: Deed) -> Option<u8> {
        match deed {
            Deed::Draw(drawing, done) => {
                if let Some(Err(error)) = self.surface.as_mut().map(|surface| surface.show(*drawing)) {
                    tracing::error!(%error, "the tray could not be drawn");
                }
                let _ = done.send(());
            }
            Deed::Choose(action) => self.choose(action),
            Deed::Open(opening, done) => {
                self.open(opening);
                let _ = done.send(());
            }
            Deed::Revive => self.revive(),
            Deed::Revived(engine) => self.revived(*engine),
            Deed::End(code) => return Some(code),
        }
        None
    }

    /// A choice in the menu. None of them sends anything to the broker.
    fn choose(&self, action: MenuAction) {
        let (page, sheet) = match action {
            MenuAction::OpenStatus => (Page::Status, None),
            MenuAction::OpenSettings => (Page::Settings, None),
            MenuAction::OpenHistory => (Page::History, None),
            MenuAction::OpenSetup => (Page::Setup, None),
            MenuAction::FlattenAll => (Page::Status, Some(Sheet::Flatten)),
            MenuAction::CancelAll => (Page::Status, Some(Sheet::Cancel)),
            MenuAction::LockOutUntil => (Page::Status, Some(Sheet::Until)),
            MenuAction::DoneForTheDay => (Page::Status, Some(Sheet::Done)),
            MenuAction::Quit => return self.quit(),
        };
        self.open(Opening { page, sheet });
    }

    /// Where the guard password stands in between, the window asks for it, and the engine gives the sign.
    fn quit(&self) {
        let (sight, is_own) = (self.seen.borrow().sight(), !self.engine.is_elsewhere());
        if self.engine.is_own() && sight.view().is_some_and(quit::asks_for_password) {
            return self.open(Opening { page: Page::Status, sheet: Some(Sheet::Quit) });
        }
        let deeds = self.deeds.clone();
        question::ask(&quit::question(sight.view(), is_own), move || send(&deeds, Deed::End(0)));
    }

    fn open(&self, opening: Opening) {
        if let Err(error) = self.windows.open(opening) {
            tracing::error!(%error, "the window could not be opened");
            self.notifier.tell(Note {
                title: "The window cannot be opened".into(),
                body: error.to_string(),
                severity: Severity::Error,
                rule: None,
                purpose: Purpose::News,
            });
        }
    }

    /// Icon and windows first, so that none is left without an engine; then the engine, with the time it needs.
    /// The exit code, where that did not go well.
    async fn end(self) -> Option<u8> {
        drop(self.surface);
        self.windows.close();
        self.engine.stop().await
    }
}

/// Wants every change drawn of what is seen, and of what time makes of it: one at a time.
async fn follow(deeds: Deeds, mut seen: watch::Receiver<Seen>, zones: Zones, notifier: Notifier) {
    let mut was_lost = false;
    loop {
        let sight = seen.borrow_and_update().sight();
        let is_lost = matches!(sight, Sight::Lost { .. });
        if is_lost && !was_lost {
            engine_lost(&sight, zones).into_iter().for_each(|note| tell_if_wanted(note, &sight, &notifier));
        }
        was_lost = is_lost;
        let (done, drawn) = oneshot::channel();
        send(&deeds, Deed::Draw(Box::new(surface::drawing(&sight, zones)), done));
        if drawn.await.is_err() {
            return;
        }
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

/// Where the trader sits, by `TZ` or by the system's setting; Central Time where neither tells.
fn zones() -> Zones {
    let parsed = |name: String| name.trim_start_matches(':').parse::<Tz>().ok();
    let named = std::env::var("TZ").ok().and_then(parsed);
    let local = named.or_else(|| iana_time_zone::get_timezone().ok().and_then(parsed));
    local.map_or(Zones::CENTRAL, Zones::of_computer)
}

/// The system or a terminal asks the program to end: heard from the moment of the call.
#[cfg(unix)]
fn end_when_told(deeds: Deeds) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = end.recv() => {}
            _ = interrupt.recv() => {}
        }
        send(&deeds, Deed::End(0));
    })
}

/// The system or a terminal asks the program to end: heard from the moment of the call.
#[cfg(not(unix))]
fn end_when_told(deeds: Deeds) -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
        send(&deeds, Deed::End(0));
    })
}

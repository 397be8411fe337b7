//! Windows of this tray: starts them, and ends them with it.

use std::{
    env,
    process::{Child, Command},
    sync::Mutex,
};

use clap::ValueEnum;
use runtime::Home;

#[cfg(target_os = "linux")]
use crate::desktop::DRAWING;
use crate::{
    args::{Opening, Program},
    neighbour::{self, Missing},
};

/// Linux's web view then paints without a graphics driver: a third sooner, in 70 MB less, and never blank where
/// the driver cannot share its buffers. The pages are small and still. Who sets the variable has the last word.
const RENDERER: (&str, &str) = ("WEBKIT_DISABLE_DMABUF_RENDERER", "1");

/// The window of one home. A second process hands its page over to the first and ends at once.
pub struct Windows {
    home: Home,
    started: Mutex<Vec<Child>>,
}

/// How the window of a home is started.
///
/// # Errors
/// Its program is missing.
pub fn window(home: &Home, opening: Opening) -> Result<Command, Missing> {
    let mut command = Command::new(neighbour::find(Program::Window)?);
    if env::var_os(RENDERER.0).is_none() {
        command.env(RENDERER.0, RENDERER.1);
    }
    #[cfg(target_os = "linux")]
    if env::var_os(DRAWING.0).is_some_and(|value| value == DRAWING.1) {
        command.env_remove(DRAWING.0);
    }
    command.arg("--home").arg(home.path()).args(named("--page", opening.page));
    command.args(opening.sheet.into_iter().flat_map(|sheet| named("--sheet", sheet)));
    Ok(command)
}

impl Windows {
    /// None is open yet.
    pub fn new(home: Home) -> Self {
        Self { home, started: Mutex::default() }
    }

    /// Opens or raises the window.
    ///
    /// # Errors
    /// Its program is missing, or the system does not start it.
    pub fn open(&self, opening: Opening) -> anyhow::Result<()> {
        let child = window(&self.home, opening)?.spawn()?;
        if let Ok(mut running) = self.started.lock() {
            running.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
            running.push(child);
        }
        Ok(())
    }

    /// Ends every window that is open.
    pub fn close(&self) {
        let Ok(mut running) = self.started.lock() else { return };
        for mut child in running.drain(..) {
            // It may have ended by itself; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn named(option: &str, value: impl ValueEnum) -> Vec<String> {
    let name = value.to_possible_value().map(|value| value.get_name().to_owned());
    name.map(|name| vec![option.to_owned(), name]).unwrap_or_default()
}

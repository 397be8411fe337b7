//! The journal of what the engine was told: a JSON object a line, in the order in which the engine took
//! it, so that any day can be replayed (`docs/events.md`). Written by a thread of its own: a slow disk
//! costs lines, never time.

mod files;
mod replay;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::Path,
    sync::mpsc::{self, SyncSender, TrySendError},
    thread::{self, JoinHandle},
};

use domain::{Event, Instant};
use serde::Serialize;

use files::Files;
pub use replay::{Decided, Replay, ReplayError, read};

/// Steps of the loop that wait to be written. When full, their inputs are left out, and a line says how
/// many.
const MOST_WAITING: usize = 4_096;

/// One input, as the engine took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The engine's time at that step.
    pub at: Instant,
    /// What it was told.
    pub event: Event,
}

/// One line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// Inputs that are missing: from here on a replay may differ.
    Lost {
        /// When the next input was taken.
        at: Instant,
        /// How many are missing.
        lost: u64,
    },
    /// An input.
    Taken(Box<Taken>),
}

/// What is handed to the writing thread at once.
#[derive(Debug)]
struct Step {
    /// Inputs that found no room before this step.
    lost: u64,
    taken: Vec<Taken>,
}

/// The handle of the writing thread.
#[derive(Debug)]
pub struct Journal {
    steps: SyncSender<Step>,
    thread: JoinHandle<()>,
    lost: u64,
}

impl Journal {
    /// Writes into `directory`, which is made if it is not there.
    ///
    /// # Errors
    /// The directory cannot be made, or the system has no thread to give.
    pub fn start(directory: &Path) -> io::Result<Self> {
        let mut files = Files::new(directory)?;
        let (steps, work) = mpsc::sync_channel(MOST_WAITING);
        let thread = thread::Builder::new().name("journal".to_string()).spawn(move || files.write(&work))?;
        Ok(Self { steps, thread, lost: 0 })
    }

    /// Hands over what one step of the loop told the engine. Never waits.
    pub fn note(&mut self, taken: Vec<Taken>) {
        let step = Step { lost: self.lost, taken };
        match self.steps.try_send(step) {
            Ok(()) => self.lost = 0,
            Err(TrySendError::Full(step) | TrySendError::Disconnected(step)) => {
                if self.lost == 0 {
                    tracing::error!(target: "errors", "the journal does not keep up: inputs are left out");
                }
                self.lost += step.taken.len() as u64;
            }
        }
    }

    /// Writes what waits and ends the thread.
    pub fn stop(self) {
        drop(self.steps);
        let _ = self.thread.join();
    }
}

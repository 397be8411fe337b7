//! Keeps the latest picture of the engine, and knows when it is old.
//!
//! Reconnects by itself. An engine that is silent is asked; one that does not answer is lost, and
//! whoever shows its last picture shows that.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};
use views::{
    Note, Sight, View,
    control::{Ask, Reply},
};

use crate::engine::{self, Watch};

/// After so much silence the engine is asked whether it is there.
const ASK_AFTER: Duration = Duration::from_secs(1);
/// An answer that takes longer is none.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Pause before connecting again.
const RECONNECT_AFTER: Duration = Duration::from_millis(300);
/// An engine that was never seen is lost after so long: starting takes a few seconds.
const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// Notes that wait to be shown; when full, the newest is dropped: the view shows its cause anyway.
const MOST_NOTES: usize = 64;

/// What was seen of the engine, on this process's steady clock.
#[derive(Clone, Debug)]
pub struct Seen {
    view: Option<Box<View>>,
    /// When the engine answered last; before that, when this viewer began.
    at: Instant,
    answers: bool,
}

impl Seen {
    fn nothing() -> Self {
        Self { view: None, at: Instant::now(), answers: false }
    }

    /// What can be said of it now.
    pub fn sight(&self) -> Sight {
        let age = self.at.elapsed();
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        match (&self.view, self.answers) {
            (Some(view), true) => Sight::Live { view: view.clone(), age_ms },
            (None, _) if age < STARTS_WITHIN => Sight::Connecting { age_ms },
            (view, _) => Sight::Lost { view: view.clone(), age_ms },
        }
    }
}

/// The two streams of a viewer.
pub struct Viewer {
    /// The latest picture; changes with every view and when the engine is lost.
    pub seen: watch::Receiver<Seen>,
    /// What people are to be told.
    pub notes: mpsc::Receiver<Note>,
}

impl Viewer {
    /// Begins to watch the engine of a home, for as long as the viewer lives. Needs a tokio runtime.
    pub fn of(home: PathBuf) -> Self {
        let (seen_to, seen) = watch::channel(Seen::nothing());
        let (notes_to, notes) = mpsc::channel(MOST_NOTES);
        tokio::spawn(async move {
            let mut eye = Eye { home, seen: seen_to, notes: notes_to };
            while !eye.seen.is_closed() {
                eye.watch().await;
                eye.lose();
                tokio::time::sleep(RECONNECT_AFTER).await;
            }
        });
        Self { seen, notes }
    }
}

struct Eye {
    home: PathBuf,
    seen: watch::Sender<Seen>,
    notes: mpsc::Sender<Note>,
}

impl Eye {
    /// Until the connection ends, the engine goes silent, or nobody looks any more.
    async fn watch(&mut self) {
        let Ok(mut connection) = Watch::open(&self.home).await else { return };
        loop {
            let next = tokio::select! {
                next = connection.next() => next,
                () = tokio::time::sleep(ASK_AFTER) => match answers(&self.home).await {
                    Some(view) => Ok(Reply::View { view }),
                    None => return,
                },
                () = self.seen.closed() => return,
            };
            match next {
                Ok(reply) => self.take(reply),
                Err(error) => {
                    tracing::warn!(%error, "lost the engine");
                    return;
                }
            }
        }
    }

    fn take(&mut self, reply: Reply) {
        match reply {
            Reply::View { view } => {
                self.seen.send_replace(Seen { view: Some(view), at: Instant::now(), answers: true });
            }
            Reply::Note { note } => {
                if let Err(error) = self.notes.try_send(note) {
                    tracing::warn!(%error, "a note was dropped");
                }
            }
            Reply::Log { .. } | Reply::Accepted | Reply::Refused { .. } => {}
        }
    }

    fn lose(&self) {
        self.seen.send_if_modified(|seen| std::mem::take(&mut seen.answers));
    }
}

/// Asks a silent engine for its view.
async fn answers(home: &Path) -> Option<Box<View>> {
    let asked = tokio::time::timeout(ANSWER_WITHIN, engine::ask(home, Ask::View)).await;
    match asked.ok()?.ok()? {
        Reply::View { view } => Some(view),
        Reply::Note { .. } | Reply::Log { .. } | Reply::Accepted | Reply::Refused { .. } => None,
    }
}

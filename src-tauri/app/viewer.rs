//! Keeps the latest picture of the engine, and knows when it is old.
//!
//! Reconnects by itself. An engine that is silent is asked; one that does not answer is lost, and
//! whoever shows its last picture shows that.

use std::time::{Duration, Instant};

use runtime::{
    Home,
    control::client::{Client, ClientError},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use views::{Note, Sight, View, control::Reply};

/// A healthy engine sends a view every second; after so much silence it is asked whether it is there.
const ASK_AFTER: Duration = Duration::from_millis(1_500);
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
    pub fn of(home: Home) -> Self {
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
    home: Home,
    seen: watch::Sender<Seen>,
    notes: mpsc::Sender<Note>,
}

impl Eye {
    /// Until the connection ends, the engine goes silent, or nobody looks any more.
    async fn watch(&mut self) {
        let (heard, mut replies) = mpsc::channel(1);
        // Ends with this function: dropping the set ends its task.
        let mut listening = JoinSet::new();
        listening.spawn(listen(self.home.clone(), heard));
        loop {
            let reply = tokio::select! {
                reply = replies.recv() => reply,
                () = tokio::time::sleep(ASK_AFTER) => ask_for_view(&self.home).await,
                () = self.seen.closed() => None,
            };
            match reply {
                Some(reply) => self.take(reply),
                None => return,
            }
        }
    }

    fn take(&mut self, reply: Reply) {
        match reply {
            Reply::View { view } => {
                self.seen.send_replace(Seen { view: Some(view), at: Instant::now(), answers: true });
            }
            Reply::Note { note } => {
                // The window shows no notes and has closed its end.
                if let Err(mpsc::error::TrySendError::Full(note)) = self.notes.try_send(note) {
                    tracing::warn!(title = note.title, "a note was dropped");
                }
            }
            Reply::Log { .. }
            | Reply::Accepted
            | Reply::Refused { .. }
            | Reply::Settings { .. }
            | Reply::Preview { .. }
            | Reply::Contracts { .. }
            | Reply::History { .. }
            | Reply::Reconciled { .. }
            | Reply::Presets { .. } => {}
        }
    }

    fn lose(&self) {
        self.seen.send_if_modified(|seen| std::mem::take(&mut seen.answers));
    }
}

/// Hands on everything that a watch brings, until it breaks.
async fn listen(home: Home, heard: mpsc::Sender<Reply>) {
    let Ok(mut client) = Client::connect(home.path()).await else { return };
    if let Err(error) = client.watch().await {
        tracing::warn!(%error, "the engine cannot be watched");
        return;
    }
    loop {
        match client.next().await {
            Ok(reply) => {
                if heard.send(reply).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "lost the engine");
                return;
            }
        }
    }
}

/// Asks a silent engine for its view.
async fn ask_for_view(home: &Home) -> Option<Reply> {
    let asked = async {
        let view = Client::connect(home.path()).await?.view().await?;
        Ok::<_, ClientError>(Reply::View { view: Box::new(view) })
    };
    tokio::time::timeout(ANSWER_WITHIN, asked).await.ok()?.ok()
}

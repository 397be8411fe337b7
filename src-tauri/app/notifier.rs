//! Native notifications, on a thread of their own: showing one can block for as long as the desktop
//! likes.

use std::{
    sync::mpsc::{self, SyncSender, TrySendError},
    thread,
};

use domain::Severity;
use notify_rust::Notification;
use views::Note;

/// Notes that wait for the desktop; when full, the newest is dropped and logged.
const MOST_WAITING: usize = 64;
const NAME: &str = "Risk Manager";

/// Shows notes one after the other.
#[derive(Clone)]
pub struct Notifier(SyncSender<Note>);

impl Notifier {
    /// Starts its thread, which ends with the last notifier.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (sender, notes) = mpsc::sync_channel::<Note>(MOST_WAITING);
        thread::Builder::new().name("notifications".into()).spawn(move || {
            for note in notes {
                if let Err(error) = show(&note) {
                    tracing::warn!(%error, title = note.title, "a notification could not be shown");
                }
            }
        })?;
        Ok(Self(sender))
    }

    /// Never blocks.
    pub fn tell(&self, note: Note) {
        if let Err(TrySendError::Full(note) | TrySendError::Disconnected(note)) = self.0.try_send(note) {
            tracing::warn!(title = note.title, "a notification was dropped");
        }
    }
}

fn show(note: &Note) -> notify_rust::error::Result<()> {
    let mut notification = Notification::new();
    notification.appname(NAME).summary(&note.title).body(&readable(&note.body));
    weigh(&mut notification, note.severity);
    notification.show().map(drop)
}

/// How long it stays, where the desktop lets the program say so.
#[cfg(all(unix, not(target_os = "macos")))]
fn weigh(notification: &mut Notification, severity: Severity) {
    use notify_rust::{Timeout, Urgency};
    match severity {
        Severity::Info => notification.urgency(Urgency::Low),
        Severity::Warning => notification.urgency(Urgency::Normal),
        Severity::Error | Severity::Critical => {
            notification.urgency(Urgency::Critical).timeout(Timeout::Never)
        }
    };
    notification.icon("risk-manager");
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn weigh(_notification: &mut Notification, _severity: Severity) {}

/// Servers that understand markup would read `<` and `&` of an error text as such.
#[cfg(all(unix, not(target_os = "macos")))]
fn readable(body: &str) -> String {
    let markup =
        notify_rust::get_capabilities().is_ok_and(|known| known.iter().any(|one| one == "body-markup"));
    match markup {
        true => body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        false => body.to_owned(),
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn readable(body: &str) -> String {
    body.to_owned()
}

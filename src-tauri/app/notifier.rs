//! Native notifications, on a thread of their own: showing one can block for as long as the desktop
//! likes. Of each rule at most one a minute; a click opens the window.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use domain::Severity;
use notify_rust::{Notification, NotificationHandle};
use views::{Note, text::Flood};

/// Notes that wait for the desktop; when full, the newest is dropped and logged.
const MOST_WAITING: usize = 64;
/// Notifications whose click is waited for, each on a thread; further ones cannot be clicked.
const MOST_CLICKABLE: usize = 16;
/// With nothing held back the thread sleeps until a note comes; this only bounds one sleep.
const IDLE: Duration = Duration::from_secs(3_600);
const NAME: &str = "Risk Manager";

/// What a click does.
type Open = Arc<dyn Fn() + Send + Sync>;

/// Shows notes one after the other.
#[derive(Clone)]
pub struct Notifier(SyncSender<Note>);

impl Notifier {
    /// Starts its thread, which ends with the last notifier.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(open: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let (sender, notes) = mpsc::sync_channel::<Note>(MOST_WAITING);
        let open: Open = Arc::new(open);
        thread::Builder::new().name("notifications".into()).spawn(move || show_all(&notes, &open))?;
        Ok(Self(sender))
    }

    /// Never blocks.
    pub fn tell(&self, note: Note) {
        if let Err(TrySendError::Full(note) | TrySendError::Disconnected(note)) = self.0.try_send(note) {
            tracing::warn!(title = note.title, "a notification was dropped");
        }
    }
}

fn show_all(notes: &Receiver<Note>, open: &Open) {
    let mut flood = Flood::default();
    loop {
        let wait = flood.next_due().map_or(IDLE, |due| due.saturating_duration_since(Instant::now()));
        let come = match notes.recv_timeout(wait) {
            Ok(note) => flood.take(note, Instant::now()),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for note in come.into_iter().chain(flood.due(Instant::now())) {
            match show(&note) {
                Ok(shown) => await_click(shown, open),
                Err(error) => {
                    tracing::warn!(%error, title = note.title, "a notification could not be shown");
                }
            }
        }
    }
}

fn show(note: &Note) -> notify_rust::error::Result<NotificationHandle> {
    let mut notification = Notification::new();
    notification.appname(NAME).summary(&note.title).body(&readable(&note.body));
    weigh(&mut notification, note.severity);
    notification.show()
}

/// How long it stays, where the desktop lets the program say so; what groups it with the others of this
/// program; and the click.
#[cfg(all(unix, not(target_os = "macos")))]
fn weigh(notification: &mut Notification, severity: Severity) {
    use notify_rust::{Hint, Timeout, Urgency};
    match severity {
        Severity::Info => notification.urgency(Urgency::Low),
        Severity::Warning => notification.urgency(Urgency::Normal),
        Severity::Error | Severity::Critical => {
            notification.urgency(Urgency::Critical).timeout(Timeout::Never)
        }
    };
    notification.icon("risk-manager").hint(Hint::DesktopEntry("risk-manager".into()));
    notification.action("default", "Open");
}

/// What is grave stays until it is looked at, for which Windows wants a button.
#[cfg(windows)]
fn weigh(notification: &mut Notification, severity: Severity) {
    use notify_rust::Urgency;
    if matches!(severity, Severity::Error | Severity::Critical) {
        notification.urgency(Urgency::Critical).action("default", "Open");
    }
}

#[cfg(target_os = "macos")]
fn weigh(_notification: &mut Notification, _severity: Severity) {}

/// Waiting takes until the notification is gone.
#[cfg(not(target_os = "macos"))]
fn await_click(shown: NotificationHandle, open: &Open) {
    // The one that shows them holds one.
    if Arc::strong_count(open) > MOST_CLICKABLE {
        return;
    }
    let open = Arc::clone(open);
    let waiting = thread::Builder::new().name("notification".into()).spawn(move || {
        if is_clicked(shown) {
            open();
        }
    });
    if let Err(error) = waiting {
        tracing::warn!(%error, "a notification cannot be clicked");
    }
}

#[cfg(target_os = "macos")]
fn await_click(_shown: NotificationHandle, _open: &Open) {}

#[cfg(all(unix, not(target_os = "macos")))]
fn is_clicked(shown: NotificationHandle) -> bool {
    let mut clicked = false;
    shown.wait_for_action(|action| clicked = action == "default");
    clicked
}

#[cfg(windows)]
fn is_clicked(shown: NotificationHandle) -> bool {
    use notify_rust::NotificationResponse;
    let mut clicked = false;
    let waited = shown.wait_for_response(|response: &NotificationResponse| {
        clicked = match response {
            NotificationResponse::Default => true,
            NotificationResponse::Action(action) => action == "default",
            NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => false,
        };
    });
    waited.is_ok() && clicked
}

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

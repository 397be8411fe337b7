//! Learning at once that this computer woke: on Linux from logind, over the system bus. Elsewhere, and where no
//! such bus answers, the jump of the clock tells it within a second ([`crate::clock`]). A locked screen is no
//! business of the engine's: it goes on.

use tokio::sync::mpsc;

/// Wakes that the loop has not taken; when full, another one says nothing new.
const MOST_WAKES: usize = 1;

/// Hears of each time this computer woke. Ends where the system does not tell.
pub(crate) fn wakes() -> mpsc::Receiver<()> {
    let (woke, wakes) = mpsc::channel(MOST_WAKES);
    tokio::spawn(system::listen(woke));
    wakes
}

#[cfg(target_os = "linux")]
mod system {
    use futures_util::StreamExt;
    use tokio::sync::mpsc;
    use zbus::{Connection, MatchRule, MessageStream, message::Type};

    /// Signals that were not read yet; there is one before sleep and one after it.
    const MOST_SIGNALS: usize = 8;

    /// Until nobody hears it any more, or the bus is gone.
    pub(super) async fn listen(woke: mpsc::Sender<()>) {
        tokio::select! {
            () = woke.closed() => {}
            ended = follow(&woke) => match ended {
                Ok(()) => tracing::info!(target: "daemon", "the system bus is gone: waking is seen by the clock alone"),
                Err(error) => tracing::info!(target: "daemon", "waking is seen by the clock alone: {error}"),
            },
        }
    }

    async fn follow(woke: &mpsc::Sender<()>) -> zbus::Result<()> {
        let bus = Connection::system().await?;
        let sleep = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.login1")?
            .path("/org/freedesktop/login1")?
            .interface("org.freedesktop.login1.Manager")?
            .member("PrepareForSleep")?
            .build();
        let mut signals = MessageStream::for_match_rule(sleep, &bus, Some(MOST_SIGNALS)).await?;
        tracing::info!(target: "daemon", "the system tells when this computer wakes");
        while let Some(signal) = signals.next().await {
            let is_before_sleep: bool = signal?.body().deserialize()?;
            tracing::info!(target: "daemon", "this computer {}", if is_before_sleep { "goes to sleep" } else { "woke" });
            if !is_before_sleep {
                let _ = woke.try_send(());
            }
        }
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use tokio::sync::mpsc;

    /// Nothing tells it here: the clock's jump does.
    pub(super) async fn listen(_woke: mpsc::Sender<()>) {}
}

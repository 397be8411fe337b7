//! How the loop ends: told to, by a mistake of this program, or held up by what does not answer. Whichever it
//! is, the broker is let go and what waits is written.

use std::{
    future::poll_fn,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use super::Loop;

/// How long broker and disk may take in the end. Together with what enforcements under way are given it stays
/// below the 30 s of specification C.17.
const END_WITHIN: Duration = Duration::from_secs(25);

/// How an engine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it was told, or with its broker; everything is written.
    Done,
    /// By a mistake in this program; what was decided until then is written.
    Broken,
    /// Broker or disk did not end in time: what was not written by then may be lost, or be written yet.
    Stalled,
}

impl Loop {
    /// Runs until it is told to stop.
    pub async fn run(mut self) -> Ending {
        let lived = whole(self.live()).await;
        let Self { broker, disk, journal, .. } = self;
        let ended = timeout(END_WITHIN, async {
            (broker.end)().await;
            on_its_thread(move || {
                disk.stop();
                if let Some(journal) = journal {
                    journal.stop();
                }
            })
            .await
        });
        let ending = match (ended.await, lived) {
            (Ok(Ok(())), Some(())) => Ending::Done,
            (Ok(Ok(())), None) => Ending::Broken,
            (Ok(Err(_)) | Err(_), _) => Ending::Stalled,
        };
        tracing::info!(target: "daemon", ?ending, "stopped");
        ending
    }
}

/// What a future comes to; `None` where it breaks off. What it worked on is not to be used afterwards.
async fn whole<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

/// Joining the writing threads may take a moment, or for ever where a disk hangs: on a thread that nobody has to
/// wait for, not even the end of the program.
async fn on_its_thread(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let (done, ended) = oneshot::channel();
    thread::Builder::new().name("ending".to_string()).spawn(move || {
        work();
        let _ = done.send(());
    })?;
    ended.await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use config::Api;
    use tokio::sync::mpsc;
    use views::text::Zones;

    use super::*;
    use crate::{Broker, Home, Start, control::client::Client, credentials::Credentials};

    static IS_MISTAKEN: AtomicBool = AtomicBool::new(false);

    /// A broker that never speaks, and about which something is mistaken some day.
    fn mistaken(_: &Api, _: Credentials) -> Result<Broker, String> {
        let (speaks, signals) = mpsc::channel(1);
        let waiting = move || {
            assert!(speaks.is_closed() || !IS_MISTAKEN.load(Ordering::Relaxed), "a mistake");
            0
        };
        Ok(Broker { signals, waiting: Box::new(waiting), ..Broker::none() })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_engine_that_breaks_off_says_so_and_leaves_its_home_to_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::find(Some(directory.path())).unwrap();
        for _ in 0..2 {
            IS_MISTAKEN.store(false, Ordering::Relaxed);
            let start = Start {
                home: home.clone(),
                broker: "a broker".to_string(),
                mode: "headless".to_string(),
                zones: Zones::CENTRAL,
                login: Some(Credentials { user_name: "a".to_string(), api_key: "b".to_string() }),
                connect: mistaken,
            };
            let mut running = crate::start(start).await.unwrap();
            let mut viewer = Client::connect(home.path()).await.unwrap();
            viewer.watch().await.unwrap();
            IS_MISTAKEN.store(true, Ordering::Relaxed);
            assert_eq!(running.signs.recv().await, None, "whoever waits for signs learns of it");
            assert_eq!(running.stop().await, Ending::Broken);
            let left = async { while viewer.next().await.is_ok() {} };
            timeout(Duration::from_secs(30), left).await.expect("nobody watches an engine that is gone");
        }
    }

    #[tokio::test]
    async fn a_disk_that_hangs_holds_nobody_up() {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let hangs = on_its_thread(move || held.recv().unwrap_or_default());
        assert!(timeout(Duration::from_millis(20), hangs).await.is_err());
        drop(release);
    }
}

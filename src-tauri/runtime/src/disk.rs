//! The writing thread: what must be kept, in order, without ever holding up the loop for longer than a
//! named moment (invariants 6 and 8, ruling 14).

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant as Monotonic},
};

use chrono::TimeDelta;
use domain::{AccountId, Instant};
use store::{AuditLine, BackupError, Durability, LogQuery, Part, Proof, Record, Store, backup::Snapshot};
use tokio::sync::{oneshot, watch};

/// How long the loop waits for a flush before the broker call goes out all the same.
pub const FLUSH_WITHIN: Duration = Duration::from_millis(50);
/// Writes that wait for a slow disk. When full, pictures and receipts of the moment are dropped and
/// counted; what must be durable is kept in the loop's memory of lockouts anyway and is written with the
/// next lock, reset or restart reading.
const MOST_WAITING: usize = 10_000;
/// A disk that has not ended a write of any kind after this time is taken for lost.
const SILENT_AFTER: Duration = Duration::from_secs(2);
/// Wait before a failed write is repeated.
const RETRY: Duration = Duration::from_millis(500);
/// When nothing came for so long, what was written lazily is brought to the disk.
const IDLE: Duration = Duration::from_millis(250);
/// Measurements and messages that are too old are taken away this often.
const PRUNE_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Lines of the audit that are read back for viewers.
const SHOWN_LINES: u32 = 50;

/// State of the disk, for the loop and for viewers. Only the newest matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskNews {
    /// Whether the last write went well; otherwise why not.
    pub state: Result<(), String>,
    /// The latest lines of the audit, newest first.
    pub lines: Vec<AuditLine>,
    /// The newest proof of each account.
    pub proofs: BTreeMap<AccountId, Proof>,
}

/// Why something is not known to be flushed. The write goes on, or is repeated, by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlushError {
    /// Not yet.
    #[error("the disk does not answer within {} ms", FLUSH_WITHIN.as_millis())]
    Late,
    /// It was not even taken.
    #[error("the disk does not keep up")]
    Full,
    /// At the first try.
    #[error("a write failed")]
    Failed,
}

/// When the write that is under way began; nothing while none is.
#[derive(Clone, Debug, Default)]
struct Underway(Arc<Mutex<Option<Monotonic>>>);

impl Underway {
    fn set(&self, begun: Option<Monotonic>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = begun;
    }

    fn is_silent(&self, now: Monotonic) -> bool {
        let begun = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        begun.is_some_and(|begun| now.saturating_duration_since(begun) >= SILENT_AFTER)
    }
}

enum Job {
    Prune(Instant),
    Hold(oneshot::Sender<Result<Snapshot, BackupError>>),
    Write { records: Vec<Record>, durability: Durability, done: Option<oneshot::Sender<()>> },
    Stop,
}

/// The handle of the writing thread.
#[derive(Debug)]
pub struct Disk {
    jobs: SyncSender<Job>,
    stopping: Arc<AtomicBool>,
    underway: Underway,
    thread: Option<JoinHandle<()>>,
    dropped: u64,
    pruned: Option<Instant>,
}

impl Disk {
    /// Hands the store to a thread of its own.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(store: Store) -> std::io::Result<(Self, watch::Receiver<DiskNews>)> {
        let (jobs, work) = mpsc::sync_channel(MOST_WAITING);
        let (lines, proofs) = (latest(&store), proofs(&store));
        let (news, watcher) = watch::channel(DiskNews { state: Ok(()), lines, proofs });
        let stopping = Arc::new(AtomicBool::new(false));
        let underway = Underway::default();
        let (stop, begun) = (Arc::clone(&stopping), underway.clone());
        let thread = thread::Builder::new()
            .name("disk".to_string())
            .spawn(move || write(store, &work, &news, &begun, &stop))?;
        Ok((Self { jobs, stopping, underway, thread: Some(thread), dropped: 0, pruned: None }, watcher))
    }

    /// Writes when there is time.
    pub fn write_lazily(&mut self, records: Vec<Record>) {
        let job = Job::Write { records, durability: Durability::Lazy, done: None };
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(job) {
            self.dropped += 1;
            tracing::error!(target: "errors", dropped = self.dropped, "the disk does not keep up");
        }
    }

    /// Holds on to the database as it is before anything else is written, so that it can be copied elsewhere while
    /// writing goes on. Without an answer it could not be asked for.
    pub fn hold(&mut self) -> oneshot::Receiver<Result<Snapshot, BackupError>> {
        let (holding, held) = oneshot::channel();
        // A full queue drops the sender: the receiver learns of it.
        let _ = self.jobs.try_send(Job::Hold(holding));
        held
    }

    /// Takes away what is kept for a time only, now and then, when there is time.
    pub fn prune(&mut self, now: Instant) {
        if self.pruned.is_none_or(|at| now - at >= PRUNE_EVERY) && self.jobs.try_send(Job::Prune(now)).is_ok()
        {
            self.pruned = Some(now);
        }
    }

    /// Writes, and tells when it is flushed; without an answer it could not be written.
    pub fn write(&mut self, records: Vec<Record>) -> oneshot::Receiver<()> {
        let (done, flushed) = oneshot::channel();
        // A full queue drops the sender: the receiver learns of it.
        let _ = self.jobs.try_send(Job::Write { records, durability: Durability::Flush, done: Some(done) });
        flushed
    }

    /// Writes and waits until it is flushed, for [`FLUSH_WITHIN`] at most.
    ///
    /// # Errors
    /// Why it is not known to be flushed.
    pub async fn flush(&mut self, records: Vec<Record>) -> Result<(), FlushError> {
        let (done, flushed) = oneshot::channel();
        let job = Job::Write { records, durability: Durability::Flush, done: Some(done) };
        if self.jobs.try_send(job).is_err() {
            return Err(FlushError::Full);
        }
        match tokio::time::timeout(FLUSH_WITHIN, flushed).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(FlushError::Failed),
            Err(_) => Err(FlushError::Late),
        }
    }

    /// What is wrong, if the write under way does not end, or none will ever begin. That it ended in the end is told
    /// by [`DiskNews`].
    #[must_use]
    pub fn silence(&self, now: Monotonic) -> Option<String> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            return Some("the thread that writes has ended".to_string());
        }
        let is_silent = self.underway.is_silent(now);
        is_silent.then(|| format!("the disk has not answered for {} s", SILENT_AFTER.as_secs()))
    }

    /// Writes what waits and ends the thread. A write that fails now is not repeated for ever.
    pub fn stop(mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let _ = self.jobs.send(Job::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(
    mut store: Store,
    work: &mpsc::Receiver<Job>,
    news: &watch::Sender<DiskNews>,
    underway: &Underway,
    stopping: &AtomicBool,
) {
    while let Some((records, durability, mut done)) = next(work, &mut store) {
        loop {
            underway.set(Some(Monotonic::now()));
            match store.commit(&records, durability) {
                Ok(written) => {
                    // Who did not wait so long takes the disk for lost until told otherwise.
                    let late = done.take().is_some_and(|done| done.send(()).is_err())
                        || underway.is_silent(Monotonic::now());
                    let audited = written.iter().any(|it| matches!(it, store::Written::Audit(_)));
                    settle(&mut store, audited, late, news);
                    underway.set(None);
                    break;
                }
                Err(error) => {
                    underway.set(None);
                    done = None;
                    tracing::error!(target: "errors", "a write failed and is repeated: {error}");
                    news.send_modify(|it| it.state = Err(error.to_string()));
                    if stopping.load(Ordering::Relaxed) {
                        break;
                    }
                    thread::park_timeout(RETRY);
                }
            }
        }
    }
    flush(&mut store);
}

type Work = (Vec<Record>, Durability, Option<oneshot::Sender<()>>);

/// The next write, or none when it is over. Uses the time in which nothing comes.
fn next(work: &mpsc::Receiver<Job>, store: &mut Store) -> Option<Work> {
    loop {
        let job = work.recv_timeout(IDLE).or_else(|_| {
            flush(store);
            work.recv()
        });
        match job {
            Ok(Job::Write { records, durability, done }) => return Some((records, durability, done)),
            Ok(Job::Prune(now)) => prune(store, now),
            Ok(Job::Hold(holding)) => {
                let _ = holding.send(store.hold());
            }
            Ok(Job::Stop) | Err(_) => return None,
        }
    }
}

fn prune(store: &mut Store, now: Instant) {
    match store.prune(now) {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(target: "daemon", rows, "old measurements and messages taken away"),
        Err(error) => tracing::warn!(target: "errors", "old rows could not be taken away: {error}"),
    }
}

fn flush(store: &mut Store) {
    if let Err(error) = store.flush() {
        tracing::error!(target: "errors", "what was written could not be brought to the disk: {error}");
    }
}

fn settle(store: &mut Store, audited: bool, late: bool, news: &watch::Sender<DiskNews>) {
    let state = store.settle().map_err(|error| error.to_string());
    if let Err(error) = &state {
        tracing::error!(target: "errors", "the second places could not be written: {error}");
    }
    let read = audited.then(|| (latest(store), proofs(store)));
    news.send_if_modified(|it| {
        let changed = late || it.state != state || read.is_some();
        it.state = state;
        if let Some(read) = read {
            (it.lines, it.proofs) = read;
        }
        changed
    });
}

fn latest(store: &Store) -> Vec<AuditLine> {
    let query = LogQuery { part: Part::Latest, limit: SHOWN_LINES, account: None, rule: None };
    let mut lines = store.log(&query).unwrap_or_else(|error| {
        tracing::error!(target: "errors", "the audit cannot be read: {error}");
        Vec::new()
    });
    lines.reverse();
    lines
}

fn proofs(store: &Store) -> BTreeMap<AccountId, Proof> {
    store.proofs().unwrap_or_else(|error| {
        tracing::error!(target: "errors", "the proofs cannot be read: {error}");
        BTreeMap::new()
    })
}

#[cfg(test)]
mod tests {
    use store::Opened;

    use super::*;

    #[test]
    fn a_write_that_does_not_end_is_noticed_and_one_that_ended_is_forgotten() {
        let (underway, begun) = (Underway::default(), Monotonic::now());
        assert!(!underway.is_silent(begun + SILENT_AFTER), "nothing is being written");
        underway.set(Some(begun));
        assert!(!underway.is_silent(begun + SILENT_AFTER - Duration::from_millis(1)));
        assert!(underway.is_silent(begun + SILENT_AFTER));
        underway.set(None);
        assert!(!underway.is_silent(begun + SILENT_AFTER));
    }

    /// Nothing of what follows would be kept: the state says so for good.
    #[test]
    fn a_writing_thread_that_is_gone_is_noticed() {
        let home = tempfile::tempdir().unwrap();
        let Opened { store, .. } = Store::open(home.path(), "2026-03-02T14:30:00Z".parse().unwrap()).unwrap();
        let (disk, news) = Disk::start(store).unwrap();
        assert_eq!(disk.silence(Monotonic::now()), None);
        disk.jobs.send(Job::Stop).unwrap();
        let begun = Monotonic::now();
        while disk.silence(Monotonic::now()).is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            thread::sleep(Duration::from_millis(1));
        }
        assert!(news.has_changed().is_err(), "the loop no longer listens to it");
    }
}

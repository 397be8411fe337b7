//! The engine's side of the control socket.

use std::{io, path::Path, sync::Arc};

use interprocess::local_socket::{
    ListenerOptions,
    tokio::{Listener, Stream, prelude::*},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinSet,
};
use views::{
    View,
    control::{Ask, Reply, Request, Response},
    history::HistoryQuery,
    text::Note,
};
use zeroize::{Zeroize, Zeroizing};

use super::LONGEST_LINE;
use crate::{Home, history, presets};

/// Viewers at once; further ones are refused by closing their connection.
const MOST_VIEWERS: usize = 32;
/// Responses waiting for one slow viewer; when full, its connection waits, nobody else does.
const MOST_WAITING: usize = 16;

/// A request that the loop answers.
#[derive(Debug)]
pub struct Petition {
    /// What is asked.
    pub ask: Ask,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Reply>,
}

/// What viewers are fed from.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Where the records are.
    pub home: Home,
    /// To the loop. Bounded: a viewer waits for its turn.
    pub petitions: mpsc::Sender<Petition>,
    /// The view, whenever it changes.
    pub views: watch::Receiver<Arc<View>>,
    /// Messages to people. A viewer that lags misses some; they are in the log.
    pub notes: broadcast::Sender<Note>,
}

/// Opens the socket of a home for its owner.
///
/// # Errors
/// The system refuses it.
pub fn open(home: &Path) -> io::Result<Listener> {
    prepare(home)?;
    let options = ListenerOptions::new().name(super::name(home)?).try_overwrite(true);
    super::for_owner(options)?.create_tokio()
}

#[cfg(unix)]
fn prepare(home: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let place = super::place(home);
    // A socket that a crashed engine left behind: the lock on the home says that it is nobody's.
    match std::fs::remove_file(&place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match place.parent() {
        Some(parent) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent),
        None => Ok(()),
    }
}

#[cfg(windows)]
fn prepare(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Serves viewers until the listener is dropped with its task.
pub async fn serve(listener: Listener, feed: Feed) {
    let places = Arc::new(tokio::sync::Semaphore::new(MOST_VIEWERS));
    loop {
        match listener.accept().await {
            Ok(stream) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let feed = feed.clone();
                tokio::spawn(async move {
                    let _place = place;
                    if let Err(error) = attend(stream, feed).await {
                        tracing::debug!(target: "daemon", "a viewer left: {error}");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(target: "daemon", "control socket: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// One viewer: requests in, responses and views out.
async fn attend(stream: Stream, feed: Feed) -> io::Result<()> {
    let (read, mut write) = tokio::io::split(stream);
    let (responses, mut outgoing) = mpsc::channel::<Response>(MOST_WAITING);
    let writer = tokio::spawn(async move {
        while let Some(response) = outgoing.recv().await {
            let mut line = serde_json::to_vec(&response)?;
            line.push(b'\n');
            write.write_all(&line).await?;
            write.flush().await?;
        }
        Ok::<(), io::Error>(())
    });
    let result = listen(read, &feed, &responses).await;
    drop(responses);
    writer.abort();
    result
}

async fn listen(
    read: impl tokio::io::AsyncRead + Unpin,
    feed: &Feed,
    responses: &mpsc::Sender<Response>,
) -> io::Result<()> {
    let mut reader = BufReader::new(read);
    // Their end is the end of this one, and the other way round.
    let mut watching = JoinSet::new();
    let mut line = Zeroizing::new(Vec::new());
    loop {
        // It may have held a password.
        line.zeroize();
        let limited = &mut (&mut reader).take(LONGEST_LINE as u64);
        let read = tokio::select! {
            read = limited.read_until(b'\n', &mut line) => read?,
            // The engine is gone: whoever watches is not to wait for another in vain.
            Some(_) = watching.join_next() => break,
        };
        if read == 0 {
            break;
        }
        let response = match serde_json::from_slice::<Request>(&line) {
            Ok(Request { id, ask: Ask::Watch }) => {
                watching.spawn(watch_for(id, feed.clone(), responses.clone()));
                continue;
            }
            Ok(Request { id, ask }) => Response { id, reply: answer(ask, feed).await },
            Err(error) => {
                let reason = format!("not a request: {error}");
                Response { id: 0, reply: Reply::Refused { reason } }
            }
        };
        if responses.send(response).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn answer(ask: Ask, feed: &Feed) -> Reply {
    match ask {
        Ask::History { query } => past(feed.home.clone(), query).await,
        Ask::Presets => rulebooks(feed.home.clone()).await,
        ask @ (Ask::View
        | Ask::Watch
        | Ask::Command { .. }
        | Ask::Log { .. }
        | Ask::Reconcile
        | Ask::Retry
        | Ask::CredentialsChanged
        | Ask::TestNotification
        | Ask::CancelPending { .. }
        | Ask::SaveSettings { .. }
        | Ask::ClockIn { .. }
        | Ask::ClockOut { .. }
        | Ask::Settings
        | Ask::PreviewSettings { .. }
        | Ask::LockSettings { .. }
        | Ask::SearchContracts { .. }
        | Ask::Guard { .. }) => from_loop(ask, feed).await,
    }
}

async fn from_loop(ask: Ask, feed: &Feed) -> Reply {
    let (sender, receiver) = oneshot::channel();
    if feed.petitions.send(Petition { ask, answer: sender }).await.is_ok()
        && let Ok(reply) = receiver.await
    {
        return reply;
    }
    Reply::Refused { reason: "The engine is stopping.".to_string() }
}

/// Read from the database, beside the loop.
async fn past(home: Home, query: HistoryQuery) -> Reply {
    let read = tokio::task::spawn_blocking(move || history::read(home.path(), &query)).await;
    match read {
        Ok(Ok(history)) => Reply::History { history: Box::new(history) },
        Ok(Err(error)) => Reply::Refused { reason: format!("The records cannot be read: {error}.") },
        Err(error) => Reply::Refused { reason: error.to_string() },
    }
}

/// Read from their file, beside the loop.
async fn rulebooks(home: Home) -> Reply {
    match tokio::task::spawn_blocking(move || presets::read(&home.config())).await {
        Ok(Ok(presets)) => Reply::Presets { presets },
        Ok(Err(reason)) => Reply::Refused { reason },
        Err(error) => Reply::Refused { reason: error.to_string() },
    }
}

async fn watch_for(id: u64, mut feed: Feed, responses: mpsc::Sender<Response>) {
    let mut notes = feed.notes.subscribe();
    let first = answer(Ask::View, &feed).await;
    if responses.send(Response { id, reply: first }).await.is_err() {
        return;
    }
    loop {
        let reply = tokio::select! {
            changed = feed.views.changed() => match changed {
                Ok(()) => {
                    let view = View::clone(&feed.views.borrow_and_update());
                    Reply::View { view: Box::new(view) }
                }
                Err(_) => return,
            },
            note = notes.recv() => match note {
                Ok(note) => Reply::Note { note },
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        if responses.send(Response { id, reply }).await.is_err() {
            return;
        }
    }
}

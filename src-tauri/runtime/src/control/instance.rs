//! One program of a kind at a time: the first to come takes a name, a later one hands over what it was
//! started for and ends. Never decides what is done with it.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    time::{Duration, Instant},
};

use interprocess::local_socket::{
    GenericNamespaced, ListenerOptions, ToNsName,
    tokio::{Listener, Stream, prelude::*},
};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    sync::oneshot,
    time::timeout,
};

/// Longest message in bytes; of a longer one only the beginning is read, which makes no sense and is dropped.
const LONGEST_MESSAGE: u64 = 4 << 10;
/// One that takes longer to say or to take a message is passed over.
const TAKEN_WITHIN: Duration = Duration::from_secs(3);
/// Pause before the name is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// So long the first may take to answer, or to end: an engine that is told to end finishes its work.
const PATIENCE: Duration = Duration::from_secs(20);

/// What has come of a start.
#[derive(Debug)]
pub enum Claim {
    /// Nobody else runs under this name.
    First(Instance),
    /// The one that runs has taken the message.
    HandedOver,
}

/// The name is held; dropping it gives it up.
#[derive(Debug)]
pub struct Instance(Listener);

/// Neither the first nor told to it.
#[derive(Debug, Error)]
pub enum InstanceError {
    /// The name is taken by a program that says nothing.
    #[error("it is running already, but does not answer ({0}). End it and start again")]
    Silent(io::Error),
    /// The system gives no name.
    #[error("the system does not tell whether it is running already: {0}")]
    System(io::Error),
}

/// Takes a name of this user, or hands the message to the one that has it. One that is just ending is waited for.
///
/// # Errors
/// The name is taken, but its owner neither answers nor ends within 20 seconds; or the system gives no name.
pub async fn claim(name: &str, message: &impl Serialize) -> Result<Claim, InstanceError> {
    claim_within(PATIENCE, name, message).await
}

async fn claim_within(
    patience: Duration,
    name: &str,
    message: &impl Serialize,
) -> Result<Claim, InstanceError> {
    let name = format!("{name}.{:016x}", user());
    let line = serde_json::to_string(message).map_err(|error| InstanceError::System(error.into()))? + "\n";
    let begun = Instant::now();
    let mut is_left_over = false;
    loop {
        match listen(&name, is_left_over) {
            Ok(listener) => return Ok(Claim::First(Instance(listener))),
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(InstanceError::System(error)),
        }
        let handed_over = timeout(TAKEN_WITHIN.min(patience), hand_over(&name, &line)).await;
        match handed_over.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(()) => return Ok(Claim::HandedOver),
            Err(error) if begun.elapsed() >= patience => return Err(InstanceError::Silent(error)),
            Err(error) => is_left_over = error.kind() == io::ErrorKind::ConnectionRefused,
        }
        tokio::time::sleep(TRY_AGAIN_AFTER).await;
    }
}

impl Instance {
    /// Receives what later starts hand over, one after the other, until the future is dropped. `take` begins
    /// to act on a message and tells when it was taken; where it is dropped instead, the sender tries again.
    pub async fn serve<M: DeserializeOwned>(self, take: impl Fn(M) -> oneshot::Receiver<()>) {
        loop {
            match self.0.accept().await {
                Ok(stream) => {
                    let received = timeout(TAKEN_WITHIN, receive(stream, &take)).await;
                    if let Err(error) = received.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                        tracing::debug!(target: "daemon", "a later start was not heard: {error}");
                    }
                }
                Err(error) => {
                    tracing::warn!(target: "daemon", "later starts cannot be heard: {error}");
                    tokio::time::sleep(TRY_AGAIN_AFTER).await;
                }
            }
        }
    }
}

async fn receive<M: DeserializeOwned>(
    stream: Stream,
    take: impl Fn(M) -> oneshot::Receiver<()>,
) -> io::Result<()> {
    refuse_strangers(&stream)?;
    let mut line = String::new();
    let mut stream = BufReader::new(stream);
    (&mut stream).take(LONGEST_MESSAGE).read_line(&mut line).await?;
    take(serde_json::from_str(&line)?).await.map_err(|_| io::ErrorKind::Interrupted)?;
    stream.write_all(b"\n").await?;
    stream.flush().await
}

async fn hand_over(name: &str, line: &str) -> io::Result<()> {
    let mut stream = Stream::connect(name.to_ns_name::<GenericNamespaced>()?).await?;
    refuse_strangers(&stream)?;
    stream.write_all(line.as_bytes()).await?;
    stream.flush().await?;
    stream.read_exact(&mut [0]).await.map(drop)
}

fn listen(name: &str, is_left_over: bool) -> io::Result<Listener> {
    let options = ListenerOptions::new().name(name.to_ns_name::<GenericNamespaced>()?);
    // Where such a name is a file, that of one that was killed is still there.
    let options = options.try_overwrite(is_left_over && cfg!(target_os = "macos"));
    super::for_owner(options)?.create_tokio()
}

/// A name that exists cannot be made again; Windows calls that forbidden.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

/// Such names are seen by the whole computer: each user has his own, on each of his desktops.
fn user() -> u64 {
    let mut hasher = DefaultHasher::new();
    std::env::home_dir().hash(&mut hasher);
    #[cfg(unix)]
    rustix::process::geteuid().as_raw().hash(&mut hasher);
    hasher.finish()
}

/// Names without rights can be taken, and spoken to, by anybody.
#[cfg(unix)]
fn refuse_strangers(stream: &Stream) -> io::Result<()> {
    let other = stream.peer_creds()?.euid();
    match other == Some(rustix::process::geteuid().as_raw()) {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user")),
    }
}

/// The pipe lets in its owner alone.
#[cfg(not(unix))]
fn refuse_strangers(_: &Stream) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// No other test, and no other run of this one, has this name.
    fn name(test: &str) -> String {
        format!("risk-manager-{test}-{}", std::process::id())
    }

    async fn first(name: &str) -> Instance {
        match claim(name, &"first").await {
            Ok(Claim::First(instance)) => instance,
            other => panic!("not the first: {other:?}"),
        }
    }

    #[tokio::test]
    async fn a_later_start_hands_over_and_another_name_meets_nobody() {
        let name = name("later");
        let (sender, mut heard) = mpsc::channel::<String>(1);
        let instance = first(&name).await;
        let serving = tokio::spawn(instance.serve(move |message: String| {
            let (done, taken) = oneshot::channel();
            sender.try_send(message).unwrap();
            done.send(()).unwrap();
            taken
        }));
        assert!(matches!(claim(&name, &"open").await, Ok(Claim::HandedOver)));
        assert_eq!(heard.recv().await.unwrap(), "open");
        first(&format!("{name}.window")).await;

        serving.abort();
        first(&name).await;
    }

    #[tokio::test]
    async fn what_the_one_that_ends_no_longer_takes_is_done_by_the_newcomer() {
        let name = name("ends");
        let ending = first(&name).await;
        let (asked, mut was_asked) = mpsc::channel(1);
        let serving = tokio::spawn(ending.serve(move |_: String| {
            let _ = asked.try_send(());
            oneshot::channel().1
        }));
        let message = "open";
        let newcomer = claim(&name, &message);
        let ends = async {
            was_asked.recv().await;
            serving.abort();
        };
        let (claimed, ()) = tokio::join!(newcomer, ends);
        assert!(matches!(claimed, Ok(Claim::First(_))), "{claimed:?}");
    }

    #[tokio::test]
    async fn one_that_neither_answers_nor_ends_is_named_in_the_end() {
        let name = name("silent");
        let _silent = first(&name).await;
        let claimed = claim_within(Duration::from_millis(200), &name, &"open").await;
        assert!(matches!(claimed, Err(InstanceError::Silent(_))), "{claimed:?}");
    }
}

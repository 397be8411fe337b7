//! A viewer's side of the control socket: used by the window, by the tray, by `riskctl` and by tests.

use std::{io, path::Path, time::Duration};

use interprocess::local_socket::tokio::{Stream, prelude::*};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use views::{
    View,
    control::{Ask, Reply, Request, Response},
};
use zeroize::Zeroize;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A connection to the engine of a home.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<ReadHalf<Stream>>,
    writer: WriteHalf<Stream>,
    next: u64,
}

/// The engine could not be asked.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No engine runs on this home.
    #[error("no engine is running on {home}. Start one with `riskctl run` or with the tray program")]
    NotRunning {
        /// Which home.
        home: String,
    },
    /// The connection broke, or the answer made no sense.
    #[error("the connection to the engine broke: {0}")]
    Broken(String),
    /// The engine said no.
    #[error("{0}")]
    Refused(String),
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Client {
    /// Connects to the engine of a home.
    ///
    /// # Errors
    /// None is running.
    pub async fn connect(home: &Path) -> Result<Self, ClientError> {
        let not_running = |_| ClientError::NotRunning { home: home.display().to_string() };
        let stream = Stream::connect(super::name(home)?).await.map_err(not_running)?;
        let (read, writer) = tokio::io::split(stream);
        Ok(Self { reader: BufReader::new(read), writer, next: 0 })
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The engine refused, or did not answer within five seconds.
    pub async fn ask(&mut self, ask: Ask) -> Result<Reply, ClientError> {
        self.ask_within(ask, ANSWER_WITHIN).await
    }

    /// Asks for what takes longer.
    ///
    /// # Errors
    /// The engine refused, or did not answer in time.
    pub async fn ask_within(&mut self, ask: Ask, limit: Duration) -> Result<Reply, ClientError> {
        let id = self.send(ask).await?;
        let answer = async {
            loop {
                let response = self.receive().await?;
                if response.id == id {
                    return Ok(response.reply);
                }
            }
        };
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(Reply::Refused { reason })) => Err(ClientError::Refused(reason)),
            Ok(result) => result,
            Err(_) => Err(ClientError::Broken(format!("no answer within {} seconds", limit.as_secs()))),
        }
    }

    /// The view of this moment.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn view(&mut self) -> Result<View, ClientError> {
        match self.ask(Ask::View).await? {
            Reply::View { view } => Ok(*view),
            Reply::Note { .. }
            | Reply::Log { .. }
            | Reply::Accepted
            | Reply::Refused { .. }
            | Reply::Settings { .. }
            | Reply::Preview { .. }
            | Reply::Contracts { .. }
            | Reply::History { .. }
            | Reply::Reconciled { .. }
            | Reply::Presets { .. } => Err(ClientError::Broken("an answer to another question".to_string())),
        }
    }

    /// Asks to be kept up to date; follow with [`Client::next`].
    ///
    /// # Errors
    /// The connection broke.
    pub async fn watch(&mut self) -> Result<(), ClientError> {
        self.send(Ask::Watch).await.map(|_| ())
    }

    /// The next view or message of a watch. A healthy engine sends a view every second.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Reply, ClientError> {
        self.receive().await.map(|response| response.reply)
    }

    async fn send(&mut self, ask: Ask) -> Result<u64, ClientError> {
        self.next += 1;
        let request = Request { id: self.next, ask };
        let mut line =
            serde_json::to_vec(&request).map_err(|error| ClientError::Broken(error.to_string()))?;
        line.push(b'\n');
        let sent = self.writer.write_all(&line).await;
        // It may hold a password.
        line.zeroize();
        sent?;
        self.writer.flush().await?;
        Ok(self.next)
    }

    async fn receive(&mut self) -> Result<Response, ClientError> {
        let mut line = String::new();
        if self.reader.read_line(&mut line).await? == 0 {
            return Err(ClientError::Broken("the engine closed it".to_string()));
        }
        serde_json::from_str(&line).map_err(|error| ClientError::Broken(error.to_string()))
    }
}

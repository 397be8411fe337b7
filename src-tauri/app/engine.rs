//! The seam between what people see and the engine: start it, watch it, ask it.
//!
//! Everything else of this program knows the engine only through these calls. The engine listens on a
//! local socket in its home; this program is its viewer, whether the engine runs here or as a service.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use interprocess::local_socket::{ConnectOptions, GenericFilePath, ToFsName, tokio::Stream};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use views::control::{Ask, Reply, Request, Response};

/// A command that was not answered for so long counts as not answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Why the engine could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nobody listens, or the connection broke.
    #[error("the engine does not answer ({0})")]
    Gone(#[from] io::Error),
    /// Something else than the control protocol was said.
    #[error("the engine answered in words this version does not know ({0})")]
    Strange(#[from] serde_json::Error),
    /// No answer in time.
    #[error("the engine did not answer within {} s", ANSWER_WITHIN.as_secs())]
    Late,
}

/// One connection that receives every view and note.
pub struct Watch {
    lines: Lines<BufReader<Stream>>,
}

impl Watch {
    /// Connects and asks to watch.
    ///
    /// # Errors
    /// When nobody serves this home.
    pub async fn open(home: &Path) -> Result<Self, EngineError> {
        Ok(Self { lines: connected(home, Ask::Watch).await? })
    }

    /// The next view or note. Safe to drop before it is there.
    ///
    /// # Errors
    /// When the connection ended or said something strange; it is of no use after that.
    pub async fn next(&mut self) -> Result<Reply, EngineError> {
        next_reply(&mut self.lines).await
    }
}

/// Asks once.
///
/// # Errors
/// When there is no answer, or none in time.
pub async fn ask(home: &Path, ask: Ask) -> Result<Reply, EngineError> {
    let asked = async { next_reply(&mut connected(home, ask).await?).await };
    tokio::time::timeout(ANSWER_WITHIN, asked).await.map_err(|_| EngineError::Late)?
}

/// Connects and says one thing; what comes back is lines.
async fn connected(home: &Path, ask: Ask) -> Result<Lines<BufReader<Stream>>, EngineError> {
    let path = socket(home);
    let name = path.to_fs_name::<GenericFilePath>()?;
    let mut stream = ConnectOptions::new().name(name).connect_tokio().await?;
    let mut line = serde_json::to_string(&Request { id: 1, ask })?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await?;
    Ok(BufReader::new(stream).lines())
}

/// Where the engine of a home listens.
fn socket(home: &Path) -> PathBuf {
    home.join("control.sock")
}

async fn next_reply(lines: &mut Lines<BufReader<Stream>>) -> Result<Reply, EngineError> {
    let line = lines.next_line().await?.ok_or(io::ErrorKind::UnexpectedEof).map_err(io::Error::from)?;
    Ok(serde_json::from_str::<Response>(&line)?.reply)
}

//! How a command ends: a sentence for people and a code for programs (specification C.17).

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

/// 128 + SIGPIPE.
const CLOSED_PIPE: u8 = 141;

/// A command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Anything without a code of its own: 1.
    pub fn other(message: impl Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// Something does not answer: 2.
    pub fn stalled(message: impl Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// The settings cannot be used: 3.
    pub fn settings(message: impl Display) -> Self {
        Self { code: 3, message: message.to_string() }
    }

    /// The broker refused the login, or there is none: 4.
    pub fn login(message: impl Display) -> Self {
        Self { code: 4, message: message.to_string() }
    }

    /// Something this program stands on cannot be used: 5.
    pub fn dependency(message: impl Display) -> Self {
        Self { code: 5, message: message.to_string() }
    }

    /// Standard output cannot be written. That nobody reads any further, as behind `| head`, is no mistake:
    /// it ends the command without a word, with the code by which shells tell of a closed pipe.
    pub fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { code: CLOSED_PIPE, message: String::new() };
        }
        Self::other(format!("cannot write the output: {error}"))
    }

    /// Says it on standard error.
    pub fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            let _ = writeln!(io::stderr(), "riskctl: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

impl From<runtime::HomeError> for Failure {
    fn from(error: runtime::HomeError) -> Self {
        Self::other(error)
    }
}

impl From<runtime::control::client::ClientError> for Failure {
    fn from(error: runtime::control::client::ClientError) -> Self {
        Self::other(error)
    }
}

impl From<runtime::StartError> for Failure {
    fn from(error: runtime::StartError) -> Self {
        use runtime::StartError as Start;
        match error {
            Start::Settings(_) | Start::Broker(_) => Self::settings(error),
            Start::Store(_) | Start::Memory(_) => Self::dependency(error),
            Start::Home(_) | Start::Locked(_) | Start::System(..) => Self::other(error),
        }
    }
}

impl From<store::ReadError> for Failure {
    fn from(error: store::ReadError) -> Self {
        Self::dependency(error)
    }
}

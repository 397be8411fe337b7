//! The seam between what people see and the engine: start it here, or find the one that runs already.
//!
//! Either way the tray is its viewer over the control socket of the home.

#[path = "../cli/src/broker.rs"]
mod broker;

use anyhow::Context;
use runtime::{Ending, Home, HomeError, Running, Sign, Start, StartError, logs};
use tokio::sync::mpsc;
use tracing::Level;
use views::Zones;

use crate::demo::Demo;

/// Exit codes of specification C.17.
const UNEXPECTED: u8 = 1;
const STALLED: u8 = 2;
const SETTINGS: u8 = 3;
const DEPENDENCY: u8 = 5;

/// The engine of a home, as far as this program is concerned.
pub enum Engine {
    /// It lives in this program and ends with it.
    Own(Box<Own>),
    /// It runs elsewhere, as a service or in a terminal; this program only looks on.
    Elsewhere,
    /// It lived here and ended by itself.
    Ended,
}

/// An engine of our own, with what it stands on.
pub struct Own {
    running: Running,
    demo: Option<Demo>,
    log: logs::LogGuard,
}

/// An engine could not be started: what people are told, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// What is wrong and what to do.
    pub text: String,
    /// As in specification C.17.
    pub code: u8,
}

impl Engine {
    /// Starts an engine on a home, or attaches to the one that has claimed it.
    ///
    /// # Errors
    /// Nothing runs.
    pub async fn start(home: Home, demo: Option<Demo>, zones: Zones) -> Result<Self, Failure> {
        // Claimed before anything is written into it, the logs included.
        let claim = match home.claim() {
            Ok(claim) => claim,
            Err(HomeError::Taken { .. }) => return Ok(Self::Elsewhere),
            Err(error) => return Err(Failure::of(UNEXPECTED, error)),
        };
        let log = logs::start(&home, Some(Level::WARN), "projectx")
            .with_context(|| format!("no logs in {}", home.logs().display()))
            .map_err(|error| Failure::of(UNEXPECTED, format!("{error:#}")))?;
        drop(claim);
        Self::run(home, demo, log, zones).await
    }

    async fn run(home: Home, demo: Option<Demo>, log: logs::LogGuard, zones: Zones) -> Result<Self, Failure> {
        let (name, mode) = if demo.is_some() { ("the demo", "demo") } else { ("TopstepX", "tray") };
        let login = demo.as_ref().map(Demo::login);
        let start =
            Start { home, broker: name.into(), mode: mode.into(), zones, login, connect: broker::projectx };
        match runtime::start(start).await {
            Ok(running) => Ok(Self::Own(Box::new(Own { running, demo, log }))),
            // Another one was faster.
            Err(StartError::Home(HomeError::Taken { .. })) => Ok(Self::Elsewhere),
            Err(error) => Err(error.into()),
        }
    }

    /// It runs elsewhere, and goes on without this program.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere)
    }

    /// It lives here, and can be asked.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// What an engine of our own signals, once; what all but [`Sign::MayEnd`] say is in its view as well. Ends
    /// with the engine.
    pub fn signs(&mut self) -> Option<mpsc::Receiver<Sign>> {
        match self {
            Self::Own(own) => Some(std::mem::replace(&mut own.running.signs, mpsc::channel(1).1)),
            Self::Elsewhere | Self::Ended => None,
        }
    }

    /// Ends what lives here: enforcements under way are given their time, everything is written. The exit code,
    /// if that did not go well.
    pub async fn stop(self) -> Option<u8> {
        if let Self::Own(own) = self { own.stop().await } else { None }
    }
}

impl Own {
    /// Another engine in the place of this one, which ended by itself.
    ///
    /// # Errors
    /// None can take its place.
    pub async fn again(self, zones: Zones) -> Result<Engine, Failure> {
        let Self { running, demo, log } = self;
        let home = running.home.clone();
        if running.stop().await == Ending::Stalled {
            return Err(Failure::of(STALLED, "the disk does not answer."));
        }
        Engine::run(home, demo, log, zones).await
    }

    /// As [`Engine::stop`].
    pub async fn stop(self) -> Option<u8> {
        let Self { running, demo, log: _log } = self;
        let ending = running.stop().await;
        if let Some(demo) = demo {
            demo.end().await;
        }
        match ending {
            Ending::Done => None,
            Ending::Broken => Some(UNEXPECTED),
            Ending::Stalled => Some(STALLED),
        }
    }
}

impl Failure {
    fn of(code: u8, error: impl ToString) -> Self {
        let text = error.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        Self { text: first + letters.as_str(), code }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = match &error {
            StartError::Settings(_) | StartError::Broker(_) => SETTINGS,
            StartError::Store(_) | StartError::Memory(_) => DEPENDENCY,
            StartError::Home(_) | StartError::Locked(_) | StartError::System(..) => UNEXPECTED,
        };
        Self::of(code, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::of(UNEXPECTED, error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::of(UNEXPECTED, format!("{error:#}"))
    }
}

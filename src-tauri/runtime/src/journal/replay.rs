//! A recorded journal through a fresh engine: no clock, no network, no home but its rules. The same lines
//! give the same actions on every machine.

use std::io::BufRead;

use domain::{Action, Event, Instant, Rulebook};
use engine::Engine;
use serde::Deserialize;
use thiserror::Error;

use super::{Line, Taken};

/// An action and when it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The engine's time.
    pub at: Instant,
    /// What.
    pub action: Action,
}

/// A line cannot be used.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("line {line}: {source}")]
    Read {
        /// Number of the line, from 1.
        line: usize,
        /// The system's words.
        source: std::io::Error,
    },
    /// It is no line of a journal.
    #[error("line {line} is no recorded input: {what}")]
    Format {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// An engine that takes recorded inputs.
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    rulebook: Rulebook,
    /// Rules that came last: they belong to the next start if one follows.
    announced: Option<Taken>,
}

impl Replay {
    /// An engine that knows nothing but these rules.
    #[must_use]
    pub fn new(rulebook: Rulebook) -> Self {
        Self { engine: Engine::new(rulebook.clone()), rulebook, announced: None }
    }

    /// Takes one input and says what was decided because of it.
    ///
    /// What is remembered from earlier is the first thing an engine is told: it begins a new one, as the
    /// start did, with the rules that were written down right before it or, where there are none, with
    /// those of the home.
    pub fn take(&mut self, taken: Taken) -> Vec<Decided> {
        match taken.event {
            Event::Restored(_) => {
                let rules = match self.announced.take() {
                    Some(Taken { event: Event::Rules(rules), .. }) => *rules,
                    Some(_) | None => self.rulebook.clone(),
                };
                self.engine = Engine::new(rules);
                self.step(&taken)
            }
            Event::Rules(_) => {
                let decided = self.finish();
                self.announced = Some(taken);
                decided
            }
            Event::Account(_)
            | Event::Position(_)
            | Event::Order(_)
            | Event::Fill(_)
            | Event::Quote(_)
            | Event::Instrument(_)
            | Event::Snapshot(_)
            | Event::Orders { .. }
            | Event::Positions { .. }
            | Event::Unanswered(_)
            | Event::Link(_)
            | Event::Report(_)
            | Event::Command(_)
            | Event::Bar { .. }
            | Event::Tick => {
                let mut decided = self.finish();
                decided.extend(self.step(&taken));
                decided
            }
        }
    }

    /// Takes what was held back to see whether a start follows: to be called after the last input.
    pub fn finish(&mut self) -> Vec<Decided> {
        self.announced.take().map(|taken| self.step(&taken)).unwrap_or_default()
    }

    /// The engine as it is now.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn step(&mut self, taken: &Taken) -> Vec<Decided> {
        let actions = self.engine.step(taken.at, &taken.event);
        actions.into_iter().map(|action| Decided { at: taken.at, action }).collect()
    }
}

/// The lines of a journal; empty ones are passed over.
pub fn read(file: impl BufRead) -> impl Iterator<Item = Result<Line, ReplayError>> {
    (1..).zip(file.lines()).filter_map(|(line, text)| match text {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(parse(&text).map_err(|error| ReplayError::Format { line, what: plain(&error) })),
        Err(source) => Some(Err(ReplayError::Read { line, source })),
    })
}

/// The words of an error about one line: that it is the first line of itself helps nobody.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) if error.column() > 0 => format!("{what}, at character {}", error.column()),
        Some((what, _)) => what.to_string(),
        None => text,
    }
}

fn parse(text: &str) -> serde_json::Result<Line> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Members {
        at: Instant,
        event: Option<Event>,
        lost: Option<u64>,
    }
    let members: Members = serde_json::from_str(text)?;
    match (members.event, members.lost) {
        (Some(event), None) => Ok(Line::Taken(Box::new(Taken { at: members.at, event }))),
        (None, Some(lost)) => Ok(Line::Lost { at: members.at, lost }),
        (Some(_), Some(_)) | (None, None) => {
            Err(serde::de::Error::custom("a line has either an `event` or the number of those `lost`"))
        }
    }
}

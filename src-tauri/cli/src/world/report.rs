//! What a run was made of, and what it ended with.

use std::fmt;

use domain::Action;
use store::Record;

use crate::{
    happening::{Happening, changed},
    laws::{Answers, Broken},
};

/// What happened, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Whole trading days.
    pub days: u64,
    /// Things that happened; the laws were looked at after each.
    pub steps: u64,
    /// Starts of an engine.
    pub starts: u64,
    /// What traders did.
    pub deeds: u64,
    /// Things that went wrong.
    pub troubles: u64,
    /// Executions.
    pub fills: u64,
    /// Requests of ours that change something.
    pub requests: u64,
    /// Enforcements that were decided.
    pub enforcements: u64,
    /// Lockouts that were written.
    pub lockouts: u64,
    /// Moments at which everything had settled and the books were compared.
    pub settled: u64,
    /// Requests of enforcements that had to wait because there were too many.
    pub starved: u64,
    pub(crate) answers: Answers,
}

impl Tally {
    pub(crate) fn count(&mut self, happened: &[Happening]) {
        for happening in happened {
            match happening {
                Happening::Filled { .. } => self.fills += 1,
                Happening::Arrived(_) => self.requests += 1,
                Happening::Decided(Action::Enforce(_)) => self.enforcements += 1,
                Happening::Kept(kept) if changed(kept) && matches!(kept.0, Record::Lock { .. }) => {
                    self.lockouts += 1;
                }
                Happening::Kept(_)
                | Happening::Decided(_)
                | Happening::Began
                | Happening::Ended
                | Happening::Link(_)
                | Happening::Read(_)
                | Happening::Replied(_)
                | Happening::Asked(_)
                | Happening::Told => {}
                Happening::Starved => self.starved += 1,
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.days += other.days;
        self.steps += other.steps;
        self.starts += other.starts;
        self.deeds += other.deeds;
        self.troubles += other.troubles;
        self.fills += other.fills;
        self.requests += other.requests;
        self.enforcements += other.enforcements;
        self.lockouts += other.lockouts;
        self.settled += other.settled;
        self.starved += other.starved;
        self.answers = self.answers.with(other.answers);
    }

    /// Breaches that were answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answers.count
    }

    /// The longest time from a breach to its end while nothing was the matter.
    #[must_use]
    pub fn longest_answer(&self) -> chrono::TimeDelta {
        self.answers.longest
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} days, {} steps, {} deeds, {} executions, {} troubles, {} starts, {} breaches answered (the \
             slowest in {} ms), {} requests of ours, {} enforcements, {} lockouts, {} requests too many",
            self.days,
            self.steps,
            self.deeds,
            self.fills,
            self.troubles,
            self.starts,
            self.answered(),
            self.longest_answer().num_milliseconds(),
            self.requests,
            self.enforcements,
            self.lockouts,
            self.starved
        )
    }
}

/// A law was broken. A world begins with its own seed, so that it can be seen again alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakage {
    /// The seed of the world in which it happened.
    pub seed: u64,
    /// The day in that world, from 1, with its date.
    pub day: (u32, chrono::NaiveDate),
    /// The step in that world.
    pub step: u64,
    pub(crate) broken: Broken,
}

impl fmt::Display for Breakage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, date) = self.day;
        writeln!(
            f,
            "broken: {}: {}\nseed {}, day {day} ({}), step {}",
            self.broken.law,
            self.broken.what,
            self.seed,
            crate::calendar::label(date),
            self.step
        )?;
        write!(
            f,
            "again, with the steps in words: riskctl simulate-days --seed {} --days {day} --from-step {}",
            self.seed,
            self.step.saturating_sub(60)
        )
    }
}

impl std::error::Error for Breakage {}

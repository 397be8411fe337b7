//! What goes into the core and what comes out of it, and in which order.

use chrono::TimeDelta;
use domain::{
    Instant, Instrument,
    broker::{Ask, CallId, LoginError, Signal},
};
use store::{Durability, Record};
use views::{
    control::DifferenceView,
    text::{Keyring, Zones},
    view::Protection,
};

use super::{Files, Told};
use crate::journal::Taken;

/// Facts of one run.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The broker in the words of people: `TopstepX`, `Demo`.
    pub broker: String,
    /// How the engine runs: `tray`, `headless`, `demo`, or [`DRY_RUN`](super::DRY_RUN).
    pub mode: String,
    /// Zones of the people who read, where the settings name none.
    pub zones: Zones,
    /// When this run began.
    pub started: Instant,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// From the broker.
    Signal(Signal),
    /// Time has passed.
    Tick,
    /// The settings files were read, at the start or because they changed, and can be used.
    Files(Box<Files>),
    /// The files changed and cannot be used: what was in force stays so.
    SettingsRefused(String),
    /// Whether the settings files can be used; otherwise why not.
    Settings(Result<(), String>),
    /// The database was lost or damaged, and another one took its place: what people are told of it.
    DatabaseReplaced(String),
    /// A file tried to weaken RULE-008; it is enforced all the same.
    StopRuleForced,
    /// A backup failed: why.
    NoBackup(String),
    /// Whether what must be kept can be written; otherwise why not.
    Disk(Result<(), String>),
    /// Whether there are credentials; otherwise why the keyring does not tell.
    Credentials(Result<bool, Keyring>),
    /// How far this computer's clock is ahead of the broker's.
    ClockApart(TimeDelta),
    /// Engine time was put forward by so much.
    Stepped(TimeDelta),
    /// This computer slept, or its clock jumped: everything may have changed.
    Jumped,
}

/// Something to do, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write this; with [`Durability::Flush`] before anything that follows.
    Write {
        /// What.
        records: Vec<Record>,
        /// How safely.
        durability: Durability,
    },
    /// Ask the broker.
    Send(Ask),
    /// Tell people, and keep what was told.
    Tell(Told),
    /// The first reconcile has been judged: accounts and what protects them.
    Protected(Protection),
    /// The login was refused by code.
    Refused(LoginError),
    /// What the engine was told, in order: for the journal.
    Took(Vec<Taken>),
    /// What a search of contracts found, or why it found nothing.
    Found {
        /// The call that [`Core::search`](super::Core::search) made.
        search: CallId,
        /// The contracts.
        found: Result<Vec<Instrument>, String>,
    },
    /// What [`Core::review`](super::Core::review) came to, or why it came to nothing.
    Reviewed(Result<Vec<DifferenceView>, String>),
}

/// What one input brings about, collected so that it comes out in the right order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub records: Vec<Record>,
    pub flush: bool,
    pub asks: Vec<Ask>,
    pub notes: Vec<Told>,
    pub signs: Vec<Output>,
    pub taken: Vec<Taken>,
}

impl Batch {
    pub fn durable(&mut self, record: Record) {
        self.records.push(record);
        self.flush = true;
    }

    pub fn lazy(&mut self, record: Record) {
        self.records.push(record);
    }

    pub fn into_outputs(self) -> Vec<Output> {
        let durability = if self.flush { Durability::Flush } else { Durability::Lazy };
        let write = (!self.records.is_empty()).then_some(Output::Write { records: self.records, durability });
        let asks = self.asks.into_iter().map(Output::Send);
        let notes = self.notes.into_iter().map(Output::Tell);
        let took = (!self.taken.is_empty()).then_some(Output::Took(self.taken));
        write.into_iter().chain(asks).chain(notes).chain(self.signs).chain(took).collect()
    }
}

//! The writing thread in virtual time: what waits for it, what a crash takes from it, and a disk that does
//! not answer for a while. The database is a real one.

use std::{collections::VecDeque, path::Path};

use domain::Instant;
use store::{Durability, Opened, Record, Store, Written};

/// A store behind a queue.
#[derive(Debug)]
pub(crate) struct Disk {
    store: Store,
    waiting: VecDeque<Vec<Record>>,
    is_broken: bool,
    /// What was told to the loop last.
    told: Result<(), String>,
}

/// A record that is in the database now.
pub(crate) type Kept = (Record, Written);

impl Disk {
    /// Opens a home, as an engine does at its start.
    pub fn open(home: &Path, wall: Instant) -> Result<Self, String> {
        let Opened { store, .. } = Store::open(home, wall).map_err(|error| error.to_string())?;
        Ok(Self { store, waiting: VecDeque::new(), is_broken: false, told: Ok(()) })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps records until there is time; a crash takes them.
    pub fn write_lazily(&mut self, records: Vec<Record>) {
        self.waiting.push_back(records);
    }

    /// Writes everything up to these records and flushes it. While the disk is broken, everything waits.
    pub fn flush(&mut self, records: Vec<Record>) -> Result<Vec<Kept>, String> {
        self.waiting.push_back(records);
        if self.is_broken {
            self.told = Err("the disk does not answer within 50 ms".to_string());
            return self.told.clone().map(|()| Vec::new());
        }
        self.write_all(Durability::Flush)
    }

    /// The thread has time: everything that waits is written.
    pub fn breathe(&mut self) -> Result<Vec<Kept>, String> {
        if self.is_broken || self.waiting.is_empty() {
            return Ok(Vec::new());
        }
        self.write_all(Durability::Lazy)
    }

    pub fn break_down(&mut self, is_broken: bool) {
        self.is_broken = is_broken;
    }

    /// The state that is news for the loop, if it is.
    pub fn news(&mut self) -> Option<Result<(), String>> {
        let state = if self.is_broken { Err("the disk does not answer".to_string()) } else { Ok(()) };
        (self.told != state).then(|| {
            self.told.clone_from(&state);
            state
        })
    }

    fn write_all(&mut self, durability: Durability) -> Result<Vec<Kept>, String> {
        let mut kept = Vec::new();
        while let Some(records) = self.waiting.pop_front() {
            // Each batch is one commit; the last one decides how safe all of them are.
            let last = self.waiting.is_empty();
            let durability = if last { durability } else { Durability::Lazy };
            let written = self.store.commit(&records, durability).map_err(|error| error.to_string())?;
            kept.extend(records.into_iter().zip(written));
        }
        self.store.settle().map_err(|error| error.to_string())?;
        Ok(kept)
    }
}

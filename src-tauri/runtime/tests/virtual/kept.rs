//! What was written down, and what a restart finds of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{EnforcementId, LockKey, Lockout, Memory, memory::KnownFill};
use runtime::core::Accepted;
use store::{AuditAction, ConfigSnapshot, Durability, Intent, Record};

#[derive(Clone, Debug, Default)]
struct State {
    memory: Memory,
    locks: BTreeMap<LockKey, Lockout>,
    pending: BTreeMap<EnforcementId, Intent>,
    config: Option<ConfigSnapshot>,
    notes: Vec<String>,
}

/// A store in memory: flushed records survive a loss of power, the others only the end of the process.
#[derive(Debug, Default)]
pub struct Kept {
    /// Names of the measurements that were kept.
    pub metrics: BTreeSet<String>,
    /// Of the positions kept last: whether a stop covers them.
    pub covered: Vec<Option<bool>>,
    /// What was wrong with the account kept last.
    pub trouble: Option<String>,
    now: State,
    flushed: State,
}

impl Kept {
    pub fn write(&mut self, records: &[Record], durability: Durability) {
        for record in records {
            if let Record::Metric { name, .. } = record {
                self.metrics.insert(name.clone());
            }
            if let Record::Positions { held, .. } = record {
                self.covered = held.iter().map(|it| it.stop_covered).collect();
            }
            if let Record::Account(figures) = record {
                self.trouble.clone_from(&figures.error);
            }
            self.now.take(record);
        }
        if durability == Durability::Flush {
            self.flushed = self.now.clone();
        }
    }

    pub fn lose_power(&mut self) {
        self.now = self.flushed.clone();
    }

    /// What a start is given.
    pub fn recall(&self) -> (Memory, Vec<Intent>) {
        let mut memory = self.now.memory.clone();
        for lockout in self.now.locks.values() {
            memory.accounts.entry(lockout.key.account.clone()).or_default().lockouts.push(lockout.clone());
        }
        (memory, self.now.pending.values().cloned().collect())
    }

    /// The settings that were accepted last.
    pub fn accepted(&self) -> Option<Accepted> {
        self.now.config.as_ref().and_then(Accepted::of)
    }

    /// What the audit says about settings.
    pub fn settings_told(&self) -> &[String] {
        &self.now.notes
    }

    /// Enforcements without a result.
    pub fn pending(&self) -> impl Iterator<Item = &Intent> {
        self.now.pending.values()
    }
}

impl State {
    fn take(&mut self, record: &Record) {
        match record {
            Record::Lock { lockout, .. } => {
                self.locks.insert(lockout.key.clone(), (**lockout).clone());
            }
            Record::Unlock { key, .. } => {
                self.locks.remove(key);
            }
            Record::Intent(intent) => {
                let id = intent.enforcement.id;
                self.memory.next_enforcement = self.memory.next_enforcement.max(id.0 + 1);
                self.pending.insert(id, (**intent).clone());
            }
            Record::Receipt(receipt) => {
                self.pending.remove(&receipt.enforcement);
            }
            Record::Fill(record) => {
                let account = self.memory.accounts.entry(record.fill.account.clone()).or_default();
                account.fills.retain(|known| known.fill.id != record.fill.id);
                let (fill, own, locked) = (record.fill.clone(), record.own, record.locked);
                account.fills.push(KnownFill { fill, own, locked });
            }
            Record::StopDeadline { account, contract, deadline } => {
                let deadlines = &mut self.memory.accounts.entry(account.clone()).or_default().stop_deadlines;
                match deadline {
                    Some(deadline) => deadlines.insert(contract.clone(), *deadline),
                    None => deadlines.remove(contract),
                };
            }
            Record::Managed { account, contract, managed } => {
                let kept = &mut self.memory.accounts.entry(account.clone()).or_default().managed;
                match managed {
                    Some(managed) => kept.insert(contract.clone(), (**managed).clone()),
                    None => kept.remove(contract),
                };
            }
            Record::Day(day) => {
                let account = self.memory.accounts.entry(day.account.clone()).or_default();
                account.day = Some(day.figures.clone());
            }
            Record::Seen(at) => self.memory.last_seen = Some(*at),
            Record::Config(snapshot) => self.config = Some((**snapshot).clone()),
            Record::Instrument { instrument, .. } => {
                self.memory.instruments.retain(|known| known.contract != instrument.contract);
                self.memory.instruments.push((**instrument).clone());
            }
            Record::Note(note) if note.action == AuditAction::Settings => {
                self.notes.push(note.reason.clone());
            }
            Record::Note(_)
            | Record::Reset(_)
            | Record::BackedUp { .. }
            | Record::Account(_)
            | Record::Positions { .. }
            | Record::Order { .. }
            | Record::Orders { .. }
            | Record::Coverage(_)
            | Record::Metric { .. }
            | Record::Link { .. }
            | Record::Alert(_)
            | Record::ClockIn { .. }
            | Record::ClockOut { .. } => {}
        }
    }
}

//! What is due later, in order of time and then of planning. Never holds more than a few tasks per
//! order and one per contract: each task is planned by something bounded.

use std::collections::BTreeMap;

use domain::Instant;

use super::{catalogue::ContractIndex, hub::Hub};

/// Something that is due later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// The next step of a contract's walk.
    Step(ContractIndex),
    /// The standing quote of a contract is told once more.
    Repeat(ContractIndex),
    /// The next execution of an order.
    Fill(i64),
    /// The end of a rejected order.
    Reject(i64),
    /// A suspended child starts to work.
    Activate(i64),
    /// The other leg of a filled child ends.
    CancelSibling(i64),
    /// The account event is sent once more.
    AccountEcho(usize),
    /// An event that waits for its successor goes out alone.
    ReleaseHeld,
    /// A hub speaks again.
    SilenceOver(Hub),
}

/// The tasks.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    tasks: BTreeMap<(Instant, u64), Task>,
    planned: u64,
}

impl Schedule {
    pub(super) fn plan(&mut self, at: Instant, task: Task) {
        self.planned += 1;
        self.tasks.insert((at, self.planned), task);
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        self.tasks.first_key_value().map(|((at, _), _)| *at)
    }

    /// The earliest task that is due at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Task> {
        let due = self.tasks.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(due.remove())
    }
}

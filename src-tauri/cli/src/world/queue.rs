//! What is to happen, in the order of time and then of planning.

use std::collections::BTreeMap;

use domain::Instant;

/// A queue of things to happen. Holds a bounded number for each source: timers replace each other, requests
/// and frames are limited by the port and the simulator.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    waiting: BTreeMap<(Instant, u64), E>,
    planned: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), planned: 0 }
    }
}

impl<E> Queue<E> {
    pub fn plan(&mut self, at: Instant, event: E) {
        self.planned += 1;
        self.waiting.insert((at, self.planned), event);
    }

    pub fn next_at(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    pub fn pop(&mut self) -> Option<(Instant, E)> {
        self.waiting.pop_first().map(|((at, _), event)| (at, event))
    }

    /// Takes out whatever is of no use any more.
    pub fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        self.waiting.retain(|_, event| keep(event));
    }
}

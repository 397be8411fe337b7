//! What has ended and must not come to life again by a late delivery. Judges nothing.

use std::collections::BTreeMap;

use domain::Instant;

/// Ended orders and closed positions that are remembered, so that a late delivery can't revive them.
/// When full, the oldest is forgotten; a revived ghost then lasts until the next reconcile.
pub(crate) const REMEMBERED_ENDS: usize = 1_000;

/// A bounded memory of what has ended.
#[derive(Clone, Debug)]
pub(crate) struct Remembered<T> {
    all: BTreeMap<T, Life>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    first_heard: Instant,
    ended: Instant,
}

impl<T: Ord + Clone> Default for Remembered<T> {
    fn default() -> Self {
        Self { all: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Remembered<T> {
    pub(crate) fn add(&mut self, item: T, first_heard: Instant, ended: Instant) {
        self.all.insert(item, Life { first_heard, ended });
        if self.all.len() > REMEMBERED_ENDS {
            let oldest = self.all.iter().min_by_key(|(_, life)| life.ended).map(|(item, _)| item.clone());
            if let Some(oldest) = oldest {
                self.all.remove(&oldest);
            }
        }
    }

    pub(crate) fn has(&self, item: &T) -> bool {
        self.all.contains_key(item)
    }

    pub(crate) fn first_heard(&self, item: &T) -> Option<Instant> {
        self.all.get(item).map(|life| life.first_heard)
    }

    /// When it ended.
    pub(crate) fn since(&self, item: &T) -> Option<Instant> {
        self.all.get(item).map(|life| life.ended)
    }

    pub(crate) fn forget(&mut self, item: &T) {
        self.all.remove(item);
    }
}

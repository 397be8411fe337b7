//! What is wrong and must be right again within a time.

use std::{collections::BTreeMap, fmt::Debug};

use chrono::TimeDelta;
use domain::Instant;

use super::{Answering, Scene};

/// Things that are wrong, each since a moment.
#[derive(Debug)]
pub(super) struct Debts<K> {
    open: BTreeMap<K, Debt>,
    answers: Answers,
}

#[derive(Clone, Copy, Debug)]
struct Debt {
    /// When it was first met, or when it last became worse.
    since: Instant,
    met: Instant,
    troubled: bool,
}

/// How many debts were paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub count: u64,
    /// The longest that took while nothing was the matter.
    pub longest: TimeDelta,
}

impl Answers {
    pub fn with(self, other: Self) -> Self {
        Self { count: self.count + other.count, longest: self.longest.max(other.longest) }
    }
}

impl<K> Default for Debts<K> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), answers: Answers::default() }
    }
}

impl<K: Ord + Clone + Debug> Debts<K> {
    /// Takes what is wrong now, and when it last became worse; everything else is right again. Says what is
    /// overdue.
    pub fn update(&mut self, wrong: Vec<(K, Instant)>, scene: &Scene<'_>) -> Result<(), String> {
        let Scene { now, answering, .. } = scene;
        self.pay(&wrong, *now, *answering);
        for (key, since) in wrong {
            let debt =
                self.open.entry(key.clone()).or_insert(Debt { since: *now, met: *now, troubled: false });
            debt.since = debt.since.max(since);
            debt.troubled |= !answering.is_calm(*now);
            if scene.answering.due(debt.since).is_some_and(|due| *now > due) {
                let wrong_for = (*now - debt.since).num_milliseconds();
                return Err(format!("{key:?} is wrong since {} ({wrong_for} ms)", debt.since));
            }
        }
        Ok(())
    }

    /// Since when something has been wrong.
    pub fn met(&self, key: &K) -> Option<Instant> {
        self.open.get(key).map(|debt| debt.met)
    }

    pub fn answers(&self) -> Answers {
        self.answers
    }

    fn pay(&mut self, wrong: &[(K, Instant)], now: Instant, answering: Answering) {
        let answers = &mut self.answers;
        self.open.retain(|key, debt| {
            let stays = wrong.iter().any(|(it, _)| it == key);
            if !stays {
                answers.count += 1;
                if !debt.troubled && answering.is_calm(now) {
                    answers.longest = answers.longest.max(now - debt.since);
                }
            }
            stays
        });
    }
}

//! Content-based de-duplication (specification C.2): the latest content of each object on one
//! connection, so that its identical repetition is not told as a new fact.
//!
//! Compares whole rows and knows no time window: different content always passes (L-09).

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use crate::wire::model;

/// Objects remembered per kind. When full, the one met first is forgotten: its next repetition passes,
/// which receivers bear because they are idempotent.
pub const SEEN_LIMIT: usize = 4_096;

/// What was met on this connection. Positions are left out on purpose: a repeated, unchanged position is
/// a hint that protective orders changed (specification C.9, L-09).
#[derive(Clone, Debug, Default)]
pub struct Seen {
    accounts: Latest<i64, model::Account>,
    orders: Latest<i64, model::Order>,
    trades: Latest<i64, model::Trade>,
    quotes: Latest<String, model::Quote>,
}

impl Seen {
    /// Whether this account was told exactly so before.
    pub fn account(&mut self, row: &model::Account) -> bool {
        self.accounts.is_repeated(&row.id, row)
    }

    /// Whether this order was told exactly so before.
    pub fn order(&mut self, row: &model::Order) -> bool {
        self.orders.is_repeated(&row.id, row)
    }

    /// Whether this trade was told exactly so before.
    pub fn trade(&mut self, row: &model::Trade) -> bool {
        self.trades.is_repeated(&row.id, row)
    }

    /// Whether this very quote of the contract was told last.
    pub fn quote(&mut self, contract: &str, row: &model::Quote) -> bool {
        self.quotes.is_repeated(&contract.to_string(), row)
    }
}

/// The latest content by id, bounded.
#[derive(Clone, Debug)]
struct Latest<K, V> {
    rows: HashMap<K, V>,
    first_met: VecDeque<K>,
}

impl<K, V> Default for Latest<K, V> {
    fn default() -> Self {
        Self { rows: HashMap::new(), first_met: VecDeque::new() }
    }
}

impl<K: Clone + Eq + std::hash::Hash, V: Clone + PartialEq> Latest<K, V> {
    fn is_repeated(&mut self, key: &K, row: &V) -> bool {
        match self.rows.entry(key.clone()) {
            Entry::Occupied(known) if known.get() == row => true,
            Entry::Occupied(mut known) => {
                known.insert(row.clone());
                false
            }
            Entry::Vacant(free) => {
                free.insert(row.clone());
                self.first_met.push_back(key.clone());
                self.forget_the_first();
                false
            }
        }
    }

    fn forget_the_first(&mut self) {
        if self.first_met.len() > SEEN_LIMIT
            && let Some(key) = self.first_met.pop_front()
        {
            self.rows.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_content_counts_as_repeated() {
        let mut latest = Latest::default();
        let told: Vec<bool> =
            ["a", "a", "b", "a", "a"].iter().map(|row| latest.is_repeated(&1, row)).collect();
        assert_eq!(told, [false, true, false, false, true]);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut latest = Latest::default();
        for id in 0..=SEEN_LIMIT {
            assert!(!latest.is_repeated(&id, &"row"));
        }
        assert_eq!(latest.rows.len(), SEEN_LIMIT);
        assert!(latest.is_repeated(&SEEN_LIMIT, &"row"));
        assert!(!latest.is_repeated(&0, &"row"));
    }
}

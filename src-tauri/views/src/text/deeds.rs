//! What was done, or would have been done, at the broker.

use domain::{Contracts, Instant, Symbol};

use super::{time, words};

/// Deeds at one account, as seen at the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Contracts closed, by root.
    pub closed: Vec<(Contracts, Symbol)>,
    /// Orders cancelled.
    pub cancelled: u32,
    /// Protective orders made smaller.
    pub shrunk: u32,
    /// Protective orders placed.
    pub placed: u32,
    /// Protective orders brought to another size or price.
    pub moved: u32,
}

impl Deeds {
    /// `Closed 2 MNQ, cancelled 1 order.`
    #[must_use]
    pub fn done(&self) -> String {
        match self.parts().join(", ") {
            nothing if nothing.is_empty() => "Nothing was open.".to_owned(),
            deeds => format!("{}.", capitalised(&deeds)),
        }
    }

    /// `Would have closed 2 MNQ and locked until 5:00 PM CT.`
    #[must_use]
    pub fn would(&self, lock: Option<WouldLock>, now: Instant) -> String {
        let lock = lock.map(|lock| match lock {
            WouldLock::Until(at) => format!("locked until {}", time::schedule(at, now)),
            WouldLock::Open => "locked".to_owned(),
        });
        match self.parts().into_iter().chain(lock).collect::<Vec<_>>().as_slice() {
            [] => "Nothing would have been done.".to_owned(),
            some => format!("Would have {}.", words::listed(some)),
        }
    }

    fn parts(&self) -> Vec<String> {
        let sizes: Vec<String> =
            self.closed.iter().map(|(contracts, symbol)| words::size(*contracts, symbol)).collect();
        let closed = (!sizes.is_empty()).then(|| format!("closed {}", words::listed(&sizes)));
        let cancelled =
            (self.cancelled > 0).then(|| format!("cancelled {}", words::count(self.cancelled, "order")));
        let shrunk =
            (self.shrunk > 0).then(|| format!("made {} smaller", words::count(self.shrunk, "order")));
        let placed = (self.placed > 0).then(|| format!("placed {}", words::count(self.placed, "order")));
        let moved = (self.moved > 0).then(|| format!("moved {}", words::count(self.moved, "order")));
        [closed, cancelled, shrunk, placed, moved].into_iter().flatten().collect()
    }
}

/// The lock that an observing rule would have set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WouldLock {
    /// Until a time.
    Until(Instant),
    /// Without a known end.
    Open,
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deeds(closed: &[(u32, &str)], cancelled: u32) -> Deeds {
        let closed = closed.iter().map(|(size, symbol)| (Contracts(*size), Symbol::new(symbol))).collect();
        Deeds { closed, cancelled, ..Deeds::default() }
    }

    #[test]
    fn deeds_done() {
        assert_eq!(deeds(&[(2, "MNQ")], 1).done(), "Closed 2 MNQ, cancelled 1 order.");
        assert_eq!(deeds(&[(2, "MNQ"), (1, "ES")], 3).done(), "Closed 2 MNQ and 1 ES, cancelled 3 orders.");
        assert_eq!(deeds(&[], 2).done(), "Cancelled 2 orders.");
        assert_eq!(deeds(&[], 0).done(), "Nothing was open.");
        assert_eq!(Deeds { shrunk: 1, ..Deeds::default() }.done(), "Made 1 order smaller.");
        assert_eq!(Deeds { placed: 1, ..Deeds::default() }.done(), "Placed 1 order.");
        assert_eq!(Deeds { moved: 1, ..Deeds::default() }.done(), "Moved 1 order.");
    }

    #[test]
    fn deeds_that_were_only_observed() {
        let now = "2025-11-18T17:26:40Z".parse().unwrap();
        let reset = WouldLock::Until("2025-11-18T23:00:00Z".parse().unwrap());
        assert_eq!(
            deeds(&[(2, "MNQ")], 0).would(Some(reset), now),
            "Would have closed 2 MNQ and locked until 5:00 PM CT."
        );
        assert_eq!(
            deeds(&[(2, "MNQ")], 1).would(None, now),
            "Would have closed 2 MNQ and cancelled 1 order."
        );
        assert_eq!(Deeds::default().would(Some(WouldLock::Open), now), "Would have locked.");
    }
}

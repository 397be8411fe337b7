//! The rate limit: 200 requests in 60 s, history bars 50 in 30 s, in a sliding window per token
//! (gateway reference 2.5, 11.2). A refused request does not count.

use std::collections::VecDeque;

use chrono::TimeDelta;
use domain::Instant;

/// What is limited together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// `History/retrieveBars`.
    Bars,
    /// Everything else.
    Other,
}

/// Recent calls of one token.
#[derive(Debug, Default)]
pub(super) struct Window {
    bars: VecDeque<Instant>,
    other: VecDeque<Instant>,
}

impl Scope {
    /// Calls, and the seconds in which they are counted.
    const fn limit(self) -> (usize, i64) {
        match self {
            Self::Bars => (50, 30),
            Self::Other => (200, 60),
        }
    }
}

impl Window {
    /// Counts a call, or says in how many seconds the next one will be taken.
    pub(super) fn take(&mut self, now: Instant, scope: Scope) -> Result<(), i64> {
        let (most, seconds) = scope.limit();
        let calls = match scope {
            Scope::Bars => &mut self.bars,
            Scope::Other => &mut self.other,
        };
        let span = TimeDelta::seconds(seconds);
        while calls.front().is_some_and(|oldest| *oldest + span <= now) {
            calls.pop_front();
        }
        match calls.front() {
            Some(oldest) if calls.len() >= most => {
                Err(((*oldest + span - now).num_milliseconds() + 999) / 1_000)
            }
            Some(_) | None => {
                calls.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let start: Instant = "2026-06-10T14:00:00Z".parse().unwrap();
        let mut window = Window::default();
        for call in 0..200 {
            assert_eq!(window.take(start + TimeDelta::milliseconds(call * 100), Scope::Other), Ok(()));
        }
        let at = |seconds: i64| start + TimeDelta::seconds(seconds);
        assert_eq!(window.take(at(20), Scope::Other), Err(40));
        for _ in 0..50 {
            assert_eq!(window.take(at(20), Scope::Bars), Ok(()), "bars are counted apart");
        }
        assert_eq!(window.take(at(20), Scope::Bars), Err(30));
        assert_eq!(window.take(at(60), Scope::Other), Ok(()), "the first call has left the window");
        assert_eq!(window.take(at(60), Scope::Other), Err(1));
    }
}

//! Waiting times between attempts: at once, then about 1 s, doubling, capped (ruling 19).
//!
//! Draws no random numbers and reads no clock: the caller brings the jitter.

use std::time::Duration;

/// First waiting time that is not zero.
pub const FIRST: Duration = Duration::from_secs(1);

/// Longest waiting time.
pub const CAP: Duration = Duration::from_secs(15);

/// How often something has been tried in vain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The time to wait before the next attempt. `jitter` from 0 to 1 takes away up to half of it, so
    /// that many clients do not return in step and the cap holds.
    pub fn next(&mut self, jitter: f64) -> Duration {
        let doublings = self.attempts.checked_sub(1);
        self.attempts = self.attempts.saturating_add(1);
        match doublings {
            None => Duration::ZERO,
            Some(doublings) => {
                let full = FIRST.saturating_mul(1 << doublings.min(8)).min(CAP);
                full.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
            }
        }
    }

    /// Leaves out the attempt that costs no waiting: the other side asked to be left alone.
    pub fn not_at_once(&mut self) {
        self.attempts = self.attempts.max(1);
    }

    /// It worked: the next attempt is a first one again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_cap() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..7).map(|_| backoff.next(0.0).as_secs()).collect();
        assert_eq!(waits, [0, 1, 2, 4, 8, 15, 15]);
        assert_eq!(backoff.next(1.0), CAP / 2);
        backoff.reset();
        assert_eq!(backoff.next(0.5), Duration::ZERO);
    }

    #[test]
    fn no_number_of_attempts_overflows() {
        let mut backoff = Backoff { attempts: u32::MAX };
        assert_eq!(backoff.next(0.0), CAP);
        backoff.reset();
        backoff.not_at_once();
        assert_eq!(backoff.next(0.0), FIRST);
    }
}

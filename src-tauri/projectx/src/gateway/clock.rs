//! The clock of this shell: tokio's monotonic one, which tests can hold and turn, and the system's.

use domain::Instant;

/// Monotonic time for stamps and for the inner parts.
pub(super) fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

/// The system's own idea of the time; used only where the broker did not tell its own.
pub(super) fn system_time() -> Instant {
    chrono::Utc::now()
}

/// The monotonic clock, as the rate budget wants it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Monotonic;

impl governor::clock::Clock for Monotonic {
    type Instant = std::time::Instant;

    fn now(&self) -> std::time::Instant {
        now()
    }
}

/// A number from 0 to 1 by which waiting times are shortened.
pub(super) fn jitter() -> f64 {
    rand::random()
}

//! Waiting for something to become true, never for time to pass.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Longest wait of an ordinary step. Far more than anything takes: two cores are shared by many scenarios.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(15);

/// Waits until a condition holds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Waits until something is there, and returns it.
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    patiently(PATIENCE, what, look)
}

/// Waits for something that takes milliseconds.
pub fn wait_closely<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    every(Duration::from_millis(1), PATIENCE, what, look)
}

/// Waits with a limit of its own.
pub fn patiently<T>(limit: Duration, what: &str, look: impl FnMut() -> Option<T>) -> T {
    every(PAUSE, limit, what, look)
}

fn every<T>(pause: Duration, limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain for {what}", limit.as_secs());
        thread::sleep(pause);
    }
}

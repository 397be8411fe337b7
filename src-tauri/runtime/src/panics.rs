//! Panics belong into the log with the way that led to them: a program without a terminal has no other place to
//! say so (specification C.18).

use std::{
    backtrace::Backtrace,
    panic,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A mistake that is made again and again is written once within this time.
const SAME_PLACE: Duration = Duration::from_secs(60);

/// From now on every panic of this process goes into the log `errors`, beside whatever was done with it before.
pub fn log() {
    let before = panic::take_hook();
    let latest: Mutex<Option<(String, Instant)>> = Mutex::new(None);
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let now = Instant::now();
        {
            let mut latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
            if latest.as_ref().is_some_and(|(known, at)| *known == place && now - *at < SAME_PLACE) {
                return;
            }
            *latest = Some((place, now));
        }
        tracing::error!(target: "errors", backtrace = %Backtrace::force_capture(), "{panic}");
        before(panic);
    }));
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    #[test]
    fn a_panic_stands_in_the_log_with_the_way_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let home = crate::Home::find(Some(directory.path())).unwrap();
        let guard = crate::logs::start(&home, Some(Level::ERROR), "broker").unwrap();
        for _ in 0..2 {
            let _ = std::thread::spawn(|| panic!("a mistake")).join();
        }
        drop(guard);
        let files = std::fs::read_dir(home.logs()).unwrap().map(|file| file.unwrap().path());
        let errors = files.filter(|file| file.display().to_string().contains("errors"));
        let lines: String = errors.map(|file| std::fs::read_to_string(file).unwrap()).collect();
        assert_eq!(lines.matches("a mistake").count(), 1, "once a minute: {lines}");
        assert!(lines.contains("a_panic_stands_in_the_log"), "{lines}");
    }
}

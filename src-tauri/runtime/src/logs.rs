//! Log files by subject, one JSON object a line, rotated daily (specification C.18). Never holds a
//! secret: what could hold one is masked where it arises.

use std::{
    io::{self, IsTerminal, Write},
    mem,
    path::Path,
};

use tracing::Level;
use tracing_appender::{
    non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard},
    rolling::{RollingFileAppender, Rotation},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterFn, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::panics;

/// Log files: name, and for how many days they are kept.
const FILES: [(&str, usize); 4] = [("daemon", 30), ("enforcement", 90), ("api", 7), ("errors", 90)];

/// Lines that may wait for the disk, for each file; its queue is allocated at once, 32 bytes a line. When full,
/// further ones are left out.
const FILE_LINES: usize = 8_192;

/// Lines that may wait for whoever reads standard error. When full, further ones are left out there; the
/// files have them.
const CONSOLE_LINES: usize = 4_096;

/// Writes what is buffered when dropped; waits for a reader of standard error for a second at most.
#[derive(Debug)]
pub struct LogGuard {
    _files: Vec<WorkerGuard>,
    _console: ConsoleGuard,
}

#[derive(Debug)]
struct ConsoleGuard {
    worker: Option<WorkerGuard>,
    left_out: ErrorCounter,
}

impl Drop for ConsoleGuard {
    /// Where nobody reads, the worker cannot be told to end, and would complain on standard output.
    fn drop(&mut self) {
        if self.left_out.dropped_lines() > 0 {
            mem::forget(self.worker.take());
        }
    }
}

/// Logs into `directory`, and to standard error at `console` level or above; `RUST_LOG` overrides the
/// latter. `broker` is the crate whose words fill the file `api`. Does nothing when logging was started
/// before.
///
/// # Errors
/// The directory cannot be written.
pub fn start(directory: &Path, console: Level, broker: &'static str) -> io::Result<LogGuard> {
    std::fs::create_dir_all(directory)?;
    let mut files = Vec::new();
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    for (name, days) in FILES {
        let file = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(name)
            .filename_suffix("log")
            .max_log_files(days)
            .build(directory)
            .map_err(io::Error::other)?;
        let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(FILE_LINES).finish(file);
        files.push(guard);
        layers.push(fmt::layer().json().with_writer(writer).with_filter(subject(name, broker)).boxed());
    }
    let filter = EnvFilter::builder().with_default_directive(console.into()).from_env_lossy();
    // Colours are for eyes: what is redirected into a file stays plain.
    let (writer, console) = console_writer(io::stderr());
    let screen = fmt::layer()
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .compact()
        .with_filter(filter);
    layers.push(screen.boxed());
    // A second engine in one process, as in tests, shares the first one's log.
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        panics::log();
    }
    Ok(LogGuard { _files: files, _console: console })
}

/// A writer that waits for no reader.
fn console_writer(to: impl Write + Send + 'static) -> (NonBlocking, ConsoleGuard) {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(CONSOLE_LINES);
    let (writer, worker) = builder.finish(to);
    let left_out = writer.error_counter();
    (writer, ConsoleGuard { worker: Some(worker), left_out })
}

/// Which events belong into a file.
fn subject(name: &'static str, broker: &'static str) -> FilterFn<impl Fn(&tracing::Metadata<'_>) -> bool> {
    filter_fn(move |event| {
        let target = event.target();
        let is_api = target.starts_with(broker);
        match name {
            "errors" => *event.level() <= Level::WARN,
            "enforcement" => target == "enforcement",
            "api" => is_api,
            _ => !is_api && target != "enforcement" && *event.level() <= Level::INFO,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc::{Receiver, Sender, channel},
        thread,
        time::Duration,
    };

    use super::*;

    /// A terminal that is held: it takes nothing until it is let go.
    struct Held {
        until: Receiver<()>,
        shown: Sender<Vec<u8>>,
    }

    impl Write for Held {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let _ = self.until.recv();
            let _ = self.shown.send(line.to_vec());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_that_is_held_stops_nobody() {
        let (release, until) = channel();
        let (shown, lines) = channel();
        let (mut writer, guard) = console_writer(Held { until, shown });
        let (done, written) = channel();
        thread::spawn(move || {
            for _ in 0..2 * CONSOLE_LINES {
                writer.write_all(b"line\n").unwrap();
            }
            done.send(writer.error_counter().dropped_lines()).unwrap();
        });
        let left_out = written.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(left_out >= CONSOLE_LINES - 1, "{left_out} left out: what waits is bounded");
        drop(guard);
        drop(release);
        let shown = std::iter::from_fn(|| lines.recv_timeout(Duration::from_secs(30)).ok());
        assert_eq!(shown.take(2 * CONSOLE_LINES - left_out).count(), 2 * CONSOLE_LINES - left_out);
    }

    #[test]
    fn what_was_said_last_is_shown() {
        let (release, until) = channel();
        let (shown, lines) = channel();
        let (mut writer, guard) = console_writer(Held { until, shown });
        drop(release);
        writer.write_all(b"goodbye\n").unwrap();
        drop(guard);
        assert_eq!(lines.try_recv().unwrap(), b"goodbye\n");
    }
}

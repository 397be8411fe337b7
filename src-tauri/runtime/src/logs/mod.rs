//! Log files by subject, one JSON object a line, turned over daily and when they are full (specification
//! C.18), as `general.logging` in risk.yaml says. Never holds a secret: what could hold one is masked where
//! it arises.

mod files;
mod folded;

use std::{
    io::{self, IsTerminal, Write},
    mem,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU8, Ordering},
};

use chrono::{NaiveDate, Utc};
use config::{LogLevel, Logging};
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterFn, filter_fn},
    fmt,
    layer::{Filter, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{home::Home, panics};
use files::{Files, Terms};
use folded::Folded;

/// Log files: name, and for how many days they are kept. `None`: as the settings say.
const FILES: [(&str, Option<u32>); 4] =
    [("daemon", None), ("enforcement", Some(90)), ("api", Some(7)), ("errors", Some(90))];

/// First parts of the targets of our own lines, beside the broker's crate. Others are never written in detail:
/// nothing masks what they might show of a login.
const OURS: [&str; 12] = [
    "daemon",
    "enforcement",
    "errors",
    "domain",
    "engine",
    "config",
    "store",
    "views",
    "runtime",
    "simulator",
    "riskctl",
    "risk_manager",
];

/// In the order of [`LogLevel`].
const LEVELS: [Level; 4] = [Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];

/// The least that is written, as a place in [`LEVELS`]. One for the process, as its log is.
static LEAST: AtomicU8 = AtomicU8::new(LogLevel::Info as u8);

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

/// Logs into files as the settings of a home say, and to standard error at `console` level or above; `None`:
/// what goes into the files is shown there as well. `RUST_LOG` overrides what is shown. `broker` is the
/// crate whose words fill the file `api`. Does nothing when logging was started before.
///
/// The settings are not judged yet; what of them cannot be read counts as not said.
///
/// # Errors
/// Neither the folder of the settings nor the one of the home can be written.
pub fn start(home: &Home, console: Option<Level>, broker: &'static str) -> io::Result<LogGuard> {
    let logging = config::glance(&home.config(), &crate::settings::environment).logging;
    set_level(logging.level);
    let (opened, trouble) = open(home, &logging)?;
    let mut files = Vec::new();
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    for (name, file) in opened {
        let builder = NonBlockingBuilder::default().buffered_lines_limit(FILE_LINES);
        let (writer, guard) = builder.finish(Folded::new(file, broker));
        files.push(guard);
        layers.push(fmt::layer().json().with_writer(writer).with_filter(subject(name, broker)).boxed());
    }
    // Colours are for eyes: what is redirected into a file stays plain.
    let (writer, guard) = console_writer(io::stderr());
    let screen = fmt::layer()
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .compact()
        .with_filter(shown(console, broker));
    layers.push(screen.boxed());
    // A second engine in one process, as in tests, shares the first one's log.
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        panics::log();
    }
    if let Some(trouble) = trouble {
        tracing::error!(target: "errors", "{trouble}");
    }
    Ok(LogGuard { _files: files, _console: guard })
}

/// From now on this is the least that is written.
pub(crate) fn set_level(level: LogLevel) {
    LEAST.store(level as u8, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

type Opened = Vec<(&'static str, Files)>;

/// The files in the folder that the settings name; where that cannot be written, those of the home, and why.
fn open(home: &Home, logging: &Logging) -> io::Result<(Opened, Option<String>)> {
    let wanted = folder(home, logging);
    match open_in(&wanted, logging) {
        Ok(opened) => Ok((opened, None)),
        Err(error) if wanted != home.logs() => {
            let trouble = format!(
                "general.logging.directory: {} cannot be written ({error}). The log files are in {}.",
                wanted.display(),
                home.logs().display()
            );
            Ok((open_in(&home.logs(), logging)?, Some(trouble)))
        }
        Err(error) => Err(error),
    }
}

fn open_in(directory: &Path, logging: &Logging) -> io::Result<Opened> {
    let file = |(name, days): (&'static str, Option<u32>)| {
        let terms = Terms {
            directory: directory.to_path_buf(),
            name,
            most_bytes: u64::from(logging.max_size_mb) << 20,
            days: days.unwrap_or(logging.retention_days),
        };
        Ok((name, Files::open(terms, today)?))
    };
    FILES.into_iter().map(file).collect()
}

/// A path that is not absolute begins at the home.
fn folder(home: &Home, logging: &Logging) -> PathBuf {
    logging.directory.as_ref().map_or_else(|| home.logs(), |directory| home.path().join(directory))
}

fn today() -> NaiveDate {
    Utc::now().date_naive()
}

/// What is shown on standard error.
fn shown(console: Option<Level>, broker: &'static str) -> Box<dyn Filter<Registry> + Send + Sync> {
    let is_told = std::env::var_os(EnvFilter::DEFAULT_ENV).is_some_and(|it| !it.is_empty());
    match console {
        None if !is_told => Box::new(filter_fn(move |event| is_written(least(), event, broker))),
        _ => {
            let least = console.unwrap_or(Level::INFO);
            Box::new(EnvFilter::builder().with_default_directive(least.into()).from_env_lossy())
        }
    }
}

/// A writer that waits for no reader.
fn console_writer(to: impl Write + Send + 'static) -> (NonBlocking, ConsoleGuard) {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(CONSOLE_LINES);
    let (writer, worker) = builder.finish(to);
    let left_out = writer.error_counter();
    (writer, ConsoleGuard { worker: Some(worker), left_out })
}

/// Which events belong into a file.
fn subject(name: &'static str, broker: &'static str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(move |event| {
        let target = event.target();
        let is_api = target.starts_with(broker);
        let belongs = match name {
            "errors" => *event.level() <= Level::WARN,
            "enforcement" => target == "enforcement",
            "api" => is_api,
            _ => !is_api && target != "enforcement",
        };
        belongs && is_written(least_of(name), event, broker)
    })
}

/// Requests are detail everywhere but in the file that is for them (specification C.18).
fn least_of(name: &str) -> Level {
    match least() {
        Level::INFO if name == "api" => Level::DEBUG,
        least => least,
    }
}

fn is_written(least: Level, event: &Metadata<'_>, broker: &str) -> bool {
    let least = if is_ours(event.target(), broker) { least } else { least.min(Level::INFO) };
    *event.level() <= least
}

fn least() -> Level {
    LEVELS.get(usize::from(LEAST.load(Ordering::Relaxed))).copied().unwrap_or(Level::INFO)
}

fn is_ours(target: &str, broker: &str) -> bool {
    let first = target.split("::").next().unwrap_or_default();
    first == broker || OURS.contains(&first)
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

    /// What a file holds of a few events.
    fn written(least: Level) -> Vec<serde_json::Value> {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("log");
        let to = std::sync::Mutex::new(std::fs::File::create(&file).unwrap());
        let filter = filter_fn(move |event| is_written(least, event, "broker"));
        let layer = fmt::layer().json().with_writer(to).with_filter(filter);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::debug!(target: "daemon", "ours in detail");
            tracing::debug!(target: "h2::codec", "theirs in detail");
            tracing::info!(target: "h2::codec", "theirs");
            tracing::info!(target: "runtime::start", "two\n{{\"level\":\"ERROR\"}}\u{1b}[31m lines");
            tracing::warn!(target: "broker::stream", "a warning");
        });
        let text = std::fs::read_to_string(file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn detail_is_written_of_our_own_parts_only_and_no_text_makes_a_line_of_its_own() {
        let said = |least| -> Vec<String> {
            written(least)
                .iter()
                .map(|line| line["fields"]["message"].as_str().unwrap().to_string())
                .collect()
        };
        let [ours, theirs, lines, warning] =
            ["ours in detail", "theirs", "two\n{\"level\":\"ERROR\"}\u{1b}[31m lines", "a warning"];
        assert_eq!(said(Level::DEBUG), [ours, theirs, lines, warning]);
        assert_eq!(said(Level::INFO), [theirs, lines, warning]);
        assert_eq!(said(Level::WARN), [warning]);
        assert!(said(Level::ERROR).is_empty());
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

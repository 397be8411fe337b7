//! Log files by subject, one JSON object a line, rotated daily (specification C.18). Never holds a
//! secret: what could hold one is masked where it arises.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use tracing::Level;
use tracing_appender::{
    non_blocking::WorkerGuard,
    rolling::{RollingFileAppender, Rotation},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterFn, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Log files: name, and for how many days they are kept.
const FILES: [(&str, usize); 4] = [("daemon", 30), ("enforcement", 90), ("api", 7), ("errors", 90)];

/// Writes what is buffered when dropped.
#[derive(Debug)]
pub struct LogGuard {
    _writers: Vec<WorkerGuard>,
}

/// Logs into `directory`, and to standard error at `console` level or above; `RUST_LOG` overrides the
/// latter. `broker` is the crate whose words fill the file `api`. Does nothing when logging was started
/// before.
///
/// # Errors
/// The directory cannot be written.
pub fn start(directory: &Path, console: Level, broker: &'static str) -> io::Result<LogGuard> {
    std::fs::create_dir_all(directory)?;
    let mut writers = Vec::new();
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    for (name, days) in FILES {
        let file = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(name)
            .filename_suffix("log")
            .max_log_files(days)
            .build(directory)
            .map_err(io::Error::other)?;
        let (writer, guard) = tracing_appender::non_blocking(file);
        writers.push(guard);
        layers.push(fmt::layer().json().with_writer(writer).with_filter(subject(name, broker)).boxed());
    }
    let filter = EnvFilter::builder().with_default_directive(console.into()).from_env_lossy();
    // Colours are for eyes: what is redirected into a file stays plain.
    let screen = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .compact()
        .with_filter(filter);
    layers.push(screen.boxed());
    // A second engine in one process, as in tests, shares the first one's log.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(LogGuard { _writers: writers })
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

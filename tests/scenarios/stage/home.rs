//! A home directory, its settings files, and the commands that read it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use chrono::{TimeDelta, Utc};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    process::{Finished, Process, riskctl},
    simulator::Simulator,
};

/// A home of its own, gone with the scenario.
pub struct Home {
    directory: TempDir,
    /// What commands say, beside the home.
    outputs: TempDir,
    asked: AtomicU32,
}

impl Home {
    pub fn new() -> Self {
        let [directory, outputs] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let home = Self { directory, outputs, asked: AtomicU32::new(0) };
        fs::create_dir(home.path().join("config")).unwrap();
        home
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a settings file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join("config").join(name), text).unwrap();
    }

    /// Replaces a settings file as editors do: by rename.
    pub fn replace(&self, name: &str, text: &str) {
        let config = self.path().join("config");
        let beside = config.join(format!(".{name}.new"));
        fs::write(&beside, text).unwrap();
        fs::rename(beside, config.join(name)).unwrap();
    }

    pub fn write_addresses(&self, simulator: &Simulator) {
        let Simulator { base, user_hub, market_hub, .. } = simulator;
        let text = format!("base_url: {base}\nuser_hub_url: {user_hub}\nmarket_hub_url: {market_hub}\n");
        self.write("api.yaml", &text);
    }

    /// A daily reset that is far away, whatever time it is.
    pub fn write_calm_reset(&self) {
        self.write_reset(Utc::now() + TimeDelta::hours(12));
    }

    /// The daily reset, to the minute.
    pub fn write_reset(&self, at: chrono::DateTime<Utc>) {
        let text = format!("daily_reset: {{time: \"{}\", timezone: UTC}}\n", at.format("%H:%M"));
        self.write("timers.yaml", &text);
    }

    /// A command on this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = riskctl(arguments);
        command.arg("--home").arg(self.path());
        command
    }

    /// Runs a command to its end.
    pub fn ask(&self, arguments: &[&str]) -> Finished {
        self.finish(self.command(arguments))
    }

    /// Runs a command that reads lines from standard input.
    pub fn ask_typing(&self, arguments: &[&str], lines: &str) -> Finished {
        let input = self.outputs.path().join(format!("input-{}", self.asked.load(Ordering::Relaxed)));
        fs::write(&input, lines).unwrap();
        let mut command = self.command(arguments);
        command.stdin(fs::File::open(input).unwrap());
        self.finish(command)
    }

    /// Runs a command with the login of a simulator to its end.
    pub fn ask_with_login(&self, simulator: &Simulator, arguments: &[&str]) -> Finished {
        let mut command = self.command(arguments);
        simulator.give_login(&mut command);
        self.finish(command)
    }

    /// Starts a command that goes on until it is stopped.
    pub fn start(&self, arguments: &[&str]) -> Process {
        self.spawn(self.command(arguments))
    }

    fn finish(&self, command: Command) -> Finished {
        self.spawn(command).finished()
    }

    /// Each command has output files of its own.
    fn spawn(&self, command: Command) -> Process {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        Process::spawn(command, &self.outputs.path().join(number.to_string()))
    }

    /// The one JSON value that a command prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let finished = self.ask(arguments);
        assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.errors);
        serde_json::from_str(&finished.output).unwrap()
    }

    /// The audit, a value a line.
    pub fn log(&self) -> Vec<Value> {
        let finished = self.ask(&["log", "--json"]);
        assert_eq!(finished.code, Some(0), "{}", finished.errors);
        finished.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The audit as far as it can be read.
    pub fn try_log(&self) -> Vec<String> {
        self.ask(&["log", "--json"]).output.lines().map(str::to_string).collect()
    }

    /// Lockouts, from the engine or from the database.
    pub fn lockouts(&self) -> Vec<Value> {
        self.json(&["lockouts", "--json"]).as_array().unwrap().clone()
    }

    /// The database as any other program opens it.
    pub fn database(&self) -> Connection {
        Connection::open(self.file("state.db")).unwrap()
    }

    /// Whether a text stands in any file of the home.
    pub fn holds_text(&self, text: &str) -> Option<PathBuf> {
        holding(self.path(), text.as_bytes())
    }
}

fn holding(directory: &Path, text: &[u8]) -> Option<PathBuf> {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            if let Some(found) = holding(&entry.path(), text) {
                return Some(found);
            }
        } else if kind.is_file() {
            let content = fs::read(entry.path()).unwrap_or_default();
            if content.windows(text.len()).any(|part| part == text) {
                return Some(entry.path());
            }
        }
    }
    None
}

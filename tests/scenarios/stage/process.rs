//! Programs as processes, with their output in files. Whatever is still running when it leaves the scope
//! is killed.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use super::wait::wait_closely;

/// A command of the program, in an environment without anything of the tester's own login or home.
pub fn riskctl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riskctl"));
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "PROJECT_X_USERNAME",
        "PROJECT_X_API_KEY",
        "RISK_MANAGER_HOME",
        "RUST_LOG",
        "DBUS_SESSION_BUS_ADDRESS",
    ] {
        command.env_remove(name);
    }
    command
}

/// A program that runs.
pub struct Process {
    child: Child,
    output: PathBuf,
    errors: PathBuf,
}

/// A program that ended.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub output: String,
    pub errors: String,
}

impl Process {
    /// Its output goes to `file.out` and `file.err`.
    pub fn spawn(command: Command, file: &Path) -> Self {
        let output = File::create(file.with_extension("out")).unwrap();
        Self::spawn_into(output, command, file)
    }

    /// Its output goes into a pipe that nobody reads any more.
    pub fn unread(command: Command, file: &Path) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        File::create(file.with_extension("out")).unwrap();
        Self::spawn_into(writer, command, file)
    }

    fn spawn_into(stdout: impl Into<Stdio>, mut command: Command, file: &Path) -> Self {
        let (output, errors) = (file.with_extension("out"), file.with_extension("err"));
        let child = command.stdout(stdout).stderr(File::create(&errors).unwrap()).spawn().unwrap();
        Self { child, output, errors }
    }

    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    pub fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    /// How it ended, if it did.
    pub fn ending(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, then waits.
    pub fn terminate(self) -> Finished {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.finished()
    }

    /// Waits for its end.
    pub fn finished(mut self) -> Finished {
        let ending = wait_closely("a program to end", || self.ending());
        Finished { code: ending.code(), output: self.output(), errors: self.errors() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! One scenario's world: a simulated gateway, a home, an engine, a trader. Everything is a process or a
//! socket; what leaves the scope ends with it, and is checked before it does.

mod checker;
mod desk;
mod home;
mod journal;
mod process;
mod rules;
mod simulator;
mod wait;

use std::{fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

pub use desk::Desk;
pub use home::Home;
pub use journal::Journal;
pub use process::{Finished, Process, riskctl};
pub use rules::Rules;
pub use simulator::Simulator;
pub use wait::{patiently, wait_for, wait_until};

/// A gateway, a home and whatever runs on it.
pub struct Stage {
    pub simulator: Simulator,
    pub home: Home,
    engine: Option<Process>,
    /// Engines started so far; each has output files of its own.
    runs: u32,
    /// Close calls that were refused by a fault, or took no effect for another reason the story tells.
    misses: usize,
    /// The audit was lost on the way: from then on its check must say so.
    audit_was_lost: bool,
    outputs: TempDir,
}

impl Stage {
    /// One account, prices by hand, no engine yet.
    pub fn with(rules: &Rules) -> Self {
        Self::with_accounts(1, rules)
    }

    /// So many accounts.
    pub fn with_accounts(accounts: usize, rules: &Rules) -> Self {
        let outputs = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(accounts, outputs.path());
        let home = Home::new();
        home.write_addresses(&simulator);
        home.write_calm_reset();
        home.write("risk.yaml", &rules.to_string());
        Self { simulator, home, engine: None, runs: 0, misses: 0, audit_was_lost: false, outputs }
    }

    /// An engine that protects already.
    pub fn running(rules: &Rules) -> Self {
        let mut stage = Self::with(rules);
        stage.run();
        stage
    }

    /// Starts the engine and waits for its line.
    pub fn run(&mut self) -> Value {
        self.start();
        self.protected()
    }

    /// Starts the engine.
    pub fn start(&mut self) {
        self.start_where(|_| ());
    }

    /// Starts the engine in another environment.
    pub fn start_where(&mut self, prepare: impl FnOnce(&mut std::process::Command)) {
        assert!(self.engine.is_none(), "an engine runs already");
        self.runs += 1;
        let mut command = self.home.command(&["run"]);
        prepare(&mut command);
        self.simulator.give_login(&mut command);
        self.engine =
            Some(Process::spawn(command, &self.outputs.path().join(format!("engine-{}", self.runs))));
    }

    /// Waits for the line on standard output.
    pub fn protected(&mut self) -> Value {
        let engine = self.engine.as_mut().unwrap();
        let line = wait_for("the engine's line on standard output", || {
            assert!(engine.ending().is_none(), "the engine ended: {}", engine.errors());
            engine.output().lines().next().map(str::to_string)
        });
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["event"], "protected");
        line
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.engine.take().unwrap().kill();
    }

    /// SIGTERM; it must end by itself, and well.
    pub fn stop(&mut self) {
        let finished = self.engine.take().unwrap().terminate();
        assert_eq!(finished.code, Some(0), "{}", finished.errors);
    }

    /// The engine that runs.
    pub fn engine(&mut self) -> &mut Process {
        self.engine.as_mut().unwrap()
    }

    /// So many close calls may have had no effect.
    pub fn allow_misses(&mut self, misses: usize) {
        self.misses += misses;
    }

    /// The audit was lost, or a part of it.
    pub fn audit_was_lost(&mut self) {
        self.audit_was_lost = true;
    }

    /// The trader at the first account.
    pub fn desk(&self) -> Desk<'_> {
        self.desk_of(0)
    }

    /// The trader at another account.
    pub fn desk_of(&self, account: usize) -> Desk<'_> {
        Desk::new(&self.simulator, self.simulator.accounts[account])
    }

    pub fn status(&self) -> Value {
        self.home.json(&["status", "--json"])
    }

    pub fn protection(&self) -> String {
        self.status()["protection"].as_str().unwrap().to_string()
    }

    /// The kinds of doubt that the status names.
    pub fn doubts(&self) -> Vec<String> {
        let status = self.status();
        let doubts = status["doubts"].as_array().cloned().unwrap_or_default();
        doubts.iter().map(|doubt| doubt["kind"].as_str().unwrap().to_string()).collect()
    }

    /// One account in the status; null while it is not there.
    pub fn account(&self, index: usize) -> Value {
        let id = self.simulator.accounts[index].to_string();
        let status = self.status();
        status["accounts"].as_array().unwrap().iter().find(|it| it["id"] == id).cloned().unwrap_or_default()
    }

    /// What an account is locked by: rule and kind.
    pub fn locks(&self, index: usize) -> Vec<(String, String)> {
        let account = self.account(index);
        let lockouts = account["lockouts"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_string();
        lockouts.iter().map(|it| (text(&it["rule"]), text(&it["kind"]))).collect()
    }

    /// Whether exactly this locks an account: rule and kind.
    pub fn is_locked_by(&self, index: usize, rule: &str, kind: &str) -> bool {
        self.locks(index) == [(rule.to_string(), kind.to_string())]
    }

    /// A figure of an account; `None` while it is unknown.
    pub fn figure(&self, index: usize, name: &str) -> Option<f64> {
        usd(&self.account(index)[name])
    }

    /// Lines of the audit by rule and action.
    pub fn receipts(&self, rule: &str, action: &str) -> Vec<Value> {
        self.home.log().into_iter().filter(|line| line["rule"] == rule && line["action"] == action).collect()
    }

    /// Waits until the audit has a confirmed line of this rule and action, and returns it.
    pub fn confirmed(&self, rule: &str, action: &str) -> Value {
        wait_for(&format!("a confirmed {action} of {rule}"), || {
            self.receipts(rule, action).into_iter().find(|line| line["outcome"] == "confirmed")
        })
    }

    pub fn wait_until_protection(&self, wanted: &str) {
        wait_until(&format!("protection {wanted}"), || self.protection() == wanted);
    }

    /// What the engines said on standard error, all runs.
    fn errors(&self) -> String {
        let file = |run| -> PathBuf { self.outputs.path().join(format!("engine-{run}.err")) };
        (1..=self.runs).filter_map(|run| fs::read_to_string(file(run)).ok()).collect()
    }
}

/// An amount as it is told: a decimal string.
pub fn usd(value: &Value) -> Option<f64> {
    value.as_str().map(|text| text.parse().unwrap())
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
            return;
        }
        if let Some(engine) = &mut self.engine {
            assert!(engine.output().lines().count() <= 1, "more than one line: {}", engine.output());
        }
        let still_ran = self.engine.is_some();
        if still_ran {
            self.stop();
        }
        checker::check(self, still_ran);
    }
}

impl Stage {
    /// What helps to understand a failure.
    fn tell(&self) {
        let errors = self.errors();
        let lines: Vec<&str> = errors.lines().collect();
        eprintln!("--- the engine's last words\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        eprintln!("--- audit");
        for line in self.home.try_log() {
            eprintln!("{line}");
        }
        eprintln!("--- journal");
        let rows = self.simulator.journal();
        for row in rows.0.iter().rev().take(60).rev() {
            eprintln!("{row}");
        }
    }
}

//! What can be typed.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// Enforces your own trading rules on TopstepX accounts.
#[derive(Debug, Parser)]
#[command(name = "riskctl", version, max_term_width = 100)]
pub struct Args {
    /// Home directory of the engine [default: ~/.risk_manager]
    #[arg(long, global = true, value_name = "DIR", env = "RISK_MANAGER_HOME")]
    pub home: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the engine in the foreground until Ctrl-C
    Run(Run),
    /// Serve a simulated ProjectX gateway on loopback
    Simulate(Simulate),
    /// Live whole trading days of traders, troubles and the engine in virtual time, and check that no
    /// invariant breaks
    SimulateDays(SimulateDays),
    /// Watch eight rule breaches being enforced on a simulated account
    Demo(Demo),
    /// Measure from a pushed event to the received close request
    Bench(Bench),
    /// Say whether you are protected, and how each account stands
    Status(Status),
    /// List active lockouts, or end one with the guard password
    Lockouts(Lockouts),
    /// List changes of the settings that do not apply yet, or take one back
    Pending(Pending),
    /// Print what was enforced, oldest first
    Log(Log),
    /// Feed recorded inputs through a fresh engine with the rules of the home, and print what it decides
    ReplayEvents(ReplayEvents),
    /// Print past trading days: result, trades, limits crossed
    History(History),
    /// Check the records
    #[command(subcommand)]
    Audit(Audit),
    /// Take, list, check or put back copies of the database
    #[command(subcommand)]
    Backup(Backup),
    /// Keep, test or remove the login
    #[command(subcommand)]
    Credentials(Credentials),
    /// Check the settings
    #[command(subcommand)]
    Config(Config),
    /// Set, change, remove or show the guard password
    #[command(subcommand)]
    Guard(Guard),
    /// Show or lock the risk settings
    #[command(subcommand)]
    Settings(Settings),
    /// Read positions, orders and trades anew, and print what differs from what the engine knew
    Reconcile(Format),
    /// Close all positions and cancel all orders; asks first
    Flatten(Act),
    /// Lock yourself out until the trading day ends or until a time; cannot be taken back
    LockOut(LockOut),
}

/// How to print.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Format {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `run`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Run {
    /// Judge everything and send nothing: what would have been done is shown and recorded, and nobody is
    /// protected
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `status`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Status {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Keep printing whenever something changes
    #[arg(long)]
    pub watch: bool,
}

/// Options of `pending`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Pending {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// What to do with them
    #[command(subcommand)]
    pub act: Option<PendingAct>,
}

/// What `pending` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum PendingAct {
    /// Keep the value in force and write it back into the file
    Cancel {
        /// The setting, as the list names it
        #[arg(value_name = "KEY")]
        key: String,
        /// That of this account's own rules
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Let all of them apply with the next trading day; asks for the guard password
    Approve(Secret),
}

/// Options of `lockouts`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Lockouts {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// What to do with them
    #[command(subcommand)]
    pub act: Option<LockoutsAct>,
}

/// What `lockouts` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum LockoutsAct {
    /// End one before its time; asks for the guard password. The trader's own lock stays
    Override {
        /// Its rule, by its configuration key
        #[arg(value_name = "RULE")]
        rule: String,
        /// Why: goes into the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// That of this account; needed where several are locked by the rule
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// That of this symbol; needed where the rule locks several
        #[arg(long, value_name = "SYMBOL")]
        symbol: Option<String>,
        #[command(flatten)]
        secret: Secret,
    },
}

/// How a password is given.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Secret {
    /// Read it from standard input, a line each, instead of asking for it
    #[arg(long)]
    pub password_from_stdin: bool,
}

/// What `guard` can do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Guard {
    /// Say whether one is set, and what waits for it
    Status(Format),
    /// Set one where there is none
    Set(Secret),
    /// Replace it; asks for the old one first
    Change(Secret),
    /// Remove it at once; asks for it
    Remove {
        /// Without it: it goes after seven days, which anybody can see and stop
        #[arg(long, conflicts_with = "password_from_stdin")]
        forgotten: bool,
        #[command(flatten)]
        secret: Secret,
    },
    /// Take a removal back that was asked for without the password
    Keep,
}

/// What `settings` can do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Settings {
    /// Say whether they are locked, and until when
    Status(Format),
    /// Take only stricter changes until the trading day ends or until a time; cannot be taken back
    Lock {
        /// Until this instant (RFC 3339) instead of the end of the trading day
        #[arg(long, value_name = "TIME")]
        until: Option<chrono::DateTime<chrono::Utc>>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Options of `log`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Log {
    /// Print a JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Only the last lines
    #[arg(long, value_name = "N")]
    pub tail: Option<u32>,
    /// Only lines of this rule, by its configuration key
    #[arg(long, value_name = "KEY")]
    pub rule: Option<String>,
    /// Only lines of this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
}

/// Options of `replay-events`.
#[derive(Clone, Debug, ClapArgs)]
pub struct ReplayEvents {
    /// Recorded inputs, such as logs/events-2026-06-10.jsonl of the home; several are read one after the
    /// other
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print a JSON object for each action
    #[arg(long)]
    pub json: bool,
}

/// Options of `history`.
#[derive(Clone, Debug, ClapArgs)]
pub struct History {
    /// How many trading days, the newest first
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub days: u32,
    /// Only this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Print a table for a spreadsheet
    #[arg(long)]
    pub csv: bool,
}

/// What `audit` can do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Audit {
    /// Check that no record was changed, removed or cut off
    Verify(Format),
}

/// What `backup` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum Backup {
    /// Take one now, beside those that the engine takes by itself
    Now(Format),
    /// List them, newest first
    List(Format),
    /// Check that they can be used
    Verify {
        /// Only this one, by the name that the list shows or by its path
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Put one in the place of the database, while no engine runs; lockouts and settings stay in force
    Restore {
        /// Which, by the name that the list shows or by its path
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What `credentials` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum Credentials {
    /// Keep user name and API key in the system's keyring
    Set {
        /// Platform user name (not the e-mail address)
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Read the API key from standard input instead of asking for it
        #[arg(long)]
        key_from_stdin: bool,
    },
    /// Log in once and list the accounts
    Test(Format),
    /// Remove the login from the keyring
    Clear,
}

/// What `config` can do.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Config {
    /// Check all settings files and print every mistake with its place and the way out
    Check(Format),
}

/// Options of commands that act on accounts.
#[derive(Clone, Debug, ClapArgs)]
pub struct Act {
    /// Only this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Options of `lock-out`.
#[derive(Clone, Debug, ClapArgs)]
pub struct LockOut {
    /// Only this account
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Until this instant (RFC 3339) instead of the end of the trading day
    #[arg(long, value_name = "TIME")]
    pub until: Option<chrono::DateTime<chrono::Utc>>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Who moves prices.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Market {
    /// A seeded random walk
    Walk,
    /// Only POST /sim/quote
    Manual,
    /// The timeline of a scenario file
    Scenario,
}

/// Options of `simulate`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Simulate {
    /// Loopback address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Who moves prices
    #[arg(long, value_enum, default_value_t = Market::Walk)]
    pub market: Market,
    /// Scenario file to play
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Seed of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Pace of the walk and of scenarios
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// How many accounts the login has
    #[arg(long, default_value_t = 1)]
    pub accounts: u32,
}

/// Options of `simulate-days`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct SimulateDays {
    /// Seed of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many trading days; each five are a world of their own, the first with this seed, the others with
    /// the next ones
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub days: u32,
    /// Tell every step from this one on in words, all days in one world: what a failure prints to see it again
    #[arg(long, value_name = "STEP")]
    pub from_step: Option<u64>,
}

/// Options of `demo`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Demo {
    /// Keep the demo's home directory and say where it is
    #[arg(long)]
    pub keep: bool,
}

/// Options of `bench`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Bench {
    /// How many breaches are measured
    #[arg(long, default_value_t = 100)]
    pub breaches: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

//! `riskctl`: Risk Manager on the command line. Links no GUI library. Puts the parts together and prints;
//! decides nothing about trading.

// A closed pipe makes them panic; `print` bears it.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod bench;
mod broker;
mod command;
mod demo;
mod exit;
mod print;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use exit::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::other(error).report(),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let home = args.home.as_deref();
    if let Ok(home) = runtime::Home::find(home) {
        print::show_times_of(&home);
    }
    match args.command {
        Command::Run(options) => command::run::run(home, &options).await,
        Command::Simulate(options) => command::simulate::run(options).await,
        Command::SimulateDays(options) => command::simulate_days::run(options),
        Command::Demo(options) => demo::run(home, options).await,
        Command::Bench(options) => bench::run(options).await,
        Command::Status(options) => command::status::run(home, options).await,
        Command::Lockouts(options) => command::lockouts::run(home, options).await,
        Command::Pending(options) => command::pending::run(home, options).await,
        Command::Log(options) => command::log::run(home, &options),
        Command::ReplayEvents(options) => command::replay_events::run(home, &options),
        Command::History(options) => command::history::run(home, &options),
        Command::Audit(options) => command::audit::run(home, &options),
        Command::Backup(options) => command::backup::run(home, &options),
        Command::Credentials(options) => command::credentials::run(home, options).await,
        Command::Config(options) => command::config::run(home, &options),
        Command::Guard(options) => command::guard::run(home, options).await,
        Command::Settings(options) => command::settings::run(home, options).await,
        Command::Reconcile(options) => command::reconcile::run(home, options).await,
        Command::Flatten(options) => command::act::flatten(home, options).await,
        Command::LockOut(options) => command::act::lock_out(home, options).await,
    }
}

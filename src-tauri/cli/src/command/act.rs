//! `riskctl flatten` and `riskctl lock-out`: the trader's own commands to the running engine.

use std::{
    io::{self, BufRead},
    path::Path,
};

use domain::Command;
use runtime::{Home, control::client::Client};
use views::{control::Ask, text::time};

use crate::{
    args::{Act, LockOut},
    exit::Failure,
    print,
};

/// Closes everything and cancels everything.
pub async fn flatten(home: Option<&Path>, options: Act) -> Result<(), Failure> {
    confirm(options.yes, "Close all positions and cancel all orders")?;
    send(home, Command::Flatten { account: options.account.map(Into::into) }).await?;
    print::line("The engine closes and cancels everything. `riskctl log` shows what it did.")
}

/// Locks the trader out.
pub async fn lock_out(home: Option<&Path>, options: LockOut) -> Result<(), Failure> {
    let until = match options.until {
        Some(until) => time::ahead(until, chrono::Utc::now(), print::zones()),
        None => "the end of the trading day".to_string(),
    };
    confirm(options.yes, &format!("Close everything and lock until {until}. This cannot be taken back"))?;
    let account = options.account.map(Into::into);
    send(home, Command::LockOut { account, until: options.until }).await?;
    print::line(format!("Locked until {until}."))
}

async fn send(home: Option<&Path>, command: Command) -> Result<(), Failure> {
    let home = Home::find(home)?;
    Client::connect(home.path()).await?.ask(Ask::Command { command }).await?;
    Ok(())
}

/// Asks before something is done.
pub fn confirm(yes: bool, what: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    print::question(format!("{what}? Type yes: "))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::other)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::other("nothing was done")) }
}

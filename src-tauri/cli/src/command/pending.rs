//! `riskctl pending`: changes of the settings that do not apply yet, and how to take one back.

use std::path::Path;

use domain::AccountId;
use runtime::{
    Home,
    control::client::{Client, ClientError},
    core::{Accepted, Waiting},
};
use store::{ReadError, Reader};
use views::{
    control::Ask,
    guard::GuardAct,
    text::time,
    view::{PendingState, PendingView},
};

use super::guard;
use crate::{
    args::{Pending, PendingAct, Secret},
    exit::Failure,
    print,
};

/// Prints what is pending, or takes one change back.
pub async fn run(home: Option<&Path>, options: Pending) -> Result<(), Failure> {
    let home = Home::find(home)?;
    match options.act {
        None => list(&home, options.json).await,
        Some(PendingAct::Cancel { key, account }) => cancel(&home, key, account.map(Into::into)).await,
        Some(PendingAct::Approve(secret)) => approve(&home, secret).await,
    }
}

async fn list(home: &Home, as_json: bool) -> Result<(), Failure> {
    let pending = match Client::connect(home.path()).await {
        Ok(mut client) => client.view().await?.pending,
        Err(ClientError::NotRunning { .. }) => kept(home)?,
        Err(error) => return Err(error.into()),
    };
    if as_json {
        return print::json(&pending);
    }
    if pending.is_empty() {
        return print::line("Nothing is pending.");
    }
    print_all(&pending)
}

async fn cancel(home: &Home, key: String, account: Option<AccountId>) -> Result<(), Failure> {
    let text = key.clone();
    Client::connect(home.path()).await?.ask(Ask::CancelPending { account, key }).await?;
    print::line(format!("{text} stays as it is. The value in force was written back into the file."))
}

async fn approve(home: &Home, secret: Secret) -> Result<(), Failure> {
    let mut client = Client::connect(home.path()).await?;
    let password = guard::password("Guard password", secret)?;
    client.ask(Ask::Guard { act: GuardAct::Approve { password } }).await?;
    print::line(
        "What waited for the guard password applies with the next trading day. See `riskctl pending`.",
    )
}

/// One line a change, with what it waits for.
pub fn print_all(pending: &[PendingView]) -> Result<(), Failure> {
    let text = |change: &PendingView| format!("Pending: {}   {}", change.text, waits_for(change));
    pending.iter().try_for_each(|change| print::line(text(change)))
}

fn waits_for(change: &PendingView) -> String {
    let now = chrono::Utc::now();
    match (change.state, change.applies_at) {
        (PendingState::Waits, Some(at)) => format!("applies {}", time::ahead(at, now, print::zones())),
        (PendingState::Held, _) => "applies when the lock has ended".to_string(),
        (PendingState::Waits | PendingState::Undated, _) => "applies at the next daily reset".to_string(),
        (PendingState::Refused, _) => {
            "refused: made while locked. Save it again when the lock has ended".to_string()
        }
    }
}

/// What the database tells when no engine runs.
pub fn kept(home: &Home) -> Result<Vec<PendingView>, Failure> {
    let reader = match Reader::open(home.path()) {
        Ok(reader) => reader,
        Err(ReadError::NoDatabase(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let accepted = reader.last_good_config()?.as_ref().and_then(Accepted::of);
    let waiting = accepted.map(|accepted| accepted.waiting).unwrap_or_default();
    let now = chrono::Utc::now();
    Ok(waiting.iter().map(|waiting| Waiting::view(waiting, now)).collect())
}

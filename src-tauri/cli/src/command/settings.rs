//! `riskctl settings`: whether the risk settings are locked, and the lock itself.

use std::path::Path;

use domain::Instant;
use runtime::{
    Home,
    control::client::{Client, ClientError},
    core::Accepted,
};
use serde_json::json;
use store::{ReadError, Reader};
use views::{control::Ask, text::time};

use super::act::confirm;
use crate::{args::Settings, exit::Failure, print};

/// Shows or locks.
pub async fn run(home: Option<&Path>, options: Settings) -> Result<(), Failure> {
    let home = Home::find(home)?;
    match options {
        Settings::Status(format) => status(&home, format.json).await,
        Settings::Lock { until, yes } => lock(&home, until, yes).await,
    }
}

async fn status(home: &Home, as_json: bool) -> Result<(), Failure> {
    let until = match Client::connect(home.path()).await {
        Ok(mut client) => client.view().await?.settings_locked_until,
        Err(ClientError::NotRunning { .. }) => kept(home)?,
        Err(error) => return Err(error.into()),
    };
    if as_json {
        return print::json(&json!({"locked_until": until}));
    }
    print::line(match until {
        Some(at) => format!("Locked until {}: only stricter changes are taken.", ahead(at)),
        None => "Not locked: stricter changes apply at once, looser ones wait.".to_string(),
    })
}

async fn lock(home: &Home, until: Option<Instant>, yes: bool) -> Result<(), Failure> {
    let text = until.map_or_else(|| "the end of the trading day".to_string(), ahead);
    confirm(yes, &format!("Take only stricter changes until {text}. This cannot be taken back"))?;
    let mut client = Client::connect(home.path()).await?;
    client.ask(Ask::LockSettings { until }).await?;
    let until = client.view().await?.settings_locked_until.map_or(text, ahead);
    print::line(format!("Risk Settings are locked until {until}."))
}

/// What the database tells when no engine runs.
fn kept(home: &Home) -> Result<Option<Instant>, Failure> {
    let reader = match Reader::open(home.path()) {
        Ok(reader) => reader,
        Err(ReadError::NoDatabase(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let accepted = reader.last_good_config()?.as_ref().and_then(Accepted::of);
    Ok(accepted.and_then(|it| it.locked_until).filter(|until| *until > chrono::Utc::now()))
}

fn ahead(at: Instant) -> String {
    time::ahead(at, chrono::Utc::now(), print::zones())
}

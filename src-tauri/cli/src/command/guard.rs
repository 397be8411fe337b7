//! `riskctl guard`: the guard password. It is asked for without an echo, or read from standard input; never an
//! argument, which other programs could see.

use std::{
    io::{self, BufRead},
    path::Path,
};

use runtime::{
    Home,
    control::client::{Client, ClientError},
    core::Accepted,
};
use serde_json::json;
use store::{ReadError, Reader};
use views::{
    control::Ask,
    guard::{GuardAct, GuardView, Password},
    text::time,
};

use crate::{
    args::{Guard, Secret},
    exit::Failure,
    print,
};

/// Does what is asked about the guard password.
pub async fn run(home: Option<&Path>, options: Guard) -> Result<(), Failure> {
    let home = Home::find(home)?;
    match options {
        Guard::Status(format) => status(&home, format.json).await,
        Guard::Set(secret) => set(&home, secret).await,
        Guard::Change(secret) => change(&home, secret).await,
        Guard::Remove { forgotten: true, .. } => forget(&home).await,
        Guard::Remove { forgotten: false, secret } => remove(&home, secret).await,
        Guard::Keep => {
            act(&mut Client::connect(home.path()).await?, GuardAct::Keep).await?;
            print::line("The guard password stays.")
        }
    }
}

/// Asks for a password, or reads the next line of standard input.
pub fn password(what: &str, secret: Secret) -> Result<Password, Failure> {
    if !secret.password_from_stdin {
        return rpassword::prompt_password(format!("{what} (not shown): "))
            .map(Into::into)
            .map_err(Failure::other);
    }
    let mut text = String::new();
    if io::stdin().lock().read_line(&mut text).map_err(Failure::other)? == 0 {
        return Err(Failure::other(format!("standard input ended before the line with the {what}")));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text.into())
}

async fn set(home: &Home, secret: Secret) -> Result<(), Failure> {
    let mut client = Client::connect(home.path()).await?;
    let password = new_password(secret)?;
    act(&mut client, GuardAct::Set { password }).await?;
    print::line("The guard password is set. Whoever keeps it for you should be the only one to know it.")?;
    match shown(&mut client).await? {
        Some(guard) => print::line(overrides(guard)),
        None => Ok(()),
    }
}

async fn change(home: &Home, secret: Secret) -> Result<(), Failure> {
    let mut client = Client::connect(home.path()).await?;
    let old = password("Guard password", secret)?;
    let new = new_password(secret)?;
    act(&mut client, GuardAct::Change { password: old, new }).await?;
    print::line("The guard password is changed.")
}

async fn remove(home: &Home, secret: Secret) -> Result<(), Failure> {
    let mut client = Client::connect(home.path()).await?;
    let password = password("Guard password", secret)?;
    act(&mut client, GuardAct::Remove { password }).await?;
    print::line("The guard password is removed.")
}

async fn forget(home: &Home) -> Result<(), Failure> {
    let mut client = Client::connect(home.path()).await?;
    act(&mut client, GuardAct::Forget).await?;
    let at = shown(&mut client).await?.and_then(|guard| guard.removal_at);
    let when = at.map_or_else(String::new, |at| format!(" {}", ahead(at)));
    print::line(format!("The guard password is removed{when}. `riskctl guard keep` takes that back."))
}

async fn status(home: &Home, as_json: bool) -> Result<(), Failure> {
    let guard = match Client::connect(home.path()).await {
        Ok(mut client) => shown(&mut client).await?,
        Err(ClientError::NotRunning { .. }) => kept(home)?,
        Err(error) => return Err(error.into()),
    };
    if as_json {
        return print::json(&json!({"set": guard.is_some(), "guard": guard}));
    }
    let Some(guard) = guard else {
        return print::line("No guard password is set. No lockout can be overridden.");
    };
    print::line("A guard password is set. Looser changes wait seven days unless it approves them.")?;
    print::line(overrides(guard))?;
    if let Some(at) = guard.next_try_at {
        print::line(format!("After wrong passwords none is looked at before {}.", ahead(at)))?;
    }
    if let Some(at) = guard.removal_at {
        let text = "It is removed without having been given";
        print::line(format!("{text}: {}. `riskctl guard keep` takes that back.", ahead(at)))?;
    }
    Ok(())
}

fn overrides(guard: GuardView) -> String {
    if guard.overrides_from <= chrono::Utc::now() {
        return "Lockouts can be overridden with it; the trader's own cannot.".to_string();
    }
    format!(
        "Lockouts can be overridden with it from {}; the trader's own never.",
        ahead(guard.overrides_from)
    )
}

/// On a terminal twice, because nobody sees what is typed.
fn new_password(secret: Secret) -> Result<Password, Failure> {
    let new = password("New guard password", secret)?;
    new.check().map_err(Failure::other)?;
    if !secret.password_from_stdin && new != password("The same again", secret)? {
        return Err(Failure::other("the two are not the same; nothing was changed"));
    }
    Ok(new)
}

async fn act(client: &mut Client, act: GuardAct) -> Result<(), Failure> {
    client.ask(Ask::Guard { act }).await?;
    Ok(())
}

async fn shown(client: &mut Client) -> Result<Option<GuardView>, Failure> {
    Ok(client.view().await?.guard)
}

/// What the database tells when no engine runs.
fn kept(home: &Home) -> Result<Option<GuardView>, Failure> {
    let reader = match Reader::open(home.path()) {
        Ok(reader) => reader,
        Err(ReadError::NoDatabase(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let guard = reader.last_good_config()?.as_ref().and_then(Accepted::of).and_then(|it| it.guard);
    Ok(guard.map(|guard| guard.view(chrono::Utc::now())))
}

fn ahead(at: domain::Instant) -> String {
    time::ahead(at, chrono::Utc::now(), print::zones())
}

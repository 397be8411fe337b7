//! `riskctl credentials`: the login in the system's keyring.

use std::{
    io::{self, BufRead},
    path::Path,
};

use runtime::{
    Home,
    control::client::Client,
    credentials::{self, Credentials, Source},
    settings,
};
use serde_json::json;
use views::control::Ask;

use crate::{args, broker, command::run::advice, exit::Failure, print};

/// Keeps, tests or removes the login.
pub async fn run(home: Option<&Path>, options: args::Credentials) -> Result<(), Failure> {
    let home = Home::find(home)?;
    match options {
        args::Credentials::Set { user, key_from_stdin } => set(&home, user, key_from_stdin).await,
        args::Credentials::Test(format) => test(&home, format.json).await,
        args::Credentials::Clear => clear(),
    }
}

async fn set(home: &Home, user: Option<String>, key_from_stdin: bool) -> Result<(), Failure> {
    let user_name = match user {
        Some(user) => user,
        None => ask("Platform user name: ")?,
    };
    let api_key = if key_from_stdin {
        line()?
    } else {
        rpassword::prompt_password("API key (not shown): ").map_err(Failure::other)?
    };
    let login = Credentials { user_name: user_name.trim().to_string(), api_key: api_key.trim().to_string() };
    if login.user_name.is_empty() || login.api_key.is_empty() {
        return Err(Failure::other("user name and API key must not be empty"));
    }
    credentials::save(&login).map_err(Failure::dependency)?;
    // A running engine uses it at once, whether anybody reads what is printed here or not.
    let told = match Client::connect(home.path()).await {
        Ok(mut client) => Some(client.ask(Ask::CredentialsChanged).await),
        Err(_) => None,
    };
    print::line("The login is in the keyring. Test it with `riskctl credentials test`.")?;
    match told {
        Some(told) => {
            told?;
            print::line("The running engine logs in with it now.")
        }
        None => Ok(()),
    }
}

async fn test(home: &Home, as_json: bool) -> Result<(), Failure> {
    let (login, source) = credentials::load()
        .map_err(Failure::dependency)?
        .ok_or_else(|| Failure::login("there is no login. Keep one with `riskctl credentials set`"))?;
    let api = settings::load(&home.config()).map_err(Failure::settings)?.api;
    match projectx::probe(&broker::settings(&api, login)).await {
        Ok(accounts) if as_json => print::json(&json!({"ok": true, "source": source, "accounts": accounts})),
        Ok(accounts) => {
            let from = match source {
                Source::Environment => "the environment",
                Source::Keyring => "the keyring",
            };
            print::line(format!("The login from {from} works. Accounts:"))?;
            let mut table = print::table(&["Id", "Name", "Balance", "May trade"]);
            for account in accounts {
                let may_trade = if account.can_trade { "yes" } else { "no" };
                table.add_row([
                    account.id.to_string(),
                    account.name.clone(),
                    account.balance.to_string(),
                    may_trade.to_string(),
                ]);
            }
            print::line(table)
        }
        Err(error) => {
            if as_json {
                print::json(&json!({"ok": false, "error": error.to_string()}))?;
            }
            Err(Failure::login(format!("{error}. {}", advice(&error))))
        }
    }
}

fn clear() -> Result<(), Failure> {
    let was_there = credentials::clear().map_err(Failure::dependency)?;
    print::line(if was_there {
        "The login is removed from the keyring."
    } else {
        "There was no login in the keyring."
    })
}

fn ask(question: &str) -> Result<String, Failure> {
    print::question(question)?;
    line()
}

fn line() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text).map_err(Failure::other)?;
    Ok(text)
}

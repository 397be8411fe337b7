//! `riskctl run`: the engine in the foreground. Prints one line on standard output, when the first
//! reconcile has been judged, and logs to standard error and to `HOME/logs`.

use std::path::Path;

use domain::broker::LoginError;
use runtime::{DRY_RUN, Ending, Home, Running, Sign, Start, logs};

use crate::{args::Run, broker, exit::Failure, print};

/// Runs until SIGINT or SIGTERM.
pub async fn run(home: Option<&Path>, options: &Run) -> Result<(), Failure> {
    let home = Home::find(home)?;
    // The home is claimed before anything is written into it, the logs included.
    let probe = home.claim()?;
    let _log = logs::start(&home, None, "projectx").map_err(|error| {
        Failure::other(format!("cannot write logs to {}: {error}", home.logs().display()))
    })?;
    drop(probe);
    let start = Start {
        home,
        broker: "TopstepX".to_string(),
        mode: if options.dry_run { DRY_RUN } else { "headless" }.to_string(),
        zones: print::zones_of_computer(),
        login: None,
        connect: broker::projectx,
    };
    let running = runtime::start(start).await?;
    serve(running).await
}

/// Waits for signs and signals.
async fn serve(mut running: Running) -> Result<(), Failure> {
    let mut stop = std::pin::pin!(stop_signal());
    loop {
        tokio::select! {
            () = &mut stop => return ended(running.stop().await),
            sign = running.signs.recv() => match sign {
                Some(Sign::Protected { protection, accounts }) => {
                    let told = print::json(&serde_json::json!({
                        "event": "protected",
                        "at": chrono::Utc::now(),
                        "protection": protection,
                        "accounts": accounts,
                    }));
                    // That nobody listens is no reason to stop protecting.
                    if told.is_err() {
                        tracing::warn!("standard output cannot be written; running on");
                    }
                }
                Some(Sign::Refused { locked: true, .. }) => {
                    tracing::warn!("the login was refused; running on, because a lockout is active");
                }
                Some(Sign::Refused { error, locked: false }) => {
                    running.stop().await;
                    return Err(Failure::login(format!("{error}. {}", advice(&error))));
                }
                Some(Sign::NoLogin { locked: true, .. }) => {
                    tracing::warn!("there is no login; running on, because a lockout is active");
                }
                Some(Sign::NoLogin { locked: false, keyring }) => {
                    running.stop().await;
                    if let Some(why) = keyring {
                        return Err(Failure::login(why));
                    }
                    return Err(Failure::login(
                        "there is no login. Keep one with `riskctl credentials set`, or set PROJECT_X_USERNAME and \
                         PROJECT_X_API_KEY",
                    ));
                }
                // Given to the tray program only; this one ends with its terminal.
                Some(Sign::MayEnd) => {}
                None => {
                    ended(running.stop().await)?;
                    return Err(Failure::other("the engine ended by itself; see the logs"));
                }
            },
        }
    }
}

fn ended(ending: Ending) -> Result<(), Failure> {
    match ending {
        Ending::Done => Ok(()),
        Ending::Broken => Err(Failure::other("the engine ended by a mistake of this program; see the logs")),
        Ending::Stalled => {
            Err(Failure::stalled("the disk or the connection did not end in time; see the logs"))
        }
    }
}

/// What a person can do about a refused login.
pub fn advice(error: &LoginError) -> &'static str {
    match error {
        LoginError::Credentials => {
            "Check them on the platform under API settings, then `riskctl credentials set`. The user name is the \
             platform's, not the e-mail address"
        }
        LoginError::Agreements => "Log into the platform in a browser and sign them, then start again",
        LoginError::NoSubscription => "Subscribe to API access on the platform, then start again",
        LoginError::KeyLoginDisabled => "Enable it on the platform, or ask its support",
        LoginError::Refused { .. } => "Ask the platform's support about this code",
        LoginError::Passing(_) => "Try again later",
    }
}

#[cfg(unix)]
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(error) => {
                tracing::error!("cannot listen for SIGTERM: {error}");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

#[cfg(not(unix))]
pub async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}

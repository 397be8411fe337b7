//! Where a broker is chosen: the ProjectX gateway behind the engine's two channels.

use std::sync::{Arc, Mutex, PoisonError};

use config::Api;
use runtime::{Broker, credentials::Credentials};

/// Connects to the gateway that the settings name.
///
/// # Errors
/// Addresses that cannot be used.
pub fn projectx(api: &Api, login: Credentials) -> Result<Broker, String> {
    let port = projectx::connect(&settings(api, login)).map_err(|error| error.to_string())?;
    let control = Arc::new(Mutex::new(Some(port.control)));
    let (retry, renew, waiting, end) =
        (Arc::clone(&control), Arc::clone(&control), Arc::clone(&control), control);
    Ok(Broker {
        asks: port.asks,
        signals: port.signals,
        retry: Box::new(move || with(&retry, projectx::Control::retry_now).unwrap_or_default()),
        renew: Box::new(move |login| {
            with(&renew, |control| control.use_credentials(credentials(login))).unwrap_or_default();
        }),
        waiting: Box::new(move || with(&waiting, projectx::Control::waiting).unwrap_or_default()),
        end: Box::new(move || {
            let control = end.lock().unwrap_or_else(PoisonError::into_inner).take();
            Box::pin(async move {
                if let Some(control) = control {
                    control.shutdown().await;
                }
            })
        }),
    })
}

/// What the gateway client needs from settings and login.
pub fn settings(api: &Api, login: Credentials) -> projectx::Settings {
    projectx::Settings {
        base_url: api.base_url.clone(),
        user_hub_url: api.user_hub_url.clone(),
        market_hub_url: api.market_hub_url.clone(),
        credentials: credentials(login),
    }
}

fn credentials(login: Credentials) -> projectx::Credentials {
    projectx::Credentials::new(login.user_name, login.api_key)
}

/// What the connection says; none once it has ended.
fn with<T>(
    control: &Mutex<Option<projectx::Control>>,
    act: impl FnOnce(&projectx::Control) -> T,
) -> Option<T> {
    control.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
}

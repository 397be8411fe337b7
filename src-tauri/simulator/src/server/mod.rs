//! The gateway on a socket: a thin shell that hands requests, hub messages and the time to the core and
//! carries its answers out. Decides nothing, and listens on loopback only.

mod clock;
mod http;
mod hub;
mod shared;

use std::{io, net::SocketAddr};

use serde::Serialize;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    gateway::{Gateway, Hub},
    scenario::{Scenario, ScenarioError},
    settings::Settings,
};
pub use shared::Handle;

/// What `riskctl simulate` prints: one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Base of the REST paths.
    pub base_url: String,
    /// The user hub.
    pub user_hub_url: String,
    /// The market hub.
    pub market_hub_url: String,
    /// User name of the one login; invented.
    pub username: String,
    /// API key of the one login; invented.
    pub api_key: String,
    /// Ids of the accounts.
    pub accounts: Vec<i64>,
}

/// Why a simulator did not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// It would have been reachable from outside.
    #[error("a simulator listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address could not be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A simulator that serves. Dropping it ends the serving at once; [`Running::shut_down`] ends it in order.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    description: Description,
    handle: Handle,
    stop: watch::Sender<bool>,
    /// Ends when every task that holds its sender has ended.
    ended: mpsc::Receiver<()>,
    server: JoinHandle<()>,
}

/// Serves a gateway whose first instant is now. Port 0 picks a free one.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(settings: Settings, listen: SocketAddr) -> Result<Running, ServeError> {
    if !listen.ip().is_loopback() {
        return Err(ServeError::NotLoopback(listen));
    }
    let failed = |source| ServeError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopping) = watch::channel(false);
    let (alive, ended) = mpsc::channel(1);
    let handle = Handle::new(settings, stopping.clone(), alive);
    let description = handle.with(|gateway, _| describe(gateway, address));
    tokio::spawn(shared::drive(handle.clone()));
    let server = tokio::spawn(http::serve(listener, handle.clone(), stopping));
    Ok(Running { address, description, handle, stop, ended, server })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How clients find it and log in.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Access to the gateway from beside the sockets.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Begins a scenario; its time zero is now. One that was playing is broken off.
    ///
    /// # Errors
    /// [`ScenarioError`] for contracts and accounts that the gateway does not have.
    pub fn play(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        self.handle.play(scenario)
    }

    /// Ends all connections, hubs with a Close that allows reconnecting, and waits until everything has
    /// ended. Nobody is waited for who does not read.
    pub async fn shut_down(mut self) {
        self.handle.with(Gateway::shut_down);
        self.handle.end_tasks();
        self.stop.send_replace(true);
        // A server task that failed has ended, too.
        let _ = (&mut self.server).await;
        while self.ended.recv().await.is_some() {}
    }
}

fn describe(gateway: &Gateway, address: SocketAddr) -> Description {
    let base_url = format!("http://{address}");
    let (username, api_key) = gateway.credentials();
    Description {
        user_hub_url: format!("{base_url}{}", Hub::User.path()),
        market_hub_url: format!("{base_url}{}", Hub::Market.path()),
        username: username.to_string(),
        api_key: api_key.to_string(),
        accounts: gateway.account_ids(),
        base_url,
    }
}

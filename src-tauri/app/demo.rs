//! The demo: a simulated broker in this process, with a trader who breaks rules now and then.
//!
//! Real sockets, a home of its own that is thrown away, and no real account anywhere.

use std::fs;

use anyhow::Context;
use runtime::{Home, credentials::Credentials};
use simulator::{Market, Running, Scenario, Settings};
use tempfile::TempDir;

/// What the trader does.
const SCENARIO: &str = include_str!("demo.yaml");

/// The demo is watched at any hour; everything else is as shipped.
const RISK_YAML: &str = "rules:\n  session_block_outside: {enabled: false}\n";

/// A simulated broker, and the home whose settings name it.
pub struct Demo {
    simulator: Running,
    _home: TempDir,
}

impl Demo {
    /// Opens the broker and writes a home for it.
    ///
    /// # Errors
    /// No free port, or no place for the home.
    pub async fn open(place: TempDir) -> anyhow::Result<Self> {
        let listen = ([127, 0, 0, 1], 0).into();
        let simulator = simulator::serve(Settings::new(Market::Walk), listen).await?;
        let home = Home::find(Some(place.path()))?;
        fs::create_dir_all(home.config())?;
        let at = simulator.description();
        let api = format!(
            "base_url: {}\nuser_hub_url: {}\nmarket_hub_url: {}\n",
            at.base_url, at.user_hub_url, at.market_hub_url
        );
        fs::write(home.config().join("api.yaml"), api)?;
        fs::write(home.config().join("risk.yaml"), RISK_YAML)?;
        simulator.play(&Scenario::parse(SCENARIO)?).context("the demo's trader cannot play")?;
        Ok(Self { simulator, _home: place })
    }

    /// The simulated trader's login.
    #[must_use]
    pub fn login(&self) -> Credentials {
        let at = self.simulator.description();
        Credentials { user_name: at.username.clone(), api_key: at.api_key.clone() }
    }

    /// Closes the broker and throws the home away.
    pub async fn end(self) {
        self.simulator.shut_down().await;
    }
}

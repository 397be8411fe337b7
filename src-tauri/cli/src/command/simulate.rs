//! `riskctl simulate`: a ProjectX gateway on loopback. One line of JSON says where.

use std::fs;

use simulator::{AccountSettings, Market, Scenario, Settings};

use crate::{
    args::{self, Simulate},
    exit::Failure,
    print,
};

/// Serves until Ctrl-C.
pub async fn run(options: Simulate) -> Result<(), Failure> {
    let scenario = scenario(&options)?;
    let market = match options.market {
        args::Market::Walk => Market::Walk,
        args::Market::Manual => Market::Manual,
        args::Market::Scenario => Market::Scenario,
    };
    if !(options.speed.is_finite() && options.speed > 0.0) {
        return Err(Failure::other("--speed must be above zero, for example --speed 2"));
    }
    let accounts = options.accounts.max(scenario.as_ref().map_or(0, |scenario| scenario.accounts));
    let settings = Settings {
        seed: options.seed,
        speed: options.speed,
        accounts: AccountSettings::several(accounts),
        ..Settings::new(market)
    };
    let running = simulator::serve(settings, options.listen).await.map_err(Failure::other)?;
    if let Some(scenario) = &scenario {
        running.play(scenario).map_err(Failure::other)?;
    }
    print::json(running.description())?;
    super::run::stop_signal().await;
    running.shut_down().await;
    Ok(())
}

fn scenario(options: &Simulate) -> Result<Option<Scenario>, Failure> {
    match (&options.scenario, options.market) {
        (None, args::Market::Scenario) => Err(Failure::other("--market scenario needs --scenario FILE")),
        (None, args::Market::Walk | args::Market::Manual) => Ok(None),
        (Some(file), _) => {
            let named =
                |error: &dyn std::fmt::Display| Failure::other(format!("{}: {error}", file.display()));
            let text = fs::read_to_string(file).map_err(|error| named(&error))?;
            Scenario::parse(&text).map(Some).map_err(|error| named(&error))
        }
    }
}

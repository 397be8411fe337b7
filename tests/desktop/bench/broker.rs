//! The simulated broker, on real sockets, with a trader who does what a test says. What a test believes of
//! positions and orders it asks here, never the program.

use std::{collections::BTreeMap, fs, path::Path};

use simulator::{AccountSettings, Gateway, Market, Running, Scenario, Settings};

use super::{Desktop, wait};

/// Nothing gets in the way at any hour but what a test adds.
const CALM: [(&str, &str); 10] = [
    ("max_contracts", "{limit: 1000}"),
    ("max_contracts_per_instrument", "{default_limit: 1000, instrument_limits: {}}"),
    ("daily_realized_loss", "{limit: -1000000}"),
    ("daily_unrealized_loss", "{enabled: false}"),
    ("max_unrealized_profit", "{enabled: false}"),
    ("trade_frequency_limit", "{enabled: false}"),
    ("cooldown_after_loss", "{enabled: false}"),
    ("no_stop_loss_grace", "{grace_period_seconds: 600}"),
    ("session_block_outside", "{enabled: false}"),
    ("daily_realized_profit", "{enabled: false}"),
];

/// A gateway whose first account is a Practice account, the second a Combine of 50,000 dollars.
pub struct Broker {
    runtime: tokio::runtime::Runtime,
    simulator: Running,
}

impl Broker {
    /// Prices stand still until a test moves them.
    pub fn start(accounts: u32) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let settings =
            Settings { accounts: AccountSettings::several(accounts), ..Settings::new(Market::Manual) };
        let simulator = runtime.block_on(simulator::serve(settings, ([127, 0, 0, 1], 0).into())).unwrap();
        Self { runtime, simulator }
    }

    /// Writes the settings of a home that trades here: calm ones, and these instead or beside.
    pub fn settings(&self, home: &Path, rules: &[(&str, &str)]) {
        let at = self.simulator.description();
        let config = home.join("config");
        fs::create_dir_all(&config).unwrap();
        let api = format!(
            "base_url: {}\nuser_hub_url: {}\nmarket_hub_url: {}\n",
            at.base_url, at.user_hub_url, at.market_hub_url
        );
        fs::write(config.join("api.yaml"), api).unwrap();
        let all: BTreeMap<_, _> = CALM.into_iter().chain(rules.iter().copied()).collect();
        let lines: String = all.into_iter().map(|(rule, values)| format!("  {rule}: {values}\n")).collect();
        fs::write(config.join("risk.yaml"), format!("rules:\n{lines}")).unwrap();
    }

    /// The login, as the environment gives it to a program.
    pub fn login(&self) -> [(&'static str, String); 2] {
        let at = self.simulator.description();
        [("PROJECT_X_USERNAME", at.username.clone()), ("PROJECT_X_API_KEY", at.api_key.clone())]
    }

    /// The trader and the market do this now: steps of a scenario, all of which must succeed.
    pub fn play(&self, steps: &str) {
        {
            let _inside = self.runtime.enter();
            self.simulator.play(&Scenario::parse(&format!("steps: [{steps}]")).unwrap()).unwrap();
        }
        let wanted = steps.matches("at:").count();
        wait("the trader", || self.simulator.handle().outcomes().len() == wanted);
        for outcome in self.simulator.handle().outcomes() {
            assert!(outcome.result.is_ok(), "{steps}: {outcome:?}");
        }
    }

    /// Looks at the gateway itself.
    pub fn with<T>(&self, act: impl FnOnce(&mut Gateway, domain::Instant) -> T) -> T {
        self.simulator.handle().with(act)
    }

    /// The Practice account.
    pub fn account(&self) -> i64 {
        self.simulator.description().accounts[0]
    }

    /// Open contracts and working orders of the first account, as they really are.
    pub fn truth(&self) -> (i64, usize) {
        let truth = self.with(|gateway, _| gateway.truth(self.account()));
        (truth.positions.iter().map(|held| held.exposure.0).sum(), truth.orders.len())
    }

    /// Fills so far, of all accounts.
    pub fn fills(&self) -> usize {
        self.with(|gateway, _| gateway.executions_after(0).count())
    }

    /// From now on this desktop's program has run before: it opens no window by itself.
    pub fn is_known_to(&self, desktop: &Desktop) {
        let mut first = desktop.run_with(&[], &self.login());
        desktop.tray();
        wait("the first window", || !super::children_of(first.id()).is_empty());
        first.terminate();
        assert_eq!(first.code(), Some(0));
    }
}

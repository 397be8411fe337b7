//! The whole program with its own engine: against the simulated broker, and where no engine can start.

use std::{fs, path::Path};

use crate::bench::{Desktop, browser::Browser, children_of, wait};

#[test]
fn the_demo_protects_a_simulated_account_and_ends_cleanly() {
    let desktop = Desktop::start();
    let mut program = desktop.run(&["--demo"]);
    let tray = desktop.tray();
    wait("protection", || tray.state().starts_with("Armed"));
    assert!(desktop.left_over().iter().any(|name| name.starts_with("risk-manager-demo-")));
    wait("a position of the demo's trader", || tray.lines().contains(&"Flatten All…".to_owned()));
    program.terminate();
    assert_eq!(program.code(), Some(0));
    let homes: Vec<_> = desktop.left_over().into_iter().filter(|name| name.contains("demo")).collect();
    assert_eq!(homes, Vec::<String>::new(), "its home is thrown away");
}

#[test]
fn a_first_start_opens_the_set_up_by_itself_and_a_later_one_does_not() {
    let desktop = Desktop::start();
    let set_up = |id| children_of(id).iter().any(|line| line.contains("--page setup"));
    let mut program = desktop.run(&[]);
    let tray = desktop.tray();
    wait("the state", || tray.state().starts_with("Not protected since"));
    assert_eq!(tray.lines()[1], "[No user name and API key for TopstepX yet]");
    wait("the set-up", || set_up(program.id()));
    program.terminate();
    assert_eq!(program.code(), Some(0));

    let program = desktop.run(&[]);
    let window = Browser::open(&desktop, &[]);
    window.press("Open Setup");
    window.shows("Made in TopstepX under Settings, API. Kept in the system keyring, never in a file.");
    assert!(!set_up(program.id()));
}

/// Sockets, engine, database, tray and window as a trader has them; only the broker is simulated.
#[test]
fn a_broken_rule_is_closed_proved_and_told_by_the_history() {
    let broker = Broker::start();
    let desktop = Desktop::start();
    broker.settings(&desktop.home());
    // The first start of a home opens a window of its own.
    let mut first = desktop.run_with(&[], &broker.login());
    wait("the first window", || !children_of(first.id()).is_empty());
    first.terminate();
    assert_eq!(first.code(), Some(0));

    let _program = desktop.run_with(&[], &broker.login());
    let window = Browser::open(&desktop, &["--page", "history"]);
    window.shows("Armed");
    window.press("Clock in");
    window.shows("clocked in");
    broker.play("steps: [{at: 0, order: {contract: MNQ, side: buy, size: 6, stop_loss_ticks: -200}}]");
    window.shows("Reduced");
    window.shows("1 limit crossed");
    window.press("Setup");
    window.step("Proof");
    window.shows("acted,");
    window.shows("seen at the broker");
    window.press("History");
    window.press("Clock out");
    window.shows("not clocked in");
    let session = window.text_of("//ul[@aria-label='Sessions that are over']/li");
    assert!(session.contains("1 trade") && session.contains("1 limit crossed"), "{session}");
}

/// A simulated broker with one Practice account.
struct Broker {
    runtime: tokio::runtime::Runtime,
    simulator: simulator::Running,
}

impl Broker {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let settings = simulator::Settings::new(simulator::Market::Walk);
        let simulator = runtime.block_on(simulator::serve(settings, ([127, 0, 0, 1], 0).into())).unwrap();
        Self { runtime, simulator }
    }

    fn settings(&self, home: &Path) {
        let at = self.simulator.description();
        let config = home.join("config");
        fs::create_dir_all(&config).unwrap();
        let api = format!(
            "base_url: {}\nuser_hub_url: {}\nmarket_hub_url: {}\n",
            at.base_url, at.user_hub_url, at.market_hub_url
        );
        fs::write(config.join("api.yaml"), api).unwrap();
        fs::write(config.join("risk.yaml"), "rules:\n  session_block_outside: {enabled: false}\n").unwrap();
    }

    fn login(&self) -> [(&'static str, String); 2] {
        let at = self.simulator.description();
        [("PROJECT_X_USERNAME", at.username.clone()), ("PROJECT_X_API_KEY", at.api_key.clone())]
    }

    fn play(&self, scenario: &str) {
        let _inside = self.runtime.enter();
        self.simulator.play(&simulator::Scenario::parse(scenario).unwrap()).unwrap();
    }
}

#[test]
fn settings_that_cannot_be_used_are_told_before_it_gives_up() {
    let desktop = Desktop::start();
    let config = desktop.home().join("config");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("risk.yaml"), "rules: {max_contracts: {limit: -5}}").unwrap();
    let mut program = desktop.run(&[]);
    let search = ["search", "--sync", "--onlyvisible", "--name", "^Risk Manager$", "windowfocus", "--sync"];
    assert!(desktop.command("xdotool").args(search).status().unwrap().success());
    assert!(program.lives(), "it waits until it was read");
    assert!(desktop.command("xdotool").args(["key", "Escape"]).status().unwrap().success());
    assert_eq!(program.code(), Some(3));
}

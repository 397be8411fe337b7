//! The whole program with its own engine: against the simulated broker, and where no engine can start.

use std::fs;

use crate::bench::{Desktop, browser::Browser, wait};

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
fn without_a_login_the_window_leads_to_the_set_up() {
    let desktop = Desktop::start();
    let _program = desktop.run(&[]);
    let tray = desktop.tray();
    wait("the state", || tray.state().starts_with("Not protected since"));
    assert_eq!(tray.lines()[1], "[No user name and API key for TopstepX yet]");
    let window = Browser::open(&desktop, &[]);
    window.press("Open Setup");
    window.shows("Kept in the system keyring, never in a file.");
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

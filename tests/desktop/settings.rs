//! Risk Settings in the real window, on the real engine of the demo and its simulated broker.

use std::{fs, path::PathBuf};

use crate::bench::{Desktop, Running, browser::Browser, wait};

/// A program that protects a simulated account, and the file of its rules.
pub fn demo(desktop: &Desktop) -> (Running, PathBuf) {
    let program = desktop.run(&["--demo"]);
    let tray = desktop.tray();
    wait("protection", || tray.state().starts_with("Armed"));
    let is_demo = |name: &String| name.starts_with("risk-manager-demo-");
    let home = desktop.left_over().into_iter().find(is_demo).unwrap();
    (program, desktop.temporary().join(home))
}

#[test]
fn a_limit_is_changed_both_ways_and_by_hand() {
    let desktop = Desktop::start();
    let (_program, home) = demo(&desktop);
    let rules = home.join("config/risk.yaml");
    let window = Browser::open(&desktop, &["--page", "settings", "--home", home.to_str().unwrap()]);
    window.shows("−$500.00 net");

    window.fill("Daily Loss Limit", "-450");
    window.shows("Applies now. Daily Loss Limit −$500.00 → −$450.00.");
    window.press("Apply now");
    window.shows("−$450.00 net");
    assert!(fs::read_to_string(&rules).unwrap().contains("limit: -450"));

    window.fill("Daily Loss Limit", "-900");
    window.shows("Looser: applies at 5:00 PM CT");
    window.press("Queue for 5:00 PM CT");
    window.shows("Daily Loss Limit −$450.00 → −$900.00 applies at 5:00 PM CT");
    window.shows("In force. −$450.00 net is enforced now.");
    assert!(fs::read_to_string(&rules).unwrap().contains("limit: -900"));
    window.press("Keep current");
    wait("the file to say what is in force", || fs::read_to_string(&rules).unwrap().contains("limit: -450"));

    window.fill("Daily Loss Limit", "400");
    window.shows("Losses are negative: put a minus sign in front of the amount.");
    window.press("Discard");

    let by_hand = fs::read_to_string(&rules).unwrap().replace("limit: -450", "limit: -425");
    fs::write(&rules, by_hand).unwrap();
    window.shows("−$425.00 net");
}

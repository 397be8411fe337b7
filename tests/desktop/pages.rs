//! Set-up and history in the real window: what they leave on this computer.

use std::fs;

use domain::Usd;
use views::history::{AccountDay, History, HistoryDay};

use crate::{
    bench::{self, Desktop, browser::Browser, wait},
    engine::{Engine, sample},
};

#[test]
fn starting_at_login_is_a_file_that_appears_and_disappears() {
    let desktop = Desktop::start();
    let _engine = Engine::serve(&desktop.home(), sample("armed"));
    let window = Browser::open(&desktop, &["--page", "setup"]);
    // What the keyring says moves the steps below it: a click before that could miss.
    window.shows("This system offers no keyring");
    window.step("Start at login");
    window.shows("Start Risk Manager when you log in to this computer");
    assert_eq!(desktop.autostart(), None, "off until asked");
    window.press_role("switch");
    wait("the file", || desktop.autostart().is_some());
    let file = desktop.autostart().unwrap();
    let home = desktop.home();
    let starts = file.lines().find(|line| line.starts_with("Exec=")).unwrap();
    let tray = bench::program();
    assert_eq!(starts, format!("Exec={tray} --home {}", home.display()), "the tray, not a window");
    window.shows("On");
    window.press_role("switch");
    wait("the file to go", || desktop.autostart().is_none());
}

#[test]
fn the_history_is_saved_where_people_look_for_files_and_says_where() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let account = AccountDay {
        account: "93365101".into(),
        name: "50KTC-V2-…5101".into(),
        is_open: true,
        realized: Usd::from_cents(-33_310),
        fees: Usd::from_cents(1440),
        net: Usd::from_cents(-34_750),
        fees_estimated: false,
        trades: 3,
        wins: 1,
        losses: 2,
        lowest: None,
        highest: None,
        breaches: 1,
        lockouts: vec![],
    };
    let day = HistoryDay { day: sample("armed").accounts[0].day, accounts: vec![account], receipts: vec![] };
    engine.remember(History { days: vec![day], ..History::default() });
    let window = Browser::open(&desktop, &["--page", "history"]);
    window.shows("3 trades, 1 won, 2 lost");
    window.press("Export CSV");
    window.shows("Saved risk-manager-days-2025-11-18.csv and risk-manager-receipts-2025-11-18.csv in ");
    let found = [desktop.user(), desktop.user().join("Downloads")]
        .iter()
        .find_map(|folder| fs::read_to_string(folder.join("risk-manager-days-2025-11-18.csv")).ok());
    assert!(found.unwrap().contains("50KTC-V2-…5101,-347.50,-333.10,14.40"));
}

/// With the colours and under the content policy of the real window; every state is judged in the pages' own tests.
#[test]
fn axe_finds_no_serious_fault_and_the_curve_is_drawn() {
    let axe = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/node_modules/axe-core/axe.min.js");
    let axe = fs::read_to_string(axe).unwrap();
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let window = Browser::open(&desktop, &[]);
    window.shows("Daily Loss Limit bites first");
    let drawn = "const done = arguments[0]; \
        const look = () => { const canvas = document.querySelector('.field canvas'); \
            if (canvas && canvas.width > 300) done(canvas.width); else setTimeout(look, 20); }; look();";
    assert!(window.script(drawn).as_u64().unwrap() > 300);
    let judge = "const done = arguments[0]; axe.run(document.body).then((found) => done(found.violations \
        .filter((one) => one.impact === 'serious' || one.impact === 'critical') \
        .map((one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' '))));";
    for (page, state, word, text) in [
        ("Status", "armed", "Armed", "Daily Loss Limit bites first"),
        ("Status", "near", "near limit", "Limit acts before your ES stop:"),
        ("Status", "locked", "Locked", "New trades blocked until 5:00 PM CT."),
        ("Status", "not-protected", "Not protected", "Long 2 MNQ was open."),
        ("History", "armed", "Armed", "No trading day is on record yet."),
        ("Setup", "armed", "Armed", "Signed in to TopstepX"),
    ] {
        engine.show(sample(state));
        // Another banner moves what is below it: a click before that could miss.
        window.shows(word);
        window.press(page);
        window.shows(text);
        let faults = window.script(&format!("{axe};{judge}"));
        assert_eq!(faults, serde_json::json!([]), "{page}, {state}");
    }
}

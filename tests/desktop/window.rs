//! The window shows what the engine says, and sends what is confirmed.

use domain::Command;
use views::control::Ask;

use crate::{
    bench::{Desktop, browser::Browser, wait},
    engine::{Engine, sample},
};

#[test]
fn the_window_shows_every_state_as_it_comes() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("starting"));
    let window = Browser::open(&desktop, &[]);
    let states = [
        ("starting", "Waiting for the first answer from TopstepX."),
        ("no-credentials", "No user name and API key for TopstepX yet."),
        ("armed", "Locks at −$500.00 until 5:00 PM CT."),
        ("near", "Limit acts before your ES stop:"),
        ("locked", "New trades blocked until 5:00 PM CT."),
        ("not-protected", "Long 2 MNQ was open. Check your network."),
        ("observing", "Nothing locks; no limit closes a position."),
        ("empty", "Nothing had to be enforced today."),
    ];
    for (name, text) in states {
        engine.show(sample(name));
        window.shows(text);
    }
    drop(engine);
    window.shows("This window lost the engine");
    let _engine = Engine::serve(&desktop.home(), sample("armed"));
    window.shows("Daily Loss Limit bites first: $187.50 left");
}

#[test]
fn flatten_all_is_sent_by_the_second_button_only() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let window = Browser::open(&desktop, &["--sheet", "flatten"]);
    window.shows("Flatten All, both accounts, at market?");
    window.press("Keep positions");
    window.press("Flatten All…");
    assert_eq!(engine.asked(), []);
    window.press("Close 2 MNQ, cancel 2 orders");
    wait("the command", || !engine.asked().is_empty());
    assert_eq!(engine.asked(), [Ask::Command { command: Command::Flatten { account: None } }]);
    window.shows("Sent. Done when it is seen at the broker");
}

#[test]
fn what_the_engine_refuses_is_shown() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    engine.refuse("The market is closed.");
    let window = Browser::open(&desktop, &["--sheet", "cancel"]);
    window.press("Cancel 2 orders");
    window.shows("The market is closed.");
}

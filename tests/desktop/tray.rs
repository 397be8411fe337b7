//! Icon and menu follow the engine; no single click sends anything.

use std::collections::BTreeSet;

use crate::{
    bench::{Desktop, Tray, children_of, wait},
    engine::{Engine, sample},
};

fn shows(tray: &Tray<'_>, state: &str) {
    wait(&format!("the state {state:?}"), || tray.state() == state);
}

#[test]
fn every_state_has_its_own_icon_and_words() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("starting"));
    let _program = desktop.run(&[]);
    let tray = desktop.tray();
    let states = [
        ("starting", "Not protected yet"),
        ("armed", "Armed · $187.50 left"),
        ("near", "Armed · near limit · $87.50 left"),
        ("locked", "Locked until 5:00 PM CT (in 2h 14m)"),
        ("not-protected", "Not protected since 1:12:04 PM CT"),
        ("observing", "Observing · limits not enforced"),
    ];
    let mut pictures = BTreeSet::new();
    for (name, state) in states {
        engine.show(sample(name));
        shows(&tray, state);
        pictures.insert(tray.icon());
    }
    assert_eq!(pictures.len(), states.len(), "no two states look the same");
}

#[test]
fn the_menu_says_what_can_be_done_and_grows_with_the_accounts() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let _program = desktop.run(&[]);
    let tray = desktop.tray();
    shows(&tray, "Armed · $187.50 left");
    wait("both accounts", || tray.lines().len() == 14);
    assert_eq!(
        tray.lines(),
        [
            "[Armed · $187.50 left]",
            "[Daily Loss Limit bites first]",
            "[Today's P&L: −$128.50, 2 accounts]",
            "[50KTC-V2-…5101: −$312.50, $187.50 left]",
            "[PRAC-V2-…7733: +$184.00, $684.00 left]",
            "Open Status",
            "Risk Settings",
            "History",
            "Setup",
            "Flatten All…",
            "Cancel All…",
            "Lock me out until…",
            "Done for the day…",
            "Quit…",
        ]
    );

    let mut one = sample("not-protected");
    one.accounts.truncate(1);
    engine.show(one);
    shows(&tray, "Not protected since 1:12:04 PM CT");
    wait("one account", || tray.lines().len() == 13);
    assert_eq!(
        tray.lines()[2..],
        [
            "[50KTC-V2-…5101: −$227.00, last known, not protected]",
            "[Locked by Symbol Block, RTY: no time limit]",
            "Open Status",
            "Risk Settings",
            "History",
            "Setup",
            "[Flatten All…]",
            "[Cancel All…]",
            "[Lock me out until…]",
            "[Done for the day…]",
            "Quit…",
        ]
    );

    engine.show(sample("armed"));
    wait("both accounts again", || tray.lines().len() == 14);
    assert_eq!(tray.lines()[4], "[PRAC-V2-…7733: +$184.00, $684.00 left]");
}

#[test]
fn an_equal_icon_is_not_drawn_again() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let _program = desktop.run(&[]);
    let tray = desktop.tray();
    shows(&tray, "Armed · $187.50 left");
    let file = tray.icon_file();
    let mut moved = sample("armed");
    moved.accounts[0].headroom.usd = Some("180.25".parse().map(domain::Usd).unwrap());
    engine.show(moved);
    shows(&tray, "Armed · $180.25 left");
    assert_eq!(tray.icon_file(), file);
}

#[test]
fn flatten_all_in_the_menu_only_opens_the_question() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let program = desktop.run(&[]);
    let tray = desktop.tray();
    shows(&tray, "Armed · $187.50 left");
    tray.choose("Flatten All…");
    wait("the window to watch the engine", || engine.watchers() == 2);
    let windows = children_of(program.id());
    assert!(
        windows.iter().any(|line| line.contains("risk-manager-window") && line.contains("--sheet flatten")),
        "{windows:?}"
    );
    assert_eq!(engine.asked(), []);
}

#[test]
fn a_lost_engine_turns_the_tray_red_and_a_new_one_is_found_again() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let _program = desktop.run(&[]);
    let tray = desktop.tray();
    shows(&tray, "Armed · $187.50 left");
    drop(engine);
    shows(&tray, "Not protected since 10:42:18 AM CT");
    assert_eq!(tray.lines()[1], "[The engine does not answer]");
    wait("the notification", || !desktop.shown().is_empty());
    let told = &desktop.shown()[0];
    assert_eq!((told.title.as_str(), told.urgency), ("Not protected", Some(2)));
    assert!(told.body.contains("Open: Long 2 MNQ. Watch it in TopstepX."), "{}", told.body);

    let _engine = Engine::serve(&desktop.home(), sample("observing"));
    shows(&tray, "Observing · limits not enforced");
}

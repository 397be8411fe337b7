//! Starting, starting twice, ending, and what is said where something is missing.

use std::{fs, process::Command};

use crate::{
    bench::{Desktop, PROGRAM, children_of, wait},
    engine::{Engine, sample},
};

#[test]
fn a_second_start_opens_the_window_of_the_first() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let first = desktop.run(&[]);
    desktop.tray();
    wait("the tray to watch", || engine.watchers() == 1);
    assert_eq!(desktop.run(&[]).code(), Some(0));
    wait("the window to watch", || engine.watchers() == 2);
    assert_eq!(children_of(first.id()).len(), 1);

    assert_eq!(desktop.run(&["--page", "setup"]).code(), Some(0));
    // The second window process hands its page to the first one and ends.
    wait("one window", || children_of(first.id()).len() == 1);
    assert_eq!(engine.watchers(), 2);
}

#[test]
fn when_the_system_asks_it_to_end_its_window_ends_too() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let mut program = desktop.run(&["--open"]);
    desktop.tray();
    wait("tray and window to watch", || engine.watchers() == 2);
    program.terminate();
    assert_eq!(program.code(), Some(0));
    wait("no window", || {
        engine.show(sample("armed"));
        engine.watchers() == 0
    });
}

#[test]
fn quitting_asks_first_and_says_what_stops() {
    let desktop = Desktop::start();
    let _engine = Engine::serve(&desktop.home(), sample("armed"));
    let mut program = desktop.run(&[]);
    let tray = desktop.tray();
    tray.choose("Quit…");
    let xdotool = |args: &[&str]| {
        assert!(desktop.command("xdotool").args(args).status().unwrap().success());
    };
    let dialog = |keys: &[&str]| {
        let found = ["search", "--sync", "--onlyvisible", "--name", "^Risk Manager$"];
        xdotool(&[&found[..], &["windowfocus", "--sync"]].concat());
        xdotool(&[&["key", "--delay", "100"], keys].concat());
    };
    dialog(&["Escape"]);
    let gone = || {
        let mut search = desktop.command("xdotool");
        search.args(["search", "--onlyvisible", "--name", "^Risk Manager$"]);
        search.output().unwrap().stdout.is_empty()
    };
    wait("the question to close", gone);
    assert!(program.lives());

    tray.choose("Quit…");
    dialog(&["Return"]);
    wait("the question to close", gone);
    assert!(program.lives(), "the answer at hand keeps it running");

    tray.choose("Quit…");
    dialog(&["Left", "space"]);
    assert_eq!(program.code(), Some(0));
}

#[test]
fn without_a_display_it_names_the_headless_engine() {
    let ended = Command::new(PROGRAM)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .args(["--home", "/nonexistent"])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(5));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("There is no display") && said.contains("`riskctl run`"), "{said}");
}

#[test]
fn without_the_trays_library_it_says_what_to_install() {
    let desktop = Desktop::start();
    let folder = desktop.home();
    for library in ["libayatana-appindicator3.so.1", "libappindicator3.so.1"] {
        fs::write(folder.join(library), "no library").unwrap();
    }
    let ended = desktop.program(&[]).env("LD_LIBRARY_PATH", &folder).output().unwrap();
    assert_eq!(ended.status.code(), Some(5));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("libayatana-appindicator3-1"), "{said}");
}

#[test]
fn it_tells_its_version() {
    let said = Command::new(PROGRAM).arg("--version").output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&said.stdout).trim(),
        concat!("risk-manager ", env!("CARGO_PKG_VERSION"))
    );
}

//! Starting, starting twice, ending, and what is said where something is missing.

use std::{collections::BTreeMap, fs, process::Command};

use crate::{
    bench::{Desktop, PROGRAM, Running, children_of, memory::family, wait},
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

/// What is ending no longer hears: whoever comes meanwhile must not be lost with it.
#[test]
fn a_window_that_is_opened_while_the_old_one_ends_is_opened() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let mut old = desktop.run(&["--window"]);
    wait("the window to watch", || engine.watchers() == 1);
    signal("-STOP", &old);
    let mut new = desktop.run(&["--window"]);
    wait("the newcomer to knock", somebody_knocks);
    old.kill();
    wait("the newcomer to watch in its place", || {
        engine.show(sample("armed"));
        engine.watchers() == 1 && loads(new.id(), BROWSER)
    });
    assert!(new.lives());
}

#[test]
fn started_again_while_the_old_one_ends_it_runs_its_own_engine() {
    let desktop = Desktop::start();
    let mut old = desktop.run(&[]);
    desktop.tray();
    old.terminate();
    let mut new = desktop.run(&[]);
    assert_eq!(old.code(), Some(0));
    desktop.tray_of_start(2);
    let claimed_by = fs::read_to_string(desktop.home().join("engine.lock")).unwrap();
    assert_eq!(claimed_by.trim(), new.id().to_string());
    assert!(new.lives());
}

#[test]
fn no_browser_and_no_driver_is_loaded_into_the_process_with_the_engine() {
    let desktop = Desktop::start();
    let program = desktop.run(&[]);
    desktop.tray();
    // The set-up, which a first start opens.
    wait("the window's browser", || family(program.id())[1..].iter().any(|id| loads(*id, BROWSER)));
    assert!(loads(program.id(), "libgtk-3"), "the tray is drawn by it");
    for library in [BROWSER, "libjavascriptcoregtk", "libGLX", "libLLVM"] {
        assert!(!loads(program.id(), library), "{library} is loaded");
    }
}

#[test]
fn without_the_window_program_it_says_where_it_belongs() {
    let (desktop, folder) = (Desktop::start(), tempfile::tempdir().unwrap());
    let alone = folder.path().join("risk-manager");
    fs::copy(PROGRAM, &alone).unwrap();
    let ended = desktop.command(alone.to_str().unwrap()).arg("--window").output().unwrap();
    assert_eq!(ended.status.code(), Some(5));
    let said = String::from_utf8_lossy(&ended.stderr);
    let place = folder.path().join("risk-manager-window");
    assert!(said.contains(place.to_str().unwrap()) && said.contains("Install Risk Manager again"), "{said}");

    let _program = Running::of(desktop.command(alone.to_str().unwrap()).arg("--open"));
    wait("the tray to tell it", || {
        desktop.shown().iter().any(|shown| shown.title == "The window cannot be opened")
    });
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

/// The library of the pages.
const BROWSER: &str = "libwebkit2gtk";

fn loads(process: u32, library: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/maps")).is_ok_and(|maps| maps.contains(library))
}

/// Somebody has connected to the window of a home and was not heard yet: both ends carry its name.
fn somebody_knocks() -> bool {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    for name in sockets.lines().filter_map(|line| line.split_whitespace().nth(7)) {
        *names.entry(name.to_owned()).or_default() += 1;
    }
    let is_window = |name: &str| name.starts_with("@app.risk-manager.") && name.contains(".window.");
    names.iter().any(|(name, count)| is_window(name) && *count > 1)
}

fn signal(name: &str, process: &Running) {
    assert!(Command::new("kill").args([name, &process.id().to_string()]).status().unwrap().success());
}

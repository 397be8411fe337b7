//! The guard password in the window, and what quitting asks for: the whole program on a simulated account.

use crate::{
    bench::{Desktop, browser::Browser, wait},
    settings::demo,
};

#[test]
fn the_guard_password_is_set_in_the_window_and_asked_for_before_quitting() {
    let desktop = Desktop::start();
    let (mut program, home) = demo(&desktop);
    let window = Browser::open(&desktop, &["--page", "settings", "--home", home.to_str().unwrap()]);
    window.shows("None is set: no lockout can be overridden");
    window.press("Set guard password…");
    window.shows("Your own lock nobody can end.");
    window.fill("New guard password", "correct horse");
    window.fill("The same again", "correct horse");
    window.press("Set guard password");
    window.shows("Set. Lockouts can be overridden with it from");

    window.press("Remove…");
    window.fill("Guard password", "incorrect horse");
    window.press("Remove it");
    window.shows("That is not the guard password.");

    let tray = desktop.tray();
    wait("a position of the demo's trader", || tray.lines().contains(&"Flatten All…".to_owned()));
    tray.choose("Quit…");
    window.shows("You are in a position: its limits are no longer watched.");
    window.fill("Guard password", "incorrect horse");
    window.press("Quit, not protected");
    window.shows("That is not the guard password.");
    assert!(program.lives());
    window.fill("Guard password", "correct horse");
    window.press("Quit, not protected");
    assert_eq!(program.code(), Some(0));
}

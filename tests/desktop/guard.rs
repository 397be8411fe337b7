//! The guard password in the window, and what quitting asks for: the whole program on a simulated account.

use crate::bench::{Desktop, broker::Broker, browser::Browser, wait};

#[test]
fn the_guard_password_is_set_in_the_window_and_asked_for_before_quitting() {
    let (broker, desktop) = (Broker::start(1), Desktop::start());
    broker.settings(&desktop.home(), &[]);
    broker.is_known_to(&desktop);
    let mut program = desktop.run_with(&[], &broker.login());
    let tray = desktop.tray_of_start(2);
    wait("protection", || tray.state().starts_with("Armed"));
    let window = Browser::open(&desktop, &["--page", "settings"]);
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

    broker.play(
        "{at: 0, price: {contract: MNQ, last: 21000}}, {at: 0, order: {contract: MNQ, side: buy, size: 2}}",
    );
    wait("the position in the menu", || tray.lines().contains(&"Flatten All…".to_owned()));
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

//! The login is kept in a real keyring, and kindly refused where there is none.

use std::{io::Write, process::Stdio};

use views::control::Ask;
use zbus::{
    blocking::Proxy,
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

use crate::{
    bench::{Desktop, broker::Broker, browser::Browser, wait},
    engine::{Engine, sample},
};

/// What the keyring holds, read by another program.
pub fn kept(desktop: &Desktop) -> String {
    let looked = desktop
        .command("secret-tool")
        .args(["lookup", "service", "risk-manager", "username", "login"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&looked.stdout).into_owned()
}

pub fn start_keyring(desktop: &mut Desktop) {
    let mut daemon = desktop
        .command("gnome-keyring-daemon")
        .args(["--unlock", "--components=secrets", "--foreground"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    daemon.stdin.take().unwrap().write_all(b"password").unwrap();
    desktop.keep(daemon);
    let there = || {
        let mut ask = desktop.command("secret-tool");
        ask.args(["search", "service", "risk-manager"]).stderr(Stdio::null()).stdout(Stdio::null());
        ask.status().unwrap().success()
    };
    wait("the keyring", there);
}

/// The keyring's service, and the keyring that opens with the trader's log-in.
fn secrets<'a>(desktop: &'a Desktop, interface: &'static str) -> (Proxy<'a>, ObjectPath<'static>) {
    let path = "/org/freedesktop/secrets";
    let service = Proxy::new(desktop.bus(), "org.freedesktop.secrets", path, interface).unwrap();
    (service, ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets/collection/login"))
}

/// What the window asked of the engine beside the settings, which Setup shows.
fn told(engine: &Engine) -> Vec<Ask> {
    engine.asked().into_iter().filter(|ask| *ask != Ask::Settings).collect()
}

fn lock(desktop: &Desktop) {
    let (service, login) = secrets(desktop, "org.freedesktop.Secret.Service");
    let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) = service.call("Lock", &(vec![login],)).unwrap();
    assert_eq!(locked.len(), 1);
}

/// As the trader's password does it in a prompt.
fn unlock(desktop: &Desktop) {
    let (service, _) = secrets(desktop, "org.freedesktop.Secret.Service");
    let (_, session): (OwnedValue, OwnedObjectPath) =
        service.call("OpenSession", &("plain", Value::from(""))).unwrap();
    let (service, login) = secrets(desktop, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface");
    let secret = (session, Vec::<u8>::new(), b"password".to_vec(), "text/plain");
    let _: () = service.call("UnlockWithMasterPassword", &(login, secret)).unwrap();
}

#[test]
fn a_login_is_saved_tested_and_read_back() {
    let mut desktop = Desktop::start();
    start_keyring(&mut desktop);
    let engine = Engine::serve(&desktop.home(), sample("no-credentials"));
    let window = Browser::open(&desktop, &["--page", "setup"]);
    window.fill("User name", "j.marlow");
    window.fill("API key", "a-secret-key-of-24-chars");
    window.press("Save & test");
    window.shows("Saved. Signing in to TopstepX…");
    wait("the engine to be told", || told(&engine) == [Ask::CredentialsChanged]);
    assert_eq!(kept(&desktop), r#"{"user_name":"j.marlow","api_key":"a-secret-key-of-24-chars"}"#);
    engine.show(sample("armed"));
    window.shows("TopstepX accepted them.");
    drop(window);
    wait("the window to close", || {
        engine.show(sample("armed"));
        engine.watchers() == 0
    });

    let window = Browser::open(&desktop, &["--page", "setup"]);
    window.shows("Signed in to TopstepX as j.marlow, 2 accounts watched");
    assert_eq!(window.value("User name"), "j.marlow");
    assert_eq!(window.value("API key"), "", "the key never comes back to a page");
}

#[test]
fn without_a_keyring_it_names_the_way_out() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("no-credentials"));
    let window = Browser::open(&desktop, &["--page", "setup"]);
    window.shows("This system offers no keyring");
    window.shows("PROJECT_X_USERNAME and PROJECT_X_API_KEY set");
    window.fill("User name", "j.marlow");
    window.fill("API key", "a-secret-key-of-24-chars");
    window.press("Save & test");
    window.shows("This system offers no keyring");
    assert_eq!(told(&engine), []);
}

#[test]
fn a_locked_keyring_is_named_and_works_as_soon_as_it_is_unlocked() {
    let mut desktop = Desktop::start();
    start_keyring(&mut desktop);
    let engine = Engine::serve(&desktop.home(), sample("no-credentials"));
    lock(&desktop);
    let locked = "The keyring is locked. Unlock it and try again, or start Risk Manager with PROJECT_X_USERNAME \
                  and PROJECT_X_API_KEY set.";
    let window = Browser::open(&desktop, &["--page", "setup"]);
    window.fill("User name", "j.marlow");
    window.fill("API key", "a-secret-key-of-24-chars");
    window.press("Save & test");
    window.shows(locked);
    assert_eq!(told(&engine), []);

    unlock(&desktop);
    window.press("Save & test");
    window.shows("Saved. Signing in to TopstepX…");
    wait("the engine to be told", || told(&engine) == [Ask::CredentialsChanged]);
    assert!(kept(&desktop).contains("j.marlow"));
}

/// As after a log-in without a password, which leaves the keyring locked.
#[test]
fn a_program_that_started_with_a_locked_keyring_signs_in_when_it_is_unlocked() {
    let (broker, mut desktop) = (Broker::start(1), Desktop::start());
    start_keyring(&mut desktop);
    broker.settings(&desktop.home(), &[]);
    let [(_, user), (_, key)] = broker.login();
    let window = Browser::start(&desktop, &["--open", "--page", "setup"], &[]);
    window.fill("User name", &user);
    window.fill("API key", &key);
    window.press("Save & test");
    window.shows("TopstepX accepted them.");
    drop(window);

    lock(&desktop);
    let _program = desktop.run(&[]);
    let tray = desktop.tray_of_start(2);
    let window = Browser::open(&desktop, &["--page", "setup"]);
    window.shows("The keyring is locked. Unlock it and try again");
    let locked = "[The keyring is locked: user name and API key cannot be read]";
    wait("the tray to say it", || tray.lines().get(1).is_some_and(|line| line == locked));
    unlock(&desktop);
    window.press("Try again");
    window.shows(&format!("Signed in to TopstepX as {user}, 1 account watched"));
    wait("protection", || tray.state().starts_with("Armed"));
}

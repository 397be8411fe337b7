//! The whole program with its own engine: against the simulated broker, and where no engine can start.

use std::{fs, time::SystemTime};

use crate::bench::{Desktop, broker::Broker, browser::Browser, children_of, wait};

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
fn a_first_start_opens_the_set_up_by_itself_and_a_later_one_does_not() {
    let desktop = Desktop::start();
    let set_up = |id| children_of(id).iter().any(|line| line.contains("--page setup"));
    let mut program = desktop.run(&[]);
    let tray = desktop.tray();
    wait("the state", || tray.state().starts_with("Not protected since"));
    let lines = tray.lines();
    assert_eq!(lines[1], "[This system has no keyring to read user name and API key from]");
    wait("the set-up", || set_up(program.id()));
    program.terminate();
    assert_eq!(program.code(), Some(0));

    let program = desktop.run(&[]);
    let window = Browser::open(&desktop, &[]);
    window.press("Open Setup");
    window.shows("Made in TopstepX under Settings, API. Kept in the system keyring, never in a file.");
    assert!(!set_up(program.id()));
}

/// Sockets, engine, database, tray and window as a trader has them; only the broker is simulated.
#[test]
fn a_broken_rule_is_closed_proved_and_told_by_the_history() {
    let (broker, desktop) = (Broker::start(1), Desktop::start());
    broker.settings(&desktop.home(), &[("max_contracts", "{limit: 5}")]);
    let window = Browser::start(&desktop, &["--open", "--page", "history"], &broker.login());
    window.shows("Armed");
    window.press("Clock in");
    window.shows("clocked in");
    broker.play("{at: 0, order: {contract: MNQ, side: buy, size: 6, stop_loss_ticks: -200}}");
    window.shows("Reduced");
    window.shows("1 limit crossed");
    window.press("Setup");
    window.step("Proof");
    window.shows("acted,");
    window.shows("seen at the broker");
    window.press("History");
    window.press("Clock out");
    window.shows("not clocked in");
    let session = window.text_of("//ul[@aria-label='Sessions that are over']/li");
    assert!(session.contains("1 trade") && session.contains("1 limit crossed"), "{session}");
}

#[test]
fn at_the_limit_the_window_turns_to_locked_and_counts_down() {
    let (broker, desktop) = (Broker::start(1), Desktop::start());
    broker.settings(&desktop.home(), &[("daily_realized_loss", "{limit: -500}")]);
    // Below ten minutes countdowns tell seconds.
    fs::write(desktop.home().join("config/timers.yaml"), reset_in_minutes(9)).unwrap();
    let window = Browser::start(&desktop, &["--open"], &broker.login());
    let tray = desktop.tray();
    window.shows("Armed");
    broker.play(
        "{at: 0, price: {contract: MNQ, last: 21000}}, {at: 0, order: {contract: MNQ, side: buy, size: 2}}",
    );
    window.shows("LONG 2 MNQ");
    broker.play("{at: 0, price: {contract: MNQ, last: 20870}}");
    window.shows("Locked");
    wait("nothing to be open at the broker", || broker.truth() == (0, 0));
    window.shows("Daily Loss Limit: −$52");
    window.shows("Closed 2 MNQ");
    window.shows("Flat since");
    wait("the tray to say it", || tray.state().starts_with("Locked until"));
    let left = || seconds(&window.countdown());
    let first = left();
    assert!((1..=540).contains(&first), "{first} s");
    wait("the countdown to run", || left() < first);
    let second = left();
    wait("the countdown to run on", || left() < second);

    broker.play("{at: 0, order: {contract: MES, side: sell, size: 1}}");
    wait("the new trade to be undone", || broker.fills() == 4 && broker.truth() == (0, 0));
    window.shows("Locked");
}

#[test]
fn flatten_all_of_the_tray_is_confirmed_in_the_window_and_done_at_the_broker() {
    let (broker, desktop) = (Broker::start(1), Desktop::start());
    broker.settings(&desktop.home(), &[]);
    let window = Browser::start(&desktop, &["--open"], &broker.login());
    let tray = desktop.tray();
    window.shows("Armed");
    broker.play(
        "{at: 0, price: {contract: MNQ, last: 21000}}, {at: 0, order: {contract: MNQ, side: buy, size: 2}}, \
         {at: 0, order: {contract: MNQ, side: buy, type: limit, size: 1, limit: 20500}}",
    );
    wait("both", || broker.truth() == (2, 1));
    window.shows("LONG 2 MNQ");
    wait("the menu to offer it", || tray.lines().contains(&"Flatten All…".to_owned()));
    tray.choose("Flatten All…");
    window.shows("Flatten All, at market?");
    assert_eq!(broker.truth(), (2, 1), "the question alone sends nothing");
    window.press("Close 2 MNQ, cancel 1 order");
    wait("nothing to be open at the broker", || broker.truth() == (0, 0));
    window.shows("your own command. Closed 2 MNQ, cancelled 1 order.");
    window.shows("detected → flat");
    window.shows("Flatten All: already flat");
    window.shows("Armed");
    assert_eq!(broker.fills(), 2, "one entry, one exit");
}

/// The window is a process of its own and outlives the engine.
#[test]
fn killed_while_locked_it_comes_back_locked_with_the_same_end() {
    let (broker, desktop) = (Broker::start(1), Desktop::start());
    let cooldown = "{enabled: true, loss_thresholds: [{loss_amount: -100, cooldown_duration: 9m}]}";
    broker.settings(&desktop.home(), &[("cooldown_after_loss", cooldown)]);
    broker.is_known_to(&desktop);
    let mut program = desktop.run_with(&[], &broker.login());
    let window = Browser::open(&desktop, &[]);
    window.shows("Armed");
    broker.play(
        "{at: 0, price: {contract: MNQ, last: 21000}}, {at: 0, order: {contract: MNQ, side: buy, size: 1}}, \
         {at: 0, price: {contract: MNQ, last: 20900}}, {at: 0, close: {contract: MNQ}}",
    );
    window.shows("Locked");
    window.shows("Cooldown After Loss: ");
    let end = || window.text_of("//section[@aria-label='Protection']//div[contains(@class, 'cap')]");
    let (until, left) = (end(), seconds(&window.countdown()));
    assert!(until.starts_with("until ") && left <= 540, "{until}, {left} s");

    program.kill();
    window.shows("This window lost the engine");
    broker.play("{at: 0, order: {contract: MNQ, side: buy, size: 1}}");
    let fills = broker.fills();

    let _program = desktop.run_with(&[], &broker.login());
    window.shows("Locked");
    wait("what was bought meanwhile to be closed", || {
        broker.fills() == fills + 1 && broker.truth() == (0, 0)
    });
    wait("the banner's end", || end() == until);
    assert!(seconds(&window.countdown()) <= left, "it goes on where it was");
    let tray = desktop.tray_of_start(3);
    wait("the tray to say it", || tray.state().starts_with("Locked until"));
    drop(window);

    let window = Browser::open(&desktop, &[]);
    window.shows("Locked");
    window.shows(&until);
    broker.play("{at: 0, order: {contract: MNQ, side: buy, size: 1}}");
    wait("a new trade to be undone", || broker.fills() == fills + 3 && broker.truth() == (0, 0));
}

/// Settings of a daily reset that comes in so many minutes, or a little earlier.
fn reset_in_minutes(minutes: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let minute = now.as_secs() / 60 + minutes;
    format!("daily_reset: {{time: \"{:02}:{:02}\", timezone: UTC}}\n", minute / 60 % 24, minute % 60)
}

/// `8m 07s`, `42s`.
fn seconds(countdown: &str) -> u32 {
    let part = |text: &str| match text.split_at_checked(text.len() - 1) {
        Some((number, "m")) => number.parse::<u32>().unwrap() * 60,
        Some((number, "s")) => number.parse::<u32>().unwrap(),
        _ => panic!("no countdown: {countdown}"),
    };
    countdown.split(' ').map(part).sum()
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

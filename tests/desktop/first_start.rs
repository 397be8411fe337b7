//! The first start as a trader lives it: the program opens its set-up, and every step of it is walked to the
//! proof. Real keyring, real engine, real window; only the broker is simulated.

use std::fs;

use crate::{
    bench::{Desktop, broker::Broker, browser::Browser, wait},
    keyring::{kept, start_keyring},
};

#[test]
fn the_set_up_leads_from_the_login_to_a_trade_that_is_closed() {
    let (broker, mut desktop) = (Broker::start(2), Desktop::start());
    start_keyring(&mut desktop);
    // The shortest grace, so that the proof comes at once.
    broker.settings(&desktop.home(), &[("no_stop_loss_grace", "{grace_period_seconds: 5}")]);
    let window = Browser::start(&desktop, &[], &[]);
    let tray = desktop.tray();
    window.shows("No user name and API key yet. Nothing is protected without them.");
    wait("the tray to say it", || tray.state().starts_with("Not protected since"));

    signs_in(&window, &broker, &desktop);
    window.press("Next: Accounts");
    window.shows("PRAC-V2-…0017");
    window.shows("Trading Combine 50K");
    window.shows("can trade");

    window.press("Next: Starting rulebook");
    window.shows("The firm's own limits: Maximum Loss Limit $2,000");
    window.press("Use the 50K rulebook");
    window.shows("Saved. What protects more is in force now.");
    let rules = fs::read_to_string(desktop.home().join("config/risk.yaml")).unwrap();
    assert!(rules.contains("daily_realized_loss: {limit: -500}"), "{rules}");

    chooses_what_happens_at_a_limit(&window);
    window.press("Next: Start at login");
    window.press_role("switch");
    wait("the file that starts it", || desktop.autostart().is_some());

    window.press("Next: Proof");
    window.shows("Waiting for your trade on PRAC-V2-…0017.");
    broker.play("{at: 0, order: {contract: MNQ, side: buy, size: 1}}");
    window.shows("Long 1 MNQ without a stop: closes in");
    assert_eq!(broker.truth(), (1, 0));
    window.shows("Stop-Loss Required acted,");
    window.shows("seen at the broker");
    assert_eq!(broker.truth(), (0, 0));
    assert_eq!(broker.fills(), 2, "the trader's and the close: the program enters no trade");
    window.press("Status");
    window.shows("Enforced today");
    wait("the tray to be armed", || tray.state().starts_with("Armed"));
}

/// A wrong key is told as what it is, with what to check; nothing is lost but the key.
fn signs_in(window: &Browser, broker: &Broker, desktop: &Desktop) {
    let [(_, user), (_, key)] = broker.login();
    window.fill("User name", &user);
    window.fill("API key", "a-key-that-nobody-made");
    window.press("Save & test");
    window.shows("Saved, but: TopstepX refused the login: the user name or the API key is wrong.");
    window.shows("Check both in Setup: the user name is not the e-mail address.");
    assert_eq!(window.value("User name"), user);

    window.fill("API key", &key);
    window.press("Save & test");
    window.shows("TopstepX accepted them.");
    window.shows(&format!("Signed in to TopstepX as {user}, 2 accounts watched"));
    assert!(kept(desktop).contains(&key));
}

fn chooses_what_happens_at_a_limit(window: &Browser) {
    window.press("Next: Observe or enforce");
    window.shows("Enforce (now)");
    window.pick("Observe");
    window.shows("Protects less: it waits for the next trading day.");
    window.pick("Enforce");
    window.shows("all rules are enforced");
}

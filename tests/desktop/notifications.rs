//! What the engine wants people to be told reaches the desktop as it is.

use std::{collections::HashMap, process::Stdio};

use domain::{RuleKey, Severity};
use views::{Note, Purpose, View, text::note, view::DesktopView};
use zbus::{blocking::Proxy, zvariant::OwnedValue};

use crate::{
    bench::{Desktop, Shown, broker::Broker, children_of, wait},
    engine::{Engine, sample},
};

#[test]
fn a_note_becomes_a_native_notification() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let _program = desktop.run(&[]);
    wait("the tray to watch", || engine.watchers() == 1);
    engine.note(Note {
        title: "Locked until 5:00 PM CT".into(),
        body: "Daily Loss Limit: −$512.50 of −$500. Closed 2 MNQ, cancelled 1 order.".into(),
        severity: Severity::Warning,
        rule: None,
        purpose: Purpose::News,
    });
    engine.note(Note {
        title: "Close failed".into(),
        body: "2 MNQ still open after 3 tries (broker: <error> & more).".into(),
        severity: Severity::Critical,
        rule: None,
        purpose: Purpose::News,
    });
    wait("both notifications", || desktop.shown().len() == 2);
    let expected = [
        Shown {
            title: "Locked until 5:00 PM CT".into(),
            body: "Daily Loss Limit: −$512.50 of −$500. Closed 2 MNQ, cancelled 1 order.".into(),
            urgency: Some(1),
        },
        Shown {
            title: "Close failed".into(),
            body: "2 MNQ still open after 3 tries (broker: &lt;error&gt; &amp; more).".into(),
            urgency: Some(2),
        },
    ];
    assert_eq!(desktop.shown(), expected);
}

/// What is kept back never arrives: the test message that follows it is shown alone.
#[test]
fn the_settings_of_the_desktop_decide_what_is_shown() {
    let desktop = Desktop::start();
    let with =
        |enabled, min_severity| View { desktop: DesktopView { enabled, min_severity }, ..sample("armed") };
    let engine = Engine::serve(&desktop.home(), with(true, Severity::Critical));
    let _program = desktop.run(&[]);
    wait("the tray to watch", || engine.watchers() == 1);
    engine.note(breach(RuleKey::MaxContracts, "Too light"));
    engine.note(note::test("2025-11-18T20:46:20Z".parse().unwrap()));
    wait("the first test", || desktop.shown().len() == 1);
    engine.show(with(false, Severity::Info));
    engine.note(breach(RuleKey::SymbolBlocks, "Switched off"));
    engine.note(note::test("2025-11-18T20:46:21Z".parse().unwrap()));
    wait("the second test", || desktop.shown().len() == 2);
    engine.show(with(true, Severity::Info));
    engine.note(breach(RuleKey::MaxContracts, "Wanted"));
    wait("what is wanted", || desktop.shown().len() == 3);
    let titles: Vec<_> = desktop.shown().into_iter().map(|it| it.title).collect();
    assert_eq!(titles, ["Test message", "Test message", "Wanted"]);
}

fn breach(rule: RuleKey, title: &str) -> Note {
    Note {
        title: title.into(),
        body: "Closed 1 MNQ.".into(),
        severity: Severity::Warning,
        rule: Some(rule),
        purpose: Purpose::News,
    }
}

/// The sum that follows after a minute is played in `views` with a clock of its own.
#[test]
fn a_rule_that_acts_again_and_again_is_told_once_a_minute() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let _program = desktop.run(&[]);
    wait("the tray to watch", || engine.watchers() == 1);
    for number in 1..=5 {
        engine.note(breach(RuleKey::MaxContracts, &format!("Max Contracts, time {number}")));
    }
    engine.note(breach(RuleKey::SymbolBlocks, "Symbol Block"));
    wait("the other rule's", || desktop.shown().iter().any(|it| it.title == "Symbol Block"));
    let titles: Vec<_> = desktop.shown().into_iter().map(|it| it.title).collect();
    assert_eq!(titles, ["Max Contracts, time 1", "Symbol Block"]);
}

#[test]
fn a_click_on_a_notification_opens_the_window() {
    let desktop = Desktop::start();
    let engine = Engine::serve(&desktop.home(), sample("armed"));
    let program = desktop.run(&[]);
    wait("the tray to watch", || engine.watchers() == 1);
    engine.note(breach(RuleKey::MaxContracts, "Max Contracts"));
    wait("the notification", || desktop.shown().len() == 1);
    // The program listens for the click a moment after the desktop has shown what can be clicked.
    wait("the window", || {
        desktop.click(1);
        engine.watchers() == 2
    });
    let windows = children_of(program.id());
    assert!(windows.iter().any(|line| line.contains("risk-manager-window")), "{windows:?}");
    assert_eq!(engine.asked(), [], "a click sends nothing to the broker");
}

/// From the trade at the broker to the message on the desktop, nothing in between replaced.
#[test]
fn a_real_desktop_receives_the_message_of_a_breach() {
    let (broker, mut desktop) = (Broker::start(1), Desktop::without_notifications());
    let dunst = desktop.command("dunst").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    desktop.keep(dunst);
    let dunst = "org.freedesktop.Notifications";
    let path = "/org/freedesktop/Notifications";
    let control = Proxy::new(desktop.bus(), dunst, path, "org.dunstproject.cmd0").unwrap();
    wait("the desktop's messages", || control.call::<_, _, ()>("NotificationCloseAll", &()).is_ok());
    // What was on the screen, once it was closed.
    let received = || -> Vec<[String; 3]> {
        let _: () = control.call("NotificationCloseAll", &()).unwrap();
        let told: Vec<HashMap<String, OwnedValue>> = control.call("NotificationListHistory", &()).unwrap();
        let text = |one: &HashMap<String, OwnedValue>, name| -> String {
            one.get(name).and_then(|it| it.downcast_ref().ok()).unwrap_or_default()
        };
        told.iter().map(|one| ["appname", "summary", "body"].map(|name| text(one, name))).collect()
    };

    broker.settings(&desktop.home(), &[("daily_realized_loss", "{limit: -500}")]);
    let _program = desktop.run_with(&["--open"], &broker.login());
    let tray = desktop.tray();
    wait("protection", || tray.state().starts_with("Armed"));
    broker.play(
        "{at: 0, price: {contract: MNQ, last: 21000}}, {at: 0, order: {contract: MNQ, side: buy, size: 2}}, \
         {at: 0, order: {contract: MNQ, side: buy, type: limit, size: 1, limit: 20000}}",
    );
    wait("the position to be seen", || tray.lines().contains(&"Flatten All…".to_owned()));
    broker.play("{at: 0, price: {contract: MNQ, last: 20870}}");
    let is_lock = |one: &[String; 3]| one[1].starts_with("Locked until ");
    wait("the message", || received().iter().any(is_lock));
    let told = received();
    let [from, title, body] = told.iter().find(|one| is_lock(one)).unwrap();
    assert_eq!((from.as_str(), title.as_str()), ("Risk Manager", "Locked until 5:00 PM CT"));
    let (what, until) = body.split_once(" New trades blocked until 5:00 PM CT (in ").unwrap();
    assert_eq!(what, "Daily Loss Limit: −$521.22 of −$500. Closed 2 MNQ, cancelled 1 order.");
    assert!(until.ends_with(").") && until.len() > 2, "{body}");
}

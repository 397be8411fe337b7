//! What the engine wants people to be told reaches the desktop as it is.

use domain::Severity;
use views::Note;

use crate::{
    bench::{Desktop, Shown, wait},
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
    });
    engine.note(Note {
        title: "Close failed".into(),
        body: "2 MNQ still open after 3 tries (broker: <error> & more).".into(),
        severity: Severity::Critical,
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

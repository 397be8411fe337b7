//! What stands in the log: signs of life, what rules said, locks and results.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use domain::{Command, Link, broker::Signal};
use runtime::core::Input;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use crate::{chaos::Chaos, rules::rulebook, trader::Step, world::World};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn with(&self, text: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        let all = String::from_utf8(bytes).unwrap();
        all.lines().filter(|line| line.contains(text)).map(str::to_string).collect()
    }
}

/// What is logged at a level while a story runs. It runs once before: a line of code that another test passes for
/// the first time, without a subscriber, just when this one comes up would be taken for one that nobody reads.
fn logged(level: Level, story: impl Fn(&mut World)) -> Lines {
    let lived = || story(&mut World::new(rulebook(), 1, Chaos { way: 20, fill: 20, ..Chaos::default() }));
    lived();
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_max_level(level).with_writer(lines.clone()).finish();
    tracing::subscriber::with_default(subscriber, lived);
    lines
}

fn buy(world: &mut World, size: u32) {
    world.play(&Step::Market { whose: 0, symbol: 0, buys: true, size });
    world.pass(TimeDelta::seconds(2));
}

#[test]
fn each_minute_has_a_sign_of_life() {
    let lines = logged(Level::INFO, |world| {
        buy(world, 1);
        world.pass(TimeDelta::seconds(185));
    });
    let beats = lines.with("heartbeat");
    assert_eq!(beats.len(), 3, "{beats:?}");
    for figure in ["events=", "queue=", "last_event_seconds=", "positions=0", "lockouts=0"] {
        assert!(beats[0].contains(figure), "{figure}: {}", beats[0]);
    }
    assert_eq!(lines.with("checkpoint=6").len(), 1, "the first event");
    assert!(lines.with("checkpoint=7").is_empty());
}

#[test]
fn whoever_looks_closely_sees_each_event_and_each_verdict() {
    let lines = logged(Level::DEBUG, |world| buy(world, 4));
    assert!(lines.with("checkpoint=6").len() > 3);
    let verdicts = lines.with("checkpoint=7");
    let violated = |line: &String| line.contains("violated") && line.contains("limit=");
    assert!(verdicts.iter().any(violated), "{verdicts:?}");
    assert!(verdicts.iter().any(|line| line.contains("passed")), "{verdicts:?}");
}

#[test]
fn an_enforcement_is_logged_with_its_result_and_a_lock_with_its_end() {
    let lines = logged(Level::INFO, |world| {
        buy(world, 4);
        let until = Some(world.now + TimeDelta::seconds(30));
        world.command(Command::LockOut { account: None, until });
        world.pass(TimeDelta::seconds(40));
    });
    let marked = lines.with("checkpoint=8");
    let confirmed = |line: &String| line.contains("confirmed:") && line.contains("confirmed_ms=");
    assert!(marked.iter().any(confirmed), "{marked:?}");
    assert_eq!(lines.with("lockout set: ").len(), 1);
    assert_eq!(lines.with("lockout ended: ").len(), 1);
}

/// Logged in, and the stream says nothing.
#[test]
fn silence_after_the_login_is_told() {
    let mut world = World::unconnected(rulebook());
    world.handle(Input::ClockApart(TimeDelta::zero()));
    world.handle(Input::Signal(Signal::Link(Link::LoggedIn)));
    world.hold_requests(TimeDelta::seconds(30));
    let silent = |world: &World| world.told.iter().filter(|told| told.kind == "no_events").count();
    world.pass(TimeDelta::seconds(7));
    assert_eq!(silent(&world), 0);
    world.pass(TimeDelta::seconds(5));
    assert_eq!(silent(&world), 1);
}

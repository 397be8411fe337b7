//! The form of the journal is written down in `docs/events.md`; what stands there is what is written and read.

use std::collections::BTreeSet;

use domain::{Event, Rulebook};

use super::{Line, Replay, ReplayError, Taken, read};

const DOCUMENT: &str = include_str!("../../../../docs/events.md");

/// The name of each kind of event, as it is written.
const KINDS: [&str; 17] = [
    "restored",
    "rules",
    "account",
    "position",
    "order",
    "fill",
    "quote",
    "instrument",
    "snapshot",
    "orders",
    "positions",
    "bar",
    "unanswered",
    "link",
    "report",
    "command",
    "tick",
];

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Restored(_) => "restored",
        Event::Rules(_) => "rules",
        Event::Account(_) => "account",
        Event::Position(_) => "position",
        Event::Order(_) => "order",
        Event::Fill(_) => "fill",
        Event::Quote(_) => "quote",
        Event::Instrument(_) => "instrument",
        Event::Snapshot(_) => "snapshot",
        Event::Orders { .. } => "orders",
        Event::Positions { .. } => "positions",
        Event::Unanswered(_) => "unanswered",
        Event::Link(_) => "link",
        Event::Report(_) => "report",
        Event::Command(_) => "command",
        Event::Tick => "tick",
        Event::Bar { .. } => "bar",
    }
}

/// The examples of the document, each brought to one line.
fn examples() -> Vec<serde_json::Value> {
    let blocks = DOCUMENT.split("```json\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let lines = blocks.flat_map(|(block, _)| match serde_json::from_str(block) {
        Ok(whole) => vec![whole],
        Err(_) => block.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    });
    lines.filter(|value: &serde_json::Value| value.get("event").is_some()).collect()
}

fn taken(line: &str) -> Taken {
    match read(line.as_bytes()).next() {
        Some(Ok(Line::Taken(taken))) => *taken,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn each_event_has_an_example_in_the_document_that_is_written_just_so() {
    let mut told = BTreeSet::new();
    for example in examples() {
        let read = taken(&example.to_string());
        assert_eq!(serde_json::to_value(&read).unwrap(), example, "written otherwise");
        let heading = format!("## `{}`", kind(&read.event));
        assert!(DOCUMENT.contains(&heading), "no heading {heading}");
        told.insert(kind(&read.event));
    }
    let all: BTreeSet<&str> = KINDS.into_iter().collect();
    assert_eq!(told, all);
}

#[test]
fn a_start_in_the_recording_begins_anew_with_the_rules_before_it() {
    let at = "2026-06-10T14:30:00Z".parse().unwrap();
    let mut strict = Rulebook::default();
    strict.base.max_contracts.settings.limit = domain::Contracts(1);
    let mut replay = Replay::new(Rulebook::default());
    let mut take = |event| replay.take(Taken { at, event }).len();
    assert_eq!(take(Event::Rules(Box::new(strict.clone()))), 0);
    assert_eq!(take(Event::Restored(Box::default())), 0);
    assert_eq!(replay.engine().rulebook(), &strict);
    replay.take(Taken { at, event: Event::Restored(Box::default()) });
    assert_eq!(replay.engine().rulebook(), &Rulebook::default(), "none stood before it: those of the home");
}

#[test]
fn what_is_no_line_is_named_by_its_number_and_what_is_missing_is_told() {
    let text = "{\"at\":\"2026-06-10T14:30:00Z\",\"lost\":3}\n\n{\"at\":\"2026-06-10T14:30:00Z\"}\n";
    let mut lines = read(text.as_bytes());
    assert!(matches!(lines.next(), Some(Ok(Line::Lost { lost: 3, .. }))));
    let Some(Err(ReplayError::Format { line: 3, what })) = lines.next() else { panic!("no error") };
    assert_eq!(what, "a line has either an `event` or the number of those `lost`");
    assert!(lines.next().is_none());
}

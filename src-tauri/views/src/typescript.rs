//! The pages' types and sample views are made here, and a stale one fails this test.
//!
//! `UPDATE_EXPECT=1 cargo test -p views typescript` writes them anew.

use std::{collections::BTreeMap, fs, path::Path};

use chrono::TimeDelta;
use domain::{Instant, Usd};
use serde::Serialize;
use ts_rs::{Config, TS};

use crate::{
    Sight, View, Zones,
    control::{Request, Response},
    sample,
    text::{money, time},
    tray::{self, Icon},
};

const TYPES: &str = "../../ui/src/lib/types";
const SAMPLES: &str = "../../ui/src/lib/fake/views";
const MENUS: &str = "../../ui/src/lib/fake/menus.json";
const CASES: &str = "../../ui/src/lib/format.cases.json";

type Files = BTreeMap<String, String>;

#[test]
fn the_pages_types_are_current() {
    let dir = tempfile::tempdir().unwrap();
    // Numbers of requests and of the chain stay far below 2^53.
    let config = Config::new().with_large_int("number").with_out_dir(dir.path());
    Request::export_all(&config).unwrap();
    Response::export_all(&config).unwrap();
    Sight::export_all(&config).unwrap();
    check(&files(dir.path()), Path::new(TYPES));
}

#[test]
fn the_pages_sample_views_are_current() {
    let json = |view| serde_json::to_string_pretty(&view).unwrap() + "\n";
    let made = sample::all().into_iter().map(|(name, view)| (format!("{name}.json"), json(view))).collect();
    check(&made, Path::new(SAMPLES));
}

/// The tray of every state as values, for pictures of it.
#[test]
fn the_sample_menus_are_current() {
    let menus: Vec<_> = sample::all().into_iter().map(|(name, view)| Drawn::of(name, &view)).collect();
    let text = serde_json::to_string_pretty(&menus).unwrap() + "\n";
    expect_test::expect_file![format!("../{MENUS}")].assert_eq(&text);
}

/// What the page writes itself, because it counts down or redraws without a new view, has to read as
/// it reads in messages: inputs and expected texts for the page's own test.
#[test]
fn the_pages_format_cases_are_current() {
    let amounts = ["0", "-0.004", "-312.5", "35", "1234567.895", "-15.625", "-1000", "0.005", "-500.00"];
    let spans = [-1, 0, 1, 999, 1_000, 40_001, 59_999, 60_000, 300_000, 599_001, 600_000, 8_020_000];
    let long = [86_340_000, 86_400_000, 86_400_001, 180_000_001];
    let instants = [
        "2025-11-18T23:00:00Z",
        "2025-11-18T20:53:10Z",
        "2025-11-14T22:10:05Z",
        "2025-11-19T06:00:00Z",
        "2026-07-01T17:30:00Z",
    ];
    let now: Instant = "2025-11-18T20:46:20Z".parse().unwrap();
    let cases = Cases {
        money: amounts.map(Money::of).into(),
        spans: spans.iter().chain(&long).map(|ms| Span::of(*ms)).collect(),
        now,
        clocks: instants.map(|at| Clock::of(at.parse().unwrap(), now)).into(),
    };
    let text = serde_json::to_string_pretty(&cases).unwrap() + "\n";
    expect_test::expect_file![format!("../{CASES}")].assert_eq(&text);
}

/// Structs, not maps: the order of a map's members depends on how the whole workspace is built.
#[derive(Serialize)]
struct Cases {
    money: Vec<Money>,
    spans: Vec<Span>,
    now: Instant,
    clocks: Vec<Clock>,
}

#[derive(Serialize)]
struct Drawn {
    name: &'static str,
    icon: String,
    state: String,
    detail: String,
    lines: Vec<String>,
    items: Vec<(&'static str, bool)>,
}

#[derive(Serialize)]
struct Money {
    amount: &'static str,
    signed: String,
    unsigned: String,
}

#[derive(Serialize)]
struct Span {
    ms: i64,
    countdown: String,
    elapsed: String,
}

#[derive(Serialize)]
struct Clock {
    at: Instant,
    schedule: String,
    event: String,
    berlin: Option<String>,
    /// The zone that was chosen.
    kolkata: Option<String>,
}

impl Drawn {
    fn of(name: &'static str, view: &View) -> Self {
        let menu = tray::menu(view, view.at, Zones::CENTRAL);
        let icon = match tray::icon(view) {
            Icon::Armed => "armed",
            Icon::NearLimit => "near-limit",
            Icon::Locked => "locked",
            Icon::NotProtected => "not-protected",
            Icon::Observing => "observing",
            Icon::Starting => "starting",
        };
        let lines = menu.lines().cloned().collect();
        let items = menu.items.iter().map(|item| (item.label, item.enabled)).collect();
        Self { name, icon: icon.to_owned(), state: menu.state, detail: menu.detail, lines, items }
    }
}

impl Money {
    fn of(amount: &'static str) -> Self {
        let usd = Usd(amount.parse().unwrap());
        Self { amount, signed: money::signed(usd), unsigned: money::unsigned(usd) }
    }
}

impl Span {
    fn of(ms: i64) -> Self {
        let span = TimeDelta::milliseconds(ms);
        Self { ms, countdown: time::countdown(span), elapsed: time::elapsed(span) }
    }
}

impl Clock {
    fn of(at: Instant, now: Instant) -> Self {
        let berlin = Zones::of_computer(chrono_tz::Europe::Berlin).local_clock(at);
        let kolkata = Zones::CENTRAL.or_chosen(chrono_tz::Asia::Kolkata).local_clock(at);
        Self { at, schedule: time::schedule(at, now), event: time::event(at, now), berlin, kolkata }
    }
}

fn check(made: &Files, dir: &Path) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir).unwrap();
        made.iter().for_each(|(name, text)| fs::write(dir.join(name), text).unwrap());
    }
    let kept = if dir.exists() { files(dir) } else { Files::new() };
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&kept), names(made), "{}: run with UPDATE_EXPECT=1", dir.display());
    for (name, text) in made {
        assert_eq!(&kept[name], text, "{name} is stale: run with UPDATE_EXPECT=1");
    }
}

fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
    };
    entries.map(named).collect()
}

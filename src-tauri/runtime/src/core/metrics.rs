//! The measured figures of specification E.1: the last thousand samples of each, and what the last minute
//! added. Judges nothing: see [`super::measures`].

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant as Monotonic},
};

use chrono::TimeDelta;
use domain::{Event, Outcome, RuleKey, broker::Signal};
use engine::Stopwatch;
use rust_decimal::Decimal;
use views::view::Timing;

use super::Input;
use crate::executor::Receipt;

/// Samples that are kept of each measurement.
const WINDOW: usize = 1_000;
/// Of so many events one is timed rule by rule: reading the clock costs more than most rules.
const TIMED_EVERY: u32 = 8;

/// A rolling window of one measurement, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    window: VecDeque<u64>,
    fresh: Fresh,
}

/// What was added since it was last taken.
#[derive(Clone, Copy, Debug, Default)]
struct Fresh {
    count: u64,
    sum: u64,
    largest: u64,
}

/// The samples of a stretch of time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub count: u64,
    pub average: f64,
    pub p95: f64,
    pub largest: f64,
}

/// All measurements of a run.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Cause received to first request handed to the wire.
    pub(crate) to_request: Samples,
    /// Cause received to target seen at the broker.
    pub(crate) to_confirmation: Samples,
    /// One event through the engine.
    pub(crate) processing: Samples,
    /// The same by kind of event.
    pub(super) by_kind: BTreeMap<&'static str, Samples>,
    /// Each rule's look at an event.
    pub(super) rules: RuleTimes,
    /// Resident memory of the process, in bytes.
    pub(crate) memory: Option<u64>,
    /// Inputs waiting.
    pub(crate) queue_depth: u64,
    /// Events taken since the start.
    pub(crate) events: u64,
}

/// How long the rules take, of some of the events.
#[derive(Debug, Default)]
pub(super) struct RuleTimes {
    pub all: Samples,
    pub by_rule: BTreeMap<RuleKey, Samples>,
    clock: Option<fn() -> Monotonic>,
    events: u32,
    begun: Option<Monotonic>,
}

impl Metrics {
    pub(crate) fn enforced(&mut self, receipt: &Receipt) {
        let detected = receipt.enforcement.detected_at;
        if let Some(sent) = receipt.sent_at {
            self.to_request.add_delta(sent - detected);
        }
        if let (Outcome::Confirmed, Some(confirmed)) = (&receipt.outcome, receipt.confirmed_at) {
            self.to_confirmation.add_delta(confirmed - detected);
        }
    }

    /// Times the rules with this clock from now on.
    pub fn time_rules(&mut self, clock: fn() -> Monotonic) {
        self.rules.clock = Some(clock);
    }

    /// How long one input took, by its [kind](kind_of).
    pub fn processed(&mut self, kind: &'static str, took: Duration) {
        self.processing.add(took);
        self.by_kind.entry(kind).or_default().add(took);
    }

    /// Resident memory in bytes, and inputs waiting.
    pub fn observed(&mut self, memory: Option<u64>, queue_depth: usize) {
        self.memory = memory.or(self.memory);
        self.queue_depth = queue_depth as u64;
    }
}

/// The kind of an input, as metrics name it.
#[must_use]
pub fn kind_of(input: &Input) -> &'static str {
    match input {
        Input::Signal(signal) => match signal {
            Signal::Event(event) => kind_of_event(event),
            Signal::Link(_) | Signal::LoginRefused(_) => "link",
            Signal::Malformed(_) | Signal::Inbox(_) => "refused",
            Signal::Reply(_) => "reply",
        },
        Input::Tick => "tick",
        Input::Files(_) | Input::SettingsRefused(_) | Input::Settings(_) | Input::StopRuleForced => {
            "settings"
        }
        Input::DatabaseReplaced(_) | Input::NoBackup(_) | Input::Disk(_) => "disk",
        Input::Credentials(_) | Input::ClockApart(_) | Input::Stepped(_) | Input::Jumped => "other",
    }
}

pub(super) fn kind_of_event(event: &Event) -> &'static str {
    match event {
        Event::Account(_) => "account",
        Event::Position(_) | Event::Positions { .. } => "position",
        Event::Order(_) | Event::Orders { .. } => "order",
        Event::Fill(_) => "fill",
        Event::Quote(_) | Event::Bar { .. } => "quote",
        Event::Snapshot(_) => "snapshot",
        Event::Instrument(_)
        | Event::Unanswered(_)
        | Event::Link(_)
        | Event::Report(_)
        | Event::Command(_)
        | Event::Rules(_)
        | Event::Restored(_)
        | Event::Tick => "other",
    }
}

impl RuleTimes {
    /// The stopwatch for the next event: one that runs, for some of them.
    pub fn next_event(&mut self) -> &mut Self {
        self.events = (self.events + 1) % TIMED_EVERY;
        self
    }
}

impl Stopwatch for RuleTimes {
    fn begin(&mut self) {
        self.begun = self.clock.filter(|_| self.events == 0).map(|clock| clock());
    }

    fn end(&mut self, rule: RuleKey) {
        if let (Some(begun), Some(clock)) = (self.begun.take(), self.clock) {
            let took = clock() - begun;
            self.all.add(took);
            self.by_rule.entry(rule).or_default().add(took);
        }
    }
}

impl Samples {
    fn add_delta(&mut self, delta: TimeDelta) {
        self.add(delta.to_std().unwrap_or_default());
    }

    fn add(&mut self, took: Duration) {
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.window.push_back(took);
        let Fresh { count, sum, largest } = self.fresh;
        self.fresh = Fresh { count: count + 1, sum: sum.saturating_add(took), largest: largest.max(took) };
    }

    pub(crate) fn timing(&self) -> Option<Timing> {
        let sorted = self.sorted(WINDOW);
        let last = sorted.len().checked_sub(1)?;
        let at = |percent: usize| milliseconds(sorted[last * percent / 100]);
        Some(Timing { count: sorted.len() as u64, p50_ms: at(50), p95_ms: at(95), max_ms: at(100) })
    }

    /// What was added since the last call, if anything was. Of more than a thousand samples, the 95th
    /// percentile is that of the last thousand.
    pub(super) fn take_fresh(&mut self) -> Option<Summary> {
        let Fresh { count, sum, largest } = std::mem::take(&mut self.fresh);
        let sorted = self.sorted(usize::try_from(count).unwrap_or(WINDOW));
        let p95 = sorted.get(sorted.len().checked_sub(1)? * 95 / 100)?;
        let milliseconds = |microseconds: u64| microseconds as f64 / 1_000.0;
        Some(Summary {
            count,
            average: milliseconds(sum) / count as f64,
            p95: milliseconds(*p95),
            largest: milliseconds(largest),
        })
    }

    /// The latest samples, the smallest first.
    fn sorted(&self, latest: usize) -> Vec<u64> {
        let skipped = self.window.len().saturating_sub(latest);
        let mut sorted: Vec<u64> = self.window.iter().skip(skipped).copied().collect();
        sorted.sort_unstable();
        sorted
    }
}

fn milliseconds(microseconds: u64) -> Decimal {
    Decimal::new(i64::try_from(microseconds).unwrap_or(i64::MAX), 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_keeps_the_latest_samples() {
        let mut samples = Samples::default();
        assert_eq!(samples.timing(), None);
        for microseconds in 1..=2_000 {
            samples.add(Duration::from_micros(microseconds));
        }
        let timing = samples.timing().unwrap();
        assert_eq!(timing.count, 1_000);
        assert_eq!(timing.p50_ms.to_string(), "1.500");
        assert_eq!(timing.max_ms.to_string(), "2.000");
    }

    #[test]
    fn a_minute_sums_up_what_it_added() {
        let mut samples = Samples::default();
        samples.add(Duration::from_millis(90));
        assert_eq!(samples.take_fresh().unwrap().count, 1);
        assert_eq!(samples.take_fresh(), None);
        for milliseconds in 1..=100 {
            samples.add(Duration::from_millis(milliseconds));
        }
        let minute = Summary { count: 100, average: 50.5, p95: 95.0, largest: 100.0 };
        assert_eq!(samples.take_fresh(), Some(minute));
    }

    #[test]
    fn rules_are_timed_for_one_event_of_eight() {
        let mut rules = RuleTimes { clock: Some(Monotonic::now), ..RuleTimes::default() };
        for _ in 0..16 {
            let watch = rules.next_event();
            watch.begin();
            watch.end(RuleKey::MaxContracts);
        }
        assert_eq!(rules.all.timing().unwrap().count, 2);
        assert_eq!(rules.by_rule[&RuleKey::MaxContracts].timing().unwrap().count, 2);
    }
}

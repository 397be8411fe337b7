//! What is measured, held against its limits: told once when it goes beyond, again only after it was well
//! within; summed up and kept each minute (specification C.13, E.1). Changes nothing about protection.

use std::collections::{BTreeSet, VecDeque};

use chrono::TimeDelta;
use domain::{AccountId, Instant};
use rust_decimal::Decimal;
use store::{Record, Spread};
use views::{
    text::upkeep,
    view::{Measure, Timing},
};

use super::{Core, metrics::Summary, telling::About};
use crate::executor::Receipt;

/// A 95th percentile says something from so many samples on.
const ENOUGH: u64 = 100;
/// No enforcement may take longer than this to be sent.
const NEVER_LATER: TimeDelta = TimeDelta::milliseconds(1_000);
/// Part of a limit below which what was beyond it counts as well again, in percent.
const WELL_BELOW: u32 = 80;
/// What is measured is summed up this often.
const MINUTE: TimeDelta = TimeDelta::seconds(60);
/// Time over which growth of the memory is judged.
const GROWTH_OVER: TimeDelta = TimeDelta::hours(6);
/// Samples of the memory that are kept: one a minute.
const MOST_GROWTH: usize = 361;
const MEBIBYTE: f64 = 1_048_576.0;

/// What is beyond its limit, and what judging needs to remember.
#[derive(Debug, Default)]
pub(super) struct Measures {
    exceeded: BTreeSet<Measure>,
    memory: VecDeque<(Instant, u64)>,
    summed_up: Option<Instant>,
    events: u64,
}

impl Measures {
    /// What is beyond its limit now.
    pub fn exceeded(&self) -> Vec<Measure> {
        self.exceeded.iter().copied().collect()
    }

    /// Whether this is the moment at which a limit was passed.
    fn passes(&mut self, measure: Measure, value: Decimal, limit: Decimal) -> bool {
        if value > limit {
            return self.exceeded.insert(measure);
        }
        if value <= limit * Decimal::new(WELL_BELOW.into(), 2) && self.exceeded.remove(&measure) {
            tracing::info!(target: "daemon", "{measure:?} is well within its limit again: {value}");
        }
        false
    }

    fn remember_memory(&mut self, bytes: u64, now: Instant) {
        self.memory.push_back((now, bytes));
        while self.memory.len() > MOST_GROWTH
            || self.memory.front().is_some_and(|(at, _)| now - *at > GROWTH_OVER)
        {
            self.memory.pop_front();
        }
    }

    /// How the memory grew, in megabytes an hour: the line through its samples, once they reach back far
    /// enough.
    fn growth(&self) -> Option<Decimal> {
        let ((first, _), (last, _)) = (self.memory.front()?, self.memory.back()?);
        if *last - *first < GROWTH_OVER - MINUTE * 2 {
            return None;
        }
        let hours = |at: &Instant| (*at - *first).as_seconds_f64() / 3_600.0;
        let points: Vec<(f64, f64)> =
            self.memory.iter().map(|(at, bytes)| (hours(at), *bytes as f64 / MEBIBYTE)).collect();
        let count = points.len() as f64;
        let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let rise: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let run: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        Decimal::try_from(rise / run).ok()
    }
}

impl Core {
    /// Holds what was measured against its limits, and sums up a minute that is over.
    pub(super) fn measure(&mut self, now: Instant) {
        let due = self.measures.summed_up.is_none_or(|at| now - at >= MINUTE);
        if due {
            self.measures.summed_up = Some(now);
            self.sum_up(now);
        }
        for (measure, value, limit) in self.measured() {
            if self.measures.passes(measure, value, limit) {
                self.tell(upkeep::exceeded(measure, value, limit), About::all("metric"), now);
            }
        }
    }

    /// Each measurement that can be judged, with its limit.
    fn measured(&self) -> Vec<(Measure, Decimal, Decimal)> {
        let metrics = &self.metrics;
        let p95 = |timing: Option<Timing>| timing.filter(|it| it.count >= ENOUGH).map(|it| it.p95_ms);
        let megabytes = |bytes: u64| Decimal::from(bytes) / Decimal::from(1 << 20);
        let seconds = |took: TimeDelta| Decimal::new(took.num_milliseconds(), 3);
        [
            (Measure::EnforcementLatency, p95(metrics.to_request.timing()), 500),
            (Measure::EventProcessing, p95(metrics.processing.timing()), 50),
            (Measure::Memory, metrics.memory.map(megabytes), 200),
            (Measure::MemoryGrowth, self.measures.growth(), 2),
            (Measure::QueueDepth, Some(metrics.queue_depth.into()), 1_000),
            (Measure::Reconciliation, self.reconciler.last_took().map(seconds), 10),
            (Measure::RuleEvaluation, p95(metrics.rules.all.timing()), 20),
        ]
        .into_iter()
        .filter_map(|(measure, value, limit)| Some((measure, value?, Decimal::from(limit))))
        .collect()
    }

    /// Keeps how long an enforcement took to be sent; one that took far too long is told at once.
    pub(super) fn record_latency(&mut self, receipt: &Receipt, now: Instant) {
        let Some(sent) = receipt.sent_at else { return };
        let latency = sent - receipt.enforcement.detected_at;
        let account = &receipt.enforcement.account;
        let milliseconds = latency.as_seconds_f64() * 1_000.0;
        self.keep("enforcement_latency_ms", milliseconds, Some(account), None, now);
        if latency > NEVER_LATER {
            let in_ms = |span: TimeDelta| Decimal::from(span.num_milliseconds());
            let note = upkeep::exceeded(Measure::EnforcementLatency, in_ms(latency), in_ms(NEVER_LATER));
            self.tell(note, About::account("metric", Some(account)), now);
        }
    }

    /// The minute that is over. One in which the broker told nothing says little, and is left out except
    /// for the memory: the database would grow for nothing.
    fn sum_up(&mut self, now: Instant) {
        if let Some(bytes) = self.metrics.memory {
            self.measures.remember_memory(bytes, now);
            self.keep("memory_usage_mb", bytes as f64 / MEBIBYTE, None, None, now);
        }
        let metrics = &mut self.metrics;
        let kinds = metrics.by_kind.iter_mut().filter_map(|(kind, samples)| {
            Some((format!("event_processing_{kind}_ms"), samples.take_fresh()?))
        });
        let rules = metrics.rules.by_rule.iter_mut().filter_map(|(rule, samples)| {
            Some((format!("rule_eval_{}_ms", rule.key()), samples.take_fresh()?))
        });
        let minute: Vec<(String, Summary)> = kinds.chain(rules).collect();
        let (depth, events) = (metrics.queue_depth, metrics.events);
        if std::mem::replace(&mut self.measures.events, events) == events {
            return;
        }
        self.keep("queue_depth", depth as f64, None, None, now);
        for (name, Summary { count, average, p95, largest }) in minute {
            let spread = Spread { samples: count, p95, largest };
            self.keep(&name, average, None, Some(spread), now);
        }
        if let Some(took) = self.reconciler.last_took() {
            self.keep("reconciliation_time_sec", took.as_seconds_f64(), None, None, now);
        }
    }

    fn keep(
        &mut self,
        name: &str,
        value: f64,
        account: Option<&AccountId>,
        spread: Option<Spread>,
        at: Instant,
    ) {
        let (name, account) = (name.to_string(), account.cloned());
        self.batch.lazy(Record::Metric { name, value, account, at, spread });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Instant {
        chrono::DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn a_limit_is_told_once_and_again_only_after_it_was_well_within() {
        let mut measures = Measures::default();
        let mut told = Vec::new();
        for depth in [900, 1_001, 5_000, 990, 1_002, 800, 801, 1_003] {
            if measures.passes(Measure::QueueDepth, depth.into(), 1_000.into()) {
                told.push(depth);
            }
        }
        assert_eq!(told, [1_001, 1_003]);
        assert_eq!(measures.exceeded(), [Measure::QueueDepth]);
    }

    #[test]
    fn memory_that_grows_for_six_hours_shows_and_a_sawtooth_does_not() {
        let grown = |megabytes: &dyn Fn(i64) -> f64, minutes: i64| {
            let mut measures = Measures::default();
            for minute in 0..=minutes {
                measures.remember_memory((megabytes(minute) * MEBIBYTE) as u64, at(minute));
            }
            assert!(measures.memory.len() <= MOST_GROWTH);
            measures.growth().map(|growth| growth.round_dp(2).to_string())
        };
        let steady = |minute: i64| 50.0 + minute as f64 / 20.0;
        assert_eq!(grown(&steady, 300), None, "too short");
        assert_eq!(grown(&steady, 360).as_deref(), Some("3.00"));
        assert_eq!(grown(&steady, 900).as_deref(), Some("3.00"));
        let sawtooth = |minute: i64| 50.0 + (minute % 10) as f64;
        assert!(grown(&sawtooth, 360).unwrap().parse::<f64>().unwrap() < 0.1);
    }
}

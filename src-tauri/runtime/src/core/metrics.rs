//! The measured figures of specification E.1: the last thousand samples of each.

use std::{collections::VecDeque, time::Duration};

use chrono::TimeDelta;
use domain::Outcome;
use rust_decimal::Decimal;
use views::view::Timing;

use crate::executor::Receipt;

/// Samples that are kept of each measurement.
const WINDOW: usize = 1_000;

/// A rolling window of one measurement, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Samples(VecDeque<u64>);

/// All measurements of a run.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Cause received to first request handed to the wire.
    pub(crate) to_request: Samples,
    /// Cause received to target seen at the broker.
    pub(crate) to_confirmation: Samples,
    /// One event through the engine.
    pub(crate) processing: Samples,
    /// Resident memory of the process, in bytes.
    pub(crate) memory: Option<u64>,
    /// Inputs waiting.
    pub(crate) queue_depth: u64,
    /// Events taken since the start.
    pub(crate) events: u64,
    /// Messages that could not be understood.
    pub(crate) malformed: u64,
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

    /// How long one event took.
    pub fn processed(&mut self, took: Duration) {
        self.processing.add(took);
    }

    /// Resident memory in bytes, and inputs waiting.
    pub fn observed(&mut self, memory: Option<u64>, queue_depth: usize) {
        self.memory = memory.or(self.memory);
        self.queue_depth = queue_depth as u64;
    }
}

impl Samples {
    fn add_delta(&mut self, delta: TimeDelta) {
        self.add(delta.to_std().unwrap_or_default());
    }

    fn add(&mut self, took: Duration) {
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn timing(&self) -> Option<Timing> {
        let mut sorted: Vec<u64> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = |percent: usize| milliseconds(sorted[last * percent / 100]);
        Some(Timing { count: sorted.len() as u64, p50_ms: at(50), p95_ms: at(95), max_ms: at(100) })
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
}

//! One enforcement from its decision to its receipt.

use std::collections::BTreeMap;

use domain::{ContractId, Contracts, Enforcement, Instant, Outcome, Report, broker::CallId};

use super::lane::{Ending, Goal, Lane, Stamps, Subject};

#[derive(Debug)]
pub(super) struct Task {
    pub enforcement: Enforcement,
    /// Lanes that have not ended.
    pub parts: u32,
    pub rounds: u32,
    acted: bool,
    superseded: bool,
    failure: Option<String>,
    /// The first request, whose hand-over to the wire the receipt shows.
    first: Option<CallId>,
    receipt: Receipt,
}

/// What an enforcement came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What was to be done, and why.
    pub enforcement: Enforcement,
    /// How it ended.
    pub outcome: Outcome,
    /// Another enforcement did what this one was for.
    pub superseded: bool,
    /// Requests sent for it.
    pub attempts: u32,
    /// When the first request was handed to the wire.
    pub sent_at: Option<Instant>,
    /// When the last request was accepted.
    pub acknowledged_at: Option<Instant>,
    /// When the target was seen at the broker.
    pub confirmed_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Instant,
    /// It failed because a market is shut.
    pub market_shut: bool,
    /// The last error, also of an attempt that a later one made good.
    pub error: Option<String>,
    /// Contracts closed.
    pub closed: BTreeMap<ContractId, Contracts>,
    /// Orders cancelled.
    pub cancelled: u32,
    /// Orders made smaller.
    pub shrunk: u32,
    /// Orders placed.
    pub placed: u32,
    /// Orders brought to another size or price.
    pub moved: u32,
}

impl Task {
    pub fn new(enforcement: Enforcement) -> Self {
        let receipt = Receipt {
            enforcement: enforcement.clone(),
            outcome: Outcome::NotNeeded,
            superseded: false,
            attempts: 0,
            sent_at: None,
            acknowledged_at: None,
            confirmed_at: None,
            ended_at: enforcement.detected_at,
            market_shut: false,
            error: None,
            closed: BTreeMap::new(),
            cancelled: 0,
            shrunk: 0,
            placed: 0,
            moved: 0,
        };
        Self {
            enforcement,
            parts: 0,
            rounds: 0,
            acted: false,
            superseded: false,
            failure: None,
            first: None,
            receipt,
        }
    }

    pub fn stamp(&mut self, stamps: &Stamps) {
        let receipt = &mut self.receipt;
        if let Some((call, decided)) = stamps.requested {
            receipt.attempts += 1;
            self.first.get_or_insert(call);
            receipt.sent_at.get_or_insert(decided);
        }
        if let (Some(waited), Some(sent), None) = (stamps.waited, receipt.sent_at, receipt.acknowledged_at) {
            // The first request left only after it had waited for its turn.
            if receipt.attempts == 1 {
                receipt.sent_at = Some(sent + waited);
            }
        }
        receipt.acknowledged_at = stamps.acknowledged.or(receipt.acknowledged_at);
        if let Some(error) = &stamps.error {
            receipt.error = Some(error.clone());
        }
    }

    /// A request was handed to the wire.
    pub fn left(&mut self, call: CallId, at: Instant) {
        if self.first == Some(call) {
            self.receipt.sent_at = Some(at);
        }
    }

    /// A lane that it took part in ended. The last to join is the one whose goal was reached; those
    /// before it were superseded.
    pub fn part_ended(&mut self, lane: &Lane, is_last: bool, now: Instant) {
        self.parts = self.parts.saturating_sub(1);
        match lane.ending() {
            Some(Ending::Failed(why)) => {
                self.failure = Some(why.clone());
                self.receipt.market_shut |= lane.market_shut;
            }
            Some(Ending::Reached) if is_last => {
                self.acted = true;
                self.receipt.confirmed_at = self.receipt.confirmed_at.max(lane.reached_at.or(Some(now)));
                self.count(lane);
            }
            Some(Ending::Reached) => self.superseded = true,
            Some(Ending::NotNeeded) | None => {}
        }
    }

    fn count(&mut self, lane: &Lane) {
        match (&lane.subject, &lane.goal) {
            (Subject::Position(contract), Goal::AtMost { to, .. }) => {
                let closed = lane.begun_with.unwrap_or_default().saturating_sub(*to);
                let sum = self.receipt.closed.entry(contract.clone()).or_default();
                *sum = *sum + closed;
            }
            (Subject::Position(_), _) => {}
            (Subject::Order(_), Goal::Sized(_)) => self.receipt.shrunk += 1,
            (Subject::Order(_), Goal::Ended | Goal::AtMost { .. }) => self.receipt.cancelled += 1,
            (Subject::Order(_), Goal::Like(_) | Goal::Placed(_)) => self.receipt.moved += 1,
            (Subject::New(_), _) => self.receipt.placed += 1,
        }
    }

    /// Whether all its parts went well.
    pub fn verdict(&self) -> Result<(), String> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// A flatten was verified: there is something to confirm even if nothing had to be done.
    pub fn verified(&mut self, now: Instant) {
        self.acted = true;
        self.receipt.confirmed_at.get_or_insert(now);
    }

    /// Something came up after all.
    pub fn unverified(&mut self) {
        self.receipt.confirmed_at = None;
    }

    pub fn receipt(mut self, verdict: Result<(), String>, now: Instant) -> Receipt {
        self.receipt.ended_at = now;
        self.receipt.superseded = self.superseded && !self.acted;
        self.receipt.outcome = match verdict {
            Err(why) => Outcome::Failed { why },
            Ok(()) if self.acted => Outcome::Confirmed,
            Ok(()) => Outcome::NotNeeded,
        };
        self.receipt
    }
}

impl Receipt {
    /// What the engine is told.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            enforcement: self.enforcement.id,
            account: self.enforcement.account.clone(),
            contract: None,
            outcome: self.outcome.clone(),
            market_shut: self.market_shut,
        }
    }
}

//! What arrives and is not as it should be: counted by kind, told when there is much of it, and answered
//! with a reading of the broker's state (specification C.2). Mends no message and guesses nothing.

use std::collections::{BTreeSet, VecDeque};

use chrono::TimeDelta;
use domain::{
    AccountId, ContractId, Event, Instant, OrderKind, Price,
    broker::{Flaw, Inbox, Malformed},
};
use views::{text::upkeep, view};

use super::{Core, telling::About};

/// More bad messages than this within [`RATE_OVER`] are told.
const BEARABLE: usize = 5;
const RATE_OVER: TimeDelta = TimeDelta::seconds(60);
/// Unknown values that are remembered as told. When full, further ones are counted and logged only.
const MOST_UNKNOWN: usize = 50;

/// Counters of a run.
#[derive(Debug, Default)]
pub(super) struct Intake {
    pub counts: view::Intake,
    /// The latest bad messages, at most one more than is bearable.
    recent: VecDeque<Instant>,
    /// Their number was told, and no quiet minute has passed since.
    is_told: bool,
    unknown: BTreeSet<String>,
}

impl Intake {
    /// Messages that could not be understood or believed.
    pub fn refused(&self) -> u64 {
        let view::Intake { unreadable, unknown, impossible, off_grid, foreign, .. } = self.counts;
        unreadable + unknown + impossible + off_grid + foreign
    }

    /// Counts a bad message towards the rate; says how many there were if that is to be told.
    fn note(&mut self, now: Instant) -> Option<usize> {
        self.recent.retain(|at| now - *at < RATE_OVER);
        self.is_told &= !self.recent.is_empty();
        self.recent.push_back(now);
        if self.recent.len() <= BEARABLE {
            return None;
        }
        self.recent.drain(..self.recent.len() - (BEARABLE + 1));
        (!std::mem::replace(&mut self.is_told, true)).then_some(BEARABLE + 1)
    }
}

impl Core {
    pub(super) fn malformed(&mut self, malformed: &Malformed, now: Instant) {
        let counts = &mut self.intake.counts;
        match malformed.flaw {
            Flaw::Unreadable => counts.unreadable += 1,
            Flaw::Unknown => counts.unknown += 1,
            Flaw::Impossible => counts.impossible += 1,
        }
        tracing::error!(
            target: "errors",
            what = malformed.what,
            raw = malformed.raw,
            "a message of the broker makes no sense: {}", malformed.why
        );
        self.reconciler.doubt(malformed.account.as_ref(), now);
        if malformed.flaw == Flaw::Unknown
            && self.intake.unknown.len() < MOST_UNKNOWN
            && self.intake.unknown.insert(format!("{} {}", malformed.what, malformed.why))
        {
            let note = upkeep::unknown_value(&malformed.why, &self.setting.broker);
            self.tell(note, About::account("unknown_value", malformed.account.as_ref()), now);
        }
        self.tell_rate(&malformed.why, now);
    }

    /// Messages were repeated, or were too many.
    pub(super) fn inbox(&mut self, news: Inbox, now: Instant) {
        match news {
            Inbox::Repeated => self.intake.counts.repeated += 1,
            Inbox::Overflowed { waiting } => {
                self.intake.counts.overflows += 1;
                self.reconciler.doubt(None, now);
                self.tell(upkeep::queue_full(waiting), About::all("queue_overflow"), now);
            }
        }
    }

    /// Positions and fills tell different stories, as when messages arrive out of order.
    pub(super) fn contradicted(&mut self, account: &AccountId, now: Instant) {
        self.intake.counts.contradictory += 1;
        tracing::warn!(target: "daemon", %account, "positions and fills tell different stories");
        self.reconciler.doubt(Some(account), now);
        self.tell_rate("positions and fills tell different stories", now);
    }

    /// Whether a fact can be taken for true, as far as that can be told without judging it. What cannot is
    /// not applied: the reading that follows brings what the broker stands by.
    pub(super) fn is_credible(&mut self, event: &Event, now: Instant) -> bool {
        let (account, contract, prices) = match event {
            Event::Position(position) => (&position.account, &position.contract, Vec::new()),
            Event::Fill(fill) => (&fill.account, &fill.contract, vec![fill.price]),
            // The price of a trailing stop follows the market by the broker's own rule.
            Event::Order(order) if order.kind == OrderKind::TrailingStop => {
                (&order.account, &order.contract, Vec::new())
            }
            Event::Order(order) => {
                let prices = order.limit_price.into_iter().chain(order.stop_price).collect();
                (&order.account, &order.contract, prices)
            }
            Event::Account(_)
            | Event::Quote(_)
            | Event::Instrument(_)
            | Event::Snapshot(_)
            | Event::Orders { .. }
            | Event::Positions { .. }
            | Event::Unanswered(_)
            | Event::Link(_)
            | Event::Report(_)
            | Event::Command(_)
            | Event::Rules(_)
            | Event::Restored(_)
            | Event::Bar { .. }
            | Event::Tick => return true,
        };
        if self.engine.account(account).is_none() {
            self.intake.counts.foreign += 1;
            tracing::error!(target: "errors", %account, "a message about an account that is not watched");
            self.tell_rate("it is about an account that is not watched", now);
            return false;
        }
        let Some(price) = self.off_grid(contract, &prices) else { return true };
        self.intake.counts.off_grid += 1;
        tracing::error!(
            target: "errors",
            %account,
            %contract,
            event = %serde_json::to_string(event).unwrap_or_default(),
            "{price} is not on the tick grid"
        );
        self.reconciler.doubt(Some(account), now);
        let why = format!("{price} is no price of {}", self.symbol_of(contract));
        self.tell_rate(&why, now);
        false
    }

    /// The first price that lies beside the grid of its contract, where that is known.
    fn off_grid(&self, contract: &ContractId, prices: &[Price]) -> Option<Price> {
        let instrument = self.engine.market().instrument(contract)?;
        prices.iter().copied().find(|price| !instrument.is_on_grid(*price))
    }

    fn tell_rate(&mut self, latest: &str, now: Instant) {
        if let Some(count) = self.intake.note(now) {
            let note = upkeep::bad_messages(count, latest, &self.setting.broker);
            self.tell(note, About::all("bad_messages"), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        chrono::DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn the_sixth_bad_message_of_a_minute_is_told_and_the_next_flood_only_after_a_quiet_minute() {
        let mut intake = Intake::default();
        let told = |intake: &mut Intake, seconds: std::ops::Range<i64>| -> Vec<i64> {
            seconds.filter(|second| intake.note(at(*second)).is_some()).collect()
        };
        assert_eq!(told(&mut intake, 0..5), Vec::<i64>::new());
        assert_eq!(told(&mut intake, 5..40), [5], "once for the whole flood");
        assert_eq!(told(&mut intake, 98..99), Vec::<i64>::new());
        assert_eq!(told(&mut intake, 200..210), [205], "a minute was quiet");
    }

    #[test]
    fn five_a_minute_are_borne_for_ever() {
        let mut intake = Intake::default();
        assert!((0..1_000).step_by(13).all(|second| intake.note(at(second)).is_none()));
        assert!(intake.recent.len() <= BEARABLE + 1);
    }
}

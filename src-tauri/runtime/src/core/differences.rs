//! What readings said otherwise than what was known (specification C.10): written down each, and told where
//! nothing but a lost message explains it. A message that was on its way explains it by arriving.

use chrono::TimeDelta;
use domain::{AccountId, Difference, Discrepancy, Event, Exposure, Instant, OrderKind, Price, Subject};
use views::{control::DifferenceView, text::discrepancy};

use super::{Core, Output, telling::About};

/// A message that arrives within this time after a reading was on its way, not lost.
const UNDER_WAY: TimeDelta = TimeDelta::seconds(2);
/// Differences that wait for their messages. When full, further ones wait for none.
const MOST_WAITING: usize = 500;

/// Differences whose messages may still arrive.
#[derive(Debug, Default)]
pub(super) struct Differences {
    waiting: Vec<Found>,
    /// What was found since somebody wanted to know.
    review: Option<Vec<DifferenceView>>,
}

#[derive(Debug)]
struct Found {
    account: AccountId,
    discrepancy: Discrepancy,
    at: Instant,
    /// Nothing was doubtful about the account: every message should have been heard.
    is_unexplained: bool,
}

impl Differences {
    /// The stream speaks of something: that it differed was a matter of time.
    pub fn heard(&mut self, event: &Event) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.retain(|found| !found.is_explained_by(event));
    }

    fn settled(&mut self, now: Instant) -> Vec<Found> {
        self.waiting.extract_if(.., |found| now - found.at >= UNDER_WAY).collect()
    }
}

impl Found {
    /// What was on its way says what was read; what happened since then says something else.
    fn is_explained_by(&self, event: &Event) -> bool {
        let Discrepancy { contract, subject, difference } = &self.discrepancy;
        match (event, subject) {
            (Event::Position(it), Subject::Position) => {
                let is_it = it.account == self.account && it.contract == *contract;
                is_it && agrees(difference, it.exposure, Some(it.average_price), None)
            }
            (Event::Order(it), Subject::Order { order }) if it.id == *order => {
                let left = if it.status.is_working() { it.would_add() } else { Exposure::FLAT };
                // Of one that is executed at once, all that is told may be its end.
                it.kind == OrderKind::Market || agrees(difference, left, it.limit_price, it.stop_price)
            }
            (Event::Fill(it), Subject::Fill { fill }) => it.id == *fill,
            (_, Subject::Position | Subject::Order { .. } | Subject::Fill { .. }) => false,
        }
    }
}

fn agrees(difference: &Difference, told: Exposure, price: Option<Price>, stop: Option<Price>) -> bool {
    match difference {
        Difference::Missing { .. } => told.is_flat(),
        Difference::Extra { read } | Difference::Size { read, .. } | Difference::Side { read, .. } => {
            told == *read
        }
        Difference::Price { read, .. } => price == *read,
        Difference::Stop { read, .. } => stop == *read,
    }
}

impl Core {
    /// Reads all accounts anew for a person; the answer is an [`Output::Reviewed`].
    ///
    /// # Errors
    /// There is nobody to ask, or it is being done already.
    pub fn review(&mut self, now: Instant) -> Result<Vec<Output>, String> {
        if !self.links.user_up || self.watched().is_empty() {
            return Err(format!("{} cannot be read without a connection.", self.setting.broker));
        }
        if self.differences.review.is_some() {
            return Err("Everything is being read again already. Try again in a moment.".to_string());
        }
        self.differences.review = Some(Vec::new());
        // Readings are asked for at the engine's time.
        self.step(now, Event::Tick);
        self.reconciler.want(self.engine.now());
        self.pursue(now);
        Ok(self.take_outputs())
    }

    /// Answers once everything was read and nothing waits for a message that may be on its way.
    pub(super) fn end_review(&mut self) {
        if self.differences.review.is_none() {
            return;
        }
        let read = match self.links.user_up {
            true => self.reconciler.is_read(),
            false => Err("the connection was lost meanwhile".to_string()),
        };
        let result = match read {
            Ok(true) if self.differences.waiting.is_empty() => {
                Ok(self.differences.review.take().unwrap_or_default())
            }
            Ok(_) => return,
            Err(why) => Err(format!("Not everything could be read: {why}.")),
        };
        self.differences.review = None;
        self.batch.signs.push(Output::Reviewed(result));
    }

    /// A reading differs from what was known.
    pub(super) fn differ(&mut self, account: &AccountId, differences: Vec<Discrepancy>, now: Instant) {
        let is_unexplained = self.links.user_up && self.reconciler.doubt_about(account, now).is_none();
        let found = |discrepancy| Found { account: account.clone(), discrepancy, at: now, is_unexplained };
        let mut found: Vec<Found> = differences.into_iter().map(found).collect();
        let room = MOST_WAITING.saturating_sub(self.differences.waiting.len());
        let excess = found.split_off(room.min(found.len()));
        self.differences.waiting.append(&mut found);
        self.write_differences(&excess, now);
    }

    /// Differences that no message explained in time.
    pub(super) fn tell_differences(&mut self, now: Instant) {
        let found = self.differences.settled(now);
        self.write_differences(&found, now);
    }

    fn write_differences(&mut self, found: &[Found], now: Instant) {
        for it in found {
            self.log_difference(it);
            self.show_difference(it);
        }
        for account in self.watched().to_vec() {
            let lost = found.iter().filter(|it| it.account == account && it.is_unexplained);
            let lost: Vec<String> = lost.map(|it| self.difference_text(&it.discrepancy)).collect();
            if !lost.is_empty() {
                let note =
                    self.with_scene(Some(&account), now, |scene| discrepancy::event_lost(&lost, scene));
                self.tell(note, About::account("event_lost", Some(&account)), now);
            }
        }
    }

    fn log_difference(&self, found: &Found) {
        let Found { account, discrepancy, is_unexplained, .. } = found;
        let (kind, text) = (discrepancy.difference.kind(), self.difference_text(discrepancy));
        if *is_unexplained {
            tracing::warn!(target: "daemon", %account, kind, "a message was lost; {text}");
        } else {
            tracing::info!(target: "daemon", %account, kind, "a reading differs; {text}");
        }
    }

    fn show_difference(&mut self, Found { account, discrepancy, .. }: &Found) {
        let view = DifferenceView {
            account: account.clone(),
            contract: discrepancy.contract.clone(),
            symbol: self.symbol_of(&discrepancy.contract),
            subject: discrepancy.subject.kind().to_string(),
            kind: discrepancy.difference.kind().to_string(),
            text: self.difference_text(discrepancy),
        };
        self.differences.review.iter_mut().for_each(|found| found.push(view.clone()));
    }

    fn difference_text(&self, discrepancy: &Discrepancy) -> String {
        discrepancy::text(discrepancy, &self.symbol_of(&discrepancy.contract))
    }
}

//! What is written down, and how safely: locks, intents and deadlines before their effect, receipts and
//! pictures when there is time (specification C.15, rulings 12 and 14).

mod pictures;

use chrono::TimeDelta;
use domain::{
    AccountId, Action, Breach, Deed, EndCause, Enforcement, Event, Instant, LockKey, Lockout, Observation,
    Outcome, RuleKey, Usd,
};
use store::{AuditAction, Ending, FillRecord, Intent, Note, Receipt as ReceiptRow, Record, ResetRecord};
use views::text::{Deeds, lockout as lockout_text, reason};

use super::Core;
use crate::executor::Receipt;
pub(super) use pictures::Pictures;

/// A flatten that a restart found unfinished is finished if it is younger than this.
const STILL_WANTED: TimeDelta = TimeDelta::seconds(60);

impl Core {
    /// Writes down what must outlive a restart.
    pub(super) fn record(&mut self, action: &Action, cause: &Event, now: Instant) {
        match action {
            Action::Lock { lockout } => self.record_lock(lockout, now),
            Action::Unlock { key, cause } => self.record_unlock(key, cause, now),
            Action::Enforce(enforcement) => self.record_intent(enforcement, cause, now),
            Action::Observe(observation) => self.record_observation(observation, now),
            Action::RecordFill { fill, own, locked, day } => {
                self.batch.lazy(Record::Fill(Box::new(FillRecord {
                    fill: fill.clone(),
                    own: *own,
                    locked: *locked,
                    day: *day,
                    received_at: now,
                })));
            }
            // What a stop was moved to stands at the broker, whatever a loss of power takes from here.
            Action::RecordManaged { account, contract, managed } => {
                self.batch.lazy(Record::Managed {
                    account: account.clone(),
                    contract: contract.clone(),
                    managed: managed.clone().map(Box::new),
                });
            }
            Action::RecordStopDeadline { account, contract, deadline } => {
                self.batch.durable(Record::StopDeadline {
                    account: account.clone(),
                    contract: contract.clone(),
                    deadline: *deadline,
                });
            }
            Action::Reset { account, closed, day, scheduled } => {
                self.batch.durable(Record::Reset(Box::new(ResetRecord {
                    account: account.clone(),
                    closed: closed.clone(),
                    day: *day,
                    scheduled: *scheduled,
                    executed_at: now,
                    backup_file: None,
                })));
            }
            Action::Alert(_) | Action::Ask(_) | Action::Differ { .. } => {}
        }
    }

    fn record_lock(&mut self, lockout: &Lockout, now: Instant) {
        let reason = lockout_text::reason(lockout);
        // A lowered baseline is written down, but it is no news for the audit.
        let is_news = self.pictures.locks.insert(lockout.key.clone(), lockout.end) != Some(lockout.end);
        self.batch.durable(Record::Lock { lockout: Box::new(lockout.clone()), reason: reason.clone() });
        if is_news {
            tracing::warn!(
                target: "enforcement",
                account = %lockout.key.account,
                rule = %lockout.key.rule,
                symbol = lockout.key.symbol.as_ref().map(tracing::field::display),
                until = lockout.end.at().map(tracing::field::display),
                "lockout set: {reason}"
            );
            self.batch.durable(Record::Note(Box::new(Note {
                at: now,
                account: Some(lockout.key.account.clone()),
                rule: lockout.key.rule,
                action: AuditAction::of_lock(lockout.kind),
                observed: false,
                dry_run: false,
                reason,
                breach: Some(lockout.breach.clone()),
                detected_at: Some(now),
                done: Some(lockout_text::ends(lockout, now)),
            })));
        }
    }

    fn record_unlock(&mut self, key: &LockKey, cause: &EndCause, now: Instant) {
        self.pictures.locks.remove(key);
        tracing::info!(
            target: "enforcement",
            account = %key.account,
            rule = %key.rule,
            symbol = key.symbol.as_ref().map(tracing::field::display),
            "lockout ended: {}", lockout_text::ended(cause)
        );
        self.batch.durable(Record::Unlock { key: key.clone(), cause: cause.clone(), at: now });
        self.batch.durable(Record::Note(Box::new(Note {
            at: now,
            account: Some(key.account.clone()),
            rule: key.rule,
            action: AuditAction::of_end(cause),
            observed: false,
            dry_run: false,
            reason: lockout_text::ended(cause),
            breach: None,
            detected_at: None,
            done: None,
        })));
    }

    fn record_intent(&mut self, enforcement: &Enforcement, cause: &Event, now: Instant) {
        let contract = match &enforcement.deed {
            Deed::Reduce { contract, .. } => Some(contract),
            Deed::Place { ticket } | Deed::Modify { ticket, .. } => Some(&ticket.contract),
            Deed::Flatten | Deed::Cancel { .. } | Deed::Shrink { .. } => None,
        };
        let account = self.engine.account(&enforcement.account);
        let position = account
            .zip(contract)
            .and_then(|(account, contract)| account.holdings().find(|it| it.position.contract == *contract))
            .map(|holding| holding.position.id.clone());
        self.batch.durable(Record::Intent(Box::new(Intent {
            at: now,
            enforcement: enforcement.clone(),
            reason: reason::full(&enforcement.breach),
            position,
            cause: Some(caused_by(cause)),
        })));
    }

    fn record_observation(&mut self, observation: &Observation, now: Instant) {
        self.batch.durable(Record::Note(Box::new(Note {
            at: now,
            account: Some(observation.account.clone()),
            rule: observation.rule,
            action: AuditAction::of_observation(observation),
            observed: true,
            dry_run: self.setting.is_dry_run(),
            reason: reason::full(&observation.breach),
            breach: Some(observation.breach.clone()),
            detected_at: Some(observation.detected_at),
            done: Some(self.would(observation, now)),
        })));
    }

    pub(super) fn record_receipt(&mut self, receipt: &Receipt, now: Instant) {
        let enforcement = &receipt.enforcement;
        let (ending, error) = match &receipt.outcome {
            Outcome::Confirmed => (Ending::Confirmed, receipt.error.clone()),
            Outcome::NotNeeded => (Ending::Superseded, receipt.error.clone()),
            Outcome::Failed { why } => (Ending::Failed, Some(why.clone())),
        };
        let ending = if receipt.superseded { Ending::Superseded } else { ending };
        let latency = receipt.confirmed_at.map(|at| at - enforcement.detected_at);
        self.batch.lazy(Record::Receipt(Box::new(ReceiptRow {
            enforcement: enforcement.id,
            at: now,
            ending,
            attempts: receipt.attempts,
            sent_at: receipt.sent_at,
            acknowledged_at: receipt.acknowledged_at,
            confirmed_at: receipt.confirmed_at,
            latency: latency.and_then(|latency| latency.to_std().ok()),
            overshoot: self.final_overshoot(enforcement),
            error,
            done: Some(self.deeds(receipt).done()),
        })));
    }

    /// Dollars past the limit once everything is closed: what slippage added counts too.
    fn final_overshoot(&self, enforcement: &Enforcement) -> Option<Usd> {
        let (_, limit) = enforcement.breach.money()?;
        let account = self.engine.account(&enforcement.account)?;
        let Breach::DailyLoss { .. } = enforcement.breach else { return enforcement.breach.overshoot() };
        let settings = &self.engine.rulebook().of(account.id()).daily_realized_loss.settings;
        let value =
            account.ledger().realized(settings.include_fees) + account.unrealized(self.engine.market())?;
        Some((limit - value).max(Usd::ZERO))
    }

    /// What a receipt did, with root symbols.
    pub(super) fn deeds(&self, receipt: &Receipt) -> Deeds {
        let closed = receipt
            .closed
            .iter()
            .filter(|(_, size)| size.0 > 0)
            .map(|(contract, size)| (*size, self.symbol_of(contract)))
            .collect();
        let Receipt { cancelled, shrunk, placed, moved, .. } = *receipt;
        Deeds { closed, cancelled, shrunk, placed, moved }
    }

    /// What an earlier run had begun and not finished, once the account is known again: if it is still
    /// wanted the engine has decided it anew; otherwise its purpose is reached or gone.
    pub(super) fn finish_pending(&mut self, account: &AccountId, now: Instant) {
        if self.setting.is_dry_run() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let (mine, others) = pending.into_iter().partition(|it| it.enforcement.account == *account);
        self.pending = others;
        for intent in mine {
            self.finish(&intent, now);
        }
    }

    fn finish(&mut self, intent: &Intent, now: Instant) {
        let enforcement = &intent.enforcement;
        if enforcement.rule == RuleKey::Trader
            && enforcement.deed == Deed::Flatten
            && now - enforcement.detected_at < STILL_WANTED
        {
            let account = Some(enforcement.account.clone());
            self.step(now, domain::Event::Command(domain::Command::Flatten { account }));
        }
        let is_reached = self.is_reached(enforcement);
        self.batch.lazy(Record::Receipt(Box::new(ReceiptRow {
            enforcement: enforcement.id,
            at: now,
            ending: if is_reached { Ending::Confirmed } else { Ending::Superseded },
            attempts: 0,
            sent_at: None,
            acknowledged_at: None,
            confirmed_at: is_reached.then_some(now),
            latency: None,
            overshoot: None,
            error: None,
            done: Some(match is_reached {
                true => "Found done after a restart.".to_string(),
                false => "Judged anew after a restart.".to_string(),
            }),
        })));
    }

    fn is_reached(&self, enforcement: &Enforcement) -> bool {
        let Some(account) = self.engine.account(&enforcement.account) else { return false };
        match &enforcement.deed {
            Deed::Flatten => account.holdings().next().is_none(),
            Deed::Reduce { contract, to } => account.exposure(contract).size() <= *to,
            Deed::Cancel { orders } => orders.iter().all(|order| account.order(order).is_none()),
            Deed::Shrink { order, to } => account.order(order).is_none_or(|order| order.size <= *to),
            Deed::Place { .. } => account.has_tag(&enforcement.tag()),
            Deed::Modify { order, ticket } => {
                account.order(order).is_none_or(|order| ticket.is_met_by(order))
            }
        }
    }

    /// What an event tells that no picture does: metadata, for the next start, and how an order ended.
    pub(super) fn record_event(&mut self, event: &Event, now: Instant) {
        if let Event::Instrument(instrument) = event {
            self.batch.lazy(Record::Instrument { instrument: Box::new(instrument.clone()), at: now });
        }
        if let Event::Order(order) = event
            && !order.status.is_working()
        {
            self.batch.lazy(Record::Order { order: Box::new(order.clone()), at: now });
        }
    }
}

/// Names an event in the audit: its kind, and the broker's own number where it has one.
fn caused_by(event: &Event) -> String {
    match event {
        Event::Account(account) => format!("account {}", account.id),
        Event::Position(position) => format!("position {}", position.id),
        Event::Order(order) => format!("order {}", order.id),
        Event::Fill(fill) => format!("trade {}", fill.id),
        Event::Quote(quote) => format!("quote {}", quote.contract),
        Event::Bar { contract, .. } => format!("bar {contract}"),
        Event::Snapshot(it) => format!("snapshot {}", it.account.id),
        Event::Positions { account, .. } => format!("positions {account}"),
        Event::Orders { account, .. } => format!("orders {account}"),
        Event::Instrument(it) => format!("instrument {}", it.contract),
        Event::Report(_) => "report".to_string(),
        Event::Unanswered(_) => "unanswered".to_string(),
        Event::Link(_) => "connection".to_string(),
        Event::Command(_) => "command".to_string(),
        Event::Rules(_) => "settings".to_string(),
        Event::Restored(_) => "restart".to_string(),
        Event::Tick => "tick".to_string(),
    }
}

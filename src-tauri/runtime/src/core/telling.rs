//! What people are told, and when: an enforcement once it is seen to be done, a lost protection once it
//! has lasted a moment, nothing twice within a minute.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, Action, Alert, Breach, ContractId, Contracts, Deed, EndCause, Event, Instant, LockEnd,
    Lockout, Notice, Outcome, Part, Side, Symbol, Trouble,
};
use store::{AlertRecord, Record};
use views::{
    text::{
        Deeds, Doubt, Held, Note, Scene, WouldLock,
        note::{self, Enforced, Failure},
        reason,
    },
    view::Protection,
};

use super::Core;
use crate::executor::Receipt;

/// The same text is told once within this time (specification C.14).
const SAME_TEXT: TimeDelta = TimeDelta::seconds(60);
/// A lock whose flatten is not seen to be done within this time is told before it is.
const TELL_LOCK_WITHIN: TimeDelta = TimeDelta::milliseconds(1_500);
/// Protection that is back within this time was never told to be lost.
const TELL_LOSS_AFTER: TimeDelta = TimeDelta::seconds(2);
/// Texts that are remembered; when full, those of more than a minute ago are forgotten, and if there are
/// none, further texts are told without being remembered.
const MOST_TEXTS: usize = 500;

/// A message with what is kept of it (specification D.2, table `alerts`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The message.
    pub note: Note,
    /// When.
    pub at: Instant,
    /// Its kind, one word.
    pub kind: String,
    /// About which account; `None` concerns all.
    pub account: Option<AccountId>,
    /// Equal ones held back before it.
    pub suppressed: u32,
}

impl Told {
    /// What is kept, once it is known how many heard it.
    #[must_use]
    pub fn record(&self, listeners: usize) -> Record {
        let is_heard = listeners > 0;
        Record::Alert(Box::new(AlertRecord {
            at: self.at,
            severity: self.note.severity,
            kind: self.kind.clone(),
            account: self.account.clone(),
            text: format!("{}: {}", self.note.title, self.note.body),
            channels: is_heard.then(|| "viewers".to_string()).into_iter().collect(),
            delivered: is_heard,
            error: (!is_heard).then(|| "nobody was listening".to_string()),
            suppressed: self.suppressed,
        }))
    }
}

/// What a message is about.
#[derive(Clone, Debug)]
pub(super) struct About {
    kind: String,
    account: Option<AccountId>,
}

impl About {
    pub fn all(kind: &str) -> Self {
        Self::account(kind, None)
    }

    pub fn account(kind: &str, account: Option<&AccountId>) -> Self {
        Self { kind: kind.to_string(), account: account.cloned() }
    }

    /// The kind of an alert is the name of its notice.
    fn alert(alert: &Alert) -> Self {
        let notice = serde_json::to_value(&alert.notice).unwrap_or_default();
        Self::account(notice["notice"].as_str().unwrap_or("alert"), alert.account.as_ref())
    }
}

/// A text that was told lately.
#[derive(Clone, Copy, Debug)]
struct Lately {
    told: Instant,
    suppressed: u32,
}

/// What is waiting to be told, and what was told.
#[derive(Debug, Default)]
pub(super) struct Teller {
    told: BTreeMap<String, Lately>,
    /// Locks of this moment whose flatten is under way.
    locks: BTreeMap<AccountId, (Lockout, Instant)>,
    /// When a lost protection is due to be told.
    loss_due: Option<Instant>,
    loss_told: bool,
}

impl Teller {
    pub fn next_deadline(&self) -> Option<Instant> {
        let locks = self.locks.values().map(|(_, since)| *since + TELL_LOCK_WITHIN);
        locks.chain(self.loss_due).min()
    }

    /// Whether a text may be told now, and how many equal ones were held back since it was told last.
    fn admit(&mut self, text: String, now: Instant) -> Option<u32> {
        if let Some(known) = self.told.get_mut(&text).filter(|known| now - known.told < SAME_TEXT) {
            known.suppressed = known.suppressed.saturating_add(1);
            return None;
        }
        let suppressed = self.told.remove(&text).map_or(0, |known| known.suppressed);
        if self.told.len() >= MOST_TEXTS {
            self.told.retain(|_, known| now - known.told < SAME_TEXT);
        }
        if self.told.len() < MOST_TEXTS {
            self.told.insert(text, Lately { told: now, suppressed: 0 });
        }
        Some(suppressed)
    }
}

impl Core {
    pub(super) fn tell_of(&mut self, action: &Action, now: Instant) {
        match action {
            Action::Lock { lockout } if lockout.since == now => {
                let account = lockout.key.account.clone();
                let ends = |lockout: &Lockout| lockout.end.at().unwrap_or(Instant::MAX_UTC);
                let known = self.teller.locks.get(&account);
                // Of several locks at once, the one that lasts longest is told.
                let outlasts = known.is_none_or(|(known, _)| ends(lockout) >= ends(known));
                if lockout.key.symbol.is_none() && outlasts {
                    self.teller.locks.insert(account, ((**lockout).clone(), now));
                }
            }
            Action::Alert(alert) if self.is_unwanted(&alert.notice) => {}
            Action::Alert(alert) => self.tell_alert(alert, now),
            Action::Observe(it) => {
                let managing = matches!(it.breach, Breach::Management { .. });
                let would = if managing { Deeds::placing() } else { self.would(&it.account) };
                let lock = it.end.map(|end| end.at().map_or(WouldLock::Open, WouldLock::Until));
                let note =
                    self.with_scene(Some(&it.account), now, |scene| note::observed(it, &would, lock, scene));
                self.tell(note, About::account("observed", Some(&it.account)), now);
            }
            Action::Lock { .. }
            | Action::Unlock { .. }
            | Action::Enforce(_)
            | Action::Ask(_)
            | Action::RecordFill { .. }
            | Action::RecordStopDeadline { .. }
            | Action::RecordManaged { .. }
            | Action::Differ { .. }
            | Action::Reset { .. } => {}
        }
    }

    /// A lockout ended by itself, and nobody wants to be told. What a person ended is told all the same.
    fn is_unwanted(&self, notice: &Notice) -> bool {
        let Notice::Unlocked { cause, .. } = notice else { return false };
        let by_itself = match cause {
            EndCause::Expiry | EndCause::Condition | EndCause::Config | EndCause::Reset => true,
            EndCause::Override { .. } => false,
        };
        by_itself && !self.settled.announced.unlocks
    }

    /// An enforcement ended: told when it was done or failed, not when it turned out to be needless.
    pub(super) fn tell_receipt(&mut self, receipt: &Receipt, now: Instant) {
        let enforcement = &receipt.enforcement;
        self.log_result(receipt);
        let lock = self.lock_told_with(&enforcement.account, &enforcement.deed);
        match &receipt.outcome {
            Outcome::Confirmed if is_routine(&enforcement.breach) => {}
            Outcome::Confirmed if !receipt.superseded => {
                let deeds = self.deeds(receipt);
                let reason = reason::short(&enforcement.breach);
                let (rule, title) = (enforcement.rule, reason::title(enforcement.rule, &enforcement.breach));
                let news = Enforced { rule, title, reason: &reason, deeds: &deeds, lock };
                let note =
                    self.with_scene(Some(&enforcement.account), now, |scene| note::enforced(&news, scene));
                self.tell(note, About::account("enforced", Some(&enforcement.account)), now);
            }
            Outcome::Confirmed | Outcome::NotNeeded => {}
            Outcome::Failed { why } => self.tell_failure(receipt, why, now),
        }
    }

    /// Checkpoint 8, its second half: the result and its latency.
    fn log_result(&self, receipt: &Receipt) {
        let Receipt { enforcement, attempts, .. } = receipt;
        let (account, rule) = (&enforcement.account, enforcement.rule);
        let since = |at: Option<Instant>| at.map(|at| (at - enforcement.detected_at).num_milliseconds());
        let (sent_ms, confirmed_ms) = (since(receipt.sent_at), since(receipt.confirmed_at));
        match &receipt.outcome {
            Outcome::Confirmed => {
                let done = self.deeds(receipt).done();
                tracing::info!(target: "enforcement", checkpoint = 8, %account, %rule, attempts, sent_ms, confirmed_ms, "confirmed: {done}");
            }
            Outcome::NotNeeded => {
                tracing::info!(target: "enforcement", checkpoint = 8, %account, %rule, attempts, "no longer needed");
            }
            Outcome::Failed { why } => {
                tracing::error!(target: "enforcement", checkpoint = 8, %account, %rule, attempts, sent_ms, "enforcement failed: {why}");
            }
        }
    }

    fn tell_failure(&mut self, receipt: &Receipt, why: &str, now: Instant) {
        let account = &receipt.enforcement.account;
        if let Breach::Management { symbol, .. } = &receipt.enforcement.breach {
            let reason = reason::short(&receipt.enforcement.breach);
            let note = self.with_scene(Some(account), now, |scene| {
                note::order_failed(symbol.as_str(), &reason, why, scene)
            });
            return self.tell(note, About::account("order_failed", Some(account)), now);
        }
        let open: Vec<(Contracts, Symbol)> =
            self.held(Some(account)).into_iter().map(|held| (held.size, held.symbol)).collect();
        let lock_stays =
            self.engine.account(account).is_some_and(|it| it.lockouts().account_wide().is_some());
        let failure = Failure {
            open: &open,
            tries: receipt.attempts,
            why,
            lock_stays,
            market_closed: why.contains("not in an active trading status"),
        };
        let note = self.with_scene(Some(account), now, |scene| note::close_failed(&failure, scene));
        self.tell(note, About::account("enforcement_failed", Some(account)), now);
    }

    /// The end of the lock that a flatten belongs to, so that one message tells both.
    fn lock_told_with(&mut self, account: &AccountId, deed: &Deed) -> Option<LockEnd> {
        if *deed != Deed::Flatten {
            return None;
        }
        self.teller.locks.remove(account).map(|(lockout, _)| lockout.end)
    }

    pub(super) fn tell_alert(&mut self, alert: &Alert, now: Instant) {
        let note = self.with_scene(alert.account.as_ref(), now, |scene| note::alert(alert, scene));
        self.tell(note, About::alert(alert), now);
    }

    pub(super) fn protection_changed(&mut self, before: Protection, now: Instant) {
        let after = self.guard.protection;
        if after == Protection::NotProtected {
            let cause = self.guard.reasons.first().map_or(Doubt::Starting, |(doubt, _)| doubt.clone());
            tracing::warn!(target: "daemon", "not protected: {}", cause.text(&self.setting.broker));
            self.guard.lost = Some((cause, now));
            self.teller.loss_due = Some(now + TELL_LOSS_AFTER);
        } else if before == Protection::NotProtected {
            tracing::info!(target: "daemon", "protected: {after:?}");
            self.teller.loss_due = None;
            let lost = self.guard.lost.take();
            if let (Some((doubt, since)), true) = (lost, std::mem::take(&mut self.teller.loss_told)) {
                let note = self.with_scene(None, now, |scene| {
                    note::protected_again(&doubt, after, now - since, now, scene)
                });
                self.tell(note, About::all("protected"), now);
            }
        }
    }

    /// Messages whose time has come.
    pub(super) fn tell_due(&mut self, now: Instant) {
        let late: Vec<AccountId> = self
            .teller
            .locks
            .iter()
            .filter(|(_, (_, since))| now >= *since + TELL_LOCK_WITHIN)
            .map(|(account, _)| account.clone())
            .collect();
        for account in late {
            if let Some((lockout, _)) = self.teller.locks.remove(&account) {
                let note = self.with_scene(Some(&account), now, |scene| note::locked(&lockout, scene));
                self.tell(note, About::account("locked", Some(&account)), now);
            }
        }
        if self.teller.loss_due.is_some_and(|due| now >= due) {
            self.teller.loss_due = None;
            let doubt = self.guard.reasons.first().map_or(Doubt::Starting, |(doubt, _)| doubt.clone());
            if let Some((_, since)) = self.guard.lost.clone().filter(|_| !self.is_told_by_rule(&doubt)) {
                self.guard.lost = Some((doubt.clone(), since));
                self.teller.loss_told = true;
                let note = self.with_scene(None, now, |scene| note::not_protected(&doubt, since, scene));
                self.tell(note, About::all("not_protected"), now);
            }
        }
    }

    /// Whether RULE-010 tells of what protection was lost for, in its own words and at its own pace.
    fn is_told_by_rule(&self, doubt: &Doubt) -> bool {
        let part = |part| Trouble::ConnectionLost { part, why: String::new() };
        let trouble = match doubt {
            Doubt::UserStream => part(Part::UserStream),
            Doubt::MarketStream => part(Part::MarketStream),
            Doubt::Unreachable { .. } => part(Part::Session),
            Doubt::Login { .. } => Trouble::AuthFailed { why: String::new() },
            // The self-check tells of it itself.
            Doubt::Barred { .. } => return true,
            Doubt::Starting
            | Doubt::NoCredentials
            | Doubt::Keyring(_)
            | Doubt::Reading
            | Doubt::Reconcile { .. }
            | Doubt::Disk { .. }
            | Doubt::Clock { .. }
            | Doubt::Config { .. }
            | Doubt::Rule { .. }
            | Doubt::NoAccounts
            | Doubt::EngineLost => return false,
        };
        self.engine.tells_of(&trouble)
    }

    pub(super) fn tell(&mut self, note: Note, about: About, now: Instant) {
        let text = format!("{}\n{}", note.title, note.body);
        let Some(suppressed) = self.teller.admit(text, now) else { return };
        tracing::info!(target: "daemon", severity = ?note.severity, "told: {}: {}", note.title, note.body);
        let About { kind, account } = about;
        self.batch.notes.push(Told { note, at: now, kind, account, suppressed });
    }

    pub(super) fn with_scene<T>(
        &self,
        account: Option<&AccountId>,
        now: Instant,
        write: impl FnOnce(&Scene<'_>) -> T,
    ) -> T {
        let state = account.and_then(|id| self.engine.account(id));
        let name = state.and_then(|it| it.info()).map(|info| self.account_name(info));
        let open = self.held(account);
        write(&Scene {
            now,
            zones: self.setting.zones,
            broker: &self.setting.broker,
            account: name.as_deref().filter(|_| self.watched().len() > 1),
            open: &open,
            still_locked: state.is_some_and(|it| it.lockouts().account_wide().is_some()),
            symbols: &self.symbols,
        })
    }

    fn held(&self, account: Option<&AccountId>) -> Vec<Held> {
        self.engine
            .accounts()
            .filter(|state| account.is_none_or(|id| id == state.id()))
            .flat_map(engine::AccountState::holdings)
            .filter_map(|holding| {
                let position = &holding.position;
                Some(Held {
                    side: Side::of(position.exposure)?,
                    size: position.exposure.size(),
                    symbol: position.symbol.clone(),
                })
            })
            .collect()
    }

    fn would(&self, account: &AccountId) -> Deeds {
        let held = self.held(Some(account));
        Deeds { closed: held.into_iter().map(|it| (it.size, it.symbol)).collect(), ..Deeds::default() }
    }

    /// The root of a contract, as some fact named it; the contract id where none did.
    pub(super) fn symbol_of(&self, contract: &ContractId) -> Symbol {
        self.symbols.get(contract).cloned().unwrap_or_else(|| Symbol::new(contract.as_str()))
    }

    /// Remembers the roots that an event names.
    pub(super) fn learn_symbols(&mut self, event: &Event) {
        match event {
            Event::Position(position) => self.name(&position.contract, &position.symbol),
            Event::Order(order) => self.name(&order.contract, &order.symbol),
            Event::Snapshot(snapshot) => {
                for position in &snapshot.positions {
                    self.name(&position.contract, &position.symbol);
                }
                for order in &snapshot.orders {
                    self.name(&order.contract, &order.symbol);
                }
            }
            Event::Positions { positions, .. } => {
                for position in positions {
                    self.name(&position.contract, &position.symbol);
                }
            }
            Event::Fill(_)
            | Event::Orders { .. }
            | Event::Instrument(_)
            | Event::Account(_)
            | Event::Quote(_)
            | Event::Unanswered(_)
            | Event::Link(_)
            | Event::Report(_)
            | Event::Command(_)
            | Event::Rules(_)
            | Event::Restored(_)
            | Event::Bar { .. }
            | Event::Tick => {}
        }
    }

    fn name(&mut self, contract: &ContractId, symbol: &Symbol) {
        if !self.symbols.contains_key(contract) {
            self.symbols.insert(contract.clone(), symbol.clone());
        }
    }
}

/// What is done without a word: tidying up, and what RULE-012 was asked to do all day.
fn is_routine(breach: &Breach) -> bool {
    matches!(breach, Breach::Leftover { .. } | Breach::Management { .. })
}

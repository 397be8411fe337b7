//! What people are told, and when: an enforcement once it is seen to be done, a lost protection once it
//! has lasted a moment, nothing twice within a minute.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, Action, Alert, Breach, ContractId, Contracts, Deed, EndCause, Enforcement, Event, Instant,
    Lockout, Memory, Notice, Observation, Omitted, Outcome, Part, RuleKey, Side, Symbol, Trouble,
};
use engine::{AccountState, Lockouts};
use store::{AlertRecord, Record};
use views::{
    text::{
        Deeds, Doubt, Held, Note, Scene, WouldLock, lockout as lockout_text,
        note::{self, Beside, Enforced, Failure},
        reason,
    },
    view::Protection,
};

use super::{
    Core,
    guard::STARTING,
    lock_news::{LockNews, News},
};
use crate::executor::Receipt;

/// The same text is told once within this time (specification C.14).
const SAME_TEXT: TimeDelta = TimeDelta::seconds(60);
/// Protection that is back within this time was never told to be lost.
const TELL_LOSS_AFTER: TimeDelta = TimeDelta::seconds(2);
/// That something waits for the open is told again after so long.
const SHUT_AGAIN: TimeDelta = TimeDelta::hours(1);
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
    locks: LockNews,
    /// When a lost protection, or one that never began, is due to be told.
    loss_due: Option<Instant>,
    loss_told: Option<Instant>,
    /// Kind and account of the doubt that was told last, or is about to be.
    doubted: Option<(&'static str, Option<AccountId>)>,
    /// When people were told last that something waits for the open.
    shut_told: BTreeMap<AccountId, Instant>,
}

impl Teller {
    /// After a start: an earlier run told the locks. Protection that has not begun when the start should be over
    /// was never there to be lost: it is told all the same.
    pub fn restored(memory: &Memory, started: Instant) -> Self {
        Self { locks: LockNews::restored(memory), loss_due: Some(started + STARTING), ..Self::default() }
    }

    /// Engine time was put forward by so much: nobody has been without protection for that long.
    pub fn stepped(&mut self, by: TimeDelta) {
        self.loss_due = self.loss_due.map(|due| due + by);
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.locks.next_deadline().into_iter().chain(self.loss_due).min()
    }

    /// That a market is shut changes for nobody while it lasts.
    fn admit_shut(&mut self, account: &AccountId, now: Instant) -> bool {
        let is_news = self.shut_told.get(account).is_none_or(|told| now - *told >= SHUT_AGAIN);
        if is_news {
            self.shut_told.insert(account.clone(), now);
        }
        is_news
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
            Action::Lock { lockout } => self.teller.locks.take(lockout, now),
            Action::Unlock { key, .. } => {
                self.teller.locks.ended(key);
            }
            Action::Alert(alert) if self.is_unwanted(&alert.notice) => {}
            Action::Alert(alert) => self.tell_alert(alert, now),
            Action::Observe(it) => {
                let would = self.would(it, now);
                let note = self.with_scene(Some(&it.account), now, |scene| note::observed(it, &would, scene));
                self.tell(note, About::account("observed", Some(&it.account)), now);
            }
            Action::Enforce(_)
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
        let news = self.lock_told_with(enforcement);
        let beside = news.as_ref().map(|it| self.beside(it.lockout()));
        let lock = news.as_ref().zip(beside.as_ref()).map(|(news, beside)| news.locking(beside));
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
        if receipt.market_shut && !self.teller.admit_shut(account, now) {
            return;
        }
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
            market_closed: receipt.market_shut,
        };
        let note = self.with_scene(Some(account), now, |scene| note::close_failed(&failure, scene));
        self.tell(note, About::account("enforcement_failed", Some(account)), now);
    }

    /// The lock that a flatten, or the close of a symbol, belongs to, so that one message tells both.
    fn lock_told_with(&mut self, enforcement: &Enforcement) -> Option<News> {
        let symbol = match &enforcement.deed {
            Deed::Flatten => None,
            Deed::Reduce { contract, .. } => Some(self.symbol_of(contract)),
            Deed::Cancel { .. } | Deed::Shrink { .. } | Deed::Place { .. } | Deed::Modify { .. } => {
                return None;
            }
        };
        self.teller.locks.told_with(&enforcement.account, symbol, enforcement.rule)
    }

    /// What the trader wants to hear at a lock (specification B.13), and what no lock keeps from trading.
    pub(super) fn beside(&self, lockout: &Lockout) -> Beside {
        let key = &lockout.key;
        let target = &self.engine.rulebook().of(&key.account).daily_realized_profit.settings;
        let own_words = lockout_text::own_words(&target.message);
        let others = self.engine.account(&key.account).map(AccountState::lockouts);
        let is_locked = |symbol: &&Symbol| {
            let mut others = others.into_iter().flat_map(Lockouts::iter);
            others.any(|it| it.key.symbol.is_none() && it.concerns(symbol))
        };
        Beside {
            own_words: own_words.filter(|_| key.rule == RuleKey::DailyRealizedProfit),
            except: lockout_text::except(lockout.exempt.iter().filter(|symbol| !is_locked(symbol))),
        }
    }

    pub(super) fn tell_alert(&mut self, alert: &Alert, now: Instant) {
        let note = self.with_scene(alert.account.as_ref(), now, |scene| note::alert(alert, scene));
        // The trader chose how often RULE-010 repeats itself.
        let is_paced = matches!(alert.notice, Notice::Trouble { .. });
        if is_paced {
            self.say(note, About::alert(alert), 0, now);
        } else {
            self.tell(note, About::alert(alert), now);
        }
    }

    pub(super) fn protection_changed(&mut self, before: Protection, now: Instant) {
        let after = self.guard.protection;
        if after == Protection::NotProtected {
            let cause = self.guard.reasons.first().map_or(Doubt::Starting, |(doubt, _)| doubt.clone());
            tracing::warn!(target: "daemon", "not protected: {}", cause.text(&self.setting.broker));
            self.guard.lost = Some((cause, now));
            self.teller.loss_due = Some(now + TELL_LOSS_AFTER);
            self.teller.doubted = self.untold().map(|(doubt, account)| (doubt.kind(), account.clone()));
        } else if before == Protection::NotProtected {
            tracing::info!(target: "daemon", "protected: {after:?}");
            (self.teller.loss_due, self.teller.doubted) = (None, None);
            let lost = self.guard.lost.take();
            if let (Some((doubt, since)), Some(_)) = (lost, self.teller.loss_told.take()) {
                let note = self.with_scene(None, now, |scene| {
                    note::protected_again(&doubt, after, now - since, now, scene)
                });
                self.tell(note, About::all("protected"), now);
            }
        }
    }

    /// Protection stays lost, perhaps for another reason than people know of: that is told like a loss, at most
    /// once a minute.
    pub(super) fn doubts_changed(&mut self, now: Instant) {
        let Some((doubt, account)) = self.untold() else {
            (self.teller.loss_due, self.teller.doubted) = (None, None);
            return;
        };
        let news = Some((doubt.kind(), account.clone()));
        // What only takes its time ends as protection, or as a doubt of its own.
        if matches!(doubt, Doubt::Starting | Doubt::Reading) || self.teller.doubted == news {
            return;
        }
        self.teller.doubted = news;
        let again = self.teller.loss_told.map_or(now, |told| told + SAME_TEXT);
        self.teller.loss_due.get_or_insert(again.max(now + TELL_LOSS_AFTER));
    }

    /// The first doubt that nobody else tells of.
    fn untold(&self) -> Option<&(Doubt, Option<AccountId>)> {
        self.guard.reasons.iter().find(|(doubt, _)| !self.is_told_by_rule(doubt))
    }

    /// Messages whose time has come.
    pub(super) fn tell_due(&mut self, now: Instant) {
        for news in self.teller.locks.due(now) {
            let (account, beside) = (Some(&news.lockout().key.account), self.beside(news.lockout()));
            let lock = news.locking(&beside);
            let note = self.with_scene(account, now, |scene| note::locked(&lock, scene));
            self.tell(note, About::account("locked", account), now);
        }
        if self.teller.loss_due.is_some_and(|due| now >= due) {
            self.teller.loss_due = None;
            self.tell_loss(now);
        }
    }

    fn tell_loss(&mut self, now: Instant) {
        let Some((doubt, account)) = self.untold().cloned() else { return };
        let Some((_, since)) = self.guard.lost.clone() else { return };
        self.guard.lost = Some((doubt.clone(), since));
        self.teller.loss_told = Some(now);
        self.teller.doubted = Some((doubt.kind(), account.clone()));
        let since = self.guard.begun.of(&doubt, account.as_ref()).unwrap_or(since);
        let note = self.with_scene(None, now, |scene| note::not_protected(&doubt, since, scene));
        self.tell(note, About::all("not_protected"), now);
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
        if let Some(suppressed) = self.teller.admit(text, now) {
            self.say(note, about, suppressed, now);
        }
    }

    fn say(&mut self, note: Note, about: About, suppressed: u32, now: Instant) {
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
            zones: self.zones(),
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

    /// What a rule that does not enforce would have done, as a sentence.
    pub(super) fn would(&self, observation: &Observation, now: Instant) -> String {
        let Omitted { closed, cancelled, placed, moved } = &observation.omitted;
        let deeds = Deeds {
            closed: closed.iter().map(|(contract, size)| (*size, self.symbol_of(contract))).collect(),
            cancelled: u32::try_from(cancelled.len()).unwrap_or(u32::MAX),
            shrunk: 0,
            placed: *placed,
            moved: *moved,
        };
        let lock = observation.end.map(|end| end.at().map_or(WouldLock::Open, WouldLock::Until));
        deeds.would(lock, now)
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

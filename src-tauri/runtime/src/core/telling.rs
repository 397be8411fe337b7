//! What people are told, and when: an enforcement once it is seen to be done, a lost protection once it
//! has lasted a moment, nothing twice within a minute.

mod losses;
mod results;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    AccountId, Action, Alert, EndCause, Instant, Lockout, Memory, Notice, Observation, Omitted, RuleKey,
    Side, Symbol,
};
use engine::{AccountState, Lockouts};
use store::{AlertRecord, Record};
use views::text::{
    Deeds, Held, Note, Scene, WouldLock, lockout as lockout_text,
    note::{self, Beside},
};

use super::{Core, guard::STARTING, lock_news::LockNews};

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
        let would = deeds.would(lock, now);
        if self.setting.is_dry_run() { format!("Dry run. {would}") } else { would }
    }
}

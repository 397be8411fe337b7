//! Tighten now, loosen later: the rules in force, what of the files waits for the next trading day, and
//! what was refused because an account was locked (ruling 6). Reads no file; never loosens during a lockout.

mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use config::{Api, Edit, Pending};
use domain::{Account, AccountId, Event, Instant, RuleKey, Rulebook, Symbol};
use serde::{Deserialize, Serialize};
use store::{AuditAction, ConfigOrigin, ConfigSnapshot, Note as AuditNote, Record};
use views::{
    text::{
        Zones,
        note::{self, SettingsNews},
        words,
    },
    view::DesktopView,
};

use super::{BackupPlan, Core, GuardPassword, Output, commands::LONGEST_LOCK, telling::About};
use crate::settings::{Guarded, InForce};
pub use waiting::{Due, Waiting};
use waiting::{Verdicts, in_anger};

/// What the files say, once they were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// The rules they ask for.
    pub rulebook: Rulebook,
    /// Where the broker is.
    pub api: Api,
    /// Equal means that nothing changed.
    pub hash: String,
    /// Who changed them.
    pub origin: ConfigOrigin,
    /// Roots whose quotes are subscribed even while nothing is held in them.
    pub instruments: BTreeSet<Symbol>,
    /// What the desktop is told.
    pub desktop: DesktopView,
    /// What is announced.
    pub announced: Announced,
    /// Which backups are taken.
    pub backups: BackupPlan,
    /// The zone whose times are shown beside Central Time; Central Time itself: that of the computer.
    pub zone: Tz,
    /// The trader's own names of accounts.
    pub names: BTreeMap<AccountId, String>,
    /// What changed and counts from the next start only, in sentences.
    pub later: Vec<&'static str>,
}

/// News of which nothing follows, and that people may not want to hear (`timers.yaml`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// A lockout ended by itself (`auto_unlock.notify`).
    pub unlocks: bool,
    /// The clocks change (`dst.notify`).
    pub clocks: bool,
}

impl Default for Announced {
    fn default() -> Self {
        Self { unlocks: true, clocks: true }
    }
}

/// Settings as they were accepted: what a start compares the files with. Without the addresses the rules
/// would be enforced at the wrong place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The rules in force.
    pub rulebook: Rulebook,
    /// Where the broker is.
    pub api: Api,
    /// What of the files does not apply yet. Settings kept by earlier versions lack it.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
    /// Until when only stricter changes are taken.
    #[serde(default)]
    pub locked_until: Option<Instant>,
    /// The guard password, as its hash.
    #[serde(default)]
    pub guard: Option<GuardPassword>,
    /// Of the files they come from.
    #[serde(skip)]
    pub hash: String,
}

impl Accepted {
    /// What a kept snapshot holds; `None` if another version kept it.
    #[must_use]
    pub fn of(snapshot: &ConfigSnapshot) -> Option<Self> {
        let kept: Self = serde_json::from_str(&snapshot.content).ok()?;
        Some(Self { hash: snapshot.hash.clone(), ..kept })
    }
}

/// Everything of the accepted settings that the engine does not hold itself.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Addresses, hash and origin of the files; `None` until some were accepted.
    source: Option<(Api, String, ConfigOrigin)>,
    /// The rules that were accepted: those of the engine, except that another list of accounts takes
    /// effect with the next start.
    rulebook: Rulebook,
    pub waiting: Vec<Waiting>,
    /// Until when only stricter changes are taken.
    locked_until: Option<Instant>,
    /// The guard password, as its hash.
    pub guard: Option<GuardPassword>,
    /// Counts whatever may have changed for those who look at the settings.
    pub revision: u64,
    /// What the desktop is told; everything until files were read.
    pub desktop: DesktopView,
    /// What is announced; everything until files were read.
    pub announced: Announced,
    /// Which backups are taken; those of the defaults until files were read.
    pub backups: BackupPlan,
    /// The zone that the files name, once they were read.
    pub zone: Option<Tz>,
    /// The trader's own names of accounts.
    names: BTreeMap<AccountId, String>,
}

impl Settled {
    /// Before any files were read: the rules that a run begins with.
    pub fn of(rulebook: Rulebook) -> Self {
        Self { rulebook, ..Self::default() }
    }

    /// Whether settings were accepted that can be written down.
    pub fn has_source(&self) -> bool {
        self.source.is_some()
    }
}

impl Core {
    /// Goes on from the settings that were accepted last.
    pub fn remember(&mut self, accepted: Accepted) {
        self.settled.source = Some((accepted.api, accepted.hash, ConfigOrigin::File));
        self.settled.rulebook = accepted.rulebook;
        self.settled.waiting = accepted.waiting;
        self.settled.locked_until = accepted.locked_until;
        self.settled.guard = accepted.guard;
    }

    /// What an account is called.
    pub(super) fn account_name(&self, account: &Account) -> String {
        words::account_name(self.settled.names.get(&account.id).map(String::as_str), &account.name)
    }

    /// The same of an account that may not be known yet.
    pub(super) fn called(&self, account: &AccountId) -> String {
        let info = self.engine.account(account).and_then(engine::AccountState::info);
        info.map_or_else(|| account.to_string(), |info| self.account_name(info))
    }

    /// The rules that were accepted, with what of the files is stricter.
    pub(super) fn accepted(&self) -> &Rulebook {
        &self.settled.rulebook
    }

    /// What does not apply yet.
    #[must_use]
    pub fn waiting(&self) -> &[Waiting] {
        &self.settled.waiting
    }

    /// The edits that take a waiting change back.
    ///
    /// # Errors
    /// There is none, or it cannot be taken back by single keys.
    pub fn undo(&self, account: Option<&AccountId>, key: &str) -> Result<Vec<Edit>, String> {
        let is_meant = |it: &&Waiting| it.change.account.as_ref() == account && it.change.key == key;
        let meant = self.settled.waiting.iter().find(is_meant);
        let change = &meant.ok_or(format!("No change of {key} is pending. See `riskctl pending`."))?.change;
        config::undo(self.accepted(), change).ok_or(format!(
            "{key} cannot be written back here. Put the old value into the file: {}.",
            change.text
        ))
    }

    /// What may not be loosened now.
    #[must_use]
    pub fn guarded(&self) -> Guarded {
        Guarded {
            accounts: self.refusing().into_iter().map(|id| (id.clone(), self.called(&id))).collect(),
            sealed: self.settings_locked_until().map(|until| (until, self.engine.now())),
        }
    }

    /// What changes of the files are measured by.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        let knows_time = self.links.clock_apart.is_some();
        InForce {
            rulebook: self.accepted().clone(),
            loosens_at: knows_time.then(|| self.loosens_at()),
            guarded: self.guarded(),
        }
    }

    /// Until when only stricter changes of the settings are taken.
    #[must_use]
    pub fn settings_locked_until(&self) -> Option<Instant> {
        self.settled.locked_until.filter(|until| *until > self.engine.now())
    }

    /// Takes only stricter changes until then, or until the next daily reset. It can be made longer, never
    /// shorter.
    ///
    /// # Errors
    /// Why not, in the words of people.
    pub fn lock_settings(&mut self, until: Option<Instant>, now: Instant) -> Result<Vec<Output>, String> {
        let now = self.time(now);
        if self.links.clock_apart.is_none() || self.settled.source.is_none() {
            return Err("The broker has not told the time yet. Try again once it is connected.".to_string());
        }
        let until = until.unwrap_or_else(|| self.engine.day_end());
        if until <= now {
            return Err("The lock would end in the past. Choose a later time.".to_string());
        }
        if until > now + LONGEST_LOCK {
            return Err(format!(
                "A lock lasts {} days at most. Choose an earlier time.",
                LONGEST_LOCK.num_days()
            ));
        }
        if self.settings_locked_until().is_some_and(|locked| until <= locked) {
            return Err("Risk Settings are locked for as long already.".to_string());
        }
        self.settled.locked_until = Some(until);
        let note = format!("settings locked until {}: only stricter changes are taken", until.to_rfc3339());
        self.accept(self.accepted().clone(), &[], vec![note], now);
        Ok(self.take_outputs())
    }

    /// Accounts for which nothing looser is even queued now.
    #[must_use]
    pub fn refusing(&self) -> Vec<AccountId> {
        self.accounts_under(in_anger).cloned().collect()
    }

    /// Zones of the people who read.
    pub(super) fn zones(&self) -> Zones {
        self.settled.zone.map_or(self.setting.zones, |zone| self.setting.zones.or_chosen(zone))
    }

    /// Takes over what is stricter, queues what is looser, refuses what is looser for a locked account.
    pub(super) fn take_files(&mut self, files: Files, now: Instant) {
        if !files.later.is_empty() {
            let note = note::at_next_start(&files.later);
            self.tell(note, About::all("settings_later"), now);
        }
        self.listed.follow(&files.instruments);
        self.settled.desktop = files.desktop;
        self.settled.announced = files.announced;
        self.settled.backups = files.backups;
        self.settled.zone = Some(files.zone);
        self.settled.names = files.names;
        let old = self.accepted().clone();
        let known = self.settled.source.as_ref();
        let is_first = known.is_none();
        let is_new = known.is_none_or(|(_, hash, _)| *hash != files.hash);
        let is_same_source = known.is_some_and(|(api, ..)| *api == files.api) && !is_new;
        let (rulebook, later) = config::split(&old, &files.rulebook);
        let before = std::mem::take(&mut self.settled.waiting);
        let mut verdicts = Verdicts::default();
        for change in later {
            let known = before.iter().find(|it| it.is(&change) && !(is_new && it.due == Due::Refused));
            let due = known.map_or_else(|| self.judge(&change, &mut verdicts), |known| known.due);
            self.settled.waiting.push(Waiting { change, due });
        }
        let withdrawn: Vec<Pending> = before
            .iter()
            .filter(|gone| gone.due != Due::Refused)
            .filter(|gone| !self.settled.waiting.iter().any(|it| gone.is(&it.change)))
            .map(|gone| gone.change.clone())
            .collect();
        if is_same_source && rulebook == old && before == self.settled.waiting {
            return;
        }
        self.settled.source = Some((files.api, files.hash, files.origin));
        let applied = differences(&old, &rulebook);
        let mut notes = match applied.is_empty() {
            true if is_first || (verdicts.is_empty() && withdrawn.is_empty()) => {
                vec!["settings accepted".to_string()]
            }
            true => Vec::new(),
            false => vec![format!("settings changed: {}", texts(&applied))],
        };
        notes.extend(verdicts.notes(&self.waits_for()));
        if !withdrawn.is_empty() {
            notes.push(format!("withdrawn before it applied: {}", texts(&withdrawn)));
        }
        self.accept(rulebook, &applied, notes, now);
        self.tell_settings(&applied, &verdicts, &withdrawn, now);
    }

    /// Writes down what is accepted from now on, then lets it apply.
    pub(super) fn accept(
        &mut self,
        rulebook: Rulebook,
        applied: &[Pending],
        notes: Vec<String>,
        now: Instant,
    ) {
        let Some((api, hash, origin)) = self.settled.source.clone() else { return };
        self.settled.rulebook.clone_from(&rulebook);
        self.settled.revision += 1;
        let waiting = self.settled.waiting.clone();
        let locked_until = self.settled.locked_until;
        let guard = self.settled.guard.clone();
        let accepted = Accepted { rulebook, api, waiting, locked_until, guard, hash: hash.clone() };
        let diff = texts(applied);
        match serde_json::to_string(&accepted) {
            Ok(content) => {
                let snapshot =
                    ConfigSnapshot { at: now, hash, origin, os_user: None, diff, content, valid: true };
                self.batch.durable(Record::Config(Box::new(snapshot)));
            }
            Err(error) => tracing::error!(target: "errors", "the accepted settings cannot be kept: {error}"),
        }
        for reason in notes {
            tracing::info!(target: "daemon", "{reason}");
            self.batch.durable(Record::Note(Box::new(settings_note(reason, now))));
        }
        let judged = self.setting.judged(accepted.rulebook);
        if judged != *self.engine.rulebook() {
            self.step(now, Event::Rules(Box::new(judged)));
        }
    }

    fn tell_settings(
        &mut self,
        applied: &[Pending],
        verdicts: &Verdicts,
        withdrawn: &[Pending],
        now: Instant,
    ) {
        // Who is watched is settled at the start (specification C.16); that it changed is told as such.
        let applied: Vec<_> = applied.iter().filter(|it| it.key != "accounts").cloned().collect();
        let words =
            [&applied, &verdicts.waits, &verdicts.refused, withdrawn].map(|changes| self.changed(changes));
        let [applied, waits, refused, withdrawn] = &words;
        let news = SettingsNews { applied, waits, from: self.loosens_at(), refused, withdrawn };
        if let Some(note) = note::settings_changed(&news, now, self.zones()) {
            self.tell(note, About::all("settings_changed"), now);
        }
    }
}

fn differences(old: &Rulebook, new: &Rulebook) -> Vec<Pending> {
    config::compare(old, new).0.into_iter().map(Pending::from).collect()
}

/// By their keys, as records name them.
fn texts(changes: &[Pending]) -> String {
    changes.iter().map(|change| change.text.as_str()).collect::<Vec<_>>().join("; ")
}

pub(super) fn settings_note(reason: String, now: Instant) -> AuditNote {
    AuditNote {
        at: now,
        account: None,
        rule: RuleKey::Trader,
        action: AuditAction::Settings,
        observed: false,
        dry_run: false,
        reason,
        breach: None,
        detected_at: None,
        done: None,
    }
}

//! Backups, beside the loop (specification C.15): five minutes before a trading day ends, as the first step of a reset
//! that has none, and whenever the newest one is too old. The writing thread only holds on to the database as it is
//! at that moment; copying and checking, which may take long, has a thread of its own. Never reads a clock.

use std::{
    path::{Path, PathBuf},
    thread,
};

use chrono::TimeDelta;
use domain::{AccountId, Instant, TradingDay};
use store::{
    BackupError, Record, ResetRecord,
    backup::{self, BackupFile},
};
use tokio::sync::oneshot;

use super::Loop;
use crate::{
    core::{BackupPlan, Input},
    disk::Disk,
};

/// So long before a trading day ends its backup is begun.
const BEFORE_RESET: TimeDelta = TimeDelta::minutes(5);
/// A backup that is older at a reset is not the one of the day that ends.
const SERVES_FOR: TimeDelta = TimeDelta::minutes(10);
/// After one that failed the next is tried this much later; before a reset and at it regardless.
const RETRY_AFTER: TimeDelta = TimeDelta::hours(1);

/// When the last backup was taken, and the one that is being made.
#[derive(Debug)]
pub(crate) struct Backups {
    home: PathBuf,
    newest: Option<BackupFile>,
    /// From when on there was something to be kept, if there is no backup of it.
    begun: Option<Instant>,
    tried: Option<Instant>,
    making: Option<Making>,
}

/// A backup that is being made. One at a time.
#[derive(Debug)]
struct Making {
    made: oneshot::Receiver<Result<BackupFile, BackupError>>,
    /// Resets that were done behind it, and do not know its name yet.
    resets: Vec<(AccountId, TradingDay)>,
}

impl Backups {
    /// Those of a home; `fresh` says since when a database without any past is there.
    pub fn of(home: &Path, fresh: Option<Instant>) -> Self {
        let kept = backup::list(home).unwrap_or_else(|error| {
            tracing::error!(target: "errors", "the backups cannot be looked at: {error}");
            Vec::new()
        });
        let newest = kept.into_iter().next();
        Self { home: home.to_path_buf(), newest, begun: fresh, tried: None, making: None }
    }

    /// Whether one is to be begun now; `reset` is when the next trading day ends.
    pub fn is_due(&self, now: Instant, reset: Option<Instant>, plan: BackupPlan) -> bool {
        if !plan.enabled || self.making.is_some() {
            return false;
        }
        let last = self.newest.as_ref().map(|it| it.at);
        // What bears a time that has not come yet is of a clock that was wrong.
        let within = |at: Option<Instant>, from: Instant| at.is_some_and(|at| (from..=now).contains(&at));
        let has_reset_ahead = reset.is_some_and(|reset| {
            let since = reset - SERVES_FOR;
            now >= reset - BEFORE_RESET && !within(last, since) && !within(self.tried, since)
        });
        let is_old = !within(last.or(self.begun), now - plan.every + TimeDelta::microseconds(1));
        has_reset_ahead || (is_old && !within(self.tried, now - RETRY_AFTER))
    }

    /// Begins one of everything that was handed to the writing thread until now.
    pub fn begin(&mut self, now: Instant, plan: BackupPlan, disk: &mut Disk) {
        self.tried = Some(now);
        let (done, made) = oneshot::channel();
        let (home, held) = (self.home.clone(), disk.hold());
        let work = move || {
            let Ok(snapshot) = held.blocking_recv() else { return };
            let _ = done.send(snapshot.and_then(|it| it.keep(&home, now, plan.most)));
        };
        // Without a thread nobody answers, and the loop learns of it.
        if let Err(error) = thread::Builder::new().name("backup".to_string()).spawn(work) {
            tracing::error!(target: "errors", "no thread for a backup: {error}");
        }
        self.making = Some(Making { made, resets: Vec::new() });
    }

    /// Lets resets name the backup of the day that they close; begins one where there is none. They do not wait for
    /// it: it is of the moment before them, and is named once it is there.
    pub fn precede(&mut self, records: &mut [Record], plan: BackupPlan, disk: &mut Disk) {
        let mut resets: Vec<&mut ResetRecord> = records.iter_mut().filter_map(reset).collect();
        // The first day of a new home closes none.
        let closing = resets.iter().find(|it| it.closed.is_some());
        let Some(now) = closing.map(|it| it.executed_at).filter(|_| plan.enabled) else { return };
        if self.making.is_none() {
            let serves = |it: &&BackupFile| (now - SERVES_FOR..=now).contains(&it.at);
            match self.newest.as_ref().filter(serves).and_then(name) {
                Some(name) => return resets.iter_mut().for_each(|it| it.backup_file = Some(name.clone())),
                None => self.begin(now, plan, disk),
            }
        }
        // One that has been under way for longer is of another hour.
        if let Some(making) = &mut self.making
            && self.tried.is_some_and(|begun| now - begun <= SERVES_FOR)
        {
            making.resets.extend(resets.iter().map(|it| (it.account.clone(), it.day)));
        }
    }

    pub fn is_making(&self) -> bool {
        self.making.is_some()
    }

    /// What came of the one that is being made; never without one.
    pub async fn made(&mut self) -> Result<BackupFile, String> {
        let Some(making) = &mut self.making else { return std::future::pending().await };
        match (&mut making.made).await {
            Ok(made) => made.map_err(|error| error.to_string()),
            Err(_) => Err("the system did not let it be begun".to_string()),
        }
    }

    /// Takes over what came of it; returns what resets are to learn.
    pub fn ended(&mut self, made: &Result<BackupFile, String>) -> Vec<Record> {
        let resets = self.making.take().map(|it| it.resets).unwrap_or_default();
        let Ok(file) = made else { return Vec::new() };
        self.newest = Some(file.clone());
        let Some(file) = name(file) else { return Vec::new() };
        let named = |(account, day)| Record::BackedUp { account, day, file: file.clone() };
        resets.into_iter().map(named).collect()
    }
}

impl Loop {
    /// Begins a backup if one is due. Not before the broker has said what time it is: until then it may seem to be
    /// yesterday evening.
    pub(super) fn back_up(&mut self) {
        let (now, plan) = (self.clock.now(), self.core.backups());
        if self.clock.is_trusted() && self.backups.is_due(now, self.core.next_reset(now), plan) {
            self.backups.begin(now, plan, &mut self.disk);
        }
    }

    /// A backup is there, or failed: that is told and holds up nothing (specification C.6).
    pub(super) async fn backed_up(&mut self, made: Result<BackupFile, String>) {
        let named = self.backups.ended(&made);
        if !named.is_empty() {
            self.disk.write_lazily(named);
        }
        match made {
            Ok(file) => tracing::info!(target: "daemon", "backup taken: {}", file.path.display()),
            Err(why) => {
                tracing::error!(target: "errors", "no backup: {why}");
                self.feed(Input::NoBackup(why), None).await;
            }
        }
    }
}

fn reset(record: &mut Record) -> Option<&mut ResetRecord> {
    if let Record::Reset(reset) = record { Some(reset) } else { None }
}

fn name(file: &BackupFile) -> Option<String> {
    file.path.file_name().map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;

//! Which backups the settings ask for, and what people are told when one fails. Takes none.

use chrono::TimeDelta;
use domain::Instant;
use views::text::upkeep;

use super::{Core, telling::About};

/// A backup that fails is told once in this time: the next one is tried long before.
const TOLD_AGAIN_AFTER: TimeDelta = TimeDelta::days(1);

/// Which backups are taken (`general.database`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupPlan {
    /// Whether any are.
    pub enabled: bool,
    /// The newest one is not to become older than this.
    pub every: TimeDelta,
    /// How many are kept.
    pub most: usize,
}

impl BackupPlan {
    /// What the settings say.
    #[must_use]
    pub fn of(database: &config::Database) -> Self {
        Self {
            enabled: database.backup_enabled,
            every: TimeDelta::hours(database.backup_interval_hours.into()),
            most: usize::try_from(database.max_backups).unwrap_or(usize::MAX),
        }
    }
}

impl Default for BackupPlan {
    fn default() -> Self {
        Self::of(&config::Database::default())
    }
}

impl Core {
    /// Which backups are to be taken.
    #[must_use]
    pub fn backups(&self) -> BackupPlan {
        self.settled.backups
    }

    /// When the next trading day of any account ends.
    #[must_use]
    pub fn next_reset(&self, now: Instant) -> Option<Instant> {
        self.engine.accounts().map(|account| account.ledger().span().ends).filter(|ends| *ends > now).min()
    }

    pub(super) fn tell_no_backup(&mut self, why: &str, now: Instant) {
        if self.no_backup_told.is_some_and(|at| now - at < TOLD_AGAIN_AFTER) {
            return;
        }
        self.no_backup_told = Some(now);
        self.tell(upkeep::no_backup(why), About::all("backup_failed"), now);
    }
}

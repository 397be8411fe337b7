//! The one writer of a home's database.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use domain::{AccountId, DailyReset, Instant};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::{
    accepted,
    audit::{
        chain::{self, Tip},
        head::{Head, HeadFile},
        log::{self, AuditLine, LogQuery},
        verify::{self, AuditCheck, AuditFault},
    },
    backup::Snapshot,
    columns::At,
    database,
    error::{BackupError, DatabaseError, OpenError, ReadError, SettleError},
    memory::{self, Recall},
    migrate::MIGRATIONS,
    mirror,
    opening::{self, Opened},
    proofs::{self, Proof},
    record::{ConfigSnapshot, Durability, Intent, Record, Written},
    write::{self, lockouts},
};

/// How long measurements are kept (specification C.15).
pub const METRICS_KEPT: TimeDelta = TimeDelta::days(30);

/// How long messages to people are kept: as long as the log of errors (specification C.18).
pub const ALERTS_KEPT: TimeDelta = TimeDelta::days(90);
/// Orders that ended are kept this long; their fills stay.
pub const ORDERS_KEPT: TimeDelta = TimeDelta::days(90);

/// Rows of each table that one [`Store::prune`] takes away at most, so that no commit waits long behind it.
pub const PRUNED_AT_ONCE: usize = 5_000;

/// Commits after which [`Store::settle`] moves the log into the database.
const COMMITS_PER_CHECKPOINT: u32 = 250;

/// The open database of a home. One writer per home, which the caller sees to; readers in other processes
/// use [`crate::Reader`].
#[derive(Debug)]
pub struct Store {
    db: Connection,
    home: PathBuf,
    durability: Durability,
    /// The last audit row that is flushed.
    flushed: Tip,
    /// First enforcement id that no lost row used.
    next_enforcement: u64,
    unsettled: Unsettled,
}

/// What the second places do not know yet.
#[derive(Debug)]
struct Unsettled {
    lockouts: bool,
    settings: bool,
    head: bool,
    commits: u32,
}

impl Store {
    /// Opens the database in `home`, which is made if it is not there; `now` names what is put aside.
    ///
    /// # Errors
    /// The home cannot be written, or the database is newer than this program. Damage is no error: see
    /// [`crate::Found`].
    pub fn open(home: &Path, now: Instant) -> Result<Opened, OpenError> {
        opening::open(home, now, MIGRATIONS)
    }

    /// Takes over a database of the current schema. What a crashed engine left unflushed is flushed first:
    /// the head must never speak of rows that a loss of power can still take.
    pub(crate) fn new(db: Connection, home: &Path, next_enforcement: u64) -> rusqlite::Result<Self> {
        database::checkpoint(&db)?;
        Ok(Self {
            flushed: chain::tip(&db)?,
            db,
            home: home.to_owned(),
            durability: Durability::Flush,
            next_enforcement,
            unsettled: Unsettled { lockouts: true, settings: true, head: true, commits: 0 },
        })
    }

    /// Writes records in their order, all or none, and says of each what became of it. With
    /// [`Durability::Flush`] they are on the disk when this returns. Call [`Store::settle`] once the caller
    /// has its answer.
    ///
    /// # Errors
    /// Nothing was written; the same call can be repeated.
    pub fn commit(
        &mut self,
        records: &[Record],
        durability: Durability,
    ) -> Result<Vec<Written>, DatabaseError> {
        self.be(durability)?;
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = records
            .iter()
            .map(|record| write::record(&change, record))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let tip = chain::tip(&change)?;
        change.commit()?;
        self.unsettled.commits += 1;
        self.unsettled.lockouts |= records.iter().any(touches_lockouts);
        self.unsettled.settings |= records.iter().any(accepts_settings);
        if durability == Durability::Flush && tip != self.flushed {
            self.flushed = tip;
            self.unsettled.head = true;
        }
        Ok(written)
    }

    /// Brings the second places up to date: the mirror of active lockouts, the accepted settings and the head
    /// of the audit. Also
    /// moves the log into the database now and then. Does nothing when nothing changed; what fails is tried
    /// again the next time.
    ///
    /// # Errors
    /// A file could not be written. The database is not concerned.
    pub fn settle(&mut self) -> Result<(), SettleError> {
        let mirror = self.settle_lockouts();
        let settings = self.settle_settings();
        let head = self.settle_head();
        self.checkpoint()?;
        mirror.and(settings).and(head)
    }

    /// Brings to the disk what was written with [`Durability::Lazy`], and with it the head of the audit up
    /// to its last row: for a moment when nobody waits, and for the end. Does nothing when nothing is left.
    ///
    /// # Errors
    /// What was written lazily may still be lost with the power.
    pub fn flush(&mut self) -> Result<(), SettleError> {
        let tip = chain::tip(&self.db).map_err(DatabaseError::from)?;
        if tip != self.flushed {
            database::checkpoint(&self.db).map_err(DatabaseError::from)?;
            self.unsettled.commits = 0;
            self.flushed = tip;
            self.unsettled.head = true;
        }
        self.settle()
    }

    /// What a start needs: active lockouts, deadlines, the open day and its fills, the next enforcement id,
    /// the last known time.
    ///
    /// # Errors
    /// The database failed, or a lockout cannot be read.
    pub fn memory(&self, now: Instant, reset: &DailyReset) -> Result<Recall, ReadError> {
        memory::recall(&self.db, now, reset, self.next_enforcement)
    }

    /// Enforcements that were begun and have no result: a restart finishes them.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub fn pending_intents(&self) -> Result<Vec<Intent>, ReadError> {
        log::pending(&self.db)
    }

    /// The newest settings that were accepted (rulings 5 and 6).
    ///
    /// # Errors
    /// The database failed, or the row cannot be read.
    pub fn last_good_config(&self) -> Result<Option<ConfigSnapshot>, ReadError> {
        memory::last_good_config(&self.db)
    }

    /// Lines of the audit, oldest first.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub fn log(&self, query: &LogQuery) -> Result<Vec<AuditLine>, ReadError> {
        log::lines(&self.db, query)
    }

    /// Of each account, the newest proof that a rule of it was enforced.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub fn proofs(&self) -> Result<BTreeMap<AccountId, Proof>, ReadError> {
        proofs::latest(&self.db)
    }

    /// Checks the whole audit.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify_audit(&self) -> Result<AuditCheck, AuditFault> {
        verify::whole(&self.db, &HeadFile::read(&self.home))
    }

    /// Holds on to what is kept at this moment, so that a backup of it can be made while writing goes on.
    ///
    /// # Errors
    /// The database cannot be read a second time.
    pub fn hold(&self) -> Result<Snapshot, BackupError> {
        Snapshot::of(&self.home)
    }

    /// Takes away measurements older than [`METRICS_KEPT`], messages older than [`ALERTS_KEPT`] and orders that
    /// ended longer ago than [`ORDERS_KEPT`], at most [`PRUNED_AT_ONCE`] of each, and says how many.
    ///
    /// # Errors
    /// Nothing was taken away.
    pub fn prune(&mut self, now: Instant) -> Result<usize, DatabaseError> {
        self.be(Durability::Lazy)?;
        // The texts of instants have one length: their order is the order in time.
        let metrics = "DELETE FROM performance_metrics WHERE id IN
            (SELECT id FROM performance_metrics WHERE timestamp < ?1 ORDER BY timestamp LIMIT ?2)";
        let alerts = "DELETE FROM alerts WHERE id IN
            (SELECT id FROM alerts WHERE time < ?1 ORDER BY time LIMIT ?2)";
        let limit = i64::try_from(PRUNED_AT_ONCE).unwrap_or(i64::MAX);
        let orders = "DELETE FROM orders WHERE rowid IN
            (SELECT rowid FROM orders WHERE last_update < ?1
                AND status NOT IN ('open', 'pending', 'suspended', 'cancel_pending')
            ORDER BY last_update LIMIT ?2)";
        let mut taken = 0;
        for (what, kept) in [(metrics, METRICS_KEPT), (alerts, ALERTS_KEPT), (orders, ORDERS_KEPT)] {
            taken += self.db.execute(what, params![At(now - kept), limit])?;
        }
        Ok(taken)
    }

    fn settle_lockouts(&mut self) -> Result<(), SettleError> {
        if self.unsettled.lockouts {
            mirror::write(&self.home, &lockouts::all_active(&self.db).map_err(DatabaseError::from)?)?;
            self.unsettled.lockouts = false;
        }
        Ok(())
    }

    fn settle_settings(&mut self) -> Result<(), SettleError> {
        if self.unsettled.settings {
            // What cannot be read was never accepted by this version: the file keeps what it has.
            if let Ok(Some(settings)) = self.last_good_config() {
                accepted::write(&self.home, &settings)?;
            }
            self.unsettled.settings = false;
        }
        Ok(())
    }

    fn settle_head(&mut self) -> Result<(), SettleError> {
        if self.unsettled.head {
            let next = log::next_enforcement(&self.db).map_err(DatabaseError::from)?;
            Head::at(self.flushed.clone(), next.max(self.next_enforcement)).write(&self.home)?;
            self.unsettled.head = false;
        }
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<(), DatabaseError> {
        if self.unsettled.commits >= COMMITS_PER_CHECKPOINT {
            database::checkpoint(&self.db)?;
            self.unsettled.commits = 0;
        }
        Ok(())
    }

    /// In WAL mode FULL flushes the log at each commit; NORMAL leaves that to the next flushed one.
    fn be(&mut self, durability: Durability) -> Result<(), DatabaseError> {
        if self.durability != durability {
            let synchronous = match durability {
                Durability::Flush => "FULL",
                Durability::Lazy => "NORMAL",
            };
            self.db.pragma_update(None, "synchronous", synchronous)?;
            self.durability = durability;
        }
        Ok(())
    }
}

fn accepts_settings(record: &Record) -> bool {
    matches!(record, Record::Config(settings) if settings.valid)
}

fn touches_lockouts(record: &Record) -> bool {
    matches!(record, Record::Lock { .. } | Record::Unlock { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AuditAction,
        error::Trouble,
        record::{ConfigOrigin, Note},
    };
    use domain::RuleKey;

    fn now() -> Instant {
        "2026-03-02T14:30:00Z".parse().unwrap()
    }

    fn note() -> Record {
        Record::Note(Box::new(Note {
            at: now(),
            account: None,
            rule: RuleKey::Trader,
            action: AuditAction::Settings,
            observed: false,
            dry_run: false,
            reason: "limit 5 to 4".to_owned(),
            breach: None,
            detected_at: None,
            done: None,
        }))
    }

    fn large() -> Record {
        Record::Config(Box::new(ConfigSnapshot {
            at: now(),
            hash: String::new(),
            origin: ConfigOrigin::File,
            os_user: None,
            diff: String::new(),
            content: "x".repeat(1 << 20),
            valid: true,
        }))
    }

    fn allow(store: &Store, pages: u32) {
        store.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    /// Page limit and full disk give the same answer of SQLite.
    #[test]
    fn a_full_disk_takes_nothing_by_halves_and_writing_goes_on_once_there_is_room() {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path(), now()).unwrap().store;
        store.commit(&[note()], Durability::Flush).unwrap();
        let pages: u32 = store.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        allow(&store, pages + 1);

        let error = store.commit(&[note(), large(), note()], Durability::Flush).unwrap_err();
        assert_eq!(error.trouble, Trouble::DiskFull, "{error}");
        assert_eq!(store.verify_audit().unwrap().rows, 1);
        store.settle().unwrap();
        assert_eq!(
            store.commit(&[note()], Durability::Lazy),
            Ok(vec![Written::Audit(2)]),
            "a small one fits"
        );

        allow(&store, 1 << 20);
        let written = store.commit(&[note(), large(), note()], Durability::Flush).unwrap();
        assert_eq!(written, [Written::Audit(3), Written::Stored, Written::Audit(4)]);
        store.settle().unwrap();
        assert_eq!(store.verify_audit().unwrap().rows, 4);
    }

    #[test]
    fn rows_that_were_written_lazily_come_under_the_head_when_nobody_waits() {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path(), now()).unwrap().store;
        store.commit(&[note()], Durability::Flush).unwrap();
        store.commit(&[note()], Durability::Lazy).unwrap();
        store.settle().unwrap();
        let rows = || match HeadFile::read(home.path()) {
            HeadFile::Says(head) => head.rows,
            HeadFile::Missing | HeadFile::Damaged(_) => panic!("no head"),
        };
        assert_eq!(rows(), 1, "the head never runs ahead of the disk");
        store.flush().unwrap();
        assert_eq!(rows(), 2);
        assert_eq!(store.verify_audit().unwrap().rows, 2);
    }

    #[test]
    fn another_program_that_holds_the_database_is_told_apart() {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path(), now()).unwrap().store;
        let other = Connection::open(home.path().join(database::FILE)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(store.commit(&[note()], Durability::Flush).unwrap_err().trouble, Trouble::Busy);
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(store.commit(&[note()], Durability::Flush), Ok(vec![Written::Audit(1)]));
    }

    #[test]
    fn the_log_is_moved_into_the_database_while_nobody_waits() {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path(), now()).unwrap().store;
        let size = || std::fs::metadata(home.path().join(database::FILE)).unwrap().len();
        let before = size();
        store.commit(&[large()], Durability::Flush).unwrap();
        store.settle().unwrap();
        assert_eq!(size(), before);
        for _ in 1..COMMITS_PER_CHECKPOINT {
            store.commit(&[Record::Seen(now())], Durability::Lazy).unwrap();
        }
        store.settle().unwrap();
        assert!(size() > before);
    }
}

//! A home's database for whoever only reads: `riskctl log`, `audit verify` and `status`, while an engine
//! writes or while none runs. Never changes a row.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use domain::{AccountId, ContractId, Contracts, Instant, Price, Side, Symbol, Usd};
use rusqlite::Connection;

use crate::{
    audit::{
        head::HeadFile,
        log::{self, AuditLine, LogQuery},
        verify::{self, AuditCheck, AuditFault},
    },
    columns::{At, Exact, Id, Word, amount, moment},
    database,
    error::{DatabaseError, ReadError},
    history::{self, Past},
    memory,
    migrate::{self, MIGRATIONS, Standing},
    record::ConfigSnapshot,
    write::lockouts::{self, HeldLock},
};

/// A read-only connection to a home.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    home: PathBuf,
}

/// What can be told of a home without an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineStatus {
    /// When an engine last wrote down its time.
    pub last_seen: Option<Instant>,
    /// The accounts it knew.
    pub accounts: Vec<OfflineAccount>,
}

/// An account as an engine last saw it; `None` is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineAccount {
    /// The broker's id.
    pub id: AccountId,
    /// Display name.
    pub name: Option<String>,
    /// The broker accepted orders for it.
    pub can_trade: Option<bool>,
    /// Practice and Combine accounts.
    pub simulated: Option<bool>,
    /// Closed result of the trading day.
    pub realized_today: Option<Usd>,
    /// Open result.
    pub unrealized: Option<Usd>,
    /// When these figures were written.
    pub updated_at: Option<Instant>,
    /// What was wrong with it.
    pub error: Option<String>,
    /// Positions that were open.
    pub positions: Vec<OfflinePosition>,
    /// Lockouts that have not ended.
    pub lockouts: Vec<HeldLock>,
}

/// A position as an engine last saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflinePosition {
    /// Contract id.
    pub contract: ContractId,
    /// Root.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Contracts.
    pub size: Contracts,
    /// Average entry.
    pub average_price: Price,
    /// Working stops covered all of it; `None` when unknown.
    pub stop_covered: Option<bool>,
    /// When it was opened.
    pub opened_at: Instant,
}

impl Reader {
    /// Opens a home's database for reading.
    ///
    /// # Errors
    /// There is none, or its schema is not the one of this program.
    pub fn open(home: &Path) -> Result<Self, ReadError> {
        let path = home.join(database::FILE);
        if !path.exists() {
            return Err(ReadError::NoDatabase(path));
        }
        let db = database::open_to_read(&path).map_err(DatabaseError::from)?;
        let known = migrate::newest_of(MIGRATIONS);
        match migrate::standing(&db, MIGRATIONS).map_err(DatabaseError::from)? {
            Standing::Known(found) if found == known => Ok(Self { db, home: home.to_owned() }),
            Standing::Known(found) | Standing::Newer(found) | Standing::Foreign(found) => {
                Err(ReadError::OtherSchema { found, known })
            }
            Standing::Empty | Standing::Stranger => Err(ReadError::NoDatabase(path)),
        }
    }

    /// Lines of the audit, oldest first.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub fn log(&self, query: &LogQuery) -> Result<Vec<AuditLine>, ReadError> {
        log::lines(&self.db, query)
    }

    /// The broker's names of the accounts that an engine knew.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub fn names(&self) -> Result<BTreeMap<AccountId, String>, ReadError> {
        history::names(&self.db).map_err(ReadError::of("account_state"))
    }

    /// Checks the whole audit, against a head that is read first: an engine may append meanwhile.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify_audit(&self) -> Result<AuditCheck, AuditFault> {
        let head = HeadFile::read(&self.home);
        verify::whole(&self.db, &head)
    }

    /// The last trading days: results, breaches, lockouts, what was done, personal sessions; of all accounts
    /// or of one. At most [`MOST_DAYS`](crate::MOST_DAYS) days, at least one.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub fn past(&self, account: Option<&AccountId>, days: u32) -> Result<Past, ReadError> {
        history::read(&self.db, account, days)
    }

    /// The newest settings that were accepted.
    ///
    /// # Errors
    /// The database failed, or the row cannot be read.
    pub fn last_good_config(&self) -> Result<Option<ConfigSnapshot>, ReadError> {
        memory::last_good_config(&self.db)
    }

    /// What an engine last knew. A lockout whose time is over at `now` is not reported as active.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub fn status(&self, now: Instant) -> Result<OfflineStatus, ReadError> {
        let locks = lockouts::all_active(&self.db).map_err(ReadError::of("lockouts"))?;
        let accounts = memory::accounts(&self.db)?
            .iter()
            .map(|id| {
                let own = |held: &&HeldLock| held.lockout.key.account == *id && held.lockout.is_active(now);
                let lockouts = locks.iter().filter(own).cloned().collect();
                let positions = self.positions(id).map_err(ReadError::of("positions"))?;
                self.account(id, positions, lockouts).map_err(ReadError::of("account_state"))
            })
            .collect::<Result<_, _>>()?;
        Ok(OfflineStatus { last_seen: memory::last_seen(&self.db)?, accounts })
    }

    fn account(
        &self,
        id: &AccountId,
        positions: Vec<OfflinePosition>,
        lockouts: Vec<HeldLock>,
    ) -> rusqlite::Result<OfflineAccount> {
        self.db.query_row("SELECT * FROM account_state WHERE account_id = ?1", [id.as_str()], |row| {
            Ok(OfflineAccount {
                id: id.clone(),
                name: row.get("name")?,
                can_trade: row.get("can_trade")?,
                simulated: row.get("simulated")?,
                realized_today: amount(row, "realized_exact")?,
                unrealized: amount(row, "unrealized_exact")?,
                updated_at: moment(row, "updated_at")?,
                error: row.get("error_message")?,
                positions,
                lockouts,
            })
        })
    }

    fn positions(&self, account: &AccountId) -> rusqlite::Result<Vec<OfflinePosition>> {
        let sql = "SELECT * FROM positions WHERE account_id = ?1 ORDER BY contract_id";
        let mut rows = self.db.prepare(sql)?;
        let positions = rows.query_map([account.as_str()], |row| {
            Ok(OfflinePosition {
                contract: row.get::<_, Id<_>>("contract_id")?.0,
                symbol: row.get::<_, Id<_>>("symbol")?.0,
                side: row.get::<_, Word<_>>("side")?.0,
                size: Contracts(row.get("quantity")?),
                average_price: Price(row.get::<_, Exact>("entry_price_exact")?.0),
                stop_covered: row.get("stop_loss_attached")?,
                opened_at: row.get::<_, At>("opened_at")?.0,
            })
        })?;
        positions.collect()
    }
}

//! What survives: SQLite in `HOME/state.db`, the audit chain, the mirror of lockouts, the backups. The only
//! crate that knows SQL.
//!
//! Synchronous, without threads and without a clock: whoever needs a time passes it in. Decides nothing
//! about trading; what is to be kept comes as a [`Record`], what was kept goes back as domain values.
//!
//! A home holds, as far as this crate is concerned:
//!
//! | file | what |
//! | --- | --- |
//! | `state.db` (with `-wal`, `-shm`) | everything |
//! | `lockouts.json` | the active lockouts again, with a checksum ([`Store::settle`]) |
//! | `accepted.json` | the settings that were accepted last again, with a checksum ([`Store::settle`]) |
//! | `audit.head` | number and hash of the last audit row again ([`Store::settle`]) |
//! | `backups/state-<time>.db` | the newest copies, as many as the settings say |
//! | `quarantine/state-<time>.db` | databases that were damaged or replaced |
//!
//! How to check the audit without this program stands in `audit/chain.rs`.

mod accepted;
mod audit;
pub mod backup;
mod columns;
mod database;
mod error;
mod files;
mod history;
mod memory;
mod migrate;
mod mirror;
mod opening;
mod proofs;
mod reader;
mod record;
mod store;
mod write;

pub use audit::{
    log::{AuditLine, LogQuery, Part},
    verify::{AuditBreak, AuditCheck, AuditFault},
    words::{AuditAction, AuditOutcome},
};
pub use error::{
    BackupError, DatabaseError, FileError, OpenError, ReadError, RestoreError, SettleError, Trouble,
};
pub use history::{MOST_DAYS, MOST_LINES, Past, PastDay, PastLockout, PastSession};
pub use memory::Recall;
pub use opening::{Found, Opened, Origin, Settings};
pub use proofs::Proof;
pub use reader::{OfflineAccount, OfflinePosition, OfflineStatus, Reader};
pub use record::{
    AccountFigures, AlertRecord, ConfigOrigin, ConfigSnapshot, Coverage, DayRecord, Durability, Ending,
    FillRecord, Holding, Intent, Note, Receipt, Record, ResetRecord, Spread, Written,
};
pub use store::{ALERTS_KEPT, METRICS_KEPT, PRUNED_AT_ONCE, Store};
pub use write::lockouts::HeldLock;

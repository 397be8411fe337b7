//! That a version of the program was seen to enforce a rule of an account: kept when it is first so, for as
//! long as the home exists, because the audit's latest lines soon speak of other things.

use std::collections::BTreeMap;

use domain::{AccountId, Instant, RuleKey};
use rusqlite::{Connection, Row, params};

use crate::{
    audit::words::AuditAction,
    columns::{At, Id, Word, word_text},
    error::ReadError,
};

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first enforcement of one version that was seen at the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// When it was seen.
    pub at: Instant,
    /// Of which version of the program.
    pub version: String,
    /// Of which rule.
    pub rule: RuleKey,
}

/// Keeps that a deed of a rule was seen at the broker. What the trader himself asked for proves no rule, and
/// a cancelled order no close.
pub(crate) fn keep(
    db: &Connection,
    account: &str,
    rule: &str,
    action: &str,
    at: Instant,
) -> rusqlite::Result<()> {
    let closes = [AuditAction::ClosePosition, AuditAction::ReducePosition, AuditAction::FlattenAccount];
    let closes = closes.iter().map(word_text).collect::<rusqlite::Result<Vec<_>>>()?;
    if rule == RuleKey::Trader.to_string() || !closes.iter().any(|it| it == action) {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO proofs (account_id, version, proved_at, rule) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, VERSION, At(at), rule])?;
    Ok(())
}

/// The newest of each account.
pub(crate) fn latest(db: &Connection) -> Result<BTreeMap<AccountId, Proof>, ReadError> {
    let failed = ReadError::of("proofs");
    let proof = |row: &Row<'_>| {
        let proof = Proof {
            at: row.get::<_, At>("proved_at")?.0,
            version: row.get("version")?,
            rule: row.get::<_, Word<_>>("rule")?.0,
        };
        Ok((row.get::<_, Id<_>>("account_id")?.0, proof))
    };
    let mut rows = db.prepare("SELECT * FROM proofs ORDER BY proved_at").map_err(&failed)?;
    let proofs = rows.query_map([], proof).and_then(Iterator::collect);
    proofs.map_err(&failed)
}

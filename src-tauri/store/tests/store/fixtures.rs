//! Homes, clocks and records for the stories.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use domain::{
    AccountId, Breach, ContractId, Contracts, DailyReset, Deed, Enforcement, EnforcementId, Exposure, Fill,
    Instant, LockEnd, LockKey, LockKind, Lockout, Memory, OrderSide, Price, Priority, RuleKey, TradingDay,
    Usd,
    breach::{Basis, CountType},
};
use rusqlite::Connection;
use store::{
    Durability, Ending, FillRecord, Found, HeldLock, Intent, Opened, Receipt, Record, Store, Written,
};
use tempfile::TempDir;

pub const ACCOUNT: &str = "26100417";
pub const MNQ: &str = "CON.F.US.MNQ.H26";

/// A home that is removed at the end.
pub struct Home {
    place: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.place.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn open(&self) -> Store {
        self.opened().store
    }

    pub fn opened(&self) -> Opened {
        Store::open(self.path(), now()).unwrap()
    }

    pub fn found(&self) -> Found {
        self.opened().found
    }

    /// What a sudden end leaves behind: a copy of all files while the database is open.
    pub fn crashed(&self) -> Self {
        let copy = Self::new();
        copy_all(self.path(), copy.path());
        copy
    }

    /// The database as anybody with a SQLite program opens it, without the guards against changes.
    pub fn tampered(&self) -> Connection {
        let db = Connection::open(self.file("state.db")).unwrap();
        db.pragma_update(None, "foreign_keys", false).unwrap();
        db.pragma_update(None, "ignore_check_constraints", true).unwrap();
        db.execute_batch(
            "DROP TRIGGER IF EXISTS enforcement_history_keeps_rows;
            DROP TRIGGER IF EXISTS enforcement_history_keeps_contents;
            DROP TRIGGER IF EXISTS enforcement_history_appends;",
        )
        .unwrap();
        db
    }

    /// Overwrites the middle of the database file, as a failing disk would.
    pub fn damage(&self) {
        damage(&self.file("state.db"));
    }
}

pub fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let page = 4096;
    assert!(bytes.len() > 8 * page, "a database of some pages");
    for page_number in [2, 3, 4, 5, 6] {
        bytes[page_number * page..(page_number + 1) * page].fill(0xA5);
    }
    fs::write(file, bytes).unwrap();
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// A Monday, 08:30:00 in Chicago.
pub fn now() -> Instant {
    at("2026-03-02T14:30:00Z")
}

pub fn later(seconds: i64) -> Instant {
    now() + TimeDelta::seconds(seconds)
}

pub fn day(text: &str) -> TradingDay {
    TradingDay(text.parse().unwrap())
}

pub fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

pub fn account() -> AccountId {
    ACCOUNT.into()
}

pub fn daily_loss() -> Breach {
    Breach::DailyLoss { basis: Basis::Combined, value: usd("-412.515625"), limit: usd("-400") }
}

pub fn key(rule: RuleKey) -> LockKey {
    LockKey { account: account(), rule, symbol: None, cause: String::new() }
}

pub fn lockout(rule: RuleKey, kind: LockKind, end: LockEnd) -> Lockout {
    Lockout {
        key: key(rule),
        kind,
        breach: daily_loss(),
        since: now(),
        end,
        day: day("2026-03-02"),
        baseline: [].into(),
        exempt: [].into(),
    }
}

/// One lockout of every kind, end and scope that the rules can set.
pub fn lockouts_of_every_kind() -> Vec<Lockout> {
    let reset = at("2026-03-02T23:00:00Z");
    let until_reset = lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::Reset(reset));
    let session = Lockout {
        exempt: ["ES".into(), "NQ".into()].into(),
        ..lockout(RuleKey::SessionBlockOutside, LockKind::Hard, LockEnd::SessionStart(Some(reset)))
    };
    let unknown_session = Lockout {
        key: LockKey { symbol: Some("MES".into()), ..key(RuleKey::SessionBlockOutside) },
        ..lockout(RuleKey::SessionBlockOutside, LockKind::Symbol, LockEnd::SessionStart(None))
    };
    let no_permission = lockout(RuleKey::AuthLossGuard, LockKind::Hard, LockEnd::CanTrade);
    let blocked = Lockout {
        key: LockKey { symbol: Some("RTY".into()), ..key(RuleKey::SymbolBlocks) },
        breach: Breach::SymbolBlocked { symbol: "RTY".into(), pattern: "R*".into() },
        ..lockout(RuleKey::SymbolBlocks, LockKind::Symbol, LockEnd::Config)
    };
    let minute_window = Lockout {
        key: LockKey { cause: "per_minute".into(), ..key(RuleKey::TradeFrequencyLimit) },
        baseline: [(MNQ.into(), Exposure(-3)), ("CON.F.US.EP.H26".into(), Exposure(2))].into(),
        ..lockout(RuleKey::TradeFrequencyLimit, LockKind::Timer, LockEnd::Time(later(60)))
    };
    let hour_window = Lockout {
        key: LockKey { cause: "per_hour".into(), ..key(RuleKey::TradeFrequencyLimit) },
        ..lockout(RuleKey::TradeFrequencyLimit, LockKind::Timer, LockEnd::Time(later(1800)))
    };
    let own = Lockout {
        breach: Breach::TraderCommand { command: "lock".into(), until: Some(reset) },
        ..lockout(RuleKey::Trader, LockKind::Hard, LockEnd::Time(reset))
    };
    vec![until_reset, session, unknown_session, no_permission, blocked, minute_window, hour_window, own]
}

pub fn lock(lockout: &Lockout) -> Record {
    Record::Lock { lockout: Box::new(lockout.clone()), reason: "Daily loss -412.52 of -400.00.".to_owned() }
}

pub fn held(lockout: &Lockout) -> HeldLock {
    HeldLock { lockout: lockout.clone(), reason: "Daily loss -412.52 of -400.00.".to_owned() }
}

pub fn enforcement(id: u64) -> Enforcement {
    Enforcement {
        id: EnforcementId(id),
        account: account(),
        rule: RuleKey::MaxContracts,
        merged: vec![RuleKey::MaxContractsPerInstrument],
        breach: Breach::TooManyContracts {
            count: Contracts(6),
            limit: Contracts(5),
            count_type: CountType::Net,
        },
        deed: Deed::Reduce { contract: MNQ.into(), to: Contracts(5) },
        priority: Priority::Medium,
        detected_at: now(),
    }
}

pub fn intent(id: u64) -> Record {
    intent_of(enforcement(id))
}

pub fn intent_of(enforcement: Enforcement) -> Record {
    Record::Intent(Box::new(Intent {
        at: now(),
        enforcement,
        reason: "6 contracts, 5 allowed.".to_owned(),
        position: Some("810000231".into()),
        cause: Some("position 810000231".to_owned()),
    }))
}

pub fn receipt(id: u64) -> Receipt {
    Receipt {
        enforcement: EnforcementId(id),
        at: later(1),
        ending: Ending::Confirmed,
        attempts: 1,
        sent_at: Some(at("2026-03-02T14:30:00.000400Z")),
        acknowledged_at: Some(at("2026-03-02T14:30:00.045Z")),
        confirmed_at: Some(at("2026-03-02T14:30:00.0612Z")),
        latency: Some(std::time::Duration::from_micros(61_200)),
        overshoot: None,
        error: None,
        done: Some("Closed 1 of 6 MNQ.".to_owned()),
    }
}

pub fn confirmed(id: u64) -> Record {
    Record::Receipt(Box::new(receipt(id)))
}

pub fn fill(id: &str, when: &str) -> Fill {
    Fill {
        id: id.into(),
        order: "3300000417".into(),
        account: account(),
        contract: MNQ.into(),
        symbol: "MNQ".into(),
        side: OrderSide::Sell,
        size: Contracts(2),
        price: Price("21445.25".parse().unwrap()),
        pnl: Some(usd("-15.625")),
        fees: usd("0.72"),
        commissions: Some(usd("0.5")),
        voided: false,
        at: at(when),
    }
}

pub fn fill_record(fill: Fill, label: &str) -> FillRecord {
    FillRecord { fill, own: false, locked: false, day: day(label), received_at: now() }
}

pub fn keep(record: FillRecord) -> Record {
    Record::Fill(Box::new(record))
}

pub fn flush(store: &mut Store, records: &[Record]) -> Vec<Written> {
    store.commit(records, Durability::Flush).unwrap()
}

pub fn memory(store: &Store) -> Memory {
    let recall = store.memory(now(), &DailyReset::default()).unwrap();
    assert_eq!(recall.unreadable, Vec::<String>::new());
    recall.memory
}

/// Lockouts in an order that does not depend on how they were written.
pub fn locks(store: &Store) -> Vec<Lockout> {
    sorted(memory(store).accounts.into_values().flat_map(|account| account.lockouts).collect())
}

pub fn sorted(mut lockouts: Vec<Lockout>) -> Vec<Lockout> {
    lockouts.sort_by(|one, other| one.key.cmp(&other.key));
    lockouts
}

pub fn contract() -> ContractId {
    MNQ.into()
}

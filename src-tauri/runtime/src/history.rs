//! The past of a home for viewers and for spreadsheets. Reads the database on a connection of its own;
//! the loop takes no part in it.

mod tables;

use std::{collections::BTreeMap, path::Path};

use domain::{AccountId, Instant, TradingDay};
use store::{Past, PastDay, ReadError, Reader};
use views::{
    history::{AccountDay, History, HistoryDay, HistoryQuery, PastLockout, PastReceipt, SessionView},
    text::words,
};

use crate::{lines, settings};
pub use tables::{CsvError, days_csv, export, receipts_csv};

/// The last days of a home.
///
/// # Errors
/// There is no database of this version, or it cannot be read.
pub fn read(home: &Path, query: &HistoryQuery) -> Result<History, ReadError> {
    let past = Reader::open(home)?.past(query.account.as_ref(), query.days)?;
    let own = settings::own_names(&home.join("config"));
    Ok(told(past, &own, query))
}

fn told(past: Past, own: &BTreeMap<AccountId, String>, query: &HistoryQuery) -> History {
    let began = first_instants(&past.days);
    let day_at = |at: Instant| began.iter().rev().find(|(_, began)| **began <= at).map(|(day, _)| *day);
    let name = |id: &AccountId| {
        let (own, brokers) = (own.get(id).map(String::as_str), past.names.get(id).map(String::as_str));
        words::account_name(own, brokers.unwrap_or(id.as_str()))
    };
    let mut days: BTreeMap<TradingDay, HistoryDay> = BTreeMap::new();
    for day in &past.days {
        let label = day.figures.day;
        let entry = days.entry(label).or_insert_with(|| HistoryDay {
            day: label,
            accounts: Vec::new(),
            receipts: Vec::new(),
        });
        entry.accounts.push(account_day(day, name(&day.account), &past, query));
    }
    for line in past.lines.iter().rev() {
        let own =
            past.days.iter().find(|it| Some(&it.account) == line.account.as_ref() && it.contains(line.at));
        let day = own.map(|day| day.figures.day).or_else(|| day_at(line.at));
        let Some(day) = day.and_then(|day| days.get_mut(&day)) else { continue };
        let receipt = lines::receipt(line);
        if query.rule.is_none_or(|rule| rule == line.rule) && query.shown.shows(&receipt) {
            day.receipts.push(PastReceipt { receipt, hash: line.hash.clone(), error: line.error.clone() });
        }
    }
    let sessions = past.sessions.iter().rev().map(|it| SessionView {
        account: it.account.clone(),
        name: name(&it.account),
        began: it.began,
        ended: it.ended,
        trades: it.trades,
        net: it.realized,
        breaches: it.breaches,
    });
    History { sessions: sessions.collect(), days: days.into_values().rev().collect(), cut: past.cut }
}

/// When each day began for the first account: what concerns everyone is told on the day of that time.
fn first_instants(days: &[PastDay]) -> BTreeMap<TradingDay, Instant> {
    days.iter().fold(BTreeMap::new(), |mut began, day| {
        let first = began.entry(day.figures.day).or_insert(day.began);
        *first = day.began.min(*first);
        began
    })
}

fn account_day(day: &PastDay, name: String, past: &Past, query: &HistoryQuery) -> AccountDay {
    let figures = &day.figures;
    let lockouts = past.lockouts.iter().filter(|it| {
        it.account == day.account && day.contains(it.since) && query.rule.is_none_or(|rule| rule == it.rule)
    });
    AccountDay {
        account: day.account.clone(),
        name,
        is_open: day.ended.is_none(),
        realized: figures.realized,
        fees: figures.fees,
        net: figures.realized - figures.fees,
        fees_estimated: figures.estimated,
        trades: figures.trades,
        wins: figures.wins,
        losses: figures.losses,
        lowest: day.lowest,
        highest: day.highest,
        breaches: day.breaches,
        lockouts: lockouts
            .map(|it| PastLockout {
                rule: it.rule,
                title: words::deed_title(it.rule, it.command.as_deref()).to_string(),
                kind: it.kind,
                symbol: it.symbol.clone(),
                reason: it.reason.clone(),
                since: it.since,
                until: it.until,
                ended: it.ended,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{LockEnd, LockKey, LockKind, Lockout, RuleKey, Usd, breach::Basis, memory::DayFigures};
    use store::{AuditAction, Note, Opened, Record, ResetRecord, Store};
    use views::history::Shown;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn day(text: &str) -> TradingDay {
        TradingDay(text.parse().unwrap())
    }

    fn query(shown: Shown) -> HistoryQuery {
        HistoryQuery { days: 30, account: None, rule: None, shown }
    }

    /// A Monday that ended in a lockout, and a Tuesday on which settings changed.
    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let Opened { mut store, .. } = Store::open(home.path(), at("2026-03-02T00:00:00Z")).unwrap();
        let breach = domain::Breach::DailyLoss {
            basis: Basis::Combined,
            value: Usd::from_cents(-51_250),
            limit: Usd::from_cents(-50_000),
        };
        let note = |account: Option<&str>, action, breach, at| {
            Record::Note(Box::new(Note {
                at,
                account: account.map(Into::into),
                rule: RuleKey::DailyRealizedLoss,
                action,
                observed: false,
                dry_run: false,
                reason: "−$512.50 of −$500.00, \"half\"".to_owned(),
                breach,
                detected_at: Some(at),
                done: None,
            }))
        };
        let reset = |closed, label: &str, scheduled| {
            Record::Reset(Box::new(ResetRecord {
                account: "7".into(),
                closed,
                day: day(label),
                scheduled,
                executed_at: scheduled,
                backup_file: None,
            }))
        };
        let figures = DayFigures {
            day: day("2026-03-02"),
            realized: Usd::from_cents(-50_880),
            fees: Usd::from_cents(370),
            trades: 5,
            wins: 1,
            losses: 4,
            estimated: false,
        };
        let since = at("2026-03-02T20:24:31Z");
        let lockout = Lockout {
            key: LockKey {
                account: "7".into(),
                rule: RuleKey::DailyRealizedLoss,
                symbol: None,
                cause: String::new(),
            },
            kind: LockKind::Hard,
            breach: breach.clone(),
            since,
            end: LockEnd::Reset(at("2026-03-02T23:00:00Z")),
            day: day("2026-03-02"),
            baseline: [].into(),
            exempt: [].into(),
        };
        let records = [
            reset(None, "2026-03-02", at("2026-03-01T23:00:00Z")),
            Record::Lock { lockout: Box::new(lockout), reason: "−$512.50 of −$500.00".to_owned() },
            note(Some("7"), AuditAction::Lockout, Some(breach), since),
            reset(Some(figures), "2026-03-03", at("2026-03-02T23:00:00Z")),
            note(None, AuditAction::Settings, None, at("2026-03-03T14:00:00Z")),
        ];
        store.commit(&records, store::Durability::Flush).unwrap();
        home
    }

    #[test]
    fn each_receipt_stands_on_the_trading_day_it_belongs_to() {
        let home = home();
        let history = read(home.path(), &query(Shown::All)).unwrap();
        let told: Vec<_> = history
            .days
            .iter()
            .map(|it| (it.day.to_string(), it.accounts[0].net.to_string(), it.receipts.len()))
            .collect();
        assert_eq!(
            told,
            [("2026-03-03".into(), "0.00".to_string(), 1), ("2026-03-02".into(), "-512.50".to_string(), 1)]
        );
        let monday = &history.days[1].accounts[0];
        assert_eq!((monday.breaches, monday.lockouts.len(), monday.is_open), (1, 1, false));
    }

    /// Their own commands are no lock, and Done for the day is not just any lock.
    #[test]
    fn what_the_trader_pressed_goes_by_the_name_of_its_button() {
        let home = home();
        let Opened { mut store, .. } = Store::open(home.path(), at("2026-03-03T15:00:00Z")).unwrap();
        let command = |command: &str| domain::Breach::TraderCommand { command: command.into(), until: None };
        let note = |action, breach, at| {
            Record::Note(Box::new(Note {
                at,
                account: Some("7".into()),
                rule: RuleKey::Trader,
                action,
                observed: false,
                dry_run: false,
                reason: "your own command".to_owned(),
                breach: Some(breach),
                detected_at: Some(at),
                done: None,
            }))
        };
        let since = at("2026-03-03T15:04:00Z");
        let lockout = Lockout {
            key: LockKey { account: "7".into(), rule: RuleKey::Trader, symbol: None, cause: String::new() },
            kind: LockKind::Hard,
            breach: command("done"),
            since,
            end: LockEnd::Reset(at("2026-03-03T23:00:00Z")),
            day: day("2026-03-03"),
            baseline: [].into(),
            exempt: [].into(),
        };
        let records = [
            note(AuditAction::FlattenAccount, command("flatten"), at("2026-03-03T15:01:00Z")),
            note(AuditAction::CancelOrder, command("cancel"), at("2026-03-03T15:02:00Z")),
            note(AuditAction::Lockout, command("lock"), at("2026-03-03T15:03:00Z")),
            Record::Lock { lockout: Box::new(lockout), reason: "your own command".to_owned() },
            note(AuditAction::FlattenAccount, command("done"), since),
        ];
        store.commit(&records, store::Durability::Flush).unwrap();
        let history = read(home.path(), &query(Shown::Enforced)).unwrap();
        let titles: Vec<_> = history.days[0].receipts.iter().map(|it| it.receipt.title.as_str()).collect();
        assert_eq!(titles, ["Done for the day", "Your own lock", "Cancel All", "Flatten All"]);
        assert_eq!(history.days[0].accounts[0].lockouts[0].title, "Done for the day");
    }

    #[test]
    fn an_account_goes_by_the_traders_own_name() {
        let home = home();
        let named = || read(home.path(), &query(Shown::All)).unwrap().days[0].accounts[0].name.clone();
        assert_eq!(named(), "7");
        let config = home.path().join("config");
        std::fs::create_dir(&config).unwrap();
        std::fs::write(config.join("accounts.yaml"), "accounts: [{id: 7, name: Swing}]").unwrap();
        assert_eq!(named(), "Swing");
        std::fs::write(config.join("accounts.yaml"), "accounts: [").unwrap();
        assert_eq!(named(), "7", "files that cannot be used name nobody");
    }

    #[test]
    fn receipts_are_chosen_by_rule_and_outcome() {
        let home = home();
        let actions = |query: &HistoryQuery| {
            let history = read(home.path(), query).unwrap();
            let all = history.days.into_iter().flat_map(|day| day.receipts);
            all.map(|it| it.receipt.action).collect::<Vec<_>>()
        };
        assert_eq!(actions(&query(Shown::Enforced)), ["lockout"]);
        assert_eq!(actions(&query(Shown::Changes)), ["settings"]);
        assert!(actions(&query(Shown::Failed)).is_empty());
        let other = HistoryQuery { rule: Some(RuleKey::MaxContracts), ..query(Shown::All) };
        assert!(actions(&other).is_empty());
    }

    #[test]
    fn a_table_that_is_there_already_is_left_alone() {
        let (home, folder) = (home(), tempfile::tempdir().unwrap());
        let history = read(home.path(), &query(Shown::All)).unwrap();
        let [first, _] = export(&history, folder.path()).unwrap();
        std::fs::write(&first, "mine").unwrap();
        let [second, receipts] = export(&history, folder.path()).unwrap();
        assert_eq!(second.file_name().unwrap(), "risk-manager-days-2026-03-03-2.csv");
        assert_eq!(receipts.file_name().unwrap(), "risk-manager-receipts-2026-03-03-2.csv");
        assert_eq!(std::fs::read_to_string(first).unwrap(), "mine");
        assert!(std::fs::read_to_string(second).unwrap().contains("-512.50"));
        assert!(export(&history, Path::new("/nonexistent")).is_err());
    }

    #[test]
    fn tables_are_read_back_by_any_spreadsheet() {
        let home = home();
        let history = read(home.path(), &query(Shown::All)).unwrap();
        let (mut days, mut receipts) = (Vec::new(), Vec::new());
        days_csv(&history, &mut days).unwrap();
        receipts_csv(&history, &mut receipts).unwrap();
        let rows = |table: &[u8]| {
            let mut reader = csv::Reader::from_reader(table);
            let names = reader.headers().unwrap().clone();
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            (names, rows)
        };
        let (names, found) = rows(&days);
        let net = names.iter().position(|it| it == "net").unwrap();
        assert_eq!((&found[0][net], &found[1][net]), ("0.00", "-512.50"));
        let (names, found) = rows(&receipts);
        let reason = names.iter().position(|it| it == "reason").unwrap();
        assert_eq!(&found[0][reason], "−$512.50 of −$500.00, \"half\"");
        assert_eq!(found.len(), 2);
    }
}

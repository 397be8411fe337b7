//! A restart finds what was promised: lockouts first (L-33, L-34), then everything else.

use std::collections::BTreeMap;

use domain::{
    Deed, EndCause, Enforcement, Instant, Instrument, LockEnd, LockKind, Lockout, Price, RuleKey,
    memory::{Managed, OwnClose},
};
use store::{ConfigOrigin, ConfigSnapshot, Durability, Record, Written};

use crate::fixtures::*;

#[test]
fn every_kind_of_lockout_survives_a_crash_whole() {
    let home = Home::new();
    let mut store = home.open();
    let expected = lockouts_of_every_kind();
    flush(&mut store, &expected.iter().map(lock).collect::<Vec<_>>());

    let crashed = home.crashed();
    assert_eq!(locks(&crashed.open()), sorted(expected.clone()), "by the database alone");

    store.settle().unwrap();
    let lost = home.crashed();
    std::fs::remove_file(lost.file("state.db")).unwrap();
    assert_eq!(locks(&lost.open()), sorted(expected), "by the mirror alone");
}

#[test]
fn a_clean_end_is_no_different_from_a_crash() {
    let home = Home::new();
    let expected = lockouts_of_every_kind();
    let mut store = home.open();
    flush(&mut store, &expected.iter().map(lock).collect::<Vec<_>>());
    drop(store);
    assert_eq!(locks(&home.open()), sorted(expected));
}

#[test]
fn a_later_record_extends_and_never_shortens() {
    let home = Home::new();
    let mut store = home.open();
    let until = |end| lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(end));
    for seconds in [300, 900, 60] {
        flush(&mut store, &[lock(&until(later(seconds)))]);
    }
    assert_eq!(locks(&store), [until(later(900))]);
    flush(&mut store, &[lock(&lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::CanTrade))]);
    assert_eq!(locks(&store).len(), 2, "a record of another rule stands beside it");
}

#[test]
fn an_end_between_two_microseconds_is_stored_as_the_later_one() {
    let home = Home::new();
    let mut store = home.open();
    let end = at("2026-03-02T15:00:00.0000004Z");
    flush(&mut store, &[lock(&lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(end)))]);
    let stored = locks(&store).pop().and_then(|lockout| lockout.end.at());
    assert_eq!(stored, Some(at("2026-03-02T15:00:00.000001Z")));
}

#[test]
fn an_ended_lockout_stays_ended_though_the_mirror_still_lists_it() {
    let home = Home::new();
    let mut store = home.open();
    let locked = lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::CanTrade);
    flush(&mut store, &[lock(&locked)]);
    store.settle().unwrap();
    let unlock = Record::Unlock {
        key: locked.key.clone(),
        cause: EndCause::Override { reason: "platform error".to_owned() },
        at: later(5),
    };
    assert_eq!(flush(&mut store, &[unlock.clone(), unlock]), [Written::Stored, Written::Nothing]);

    let after = home.crashed();
    let opened = after.opened();
    assert_eq!(opened.found.restored_lockouts, []);
    assert_eq!(locks(&opened.store), []);

    let again = Lockout { since: later(10), ..locked };
    flush(&mut store, &[lock(&again)]);
    assert_eq!(locks(&home.crashed().open()), [again], "history does not stand in the way of a new one");
}

#[test]
fn the_summary_in_the_account_row_follows_the_lockouts() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &lockouts_of_every_kind().iter().map(lock).collect::<Vec<_>>());
    let summary = || -> (Option<String>, Option<String>) {
        home.tampered()
            .query_row("SELECT lockout_until, cooldown_until FROM account_state", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(summary(), (text("2026-03-02T23:00:00.000000Z"), text("2026-03-02T15:00:00.000000Z")));
    let ends = lockouts_of_every_kind().into_iter().map(|lockout| Record::Unlock {
        key: lockout.key,
        cause: EndCause::Expiry,
        at: later(9),
    });
    flush(&mut store, &ends.collect::<Vec<_>>());
    assert_eq!(summary(), (None, None));
}

#[test]
fn deadlines_ids_time_and_settings_come_back() {
    let home = Home::new();
    let mut store = home.open();
    assert_eq!(memory(&store).next_enforcement, 1);
    assert_eq!(memory(&store).last_seen, None);
    assert_eq!(store.last_good_config().unwrap(), None);

    let deadline = |contract: &str, deadline| Record::StopDeadline {
        account: account(),
        contract: contract.into(),
        deadline,
    };
    let known = |best: &str| Managed {
        position: "810000231".into(),
        best: Some(Price(best.parse().unwrap())),
        stop: Some("11".into()),
        target: None,
        breakeven_done: true,
        trailing: false,
        stops_lost: 1,
        target_lost: true,
    };
    let managed = |contract: &str, managed: Option<Managed>| Record::Managed {
        account: account(),
        contract: contract.into(),
        managed: managed.map(Box::new),
    };
    let settings = |content: &str, valid| ConfigSnapshot {
        at: now(),
        hash: format!("hash of {content}"),
        origin: ConfigOrigin::File,
        os_user: None,
        diff: String::new(),
        content: content.to_owned(),
        valid,
    };
    flush(
        &mut store,
        &[
            deadline(MNQ, Some(later(5))),
            deadline("CON.F.US.EP.H26", Some(later(7))),
            deadline("CON.F.US.EP.H26", None),
            managed(MNQ, Some(known("21000.25"))),
            managed(MNQ, Some(known("21007.25"))),
            managed("CON.F.US.EP.H26", Some(known("6000"))),
            managed("CON.F.US.EP.H26", None),
            intent(41),
            Record::Seen(later(3)),
            Record::Config(Box::new(settings("good", true))),
            Record::Config(Box::new(settings("broken", false))),
        ],
    );

    let crashed = home.crashed();
    let store = crashed.open();
    let memory = memory(&store);
    assert_eq!(memory.accounts[&account()].stop_deadlines, BTreeMap::from([(contract(), later(5))]));
    assert_eq!(memory.accounts[&account()].managed, BTreeMap::from([(contract(), known("21007.25"))]));
    assert_eq!(memory.next_enforcement, 42);
    assert_eq!(memory.last_seen, Some(later(3)));
    assert_eq!(store.last_good_config().unwrap(), Some(settings("good", true)));
}

#[test]
fn an_enforcement_under_way_is_pending_after_a_crash_and_its_id_is_never_used_again() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1), confirmed(1), intent(2)]);
    store.settle().unwrap();

    let after = home.crashed();
    let pending = after.open().pending_intents().unwrap();
    assert_eq!(pending.iter().map(|intent| &intent.enforcement).collect::<Vec<_>>(), [&enforcement(2)]);

    let lost = home.crashed();
    std::fs::remove_file(lost.file("state.db")).unwrap();
    assert_eq!(memory(&lost.open()).next_enforcement, 3, "even with a new database");
}

#[test]
fn lazy_rows_survive_the_end_of_the_process() {
    let home = Home::new();
    let mut store = home.open();
    store.commit(&[Record::Seen(later(1))], Durability::Lazy).unwrap();
    flush(&mut store, &[intent(1)]);
    store.commit(&[confirmed(1), Record::Seen(later(2))], Durability::Lazy).unwrap();
    store.settle().unwrap();
    let crashed = home.crashed();
    let after = crashed.open();
    assert_eq!(memory(&after).last_seen, Some(later(2)));
    assert_eq!(after.verify_audit().unwrap().rows, 2);
}

#[test]
fn an_unreadable_fill_is_told_and_an_unreadable_lockout_is_an_error() {
    let home = Home::new();
    let mut store = home.open();
    flush(
        &mut store,
        &[
            keep(fill_record(fill("1", "2026-03-02T14:00:00Z"), "2026-03-02")),
            keep(fill_record(fill("2", "2026-03-02T14:01:00Z"), "2026-03-02")),
            lock(&lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::CanTrade)),
        ],
    );
    home.tampered().execute("UPDATE trade_log SET price = 'dear' WHERE trade_id = '1'", []).unwrap();
    let recall = store.memory(now(), &domain::DailyReset::default()).unwrap();
    assert_eq!(recall.memory.accounts[&account()].fills.len(), 1);
    assert_eq!(recall.unreadable.len(), 1);

    home.tampered().execute("UPDATE lockouts SET breach = '{}'", []).unwrap();
    let error = store.memory(now(), &domain::DailyReset::default()).unwrap_err();
    assert!(error.to_string().starts_with("lockouts cannot be read"), "{error}");
}

#[test]
fn a_mirror_that_cannot_be_written_is_told_holds_nothing_up_and_is_tried_again() {
    let home = Home::new();
    let mut store = home.open();
    let locked = lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::CanTrade);
    std::fs::remove_file(home.file("lockouts.json")).unwrap();
    std::fs::create_dir(home.file("lockouts.json")).unwrap();
    flush(&mut store, &[lock(&locked), intent(1)]);
    let error = store.settle().unwrap_err();
    assert!(error.to_string().contains("lockouts.json"), "{error}");
    assert!(std::fs::read_to_string(home.file("audit.head")).unwrap().contains("\"rows\":1"));

    std::fs::remove_dir(home.file("lockouts.json")).unwrap();
    store.settle().unwrap();
    std::fs::remove_file(home.file("state.db")).unwrap();
    drop(store);
    assert_eq!(locks(&home.open()), [locked]);
}

/// Fills that are told after a restart are held against these (ruling 18).
#[test]
fn closes_of_the_last_hour_come_back_with_their_ends() {
    let home = Home::new();
    let mut store = home.open();
    let flatten = Enforcement { rule: RuleKey::CooldownAfterLoss, deed: Deed::Flatten, ..enforcement(2) };
    let cancel = Enforcement { deed: Deed::Cancel { orders: vec![7.into()] }, ..enforcement(3) };
    flush(&mut store, &[intent(1), confirmed(1), intent_of(flatten), intent_of(cancel)]);
    let closes = |later: Instant| {
        let recall = store.memory(later, &domain::DailyReset::default()).unwrap();
        recall.memory.accounts[&account()].closes.clone()
    };
    let one = OwnClose {
        rule: RuleKey::MaxContracts,
        contract: Some(MNQ.into()),
        from: now(),
        until: Some(later(1)),
    };
    let all = OwnClose { rule: RuleKey::CooldownAfterLoss, contract: None, from: now(), until: None };
    assert_eq!(closes(later(600)), [one, all], "a cancel is no close");
    assert_eq!(closes(later(3_601)), []);
}

#[test]
fn what_contracts_are_worth_is_remembered() {
    let home = Home::new();
    let mut store = home.open();
    let instrument = |value: &str| Instrument {
        contract: contract(),
        symbol: "ZB".into(),
        name: "ZBH6".to_string(),
        tick_size: "0.03125".parse().unwrap(),
        tick_value: usd(value),
        active: true,
    };
    for value in ["31.25", "15.6250001"] {
        flush(&mut store, &[Record::Instrument { instrument: Box::new(instrument(value)), at: now() }]);
    }
    assert_eq!(memory(&home.crashed().open()).instruments, [instrument("15.6250001")]);
}

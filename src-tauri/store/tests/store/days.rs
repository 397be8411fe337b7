//! Trading days: fills, figures, the reset that happens once (specification C.6, L-35, L-38).

use domain::{Fill, Instant, TradingDay, Usd, memory::DayFigures};
use rusqlite::types::Value;
use store::{DayRecord, Record, ResetRecord, Written};

use crate::fixtures::*;

fn figures(label: &str, realized: &str) -> DayFigures {
    DayFigures {
        day: day(label),
        realized: usd(realized),
        fees: usd("3.7"),
        trades: 4,
        wins: 1,
        losses: 2,
        estimated: true,
    }
}

fn running(figures: DayFigures, combined: Option<Usd>) -> Record {
    Record::Day(Box::new(DayRecord { account: account(), figures, combined, at: now() }))
}

fn reset(closed: Option<DayFigures>, day: TradingDay, scheduled: Instant) -> Record {
    Record::Reset(Box::new(ResetRecord {
        account: account(),
        closed,
        day,
        scheduled,
        executed_at: scheduled + chrono::TimeDelta::milliseconds(3),
        backup_file: Some("state-20260302T225500Z.db".to_owned()),
    }))
}

#[test]
fn the_open_day_comes_back_exact_to_a_fraction_of_a_cent() {
    let home = Home::new();
    let mut store = home.open();
    let expected = figures("2026-03-02", "-31.265625");
    flush(
        &mut store,
        &[running(figures("2026-03-02", "-15.6328125"), None), running(expected.clone(), None)],
    );
    let crashed = home.crashed();
    assert_eq!(memory(&crashed.open()).accounts[&account()].day, Some(expected));
}

#[test]
fn fills_come_back_exact_with_those_of_the_hour_before_the_day() {
    let home = Home::new();
    let mut store = home.open();
    let too_old = fill("1", "2026-03-01T21:59:59.999999Z");
    let before = fill("2", "2026-03-01T22:00:00Z");
    let opening = Fill { pnl: None, commissions: None, ..fill("3", "2026-03-02T14:00:00.871552Z") };
    let closing = fill("4", "2026-03-02T14:10:00Z");
    flush(
        &mut store,
        &[
            running(figures("2026-03-02", "-15.625"), None),
            keep(fill_record(closing.clone(), "2026-03-02")),
            keep(fill_record(too_old, "2026-03-01")),
            keep(fill_record(before.clone(), "2026-03-01")),
            keep(fill_record(opening.clone(), "2026-03-02")),
        ],
    );
    let remembered = memory(&home.crashed().open()).accounts.remove(&account()).unwrap().fills;
    assert_eq!(
        remembered.into_iter().map(|known| known.fill).collect::<Vec<_>>(),
        [before, opening, closing]
    );
}

#[test]
fn a_correction_replaces_a_fill_and_keeps_the_commissions_that_only_the_stream_told() {
    let home = Home::new();
    let mut store = home.open();
    let first = fill("1", "2026-03-02T14:00:00Z");
    let voided = Fill { voided: true, commissions: None, ..first.clone() };
    let mut corrected = fill_record(voided.clone(), "2026-03-02");
    corrected.own = true;
    flush(&mut store, &[keep(fill_record(first.clone(), "2026-03-02")), keep(corrected)]);
    let known = memory(&store).accounts.remove(&account()).unwrap().fills;
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].fill, Fill { commissions: first.commissions, ..voided });
    assert!(known[0].own);
}

#[test]
fn a_reset_closes_the_day_once_and_opens_the_next() {
    let home = Home::new();
    let mut store = home.open();
    let due = at("2026-03-02T23:00:00Z");
    let the_reset = reset(Some(figures("2026-03-02", "-412.51")), day("2026-03-03"), due);
    flush(&mut store, &[running(figures("2026-03-02", "-400"), Some(usd("-410")))]);
    assert_eq!(flush(&mut store, std::slice::from_ref(&the_reset)), [Written::Stored]);

    let after = home.crashed();
    let mut store = after.open();
    assert_eq!(flush(&mut store, &[the_reset]), [Written::Nothing], "also after a restart");
    assert_eq!(flush(&mut store, &[running(figures("2026-03-02", "0"), None)]), [Written::Nothing], "final");

    let open = memory(&store).accounts.remove(&account()).unwrap().day.unwrap();
    assert_eq!((open.day, open.realized, open.trades), (day("2026-03-03"), Usd::ZERO, 0));
    let db = after.tampered();
    let closed: (i64, i64, String) = db
        .query_row(
            "SELECT realized_cents, min_combined_cents, closed_at FROM daily_pnl WHERE trading_day = '2026-03-02'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(closed, (-41251, -41000, "2026-03-02T23:00:00.003000Z".to_owned()));
    let last: String =
        db.query_row("SELECT last_daily_reset FROM account_state", [], |row| row.get(0)).unwrap();
    assert_eq!(last, "2026-03-02T23:00:00.003000Z");
}

#[test]
fn missed_days_are_reset_one_label_at_a_time_and_leave_one_open_day() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[running(figures("2026-03-02", "-5"), None)]);
    let resets = [
        reset(Some(figures("2026-03-02", "-5")), day("2026-03-03"), at("2026-03-02T23:00:00Z")),
        reset(None, day("2026-03-04"), at("2026-03-03T23:00:00Z")),
    ];
    assert_eq!(flush(&mut store, &resets), [Written::Stored, Written::Stored]);
    let open: Vec<String> = home
        .tampered()
        .prepare("SELECT trading_day FROM daily_pnl WHERE closed_at IS NULL")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(open, ["2026-03-04"]);
}

#[test]
fn the_extremes_of_a_day_are_kept() {
    let home = Home::new();
    let mut store = home.open();
    for combined in [None, Some("10"), Some("-200.5"), Some("90.25"), None] {
        flush(&mut store, &[running(figures("2026-03-02", "0"), combined.map(usd))]);
    }
    let extremes: (Value, Value) = home
        .tampered()
        .query_row("SELECT max_combined_cents, min_combined_cents FROM daily_pnl", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(extremes, (Value::Integer(9025), Value::Integer(-20050)));
}

/// The day of a Monday closes the week before it: its reset begins the next one, and is entered once.
#[test]
fn a_week_is_summed_and_its_reset_is_entered_once() {
    let home = Home::new();
    let mut store = home.open();
    let sunday = reset(Some(figures("2026-03-01", "-5")), day("2026-03-02"), at("2026-03-01T23:00:00Z"));
    let monday = reset(Some(figures("2026-03-02", "20")), day("2026-03-03"), at("2026-03-02T23:00:00Z"));
    flush(&mut store, &[running(figures("2026-03-01", "-5"), None), sunday]);
    let week = memory(&store).accounts.remove(&account()).unwrap().week.unwrap();
    assert_eq!((week.monday.to_string(), week.realized, week.trades), ("2026-02-23".into(), usd("-8.7"), 4));

    flush(&mut store, std::slice::from_ref(&monday));
    flush(&mut store, &[monday]);
    let week = memory(&store).accounts.remove(&account()).unwrap().week.unwrap();
    assert_eq!((week.monday.to_string(), week.realized, week.trades), ("2026-03-02".into(), Usd::ZERO, 0));
    let db = home.tampered();
    let kept: (String, i64, i64) = db
        .query_row("SELECT week_start, realized_cents, trades FROM weekly_stats", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(kept, ("2026-02-23".to_owned(), 760, 8));
    let weekly: Vec<String> = db
        .prepare("SELECT trading_day FROM reset_log WHERE reset_type = 'weekly'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(weekly, ["2026-03-03"]);
}

/// A day began when its reset was due, whatever the reset time is now.
#[test]
fn a_day_comes_back_with_the_reset_that_began_it() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[running(figures("2026-03-02", "0"), None)]);
    let began = |store: &store::Store| memory(store).accounts.remove(&account()).unwrap().day_began;
    assert_eq!(began(&store), None, "no reset was entered");
    let due = at("2026-03-02T22:30:00Z");
    flush(&mut store, &[reset(Some(figures("2026-03-02", "0")), day("2026-03-03"), due)]);
    assert_eq!(began(&store), Some(due));
}

/// The day is closed while its backup is still being made.
#[test]
fn a_reset_that_did_not_wait_for_its_backup_names_it_afterwards() {
    let home = Home::new();
    let mut store = home.open();
    let due = at("2026-03-02T23:00:00Z");
    let Record::Reset(mut done) = reset(None, day("2026-03-03"), due) else { unreachable!() };
    done.backup_file = None;
    flush(&mut store, &[Record::Reset(done)]);
    let shown = || -> String {
        let row =
            "SELECT ifnull(backup_file, '-') || ' ' || result FROM reset_log WHERE reset_type = 'daily'";
        home.tampered().query_row(row, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(shown(), "- done_without_backup");
    let there =
        |file: &str| Record::BackedUp { account: account(), day: day("2026-03-03"), file: file.to_owned() };
    assert_eq!(flush(&mut store, &[there("a.db"), there("b.db")]), [Written::Stored, Written::Nothing]);
    assert_eq!(shown(), "a.db done");
}

//! The past: days with their figures and breaches, lockouts, lines of the audit, personal sessions.

use domain::{Instant, LockEnd, LockKind, RuleKey, TradingDay, Usd, memory::DayFigures};
use store::{DayRecord, Past, PastSession, Reader, Record, ResetRecord, Store, Written};

use crate::fixtures::*;

const MONDAY: &str = "2026-03-02";
const TUESDAY: &str = "2026-03-03";

fn figures(label: &str, realized: &str, trades: u32) -> DayFigures {
    DayFigures {
        day: day(label),
        realized: usd(realized),
        fees: usd("3.70"),
        trades,
        wins: 1,
        losses: 2,
        estimated: false,
    }
}

fn running(figures: DayFigures, combined: &str, at: Instant) -> Record {
    Record::Day(Box::new(DayRecord { account: account(), figures, combined: Some(usd(combined)), at }))
}

fn reset(closed: Option<DayFigures>, day: TradingDay, scheduled: Instant) -> Record {
    let backup_file = None;
    Record::Reset(Box::new(ResetRecord {
        account: account(),
        closed,
        day,
        scheduled,
        executed_at: scheduled,
        backup_file,
    }))
}

fn clock_in(realized: &str, trades: u32, at: Instant) -> Record {
    Record::ClockIn { account: account(), realized: usd(realized), trades, at }
}

fn clock_out(realized: &str, trades: u32, at: Instant) -> Record {
    Record::ClockOut { account: account(), realized: usd(realized), trades, at }
}

fn past(home: &Home, days: u32) -> Past {
    Reader::open(home.path()).unwrap().past(None, days).unwrap()
}

/// Monday with a breach of a contract limit and one of the daily loss, Tuesday without any.
fn two_days(store: &mut Store) {
    flush(
        store,
        &[
            reset(None, day(MONDAY), at("2026-03-01T23:00:00Z")),
            running(figures(MONDAY, "-100", 2), "-120.50", now()),
            running(figures(MONDAY, "-408.815625", 5), "40", now()),
            intent(1),
            confirmed(1),
            intent(2),
            lock(&lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::Reset(later(30_600)))),
            reset(Some(figures(MONDAY, "-408.815625", 5)), day(TUESDAY), at("2026-03-02T23:00:00Z")),
            running(figures(TUESDAY, "12", 1), "12", at("2026-03-03T14:30:00Z")),
        ],
    );
}

#[test]
fn each_day_has_its_figures_and_counts_an_event_under_one_rule_as_one_breach() {
    let home = Home::new();
    two_days(&mut home.open());
    let told = past(&home, 10);
    let [tuesday, monday] = &told.days[..] else { panic!("{:?}", told.days) };
    assert_eq!(monday.figures, figures(MONDAY, "-408.815625", 5));
    assert_eq!((monday.lowest, monday.highest), (Some(usd("-120.50")), Some(usd("40.00"))));
    assert_eq!(monday.ended, Some(at("2026-03-02T23:00:00Z")));
    assert_eq!(monday.breaches, 1, "two deeds for one event");
    assert_eq!((tuesday.breaches, tuesday.ended), (0, None));
    let since: Vec<_> = told.lockouts.iter().map(|it| (it.rule, it.since, it.ended)).collect();
    assert_eq!(since, [(RuleKey::DailyRealizedLoss, now(), None)]);
    assert_eq!(told.lines.len(), 2);
    assert!(!told.cut);
}

#[test]
fn the_day_that_runs_counts_its_breaches_as_well() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[reset(None, day(MONDAY), at("2026-03-01T23:00:00Z")), intent(1), confirmed(1)]);
    let told = past(&home, 10);
    assert_eq!((told.days[0].breaches, told.days[0].ended), (1, None));
}

#[test]
fn only_the_days_and_the_account_that_were_asked_for() {
    let home = Home::new();
    two_days(&mut home.open());
    let told = past(&home, 1);
    assert_eq!(told.days.iter().map(|it| it.figures.day).collect::<Vec<_>>(), [day(TUESDAY)]);
    assert!(told.lines.is_empty() && told.lockouts.is_empty(), "Monday's are not told");
    let nobody = Reader::open(home.path()).unwrap().past(Some(&"1".into()), 10).unwrap();
    assert!(nobody.days.is_empty() && nobody.lines.is_empty());
}

#[test]
fn a_session_is_summed_up_when_the_trader_clocks_out() {
    let home = Home::new();
    let mut store = home.open();
    two_days(&mut store);
    let written = flush(&mut store, &[clock_in("-10.5", 2, now()), clock_in("0", 0, later(1))]);
    assert_eq!(written, [Written::Stored, Written::Nothing], "one session at a time");
    let open = past(&home, 10).sessions;
    assert!(matches!(&open[..], [PastSession { ended: None, realized: None, .. }]), "{open:?}");
    flush(&mut store, &[clock_out("-112.25", 5, later(600))]);
    let expected = PastSession {
        account: account(),
        began: now(),
        ended: Some(later(600)),
        trades: Some(3),
        realized: Some(Usd::from_cents(-10_175)),
        breaches: Some(1),
    };
    assert_eq!(past(&home, 10).sessions, [expected]);
    assert_eq!(flush(&mut store, &[clock_out("0", 0, later(700))]), [Written::Nothing]);
}

#[test]
fn a_session_left_open_ends_with_its_day() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[reset(None, day(MONDAY), at("2026-03-01T23:00:00Z")), clock_in("0", 0, now())]);
    let end = at("2026-03-02T23:00:00Z");
    flush(&mut store, &[reset(Some(figures(MONDAY, "20", 3)), day(TUESDAY), end)]);
    let sessions = past(&home, 10).sessions;
    let [session] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!(session.ended, Some(end));
    assert_eq!((session.trades, session.realized), (Some(3), Some(usd("16.30"))));
}

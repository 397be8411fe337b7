//! What the tables show to people: the status without an engine, and the columns of specification D.1.

use domain::{
    Account, Exposure, Link, LockEnd, LockKind, Order, OrderKind, OrderSide, OrderStatus, Position, Price,
    RuleKey, Severity, Side, Usd,
};
use rusqlite::types::Value;
use store::{AccountFigures, AlertRecord, Coverage, Durability, Holding, ReadError, Reader, Record, Store};

use crate::fixtures::*;

fn figures(realized: &str, unrealized: Option<Usd>) -> Record {
    Record::Account(Box::new(AccountFigures {
        account: Account {
            id: account(),
            name: "PRAC-V2-700001-40000017".to_owned(),
            balance: usd("50000"),
            can_trade: true,
            visible: true,
            simulated: Some(true),
        },
        realized: usd(realized),
        unrealized,
        error: None,
        at: now(),
    }))
}

fn holding(id: &str, exposure: i64) -> Holding {
    Holding {
        position: Position {
            id: id.into(),
            account: account(),
            contract: contract(),
            symbol: "MNQ".into(),
            exposure: Exposure(exposure),
            average_price: Price("21455.375".parse().unwrap()),
            opened_at: now(),
        },
        price: None,
        unrealized: None,
        stop_covered: None,
        stop_price: None,
    }
}

fn positions(held: Vec<Holding>) -> Record {
    Record::Positions { account: account(), held, at: now() }
}

fn lazily(store: &mut Store, records: &[Record]) {
    store.commit(records, Durability::Lazy).unwrap();
}

#[test]
fn a_home_without_database_says_so() {
    let home = Home::new();
    let error = Reader::open(home.path()).unwrap_err();
    assert_eq!(error, ReadError::NoDatabase(home.file("state.db")));
}

#[test]
fn the_status_without_an_engine_tells_what_is_known_and_what_is_not() {
    let home = Home::new();
    let mut store = home.open();
    let over = lockout(RuleKey::CooldownAfterLoss, LockKind::Timer, LockEnd::Time(later(60)));
    let lasting = lockout(RuleKey::DailyRealizedLoss, LockKind::Hard, LockEnd::Reset(later(9000)));
    flush(&mut store, &[lock(&over), lock(&lasting), Record::Seen(later(2))]);
    lazily(&mut store, &[figures("-412.515625", None), positions(vec![holding("1", 4)])]);
    lazily(&mut store, &[positions(vec![holding("2", -3), holding("3", 0)])]);
    drop(store);

    let status = Reader::open(home.path()).unwrap().status(later(60)).unwrap();
    assert_eq!(status.last_seen, Some(later(2)));
    let [seen] = &status.accounts[..] else { panic!("one account: {status:?}") };
    assert_eq!(seen.name.as_deref(), Some("PRAC-V2-700001-40000017"));
    assert_eq!((seen.can_trade, seen.simulated), (Some(true), Some(true)));
    assert_eq!(
        (seen.realized_today, seen.unrealized),
        (Some(usd("-412.515625")), None),
        "unknown is not zero"
    );
    assert_eq!(seen.lockouts, [held(&lasting)], "a due record is not reported");
    let [position] = &seen.positions[..] else { panic!("the last picture only: {seen:?}") };
    assert_eq!((position.side, position.size.0, position.stop_covered), (Side::Short, 3, None));
    assert_eq!(position.average_price.to_string(), "21455.375");
}

#[test]
fn an_account_of_which_nothing_was_told_is_unknown() {
    let home = Home::new();
    let mut store = home.open();
    flush(&mut store, &[intent(1)]);
    let status = Reader::open(home.path()).unwrap().status(now()).unwrap();
    assert_eq!((status.accounts[0].realized_today, status.accounts[0].can_trade), (None, None));
}

#[test]
fn the_required_tables_have_the_required_columns() {
    let home = Home::new();
    drop(home.open());
    let db = home.tampered();
    let check = |table: &str, expected: &[(&str, &str, bool)]| {
        let columns: Vec<(String, String, bool)> = db
            .prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1)")
            .unwrap()
            .query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let beginning: Vec<_> = columns
            .iter()
            .take(expected.len())
            .map(|(name, kind, required)| (name.as_str(), kind.as_str(), *required))
            .collect();
        assert_eq!(beginning, expected, "{table}");
    };
    check(
        "account_state",
        &[
            ("account_id", "TEXT", false),
            ("realized_pnl_today", "REAL", true),
            ("unrealized_pnl_total", "REAL", true),
            ("last_daily_reset", "TIMESTAMP", true),
            ("lockout_until", "TIMESTAMP", false),
            ("cooldown_until", "TIMESTAMP", false),
            ("error_state", "BOOLEAN", false),
            ("error_message", "TEXT", false),
        ],
    );
    check(
        "positions",
        &[
            ("position_id", "TEXT", false),
            ("account_id", "TEXT", true),
            ("symbol", "TEXT", true),
            ("side", "TEXT", true),
            ("quantity", "INTEGER", true),
            ("entry_price", "REAL", true),
            ("current_price", "REAL", false),
            ("unrealized_pnl", "REAL", false),
            ("opened_at", "TIMESTAMP", true),
            ("last_update", "TIMESTAMP", true),
            ("stop_loss_attached", "BOOLEAN", false),
            ("stop_loss_price", "REAL", false),
            ("contract_id", "TEXT", true),
        ],
    );
    check(
        "enforcement_history",
        &[
            ("id", "INTEGER", false),
            ("timestamp", "TIMESTAMP", true),
            ("account_id", "TEXT", true),
            ("rule_name", "TEXT", true),
            ("action_type", "TEXT", true),
            ("reason", "TEXT", true),
            ("position_id", "TEXT", false),
            ("order_id", "TEXT", false),
            ("success", "BOOLEAN", true),
            ("error_message", "TEXT", false),
        ],
    );
    check(
        "performance_metrics",
        &[
            ("id", "INTEGER", false),
            ("timestamp", "TIMESTAMP", true),
            ("metric_name", "TEXT", true),
            ("metric_value", "REAL", true),
            ("account_id", "TEXT", false),
        ],
    );
}

#[test]
fn money_in_the_required_columns_is_a_number_rounded_to_cents() {
    let home = Home::new();
    let mut store = home.open();
    let valued = Holding {
        price: Some(Price("21450.25".parse().unwrap())),
        unrealized: Some(usd("-10.255")),
        stop_covered: Some(true),
        ..holding("1", 2)
    };
    lazily(&mut store, &[figures("-412.515625", Some(usd("0.125"))), positions(vec![valued])]);
    let db = home.tampered();
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Value>(0)).unwrap();
    assert_eq!(one("SELECT realized_pnl_today FROM account_state"), Value::Real(-412.52));
    assert_eq!(one("SELECT unrealized_pnl_total FROM account_state"), Value::Real(0.13));
    assert_eq!(one("SELECT unrealized_pnl FROM positions"), Value::Real(-10.26));
    assert_eq!(one("SELECT entry_price FROM positions"), Value::Real(21455.375));
    assert_eq!(one("SELECT stop_loss_attached FROM positions"), Value::Integer(1));
}

fn order(id: &str, status: OrderStatus) -> Order {
    Order {
        id: id.into(),
        account: account(),
        contract: contract(),
        symbol: "MNQ".into(),
        side: OrderSide::Sell,
        kind: OrderKind::TrailingStop,
        status,
        size: domain::Contracts(2),
        filled: domain::Contracts(0),
        limit_price: None,
        stop_price: None,
        filled_price: None,
        tag: None,
        parent: None,
        linked: None,
        created_at: now(),
    }
}

#[test]
fn orders_coverage_links_and_alerts_are_kept() {
    let home = Home::new();
    let mut store = home.open();
    let order = |status, stop: &str| Record::Order {
        order: Box::new(Order {
            stop_price: Some(Price(stop.parse().unwrap())),
            tag: Some("rm-no_stop_loss_grace-7".to_owned()),
            ..order("3300000419", status)
        }),
        at: now(),
    };
    let coverage = Record::Coverage(Box::new(Coverage {
        account: account(),
        contract: contract(),
        covered: Some(domain::Contracts(2)),
        held: domain::Contracts(2),
        orders: vec!["3300000419".into()],
        at: now(),
    }));
    let deadline =
        Record::StopDeadline { account: account(), contract: contract(), deadline: Some(later(9)) };
    let alert = Record::Alert(Box::new(AlertRecord {
        at: now(),
        severity: Severity::Critical,
        kind: "loop".to_owned(),
        account: Some(account()),
        text: "MNQ was closed six times within a minute.".to_owned(),
        channels: vec!["desktop".to_owned()],
        delivered: true,
        error: None,
        suppressed: 0,
    }));
    let down = Record::Link { link: Link::UserDown { why: "silent for 30 s".to_owned() }, at: now() };
    lazily(
        &mut store,
        &[
            order(OrderStatus::Open, "21400"),
            order(OrderStatus::CancelPending, "21410.25"),
            deadline,
            coverage,
            alert,
            down,
        ],
    );
    let db = home.tampered();
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(
        one("SELECT type || ' ' || status || ' ' || stop_price || ' ' || own FROM orders"),
        "trailing_stop cancel_pending 21410.25 1"
    );
    assert_eq!(
        one("SELECT covered_qty || ' ' || bracket_order_ids || ' ' || deadline_at FROM stop_coverage"),
        "2 [\"3300000419\"] 2026-03-02T14:30:09.000000Z",
        "a picture of the stops leaves the deadline alone"
    );
    assert_eq!(one("SELECT severity || ' ' || type FROM alerts"), "critical loop");
    assert_eq!(
        one("SELECT channel || ' ' || state || ' ' || why FROM connection_log"),
        "user down silent for 30 s"
    );
}

#[test]
fn an_order_that_is_no_longer_listed_is_gone_unless_it_was_told_how_it_ended() {
    let home = Home::new();
    let mut store = home.open();
    let listed = |ids: &[&str], at| Record::Orders {
        account: account(),
        working: ids.iter().map(|id| order(id, OrderStatus::Open)).collect(),
        at,
    };
    let filled = Record::Order { order: Box::new(order("2", OrderStatus::Filled)), at: later(1) };
    lazily(&mut store, &[listed(&["1", "2", "3"], now()), filled, listed(&["3"], later(2))]);
    let db = home.tampered();
    let mut rows = db.prepare("SELECT order_id || ' ' || status FROM orders ORDER BY order_id").unwrap();
    let rows: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, ["1 gone", "2 filled", "3 open"]);
    let since = "SELECT first_seen FROM orders WHERE order_id = '3'";
    let since: String = db.query_row(since, [], |row| row.get(0)).unwrap();
    assert_eq!(since, "2026-03-02T14:30:00.000000Z", "what was seen again was seen first before");
}

#[test]
fn since_when_a_position_lacks_a_stop_outlives_a_restart_and_ends_with_the_position() {
    let home = Home::new();
    let seen = |covered, at| {
        let orders = vec!["3300000419".into()];
        let held = domain::Contracts(2);
        Record::Coverage(Box::new(Coverage {
            account: account(),
            contract: contract(),
            covered,
            held,
            orders,
            at,
        }))
    };
    let deadline =
        Record::StopDeadline { account: account(), contract: contract(), deadline: Some(later(9)) };
    let row = || {
        let sql = "SELECT coalesce(covered_qty, '-') || ' ' || coalesce(since, '-') || ' ' ||
            coalesce(uncovered_since, '-') || ' ' || deadline_at FROM stop_coverage";
        home.tampered()
            .query_row(sql, [], |row| row.get::<_, String>(0))
            .unwrap()
            .replace("2026-03-02T14:30:", "")
    };
    let one = Some(domain::Contracts(1));
    lazily(&mut home.open(), &[deadline, seen(one, now())]);
    lazily(&mut home.open(), &[seen(one, later(3))]);
    assert_eq!(row(), "1 00.000000Z 00.000000Z 09.000000Z");
    lazily(&mut home.open(), &[seen(Some(domain::Contracts(2)), later(4))]);
    assert_eq!(row(), "2 04.000000Z - 09.000000Z");
    lazily(&mut home.open(), &[seen(None, later(5))]);
    assert_eq!(row(), "- 05.000000Z - 09.000000Z", "unknown is not uncovered");
    lazily(&mut home.open(), &[Record::Positions { account: account(), held: Vec::new(), at: later(6) }]);
    assert_eq!(row(), "- - - 09.000000Z", "the deadline is RULE-008's alone");
}

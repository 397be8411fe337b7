//! Pictures of the moment: what an account, its positions and its orders looked like last, and the logs
//! of connection, alerts and measurements. Nothing here decides anything after a restart except the
//! deadlines of RULE-008 and what RULE-012 knows.

use domain::{AccountId, ContractId, Instant, Instrument, Link, Order, OrderId, Side, memory::Managed};
use rusqlite::{Connection, named_params, params};

use super::stored;
use crate::{
    columns::{At, Exact, Json, Word, dollars, micros},
    record::{AccountFigures, AlertRecord, Coverage, Holding, Spread, Written},
};

pub(super) fn account(db: &Connection, figures: &AccountFigures) -> rusqlite::Result<Written> {
    let account = &figures.account;
    stored(
        db.prepare_cached(
            "UPDATE account_state SET realized_pnl_today = :realized, unrealized_pnl_total = :unrealized,
                error_state = :failed, error_message = :error, name = :name, can_trade = :can_trade,
                visible = :visible, simulated = :simulated, balance_exact = :balance,
                realized_exact = :realized_exact, unrealized_exact = :unrealized_exact, updated_at = :at
            WHERE account_id = :account",
        )?
        .execute(named_params! {
            ":account": account.id.as_str(),
            ":realized": dollars(figures.realized),
            ":unrealized": dollars(figures.unrealized.unwrap_or_default()),
            ":failed": figures.error.is_some(),
            ":error": figures.error,
            ":name": account.name,
            ":can_trade": account.can_trade,
            ":visible": account.visible,
            ":simulated": account.simulated,
            ":balance": Exact(account.balance.0),
            ":realized_exact": Exact(figures.realized.0),
            ":unrealized_exact": figures.unrealized.map(|amount| Exact(amount.0)),
            ":at": At(figures.at),
        }),
    )
}

pub(super) fn positions(
    db: &Connection,
    account: &AccountId,
    held: &[Holding],
    at: Instant,
) -> rusqlite::Result<Written> {
    db.prepare_cached("DELETE FROM positions WHERE account_id = ?1")?.execute([account.as_str()])?;
    for holding in held {
        if let Some(side) = Side::of(holding.position.exposure) {
            position(db, account, holding, side, at)?;
        }
    }
    // The deadline is RULE-008's alone.
    db.prepare_cached(
        "UPDATE stop_coverage SET covered_qty = NULL, since = NULL, uncovered_since = NULL,
            bracket_order_ids = NULL
        WHERE account_id = ?1 AND since IS NOT NULL AND contract_id NOT IN (SELECT contract_id FROM positions WHERE account_id = ?1)",
    )?
    .execute([account.as_str()])?;
    Ok(Written::Stored)
}

fn position(
    db: &Connection,
    account: &AccountId,
    holding: &Holding,
    side: Side,
    at: Instant,
) -> rusqlite::Result<()> {
    let position = &holding.position;
    db.prepare_cached(
        "INSERT OR REPLACE INTO positions (position_id, account_id, symbol, side, quantity, entry_price,
            current_price, unrealized_pnl, opened_at, last_update, stop_loss_attached, stop_loss_price,
            contract_id, entry_price_exact)
        VALUES (:id, :account, :symbol, :side, :quantity, :entry, :price, :unrealized, :opened, :at,
            :covered, :stop, :contract, :entry)",
    )?
    .execute(named_params! {
        ":id": position.id.as_str(),
        ":account": account.as_str(),
        ":symbol": holding.position.symbol.as_str(),
        ":side": Word(side),
        ":quantity": position.exposure.size().0,
        ":entry": Exact(position.average_price.0),
        ":price": holding.price.map(|price| Exact(price.0)),
        ":unrealized": holding.unrealized.map(dollars),
        ":opened": At(position.opened_at),
        ":at": At(at),
        ":covered": holding.stop_covered,
        ":stop": holding.stop_price.map(|price| Exact(price.0)),
        ":contract": position.contract.as_str(),
    })?;
    Ok(())
}

pub(super) fn order(db: &Connection, order: &Order, at: Instant) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT INTO orders (account_id, order_id, contract_id, type, status, side, size, filled, limit_price,
                stop_price, filled_price, custom_tag, parent_id, linked_id, own, created_at, first_seen, last_update)
            VALUES (:account, :order, :contract, :kind, :status, :side, :size, :filled, :limit, :stop, :price, :tag,
                :parent, :linked, :own, :created, :at, :at)
            ON CONFLICT (account_id, order_id) DO UPDATE SET
                type = excluded.type, status = excluded.status, size = excluded.size, filled = excluded.filled,
                limit_price = excluded.limit_price, stop_price = excluded.stop_price,
                filled_price = excluded.filled_price, custom_tag = excluded.custom_tag,
                parent_id = excluded.parent_id, linked_id = excluded.linked_id, own = excluded.own,
                last_update = excluded.last_update",
        )?
        .execute(named_params! {
            ":account": order.account.as_str(),
            ":order": order.id.as_str(),
            ":contract": order.contract.as_str(),
            ":kind": Word(order.kind),
            ":status": Word(order.status),
            ":side": Word(order.side),
            ":size": order.size.0,
            ":filled": order.filled.0,
            ":limit": order.limit_price.map(|price| Exact(price.0)),
            ":stop": order.stop_price.map(|price| Exact(price.0)),
            ":price": order.filled_price.map(|price| Exact(price.0)),
            ":tag": order.tag,
            ":parent": order.parent.as_ref().map(OrderId::as_str),
            ":linked": order.linked.as_ref().map(OrderId::as_str),
            ":own": order.is_own(),
            ":created": At(order.created_at),
            ":at": At(at),
        }),
    )
}

/// Status of an order that is no longer listed as working, when nobody told how it ended.
const GONE: &str = "gone";

pub(super) fn orders(
    db: &Connection,
    account: &AccountId,
    working: &[Order],
    at: Instant,
) -> rusqlite::Result<Written> {
    db.prepare_cached(
        "UPDATE orders SET status = ?2, last_update = ?3
        WHERE account_id = ?1 AND status IN ('open', 'pending', 'suspended', 'cancel_pending')
            AND order_id NOT IN (SELECT value FROM json_each(?4))",
    )?
    .execute(params![
        account.as_str(),
        GONE,
        At(at),
        Json(working.iter().map(|order| &order.id).collect::<Vec<_>>())
    ])?;
    for it in working {
        order(db, it, at)?;
    }
    Ok(Written::Stored)
}

pub(super) fn instrument(db: &Connection, it: &Instrument, at: Instant) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT OR REPLACE INTO instruments
                (contract_id, symbol, name, tick_size, tick_value_micros, tick_value_exact, active, updated_at)
            VALUES (:contract, :symbol, :name, :size, :micros, :value, :active, :at)",
        )?
        .execute(named_params! {
            ":contract": it.contract.as_str(),
            ":symbol": it.symbol.as_str(),
            ":name": it.name,
            ":size": Exact(it.tick_size),
            ":micros": micros(it.tick_value),
            ":value": Exact(it.tick_value.0),
            ":active": it.active,
            ":at": At(at),
        }),
    )
}

pub(super) fn coverage(db: &Connection, coverage: &Coverage) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT INTO stop_coverage (account_id, contract_id, covered_qty, since, uncovered_since,
                bracket_order_ids)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (account_id, contract_id) DO UPDATE SET
                since = iif(covered_qty IS excluded.covered_qty, ifnull(since, excluded.since), excluded.since),
                uncovered_since = iif(excluded.covered_qty IS NOT NULL AND excluded.uncovered_since IS NULL, NULL,
                    ifnull(uncovered_since, excluded.uncovered_since)),
                covered_qty = excluded.covered_qty, bracket_order_ids = excluded.bracket_order_ids",
        )?
        .execute(params![
            coverage.account.as_str(),
            coverage.contract.as_str(),
            coverage.covered.map(|covered| covered.0),
            At(coverage.at),
            coverage.covered.filter(|covered| *covered < coverage.held).map(|_| At(coverage.at)),
            Json(&coverage.orders)
        ]),
    )
}

/// The one place of RULE-008's countdown: a restart goes on with it instead of beginning anew (L-48).
pub(super) fn stop_deadline(
    db: &Connection,
    account: &AccountId,
    contract: &ContractId,
    deadline: Option<Instant>,
) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT INTO stop_coverage (account_id, contract_id, deadline_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (account_id, contract_id) DO UPDATE SET deadline_at = excluded.deadline_at",
        )?
        .execute(params![account.as_str(), contract.as_str(), deadline.map(At)]),
    )
}

/// What a restart goes on with in RULE-012.
pub(super) fn managed(
    db: &Connection,
    account: &AccountId,
    contract: &ContractId,
    managed: Option<&Managed>,
) -> rusqlite::Result<Written> {
    let Some(managed) = managed else {
        let sql = "DELETE FROM trade_management_state WHERE account_id = ?1 AND contract_id = ?2";
        return stored(db.prepare_cached(sql)?.execute(params![account.as_str(), contract.as_str()]));
    };
    stored(
        db.prepare_cached(
            "INSERT OR REPLACE INTO trade_management_state (account_id, contract_id, position_id,
                stop_order_id, target_order_id, best_price, breakeven_done, trailing_active, stops_lost,
                target_lost)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            account.as_str(),
            contract.as_str(),
            managed.position.as_str(),
            managed.stop.as_ref().map(OrderId::as_str),
            managed.target.as_ref().map(OrderId::as_str),
            managed.best.map(|best| best.0.to_string()),
            managed.breakeven_done,
            managed.trailing,
            managed.stops_lost,
            managed.target_lost
        ]),
    )
}

pub(super) fn metric(
    db: &Connection,
    name: &str,
    value: f64,
    account: Option<&AccountId>,
    at: Instant,
    spread: Option<Spread>,
) -> rusqlite::Result<Written> {
    if !value.is_finite() {
        return Ok(Written::Nothing);
    }
    stored(
        db.prepare_cached(
            "INSERT INTO performance_metrics (timestamp, metric_name, metric_value, account_id, samples, p95, largest)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            At(at),
            name,
            value,
            account.map(AccountId::as_str),
            spread.and_then(|it| i64::try_from(it.samples).ok()),
            spread.map(|it| it.p95),
            spread.map(|it| it.largest)
        ]),
    )
}

pub(super) fn link(db: &Connection, link: &Link, at: Instant) -> rusqlite::Result<Written> {
    let (channel, state, why) = match link {
        Link::UserUp => ("user", "up", None),
        Link::UserDown { why } => ("user", "down", Some(why)),
        Link::MarketUp => ("market", "up", None),
        Link::MarketDown { why } => ("market", "down", Some(why)),
        Link::LoggedIn => ("login", "up", None),
        Link::LoginFailed { why } => ("login", "down", Some(why)),
        Link::LoginRefused { why } => ("login", "refused", Some(why)),
    };
    stored(
        db.prepare_cached("INSERT INTO connection_log (channel, state, why, since) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![channel, state, why, At(at)]),
    )
}

pub(super) fn alert(db: &Connection, alert: &AlertRecord) -> rusqlite::Result<Written> {
    stored(
        db.prepare_cached(
            "INSERT INTO alerts (time, severity, type, account_id, text, channels, delivered, error,
                suppressed_count)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            At(alert.at),
            Word(alert.severity),
            alert.kind,
            alert.account.as_ref().map(AccountId::as_str),
            alert.text,
            Json(&alert.channels),
            alert.delivered,
            alert.error,
            alert.suppressed
        ]),
    )
}

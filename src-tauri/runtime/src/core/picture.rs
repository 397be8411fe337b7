//! The view of this moment, drawn from the state. Draws only what is known.

use chrono::TimeDelta;
use domain::{
    Account, AccountId, Contracts, Instant, Lockout, Order, Position, Price, RuleMode, Side, Usd,
    calendar::CENTRAL, exchange, rulebook::NoStopLossGrace,
};
use engine::{AccountState, Coverage, Holding, rules};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use store::Proof;
use views::{
    View,
    text::{lockout as lockout_text, note::Beside, words},
    view::{
        AccountKind, AccountView, DoubtView, Gauge, GaugeState, Headroom, Health, LockoutView,
        Metrics as MetricsView, OrderRole, OrderView, OtherAccount, PositionView, ProofView, Protection,
        QuoteState, StreamState, Unit,
    },
};

use super::{Core, guard};

/// Used share of a money or trade limit, in percent, from which it counts as near.
const NEAR_PERCENT: u32 = 75;
/// A held contract without a quote for this long, in exchange hours, is shown as quiet.
const QUIET_AFTER: TimeDelta = TimeDelta::seconds(5);

impl Core {
    /// The picture of this moment.
    #[must_use]
    pub fn view(&self, now: Instant) -> View {
        let accounts: Vec<AccountView> =
            self.shown().into_iter().filter_map(|account| self.account_view(account, now)).collect();
        let near = accounts.iter().any(|it| it.near_limit && it.protection == Protection::Armed);
        let doubts = self.doubt_views(now);
        View {
            at: now,
            protection: self.guard.protection,
            since: self.guard.since,
            starting: self.guard.is_starting(now),
            near_limit: near,
            reason: self.reason(&doubts, &accounts),
            doubts,
            accounts,
            receipts: self.receipts.clone(),
            health: self.health(),
            metrics: self.metrics_view(),
            pending: self.waiting().iter().map(|waiting| waiting.view(now)).collect(),
            settings_revision: format!("{}.{}", self.setting.started.timestamp(), self.settled.revision),
            settings_locked_until: self.settings_locked_until(),
            broker: self.setting.broker.clone(),
            mode: self.setting.mode.clone(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            desktop: self.settled.desktop,
            zone: self.settled.zone.filter(|zone| *zone != CENTRAL).map(|zone| zone.name().to_string()),
            guard: self.guard_view(),
            other_accounts: self.accounts.others().iter().map(|it| self.other_account(it)).collect(),
        }
    }

    fn other_account(&self, account: &Account) -> OtherAccount {
        OtherAccount {
            id: account.id.clone(),
            short_name: self.account_name(account),
            kind: kind_of(&account.name, account.simulated),
            name: account.name.clone(),
            can_trade: account.can_trade,
        }
    }

    /// The watched accounts, and others only while a lockout of theirs is active.
    fn shown(&self) -> Vec<&AccountState> {
        let watched = self.watched();
        let listed = watched.iter().filter_map(|id| self.engine.account(id));
        let locked = self
            .engine
            .accounts()
            .filter(|account| !watched.contains(account.id()) && !account.lockouts().is_empty());
        listed.chain(locked).collect()
    }

    fn reason(&self, doubts: &[DoubtView], accounts: &[AccountView]) -> Option<String> {
        match self.guard.protection {
            Protection::NotProtected => doubts.first().map(|doubt| doubt.text.clone()),
            Protection::Locked => {
                let lockouts = accounts.iter().flat_map(|account| &account.lockouts);
                lockouts.max_by_key(|it| (it.kind, it.until)).map(|it| format!("{}: {}", it.title, it.reason))
            }
            Protection::Armed | Protection::Observing => None,
        }
    }

    fn doubt_views(&self, now: Instant) -> Vec<DoubtView> {
        let broker = &self.setting.broker;
        let view = |(doubt, account): &(views::text::Doubt, Option<AccountId>)| DoubtView {
            kind: doubt.kind().to_string(),
            text: doubt.text(broker),
            advice: doubt.advice(broker),
            since: self.guard.begun.of(doubt, account.as_ref()).unwrap_or(now),
            account: account.clone(),
        };
        self.guard.reasons.iter().map(view).collect()
    }

    fn account_view(&self, account: &AccountState, now: Instant) -> Option<AccountView> {
        let ledger = account.ledger();
        let unrealized = account.unrealized(self.engine.market()).filter(|_| account.is_known());
        let gauges = self.gauges(account);
        let info = account.info();
        let name = info.map_or_else(|| account.id().to_string(), |info| info.name.clone());
        Some(AccountView {
            id: account.id().clone(),
            short_name: info.map_or_else(|| name.clone(), |info| self.account_name(info)),
            kind: kind_of(&name, info.and_then(|info| info.simulated)),
            name,
            can_trade: info.is_some_and(|info| info.can_trade),
            protection: guard::protection_of(account, &self.guard.reasons),
            near_limit: gauges.iter().any(Gauge::is_near),
            realized_today: ledger.realized(true),
            realized_gross: ledger.realized_gross(),
            fees_today: ledger.costs(),
            fees_estimated: ledger.is_estimated(),
            unrealized,
            net: unrealized.map(|open| ledger.realized(true) + open),
            trades_today: ledger.trades(),
            week_net: account.week().realized,
            week_trades: account.week().trades,
            day: ledger.day(),
            reset_at: ledger.span().ends,
            headroom: headroom(&gauges),
            headroom_if_stopped: self.headroom_if_stopped(account, &gauges),
            positions: account.holdings().filter_map(|it| self.position_view(account, it, now)).collect(),
            orders: account.working_orders().map(|it| order_view(account, &it.order)).collect(),
            lockouts: account
                .lockouts()
                .by_strength()
                .into_iter()
                .map(|it| lockout_view(it, self.beside(it), now))
                .collect(),
            curve: self.curves.of(account.id()),
            unwatched: self.guard.stretches.clone(),
            observed_today: account.observed_today(),
            confirmed_at: self.reconciler.confirmed(account.id()),
            proved: self.proofs.get(account.id()).map(proof_view),
            gauges,
        })
    }

    pub(super) fn coverage(&self, account: &AccountState, holding: &Holding) -> Coverage {
        let contract = &holding.position.contract;
        let market = self.engine.market();
        account.coverage(
            &holding.position,
            market.price(contract),
            market.instrument(contract),
            self.stop_rule(account),
        )
    }

    pub(super) fn stop_rule(&self, account: &AccountState) -> &NoStopLossGrace {
        &self.engine.rulebook().of(account.id()).no_stop_loss_grace.settings
    }

    fn position_view(&self, account: &AccountState, holding: &Holding, now: Instant) -> Option<PositionView> {
        let position = &holding.position;
        let market = self.engine.market();
        let coverage = self.coverage(account, holding);
        let known = account.is_known();
        let price = market.price(&position.contract);
        let stop_distance = price.zip(coverage.nearest).map(|(price, stop)| (price.0 - stop.0).abs());
        let stops = self.stopped_out(account, position);
        let stop_distance_usd = price
            .zip(stops.as_deref())
            .and_then(|(price, stops)| Some(self.worth_at(position, price, stops)?.abs()));
        Some(PositionView {
            contract: position.contract.clone(),
            symbol: position.symbol.clone(),
            side: Side::of(position.exposure)?,
            size: position.exposure.size(),
            average_price: position.average_price,
            price,
            quoted_at: market.heard(&position.contract),
            quotes: self.quote_state(position, now),
            unrealized: market.value(position),
            stop_covered: known.then(|| coverage.covered >= position.exposure.size()),
            covered: known.then_some(coverage.covered),
            stop_price: coverage.nearest,
            stop_distance,
            last_stop_price: stops.and_then(|stops| stops.last().map(|(stop, _)| *stop)),
            stop_distance_usd,
            closes_at: account
                .stops()
                .of(&position.contract)
                .and_then(|watch| watch.deadline)
                .filter(|_| !self.setting.is_dry_run()),
            opened_at: position.opened_at,
        })
    }

    /// Silence tells something only while the exchange trades; it takes no price away (specification C.8).
    fn quote_state(&self, position: &Position, now: Instant) -> QuoteState {
        let market = self.engine.market();
        if market.is_late(&position.contract) {
            return QuoteState::Late;
        }
        if market.price(&position.contract).is_none() {
            return QuoteState::Missing;
        }
        let holidays = &self.engine.rulebook().holidays;
        let since = exchange::open_since(&position.symbol, now, holidays);
        let heard = since.map(|open| market.heard(&position.contract).map_or(open, |at| at.max(open)));
        match heard {
            Some(at) if now - at >= QUIET_AFTER => QuoteState::Quiet,
            Some(_) | None => QuoteState::Live,
        }
    }

    fn gauges(&self, account: &AccountState) -> Vec<Gauge> {
        let known = account.is_known();
        let mut gauges: Vec<Gauge> = self
            .engine
            .gauges(account)
            .into_iter()
            .map(|(gauge, mode)| gauge_view(gauge, mode, known))
            .collect();
        gauges.sort_by_key(|gauge| (gauge.unit, gauge.left.is_none(), gauge.left));
        gauges
    }

    /// The stops that would close a position; `None` unless they close all of it.
    fn stopped_out(&self, account: &AccountState, position: &Position) -> Option<Vec<(Price, Contracts)>> {
        let (market, contract) = (self.engine.market(), &position.contract);
        let (price, instrument) = (market.price(contract), market.instrument(contract));
        account.stopped_out(position, price, instrument, self.stop_rule(account))
    }

    /// The result of a position between a price and its stops, each for its size.
    fn worth_at(&self, position: &Position, from: Price, stops: &[(Price, Contracts)]) -> Option<Usd> {
        let instrument = self.engine.market().instrument(&position.contract)?;
        let worth = |(stop, size): &(Price, Contracts)| {
            instrument.value(position.exposure.resized(*size), from, *stop)
        };
        Some(stops.iter().map(worth).sum())
    }

    /// What would be left of the account's tightest loss limit if every position ended at its stops. A limit
    /// of one position says nothing about all of them, and one that is not enforced leaves nothing.
    fn headroom_if_stopped(&self, account: &AccountState, gauges: &[Gauge]) -> Option<Usd> {
        let of_account = |gauge: &&Gauge| gauge.symbol.is_none() && gauge.unit == Unit::Usd;
        let enforced = gauges.iter().filter(|gauge| gauge.mode == RuleMode::Enforce);
        let money = enforced.filter(of_account).find(|gauge| gauge.limit < Decimal::ZERO)?;
        let market = self.engine.market();
        let mut worse = Usd::ZERO;
        let mut any = false;
        for holding in account.holdings() {
            let position = &holding.position;
            let stops = self.stopped_out(account, position)?;
            worse += market.value(position)? - self.worth_at(position, position.average_price, &stops)?;
            any = true;
        }
        let left = Usd(money.left?) - worse;
        any.then(|| left.max(Usd::ZERO))
    }

    fn health(&self) -> Health {
        let state = |up| if up { StreamState::Up } else { StreamState::Down };
        Health {
            user_stream: state(self.links.user_up),
            market_stream: state(self.links.market_up),
            logged_in: self.links.logged_in,
            last_event_at: self.links.last_event,
            last_quote_at: self.links.last_quote,
            last_reconcile_at: self.reconciler.all_confirmed(),
            clock_apart_seconds: self.links.clock_apart.map(|apart| apart.num_seconds()),
            disk_ok: self.links.disk.is_ok(),
        }
    }

    fn metrics_view(&self) -> MetricsView {
        let metrics = &self.metrics;
        MetricsView {
            enforcement_latency_ms: metrics.to_request.timing(),
            confirmation_latency_ms: metrics.to_confirmation.timing(),
            event_processing_ms: metrics.processing.timing(),
            memory_usage_mb: metrics
                .memory
                .map(|bytes| (Decimal::from(bytes) / Decimal::from(1 << 20)).round_dp(1)),
            queue_depth: metrics.queue_depth,
            reconciliation_time_sec: self
                .reconciler
                .last_took()
                .map(|took| Decimal::new(took.num_milliseconds(), 3)),
            events: metrics.events,
            malformed: self.intake.refused(),
            rule_eval_ms: metrics.rules.all.timing(),
            exceeded: self.measures.exceeded(),
            intake: self.intake.counts,
        }
    }
}

fn gauge_view(gauge: rules::Gauge, mode: RuleMode, known: bool) -> Gauge {
    let value = gauge.value.filter(|_| known);
    let limit = gauge.limit;
    // A loss limit is approached from above, every other limit from below.
    let left = value.map(|value| if limit < Decimal::ZERO { value - limit } else { limit - value });
    let used = value.and_then(|value| {
        let share = if limit.is_zero() { Decimal::ONE } else { value / limit };
        (share * Decimal::ONE_HUNDRED).max(Decimal::ZERO).ceil().to_u32()
    });
    let unit = match gauge.unit {
        rules::Unit::Usd => Unit::Usd,
        rules::Unit::Contracts => Unit::Contracts,
        rules::Unit::Trades(_) => Unit::Trades,
    };
    let is_size = unit == Unit::Contracts;
    let state = match used {
        None => GaugeState::Unknown,
        // At a contract limit is allowed; only beyond it is a breach.
        Some(used) if used > 100 || (used == 100 && !is_size) => GaugeState::Reached,
        Some(used) if used >= NEAR_PERCENT && !is_size => GaugeState::Near,
        Some(_) => GaugeState::Clear,
    };
    let title = match gauge.unit {
        rules::Unit::Trades(window) => format!("{} {}", words::title(gauge.rule), words::within(window)),
        rules::Unit::Usd | rules::Unit::Contracts => words::title_with(gauge.rule, gauge.symbol.as_ref()),
    };
    Gauge {
        rule: gauge.rule,
        title,
        symbol: gauge.symbol,
        unit,
        value,
        limit,
        left: left.map(|left| left.max(Decimal::ZERO)),
        used_percent: used,
        mode,
        state,
    }
}

/// The smallest distance in dollars, the smallest in contracts, and the rule that bites first: money
/// before size.
fn headroom(gauges: &[Gauge]) -> Headroom {
    let enforced = || gauges.iter().filter(|gauge| gauge.mode == RuleMode::Enforce);
    let tightest = |unit| enforced().filter(move |gauge| gauge.unit == unit && gauge.left.is_some());
    let money = tightest(Unit::Usd).min_by_key(|gauge| gauge.left);
    let size = tightest(Unit::Contracts).min_by_key(|gauge| gauge.left);
    Headroom {
        rule: money.or(size).map(|gauge| gauge.rule),
        usd: money.and_then(|gauge| gauge.left).map(Usd),
        contracts: size.and_then(|gauge| gauge.left).and_then(|left| left.to_u32()),
    }
}

fn proof_view(proof: &Proof) -> ProofView {
    ProofView { at: proof.at, version: proof.version.clone(), title: words::title(proof.rule).to_string() }
}

fn order_view(account: &AccountState, order: &Order) -> OrderView {
    let role = match (account.is_entry(order), order.kind.is_stop()) {
        (true, _) => OrderRole::Entry,
        (false, true) => OrderRole::Stop,
        (false, false) => OrderRole::Exit,
    };
    OrderView {
        id: order.id.clone(),
        contract: order.contract.clone(),
        symbol: order.symbol.clone(),
        side: order.side,
        kind: order.kind,
        status: order.status,
        remaining: order.remaining(),
        limit_price: order.limit_price,
        stop_price: order.stop_price,
        role,
        own: order.is_own(),
    }
}

fn lockout_view(lockout: &Lockout, beside: Beside, now: Instant) -> LockoutView {
    LockoutView {
        rule: lockout.key.rule,
        title: lockout_text::title(lockout).to_string(),
        kind: lockout.kind,
        symbol: lockout.key.symbol.clone(),
        own_words: beside.own_words,
        reason: lockout_text::reason(lockout),
        since: lockout.since,
        until: lockout.end.at(),
        except: beside.except,
        ends: lockout_text::ends(lockout, now),
        key: lockout.key.clone(),
    }
}

/// From the name (`PRAC-…`, `50KTC-…`, `EXPRESS-…`) and from what the broker says (gateway reference 3.1).
fn kind_of(name: &str, simulated: Option<bool>) -> AccountKind {
    let first = name.split('-').next().unwrap_or_default().to_ascii_uppercase();
    match (first.as_str(), simulated) {
        (_, Some(false)) => AccountKind::Live,
        ("PRAC" | "PRACTICE", _) => AccountKind::Practice,
        (first, _) if first.ends_with("TC") => AccountKind::Combine,
        (first, _) if first.contains("XFA") || first.contains("EXPRESS") => AccountKind::Funded,
        _ => AccountKind::Unknown,
    }
}

//! A trading desk for scenario tests: facts go in as the broker would tell them, actions come out as
//! lines of text. Times are America/Chicago on Wednesday 2025-10-29 unless a date is given.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use domain::{
    Account, AccountId, Action, Breach, ContractId, Contracts, DailyReset, Deed, Enforcement, Event,
    Exposure, Fill, Instant, Instrument, Leg, LockEnd, LockKind, Memory, Notice, Omitted, Order, OrderId,
    OrderKind, OrderSide, OrderStatus, Outcome, Position, Price, Question, Quote, Report, RuleMode, RuleSet,
    Rulebook, Snapshot, Symbol, Ticket, Trouble, Usd, calendar,
    memory::{AccountMemory, Managed},
    products,
};
use engine::{Engine, Why, rules::Unit};

pub const ACCOUNT: &str = "26100417";

pub struct Desk {
    pub engine: Engine,
    pub now: Instant,
    positions: BTreeMap<ContractId, Position>,
    orders: BTreeMap<OrderId, Order>,
    open: Vec<Enforcement>,
    serial: i64,
    /// Orders that the engine had placed: 9001, 9002, …
    placed: i64,
    /// What the engine wants kept of RULE-012's positions.
    kept: BTreeMap<ContractId, Managed>,
}

/// All rules off but RULE-008, which can't be, with its longest grace; no warnings before a limit.
pub fn only(change: impl FnOnce(&mut RuleSet)) -> Rulebook {
    let mut rules = RuleSet::default();
    for entry in [
        &mut rules.max_contracts.enabled,
        &mut rules.max_contracts_per_instrument.enabled,
        &mut rules.daily_realized_loss.enabled,
        &mut rules.daily_unrealized_loss.enabled,
        &mut rules.max_unrealized_profit.enabled,
        &mut rules.trade_frequency_limit.enabled,
        &mut rules.cooldown_after_loss.enabled,
        &mut rules.session_block_outside.enabled,
        &mut rules.auth_loss_guard.enabled,
        &mut rules.symbol_blocks.enabled,
        &mut rules.trade_management.enabled,
        &mut rules.daily_realized_profit.enabled,
    ] {
        *entry = false;
    }
    rules.no_stop_loss_grace.settings.grace_period_seconds = 600;
    rules.daily_realized_loss.settings.include_fees = false;
    rules.daily_realized_profit.settings.include_fees = false;
    change(&mut rules);
    Rulebook { base: rules, warn_at_percent: Vec::new(), ..Rulebook::default() }
}

pub fn time(text: &str) -> Instant {
    if let Ok(instant) = text.parse() {
        return instant;
    }
    let local: NaiveDateTime = text.parse().unwrap_or_else(|_| {
        let date = NaiveDate::from_ymd_opt(2025, 10, 29).unwrap();
        date.and_time(text.parse::<NaiveTime>().unwrap())
    });
    calendar::instant_of(local, calendar::CENTRAL)
}

pub fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

fn price(text: &str) -> Price {
    Price(text.parse().unwrap())
}

/// `MNQ` is its December contract, `MNQ.H26` another expiry.
pub fn contract(name: &str) -> ContractId {
    let (symbol, expiry) = name.split_once('.').unwrap_or((name, "Z25"));
    let root = products::by_symbol(symbol).map_or(symbol, |product| product.vendor_root.as_str());
    ContractId::new(format!("CON.F.US.{root}.{expiry}"))
}

fn symbol(name: &str) -> Symbol {
    Symbol::new(name.split_once('.').map_or(name, |(symbol, _)| symbol))
}

impl Desk {
    /// A running engine at 10:00:00 that has read the account: nothing held, nothing traded.
    pub fn new(rulebook: Rulebook) -> Self {
        let mut desk = Self::down(rulebook);
        desk.start();
        desk
    }

    /// An engine before its first look at the broker.
    pub fn down(rulebook: Rulebook) -> Self {
        Self {
            engine: Engine::new(rulebook),
            now: time("10:00:00"),
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            open: Vec::new(),
            serial: 0,
            placed: 0,
            kept: BTreeMap::new(),
        }
    }

    pub fn at(&mut self, text: &str) -> &mut Self {
        self.now = time(text);
        self
    }

    pub fn later(&mut self, milliseconds: i64) -> &mut Self {
        self.now += TimeDelta::milliseconds(milliseconds);
        self
    }

    pub fn restored(&mut self, memory: Memory) -> String {
        self.send(Event::Restored(Box::new(memory)))
    }

    /// Links come up and the account is read.
    pub fn start(&mut self) -> String {
        self.send(Event::Link(domain::Link::UserUp));
        self.send(Event::Link(domain::Link::MarketUp));
        self.reconcile(&[])
    }

    /// Takes the broker's truth: what this desk holds, with these fills.
    pub fn reconcile(&mut self, fills: &[Fill]) -> String {
        self.reconcile_after(0, fills)
    }

    /// As `reconcile`, with so many milliseconds between question and answer.
    pub fn reconcile_after(&mut self, milliseconds: i64, fills: &[Fill]) -> String {
        let asked_at = self.now;
        self.later(milliseconds);
        let snapshot = self.snapshot(asked_at, fills);
        self.send(snapshot)
    }

    /// The answer to a question of that time.
    pub fn snapshot(&self, asked_at: Instant, fills: &[Fill]) -> Event {
        Event::Snapshot(Box::new(Snapshot {
            account: account(true),
            positions: self.positions.values().cloned().collect(),
            orders: self.orders.values().filter(|it| it.status == OrderStatus::Open).cloned().collect(),
            fills: fills.to_vec(),
            asked_at,
        }))
    }

    pub fn tick(&mut self) -> String {
        self.send(Event::Tick)
    }

    /// What the broker would answer, without telling anybody yet.
    pub fn hold(&mut self, name: &str, exposure: i64, average: &str) -> Event {
        let contract = contract(name);
        let known = self.positions.get(&contract).cloned();
        let same = known.filter(|it| it.exposure.same_side(Exposure(exposure)));
        let opened_at = same.as_ref().map_or(self.now, |it| it.opened_at);
        let id = same.map_or_else(|| self.next(), |it| it.id.as_str().parse().unwrap());
        let position = Position {
            id: id.into(),
            account: ACCOUNT.into(),
            contract: contract.clone(),
            symbol: symbol(name),
            exposure: Exposure(exposure),
            average_price: price(average),
            opened_at,
        };
        if exposure == 0 {
            let closed = self.positions.remove(&contract).unwrap_or(position);
            return Event::Position(Position { exposure: Exposure::FLAT, ..closed });
        }
        self.positions.insert(contract, position.clone());
        Event::Position(position)
    }

    pub fn position(&mut self, name: &str, exposure: i64, average: &str) -> String {
        self.metadata(name);
        let event = self.hold(name, exposure, average);
        self.send(event)
    }

    pub fn metadata(&mut self, name: &str) {
        if let Some(product) = products::by_symbol(symbol(name).as_str()) {
            self.send(Event::Instrument(Instrument {
                contract: contract(name),
                symbol: symbol(name),
                name: name.to_string(),
                tick_size: product.tick_size,
                tick_value: Usd(product.tick_value),
                active: true,
            }));
        }
    }

    /// A quote, and what comes of it once it has had its turn.
    pub fn quote(&mut self, name: &str, last: &str) -> String {
        self.market(name, last, last, last)
    }

    pub fn market(&mut self, name: &str, last: &str, bid: &str, ask: &str) -> String {
        let told = |text: &str| (!text.is_empty()).then(|| price(text));
        let (last, bid, ask) = (told(last), told(bid), told(ask));
        let quote = Quote { contract: contract(name), last, bid, ask, at: None };
        let text = self.send(Event::Quote(quote));
        match self.engine.next_deadline().filter(|deadline| deadline.why == Why::QuoteWaits) {
            Some(deadline) => {
                self.now = deadline.at;
                [text, self.tick()].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n")
            }
            None => text,
        }
    }

    /// A quote that carries the platform's stamp, so many milliseconds ago.
    pub fn stamped(&mut self, name: &str, last: &str, milliseconds_ago: i64) -> String {
        let at = Some(self.now - TimeDelta::milliseconds(milliseconds_ago));
        let last = Some(price(last));
        self.send(Event::Quote(Quote { contract: contract(name), last, bid: last, ask: last, at }))
    }

    pub fn bar(&mut self, name: &str, close: &str) -> String {
        let at = self.now - TimeDelta::seconds(30);
        self.send(Event::Bar { contract: contract(name), at, close: price(close) })
    }

    pub fn order(
        &mut self,
        id: i64,
        name: &str,
        side: OrderSide,
        kind: OrderKind,
        size: u32,
        at: &str,
    ) -> Event {
        let order = Order {
            id: id.into(),
            account: ACCOUNT.into(),
            contract: contract(name),
            symbol: symbol(name),
            side,
            kind,
            status: OrderStatus::Open,
            size: Contracts(size),
            filled: Contracts(0),
            limit_price: (kind == OrderKind::Limit).then(|| price(at)),
            stop_price: kind.is_stop().then(|| price(at)),
            filled_price: None,
            tag: None,
            parent: None,
            linked: None,
            created_at: self.now,
        };
        self.orders.insert(order.id.clone(), order.clone());
        Event::Order(order)
    }

    /// A target that came with an entry.
    pub fn child(&mut self, id: i64, name: &str, side: OrderSide, parent: i64) -> Event {
        self.order(id, name, side, OrderKind::Limit, 2, "21100");
        let order = self.orders.get_mut(&OrderId::from(id)).unwrap();
        order.parent = Some(parent.into());
        Event::Order(order.clone())
    }

    pub fn stop(&mut self, id: i64, name: &str, side: OrderSide, size: u32, at: &str) -> String {
        let event = self.order(id, name, side, OrderKind::Stop, size, at);
        self.send(event)
    }

    pub fn limit(&mut self, id: i64, name: &str, side: OrderSide, size: u32, at: &str) -> String {
        let event = self.order(id, name, side, OrderKind::Limit, size, at);
        self.send(event)
    }

    /// An order carries a mark.
    pub fn tag_order(&mut self, id: i64, tag: &str) {
        self.orders.get_mut(&OrderId::from(id)).unwrap().tag = Some(tag.to_string());
    }

    /// What is kept of RULE-012's positions.
    pub fn managed(&self) -> BTreeMap<ContractId, Managed> {
        self.kept.clone()
    }

    /// Another run at the same broker, with what was kept.
    pub fn restarted(&self, rulebook: Rulebook, managed: BTreeMap<ContractId, Managed>) -> Self {
        let mut desk = Self::down(rulebook);
        (desk.now, desk.serial, desk.placed) = (self.now, self.serial, self.placed);
        (desk.positions, desk.orders) = (self.positions.clone(), self.orders.clone());
        let memory = AccountMemory { managed, ..AccountMemory::default() };
        desk.restored(Memory { accounts: [(ACCOUNT.into(), memory)].into(), ..Memory::default() });
        for name in desk.positions.keys().map(name_of).collect::<Vec<_>>() {
            desk.metadata(&name);
        }
        desk.start();
        desk
    }

    /// The broker has it no more, and nobody is told.
    pub fn forget_order(&mut self, id: i64) {
        self.orders.remove(&OrderId::from(id));
    }

    pub fn end_order(&mut self, id: i64, status: OrderStatus) -> String {
        let order = self.orders.remove(&OrderId::from(id)).unwrap();
        self.send(Event::Order(Order { status, ..order }))
    }

    /// A fill of an order of its own; `pnl` empty marks an opening half-turn.
    pub fn fill_of(&mut self, name: &str, side: OrderSide, size: u32, at: &str, pnl: &str) -> Fill {
        let id = self.next();
        Fill {
            id: id.into(),
            order: (id + 1_000_000).into(),
            account: ACCOUNT.into(),
            contract: contract(name),
            symbol: symbol(name),
            side,
            size: Contracts(size),
            price: price(at),
            pnl: (!pnl.is_empty()).then(|| usd(pnl)),
            fees: Usd::ZERO,
            commissions: Some(Usd::ZERO),
            voided: false,
            at: self.now,
        }
    }

    /// A further fill of an order that has one already.
    pub fn fill_more(&mut self, of: &Fill, size: u32, pnl: &str) -> Fill {
        let id = self.next();
        let pnl = (!pnl.is_empty()).then(|| usd(pnl));
        Fill { id: id.into(), size: Contracts(size), pnl, at: self.now, ..of.clone() }
    }

    pub fn fill(&mut self, name: &str, side: OrderSide, size: u32, at: &str, pnl: &str) -> String {
        let fill = self.fill_of(name, side, size, at, pnl);
        self.send(Event::Fill(fill))
    }

    /// A loss or gain that was banked before.
    pub fn banked(&mut self, pnl: &str) {
        let now = self.now;
        self.now = now - TimeDelta::minutes(30);
        let fill = self.fill_of("MES", OrderSide::Sell, 1, "6000", pnl);
        self.now = now;
        self.send(Event::Fill(fill));
        self.reconcile(&[]);
    }

    /// Answers the question for the working orders.
    /// Whether something in this step asked for the working orders.
    pub fn asks_for_orders(&mut self, event: &Event) -> bool {
        let is_question = |it: &Action| matches!(it, Action::Ask(Question::Orders { .. }));
        self.engine.step(self.now, event).iter().any(is_question)
    }

    pub fn answer_orders(&mut self) -> String {
        let orders = self.orders.values().filter(|it| it.status == OrderStatus::Open).cloned().collect();
        self.send(Event::Orders { account: ACCOUNT.into(), orders, asked_at: self.now })
    }

    /// Carries out everything that was ordered, as the broker would, and reports it done.
    pub fn obey(&mut self) -> String {
        let mut text = Vec::new();
        while let Some(enforcement) = (!self.open.is_empty()).then(|| self.open.remove(0)) {
            text.push(self.carry_out(&enforcement));
            text.push(self.report(&enforcement, None, Outcome::Confirmed));
        }
        text.retain(|lines| !lines.is_empty());
        text.join("\n")
    }

    fn carry_out(&mut self, enforcement: &Enforcement) -> String {
        let mut events = Vec::new();
        match &enforcement.deed {
            Deed::Flatten => {
                let held: Vec<ContractId> = self.positions.keys().cloned().collect();
                for contract in held {
                    events.push(self.shrink_to(&contract, 0));
                }
                for order in self.orders.values_mut() {
                    order.status = OrderStatus::Cancelled;
                    events.push(Event::Order(order.clone()));
                }
                self.orders.clear();
            }
            Deed::Reduce { contract, to } => events.push(self.shrink_to(contract, to.0)),
            Deed::Cancel { orders } => {
                for id in orders {
                    if let Some(order) = self.orders.remove(id) {
                        events.push(Event::Order(Order { status: OrderStatus::Cancelled, ..order }));
                    }
                }
            }
            Deed::Place { ticket } => {
                self.placed += 1;
                let id = 9_000 + self.placed;
                let kind = if ticket.leg == Leg::Stop { OrderKind::Stop } else { OrderKind::Limit };
                let placed = Order {
                    id: id.into(),
                    account: ACCOUNT.into(),
                    contract: ticket.contract.clone(),
                    symbol: symbol(&name_of(&ticket.contract)),
                    side: ticket.side,
                    kind,
                    status: OrderStatus::Open,
                    size: ticket.size,
                    filled: Contracts(0),
                    limit_price: (kind == OrderKind::Limit).then_some(ticket.price),
                    stop_price: (kind == OrderKind::Stop).then_some(ticket.price),
                    filled_price: None,
                    tag: Some(enforcement.tag()),
                    parent: None,
                    linked: None,
                    created_at: self.now,
                };
                self.orders.insert(placed.id.clone(), placed.clone());
                events.push(Event::Order(placed));
            }
            Deed::Modify { order, ticket } => {
                let order = self.orders.get_mut(order).unwrap();
                order.size = ticket.size;
                order.limit_price = order.limit_price.map(|_| ticket.price);
                order.stop_price = order.stop_price.map(|_| ticket.price);
                events.push(Event::Order(order.clone()));
            }
            Deed::Shrink { order, to } => {
                let order = self.orders.get_mut(order).unwrap();
                order.size = *to;
                events.push(Event::Order(order.clone()));
            }
        }
        let lines: Vec<String> = events.into_iter().map(|event| self.send(event)).collect();
        lines.into_iter().filter(|lines| !lines.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn shrink_to(&mut self, contract: &ContractId, to: u32) -> Event {
        let position = self.positions.get_mut(contract).unwrap();
        position.exposure = position.exposure.resized(Contracts(to));
        let position = position.clone();
        if to == 0 {
            self.positions.remove(contract);
        }
        Event::Position(position)
    }

    /// Reports everything that was ordered as done.
    pub fn report_all(&mut self) {
        while !self.open.is_empty() {
            let enforcement = self.ordered();
            self.report(&enforcement, None, Outcome::Confirmed);
        }
    }

    /// The oldest enforcement that was ordered and not carried out.
    pub fn ordered(&mut self) -> Enforcement {
        self.open.remove(0)
    }

    pub fn report(&mut self, of: &Enforcement, contract: Option<ContractId>, outcome: Outcome) -> String {
        let account = ACCOUNT.into();
        let report = Report { enforcement: of.id, account, contract, outcome, market_shut: false };
        self.send(Event::Report(report))
    }

    /// The broker says that the market is shut.
    pub fn refuse(&mut self, of: &Enforcement) -> String {
        let outcome = Outcome::Failed { why: "Trading is currently unavailable.".to_string() };
        let (account, contract) = (ACCOUNT.into(), None);
        let report = Report { enforcement: of.id, account, contract, outcome, market_shut: true };
        self.send(Event::Report(report))
    }

    pub fn send(&mut self, event: Event) -> String {
        let actions = self.engine.step(self.now, &event);
        for action in &actions {
            if let Action::Enforce(enforcement) = action {
                self.open.push((**enforcement).clone());
            }
            if let Action::RecordManaged { contract, managed, .. } = action {
                match managed {
                    Some(managed) => self.kept.insert(contract.clone(), managed.clone()),
                    None => self.kept.remove(contract),
                };
            }
        }
        actions.iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }

    fn next(&mut self) -> i64 {
        self.serial += 1;
        self.serial
    }

    pub fn lockouts(&self) -> Vec<String> {
        let account = self.engine.account(&AccountId::from(ACCOUNT)).unwrap();
        account.lockouts().by_strength().iter().map(|it| lockout_line(it)).collect()
    }

    /// `2 of 3 per_minute`: how often was traded, by window.
    pub fn gauges(&self) -> Vec<String> {
        let account = self.engine.account(&AccountId::from(ACCOUNT)).unwrap();
        let gauges = self.engine.gauges(account).into_iter().map(|(gauge, _)| gauge);
        gauges
            .filter_map(|gauge| match gauge.unit {
                Unit::Trades(window) => {
                    Some(format!("{} of {} {}", gauge.value.unwrap(), gauge.limit, window.key()))
                }
                Unit::Usd | Unit::Contracts => None,
            })
            .collect()
    }

    /// So much of an order is filled, as its end will tell.
    pub fn fill_order(&mut self, id: i64, filled: u32) {
        self.orders.get_mut(&OrderId::from(id)).unwrap().filled = Contracts(filled);
    }

    pub fn realized(&self) -> String {
        let account = self.engine.account(&AccountId::from(ACCOUNT)).unwrap();
        account.ledger().realized_gross().to_string()
    }
}

pub fn account(can_trade: bool) -> Account {
    Account {
        id: ACCOUNT.into(),
        name: "PRAC-V2-700001-40000017".to_string(),
        balance: usd("150000"),
        can_trade,
        visible: true,
        simulated: Some(true),
    }
}

/// One action as a line; what the engine merely keeps or asks is left out.
fn line(action: &Action) -> Option<String> {
    match action {
        Action::Lock { lockout } => Some(format!("lock {}", lockout_line(lockout))),
        Action::Unlock { key, cause } => Some(format!("unlock {} {cause:?}", key.rule).to_lowercase()),
        Action::Enforce(it) => Some(enforcement_line(it)),
        Action::Observe(it) => {
            let mode = if it.warn { "warn" } else { "observe" };
            Some(format!("{mode} {}: {}{}", it.rule, breach(&it.breach), omitted(&it.omitted)))
        }
        Action::Alert(alert) => notice(&alert.notice),
        Action::Reset { .. }
        | Action::Ask(_)
        | Action::Differ { .. }
        | Action::RecordFill { .. }
        | Action::RecordManaged { .. }
        | Action::RecordStopDeadline { .. } => None,
    }
}

fn lockout_line(lockout: &domain::Lockout) -> String {
    let kind = match lockout.kind {
        LockKind::Hard => "HARD",
        LockKind::Timer => "TIMER",
        LockKind::Symbol => "SYMBOL",
    };
    let zone = DailyReset::default().timezone;
    let until = match lockout.end {
        LockEnd::Config => "unblocked".to_string(),
        LockEnd::CanTrade => "can trade".to_string(),
        LockEnd::Time(_) | LockEnd::Reset(_) | LockEnd::SessionStart(_) => lockout
            .end
            .at()
            .map_or("unknown".to_string(), |at| at.with_timezone(&zone).format("%m-%d %H:%M:%S").to_string()),
    };
    let symbol = lockout.key.symbol.as_ref().map(|symbol| format!(" {symbol}")).unwrap_or_default();
    let cause = match lockout.key.cause.as_str() {
        "" => String::new(),
        cause => format!(" {cause}"),
    };
    let exempt: String = lockout.exempt.iter().map(|symbol| format!(" except {symbol}")).collect();
    format!("{kind} {}{symbol}{cause} until {until}{exempt}", lockout.key.rule)
}

fn enforcement_line(it: &Enforcement) -> String {
    let deed = match &it.deed {
        Deed::Flatten => "flatten".to_string(),
        Deed::Reduce { contract, to: Contracts(0) } => format!("close {}", name_of(contract)),
        Deed::Reduce { contract, to } => format!("reduce {} to {to}", name_of(contract)),
        Deed::Cancel { orders } => {
            let ids: Vec<String> = orders.iter().map(ToString::to_string).collect();
            format!("cancel {}", ids.join(", "))
        }
        Deed::Shrink { order, to } => format!("shrink order {order} to {to}"),
        Deed::Place { ticket } => format!("place {}", ticket_text(ticket)),
        Deed::Modify { order, ticket } => format!("change {order} to {}", ticket_text(ticket)),
    };
    let merged: String = it.merged.iter().map(|rule| format!(" + {rule}")).collect();
    format!("{deed} by {}{merged}: {}", it.rule, breach(&it.breach))
}

fn omitted(it: &Omitted) -> String {
    let closed = it.closed.iter().map(|(contract, size)| format!(", close {size} {}", name_of(contract)));
    let cancelled = it.cancelled.iter().map(|order| format!(", cancel {order}"));
    let orders = [("place", it.placed), ("move", it.moved)].into_iter().filter(|(_, count)| *count > 0);
    closed.chain(cancelled).chain(orders.map(|(what, count)| format!(", {what} {count}"))).collect()
}

fn ticket_text(ticket: &Ticket) -> String {
    let Ticket { contract, leg, side, size, price } = ticket;
    format!("{leg:?} {side:?} {size} {} @ {price}", name_of(contract)).to_lowercase()
}

fn name_of(contract: &ContractId) -> String {
    let mut parts = contract.as_str().rsplit('.');
    let (expiry, root) = (parts.next().unwrap(), parts.next().unwrap());
    let symbol = products::by_vendor_root(root).map_or(root, |product| product.symbol.as_str());
    if expiry == "Z25" { symbol.to_string() } else { format!("{symbol}.{expiry}") }
}

fn breach(breach: &Breach) -> String {
    match breach {
        Breach::TooManyContracts { count, limit, .. } => format!("{count} of {limit}"),
        Breach::TooManyOfInstrument { symbol, count, limit } => format!("{count} of {limit} {symbol}"),
        Breach::DailyLoss { value, limit, .. } => format!("{value} of {limit}"),
        Breach::NoStop { covered, size, .. } => format!("{covered} of {size} covered"),
        Breach::SymbolBlocked { symbol, pattern } => format!("{symbol} is blocked by {pattern}"),
        Breach::WhileLocked { rule, permitted, held, .. } => {
            format!("{held} while {permitted} permitted by {rule}")
        }
        Breach::OwnEffect { size, .. } => format!("own effect {size}"),
        Breach::Leftover { .. } => "leftover".to_string(),
        Breach::TraderCommand { command, .. } => command.clone(),
        Breach::OpenLoss { symbol, value, limit } => {
            let what = symbol.as_ref().map_or_else(|| "all".to_string(), ToString::to_string);
            format!("{what} {value} of {limit}")
        }
        Breach::OpenProfit { symbol, value, target } => format!("{symbol} {value} of {target}"),
        Breach::DailyProfit { value, target, .. } => format!("{value} of {target}"),
        Breach::Management { step, .. } => format!("{step:?}").to_lowercase(),
        Breach::CannotTrade => "the broker forbids it".to_string(),
        Breach::TooManyTrades { window, count, limit } => format!("{count} of {limit} {}", window.key()),
        Breach::LosingTrade { loss, limit } => format!("{loss} of {limit}"),
        Breach::OutsideSession { .. } => "outside the hours".to_string(),
    }
}

fn notice(notice: &Notice) -> Option<String> {
    match notice {
        Notice::StopMissing { covered, size, .. } => {
            Some(format!("alert: stop missing, {covered} of {size}"))
        }
        Notice::DangerousStop { order, .. } => Some(format!("alert: order {order} would add")),
        Notice::StopsUnknown { .. } => Some("alert: stops unknown".to_string()),
        Notice::Loop { actions, .. } => Some(format!("alert: loop of {actions}")),
        Notice::NearLimit { rule, contract, value, level, mode, .. } => {
            let contract = contract.as_ref().map(|it| format!(" {}", name_of(it))).unwrap_or_default();
            Some(format!("alert: {level} % of {rule}{contract} used, {value}{}", unless_enforced(*mode)))
        }
        Notice::NearTradeLimit { rule, count, limit, level, mode } => {
            Some(format!("alert: {level} % of {rule} used, {count} of {limit}{}", unless_enforced(*mode)))
        }
        Notice::RuleFailed { rule } => Some(format!("alert: {rule} failed")),
        Notice::StopRuleForced => Some("alert: stop rule forced".to_string()),
        Notice::DayStarted { day } => Some(format!("day {day}")),
        Notice::Trouble { trouble, times, open, .. } => {
            let open: Vec<String> =
                open.iter().map(|it| format!("{} {}", it.symbol, it.exposure.0)).collect();
            let open = if open.is_empty() { "nothing".to_string() } else { open.join(", ") };
            Some(format!("alert: {} {times}, {open} open", name_of_trouble(trouble)))
        }
        Notice::TroubleOver { trouble, since, until, times } => {
            let lasted = (*until - *since).num_seconds();
            Some(format!("alert: {} {times} over after {lasted} s", name_of_trouble(trouble)))
        }
        Notice::QuotesLate { contract, lag_ms } => {
            Some(format!("alert: {} late by {lag_ms} ms", name_of(contract)))
        }
        Notice::QuotesInTime { contract } => Some(format!("alert: {} in time", name_of(contract))),
        Notice::DayDiffers { known, brokers } => Some(format!("alert: day of {known} known, {brokers} read")),
        Notice::NoTradingHours { .. } => Some("alert: no trading hours".to_string()),
        Notice::StopMovedIn { meant, placed, .. } => Some(format!("alert: stop at {placed}, not {meant}")),
        Notice::StopLeftAlone { contract } => Some(format!("alert: {} left alone", name_of(contract))),
        Notice::Unlocked { .. } | Notice::ResultDiffers { .. } => None,
    }
}

fn unless_enforced(mode: RuleMode) -> &'static str {
    match mode {
        RuleMode::Enforce => "",
        RuleMode::Warn => ", warned of only",
        RuleMode::Observe => ", observed only",
    }
}

fn name_of_trouble(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::ConnectionLost { .. } => "connection_lost",
        Trouble::AuthFailed { .. } => "auth_failed",
        Trouble::CanTradeFalse => "can_trade_false",
    }
}

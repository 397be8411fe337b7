//! A small broker with one trader: whatever it is told to do becomes events, and it does what it is asked.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    Account, Action, ContractId, Contracts, Deed, Enforcement, Event, Exposure, Fill, Instant, Instrument,
    Leg, Link, LockKey, Lockout, Memory, Order, OrderId, OrderKind, OrderSide, OrderStatus, Outcome,
    Position, Price, Question, Quote, Report, Rulebook, Snapshot, Usd,
    memory::{AccountMemory, Managed},
    products,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

const ACCOUNT: &str = "26100417";
const SYMBOLS: [(&str, i64); 2] = [("MNQ", 21_000), ("MES", 6_000)];

/// What an engine is given.
pub enum Input {
    Event(Event),
    /// A new run, with these rules and what was remembered.
    Start(Box<Rulebook>, Box<Memory>),
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub enum Move {
    Wait(i64),
    /// So many milliseconds later the price is so many ticks away from where it began.
    Quote(i64, usize, i64),
    /// So many milliseconds later.
    Tick(i64),
    /// Seconds pass, each with its tick.
    Seconds(u8),
    /// The trader buys so many, or sells; the news of the position may not come.
    Trade(usize, i64, bool),
    /// A stop over all that is held, so many ticks away from where the price began.
    Stop(usize, i64),
    CancelStop(usize),
    Answer,
    Obey,
    Read,
    Rules(usize),
    Restart,
    Down,
}

/// A trader with protected positions whose price wanders, and now and then anything else.
pub fn moves() -> impl Strategy<Value = Vec<Move>> {
    let which = || 0..SYMBOLS.len();
    let soon = || prop_oneof![Just(10), Just(60), Just(150)];
    let protect = |(it, size): (usize, i64)| {
        let stop = Move::Stop(it, -35 * size.signum());
        let settle = [Move::Obey, Move::Answer, Move::Seconds(3)].repeat(2);
        [&[Move::Trade(it, size, true), stop], settle.as_slice(), &[Move::Quote(150, it, 0)]].concat()
    };
    let wanders = prop_oneof![
        8 => (soon(), which(), -14_i64..14).prop_map(|(later, it, ticks)| Move::Quote(later, it, ticks)),
        1 => (soon(), which(), -40_i64..40).prop_map(|(later, it, ticks)| Move::Quote(later, it, ticks)),
        3 => soon().prop_map(Move::Tick),
    ];
    let anything = prop_oneof![
        prop_oneof![Just(2_500), Just(31_000)].prop_map(Move::Wait),
        (soon(), which(), -60_i64..60).prop_map(|(later, it, ticks)| Move::Quote(later, it, ticks)),
        (which(), -3_i64..4, 0..6).prop_map(|(it, size, told)| Move::Trade(it, size, told > 0)),
        (which(), -50_i64..50).prop_map(|(it, ticks)| Move::Stop(it, ticks)),
        which().prop_map(Move::CancelStop),
        Just(Move::Answer),
        Just(Move::Obey),
        Just(Move::Read),
        (0..RULES).prop_map(Move::Rules),
        Just(Move::Restart),
        Just(Move::Down),
    ];
    let some = prop_oneof![
        6 => prop::collection::vec(wanders, 1..24),
        1 => (1_u8..20).prop_map(|seconds| vec![Move::Seconds(seconds), Move::Answer]),
        1 => (which(), prop_oneof![-2_i64..0, 1_i64..3]).prop_map(protect),
        2 => anything.prop_map(|it| vec![it]),
    ];
    let begun = (which(), prop_oneof![-2_i64..0, 1_i64..3]).prop_map(protect);
    (begun, prop::collection::vec(some, 1..30)).prop_map(|(begun, then)| {
        let priced = (0..SYMBOLS.len()).map(|it| Move::Quote(150, it, 0));
        priced.chain(begun).chain(then.into_iter().flatten()).collect()
    })
}

/// How many sets of rules there are.
pub const RULES: usize = 16;

/// Several sets of rules, near enough to their limits that they matter.
pub fn rules(number: usize) -> Rulebook {
    let mut book = Rulebook { warn_at_percent: vec![50, 75, 90], ..Rulebook::default() };
    let rules = &mut book.base;
    let flag = |bit: usize| number & (1 << bit) != 0;
    rules.trade_management.enabled = flag(0);
    rules.trade_management.settings.values.take_profit.enabled = flag(1);
    rules.trade_management.settings.values.trailing.enabled = flag(2);
    rules.symbol_blocks.enabled = true;
    rules.trade_frequency_limit.enabled = flag(2);
    let times = if flag(3) { 1 } else { 3 };
    rules.daily_realized_loss.settings.limit = Usd::from_cents(-6_000) * times;
    rules.daily_realized_profit.settings.target = Usd::from_cents(9_000) * times;
    rules.daily_unrealized_loss.settings.limit = Usd::from_cents(-3_000) * times;
    rules.max_unrealized_profit.settings.target = Usd::from_cents(4_000) * times;
    if flag(1) {
        rules.daily_unrealized_loss.settings.scope = domain::rulebook::LossScope::AccountTotal;
        rules.no_stop_loss_grace.settings.max_stop_distance_ticks = Some(45);
    }
    if flag(2) {
        rules.daily_unrealized_loss.mode = domain::RuleMode::Warn;
    }
    book
}

pub struct World {
    now: Instant,
    serial: i64,
    rules: usize,
    positions: BTreeMap<ContractId, Position>,
    orders: BTreeMap<OrderId, Order>,
    fills: Vec<Fill>,
    asked: Vec<Question>,
    open: Vec<Enforcement>,
    managed: BTreeMap<ContractId, Managed>,
    lockouts: BTreeMap<LockKey, Lockout>,
    deadlines: BTreeMap<ContractId, Instant>,
}

impl World {
    /// Plays all moves; `judge` says what comes of each input.
    pub fn play(rules: usize, moves: &[Move], mut judge: impl FnMut(Instant, &Input) -> Vec<Action>) {
        let mut world = Self {
            now: "2025-10-29T15:00:00Z".parse().unwrap(),
            serial: 0,
            rules,
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            fills: Vec::new(),
            asked: Vec::new(),
            open: Vec::new(),
            managed: BTreeMap::new(),
            lockouts: BTreeMap::new(),
            deadlines: BTreeMap::new(),
        };
        world.start(&mut judge);
        for it in moves {
            for (later, event) in world.events(*it) {
                world.now += TimeDelta::milliseconds(later);
                world.tell(&Input::Event(event), &mut judge);
            }
            match it {
                Move::Wait(milliseconds) => world.now += TimeDelta::milliseconds(*milliseconds),
                Move::Restart => world.start(&mut judge),
                _ => {}
            }
        }
    }

    fn tell(&mut self, input: &Input, judge: &mut impl FnMut(Instant, &Input) -> Vec<Action>) {
        for action in judge(self.now, input) {
            match action {
                Action::Ask(question) => self.asked.push(question),
                Action::Enforce(enforcement) => self.open.push(*enforcement),
                Action::RecordManaged { contract, managed: Some(managed), .. } => {
                    self.managed.insert(contract, managed);
                }
                Action::RecordManaged { contract, managed: None, .. } => {
                    self.managed.remove(&contract);
                }
                Action::RecordStopDeadline { contract, deadline: Some(deadline), .. } => {
                    self.deadlines.insert(contract, deadline);
                }
                Action::RecordStopDeadline { contract, deadline: None, .. } => {
                    self.deadlines.remove(&contract);
                }
                Action::Lock { lockout } => {
                    self.lockouts.insert(lockout.key.clone(), *lockout);
                }
                Action::Unlock { key, .. } => {
                    self.lockouts.remove(&key);
                }
                _ => {}
            }
        }
    }

    fn start(&mut self, judge: &mut impl FnMut(Instant, &Input) -> Vec<Action>) {
        let memory = AccountMemory {
            lockouts: self.lockouts.values().cloned().collect(),
            stop_deadlines: self.deadlines.clone(),
            managed: self.managed.clone(),
            ..AccountMemory::default()
        };
        let memory = Memory { accounts: [(ACCOUNT.into(), memory)].into(), ..Memory::default() };
        (self.asked, self.open) = (Vec::new(), Vec::new());
        let mut inputs = vec![Input::Start(Box::new(rules(self.rules)), Box::new(memory))];
        inputs.extend([Link::LoggedIn, Link::UserUp, Link::MarketUp].map(|it| Input::Event(Event::Link(it))));
        inputs.extend((0..SYMBOLS.len()).map(|it| Input::Event(metadata(it))));
        inputs.push(Input::Event(self.read()));
        for input in inputs {
            self.tell(&input, judge);
        }
    }

    /// What a move tells, each so many milliseconds after what was before it.
    fn events(&mut self, it: Move) -> Vec<(i64, Event)> {
        let at_once = |events: Vec<Event>| events.into_iter().map(|event| (0, event)).collect();
        match it {
            Move::Wait(_) | Move::Restart => Vec::new(),
            Move::Quote(later, which, ticks) => vec![(later, quote(which, ticks))],
            Move::Tick(later) => vec![(later, Event::Tick)],
            Move::Seconds(seconds) => vec![(1_000, Event::Tick); seconds.into()],
            Move::Trade(which, size, is_told) => at_once(self.trade(which, size, is_told)),
            Move::Stop(which, ticks) => at_once(self.stop(which, ticks)),
            Move::CancelStop(which) => at_once(self.cancel(&stop_id(which))),
            Move::Answer => at_once(self.answers()),
            Move::Obey => at_once(self.obey()),
            Move::Read => vec![(10, self.read())],
            Move::Rules(number) => {
                self.rules = number;
                vec![(0, Event::Rules(Box::new(rules(number))))]
            }
            Move::Down => {
                let why = || "closed".to_string();
                let down = [Link::MarketDown { why: why() }, Link::UserDown { why: why() }];
                let links = down.into_iter().chain([Link::UserUp, Link::MarketUp]).map(Event::Link);
                let mut events: Vec<_> = links.map(|event| (50, event)).collect();
                events.push((50, self.read()));
                events
            }
        }
    }

    fn next(&mut self) -> i64 {
        self.serial += 1;
        self.serial
    }

    fn trade(&mut self, which: usize, size: i64, is_told: bool) -> Vec<Event> {
        let contract = contract(which);
        if size == 0 {
            return Vec::new();
        }
        let held = self.held(&contract);
        let closes = held.signum() * size.signum() < 0;
        let fill = Fill {
            id: self.next().into(),
            order: (1_000_000 + self.serial).into(),
            account: ACCOUNT.into(),
            contract: contract.clone(),
            symbol: SYMBOLS[which].0.into(),
            side: if size > 0 { OrderSide::Buy } else { OrderSide::Sell },
            size: Contracts(size.unsigned_abs() as u32),
            price: away(which, 0),
            pnl: closes.then(|| Usd::from_cents(200 * (self.serial % 7 - 3))),
            fees: Usd::from_cents(37),
            commissions: Some(Usd::from_cents(25)),
            voided: false,
            at: self.now,
        };
        self.fills.push(fill.clone());
        let position = self.hold(&contract, held + size);
        let mut events = vec![Event::Fill(fill)];
        events.extend(is_told.then_some(position));
        events
    }

    fn held(&self, contract: &ContractId) -> i64 {
        self.positions.get(contract).map_or(0, |position| position.exposure.0)
    }

    /// The broker's position becomes this.
    fn hold(&mut self, contract: &ContractId, size: i64) -> Event {
        let which = which(contract);
        let known = self.positions.remove(contract);
        let same = known.as_ref().filter(|it| it.exposure.0.signum() == size.signum());
        let position = Position {
            id: match (same, size, &known) {
                (Some(same), ..) | (None, 0, Some(same)) => same.id.clone(),
                (None, ..) => self.next().into(),
            },
            account: ACCOUNT.into(),
            contract: contract.clone(),
            symbol: SYMBOLS[which].0.into(),
            exposure: Exposure(size),
            average_price: away(which, 0),
            opened_at: same.map_or(self.now, |it| it.opened_at),
        };
        if size != 0 {
            self.positions.insert(contract.clone(), position.clone());
        }
        Event::Position(position)
    }

    fn stop(&mut self, which: usize, ticks: i64) -> Vec<Event> {
        let held = self.held(&contract(which));
        let side = if held > 0 { OrderSide::Sell } else { OrderSide::Buy };
        let order = order(which, stop_id(which), side, 3, Leg::Stop, away(which, ticks), self.now);
        self.orders.insert(order.id.clone(), order.clone());
        vec![Event::Order(order)]
    }

    fn cancel(&mut self, id: &OrderId) -> Vec<Event> {
        let order = self.orders.remove(id);
        order
            .map(|order| Event::Order(Order { status: OrderStatus::Cancelled, ..order }))
            .into_iter()
            .collect()
    }

    fn answers(&mut self) -> Vec<Event> {
        let asked = std::mem::take(&mut self.asked);
        let answer = |question| match question {
            Question::Orders { account } => {
                let orders = self.orders.values().cloned().collect();
                Event::Orders { account, orders, asked_at: self.now }
            }
            Question::Everything { .. } => self.read(),
            Question::Instrument { contract } => metadata(which(&contract)),
            Question::LatestBar { contract } => Event::Bar {
                at: self.now - TimeDelta::seconds(30),
                close: away(which(&contract), 0),
                contract,
            },
            Question::Accounts => Event::Account(account()),
        };
        asked.into_iter().map(answer).collect()
    }

    /// Everything that was decided is done, and reported.
    fn obey(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for enforcement in std::mem::take(&mut self.open) {
            match enforcement.deed.clone() {
                Deed::Flatten => {
                    for contract in self.positions.keys().cloned().collect::<Vec<_>>() {
                        events.push(self.hold(&contract, 0));
                    }
                    for order in self.orders.keys().cloned().collect::<Vec<_>>() {
                        events.extend(self.cancel(&order));
                    }
                }
                Deed::Reduce { contract, to } => {
                    let held = self.held(&contract);
                    events.push(self.hold(&contract, held.signum() * held.abs().min(to.0.into())));
                }
                Deed::Cancel { orders } => events.extend(orders.iter().flat_map(|order| self.cancel(order))),
                Deed::Place { ticket } => {
                    let id = (9_000 + self.next()).into();
                    let placed = order(
                        which(&ticket.contract),
                        id,
                        ticket.side,
                        ticket.size.0,
                        ticket.leg,
                        ticket.price,
                        self.now,
                    );
                    let placed = Order { tag: Some(enforcement.tag()), ..placed };
                    self.orders.insert(placed.id.clone(), placed.clone());
                    events.push(Event::Order(placed));
                }
                Deed::Modify { order, ticket } => {
                    if let Some(order) = self.orders.get_mut(&order) {
                        order.size = ticket.size;
                        order.limit_price = order.limit_price.map(|_| ticket.price);
                        order.stop_price = order.stop_price.map(|_| ticket.price);
                        events.push(Event::Order(order.clone()));
                    }
                }
                Deed::Shrink { order, to } => {
                    if let Some(order) = self.orders.get_mut(&order) {
                        order.size = to;
                        events.push(Event::Order(order.clone()));
                    }
                }
            }
            events.push(Event::Report(Report {
                enforcement: enforcement.id,
                account: enforcement.account,
                contract: None,
                outcome: Outcome::Confirmed,
                market_shut: false,
            }));
        }
        events
    }

    fn read(&self) -> Event {
        Event::Snapshot(Box::new(Snapshot {
            account: account(),
            positions: self.positions.values().cloned().collect(),
            orders: self.orders.values().cloned().collect(),
            fills: self.fills.clone(),
            asked_at: self.now,
        }))
    }
}

fn account() -> Account {
    Account {
        id: ACCOUNT.into(),
        name: "PRAC-V2-700001".to_string(),
        balance: Usd::from_cents(5_000_000),
        can_trade: true,
        visible: true,
        simulated: Some(true),
    }
}

fn order(which: usize, id: OrderId, side: OrderSide, size: u32, leg: Leg, at: Price, now: Instant) -> Order {
    let kind = if leg == Leg::Stop { OrderKind::Stop } else { OrderKind::Limit };
    Order {
        id,
        account: ACCOUNT.into(),
        contract: contract(which),
        symbol: SYMBOLS[which].0.into(),
        side,
        kind,
        status: OrderStatus::Open,
        size: Contracts(size),
        filled: Contracts(0),
        limit_price: (leg == Leg::Target).then_some(at),
        stop_price: (leg == Leg::Stop).then_some(at),
        filled_price: None,
        tag: None,
        parent: None,
        linked: None,
        created_at: now,
    }
}

fn quote(which: usize, ticks: i64) -> Event {
    let price = |ticks| Some(away(which, ticks));
    let (last, bid, ask) = (price(ticks), price(ticks), price(ticks + 1));
    Event::Quote(Quote { contract: contract(which), last, bid, ask, at: None })
}

fn metadata(which: usize) -> Event {
    let product = products::by_symbol(SYMBOLS[which].0).unwrap();
    Event::Instrument(Instrument {
        contract: contract(which),
        symbol: SYMBOLS[which].0.into(),
        name: SYMBOLS[which].0.to_string(),
        tick_size: product.tick_size,
        tick_value: Usd(product.tick_value),
        active: true,
    })
}

fn away(which: usize, ticks: i64) -> Price {
    let (symbol, began) = SYMBOLS[which];
    Price(products::by_symbol(symbol).unwrap().tick_size * Decimal::from(ticks) + Decimal::from(began))
}

fn contract(which: usize) -> ContractId {
    ContractId::new(format!("CON.F.US.{}.Z25", SYMBOLS[which].0))
}

fn which(contract: &ContractId) -> usize {
    (0..SYMBOLS.len()).find(|it| self::contract(*it) == *contract).unwrap()
}

fn stop_id(which: usize) -> OrderId {
    (100 + which as i64).into()
}

//! A trading floor for measurements: ten accounts under all thirteen rules, each with two protected
//! positions and a day of fills behind it, no limit near. What happens here concerns every rule and
//! breaks none.

use chrono::TimeDelta;
use domain::{
    Account, AccountId, Action, ContractId, Contracts, Event, Exposure, Fill, Instant, Instrument, Link,
    Order, OrderKind, OrderSide, OrderStatus, Position, Price, Quote, RuleSet, Rulebook, Snapshot, Symbol,
    Usd, products,
    rulebook::{FrequencyWindow, LossTier},
};
use engine::Engine;

/// How many accounts there are.
pub const ACCOUNTS: i64 = 10;
/// Held by every account.
pub const EVERYWHERE: &str = "MNQ";
/// Held by the first account only.
pub const ALONE: &str = "MGC";

/// What is held, and the price of its entry.
const HELD: [(&str, i64); 3] = [(EVERYWHERE, 21_000), ("MES", 6_000), (ALONE, 4_000)];
/// Fills of each account before the measurement begins.
const FILLS: i64 = 20;
/// Distance of all stops from the entry.
const STOP_TICKS: i64 = 40;

/// The engine and its time.
pub struct Floor {
    pub engine: Engine,
    now: Instant,
    serial: i64,
}

impl Floor {
    /// Ten in the morning in Chicago, on a Wednesday: everything is read, nothing in doubt.
    pub fn open() -> Self {
        let mut floor = Self { engine: Engine::new(rulebook()), now: at("15:00:00"), serial: 0 };
        for link in [Link::LoggedIn, Link::UserUp, Link::MarketUp] {
            floor.after(0, &Event::Link(link));
        }
        for (symbol, _) in HELD {
            floor.after(0, &metadata(symbol));
        }
        for account in 0..ACCOUNTS {
            let snapshot = floor.snapshot(account);
            floor.after(0, &Event::Snapshot(Box::new(snapshot)));
        }
        // The question that every new position raises is answered.
        for account in 0..ACCOUNTS {
            let Snapshot { orders, asked_at, .. } = floor.snapshot(account);
            floor.after(0, &Event::Orders { account: id(account), orders, asked_at });
        }
        for _ in 0..3 {
            for (symbol, _) in HELD {
                floor.after(200, &quote(symbol, 0));
            }
            floor.after(400, &Event::Tick);
        }
        floor
    }

    /// Tells the engine something so many milliseconds later.
    pub fn after(&mut self, milliseconds: i64, event: &Event) -> Vec<Action> {
        self.now += TimeDelta::milliseconds(milliseconds);
        self.engine.step(self.now, event)
    }

    /// The trader buys one more contract, or sells one.
    pub fn fill(&mut self, account: i64, side: OrderSide) -> Event {
        let pnl = (side == OrderSide::Sell).then(|| Usd::from_cents(150));
        Event::Fill(self.fill_at(account, side, pnl, self.now))
    }

    fn snapshot(&mut self, account: i64) -> Snapshot {
        let held = HELD.iter().map(|(symbol, _)| *symbol).filter(|it| *it != ALONE || account == 0);
        let held: Vec<&str> = held.collect();
        let fills = (0..FILLS).map(|index| {
            let (side, pnl) = match index % 4 {
                1 => (OrderSide::Sell, Some(Usd::from_cents(-250))),
                3 => (OrderSide::Sell, Some(Usd::from_cents(300))),
                _ => (OrderSide::Buy, None),
            };
            self.fill_at(account, side, pnl, at("13:45:00") + TimeDelta::minutes(2 * index))
        });
        Snapshot {
            fills: fills.collect(),
            account: Account {
                id: id(account),
                name: format!("PRAC-V2-700001-{account}"),
                balance: Usd::from_cents(5_000_000),
                can_trade: true,
                visible: true,
                simulated: Some(true),
            },
            positions: held.iter().map(|symbol| held_of(account, symbol, 2)).collect(),
            orders: held.iter().map(|symbol| stop_of(account, symbol, STOP_TICKS)).collect(),
            asked_at: self.now,
        }
    }

    fn fill_at(&mut self, account: i64, side: OrderSide, pnl: Option<Usd>, at: Instant) -> Fill {
        self.serial += 1;
        Fill {
            id: self.serial.into(),
            order: (1_000_000 + self.serial).into(),
            account: id(account),
            contract: contract(EVERYWHERE),
            symbol: EVERYWHERE.into(),
            side,
            size: Contracts(1),
            price: away(EVERYWHERE, 0),
            pnl,
            fees: Usd::from_cents(37),
            commissions: Some(Usd::from_cents(25)),
            voided: false,
            at,
        }
    }
}

/// A quote this many ticks above the entry of all positions.
pub fn quote(symbol: &str, ticks: i64) -> Event {
    let price = |ticks| Some(away(symbol, ticks));
    let (last, bid, ask) = (price(ticks), price(ticks), price(ticks + 1));
    Event::Quote(Quote { contract: contract(symbol), last, bid, ask, at: None })
}

/// An account holds so many contracts.
pub fn position(account: i64, size: i64) -> Event {
    Event::Position(held_of(account, EVERYWHERE, size))
}

/// The trader moves a stop by so many ticks away from where it was.
pub fn stop(account: i64, ticks: i64) -> Event {
    Event::Order(stop_of(account, EVERYWHERE, STOP_TICKS + ticks))
}

/// All thirteen rules are on, with limits that nothing here reaches.
fn rulebook() -> Rulebook {
    let mut rules = RuleSet::default();
    rules.symbol_blocks.enabled = true;
    rules.symbol_blocks.settings.patterns = ["NG", "CL*", "?BT", "6*"].map(str::to_string).to_vec();
    rules.trade_management.enabled = true;
    rules.trade_management.settings.values.take_profit.enabled = false;
    rules.max_contracts.settings.limit = Contracts(50);
    rules.max_contracts_per_instrument.settings.instrument_limits =
        HELD.map(|(symbol, _)| (Symbol::new(symbol), Contracts(20))).into();
    for window in [
        &mut rules.trade_frequency_limit.settings.per_minute,
        &mut rules.trade_frequency_limit.settings.per_hour,
        &mut rules.trade_frequency_limit.settings.per_session,
    ] {
        *window = FrequencyWindow { limit: Some(1_000), ..*window };
    }
    let tier = |dollars: i64| LossTier { loss: Usd::from_cents(dollars * 100), cooldown_seconds: 300 };
    rules.cooldown_after_loss.settings.tiers = [-100, -200, -400].map(tier).to_vec();
    Rulebook { base: rules, ..Rulebook::default() }
}

fn metadata(symbol: &str) -> Event {
    Event::Instrument(Instrument {
        contract: contract(symbol),
        symbol: symbol.into(),
        name: symbol.to_string(),
        tick_size: products::by_symbol(symbol).unwrap().tick_size,
        tick_value: Usd(products::by_symbol(symbol).unwrap().tick_value),
        active: true,
    })
}

fn held_of(account: i64, symbol: &str, size: i64) -> Position {
    Position {
        id: (100 * account + index(symbol)).into(),
        account: id(account),
        contract: contract(symbol),
        symbol: symbol.into(),
        exposure: Exposure(size),
        average_price: away(symbol, 0),
        opened_at: at("14:50:00"),
    }
}

/// The trader's own; large enough for whatever is held here.
fn stop_of(account: i64, symbol: &str, ticks: i64) -> Order {
    Order {
        id: (10_000 + 100 * account + index(symbol)).into(),
        account: id(account),
        contract: contract(symbol),
        symbol: symbol.into(),
        side: OrderSide::Sell,
        kind: OrderKind::Stop,
        status: OrderStatus::Open,
        size: Contracts(5),
        filled: Contracts(0),
        limit_price: None,
        stop_price: Some(away(symbol, -ticks)),
        filled_price: None,
        tag: None,
        parent: None,
        linked: None,
        created_at: at("14:50:00"),
    }
}

fn away(symbol: &str, ticks: i64) -> Price {
    let (_, entry) = HELD[usize::try_from(index(symbol)).unwrap()];
    let tick = products::by_symbol(symbol).unwrap().tick_size;
    Price(tick * rust_decimal::Decimal::from(ticks) + rust_decimal::Decimal::from(entry))
}

fn index(symbol: &str) -> i64 {
    HELD.iter().position(|(held, _)| *held == symbol).unwrap() as i64
}

fn contract(symbol: &str) -> ContractId {
    ContractId::new(format!("CON.F.US.{symbol}.Z25"))
}

fn id(account: i64) -> AccountId {
    (26_100_417 + account).into()
}

fn at(time: &str) -> Instant {
    format!("2025-10-29T{time}Z").parse().unwrap()
}

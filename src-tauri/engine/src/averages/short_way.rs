//! The short way through the latest fills and the long one through the whole day tell the same.

use chrono::TimeDelta;
use domain::{Account, Event, OrderSide, Position, Rulebook, products};
use proptest::prelude::*;

use super::*;
use crate::Engine;

const CONTRACTS: [&str; 2] = ["CON.F.US.MNQ.Z25", "CON.F.US.MES.Z25"];

/// What becomes of a position, and how it is told.
#[derive(Clone, Debug)]
struct Trade {
    contract: usize,
    change: i64,
    ticks: i64,
    result: Told,
    /// Executed so many milliseconds before it is told.
    late: i64,
    /// Milliseconds until it is told.
    pause: i64,
    position: bool,
    then: Then,
}

/// The broker's result of a fill.
#[derive(Clone, Copy, Debug)]
enum Told {
    Right,
    Wrong,
    Missing,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    Again,
    Void,
    Tick,
}

fn trade() -> impl Strategy<Value = Trade> {
    let change = prop_oneof![-3..=-1_i64, 1..=3_i64];
    let result = prop_oneof![6 => Just(Told::Right), 1 => Just(Told::Wrong), 1 => Just(Told::Missing)];
    let late = prop_oneof![5 => Just(0_i64), 1 => 0..=5_000_i64];
    let then = prop_oneof![
        5 => Just(Then::Nothing), 1 => Just(Then::Again), 1 => Just(Then::Tick), 1 => Just(Then::Void)
    ];
    (0..CONTRACTS.len(), change, -40..=40_i64, result, late, 0..=3_000_i64, prop::bool::weighted(0.9), then)
        .prop_map(|(contract, change, ticks, result, late, pause, position, then)| Trade {
            contract,
            change,
            ticks,
            result,
            late,
            pause,
            position,
            then,
        })
}

/// Two engines that are told the same. One looks through the whole day each time.
struct Both {
    short: Engine,
    long: Engine,
    now: Instant,
    stands: [Stand; 2],
    serial: i64,
}

impl Both {
    fn new() -> Self {
        let engine = || Engine::new(Rulebook::default());
        let now = "2025-10-29T15:00:00Z".parse().unwrap();
        let (short, long, stands) = (engine(), engine(), [Stand::default(); 2]);
        let mut both = Self { short, long, now, stands, serial: 0 };
        let account = Account {
            id: "1".into(),
            name: String::new(),
            balance: Usd::ZERO,
            can_trade: true,
            visible: true,
            simulated: None,
        };
        let (positions, orders, fills) = (Vec::new(), Vec::new(), Vec::new());
        let snapshot = Snapshot { account, positions, orders, fills, asked_at: now };
        both.tell(&Event::Snapshot(Box::new(snapshot)));
        for number in 0..CONTRACTS.len() {
            let instrument = instrument(number);
            both.tell(&Event::Instrument(instrument));
        }
        both
    }

    fn tell(&mut self, event: &Event) {
        self.short.step(self.now, event);
        self.long.accounts.values_mut().for_each(|account| account.averages.stale = true);
        self.long.step(self.now, event);
    }

    fn trade(&mut self, trade: &Trade) {
        self.now += TimeDelta::milliseconds(trade.pause);
        self.serial += 1;
        let instrument = instrument(trade.contract);
        let stand = &mut self.stands[trade.contract];
        let mut fill = Fill {
            id: (1_000 + self.serial).into(),
            order: self.serial.into(),
            account: "1".into(),
            contract: instrument.contract.clone(),
            symbol: instrument.symbol.clone(),
            side: if trade.change > 0 { OrderSide::Buy } else { OrderSide::Sell },
            size: Contracts(u32::try_from(trade.change.abs()).unwrap()),
            price: Price(Decimal::from(6_000) + instrument.tick_size * Decimal::from(trade.ticks)),
            pnl: None,
            fees: Usd::ZERO,
            commissions: Some(Usd::ZERO),
            voided: false,
            at: self.now - TimeDelta::milliseconds(trade.late),
        };
        let right = stand.apply(&fill).value(&instrument);
        fill.pnl = match trade.result {
            Told::Right => right,
            Told::Wrong => Some(right.unwrap_or_default() + Usd(Decimal::from(5))),
            Told::Missing => None,
        };
        self.tell(&Event::Fill(fill.clone()));
        if trade.position {
            self.tell_position(trade.contract);
        }
        match trade.then {
            Then::Nothing => {}
            Then::Again => self.tell(&Event::Fill(fill)),
            Then::Void => self.tell(&Event::Fill(Fill { voided: true, ..fill })),
            Then::Tick => self.tell(&Event::Tick),
        }
    }

    fn tell_position(&mut self, number: usize) {
        let instrument = instrument(number);
        let Stand { held, average } = self.stands[number];
        let position = Position {
            id: (10_000 + self.serial).into(),
            account: "1".into(),
            contract: instrument.contract,
            symbol: instrument.symbol,
            exposure: held,
            average_price: average.unwrap_or(Price(Decimal::ONE)),
            opened_at: self.now,
        };
        self.tell(&Event::Position(position));
    }

    /// Everything that both say of the day. Own results come and go with the time at which they are looked at,
    /// which is later by the short way: figures with them in it are left out.
    fn compare(&self) {
        let [short, long] = [&self.short, &self.long].map(|engine| engine.accounts.values().next().unwrap());
        assert_eq!(short.averages.stands, long.averages.stands);
        assert_eq!(short.averages.told, long.averages.told);
        assert_eq!(short.averages.doubtful, long.averages.doubtful);
        let waits = |it: &AccountState| it.averages.due.is_some() || it.ledger.counts_own();
        if !waits(short) && !waits(long) {
            assert_eq!(short.ledger.figures(), long.ledger.figures());
        }
    }
}

fn instrument(number: usize) -> Instrument {
    let symbol = ["MNQ", "MES"][number];
    let product = products::by_symbol(symbol).unwrap();
    Instrument {
        contract: CONTRACTS[number].into(),
        symbol: symbol.into(),
        name: symbol.to_string(),
        tick_size: product.tick_size,
        tick_value: Usd(product.tick_value),
        active: true,
    }
}

proptest! {
    #[test]
    fn the_short_way_and_the_whole_day_tell_the_same(trades in prop::collection::vec(trade(), 1..25)) {
        let mut both = Both::new();
        for trade in &trades {
            both.trade(trade);
            both.compare();
        }
    }
}

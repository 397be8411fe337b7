//! What a trader, the market and bad luck do, as generated steps.

use chrono::TimeDelta;
use domain::{Command, ContractId, Exposure, OrderId, OrderKind, OrderSide};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::{
    broker::{Ticket, contract},
    world::World,
};

pub const SYMBOLS: [&str; 3] = ["MNQ", "MES", "M2K"];

#[derive(Clone, Debug)]
pub enum Step {
    Market {
        whose: usize,
        symbol: usize,
        buys: bool,
        size: u32,
    },
    /// With a stop and a target as children.
    Bracket {
        whose: usize,
        symbol: usize,
        buys: bool,
        size: u32,
    },
    /// A stop on the exit side of what is held, for all of it.
    Protect {
        whose: usize,
        symbol: usize,
    },
    Resting {
        whose: usize,
        symbol: usize,
        buys: bool,
        size: u32,
        kind: OrderKind,
        ticks: i64,
    },
    CancelOne(usize),
    Move {
        symbol: usize,
        ticks: i64,
    },
    Wait(i64),
    Flatten,
    CancelAll,
    LockOut {
        whose: usize,
    },
    LoseStream {
        unnoticed: i64,
        down: i64,
    },
    Restart {
        lose_power: bool,
    },
    Crash {
        outputs: usize,
        lose_power: bool,
    },
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..40)
}

fn step() -> impl Strategy<Value = Step> {
    let who = || (0..2_usize, 0..SYMBOLS.len(), any::<bool>(), 1..5_u32);
    let kind = prop_oneof![Just(OrderKind::Limit), Just(OrderKind::Stop)];
    prop_oneof![
        8 => who().prop_map(|(whose, symbol, buys, size)| Step::Market { whose, symbol, buys, size }),
        3 => who().prop_map(|(whose, symbol, buys, size)| Step::Bracket { whose, symbol, buys, size }),
        4 => (0..2_usize, 0..SYMBOLS.len()).prop_map(|(whose, symbol)| Step::Protect { whose, symbol }),
        3 => (who(), kind, -20..20_i64).prop_map(|((whose, symbol, buys, size), kind, ticks)| {
            Step::Resting { whose, symbol, buys, size, kind, ticks }
        }),
        2 => (0..8_usize).prop_map(Step::CancelOne),
        5 => (0..SYMBOLS.len(), -400..400_i64).prop_map(|(symbol, ticks)| Step::Move { symbol, ticks }),
        12 => prop_oneof![0..40_i64, 0..400_i64, 0..8_000_i64].prop_map(Step::Wait),
        1 => Just(Step::Flatten),
        1 => Just(Step::CancelAll),
        1 => (0..2_usize).prop_map(|whose| Step::LockOut { whose }),
        1 => (0..3_000_i64, 0..4_000_i64).prop_map(|(unnoticed, down)| Step::LoseStream { unnoticed, down }),
        1 => any::<bool>().prop_map(|lose_power| Step::Restart { lose_power }),
        1 => (0..8_usize, any::<bool>()).prop_map(|(outputs, lose_power)| Step::Crash { outputs, lose_power }),
    ]
}

impl World {
    pub fn play(&mut self, step: &Step) {
        self.note(format!("{step:?}"));
        match *step {
            Step::Market { whose, symbol, buys, size } => {
                self.order(whose, symbol, buys, OrderKind::Market, size, 0, None);
            }
            Step::Bracket { whose, symbol, buys, size } => {
                let entry = self.order(whose, symbol, buys, OrderKind::Market, size, 0, None);
                let (stop, target) = if buys { (-40, 80) } else { (40, -80) };
                self.order(whose, symbol, !buys, OrderKind::Stop, size, stop, Some(entry.clone()));
                self.order(whose, symbol, !buys, OrderKind::Limit, size, target, Some(entry));
            }
            Step::Protect { whose, symbol } => {
                let (account, contract) = self.place_of(whose, symbol);
                let held = Exposure(self.broker.size(&account, &contract));
                if !held.is_flat() {
                    let ticks = if held.0 > 0 { -30 } else { 30 };
                    self.order(whose, symbol, held.0 < 0, OrderKind::Stop, held.size().0, ticks, None);
                }
            }
            Step::Resting { whose, symbol, buys, size, kind, ticks } => {
                // On the side of the market on which it rests.
                let below = buys == (kind == OrderKind::Limit);
                let ticks = ticks.abs() + 1;
                self.order(whose, symbol, buys, kind, size, if below { -ticks } else { ticks }, None);
            }
            Step::CancelOne(index) => {
                let found = self.broker.working().filter(|it| it.kind != OrderKind::Market).nth(index);
                if let Some(id) = found.map(|order| order.id.clone()) {
                    let events = self.broker.cancel(&id).unwrap_or_default();
                    self.tell(events);
                }
            }
            Step::Move { symbol, ticks } => {
                let contract = contract(SYMBOLS[symbol]);
                let price = self.broker.price(&contract) + ticks_of(&contract, ticks);
                if price > Decimal::from(1_000) {
                    self.trade_at(&contract, price);
                }
            }
            Step::Wait(milliseconds) => self.pass(TimeDelta::milliseconds(milliseconds)),
            Step::Flatten => self.command(Command::Flatten { account: None }),
            Step::CancelAll => self.command(Command::CancelAll { account: None }),
            Step::LockOut { whose } => {
                let account = Some(self.account(whose));
                self.command(Command::LockOut { account, until: None });
            }
            Step::LoseStream { unnoticed, down } => {
                self.lose_stream(TimeDelta::milliseconds(unnoticed), TimeDelta::milliseconds(down));
            }
            Step::Restart { lose_power } => self.restart(lose_power),
            Step::Crash { outputs, lose_power } => self.crash_after(outputs, lose_power),
        }
    }

    fn account(&self, whose: usize) -> domain::AccountId {
        self.accounts[whose % self.accounts.len()].clone()
    }

    fn place_of(&self, whose: usize, symbol: usize) -> (domain::AccountId, ContractId) {
        (self.account(whose), contract(SYMBOLS[symbol]))
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an order")]
    fn order(
        &mut self,
        whose: usize,
        symbol: usize,
        buys: bool,
        kind: OrderKind,
        size: u32,
        ticks: i64,
        parent: Option<OrderId>,
    ) -> OrderId {
        let (account, contract) = self.place_of(whose, symbol);
        let price = self.broker.price(&contract) + ticks_of(&contract, ticks);
        let side = if buys { OrderSide::Buy } else { OrderSide::Sell };
        self.place(&Ticket { account, contract, side, kind, size, price, parent, tag: None }, false)
    }
}

fn ticks_of(contract: &ContractId, ticks: i64) -> Decimal {
    crate::broker::instrument(contract).tick_size * Decimal::from(ticks)
}

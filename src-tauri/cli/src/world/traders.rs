//! Traders who misbehave: ordinary clients of the gateway with a login of their own, each in a mood for a
//! while. What a new rule is to catch is one more deed and a mood that likes it.

use chrono::TimeDelta;
use domain::{Command, Exposure, Instant, Order, OrderSide, Position};
use rust_decimal::Decimal;
use simulator::{Amendment, Gateway, Ticket, Trader, Truth};

use crate::{
    dice::Dice,
    moods::{Deed, MOODS, Mood},
    sight::number_of,
};

/// What they trade.
pub(crate) const SYMBOLS: [&str; 6] = ["MNQ", "ES", "MES", "NQ", "MCL", "MGC"];

/// One trader at one account.
#[derive(Debug)]
pub(crate) struct Agent {
    client: Trader,
    dice: Dice,
    pub account: i64,
    pub mood: Mood,
    tags: u64,
}

impl Agent {
    pub fn new(gateway: &Gateway, account: i64, dice: Dice) -> Self {
        Self { client: Trader::new(gateway), dice, account, mood: MOODS[0].1, tags: 0 }
    }

    pub fn change_mood(&mut self) {
        self.mood = self.dice.weighted(&MOODS);
    }

    pub fn pause(&mut self) -> TimeDelta {
        let (shortest, longest) = self.mood.pause_ms;
        self.dice.ms(shortest..=longest)
    }

    /// Does something; what is asked of the program is returned.
    pub fn act(&mut self, gateway: &mut Gateway, now: Instant) -> Option<Command> {
        let deed = self.dice.weighted(self.mood.deeds);
        self.perform(deed, gateway, now)
    }

    /// Does something at the worst moment: while our close is on its way.
    pub fn interfere(&mut self, gateway: &mut Gateway, now: Instant) {
        let deeds = [Deed::Close, Deed::ClosePart, Deed::AddOne, Deed::Flip, Deed::CancelStops, Deed::Enter];
        let deed = *self.dice.choose(&deeds);
        self.perform(deed, gateway, now);
    }

    fn perform(&mut self, deed: Deed, gateway: &mut Gateway, now: Instant) -> Option<Command> {
        let truth = gateway.truth(self.account);
        match deed {
            Deed::Enter => {
                let size = self.dice.between(1..=2);
                self.enter(gateway, now, size, false);
            }
            Deed::EnterBracketed => {
                let size = self.dice.between(1..=3);
                self.enter(gateway, now, size, true);
            }
            Deed::Oversize => {
                let size = self.dice.between(4..=12);
                let bracketed = self.dice.percent(40);
                self.enter(gateway, now, size, bracketed);
            }
            Deed::AddOne => self.add_one(&truth, gateway, now),
            Deed::Protect => self.protect(&truth, gateway, now, 0),
            Deed::ProtectPartly => self.protect(&truth, gateway, now, 1),
            Deed::WrongStop => self.wrong_stop(&truth, gateway, now),
            Deed::RestLimit => self.rest(gateway, now, false),
            Deed::RestStop => self.rest(gateway, now, true),
            Deed::Flip => self.flip(&truth, gateway, now),
            Deed::Close => self.close(&truth, gateway, now, false),
            Deed::ClosePart => self.close(&truth, gateway, now, true),
            Deed::CancelStops => {
                let stops: Vec<&Order> = truth.orders.iter().filter(|order| order.kind.is_stop()).collect();
                self.cancel(&stops, gateway, now);
            }
            Deed::CancelOne => {
                if !truth.orders.is_empty() {
                    let order = self.dice.choose(&truth.orders).clone();
                    self.cancel(&[&order], gateway, now);
                }
            }
            Deed::Amend => self.amend(&truth, gateway, now),
            Deed::Command => return Some(self.command(now)),
        }
        None
    }

    fn contract(&mut self, gateway: &Gateway) -> Option<String> {
        let symbol = *self.dice.choose(&SYMBOLS);
        gateway.front_contract(symbol).map(str::to_string)
    }

    fn side(&mut self) -> OrderSide {
        if self.dice.percent(50) { OrderSide::Buy } else { OrderSide::Sell }
    }

    /// What the gateway refuses is the trader's own trouble.
    fn place(&mut self, gateway: &mut Gateway, now: Instant, mut ticket: Ticket) {
        if self.dice.one_in(4) {
            self.tags += 1;
            ticket = ticket.tagged(&format!("t{}", self.tags));
        }
        let _ = self.client.place(gateway, now, &ticket);
    }

    fn enter(&mut self, gateway: &mut Gateway, now: Instant, size: i64, bracketed: bool) {
        let Some(contract) = self.contract(gateway) else { return };
        let side = self.side();
        let ticket = Ticket::market(self.account, &contract, side, size);
        let ticket = if bracketed {
            let (stop, target) = (self.dice.between(8..=60), self.dice.between(8..=80));
            match side {
                OrderSide::Buy => ticket.with_brackets(-stop, target),
                OrderSide::Sell => ticket.with_brackets(stop, -target),
            }
        } else {
            ticket
        };
        self.place(gateway, now, ticket);
    }

    fn add_one(&mut self, truth: &Truth, gateway: &mut Gateway, now: Instant) {
        if truth.positions.is_empty() {
            return self.enter(gateway, now, 1, false);
        }
        let position = self.dice.choose(&truth.positions).clone();
        let side = adding(position.exposure);
        self.place(gateway, now, Ticket::market(self.account, position.contract.as_str(), side, 1));
    }

    fn flip(&mut self, truth: &Truth, gateway: &mut Gateway, now: Instant) {
        if truth.positions.is_empty() {
            return self.enter(gateway, now, 1, false);
        }
        let position = self.dice.choose(&truth.positions).clone();
        let size = i64::from(position.exposure.size().0) + self.dice.between(1..=3);
        let side = opposite(adding(position.exposure));
        self.place(gateway, now, Ticket::market(self.account, position.contract.as_str(), side, size));
    }

    fn close(&mut self, truth: &Truth, gateway: &mut Gateway, now: Instant, partly: bool) {
        if truth.positions.is_empty() {
            return;
        }
        let position = self.dice.choose(&truth.positions).clone();
        let held = i64::from(position.exposure.size().0);
        let size = (partly && held > 1).then(|| self.dice.between(1..=held - 1));
        let _ = self.client.close(gateway, now, (self.account, position.contract.as_str()), size);
    }

    fn protect(&mut self, truth: &Truth, gateway: &mut Gateway, now: Instant, less: i64) {
        for position in &truth.positions {
            let covered: u32 = truth
                .orders
                .iter()
                .filter(|order| is_stop_of(order, position))
                .map(|order| order.remaining().0)
                .sum();
            let size = i64::from(position.exposure.size().0) - i64::from(covered) - less;
            if size > 0 {
                self.stop(position, gateway, now, size);
            }
        }
    }

    fn stop(&mut self, position: &Position, gateway: &mut Gateway, now: Instant, size: i64) {
        let away = self.dice.between(6..=80);
        let sign = -position.exposure.0.signum();
        let Some(price) = price_at(gateway, position.contract.as_str(), sign * away) else { return };
        let side = opposite(adding(position.exposure));
        let ticket = Ticket::stop(self.account, position.contract.as_str(), side, size, price);
        self.place(gateway, now, ticket);
    }

    fn wrong_stop(&mut self, truth: &Truth, gateway: &mut Gateway, now: Instant) {
        let Some(position) = truth.positions.first() else { return };
        let away = self.dice.between(6..=60) * position.exposure.0.signum();
        let Some(price) = price_at(gateway, position.contract.as_str(), away) else { return };
        let side = adding(position.exposure);
        self.place(gateway, now, Ticket::stop(self.account, position.contract.as_str(), side, 1, price));
    }

    fn rest(&mut self, gateway: &mut Gateway, now: Instant, stop: bool) {
        let Some(contract) = self.contract(gateway) else { return };
        let side = self.side();
        let (away, size) = (self.dice.between(2..=40), self.dice.between(1..=4));
        let beyond = if (side == OrderSide::Buy) == stop { away } else { -away };
        let Some(price) = price_at(gateway, &contract, beyond) else { return };
        let ticket = if stop {
            Ticket::stop(self.account, &contract, side, size, price)
        } else {
            Ticket::limit(self.account, &contract, side, size, price)
        };
        self.place(gateway, now, ticket);
    }

    fn cancel(&mut self, orders: &[&Order], gateway: &mut Gateway, now: Instant) {
        for order in orders {
            let _ = self.client.cancel(gateway, now, (self.account, number_of(&order.id)));
        }
    }

    fn amend(&mut self, truth: &Truth, gateway: &mut Gateway, now: Instant) {
        if truth.orders.is_empty() {
            return;
        }
        let order = self.dice.choose(&truth.orders).clone();
        let wish = if self.dice.percent(50) {
            Amendment { size: Some(self.dice.between(1..=4)), ..Amendment::default() }
        } else {
            let away = self.dice.between(-40..=40);
            let price = price_at(gateway, order.contract.as_str(), away);
            Amendment { limit: price, stop: price, ..Amendment::default() }
        };
        let _ = self.client.modify(gateway, now, (self.account, number_of(&order.id)), wish);
    }

    fn command(&mut self, now: Instant) -> Command {
        let account = Some(self.account.into());
        match self.dice.between(0..=9) {
            0..=4 => Command::Flatten { account },
            5..=7 => Command::CancelAll { account },
            _ => {
                let until = self.dice.percent(70).then(|| now + self.dice.seconds(30..=1_800));
                Command::LockOut { account, until }
            }
        }
    }
}

fn is_stop_of(order: &Order, position: &Position) -> bool {
    order.contract == position.contract
        && order.kind.is_stop()
        && order.side.reduces(position.exposure)
        && order.status.covers()
}

fn adding(exposure: Exposure) -> OrderSide {
    if exposure.0 > 0 { OrderSide::Buy } else { OrderSide::Sell }
}

fn opposite(side: OrderSide) -> OrderSide {
    match side {
        OrderSide::Buy => OrderSide::Sell,
        OrderSide::Sell => OrderSide::Buy,
    }
}

/// A price so many ticks above the last one.
fn price_at(gateway: &Gateway, contract: &str, ticks: i64) -> Option<Decimal> {
    let (last, ..) = gateway.prices(contract)?;
    Some(last + gateway.tick_size(contract)? * Decimal::from(ticks))
}

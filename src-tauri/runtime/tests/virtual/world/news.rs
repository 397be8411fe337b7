//! What happens at the broker, and what the stream tells of it.

use super::*;

impl World {
    /// Places an order, as the trader or as a consequence of a close.
    pub fn place(&mut self, ticket: &Ticket, own: bool) -> OrderId {
        let (id, events) = self.broker.place(ticket, own, self.now);
        self.tell(events);
        if ticket.kind == OrderKind::Market {
            let mut after = TimeDelta::zero();
            for size in self.dice.pieces(ticket.size) {
                after += self.dice.until_fill();
                self.post(after, Parcel::Execute(id.clone(), size));
            }
        }
        id
    }

    pub(super) fn execute(&mut self, id: &OrderId, size: u32) {
        let order = self.broker.order(id).clone();
        let place = (order.account.clone(), order.contract.clone());
        let before = self.broker.size(&place.0, &place.1);
        let events = self.broker.execute(id, size, self.now);
        let after = self.broker.size(&place.0, &place.1);
        self.note(format!("{} {id}: {} {before} -> {after}", order.contract, order.account));
        if self.broker.is_own(id) {
            let grew = after.abs() > before.abs() || (after != 0 && after.signum() != before.signum());
            let raced = self.traders_fills.get(&place).is_some_and(|at| *at >= order.created_at);
            self.check(!grew || raced, || format!("an own close took {} {before} -> {after}", place.1));
        } else if before != after {
            self.traders_fills.insert(place, self.now);
        }
        self.tell(events);
    }

    /// A price moves; resting orders fill.
    pub fn trade_at(&mut self, contract: &ContractId, price: rust_decimal::Decimal) {
        self.note(format!("{contract} at {price}"));
        for order in self.broker.trade_at(contract, price) {
            let size = self.broker.order(&order).remaining().0;
            self.execute(&order, size);
        }
        if self.quotes.contains(contract) {
            self.quote(contract);
        }
    }

    pub(super) fn quote(&mut self, contract: &ContractId) {
        let last = Some(Price(self.broker.price(contract)));
        let quote = Quote { contract: contract.clone(), last, bid: last, ask: last, at: Some(self.now) };
        let way = self.dice.way();
        self.post(way, Parcel::Told(Event::Quote(quote)));
    }

    /// Tells on the user stream what happened.
    pub fn tell(&mut self, events: Vec<Event>) {
        for event in events {
            let kind = match &event {
                Event::Order(_) => "order",
                Event::Fill(_) => "fill",
                _ => "position",
            };
            let planned =
                self.losing.iter().position(|it| *it == kind).map(|index| self.losing.remove(index));
            if planned.is_some() || !self.is_streaming || self.dice.is_lost() {
                self.note(format!("lost {}", in_short(&event)));
                continue;
            }
            let arrives = self.latest.get(kind).copied().unwrap_or(self.now).max(self.now + self.dice.way());
            let arrives = match self.dice.held_up() {
                Some(longer) => arrives + longer,
                None => {
                    self.latest.insert(kind, arrives);
                    arrives
                }
            };
            if self.dice.is_twice() {
                self.post(arrives - self.now + TimeDelta::milliseconds(3), Parcel::Told(event.clone()));
            }
            self.post(arrives - self.now, Parcel::Told(event));
        }
    }
}

pub(super) fn in_short(event: &Event) -> String {
    match event {
        Event::Order(it) => format!(
            "order {} {} {:?} {:?} {:?} {}/{}",
            it.id, it.contract, it.kind, it.side, it.status, it.filled, it.size
        ),
        Event::Fill(it) => {
            format!("fill {} of {} {:?} {} {}", it.id, it.order, it.side, it.size, it.contract)
        }
        Event::Position(it) => format!("position {} {} {}", it.account, it.contract, it.exposure.0),
        other => format!("{other:?}"),
    }
}

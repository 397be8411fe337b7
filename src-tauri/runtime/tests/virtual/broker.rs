//! The broker's own truth: positions, orders, fills, and what it would tell of each change.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Account, AccountId, ContractId, Contracts, Event, Exposure, Fill, Instant, Instrument, Leg, Order,
    OrderId, OrderKind, OrderSide, OrderStatus, Position, Price, Usd, products,
};
use rust_decimal::Decimal;

type Place = (AccountId, ContractId);

#[derive(Clone, Debug)]
pub struct Held {
    id: i64,
    pub size: i64,
    average: Decimal,
    opened_at: Instant,
}

/// An order as a client asks for it.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub account: AccountId,
    pub contract: ContractId,
    pub side: OrderSide,
    pub kind: OrderKind,
    pub size: u32,
    pub price: Decimal,
    pub parent: Option<OrderId>,
    pub tag: Option<String>,
}

#[derive(Debug, Default)]
pub struct Broker {
    pub positions: BTreeMap<Place, Held>,
    /// All orders that ever were, in the order of their ids.
    pub orders: BTreeMap<i64, Order>,
    pub fills: Vec<Fill>,
    prices: BTreeMap<ContractId, Decimal>,
    /// Orders that Risk Manager's closes made.
    own: BTreeSet<OrderId>,
    serial: i64,
}

pub fn contract(symbol: &str) -> ContractId {
    let root = products::by_symbol(symbol).unwrap().vendor_root.as_str();
    ContractId::new(format!("CON.F.US.{root}.Z25"))
}

pub fn instrument(contract: &ContractId) -> Instrument {
    let root = contract.as_str().split('.').nth(3).unwrap();
    let product = products::by_vendor_root(root).unwrap();
    Instrument {
        contract: contract.clone(),
        symbol: product.symbol.clone(),
        name: product.symbol.to_string(),
        tick_size: product.tick_size,
        tick_value: Usd(product.tick_value),
        active: true,
    }
}

pub fn account(id: &AccountId) -> Account {
    Account {
        id: id.clone(),
        name: format!("PRAC-V2-700001-{id}"),
        balance: Usd::from_cents(15_000_000),
        can_trade: true,
        visible: true,
        simulated: Some(true),
    }
}

impl Broker {
    fn next(&mut self) -> i64 {
        self.serial += 1;
        self.serial
    }

    pub fn price(&self, contract: &ContractId) -> Decimal {
        self.prices.get(contract).copied().unwrap_or(Decimal::from(20_000))
    }

    pub fn size(&self, account: &AccountId, contract: &ContractId) -> i64 {
        self.positions.get(&(account.clone(), contract.clone())).map_or(0, |held| held.size)
    }

    pub fn is_own(&self, order: &OrderId) -> bool {
        self.own.contains(order)
    }

    pub fn order(&self, id: &OrderId) -> &Order {
        &self.orders[&id.as_str().parse().unwrap()]
    }

    pub fn working(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| order.status.is_working())
    }

    /// What the lists of working orders show.
    pub fn listed(&self, account: &AccountId) -> Vec<Order> {
        let open = |order: &&Order| order.status == OrderStatus::Open && order.account == *account;
        self.orders.values().filter(open).cloned().collect()
    }

    pub fn created_since(&self, account: &AccountId, since: Instant) -> Vec<Order> {
        let recent = |order: &&Order| order.created_at >= since && order.account == *account;
        self.orders.values().filter(recent).cloned().collect()
    }

    pub fn open_positions(&self, account: &AccountId) -> Vec<Position> {
        let mine = self.positions.iter().filter(|((whose, _), _)| whose == account);
        mine.map(|((account, contract), held)| position(account, contract, held)).collect()
    }

    /// Takes an order. Market orders are pending until [`Broker::execute`] fills them.
    pub fn place(&mut self, ticket: &Ticket, own: bool, now: Instant) -> (OrderId, Vec<Event>) {
        let id = self.next();
        let kind = ticket.kind;
        let order = Order {
            id: id.into(),
            account: ticket.account.clone(),
            contract: ticket.contract.clone(),
            symbol: instrument(&ticket.contract).symbol,
            side: ticket.side,
            kind,
            status: if kind == OrderKind::Market { OrderStatus::Pending } else { OrderStatus::Open },
            size: Contracts(ticket.size),
            filled: Contracts::ZERO,
            limit_price: (kind == OrderKind::Limit).then_some(Price(ticket.price)),
            stop_price: kind.is_stop().then_some(Price(ticket.price)),
            filled_price: None,
            tag: ticket.tag.clone(),
            parent: ticket.parent.clone(),
            linked: None,
            created_at: now,
        };
        if own {
            self.own.insert(order.id.clone());
        }
        self.orders.insert(id, order.clone());
        (order.id.clone(), vec![Event::Order(order)])
    }

    /// Fills a part of an order, or all that is left of it.
    pub fn execute(&mut self, id: &OrderId, at_most: u32, now: Instant) -> Vec<Event> {
        let number: i64 = id.as_str().parse().unwrap();
        let order = self.orders.get_mut(&number).unwrap();
        if !order.status.is_working() {
            return Vec::new();
        }
        let size = order.remaining().0.min(at_most.max(1));
        order.filled = order.filled + Contracts(size);
        if order.remaining() == Contracts::ZERO {
            order.status = OrderStatus::Filled;
        }
        let order = order.clone();
        let place = (order.account.clone(), order.contract.clone());
        let held = self.size(&place.0, &place.1);
        let closing = if order.side.reduces(Exposure(held)) { i64::from(size).min(held.abs()) } else { 0 };
        let mut events = vec![Event::Order(order.clone())];
        for part in [closing, i64::from(size) - closing] {
            if part > 0 {
                events.extend(self.fill(&place, &order, part, now));
            }
        }
        events
    }

    fn fill(&mut self, place: &Place, order: &Order, part: i64, now: Instant) -> Vec<Event> {
        let price = self.price(&order.contract);
        let instrument = instrument(&order.contract);
        let id = self.next();
        let new_position = self.next();
        let held = self.positions.entry(place.clone()).or_insert(Held {
            id: new_position,
            size: 0,
            average: price,
            opened_at: now,
        });
        let signed = order.side.sign() * part;
        let closes = held.size.signum() == -signed.signum();
        let pnl = closes.then(|| instrument.value(Exposure(-signed), Price(held.average), Price(price)));
        if !closes {
            let (old, new) = (Decimal::from(held.size.abs()), Decimal::from(part));
            held.average = (held.average * old + price * new) / (old + new);
        }
        held.size += signed;
        let told = position(&place.0, &place.1, held);
        if held.size == 0 {
            self.positions.remove(place);
        }
        let fill = Fill {
            id: id.into(),
            order: order.id.clone(),
            account: place.0.clone(),
            contract: place.1.clone(),
            symbol: instrument.symbol,
            side: order.side,
            size: Contracts(u32::try_from(part).unwrap()),
            price: Price(price),
            pnl,
            fees: Usd::ZERO,
            commissions: Some(Usd::ZERO),
            voided: false,
            at: now,
        };
        self.fills.push(fill.clone());
        vec![Event::Fill(fill), Event::Position(told)]
    }

    /// Ends a working order; `None` if it is not there any more.
    pub fn cancel(&mut self, id: &OrderId) -> Option<Vec<Event>> {
        let order = self.orders.get_mut(&id.as_str().parse().unwrap())?;
        order.status.is_working().then(|| {
            order.status = OrderStatus::Cancelled;
            vec![Event::Order(order.clone())]
        })
    }

    pub fn resize(&mut self, id: &OrderId, size: Contracts) -> Option<Vec<Event>> {
        let order = self.orders.get_mut(&id.as_str().parse().unwrap())?;
        (order.status.is_working() && size > order.filled).then(|| {
            order.size = size;
            vec![Event::Order(order.clone())]
        })
    }

    pub fn has_tag(&self, tag: &str) -> bool {
        self.orders.values().any(|order| order.tag.as_deref() == Some(tag))
    }

    /// Whether a protective order at this price would wait rather than fill at once.
    pub fn is_before_market(&self, ticket: &domain::Ticket) -> bool {
        let price = self.price(&ticket.contract);
        match (ticket.leg, ticket.side) {
            (Leg::Target, _) => true,
            (Leg::Stop, OrderSide::Sell) => ticket.price.0 <= price,
            (Leg::Stop, OrderSide::Buy) => ticket.price.0 >= price,
        }
    }

    pub fn change(&mut self, id: &OrderId, ticket: &domain::Ticket) -> Option<Vec<Event>> {
        let order = self.orders.get_mut(&id.as_str().parse().unwrap())?;
        (order.status.is_working() && ticket.size > order.filled).then(|| {
            order.size = ticket.size;
            match ticket.leg {
                Leg::Stop => order.stop_price = Some(ticket.price),
                Leg::Target => order.limit_price = Some(ticket.price),
            }
            vec![Event::Order(order.clone())]
        })
    }

    /// Moves a price and says which resting orders it reaches.
    pub fn trade_at(&mut self, contract: &ContractId, price: Decimal) -> Vec<OrderId> {
        self.prices.insert(contract.clone(), price);
        let reached = |order: &&Order| {
            let (limit, stop) = (order.limit_price.map(|it| it.0), order.stop_price.map(|it| it.0));
            let buys = order.side == OrderSide::Buy;
            order.contract == *contract
                && (limit.is_some_and(|limit| if buys { price <= limit } else { price >= limit })
                    || stop.is_some_and(|stop| if buys { price >= stop } else { price <= stop }))
        };
        self.working().filter(reached).map(|order| order.id.clone()).collect()
    }
}

fn position(account: &AccountId, contract: &ContractId, held: &Held) -> Position {
    Position {
        id: held.id.into(),
        account: account.clone(),
        contract: contract.clone(),
        symbol: instrument(contract).symbol,
        exposure: Exposure(held.size),
        average_price: Price(held.average),
        opened_at: held.opened_at,
    }
}

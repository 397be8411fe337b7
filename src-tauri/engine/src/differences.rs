//! What a reading of the broker's state says otherwise than what was known (specification C.10). Says it
//! before the reading is taken over; what the stream told so lately that the reading may lag behind it is
//! no difference. Changes nothing.

use domain::{
    Action, Difference, Discrepancy, Exposure, Fill, Instant, Order, OrderKind, Position, Snapshot, Subject,
};

use crate::{account::AccountState, facts::FRESH};

impl AccountState {
    /// Positions, orders and fills of a reading. Where nothing was known before, nothing differs.
    pub(crate) fn differs(&self, snapshot: &Snapshot) -> Vec<Discrepancy> {
        if !self.known {
            return Vec::new();
        }
        let mut differences = self.positions_differ(&snapshot.positions, snapshot.asked_at - FRESH);
        differences.extend(self.orders_differ(&snapshot.orders, snapshot.asked_at));
        let unheard = snapshot.fills.iter().filter(|fill| self.is_unheard(fill));
        differences.extend(unheard.map(|fill| Discrepancy {
            contract: fill.contract.clone(),
            subject: Subject::Fill { fill: fill.id.clone() },
            difference: Difference::Extra { read: Exposure(fill.side.sign() * i64::from(fill.size.0)) },
        }));
        differences
    }

    /// A reading may go farther back than the one before it: only what came since then was to be heard.
    fn is_unheard(&self, fill: &Fill) -> bool {
        let is_later = self.read.is_some_and(|read| fill.at >= read - FRESH);
        is_later && !fill.voided && self.ledger.known(&fill.id).is_none()
    }

    fn positions_differ(&self, listed: &[Position], newest: Instant) -> Vec<Discrepancy> {
        let of = |position: &Position, difference| Discrepancy {
            contract: position.contract.clone(),
            subject: Subject::Position,
            difference,
        };
        let held = self.positions.values().map(|holding| &holding.position);
        let gone = held
            .filter(|held| listed.iter().all(|it| it.contract != held.contract))
            .filter(|held| !self.is_fresh(&held.contract, newest))
            .map(|held| of(held, Difference::Missing { known: held.exposure }));
        let told = listed
            .iter()
            .filter(|position| !self.is_fresh(&position.contract, newest))
            .filter(|position| self.closed_positions.since(&position.id) <= Some(newest))
            .flat_map(|position| self.position_differs(position).map(|it| of(position, it)));
        gone.chain(told).collect()
    }

    fn position_differs(&self, read: &Position) -> impl Iterator<Item = Difference> + use<> {
        let (size, price) = match self.positions.get(&read.contract).map(|holding| &holding.position) {
            None => (Some(Difference::Extra { read: read.exposure }), None),
            Some(known) => (
                Difference::of_sizes(known.exposure, read.exposure),
                (known.average_price != read.average_price).then_some(Difference::Price {
                    known: Some(known.average_price),
                    read: Some(read.average_price),
                }),
            ),
        };
        size.into_iter().chain(price)
    }

    /// A list of working orders.
    pub(crate) fn orders_differ(&self, listed: &[Order], asked_at: Instant) -> Vec<Discrepancy> {
        if !self.known {
            return Vec::new();
        }
        let of = |order: &Order, difference| Discrepancy {
            contract: order.contract.clone(),
            subject: Subject::Order { order: order.id.clone() },
            difference,
        };
        let gone = self
            .orders
            .values()
            .filter(|known| self.should_be_listed(known, asked_at))
            .filter(|known| listed.iter().all(|order| order.id != known.order.id))
            .map(|known| of(&known.order, Difference::Missing { known: known.order.would_add() }));
        let told = listed
            .iter()
            .flat_map(|order| self.order_differs(order, asked_at - FRESH).map(|it| of(order, it)));
        gone.chain(told).collect()
    }

    fn order_differs(&self, read: &Order, newest: Instant) -> impl Iterator<Item = Difference> + use<> {
        let mut differences = Vec::new();
        match self.orders.get(&read.id) {
            Some(known) if known.heard > newest => {}
            Some(known) => differences.extend(between(&known.order, read)),
            None if self.ended_orders.since(&read.id) > Some(newest) => {}
            None => differences.push(Difference::Extra { read: read.would_add() }),
        }
        differences.into_iter()
    }

    pub(crate) fn tell_differences_of(&self, differences: Vec<Discrepancy>, out: &mut Vec<Action>) {
        if !differences.is_empty() {
            out.push(Action::Differ { account: self.id.clone(), differences });
        }
    }
}

/// What differs between two tellings of a working order. The stop of a trailing one follows the market by
/// the broker's own rule, and no message says so.
fn between(known: &Order, read: &Order) -> impl Iterator<Item = Difference> + use<> {
    let price = (known.limit_price != read.limit_price)
        .then_some(Difference::Price { known: known.limit_price, read: read.limit_price });
    let trails = known.kind == OrderKind::TrailingStop;
    let stop = (known.stop_price != read.stop_price && !trails)
        .then_some(Difference::Stop { known: known.stop_price, read: read.stop_price });
    let size = Difference::of_sizes(known.would_add(), read.would_add());
    size.into_iter().chain(price).chain(stop)
}

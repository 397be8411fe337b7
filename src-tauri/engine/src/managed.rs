//! What RULE-012 has to remember of a position: its best price, what was done for it, and what others took
//! away. Places nothing: the rule decides that.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    Action, ContractId, EventKind, Exposure, Instant, Instrument, Leg, Notice, Order, OrderStatus, Position,
    Price, RuleSet, Severity, Side,
    memory::Managed,
    rulebook::{AutoBreakeven, TradeManagement, TradeManagementValues},
};
use rust_decimal::Decimal;

use crate::{
    account::{AccountState, Holding},
    judge::Court,
    kinds::Kinds,
    market::Look,
    rules::Reckoned,
};

/// How often the automatic stop is placed again after others took it away (specification B.12).
pub(crate) const PLACED_AGAIN: u32 = 1;
/// After one of our orders filled, the news of its position is on its way for this long at most; until then
/// nothing new is placed.
const NEWS_WITHIN: TimeDelta = TimeDelta::seconds(3);

/// One position under RULE-012.
#[derive(Clone, Debug)]
pub struct ManagedTrade {
    pub(crate) known: Managed,
    held: Exposure,
    average: Price,
    /// The average entry changed since our target was priced.
    pub(crate) retarget: bool,
    /// When a stop was last moved.
    pub(crate) moved_at: Option<Instant>,
    /// Until when nothing is placed, because the position may be gone.
    pub(crate) unsure_until: Option<Instant>,
    told_alone: bool,
    written: Option<Managed>,
}

/// All positions of one account under RULE-012.
#[derive(Clone, Debug, Default)]
pub(crate) struct ManagedTrades {
    /// The rule's values; `None` while it is off.
    settings: Option<TradeManagement>,
    trades: BTreeMap<ContractId, ManagedTrade>,
    /// From before a restart, until the positions are seen again.
    restored: BTreeMap<ContractId, Managed>,
}

impl ManagedTrades {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut trades = Self::default();
        trades.adopt(rules);
        trades
    }

    pub(crate) fn adopt(&mut self, rules: &RuleSet) {
        let entry = &rules.trade_management;
        self.settings = entry.enabled.then(|| entry.settings.clone());
    }

    pub(crate) fn restore(&mut self, managed: BTreeMap<ContractId, Managed>) {
        self.restored = managed;
    }

    pub(crate) fn of(&self, contract: &ContractId) -> Option<&ManagedTrade> {
        self.trades.get(contract)
    }

    /// Whether one of these prices, one for each position in their order, is better than all before it.
    pub(crate) fn has_better(&self, prices: impl Iterator<Item = Option<Price>>) -> bool {
        // One trade for each position while the rule is on, otherwise none.
        let mut seen = self.trades.values().zip(prices);
        seen.any(|(trade, price)| price.is_some_and(|price| trade.is_better(price)))
    }

    /// Takes these prices, one for each position in their order.
    pub(crate) fn see(&mut self, prices: impl Iterator<Item = Option<Price>>) {
        for (trade, price) in self.trades.values_mut().zip(prices) {
            if let (Some(side), Some(price)) = (Side::of(trade.held), price) {
                trade.see(side, price);
            }
        }
    }

    /// Whether all is kept that a restart needs.
    pub(crate) fn is_written(&self) -> bool {
        self.trades.values().all(|trade| trade.written.as_ref() == Some(&trade.known))
    }

    /// A stop of the contract is being moved, or its target priced anew.
    pub(crate) fn moved(&mut self, contract: &ContractId, leg: Leg, now: Instant) {
        let Some(trade) = self.trades.get_mut(contract) else { return };
        match leg {
            Leg::Stop => trade.moved_at = Some(now),
            Leg::Target => trade.retarget = false,
        }
    }

    /// One of our orders ended; `by_us` if we wanted it to.
    pub(crate) fn order_ended(&mut self, order: &Order, by_us: bool, now: Instant) {
        let Some(trade) = self.trades.get_mut(&order.contract).filter(|_| order.is_own()) else { return };
        if order.filled.0 > 0 || order.status == OrderStatus::Filled {
            trade.unsure_until = Some(now + NEWS_WITHIN);
        } else if !by_us && matches!(order.status, OrderStatus::Cancelled | OrderStatus::Expired) {
            trade.taken_away(order);
        }
    }

    /// One of our orders is in no list any more; true if it may have filled.
    pub(crate) fn order_vanished(&mut self, order: &Order, by_us: bool, now: Instant) -> bool {
        let Some(trade) = self.trades.get_mut(&order.contract).filter(|_| order.is_own() && !by_us) else {
            return false;
        };
        trade.unsure_until = Some(now + NEWS_WITHIN);
        trade.taken_away(order);
        true
    }

    /// The trader asked for an order to be cancelled.
    pub(crate) fn given_up(&mut self, order: &Order) {
        if let Some(trade) = self.trades.get_mut(&order.contract).filter(|_| order.is_own()) {
            trade.taken_away(order);
        }
    }
}

impl ManagedTrade {
    fn new(position: &Position, known: Option<Managed>) -> Self {
        let fresh = || Managed {
            position: position.id.clone(),
            best: None,
            stop: None,
            target: None,
            breakeven_done: false,
            trailing: false,
            stops_lost: 0,
            target_lost: false,
        };
        Self {
            written: known.clone(),
            known: known.unwrap_or_else(fresh),
            held: position.exposure,
            average: position.average_price,
            retarget: false,
            moved_at: None,
            unsure_until: None,
            told_alone: false,
        }
    }

    fn taken_away(&mut self, order: &Order) {
        match Leg::of(order.kind) {
            Some(Leg::Stop) => self.known.stops_lost += 1,
            Some(Leg::Target) => self.known.target_lost = true,
            None => {}
        }
    }

    fn is_of(&self, position: &Position) -> bool {
        self.known.position == position.id && self.held.same_side(position.exposure)
    }

    /// Takes the broker's latest word on the position.
    fn follow(&mut self, position: &Position) {
        if self.held != position.exposure {
            self.held = position.exposure;
            self.unsure_until = None;
        }
        if self.average != position.average_price {
            self.average = position.average_price;
            self.retarget = true;
        }
    }

    /// Whether a price is better than all before it.
    fn is_better(&self, price: Price) -> bool {
        self.known.best.is_none_or(|best| if self.held.0 > 0 { price > best } else { price < best })
    }

    fn see(&mut self, side: Side, price: Price) {
        let best = self.known.best.get_or_insert(price);
        *best = match side {
            Side::Long => price.max(*best),
            Side::Short => price.min(*best),
        };
    }

    /// Whether the best gain so far reached this many ticks; never before the first price.
    pub(crate) fn has_gained(&self, ticks: u32, position: &Position, instrument: &Instrument) -> bool {
        let Some(best) = self.known.best else { return false };
        let gain = match position.exposure.0 > 0 {
            true => best.0 - position.average_price.0,
            false => position.average_price.0 - best.0,
        };
        gain >= instrument.tick_size * Decimal::from(ticks)
    }
}

impl AccountState {
    /// Brings what RULE-012 remembers in line with what is held.
    pub(crate) fn mind_managed(&mut self, kinds: Kinds, reckoned: &Reckoned<'_>, court: &mut Court<'_>) {
        let mut managed = std::mem::take(&mut self.managed);
        self.match_trades(&mut managed, court.out);
        if let Some(settings) = &managed.settings {
            let positions = self.positions.values().map(|holding| &holding.position);
            let trades = managed.trades.values_mut();
            for ((position, look), trade) in positions.zip(reckoned.looks()).zip(trades) {
                self.mind_trade(position, trade, values_of(settings, position), look, court.out);
                self.write_trade(position, trade, kinds, court.out);
            }
        }
        self.managed = managed;
    }

    /// One trade for each position while the rule is on, in the same order; no others.
    fn match_trades(&self, managed: &mut ManagedTrades, out: &mut Vec<Action>) {
        let ManagedTrades { settings, trades, restored } = managed;
        let is_on = settings.is_some();
        if is_on && restored.is_empty() && trades.keys().eq(self.positions.keys()) {
            return;
        }
        let is_gone = |contract: &ContractId| !is_on || !self.positions.contains_key(contract);
        let mut gone: Vec<ContractId> =
            trades.extract_if(.., |it, _| is_gone(it)).map(|(it, _)| it).collect();
        gone.extend(restored.extract_if(.., |it, _| is_gone(it)).map(|(it, _)| it));
        for contract in gone {
            let account = self.id.clone();
            out.push(Action::RecordManaged { account, contract, managed: None });
        }
        for (contract, Holding { position, .. }) in self.positions.iter().filter(|_| is_on) {
            let known = restored.remove(contract).filter(|it| it.position == position.id);
            trades.entry(contract.clone()).or_insert_with(|| ManagedTrade::new(position, known));
        }
    }

    fn mind_trade(
        &self,
        position: &Position,
        trade: &mut ManagedTrade,
        values: TradeManagementValues,
        look: Look<'_>,
        out: &mut Vec<Action>,
    ) {
        let contract = &position.contract;
        if !trade.is_of(position) {
            *trade = ManagedTrade { written: trade.written.take(), ..ManagedTrade::new(position, None) };
        }
        let at_breakeven =
            !trade.known.breakeven_done && self.is_at_breakeven(position, trade, values.breakeven, look);
        trade.follow(position);
        if let (Some(side), Some(price)) = (Side::of(position.exposure), look.price()) {
            trade.see(side, price);
        }
        let own = |is_leg: fn(&Order) -> bool| {
            let mut orders = self.own_orders(contract).filter(|it| it.side.reduces(position.exposure));
            orders.find(|it| is_leg(it)).map(|it| it.id.clone())
        };
        (trade.known.stop, trade.known.target) = (own(|it| it.kind.is_stop()), own(|it| !it.kind.is_stop()));
        trade.known.breakeven_done |= at_breakeven;
        if values.trailing.enabled && !trade.known.trailing {
            let has_gained = |it| trade.has_gained(values.trailing.activation_ticks, position, it);
            trade.known.trailing = look.instrument().is_some_and(has_gained);
        }
        if trade.known.stops_lost > PLACED_AGAIN && !trade.told_alone {
            trade.told_alone = true;
            let notice = Notice::StopLeftAlone { contract: contract.clone() };
            self.alert(Severity::Warning, notice, out);
        }
    }

    /// Whether breakeven was reached and every stop that could be moved lies at it or nearer.
    fn is_at_breakeven(
        &self,
        position: &Position,
        trade: &ManagedTrade,
        even: AutoBreakeven,
        look: Look<'_>,
    ) -> bool {
        let Some(instrument) = look.instrument() else { return false };
        if !trade.has_gained(even.profit_threshold_ticks, position, instrument) {
            return false;
        }
        let wanted = breakeven_price(position, instrument, even.offset_ticks);
        let mut stops = self.movable_stops(position).filter_map(|stop| stop.stop_price).peekable();
        stops.peek().is_some() && stops.all(|stop| !is_tighter(position.exposure, wanted, stop))
    }

    /// Keeps what a restart needs. The best price alone is written with the ticks of every second.
    fn write_trade(
        &self,
        position: &Position,
        trade: &mut ManagedTrade,
        kinds: Kinds,
        out: &mut Vec<Action>,
    ) {
        let is_news = match &trade.written {
            Some(written) => {
                *written != trade.known
                    && (kinds.has(EventKind::TimeTick)
                        || Managed { best: trade.known.best, ..written.clone() } != trade.known)
            }
            None => true,
        };
        if is_news {
            trade.written = Some(trade.known.clone());
            let (account, contract) = (self.id.clone(), position.contract.clone());
            out.push(Action::RecordManaged { account, contract, managed: trade.written.clone() });
        }
    }
}

/// The values for a position's symbol.
pub(crate) fn values_of(settings: &TradeManagement, position: &Position) -> TradeManagementValues {
    settings.per_instrument.get(&position.symbol).copied().unwrap_or(settings.values)
}

/// The entry, so many ticks on the side of the gain, on the grid in the tighter direction.
pub(crate) fn breakeven_price(position: &Position, instrument: &Instrument, offset: u32) -> Price {
    stop_at(position, instrument, position.average_price, i64::from(offset))
}

/// A stop price so many ticks on the side of the gain, on the grid in the tighter direction.
pub(crate) fn stop_at(position: &Position, instrument: &Instrument, from: Price, ticks: i64) -> Price {
    match position.exposure.0 > 0 {
        true => instrument.grid_above(instrument.ticks_away(from, ticks)),
        false => instrument.grid_below(instrument.ticks_away(from, -ticks)),
    }
}

/// Whether a stop price is nearer to the market than another, for what is held.
pub(crate) fn is_tighter(held: Exposure, price: Price, than: Price) -> bool {
    if held.0 > 0 { price > than } else { price < than }
}

//! What is known of one account: the broker's facts, what was decided about them, and what follows.
//!
//! Facts enter through [`facts`](crate::facts) only; rules read an account, never change it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Account, AccountId, Command, ContractId, Contracts, Exposure, Instant, Order, OrderId, OrderKind,
    Position, PositionId, RuleKey, Rulebook, Symbol, Usd, memory::WeekFigures, rulebook::NoStopLossGrace,
};

use crate::{
    averages::Averages,
    baseline::Filling,
    engaged::Engagements,
    kinds::Kinds,
    ledger::{KEPT_BEFORE, Ledger},
    leftovers::Leftovers,
    lockouts::Lockouts,
    loops::Loops,
    managed::{ManagedTrade, ManagedTrades},
    market::Market,
    near::Near,
    outage::Outage,
    owed::Owed,
    own::OwnTrades,
    races::Races,
    rules::{self, ArmedRule},
    sessions::Sessions,
    stops::StopWatches,
    trades::News,
};

/// Ended orders and closed positions that are remembered, so that a late delivery can't revive them.
/// When full, the oldest is forgotten; a revived ghost then lasts until the next reconcile.
pub(crate) const REMEMBERED_ENDS: usize = 1_000;

/// One account.
#[derive(Debug)]
pub struct AccountState {
    pub(crate) id: AccountId,
    pub(crate) info: Option<Account>,
    /// The broker's state was read as a whole at least once.
    pub(crate) known: bool,
    pub(crate) positions: BTreeMap<ContractId, Holding>,
    pub(crate) orders: BTreeMap<OrderId, KnownOrder>,
    pub(crate) ended_orders: Remembered<OrderId>,
    pub(crate) closed_positions: Remembered<PositionId>,
    /// When the latest ended market order without a tag was first heard of, by contract and by what it was
    /// to buy or sell.
    pub(crate) traded: BTreeMap<(ContractId, Exposure), Instant>,
    /// Exposure as the fills tell it, held against what positions tell (ruling 21).
    pub(crate) book: BTreeMap<ContractId, Exposure>,
    /// The open trading day was announced to the store.
    pub(crate) day_told: bool,
    /// An answer of the broker differed from what its stream told a moment before.
    pub(crate) reread: bool,
    /// Since when the stories differ.
    pub(crate) disagree_since: Option<Instant>,
    pub(crate) ledger: Ledger,
    /// Executions that no fill explains yet.
    pub(crate) owed: Owed,
    /// What the day's fills add up to by themselves.
    pub(crate) averages: Averages,
    /// Limits that came near and were told.
    pub(crate) near: Near,
    /// The broker's permission to trade.
    pub(crate) permission: Outage,
    /// When the last reading of the whole account was asked for.
    pub(crate) read: Option<Instant>,
    /// How far the last reading of the day differed from what was known, as told.
    pub(crate) differed: Usd,
    /// Closed days of the week.
    pub(crate) week: WeekFigures,
    pub(crate) sessions: Sessions,
    /// Fills that are not judged yet.
    pub(crate) news: Vec<News>,
    pub(crate) own: OwnTrades,
    /// What RULE-012 knows of positions.
    pub(crate) managed: ManagedTrades,
    pub(crate) filling: Filling,
    pub(crate) loops: Loops,
    pub(crate) lockouts: Lockouts,
    pub(crate) engaged: Engagements,
    pub(crate) stops: StopWatches,
    pub(crate) leftovers: Leftovers,
    pub(crate) races: Races,
    /// Until when a rule that failed to act keeps still.
    pub(crate) quiet: BTreeMap<(RuleKey, Option<ContractId>), Instant>,
    /// Until when an order that could not be cancelled is left alone.
    pub(crate) quiet_orders: BTreeMap<OrderId, Instant>,
    /// What observing and warning rules have told already and is still the case.
    pub(crate) observed: BTreeSet<(RuleKey, String)>,
    pub(crate) observed_today: u32,
    pub(crate) rules: Vec<ArmedRule>,
    /// Values of RULE-008, which the stop watches go by.
    pub(crate) stop_rule: NoStopLossGrace,
    /// Positions that became smaller in this step, with what is held now: they lower the baselines.
    pub(crate) reduced: Vec<(ContractId, Exposure)>,
    /// What a person asked for and is not carried out yet.
    pub(crate) commands: Vec<Command>,
    /// What changed and is not judged yet.
    pub(crate) touched: Kinds,
    /// Every rule is to be asked, whatever changed.
    pub(crate) ask_all: bool,
    /// When everything was asked for because something did not fit.
    pub(crate) asked_everything: Option<Instant>,
    serial: u64,
}

/// A position with what is known about its history here.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The broker's words.
    pub position: Position,
    /// Grows with every increase of any position of the account: orders them by recency.
    pub increased: u64,
    /// When the broker last spoke of it.
    pub heard: Instant,
}

/// A working order with what is known about its history here.
#[derive(Clone, Debug)]
pub struct KnownOrder {
    /// The broker's words.
    pub order: Order,
    /// When it was first heard of.
    pub first_heard: Instant,
    /// When the broker last spoke of it.
    pub heard: Instant,
}

/// A bounded memory of what has ended.
#[derive(Clone, Debug)]
pub(crate) struct Remembered<T> {
    all: BTreeMap<T, Life>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    first_heard: Instant,
    ended: Instant,
}

impl<T: Ord + Clone> Default for Remembered<T> {
    fn default() -> Self {
        Self { all: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Remembered<T> {
    pub(crate) fn add(&mut self, item: T, first_heard: Instant, ended: Instant) {
        self.all.insert(item, Life { first_heard, ended });
        if self.all.len() > REMEMBERED_ENDS {
            let oldest = self.all.iter().min_by_key(|(_, life)| life.ended).map(|(item, _)| item.clone());
            if let Some(oldest) = oldest {
                self.all.remove(&oldest);
            }
        }
    }

    pub(crate) fn has(&self, item: &T) -> bool {
        self.all.contains_key(item)
    }

    pub(crate) fn first_heard(&self, item: &T) -> Option<Instant> {
        self.all.get(item).map(|life| life.first_heard)
    }

    /// When it ended.
    pub(crate) fn since(&self, item: &T) -> Option<Instant> {
        self.all.get(item).map(|life| life.ended)
    }

    pub(crate) fn forget(&mut self, item: &T) {
        self.all.remove(item);
    }
}

impl AccountState {
    pub(crate) fn new(id: AccountId, rulebook: &Rulebook, now: Instant) -> Self {
        let rules = rulebook.of(&id);
        let hours = &rules.session_block_outside.settings;
        let ledger = Ledger::new(rulebook.reset, now);
        Self {
            sessions: Sessions::new(hours, &rulebook.holidays, now),
            week: WeekFigures { monday: ledger.day().week(), realized: Usd::ZERO, trades: 0 },
            ledger,
            news: Vec::new(),
            own: OwnTrades::default(),
            managed: ManagedTrades::new(rules),
            filling: Filling::default(),
            loops: Loops::default(),
            rules: rules::build(rules),
            stop_rule: rules.no_stop_loss_grace.settings.clone(),
            id,
            info: None,
            known: false,
            positions: BTreeMap::new(),
            orders: BTreeMap::new(),
            ended_orders: Remembered::default(),
            closed_positions: Remembered::default(),
            traded: BTreeMap::new(),
            book: BTreeMap::new(),
            day_told: false,
            reread: false,
            disagree_since: None,
            owed: Owed::default(),
            averages: Averages::default(),
            near: Near::default(),
            permission: Outage::default(),
            read: None,
            differed: Usd::ZERO,
            lockouts: Lockouts::default(),
            engaged: Engagements::default(),
            stops: StopWatches::default(),
            leftovers: Leftovers::default(),
            races: Races::default(),
            quiet: BTreeMap::new(),
            quiet_orders: BTreeMap::new(),
            observed: BTreeSet::new(),
            observed_today: 0,
            reduced: Vec::new(),
            commands: Vec::new(),
            touched: Kinds::NONE,
            ask_all: false,
            asked_everything: None,
            serial: 0,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// What the broker said about it; `None` before it said anything.
    #[must_use]
    pub fn info(&self) -> Option<&Account> {
        self.info.as_ref()
    }

    /// Whether its state was read as a whole since the start; before that nothing is judged.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Open positions in the order of their contracts.
    pub fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.positions.values()
    }

    /// What is held of a contract.
    #[must_use]
    pub fn exposure(&self, contract: &ContractId) -> Exposure {
        self.positions.get(contract).map_or(Exposure::FLAT, |holding| holding.position.exposure)
    }

    /// What will be held once everything decided is done.
    #[must_use]
    pub fn remaining(&self, holding: &Holding) -> Exposure {
        self.engaged.remaining(&holding.position.contract, holding.position.exposure)
    }

    /// Whether the fills tell of less than the position does, or of its other side: a closing fill comes
    /// before the news of the position (gateway reference 9.2).
    #[must_use]
    pub fn is_shrinking(&self, contract: &ContractId) -> bool {
        let held = self.exposure(contract);
        self.book.get(contract).is_some_and(|told| !told.same_side(held) || told.size() < held.size())
    }

    /// Working orders in the order of their ids.
    pub fn working_orders(&self) -> impl Iterator<Item = &KnownOrder> {
        self.orders.values()
    }

    /// A working order.
    #[must_use]
    pub fn order(&self, id: &OrderId) -> Option<&Order> {
        self.orders.get(id).map(|known| &known.order)
    }

    /// When an order, working or ended, was first heard of.
    #[must_use]
    pub fn first_heard(&self, order: &OrderId) -> Option<Instant> {
        let working = self.orders.get(order).map(|known| known.first_heard);
        working.or_else(|| self.ended_orders.first_heard(order))
    }

    /// Whether positions, fills and orders tell the same story about a contract, and the latest list told it
    /// as well.
    #[must_use]
    pub fn agrees(&self, contract: &ContractId) -> bool {
        let told = self.book.get(contract).copied().unwrap_or_default();
        told == self.exposure(contract) && !self.reread && !self.owed.is_of(contract)
    }

    /// Whether an untagged market order that bought so much, or sold it, was first heard of since then and
    /// has ended, and none is working: what a close of ours would look like.
    #[must_use]
    pub fn has_traded(&self, contract: &ContractId, change: Exposure, since: Instant) -> bool {
        let is_new = |known: &KnownOrder| known.first_heard >= since && is_like_a_close(&known.order);
        let works = self.orders.values().any(|known| known.order.contract == *contract && is_new(known));
        !works && self.traded.get(&(contract.clone(), change)).is_some_and(|heard| *heard >= since)
    }

    /// Whether an untagged market order that bought, or sold, as a change does was first heard of since then, has
    /// ended and left nothing of what was held, as the fills tell it, and none is working: what a close of ours
    /// of the whole would look like.
    #[must_use]
    pub fn has_closed(&self, contract: &ContractId, change: Exposure, since: Instant) -> bool {
        let mut left = self.book.get(contract).copied().unwrap_or_default();
        let fills = self.ledger.in_order().map(|known| &known.fill);
        let mut later = BTreeSet::new();
        for fill in fills.filter(|fill| fill.contract == *contract).rev() {
            let is_its_last = later.insert(&fill.order);
            let is_exit = is_its_last && left.is_flat() && fill.side.sign() == change.0.signum();
            let whole = fill.side.sign() * i64::from(self.ledger.executed(&fill.order).0);
            let is_new = self.ended_orders.first_heard(&fill.order).is_some_and(|heard| heard >= since);
            if is_exit && is_new && self.has_traded(contract, Exposure(whole), since) {
                return true;
            }
            left = left + Exposure(-fill.side.sign() * i64::from(fill.size.0));
        }
        false
    }

    /// What was held of a contract at an instant of the broker's clock, as the fills tell it.
    #[must_use]
    pub fn held_at(&self, contract: &ContractId, at: Instant) -> Exposure {
        let fills = self.ledger.in_order().rev().map(|known| &known.fill);
        let later = fills.take_while(|fill| fill.at > at).filter(|fill| fill.contract == *contract);
        let now = self.book.get(contract).copied().unwrap_or_default();
        later.fold(now, |held, fill| held + Exposure(-fill.side.sign() * i64::from(fill.size.0)))
    }

    /// The trading day's fills and sums.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The week so far, today included: for display only.
    #[must_use]
    pub fn week(&self) -> WeekFigures {
        WeekFigures {
            monday: self.week.monday,
            realized: self.week.realized + self.ledger.realized(true),
            trades: self.week.trades.saturating_add(self.ledger.trades()),
        }
    }

    /// The trading hours of RULE-009, whether it is on or not.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Whether there are fills that are not judged yet.
    #[must_use]
    pub(crate) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// From when on fills matter: those of the trading day, and those within the longest rolling window.
    #[must_use]
    pub fn fills_since(&self, now: Instant) -> Instant {
        self.ledger.span().began.min(now - KEPT_BEFORE)
    }

    /// Active lockouts.
    #[must_use]
    pub fn lockouts(&self) -> &Lockouts {
        &self.lockouts
    }

    /// Decisions that are not settled.
    #[must_use]
    pub fn engaged(&self) -> &Engagements {
        &self.engaged
    }

    /// Positions without complete stop.
    #[must_use]
    pub fn stops(&self) -> &StopWatches {
        &self.stops
    }

    /// What RULE-012 knows of a position; `None` while the rule is off.
    #[must_use]
    pub fn managed(&self, contract: &ContractId) -> Option<&ManagedTrade> {
        self.managed.of(contract)
    }

    /// How much may stay of a contract that was to be brought down to `to`: more than that, if the reason has
    /// gone since it was decided, as when another position that counted was closed.
    #[must_use]
    pub fn allowed(&self, contract: &ContractId, to: Contracts) -> Contracts {
        let Some(decided) = self.engaged.of(contract).filter(|it| it.to == to) else { return to };
        let allows = |key: &RuleKey| {
            let armed = self.rules.iter().find(|armed| armed.key() == *key)?;
            armed.rule.allows(self, contract)
        };
        let all: Option<Vec<Contracts>> = decided.rules.iter().map(allows).collect();
        all.and_then(|all| all.into_iter().min()).map_or(to, |allowed| allowed.max(to))
    }

    /// The rules that are on, with their last verdicts.
    #[must_use]
    pub fn rules(&self) -> &[ArmedRule] {
        &self.rules
    }

    /// How often observing and warning rules would have acted today.
    #[must_use]
    pub fn observed_today(&self) -> u32 {
        self.observed_today
    }

    /// Sum of the open results; `None` when one of them is not known.
    #[must_use]
    pub fn unrealized(&self, market: &Market) -> Option<Usd> {
        self.positions.values().map(|holding| market.value(&holding.position)).sum()
    }

    /// The root symbol of a contract that is held or has a working order.
    #[must_use]
    pub fn symbol(&self, contract: &ContractId) -> Option<&Symbol> {
        self.positions.get(contract).map(|holding| &holding.position.symbol).or_else(|| {
            self.orders
                .values()
                .map(|known| &known.order)
                .find(|it| it.contract == *contract)
                .map(|it| &it.symbol)
        })
    }

    /// Whether a working order would open or enlarge exposure if it filled: anything but an order on the
    /// exit side that is not larger than the position (specification A.1).
    #[must_use]
    pub fn is_entry(&self, order: &Order) -> bool {
        let held = self.exposure(&order.contract);
        !order.side.reduces(held) || order.remaining() > held.size()
    }

    /// Notes the end of an order that may have been a close of ours.
    pub(crate) fn note_trade(&mut self, order: &Order, first_heard: Instant) {
        if is_like_a_close(order) {
            let change = Exposure(order.side.sign() * i64::from(order.size.0));
            let latest = self.traded.entry((order.contract.clone(), change)).or_insert(first_heard);
            *latest = first_heard.max(*latest);
        }
    }

    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// Our own closes carry no tag and are market orders (ruling 18).
fn is_like_a_close(order: &Order) -> bool {
    order.kind == OrderKind::Market && order.tag.is_none()
}

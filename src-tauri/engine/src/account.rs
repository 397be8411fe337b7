//! What is known of one account: the broker's facts, what was decided about them, and what follows.
//!
//! Facts enter through [`facts`](crate::facts) only; rules read an account, never change it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Account, AccountId, Command, ContractId, Contracts, Exposure, Instant, Order, OrderId, Position,
    PositionId, RuleKey, Rulebook, Symbol, Usd, memory::WeekFigures, rulebook::NoStopLossGrace,
};

use crate::{
    averages::Averages,
    baseline::Filling,
    calm::Calm,
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
    remembered::Remembered,
    rules::{self, ArmedRule},
    sessions::Sessions,
    shut::ShutMarkets,
    stops::StopWatches,
    trades::News,
};

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
    /// Markets that were shut when something was to be done there.
    pub(crate) shut: ShutMarkets,
    /// Until when an order that could not be cancelled is left alone.
    pub(crate) quiet_orders: BTreeMap<OrderId, Instant>,
    /// Until when the size and the price of an order that could not be changed are left alone. It may be
    /// cancelled meanwhile: its position may end.
    pub(crate) quiet_changes: BTreeMap<OrderId, Instant>,
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
    /// Nothing that passes says anything new.
    pub(crate) calm: Option<Calm>,
    /// When everything was asked for because something did not fit.
    pub(crate) asked_everything: Option<Instant>,
    pub(crate) serial: u64,
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
            rules: rules::build(rules, rulebook.dry_run),
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
            shut: ShutMarkets::default(),
            quiet_orders: BTreeMap::new(),
            quiet_changes: BTreeMap::new(),
            observed: BTreeSet::new(),
            observed_today: 0,
            reduced: Vec::new(),
            commands: Vec::new(),
            touched: Kinds::NONE,
            ask_all: false,
            calm: None,
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
            armed.allows(self, contract)
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

    /// Whether a stop closes what is held, however large it is: until the position is gone, it may be all that
    /// protects it.
    #[must_use]
    pub fn is_exit_stop(&self, order: &Order) -> bool {
        order.kind.is_stop() && order.side.reduces(self.exposure(&order.contract))
    }

    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

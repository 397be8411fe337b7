//! The rules. Each is a pure question to one account, in a file of its own; none acts, none keeps state
//! (specification B.0). Adding one is a file, a line in [`build`], and its entry in the rulebook.

mod armed;
mod auth_loss_guard;
mod cooldown_after_loss;
mod daily_realized_loss;
mod daily_realized_profit;
mod daily_unrealized_loss;
mod day_result;
mod max_contracts;
mod max_contracts_per_instrument;
mod max_unrealized_profit;
mod no_stop_loss_grace;
mod open_result;
mod room;
mod scene;
mod session_block_outside;
mod symbol_blocks;
mod trade_frequency_limit;
mod trade_management;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use chrono::TimeDelta;
use domain::{
    Breach, ContractId, Contracts, EventKind, Exposure, Instant, LockEnd, LockKind, Lockout, Means, OrderId,
    Price, RuleKey, RuleMode, RuleSet, Source, Symbol, Ticket, Usd,
    breach::TradeWindow,
    rulebook::{Entry, PriceBasis},
};
use rust_decimal::Decimal;

use crate::{account::AccountState, kinds::Kinds};
pub use armed::ArmedRule;
pub use room::{Band, Room};
pub use scene::{Reckoned, Scene};

/// The rules that exist. Others count as off (ruling 1).
pub const BUILT: [RuleKey; 13] = [
    RuleKey::MaxContracts,
    RuleKey::MaxContractsPerInstrument,
    RuleKey::DailyRealizedLoss,
    RuleKey::DailyUnrealizedLoss,
    RuleKey::MaxUnrealizedProfit,
    RuleKey::TradeFrequencyLimit,
    RuleKey::CooldownAfterLoss,
    RuleKey::NoStopLossGrace,
    RuleKey::SessionBlockOutside,
    RuleKey::AuthLossGuard,
    RuleKey::SymbolBlocks,
    RuleKey::TradeManagement,
    RuleKey::DailyRealizedProfit,
];

/// One rule with the values of one account.
pub trait Rule: Debug + Send + Sync {
    /// Which rule it is.
    fn key(&self) -> RuleKey;

    /// The changes after which it is asked.
    fn listens(&self) -> Kinds;

    /// How long it may stay unasked while time passes; `None`: time alone changes nothing for it.
    fn every(&self) -> Option<TimeDelta> {
        None
    }

    /// What it needs in order to be more than a promise.
    fn needs(&self) -> &'static [Source];

    /// What it does at the broker that an account may refuse; without it the rule is a promise only.
    fn stands_on(&self) -> Option<Means> {
        None
    }

    /// By which price it values open positions, if it does.
    fn price_basis(&self) -> PriceBasis {
        PriceBasis::LastElseMid
    }

    /// Whether its condition is true, and what it then wants.
    fn check(&self, scene: &Scene<'_>, findings: &mut Vec<Finding>) -> Verdict;

    /// How much of a contract may stay as things stand; `None`: what it wanted does not depend on anything
    /// else.
    fn allows(&self, _account: &AccountState, _contract: &ContractId) -> Option<Contracts> {
        None
    }

    /// How much of its limit is used.
    fn gauges(&self, _scene: &Scene<'_>) -> Vec<Gauge> {
        Vec::new()
    }

    /// Values that people are warned of before they reach their limits.
    fn shares(&self, _scene: &Scene<'_>, _shares: &mut Vec<Share>) {}

    /// How far prices may move before it says, or people are told, anything else. Asked only where it has just
    /// passed and nothing is pending; a rule that listens to values and does not answer leaves no room.
    fn room(&self, _scene: &Scene<'_>, room: &mut Room<'_>) {
        if self.listens().has(EventKind::UnrealizedPnlUpdate) {
            room.close();
        }
    }

    /// Whether a lockout of its own is no longer asked for by its present values.
    fn releases(&self, _lockout: &Lockout) -> bool {
        false
    }
}

/// What became of asking a rule. Skipped is not passed (L-64).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Not asked yet.
    #[default]
    NotAsked,
    /// Its condition is not true.
    Passed,
    /// Its condition is true.
    Violated,
    /// Something it needs is not known.
    Skipped(Missing),
    /// Looking at it broke off: a mistake in the rule itself.
    Failed,
}

/// What a skipped rule lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A usable price, or the metadata, of a contract that is held.
    Value(ContractId),
    /// The working orders.
    Orders,
}

/// One condition that is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why.
    pub breach: Breach,
    /// What is wanted.
    pub remedy: Remedy,
}

/// What a rule wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Bring a position down.
    Reduce {
        /// Which.
        contract: ContractId,
        /// What may remain.
        to: Contracts,
    },
    /// Nothing more: what was decided already in this step is enough for this rule too.
    Covered,
    /// Set a lockout, or extend the one of the same key. The gate then cancels the entry orders that it
    /// forbids and closes what it does not let stay.
    Lock(Lock),
    /// Cancel a working order.
    Cancel(OrderId),
    /// Place a protective order.
    Place {
        /// Which.
        ticket: Ticket,
        /// Where it would have been, had the market not passed that price already.
        meant: Price,
    },
    /// Bring a protective order to another size or price.
    Modify {
        /// Which.
        order: OrderId,
        /// How it is to be.
        ticket: Ticket,
    },
    /// Only tell it, as an observing rule would.
    Tell {
        /// What it is about: told once for each while it is the case.
        about: String,
    },
}

/// A lockout that a rule wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What it forbids.
    pub kind: LockKind,
    /// For one symbol only.
    pub symbol: Option<Symbol>,
    /// Distinguishes several records of the rule.
    pub cause: String,
    /// How it ends.
    pub end: LockEnd,
    /// What may stay.
    pub baseline: BTreeMap<ContractId, Exposure>,
    /// Symbols that it leaves alone.
    pub exempt: BTreeSet<Symbol>,
    /// Whether everything is closed and verified when it begins.
    pub flatten: bool,
}

impl Lock {
    /// The account is made and kept flat.
    #[must_use]
    pub fn hard(end: LockEnd) -> Self {
        Self {
            kind: LockKind::Hard,
            symbol: None,
            cause: String::new(),
            end,
            baseline: BTreeMap::new(),
            exempt: BTreeSet::new(),
            flatten: true,
        }
    }

    /// No new exposure over the baseline until a time.
    #[must_use]
    pub fn timer(until: Instant, baseline: BTreeMap<ContractId, Exposure>) -> Self {
        Self { kind: LockKind::Timer, baseline, flatten: false, ..Self::hard(LockEnd::Time(until)) }
    }

    /// As a cooldown, but everything is closed when it begins.
    #[must_use]
    pub fn closing_timer(until: Instant) -> Self {
        Self { flatten: true, ..Self::timer(until, BTreeMap::new()) }
    }

    /// One symbol is kept flat down to the baseline.
    #[must_use]
    pub fn symbol(symbol: Symbol, end: LockEnd, baseline: BTreeMap<ContractId, Exposure>) -> Self {
        let (kind, symbol) = (LockKind::Symbol, Some(symbol));
        Self { kind, symbol, baseline, flatten: false, ..Self::hard(end) }
    }
}

/// Unit of a gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Dollars.
    Usd,
    /// Contracts.
    Contracts,
    /// Trades within a time.
    Trades(TradeWindow),
}

/// How much of a limit is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// Whose.
    pub rule: RuleKey,
    /// For one symbol only.
    pub symbol: Option<Symbol>,
    /// Unit of the figures.
    pub unit: Unit,
    /// Where the value stands; `None` when unknown.
    pub value: Option<Decimal>,
    /// The limit; negative for losses.
    pub limit: Decimal,
}

/// A value on its way to a limit; unlike a gauge's it may come from a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// For one contract only.
    pub contract: Option<ContractId>,
    /// Where the value stands.
    pub value: Usd,
    /// The limit; negative for losses.
    pub limit: Usd,
}

impl Share {
    fn of_all(value: Usd, limit: Usd) -> Self {
        Self { contract: None, value, limit }
    }

    fn of_one(contract: ContractId, value: Usd, limit: Usd) -> Self {
        Self { contract: Some(contract), value, limit }
    }
}

/// The rules that are on, in the order in which they are asked: locks first, the hardest first, then what
/// closes a whole position, then what only reduces it. A later rule sees what earlier ones decided, so that together
/// they close no more than is needed. In a dry run all of them only observe.
#[must_use]
pub fn build(rules: &RuleSet, dry_run: bool) -> Vec<ArmedRule> {
    let mut armed = Vec::new();
    arm(&mut armed, &rules.daily_realized_loss, daily_realized_loss::DailyLoss::new);
    arm(&mut armed, &rules.daily_realized_profit, daily_realized_profit::DailyProfit::new);
    arm(&mut armed, &rules.auth_loss_guard, auth_loss_guard::AuthGuard::new);
    arm(&mut armed, &rules.session_block_outside, session_block_outside::TradingHours::new);
    arm(&mut armed, &rules.cooldown_after_loss, cooldown_after_loss::LossCooldown::new);
    arm(&mut armed, &rules.trade_frequency_limit, trade_frequency_limit::TradeLimits::new);
    arm(&mut armed, &rules.symbol_blocks, symbol_blocks::Blocks::new);
    let stop_required = no_stop_loss_grace::StopRequired::new(rules.no_stop_loss_grace.settings.clone());
    armed.push(ArmedRule::new(Box::new(stop_required), RuleMode::Enforce));
    arm(&mut armed, &rules.daily_unrealized_loss, daily_unrealized_loss::OpenLoss::new);
    arm(&mut armed, &rules.max_unrealized_profit, max_unrealized_profit::OpenProfit::new);
    arm(
        &mut armed,
        &rules.max_contracts_per_instrument,
        max_contracts_per_instrument::ContractsPerInstrument::new,
    );
    arm(&mut armed, &rules.max_contracts, max_contracts::ContractsInAll::new);
    // Last: what is being closed needs no orders.
    arm(&mut armed, &rules.trade_management, trade_management::Automation::new);
    if dry_run {
        armed.iter_mut().for_each(|it| it.mode = RuleMode::Observe);
    }
    armed
}

fn arm<T: Clone, R: Rule + 'static>(armed: &mut Vec<ArmedRule>, entry: &Entry<T>, new: impl Fn(T) -> R) {
    if entry.enabled {
        armed.push(ArmedRule::new(Box::new(new(entry.settings.clone())), entry.mode));
    }
}

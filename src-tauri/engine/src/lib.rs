//! The verdicts: `step(now, event) -> actions`. One pure state machine for all accounts.
//!
//! Has no clock, no I/O, no async, no threads, no randomness, no floats, and iterates over ordered maps
//! only: the same inputs give the same actions on every machine. It says what is to be done; `runtime`
//! does it and answers with events.

#![deny(clippy::float_arithmetic)]

mod account;
mod averages;
mod baseline;
mod calm;
mod decide;
mod differences;
mod engaged;
mod facts;
mod gate;
mod hours;
mod judge;
mod kinds;
mod ledger;
mod leftovers;
mod lockouts;
mod loops;
mod managed;
mod market;
mod near;
mod omitted;
mod outage;
mod owed;
mod own;
mod protect;
mod protection;
mod quotes;
mod races;
mod remembered;
pub mod rules;
mod schedule;
mod sessions;
mod shut;
mod stops;
mod stopwatch;
mod take;
mod told;
mod trades;
mod unbanked;
mod vigil;
mod wants;
mod watch;

use std::collections::BTreeMap;

use domain::{
    AccountId, Action, ContractId, Event, Instant, Question, RuleKey, Rulebook, Source, memory::AccountMemory,
};

pub use account::{AccountState, Holding, KnownOrder};
pub use engaged::Engagements;
pub use kinds::Kinds;
pub use ledger::{Day, Ledger};
pub use lockouts::Lockouts;
pub use managed::ManagedTrade;
pub use market::{Market, QUOTES_LINGER, Reached, Worth};
pub use schedule::{Deadline, Why};
pub use sessions::{Phase, Sessions};
pub use stops::Coverage;
pub use stopwatch::Stopwatch;
pub use trades::Trade;

use judge::Court;
use vigil::Vigil;

/// The state machine.
#[derive(Debug)]
pub struct Engine {
    rulebook: Rulebook,
    accounts: BTreeMap<AccountId, AccountState>,
    market: Market,
    vigil: Vigil,
    remembered: BTreeMap<AccountId, AccountMemory>,
    next_enforcement: u64,
    now: Instant,
    /// Time of the latest tick: what was due by then had its turn.
    ticked: Instant,
}

impl Engine {
    /// A machine that knows nothing but the rules.
    #[must_use]
    pub fn new(rulebook: Rulebook) -> Self {
        Self {
            rulebook,
            accounts: BTreeMap::new(),
            market: Market::default(),
            vigil: Vigil::default(),
            remembered: BTreeMap::new(),
            next_enforcement: 1,
            now: Instant::MIN_UTC,
            ticked: Instant::MIN_UTC,
        }
    }

    /// Takes one event and says what is to be done: lockouts first, then what goes to the broker, the
    /// most urgent first. As soon as there is an account, time never runs backwards: an earlier `now`
    /// counts as the latest one.
    pub fn step(&mut self, now: Instant, event: &Event) -> Vec<Action> {
        self.step_timed(now, event, &mut ())
    }

    /// The same, with a stopwatch at each rule. What it shows changes no decision.
    pub fn step_timed(&mut self, now: Instant, event: &Event, watch: &mut dyn Stopwatch) -> Vec<Action> {
        let before = self.now;
        self.set_time(now);
        let mut out = Vec::new();
        self.pass_time(before, &mut out);
        self.end_calm(event);
        self.take(event, &mut out);
        self.mind_interest();
        self.judge(watch, &mut out);
        self.settle_link(&mut out);
        self.keep_vigil(event, &mut out);
        out
    }

    /// Engine time: the latest `now` of any step.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The rules that apply.
    #[must_use]
    pub fn rulebook(&self) -> &Rulebook {
        &self.rulebook
    }

    /// All accounts that are known, in the order of their ids.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountState> {
        self.accounts.values()
    }

    /// One account.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&AccountState> {
        self.accounts.get(id)
    }

    /// Prices and metadata.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// How much of each limit of an account is used, in the order of the rules.
    #[must_use]
    pub fn gauges(&self, account: &AccountState) -> Vec<(rules::Gauge, domain::RuleMode)> {
        let scene = rules::Scene {
            now: self.now,
            account,
            market: &self.market,
            reckoned: &rules::Reckoned::of(account, &self.market),
            kinds: Kinds::NONE,
            planned: &BTreeMap::new(),
            day_end: account.ledger.span().ends,
        };
        let mut gauges: Vec<_> = account
            .rules
            .iter()
            .flat_map(|armed| armed.gauges(&scene).into_iter().map(|gauge| (gauge, armed.mode)))
            .collect();
        gauges.sort_by_key(|(gauge, _)| gauge.rule);
        gauges
    }

    /// When the present trading day ends: that of the first account to end it.
    #[must_use]
    pub fn day_end(&self) -> Instant {
        let ends = self.accounts.values().map(|account| account.ledger.span().ends);
        ends.min().unwrap_or_else(|| self.rulebook.reset.next_after(self.now))
    }

    /// Contracts whose prices matter: held, or wanted by a working entry order.
    #[must_use]
    pub fn contracts_of_interest(&self) -> Vec<ContractId> {
        let mut contracts: Vec<ContractId> = Vec::new();
        for account in self.accounts.values() {
            contracts.extend(account.holdings().map(|it| it.position.contract.clone()));
            contracts.extend(account.entries().map(|order| order.contract.clone()));
        }
        contracts.sort_unstable();
        contracts.dedup();
        contracts
    }

    /// The self-check (invariant A.8-5): enabled rules of an account that lack something they need, with
    /// what they lack. A rule in this list protects nobody at the moment.
    #[must_use]
    pub fn inactive_rules(&self, account: &AccountState) -> Vec<(RuleKey, Source)> {
        let unpriced = |basis| {
            account
                .holdings()
                .map(|it| &it.position)
                .any(|position| self.market.price_by(&position.contract, position.exposure, basis).is_none())
        };
        let lacks = |source: &Source, basis| match source {
            Source::UserStream => !account.known,
            Source::MarketStream => !self.market.is_connected() || unpriced(basis),
            Source::Metadata => {
                account.holdings().any(|it| self.market.instrument(&it.position.contract).is_none())
            }
            Source::ResetSchedule | Source::SessionCalendar => false,
        };
        account
            .rules
            .iter()
            .filter_map(|armed| {
                let basis = armed.rule.price_basis();
                let lacking = armed.needs().iter().find(|source| lacks(source, basis))?;
                Some((armed.key(), *lacking))
            })
            .collect()
    }

    fn judge(&mut self, watch: &mut dyn Stopwatch, out: &mut Vec<Action>) {
        let Self { accounts, market, next_enforcement, now, rulebook, .. } = self;
        let warn_at = &rulebook.warn_at_percent;
        for account in accounts.values_mut() {
            let holidays = &rulebook.holidays;
            account.judge(&mut Court { now: *now, market, holidays, warn_at, next_enforcement, watch, out });
        }
        self.ask_for_metadata(out);
    }

    fn ask_for_metadata(&mut self, out: &mut Vec<Action>) {
        let Self { market, accounts, now, .. } = self;
        let is_held = |contract: &ContractId| accounts.values().any(|it| it.positions.contains_key(contract));
        let lacking = market.lacking_metadata(*now, is_held);
        out.extend(lacking.map(|contract| Action::Ask(Question::Instrument { contract })));
    }
}

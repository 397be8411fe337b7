//! Pictures of the moment: what an account, its positions, its orders and its stops looked like last.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{AccountId, ContractId, Instant, LockEnd, LockKey, Memory, Order};
use engine::AccountState;
use store::{AccountFigures, Coverage, DayRecord, Holding, Record};

use super::super::Core;

/// Pictures of the moment are written at most this often.
const PICTURE_EVERY: TimeDelta = TimeDelta::seconds(1);
/// The engine's time is written this often.
const SEEN_EVERY: TimeDelta = TimeDelta::seconds(5);

/// What was last written of the pictures.
#[derive(Debug, Default)]
pub(in crate::core) struct Pictures {
    accounts: BTreeMap<AccountId, (AccountFigures, Vec<Holding>)>,
    orders: BTreeMap<AccountId, Vec<Order>>,
    coverage: BTreeMap<AccountId, BTreeMap<ContractId, Coverage>>,
    pub(super) locks: BTreeMap<LockKey, LockEnd>,
    written: Option<Instant>,
    seen: Option<Instant>,
}

impl Pictures {
    /// After a start: what the database holds already.
    pub fn restored(memory: &Memory) -> Self {
        let lockouts = memory.accounts.values().flat_map(|account| &account.lockouts);
        Self { locks: lockouts.map(|it| (it.key.clone(), it.end)).collect(), ..Self::default() }
    }

    /// The working orders, if they are others than before.
    fn orders(&mut self, account: &AccountState, now: Instant) -> Option<Record> {
        let working = || account.working_orders().map(|known| &known.order);
        if self.orders.get(account.id()).is_some_and(|known| working().eq(known)) {
            return None;
        }
        let working: Vec<Order> = working().cloned().collect();
        self.orders.insert(account.id().clone(), working.clone());
        Some(Record::Orders { account: account.id().clone(), working, at: now })
    }

    /// How the stops of an account cover its positions, where that changed.
    fn coverage(&mut self, account: &AccountId, now: Vec<Coverage>) -> Vec<Record> {
        let known = self.coverage.entry(account.clone()).or_default();
        known.retain(|contract, _| now.iter().any(|it| it.contract == *contract));
        let is_news = |it: &Coverage| known.get(&it.contract).is_none_or(|known| !is_alike(known, it));
        let news: Vec<Coverage> = now.into_iter().filter(is_news).collect();
        for it in &news {
            known.insert(it.contract.clone(), it.clone());
        }
        news.into_iter().map(|it| Record::Coverage(Box::new(it))).collect()
    }
}

impl Core {
    /// The next figures are written at once.
    pub(in crate::core) fn forget_pictures(&mut self) {
        self.pictures.written = None;
        self.pictures.seen = None;
    }

    /// Figures of the moment, if they changed.
    pub(in crate::core) fn record_pictures(&mut self, now: Instant) {
        if self.links.clock_apart.is_some() && self.pictures.seen.is_none_or(|at| now - at >= SEEN_EVERY) {
            self.pictures.seen = Some(now);
            self.batch.lazy(Record::Seen(now));
        }
        if self.pictures.written.is_some_and(|at| now - at < PICTURE_EVERY) {
            return;
        }
        self.pictures.written = Some(now);
        let mut records = Vec::new();
        for account in self.engine.accounts().filter(|account| account.is_known()) {
            records.extend(self.pictures.orders(account, now));
            let coverage = self.coverage_of(account, now);
            records.extend(self.pictures.coverage(account.id(), coverage));
            let Some(figures) = self.figures(account, now) else { continue };
            let held: Vec<Holding> = account.holdings().map(|it| self.holding(account, it, now)).collect();
            let known = self.pictures.accounts.get(account.id());
            if known.is_some_and(|(old, positions)| same(old, &figures) && *positions == held) {
                continue;
            }
            let combined = figures.unrealized.map(|open| figures.realized + open);
            let figures_of_day = account.ledger().figures();
            records.push(Record::Account(Box::new(figures.clone())));
            records.push(Record::Positions { account: account.id().clone(), held: held.clone(), at: now });
            records.push(Record::Day(Box::new(DayRecord {
                account: account.id().clone(),
                figures: figures_of_day,
                combined,
                at: now,
            })));
            self.pictures.accounts.insert(account.id().clone(), (figures, held));
        }
        for record in records {
            self.batch.lazy(record);
        }
    }

    fn figures(&self, account: &AccountState, now: Instant) -> Option<AccountFigures> {
        Some(AccountFigures {
            account: account.info()?.clone(),
            realized: account.ledger().realized(true),
            unrealized: account.unrealized(self.engine.market()),
            error: self.trouble_of(account.id()),
            at: now,
        })
    }

    /// What keeps an account from being protected, for whoever asks while no engine runs.
    fn trouble_of(&self, account: &AccountId) -> Option<String> {
        let concerns = |of: &Option<AccountId>| of.as_ref().is_none_or(|id| id == account);
        let (doubt, _) = self.guard.reasons.iter().find(|(_, of)| concerns(of))?;
        Some(doubt.text(&self.setting.broker))
    }

    fn holding(&self, account: &AccountState, holding: &engine::Holding, now: Instant) -> Holding {
        let position = &holding.position;
        let coverage = self.coverage(account, holding);
        let is_sure = self.is_sure_of(account.id(), now);
        Holding {
            position: position.clone(),
            price: self.engine.market().price(&position.contract),
            unrealized: self.engine.market().value(position),
            stop_covered: is_sure.then_some(coverage.covered >= position.exposure.size()),
            stop_price: coverage.nearest,
        }
    }

    fn coverage_of(&self, account: &AccountState, now: Instant) -> Vec<Coverage> {
        let is_sure = self.is_sure_of(account.id(), now);
        let of = |holding: &engine::Holding| {
            let position = &holding.position;
            let market = self.engine.market();
            let (price, instrument) =
                (market.price(&position.contract), market.instrument(&position.contract));
            let covering = account.covering(position, price, instrument, self.stop_rule(account));
            Coverage {
                account: account.id().clone(),
                contract: position.contract.clone(),
                covered: is_sure.then(|| self.coverage(account, holding).covered),
                held: position.exposure.size(),
                orders: covering.map(|order| order.id.clone()).collect(),
                at: now,
            }
        };
        account.holdings().map(of).collect()
    }

    /// What was not read since it became doubtful is not known (invariant 10).
    fn is_sure_of(&self, account: &AccountId, now: Instant) -> bool {
        self.links.user_up && self.reconciler.doubt_about(account, now).is_none()
    }
}

fn is_alike(old: &Coverage, new: &Coverage) -> bool {
    (&old.covered, old.held, &old.orders) == (&new.covered, new.held, &new.orders)
}

fn same(old: &AccountFigures, new: &AccountFigures) -> bool {
    let figures = |it: &AccountFigures| (it.realized, it.unrealized);
    old.account == new.account && figures(old) == figures(new) && old.error == new.error
}

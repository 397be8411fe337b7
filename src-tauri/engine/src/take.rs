//! Taking one event: the state step of every account it concerns, before anything is judged.

use domain::{
    Account, AccountId, Action, Command, ContractId, EndCause, Event, EventKind, Fill, Link, LockKey, Memory,
    Notice, Outcome, Question, Report, RuleKey, Rulebook, Severity, Snapshot, exchange,
    memory::WeekFigures,
    rulebook::{Holidays, Watched},
};

use chrono::TimeDelta;

use crate::{
    Engine, account::AccountState, engaged::Settled, judge::QUIET_AFTER_FAILURE, kinds::Kinds,
    ledger::Learned, rules,
};

impl Engine {
    pub(crate) fn take(&mut self, event: &Event, out: &mut Vec<Action>) {
        let now = self.now;
        match event {
            Event::Restored(memory) => self.restore(memory),
            Event::Rules(rulebook) => self.adopt(rulebook, out),
            Event::Account(account) => self.take_account(account, out),
            Event::Position(position) => self.with(&position.account, |account| {
                let kinds = account.learn_position(position, now);
                account.touched.add(kinds);
            }),
            Event::Order(order) => self.with(&order.account, |account| {
                account.note_executions(order, now);
                let kinds = account.learn_order(order, now);
                account.touched.add(kinds);
            }),
            Event::Fill(fill) => self.with(&fill.account, |account| account.take_fill(fill, now, out)),
            Event::Quote(quote) => self.take_quote(quote, out),
            Event::Bar { contract, at, close } => self.take_bar(contract, *at, *close),
            Event::Instrument(instrument) => {
                let contract = instrument.contract.clone();
                if self.market.learn_instrument(instrument.clone(), Some(now)) {
                    self.revalue(&contract);
                    self.accounts.values_mut().for_each(|account| account.averages.stale = true);
                }
            }
            Event::Snapshot(snapshot) => self.take_snapshot(snapshot, out),
            Event::Orders { account, orders, asked_at } => self.with(account, |account| {
                let differences = account.orders_differ(orders, *asked_at);
                account.tell_differences_of(differences, out);
                let kinds = account.take_orders(orders, *asked_at, now);
                account.stops.inquiry.answered(*asked_at);
                // An answer is news even when nothing differs: a grace may have been waiting for it.
                account.touched.add(kinds.with(EventKind::TimeTick));
            }),
            Event::Positions { account, positions, asked_at } => self.with(account, |account| {
                let kinds = account.take_positions(positions, *asked_at, TimeDelta::zero(), now);
                account.touched.add(kinds);
            }),
            Event::Unanswered(question) => self.take_unanswered(question),
            Event::Link(link) => self.take_link(link, out),
            Event::Report(report) => self.take_report(report),
            Event::Command(command) => self.take_command(command, out),
            Event::Tick => {
                self.ticked = now;
                self.touch_all(EventKind::TimeTick);
            }
        }
    }

    fn with(&mut self, id: &AccountId, learn: impl FnOnce(&mut AccountState)) {
        if let Some(account) = self.accounts.get_mut(id) {
            learn(account);
        }
    }

    pub(crate) fn touch_all(&mut self, kind: EventKind) {
        for account in self.accounts.values_mut() {
            account.touched.add(Kinds::NONE.with(kind));
        }
    }

    fn restore(&mut self, memory: &Memory) {
        self.next_enforcement = self.next_enforcement.max(memory.next_enforcement);
        self.remembered = memory.accounts.clone();
        for instrument in &memory.instruments {
            self.market.learn_instrument(instrument.clone(), None);
        }
        let ids: Vec<AccountId> = memory.accounts.keys().cloned().collect();
        for id in ids {
            self.account_mut(&id);
        }
    }

    /// The account, made from what is remembered of it if this is the first time it is named.
    fn account_mut(&mut self, id: &AccountId) -> &mut AccountState {
        let (rulebook, now, remembered) = (&self.rulebook, self.now, &mut self.remembered);
        self.accounts.entry(id.clone()).or_insert_with(|| {
            let mut account = AccountState::new(id.clone(), rulebook, now);
            if let Some(memory) = remembered.remove(id) {
                account.remember(memory);
            }
            account
        })
    }

    fn is_watched(&self, id: &AccountId) -> bool {
        match &self.rulebook.accounts {
            Watched::All => true,
            Watched::Listed(ids) => ids.contains(id),
        }
    }

    fn take_account(&mut self, account: &Account, out: &mut Vec<Action>) {
        if !self.is_watched(&account.id) {
            return;
        }
        self.account_mut(&account.id);
        let Self { accounts, rulebook, now, .. } = self;
        let Some(state) = accounts.get_mut(&account.id) else { return };
        let kinds = state.learn_account(account);
        state.touched.add(kinds);
        state.watch_permission(rulebook, *now, out);
    }

    fn take_snapshot(&mut self, snapshot: &Snapshot, out: &mut Vec<Action>) {
        if !self.is_watched(&snapshot.account.id) {
            return;
        }
        self.account_mut(&snapshot.account.id);
        let Self { accounts, rulebook, now, .. } = self;
        let Some(account) = accounts.get_mut(&snapshot.account.id) else { return };
        account.compare_day(snapshot, out);
        let differences = account.differs(snapshot);
        account.tell_differences_of(differences, out);
        let (kinds, fills) = account.learn_snapshot(snapshot, *now);
        account.stops.inquiry.answered(snapshot.asked_at);
        account.touched.add(kinds);
        for (fill, learned) in fills {
            account.record_fill(&fill, learned, out);
        }
        account.watch_permission(rulebook, *now, out);
        account.ask_all = true;
    }

    fn take_unanswered(&mut self, question: &Question) {
        let now = self.now;
        match question {
            Question::Orders { account } => {
                self.with(account, |account| account.stops.inquiry.unanswered(now));
            }
            Question::Everything { account } => self.with(account, |account| account.asked_everything = None),
            Question::LatestBar { contract } => self.take_no_bar(contract),
            // Asked again by themselves after a while.
            Question::Instrument { .. } | Question::Accounts => {}
        }
    }

    fn take_link(&mut self, link: &Link, out: &mut Vec<Action>) {
        match link {
            Link::MarketUp => self.market.connected(true, self.now),
            Link::MarketDown { .. } => self.market.connected(false, self.now),
            Link::UserDown { .. } => self.accounts.values_mut().for_each(AccountState::stream_lost),
            Link::UserUp | Link::LoggedIn | Link::LoginFailed { .. } | Link::LoginRefused { .. } => {}
        }
        self.touch_all(match link {
            Link::UserUp | Link::MarketUp => EventKind::SdkConnected,
            Link::UserDown { .. } | Link::MarketDown { .. } => EventKind::SdkDisconnected,
            Link::LoggedIn => EventKind::AuthSuccess,
            Link::LoginFailed { .. } | Link::LoginRefused { .. } => EventKind::AuthFailed,
        });
        if matches!(link, Link::MarketDown { .. }) {
            self.touch_all(EventKind::UnrealizedPnlUpdate);
        }
        self.watch_link(link, out);
    }

    fn take_report(&mut self, report: &Report) {
        let Self { accounts, rulebook, now, .. } = self;
        if let Some(account) = accounts.get_mut(&report.account) {
            account.take_report(report, &rulebook.holidays, *now);
        }
    }

    fn take_command(&mut self, command: &Command, out: &mut Vec<Action>) {
        let whose = match command {
            Command::Flatten { account }
            | Command::CancelAll { account }
            | Command::LockOut { account, .. } => account.clone(),
            Command::Override { key, reason } => return self.override_lockout(key, reason, out),
        };
        for account in self.accounts.values_mut() {
            if whose.as_ref().is_none_or(|id| *id == account.id) {
                account.commands.push(command.clone());
                account.ask_all = true;
            }
        }
    }

    /// The trader's own lock stays: nobody can take it back (ruling 8).
    fn override_lockout(&mut self, key: &LockKey, reason: &str, out: &mut Vec<Action>) {
        if key.rule == RuleKey::Trader {
            return;
        }
        let now = self.now;
        self.with(&key.account, |account| {
            if let Some(lockout) = account.lockouts.end(key, now) {
                let cause = EndCause::Override { reason: reason.to_string() };
                account.unlocked(lockout, cause, out);
            }
        });
    }

    /// New rules: every account gets them between two events, and lockouts that follow the
    /// configuration end if it no longer asks for them. Which accounts are watched changes with a start
    /// only (specification C.16): half a change would leave an account unguarded that is said to be guarded.
    fn adopt(&mut self, rulebook: &Rulebook, out: &mut Vec<Action>) {
        let watched = std::mem::take(&mut self.rulebook.accounts);
        let old_reset = std::mem::replace(&mut self.rulebook, rulebook.clone()).reset;
        if !self.accounts.is_empty() {
            self.rulebook.accounts = watched;
        }
        let now = self.now;
        for account in self.accounts.values_mut() {
            let rules = self.rulebook.of(&account.id);
            account.rules = rules::build(rules, rulebook.dry_run);
            account.stop_rule = rules.no_stop_loss_grace.settings.clone();
            account.managed.adopt(rules);
            account.adopt_hours(&self.rulebook, now, out);
            if self.rulebook.reset != old_reset {
                account.adopt_reset(self.rulebook.reset, now, out);
            }
            account.release(now, out);
            account.ask_all = true;
            account.touched.add(Kinds::NONE.with(EventKind::ConfigChanged));
        }
    }
}

impl AccountState {
    fn remember(&mut self, memory: domain::memory::AccountMemory) {
        for lockout in memory.lockouts {
            self.lockouts.set(lockout);
        }
        self.stops.restored = memory.stop_deadlines;
        for managed in memory.managed.values() {
            self.own.restore_orders(managed);
        }
        self.managed.restore(memory.managed);
        if let Some(day) = memory.day {
            self.ledger.resume(day.day, memory.day_began);
            self.day_told = true;
        }
        let monday = self.ledger.day().week();
        self.week = memory.week.filter(|week| week.monday == monday).unwrap_or(WeekFigures {
            monday,
            realized: domain::Usd::ZERO,
            trades: 0,
        });
        for close in memory.closes {
            self.own.restore(close);
        }
        for known in memory.fills {
            self.ledger.restore(known);
        }
    }

    fn take_fill(&mut self, fill: &Fill, now: domain::Instant, out: &mut Vec<Action>) {
        let (kinds, learned) = self.learn_fill(fill, now);
        self.touched.add(kinds);
        if learned == Learned::New && !fill.voided && self.own.placed(&fill.order) {
            self.own_order_filled(fill, now);
        }
        self.record_fill(fill, learned, out);
    }

    fn record_fill(&self, fill: &Fill, learned: Learned, out: &mut Vec<Action>) {
        if learned == Learned::Nothing {
            return;
        }
        if let Some(known) = self.ledger.known(&fill.id) {
            out.push(Action::RecordFill {
                fill: known.fill.clone(),
                own: known.own,
                locked: known.locked,
                day: self.ledger.day_of(fill.at),
            });
        }
    }

    fn take_report(&mut self, report: &Report, holidays: &Holidays, now: domain::Instant) {
        let settled = match &report.contract {
            Some(contract) => Settled {
                contracts: self
                    .engaged
                    .settle_contract(report.enforcement, contract)
                    .map(|engagement| vec![(contract.clone(), engagement)])
                    .unwrap_or_default(),
                ..Settled::default()
            },
            None => self.engaged.settle(report.enforcement),
        };
        let failed = matches!(report.outcome, Outcome::Failed { .. });
        for (contract, engagement) in settled.contracts {
            self.races.ended(&contract, now);
            self.own.ended(&contract, now);
            if failed {
                self.loops.failed(&contract, engagement.since);
                self.keep_still(contract, engagement.rules, (report.market_shut, holidays), now);
            }
        }
        for contract in settled.placing.into_iter().filter(|_| failed) {
            self.keep_still(contract, vec![RuleKey::TradeManagement], (report.market_shut, holidays), now);
        }
        if failed {
            let works = |order: &domain::OrderId| self.orders.contains_key(order);
            let quiet = |order| (order, now + QUIET_AFTER_FAILURE);
            self.quiet_orders.extend(settled.orders.into_iter().filter(works).map(quiet));
            self.quiet_changes.extend(settled.changing.into_iter().filter(works).map(quiet));
        }
        self.ask_all = true;
    }

    /// After a failure: the rules for a moment, all of them where the market is shut.
    fn keep_still(
        &mut self,
        contract: ContractId,
        rules: Vec<RuleKey>,
        (market_shut, holidays): (bool, &Holidays),
        now: domain::Instant,
    ) {
        if market_shut && let Some(holding) = self.positions.get(&contract) {
            let open = exchange::open_since(&holding.position.symbol, now, holidays);
            return self.shut.refused(contract, open.is_none(), now);
        }
        let until = now + QUIET_AFTER_FAILURE;
        self.quiet.extend(rules.into_iter().map(|rule| ((rule, Some(contract.clone())), until)));
    }

    /// Ends lockouts that follow the configuration and are no longer asked for.
    fn release(&mut self, now: domain::Instant, out: &mut Vec<Action>) {
        let released: Vec<LockKey> = self
            .lockouts
            .iter()
            .filter(|lockout| lockout.end == domain::LockEnd::Config)
            .filter(|lockout| {
                let rule = self.rules.iter().find(|armed| armed.key() == lockout.key.rule);
                rule.is_none_or(|armed| armed.releases(lockout))
            })
            .map(|lockout| lockout.key.clone())
            .collect();
        for key in released {
            if let Some(lockout) = self.lockouts.end(&key, now) {
                self.unlocked(lockout, EndCause::Config, out);
            }
        }
    }

    /// Says that a lockout ended.
    pub(crate) fn unlocked(&mut self, lockout: domain::Lockout, cause: EndCause, out: &mut Vec<Action>) {
        out.push(Action::Unlock { key: lockout.key.clone(), cause: cause.clone() });
        self.alert(Severity::Info, Notice::Unlocked { lockout: Box::new(lockout), cause }, out);
        self.ask_all = true;
    }
}

//! Judging one account after something changed: gate, rules, one merged list of actions
//! (specification C.1 to C.3).

use chrono::TimeDelta;
use domain::{
    Action, Alert, Breach, Command, Instant, LockEnd, LockKey, LockKind, Lockout, Notice, Observation, Order,
    Priority, Question, RuleKey, RuleMode, Severity, exchange, rulebook::Holidays,
};

use crate::{
    account::AccountState,
    gate::priority,
    kinds::Kinds,
    market::Market,
    rules::{Finding, Lock, Reckoned, Remedy, Rule, Scene, Verdict},
    stopwatch::Stopwatch,
    wants::{Protect, Want, Wants},
};

/// After a failure the same rule keeps still about the same position for this long (specification B.0).
pub(crate) const QUIET_AFTER_FAILURE: TimeDelta = TimeDelta::seconds(10);
/// How long positions and fills may tell different stories before everything is asked for.
pub(crate) const DISAGREE_FOR: TimeDelta = TimeDelta::seconds(1);
/// Shortest time between two such questions.
pub(crate) const ASK_EVERYTHING_AT_MOST_EVERY: TimeDelta = TimeDelta::seconds(5);

/// What judging needs beside the account.
pub(crate) struct Court<'a> {
    pub now: Instant,
    pub market: &'a Market,
    /// Days without trading.
    pub holidays: &'a Holidays,
    /// Shares of a limit at which people are told, in percent.
    pub warn_at: &'a [u32],
    pub next_enforcement: &'a mut u64,
    pub watch: &'a mut dyn Stopwatch,
    pub out: &'a mut Vec<Action>,
}

impl AccountState {
    /// Judges everything that changed since the last time.
    pub(crate) fn judge(&mut self, court: &mut Court<'_>) {
        if !self.known && !self.commands.is_empty() {
            // A person's word counts at once: the broker's own lists tell what there is to close.
            let mut wants = Wants::default();
            self.obey(&mut Vec::new(), &mut wants, court);
            self.decide(wants, court);
        }
        let kinds = std::mem::take(&mut self.touched);
        let waited = self.quiet_ended(court) | self.loops.is_due(court.now);
        let mut ask_all = std::mem::take(&mut self.ask_all) | waited;
        self.ratchet_baselines(court);
        if !self.known || (kinds.is_empty() && !ask_all) {
            return;
        }
        let knew_prices = self.knows_prices(court.market);
        if !ask_all && knew_prices && self.stays_calm(kinds, court.market, court.now) {
            return;
        }
        self.races.forget_old(court.now);
        self.compare_books(court.now);
        ask_all |= self.settle_results(kinds, court);
        self.admit_last_second(court);
        let reckoned = Reckoned::of(self, court.market);
        self.watch_stops(kinds, &reckoned, court);
        self.mind_managed(kinds, &reckoned, court);
        let mut wants = Wants::default();
        self.gate(&[], court.now, &mut wants);
        self.withdraw_own(&mut wants);
        let mut fresh = Vec::new();
        self.obey(&mut fresh, &mut wants, court);
        self.gate_fresh(&fresh, 0, &mut wants, court);
        self.ask_rules(kinds, ask_all, &reckoned, &mut fresh, &mut wants, court);
        self.news.clear();
        self.tidy_up(&mut wants, court.now);
        let is_content = wants.is_empty();
        if !is_content {
            self.decide(wants, court);
        }
        self.warn_near(kinds, &reckoned, court);
        self.inquire(court);
        let is_judged = knew_prices || self.judges_values(kinds, ask_all);
        let may_rest = is_content && is_judged;
        self.calm = if may_rest { self.find_calm(kinds, &reckoned, court) } else { None };
    }

    fn quiet_ended(&mut self, court: &Court<'_>) -> bool {
        let now = court.now;
        let positions = &self.positions;
        let opened = self.shut.pass(now, |contract| {
            let symbol = positions.get(contract).map(|holding| &holding.position.symbol);
            symbol.is_some_and(|symbol| exchange::open_since(symbol, now, court.holidays).is_some())
        });
        let count = |it: &Self| it.quiet.len() + it.quiet_orders.len() + it.quiet_changes.len();
        let before = count(self);
        if before == 0 {
            return opened;
        }
        self.quiet.retain(|_, until| now < *until);
        self.quiet_orders.retain(|_, until| now < *until);
        self.quiet_changes.retain(|_, until| now < *until);
        opened || count(self) < before
    }

    fn ratchet_baselines(&mut self, court: &mut Court<'_>) {
        if self.reduced.is_empty() {
            return;
        }
        for (contract, held) in std::mem::take(&mut self.reduced) {
            for lockout in self.lockouts.ratchet(&contract, held) {
                court.out.push(Action::Lock { lockout: Box::new(lockout) });
            }
        }
    }

    /// Carries out what a person asked for.
    fn obey(&mut self, fresh: &mut Vec<LockKey>, wants: &mut Wants, court: &mut Court<'_>) {
        for command in std::mem::take(&mut self.commands) {
            let breach = |name: &str, until| Breach::TraderCommand { command: name.to_string(), until };
            match command {
                Command::Flatten { .. } => {
                    wants.flatten(Want::new(RuleKey::Trader, breach("flatten", None), Priority::Critical));
                }
                Command::CancelAll { .. } => {
                    // A person is never told to wait.
                    self.quiet_orders.clear();
                    let orders = self.working_orders().map(|known| &known.order);
                    let orders: Vec<Order> = orders.filter(|it| self.is_cancellable(it)).cloned().collect();
                    for order in &orders {
                        self.managed.given_up(order);
                        let want = Want::new(RuleKey::Trader, breach("cancel", None), Priority::High);
                        wants.cancel(&order.id, want);
                    }
                }
                Command::LockOut { until, .. } => {
                    let end = until.map_or(LockEnd::Reset(self.ledger.span().ends), LockEnd::Time);
                    let name = if until.is_none() { "done" } else { "lock" };
                    let breach = breach(name, end.at());
                    self.lock(RuleKey::Trader, breach, Lock::hard(end), fresh, wants, court);
                }
                Command::Override { .. } => {}
            }
        }
    }

    fn ask_rules(
        &mut self,
        kinds: Kinds,
        ask_all: bool,
        reckoned: &Reckoned<'_>,
        fresh: &mut Vec<LockKey>,
        wants: &mut Wants,
        court: &mut Court<'_>,
    ) {
        let mut rules = std::mem::take(&mut self.rules);
        let mut findings = Vec::new();
        // What one rule locks in this step silences none of the others: each breach gets its record.
        let lock = self.lockouts.supervision(court.now);
        for armed in &mut rules {
            let asked = ask_all || armed.is_asked(kinds, court.now);
            if !asked || !applies_while(armed.key(), lock) {
                continue;
            }
            armed.asked = Some(court.now);
            let scene = Scene {
                now: court.now,
                account: self,
                market: court.market,
                reckoned,
                kinds,
                planned: &wants.planned,
                day_end: self.ledger.span().ends,
            };
            let before = fresh.len();
            court.watch.begin();
            let begins_to_fail = armed.ask(&scene, &mut findings);
            court.watch.end(armed.key());
            if begins_to_fail {
                self.alert(Severity::Error, Notice::RuleFailed { rule: armed.key() }, court.out);
            }
            self.take_findings(
                armed.rule.as_ref(),
                armed.mode,
                &armed.verdict,
                &mut findings,
                fresh,
                wants,
                court,
            );
            self.gate_fresh(fresh, before, wants, court);
        }
        self.rules = rules;
    }

    /// What a lockout that was set just now forbids is gone for the rules that are asked next: they do not
    /// close a second position for an excess that is being closed already.
    fn gate_fresh(&self, fresh: &[LockKey], before: usize, wants: &mut Wants, court: &Court<'_>) {
        if fresh.len() > before {
            self.gate(fresh, court.now, wants);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one verdict")]
    fn take_findings(
        &mut self,
        rule: &dyn Rule,
        mode: RuleMode,
        verdict: &Verdict,
        findings: &mut Vec<Finding>,
        fresh: &mut Vec<LockKey>,
        wants: &mut Wants,
        court: &mut Court<'_>,
    ) {
        if findings.is_empty() && self.observed.is_empty() {
            return;
        }
        match mode {
            RuleMode::Enforce => {
                let is_told = |it: &Finding| matches!(it.remedy, Remedy::Tell { .. });
                let (told, done): (Vec<_>, Vec<_>) = findings.drain(..).partition(is_told);
                for finding in done {
                    self.enforce(rule.key(), finding, fresh, wants, court);
                }
                self.observe(rule.key(), RuleMode::Warn, verdict, told.into_iter(), wants, court);
            }
            RuleMode::Warn | RuleMode::Observe => {
                self.observe(rule.key(), mode, verdict, findings.drain(..), wants, court);
            }
        }
    }

    fn enforce(
        &mut self,
        rule: RuleKey,
        finding: Finding,
        fresh: &mut Vec<LockKey>,
        wants: &mut Wants,
        court: &mut Court<'_>,
    ) {
        let Finding { breach, remedy } = finding;
        match remedy {
            Remedy::Reduce { contract, to } => {
                wants.reduce(&contract, Want::new(rule, breach, Priority::Medium).down_to(to));
            }
            Remedy::Covered => wants.covered(rule),
            Remedy::Lock(lock) => self.lock(rule, breach, lock, fresh, wants, court),
            Remedy::Cancel(order) => wants.cancel(&order, Want::new(rule, breach, Priority::Medium)),
            Remedy::Place { ticket, meant } => {
                wants
                    .protect
                    .push((Protect::Place { ticket, meant }, Want::new(rule, breach, Priority::Low)));
            }
            Remedy::Modify { order, ticket } => {
                let want = Want::new(rule, breach, Priority::Low);
                wants.protect.push((Protect::Modify { order, ticket }, want));
            }
            Remedy::Tell { .. } => {}
        }
    }

    /// Sets a record or extends it. An account that is being made flat already is not flattened again.
    fn lock(
        &mut self,
        rule: RuleKey,
        breach: Breach,
        lock: Lock,
        fresh: &mut Vec<LockKey>,
        wants: &mut Wants,
        court: &mut Court<'_>,
    ) {
        let (kind, end, flatten) = (lock.kind, lock.end, lock.flatten);
        let lockout = self.record_of(rule, breach.clone(), lock, court.now);
        let key = lockout.key.clone();
        let is_new = !self.lockouts.has(&key);
        let is_shut = self.lockouts.supervision(court.now) == Some(LockKind::Hard);
        let Some(lockout) = self.lockouts.set(lockout) else { return };
        court.out.push(Action::Lock { lockout: Box::new(lockout) });
        if kind == LockKind::Timer {
            self.promise_rest();
        }
        if flatten && is_new && !is_shut {
            wants.flatten(Want::new(rule, breach, priority(kind)));
        }
        if end == LockEnd::SessionStart(None) && is_new {
            let notice = Notice::NoTradingHours { symbol: key.symbol.clone() };
            self.alert(Severity::Critical, notice, court.out);
        }
        fresh.push(key);
    }

    pub(crate) fn record_of(&self, rule: RuleKey, breach: Breach, lock: Lock, now: Instant) -> Lockout {
        let Lock { kind, symbol, cause, end, baseline, exempt, flatten: _ } = lock;
        let key = LockKey { account: self.id.clone(), rule, symbol, cause };
        Lockout { key, kind, breach, since: now, end, day: self.ledger.day(), baseline, exempt }
    }

    /// Tells once what a rule that does not enforce has found, until it is no longer the case.
    fn observe(
        &mut self,
        rule: RuleKey,
        mode: RuleMode,
        verdict: &Verdict,
        findings: impl Iterator<Item = Finding>,
        wants: &Wants,
        court: &mut Court<'_>,
    ) {
        let mut current = Vec::new();
        for finding in findings {
            let (about, lock) = match &finding.remedy {
                Remedy::Reduce { contract, .. } => (contract.to_string(), None),
                Remedy::Covered => (String::new(), None),
                Remedy::Lock(Lock { kind, symbol, cause, end, .. }) => {
                    let symbol = symbol.as_ref().map(ToString::to_string).unwrap_or_default();
                    (format!("{symbol}/{cause}"), Some((*kind, *end)))
                }
                Remedy::Cancel(order) => (order.to_string(), None),
                Remedy::Place { ticket, .. } => (format!("{}/{:?}", ticket.contract, ticket.leg), None),
                Remedy::Modify { order, .. } => (order.to_string(), None),
                Remedy::Tell { about } => (about.clone(), None),
            };
            current.push((rule, about.clone()));
            if self.observed.insert((rule, about)) {
                self.observed_today += 1;
                let omitted = self.omitted(rule, &finding.breach, finding.remedy, wants, court.now);
                court.out.push(Action::Observe(Box::new(Observation {
                    account: self.id.clone(),
                    rule,
                    breach: finding.breach,
                    lock: lock.map(|(kind, _)| kind),
                    end: lock.map(|(_, end)| end),
                    omitted,
                    detected_at: court.now,
                    warn: mode == RuleMode::Warn,
                })));
            }
        }
        if !matches!(verdict, Verdict::Skipped(_) | Verdict::Failed) {
            self.observed.retain(|known| known.0 != rule || current.contains(known));
        }
    }

    fn tidy_up(&mut self, wants: &mut Wants, now: Instant) {
        for (contract, tidy) in self.take_leftovers(now) {
            let symbol = self.symbol(&contract).cloned();
            for it in tidy {
                let breach = Breach::Leftover { symbol: symbol.clone() };
                wants.tidy(it, Want::new(RuleKey::NoStopLossGrace, breach, Priority::Low));
            }
        }
    }

    fn inquire(&mut self, court: &mut Court<'_>) {
        if self.stops.inquiry.ask(court.now) {
            court.out.push(Action::Ask(Question::Orders { account: self.id.clone() }));
        }
        let disagree = self.disagree_since.is_some_and(|since| court.now >= since + DISAGREE_FOR);
        let due = disagree || self.owed.is_overdue(court.now);
        let asked = self.asked_everything.is_some_and(|at| court.now < at + ASK_EVERYTHING_AT_MOST_EVERY);
        if due && !asked {
            self.asked_everything = Some(court.now);
            court.out.push(Action::Ask(Question::Everything { account: self.id.clone() }));
        }
    }

    /// Sends people a message about this account.
    pub(crate) fn alert(&self, severity: Severity, notice: Notice, out: &mut Vec<Action>) {
        out.push(Action::Alert(Alert { severity, account: Some(self.id.clone()), notice }));
    }
}

/// Which rules are still asked while an account-wide lockout is active (specification B.0).
fn applies_while(rule: RuleKey, lock: Option<LockKind>) -> bool {
    let adds_locks = matches!(
        rule,
        RuleKey::DailyRealizedLoss
            | RuleKey::SessionBlockOutside
            | RuleKey::AuthLossGuard
            | RuleKey::DailyRealizedProfit
    );
    let opens_exposure = matches!(
        rule,
        RuleKey::MaxContracts | RuleKey::MaxContractsPerInstrument | RuleKey::TradeFrequencyLimit
    );
    match lock {
        Some(LockKind::Hard) => adds_locks,
        Some(LockKind::Timer) => !opens_exposure,
        Some(LockKind::Symbol) | None => true,
    }
}

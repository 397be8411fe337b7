//! What time alone brings: daily resets, ends of lockouts, and the next instant at which the engine
//! wants to be asked (specification C.4 to C.6).

use domain::{
    Action, DailyReset, EventKind, Instant, LockEnd, LockKey, Lockout, Notice, Severity, memory::WeekFigures,
    rulebook::ResetUnlocks,
};

use crate::{Engine, account::AccountState, kinds::Kinds, ledger::Day};

/// Missed resets are made up for, one a trading day, for at most this many days.
const MISSED_RESETS: usize = 31;

/// An instant at which the engine wants a [`domain::Event::Tick`], and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// When.
    pub at: Instant,
    /// Why.
    pub why: Why,
}

/// Why the engine wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The trading day ends.
    DayEnds,
    /// A lockout ends.
    LockoutEnds,
    /// A position has been without complete stop for long enough.
    StopGraceEnds,
    /// Orders left behind by a position are to be looked at.
    LeftoversDue,
    /// A rule that failed may try again.
    QuietEnds,
    /// A question for the working orders may be put.
    OrdersWanted,
    /// A quote waits for its evaluation.
    QuoteWaits,
    /// Quotes that arrived late do so no more.
    QuotesInTime,
    /// A bar may be asked for.
    BarWanted,
    /// The stream of quotes has been silent for too long.
    StreamSilent,
    /// Trouble is told again.
    TroubleDue,
    /// A closing fill without a result of the broker is counted by its own price.
    ResultDue,
    /// Trading hours begin or end.
    HoursChange,
    /// Positions may not stay any longer after the end of the trading hours.
    SessionGraceEnds,
    /// A contract that was acted on too often may be acted on again.
    LoopRoom,
}

impl Engine {
    /// The next instant at which something is due by time alone. What a tick has seen to be due, and what
    /// now waits for something else, is looked at with the ticks of every second.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        let market = self.market.next_deadline(self.now);
        let shared = [market, self.vigil_deadline()].into_iter().flatten();
        let accounts = self.accounts.values().flat_map(AccountState::deadlines);
        accounts.chain(shared).filter(|deadline| deadline.at > self.ticked).min()
    }

    pub(crate) fn pass_time(&mut self, before: Instant, out: &mut Vec<Action>) {
        let (now, reset) = (self.now, self.rulebook.reset);
        for account in self.accounts.values_mut() {
            account.begin_days(&reset, now, out);
            account.stay_locked(self.rulebook.reset_unlocks, now, out);
            account.pass_hours(before, now, out);
            for (lockout, cause) in account.lockouts.take_due(now) {
                account.unlocked(lockout, cause, out);
            }
        }
        self.pass_market_time(out);
    }
}

impl AccountState {
    /// Ends the open day and begins the next, once for each day that was missed. A day that is open
    /// already and not told yet, as at the first start, is only told.
    fn begin_days(&mut self, reset: &DailyReset, now: Instant, out: &mut Vec<Action>) {
        let mut day = self.ledger.span();
        if self.day_told && now < day.ends {
            return;
        }
        let mut begun = Vec::new();
        if !self.day_told {
            begun.push(day);
        }
        let mut closed = None;
        if day.ends <= now {
            closed = Some(self.ledger.figures());
        }
        while day.ends <= now {
            day = day.next(reset);
            begun.push(day);
        }
        let surplus = begun.len().saturating_sub(MISSED_RESETS);
        for Day { label, began, .. } in begun.into_iter().skip(surplus) {
            let is_first = !std::mem::replace(&mut self.day_told, true);
            let closed = if is_first { None } else { closed.take() };
            out.push(Action::Reset { account: self.id.clone(), closed, day: label, scheduled: began });
        }
        if day != self.ledger.span() {
            self.end_day(day, out);
        }
        self.touched.add(Kinds::NONE.with(EventKind::SessionTick));
        self.ask_all = true;
    }

    /// Lockouts that this reset does not end last until the next one.
    fn stay_locked(&mut self, unlocks: ResetUnlocks, now: Instant, out: &mut Vec<Action>) {
        let ends = self.ledger.span().ends;
        if self.lockouts.is_empty() {
            return;
        }
        let is_kept =
            |it: &&Lockout| matches!(it.end, LockEnd::Reset(at) if at <= now) && !unlocks.ends(it.key.rule);
        let kept: Vec<LockKey> = self.lockouts.iter().filter(is_kept).map(|it| it.key.clone()).collect();
        for key in kept {
            self.amend(&key, |lockout| lockout.end = LockEnd::Reset(ends), out);
        }
    }

    fn end_day(&mut self, next: Day, out: &mut Vec<Action>) {
        self.week = match self.week() {
            week if week.monday == next.label.week() => week,
            _ => WeekFigures { monday: next.label.week(), realized: domain::Usd::ZERO, trades: 0 },
        };
        self.carry_results();
        self.ledger.roll(next);
        self.near.forget();
        self.observed_today = 0;
        self.observed.clear();
        self.alert(Severity::Info, Notice::DayStarted { day: next.label }, out);
    }

    /// Another reset time. A lockout until the reset follows it, but never ends earlier than it would
    /// have (specification B.3).
    pub(crate) fn adopt_reset(&mut self, reset: DailyReset, now: Instant, out: &mut Vec<Action>) {
        self.ledger.reschedule(reset, now);
        let ends = self.ledger.span().ends;
        let keys: Vec<LockKey> = self.lockouts.iter().map(|it| it.key.clone()).collect();
        for key in keys {
            let later = |lockout: &mut Lockout| {
                if let LockEnd::Reset(at) = lockout.end {
                    lockout.end = LockEnd::Reset(at.max(ends));
                }
            };
            self.amend(&key, later, out);
        }
    }

    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Deadline> {
        let due = |at: Option<Instant>, why| at.map(|at| Deadline { at, why });
        let stop_graces = self.stops.deadlines().map(|at| Deadline { at, why: Why::StopGraceEnds });
        let session_graces = self.lockouts.iter().filter_map(Lockout::grace_ends);
        let session_graces = session_graces.map(|at| Deadline { at, why: Why::SessionGraceEnds });
        let quiet = self.quiet.values().chain(self.quiet_orders.values()).chain(self.quiet_changes.values());
        [
            due(self.lockouts.next_end(), Why::LockoutEnds),
            due(self.leftovers.next_due(), Why::LeftoversDue),
            due(quiet.min().copied(), Why::QuietEnds),
            due(self.shut.next_due(), Why::QuietEnds),
            due(self.stops.inquiry.due(), Why::OrdersWanted),
            due(self.averages.due, Why::ResultDue),
            due(Some(self.ledger.span().ends), Why::DayEnds),
            due(Some(self.sessions.next_change()), Why::HoursChange),
            due(self.loops.next_due(), Why::LoopRoom),
        ]
        .into_iter()
        .flatten()
        .chain(stop_graces)
        .chain(session_graces)
    }
}

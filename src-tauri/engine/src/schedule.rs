//! What time alone brings: daily resets, ends of lockouts, and the next instant at which the engine
//! wants to be asked (specification C.4 to C.6).

use domain::{Action, EventKind, Instant, Notice, Severity, TradingDay};

use crate::{Engine, account::AccountState, kinds::Kinds};

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
}

impl Engine {
    /// The next instant at which something is due by time alone. What a tick has seen to be due, and what
    /// now waits for something else, is looked at with the ticks of every second.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        let day = (!self.accounts.is_empty()).then(|| Deadline { at: self.day_end(), why: Why::DayEnds });
        let market = self.market.next_deadline(self.now);
        let shared = [day, market, self.vigil_deadline()].into_iter().flatten();
        let accounts = self.accounts.values().flat_map(AccountState::deadlines);
        accounts.chain(shared).filter(|deadline| deadline.at > self.ticked).min()
    }

    pub(crate) fn pass_time(&mut self, out: &mut Vec<Action>) {
        let (now, reset) = (self.now, self.rulebook.reset);
        let today = reset.day_of(now);
        for account in self.accounts.values_mut() {
            if account.ledger.day() < today || !account.day_told {
                account.begin_days(today, &reset, now, out);
            }
            for (lockout, cause) in account.lockouts.take_due(now) {
                account.unlocked(lockout, cause, out);
            }
        }
        self.pass_market_time(out);
    }
}

impl AccountState {
    /// Ends the open day and begins the next, once for each day that was missed.
    fn begin_days(
        &mut self,
        today: TradingDay,
        reset: &domain::DailyReset,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let first_start = !self.day_told && self.ledger.day() == today;
        let mut closed = (!first_start).then(|| self.ledger.figures());
        let mut missed: Vec<TradingDay> = match first_start {
            true => vec![today],
            false => self
                .ledger
                .day()
                .0
                .iter_days()
                .skip(1)
                .map(TradingDay)
                .take_while(|it| *it <= today)
                .collect(),
        };
        let surplus = missed.len().saturating_sub(MISSED_RESETS);
        for day in missed.drain(..).skip(surplus) {
            let scheduled = reset.on(day.0.pred_opt().unwrap_or(day.0));
            out.push(Action::Reset { account: self.id.clone(), closed: closed.take(), day, scheduled });
        }
        self.day_told = true;
        self.carry_results();
        self.ledger.roll(*reset, now);
        self.near.forget();
        self.observed_today = 0;
        self.observed.clear();
        self.touched.add(Kinds::NONE.with(EventKind::SessionTick));
        self.ask_all = true;
        if !first_start {
            self.alert(Severity::Info, Notice::DayStarted { day: today }, out);
        }
    }

    fn deadlines(&self) -> impl Iterator<Item = Deadline> {
        let due = |at: Option<Instant>, why| at.map(|at| Deadline { at, why });
        let graces = self.stops.deadlines().map(|at| Deadline { at, why: Why::StopGraceEnds });
        [
            due(self.lockouts.next_end(), Why::LockoutEnds),
            due(self.leftovers.next_due(), Why::LeftoversDue),
            due(self.quiet.values().chain(self.quiet_orders.values()).min().copied(), Why::QuietEnds),
            due(self.stops.inquiry.due(), Why::OrdersWanted),
            due(self.averages.due, Why::ResultDue),
        ]
        .into_iter()
        .flatten()
        .chain(graces)
    }
}

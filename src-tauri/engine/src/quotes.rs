//! The market's part of a step: quotes and bars in, who must be judged anew, what people are told and what
//! is asked (specification C.8). The market itself knows no accounts.

use chrono::TimeDelta;
use domain::{Action, Alert, ContractId, EventKind, Instant, Notice, Price, Question, Quote, Severity};

use crate::{Engine, account::AccountState, kinds::Kinds};

/// Time that passes between two steps in an engine that is asked every second; more means that a clock
/// moved or this computer slept.
const CLOCK_MOVED: TimeDelta = TimeDelta::seconds(5);

/// Changes after which other contracts may matter.
const MOVES_INTEREST: &[EventKind] = &[
    EventKind::PositionOpened,
    EventKind::PositionUpdated,
    EventKind::PositionClosed,
    EventKind::OrderPlaced,
    EventKind::OrderModified,
    EventKind::OrderPartiallyFilled,
    EventKind::OrderFilled,
    EventKind::OrderCancelled,
    EventKind::OrderExpired,
    EventKind::OrderRejected,
    EventKind::StateReconciled,
];

impl Engine {
    /// Sets the time of this step. As soon as there is an account, it never runs backwards.
    pub(crate) fn set_time(&mut self, now: Instant) {
        let now = if self.accounts.is_empty() { now } else { self.now.max(now) };
        if self.now > Instant::MIN_UTC && now - self.now > CLOCK_MOVED {
            self.market.clock_moved();
        }
        self.now = now;
    }

    /// What time alone brings to the market.
    pub(crate) fn pass_market_time(&mut self, out: &mut Vec<Action>) {
        let Self { market, accounts, rulebook, now, .. } = self;
        let turn = market.pass_time(*now, &rulebook.holidays, |contract| {
            accounts.values().any(|account| account.positions.contains_key(contract))
        });
        if turn.silent {
            self.touch_all(EventKind::UnrealizedPnlUpdate);
        }
        for contract in &turn.evaluate {
            self.revalue(contract);
        }
        for contract in turn.in_time {
            self.tell_holders(Severity::Info, &contract.clone(), Notice::QuotesInTime { contract }, out);
        }
        if let Some(contract) = turn.bar {
            out.push(Action::Ask(Question::LatestBar { contract }));
        }
    }

    pub(crate) fn take_quote(&mut self, quote: &Quote, out: &mut Vec<Action>) {
        let heard = self.market.learn_quote(quote, self.now);
        if heard.resumed {
            self.touch_all(EventKind::UnrealizedPnlUpdate);
        } else if heard.evaluate {
            self.revalue(&quote.contract);
        }
        let contract = || quote.contract.clone();
        if let Some(lag) = heard.late {
            let notice = Notice::QuotesLate { contract: contract(), lag_ms: lag.num_milliseconds() };
            self.tell_holders(Severity::Warning, &quote.contract, notice, out);
        }
        if heard.in_time {
            let notice = Notice::QuotesInTime { contract: contract() };
            self.tell_holders(Severity::Info, &quote.contract, notice, out);
        }
    }

    pub(crate) fn take_bar(&mut self, contract: &ContractId, at: Instant, close: Price) {
        if self.market.learn_bar(contract, at, close, self.now) {
            self.revalue(contract);
        }
    }

    pub(crate) fn take_no_bar(&mut self, contract: &ContractId) {
        if self.market.no_bar(contract) {
            self.revalue(contract);
        }
    }

    /// The value of a contract changed for those who hold it.
    pub(crate) fn revalue(&mut self, contract: &ContractId) {
        for account in self.accounts.values_mut().filter(|it| it.positions.contains_key(contract)) {
            account.touched.add(Kinds::NONE.with(EventKind::UnrealizedPnlUpdate));
        }
    }

    /// Notes which contracts matter, as the subscriptions follow them.
    pub(crate) fn mind_interest(&mut self) {
        let moved = Kinds::of(MOVES_INTEREST);
        let Self { market, accounts, now, .. } = self;
        if !accounts.values().any(|account| account.touched.touches(moved)) {
            return;
        }
        for account in accounts.values() {
            for position in account.holdings().map(|it| &it.position) {
                market.want(&position.contract, &position.symbol, *now);
            }
            for order in account.entries() {
                market.want(&order.contract, &order.symbol, *now);
            }
        }
        market.want_only(*now, |contract| {
            accounts.values().any(|account| {
                account.positions.contains_key(contract)
                    || account.entries().any(|it| it.contract == *contract)
            })
        });
    }

    /// What nobody holds concerns nobody.
    fn tell_holders(&self, severity: Severity, contract: &ContractId, notice: Notice, out: &mut Vec<Action>) {
        if self.accounts.values().any(|account| account.positions.contains_key(contract)) {
            out.push(Action::Alert(Alert { severity, account: None, notice }));
        }
    }
}

impl AccountState {
    /// Working orders that would open or enlarge exposure.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &domain::Order> {
        self.working_orders().map(|known| &known.order).filter(|order| self.is_entry(order))
    }
}

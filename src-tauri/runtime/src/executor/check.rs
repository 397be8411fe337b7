//! The final check of a flatten: the broker's own lists of positions and working orders, whatever is
//! known here (specification C.11, L-49, L-50). What they show is closed and cancelled as well.

use chrono::TimeDelta;
use domain::{
    AccountId, Contracts, EnforcementId, Event, Instant, Order, OrderKind, Position,
    broker::{Answer, Ask, Call, CallId, Class, Reply},
};

use super::{
    Effect, Executor, Floor, Purpose, in_words,
    lane::{Goal, Subject},
    wrong_answer,
};

/// Rounds of closing what a check found before the flatten is given up.
const ROUNDS: u32 = 3;
/// Questions that are not answered before the flatten is given up.
const UNANSWERED: u32 = 3;
/// Wait before the questions are put again.
const ASK_AGAIN: TimeDelta = TimeDelta::milliseconds(500);
/// The broker port answers within 2 s.
const LIMIT: TimeDelta = TimeDelta::milliseconds(2_500);

#[derive(Debug)]
pub(super) struct FinalCheck {
    at: Instant,
    asked: Option<Asked>,
    unanswered: u32,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    positions_call: CallId,
    orders_call: CallId,
    positions: Option<Vec<Position>>,
    orders: Option<Vec<Order>>,
}

impl FinalCheck {
    pub fn due(at: Instant) -> Self {
        Self { at, asked: None, unanswered: 0 }
    }

    pub fn deadline(&self) -> Option<Instant> {
        Some(self.asked.as_ref().map_or(self.at, |asked| asked.at + LIMIT))
    }

    fn again(&mut self, now: Instant) {
        self.asked = None;
        self.unanswered += 1;
        self.at = now + ASK_AGAIN;
    }
}

impl Executor {
    /// Puts the questions of checks that are due, and gives up those that were never answered.
    pub(super) fn run_checks(&mut self, floor: &mut Floor<'_>, effects: &mut Vec<Effect>) {
        let ids: Vec<EnforcementId> = self.checks.keys().copied().collect();
        for id in ids {
            let Some(account) = self.tasks.get(&id).map(|task| task.enforcement.account.clone()) else {
                continue;
            };
            let Some(check) = self.checks.get_mut(&id) else { continue };
            if check.deadline().is_some_and(|at| floor.now < at) {
                continue;
            }
            if check.asked.is_some() {
                check.again(floor.now);
            } else if check.unanswered >= UNANSWERED {
                let why = "closed as far as seen, but the broker did not confirm it".to_string();
                self.end(id, Err(why), floor, effects);
            } else {
                self.ask(id, account, floor, effects);
            }
        }
    }

    fn ask(
        &mut self,
        id: EnforcementId,
        account: AccountId,
        floor: &mut Floor<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let (positions_call, orders_call) = (floor.ids.fresh(), floor.ids.fresh());
        let asked = Asked { at: floor.now, positions_call, orders_call, positions: None, orders: None };
        if let Some(check) = self.checks.get_mut(&id) {
            check.asked = Some(asked);
        }
        for (call_id, call) in [
            (positions_call, Call::Verify { account: account.clone(), orders_since: floor.now }),
            (orders_call, Call::WorkingOrders(account)),
        ] {
            self.calls.insert(call_id, Purpose::Check(id));
            effects.push(Effect::Ask(Ask { id: call_id, class: Class::Enforcement, call }));
        }
    }

    pub(super) fn check_replied(
        &mut self,
        id: EnforcementId,
        reply: &Reply,
        floor: &mut Floor<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(check) = self.checks.get_mut(&id) else { return };
        let Some(asked) = check.asked.as_mut() else { return };
        match &reply.result {
            Ok(Answer::Verified { positions, .. }) if reply.id == asked.positions_call => {
                asked.positions = Some(positions.clone());
            }
            Ok(Answer::WorkingOrders(orders)) if reply.id == asked.orders_call => {
                asked.orders = Some(orders.clone());
            }
            Ok(other) => {
                tracing::warn!("{}", in_words(&wrong_answer(other)));
                check.again(floor.now);
            }
            Err(error) => {
                tracing::warn!(enforcement = id.0, "could not verify: {error}");
                check.again(floor.now);
            }
        }
        let Some(Asked { at, positions: Some(positions), orders: Some(orders), .. }) = &check.asked else {
            return;
        };
        let (positions, orders, asked_at) = (positions.clone(), orders.clone(), *at);
        self.compare(id, positions, orders, asked_at, floor, effects);
    }

    fn compare(
        &mut self,
        id: EnforcementId,
        positions: Vec<Position>,
        orders: Vec<Order>,
        asked_at: Instant,
        floor: &mut Floor<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let account = task.enforcement.account.clone();
        let open: Vec<(Subject, Goal)> = left_over(&positions, &orders);
        effects.push(Effect::Learn(Event::Positions { account: account.clone(), positions, asked_at }));
        effects.push(Effect::Learn(Event::Orders { account: account.clone(), orders, asked_at }));
        if open.is_empty() {
            task.verified(floor.now);
            self.end(id, Ok(()), floor, effects);
        } else if task.rounds >= ROUNDS {
            let why = format!("not flat after {ROUNDS} more rounds of closing");
            self.end(id, Err(why), floor, effects);
        } else {
            task.rounds += 1;
            task.unverified();
            self.checks.remove(&id);
            for (subject, goal) in open {
                self.join(id, &account, subject, goal);
            }
        }
    }
}

/// What the broker still reports: open positions, and orders that could open one. Market orders are
/// filling, suspended children end with their parents (ruling 22).
fn left_over(positions: &[Position], orders: &[Order]) -> Vec<(Subject, Goal)> {
    let positions = positions.iter().filter(|it| !it.exposure.is_flat()).map(|it| {
        let goal = Goal::AtMost { from: it.exposure, to: Contracts::ZERO };
        (Subject::Position(it.contract.clone()), goal)
    });
    let orders = orders
        .iter()
        .filter(|it| it.status.covers() && it.kind != OrderKind::Market)
        .map(|it| (Subject::Order(it.id.clone()), Goal::Ended));
    positions.chain(orders).collect()
}

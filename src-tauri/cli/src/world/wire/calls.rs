//! Asks to requests and answers to replies, with the real port's limits: a share of the budget, two or ten
//! seconds, one repetition after a session turned out to be over, never another one.

use std::time::{Duration, Instant as Monotonic};

use domain::{
    Instant,
    broker::{Answer, Ask, Call, CallError, CallId, Class, Reply, Signal},
};
use projectx::{
    budget::Cost,
    hub::{Which, account_topics, contract_topics},
    rest::{self, Plan, Response},
};

use super::{Net, Port, Received, RequestKey, Timer, session::Reason};

const ENFORCEMENT_TIMEOUT: Duration = Duration::from_secs(2);
const ROUTINE_TIMEOUT: Duration = Duration::from_secs(10);
const ROUTINE_PATIENCE: Duration = Duration::from_secs(30);
const ROUTINE_LIMIT: usize = 64;
const ENFORCEMENT_LIMIT: usize = 256;
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(10);

/// A call on its way.
#[derive(Debug)]
pub(super) struct Running {
    ask: Ask,
    plan: Plan,
    asked: Monotonic,
    /// When it left the queue; `None` while it waits for its turn.
    begun: Option<Monotonic>,
    until: Monotonic,
    waited: Duration,
    server_time: Option<Instant>,
    requests: Vec<Part>,
}

/// One request of a call.
#[derive(Debug)]
enum Part {
    NotYet,
    /// Waits for a session; the second time after one turned out to be over.
    Waiting {
        again: bool,
    },
    Sent {
        again: bool,
        token: String,
    },
    Answered(Response),
}

impl Running {
    fn limit(&self) -> Duration {
        match self.ask.class {
            Class::Enforcement => ENFORCEMENT_TIMEOUT,
            Class::Routine => ROUTINE_TIMEOUT,
        }
    }

    fn is_sent(&self) -> bool {
        self.requests.iter().any(|part| matches!(part, Part::Sent { .. }))
    }
}

impl Port {
    pub(super) fn take_ask(&mut self, ask: Ask, net: &mut Net<'_>) {
        match &ask.call {
            Call::Watch(accounts) => {
                let noted = account_topics(accounts).map(|topics| {
                    self.want(Which::User, topics, net);
                    Answer::Noted
                });
                self.reply(ask.id, noted, Duration::ZERO, None, net);
            }
            Call::WatchQuotes(contracts) => {
                self.want(Which::Market, contract_topics(contracts), net);
                self.reply(ask.id, Ok(Answer::Noted), Duration::ZERO, None, net);
            }
            Call::Accounts
            | Call::Snapshot { .. }
            | Call::WorkingOrders(_)
            | Call::Verify { .. }
            | Call::Instrument(_)
            | Call::SearchInstruments(_)
            | Call::LatestBar(_)
            | Call::Close { .. }
            | Call::Reduce { .. }
            | Call::Cancel { .. }
            | Call::Place { .. }
            | Call::Modify { .. }
            | Call::Resize { .. } => self.admit(ask, net),
        }
    }

    fn admit(&mut self, ask: Ask, net: &mut Net<'_>) {
        let now = net.monotonic();
        let plan = match rest::plan(&ask.call, net.host.look(net.now).wall) {
            Ok(plan) => plan,
            Err(error) => return self.reply(ask.id, Err(error), Duration::ZERO, None, net),
        };
        let (id, class) = (ask.id, ask.class);
        let others = self.calls.values().filter(|it| it.ask.class == class).count();
        let (most, patience) = match class {
            Class::Enforcement => (ENFORCEMENT_LIMIT, ENFORCEMENT_TIMEOUT),
            Class::Routine => (ROUTINE_LIMIT, ROUTINE_PATIENCE),
        };
        if others >= most {
            return self.reply(
                id,
                Err(CallError::RateLimited { retry_after: None }),
                Duration::ZERO,
                None,
                net,
            );
        }
        let cost = plan.cost();
        let requests = plan.requests.iter().map(|_| Part::NotYet).collect();
        let running = Running {
            ask,
            plan,
            asked: now,
            begun: None,
            until: now + patience,
            waited: Duration::ZERO,
            server_time: None,
            requests,
        };
        self.calls.insert(id, running);
        match class {
            Class::Enforcement => match self.budget.take(Class::Enforcement, cost) {
                Ok(()) => self.begin(id, net),
                Err(wait) => self.end(id, Err(CallError::RateLimited { retry_after: Some(wait) }), net),
            },
            Class::Routine => {
                self.turns.push_back(id);
                net.timer(now + patience, Timer::CallLimit(id));
                self.next_turns(net);
            }
        }
    }

    /// Lets routine calls go in their order, as far as the budget allows.
    pub(super) fn next_turns(&mut self, net: &mut Net<'_>) {
        let now = net.monotonic();
        while let Some(id) = self.turns.front().copied() {
            if let Some(until) = self.quiet_until.filter(|until| *until > now) {
                return net.timer(until, Timer::Turn);
            }
            let cost = self.calls.get(&id).map(|call| call.plan.cost());
            if let Some(Err(wait)) = cost.map(|cost| self.budget.take(Class::Routine, cost)) {
                return net.timer(now + wait, Timer::Turn);
            }
            self.turns.pop_front();
            self.begin(id, net);
        }
    }

    fn begin(&mut self, id: CallId, net: &mut Net<'_>) {
        let now = net.monotonic();
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.begun = Some(now);
        call.waited = now.saturating_duration_since(call.asked);
        call.until = now + call.limit();
        net.timer(call.until, Timer::CallLimit(id));
        let first = if call.plan.in_order { 1 } else { call.requests.len() };
        let asks_for_state = call.ask.call.asks_for_state();
        for part in &mut call.requests[..first] {
            *part = Part::Waiting { again: false };
        }
        if asks_for_state {
            self.queries += 1;
        }
        self.send_parts(id, net);
    }

    /// Sends what waits for a session, if there is one.
    fn send_parts(&mut self, id: CallId, net: &mut Net<'_>) {
        if let Some(error) = self.session.refusal() {
            return self.end(id, Err(error), net);
        }
        let (Some(token), Some(call)) = (self.session.token(), self.calls.get_mut(&id)) else { return };
        for (index, part) in call.requests.iter_mut().enumerate() {
            if let Part::Waiting { again } = *part {
                *part = Part::Sent { again, token: token.to_string() };
                let key = RequestKey::Call { call: id, index, again };
                net.send(key, &call.plan.requests[index], Some(token));
            }
        }
    }

    pub(super) fn send_waiting_calls(&mut self, net: &mut Net<'_>) {
        let begun: Vec<CallId> =
            self.calls.iter().filter(|(_, call)| call.begun.is_some()).map(|(id, _)| *id).collect();
        for id in begun {
            self.send_parts(id, net);
        }
    }

    pub(super) fn fail_waiting_calls(&mut self, net: &mut Net<'_>) {
        self.send_waiting_calls(net);
    }

    pub(super) fn call_answered(
        &mut self,
        id: CallId,
        (index, again): (usize, bool),
        result: Result<Received, CallError>,
        net: &mut Net<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Part::Sent { again: sent_again, token }) = call.requests.get(index) else { return };
        if *sent_again != again {
            return;
        }
        let token = token.clone();
        let received = match result {
            Ok(received) => received,
            Err(error) => return self.end(id, Err(error), net),
        };
        match received.response.status {
            401 if !again => {
                call.requests[index] = Part::Waiting { again: true };
                self.session_ended(&token, Reason::Expired, net);
                match self.budget.take(Class::Enforcement, Cost { requests: 1, bars: 0 }) {
                    Ok(()) => self.send_parts(id, net),
                    Err(wait) => {
                        self.end(id, Err(CallError::RateLimited { retry_after: Some(wait) }), net);
                    }
                }
                return;
            }
            401 => {}
            429 => {
                let pause = received.response.retry_after.unwrap_or(RATE_LIMIT_PAUSE);
                self.quiet_until = Some(net.monotonic() + pause);
                self.session.proved();
            }
            _ => self.session.proved(),
        }
        self.part_answered(id, index, received, net);
    }

    fn part_answered(&mut self, id: CallId, index: usize, received: Received, net: &mut Net<'_>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.server_time = call.server_time.max(received.server_time);
        call.requests[index] = Part::Answered(received.response);
        if let Some(part @ Part::NotYet) = call.requests.get_mut(index + 1) {
            *part = Part::Waiting { again: false };
            return self.send_parts(id, net);
        }
        let answered: Vec<Response> = call
            .requests
            .iter()
            .filter_map(|part| match part {
                Part::Answered(response) => Some(response.clone()),
                Part::NotYet | Part::Waiting { .. } | Part::Sent { .. } => None,
            })
            .collect();
        if answered.len() == call.requests.len() {
            let result = rest::finish(&call.ask.call, &answered);
            self.end(id, result, net);
        }
    }

    /// A call has waited or run for too long.
    pub(super) fn call_late(&mut self, id: CallId, net: &mut Net<'_>) {
        let Some(call) = self.calls.get(&id) else { return };
        let now = net.monotonic();
        if now < call.until {
            return net.timer(call.until, Timer::CallLimit(id));
        }
        let error = match call.begun {
            None => CallError::RateLimited { retry_after: None },
            Some(_) if call.is_sent() => CallError::TimedOut(call.limit()),
            Some(_) => self.session.absence(),
        };
        self.turns.retain(|waiting| *waiting != id);
        self.end(id, Err(error), net);
    }

    fn end(&mut self, id: CallId, result: Result<Answer, CallError>, net: &Net<'_>) {
        let Some(call) = self.calls.remove(&id) else { return };
        if call.ask.call.asks_for_state() {
            self.queries += 1;
        }
        self.reply(id, result, call.waited, call.server_time, net);
    }

    fn reply(
        &mut self,
        id: CallId,
        result: Result<Answer, CallError>,
        waited: Duration,
        server_time: Option<Instant>,
        net: &Net<'_>,
    ) {
        self.tell(Signal::Reply(Reply { id, result, waited, server_time }), net);
    }
}

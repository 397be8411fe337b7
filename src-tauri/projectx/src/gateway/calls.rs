//! Takes asks and answers every one of them exactly once. Calls run side by side: a slow read never
//! delays a close.
//!
//! Nothing is repeated here, except once after the session turned out to be over, which the gateway says
//! before it does anything. When too much is asked at once: routine calls beyond [`ROUTINE_LIMIT`] and
//! enforcement calls beyond [`ENFORCEMENT_LIMIT`] are answered with [`CallError::RateLimited`], unsent.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex as SyncMutex, PoisonError, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use domain::{
    Instant as Utc,
    broker::{Answer, Ask, Call, CallError, Class, Reply, Signal, Stamped},
};
use futures_util::future::try_join_all;
use tokio::{
    sync::{Mutex, Semaphore, mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};

use super::{
    clock::{Monotonic, now, system_time},
    http::{Post, Received},
    line::stopped,
    outlet::Outlet,
    session::{Reason, Session},
    told,
};
use crate::{
    budget::{Budget, Cost},
    hub::{Topic, account_topics, contract_topics},
    rest::{self, Plan, Request, Response},
    session::Token,
};

/// From the ask to the answer of a call that protects (specification C.11).
const ENFORCEMENT_TIMEOUT: Duration = Duration::from_secs(2);

/// From leaving the queue to the answer of any other call (specification C.12).
pub(super) const ROUTINE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a routine call waits for the rate budget.
const ROUTINE_PATIENCE: Duration = Duration::from_secs(30);

/// Routine calls that wait or run.
const ROUTINE_LIMIT: usize = 64;

/// Enforcement calls that run.
const ENFORCEMENT_LIMIT: usize = 256;

/// How long routine calls keep still after HTTP 429 without a `Retry-After`.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(10);

/// A call that took longer is worth a line in the log (specification C.12).
const SLOW: Duration = Duration::from_secs(1);

pub(super) struct Calls<P> {
    http: Arc<P>,
    session: Arc<Session>,
    budget: Arc<Budget<Monotonic>>,
    outlet: Arc<Outlet>,
    queries: Arc<Queries>,
    accounts: watch::Sender<BTreeSet<Topic>>,
    contracts: watch::Sender<BTreeSet<Topic>>,
    routine: Semaphore,
    enforcement: Semaphore,
    /// Whose turn it is to wait for the budget, in order of arrival.
    turn: Mutex<()>,
    /// Routine calls keep still until then.
    quiet_until: SyncMutex<Option<Instant>>,
}

/// Counts the queries of the broker's state, when they are sent and when they are answered: what the hubs
/// told before is no measure any more for what is a repetition.
#[derive(Debug, Default)]
pub(super) struct Queries(AtomicU64);

impl Queries {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub fn advance(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// What becomes known of a call on its way.
#[derive(Default)]
struct Course {
    waited: Duration,
    server_time: Option<Utc>,
    received: Option<std::time::Instant>,
}

impl<P: Post> Calls<P> {
    /// `accounts` and `contracts` are where it is noted what the hubs are to watch.
    pub fn new(
        http: Arc<P>,
        session: Arc<Session>,
        budget: Arc<Budget<Monotonic>>,
        outlet: Arc<Outlet>,
        queries: Arc<Queries>,
        accounts: watch::Sender<BTreeSet<Topic>>,
        contracts: watch::Sender<BTreeSet<Topic>>,
    ) -> Self {
        Self {
            http,
            session,
            budget,
            outlet,
            queries,
            accounts,
            contracts,
            routine: Semaphore::new(ROUTINE_LIMIT),
            enforcement: Semaphore::new(ENFORCEMENT_LIMIT),
            turn: Mutex::default(),
            quiet_until: SyncMutex::default(),
        }
    }

    /// Takes asks until nobody can ask any more or everything is to stop.
    pub async fn serve(self: Arc<Self>, mut asks: mpsc::Receiver<Ask>, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => {
                        // Here, not in the task: of two in a row the later one must win.
                        let noted = self.note_watched(&ask.call);
                        drop(running.spawn(self.clone().answer(ask, noted)));
                    }
                    None => break,
                },
                Some(_) = running.join_next() => {}
                () = stopped(&mut stop) => break,
            }
        }
        // What is under way is told to its end, as far as its own limits allow.
        let _ = timeout(ENFORCEMENT_TIMEOUT, async { while running.join_next().await.is_some() {} }).await;
    }

    /// Notes what the hubs are to watch, if that is what is asked.
    fn note_watched(&self, call: &Call) -> Option<Result<Answer, CallError>> {
        match call {
            Call::Watch(accounts) => {
                Some(account_topics(accounts).map(|topics| note(&self.accounts, topics)))
            }
            Call::WatchQuotes(contracts) => Some(Ok(note(&self.contracts, contract_topics(contracts)))),
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
            | Call::Resize { .. } => None,
        }
    }

    async fn answer(self: Arc<Self>, Ask { id, class, call }: Ask, noted: Option<Result<Answer, CallError>>) {
        let asked = Instant::now();
        let mut course = Course::default();
        let result = match noted {
            Some(noted) => noted,
            None => self.perform(class, &call, &mut course).await,
        };
        let took = asked.elapsed() - course.waited.min(asked.elapsed());
        if took > SLOW {
            tracing::warn!(?call, ?took, "slow call");
        }
        let reply = Reply { id, result, waited: course.waited, server_time: course.server_time };
        let received = course.received.unwrap_or_else(now);
        if call.asks_for_state() {
            self.queries.advance();
        }
        self.outlet.tell(Stamped { received, signal: Signal::Reply(reply) }).await;
    }

    async fn perform(&self, class: Class, call: &Call, course: &mut Course) -> Result<Answer, CallError> {
        let asked = Instant::now();
        let plan = rest::plan(call, system_time())?;
        let places = match class {
            Class::Enforcement => &self.enforcement,
            Class::Routine => &self.routine,
        };
        let _place = places.try_acquire().map_err(|_| CallError::RateLimited { retry_after: None })?;
        let limit = match class {
            Class::Enforcement => {
                self.take(plan.cost())?;
                ENFORCEMENT_TIMEOUT
            }
            Class::Routine => {
                self.wait_for_turn(plan.cost()).await?;
                ROUTINE_TIMEOUT
            }
        };
        course.waited = asked.elapsed();
        if call.asks_for_state() {
            self.queries.advance();
        }
        let sending = Sending { calls: self, class, limit, deadline: Instant::now() + limit };
        let responses = sending.all(&plan, course).await?;
        rest::finish(call, &responses)
    }

    /// What protects does not queue: its sender decides when to try again.
    fn take(&self, cost: Cost) -> Result<(), CallError> {
        let refused = |wait| CallError::RateLimited { retry_after: Some(wait) };
        self.budget.take(Class::Enforcement, cost).map_err(refused)
    }

    async fn wait_for_turn(&self, cost: Cost) -> Result<(), CallError> {
        let turn = async {
            let _turn = self.turn.lock().await;
            while let Some(until) = self.quiet_until().filter(|until| *until > Instant::now()) {
                sleep_until(until).await;
            }
            while let Err(wait) = self.budget.take(Class::Routine, cost) {
                sleep(wait).await;
            }
        };
        timeout(ROUTINE_PATIENCE, turn).await.map_err(|_| CallError::RateLimited { retry_after: None })
    }

    fn quiet_until(&self) -> Option<Instant> {
        *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_still(&self, pause: Duration) {
        *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
    }
}

/// The part of a call that is under its time limit.
struct Sending<'c, P> {
    calls: &'c Calls<P>,
    class: Class,
    limit: Duration,
    deadline: Instant,
}

impl<P: Post> Sending<'_, P> {
    async fn all(&self, plan: &Plan, course: &mut Course) -> Result<Vec<Response>, CallError> {
        let mut received = Vec::new();
        if plan.in_order {
            for request in &plan.requests {
                received.push(self.one(request).await?);
            }
        } else {
            received = try_join_all(plan.requests.iter().map(|request| self.one(request))).await?;
        }
        course.received = Some(now());
        let longest = received.iter().map(|(_, waited)| *waited).max();
        course.waited += longest.unwrap_or_default();
        course.server_time = received.iter().filter_map(|(received, _)| received.server_time).max();
        Ok(received.into_iter().map(|(received, _)| received.response).collect())
    }

    /// The response, and how long it had to wait for a session.
    async fn one(&self, request: &Request) -> Result<(Received, Duration), CallError> {
        let asked = Instant::now();
        let token = self.token().await?;
        let waited = asked.elapsed();
        let received = self.send(request, &token).await?;
        if received.response.status != 401 {
            self.calls.session.proved();
            return Ok((received, waited));
        }
        // Refused before anything was done: the one case in which a call may be repeated.
        self.calls.session.ended(&token, Reason::Expired);
        let refused = Instant::now();
        let token = self.token().await?;
        self.calls.take(Cost { requests: 1, bars: 0 })?;
        let waited = waited + refused.elapsed();
        Ok((self.send(request, &token).await?, waited))
    }

    async fn token(&self) -> Result<Token, CallError> {
        let session = &self.calls.session;
        timeout_at(self.deadline, session.token()).await.unwrap_or_else(|_| Err(session.absence()))
    }

    async fn send(&self, request: &Request, token: &Token) -> Result<Received, CallError> {
        let calls = self.calls;
        let begun = Instant::now();
        let sent = timeout_at(self.deadline, calls.http.post(request, Some(token))).await;
        let received = sent.unwrap_or_else(|_| {
            calls.http.start_over();
            Err(CallError::TimedOut(self.limit))
        });
        told::request(request, &received, begun.elapsed());
        let received = received?;
        if received.response.status == 429 {
            tracing::warn!(class = ?self.class, path = request.path, "too many requests");
            calls.keep_still(received.response.retry_after.unwrap_or(RATE_LIMIT_PAUSE));
        }
        Ok(received)
    }
}

fn note(wanted: &watch::Sender<BTreeSet<Topic>>, topics: BTreeSet<Topic>) -> Answer {
    wanted.send_if_modified(|present| {
        let differs = *present != topics;
        *present = topics;
        differs
    });
    Answer::Noted
}

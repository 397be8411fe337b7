//! Calls against a script, in virtual time.

use domain::{AccountId, broker::CallId};
use futures_util::FutureExt;
use serde_json::json;
use tokio::task::JoinHandle;

use super::*;
use crate::{
    budget::{LAST, ROUTINE, TRICKLE, WHOLE},
    gateway::{
        outlet::CHANNEL_LIMIT,
        script::{Script, failure, rate_limited, refusal, silence, status, success, within},
        session::Phase,
    },
    wire::rest::path,
};

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    script: Arc<Script>,
    session: Arc<Session>,
    queries: Arc<Queries>,
    asks: mpsc::Sender<Ask>,
    signals: mpsc::Receiver<Stamped>,
    accounts: watch::Receiver<BTreeSet<Topic>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    next: u64,
}

fn bench() -> Bench {
    let script = Arc::new(Script::new());
    let (session, outlet) = (Arc::new(Session::new()), Arc::new(Outlet::default()));
    session.enter(Phase::LoggedIn(Token::new("first")));
    let (stop, stopping) = watch::channel(false);
    let (asks, asked) = mpsc::channel(200);
    let (told, signals) = mpsc::channel(CHANNEL_LIMIT);
    let (calls, accounts, _) = calls(script.clone(), session.clone(), outlet.clone());
    let queries = calls.queries.clone();
    tokio::spawn(async move { outlet.forward(told).await });
    let serving = tokio::spawn(Arc::new(calls).serve(asked, stopping));
    Bench { script, session, queries, asks, signals, accounts, stop, serving, next: 0 }
}

type Watched = watch::Receiver<BTreeSet<Topic>>;

/// Calls, and what they note of accounts and contracts.
fn calls(
    script: Arc<Script>,
    session: Arc<Session>,
    outlet: Arc<Outlet>,
) -> (Calls<Script>, Watched, Watched) {
    let (accounts, watched_accounts) = watch::channel(BTreeSet::new());
    let (contracts, watched_contracts) = watch::channel(BTreeSet::new());
    let budget = Arc::new(Budget::new(Monotonic));
    let calls = Calls::new(script, session, budget, outlet, Arc::default(), accounts, contracts);
    (calls, watched_accounts, watched_contracts)
}

fn account() -> AccountId {
    7.into()
}

fn close() -> Call {
    Call::Close { account: account(), contract: "C".into() }
}

fn orders() -> Call {
    Call::WorkingOrders(account())
}

fn snapshot() -> Call {
    Call::Snapshot { account: account(), fills_since: Utc::UNIX_EPOCH }
}

impl Bench {
    async fn ask(&mut self, class: Class, call: Call) -> CallId {
        self.next += 1;
        let id = CallId(self.next);
        self.asks.send(Ask { id, class, call }).await.unwrap();
        id
    }

    async fn reply(&mut self) -> Reply {
        let signal = within(self.signals.recv()).await.unwrap().signal;
        let Signal::Reply(reply) = signal else { panic!("{signal:?}") };
        reply
    }

    async fn call(&mut self, class: Class, call: Call) -> Reply {
        let id = self.ask(class, call).await;
        let reply = self.reply().await;
        assert_eq!(reply.id, id);
        reply
    }

    fn count(&self, path: &str) -> usize {
        self.script.seen(path).len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_gets_no_answer_is_told_after_2_s_and_never_repeated() {
    let mut bench = bench();
    bench.script.answer(path::POSITION_CLOSE, [silence()]);
    let asked = Instant::now();
    let reply = bench.call(Class::Enforcement, close()).await;
    assert_eq!(reply.result, Err(CallError::TimedOut(ENFORCEMENT_TIMEOUT)));
    assert_eq!(asked.elapsed(), ENFORCEMENT_TIMEOUT);
    sleep(60 * SECOND).await;
    assert_eq!(bench.count(path::POSITION_CLOSE), 1);
    // The connection on which nothing came back is not used again.
    assert_eq!(bench.script.started_over.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_may_have_acted_is_repeated() {
    let broken = failure(CallError::Protocol("the connection ended before the answer".into()));
    for trouble in [status(500), status(503), broken, refusal(7), rate_limited(SECOND)] {
        let mut bench = bench();
        bench.script.answer(path::POSITION_CLOSE, [trouble]);
        assert!(bench.call(Class::Enforcement, close()).await.result.is_err());
        sleep(60 * SECOND).await;
        assert_eq!(bench.count(path::POSITION_CLOSE), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_read_does_not_delay_a_close() {
    let mut bench = bench();
    bench.script.answer(path::ORDER_SEARCH_OPEN, [silence()]);
    bench.script.answer(path::POSITION_CLOSE, [success(json!({}))]);
    let asked = Instant::now();
    let slow = bench.ask(Class::Routine, orders()).await;
    sleep(SECOND).await;
    assert_eq!(bench.call(Class::Enforcement, close()).await.result, Ok(Answer::Accepted));
    assert_eq!(asked.elapsed(), SECOND);
    let reply = bench.reply().await;
    assert_eq!((reply.id, reply.result), (slow, Err(CallError::TimedOut(ROUTINE_TIMEOUT))));
    assert_eq!(asked.elapsed(), ROUTINE_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_costs_one_login_and_one_repetition() {
    let mut bench = bench();
    bench.script.answer(path::POSITION_CLOSE, [status(401), success(json!({}))]);
    let id = bench.ask(Class::Enforcement, close()).await;
    within(bench.session.end_of(&Token::new("first"))).await;
    assert_eq!(bench.session.phase(), Phase::LoggedOut(Reason::Expired));
    sleep(SECOND / 2).await;
    bench.session.enter(Phase::LoggedIn(Token::new("second")));
    let reply = bench.reply().await;
    assert_eq!((reply.id, reply.result, reply.waited), (id, Ok(Answer::Accepted), SECOND / 2));
    let tokens: Vec<_> = bench.script.seen(path::POSITION_CLOSE).into_iter().map(|seen| seen.token).collect();
    assert_eq!(tokens, [Some(Token::new("first")), Some(Token::new("second"))]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_refused_twice_is_not_tried_a_third_time() {
    let mut bench = bench();
    bench.script.answer(path::POSITION_CLOSE, [status(401)]);
    bench.ask(Class::Enforcement, close()).await;
    within(bench.session.end_of(&Token::new("first"))).await;
    bench.session.enter(Phase::LoggedIn(Token::new("second")));
    assert!(matches!(bench.reply().await.result, Err(CallError::Unauthorized(_))));
    assert_eq!(bench.count(path::POSITION_CLOSE), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_session_nothing_is_sent_and_that_is_said() {
    let mut bench = bench();
    let failed = Reason::Failed(CallError::Unreachable("no route".into()));
    bench.session.enter(Phase::LoggedOut(failed));
    let asked = Instant::now();
    let error = bench.call(Class::Enforcement, close()).await.result.unwrap_err();
    assert_eq!(asked.elapsed(), ENFORCEMENT_TIMEOUT);
    assert_eq!(
        error.to_string(),
        "cannot reach the broker: not logged in: cannot reach the broker: no route"
    );
    assert!(!error.may_have_acted());
    bench.session.enter(Phase::Refused(domain::broker::LoginError::Credentials));
    let asked = Instant::now();
    let error = bench.call(Class::Enforcement, close()).await.result.unwrap_err();
    assert!(matches!(error, CallError::Unauthorized(_)) && asked.elapsed() < SECOND);
    assert_eq!(bench.count(path::POSITION_CLOSE), 0);
}

#[tokio::test(start_paused = true)]
async fn routine_calls_wait_for_the_budget_while_enforcement_goes_on() {
    let mut bench = bench();
    bench.script.answer(path::ORDER_SEARCH_OPEN, [success(json!({"orders": []}))]);
    bench.script.answer(path::POSITION_CLOSE, [success(json!({}))]);
    let at_once = u64::from(ROUTINE.burst);
    for _ in 0..at_once + 10 {
        bench.ask(Class::Routine, orders()).await;
    }
    let mut waited = Vec::new();
    for _ in 0..at_once {
        waited.push(bench.reply().await.waited);
    }
    assert!(waited.iter().all(Duration::is_zero), "{waited:?}");
    let reply = bench.call(Class::Enforcement, close()).await;
    assert_eq!((reply.result, reply.waited), (Ok(Answer::Accepted), Duration::ZERO));
    for number in 1..=10 {
        let reply = bench.reply().await;
        assert_eq!(reply.id, CallId(at_once + number));
        let expected = SECOND * 60 / ROUTINE.per_minute * u32::try_from(number).unwrap();
        assert!(reply.waited.abs_diff(expected) < SECOND / 20, "{number}: {:?}", reply.waited);
    }
}

#[tokio::test(start_paused = true)]
async fn more_routine_calls_than_may_wait_are_answered_unsent() {
    let mut bench = bench();
    bench.script.answer(path::ORDER_SEARCH_OPEN, [silence()]);
    for _ in 0..=ROUTINE_LIMIT {
        bench.ask(Class::Routine, orders()).await;
    }
    let reply = bench.reply().await;
    assert_eq!(reply.id, CallId(ROUTINE_LIMIT as u64 + 1));
    assert_eq!(reply.result, Err(CallError::RateLimited { retry_after: None }));
}

#[tokio::test(start_paused = true)]
async fn after_too_many_requests_routine_calls_keep_still_and_closes_do_not() {
    let mut bench = bench();
    bench.script.answer(path::ORDER_SEARCH_OPEN, [rate_limited(7 * SECOND), success(json!({"orders": []}))]);
    bench.script.answer(path::POSITION_CLOSE, [success(json!({}))]);
    let limited = bench.call(Class::Routine, orders()).await.result;
    assert_eq!(limited, Err(CallError::RateLimited { retry_after: Some(7 * SECOND) }));
    let waiting = bench.ask(Class::Routine, orders()).await;
    assert_eq!(bench.call(Class::Enforcement, close()).await.result, Ok(Answer::Accepted));
    let reply = bench.reply().await;
    assert_eq!((reply.id, reply.waited), (waiting, 7 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn enforcement_beyond_the_whole_budget_is_told_when_to_come_back() {
    let mut bench = bench();
    bench.script.answer(path::POSITION_CLOSE, [success(json!({}))]);
    let mut limited = 0;
    for _ in 0..WHOLE {
        match bench.call(Class::Enforcement, close()).await.result {
            Err(CallError::RateLimited { retry_after: Some(wait) }) if wait <= 4 * SECOND => limited += 1,
            result => assert_eq!(result, Ok(Answer::Accepted)),
        }
    }
    assert_eq!((limited, bench.count(path::POSITION_CLOSE)), (LAST - TRICKLE.burst, 183));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_asks_at_once_a_verification_in_order() {
    let mut bench = bench();
    let row = json!({"id": 7, "name": "PRAC", "balance": 1, "canTrade": true, "isVisible": true});
    let late = |members| success(members).after(SECOND / 2);
    bench.script.answer(path::ACCOUNTS, [late(json!({"accounts": [row]}))]);
    bench.script.answer(path::POSITION_SEARCH_OPEN, [late(json!({"positions": []}))]);
    bench.script.answer(path::ORDER_SEARCH_OPEN, [late(json!({"orders": []}))]);
    bench.script.answer(path::TRADE_SEARCH, [late(json!({"trades": []}))]);
    bench.script.answer(path::ORDER_SEARCH, [late(json!({"orders": []}))]);
    let asked = Instant::now();
    let reply = bench.call(Class::Routine, snapshot()).await;
    assert!(matches!(reply.result, Ok(Answer::Snapshot(_))));
    assert_eq!(asked.elapsed(), SECOND / 2);
    assert!(reply.server_time.is_some());
    let verify = Call::Verify { account: account(), orders_since: Utc::UNIX_EPOCH };
    assert!(matches!(bench.call(Class::Enforcement, verify).await.result, Ok(Answer::Verified { .. })));
    assert_eq!(asked.elapsed(), 3 * SECOND / 2);
    let (orders, positions) =
        (bench.script.seen(path::ORDER_SEARCH)[0].at, bench.script.seen(path::POSITION_SEARCH_OPEN)[1].at);
    assert_eq!(positions - orders, SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn queries_of_the_state_are_counted_when_sent_and_when_answered() {
    let mut bench = bench();
    bench.script.answer(path::ORDER_SEARCH_OPEN, [success(json!({"orders": []})).after(SECOND)]);
    bench.script.answer(path::POSITION_CLOSE, [success(json!({}))]);
    bench.ask(Class::Routine, orders()).await;
    sleep(SECOND / 2).await;
    assert_eq!(bench.queries.count(), 1);
    bench.reply().await;
    assert_eq!(bench.queries.count(), 2);
    bench.call(Class::Enforcement, close()).await;
    assert_eq!(bench.queries.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_watched_is_noted_unless_it_cannot_be() {
    let mut bench = bench();
    let noted = bench.call(Class::Routine, Call::Watch(vec![7.into(), 9.into()])).await;
    assert_eq!(noted.result, Ok(Answer::Noted));
    assert_eq!(*bench.accounts.borrow_and_update(), [Topic::Account(7), Topic::Account(9)].into());
    bench.call(Class::Routine, Call::Watch(vec![9.into(), 7.into()])).await;
    assert!(!bench.accounts.has_changed().unwrap());
    let refused = bench.call(Class::Routine, Call::Watch(vec!["PRAC-V2".into()])).await;
    assert!(matches!(refused.result, Err(CallError::Refused { .. })));
    assert!(!bench.accounts.has_changed().unwrap());
}

/// In the order of the asks, before the tasks that answer them run: those may run in any order.
#[tokio::test]
async fn of_several_asks_to_watch_the_last_one_wins() {
    let (calls, accounts, contracts) =
        calls(Arc::new(Script::new()), Arc::new(Session::new()), Arc::default());
    let (asks, asked) = mpsc::channel(4);
    for (id, call) in [
        Call::Watch(vec![7.into()]),
        Call::WatchQuotes(vec!["A".into()]),
        Call::WatchQuotes(vec!["B".into()]),
        Call::Watch(vec![9.into()]),
    ]
    .into_iter()
    .enumerate()
    {
        asks.send(Ask { id: CallId(id as u64), class: Class::Routine, call }).await.unwrap();
    }
    let (_stop, stopping) = watch::channel(false);
    assert!(Arc::new(calls).serve(asked, stopping).now_or_never().is_none(), "it goes on serving");
    assert_eq!(*accounts.borrow(), [Topic::Account(9)].into());
    assert_eq!(*contracts.borrow(), contract_topics(&["B".into()]));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_a_close_that_is_under_way_end() {
    let mut bench = bench();
    bench.script.answer(path::POSITION_CLOSE, [success(json!({})).after(SECOND)]);
    bench.script.answer(path::ORDER_SEARCH_OPEN, [silence()]);
    bench.ask(Class::Routine, orders()).await;
    let closing = bench.ask(Class::Enforcement, close()).await;
    sleep(SECOND / 10).await;
    bench.stop.send_replace(true);
    let stopped = Instant::now();
    let reply = bench.reply().await;
    assert_eq!((reply.id, reply.result), (closing, Ok(Answer::Accepted)));
    within(bench.serving).await.unwrap();
    assert_eq!(stopped.elapsed(), ENFORCEMENT_TIMEOUT);
}

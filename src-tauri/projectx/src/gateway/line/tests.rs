//! One hub connection over pipes, in virtual time.

use std::sync::Mutex;

use domain::{AccountId, Event, Link, broker::Inbox};
use serde_json::{Value, json};
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::{
    gateway::{outlet::CHANNEL_LIMIT, script::within, session::Phase},
    hub::account_topics,
};

const SECOND: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<DuplexStream>;

/// Hands the other end of every pipe to the test, unless dialling is to fail.
struct Pipes {
    opened: mpsc::UnboundedSender<(Token, Socket)>,
    refusal: Mutex<Option<DialError>>,
    dialled: Mutex<Vec<Instant>>,
}

impl Dial for Arc<Pipes> {
    type Stream = DuplexStream;

    async fn dial(&self, token: &Token) -> Result<Socket, DialError> {
        self.dialled.lock().unwrap().push(Instant::now());
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        let (ours, theirs) = duplex(64 * 1024);
        let server = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        self.opened.send((token.clone(), server)).unwrap();
        Ok(WebSocketStream::from_raw_socket(ours, Role::Client, None).await)
    }
}

/// A line with everything around it.
struct Bench {
    pipes: Arc<Pipes>,
    opened: mpsc::UnboundedReceiver<(Token, Socket)>,
    session: Arc<Session>,
    queries: Arc<Queries>,
    signals: mpsc::Receiver<Stamped>,
    wanted: watch::Sender<BTreeSet<Topic>>,
    nudges: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

fn topics(numbers: &[i64]) -> BTreeSet<Topic> {
    account_topics(&numbers.iter().map(|number| AccountId::from(*number)).collect::<Vec<_>>()).unwrap()
}

fn bench() -> Bench {
    let (opened, connections) = mpsc::unbounded_channel();
    let pipes = Arc::new(Pipes { opened, refusal: Mutex::default(), dialled: Mutex::default() });
    let (session, outlet) = (Arc::new(Session::new()), Arc::new(Outlet::default()));
    let queries = Arc::<Queries>::default();
    session.enter(Phase::LoggedIn(Token::new("first")));
    let (wanted, wishes) = watch::channel(topics(&[7]));
    let (nudges, nudged) = watch::channel(0);
    let (stop, stopping) = watch::channel(false);
    let (told, signals) = mpsc::channel(CHANNEL_LIMIT);
    let line = Line {
        which: Which::User,
        dial: pipes.clone(),
        session: session.clone(),
        outlet: outlet.clone(),
        queries: queries.clone(),
        wanted: wishes,
        nudges: nudged,
        stop: stopping,
    };
    tokio::spawn(async move { outlet.forward(told).await });
    let running = tokio::spawn(line.run());
    Bench { pipes, opened: connections, session, queries, signals, wanted, nudges, stop, running }
}

impl Bench {
    /// The next connection, subscribed and confirmed.
    async fn come_up(&mut self) -> Socket {
        let (_, mut socket) = within(self.opened.recv()).await.unwrap();
        greet(&mut socket).await;
        confirm(&mut socket, 4).await;
        assert_eq!(self.told().await, "up");
        socket
    }

    /// The next signal, in short.
    async fn told(&mut self) -> String {
        match within(self.signals.recv()).await.unwrap().signal {
            Signal::Link(Link::UserUp) => "up".into(),
            Signal::Link(Link::UserDown { why }) => format!("down: {why}"),
            Signal::Event(Event::Account(account)) => format!("account {}", account.balance),
            Signal::Malformed(report) => format!("malformed: {}", report.why),
            Signal::Inbox(Inbox::Repeated) => "repeated".into(),
            Signal::Event(_)
            | Signal::Link(_)
            | Signal::LoginRefused(_)
            | Signal::Inbox(Inbox::Overflowed { .. })
            | Signal::Reply(_) => panic!(),
        }
    }
}

async fn next_record(socket: &mut Socket) -> Option<Value> {
    match within(socket.next()).await? {
        Ok(Message::Text(text)) => Some(serde_json::from_str(text.strip_suffix('\u{1e}')?).unwrap()),
        Ok(_) | Err(_) => None,
    }
}

async fn say(socket: &mut Socket, record: Value) {
    socket.send(Message::text(format!("{record}\u{1e}"))).await.unwrap();
}

async fn greet(socket: &mut Socket) {
    assert_eq!(next_record(socket).await.unwrap(), json!({"protocol": "json", "version": 1}));
    say(socket, json!({})).await;
}

/// Completes so many calls and tells which they were.
async fn confirm(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut calls = Vec::new();
    for _ in 0..count {
        let call = next_record(socket).await.unwrap();
        say(socket, json!({"type": 3, "invocationId": call["invocationId"], "result": null})).await;
        calls.push(format!("{}{}", call["target"].as_str().unwrap(), call["arguments"]));
    }
    calls
}

fn account(balance: i64) -> Value {
    let row = json!({"id": 7, "name": "PRAC", "balance": balance, "canTrade": true, "isVisible": true});
    json!({"type": 1, "target": "GatewayUserAccount", "arguments": [{"action": 1, "data": row}]})
}

#[tokio::test(start_paused = true)]
async fn a_lost_socket_is_told_at_once_and_everything_subscribed_again() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    say(&mut socket, account(1)).await;
    let lost_at = Instant::now();
    drop(socket);
    assert_eq!(bench.told().await, "account 1.00");
    assert!(bench.told().await.starts_with("down: connection lost"));
    let (_, mut socket) = within(bench.opened.recv()).await.unwrap();
    assert_eq!(lost_at.elapsed(), Duration::ZERO);
    greet(&mut socket).await;
    let calls = confirm(&mut socket, 4).await;
    assert_eq!(
        calls,
        ["SubscribeAccounts[]", "SubscribeOrders[7]", "SubscribePositions[7]", "SubscribeTrades[7]"]
    );
    assert_eq!(bench.told().await, "up");
    // A new connection knows nothing of what the old one told.
    say(&mut socket, account(1)).await;
    assert_eq!(bench.told().await, "account 1.00");
}

#[tokio::test(start_paused = true)]
async fn a_silent_hub_is_pinged_and_given_up_after_30_s() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    let silent_since = Instant::now();
    assert_eq!(next_record(&mut socket).await.unwrap(), json!({"type": 6}));
    assert_eq!(silent_since.elapsed(), 15 * SECOND);
    assert_eq!(bench.told().await, "down: nothing heard for 30 s");
    assert_eq!(silent_since.elapsed(), 30 * SECOND);
    bench.come_up().await;
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_pings_stays_up_for_hours() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    for _ in 0..1_000 {
        tokio::time::sleep(14 * SECOND).await;
        say(&mut socket, json!({"type": 6})).await;
    }
    say(&mut socket, account(2)).await;
    assert_eq!(bench.told().await, "account 2.00");
}

#[tokio::test(start_paused = true)]
async fn failing_attempts_are_spaced_out_and_told_once() {
    let mut bench = bench();
    *bench.pipes.refusal.lock().unwrap() = Some(DialError::Failed("no route".into()));
    while bench.pipes.dialled.lock().unwrap().len() < 9 {
        tokio::time::sleep(SECOND).await;
    }
    let dialled = bench.pipes.dialled.lock().unwrap().clone();
    let gaps: Vec<Duration> = dialled.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The first attempt after a failure costs no waiting.
    assert!(gaps[0] < SECOND);
    for (gap, full) in gaps[1..].iter().zip([1, 2, 4, 8, 15, 15, 15]) {
        let (least, most) = (full * SECOND / 2, full * SECOND + SECOND);
        assert!((least..=most).contains(gap), "{gaps:?}");
    }
    assert_eq!(bench.told().await, "down: no route");
    *bench.pipes.refusal.lock().unwrap() = Some(DialError::Failed("no name".into()));
    assert_eq!(bench.told().await, "down: no name");
    *bench.pipes.refusal.lock().unwrap() = None;
    bench.come_up().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_when_asked_to_try_now() {
    let mut bench = bench();
    *bench.pipes.refusal.lock().unwrap() = Some(DialError::Failed("asleep".into()));
    assert_eq!(bench.told().await, "down: asleep");
    tokio::time::sleep(60 * SECOND).await;
    *bench.pipes.refusal.lock().unwrap() = None;
    let asked = Instant::now();
    bench.nudges.send_modify(|count| *count += 1);
    let mut socket = bench.come_up().await;
    assert!(asked.elapsed() < SECOND);
    bench.nudges.send_modify(|count| *count += 1);
    assert_eq!(next_record(&mut socket).await.unwrap(), json!({"type": 6}));
    assert!(asked.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_connection_lives_no_longer_than_its_session() {
    let mut bench = bench();
    let _socket = bench.come_up().await;
    bench.session.enter(Phase::LoggedIn(Token::new("second")));
    assert_eq!(bench.told().await, "down: reconnecting with another session");
    let (token, mut socket) = within(bench.opened.recv()).await.unwrap();
    assert_eq!(token, Token::new("second"));
    greet(&mut socket).await;
    confirm(&mut socket, 4).await;
    assert_eq!(bench.told().await, "up");
}

#[tokio::test(start_paused = true)]
async fn however_often_the_session_changes_the_hub_follows_at_once() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    for name in ["second", "third", "fourth", "fifth"] {
        let changed = Instant::now();
        bench.session.enter(Phase::LoggedIn(Token::new(name)));
        assert_eq!(bench.told().await, "down: reconnecting with another session");
        assert!(matches!(within(socket.next()).await, Some(Ok(Message::Close(_)))));
        drop(socket);
        socket = bench.come_up().await;
        assert!(changed.elapsed() < SECOND / 10, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_logout_ends_the_session_for_everyone() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    say(&mut socket, json!({"type": 1, "target": "GatewayLogout", "arguments": []})).await;
    assert!(bench.told().await.starts_with("down: logged out by the platform"));
    within(bench.session.end_of(&Token::new("first"))).await;
    assert_eq!(bench.session.phase(), Phase::LoggedOut(Reason::ThrownOut));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_reported_as_over() {
    let mut bench = bench();
    let socket = bench.come_up().await;
    *bench.pipes.refusal.lock().unwrap() = Some(DialError::Unauthorized);
    drop(socket);
    assert!(bench.told().await.starts_with("down: connection lost"));
    assert_eq!(bench.told().await, "down: the session is not valid");
    within(bench.session.end_of(&Token::new("first"))).await;
    assert_eq!(bench.session.phase(), Phase::LoggedOut(Reason::Expired));
}

#[tokio::test(start_paused = true)]
async fn a_close_without_invitation_to_return_is_not_answered_at_once() {
    for (record, waits) in [(json!({"type": 7, "allowReconnect": true}), false), (json!({"type": 7}), true)] {
        let mut bench = bench();
        let mut socket = bench.come_up().await;
        say(&mut socket, record).await;
        assert_eq!(bench.told().await, "down: closed by the server");
        let closed = Instant::now();
        bench.come_up().await;
        assert_eq!(closed.elapsed() >= SECOND / 2, waits);
    }
}

#[tokio::test(start_paused = true)]
async fn other_wishes_are_confirmed_with_another_up() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    bench.wanted.send_replace(topics(&[7, 9]));
    let calls = confirm(&mut socket, 3).await;
    assert_eq!(calls, ["SubscribeOrders[9]", "SubscribePositions[9]", "SubscribeTrades[9]"]);
    assert_eq!(bench.told().await, "up");
}

#[tokio::test(start_paused = true)]
async fn a_repetition_is_told_again_after_the_state_was_queried() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    for balance in [1, 1, 2] {
        say(&mut socket, account(balance)).await;
    }
    assert_eq!(
        [bench.told().await, bench.told().await, bench.told().await],
        ["account 1.00", "repeated", "account 2.00"]
    );
    bench.queries.advance();
    say(&mut socket, account(2)).await;
    assert_eq!(bench.told().await, "account 2.00");
}

#[tokio::test(start_paused = true)]
async fn binary_frames_are_reported_and_the_connection_goes_on() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    say(&mut socket, account(3)).await;
    assert_eq!(bench.told().await, "malformed: binary where text was agreed");
    assert_eq!(bench.told().await, "account 3.00");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_line_says_farewell_and_ends() {
    let mut bench = bench();
    let mut socket = bench.come_up().await;
    bench.stop.send_replace(true);
    assert_eq!(bench.told().await, "down: shut down");
    assert!(matches!(within(socket.next()).await, Some(Ok(Message::Close(_)))));
    within(bench.running).await.unwrap();
}

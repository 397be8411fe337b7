//! The session against a script, in virtual time.

use domain::broker::Signal;
use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::{
    gateway::{
        outlet::CHANNEL_LIMIT,
        script::{Script, Seen, Step, failure, refusal, silence, status, success, within},
    },
    wire::rest::path,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

struct Bench {
    script: Arc<Script>,
    session: Arc<Session>,
    signals: mpsc::Receiver<Stamped>,
    credentials: watch::Sender<Credentials>,
    nudges: watch::Sender<u64>,
}

fn login(name: &str, ends_after: Duration) -> Step {
    success(json!({"token": Script::token(name, ends_after)}))
}

fn unreachable() -> Step {
    failure(CallError::Unreachable("no route".into()))
}

/// A keeper whose logins are answered so.
fn bench(logins: impl IntoIterator<Item = Step>) -> Bench {
    let script = Arc::new(Script::new());
    script.answer(path::LOGIN_KEY, logins);
    let (session, outlet) = (Arc::new(Session::new()), Arc::new(Outlet::default()));
    let (credentials, given) = watch::channel(Credentials::new("jdoe42", "key-1"));
    let (nudges, nudged) = watch::channel(0);
    let (told, signals) = mpsc::channel(CHANNEL_LIMIT);
    let hints = Hints { credentials: given, nudges: nudged };
    let budget = Arc::new(Budget::new(Monotonic));
    let keeper = Keeper::new(script.clone(), session.clone(), budget, outlet.clone(), hints);
    tokio::spawn(async move { outlet.forward(told).await });
    tokio::spawn(keeper.run());
    Bench { script, session, signals, credentials, nudges }
}

impl Bench {
    async fn told(&mut self) -> String {
        match within(self.signals.recv()).await.unwrap().signal {
            Signal::Link(Link::LoggedIn) => "in".into(),
            Signal::Link(Link::LoginFailed { why }) => format!("failed: {why}"),
            Signal::LoginRefused(error) => format!("refused: {error}"),
            Signal::Event(_)
            | Signal::Link(_)
            | Signal::Malformed(_)
            | Signal::Inbox(_)
            | Signal::Reply(_) => panic!(),
        }
    }

    fn logins(&self) -> Vec<Seen> {
        self.script.seen(path::LOGIN_KEY)
    }

    fn token(&self) -> Token {
        match self.session.phase() {
            Phase::LoggedIn(token) => token,
            phase @ (Phase::LoggedOut(_) | Phase::Refused(_)) => panic!("{phase:?}"),
        }
    }

    fn has(&self, name: &str, ends_after: Duration) -> bool {
        self.token() == Token::new(Script::token(name, ends_after))
    }
}

#[tokio::test(start_paused = true)]
async fn passing_failures_are_tried_again_and_told_once() {
    let mut bench = bench([unreachable(), unreachable(), unreachable(), status(503), login("a", 24 * HOUR)]);
    assert_eq!(bench.told().await, "failed: cannot reach the broker: no route");
    assert_eq!(bench.told().await, "failed: the broker answered with HTTP status 503");
    assert_eq!(bench.told().await, "in");
    let at: Vec<Duration> = bench.logins().iter().map(|login| login.at).collect();
    for (pair, full) in at.windows(2).zip([1, 2, 4, 8]) {
        assert!(((full * SECOND / 2)..=full * SECOND + SECOND).contains(&(pair[1] - pair[0])), "{at:?}");
    }
    assert_eq!(at[0], Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_told_and_not_tried_again_until_asked() {
    let mut bench = bench([refusal(3), refusal(9), login("a", 24 * HOUR)]);
    assert_eq!(bench.told().await, "failed: the user name or the API key is wrong");
    assert_eq!(bench.told().await, "refused: the user name or the API key is wrong");
    sleep(HOUR).await;
    assert_eq!(bench.logins().len(), 1);
    bench.nudges.send_modify(|count| *count += 1);
    assert_eq!(bench.told().await, "failed: this login has no API subscription");
    assert_eq!(bench.told().await, "refused: this login has no API subscription");
    bench.credentials.send_replace(Credentials::new("jdoe42", "key-2"));
    assert_eq!(bench.told().await, "in");
    assert_eq!(bench.logins()[2].body, json!({"userName": "jdoe42", "apiKey": "key-2"}));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_at_four_fifths_of_its_life() {
    let mut bench = bench([login("a", 24 * HOUR)]);
    assert_eq!(bench.told().await, "in");
    let renewed = json!({"newToken": Script::token("b", 43 * HOUR)});
    bench.script.answer(path::VALIDATE, [success(renewed), silence()]);
    assert_eq!(bench.told().await, "in");
    let asked = &bench.script.seen(path::VALIDATE)[0];
    assert_eq!(asked.at.as_secs(), 24 * 3_600 * 4 / 5);
    assert_eq!(asked.token, Some(Token::new(Script::token("a", 24 * HOUR))));
    assert!(bench.has("b", 43 * HOUR));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_extended_is_replaced_before_it_ends() {
    for kept in [success(json!({"newToken": null})), status(503)] {
        let mut bench = bench([login("a", 24 * HOUR), login("b", 48 * HOUR)]);
        assert_eq!(bench.told().await, "in");
        bench.script.answer(path::VALIDATE, [kept]);
        assert_eq!(bench.told().await, "in");
        assert!(bench.has("b", 48 * HOUR));
        let second = bench.logins()[1].at;
        assert!(second < 24 * HOUR && second > 23 * HOUR, "{second:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_over_when_it_should_be_renewed_is_replaced_by_a_login() {
    for over in [status(401), refusal(3)] {
        let mut bench = bench([login("a", 24 * HOUR), login("b", 48 * HOUR)]);
        assert_eq!(bench.told().await, "in");
        bench.session.proved();
        bench.script.answer(path::VALIDATE, [over]);
        assert_eq!(bench.told().await, "in");
        assert!(bench.has("b", 48 * HOUR));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_while_the_old_session_still_works_is_told_once_and_the_session_goes_on() {
    let mut bench = bench([login("a", 600 * SECOND), refusal(10)]);
    assert_eq!(bench.told().await, "in");
    assert_eq!(bench.told().await, "refused: login with an API key is disabled for this user");
    assert_eq!(bench.logins()[1].at, 480 * SECOND);
    sleep(HOUR).await;
    assert_eq!(bench.logins().len(), 2);
    assert!(bench.has("a", 600 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_worked_is_replaced_at_once_one_that_never_did_is_not() {
    let mut bench = bench([login("a", HOUR), login("b", HOUR), login("c", HOUR)]);
    assert_eq!(bench.told().await, "in");
    bench.session.proved();
    bench.session.ended(&bench.token(), Reason::Expired);
    assert_eq!(bench.told().await, "in");
    let token = bench.token();
    bench.session.ended(&token, Reason::Expired);
    bench.session.ended(&token, Reason::Expired);
    assert_eq!(bench.told().await, "in");
    let at: Vec<Duration> = bench.logins().iter().map(|login| login.at).collect();
    assert!(at[1] - at[0] < SECOND / 10 && at[2] - at[1] >= SECOND / 2, "{at:?}");
    assert_eq!(at.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn programs_that_throw_each_other_out_do_it_ever_more_slowly() {
    let mut bench = bench([login("a", 24 * HOUR)]);
    let mut gaps = Vec::new();
    for _ in 0..5 {
        assert_eq!(bench.told().await, "in");
        bench.session.proved();
        let thrown_out = Instant::now();
        bench.session.ended(&bench.token(), Reason::ThrownOut);
        within(bench.session.token_in_the_end()).await;
        gaps.push(thrown_out.elapsed());
    }
    assert!(gaps[0] >= SECOND / 2 && gaps[4] >= 7 * SECOND && gaps[4] <= 16 * SECOND, "{gaps:?}");
    assert_eq!(bench.told().await, "in");
    sleep(120 * SECOND).await;
    let thrown_out = Instant::now();
    bench.session.ended(&bench.token(), Reason::ThrownOut);
    within(bench.session.token_in_the_end()).await;
    assert!(thrown_out.elapsed() <= 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_login_is_given_up_in_time_or_when_asked() {
    let mut bench = bench([silence(), silence(), login("a", HOUR)]);
    let began = Instant::now();
    assert_eq!(bench.told().await, "failed: no answer within 30s");
    assert_eq!(began.elapsed(), LOGIN_TIMEOUT);
    sleep(5 * SECOND).await;
    assert_eq!(bench.logins().len(), 2);
    bench.nudges.send_modify(|count| *count += 1);
    assert_eq!(bench.told().await, "in");
    assert!(began.elapsed() < 40 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn other_credentials_end_the_present_session() {
    let mut bench = bench([login("a", HOUR), login("b", HOUR)]);
    assert_eq!(bench.told().await, "in");
    bench.credentials.send_replace(Credentials::new("other", "key-9"));
    assert_eq!(bench.told().await, "in");
    assert!(bench.has("b", HOUR));
    assert_eq!(bench.logins()[1].body["userName"], "other");
}

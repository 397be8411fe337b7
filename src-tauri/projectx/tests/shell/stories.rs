use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use domain::broker::{Answer, Call, CallError, Class, LoginError, Signal};
use projectx::{Credentials, Settings, SettingsError, connect, probe};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    client::{Client, text},
    gateway::{Gateway, account},
};

fn close() -> Call {
    Call::Close { account: 7.into(), contract: "CON.F.US.MNQ.U26".into() }
}

/// Waits until something becomes true that no signal tells.
async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("did not become true in time");
}

#[tokio::test]
async fn it_logs_in_subscribes_answers_and_tells_facts() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    assert_eq!(client.heard[0], "logged in");
    let mut calls = gateway.subscriptions();
    calls.retain(|call| call != "SubscribeAccounts[]");
    assert_eq!(calls, ["SubscribeOrders[7]", "SubscribePositions[7]", "SubscribeTrades[7]"]);

    let id = client.send(Class::Routine, Call::Accounts).await;
    let reply = client.reply(id).await;
    assert!(matches!(&reply.result, Ok(Answer::Accounts(accounts)) if accounts.len() == 1));
    let server_time = reply.server_time.unwrap();
    assert!((chrono::Utc::now() - server_time).num_seconds().abs() < 60);
    assert_eq!(client.ask(Class::Enforcement, close()).await, Ok(Answer::Accepted));

    client.ask(Class::Routine, Call::WatchQuotes(vec!["C".into()])).await.unwrap();
    client.wait_for("market up").await;
    let before = Instant::now();
    gateway.say("market", "GatewayQuote", json!(["C", {"lastPrice": 5}]));
    let stamped = client.next_signal().await.unwrap();
    assert_eq!(text(&stamped.signal), "quote 5");
    assert!(stamped.received >= before && stamped.received <= Instant::now());
    client.port.control.shutdown().await;
}

#[tokio::test]
async fn a_dropped_hub_is_told_resubscribed_and_up_again_while_the_other_stays() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    gateway.subscriptions();
    gateway.say("user", "GatewayUserAccount", json!([{"action": 1, "data": account(7, 1)}]));
    gateway.drop_hub("user");
    client.heard.clear();
    client.wait_for("user up").await;
    assert_eq!(client.heard, ["account 1.00", "user down", "user up"]);
    let calls = gateway.subscriptions();
    assert_eq!(
        calls,
        ["SubscribeAccounts[]", "SubscribeOrders[7]", "SubscribePositions[7]", "SubscribeTrades[7]"]
    );
}

#[tokio::test]
async fn an_expired_session_is_replaced_within_a_close_and_both_hubs_follow() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    client.ask(Class::Routine, Call::Accounts).await.unwrap();
    gateway.expire_tokens();
    client.heard.clear();
    assert_eq!(client.ask(Class::Enforcement, close()).await, Ok(Answer::Accepted));
    assert_eq!(gateway.state.logins.load(Ordering::SeqCst), 2);
    assert_eq!(gateway.requests("/api/Position/closeContract").len(), 2);
    for hub in ["user", "market"] {
        while !client.heard.contains(&format!("{hub} up")) {
            let signal = client.next_signal().await.unwrap().signal;
            client.heard.push(text(&signal));
        }
        let of_hub: Vec<_> = client.heard.iter().filter(|heard| heard.starts_with(hub)).collect();
        assert_eq!(of_hub, [&format!("{hub} down"), &format!("{hub} up")]);
    }
    assert!(client.heard.contains(&"logged in".to_string()));
}

#[tokio::test]
async fn many_calls_that_find_the_session_over_cost_one_login() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    client.ask(Class::Routine, Call::Accounts).await.unwrap();
    gateway.expire_tokens();
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(client.send(Class::Enforcement, close()).await);
    }
    for _ in ids {
        loop {
            if let Signal::Reply(reply) = client.next_signal().await.unwrap().signal {
                break assert_eq!(reply.result, Ok(Answer::Accepted));
            }
        }
    }
    assert_eq!(gateway.state.logins.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_logout_by_the_platform_ends_in_a_new_login_and_new_hubs() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    client.heard.clear();
    gateway.say("market", "GatewayLogout", json!([{}]));
    client.wait_for("market down").await;
    for hub in ["user up", "market up"] {
        while !client.heard.contains(&hub.to_string()) {
            let signal = client.next_signal().await.unwrap().signal;
            client.heard.push(text(&signal));
        }
    }
    assert!(client.heard.contains(&"user down".to_string()));
    assert!(client.heard.contains(&"logged in".to_string()));
    assert_eq!(gateway.state.logins.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refused_login_waits_for_other_credentials() {
    let gateway = Gateway::start().await;
    gateway.state.login_code.store(3, Ordering::SeqCst);
    let mut client = Client::of(&gateway.settings());
    client.wait_for("login refused: the user name or the API key is wrong").await;
    let refused = client.ask(Class::Enforcement, close()).await;
    assert!(matches!(refused, Err(CallError::Unauthorized(_))));
    assert_eq!(gateway.state.logins.load(Ordering::SeqCst), 1);
    client.port.control.use_credentials(Credentials::new("jdoe42", "key-good"));
    client.wait_for("logged in").await;
    assert_eq!(client.ask(Class::Enforcement, close()).await, Ok(Answer::Accepted));
}

#[tokio::test]
async fn calls_share_warm_connections() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    for _ in 0..10 {
        assert_eq!(client.ask(Class::Enforcement, close()).await, Ok(Answer::Accepted));
    }
    let mut peers: Vec<_> =
        gateway.requests("/api/Position/closeContract").into_iter().map(|request| request.peer).collect();
    peers.dedup();
    assert_eq!(peers.len(), 1);
}

#[tokio::test]
async fn connections_that_were_given_up_are_replaced_before_a_call_needs_them() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    until(|| gateway.requests("/api/Status/ping").len() == 2).await;
    let cold: Vec<_> = gateway.requests("/api/Status/ping").into_iter().map(|ping| ping.peer).collect();
    client.port.control.retry_now();
    until(|| gateway.requests("/api/Status/ping").len() == 4).await;
    let warm: Vec<_> = gateway.requests("/api/Status/ping")[2..].iter().map(|ping| ping.peer).collect();
    // A ping whose answer is still on its way holds its connection for a moment longer.
    for _ in 0..50 {
        assert_eq!(client.ask(Class::Enforcement, close()).await, Ok(Answer::Accepted));
        let used = gateway.requests("/api/Position/closeContract").last().unwrap().peer;
        assert!(!cold.contains(&used));
        if warm.contains(&used) {
            return;
        }
    }
    panic!("no call used the warm connections");
}

#[tokio::test]
async fn a_slow_receiver_gets_every_fact_in_order_and_the_newest_quote() {
    const FACTS: i64 = 2_000;
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    client.ask(Class::Routine, Call::WatchQuotes(vec!["C".into()])).await.unwrap();
    client.wait_for("market up").await;
    for number in 1..=FACTS {
        gateway.say("market", "GatewayQuote", json!(["C", {"lastPrice": number}]));
        gateway.say("user", "GatewayUserAccount", json!([account(7, number)]));
    }
    let (mut balances, mut quotes) = (Vec::new(), Vec::new());
    while balances.len() < FACTS as usize || quotes.last() != Some(&format!("quote {FACTS}")) {
        let told = text(&client.next_signal().await.unwrap().signal);
        if told.starts_with("quote") { quotes.push(told) } else { balances.push(told) }
    }
    let expected: Vec<String> = (1..=FACTS).map(|number| format!("account {number}.00")).collect();
    assert_eq!(balances, expected);
    assert!(quotes.len() < FACTS as usize, "{}", quotes.len());
}

#[tokio::test]
async fn a_shutdown_leaves_nothing_behind() {
    let gateway = Gateway::start().await;
    let mut client = Client::up(&gateway.settings()).await;
    assert_eq!(gateway.state.hub_connections.load(Ordering::SeqCst), 2);
    let began = Instant::now();
    client.port.control.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(4));
    until(|| gateway.state.hub_connections.load(Ordering::SeqCst) == 0).await;
    while let Some(stamped) = client.port.signals.recv().await {
        assert!(matches!(stamped.signal, Signal::Link(_)), "{stamped:?}");
    }
    assert!(client.port.asks.is_closed());
}

#[tokio::test]
async fn dropping_either_end_ends_everything() {
    let gateway = Gateway::start().await;
    let client = Client::up(&gateway.settings()).await;
    drop(client.port.control);
    until(|| gateway.state.hub_connections.load(Ordering::SeqCst) == 0).await;

    let client = Client::up(&gateway.settings()).await;
    drop(client.port.signals);
    until(|| gateway.state.hub_connections.load(Ordering::SeqCst) == 0).await;
    until(|| client.port.asks.is_closed()).await;
}

#[tokio::test]
async fn a_probe_tells_accounts_or_what_to_do() {
    let gateway = Gateway::start().await;
    let settings = gateway.settings();
    let accounts = probe(&settings).await.unwrap();
    assert_eq!(accounts[0].name, "PRAC-V2-7");
    gateway.state.login_code.store(9, Ordering::SeqCst);
    assert_eq!(probe(&settings).await, Err(LoginError::NoSubscription));
    drop(gateway);
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let settings = Settings { base_url: format!("http://{nobody}"), ..settings };
    let error = probe(&settings).await.unwrap_err();
    assert!(matches!(error, LoginError::Passing(CallError::Unreachable(_))), "{error:?}");
}

#[tokio::test]
async fn plain_http_goes_to_this_machine_only() {
    let settings = |base_url: &str| Settings {
        base_url: base_url.into(),
        user_hub_url: "https://rtc.topstepx.com/hubs/user".into(),
        market_hub_url: "https://rtc.topstepx.com/hubs/market".into(),
        credentials: Credentials::new("jdoe42", "key-1"),
    };
    let error = connect(&settings("http://api.topstepx.com")).unwrap_err();
    assert!(matches!(error, SettingsError::Plain { setting: "base_url", .. }), "{error}");
    let error = probe(&settings("http://api.topstepx.com")).await.unwrap_err();
    assert!(error.to_string().contains("needs https or wss"), "{error}");
}

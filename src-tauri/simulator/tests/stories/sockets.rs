//! The simulator over real sockets, with an ordinary HTTP and WebSocket client.

use std::{net::SocketAddr, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use simulator::{Market, Running, Scenario, ServeError, Settings, serve};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

const MNQ_LAST: f64 = 21_000.0;

/// Longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Client {
    running: Running,
    http: reqwest::Client,
    token: String,
    mnq: String,
}

impl Client {
    async fn start(settings: Settings) -> Self {
        // The second test of the process finds a provider installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let running = serve(settings, SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let mnq = running.handle().with(|gateway, _| gateway.front_contract("MNQ").unwrap().to_string());
        let mut client = Self { running, http: reqwest::Client::new(), token: String::new(), mnq };
        let description = client.running.description();
        let login = json!({"userName": description.username, "apiKey": description.api_key});
        client.token = client.post("/api/Auth/loginKey", login).await["token"].as_str().unwrap().to_string();
        client
    }

    fn account(&self) -> i64 {
        self.running.description().accounts[0]
    }

    async fn send(&self, path: &str, body: Value) -> reqwest::Response {
        let url = format!("{}{path}", self.running.description().base_url);
        self.http.post(url).bearer_auth(&self.token).json(&body).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let response = self.send(path, body).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.running.description().base_url);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn fault(&self, fault: Value) {
        self.post("/sim/fault", fault).await;
    }

    /// A hub connection without negotiation; the token travels in the query.
    async fn connect(&self, hub: &str) -> Socket {
        let url = format!("ws://{}/hubs/{hub}?access_token={}", self.running.address(), self.token);
        let (mut socket, _) = connect_async(url).await.unwrap();
        say(&mut socket, r#"{"protocol":"json","version":1}"#).await;
        assert_eq!(next(&mut socket).await, json!({}));
        socket
    }

    /// Everything of the first account.
    async fn listen(&self) -> Socket {
        let mut socket = self.connect("user").await;
        let account = self.account();
        call(&mut socket, "SubscribeAccounts", json!([])).await;
        for method in ["SubscribeOrders", "SubscribePositions", "SubscribeTrades"] {
            call(&mut socket, method, json!([account])).await;
        }
        socket
    }

    async fn last(&self, price: f64) {
        self.post("/sim/quote", json!({"contractId": self.mnq, "last": price})).await;
    }

    async fn place(&self, side: i64, size: i64) -> Value {
        let order = json!({"accountId": self.account(), "contractId": self.mnq, "type": 2, "side": side, "size": size});
        self.post("/api/Order/place", order).await
    }

    async fn end(self) {
        timeout(PATIENCE, self.running.shut_down()).await.expect("everything ended");
    }
}

async fn say(socket: &mut Socket, record: &str) {
    socket.send(Message::text(format!("{record}\u{1e}"))).await.unwrap();
}

/// The next record.
async fn next(socket: &mut Socket) -> Value {
    let message = timeout(PATIENCE, socket.next()).await.expect("a record in time").unwrap().unwrap();
    let text = message.into_text().unwrap();
    serde_json::from_str(text.trim_end_matches('\u{1e}')).unwrap_or_else(|error| panic!("{text}: {error}"))
}

async fn call(socket: &mut Socket, method: &str, arguments: Value) {
    let call = json!({"type": 1, "invocationId": method, "target": method, "arguments": arguments});
    say(socket, &call.to_string()).await;
    let completion = next(socket).await;
    assert_eq!(completion, json!({"type": 3, "invocationId": method, "result": null}));
}

/// Targets and sizes of the next events.
async fn targets(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(next(socket).await["target"].as_str().unwrap().trim_start_matches("Gateway").to_string());
    }
    seen
}

/// How a socket ends: in order, or without a word.
async fn ending(socket: &mut Socket) -> &'static str {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("an end in time") {
            Some(Ok(Message::Close(_))) => return "closed",
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return "dropped",
        }
    }
}

fn manual() -> Settings {
    Settings::new(Market::Manual)
}

#[tokio::test]
async fn a_trade_from_login_to_flat() {
    let client = Client::start(manual()).await;
    client.last(MNQ_LAST).await;
    let mut user = client.listen().await;
    assert_eq!(client.place(0, 2).await["success"], true);
    let opening = ["UserOrder", "UserTrade", "UserOrder", "UserPosition", "UserAccount", "UserAccount"];
    assert_eq!(targets(&mut user, 6).await, opening);
    let close = json!({"accountId": client.account(), "contractId": client.mnq});
    assert_eq!(client.post("/api/Position/closeContract", close.clone()).await["errorCode"], 0);
    let closing =
        ["UserOrder", "UserOrder", "UserTrade", "UserTrade", "UserPosition", "UserAccount", "UserAccount"];
    assert_eq!(targets(&mut user, 7).await, closing);
    assert_eq!(client.post("/api/Position/closeContract", close).await["errorCode"], 2);
    assert_eq!(client.get("/sim/accounts").await[0]["positions"], json!([]));
    client.end().await;
}

#[tokio::test]
async fn the_description_is_all_a_client_needs() {
    let client =
        Client::start(Settings { accounts: simulator::AccountSettings::several(3), ..manual() }).await;
    let line = serde_json::to_value(client.running.description()).unwrap();
    let base = format!("http://{}", client.running.address());
    assert_eq!(line["base_url"], base);
    assert_eq!(line["user_hub_url"], format!("{base}/hubs/user"));
    assert_eq!(line["market_hub_url"], format!("{base}/hubs/market"));
    assert!(line["api_key"].as_str().unwrap().len() >= 16);
    let accounts = client.post("/api/Account/search", json!({"onlyActiveAccounts": true})).await;
    let ids: Vec<Value> =
        accounts["accounts"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(line["accounts"], json!(ids));
    client.end().await;
}

#[tokio::test]
async fn negotiation_hands_out_ids_and_upgrades_are_refused_by_status() {
    let client = Client::start(manual()).await;
    let address = client.running.address();
    let reply = client.post("/hubs/market/negotiate?negotiateVersion=1", json!({})).await;
    let id = reply["connectionToken"].as_str().unwrap();
    let url = |query: &str| format!("ws://{address}/hubs/market?{query}");
    let status = async |url: String| match connect_async(url).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(status(url("")).await, 401);
    assert_eq!(status(url(&format!("access_token={}&id=nonsense", client.token))).await, 404);
    let good = url(&format!("id={id}"));
    let mut request = good.as_str().into_client_request().unwrap();
    request.headers_mut().insert("Authorization", format!("Bearer {}", client.token).parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    say(&mut socket, r#"{"protocol":"json","version":1}"#).await;
    assert_eq!(next(&mut socket).await, json!({}));
    assert_eq!(status(format!("{good}&access_token={}", client.token)).await, 409);
    client.fault(json!({"kind": "expire_tokens"})).await;
    assert_eq!(status(url(&format!("access_token={}", client.token))).await, 401);
    let refused = client.send("/hubs/market/negotiate?negotiateVersion=1", json!({})).await;
    assert_eq!((refused.status().as_u16(), refused.text().await.unwrap()), (401, String::new()));
    client.end().await;
}

#[tokio::test]
async fn hubs_end_as_the_fault_says() {
    let client = Client::start(manual()).await;
    for (how, expected) in [("close", "closed"), ("reset", "dropped")] {
        let (mut user, mut market) = (client.listen().await, client.connect("market").await);
        client.fault(json!({"kind": "drop_hub", "hub": "user", "how": how})).await;
        if how == "close" {
            let close = next(&mut user).await;
            assert_eq!((&close["type"], &close["allowReconnect"]), (&json!(7), &json!(true)));
        }
        assert_eq!(ending(&mut user).await, expected);
        call(&mut market, "SubscribeContractQuotes", json!([client.mnq])).await;
    }
    client.end().await;
}

#[tokio::test]
async fn answers_carry_the_date_and_come_late_on_demand() {
    let client = Client::start(manual()).await;
    let date_of = |response: &reqwest::Response| {
        let text = response.headers()["date"].to_str().unwrap().to_string();
        DateTime::parse_from_rfc2822(&text).unwrap().to_utc()
    };
    let search = json!({"onlyActiveAccounts": true});
    let honest = client.send("/api/Account/search", search.clone()).await;
    assert!((date_of(&honest) - Utc::now()).num_seconds().abs() <= 2);
    assert_eq!(honest.headers().get_all("date").iter().count(), 1);
    client.fault(json!({"kind": "clock_skew", "seconds": 3600})).await;
    client.fault(json!({"kind": "http_latency", "path": "Account/search", "ms": 300})).await;
    let asked = std::time::Instant::now();
    let wrong = client.send("/api/Account/search", search).await;
    assert!(asked.elapsed() >= Duration::from_millis(300));
    assert!((date_of(&wrong) - Utc::now()).num_seconds() > 3_500);
    client.end().await;
}

#[tokio::test]
async fn the_journal_times_a_reaction() {
    let client = Client::start(manual()).await;
    client.last(MNQ_LAST).await;
    let mut user = client.listen().await;
    let placed = client.running.handle();
    let (account, mnq) = (client.account(), client.mnq.clone());
    let mut trader = placed.with(|gateway, _| simulator::Trader::new(gateway));
    placed.with(|gateway, now| {
        let ticket = simulator::Ticket::market(account, &mnq, domain::OrderSide::Buy, 1);
        trader.place(gateway, now, &ticket).unwrap();
    });
    assert_eq!(targets(&mut user, 4).await[3], "UserPosition");
    client.post("/api/Position/closeContract", json!({"accountId": account, "contractId": mnq})).await;
    let rows = client.get("/sim/journal").await;
    let at = |wanted: &str| {
        let of_us =
            |row: &&Value| row["session"] == "s1" && (row["path"] == wanted || row["target"] == wanted);
        rows.as_array().unwrap().iter().find(of_us).unwrap()["at_ns"].as_i64().unwrap()
    };
    let reaction = at("/api/Position/closeContract") - at("GatewayUserPosition");
    assert!((1..10_000_000_000).contains(&reaction), "{reaction} ns");
    client.end().await;
}

#[tokio::test]
async fn a_walk_runs_by_itself() {
    let client = Client::start(Settings { speed: 20.0, ..Settings::new(Market::Walk) }).await;
    let mut market = client.connect("market").await;
    call(&mut market, "SubscribeContractQuotes", json!([client.mnq])).await;
    let snapshot = next(&mut market).await;
    assert!(snapshot["arguments"][1]["lastPrice"].is_number());
    let mut moved = 0;
    while moved < 5 {
        moved += u32::from(next(&mut market).await["arguments"][1].get("lastPrice").is_some());
    }
    let mut user = client.listen().await;
    client.place(0, 1).await;
    let first = ["UserOrder", "UserTrade", "UserOrder", "UserPosition", "UserAccount", "UserAccount"];
    assert_eq!(targets(&mut user, 6).await, first, "the fill comes by itself");
    client.end().await;
}

#[tokio::test]
async fn a_scenario_plays_in_real_time() {
    let scenario = Scenario::parse(include_str!("../../scenarios/bad-morning.yaml")).unwrap();
    let client = Client::start(Settings { speed: 20.0, ..Settings::new(Market::Scenario) }).await;
    let mut user = client.listen().await;
    client.running.play(&scenario).unwrap();
    let mut closed = 0;
    while closed < 3 {
        let event = next(&mut user).await;
        let size = &event["arguments"][0]["data"]["size"];
        closed += u32::from(event["target"] == "GatewayUserPosition" && *size == 0);
    }
    client.end().await;
}

#[tokio::test]
async fn shutting_down_says_goodbye_and_frees_the_port() {
    let client = Client::start(manual()).await;
    let address = client.running.address();
    let mut user = client.listen().await;
    let hub = tokio::spawn(async move {
        let close = next(&mut user).await;
        assert_eq!((&close["type"], &close["allowReconnect"]), (&json!(7), &json!(true)));
        ending(&mut user).await
    });
    client.end().await;
    assert_eq!(hub.await.unwrap(), "closed");
    let again = serve(manual(), address).await.expect("the port is free again");
    again.shut_down().await;
}

#[tokio::test]
async fn only_loopback_is_served() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(matches!(serve(manual(), everywhere).await, Err(ServeError::NotLoopback(_))));
    let taken = serve(manual(), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let second = serve(manual(), taken.address()).await;
    assert!(matches!(second, Err(ServeError::Listen { .. })));
    taken.shut_down().await;
}

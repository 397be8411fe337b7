//! Just enough of a gateway: logins, tokens that can be ended, fixed answers, and hubs that confirm every
//! call and say what they are told to say.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{
        ConnectInfo, Path, Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use projectx::{Credentials, Settings};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::broadcast, task::JoinHandle};

/// A running gateway; ends when dropped.
pub struct Gateway {
    address: SocketAddr,
    pub state: Arc<World>,
    serving: JoinHandle<()>,
}

pub struct World {
    tokens: Mutex<HashSet<String>>,
    pub logins: AtomicUsize,
    /// Error code of logins; 0 lets them in.
    pub login_code: AtomicI64,
    pub requests: Mutex<Vec<Request>>,
    /// Calls received by the hubs.
    pub subscriptions: Mutex<Vec<String>>,
    pub hub_connections: AtomicUsize,
    orders: broadcast::Sender<Order>,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub peer: SocketAddr,
}

/// What all open hub connections are told to do.
#[derive(Clone, Debug)]
enum Order {
    Say { hub: &'static str, text: String },
    Drop { hub: &'static str },
}

impl Gateway {
    pub async fn start() -> Self {
        let state = Arc::new(World {
            tokens: Mutex::default(),
            logins: AtomicUsize::new(0),
            login_code: AtomicI64::new(0),
            requests: Mutex::default(),
            subscriptions: Mutex::default(),
            hub_connections: AtomicUsize::new(0),
            orders: broadcast::channel(100_000).0,
        });
        let routes = Router::new()
            .route("/api/Auth/loginKey", post(log_in))
            .route("/api/Status/ping", get(ping))
            .route("/api/{family}/{verb}", post(answer))
            .route("/hubs/{hub}", get(upgrade))
            .with_state(state.clone())
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, state, serving }
    }

    pub fn settings(&self) -> Settings {
        Settings {
            base_url: format!("http://{}/", self.address),
            user_hub_url: format!("http://{}/hubs/user", self.address),
            market_hub_url: format!("ws://{}/hubs/market", self.address),
            credentials: Credentials::new("jdoe42", "key-1"),
        }
    }

    /// Ends all sessions; hub connections stay.
    pub fn expire_tokens(&self) {
        self.state.tokens.lock().unwrap().clear();
    }

    pub fn drop_hub(&self, hub: &'static str) {
        self.state.orders.send(Order::Drop { hub }).unwrap();
    }

    pub fn say(&self, hub: &'static str, target: &str, arguments: Value) {
        let text = format!("{}\u{1e}", json!({"type": 1, "target": target, "arguments": arguments}));
        self.state.orders.send(Order::Say { hub, text }).unwrap();
    }

    pub fn requests(&self, path: &str) -> Vec<Request> {
        self.state.requests.lock().unwrap().iter().filter(|request| request.path == path).cloned().collect()
    }

    pub fn subscriptions(&self) -> Vec<String> {
        std::mem::take(&mut self.state.subscriptions.lock().unwrap())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn ping(State(world): State<Arc<World>>, ConnectInfo(peer): ConnectInfo<SocketAddr>) -> &'static str {
    world.requests.lock().unwrap().push(Request { path: "/api/Status/ping".into(), peer });
    "pong"
}

async fn log_in(State(world): State<Arc<World>>, Json(body): Json<Value>) -> Json<Value> {
    let number = world.logins.fetch_add(1, Ordering::SeqCst);
    let code = if body["apiKey"] == "key-good" { 0 } else { world.login_code.load(Ordering::SeqCst) };
    let token = format!("token-{number}");
    if code == 0 {
        world.tokens.lock().unwrap().insert(token.clone());
    }
    Json(json!({"token": (code == 0).then_some(token), "success": code == 0, "errorCode": code}))
}

async fn answer(
    State(world): State<Arc<World>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((family, verb)): Path<(String, String)>,
    headers: HeaderMap,
    Json(_): Json<Value>,
) -> Response {
    let path = format!("/api/{family}/{verb}");
    world.requests.lock().unwrap().push(Request { path: path.clone(), peer });
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    if !world.tokens.lock().unwrap().contains(token) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut body = match path.as_str() {
        "/api/Account/search" => json!({"accounts": [account(7, 50_000)]}),
        "/api/Position/searchOpen" => json!({"positions": []}),
        "/api/Order/searchOpen" | "/api/Order/search" => json!({"orders": []}),
        "/api/Trade/search" => json!({"trades": []}),
        _ => json!({}),
    };
    (body["success"], body["errorCode"]) = (true.into(), 0.into());
    Json(body).into_response()
}

pub fn account(id: i64, balance: i64) -> Value {
    json!({"id": id, "name": format!("PRAC-V2-{id}"), "balance": balance, "canTrade": true, "isVisible": true, "simulated": true})
}

async fn upgrade(
    State(world): State<Arc<World>>,
    Path(hub): Path<String>,
    Query(query): Query<Value>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let is_valid =
        query["access_token"].as_str().is_some_and(|token| world.tokens.lock().unwrap().contains(token));
    if !is_valid {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(async move |socket| {
        world.hub_connections.fetch_add(1, Ordering::SeqCst);
        serve_hub(&world, &hub, socket).await;
        world.hub_connections.fetch_sub(1, Ordering::SeqCst);
    })
}

async fn serve_hub(world: &World, name: &str, mut socket: WebSocket) {
    let mut orders = world.orders.subscribe();
    loop {
        tokio::select! {
            order = orders.recv() => match order.unwrap() {
                Order::Say { hub, text } if hub == name => {
                    if socket.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                Order::Drop { hub } if hub == name => return,
                Order::Say { .. } | Order::Drop { .. } => {}
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    for reply in replies(world, &text) {
                        let _ = socket.send(Message::text(reply)).await;
                    }
                }
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        }
    }
}

fn replies(world: &World, frame: &str) -> Vec<String> {
    let records = frame.split('\u{1e}').filter(|record| !record.is_empty());
    records
        .filter_map(|record| {
            let message: Value = serde_json::from_str(record).unwrap();
            if message.get("protocol").is_some() {
                return Some("{}\u{1e}".to_string());
            }
            let target = message["target"].as_str()?;
            world.subscriptions.lock().unwrap().push(format!("{target}{}", message["arguments"]));
            let completion = json!({"type": 3, "invocationId": message["invocationId"], "result": null});
            Some(format!("{completion}\u{1e}"))
        })
        .collect()
}

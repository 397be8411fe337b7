//! A desk at the gateway for tests: a client's calls and a hub connection, in virtual time, with events
//! as short lines of text.

use chrono::TimeDelta;
use domain::Instant;
use serde_json::{Value, json};
use simulator::{ConnectionId, Frame, Gateway, HttpRequest, HttpResponse, Hub, Market, Method, Settings};

pub const SEPARATOR: char = '\u{1e}';
pub const MNQ: &str = "CON.F.US.MNQ.U26";
pub const ES: &str = "CON.F.US.EP.U26";
pub const ACCOUNT: i64 = 26_100_417;

pub fn start() -> Instant {
    "2026-06-22T14:30:00Z".parse().unwrap()
}

pub struct Desk {
    pub gateway: Gateway,
    pub now: Instant,
    pub token: String,
}

impl Desk {
    /// A manual market without costs, logged in, MNQ at 21000.
    pub fn manual() -> Self {
        let mut desk = Self::new(Settings { costs: simulator::Costs::Zero, ..Settings::new(Market::Manual) });
        desk.last("21000");
        desk
    }

    /// A walking market, logged in.
    pub fn walk(seed: u64) -> Self {
        Self::new(Settings { seed, ..Settings::new(Market::Walk) })
    }

    pub fn new(settings: Settings) -> Self {
        let gateway = Gateway::new(settings, start());
        let mut desk = Self { gateway, now: start(), token: String::new() };
        desk.token = desk.log_in();
        desk
    }

    pub fn log_in(&mut self) -> String {
        let (user, key) = self.gateway.credentials();
        let body = json!({"userName": user, "apiKey": key});
        let reply = self.post("/api/Auth/loginKey", &body);
        reply["token"].as_str().expect("a token").to_string()
    }

    pub fn send(&mut self, path: &str, body: &Value) -> HttpResponse {
        let request = HttpRequest::post(path, Some(&self.token), body).unwrap();
        self.gateway.handle(self.now, &request)
    }

    /// A call that must be answered with HTTP 200 and JSON.
    pub fn post(&mut self, path: &str, body: &Value) -> Value {
        let response = self.send(path, body);
        assert_eq!(response.status, 200, "{path} {body}: {}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Code and message of a call.
    pub fn code(&mut self, path: &str, body: &Value) -> (i64, String) {
        let reply = self.post(path, body);
        assert_eq!(reply["success"] == true, reply["errorCode"] == 0, "{reply}");
        (reply["errorCode"].as_i64().unwrap(), reply["errorMessage"].as_str().unwrap_or("-").to_string())
    }

    /// Places an order on MNQ and returns the last three digits of its id.
    pub fn place(&mut self, order: Value) -> i64 {
        let reply = self.place_raw(order);
        assert_eq!(reply["success"], true, "{reply}");
        reply["orderId"].as_i64().unwrap()
    }

    /// Code and message of a placement.
    pub fn place_code(&mut self, order: Value) -> (i64, String) {
        let reply = self.place_raw(order);
        (reply["errorCode"].as_i64().unwrap(), reply["errorMessage"].as_str().unwrap_or("-").to_string())
    }

    pub fn place_raw(&mut self, order: Value) -> Value {
        let mut body = json!({"accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1});
        for (member, value) in order.as_object().unwrap() {
            body[member] = value.clone();
        }
        self.post("/api/Order/place", &body)
    }

    pub fn close(&mut self) -> (i64, String) {
        self.code("/api/Position/closeContract", &json!({"accountId": ACCOUNT, "contractId": MNQ}))
    }

    pub fn fault(&mut self, fault: Value) {
        let response = self.send("/sim/fault", &fault);
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    }

    pub fn clear_faults(&mut self) {
        let request = HttpRequest { method: Method::Delete, ..HttpRequest::get("/sim/fault") };
        assert_eq!(self.gateway.handle(self.now, &request).status, 200);
    }

    pub fn quote(&mut self, quote: Value) {
        let response = self.send("/sim/quote", &quote);
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    }

    pub fn last(&mut self, price: &str) {
        self.quote(json!({"contractId": MNQ, "last": price.parse::<f64>().unwrap()}));
    }

    pub fn get(&mut self, path: &str) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = HttpRequest { query: query.to_string(), ..HttpRequest::get(path) };
        let response = self.gateway.handle(self.now, &request);
        assert_eq!(response.status, 200);
        serde_json::from_slice(&response.body).unwrap()
    }

    pub fn wait_ms(&mut self, ms: i64) {
        self.now += TimeDelta::milliseconds(ms);
        self.gateway.advance(self.now);
    }

    /// The simulator's own word on the first account: position and working orders, a line each.
    pub fn truth(&mut self) -> Vec<String> {
        let accounts = self.get("/sim/accounts");
        let account = &accounts[0];
        let rows = |name: &str| account[name].as_array().unwrap().clone();
        let positions = rows("positions").into_iter().map(|row| position_line(&row));
        let orders = rows("orders").into_iter().map(|row| order_line(&row));
        positions.chain(orders).collect()
    }

    pub fn balance(&mut self) -> f64 {
        self.get("/sim/accounts")[0]["balance"].as_f64().unwrap()
    }

    /// A user hub connection that sees everything of the first account.
    pub fn listen(&mut self) -> ConnectionId {
        let id = self.connect(Hub::User);
        self.call(id, "SubscribeAccounts", json!([]));
        for method in ["SubscribeOrders", "SubscribePositions", "SubscribeTrades"] {
            self.call(id, method, json!([ACCOUNT]));
        }
        assert_eq!(self.records(id).len(), 4, "four completions");
        id
    }

    /// A connection that has shaken hands.
    pub fn connect(&mut self, hub: Hub) -> ConnectionId {
        let id = self.gateway.open(self.now, hub, Some(&self.token), None).unwrap();
        self.say(id, r#"{"protocol":"json","version":1}"#);
        assert_eq!(self.records(id), ["{}"]);
        id
    }

    pub fn say(&mut self, id: ConnectionId, record: &str) {
        self.gateway.receive(self.now, id, &format!("{record}{SEPARATOR}"));
    }

    pub fn call(&mut self, id: ConnectionId, method: &str, arguments: Value) {
        let call = json!({"type": 1, "invocationId": "7", "target": method, "arguments": arguments});
        self.say(id, &call.to_string());
    }

    /// The records that wait for a connection, without separators.
    pub fn records(&mut self, id: ConnectionId) -> Vec<String> {
        let records = self.gateway.outgoing(id).into_iter().map(|frame| match frame {
            Frame::Text(text) => text.strip_suffix(SEPARATOR).expect("a separator").to_string(),
            Frame::Close => "<close>".to_string(),
            Frame::Reset => "<reset>".to_string(),
        });
        records.collect()
    }

    /// The events that wait for a connection, a line each.
    pub fn events(&mut self, id: ConnectionId) -> Vec<String> {
        self.records(id).iter().map(|record| event_line(record)).collect()
    }
}

/// `order 417 market status 6 0/1`, `trade 731 buy 1@21000 pnl -`, `position 231 +1@21000`, …
pub fn event_line(record: &str) -> String {
    let Ok(message) = serde_json::from_str::<Value>(record) else { return record.to_string() };
    let row = &message["arguments"][0]["data"];
    match message["target"].as_str() {
        Some("GatewayUserOrder") => order_line(row),
        Some("GatewayUserTrade") => trade_line(row),
        Some("GatewayUserPosition") => position_line(row),
        Some("GatewayUserAccount") => format!("account {} {}", row["balance"], row["canTrade"]),
        _ => record.to_string(),
    }
}

pub fn order_line(row: &Value) -> String {
    let kinds = ["?", "limit", "market", "stop limit", "stop", "trailing stop", "join bid", "join ask"];
    let kind = kinds[usize::try_from(row["type"].as_i64().unwrap()).unwrap()];
    let price = |name: &str| row[name].as_f64().map(|price| format!(" {name} {price}")).unwrap_or_default();
    let side = if row["side"] == 0 { "buy" } else { "sell" };
    format!(
        "order {} {side} {kind} status {} {}/{}{}{}",
        short(&row["id"]),
        row["status"],
        row["fillVolume"],
        row["size"],
        price("limitPrice"),
        price("stopPrice")
    )
}

fn trade_line(row: &Value) -> String {
    let pnl = row["profitAndLoss"].as_f64().map_or("-".to_string(), |pnl| pnl.to_string());
    let side = if row["side"] == 0 { "buy" } else { "sell" };
    let voided = if row["voided"] == true { " voided" } else { "" };
    format!("trade {} {side} {}@{} pnl {pnl}{voided}", short(&row["id"]), row["size"], row["price"])
}

fn position_line(row: &Value) -> String {
    let sign = match row["type"].as_i64().unwrap() {
        1 => "+",
        2 => "-",
        _ => "",
    };
    format!("position {} {sign}{}@{}", short(&row["id"]), row["size"], row["averagePrice"])
}

fn short(id: &Value) -> i64 {
    id.as_i64().unwrap() % 1_000
}

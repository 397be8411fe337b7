//! The trader at one account: an ordinary client of the gateway with a login of its own.

use serde_json::{Value, json};

use super::simulator::Simulator;

const LIMIT: i64 = 1;
const MARKET: i64 = 2;
const STOP: i64 = 4;
const BUY: i64 = 0;
const SELL: i64 = 1;

/// An account and who trades it.
#[derive(Clone, Copy)]
pub struct Desk<'s> {
    simulator: &'s Simulator,
    pub account: i64,
}

impl<'s> Desk<'s> {
    pub fn new(simulator: &'s Simulator, account: i64) -> Self {
        Self { simulator, account }
    }

    /// A market order.
    pub fn buy(&self, root: &str, size: i64) -> i64 {
        self.place(root, json!({"type": MARKET, "side": BUY, "size": size}))
    }

    /// A market order.
    pub fn sell(&self, root: &str, size: i64) -> i64 {
        self.place(root, json!({"type": MARKET, "side": SELL, "size": size}))
    }

    pub fn buy_limit(&self, root: &str, size: i64, price: f64) -> i64 {
        self.place(root, json!({"type": LIMIT, "side": BUY, "size": size, "limitPrice": price}))
    }

    pub fn sell_limit(&self, root: &str, size: i64, price: f64) -> i64 {
        self.place(root, json!({"type": LIMIT, "side": SELL, "size": size, "limitPrice": price}))
    }

    pub fn buy_stop(&self, root: &str, size: i64, price: f64) -> i64 {
        self.place(root, json!({"type": STOP, "side": BUY, "size": size, "stopPrice": price}))
    }

    pub fn sell_stop(&self, root: &str, size: i64, price: f64) -> i64 {
        self.place(root, json!({"type": STOP, "side": SELL, "size": size, "stopPrice": price}))
    }

    /// A market order with a stop loss and a profit target so many ticks away.
    pub fn buy_with_bracket(&self, root: &str, size: i64, loss_ticks: i64, profit_ticks: i64) -> i64 {
        let bracket = |ticks: i64, kind: i64| json!({"ticks": ticks, "type": kind});
        self.place(
            root,
            json!({"type": MARKET, "side": BUY, "size": size,
                "stopLossBracket": bracket(-loss_ticks, STOP),
                "takeProfitBracket": bracket(profit_ticks, LIMIT)}),
        )
    }

    /// Sends an order whatever comes of it; the answer.
    pub fn try_place(&self, root: &str, mut order: Value) -> Value {
        order["accountId"] = json!(self.account);
        order["contractId"] = json!(self.simulator.contract(root));
        let answer = self.simulator.post("/api/Order/place", &order);
        if let Some(id) = answer["orderId"].as_i64() {
            self.simulator.placed.lock().unwrap().insert(id, order["size"].as_i64().unwrap());
        }
        answer
    }

    fn place(&self, root: &str, order: Value) -> i64 {
        let answer = self.try_place(root, order);
        assert_eq!(answer["success"], true, "{answer}");
        answer["orderId"].as_i64().unwrap()
    }

    pub fn cancel(&self, order: i64) {
        let answer =
            self.simulator.post("/api/Order/cancel", &json!({"accountId": self.account, "orderId": order}));
        assert_eq!(answer["success"], true, "{answer}");
    }

    /// The trader closes what he holds.
    pub fn close(&self, root: &str) {
        let contract = self.simulator.contract(root);
        let wish = json!({"accountId": self.account, "contractId": contract});
        let answer = self.simulator.post("/api/Position/closeContract", &wish);
        assert_eq!(answer["success"], true, "{answer}");
    }

    /// What the gateway itself knows: signed contracts held.
    pub fn held(&self, root: &str) -> i64 {
        let contract = self.simulator.contract(root);
        let truth = self.simulator.truth(self.account);
        let position =
            truth["positions"].as_array().unwrap().iter().find(|it| it["contractId"] == contract.as_str());
        position.map_or(0, |it| {
            let size = it["size"].as_i64().unwrap();
            if it["type"] == 2 { -size } else { size }
        })
    }

    pub fn is_flat(&self) -> bool {
        self.simulator.truth(self.account)["positions"].as_array().unwrap().is_empty()
    }

    /// Orders that are not ended.
    pub fn orders(&self) -> Vec<Value> {
        self.simulator.truth(self.account)["orders"].as_array().unwrap().clone()
    }

    /// Whether an order is not ended.
    pub fn is_working(&self, order: i64) -> bool {
        self.orders().iter().any(|it| it["id"] == order)
    }

    /// Executions, oldest first.
    pub fn fills(&self) -> Vec<Value> {
        self.simulator.truth(self.account)["fills"].as_array().unwrap().clone()
    }
}

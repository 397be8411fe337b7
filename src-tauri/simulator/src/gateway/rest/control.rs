//! The control paths beside the gateway's own: prices, faults, journal and the simulator's own truth.
//! They need no token, are never limited and are not journalled.

use projectx::wire::{Number, model};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::gateway::{
    Fault, Gateway, HttpRequest, HttpResponse, Method, QuoteUpdate, account::Account, stamp::Precision,
};

/// What control paths begin with.
pub(in crate::gateway) const CONTROL: &str = "/sim/";

/// `POST /sim/quote`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PostedQuote {
    contract_id: String,
    #[serde(default)]
    bid: Option<Number>,
    #[serde(default)]
    ask: Option<Number>,
    #[serde(default)]
    last: Option<Number>,
}

/// What the simulator itself knows of an account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: i64,
    name: String,
    balance: Number,
    can_trade: bool,
    simulated: bool,
    positions: Vec<model::Position>,
    orders: Vec<model::Order>,
    fills: Vec<model::Trade>,
    realized: Realized,
}

#[derive(Debug, Serialize)]
struct Realized {
    gross: Number,
    fees: Number,
}

impl Gateway {
    pub(super) fn control(&mut self, request: &HttpRequest) -> HttpResponse {
        match (request.method, request.path.as_str()) {
            (Method::Post, "/sim/quote") => self.control_quote(request),
            (Method::Post, "/sim/fault") => self.control_fault(request),
            (Method::Delete, "/sim/fault") => {
                self.clear_faults(self.now);
                HttpResponse::json(200, &json!({"ok": true}))
            }
            (Method::Get, "/sim/journal") => self.control_journal(request),
            (Method::Get, "/sim/accounts") => HttpResponse::json(200, &self.shown_accounts()),
            (_, "/sim/quote" | "/sim/fault" | "/sim/journal" | "/sim/accounts") => {
                unclear(405, "this control path has another method")
            }
            (Method::Get | Method::Post | Method::Delete | Method::Other, _) => unclear(
                404,
                "no such control path; there are /sim/quote, /sim/fault, /sim/journal, /sim/accounts",
            ),
        }
    }

    fn control_quote(&mut self, request: &HttpRequest) -> HttpResponse {
        let posted: PostedQuote = match serde_json::from_slice(&request.body) {
            Ok(posted) => posted,
            Err(error) => return unclear(400, &error.to_string()),
        };
        let price = |number: Option<Number>| number.map(|number| number.0);
        let update = QuoteUpdate { bid: price(posted.bid), ask: price(posted.ask), last: price(posted.last) };
        if update == QuoteUpdate::default() {
            return unclear(400, "a quote needs at least one of bid, ask and last");
        }
        if !self.post_quote(self.now, &posted.contract_id, update) {
            return unclear(400, &format!("no contract {}", posted.contract_id));
        }
        HttpResponse::json(200, &json!({"ok": true}))
    }

    fn control_fault(&mut self, request: &HttpRequest) -> HttpResponse {
        match Fault::parse(&request.body).and_then(|fault| self.set_fault(self.now, fault)) {
            Ok(()) => HttpResponse::json(200, &json!({"ok": true})),
            Err(error) => unclear(400, &error.to_string()),
        }
    }

    fn control_journal(&self, request: &HttpRequest) -> HttpResponse {
        let after = match request.parameter("after").map(|text| text.parse::<u64>()) {
            None => 0,
            Some(Ok(after)) => after,
            Some(Err(_)) => return unclear(400, "after must be the number of a row"),
        };
        let rows: Vec<_> = self.journal.after(after).collect();
        let mut response = HttpResponse::json(200, &rows);
        response.headers.push(("x-journal-dropped", self.journal.dropped().to_string()));
        response
    }

    fn shown_accounts(&self) -> Vec<Shown> {
        (0..).zip(&self.accounts).map(|(index, account)| self.shown_account(index, account)).collect()
    }

    fn shown_account(&self, index: usize, account: &Account) -> Shown {
        let positions = account.positions.iter();
        let orders = self.orders.working_of(index);
        Shown {
            id: account.id,
            name: account.settings.name.clone(),
            balance: Number(account.balance.0),
            can_trade: account.can_trade,
            simulated: account.simulated,
            positions: positions
                .map(|(contract, held)| self.position_row(index, *contract, held, Precision::Rest))
                .collect(),
            orders: orders.iter().filter_map(|order| self.order_row(order.id, Precision::Rest)).collect(),
            fills: self.trades.of(index).map(|trade| self.trade_row(trade, Precision::Hub)).collect(),
            realized: Realized { gross: Number(account.gross.0), fees: Number(account.costs.0) },
        }
    }
}

fn unclear(status: u16, message: &str) -> HttpResponse {
    HttpResponse::json(status, &json!({"error": message}))
}

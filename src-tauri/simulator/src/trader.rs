//! A scripted trader: an ordinary REST client of the gateway with a login of its own, so that the journal
//! tells it apart. Sees nothing that a real client could not see, and ignores latency faults: its answers
//! are there at once.

use domain::{Instant, OrderKind, OrderSide};
use projectx::wire::{
    Number, code, model,
    rest::{
        Bracket, CloseContract, Envelope, LoginKey, ModifyOrder, OfAccount, OrderRef, Orders,
        PartialCloseContract, PlaceOrder, Placed, Positions, Token, path,
    },
};
use rust_decimal::Decimal;
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::gateway::{Gateway, HttpRequest};

/// An ordinary client, driven by hand.
#[derive(Clone, Debug)]
pub struct Trader {
    username: String,
    api_key: String,
    token: Option<String>,
}

/// What a trader's call came to, when not to a success.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraderError {
    /// An HTTP status other than 200.
    #[error("HTTP status {0}")]
    Http(u16),
    /// The gateway refused.
    #[error("refused with code {code}: {}", message.as_deref().unwrap_or("no message"))]
    Refused {
        /// `errorCode`.
        code: i64,
        /// `errorMessage`.
        message: Option<String>,
    },
    /// The answer is not what the endpoint promises.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
}

/// An order as a trader thinks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Account.
    pub account: i64,
    /// Contract id.
    pub contract: String,
    /// Direction.
    pub side: OrderSide,
    /// How it executes.
    pub kind: OrderKind,
    /// Contracts.
    pub size: i64,
    /// Limit price, of limit and stop-limit orders.
    pub limit: Option<Decimal>,
    /// Stop price, of stop and stop-limit orders.
    pub stop: Option<Decimal>,
    /// Price level that sets a trailing stop's distance.
    pub trail: Option<Decimal>,
    /// Distance of the stop loss to the fill in ticks, negative for a long.
    pub stop_loss_ticks: Option<i64>,
    /// Distance of the take profit to the fill in ticks, positive for a long.
    pub take_profit_ticks: Option<i64>,
    /// Tag, unique in the account.
    pub tag: Option<String>,
}

/// What a trader wants to be different about an order; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    /// Contracts.
    pub size: Option<i64>,
    /// Limit price.
    pub limit: Option<Decimal>,
    /// Stop price.
    pub stop: Option<Decimal>,
    /// Price level that sets a trailing stop's distance.
    pub trail: Option<Decimal>,
}

impl Ticket {
    /// At the market.
    #[must_use]
    pub fn market(account: i64, contract: &str, side: OrderSide, size: i64) -> Self {
        Self {
            account,
            contract: contract.to_string(),
            side,
            kind: OrderKind::Market,
            size,
            limit: None,
            stop: None,
            trail: None,
            stop_loss_ticks: None,
            take_profit_ticks: None,
            tag: None,
        }
    }

    /// At a price or better.
    #[must_use]
    pub fn limit(account: i64, contract: &str, side: OrderSide, size: i64, price: Decimal) -> Self {
        Self { kind: OrderKind::Limit, limit: Some(price), ..Self::market(account, contract, side, size) }
    }

    /// At the market once a price is reached.
    #[must_use]
    pub fn stop(account: i64, contract: &str, side: OrderSide, size: i64, price: Decimal) -> Self {
        Self { kind: OrderKind::Stop, stop: Some(price), ..Self::market(account, contract, side, size) }
    }

    /// With a stop loss and a take profit at signed distances in ticks.
    #[must_use]
    pub fn with_brackets(self, stop_loss_ticks: i64, take_profit_ticks: i64) -> Self {
        Self { stop_loss_ticks: Some(stop_loss_ticks), take_profit_ticks: Some(take_profit_ticks), ..self }
    }

    /// With a tag.
    #[must_use]
    pub fn tagged(self, tag: &str) -> Self {
        Self { tag: Some(tag.to_string()), ..self }
    }

    fn wire(&self) -> PlaceOrder {
        let bracket = |ticks: Option<i64>, kind: code::OrderType| {
            ticks.map(|ticks| Bracket { ticks, kind: kind.code() })
        };
        PlaceOrder {
            account_id: self.account,
            contract_id: self.contract.clone(),
            kind: order_type(self.kind).code(),
            side: match self.side {
                OrderSide::Buy => code::OrderSide::Bid.code(),
                OrderSide::Sell => code::OrderSide::Ask.code(),
            },
            size: self.size,
            limit_price: self.limit.map(Number),
            stop_price: self.stop.map(Number),
            trail_price: self.trail.map(Number),
            custom_tag: self.tag.clone(),
            stop_loss_bracket: bracket(self.stop_loss_ticks, code::OrderType::Stop),
            take_profit_bracket: bracket(self.take_profit_ticks, code::OrderType::Limit),
        }
    }
}

impl Trader {
    /// A trader with the gateway's credentials; logs in with its first call.
    #[must_use]
    pub fn new(gateway: &Gateway) -> Self {
        let (username, api_key) = gateway.credentials();
        Self { username: username.to_string(), api_key: api_key.to_string(), token: None }
    }

    /// The name of this trader's session in the journal, once it is logged in.
    #[must_use]
    pub fn session(&self, gateway: &Gateway) -> Option<String> {
        gateway.session_name(self.token.as_deref()?)
    }

    /// Begins a new session.
    ///
    /// # Errors
    /// [`TraderError`], as all calls.
    pub fn log_in(&mut self, gateway: &mut Gateway, now: Instant) -> Result<(), TraderError> {
        let login = LoginKey { user_name: self.username.clone(), api_key: self.api_key.clone() };
        let reply: Token = call(gateway, now, path::LOGIN_KEY, None, &login)?;
        self.token = reply.token;
        Ok(())
    }

    /// Places an order and returns its id.
    ///
    /// # Errors
    /// [`TraderError`].
    pub fn place(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
        ticket: &Ticket,
    ) -> Result<i64, TraderError> {
        let placed: Placed = self.call(gateway, now, path::ORDER_PLACE, &ticket.wire())?;
        placed.order_id.ok_or_else(|| TraderError::Unreadable("an accepted order without id".to_string()))
    }

    /// Changes a working order.
    ///
    /// # Errors
    /// [`TraderError`].
    pub fn modify(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
        (account, order): (i64, i64),
        wish: Amendment,
    ) -> Result<(), TraderError> {
        let body = ModifyOrder {
            account_id: account,
            order_id: order,
            size: wish.size,
            limit_price: wish.limit.map(Number),
            stop_price: wish.stop.map(Number),
            trail_price: wish.trail.map(Number),
        };
        self.call(gateway, now, path::ORDER_MODIFY, &body).map(|Nothing {}| ())
    }

    /// Cancels a working order.
    ///
    /// # Errors
    /// [`TraderError`].
    pub fn cancel(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
        (account, order): (i64, i64),
    ) -> Result<(), TraderError> {
        let body = OrderRef { account_id: account, order_id: order };
        self.call(gateway, now, path::ORDER_CANCEL, &body).map(|Nothing {}| ())
    }

    /// Closes a position, or `size` contracts of it.
    ///
    /// # Errors
    /// [`TraderError`].
    pub fn close(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
        (account, contract): (i64, &str),
        size: Option<i64>,
    ) -> Result<(), TraderError> {
        let contract_id = contract.to_string();
        let Nothing {} = match size {
            Some(size) => {
                let body = PartialCloseContract { account_id: account, contract_id, size };
                self.call(gateway, now, path::POSITION_PARTIAL_CLOSE, &body)?
            }
            None => {
                let body = CloseContract { account_id: account, contract_id };
                self.call(gateway, now, path::POSITION_CLOSE, &body)?
            }
        };
        Ok(())
    }

    /// Open positions of an account.
    ///
    /// # Errors
    /// [`TraderError`].
    pub fn positions(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
        account: i64,
    ) -> Result<Vec<model::Position>, TraderError> {
        let body = OfAccount { account_id: account };
        let reply: Positions = self.call(gateway, now, path::POSITION_SEARCH_OPEN, &body)?;
        Ok(reply.positions.unwrap_or_default())
    }

    /// Working orders of an account, as REST shows them.
    ///
    /// # Errors
    /// [`TraderError`].
    pub fn orders(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
        account: i64,
    ) -> Result<Vec<model::Order>, TraderError> {
        let body = OfAccount { account_id: account };
        let reply: Orders = self.call(gateway, now, path::ORDER_SEARCH_OPEN, &body)?;
        Ok(reply.orders.unwrap_or_default())
    }

    /// A call with the token; a token that is no longer good is renewed once.
    fn call<B: Serialize, R: DeserializeOwned>(
        &mut self,
        gateway: &mut Gateway,
        now: Instant,
        path: &str,
        body: &B,
    ) -> Result<R, TraderError> {
        if self.token.is_none() {
            self.log_in(gateway, now)?;
        }
        match call(gateway, now, path, self.token.as_deref(), body) {
            Err(TraderError::Http(401)) => {
                self.log_in(gateway, now)?;
                call(gateway, now, path, self.token.as_deref(), body)
            }
            answer => answer,
        }
    }
}

/// An answer of which only the envelope counts.
#[derive(serde::Deserialize)]
struct Nothing {}

fn call<B: Serialize, R: DeserializeOwned>(
    gateway: &mut Gateway,
    now: Instant,
    path: &str,
    token: Option<&str>,
    body: &B,
) -> Result<R, TraderError> {
    let unreadable = |error: serde_json::Error| TraderError::Unreadable(error.to_string());
    let request = HttpRequest::post(path, token, body).map_err(unreadable)?;
    let response = gateway.handle(now, &request);
    if response.status != 200 {
        return Err(TraderError::Http(response.status));
    }
    let envelope: Envelope = serde_json::from_slice(&response.body).map_err(unreadable)?;
    if !envelope.success {
        return Err(TraderError::Refused { code: envelope.error_code, message: envelope.error_message });
    }
    serde_json::from_slice(&response.body).map_err(unreadable)
}

fn order_type(kind: OrderKind) -> code::OrderType {
    match kind {
        OrderKind::Limit => code::OrderType::Limit,
        OrderKind::Market => code::OrderType::Market,
        OrderKind::StopLimit => code::OrderType::StopLimit,
        OrderKind::Stop => code::OrderType::Stop,
        OrderKind::TrailingStop => code::OrderType::TrailingStop,
        OrderKind::JoinBid => code::OrderType::JoinBid,
        OrderKind::JoinAsk => code::OrderType::JoinAsk,
    }
}

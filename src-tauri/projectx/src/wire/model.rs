//! Entities, as REST rows and as hub payloads. REST writes absent values as null, the hubs leave them
//! out (gateway reference 8.1); both are read the same way. Unknown members are ignored.

use serde::{Deserialize, Serialize};

use super::number::{Number, id};

/// `TradingAccountModel`, `GatewayUserAccount`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 3.1")]
pub struct Account {
    #[serde(with = "id")]
    pub id: i64,
    pub name: String,
    pub balance: Number,
    pub can_trade: bool,
    pub is_visible: bool,
    /// Absent from the docs' sample, required in the swagger.
    #[serde(default)]
    pub simulated: Option<bool>,
}

/// `ContractModel`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 3.2")]
pub struct Contract {
    pub id: String,
    pub name: String,
    pub description: String,
    pub tick_size: Number,
    pub tick_value: Number,
    pub active_contract: bool,
    pub symbol_id: String,
}

/// `OrderModel`, `GatewayUserOrder`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 3.4")]
pub struct Order {
    /// One client met it as `orderId`.
    #[serde(with = "id", alias = "orderId")]
    pub id: i64,
    #[serde(with = "id")]
    pub account_id: i64,
    pub contract_id: String,
    #[serde(default)]
    pub symbol_id: Option<String>,
    pub creation_timestamp: String,
    #[serde(default)]
    pub update_timestamp: Option<String>,
    pub status: i64,
    #[serde(rename = "type")]
    pub kind: i64,
    pub side: i64,
    pub size: i64,
    #[serde(default)]
    pub limit_price: Option<Number>,
    #[serde(default)]
    pub stop_price: Option<Number>,
    #[serde(default)]
    pub fill_volume: i64,
    #[serde(default)]
    pub filled_price: Option<Number>,
    #[serde(default)]
    pub custom_tag: Option<String>,
    /// Signed distance in price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail_price: Option<Number>,
    /// Signed distance in ticks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail_distance: Option<i64>,
    /// On both bracket children: the entry.
    #[serde(default, with = "id::maybe", skip_serializing_if = "Option::is_none")]
    pub parent_order_id: Option<i64>,
    /// On the take-profit child only: its stop-loss sibling.
    #[serde(default, with = "id::maybe", skip_serializing_if = "Option::is_none")]
    pub linked_order_id: Option<i64>,
}

/// `PositionModel`, `GatewayUserPosition`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 3.5")]
pub struct Position {
    #[serde(with = "id")]
    pub id: i64,
    #[serde(with = "id")]
    pub account_id: i64,
    pub contract_id: String,
    #[serde(default)]
    pub contract_display_name: Option<String>,
    pub creation_timestamp: String,
    #[serde(rename = "type")]
    pub kind: i64,
    /// Always positive; 0 when closed.
    pub size: i64,
    /// The entry, also in the message that says it is closed.
    pub average_price: Number,
}

/// `HalfTradeModel`, `GatewayUserTrade`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 3.6")]
pub struct Trade {
    #[serde(with = "id")]
    pub id: i64,
    #[serde(with = "id")]
    pub account_id: i64,
    pub contract_id: String,
    pub creation_timestamp: String,
    pub price: Number,
    /// Absent or null on an opening half-turn; gross on a closing one.
    #[serde(default)]
    pub profit_and_loss: Option<Number>,
    #[serde(default)]
    pub fees: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commissions: Option<Number>,
    pub side: i64,
    pub size: i64,
    #[serde(default)]
    pub voided: bool,
    #[serde(with = "id")]
    pub order_id: i64,
}

/// `GatewayQuote`: only what changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 8.6")]
pub struct Quote {
    /// The product, not the contract: never a key.
    #[serde(default)]
    pub symbol: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_price: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_bid: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_ask: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_percent: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Number>,
    /// The stamp to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    /// May lag or stand still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
}

/// One element of `GatewayTrade`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 8.7")]
pub struct MarketTrade {
    pub symbol_id: String,
    pub price: Number,
    pub timestamp: String,
    #[serde(rename = "type")]
    pub kind: i64,
    pub volume: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_id: Option<String>,
}

/// One row of `GatewayDepth`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 8.8")]
pub struct DepthRow {
    pub timestamp: String,
    #[serde(rename = "type")]
    pub kind: i64,
    pub price: Number,
    pub volume: i64,
    pub current_volume: i64,
}

/// One history bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "named and documented as in gateway reference 3.3")]
pub struct Bar {
    pub t: String,
    pub o: Number,
    pub h: Number,
    pub l: Number,
    pub c: Number,
    pub v: i64,
}

/// What the live gateway wraps around user events. Nothing is decided by `action`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wrapped<T> {
    /// 0 insert, 1 insert or update, 2 gone.
    pub action: i64,
    /// The whole entity.
    pub data: T,
}

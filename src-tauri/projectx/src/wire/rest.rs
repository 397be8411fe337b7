//! Requests and responses of the REST endpoints (gateway reference 1 and 3). Every one is a POST with a
//! JSON body, except ping.

use serde::{Deserialize, Serialize};

use super::{
    model,
    number::{Number, id},
};

/// Paths.
#[allow(missing_docs, reason = "each is its own explanation")]
pub mod path {
    pub const LOGIN_KEY: &str = "/api/Auth/loginKey";
    pub const LOGIN_APP: &str = "/api/Auth/loginApp";
    pub const VALIDATE: &str = "/api/Auth/validate";
    pub const LOGOUT: &str = "/api/Auth/logout";
    pub const ACCOUNTS: &str = "/api/Account/search";
    pub const CONTRACT_SEARCH: &str = "/api/Contract/search";
    pub const CONTRACT_BY_ID: &str = "/api/Contract/searchById";
    pub const CONTRACT_AVAILABLE: &str = "/api/Contract/available";
    pub const BARS: &str = "/api/History/retrieveBars";
    pub const ORDER_PLACE: &str = "/api/Order/place";
    pub const ORDER_MODIFY: &str = "/api/Order/modify";
    pub const ORDER_CANCEL: &str = "/api/Order/cancel";
    pub const ORDER_SEARCH: &str = "/api/Order/search";
    pub const ORDER_SEARCH_OPEN: &str = "/api/Order/searchOpen";
    pub const ORDER_BY_ID: &str = "/api/Order/searchById";
    pub const ORDER_QUERY: &str = "/api/Order/v2/query";
    pub const POSITION_SEARCH_OPEN: &str = "/api/Position/searchOpen";
    pub const POSITION_CLOSE: &str = "/api/Position/closeContract";
    pub const POSITION_PARTIAL_CLOSE: &str = "/api/Position/partialCloseContract";
    pub const TRADE_SEARCH: &str = "/api/Trade/search";
    pub const PING: &str = "/api/Status/ping";
}

macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $($(#[$field:meta])* $member:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs, reason = "named and documented as in gateway reference 1 and 3")]
        pub struct $name { $($(#[$field])* pub $member: $type),* }
    };
}

body!(
    /// `Auth/loginKey`.
    LoginKey { user_name: String, api_key: String }
);
body!(
    /// `Auth/loginApp`: for licensed applications.
    LoginApp { user_name: String, password: String, device_id: String, app_id: String, verify_key: String }
);
body!(
    /// `Account/search`.
    SearchAccounts { only_active_accounts: bool }
);
body!(
    /// `Contract/search`.
    SearchContracts { #[serde(default)] search_text: Option<String>, live: bool }
);
body!(
    /// `Contract/searchById`.
    ContractById { contract_id: String }
);
body!(
    /// `Contract/available`.
    AvailableContracts { live: bool }
);
body!(
    /// `History/retrieveBars`.
    RetrieveBars {
        contract_id: String,
        live: bool,
        start_time: String,
        end_time: String,
        unit: i64,
        unit_number: i64,
        limit: i64,
        include_partial_bar: bool,
    }
);
body!(
    /// One bracket of `Order/place`; `ticks` is signed, relative to the entry.
    Bracket { ticks: i64, #[serde(rename = "type")] kind: i64 }
);
body!(
    /// `Order/place`.
    PlaceOrder {
        #[serde(with = "id")]
        account_id: i64,
        contract_id: String,
        #[serde(rename = "type")]
        kind: i64,
        side: i64,
        size: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit_price: Option<Number>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop_price: Option<Number>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trail_price: Option<Number>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custom_tag: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop_loss_bracket: Option<Bracket>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        take_profit_bracket: Option<Bracket>,
    }
);
body!(
    /// `Order/modify`; absent members stay as they are.
    ModifyOrder {
        #[serde(with = "id")]
        account_id: i64,
        #[serde(with = "id")]
        order_id: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit_price: Option<Number>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop_price: Option<Number>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trail_price: Option<Number>,
    }
);
body!(
    /// `Order/cancel` and `Order/searchById`.
    OrderRef { #[serde(with = "id")] account_id: i64, #[serde(with = "id")] order_id: i64 }
);
body!(
    /// `Order/search` and `Trade/search`.
    SearchSince {
        #[serde(with = "id")]
        account_id: i64,
        start_timestamp: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_timestamp: Option<String>,
    }
);
body!(
    /// `Order/searchOpen` and `Position/searchOpen`.
    OfAccount { #[serde(with = "id")] account_id: i64 }
);
body!(
    /// `Position/closeContract`.
    CloseContract { #[serde(with = "id")] account_id: i64, contract_id: String }
);
body!(
    /// `Position/partialCloseContract`; the member is `size`, not `closeSize`.
    PartialCloseContract { #[serde(with = "id")] account_id: i64, contract_id: String, size: i64 }
);
body!(
    /// `filter` of `Order/v2/query`.
    OrderFilter {
        #[serde(with = "id")]
        account_id: i64,
        #[serde(default)]
        statuses: Option<Vec<i64>>,
        #[serde(default)]
        contract_id: Option<String>,
        #[serde(default)]
        created_after: Option<String>,
        #[serde(default)]
        created_before: Option<String>,
    }
);
body!(
    /// `Order/v2/query`.
    QueryOrders {
        filter: OrderFilter,
        #[serde(default)]
        page_size: Option<i64>,
        #[serde(default)]
        page_offset: Option<i64>,
        #[serde(default)]
        sort_by: Option<i64>,
        #[serde(default)]
        sort_direction: Option<i64>,
        #[serde(default)]
        include_total_count: Option<bool>,
    }
);

/// What every JSON response carries, beside the endpoint's own members. A refusal is HTTP 200 with
/// `success` false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "named and documented as in gateway reference 2.1")]
pub struct Envelope {
    pub success: bool,
    pub error_code: i64,
    #[serde(default)]
    pub error_message: Option<String>,
}

macro_rules! reply {
    ($(#[$doc:meta])* $name:ident { $($(#[$field:meta])* $member:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs, reason = "named and documented as in gateway reference 1 and 3")]
        pub struct $name { $($(#[$field])* #[serde(default)] pub $member: $type),* }
    };
}

reply!(
    /// Of the logins.
    Token { token: Option<String> }
);
reply!(
    /// Of `Auth/validate`.
    NewToken { new_token: Option<String> }
);
reply!(
    /// Of `Account/search`.
    Accounts { accounts: Option<Vec<model::Account>> }
);
reply!(
    /// Of `Contract/search` and `Contract/available`.
    Contracts { contracts: Option<Vec<model::Contract>> }
);
reply!(
    /// Of `Contract/searchById`.
    ContractFound { contract: Option<model::Contract> }
);
reply!(
    /// Of `History/retrieveBars`; newest first.
    Bars { bars: Option<Vec<model::Bar>> }
);
reply!(
    /// Of `Order/place`; also set when the order was rejected.
    Placed { #[serde(with = "id::maybe")] order_id: Option<i64> }
);
reply!(
    /// Of `Order/search` and `Order/searchOpen`.
    Orders { orders: Option<Vec<model::Order>> }
);
reply!(
    /// Of `Order/searchById`.
    OrderFound { order: Option<model::Order> }
);
reply!(
    /// Of `Order/v2/query`; the count only when it was asked for.
    OrderPage { orders: Option<Vec<model::Order>>, total_count: Option<i64> }
);
reply!(
    /// Of `Position/searchOpen`.
    Positions { positions: Option<Vec<model::Position>> }
);
reply!(
    /// Of `Trade/search`; newest first in captures.
    Trades { trades: Option<Vec<model::Trade>> }
);

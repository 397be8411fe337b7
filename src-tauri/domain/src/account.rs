//! A broker account as the broker describes it.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Usd};

/// What the broker says about an account (gateway reference 3.1, 8.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The id used on the wire.
    pub id: AccountId,
    /// Display name, such as `PRAC-V2-700001-40000017`.
    pub name: String,
    /// Realised balance in dollars, net of fees; open profit and loss not included.
    pub balance: Usd,
    /// Whether the broker accepts orders for it.
    pub can_trade: bool,
    /// Whether the platform shows it.
    pub visible: bool,
    /// Practice and Combine accounts; `None` when the broker did not say.
    pub simulated: Option<bool>,
}

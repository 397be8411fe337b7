//! Executions.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ContractId, Contracts, Instant, OrderId, OrderSide, Price, Symbol, TradeId, Usd};

/// One execution (gateway reference 3.6, 8.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The broker's id; the key under which a fill counts once.
    pub id: TradeId,
    /// The order it belongs to.
    pub order: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// What was traded.
    pub contract: ContractId,
    /// Its root, known without asking for metadata.
    pub symbol: Symbol,
    /// Direction.
    pub side: OrderSide,
    /// Size.
    pub size: Contracts,
    /// Price.
    pub price: Price,
    /// Gross result of a closing fill; `None` marks an opening half-turn.
    pub pnl: Option<Usd>,
    /// Exchange and clearing fees for the whole size, as a positive amount.
    pub fees: Usd,
    /// Commissions for the whole size, as a positive amount; `None` when the broker did not say.
    pub commissions: Option<Usd>,
    /// Undone by the venue.
    pub voided: bool,
    /// Execution time at the platform; decides the trading day.
    pub at: Instant,
}

//! What the trader does, and what must come of it.

use domain::{OrderSide, RuleKey};

/// One breach.
pub struct Scene {
    /// The rule in the words of people.
    pub title: &'static str,
    /// What the trader does.
    pub told: &'static str,
    /// His acts, in order.
    pub acts: &'static [Act],
    /// What must be seen at the broker afterwards.
    pub expected: Expected,
    /// The rule whose receipt shows it.
    pub rule: RuleKey,
    /// What is tidied up before the next scene; no breach.
    pub after: &'static [Act],
}

/// Something the trader, or the market, does. Contracts by root.
#[derive(Clone, Copy)]
pub enum Act {
    /// A market order.
    Market(&'static str, OrderSide, i64),
    /// A resting limit order, so many points below the market.
    LimitBelow(&'static str, i64, i64),
    /// A protective stop, so many points below the market.
    StopBelow(&'static str, i64, i64),
    /// The trader cancels all his orders.
    CancelAll,
    /// The trader closes a position.
    Close(&'static str),
    /// The price falls by so many points.
    Fall(&'static str, i64),
}

/// What must be seen.
#[derive(Clone, Copy)]
pub enum Expected {
    /// Exactly this is held of a contract.
    Held(&'static str, i64),
    /// No order of a contract is working.
    NoOrders(&'static str),
    /// Nothing is held and the account is locked.
    FlatAndLocked,
}

/// Eight breaches.
pub const STORY: [Scene; 8] = [
    Scene {
        title: "Contract Limits",
        told: "buys 5 MNQ, 2 are allowed.",
        acts: &[Act::Market("MNQ", OrderSide::Buy, 5), Act::StopBelow("MNQ", 2, 200)],
        expected: Expected::Held("MNQ", 2),
        rule: RuleKey::MaxContractsPerInstrument,
        after: &[],
    },
    Scene {
        title: "Max Contracts",
        told: "adds 3 MES: 5 contracts in all, 4 are allowed.",
        acts: &[Act::Market("MES", OrderSide::Buy, 3), Act::StopBelow("MES", 2, 50)],
        expected: Expected::Held("MES", 2),
        rule: RuleKey::MaxContracts,
        after: &[],
    },
    Scene {
        title: "Symbol Block",
        told: "buys 1 RTY, which is blocked.",
        acts: &[Act::Market("RTY", OrderSide::Buy, 1)],
        expected: Expected::Held("RTY", 0),
        rule: RuleKey::SymbolBlocks,
        after: &[],
    },
    Scene {
        title: "Symbol Block",
        told: "leaves a resting order for 2 RTY.",
        acts: &[Act::LimitBelow("RTY", 2, 20)],
        expected: Expected::NoOrders("RTY"),
        rule: RuleKey::SymbolBlocks,
        after: &[Act::Close("MNQ"), Act::Close("MES"), Act::CancelAll],
    },
    Scene {
        title: "Stop-Loss Required",
        told: "buys 1 MNQ without a stop; 5 seconds are allowed.",
        acts: &[Act::Market("MNQ", OrderSide::Buy, 1)],
        expected: Expected::Held("MNQ", 0),
        rule: RuleKey::NoStopLossGrace,
        after: &[],
    },
    Scene {
        title: "Daily Loss Limit",
        told: "holds 2 MNQ while the price falls by 130 points.",
        acts: &[
            Act::Market("MNQ", OrderSide::Buy, 2),
            Act::StopBelow("MNQ", 2, 400),
            Act::Fall("MNQ", 60),
            Act::Fall("MNQ", 70),
        ],
        expected: Expected::FlatAndLocked,
        rule: RuleKey::DailyRealizedLoss,
        after: &[],
    },
    Scene {
        title: "While locked",
        told: "buys 1 MES all the same.",
        acts: &[Act::Market("MES", OrderSide::Buy, 1)],
        expected: Expected::Held("MES", 0),
        rule: RuleKey::DailyRealizedLoss,
        after: &[],
    },
    Scene {
        title: "While locked",
        told: "leaves a resting order for 1 MNQ.",
        acts: &[Act::LimitBelow("MNQ", 1, 50)],
        expected: Expected::NoOrders("MNQ"),
        rule: RuleKey::DailyRealizedLoss,
        after: &[],
    },
];

/// The settings of the story.
pub const RISK_YAML: &str = "\
rules:
  max_contracts: {limit: 4}
  max_contracts_per_instrument: {default_limit: 3, instrument_limits: {MNQ: 2}}
  daily_realized_loss: {limit: -500}
  no_stop_loss_grace: {grace_period_seconds: 5}
  symbol_blocks: {enabled: true, blocked_symbols: [RTY]}
  daily_unrealized_loss: {enabled: false}
  max_unrealized_profit: {enabled: false}
  trade_frequency_limit: {enabled: false}
  cooldown_after_loss: {enabled: false}
  session_block_outside: {enabled: false}
  auth_loss_guard: {enabled: false}
  daily_realized_profit: {enabled: false}
";

//! What people are told about, as types; `views` makes the text.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, ContractId, Contracts, EndCause, Exposure, Instant, Lockout, OrderId, Price, RuleKey,
    RuleMode, Symbol, TradeId, TradingDay, Usd,
};

/// How loudly something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it.
    Warning,
    /// Something does not work.
    Error,
    /// Protection failed or may fail.
    Critical,
}

/// Something people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// How loudly.
    pub severity: Severity,
    /// About which account; `None` concerns all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What.
    #[serde(flatten)]
    pub notice: Notice,
}

/// What people are told about, as types; `views` makes the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// A lockout ended.
    Unlocked {
        /// Which.
        lockout: Box<Lockout>,
        /// Why.
        cause: EndCause,
    },
    /// A position has no complete stop and will be closed.
    StopMissing {
        /// Where.
        contract: ContractId,
        /// Covered so far.
        covered: Contracts,
        /// Held.
        size: Contracts,
        /// When it will be closed.
        closes_at: Instant,
    },
    /// A stop on the wrong side, which would open a position if it filled.
    DangerousStop {
        /// Where.
        contract: ContractId,
        /// Which.
        order: OrderId,
    },
    /// The state of open orders could not be learned for too long.
    StopsUnknown {
        /// Where.
        contract: ContractId,
        /// Since when.
        since: Instant,
    },
    /// The same contract was acted on again and again without a new trade of the trader.
    Loop {
        /// Where.
        contract: ContractId,
        /// How many times within a minute.
        actions: u32,
    },
    /// A limit is near.
    NearLimit {
        /// Which rule.
        rule: RuleKey,
        /// For one contract only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contract: Option<ContractId>,
        /// Value in dollars.
        value: Usd,
        /// Its limit.
        limit: Usd,
        /// The level in percent that was reached.
        level: u32,
        /// How strictly the rule is taken. Earlier versions did not say.
        #[serde(default)]
        mode: RuleMode,
    },
    /// A rule began to fail over a mistake of its own; the others go on.
    RuleFailed {
        /// Which.
        rule: RuleKey,
    },
    /// RULE-008 was found switched off or weakened and is enforced all the same.
    StopRuleForced,
    /// A new trading day began.
    DayStarted {
        /// Its label.
        day: TradingDay,
    },
    /// A limit on the number of trades is near.
    NearTradeLimit {
        /// Which rule.
        rule: RuleKey,
        /// Trades so far.
        count: u32,
        /// Its limit.
        limit: u32,
        /// The level in percent that was reached.
        level: u32,
        /// How strictly the rule is taken. Earlier versions did not say.
        #[serde(default)]
        mode: RuleMode,
    },
    /// Something that protection stands on is gone (RULE-010).
    Trouble {
        /// What.
        trouble: Trouble,
        /// Since when, this time.
        since: Instant,
        /// How often it went since it was last told, this time included.
        times: u32,
        /// What is open meanwhile.
        open: Vec<OpenPosition>,
    },
    /// It is back (RULE-010).
    TroubleOver {
        /// What.
        trouble: Trouble,
        /// Since when it was gone.
        since: Instant,
        /// Until when.
        until: Instant,
        /// How often it went in that time.
        times: u32,
    },
    /// Quotes of a contract arrive late: limits on its open result pause.
    QuotesLate {
        /// Of which contract.
        contract: ContractId,
        /// By how much, in milliseconds.
        lag_ms: i64,
    },
    /// They arrive in time again.
    QuotesInTime {
        /// Of which contract.
        contract: ContractId,
    },
    /// A closing fill's result differs from what the fills themselves add up to.
    ResultDiffers {
        /// Which fill.
        fill: TradeId,
        /// Of which contract.
        contract: ContractId,
        /// The broker's figure, which counts.
        brokers: Usd,
        /// What the fills add up to.
        own: Usd,
    },
    /// The day, read again as a whole, differs from what was known of it.
    DayDiffers {
        /// What was known, of the fills that were known.
        known: Usd,
        /// What the broker now says of them.
        brokers: Usd,
    },
    /// RULE-009 knows no next trading hours: its lock has no end.
    NoTradingHours {
        /// For one symbol only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<crate::Symbol>,
    },
    /// An automatic stop had to be placed nearer to the market than its distance says, which the market had
    /// passed already (RULE-012).
    StopMovedIn {
        /// Where.
        contract: ContractId,
        /// Where it would have been.
        meant: Price,
        /// Where it is placed.
        placed: Price,
    },
    /// The automatic stop was removed a second time and is left alone (RULE-012).
    StopLeftAlone {
        /// Where.
        contract: ContractId,
    },
}

/// What RULE-010 watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// A part of the connection.
    ConnectionLost {
        /// Which.
        part: Part,
        /// What happened, in a few words.
        why: String,
    },
    /// The broker refused the login.
    AuthFailed {
        /// The broker's word, in short.
        why: String,
    },
    /// The broker does not let the account trade.
    CanTradeFalse,
}

/// The parts of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Positions, orders and fills.
    UserStream,
    /// Prices.
    MarketStream,
    /// The session: a login could not be made for want of a connection.
    Session,
}

/// A position as a message names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPosition {
    /// Whose.
    pub account: AccountId,
    /// Its root.
    pub symbol: Symbol,
    /// How much, signed.
    pub exposure: Exposure,
}

//! The rules as they apply: validated values only. `config` makes them from files; nothing else does.
//!
//! Keys, units, defaults and ranges: specification part B, with rulings 1 to 4.

mod defaults;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::{AccountId, DailyReset, RuleKey, RuleMode};
pub use rules::{
    AuthLossGuard, AutoBreakeven, AutoOrder, AutoTrail, CooldownAfterLoss, DailyRealizedLoss,
    DailyRealizedProfit, DailyUnrealizedLoss, FrequencyWindow, LossScope, LossTier, MaxContracts,
    MaxContractsPerInstrument, MaxUnrealizedProfit, NoStopLossGrace, OnCanTradeFalse, PriceBasis,
    SessionBlockOutside, SessionWindow, SizeEnforcement, SymbolBlocks, SymbolListMode, TradeCount,
    TradeFrequencyLimit, TradeManagement, TradeManagementValues, UnknownSymbol,
};

/// Everything that decides about all accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rulebook {
    /// When the trading day ends.
    pub reset: DailyReset,
    /// Days without trading, for everyone.
    pub holidays: Holidays,
    /// Which accounts are watched.
    pub accounts: Watched,
    /// Rules of every account without values of its own.
    pub base: RuleSet,
    /// Effective rules (base and overrides together) of accounts with values of their own.
    pub own: BTreeMap<AccountId, RuleSet>,
    /// Used shares of a money or trade limit, in percent, at which people are told; ascending. Rulebooks
    /// kept by earlier versions lack it.
    #[serde(default = "warn_at_percent")]
    pub warn_at_percent: Vec<u32>,
    /// What follows when the platform does not let an account reduce a position. Rulebooks kept by earlier
    /// versions lack it.
    #[serde(default)]
    pub on_reduce_refused: OnReduceRefused,
    /// Which lockouts the daily reset ends. Rulebooks kept by earlier versions lack it.
    #[serde(default)]
    pub reset_unlocks: ResetUnlocks,
    /// No rule does more than to say what it would have done, whatever its own mode (specification C.11). No file
    /// says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What follows when the platform does not let an account reduce a position (ruling 24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReduceRefused {
    /// People are told; the position stays as it is.
    #[default]
    Alert,
    /// The whole position is closed.
    Close,
}

/// Which lockouts the daily reset ends (specification C.6); the others last until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetUnlocks {
    /// Those of RULE-003.
    pub daily_loss: bool,
    /// Those of RULE-013.
    pub daily_profit: bool,
}

impl Default for ResetUnlocks {
    fn default() -> Self {
        Self { daily_loss: true, daily_profit: true }
    }
}

impl ResetUnlocks {
    /// Whether the reset ends lockouts of a rule.
    #[must_use]
    pub fn ends(self, rule: RuleKey) -> bool {
        match rule {
            RuleKey::DailyRealizedLoss => self.daily_loss,
            RuleKey::DailyRealizedProfit => self.daily_profit,
            RuleKey::MaxContracts
            | RuleKey::MaxContractsPerInstrument
            | RuleKey::DailyUnrealizedLoss
            | RuleKey::MaxUnrealizedProfit
            | RuleKey::TradeFrequencyLimit
            | RuleKey::CooldownAfterLoss
            | RuleKey::NoStopLossGrace
            | RuleKey::SessionBlockOutside
            | RuleKey::AuthLossGuard
            | RuleKey::SymbolBlocks
            | RuleKey::TradeManagement
            | RuleKey::Trader => true,
        }
    }
}

/// The shares at which people are told unless the settings say otherwise.
#[must_use]
pub fn warn_at_percent() -> Vec<u32> {
    vec![50, 75, 90]
}

impl Default for Rulebook {
    fn default() -> Self {
        Self {
            reset: DailyReset::default(),
            holidays: Holidays::default(),
            accounts: Watched::default(),
            base: RuleSet::default(),
            own: BTreeMap::new(),
            warn_at_percent: warn_at_percent(),
            on_reduce_refused: OnReduceRefused::default(),
            reset_unlocks: ResetUnlocks::default(),
            dry_run: false,
        }
    }
}

/// Which accounts are watched (ruling 7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// Every active, visible account of the login.
    #[default]
    All,
    /// These.
    Listed(BTreeSet<AccountId>),
}

/// Exchange holidays and early closes, as data with a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holidays {
    /// Dates on which no session starts.
    pub dates: BTreeSet<NaiveDate>,
    /// Dates that end early, with the local closing time.
    pub early_closes: BTreeMap<NaiveDate, NaiveTime>,
}

/// One rule's entry: whether it applies, how strictly, and its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<T> {
    /// Evaluated at all.
    pub enabled: bool,
    /// How strictly.
    pub mode: RuleMode,
    /// Its values.
    pub settings: T,
}

impl<T: Default> Entry<T> {
    fn on() -> Self {
        Self { enabled: true, mode: RuleMode::Enforce, settings: T::default() }
    }

    fn off() -> Self {
        Self { enabled: false, ..Self::on() }
    }
}

/// The thirteen rules of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    /// RULE-001
    pub max_contracts: Entry<MaxContracts>,
    /// RULE-002
    pub max_contracts_per_instrument: Entry<MaxContractsPerInstrument>,
    /// RULE-003
    pub daily_realized_loss: Entry<DailyRealizedLoss>,
    /// RULE-004
    pub daily_unrealized_loss: Entry<DailyUnrealizedLoss>,
    /// RULE-005
    pub max_unrealized_profit: Entry<MaxUnrealizedProfit>,
    /// RULE-006
    pub trade_frequency_limit: Entry<TradeFrequencyLimit>,
    /// RULE-007
    pub cooldown_after_loss: Entry<CooldownAfterLoss>,
    /// RULE-008
    pub no_stop_loss_grace: Entry<NoStopLossGrace>,
    /// RULE-009
    pub session_block_outside: Entry<SessionBlockOutside>,
    /// RULE-010
    pub auth_loss_guard: Entry<AuthLossGuard>,
    /// RULE-011
    pub symbol_blocks: Entry<SymbolBlocks>,
    /// RULE-012
    pub trade_management: Entry<TradeManagement>,
    /// RULE-013
    pub daily_realized_profit: Entry<DailyRealizedProfit>,
}

impl Default for RuleSet {
    fn default() -> Self {
        Self {
            max_contracts: Entry::on(),
            max_contracts_per_instrument: Entry::on(),
            daily_realized_loss: Entry::on(),
            daily_unrealized_loss: Entry::on(),
            max_unrealized_profit: Entry::on(),
            trade_frequency_limit: Entry::on(),
            cooldown_after_loss: Entry::on(),
            no_stop_loss_grace: Entry::on(),
            session_block_outside: Entry::on(),
            auth_loss_guard: Entry::on(),
            symbol_blocks: Entry::off(),
            trade_management: Entry::off(),
            daily_realized_profit: Entry::on(),
        }
    }
}

impl Rulebook {
    /// The rules that apply to an account.
    #[must_use]
    pub fn of(&self, account: &AccountId) -> &RuleSet {
        self.own.get(account).unwrap_or(&self.base)
    }
}

impl RuleSet {
    /// Whether a rule is on, and how strictly.
    #[must_use]
    pub fn stance(&self, rule: RuleKey) -> (bool, RuleMode) {
        macro_rules! of {
            ($entry:ident) => {
                (self.$entry.enabled, self.$entry.mode)
            };
        }
        match rule {
            RuleKey::MaxContracts => of!(max_contracts),
            RuleKey::MaxContractsPerInstrument => of!(max_contracts_per_instrument),
            RuleKey::DailyRealizedLoss => of!(daily_realized_loss),
            RuleKey::DailyUnrealizedLoss => of!(daily_unrealized_loss),
            RuleKey::MaxUnrealizedProfit => of!(max_unrealized_profit),
            RuleKey::TradeFrequencyLimit => of!(trade_frequency_limit),
            RuleKey::CooldownAfterLoss => of!(cooldown_after_loss),
            RuleKey::NoStopLossGrace => of!(no_stop_loss_grace),
            RuleKey::SessionBlockOutside => of!(session_block_outside),
            RuleKey::AuthLossGuard => of!(auth_loss_guard),
            RuleKey::SymbolBlocks => of!(symbol_blocks),
            RuleKey::TradeManagement => of!(trade_management),
            RuleKey::DailyRealizedProfit => of!(daily_realized_profit),
            RuleKey::Trader => (true, RuleMode::Enforce),
        }
    }
}

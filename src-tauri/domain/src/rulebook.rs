//! The rules as they apply: validated values only. `config` makes them from files; nothing else does.
//!
//! Keys, units, defaults and ranges: specification part B, with rulings 1 to 4.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Contracts, DailyReset, RuleKey, RuleMode, Symbol, Usd,
    breach::{Basis, CountType},
    calendar::CENTRAL,
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

/// RULE-001: cap over all instruments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxContracts {
    /// Most contracts; 1 to 1000.
    pub limit: Contracts,
    /// How longs and shorts add up.
    pub count_type: CountType,
    /// What is done about an excess.
    pub enforcement: SizeEnforcement,
}

/// RULE-002: cap per root symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxContractsPerInstrument {
    /// Most contracts of a symbol that has no limit of its own; `None`: see `unknown_symbol`.
    pub default_limit: Option<Contracts>,
    /// By symbol; 0 allows none.
    pub instrument_limits: BTreeMap<Symbol, Contracts>,
    /// What is done about an excess.
    pub enforcement: SizeEnforcement,
    /// Symbols that are not in the map.
    pub unknown_symbol: UnknownSymbol,
}

/// What is done about too many contracts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeEnforcement {
    /// Close the excess.
    #[default]
    ReduceToLimit,
    /// Close all positions concerned.
    CloseAll,
}

/// RULE-002 for symbols without a limit of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownSymbol {
    /// `default_limit` applies.
    #[default]
    UseDefault,
    /// None allowed.
    Block,
    /// This many.
    AllowWithLimit(Contracts),
    /// Any number.
    AllowUnlimited,
}

/// RULE-003: the day's loss limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyRealizedLoss {
    /// Dollars, below zero.
    pub limit: Usd,
    /// Whether open results count.
    pub basis: Basis,
    /// Whether fees and commissions count.
    pub include_fees: bool,
}

/// Which price values an open position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// Last trade inside bid and ask, otherwise the middle.
    #[default]
    LastElseMid,
    /// The middle of bid and ask.
    Mid,
    /// Bid for longs, ask for shorts.
    ExitSide,
}

/// Whether RULE-004 judges each position or their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossScope {
    /// Each position by itself.
    #[default]
    Position,
    /// The sum of all open positions.
    AccountTotal,
}

/// RULE-004: cut one losing position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyUnrealizedLoss {
    /// Dollars, below zero.
    pub limit: Usd,
    /// What is judged.
    pub scope: LossScope,
    /// At which price.
    pub price_basis: PriceBasis,
    /// Safety re-check in seconds; 1 to 60.
    pub check_interval_seconds: u32,
}

/// RULE-005: bank one position's profit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxUnrealizedProfit {
    /// Dollars, above zero.
    pub target: Usd,
    /// At which price.
    pub price_basis: PriceBasis,
    /// Safety re-check in seconds; 1 to 60.
    pub check_interval_seconds: u32,
}

/// What RULE-006 counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeCount {
    /// Every distinct trader order with a fill.
    #[default]
    Orders,
    /// Only those that opened or enlarged exposure.
    Entries,
    /// Each return to flat.
    RoundTurns,
}

/// One window of RULE-006.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyWindow {
    /// Count at which the cooldown begins; `None` switches the window off.
    pub limit: Option<u32>,
    /// Length of the cooldown in seconds.
    pub cooldown_seconds: u32,
}

/// RULE-006: stop overtrading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeFrequencyLimit {
    /// The last 60 seconds.
    pub per_minute: FrequencyWindow,
    /// The last 3600 seconds.
    pub per_hour: FrequencyWindow,
    /// Since the daily reset.
    pub per_session: FrequencyWindow,
    /// What counts as one trade.
    pub count: TradeCount,
    /// Whether open positions are closed as well.
    pub close_positions: bool,
}

/// One step of RULE-007.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossTier {
    /// Dollars, below zero.
    pub loss: Usd,
    /// Length of the cooldown in seconds.
    pub cooldown_seconds: u32,
}

/// RULE-007: a break after a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CooldownAfterLoss {
    /// At least one; the smallest loss first.
    pub tiers: Vec<LossTier>,
    /// Whether open positions are closed.
    pub close_positions: bool,
}

/// RULE-008: no position without a working stop. Always on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoStopLossGrace {
    /// Seconds without full coverage; 5 to 600.
    pub grace_period_seconds: u32,
    /// How often the orders are asked for while a position is open, in seconds; 5 to 60.
    pub poll_interval_seconds: u32,
    /// Whether every contract must be covered.
    pub require_full_coverage: bool,
    /// Farthest stop that counts, in ticks from the market.
    pub max_stop_distance_ticks: Option<u32>,
}

/// One window in which trading is permitted, `[start, end)`. `end` at or before `start` means the next
/// day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionWindow {
    /// Local start.
    pub start: NaiveTime,
    /// Local end.
    pub end: NaiveTime,
    /// Days on which it starts: 0 is Monday, 6 is Sunday.
    pub days: BTreeSet<u8>,
}

/// RULE-009: trading hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionBlockOutside {
    /// When trading is permitted.
    pub windows: Vec<SessionWindow>,
    /// Zone of the windows.
    pub timezone: Tz,
    /// Windows of symbols that do not follow the general ones.
    pub per_instrument: BTreeMap<Symbol, Vec<SessionWindow>>,
    /// Whether positions are closed at the end.
    pub close_positions: bool,
    /// Whether entry orders are cancelled at the end.
    pub cancel_orders: bool,
    /// Whether new exposure is forbidden outside.
    pub lockout: bool,
    /// Seconds that open positions may stay after the end; 0 to 600.
    pub close_grace_seconds: u32,
    /// Whether holidays have no session.
    pub respect_holidays: bool,
}

/// RULE-010 when the broker forbids trading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCanTradeFalse {
    /// Tell.
    #[default]
    Alert,
    /// Flatten and lock until it may trade again.
    Lockout,
}

/// RULE-010: loss of protection is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthLossGuard {
    /// Tell about lost connections.
    pub alert_on_disconnect: bool,
    /// Tell about refused logins.
    pub alert_on_auth_failure: bool,
    /// Tell when the account may no longer trade.
    pub alert_on_can_trade_false: bool,
    /// What else is done then.
    pub on_can_trade_false: OnCanTradeFalse,
    /// Alerts about a lost connection are errors, not warnings.
    pub log_as_error: bool,
    /// Seconds between checks; 5 to 300.
    pub check_interval_seconds: u32,
    /// Seconds between two alerts of one kind; 10 to 3600.
    pub alert_repeat_seconds: u32,
}

/// How RULE-011 reads its list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolListMode {
    /// The listed ones are forbidden.
    #[default]
    Blacklist,
    /// Only the listed ones are allowed.
    Whitelist,
}

/// RULE-011: symbols.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolBlocks {
    /// How the list is read.
    pub mode: SymbolListMode,
    /// Patterns with `*` and `?`, upper case, matched against the whole root and its aliases.
    pub patterns: Vec<String>,
    /// Whether positions that existed before are closed too.
    pub close_existing: bool,
}

/// An automatic order of RULE-012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoOrder {
    /// Whether it is placed.
    pub enabled: bool,
    /// Distance from the average entry in ticks.
    pub ticks: u32,
}

/// Breakeven of RULE-012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoBreakeven {
    /// Whether the stop is moved.
    pub enabled: bool,
    /// Profit in ticks at which it is moved.
    pub profit_threshold_ticks: u32,
    /// Distance from the entry in ticks, on the profit side.
    pub offset_ticks: u32,
}

/// Trailing stop of RULE-012.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoTrail {
    /// Whether the stop follows.
    pub enabled: bool,
    /// Profit in ticks at which it begins.
    pub activation_ticks: u32,
    /// Distance from the best price in ticks.
    pub trail_ticks: u32,
}

/// What RULE-012 does with one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeManagementValues {
    /// Stop-loss after opening.
    pub stop_loss: AutoOrder,
    /// Target after opening.
    pub take_profit: AutoOrder,
    /// Stop to entry.
    pub breakeven: AutoBreakeven,
    /// Stop behind the best price.
    pub trailing: AutoTrail,
}

/// RULE-012: automatic protective orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeManagement {
    /// For every symbol without values of its own.
    pub values: TradeManagementValues,
    /// By symbol.
    pub per_instrument: BTreeMap<Symbol, TradeManagementValues>,
}

/// RULE-013: the day's profit target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyRealizedProfit {
    /// Dollars, above zero.
    pub target: Usd,
    /// Whether open results count.
    pub basis: Basis,
    /// Whether fees and commissions count.
    pub include_fees: bool,
    /// What the trader is told.
    pub message: String,
}

impl Default for MaxContracts {
    fn default() -> Self {
        Self { limit: Contracts(5), count_type: CountType::Net, enforcement: SizeEnforcement::ReduceToLimit }
    }
}

impl Default for MaxContractsPerInstrument {
    fn default() -> Self {
        Self {
            default_limit: Some(Contracts(3)),
            instrument_limits: [("ES".into(), Contracts(1)), ("MNQ".into(), Contracts(2))].into(),
            enforcement: SizeEnforcement::ReduceToLimit,
            unknown_symbol: UnknownSymbol::UseDefault,
        }
    }
}

impl Default for DailyRealizedLoss {
    fn default() -> Self {
        Self { limit: Usd::from_cents(-50_000), basis: Basis::Combined, include_fees: true }
    }
}

impl Default for DailyUnrealizedLoss {
    fn default() -> Self {
        Self {
            limit: Usd::from_cents(-20_000),
            scope: LossScope::Position,
            price_basis: PriceBasis::LastElseMid,
            check_interval_seconds: 5,
        }
    }
}

impl Default for MaxUnrealizedProfit {
    fn default() -> Self {
        Self {
            target: Usd::from_cents(50_000),
            price_basis: PriceBasis::LastElseMid,
            check_interval_seconds: 5,
        }
    }
}

impl Default for TradeFrequencyLimit {
    fn default() -> Self {
        Self {
            per_minute: FrequencyWindow { limit: Some(3), cooldown_seconds: 60 },
            per_hour: FrequencyWindow { limit: Some(10), cooldown_seconds: 30 * 60 },
            per_session: FrequencyWindow { limit: Some(50), cooldown_seconds: 60 * 60 },
            count: TradeCount::Orders,
            close_positions: false,
        }
    }
}

impl Default for CooldownAfterLoss {
    fn default() -> Self {
        let tier = |dollars: i64, cooldown_seconds| LossTier {
            loss: Usd::from_cents(dollars * 100),
            cooldown_seconds,
        };
        Self { tiers: vec![tier(-100, 300), tier(-200, 900), tier(-300, 1800)], close_positions: true }
    }
}

impl Default for NoStopLossGrace {
    fn default() -> Self {
        Self {
            grace_period_seconds: 120,
            poll_interval_seconds: 30,
            require_full_coverage: true,
            max_stop_distance_ticks: None,
        }
    }
}

impl Default for SessionBlockOutside {
    fn default() -> Self {
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        Self {
            windows: vec![SessionWindow { start: at(8, 30), end: at(15, 0), days: (0..5).collect() }],
            timezone: CENTRAL,
            per_instrument: BTreeMap::new(),
            close_positions: true,
            cancel_orders: true,
            lockout: true,
            close_grace_seconds: 60,
            respect_holidays: true,
        }
    }
}

impl Default for AuthLossGuard {
    fn default() -> Self {
        Self {
            alert_on_disconnect: true,
            alert_on_auth_failure: true,
            alert_on_can_trade_false: true,
            on_can_trade_false: OnCanTradeFalse::Alert,
            log_as_error: false,
            check_interval_seconds: 30,
            alert_repeat_seconds: 60,
        }
    }
}

impl Default for SymbolBlocks {
    fn default() -> Self {
        Self { mode: SymbolListMode::Blacklist, patterns: Vec::new(), close_existing: true }
    }
}

impl Default for TradeManagementValues {
    fn default() -> Self {
        Self {
            stop_loss: AutoOrder { enabled: true, ticks: 10 },
            take_profit: AutoOrder { enabled: true, ticks: 20 },
            breakeven: AutoBreakeven { enabled: true, profit_threshold_ticks: 10, offset_ticks: 1 },
            trailing: AutoTrail { enabled: true, activation_ticks: 20, trail_ticks: 10 },
        }
    }
}

impl Default for DailyRealizedProfit {
    fn default() -> Self {
        Self {
            target: Usd::from_cents(100_000),
            basis: Basis::Combined,
            include_fees: true,
            message: "Daily profit target reached.".to_string(),
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

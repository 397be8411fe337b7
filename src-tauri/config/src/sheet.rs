//! One complete set of values while it is being put together: the rules, the settings, and the forms in
//! which some rules may be written. `finish` turns the forms into rules. Never checks anything.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use domain::{
    DailyReset, RuleKey, RuleMode, RuleSet, Symbol, Usd,
    rulebook::{Holidays, LossTier, SessionWindow, SizeEnforcement, SymbolListMode, UnknownSymbol},
};

use crate::{
    holidays,
    settings::{Api, Settings},
};

/// All values that apply to one account, or to those without values of their own.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub rules: RuleSet,
    pub forms: Forms,
    pub reset: DailyReset,
    pub holidays: Holidays,
    pub settings: Settings,
    pub api: Api,
}

/// Ways to write a rule that the rulebook does not know.
#[derive(Clone, Debug)]
pub(crate) struct Forms {
    /// RULE-001, old form of `enforcement`.
    pub reduce_to_limit: Option<bool>,
    pub close_all: Option<bool>,
    /// RULE-003 and RULE-013: repeat the daily reset.
    pub reset_times: [ResetForm; 2],
    /// RULE-007, old form: one loss and one duration.
    pub loss_threshold: Option<Usd>,
    pub cooldown_seconds: u32,
    /// RULE-009.
    pub sessions: Option<Vec<SessionWindow>>,
    pub start: NaiveTime,
    pub end: NaiveTime,
    pub allowed_days: BTreeSet<u8>,
    pub pre_market: Extra,
    pub after_hours: Extra,
    pub per_instrument_sessions: bool,
    pub session_holidays: Option<BTreeSet<chrono::NaiveDate>>,
    pub session_early_closes: Option<BTreeMap<chrono::NaiveDate, NaiveTime>>,
    /// RULE-011.
    pub blocked_symbols: Vec<String>,
    pub allowed_symbols: Vec<String>,
    pub confirm_block_all: bool,
}

/// The daily reset as a rule repeats it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResetForm {
    pub time: Option<NaiveTime>,
    pub timezone: Option<chrono_tz::Tz>,
}

/// Time before or after the session.
#[derive(Clone, Debug)]
pub(crate) struct Extra {
    pub enabled: bool,
    pub at: NaiveTime,
}

impl Default for Sheet {
    fn default() -> Self {
        let rules = RuleSet::default();
        let forms = Forms::of(&rules);
        Self {
            rules,
            forms,
            reset: DailyReset::default(),
            holidays: holidays::shipped().clone(),
            settings: Settings::default(),
            api: Api::default(),
        }
    }
}

impl Forms {
    /// The forms that say what these rules say.
    fn of(rules: &RuleSet) -> Self {
        let first = rules.session_block_outside.settings.windows.first();
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        Self {
            reduce_to_limit: None,
            close_all: None,
            reset_times: Default::default(),
            loss_threshold: None,
            cooldown_seconds: 15 * 60,
            sessions: None,
            start: first.map_or_else(|| at(0), |window| window.start),
            end: first.map_or_else(|| at(0), |window| window.end),
            allowed_days: first.map(|window| window.days.clone()).unwrap_or_default(),
            pre_market: Extra { enabled: false, at: at(7) },
            after_hours: Extra { enabled: false, at: at(20) },
            per_instrument_sessions: false,
            session_holidays: None,
            session_early_closes: None,
            blocked_symbols: Vec::new(),
            allowed_symbols: Vec::new(),
            confirm_block_all: false,
        }
    }
}

impl Sheet {
    /// Turns the forms into rules, switches off what this version does not have, and keeps RULE-008 on.
    pub fn finish(&mut self, built: &[RuleKey]) {
        self.finish_sizes();
        self.finish_tiers();
        self.finish_sessions();
        self.finish_symbols();
        for rule in RuleKey::RULES.into_iter().filter(|rule| !built.contains(rule)) {
            if let Some(enabled) = enabled_mut(&mut self.rules, rule) {
                *enabled = false;
            }
        }
        if built.contains(&RuleKey::NoStopLossGrace) {
            self.rules.no_stop_loss_grace.enabled = true;
        }
        self.rules.no_stop_loss_grace.mode = RuleMode::Enforce;
    }

    fn finish_sizes(&mut self) {
        let size = &mut self.rules.max_contracts.settings;
        match (self.forms.reduce_to_limit, self.forms.close_all) {
            (None, None) => {}
            (_, Some(true)) => size.enforcement = SizeEnforcement::CloseAll,
            (_, Some(false) | None) => size.enforcement = SizeEnforcement::ReduceToLimit,
        }
        let each = &mut self.rules.max_contracts_per_instrument.settings;
        if each.default_limit.is_none() && each.unknown_symbol == UnknownSymbol::UseDefault {
            each.unknown_symbol = UnknownSymbol::Block;
        }
    }

    fn finish_tiers(&mut self) {
        let tiers = &mut self.rules.cooldown_after_loss.settings.tiers;
        if let Some(loss) = self.forms.loss_threshold {
            *tiers = vec![LossTier { loss, cooldown_seconds: self.forms.cooldown_seconds }];
        }
        tiers.sort_by_key(|tier| std::cmp::Reverse(tier.loss));
    }

    fn finish_sessions(&mut self) {
        let forms = &self.forms;
        let sessions = &mut self.rules.session_block_outside.settings;
        sessions.windows = match &forms.sessions {
            Some(windows) => with_days(windows, &forms.allowed_days),
            None => vec![SessionWindow {
                start: if forms.pre_market.enabled { forms.pre_market.at } else { forms.start },
                end: if forms.after_hours.enabled { forms.after_hours.at } else { forms.end },
                days: forms.allowed_days.clone(),
            }],
        };
        if forms.per_instrument_sessions {
            for windows in sessions.per_instrument.values_mut() {
                *windows = with_days(windows, &forms.allowed_days);
            }
        } else {
            sessions.per_instrument.clear();
        }
        if let Some(dates) = &forms.session_holidays {
            self.holidays.dates.clone_from(dates);
        }
        if let Some(early) = &forms.session_early_closes {
            self.holidays.early_closes.clone_from(early);
        }
    }

    fn finish_symbols(&mut self) {
        let list = &mut self.rules.symbol_blocks.settings;
        let patterns = match list.mode {
            SymbolListMode::Blacklist => &self.forms.blocked_symbols,
            SymbolListMode::Whitelist => &self.forms.allowed_symbols,
        };
        list.patterns = patterns.clone();
    }

    /// Symbols with session windows of their own, whether these are switched on or not.
    pub fn session_symbols(&self) -> Vec<Symbol> {
        self.rules.session_block_outside.settings.per_instrument.keys().cloned().collect()
    }
}

/// Windows without days of their own are open on the allowed days; the order of the list has no meaning.
pub(crate) fn with_days(windows: &[SessionWindow], allowed: &BTreeSet<u8>) -> Vec<SessionWindow> {
    let mut windows = windows.to_vec();
    for window in windows.iter_mut().filter(|window| window.days.is_empty()) {
        window.days.clone_from(allowed);
    }
    windows.sort_by_key(|window| (window.start, window.end, window.days.first().copied()));
    windows
}

/// The switch of a rule; the trader's own lock has none.
pub(crate) fn enabled_mut(rules: &mut RuleSet, rule: RuleKey) -> Option<&mut bool> {
    Some(match rule {
        RuleKey::MaxContracts => &mut rules.max_contracts.enabled,
        RuleKey::MaxContractsPerInstrument => &mut rules.max_contracts_per_instrument.enabled,
        RuleKey::DailyRealizedLoss => &mut rules.daily_realized_loss.enabled,
        RuleKey::DailyUnrealizedLoss => &mut rules.daily_unrealized_loss.enabled,
        RuleKey::MaxUnrealizedProfit => &mut rules.max_unrealized_profit.enabled,
        RuleKey::TradeFrequencyLimit => &mut rules.trade_frequency_limit.enabled,
        RuleKey::CooldownAfterLoss => &mut rules.cooldown_after_loss.enabled,
        RuleKey::NoStopLossGrace => &mut rules.no_stop_loss_grace.enabled,
        RuleKey::SessionBlockOutside => &mut rules.session_block_outside.enabled,
        RuleKey::AuthLossGuard => &mut rules.auth_loss_guard.enabled,
        RuleKey::SymbolBlocks => &mut rules.symbol_blocks.enabled,
        RuleKey::TradeManagement => &mut rules.trade_management.enabled,
        RuleKey::DailyRealizedProfit => &mut rules.daily_realized_profit.enabled,
        RuleKey::Trader => return None,
    })
}

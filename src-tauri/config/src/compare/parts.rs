//! The pieces that are compared one by one: single keys as the table says, and the few groups of keys
//! that only mean something together.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use domain::{
    Contracts, RuleKey, RuleSet, Rulebook, Symbol,
    rulebook::{LossTier, OnReduceRefused, ResetUnlocks, Watched},
};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::{Direction, meet};
use crate::{
    schema::{self, File, Form, Kind, Row, Strictness, json, put},
    sheet::Sheet,
};

/// A piece of an account's rules.
pub(super) enum Part {
    Row(&'static Row),
    /// RULE-002: symbols without a limit of their own.
    Unlisted,
    /// RULE-002: one symbol.
    Limit(Symbol),
    /// RULE-009: windows, zone, windows by symbol.
    Hours,
    /// RULE-011: mode and list.
    SymbolList,
    /// RULE-012: everything but its switches.
    Automation,
}

const LIMITS: &str = "rules.max_contracts_per_instrument.instrument_limits.";

impl Part {
    /// Every piece that two sets of rules have.
    pub fn all(old: &RuleSet, new: &RuleSet) -> Vec<Self> {
        let limits = |rules: &RuleSet| rules.max_contracts_per_instrument.settings.instrument_limits.clone();
        let symbols: BTreeSet<Symbol> = limits(old).into_keys().chain(limits(new).into_keys()).collect();
        let single = schema::rows(File::Risk).filter(|row| is_single(row)).map(Self::Row);
        single
            .chain([Self::Unlisted])
            .chain(symbols.into_iter().map(Self::Limit))
            .chain([Self::Hours, Self::SymbolList, Self::Automation])
            .collect()
    }

    /// The piece with a key.
    pub fn of_key(key: &str) -> Option<Self> {
        if let Some(symbol) = key.strip_prefix(LIMITS) {
            return Some(Self::Limit(symbol.into()));
        }
        let groups = [Self::Unlisted, Self::Hours, Self::SymbolList, Self::Automation];
        groups
            .into_iter()
            .find(|part| part.key() == key)
            .or_else(|| schema::rows(File::Risk).find(|row| is_single(row) && row.path == key).map(Self::Row))
    }

    pub fn key(&self) -> String {
        match self {
            Self::Row(row) => row.path.clone(),
            Self::Unlisted => "rules.max_contracts_per_instrument.default_limit".to_string(),
            Self::Limit(symbol) => format!("{LIMITS}{symbol}"),
            Self::Hours => "rules.session_block_outside.sessions".to_string(),
            Self::SymbolList => "rules.symbol_blocks.mode".to_string(),
            Self::Automation => "rules.trade_management.auto_stop_loss".to_string(),
        }
    }

    pub fn rule(&self) -> RuleKey {
        match self {
            Self::Row(row) => row.group.rule.unwrap_or(RuleKey::Trader),
            Self::Unlisted | Self::Limit(_) => RuleKey::MaxContractsPerInstrument,
            Self::Hours => RuleKey::SessionBlockOutside,
            Self::SymbolList => RuleKey::SymbolBlocks,
            Self::Automation => RuleKey::TradeManagement,
        }
    }

    /// The key that says if or how strictly the rule applies, where it is one of these two.
    pub fn switch(&self) -> Option<&'static str> {
        match self {
            Self::Row(row) => Some(row.key.path).filter(|path| is_switch(path)),
            Self::Unlisted | Self::Limit(_) | Self::Hours | Self::SymbolList | Self::Automation => None,
        }
    }

    pub fn get(&self, sheet: &Sheet) -> Json {
        let rules = &sheet.rules;
        let per_instrument = &rules.max_contracts_per_instrument.settings;
        match self {
            Self::Row(row) => row.key.lens.map_or(Json::Null, |lens| (lens.get)(sheet, "")),
            Self::Unlisted => json(&(per_instrument.default_limit, per_instrument.unknown_symbol)),
            Self::Limit(symbol) => json(&per_instrument.instrument_limits.get(symbol)),
            Self::Hours => {
                let hours = &rules.session_block_outside.settings;
                json(&(&hours.windows, hours.timezone, &hours.per_instrument))
            }
            Self::SymbolList => {
                let list = &rules.symbol_blocks.settings;
                json(&(list.mode, &list.patterns))
            }
            Self::Automation => json(&rules.trade_management.settings),
        }
    }

    /// `None` when the value is not one of this piece.
    pub fn set(&self, sheet: &mut Sheet, value: &Json) -> Option<()> {
        let value = value.clone();
        let rules = &mut sheet.rules;
        match self {
            Self::Row(row) => (row.key.lens?.set)(sheet, "", value).ok(),
            Self::Unlisted => {
                let settings = &mut rules.max_contracts_per_instrument.settings;
                (settings.default_limit, settings.unknown_symbol) = serde_json::from_value(value).ok()?;
                Some(())
            }
            Self::Limit(symbol) => {
                let limits = &mut rules.max_contracts_per_instrument.settings.instrument_limits;
                match serde_json::from_value::<Option<Contracts>>(value).ok()? {
                    Some(limit) => limits.insert(symbol.clone(), limit),
                    None => limits.remove(symbol),
                };
                Some(())
            }
            Self::Hours => {
                let hours = &mut rules.session_block_outside.settings;
                (hours.windows, hours.timezone, hours.per_instrument) = serde_json::from_value(value).ok()?;
                Some(())
            }
            Self::SymbolList => {
                let list = &mut rules.symbol_blocks.settings;
                (list.mode, list.patterns) = serde_json::from_value(value).ok()?;
                Some(())
            }
            Self::Automation => put(&mut rules.trade_management.settings, value).ok(),
        }
    }

    /// As people would write it.
    pub fn shown(&self, value: &Json) -> Json {
        match self {
            Self::Row(row) => row.key.kind.written(value),
            Self::Hours => {
                let own = value[2].as_object().into_iter().flatten();
                let own: Json =
                    own.map(|(symbol, windows)| (symbol.clone(), Kind::Windows.written(windows))).collect();
                let no_own = own.as_object().is_none_or(serde_json::Map::is_empty);
                let general = [Kind::Windows.written(&value[0]), value[1].clone()];
                general.into_iter().chain((!no_own).then_some(own)).collect()
            }
            Self::Unlisted | Self::Limit(_) | Self::SymbolList | Self::Automation => value.clone(),
        }
    }

    /// Which way the change goes, and the value that holds at once.
    pub fn judge(&self, old: &Sheet, new: &Sheet) -> (Direction, Json) {
        let (from, to) = (self.get(old), self.get(new));
        if from == to {
            return (Direction::Neutral, to);
        }
        let (before, after) = (&old.rules, &new.rules);
        let limits =
            (&before.max_contracts_per_instrument.settings, &after.max_contracts_per_instrument.settings);
        match self {
            Self::Row(row) => judge_row(row, from, to),
            Self::Unlisted => {
                let order = meet::by_cap(meet::unlisted(limits.1), meet::unlisted(limits.0));
                by_order(order, from, to)
            }
            Self::Limit(symbol) => {
                let order = meet::by_cap(meet::allowed(limits.1, symbol), meet::allowed(limits.0, symbol));
                by_order(order, from, to)
            }
            Self::Hours => {
                let (old, new) =
                    (&before.session_block_outside.settings, &after.session_block_outside.settings);
                stricter_if(meet::within(new, old), from, to)
            }
            Self::SymbolList => {
                let (old, new) = (&before.symbol_blocks.settings, &after.symbol_blocks.settings);
                match meet::both_lists(new, old) {
                    _ if meet::blocks_at_least(new, old) => (Direction::Stricter, to),
                    Some(patterns) if !meet::blocks_at_least(old, new) => {
                        (Direction::Mixed, json(&(old.mode, patterns)))
                    }
                    _ => (Direction::Looser, from),
                }
            }
            Self::Automation => {
                let (old, new) = (&before.trade_management.settings, &after.trade_management.settings);
                let kept = json(&meet::nearer_stops(old, new));
                let free_both_ways = json(&meet::nearer_stops(new, old)) == from;
                match () {
                    () if kept == to && free_both_ways => (Direction::Neutral, to),
                    () if kept == to => (Direction::Stricter, to),
                    () if kept == from => (Direction::Looser, from),
                    () => (Direction::Mixed, kept),
                }
            }
        }
    }
}

/// Keys that are compared by themselves.
fn is_single(row: &Row) -> bool {
    row.group.rule.is_some()
        && row.key.lens.is_some()
        && row.key.symbols.is_none()
        && row.key.form != Form::Alternative
        && row.key.strictness != Strictness::Together
        && (is_switch(row.key.path) || row.group.rule != Some(RuleKey::TradeManagement))
}

fn is_switch(path: &str) -> bool {
    matches!(path, "enabled" | "rule_mode")
}

fn judge_row(row: &Row, from: Json, to: Json) -> (Direction, Json) {
    match row.key.strictness {
        Strictness::Lower => by_order(meet::by_cap(amount(&to), amount(&from)), from, to),
        Strictness::Higher => by_order(amount(&from).cmp(&amount(&to)), from, to),
        Strictness::On => stricter_if(to == true, from, to),
        Strictness::Off => stricter_if(to == false, from, to),
        Strictness::Later => {
            let words = row.key.kind.choices();
            let rank = |value: &Json| words.iter().position(|word| value == word);
            stricter_if(rank(&to) > rank(&from), from, to)
        }
        Strictness::LongerEverywhere => tiers(from, to),
        Strictness::Neutral => (Direction::Neutral, to),
        Strictness::Unclear | Strictness::Together => (Direction::Looser, from),
    }
}

fn tiers(from: Json, to: Json) -> (Direction, Json) {
    let read = |value: &Json| serde_json::from_value::<Vec<LossTier>>(value.clone()).unwrap_or_default();
    let (old, new) = (read(&from), read(&to));
    match (meet::covers(&new, &old), meet::covers(&old, &new)) {
        (true, _) => (Direction::Stricter, to),
        (false, true) => (Direction::Looser, from),
        (false, false) => (Direction::Mixed, json(&meet::longest(&old, &new))),
    }
}

/// Smaller is stricter; equal in effect is neutral.
fn by_order(order: Ordering, from: Json, to: Json) -> (Direction, Json) {
    match order {
        Ordering::Less => (Direction::Stricter, to),
        Ordering::Equal => (Direction::Neutral, to),
        Ordering::Greater => (Direction::Looser, from),
    }
}

fn stricter_if(stricter: bool, from: Json, to: Json) -> (Direction, Json) {
    if stricter { (Direction::Stricter, to) } else { (Direction::Looser, from) }
}

/// A number, or an amount of money, which the domain writes as text.
fn amount(value: &Json) -> Option<Decimal> {
    match value.as_str() {
        Some(text) => text.parse().ok(),
        None => value.as_i64().map(Decimal::from),
    }
}

/// A piece of the rulebook that holds for everyone.
#[derive(Clone, Copy)]
pub(super) enum Global {
    Reset,
    Dates,
    EarlyCloses,
    Accounts,
    WarnAt,
    OnReduceRefused,
    ResetUnlocks,
}

impl Global {
    pub const ALL: [Self; 7] = [
        Self::Reset,
        Self::Dates,
        Self::EarlyCloses,
        Self::Accounts,
        Self::WarnAt,
        Self::OnReduceRefused,
        Self::ResetUnlocks,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Self::Reset => "daily_reset",
            Self::Dates => "holidays.dates",
            Self::EarlyCloses => "holidays.early_close",
            Self::Accounts => "accounts",
            Self::WarnAt => "general.warnings.told_at_percent",
            Self::OnReduceRefused => "general.on_reduce_refused",
            Self::ResetUnlocks => "daily_reset.unlock",
        }
    }

    pub fn get(self, rulebook: &Rulebook) -> Json {
        match self {
            Self::Reset => json(&rulebook.reset),
            Self::Dates => json(&rulebook.holidays.dates),
            Self::EarlyCloses => json(&rulebook.holidays.early_closes),
            Self::Accounts => json(&rulebook.accounts),
            Self::WarnAt => json(&rulebook.warn_at_percent),
            Self::OnReduceRefused => json(&rulebook.on_reduce_refused),
            Self::ResetUnlocks => json(&rulebook.reset_unlocks),
        }
    }

    pub fn set(self, rulebook: &mut Rulebook, value: &Json) -> Option<()> {
        let value = value.clone();
        match self {
            Self::Reset => put(&mut rulebook.reset, value),
            Self::Dates => put(&mut rulebook.holidays.dates, value),
            Self::EarlyCloses => put(&mut rulebook.holidays.early_closes, value),
            Self::Accounts => put(&mut rulebook.accounts, value),
            Self::WarnAt => put(&mut rulebook.warn_at_percent, value),
            Self::OnReduceRefused => put(&mut rulebook.on_reduce_refused, value),
            Self::ResetUnlocks => put(&mut rulebook.reset_unlocks, value),
        }
        .ok()
    }

    pub fn shown(self, value: &Json) -> Json {
        match self {
            Self::EarlyCloses => Kind::EarlyCloses.written(value),
            Self::Reset
            | Self::Dates
            | Self::Accounts
            | Self::WarnAt
            | Self::OnReduceRefused
            | Self::ResetUnlocks => value.clone(),
        }
    }

    /// Which way the change goes, and the value that holds at once.
    pub fn judge(self, old: &Rulebook, new: &Rulebook) -> (Direction, Json) {
        let (from, to) = (self.get(old), self.get(new));
        if from == to {
            return (Direction::Neutral, to);
        }
        let kept = match self {
            Self::Reset => from.clone(),
            Self::Dates => json(&old.holidays.dates.union(&new.holidays.dates).collect::<BTreeSet<_>>()),
            Self::EarlyCloses => {
                let mut closes: BTreeMap<_, _> = old.holidays.early_closes.clone();
                for (date, time) in &new.holidays.early_closes {
                    let kept = closes.entry(*date).or_insert(*time);
                    *kept = (*kept).min(*time);
                }
                json(&closes)
            }
            // It only tells: nothing is closed or locked by it.
            Self::WarnAt => return (Direction::Neutral, to),
            Self::OnReduceRefused => match (old.on_reduce_refused, new.on_reduce_refused) {
                (OnReduceRefused::Alert, OnReduceRefused::Alert) => from.clone(),
                (OnReduceRefused::Close, _) | (_, OnReduceRefused::Close) => json(&OnReduceRefused::Close),
            },
            Self::ResetUnlocks => {
                let (before, after) = (old.reset_unlocks, new.reset_unlocks);
                json(&ResetUnlocks {
                    daily_loss: before.daily_loss && after.daily_loss,
                    daily_profit: before.daily_profit && after.daily_profit,
                })
            }
            Self::Accounts => match (&old.accounts, &new.accounts) {
                (Watched::All, _) | (_, Watched::All) => json(&Watched::All),
                (Watched::Listed(old), Watched::Listed(new)) => {
                    json(&Watched::Listed(old.union(new).cloned().collect()))
                }
            },
        };
        match () {
            () if kept == to => (Direction::Stricter, to),
            () if kept == from => (Direction::Looser, from),
            () => (Direction::Mixed, kept),
        }
    }
}

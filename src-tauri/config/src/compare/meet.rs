//! The stricter of two values, type by type. `None` says that neither is: the change waits as a whole.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use domain::{
    Contracts, Symbol,
    rulebook::{
        AutoOrder, LossTier, MaxContractsPerInstrument, SessionBlockOutside, SessionWindow, SymbolBlocks,
        SymbolListMode, TradeManagement, TradeManagementValues, UnknownSymbol,
    },
};

use crate::checks::{length, minute};

/// Contracts allowed of a symbol without a limit of its own; `None`: any number.
pub(super) fn unlisted(settings: &MaxContractsPerInstrument) -> Option<Contracts> {
    match settings.unknown_symbol {
        UnknownSymbol::UseDefault => Some(settings.default_limit.unwrap_or(Contracts::ZERO)),
        UnknownSymbol::Block => Some(Contracts::ZERO),
        UnknownSymbol::AllowWithLimit(limit) => Some(limit),
        UnknownSymbol::AllowUnlimited => None,
    }
}

/// Contracts allowed of a symbol; `None`: any number.
pub(super) fn allowed(settings: &MaxContractsPerInstrument, symbol: &Symbol) -> Option<Contracts> {
    settings.instrument_limits.get(symbol).copied().map_or_else(|| unlisted(settings), Some)
}

/// A smaller cap is the smaller one; no cap is the largest.
pub(super) fn by_cap<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
    match (one, other) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => one.cmp(&other),
    }
}

/// The break after a loss by these steps, in seconds.
fn cooldown(tiers: &[LossTier], loss: domain::Usd) -> u32 {
    tiers.iter().filter(|tier| loss <= tier.loss).map(|tier| tier.cooldown_seconds).max().unwrap_or(0)
}

/// Whether the break is nowhere shorter than by the other steps.
pub(super) fn covers(tiers: &[LossTier], other: &[LossTier]) -> bool {
    other.iter().all(|tier| cooldown(tiers, tier.loss) >= cooldown(other, tier.loss))
}

/// At each loss the longer break of both.
pub(super) fn longest(one: &[LossTier], other: &[LossTier]) -> Vec<LossTier> {
    let losses: BTreeSet<_> = one.iter().chain(other).map(|tier| tier.loss).collect();
    losses
        .into_iter()
        .rev()
        .map(|loss| LossTier { loss, cooldown_seconds: cooldown(one, loss).max(cooldown(other, loss)) })
        .collect()
}

/// Whether trading is possible at no time at which it was not before, for every symbol. Windows are
/// compared by the day on which they start, because holidays are.
pub(super) fn within(new: &SessionBlockOutside, old: &SessionBlockOutside) -> bool {
    let of = |hours: &SessionBlockOutside, symbol: &Symbol| {
        hours.per_instrument.get(symbol).unwrap_or(&hours.windows).clone()
    };
    let symbols: BTreeSet<&Symbol> = new.per_instrument.keys().chain(old.per_instrument.keys()).collect();
    new.timezone == old.timezone
        && windows_within(&new.windows, &old.windows)
        && symbols.into_iter().all(|symbol| windows_within(&of(new, symbol), &of(old, symbol)))
}

fn windows_within(new: &[SessionWindow], old: &[SessionWindow]) -> bool {
    let inside = |inner: &SessionWindow, outer: &SessionWindow| {
        let begins = minute(inner.start) - minute(outer.start);
        begins >= 0 && begins + length(inner) <= length(outer)
    };
    new.iter().all(|inner| {
        let inside_on = |day: &u8| old.iter().any(|outer| outer.days.contains(day) && inside(inner, outer));
        inner.days.iter().all(inside_on)
    })
}

/// Whether every symbol that one pattern matches is matched by another, judged by the patterns alone:
/// `false` when in doubt.
fn pattern_covers(wide: &str, narrow: &str) -> bool {
    fn matches(wide: &[u8], narrow: &[u8]) -> bool {
        match (wide, narrow) {
            ([], []) => true,
            ([b'*', rest @ ..], _) if matches(rest, narrow) => true,
            ([b'*', ..], [_, rest @ ..]) => matches(wide, rest),
            ([b'?', wide @ ..], [c, narrow @ ..]) if *c != b'*' => matches(wide, narrow),
            ([w, wide @ ..], [n, narrow @ ..]) if w == n => matches(wide, narrow),
            _ => false,
        }
    }
    matches(wide.as_bytes(), narrow.as_bytes())
}

fn all_covered(narrow: &[String], wide: &[String]) -> bool {
    narrow.iter().all(|pattern| wide.iter().any(|other| pattern_covers(other, pattern)))
}

/// Whether every symbol that was blocked still is.
pub(super) fn blocks_at_least(new: &SymbolBlocks, old: &SymbolBlocks) -> bool {
    match (new.mode, old.mode) {
        (SymbolListMode::Blacklist, SymbolListMode::Blacklist) => all_covered(&old.patterns, &new.patterns),
        (SymbolListMode::Whitelist, SymbolListMode::Whitelist) => all_covered(&new.patterns, &old.patterns),
        (SymbolListMode::Whitelist, SymbolListMode::Blacklist) => old.patterns.is_empty(),
        (SymbolListMode::Blacklist, SymbolListMode::Whitelist) => {
            new.patterns.iter().any(|pattern| pattern_covers(pattern, "*"))
        }
    }
}

/// What two lists forbid together, where that can be said as one list.
pub(super) fn both_lists(new: &SymbolBlocks, old: &SymbolBlocks) -> Option<Vec<String>> {
    let blacklists = new.mode == SymbolListMode::Blacklist && old.mode == SymbolListMode::Blacklist;
    blacklists.then(|| {
        let all: BTreeSet<&String> = old.patterns.iter().chain(&new.patterns).collect();
        all.into_iter().cloned().collect()
    })
}

/// The new automation with the nearer automatic stops of both: a stop is never moved away or switched
/// off at once.
pub(super) fn nearer_stops(old: &TradeManagement, new: &TradeManagement) -> TradeManagement {
    let of = |settings: &TradeManagement, symbol: &Symbol| {
        settings.per_instrument.get(symbol).copied().unwrap_or(settings.values)
    };
    let both = |old: &TradeManagementValues, new: &TradeManagementValues| TradeManagementValues {
        stop_loss: nearer(old.stop_loss, new.stop_loss),
        ..*new
    };
    let values = both(&old.values, &new.values);
    let per_instrument: BTreeMap<Symbol, TradeManagementValues> = old
        .per_instrument
        .keys()
        .chain(new.per_instrument.keys())
        .map(|symbol| (symbol.clone(), both(&of(old, symbol), &of(new, symbol))))
        .filter(|(symbol, own)| new.per_instrument.contains_key(symbol) || *own != values)
        .collect();
    TradeManagement { values, per_instrument }
}

fn nearer(old: AutoOrder, new: AutoOrder) -> AutoOrder {
    match (old.enabled, new.enabled) {
        (true, true) => AutoOrder { enabled: true, ticks: old.ticks.min(new.ticks) },
        (true, false) => old,
        (false, _) => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_matches() {
        for (wide, narrow) in
            [("*", "?Q*"), ("M*", "MNQ"), ("M?Q", "MNQ"), ("*NQ", "NQ"), ("?", "?"), ("M*", "M?S")]
        {
            assert!(pattern_covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [("M?Q", "M*Q"), ("MNQ", "M*"), ("M*", "*M"), ("?", "MM"), ("", "M")] {
            assert!(!pattern_covers(wide, narrow), "{wide} {narrow}");
        }
    }
}

//! The rules of a world, left to chance: other limits, other stances, values of one account's own.

use chrono::NaiveTime;
use domain::{
    AccountId, Contracts, RuleMode, RuleSet, Rulebook, Symbol, Usd,
    breach::{Basis, CountType},
    rulebook::{
        AutoBreakeven, AutoOrder, AutoTrail, Entry, FrequencyWindow, LossScope, OnCanTradeFalse,
        SessionBlockOutside, SessionWindow, SizeEnforcement, TradeCount, TradeFrequencyLimit,
        TradeManagementValues, UnknownSymbol,
    },
};

use crate::{dice::Dice, traders::SYMBOLS};

/// The rules of one world.
pub(crate) fn rulebook(dice: &mut Dice, accounts: &[AccountId]) -> Rulebook {
    let mut rulebook =
        Rulebook { base: rules(dice), holidays: config::shipped_holidays().clone(), ..Rulebook::default() };
    for account in accounts {
        if dice.percent(25) {
            rulebook.own.insert(account.clone(), rules(dice));
        }
    }
    for rules in rulebook.own.values_mut().chain([&mut rulebook.base]) {
        let settings = &mut rules.session_block_outside.settings;
        if dice.percent(40) {
            let symbol: Symbol = (*dice.choose(&SYMBOLS)).into();
            let hours = sessions(dice, settings.clone()).windows;
            settings.per_instrument.insert(symbol, hours);
        }
    }
    rulebook
}

/// Rules that are nowhere looser: what a trader does in the middle of a day.
pub(crate) fn tightened(dice: &mut Dice, rulebook: &Rulebook) -> Rulebook {
    let mut tighter = rulebook.clone();
    for rules in tighter.own.values_mut().chain([&mut tighter.base]) {
        let contracts = &mut rules.max_contracts.settings.limit;
        *contracts = Contracts(contracts.0.saturating_sub(u32::from(dice.percent(50))).max(1));
        let loss = &mut rules.daily_realized_loss.settings.limit;
        if dice.percent(50) && *loss < Usd::from_cents(-20_000) {
            *loss += Usd::from_cents(5_000);
        }
        let blocked = &mut rules.symbol_blocks;
        if blocked.enabled && blocked.mode == RuleMode::Enforce && dice.percent(30) {
            let symbol = dice.choose(&SYMBOLS).to_string();
            if !blocked.settings.patterns.contains(&symbol) {
                blocked.settings.patterns.push(symbol);
            }
        }
    }
    tighter
}

fn rules(dice: &mut Dice) -> RuleSet {
    let mut rules = RuleSet::default();
    some_of_the_rest(dice, &mut rules);
    rules.max_contracts = entry(dice, rules.max_contracts);
    rules.max_contracts.settings.limit = Contracts(u32::try_from(dice.between(2..=8)).unwrap_or(5));
    rules.max_contracts.settings.count_type = *dice.choose(&[CountType::Net, CountType::Gross]);
    rules.max_contracts.settings.enforcement = size_enforcement(dice);
    rules.max_contracts_per_instrument = entry(dice, rules.max_contracts_per_instrument);
    let per_instrument = &mut rules.max_contracts_per_instrument.settings;
    per_instrument.enforcement = size_enforcement(dice);
    per_instrument.default_limit = Some(Contracts(u32::try_from(dice.between(1..=4)).unwrap_or(3)));
    per_instrument.unknown_symbol = match dice.between(0..=5) {
        0 => UnknownSymbol::Block,
        1 => UnknownSymbol::AllowWithLimit(Contracts(2)),
        2 => UnknownSymbol::AllowUnlimited,
        _ => UnknownSymbol::UseDefault,
    };
    rules.daily_realized_loss = entry(dice, rules.daily_realized_loss);
    let loss = &mut rules.daily_realized_loss.settings;
    loss.limit = Usd::from_cents(dice.between(3..=20) * -5_000);
    loss.basis = if dice.percent(70) { Basis::Combined } else { Basis::Realized };
    loss.include_fees = dice.percent(80);
    let grace = [5, 10, 20, 30, 60];
    rules.no_stop_loss_grace.settings.grace_period_seconds = *dice.choose(&grace);
    rules.no_stop_loss_grace.settings.poll_interval_seconds = *dice.choose(&[5, 10, 30]);
    rules.symbol_blocks = entry(dice, rules.symbol_blocks);
    rules.symbol_blocks.enabled = dice.percent(70);
    let blocked: Symbol = (*dice.choose(&SYMBOLS)).into();
    rules.symbol_blocks.settings.patterns = vec![blocked.to_string()];
    rules
}

/// Each of these is on in a part of the worlds only: a day that is locked at once shows nothing else.
fn some_of_the_rest(dice: &mut Dice, rules: &mut RuleSet) {
    let open_loss = &mut rules.daily_unrealized_loss;
    open_loss.enabled = dice.percent(35);
    open_loss.settings.limit = Usd::from_cents(dice.between(2..=12) * -2_500);
    open_loss.settings.scope = dice.weighted(&[(75, LossScope::Position), (25, LossScope::AccountTotal)]);
    let open_profit = &mut rules.max_unrealized_profit;
    open_profit.enabled = dice.percent(35);
    open_profit.settings.target = Usd::from_cents(dice.between(2..=16) * 2_500);
    let profit = &mut rules.daily_realized_profit;
    profit.enabled = dice.percent(35);
    profit.settings.target = Usd::from_cents(dice.between(3..=20) * 5_000);
    profit.settings.basis = if dice.percent(70) { Basis::Combined } else { Basis::Realized };
    profit.settings.include_fees = dice.percent(80);
    let frequency = &mut rules.trade_frequency_limit;
    frequency.enabled = dice.percent(30);
    frequency.settings = trade_limits(dice);
    let cooldown = &mut rules.cooldown_after_loss;
    cooldown.enabled = dice.percent(30);
    cooldown.settings.close_positions = dice.percent(60);
    for tier in &mut cooldown.settings.tiers {
        tier.cooldown_seconds = tier.cooldown_seconds.div_ceil(10);
    }
    rules.session_block_outside.enabled = dice.percent(30);
    rules.session_block_outside.settings = sessions(dice, rules.session_block_outside.settings.clone());
    rules.auth_loss_guard.settings.on_can_trade_false =
        if dice.percent(30) { OnCanTradeFalse::Lockout } else { OnCanTradeFalse::Alert };
    rules.trade_management.enabled = dice.percent(25);
    rules.trade_management.settings.values = management(dice);
}

fn trade_limits(dice: &mut Dice) -> TradeFrequencyLimit {
    let mut window = |limit: std::ops::RangeInclusive<i64>| FrequencyWindow {
        limit: dice.percent(80).then(|| u32::try_from(dice.between(limit)).unwrap_or(9)),
        cooldown_seconds: u32::try_from(dice.between(10..=240)).unwrap_or(60),
    };
    TradeFrequencyLimit {
        per_minute: window(3..=12),
        per_hour: window(12..=40),
        per_session: window(40..=120),
        count: *dice.choose(&[TradeCount::Orders, TradeCount::Entries, TradeCount::RoundTurns]),
        close_positions: dice.percent(20),
    }
}

/// Long hours, so that most trading falls inside; some over midnight, some with a break.
fn sessions(dice: &mut Dice, known: SessionBlockOutside) -> SessionBlockOutside {
    let at = |minute: i64| {
        let seconds = u32::try_from(minute.rem_euclid(24 * 60) * 60).unwrap_or_default();
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default()
    };
    let start = dice.between(0..=23) * 60;
    let length = dice.between(10..=21) * 60;
    let days = if dice.percent(70) { 0..7 } else { 0..5 };
    let window =
        |from: i64, to: i64| SessionWindow { start: at(from), end: at(to), days: days.clone().collect() };
    let windows = if dice.percent(30) {
        let half = start + length / 2;
        vec![window(start, half), window(half + 45, start + length)]
    } else {
        vec![window(start, start + length)]
    };
    SessionBlockOutside {
        windows,
        close_positions: dice.percent(80),
        close_grace_seconds: u32::try_from(dice.between(0..=90)).unwrap_or(60),
        respect_holidays: dice.percent(70),
        ..known
    }
}

fn management(dice: &mut Dice) -> TradeManagementValues {
    let mut ticks = |range: std::ops::RangeInclusive<i64>| u32::try_from(dice.between(range)).unwrap_or(10);
    let (stop, target) = (ticks(6..=60), ticks(8..=80));
    let (threshold, trail) = (ticks(4..=30), ticks(4..=20));
    TradeManagementValues {
        stop_loss: AutoOrder { enabled: dice.percent(85), ticks: stop },
        take_profit: AutoOrder { enabled: dice.percent(60), ticks: target },
        breakeven: AutoBreakeven {
            enabled: dice.percent(60),
            profit_threshold_ticks: threshold,
            offset_ticks: threshold / 4,
        },
        trailing: AutoTrail { enabled: dice.percent(60), activation_ticks: trail * 2, trail_ticks: trail },
    }
}

fn entry<T>(dice: &mut Dice, entry: Entry<T>) -> Entry<T> {
    let mode = dice.weighted(&[(85, RuleMode::Enforce), (8, RuleMode::Warn), (7, RuleMode::Observe)]);
    Entry { enabled: true, mode, ..entry }
}

fn size_enforcement(dice: &mut Dice) -> SizeEnforcement {
    dice.weighted(&[(80, SizeEnforcement::ReduceToLimit), (20, SizeEnforcement::CloseAll)])
}

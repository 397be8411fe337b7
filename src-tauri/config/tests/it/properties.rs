//! Tighten now, loosen later, for any two rulebooks: judged by what the rules would do, not by the table.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use config::{Direction, Pending, apply, compare, split};
use domain::{AccountId, RuleKey, RuleMode, RuleSet, Rulebook, rulebook::Watched};
use domain::{
    Contracts, Symbol, Usd,
    breach::{Basis, CountType},
    rulebook::{
        AutoOrder, FrequencyWindow, LossScope, LossTier, SessionWindow, SizeEnforcement, SymbolListMode,
        TradeCount, TradeManagementValues, UnknownSymbol,
    },
};
use proptest::prelude::*;

/// Makes rules out of choices; the choice 0 is always the default.
struct Maker(std::vec::IntoIter<u8>);

const SYMBOLS: [&str; 4] = ["MNQ", "ES", "CL", "GC"];

impl Maker {
    fn pick<T: Clone>(&mut self, default: T, others: &[T]) -> T {
        let choice = usize::from(self.0.next().unwrap_or(0)) % (others.len() + 1);
        if choice == 0 { default } else { others[choice - 1].clone() }
    }

    fn yes(&mut self, default: bool) -> bool {
        self.pick(default, &[!default])
    }

    fn windows(&mut self) -> Vec<SessionWindow> {
        let at = |hour| NaiveTime::from_hms_opt(hour, 30, 0).unwrap();
        let window = |start, end, days: std::ops::Range<u8>| SessionWindow {
            start: at(start),
            end: at(end),
            days: days.collect(),
        };
        self.pick(
            vec![window(8, 15, 0..5)],
            &[
                vec![window(9, 14, 0..5)],
                vec![window(8, 15, 0..3)],
                vec![window(8, 11, 0..5), window(13, 15, 0..5)],
                vec![window(17, 16, 0..4)],
                vec![window(22, 3, 0..4)],
                vec![window(7, 12, 2..7)],
            ],
        )
    }

    fn automation(&mut self) -> TradeManagementValues {
        TradeManagementValues {
            stop_loss: AutoOrder { enabled: self.yes(true), ticks: self.pick(10, &[5, 20]) },
            take_profit: AutoOrder { enabled: self.yes(true), ticks: self.pick(20, &[5]) },
            ..TradeManagementValues::default()
        }
    }

    fn rules(&mut self) -> RuleSet {
        let mut rules = RuleSet::default();
        macro_rules! stance {
            ($($rule:ident),+) => {$(
                rules.$rule.enabled = self.yes(rules.$rule.enabled);
                rules.$rule.mode = self.pick(RuleMode::Enforce, &[RuleMode::Warn, RuleMode::Observe]);
            )+};
        }
        stance!(
            max_contracts,
            max_contracts_per_instrument,
            daily_realized_loss,
            daily_unrealized_loss,
            trade_frequency_limit,
            cooldown_after_loss,
            session_block_outside,
            symbol_blocks,
            trade_management,
            daily_realized_profit
        );
        let size = &mut rules.max_contracts.settings;
        size.limit = self.pick(Contracts(5), &[Contracts(2), Contracts(9)]);
        size.count_type = self.pick(CountType::Net, &[CountType::Gross]);
        size.enforcement = self.pick(SizeEnforcement::ReduceToLimit, &[SizeEnforcement::CloseAll]);
        let each = &mut rules.max_contracts_per_instrument.settings;
        each.default_limit = self.pick(Some(Contracts(3)), &[None, Some(Contracts(1)), Some(Contracts(6))]);
        each.unknown_symbol = self.pick(
            UnknownSymbol::UseDefault,
            &[
                UnknownSymbol::Block,
                UnknownSymbol::AllowUnlimited,
                UnknownSymbol::AllowWithLimit(Contracts(2)),
            ],
        );
        for symbol in SYMBOLS {
            match self.pick(None, &[Some(0), Some(1), Some(4), Some(8)]) {
                Some(limit) => each.instrument_limits.insert(symbol.into(), Contracts(limit)),
                None => each.instrument_limits.remove(symbol),
            };
        }
        rules.daily_realized_loss.settings.limit =
            self.pick(Usd::from_cents(-50_000), &[Usd::from_cents(-20_000), Usd::from_cents(-90_000)]);
        rules.daily_realized_loss.settings.basis = self.pick(Basis::Combined, &[Basis::Realized]);
        rules.daily_unrealized_loss.settings.scope =
            self.pick(LossScope::Position, &[LossScope::AccountTotal]);
        rules.daily_realized_profit.settings.include_fees = self.yes(true);
        let frequency = &mut rules.trade_frequency_limit.settings;
        let minute = self.pick(Some(3), &[None, Some(1), Some(5)]);
        frequency.per_minute = FrequencyWindow { limit: minute, cooldown_seconds: self.pick(60, &[30, 90]) };
        frequency.count = self.pick(TradeCount::Orders, &[TradeCount::Entries, TradeCount::RoundTurns]);
        let tier = |dollars: i64, cooldown_seconds| LossTier {
            loss: Usd::from_cents(dollars * 100),
            cooldown_seconds,
        };
        rules.cooldown_after_loss.settings.tiers = self.pick(
            rules.cooldown_after_loss.settings.tiers.clone(),
            &[
                vec![tier(-100, 600)],
                vec![tier(-50, 60), tier(-400, 3600)],
                vec![tier(-150, 300), tier(-160, 300)],
            ],
        );
        let hours = &mut rules.session_block_outside.settings;
        hours.windows = self.windows();
        hours.timezone = self.pick(hours.timezone, &[chrono_tz::UTC]);
        for symbol in ["ES", "GC"] {
            if self.yes(false) {
                hours.per_instrument.insert(symbol.into(), self.windows());
            }
        }
        hours.respect_holidays = self.yes(true);
        let list = &mut rules.symbol_blocks.settings;
        list.mode = self.pick(SymbolListMode::Blacklist, &[SymbolListMode::Whitelist]);
        let lists = [vec!["MNQ"], vec!["*"], vec!["M*"], vec!["CL", "GC"], vec!["?C", "ES"]];
        let lists = lists.map(|list| list.into_iter().map(ToString::to_string).collect());
        list.patterns = self.pick(Vec::new(), &lists);
        rules.trade_management.settings.values = self.automation();
        if self.yes(false) {
            rules.trade_management.settings.per_instrument.insert("ES".into(), self.automation());
        }
        rules
    }

    fn rulebook(&mut self) -> Rulebook {
        let mut rulebook = Rulebook { base: self.rules(), ..Rulebook::default() };
        rulebook.reset.time = self.pick(rulebook.reset.time, &[NaiveTime::MIN]);
        for day in 1..4 {
            let date = chrono::NaiveDate::from_ymd_opt(2026, 12, day).unwrap();
            if self.yes(false) {
                rulebook.holidays.dates.insert(date);
            }
            if let Some(hour) = self.pick(None, &[Some(11), Some(13)]) {
                rulebook.holidays.early_closes.insert(date, NaiveTime::from_hms_opt(hour, 0, 0).unwrap());
            }
        }
        let listed = |ids: &[&str]| Watched::Listed(ids.iter().map(|id| AccountId::from(*id)).collect());
        rulebook.accounts =
            self.pick(Watched::All, &[listed(&["1"]), listed(&["1", "2"]), listed(&["2", "3"])]);
        for id in ["1", "2"] {
            if self.yes(false) {
                rulebook.own.insert(id.into(), self.rules());
            }
        }
        rulebook
    }
}

fn rulebooks() -> impl Strategy<Value = Rulebook> {
    proptest::collection::vec(prop_oneof![3 => Just(0u8), 1 => any::<u8>()], 0..260)
        .prop_map(|choices| Maker(choices.into_iter()).rulebook())
}

/// What is judged here knows nothing of the table: it looks at what the rules would do.
fn assert_not_looser(now: &RuleSet, old: &RuleSet) -> Result<(), TestCaseError> {
    let acts = |rules: &RuleSet, rule| {
        let (enabled, mode) = rules.stance(rule);
        if enabled { 1 + mode as u8 } else { 0 }
    };
    for rule in RuleKey::RULES {
        prop_assert!(acts(now, rule) >= acts(old, rule), "{rule}");
    }
    let protects = |rule| acts(old, rule) > 1;
    if protects(RuleKey::MaxContracts) {
        prop_assert!(now.max_contracts.settings.limit <= old.max_contracts.settings.limit);
    }
    if protects(RuleKey::DailyRealizedLoss) {
        prop_assert!(now.daily_realized_loss.settings.limit >= old.daily_realized_loss.settings.limit);
    }
    if protects(RuleKey::MaxContractsPerInstrument) {
        for symbol in SYMBOLS.into_iter().chain(["XX"]) {
            prop_assert!(allowed(now, symbol) <= allowed(old, symbol), "{symbol}");
        }
    }
    if protects(RuleKey::CooldownAfterLoss) {
        for dollars in (0..500).step_by(10) {
            prop_assert!(cooldown(now, -dollars) >= cooldown(old, -dollars), "{dollars}");
        }
    }
    if protects(RuleKey::SessionBlockOutside) {
        for symbol in SYMBOLS {
            let (zone, before) = open(old, symbol);
            let (same, after) = open(now, symbol);
            prop_assert!(zone == same && after.is_subset(&before), "{symbol}");
        }
    }
    if protects(RuleKey::SymbolBlocks) {
        for symbol in SYMBOLS.into_iter().chain(["M", "XC", "MES"]) {
            prop_assert!(blocked(now, symbol) || !blocked(old, symbol), "{symbol}");
        }
    }
    Ok(())
}

fn allowed(rules: &RuleSet, symbol: &str) -> u32 {
    let settings = &rules.max_contracts_per_instrument.settings;
    let other = match settings.unknown_symbol {
        UnknownSymbol::UseDefault => settings.default_limit.map_or(0, |limit| limit.0),
        UnknownSymbol::Block => 0,
        UnknownSymbol::AllowWithLimit(limit) => limit.0,
        UnknownSymbol::AllowUnlimited => u32::MAX,
    };
    settings.instrument_limits.get(symbol).map_or(other, |limit| limit.0)
}

fn cooldown(rules: &RuleSet, dollars: i64) -> u32 {
    let loss = Usd::from_cents(dollars * 100);
    let tiers = rules.cooldown_after_loss.settings.tiers.iter().filter(|tier| loss <= tier.loss);
    tiers.max_by_key(|tier| tier.cooldown_seconds).map_or(0, |tier| tier.cooldown_seconds)
}

/// Half hours of the week in which a symbol may be traded.
fn open(rules: &RuleSet, symbol: &str) -> (chrono_tz::Tz, BTreeSet<u32>) {
    use chrono::Timelike;
    let hours = &rules.session_block_outside.settings;
    let slot = |time: NaiveTime| time.num_seconds_from_midnight() / 1800;
    let windows = hours.per_instrument.get(&Symbol::from(symbol)).unwrap_or(&hours.windows);
    let slots = windows.iter().flat_map(|window| {
        let length = (48 + slot(window.end) - slot(window.start)) % 48;
        let starts = window.days.iter().map(|day| u32::from(*day) * 48 + slot(window.start));
        starts.flat_map(move |start| (start..start + length).map(|slot| slot % (7 * 48))).collect::<Vec<_>>()
    });
    (hours.timezone, slots.collect())
}

fn blocked(rules: &RuleSet, symbol: &str) -> bool {
    let list = &rules.symbol_blocks.settings;
    let matched = list.patterns.iter().any(|pattern| matches(pattern.as_bytes(), symbol.as_bytes()));
    (list.mode == SymbolListMode::Blacklist) == matched
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => matches(&pattern[1..], text) || (!text.is_empty() && matches(pattern, &text[1..])),
        (Some(p), Some(t)) if *p == b'?' || p == t => matches(&pattern[1..], &text[1..]),
        _ => false,
    }
}

fn accounts() -> [AccountId; 3] {
    ["1", "2", "3"].map(AccountId::from)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn now_is_never_looser_than_before(old in rulebooks(), new in rulebooks()) {
        let (now, _) = split(&old, &new);
        let loosened: Vec<_> = compare(&old, &now)
            .0
            .into_iter()
            .filter(|change| matches!(change.direction, Direction::Looser | Direction::Mixed))
            .collect();
        prop_assert!(loosened.is_empty(), "{loosened:?}");
        assert_not_looser(&now.base, &old.base)?;
        for account in accounts() {
            assert_not_looser(now.of(&account), old.of(&account))?;
        }
        prop_assert!(now.holidays.dates.is_superset(&old.holidays.dates));
    }

    #[test]
    fn what_waits_leads_to_the_new_rules(old in rulebooks(), new in rulebooks()) {
        let (mut now, pending) = split(&old, &new);
        let kept = serde_json::to_string(&pending).unwrap();
        apply(&mut now, &serde_json::from_str::<Vec<Pending>>(&kept).unwrap()).unwrap();
        prop_assert_eq!(&now.base, &new.base);
        for account in accounts() {
            prop_assert_eq!(now.of(&account), new.of(&account));
        }
        prop_assert_eq!((&now.reset, &now.holidays, &now.accounts), (&new.reset, &new.holidays, &new.accounts));
    }

    #[test]
    fn the_same_files_give_the_same_answer_again(old in rulebooks(), new in rulebooks()) {
        let first = split(&old, &new);
        let again = split(&first.0, &new);
        prop_assert_eq!(&again, &first);
        let (same, none) = split(&new, &new);
        prop_assert!(none.is_empty() && same == new && compare(&new, &new).is_empty());
    }
}

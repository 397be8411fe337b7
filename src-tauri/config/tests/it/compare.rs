//! Tighten now, loosen later.

use crate::home::Home;
use config::{Direction, Pending, apply, compare, split};
use domain::{AccountId, RuleMode, Rulebook, rulebook::Watched};

fn rulebook(risk: &str) -> Rulebook {
    let home = Home::with(&[("risk.yaml", &format!("rules:\n{risk}"))]);
    home.check().unwrap_or_else(|faults| panic!("{faults}")).rulebook
}

fn rulebook_of(files: &[(&str, &str)]) -> Rulebook {
    Home::with(files).check().unwrap_or_else(|faults| panic!("{faults}")).rulebook
}

fn texts(pending: &[Pending]) -> Vec<&str> {
    pending.iter().map(|pending| pending.text.as_str()).collect()
}

/// The promise of the issue: two looser, one stricter; the stricter one holds at once, two are shown as
/// pending, after a restart as well.
#[test]
fn a_change_that_loosens_two_and_tightens_one() {
    let old = rulebook("  max_contracts: {limit: 5}\n");
    let new = rulebook(
        "  max_contracts: {limit: 3}\n  daily_realized_loss: {limit: -600}\n  no_stop_loss_grace: {grace_period_seconds: 300}\n",
    );
    let (now, pending) = split(&old, &new);
    assert_eq!(now.base.max_contracts.settings.limit.0, 3);
    assert_eq!(now.base.daily_realized_loss, old.base.daily_realized_loss);
    let shown =
        ["daily_realized_loss.limit: -500 -> -600", "no_stop_loss_grace.grace_period_seconds: 120 -> 300"];
    assert_eq!(texts(&pending), shown);

    let kept = serde_json::to_string(&(&now, &pending)).unwrap();
    let (mut restarted, kept): (Rulebook, Vec<Pending>) = serde_json::from_str(&kept).unwrap();
    assert_eq!(split(&restarted, &new), (now, kept.clone()), "computed anew from the files");
    apply(&mut restarted, &kept).unwrap();
    assert_eq!(restarted, new, "on the next trading day");
}

#[test]
fn one_of_two_pending_changes_may_be_applied() {
    let (old, new) = (
        rulebook("  max_contracts: {limit: 5}\n"),
        rulebook("  max_contracts: {limit: 9}\n  max_unrealized_profit: {target: 600}\n"),
    );
    let (mut now, pending) = split(&old, &new);
    apply(&mut now, &pending[1..]).unwrap();
    assert_eq!(now.base.max_contracts, old.base.max_contracts);
    assert_eq!(now.base.max_unrealized_profit, new.base.max_unrealized_profit);
}

#[test]
fn a_pending_change_of_another_version_is_refused_whole() {
    let (old, new) = (Rulebook::default(), rulebook("  max_contracts: {limit: 9}\n"));
    let (now, mut pending) = split(&old, &Rulebook { holidays: old.holidays.clone(), ..new });
    pending.push(Pending { key: "rules.max_contracts.gone".to_string(), ..pending[0].clone() });
    let mut applied = now.clone();
    assert_eq!(apply(&mut applied, &pending).unwrap_err().key, "rules.max_contracts.gone");
    assert_eq!(applied, now);
}

/// Each change by itself: which way it goes.
#[test]
fn every_kind_of_key_has_its_direction() {
    use Direction::{Looser, Mixed, Neutral, Stricter};
    let check = |old: &str, new: &str, expected: &[Direction]| {
        let changes = compare(&rulebook(old), &rulebook(new));
        let directions: Vec<Direction> = changes.0.iter().map(|change| change.direction).collect();
        assert_eq!(directions, expected, "{old} -> {new}: {:?}", changes.0);
    };
    let both = |rule: &str, strict: &str, loose: &str| {
        let text = |value: &str| format!("  {rule}: {{{value}}}\n");
        check(&text(loose), &text(strict), &[Stricter]);
        check(&text(strict), &text(loose), &[Looser]);
    };
    both("max_contracts", "limit: 2", "limit: 3");
    both("max_contracts", "count_type: gross", "count_type: net");
    both("max_contracts", "enabled: true", "enabled: false");
    both("max_contracts", "rule_mode: enforce", "rule_mode: warn");
    both("max_contracts", "rule_mode: warn", "rule_mode: observe");
    both("daily_realized_loss", "limit: -200", "limit: -300");
    both("daily_realized_loss", "include_fees: true", "include_fees: false");
    both("daily_realized_profit", "include_fees: false", "include_fees: true");
    both("daily_realized_profit", "target: 700", "target: 800");
    both("trade_frequency_limit", "limits: {per_minute: 3}", "limits: {per_minute: null}");
    both(
        "trade_frequency_limit",
        "cooldown_on_breach: {per_hour_breach: 1h}",
        "cooldown_on_breach: {per_hour_breach: 1m}",
    );
    both("trade_frequency_limit", "count: orders", "count: round_turns");
    both("no_stop_loss_grace", "max_stop_distance_ticks: 50", "max_stop_distance_ticks: null");
    both("max_contracts_per_instrument", "instrument_limits: {MNQ: 1}", "instrument_limits: {MNQ: 2}");
    both(
        "max_contracts_per_instrument",
        "unknown_symbol_action: \"allow_with_limit:1\"",
        "unknown_symbol_action: use_default",
    );
    both("max_contracts_per_instrument", "instrument_limits: {CL: 2}", "instrument_limits: {}");
    both(
        "cooldown_after_loss",
        "loss_thresholds: [{loss_amount: -50, cooldown_duration: 5m}]",
        "loss_thresholds: [{loss_amount: -60, cooldown_duration: 4m}]",
    );
    both("session_block_outside", "session_hours: {start: \"09:00\"}", "session_hours: {start: \"08:00\"}");
    both("session_block_outside", "allowed_days: [1]", "allowed_days: [1, 2]");
    both("session_block_outside", "session_close_grace: 0", "session_close_grace: 60");
    both(
        "session_block_outside",
        "",
        "per_instrument_sessions: {enabled: true, sessions: {ES: [{start: \"08:00\", end: \"15:00\"}]}}",
    );
    both(
        "symbol_blocks",
        "enabled: true, blocked_symbols: [CL, RTY]",
        "enabled: true, blocked_symbols: [RTY]",
    );
    both(
        "symbol_blocks",
        "enabled: true, blocked_symbols: [\"M*\"]",
        "enabled: true, blocked_symbols: [MNQ]",
    );
    both(
        "symbol_blocks",
        "enabled: true, mode: whitelist, allowed_symbols: [MNQ]",
        "enabled: true, mode: whitelist, allowed_symbols: [\"M*\"]",
    );
    both(
        "trade_management",
        "enabled: true, auto_stop_loss: {ticks: 10}",
        "enabled: true, auto_stop_loss: {ticks: 20}",
    );

    check("  daily_realized_profit: {message: a}\n", "  daily_realized_profit: {message: b}\n", &[Neutral]);
    check(
        "  daily_unrealized_loss: {scope: position}\n",
        "  daily_unrealized_loss: {scope: account_total}\n",
        &[Looser],
    );
    check(
        "  trade_management: {enabled: true}\n",
        "  trade_management: {enabled: true, auto_take_profit: {ticks: 5}}\n",
        &[Neutral],
    );
    check(
        "  session_block_outside: {timezone: UTC}\n",
        "  session_block_outside: {timezone: America/New_York}\n",
        &[Looser],
    );
    check(
        "  symbol_blocks: {enabled: true, blocked_symbols: [CL]}\n",
        "  symbol_blocks: {enabled: true, blocked_symbols: [RTY]}\n",
        &[Mixed],
    );
    check(
        "  cooldown_after_loss: {loss_thresholds: [{loss_amount: -100, cooldown_duration: 5m}]}\n",
        "  cooldown_after_loss: {loss_thresholds: [{loss_amount: -200, cooldown_duration: 30m}]}\n",
        &[Mixed],
    );
}

#[test]
fn a_mixed_change_is_split_inside_its_value() {
    let old = rulebook(
        "  symbol_blocks: {enabled: true, blocked_symbols: [CL]}\n  cooldown_after_loss: {loss_thresholds: [{loss_amount: -100, cooldown_duration: 5m}]}\n",
    );
    let new = rulebook(
        "  symbol_blocks: {enabled: true, blocked_symbols: [RTY]}\n  cooldown_after_loss: {loss_thresholds: [{loss_amount: -200, cooldown_duration: 30m}]}\n",
    );
    let (now, pending) = split(&old, &new);
    assert_eq!(now.base.symbol_blocks.settings.patterns, ["CL", "RTY"]);
    let tiers: Vec<(String, u32)> = now
        .base
        .cooldown_after_loss
        .settings
        .tiers
        .iter()
        .map(|tier| (tier.loss.to_string(), tier.cooldown_seconds))
        .collect();
    assert_eq!(tiers, [("-100.00".to_string(), 300), ("-200.00".to_string(), 1800)]);
    assert_eq!(pending.len(), 2);
}

#[test]
fn what_is_off_or_only_observed_may_be_changed_at_once() {
    let off = "  max_contracts: {enabled: false}\n";
    let observed = "  max_contracts: {rule_mode: observe}\n";
    let enforced = "  max_contracts: {limit: 50}\n";
    for old in [off, observed] {
        let (now, pending) = split(&rulebook(old), &rulebook(enforced));
        assert_eq!(pending, []);
        assert_eq!(now.base.max_contracts.settings.limit.0, 50);
    }
    let (now, pending) = split(&rulebook(off), &rulebook(observed));
    assert_eq!(pending, [], "switching on to observe does not enforce");
    assert_eq!(now.base.max_contracts.mode, RuleMode::Observe);
    let (now, pending) = split(&rulebook("  max_contracts: {rule_mode: warn}\n"), &rulebook(enforced));
    assert_eq!(
        (now.base.max_contracts.settings.limit.0, now.base.max_contracts.mode),
        (5, RuleMode::Enforce)
    );
    assert_eq!(texts(&pending), ["max_contracts.limit: 5 -> 50"]);
}

#[test]
fn accounts_holidays_and_the_reset() {
    let risk = ("risk.yaml", "rules: {max_contracts: {limit: 3}}\n");
    let old = rulebook_of(&[
        risk,
        ("accounts.yaml", "accounts: [{id: 1}, {id: 2, config_overrides: {max_contracts: {limit: 1}}}]\n"),
        ("timers.yaml", "holidays: {dates: [\"2026-12-25\"]}\n"),
    ]);
    let new = rulebook_of(&[
        risk,
        ("accounts.yaml", "accounts: [{id: 1, config_overrides: {max_contracts: {limit: 2}}}, {id: 3}]\n"),
        ("timers.yaml", "holidays: {dates: [\"2026-12-24\"]}\ndaily_reset: {time: \"16:00\"}\n"),
    ]);
    let (now, pending) = split(&old, &new);
    let ids = |ids: &[&str]| Watched::Listed(ids.iter().map(|id| AccountId::from(*id)).collect());
    assert_eq!(now.accounts, ids(&["1", "2", "3"]), "one more at once, one less later");
    assert_eq!(now.holidays.dates.len(), 2);
    assert_eq!(now.reset, old.reset, "brought forward, it would clear the day's loss early");
    assert_eq!(now.of(&"1".into()).max_contracts.settings.limit.0, 2);
    assert_eq!(now.of(&"2".into()).max_contracts.settings.limit.0, 1);
    let keys: Vec<&str> = pending.iter().map(|pending| pending.key.as_str()).collect();
    assert_eq!(keys, ["daily_reset", "holidays.dates", "accounts", "rules.max_contracts.limit"]);
    assert_eq!(pending[3].text, "account 2, max_contracts.limit: 1 -> 3");
    let changes = compare(&old, &new);
    assert_eq!(changes.looser(&"2".into()).count(), 4, "everyone's and its own");
    assert_eq!(changes.looser(&"1".into()).count(), 3, "its own is stricter");
}

#[test]
fn an_account_that_equals_the_base_for_a_day_keeps_its_own_rules() {
    let files = |base: &'static str, own: &'static str| {
        rulebook_of(&[
            (
                "risk.yaml",
                Box::leak(format!("rules: {{max_contracts: {{limit: {base}}}}}\n").into_boxed_str()),
            ),
            (
                "accounts.yaml",
                Box::leak(
                    format!("accounts: [{{id: 1, config_overrides: {{max_contracts: {{limit: {own}}}}}}}]\n")
                        .into_boxed_str(),
                ),
            ),
        ])
    };
    let (mut now, pending) = split(&files("3", "5"), &files("5", "3"));
    assert_eq!(now.of(&"1".into()).max_contracts.settings.limit.0, 3);
    assert_eq!(texts(&pending), ["max_contracts.limit: 3 -> 5"]);
    apply(&mut now, &pending).unwrap();
    assert_eq!(now.of(&"1".into()).max_contracts.settings.limit.0, 3, "does not follow the base");
}

//! Taking a waiting change back: the files say again what is in force, and nothing waits any more.

use crate::home::{Home, nothing};
use config::{Direction, Loaded, Pending, SaveError, compare, save, split, undo};
use domain::RuleKey;

const CALM: &str = "rules:
  max_contracts: {limit: 3}
  max_contracts_per_instrument: {default_limit: 2, instrument_limits: {ES: 1}}
  daily_realized_loss: {limit: -300.50}
  cooldown_after_loss: {enabled: true, loss_threshold: -100, cooldown_duration: 30m}
  symbol_blocks: {enabled: true, mode: blacklist, blocked_symbols: [CL, GC]}
  session_block_outside: {enabled: true, sessions: [{start: '08:30', end: '12:00'}]}
  trade_management: {enabled: true, auto_stop_loss: {enabled: true, ticks: 10}}
";

fn waiting(home: &Home, accepted: &Loaded) -> Vec<Pending> {
    split(&accepted.rulebook, &home.load().unwrap().rulebook).1
}

/// Takes every waiting change back, one after the other.
fn take_back(home: &Home, accepted: &Loaded) -> Result<(), SaveError> {
    while let Some(change) = waiting(home, accepted).first() {
        let edits = undo(&accepted.rulebook, change).expect(&change.key);
        let before = waiting(home, accepted).len();
        save(&home.config(), &edits, &nothing, &RuleKey::RULES)?;
        assert!(waiting(home, accepted).len() < before, "{} still waits", change.key);
    }
    Ok(())
}

fn check(file: &str, calm: &str, greedy: &str, keys: &[&str]) {
    let home = Home::with(&[("risk.yaml", CALM), (file, calm)]);
    let accepted = home.load().unwrap();
    home.write(file, greedy);
    let waits: Vec<String> = waiting(&home, &accepted).into_iter().map(|change| change.key).collect();
    assert_eq!(waits, keys);
    take_back(&home, &accepted).unwrap();
    let changes = compare(&accepted.rulebook, &home.load().unwrap().rulebook);
    assert!(changes.0.iter().all(|change| change.direction == Direction::Neutral), "{changes:?}");
}

#[test]
fn what_is_taken_back_no_longer_waits() {
    for (from, to, key) in [
        ("limit: 3}", "limit: 4}", "rules.max_contracts.limit"),
        ("-300.50", "-900", "rules.daily_realized_loss.limit"),
        ("default_limit: 2", "default_limit: 9", "rules.max_contracts_per_instrument.default_limit"),
        ("{ES: 1}", "{ES: 8}", "rules.max_contracts_per_instrument.instrument_limits.ES"),
        ("{ES: 1}", "{ES: 1, NQ: 8}", "rules.max_contracts_per_instrument.instrument_limits.NQ"),
        ("[CL, GC]", "[CL]", "rules.symbol_blocks.mode"),
        ("'12:00'", "'15:00'", "rules.session_block_outside.sessions"),
        ("ticks: 10", "ticks: 30", "rules.trade_management.auto_stop_loss"),
        ("symbol_blocks: {enabled: true", "symbol_blocks: {enabled: false", "rules.symbol_blocks.enabled"),
    ] {
        check("risk.yaml", CALM, &CALM.replace(from, to), &[key]);
    }
}

#[test]
fn hours_of_symbols_can_be_taken_back() {
    let own = |hours: &str| {
        let part = format!("end: '12:00'}}], per_instrument_sessions: {{{hours}}}");
        CALM.replace("end: '12:00'}]", &part)
    };
    let key = ["rules.session_block_outside.sessions"];
    let night = "enabled: true, sessions: {ES: [{start: '17:00', end: '16:00'}]}";
    check("risk.yaml", CALM, &own(night), &key);
    check("risk.yaml", &own(&night.replace("'16:00'", "'20:00'")), &own(night), &key);
    let more = night.replace("}]}", "}], NQ: [{start: '17:00', end: '16:00'}]}");
    check("risk.yaml", &own(night), &own(&more), &key);
}

#[test]
fn what_holds_for_everyone_can_be_taken_back_as_well() {
    let reset = "daily_reset: {time: '17:00', timezone: America/Chicago}\n";
    check("timers.yaml", reset, &reset.replace("17:00", "12:00"), &["daily_reset"]);
    let unlock = "daily_reset: {unlock_daily_loss: false}\n";
    check("timers.yaml", unlock, "daily_reset: {unlock_daily_loss: true}\n", &["daily_reset.unlock"]);
    let close = format!("general: {{on_reduce_refused: close}}\n{CALM}");
    check(
        "risk.yaml",
        &close,
        &close.replace("refused: close", "refused: alert"),
        &["general.on_reduce_refused"],
    );
}

#[test]
fn several_changes_at_once_are_taken_back_one_by_one() {
    let greedy =
        CALM.replace("limit: 3}", "limit: 4}").replace("-300.50", "-900").replace("{ES: 1}", "{ES: 8}");
    let keys = [
        "rules.max_contracts.limit",
        "rules.daily_realized_loss.limit",
        "rules.max_contracts_per_instrument.instrument_limits.ES",
    ];
    check("risk.yaml", CALM, &greedy, &keys);
}

//! From files to values: coercion, layers, origin, forms.

use std::fs;

use crate::home::{Home, nothing};
use config::{Effective, LogLevel, Origin, Settings};
use domain::{
    AccountId, Contracts, RuleKey, RuleMode, Usd,
    rulebook::{LossTier, SizeEnforcement, SymbolListMode, UnknownSymbol, Watched},
};

fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

fn find(values: &[Effective], key: &str) -> (String, String) {
    let value = values.iter().find(|value| value.key == key).unwrap_or_else(|| panic!("no {key}"));
    (value.value.to_string(), value.origin.to_string())
}

#[test]
fn an_override_wins_over_an_own_file_over_the_base_over_the_default() {
    let home = Home::with(&[
        ("risk.yaml", "rules:\n  max_contracts: {limit: 4}\n  daily_realized_loss:\n    limit: -500\n"),
        (
            "accounts.yaml",
            "accounts:\n  - id: 1\n    config_overrides:\n      daily_realized_loss: {limit: -250}\n  - {id: 2, risk_config_file: two.yaml}\n  - id: \"3\"\n  - {id: 4, enabled: false, config_overrides: {rules: {max_contracts: {limit: 9}}}}\n",
        ),
        ("two.yaml", "rules:\n  max_contracts:\n    limit: 2\n"),
    ]);
    let loaded = home.check().unwrap_or_else(|faults| panic!("{faults}"));
    let [one, two, three] = ["1", "2", "3"].map(AccountId::from);
    let limits = |id| {
        let rules = loaded.rulebook.of(id);
        (rules.max_contracts.settings.limit.0, rules.daily_realized_loss.settings.limit)
    };
    assert_eq!(limits(&one), (4, usd("-250")));
    assert_eq!(limits(&two), (2, usd("-500")));
    assert_eq!(limits(&three), (4, usd("-500")));
    assert_eq!(loaded.rulebook.accounts, Watched::Listed([one.clone(), two.clone(), three.clone()].into()));
    assert_eq!(loaded.rulebook.own.len(), 2, "a disabled account has no rules");
    assert_eq!(loaded.accounts.len(), 4);

    let limit = "rules.daily_realized_loss.limit";
    assert_eq!(
        find(&loaded.effective(Some(&one)), limit),
        ("-250".into(), "accounts.yaml line 4 (override)".into())
    );
    assert_eq!(find(&loaded.effective(Some(&three)), limit), ("-500".into(), "risk.yaml line 4".into()));
    let size = "rules.max_contracts.limit";
    assert_eq!(find(&loaded.effective(Some(&two)), size), ("2".into(), "two.yaml line 3 (own file)".into()));
    assert_eq!(find(&loaded.effective(None), "daily_reset.time"), ("\"17:00\"".into(), "default".into()));
}

#[test]
fn maps_by_symbol_replace_the_defaults_and_grow_by_account() {
    let home = Home::with(&[
        ("risk.yaml", "rules: {max_contracts_per_instrument: {instrument_limits: {ENQ: 1, mes: 4}}}\n"),
        (
            "accounts.yaml",
            "accounts: [{id: 1, config_overrides: {max_contracts_per_instrument: {instrument_limits: {MES: 2}}}}]\n",
        ),
    ]);
    let loaded = home.check().unwrap();
    let limits = |rules: &domain::RuleSet| -> Vec<(String, u32)> {
        let limits = &rules.max_contracts_per_instrument.settings.instrument_limits;
        limits.iter().map(|(symbol, limit)| (symbol.to_string(), limit.0)).collect()
    };
    assert_eq!(limits(&loaded.rulebook.base), [("MES".to_string(), 4), ("NQ".to_string(), 1)]);
    assert_eq!(limits(loaded.rulebook.of(&"1".into())), [("MES".to_string(), 2), ("NQ".to_string(), 1)]);
    let values = loaded.effective(Some(&"1".into()));
    let key = |symbol| format!("rules.max_contracts_per_instrument.instrument_limits.{symbol}");
    assert_eq!(find(&values, &key("MES")).1, "accounts.yaml line 1 (override)");
    assert_eq!(find(&values, &key("NQ")).1, "risk.yaml line 1");
}

#[test]
fn numbers_may_be_text_or_scientific_or_come_from_the_environment() {
    let home = Home::with(&[(
        "risk.yaml",
        "rules:\n  max_contracts: {limit: \"7\", enabled: TRUE}\n  daily_realized_loss: {limit: -1.5e3}\n  daily_unrealized_loss: {limit: \"${LOSS}\"}\n  max_unrealized_profit: {enabled: \"${OFF}\"}\n  cooldown_after_loss: {loss_thresholds: [{loss_amount: -50.5, cooldown_duration: 90}]}\n",
    )]);
    fs::write(home.config().parent().unwrap().join(".env"), "LOSS=-300\nOFF=maybe\n").unwrap();
    let environment = |name: &str| (name == "OFF").then(|| "false".to_string());
    let rules = config::check(&home.config(), &environment, &RuleKey::RULES).unwrap().rulebook.base;
    assert_eq!(rules.max_contracts.settings.limit, Contracts(7));
    assert_eq!(rules.daily_realized_loss.settings.limit, usd("-1500"));
    assert_eq!(rules.daily_unrealized_loss.settings.limit, usd("-300"));
    assert!(!rules.max_unrealized_profit.enabled);
    assert_eq!(
        rules.cooldown_after_loss.settings.tiers,
        [LossTier { loss: usd("-50.5"), cooldown_seconds: 90 }]
    );
}

#[test]
fn the_fingerprint_follows_files_and_variables() {
    let home = Home::with(&[("risk.yaml", "rules: {max_contracts: {limit: \"${N}\"}}\n")]);
    let with = |n: &'static str| {
        let environment = move |name: &str| (name == "N").then(|| n.to_string());
        config::load(&home.config(), &environment, &RuleKey::RULES).unwrap()
    };
    let (one, same, other) = (with("1"), with("1"), with("2"));
    assert_eq!(one.fingerprint, same.fingerprint);
    assert_ne!(one.fingerprint, other.fingerprint);
    home.write("timers.yaml", "# a comment\n");
    assert_ne!(with("1").fingerprint, one.fingerprint);
    let names: Vec<_> = one.files.iter().map(|path| path.file_name().unwrap().to_string_lossy()).collect();
    assert_eq!(names, [".env", "risk.yaml", "timers.yaml", "api.yaml", "accounts.yaml"]);
}

#[test]
fn old_forms_are_taken() {
    let home = Home::with(&[
        (
            "risk.yaml",
            "rules:\n  max_contracts: {close_all: true}\n  cooldown_after_loss: {loss_threshold: -150}\n  daily_realized_loss: {reset_time: \"17:00\", timezone: America/Chicago}\n",
        ),
        (
            "timers.yaml",
            "timer_cooldown: {cooldown_after_loss: 20m, trade_frequency_limit: {per_minute_breach: 2m}}\nhard_lockout: {daily_realized_loss: until_reset}\n",
        ),
        (
            "accounts.yaml",
            "monitored_account: {id: 5, config_overrides: {max_contracts: {enforcement: reduce_to_limit}}}\n",
        ),
    ]);
    let loaded = home.check().unwrap_or_else(|faults| panic!("{faults}"));
    let rules = &loaded.rulebook.base;
    assert_eq!(rules.max_contracts.settings.enforcement, SizeEnforcement::CloseAll);
    assert_eq!(
        rules.cooldown_after_loss.settings.tiers,
        [LossTier { loss: usd("-150"), cooldown_seconds: 1200 }]
    );
    assert_eq!(rules.trade_frequency_limit.settings.per_minute.cooldown_seconds, 120);
    let own = loaded.rulebook.of(&"5".into());
    assert_eq!(own.max_contracts.settings.enforcement, SizeEnforcement::ReduceToLimit, "the newer form wins");
}

#[test]
fn sessions_in_all_their_forms() {
    let sessions = |text: &str| {
        let home = Home::with(&[("risk.yaml", &format!("rules: {{session_block_outside: {{{text}}}}}\n"))]);
        let loaded = home.check().unwrap_or_else(|faults| panic!("{faults}"));
        let hours = loaded.rulebook.base.session_block_outside.settings;
        let shown = |windows: &[domain::rulebook::SessionWindow]| -> Vec<String> {
            windows
                .iter()
                .map(|w| format!("{}-{} {:?}", w.start.format("%H:%M"), w.end.format("%H:%M"), w.days))
                .collect()
        };
        (
            shown(&hours.windows),
            hours.per_instrument.iter().map(|(s, w)| format!("{s} {:?}", shown(w))).collect::<Vec<_>>(),
        )
    };
    assert_eq!(sessions("allowed_days: [0, 4]").0, ["08:30-15:00 {0, 4}"]);
    assert_eq!(
        sessions("pre_market: {enabled: true}, after_hours: {enabled: true, end: \"18:00\"}").0,
        ["07:00-18:00 {0, 1, 2, 3, 4}"]
    );
    assert_eq!(
        sessions("allowed_days: [1], sessions: [{start: \"13:00\", end: \"15:00\"}, {start: \"08:30\", end: \"11:00\", days: [2]}]").0,
        ["08:30-11:00 {2}", "13:00-15:00 {1}"]
    );
    let own = "sessions: {EP: [{start: \"17:00\", end: \"16:00\", days: [6]}]}";
    assert_eq!(
        sessions(&format!("per_instrument_sessions: {{enabled: true, {own}}}")).1,
        ["ES [\"17:00-16:00 {6}\"]"]
    );
    assert!(sessions(&format!("per_instrument_sessions: {{{own}}}")).1.is_empty(), "switched off");
}

#[test]
fn symbols_automation_and_unlisted_symbols() {
    let home = Home::with(&[(
        "risk.yaml",
        "rules:\n  symbol_blocks: {enabled: true, rule_mode: warn, mode: whitelist, allowed_symbols: [mnq, \"M?S\", MNQ]}\n  max_contracts_per_instrument: {default_limit: null, instrument_limits: {}}\n  trade_management:\n    auto_stop_loss: {ticks: 30}\n    per_instrument: {ENQ: {auto_take_profit: {enabled: false}}}\n",
    )]);
    let rules = home.check().unwrap_or_else(|faults| panic!("{faults}")).rulebook.base;
    let list = &rules.symbol_blocks;
    assert_eq!((list.mode, list.settings.mode), (RuleMode::Warn, SymbolListMode::Whitelist));
    assert_eq!(list.settings.patterns, ["M?S", "MNQ"]);
    let each = &rules.max_contracts_per_instrument.settings;
    assert_eq!((each.default_limit, each.unknown_symbol), (None, UnknownSymbol::Block));
    assert!(each.instrument_limits.is_empty());
    let own = &rules.trade_management.settings.per_instrument[&domain::Symbol::from("NQ")];
    assert_eq!((own.stop_loss.ticks, own.take_profit.enabled), (30, false), "the rest as for every symbol");
}

#[test]
fn holidays_may_stand_in_either_file() {
    let home = Home::with(&[(
        "risk.yaml",
        "rules: {session_block_outside: {holidays: {dates: [\"2026-12-25\"]}}}\n",
    )]);
    assert_eq!(home.check().unwrap().rulebook.holidays.dates.len(), 1);
    home.write("timers.yaml", "holidays: {dates: [\"2026-12-25\"]}\n");
    assert!(home.check().is_ok(), "given twice and equal");
    home.write("timers.yaml", "holidays: {dates: [\"2026-12-24\"]}\n");
    assert!(home.check().is_err(), "given twice and different");
}

#[test]
fn secrets_come_by_reference_and_are_never_shown() {
    let home = Home::with(&[(
        "risk.yaml",
        "general: {notifications: {telegram: {enabled: true, chat_id: 42, bot_token: \"${BOT}\"}}}\n",
    )]);
    let environment = |name: &str| (name == "BOT").then(|| "123:abc".to_string());
    let loaded = config::check(&home.config(), &environment, &RuleKey::RULES).unwrap();
    let token = loaded.settings.notifications.telegram.bot_token.as_ref().unwrap();
    assert_eq!(token.reveal(), "123:abc");
    assert!(!format!("{loaded:?}").contains("123:abc"), "not in a debug print");
    let values = serde_json::to_string(&loaded.effective(None)).unwrap();
    assert!(!values.contains("123:abc") && values.contains("***"));
    let faults = config::check(&home.config(), &nothing, &RuleKey::RULES).unwrap_err();
    assert!(faults.to_string().contains("The variable BOT is not set."), "{faults}");
}

#[test]
fn a_value_from_the_environment_is_not_shown_in_a_fault() {
    let home = Home::with(&[("risk.yaml", "rules: {max_contracts: {limit: \"${KEY}\"}}\n")]);
    let environment = |name: &str| (name == "KEY").then(|| "pasted-secret".to_string());
    let told = config::check(&home.config(), &environment, &RuleKey::RULES).unwrap_err().to_string();
    assert!(told.contains("the value of ${KEY} is not a number") && !told.contains("pasted"), "{told}");
}

#[test]
fn what_is_forced_says_so() {
    let home = Home::with(&[("risk.yaml", "rules: {no_stop_loss_grace: {enabled: false}}\n")]);
    let built = [RuleKey::NoStopLossGrace];
    let values = config::load(&home.config(), &nothing, &built).unwrap().effective(None);
    assert_eq!(find(&values, "rules.no_stop_loss_grace.enabled"), ("true".into(), "forced".into()));
    assert_eq!(find(&values, "rules.max_contracts.enabled"), ("false".into(), "forced".into()));
    assert!(values.iter().any(|value| value.origin == Origin::Default));
}

#[test]
fn some_changes_need_a_restart() {
    let home = Home::with(&[]);
    let before = home.check().unwrap();
    home.write("risk.yaml", "rules: {max_contracts: {limit: 1}}\n");
    assert!(config::restart_needed(&before, &home.check().unwrap()).is_empty());
    home.write("api.yaml", "base_url: http://127.0.0.1:1\n");
    home.write("accounts.yaml", "accounts: [{id: 1}]\n");
    assert_eq!(config::restart_needed(&before, &home.check().unwrap()).len(), 2);
}

#[test]
fn files_as_windows_editors_write_them() {
    let home = Home::with(&[(
        "risk.yaml",
        "\u{feff}# mine\r\nrules:\r\n  max_contracts:\r\n    limit: 3\r\n    count_type: gross\r\n",
    )]);
    let loaded = home.check().unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.rulebook.base.max_contracts.settings.limit.0, 3);
    let edits = [
        config::Edit { account: None, key: "rules.max_contracts.limit".to_string(), value: Some(2.into()) },
        config::Edit {
            account: None,
            key: "rules.max_contracts.rule_mode".to_string(),
            value: Some("warn".into()),
        },
    ];
    let saved = config::save(&home.config(), &edits, &nothing, &RuleKey::RULES).unwrap();
    assert_eq!(saved.rulebook.base.max_contracts.settings.limit.0, 2);
    assert_eq!(saved.rulebook.base.max_contracts.mode, RuleMode::Warn);
}

/// For what begins before the files are judged: what can be used of them counts, the rest does not.
#[test]
fn a_glance_reads_what_it_can_of_files_that_nobody_has_judged() {
    let glance = |risk: &str| config::glance(&Home::with(&[("risk.yaml", risk)]).config(), &nothing);
    let wrong = "rules: {max_contracts: {limit: none}}\n";
    let said = glance(&format!(
        "{wrong}general: {{timezone: Asia/Tokyo, logging: {{level: ERROR, directory: here, max_size_mb: 0}}}}\n"
    ));
    assert_eq!((said.logging.level, said.logging.directory.as_deref()), (LogLevel::Error, Some("here")));
    assert_eq!((said.logging.max_size_mb, said.general.timezone), (100, chrono_tz::Asia::Tokyo));
    assert_eq!(glance("general: [}"), Settings::default());
    assert_eq!(glance("general: {logging: {directory: \"${NOWHERE}/x\"}}"), Settings::default());
    assert_eq!(config::glance(std::path::Path::new("/nowhere"), &nothing), Settings::default());
}

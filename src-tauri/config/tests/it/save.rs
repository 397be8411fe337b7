//! Changing one setting: judged first, written at once, the rest of the file untouched.

use crate::home::{Home, nothing};
use config::{Edit, Loaded, SaveError};
use domain::{AccountId, RuleKey};
use expect_test::expect;
use serde_json::{Value as Json, json};

fn save(home: &Home, account: Option<&str>, key: &str, value: Json) -> Result<Loaded, SaveError> {
    let edit = Edit { account: account.map(AccountId::from), key: key.to_string(), value: Some(value) };
    config::save(&home.config(), &[edit], &nothing, &RuleKey::RULES)
}

#[test]
fn a_change_keeps_comments_and_everything_else() {
    let home = Home::with(&[("risk.yaml", "# my rules\nrules:\n  max_contracts:\n    limit: 5 # five\n")]);
    let loaded = save(&home, None, "rules.max_contracts.limit", json!(3)).unwrap();
    assert_eq!(loaded.rulebook.base.max_contracts.settings.limit.0, 3);
    save(&home, None, "rules.daily_realized_loss.limit", json!("-250.50")).unwrap();
    expect![[r"
        # my rules
        rules:
          daily_realized_loss:
            limit: -250.50
          max_contracts:
            limit: 3 # five
    "]]
    .assert_eq(&home.read("risk.yaml"));
    assert_eq!(
        home.check().unwrap().rulebook,
        save(&home, None, "rules.max_contracts.limit", json!(3)).unwrap().rulebook
    );
}

#[test]
fn an_account_gets_its_override_in_its_entry_or_its_own_file() {
    let accounts =
        "accounts:\n  - id: 1 # practice\n    name: One\n  - id: 2\n    risk_config_file: two.yaml\n";
    let home = Home::with(&[("accounts.yaml", accounts), ("two.yaml", "# two\n")]);
    save(&home, Some("1"), "rules.max_contracts.limit", json!(2)).unwrap();
    save(&home, Some("2"), "rules.max_contracts.limit", json!(1)).unwrap();
    let loaded = home.check().unwrap();
    let limit = |id: &str| loaded.rulebook.of(&id.into()).max_contracts.settings.limit.0;
    assert_eq!((limit("1"), limit("2"), limit("3")), (2, 1, 5));
    expect![[r"
        accounts:
          - config_overrides:
              max_contracts:
                limit: 2
            id: 1 # practice
            name: One
          - id: 2
            risk_config_file: two.yaml
    "]]
    .assert_eq(&home.read("accounts.yaml"));
    expect![[r"
        # two
        rules:
          max_contracts:
            limit: 1
    "]]
    .assert_eq(&home.read("two.yaml"));
}

#[test]
fn nothing_is_written_that_a_check_would_refuse() {
    let text = "rules:\n  max_contracts: {limit: 5}\n";
    let home = Home::with(&[("risk.yaml", text)]);
    for (key, value) in [
        ("rules.max_contracts.limit", json!(0)),
        ("rules.daily_realized_loss.limit", json!(500)),
        ("rules.no_stop_loss_grace.enabled", json!(false)),
        ("rules.no_stop_loss_grace.rule_mode", json!("observe")),
        ("rules.trade_frequency_limit.limits.per_hour", json!(2)),
        ("rules.symbol_blocks.blocked_symbols", json!("*")),
        ("general.notifications.telegram.bot_token", json!("123:abc")),
        ("daily_reset.enabled", json!(false)),
    ] {
        let refused = save(&home, None, key, value);
        assert!(matches!(refused, Err(SaveError::Refused(_))), "{key}: {refused:?}");
    }
    assert_eq!(home.read("risk.yaml"), text);
    assert!(!home.config().join("timers.yaml").exists());
}

#[test]
fn several_changes_are_all_made_or_none() {
    let home = Home::with(&[]);
    let edit = |key: &str, value| Edit { account: None, key: key.to_string(), value: Some(value) };
    let hours = [
        edit("rules.session_block_outside.session_hours.start", json!("17:00")),
        edit("rules.session_block_outside.session_hours.end", json!("16:00")),
        edit("daily_reset.time", json!("16:30")),
    ];
    config::save(&home.config(), &hours, &nothing, &RuleKey::RULES).unwrap();
    assert_eq!(home.read("timers.yaml"), "daily_reset:\n  time: \"16:30\"\n");
    let before = home.read("risk.yaml");
    let bad = [edit("rules.max_contracts.limit", json!(2)), edit("daily_reset.time", json!("24:00"))];
    assert!(config::save(&home.config(), &bad, &nothing, &RuleKey::RULES).is_err());
    assert_eq!(home.read("risk.yaml"), before);
}

/// Nobody listed means everyone: the first account that is switched off makes a list of them all.
#[test]
fn who_is_watched_is_switched_in_the_list() {
    let home = Home::with(&[]);
    let watch = |account: &str, enabled: bool| Edit {
        account: Some(account.into()),
        key: "accounts[].enabled".to_string(),
        value: Some(json!(enabled)),
    };
    let save = |edits: &[Edit]| config::save(&home.config(), edits, &nothing, &RuleKey::RULES);
    let watched = |loaded: Loaded| format!("{:?}", loaded.rulebook.accounts);
    let loaded = save(&[watch("1", true), watch("2", false), watch("3", true)]).unwrap();
    assert_eq!(watched(loaded), r#"Listed({"1", "3"})"#);
    home.write("accounts.yaml", "accounts:\n  - id: 1 # mine\n    name: One\n");
    let loaded = save(&[watch("2", true), watch("1", false)]).unwrap();
    assert_eq!(watched(loaded), r#"Listed({"2"})"#);
    expect![[r"
        accounts:
          - enabled: false
            id: 1 # mine
            name: One
          - {id: 2, enabled: true}
    "]]
    .assert_eq(&home.read("accounts.yaml"));
    let refused = save(&[watch("2", false)]).unwrap_err().to_string();
    assert!(refused.contains("Every listed account is switched off"), "{refused}");
}

/// As Risk Settings does when nobody is listed: everyone who is watched gets an entry together with it.
#[test]
fn an_entry_and_its_first_override_are_written_together() {
    let home = Home::with(&[]);
    let edit = |account: &str, key: &str, value: Json| Edit {
        account: Some(account.into()),
        key: key.to_string(),
        value: Some(value),
    };
    let edits = [
        edit("1", "accounts[].enabled", json!(true)),
        edit("2", "accounts[].enabled", json!(true)),
        edit("2", "rules.max_contracts.limit", json!("2")),
        edit("2", "rules.daily_realized_loss.limit", json!("-250")),
    ];
    let loaded = config::save(&home.config(), &edits, &nothing, &RuleKey::RULES).unwrap();
    assert_eq!(format!("{:?}", loaded.rulebook.accounts), r#"Listed({"1", "2"})"#);
    let limit = |id: &str| loaded.rulebook.of(&id.into()).max_contracts.settings.limit.0;
    assert_eq!((limit("1"), limit("2")), (5, 2));
    expect![[r#"
        accounts: [{id: 1, enabled: true}, {config_overrides: {daily_realized_loss: {limit: -250}, max_contracts: {limit: 2}}, id: 2, enabled: true}]
    "#]]
    .assert_eq(&home.read("accounts.yaml"));
}

#[test]
fn what_has_no_place_is_refused_with_a_reason() {
    let home = Home::with(&[("accounts.yaml", "accounts: [{id: 1}]\n")]);
    let told = |account, key: &str| save(&home, account, key, json!(1)).unwrap_err().to_string();
    assert_eq!(
        told(None, "rules.max_contracts.limt"),
        "there is no setting rules.max_contracts.limt; did you mean rules.max_contracts.limit?"
    );
    assert_eq!(
        told(Some("9"), "rules.max_contracts.limit"),
        "the account 9 is not listed in accounts.yaml; add it there first"
    );
    assert_eq!(
        told(Some("1"), "general.logging.max_size_mb"),
        "general.logging.max_size_mb holds for every account; leave the account out"
    );
    assert_eq!(home.read("accounts.yaml"), "accounts: [{id: 1}]\n");
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::with(&[("risk.yaml", "rules: {}\n")]);
    let path = home.config().join("risk.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    save(&home, None, "rules.max_contracts.limit", json!(3)).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    let files: Vec<_> =
        std::fs::read_dir(home.config()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["risk.yaml"], "no draft is left behind");
}

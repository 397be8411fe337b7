//! What ships must be right: default files, schemas, examples, handbook (L-59, L-67).

use std::{collections::BTreeSet, fs, path::Path};

use crate::home::{Home, nothing};
use domain::{RuleKey, Rulebook};
use expect_test::expect_file;

fn defaults() -> Rulebook {
    Rulebook { holidays: config::shipped_holidays().clone(), ..Rulebook::default() }
}

#[test]
fn a_missing_folder_means_defaults() {
    let home = tempfile::tempdir().unwrap();
    let loaded = config::check(&home.path().join("config"), &nothing, &RuleKey::RULES).unwrap();
    assert_eq!(loaded.rulebook, defaults());
    assert_eq!(loaded.api, config::Api::default());
    assert_eq!(loaded.settings, config::Settings::default());
    assert!(loaded.warnings.is_empty());
}

#[test]
fn the_default_files_say_the_defaults() {
    let home = Home::with(&[]);
    let written = config::write_defaults(&home.config(), &RuleKey::RULES).unwrap();
    assert_eq!(written.len(), 8, "{written:?}");
    let loaded = home.check().unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.rulebook, defaults());
    assert_eq!(loaded.api, config::Api::default());
    assert_eq!(loaded.settings, config::Settings::default());
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

/// `docs/defaults` is what `write_defaults` writes, to be read without running anything.
#[test]
fn the_shipped_files_are_up_to_date() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/defaults");
    for (name, text) in config::default_files(&RuleKey::RULES) {
        expect_file![shipped.join(name)].assert_eq(&text);
    }
    for (name, schema) in config::schemas() {
        expect_file![shipped.join("schemas").join(name)].assert_eq(&format!("{schema:#}\n"));
    }
}

#[test]
fn files_of_the_user_are_never_replaced() {
    let home = Home::with(&[("risk.yaml", "rules: {max_contracts: {limit: 1}}\n")]);
    let written = config::write_defaults(&home.config(), &RuleKey::RULES).unwrap();
    assert!(!written.contains(&"risk.yaml".to_string()));
    assert_eq!(home.read("risk.yaml"), "rules: {max_contracts: {limit: 1}}\n");
}

#[test]
fn default_files_of_an_early_version_switch_off_what_it_lacks() {
    let built = [RuleKey::NoStopLossGrace, RuleKey::MaxContracts];
    let home = Home::with(&[]);
    config::write_defaults(&home.config(), &built).unwrap();
    let loaded = config::check(&home.config(), &nothing, &built).unwrap_or_else(|faults| panic!("{faults}"));
    let on = RuleKey::RULES.into_iter().filter(|rule| loaded.rulebook.base.stance(*rule).0);
    assert_eq!(on.collect::<BTreeSet<_>>(), built.into());
}

#[test]
fn every_key_of_the_table_is_in_a_schema() {
    let schemas = config::schemas();
    for group in config::describe() {
        let name = format!("{}.schema.json", group.file.name().trim_end_matches(".yaml"));
        let (_, schema) = schemas.iter().find(|(file, _)| *file == name).unwrap();
        for key in group.keys {
            let mut node = schema;
            for part in key.key.split('.') {
                node = match part {
                    "<symbol>" => &node["additionalProperties"],
                    "accounts[]" => &node["properties"]["accounts"]["items"],
                    part => &node["properties"][part],
                };
            }
            let described = node["description"].is_string() || node["anyOf"].is_array();
            assert!(described, "{} of {name}: {node}", key.key);
        }
    }
}

/// Every folder of `docs/examples` is a configuration that passes without a warning.
#[test]
fn every_example_passes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    let mut count = 0;
    for entry in fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let loaded = config::check(&path, &nothing, &RuleKey::RULES)
            .unwrap_or_else(|faults| panic!("{}: {faults}", path.display()));
        assert_eq!(loaded.warnings, [], "{}", path.display());
        assert_ne!(loaded.rulebook, defaults(), "{} says something", path.display());
        count += 1;
    }
    assert!(count >= 4, "{count}");
}

/// Each example of the handbook passes without a warning and changes its own rule, no other.
#[test]
fn every_rule_of_the_handbook_has_an_example_that_passes() {
    let handbook = config::handbook();
    for rule in RuleKey::RULES {
        let heading = format!("\n## RULE-{:03}: ", rule.number().unwrap());
        let section = handbook.split(&heading).nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
        let example = section.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let home = Home::with(&[("risk.yaml", example)]);
        let loaded = home.check().unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(loaded.warnings, [], "{example}");
        let changes = config::compare(&defaults(), &loaded.rulebook).0;
        let changed: Vec<_> = changes.iter().map(|change| change.rule).collect();
        assert!(
            !changed.is_empty() && changed.iter().all(|it| *it == Some(rule)),
            "{changed:?} by {example}"
        );
    }
}

#[test]
fn the_handbook_is_up_to_date() {
    expect_file!["../../../../docs/rules.md"].assert_eq(&config::handbook());
}

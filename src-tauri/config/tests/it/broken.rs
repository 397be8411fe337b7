//! Broken files, shipped as data: each fault with file, line, key, reason and way out, all at once.
//! A new wording is looked at and taken over with `UPDATE_EXPECT=1`.

use std::{fs, path::Path};

use crate::home::{Home, nothing};
use config::FaultKind;
use domain::{RuleKey, RuleMode};
use expect_test::expect_file;

fn told(dir: &Path) -> String {
    match config::check(dir, &nothing, &RuleKey::RULES) {
        Ok(loaded) => {
            let warnings: String = loaded.warnings.iter().map(|fault| format!("{fault}\n")).collect();
            format!("{warnings}passes\n")
        }
        Err(faults) => format!("{faults}\n"),
    }
}

#[test]
fn every_fault_is_told_with_its_place_and_a_way_out() {
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut cases: Vec<_> = fs::read_dir(broken).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let passing = ["empty-files", "only-warnings", "unread-files"];
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy();
        let told = told(case);
        assert_eq!(told.ends_with("passes\n"), passing.contains(&&*name), "{name}: {told}");
        expect_file![case.join("expected.txt")].assert_eq(&told);
    }
    assert!(cases.len() >= 20, "{} cases", cases.len());
}

/// Whoever reads a fault finds the file, the line, the key, and what to do; never a secret.
#[test]
fn faults_are_complete_and_tell_no_secret() {
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    for entry in fs::read_dir(broken).unwrap() {
        let dir = entry.unwrap().path();
        let Err(faults) = config::check(&dir, &nothing, &RuleKey::RULES) else { continue };
        for fault in &faults.0 {
            assert!(
                !fault.problem.is_empty() && !fault.reason.is_empty() && !fault.fix.is_empty(),
                "{fault}"
            );
            assert!(fault.line.is_some(), "{fault}");
            assert!(fault.to_string().is_ascii(), "{fault}");
        }
        let text = serde_json::to_string(&faults).unwrap();
        for secret in ["hunter2", "3Fq0c1y", "AAH-very-secret", "jdoe42"] {
            assert!(!text.contains(secret), "{} in {text}", secret);
        }
    }
}

#[test]
fn a_running_engine_enforces_the_stop_rule_whatever_the_file_says() {
    let home =
        Home::with(&[("risk.yaml", "rules:\n  no_stop_loss_grace: {enabled: false, rule_mode: observe}\n")]);
    let loaded = home.load().unwrap();
    let entry = &loaded.rulebook.base.no_stop_loss_grace;
    assert!(entry.enabled && entry.mode == RuleMode::Enforce);
    let kinds: Vec<FaultKind> = loaded.warnings.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::StopRuleForced, FaultKind::StopRuleForced]);
    assert!(home.check().is_err(), "a check refuses it");
}

#[test]
fn a_rule_that_is_not_built_is_off_and_may_not_be_switched_on() {
    let built = [RuleKey::NoStopLossGrace, RuleKey::MaxContracts];
    let home = Home::with(&[("risk.yaml", "rules:\n  cooldown_after_loss: {close_positions: false}\n")]);
    let loaded = config::load(&home.config(), &nothing, &built).unwrap();
    assert!(!loaded.rulebook.base.cooldown_after_loss.enabled);
    assert!(loaded.rulebook.base.max_contracts.enabled);

    home.write(
        "risk.yaml",
        "rules:\n  cooldown_after_loss: {enabled: true}\n  trade_management: {enabled: false}\n",
    );
    let faults = config::load(&home.config(), &nothing, &built).unwrap_err();
    assert_eq!(faults.0.len(), 1, "{faults}");
    assert_eq!(faults.0[0].kind, FaultKind::NotBuilt);
    assert_eq!(faults.0[0].line, Some(2));
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let home = Home::with(&[]);
    fs::create_dir(home.config().join("risk.yaml")).unwrap();
    fs::write(home.config().join("api.yaml"), [0xff, 0xfe, b'a']).unwrap();
    fs::write(home.config().join("timers.yaml"), " ".repeat(2 << 20)).unwrap();
    let faults = home.load().unwrap_err();
    let files: Vec<&str> = faults.0.iter().map(|fault| fault.file.as_str()).collect();
    assert_eq!(files, ["api.yaml", "risk.yaml", "timers.yaml"], "{faults}");
    assert!(faults.0.iter().all(|fault| fault.kind == FaultKind::Unreadable));
}

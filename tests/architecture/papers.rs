//! What papers promise by name, held against the tests that exist.

use std::{collections::BTreeSet, fs};

use crate::source::{Source, root};

/// The scenarios of the specification, by name of their test.
const SCENARIOS: &str = include_str!("scenarios.txt");

#[test]
fn every_invariant_is_kept_by_a_test_that_exists() {
    let paper = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = paper.split_once("\n## Invariants\n").unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let tests = tests();
    let mut invariants = 0;
    for invariant in numbered(section) {
        invariants += 1;
        let (_, keepers) =
            invariant.split_once("— kept by ").unwrap_or_else(|| panic!("by none: {invariant}"));
        let names: Vec<&str> = keepers.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || keepers.starts_with("review"), "by what? {invariant}");
        for name in names {
            assert!(tests.contains(name), "there is no test {name}: {invariant}");
        }
    }
    assert!(invariants >= 10, "only {invariants} invariants were found");
}

#[test]
fn every_scenario_of_the_specification_has_its_test() {
    let tests = tests();
    let listed: BTreeSet<&str> = SCENARIOS.lines().filter(|line| is_name(line)).collect();
    assert!(listed.len() > 120, "only {} scenarios are listed", listed.len());
    let missing: Vec<&&str> = listed.iter().filter(|it| !tests.contains(**it)).collect();
    assert!(missing.is_empty(), "no test for {missing:?}");
    let is_scenario = |it: &&String| {
        let numbered = it.rsplit_once("_scenario_").is_some_and(|(_, number)| number.parse::<u8>().is_ok());
        numbered && !listed.contains(it.as_str())
    };
    let unlisted: Vec<&String> = tests.iter().filter(is_scenario).collect();
    assert!(unlisted.is_empty(), "not in the list: {unlisted:?}");
}

fn is_name(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#')
}

/// The points of a numbered list, each as one line.
fn numbered(section: &str) -> Vec<String> {
    let mut points: Vec<String> = Vec::new();
    for line in section.lines() {
        if line.starts_with(|letter: char| letter.is_ascii_digit()) {
            points.push(line.to_string());
        } else if let Some(point) = points.last_mut().filter(|_| line.starts_with("   ")) {
            point.push(' ');
            point.push_str(line.trim());
        }
    }
    points
}

/// Names of all test functions.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in Source::all() {
        let mut is_test = false;
        for line in source.text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some((_, rest)) = line.split_once("fn ") {
                let name = rest.split(['(', '<']).next().unwrap_or_default();
                if is_test && !line.starts_with("//") {
                    names.insert(name.to_string());
                }
                is_test = false;
            }
        }
    }
    names
}

//! Scenarios of the specification that end at the settings; names carry their numbers.

use crate::home::Home;

#[test]
fn rule_013_scenario_7() {
    let home = Home::with(&[("risk.yaml", "rules:\n  daily_realized_profit: {target: -1000}\n")]);
    let faults = home.load().unwrap_err().to_string();
    assert!(faults.contains("\"-1000\" is not a profit"), "{faults}");
}

#[test]
fn shares_at_which_people_are_told_are_a_list_of_percents() {
    let told_at = |list: &str| {
        let text = format!("general:\n  warnings: {{told_at_percent: {list}}}\n");
        Home::with(&[("risk.yaml", text.as_str())]).load().map(|loaded| loaded.rulebook.warn_at_percent)
    };
    assert_eq!(told_at("[90, 60]").unwrap(), [60, 90]);
    assert_eq!(told_at("[]").unwrap(), [0_u32; 0]);
    assert!(told_at("[100]").is_err());
    assert!(told_at("[50, 50]").is_err());
    assert_eq!(Home::with(&[]).load().unwrap().rulebook.warn_at_percent, [50, 75, 90]);
}

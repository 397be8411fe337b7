//! Several accounts of one login: each has its own rules, locks and closes.

use crate::stage::{Rules, Stage, wait_until};

const OPEN: f64 = 21_000.0;

#[test]
fn one_account_is_locked_and_the_other_trades_on() {
    let stage = {
        let mut stage = Stage::with_accounts(2, &Rules::day_ends_at("-100"));
        stage.run();
        stage
    };
    let (first, second) = (stage.desk_of(0), stage.desk_of(1));
    stage.simulator.price("MNQ", OPEN);
    stage.simulator.price("MES", 6000.0);
    first.buy("MNQ", 1);
    second.buy("MES", 2);
    let resting = second.buy_limit("MNQ", 1, OPEN - 500.0);
    wait_until("both seen", || {
        stage.account(0)["positions"][0]["size"] == 1 && stage.account(1)["positions"][0]["size"] == 2
    });
    stage.simulator.price("MNQ", OPEN - 60.0);
    wait_until("the first is locked and flat", || {
        stage.is_locked_by(0, "daily_realized_loss", "HARD") && first.is_flat()
    });
    stage.confirmed("daily_realized_loss", "flatten_account");
    first.buy("MES", 1);
    second.buy("MES", 1);
    wait_until("undone at the first", || first.fills().len() == 4 && first.is_flat());
    wait_until("kept at the second", || stage.account(1)["positions"][0]["size"] == 3);
    assert_eq!(second.held("MES"), 3);
    assert!(second.is_working(resting));
    assert!(stage.locks(1).is_empty());
    assert_eq!(stage.protection(), "locked", "the worst of the two");
    assert_eq!(stage.account(1)["protection"], "armed");
    let only_first = stage.home.ask(&["log", "--json", "--account", &second.account.to_string()]).output;
    assert!(only_first.is_empty(), "nothing was done at the second: {only_first}");
}

#[test]
fn only_listed_accounts_are_watched_each_by_its_own_values() {
    let mut stage = Stage::with_accounts(3, &Rules::two_mnq());
    let [first, second, third] = stage.simulator.accounts[..] else { panic!("three accounts") };
    stage.home.write(
        "accounts.yaml",
        &format!(
            "accounts:\n  - {{id: {first}, name: Main}}\n  - id: {second}\n    config_overrides:\n      \
             max_contracts_per_instrument: {{instrument_limits: {{MNQ: 4}}}}\n  - {{id: {third}, enabled: false}}\n"
        ),
    );
    let line = stage.run();
    assert_eq!(line["accounts"], serde_json::json!([first.to_string(), second.to_string()]));
    for account in 0..3 {
        stage.desk_of(account).buy("MNQ", 5);
    }
    wait_until("two, four", || stage.desk_of(0).held("MNQ") == 2 && stage.desk_of(1).held("MNQ") == 4);
    wait_until("both confirmed", || {
        let receipts = stage.receipts("max_contracts_per_instrument", "reduce_position");
        receipts.iter().filter(|it| it["outcome"] == "confirmed").count() == 2
    });
    assert_eq!(stage.desk_of(2).held("MNQ"), 5, "not watched");
    assert!(stage.account(2).is_null());
    let journal = stage.simulator.journal();
    assert!(journal.requests().iter().all(|row| row.body["accountId"] != third), "never asked for");
}

#[test]
fn five_accounts_are_reduced_side_by_side() {
    let mut stage = Stage::with_accounts(5, &Rules::two_mnq());
    stage.run();
    for account in 0..5 {
        stage.desk_of(account).buy("MNQ", 6);
    }
    wait_until("two each", || (0..5).all(|account| stage.desk_of(account).held("MNQ") == 2));
    wait_until("all confirmed", || {
        let receipts = stage.receipts("max_contracts_per_instrument", "reduce_position");
        receipts.len() == 5 && receipts.iter().all(|it| it["outcome"] == "confirmed")
    });
    assert_eq!(stage.simulator.journal().closes().len(), 5);
}

/// The platform lets no program close a part of a live account's position: a rule that reduces says so from
/// the start, and again acts as soon as the settings let it close the whole position instead.
#[test]
fn a_rule_that_a_live_account_bars_says_so_and_closes_all_where_that_is_wanted() {
    let mut stage = Stage::with(&Rules::two_mnq());
    let account = stage.simulator.accounts[0];
    stage.simulator.fault(&serde_json::json!({"kind": "live_account", "accountId": account, "value": true}));
    let line = stage.run();
    assert_eq!(line["protection"], "not_protected");
    assert_eq!(stage.doubts(), ["rule"; 2]);
    let doubts = stage.status()["doubts"].clone();
    let reduces =
        "Contract Limits can't act on this account: TopstepX lets no program close a part of its positions.";
    assert!(doubts.as_array().unwrap().iter().any(|doubt| doubt["text"] == reduces), "{doubts}");
    let query = "SELECT count(*) FROM alerts WHERE type = 'rule_cannot_act'";
    wait_until("told, once for each rule", || {
        stage.home.database().query_row(query, [], |row| row.get::<_, i64>(0)) == Ok(2)
    });

    let closing = format!("general: {{on_reduce_refused: close}}\n{}", Rules::two_mnq());
    stage.home.replace("risk.yaml", &closing);
    stage.wait_until_protection("armed");
    stage.allow_misses(1);
    stage.desk().buy("MNQ", 4);
    wait_until("closed as a whole", || stage.desk().fills().len() == 2 && stage.desk().is_flat());
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
}

/// What an account refuses shows itself with the first refusal at the latest.
#[test]
fn a_refused_reduction_shows_until_one_succeeds() {
    let mut stage = Stage::running(&Rules::two_mnq());
    let refusal =
        serde_json::json!({"kind": "api_error", "path": "partialCloseContract", "code": 9, "times": 1});
    stage.simulator.fault(&refusal);
    stage.allow_misses(1);
    stage.desk().buy("MNQ", 3);
    wait_until("the rule is named", || stage.doubts().contains(&"rule".to_string()));
    assert_eq!(stage.protection(), "not_protected");
    stage.simulator.clear_faults();
    // Ten seconds after a failure the rule tries again, and it works.
    wait_until("reduced", || stage.desk().held("MNQ") == 2);
    stage.wait_until_protection("armed");
}

/// The list of accounts is edited while no engine runs and the first account is locked: the second is
/// guarded from the first moment, and the first is neither freed nor forgotten, whatever the list says.
#[test]
fn an_account_added_while_no_engine_runs_is_guarded_beside_a_locked_one() {
    let rules =
        Rules::day_ends_at("-100").with("max_contracts_per_instrument", "{instrument_limits: {MNQ: 2}}");
    let mut stage = Stage::with_accounts(2, &rules);
    let [first, second] = stage.simulator.accounts[..] else { panic!("two accounts") };
    let list = |stage: &Stage, accounts: &[i64]| {
        let rows: String = accounts.iter().map(|id| format!("  - {{id: {id}, name: A{id}}}\n")).collect();
        stage.home.write("accounts.yaml", &format!("accounts:\n{rows}"));
    };
    let both = serde_json::json!([first.to_string(), second.to_string()]);
    list(&stage, &[first]);
    let line = stage.run();
    assert_eq!(line["accounts"], serde_json::json!([first.to_string()]));
    stage.simulator.price("MNQ", OPEN);
    stage.desk_of(0).buy("MNQ", 1);
    wait_until("seen", || stage.account(0)["positions"][0]["size"] == 1);
    stage.simulator.price("MNQ", OPEN - 60.0);
    stage.confirmed("daily_realized_loss", "flatten_account");
    stage.stop();

    list(&stage, &[first, second]);
    let line = stage.run();
    assert_eq!(line["accounts"], both);
    stage.desk_of(1).buy("MNQ", 5);
    wait_until("the second is guarded", || stage.desk_of(1).held("MNQ") == 2);
    stage.confirmed("max_contracts_per_instrument", "reduce_position");
    assert!(stage.is_locked_by(0, "daily_realized_loss", "HARD"));
    stage.stop();

    list(&stage, &[second]);
    let line = stage.run();
    assert_eq!(line["accounts"], both, "a locked account is not taken from the list");
    assert!(stage.is_locked_by(0, "daily_realized_loss", "HARD"));
    let fills = stage.desk_of(0).fills().len();
    stage.desk_of(0).buy("MES", 1);
    wait_until("undone", || stage.desk_of(0).fills().len() == fills + 2 && stage.desk_of(0).is_flat());
}

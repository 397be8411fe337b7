//! Scenario files and the scripted trader, in virtual time.

use crate::desk::{ACCOUNT, Desk, MNQ, order_line, start};
use chrono::TimeDelta;
use domain::OrderSide;
use simulator::{
    Amendment, Costs, Gateway, Market, Player, Scenario, ScenarioError, Settings, Ticket, Trader,
    TraderError, scenario::StepError,
};

/// Plays a scenario to its end and a second beyond; returns what failed and the desk.
fn play(text: &str, speed: f64) -> (Vec<(usize, StepError)>, Desk) {
    let scenario = Scenario::parse(text).unwrap();
    let settings = Settings { costs: Costs::Zero, speed, ..Settings::new(Market::Scenario) };
    let accounts = simulator::AccountSettings::several(scenario.accounts);
    let mut desk = Desk::new(Settings { accounts, ..settings });
    let mut player = Player::new(&scenario, &desk.gateway).unwrap();
    while let Some(at) = player.next_deadline() {
        player.advance(at, &mut desk.gateway);
    }
    desk.now = desk.gateway.now();
    desk.wait_ms(1_000);
    let failed = player.outcomes().iter().filter_map(|one| Some((one.step, one.result.clone().err()?)));
    (failed.collect(), desk)
}

#[test]
fn the_bad_morning_loses_what_it_should() {
    let (failed, mut desk) = play(include_str!("../../scenarios/bad-morning.yaml"), 1.0);
    assert_eq!(failed, []);
    assert_eq!(desk.truth(), Vec::<String>::new(), "flat, and nothing rests");
    assert_eq!(desk.now, start() + TimeDelta::seconds(41));
    let fills = desk.get("/sim/accounts")[0]["fills"].clone();
    let results: Vec<f64> =
        fills.as_array().unwrap().iter().filter_map(|fill| fill["profitAndLoss"].as_f64()).collect();
    assert_eq!(results.len(), 4);
    assert!(results[0] <= -40.0, "stopped out ten points lower, or worse: {results:?}");
    assert_eq!(results[1..3], [-50.0, -150.0], "25 points on 1 and on 3 contracts");
    assert_eq!(results[3], -50.0, "one point on ES");
}

#[test]
fn the_rough_network_leaves_the_second_account_flat() {
    let (failed, mut desk) = play(include_str!("../../scenarios/rough-network.yaml"), 1.0);
    assert_eq!(failed, [(11, StepError::Trader(TraderError::Http(504)))], "answered with 504, but executed");
    let second = desk.get("/sim/accounts")[1].clone();
    assert_eq!(second["positions"].as_array().unwrap().len(), 0);
    let orders: Vec<String> = second["orders"].as_array().unwrap().iter().map(order_line).collect();
    assert_eq!(orders, ["order 418 sell trailing stop status 1 0/3 stopPrice 20998"], "an orphan");
}

#[test]
fn a_pace_shortens_the_scenario() {
    let (failed, desk) = play(include_str!("../../scenarios/bad-morning.yaml"), 4.0);
    assert_eq!(failed, []);
    assert_eq!(desk.now, start() + TimeDelta::seconds(11));
}

#[test]
fn what_fails_is_written_down_and_the_play_goes_on() {
    let text = "
        steps:
          - {at: 0, close: {contract: MNQ}}
          - {at: 1, cancel: {order: nobody}}
          - {at: 2, order: {contract: MNQ, side: buy, size: 1}}";
    let (failed, mut desk) = play(text, 1.0);
    let refused = TraderError::Refused { code: 2, message: None };
    assert_eq!(failed, [(1, StepError::Trader(refused)), (2, StepError::UnknownOrder("nobody".to_string()))]);
    assert_eq!(desk.truth(), ["position 231 +1@24800"]);
}

#[test]
fn scenarios_that_cannot_be_played_say_which_step() {
    let error = |steps: &str| {
        let gateway = Gateway::new(Settings::new(Market::Scenario), start());
        Scenario::parse(steps).and_then(|scenario| Player::new(&scenario, &gateway)).unwrap_err()
    };
    let step = |step: &str| error(&format!("steps: [{{at: 0, clear_faults: true}}, {step}]"));
    assert_eq!(step("{at: 1}"), ScenarioError::NotOneThing { step: 2 });
    assert_eq!(
        step("{at: 1, clear_faults: true, cancel: {order: a}}"),
        ScenarioError::NotOneThing { step: 2 }
    );
    assert_eq!(step("{at: -1, clear_faults: true}"), ScenarioError::BadTime { step: 2 });
    assert_eq!(
        step("{at: 1, close: {contract: XYZ}}"),
        ScenarioError::UnknownContract { step: 2, contract: "XYZ".to_string() }
    );
    assert_eq!(
        step("{at: 1, close: {account: 2, contract: MNQ}}"),
        ScenarioError::UnknownAccount { step: 2, account: 2 }
    );
    assert!(matches!(
        step("{at: 1, fault: {kind: http_status, status: 99}}"),
        ScenarioError::BadFault { step: 2, .. }
    ));
    let unreadable = step("{at: 1, order: {contract: MNQ, side: up, size: 1}}").to_string();
    assert!(unreadable.contains("line 1") && unreadable.contains("up"), "{unreadable}");
}

#[test]
fn the_trader_is_an_ordinary_client_with_a_login_of_its_own() {
    let mut desk = Desk::manual();
    let (gateway, now) = (&mut desk.gateway, desk.now);
    let mut trader = Trader::new(gateway);
    let ticket = Ticket::market(ACCOUNT, MNQ, OrderSide::Buy, 2).with_brackets(-40, 80).tagged("t-1");
    let entry = trader.place(gateway, now, &ticket).unwrap();
    let working = trader.orders(gateway, now, ACCOUNT).unwrap();
    assert_eq!(working.iter().map(|order| order.parent_order_id).collect::<Vec<_>>(), [Some(entry); 2]);
    let stop = (ACCOUNT, working[0].id);
    let moved = Amendment { stop: Some("20995".parse().unwrap()), ..Amendment::default() };
    trader.modify(gateway, now, stop, moved).unwrap();
    trader.cancel(gateway, now, stop).unwrap();
    let again = trader.cancel(gateway, now, stop);
    assert_eq!(again, Err(TraderError::Refused { code: 2, message: None }));
    trader.close(gateway, now, (ACCOUNT, MNQ), Some(1)).unwrap();
    assert_eq!(trader.positions(gateway, now, ACCOUNT).unwrap()[0].size, 1);
    let stop = Ticket::stop(ACCOUNT, MNQ, OrderSide::Sell, 1, "20990".parse().unwrap());
    let limit = Ticket::limit(ACCOUNT, MNQ, OrderSide::Buy, 1, "20900".parse().unwrap());
    trader.place(gateway, now, &stop).unwrap();
    trader.place(gateway, now, &limit).unwrap();
    assert_eq!(trader.orders(gateway, now, ACCOUNT).unwrap().len(), 3);
    assert_eq!(trader.session(gateway).as_deref(), Some("s2"));
    desk.fault(serde_json::json!({"kind": "expire_tokens"}));
    trader.close(&mut desk.gateway, now, (ACCOUNT, MNQ), None).unwrap();
    assert_eq!(trader.session(&desk.gateway).as_deref(), Some("s3"), "it logged in again by itself");
    desk.token = desk.log_in();
    desk.fault(serde_json::json!({"kind": "http_status", "status": 502}));
    assert_eq!(trader.positions(&mut desk.gateway, now, ACCOUNT), Err(TraderError::Http(502)));
}

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use domain::{
    Link,
    broker::{Inbox, Signal},
};
use projectx::hub::{Effect, Hub, Lost, Topic, Which, account_topics, contract_topics};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::json;

const SECOND: Duration = Duration::from_secs(1);

/// A hub under test with its clock and everything it said and sent.
struct Story {
    hub: Hub,
    now: Instant,
    sent: Vec<Value>,
    told: Vec<String>,
}

impl Story {
    fn of(which: Which, wanted: BTreeSet<Topic>) -> Self {
        let now = Instant::now();
        let mut out = Vec::new();
        let hub = Hub::open(which, wanted, now, &mut out);
        let mut story = Self { hub, now, sent: Vec::new(), told: Vec::new() };
        story.take(out);
        assert_eq!(story.calls(), [r#"{"protocol":"json","version":1}"#]);
        story
    }

    fn hear(&mut self, records: &[Value]) -> Result<(), Lost> {
        let frame: String = records.iter().map(|record| format!("{record}\u{1e}")).collect();
        let mut out = Vec::new();
        let heard = self.hub.receive(&frame, self.now, &mut out);
        self.take(out);
        heard
    }

    fn want(&mut self, wanted: BTreeSet<Topic>) {
        let mut out = Vec::new();
        self.hub.want(wanted, self.now, &mut out);
        self.take(out);
    }

    fn tick(&mut self, later: Duration) -> Result<(), Lost> {
        self.now += later;
        let mut out = Vec::new();
        let ticked = self.hub.tick(self.now, &mut out);
        self.take(out);
        ticked
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(text) => {
                    let record = text.strip_suffix('\u{1e}').unwrap();
                    self.sent.push(serde_json::from_str(record).unwrap());
                }
                Effect::Tell(signal) => self.told.push(match signal {
                    Signal::Link(Link::UserUp) => "user up".into(),
                    Signal::Link(Link::MarketUp) => "market up".into(),
                    Signal::Event(event) => {
                        serde_json::to_value(event).unwrap()["event"].as_str().unwrap().into()
                    }
                    Signal::Malformed(report) => format!("malformed {}", report.what),
                    Signal::Inbox(Inbox::Repeated) => "repeated".into(),
                    Signal::Link(_) | Signal::LoginRefused(_) | Signal::Inbox(_) | Signal::Reply(_) => {
                        panic!("{signal:?}")
                    }
                }),
            }
        }
    }

    /// What was sent since the last look: calls as `Method(argument)`.
    fn calls(&mut self) -> Vec<String> {
        let text = |message: Value| match message["target"].as_str() {
            Some(target) => {
                let arguments = message["arguments"].as_array().unwrap();
                format!("{target}({})", arguments.first().map(Value::to_string).unwrap_or_default())
            }
            None => message.to_string(),
        };
        self.sent.drain(..).map(text).collect()
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    fn complete(&mut self, invocations: std::ops::Range<u32>) -> Result<(), Lost> {
        let records: Vec<Value> = invocations
            .map(|id| json!({"type": 3, "invocationId": id.to_string(), "result": null}))
            .collect();
        self.hear(&records)
    }
}

fn accounts(numbers: &[i64]) -> BTreeSet<Topic> {
    let ids: Vec<_> = numbers.iter().map(|number| (*number).into()).collect();
    account_topics(&ids).unwrap()
}

fn contracts(ids: &[&str]) -> BTreeSet<Topic> {
    contract_topics(&ids.iter().map(|id| (*id).into()).collect::<Vec<_>>())
}

fn event(name: &str) -> Value {
    let (target, arguments) = json::hub(name);
    json!({"type": 1, "target": target, "arguments": arguments})
}

#[test]
fn the_user_hub_is_up_once_every_subscription_is_confirmed() {
    let mut story = Story::of(Which::User, accounts(&[7, 9]));
    story.hear(&[json!({})]).unwrap();
    assert_eq!(
        story.calls(),
        [
            "SubscribeAccounts()",
            "SubscribeOrders(7)",
            "SubscribePositions(7)",
            "SubscribeTrades(7)",
            "SubscribeOrders(9)",
            "SubscribePositions(9)",
            "SubscribeTrades(9)",
        ]
    );
    story.complete(0..6).unwrap();
    assert!(story.told().is_empty() && !story.hub.is_up());
    story
        .hear(&[event("position open"), json!({"type": 3, "invocationId": "6"}), event("closing trade")])
        .unwrap();
    assert_eq!(story.told(), ["position", "fill", "user up"]);
}

/// Between the list of accounts and their subscriptions it would be taken for a hub that tells of them.
#[test]
fn a_user_hub_without_accounts_is_not_up_yet() {
    let mut story = Story::of(Which::User, BTreeSet::new());
    story.hear(&[json!({})]).unwrap();
    story.complete(0..1).unwrap();
    assert_eq!((story.told(), story.hub.is_up()), (vec![], false));
    story.want(accounts(&[7]));
    story.complete(1..4).unwrap();
    assert_eq!(story.told(), ["user up"]);
}

#[test]
fn a_market_hub_that_nobody_wants_anything_of_is_up_after_the_handshake() {
    let mut story = Story::of(Which::Market, BTreeSet::new());
    assert!(!story.hub.is_up());
    story.hear(&[json!({})]).unwrap();
    assert_eq!((story.told(), story.calls()), (vec!["market up".to_string()], vec![]));
}

#[test]
fn changed_wishes_are_subscribed_unsubscribed_and_confirmed() {
    let mut story = Story::of(Which::Market, contracts(&["A", "B"]));
    story.hear(&[json!({})]).unwrap();
    story.complete(0..2).unwrap();
    assert_eq!(story.told(), ["market up"]);
    story.calls();
    story.want(contracts(&["A", "B"]));
    assert!(story.hub.is_up() && story.calls().is_empty());
    story.want(contracts(&["B", "C"]));
    assert_eq!(story.calls(), [r#"UnsubscribeContractQuotes("A")"#, r#"SubscribeContractQuotes("C")"#]);
    assert!(!story.hub.is_up());
    story.complete(2..4).unwrap();
    assert_eq!(story.told(), ["market up"]);
}

#[test]
fn wishes_that_change_before_the_handshake_are_the_ones_that_count() {
    let mut story = Story::of(Which::Market, contracts(&["A"]));
    story.want(contracts(&["B"]));
    assert!(story.calls().is_empty());
    story.hear(&[json!({})]).unwrap();
    assert_eq!(story.calls(), [r#"SubscribeContractQuotes("B")"#]);
}

#[test]
fn quotes_of_a_contract_that_was_given_up_are_not_told() {
    let mut story = Story::of(Which::Market, contracts(&["CON.F.US.MNQ.U26"]));
    story.hear(&[json!({})]).unwrap();
    story.complete(0..1).unwrap();
    story.hear(&[event("full quote")]).unwrap();
    story.want(contracts(&[]));
    story.hear(&[event("partial quote")]).unwrap();
    assert_eq!(story.told(), ["market up", "quote"]);
}

#[test]
fn a_refused_subscription_is_a_lost_hub_a_refused_unsubscription_is_not() {
    let mut story = Story::of(Which::Market, contracts(&["A"]));
    story.hear(&[json!({})]).unwrap();
    story.complete(0..1).unwrap();
    story.want(contracts(&["B"]));
    story.hear(&[json!({"type": 3, "invocationId": "1", "error": "no"})]).unwrap();
    let lost =
        story.hear(&[json!({"type": 3, "invocationId": "2", "error": "no such contract"})]).unwrap_err();
    assert_eq!(lost.to_string(), r#"SubscribeContractQuotes("B") was refused: no such contract"#);
}

#[test]
fn a_subscription_that_is_never_confirmed_is_a_lost_hub() {
    let mut story = Story::of(Which::User, accounts(&[7]));
    story.hear(&[json!({})]).unwrap();
    story.complete(0..3).unwrap();
    assert_eq!(story.hub.deadline(), story.now + 15 * SECOND);
    story.tick(14 * SECOND).unwrap();
    let lost = story.tick(SECOND).unwrap_err();
    assert_eq!(lost.to_string(), "SubscribeTrades(7) was not confirmed within 15 s");
}

#[test]
fn a_hub_that_says_nothing_for_30_s_is_lost_and_pinged_until_then() {
    let mut story = Story::of(Which::Market, BTreeSet::new());
    story.hear(&[json!({})]).unwrap();
    story.tick(15 * SECOND).unwrap();
    assert_eq!(story.calls(), [r#"{"type":6}"#]);
    assert_eq!(story.tick(15 * SECOND).unwrap_err().to_string(), "nothing heard for 30 s");
}

#[test]
fn what_was_said_before_the_end_is_told_what_comes_after_is_not() {
    for (end, why) in [
        (json!({"type": 7, "error": "bye", "allowReconnect": true}), "closed by the server: bye"),
        (json!({"type": 7}), "closed by the server"),
        (
            json!({"type": 1, "target": "GatewayLogout", "arguments": [{}]}),
            "logged out by the platform, as after a login elsewhere",
        ),
    ] {
        let mut story = Story::of(Which::User, BTreeSet::new());
        story.hear(&[json!({})]).unwrap();
        let lost = story.hear(&[event("account"), end, event("position open")]).unwrap_err();
        assert_eq!((story.told(), lost.to_string().as_str()), (vec!["account".to_string()], why));
    }
}

#[test]
fn a_record_that_is_no_message_is_reported_and_the_hub_goes_on() {
    let mut story = Story::of(Which::User, BTreeSet::new());
    story.hear(&[json!({})]).unwrap();
    story.hear(&[json!("nonsense"), event("account")]).unwrap();
    assert_eq!(story.told(), ["malformed hub message", "account"]);
}

#[test]
fn after_a_query_of_the_state_nothing_counts_as_repeated() {
    let mut story = Story::of(Which::User, BTreeSet::new());
    story.hear(&[json!({}), event("account"), event("account")]).unwrap();
    story.hub.forget();
    story.hear(&[event("account")]).unwrap();
    assert_eq!(story.told(), ["account", "repeated", "account"]);
}

proptest! {
    #[test]
    fn no_frame_makes_it_panic(
        records in prop::collection::vec(json::any_json(), 0..4), text in ".{0,60}", is_ready in any::<bool>(),
    ) {
        let mut story = Story::of(Which::User, accounts(&[7]));
        if is_ready {
            story.hear(&[json!({})]).unwrap();
        }
        let mut out = Vec::new();
        let _ = story.hub.receive(&text, story.now, &mut out);
        let _ = story.hear(&records);
    }
}

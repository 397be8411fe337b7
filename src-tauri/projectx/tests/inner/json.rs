//! Recorded shapes and arbitrary ones.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value};

static HUB: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/hub.json")).unwrap());
static REST: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../fixtures/rest.json")).unwrap());

/// Target and arguments of a recorded hub event.
pub fn hub(name: &str) -> (String, Vec<Value>) {
    let event = &HUB[name];
    (event["target"].as_str().unwrap().to_string(), event["arguments"].as_array().unwrap().clone())
}

/// The row inside a recorded hub event.
pub fn row(name: &str) -> Value {
    let (_, arguments) = hub(name);
    let last = arguments.last().unwrap();
    last.get("data").unwrap_or(last).clone()
}

/// A recorded response.
pub fn response(name: &str) -> Value {
    REST[name].clone()
}

/// Any JSON, of moderate size, fond of the names and numbers that occur on the wire.
pub fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        (-2i64..10).prop_map(Value::from),
        any::<f64>()
            .prop_map(|number| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)),
    ];
    let text = prop_oneof![
        ".{0,40}",
        Just("2026-06-10T14:31:07.2041183+00:00".to_string()),
        Just("1e999999999".to_string()),
        Just("CON.F.US.MNQ.U26".to_string()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let member = prop_oneof![".{0,8}", "(data|action|id|accountId|type|size|status|price|target|error)"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((member, inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A recorded event with one member of its row replaced or taken away.
pub fn damaged_event() -> impl Strategy<Value = (String, Vec<Value>)> {
    let names: Vec<String> = HUB.as_object().unwrap().keys().cloned().collect();
    (prop::sample::select(names), any::<prop::sample::Index>(), prop::option::of(any_json())).prop_map(
        |(name, which, replacement)| {
            let (target, mut arguments) = hub(&name);
            let mut row = row(&name);
            let members = row.as_object_mut().unwrap();
            let member = members.keys().nth(which.index(members.len())).unwrap().clone();
            match replacement {
                Some(value) => members.insert(member, value),
                None => members.remove(&member),
            };
            *arguments.last_mut().unwrap() = row;
            (target, arguments)
        },
    )
}
